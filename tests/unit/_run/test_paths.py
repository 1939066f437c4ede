# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mistake is found again in the options of the task."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._run.paths import option_path

STACK: dict[str, Any] = {
    "name": "shop",
    "units": [
        {"name": "one.service", "service": {"ExecStart": "/one"}, "unit": None},
        {"name": "text.service", "content": "[Service]\nExecStrat=/x\n"},
        {
            "name": "many@.service",
            "service": {"ExecStart": "/many %i"},
            "instances": ["a", {"name": "b", "environment": {"A": "b"}}],
        },
    ],
    "services": [
        {"name": "web", "exec_start": "/web", "depends_on": ["db"]},
        {"name": "words.service", "argv": ["/x"]},
    ],
    "timers": [
        {"name": "report", "cron": "@daily", "exec_start": "/report", "environment": {"A": "b"}},
        {"name": "later.timer", "timer": {"OnCalendar": "dayly"}},
    ],
    "sockets": [{"name": "echo", "listen_stream": "x", "accept": True, "exec_start": "/echo"}],
    "targets": None,
    "dropins": [
        {"name": "nginx.service", "dropin": "a", "service": {"LimitNOFILE": 1}},
        {"name": "nginx.service", "dropin": "b", "service": {"LimitNPROC": 1}},
    ],
    "defaults": {"service": {"MemoryMax": "1"}, "unit": None},
}


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("one.service Service ExecStart", "units[0].service.ExecStart"),
        ("one.service Unit After", "units[0]"),
        ("one.service", "units[0]"),
        ("text.service Service ExecStrat", "units[1].content"),
        ("many@.service Service ExecStart", "units[2].service.ExecStart"),
        ("many@a.service Service ExecStart", "units[2].service.ExecStart"),
        ("many@a.service", "units[2]"),
        ("many@b.service", "units[2].instances[1]"),
        ("web.service Service ExecStart", "services[0].exec_start"),
        ("web.service Unit Wants", "services[0].depends_on"),
        ("web.service Service MemoryMax", "defaults.service.MemoryMax"),
        ("words.service Service ExecStart", "services[1].argv"),
        ("report.timer Timer OnCalendar", "timers[0].cron"),
        ("report.service Service ExecStart", "timers[0].exec_start"),
        ("report.service Service Environment", "timers[0].environment"),
        ("later.timer Timer OnCalendar", "timers[1].timer.OnCalendar"),
        ("echo@.service Service ExecStart", "sockets[0].exec_start"),
        ("echo.socket Socket ListenStream", "sockets[0].listen_stream"),
        ("nginx.service Service LimitNOFILE", "dropins[0].service.LimitNOFILE"),
        ("nginx.service Service LimitNPROC", "dropins[1].service.LimitNPROC"),
        ("other.service Service ExecStart", ""),
        ("", ""),
    ],
)
def test_in_a_stack(place: str, path: str) -> None:
    unit, section, directive = [*place.split(" "), "", ""][:3]
    assert option_path(STACK, unit, section, directive) == path


@pytest.mark.parametrize(
    ("unit", "option", "path"),
    [
        ("", "alerts.ops.webhook", "alerts.ops.webhook"),
        ("web.service", "alert.webhook", "services[0].alert.webhook"),
        ("report.service", "alert", "timers[0].alert"),
        ("words.service", "alert.webhook", "defaults.alert.webhook"),
        ("words.service", "hardening.allow", "services[1]"),
    ],
)
def test_what_is_no_directive(unit: str, option: str, path: str) -> None:
    services = [{**STACK["services"][0], "alert": {"webhook": "x"}}, STACK["services"][1]]
    timers = [{**STACK["timers"][0], "alert": "ops"}]
    given = {**STACK, "services": services, "timers": timers, "defaults": {"alert": {"webhook": "x"}}}
    assert option_path(given, unit, "", "", option) == path


def test_in_a_module_of_one_unit() -> None:
    params = {"name": "a.timer", "on_calendar": "x", "timer": {"Persistent": True}, "exec_start": "/a"}
    assert option_path(params, "a.timer", "Timer", "OnCalendar") == "on_calendar"
    assert option_path(params, "a.timer", "Timer", "Persistent") == "timer.Persistent"
    assert option_path(params, "a.service", "Service", "ExecStart") == "exec_start"
    assert option_path(params, "a.service", "", "") == ""

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mistake is found again in the options of the task."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._run.paths import every_path, option_path

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
    "sockets": [
        {"name": "echo", "listen_stream": "x", "accept": True, "exec_start": "/echo"},
        {"name": "each@", "listen_stream": "x", "accept": True, "exec_start": "/each"},
    ],
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
        ("each@.socket Socket Accept", "sockets[1].accept"),
        ("each@.service Service ExecStart", "sockets[1].exec_start"),
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
    assert option_path(params, "a.service", "", "") == "name"
    assert option_path(params, "", "", "") == ""
    instances = {"name": "w@.service", "instances": ["a", {"name": "b", "environment": {"A": None}}]}
    assert option_path(instances, "w@.service", "", "", "instances[0]") == "instances[0]"
    assert option_path(instances, "w@b.service", "Service", "Environment", "A") == "instances[1].environment.A"
    assert option_path(instances, "w@b.service", "", "") == "instances[1]"


WITHIN: dict[str, Any] = {
    "name": "shop",
    "units": [
        {"name": "raw.service", "service": {"ExecStart": ["/a", None], "Environment": {"A": None}}, "unit": None},
        {"name": "many@.service", "instances": ["a", {"name": "b", "environment": {"C": "1"}, "health": {"tcp": "x"}}]},
    ],
    "services": [
        {
            "name": "web",
            "exec_start_pre": ["/a", None],
            "argv": ["/x", True],
            "environment": {"A": None, "B": "1"},
            "secrets": {"TOKEN": 1},
            "health": {"stable_for": 1, "tcp": None},
            "triggers": {"files": ["/a", "b"]},
            "environment_file": None,
        },
    ],
    "dropins": [{"name": "raw.service", "dropin": "a", "environment": {"Z": None}}],
    "defaults": {"health": {"tcp": "x"}, "environment": {"D": None}, "secrets": {"S": 1}},
}


@pytest.mark.parametrize(
    ("place", "option", "path"),
    [
        ("raw.service Service ExecStart", "[1]", "units[0].service.ExecStart[1]"),
        ("raw.service Service Environment", "A", "units[0].service.Environment.A"),
        ("raw.service Service Environment", "Z", "dropins[0].environment.Z"),
        ("web.service Service ExecStartPre", "[1]", "services[0].exec_start_pre[1]"),
        ("web.service Service ExecStartPre", "[7]", "services[0].exec_start_pre"),
        ("web.service Service ExecStart", "[1]", "services[0].argv[1]"),
        ("web.service Service Environment", "A", "services[0].environment.A"),
        ("web.service Service Environment", "B", "services[0].environment.B"),
        ("web.service Service Environment", "D", "defaults.environment.D"),
        ("web.service", "secrets.TOKEN", "services[0].secrets.TOKEN"),
        ("web.service", "secrets.S", "defaults.secrets.S"),
        ("web.service", "secrets.gone", "services[0].secrets"),
        ("web.service", "health.tcp", "defaults.health.tcp"),
        ("web.service", "health.stable_for", "services[0].health.stable_for"),
        ("web.service", "triggers.files[1]", "services[0].triggers.files[1]"),
        ("many@.service", "instances[0]", "units[1].instances[0]"),
        ("many@.service", "instances[1].environment.C", "units[1].instances[1].environment.C"),
        ("many@b.service Service Environment", "C", "units[1].instances[1].environment.C"),
        ("many@b.service", "health.tcp", "units[1].instances[1].health.tcp"),
        ("web.timer", "name", ""),
    ],
)
def test_what_lies_within(place: str, option: str, path: str) -> None:
    unit, section, directive = [*place.split(" "), "", ""][:3]
    assert option_path(WITHIN, unit, section, directive, option) == path


def test_a_name_of_another_type_is_found_by_what_it_is() -> None:
    given = {"services": [{"name": "a.timer"}]}
    assert option_path(given, "a.timer", "", "", "name") == "services[0].name"


def test_every_entry_of_what_is_declared_twice() -> None:
    given = {
        "units": [{"name": "a.service"}, {"name": "w@.service", "instances": ["a", "b"]}, {"name": "w@a.service"}],
        "services": [{"name": "a"}, {"name": "b"}],
        "dropins": [
            {"name": "a.service", "dropin": "x"},
            {"name": "a.service", "dropin": "y"},
            {"name": "a.service", "dropin": "x.conf"},
        ],
    }
    assert every_path(given, "a.service", "") == ["units[0]", "services[0]"]
    assert every_path(given, "w@a.service", "") == ["units[1]", "units[2]"]
    assert every_path(given, "w@b.service", "") == ["units[1]"]
    assert every_path(given, "a.service", "dropin") == ["dropins[0]", "dropins[2]"]


def test_a_member_without_an_entry_of_its_own() -> None:
    target = {"name": "shop", "members": ["web", "jobs.timer mail"]}
    paths = {"web.service": "members[0]", "mail.service": "members[1]", "shop.target": "name"}
    assert {unit: option_path(target, unit, "", "") for unit in paths} == paths
    stack = {"name": "shop", "units": [{"name": "web.service"}], "targets": [{"name": "a"}, target]}
    assert option_path(stack, "web.service", "", "") == "units[0]"
    assert option_path(stack, "mail.service", "", "") == "targets[1].members[1]"
    assert option_path(stack, "other.service", "", "") == ""

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of units are told as what they are: numbers, times, spans, sizes, lists, commands."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.properties import Told, key_of, moment, told

MOST = 18446744073709551615


@pytest.mark.parametrize(
    ("name", "raw", "key", "value"),
    [
        ("MainPID", 812, "main_pid", 812),
        ("MainPID", 0, "main_pid", None),
        ("NRestarts", 0, "n_restarts", 0),
        ("RestartUSec", 100000, "restart_sec", 0.1),
        ("TimeoutStartUSec", 90000000, "timeout_start_sec", 90),
        ("AccuracyUSec", 1, "accuracy_sec", 0.000001),
        ("CPUUsageNSec", 1500000000, "cpu_usage_sec", 1.5),
        ("CPUQuotaPerSecUSec", 500000, "cpu_quota_per_sec", 0.5),
        ("MemoryMax", 67108864, "memory_max", 67108864),
        ("CPUWeight", 100, "cpu_weight", 100),
        ("LimitNOFILE", 524288, "limit_nofile", 524288),
        ("IPIngressBytes", 7, "ip_ingress_bytes", 7),
        ("UID", 4294967295, "uid", None),
        ("UID", 0, "uid", 0),
        ("Nice", -5, "nice", -5),
        ("Persistent", True, "persistent", True),
        ("Persistent", False, "persistent", False),
        ("Description", "A b", "description", "A b"),
        ("SourcePath", "", "source_path", None),
        ("InvocationID", b"\xc9\x98\x13\x0c", "invocation_id", "c998130c"),
        ("InvocationID", b"", "invocation_id", None),
        ("DropInPaths", [], "drop_in_paths", []),
        ("DropInPaths", ["/b", "/a"], "drop_in_paths", ["/b", "/a"]),
        ("After", ["b.target", "a.target"], "after", ["a.target", "b.target"]),
        ("Service", "b.service", "service", "b.service"),
        ("TriggeredBy", ["b.timer", "a.timer"], "triggered_by", ["a.timer", "b.timer"]),
        ("ExecMainCode", 0, "exec_main_code", None),
        ("ExecMainCode", 2, "exec_main_code", "killed"),
        ("Job", (0, "/"), "job", None),
        ("Job", (17, "/org/freedesktop/systemd1/job/17"), "job", 17),
        ("LoadError", ("", ""), "load_error", None),
        ("LoadError", ("org.x.Masked", "Unit a is masked."), "load_error", "Unit a is masked."),
        ("Listen", [("Stream", "[::]:80")], "listen", [{"type": "Stream", "address": "[::]:80"}]),
        ("Paths", [("PathExists", "/a b")], "paths", [{"type": "PathExists", "path": "/a b"}]),
        ("EnvironmentFiles", [("/a", True)], "environment_files", [{"path": "/a", "ignore_errors": True}]),
        ("TimersMonotonic", [("OnBootUSec", 90500000, 0)], "timers_monotonic", [{"base": "OnBootSec", "sec": 90.5}]),
        (
            "TimersCalendar",
            [("OnCalendar", "daily", 5)],
            "timers_calendar",
            [{"base": "OnCalendar", "calendar": "daily"}],
        ),
        ("SystemCallFilter", (False, ["read"]), "system_call_filter", [False, ["read"]]),
        # Times of the calendar, and what only counts from the boot.
        (
            "ActiveEnterTimestamp",
            1767232800250000,
            "active_enter_timestamp",
            {"iso": "2026-01-01T02:00:00.250000Z", "epoch": 1767232800.25},
        ),
        ("ActiveEnterTimestamp", 0, "active_enter_timestamp", None),
        ("ActiveEnterTimestampMonotonic", 2500000, "active_enter_timestamp_monotonic", 2.5),
        ("LastTriggerUSec", 1767232800000000, "last_trigger", {"iso": "2026-01-01T02:00:00Z", "epoch": 1767232800}),
        ("LastTriggerUSec", 0, "last_trigger", None),
    ],
)
def test_what_a_property_is_told_as(name: str, raw: Any, key: str, value: Any) -> None:
    found = told(name, raw)
    assert found == Told(key, value)
    assert type(found.value) is type(value)


@pytest.mark.parametrize("name", ["MemoryMax", "TasksMax", "RuntimeMaxUSec", "CPUQuotaPerSecUSec", "LimitNOFILE"])
def test_no_limit_is_null_and_said_to_be_none(name: str) -> None:
    assert told(name, MOST) == Told(key_of(name), None, unlimited=True)


@pytest.mark.parametrize(
    "name",
    ["MemoryCurrent", "MemoryPeak", "TasksCurrent", "CPUUsageNSec", "CPUWeight", "IPIngressBytes", "IOReadBytes"],
)
def test_what_was_not_measured_is_null_and_no_limit(name: str) -> None:
    assert told(name, MOST) == Told(key_of(name), None)


_RUN = (1767232800000000, 5, 1767232801000000, 6, 52, 1, 3)


@pytest.mark.parametrize("flags", [["ignore-failure"], True])
def test_a_command_is_a_mapping(flags: Any) -> None:
    name = "ExecStartPre" if flags is True else "ExecStartPreEx"
    found = told(name, [("/bin/a", ["/bin/a", "b c", ""], flags, *_RUN)])
    assert found.key == "exec_start_pre"
    assert found.value == [
        {
            "path": "/bin/a",
            "argv": ["/bin/a", "b c", ""],
            "flags": ["ignore-failure"],
            "started": {"iso": "2026-01-01T02:00:00Z", "epoch": 1767232800},
            "ended": {"iso": "2026-01-01T02:00:01Z", "epoch": 1767232801},
            "pid": 52,
            "code": "exited",
            "status": 3,
        }
    ]


def test_a_command_that_has_not_run_has_no_end() -> None:
    (found,) = told("ExecStopPost", [("/bin/a", ["a"], False, 0, 0, 0, 0, 0, 0, 0)]).value
    ended = {key: found[key] for key in ("flags", "started", "ended", "pid", "code", "status")}
    assert ended == {"flags": [], "started": None, "ended": None, "pid": None, "code": None, "status": None}


def test_a_time_that_never_comes_is_none() -> None:
    assert moment(MOST) is None

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a unit, by its facts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import registered
from ansible_collections.unitwright.systemd.plugins.module_utils._trial import drill, scene
from ansible_collections.unitwright.systemd.plugins.plugin_utils._findings import TITLES, rows

UP = {"id": "a.service", "active_state": "active", "sub_state": "running", "unit_file_state": "enabled"}
DOWN = {**UP, "active_state": "inactive", "sub_state": "dead"}
FAILED = {**UP, "active_state": "failed", "sub_state": "failed", "result": "exit-code"}
WAITS = {
    **UP,
    "active_state": "activating",
    "sub_state": "auto-restart",
    "result": "signal",
    "n_restarts": 0,
}
TIMER = {**UP, "id": "a.timer", "sub_state": "waiting", "timers_calendar": [{"calendar": "daily"}]}
NEXT = {"iso": "2026-11-28T02:00:00+00:00", "epoch": 1}
PROVEN = {
    "proven": True,
    "cause": "there is no user shop",
    "remedy": "make it",
    "evidence": "Failed at step USER",
    "journal": ["Failed at step USER"],
}


def found(facts: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    told = rows({facts["id"]: facts}, **options)
    return [(each["finding"], each["message"]) for row in told for each in row["findings"]]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (UP, []),
        ({**FAILED, "unit_file_state": None}, [("failed", "a.service: has failed, result exit-code")]),
        (
            {**FAILED, "exec_main_code": "exited", "exec_main_status": 3},
            [("failed", "a.service: has failed, result exit-code, exited 3")],
        ),
        ({**FAILED, "cause": PROVEN}, [("failed", "a.service: has failed, there is no user shop: make it")]),
        (
            {**FAILED, "cause": {**PROVEN, "proven": False, "cause": ""}},
            [("failed", "a.service: has failed, result exit-code; the cause is not proven")],
        ),
        ({**WAITS, "n_restarts": 1}, [("looping", "a.service: fails again and again, result signal")]),
        (
            {**WAITS, "sub_state": "auto-restart-queued", "n_restarts": 2},
            [("looping", "a.service: fails again and again, result signal")],
        ),
        # It fell once, or ended well and Restart=always has it start again.
        (WAITS, [("restarting", "a.service: has failed and waits for its restart, result signal")]),
        ({**WAITS, "result": "success", "n_restarts": 100}, []),
        (DOWN, [("not-up", "a.service: is enabled and not up")]),
        ({**DOWN, "unit_file_state": "enabled-runtime"}, [("not-up", "a.service: is enabled and not up")]),
        ({**DOWN, "unit_file_state": "disabled"}, []),
        ({**DOWN, "id": "a@.service"}, []),
        # What may be down: it ran once, a condition left it out, something else starts it.
        ({**DOWN, "type": "oneshot"}, []),
        ({**DOWN, "condition_timestamp": NEXT, "condition_result": False}, []),
        (
            {**DOWN, "condition_timestamp": None, "condition_result": False},
            [("not-up", "a.service: is enabled and not up")],
        ),
        ({**DOWN, "triggered_by": ["a.socket"]}, []),
        ({**TIMER, "next_elapse": NEXT}, []),
        ({**TIMER, "next_elapse": None}, [("no-elapse", "a.timer: has no next elapse")]),
        ({**TIMER, "next_elapse": None, "sub_state": "running"}, []),  # its service runs right now
        (
            {**UP, "stale": True, "stale_for": ["ExecStart", "User"], "need_daemon_reload": True},
            [("stale", "a.service: runs with something older than its files, ExecStart, User")],
        ),
        (
            {**UP, "need_daemon_reload": True},
            [("not-loaded", "a.service: its files have changed since systemd has read them (systemctl daemon-reload)")],
        ),
        (
            {**FAILED, "stale": True, "stale_for": ["User"]},
            [
                ("failed", "a.service: has failed, result exit-code"),
                ("stale", "a.service: runs with something older than its files, User"),
            ],
        ),
    ],
)
def test_what_is_found(facts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(facts) == expected
    assert {finding for finding, _message in expected} <= TITLES.keys()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (UP, []),
        ({**UP, "active_state": "reloading"}, []),
        ({**DOWN, "unit_file_state": "disabled"}, [("down", "a.service: was up and is inactive")]),
        # One that its socket alone starts waits for that, and one that is enabled as well does not.
        ({**DOWN, "triggered_by": ["a.socket"], "unit_file_state": "static"}, []),
        ({**DOWN, "triggered_by": ["a.socket"]}, [("down", "a.service: was up and is inactive")]),
        ({**DOWN, "type": "oneshot"}, []),
        ({**UP, "id": "b.service"}, [("gone", "a.service: was up and is not there any more")]),
    ],
)
def test_what_was_up_before(facts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(facts, expected=["a.service"]) == expected


STATIC = {**DOWN, "unit_file_state": "static"}
ALONE = {"wanted_by": [], "required_by": []}
BY_UP = {"wanted_by": ["multi-user.target"], "required_by": []}
BY_DOWN = {"wanted_by": ["called.service"], "required_by": []}
BY_ONCE = {"wanted_by": [], "required_by": ["once.service"]}
OTHERS = {
    "multi-user.target": {**UP, "id": "multi-user.target"},
    "called.service": {**STATIC, "id": "called.service"},
    "once.service": {**STATIC, "id": "once.service", "type": "oneshot"},
}
WAS_UP = "a.service: was up and is inactive"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # Where the module was not asked who pulls a unit in, it is not known.
        (STATIC, [WAS_UP]),
        # What a program had started, be it by another that is not up either.
        ({**STATIC, **ALONE}, []),
        ({**STATIC, **BY_DOWN}, []),
        ({**STATIC, **BY_UP}, [WAS_UP]),
        ({**STATIC, **BY_ONCE}, [WAS_UP]),
        ({**STATIC, **ALONE, "bound_by": ["multi-user.target"]}, [WAS_UP]),
        ({**STATIC, **ALONE, "wanted_by": ["unknown.service"]}, [WAS_UP]),
        # What D-Bus starts by its name: polkit.
        ({**STATIC, "type": "dbus"}, []),
        ({**STATIC, "bus_name": "org.freedesktop.hostname1"}, []),
        ({**STATIC, "bus_name": "org.freedesktop.login1", **BY_UP}, [WAS_UP]),
        ({**DOWN, "type": "dbus", "unit_file_state": "disabled"}, []),
        ({**DOWN, "type": "dbus"}, [WAS_UP]),
        # What somebody had started by hand, and what is enabled.
        ({**DOWN, "unit_file_state": "disabled", **ALONE}, [WAS_UP]),
        ({**DOWN, **ALONE}, [WAS_UP]),
    ],
)
def test_what_only_came_by_a_call(facts: dict[str, Any], expected: list[str]) -> None:
    told = rows({**OTHERS, "a.service": facts}, expected=["a.service"])
    assert [each["message"] for row in told for each in row["findings"]] == expected


@pytest.mark.parametrize("unit", ["user@1000.service", "user-runtime-dir@1000.service"])
@pytest.mark.parametrize("is_there", [True, False])
def test_what_came_by_a_login(unit: str, is_there: bool) -> None:
    units = {unit: {**STATIC, "id": unit}} if is_there else {}
    assert [row["findings"] for row in rows(units, expected=[unit])] == [[]] * is_there
    failed = {unit: {**FAILED, "id": unit}}
    assert [each["finding"] for each in rows(failed, expected=[unit])[0]["findings"]] == ["failed"]


@pytest.mark.parametrize(
    ("before", "is_told"),
    [
        ({**UP, "type": "oneshot", "unit_file_state": "static"}, False),  # systemd-fsck@dev-sda1.service
        ({**UP, "type": "simple"}, True),
        ({**UP, "unit_file_state": "static", **ALONE}, False),
        ({**UP, "triggered_by": ["a.socket"], "unit_file_state": "static"}, False),
        (None, True),
        ("hostile", True),
    ],
)
def test_what_is_gone_is_judged_by_what_it_was(before: object, is_told: bool) -> None:
    told = [each["finding"] for row in rows({}, expected={"a.service": before}) for each in row["findings"]]
    assert told == ["gone"] * is_told


def test_what_is_gone_may_be_ignored() -> None:
    assert rows({}, expected=["a.service"], ignored=["a.*"]) == []


def test_facts_of_a_wrong_type_are_of_their_unit_alone() -> None:
    odd = {key: ["<b>"] for key in (*UP, "owner", "n_restarts", "next_elapse", "cause", "stale_for", "triggered_by")}
    odd = {**odd, "id": "odd.service", "active_state": "failed", "cause": {"proven": True, "cause": ["x"]}}
    told = {row["unit"]: row for row in rows({"odd.service": odd, "none.service": "x", "a.service": FAILED})}
    assert {unit: [each["finding"] for each in row["findings"]] for unit, row in told.items()} == {
        "odd.service": ["failed"],
        "none.service": ["unreadable"],
        "a.service": ["failed"],
    }
    assert told["odd.service"]["restarts"] == 0
    for row in told.values():
        assert all(isinstance(value, str) for each in row["findings"] for value in each.values())
        assert all(isinstance(row[key], str) for key in row.keys() - {"restarts", "next_elapse", "findings"})


def test_every_rule_of_a_drill_has_a_title() -> None:
    assert drill.drill and scene.Scene  # both have put theirs into the register
    rules = {rule.id for rule in registered() if rule.id.startswith("drill-")}
    assert {each for each in TITLES if each.startswith("drill-")} == {*rules, "drill-failed"}


@pytest.mark.parametrize(
    ("pattern", "is_ignored"),
    [
        ("a.service", True),
        ("a*", True),
        ("*", True),
        ("a", False),
        ("A.service", False),
        ("?.service", False),
        ("[a].service", False),
        ("a|.service", False),
        ("", False),
    ],
)
def test_what_is_ignored(pattern: str, is_ignored: bool) -> None:
    assert (found(FAILED, ignored=["other.service", pattern]) == []) is is_ignored


def test_what_a_row_tells() -> None:
    facts = {**FAILED, "description": "Shop", "owner": "shop", "n_restarts": 4, "cause": PROVEN}
    (row,) = rows({"a.service": facts})
    assert row == {
        "unit": "a.service",
        "description": "Shop",
        "state": "failed",
        "sub_state": "failed",
        "enabled": "enabled",
        "owner": "shop",
        "restarts": 4,
        "next_elapse": None,
        "findings": [
            {
                "finding": "failed",
                "message": "a.service: has failed, there is no user shop: make it",
                "cause": "there is no user shop",
                "remedy": "make it",
                "evidence": "Failed at step USER",
            }
        ],
    }


def test_which_units_have_a_row() -> None:
    """Aliases and templates have none, and neither has what is of no note."""
    plain = {**UP, "unit_file_state": "static"}
    units = {
        "alias.service": UP,
        "a@.service": {**UP, "id": "a@.service", "active_state": None},
        "enabled.service": {**UP, "id": "enabled.service"},
        "owned.service": {**plain, "id": "owned.service", "owner": "shop"},
        "expected.service": {**plain, "id": "expected.service"},
        "plain.service": {**plain, "id": "plain.service"},
        "some.timer": {**TIMER, "id": "some.timer", "unit_file_state": "static", "next_elapse": NEXT},
    }
    told = {row["unit"]: row["next_elapse"] for row in rows(units, expected=["expected.service"])}
    assert told == {
        "enabled.service": None,
        "owned.service": None,
        "expected.service": None,
        "some.timer": "2026-11-28T02:00:00+00:00",
    }

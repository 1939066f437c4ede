# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a unit, by its facts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.plugin_utils._findings import TITLES, rows

UP = {"id": "a.service", "active_state": "active", "sub_state": "running", "unit_file_state": "enabled"}
DOWN = {**UP, "active_state": "inactive", "sub_state": "dead"}
FAILED = {**UP, "active_state": "failed", "sub_state": "failed", "result": "exit-code"}
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
            [("failed", "a.service: has failed, result exit-code")],
        ),
        (
            {**UP, "active_state": "activating", "sub_state": "auto-restart", "result": "signal"},
            [("looping", "a.service: fails again and again, result signal")],
        ),
        (
            {**UP, "active_state": "activating", "sub_state": "auto-restart-queued", "result": "signal"},
            [("looping", "a.service: fails again and again, result signal")],
        ),
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

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of failures, and how often the journal is asked for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.why import Why
from ansible_collections.unitwright.systemd.plugins.module_utils._host.causes import JOB, NOT_HEALTHY, Failure
from ansible_collections.unitwright.systemd.plugins.module_utils._run import explained as explaining
from ansible_collections.unitwright.systemd.plugins.module_utils._run.explained import explained
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Rule

from tests.unit.world import SYSTEM

UNIT = "a.service"


class Journal:
    """In the place of a manager, with the rows of a journal, the newest first. asked: what for."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.asked: list[Sequence[str]] = []
        self.out = ""
        self.places = SYSTEM
        self.live, self.version, self.begun = False, 252, 3.0

    def run(self, command: Sequence[str], **_options: object) -> Journal:
        self.asked.append(command)
        as_text = "--output=cat" in command
        self.out = "\n".join("as text" if as_text else json.dumps(row) for row in self.rows)
        return self


def row(text: str | None, at: int, run: str) -> dict[str, Any]:
    return {"MESSAGE": text, "__REALTIME_TIMESTAMP": str(at * 1_000_000), "_SYSTEMD_INVOCATION_ID": run}


ROWS = (row("of the next", 9, "c"), row("one\ntwo\n ", 8, "b"), row("of the one before", 2, "a"))


@pytest.mark.parametrize(
    ("invocation", "last"), [("b", "two"), ("", "of the next")], ids=["of a run", "of the last run"]
)
def test_the_journal_is_asked_once_for_a_cause_and_for_the_last_lines(invocation: str, last: str) -> None:
    host: Any = Journal(*ROWS)
    (told,) = explained(host, [Failure(UNIT, "failed", "exit-code", invocation=invocation)], {UNIT})
    assert list(told.journal) == ["one", "two", "of the next"]
    assert told.message.endswith(f"it said: {last}")
    assert [command[1] for command in host.asked] == ["--sync", "--quiet"]


def by_systemd(text: str, at: int, run: str, priority: str = "6") -> dict[str, Any]:
    rest = {"UNIT": UNIT, "INVOCATION_ID": run, "CODE_FUNC": "unit_log", "SYSLOG_IDENTIFIER": "systemd", "_UID": "0"}
    return {"MESSAGE": text, "__REALTIME_TIMESTAMP": str(at * 1_000_000), "PRIORITY": priority, **rest}


SUMS_UP = (by_systemd("Scheduled restart job", 9, "b"), by_systemd("Failed with result 'exit-code'.", 8, "b"))


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ((row("Traceback:\n  a line\nImportError: no htpp\n", 7, "b"),), "it said: ImportError: no htpp"),
        ((row("no luck", 7, "b"), by_systemd("Started a.service.", 6, "b")), "it said: no luck"),
        ((by_systemd("Started a.service.", 6, "b"),), "it said nothing"),
        ((by_systemd("No such account", 6, "b", "3"), by_systemd("Started", 5, "b")), "systemd says: No such account"),
    ],
    ids=["trace", "before it was started", "nothing said", "systemd complains"],
)
def test_what_is_quoted_are_the_programs_own_words_and_not_how_systemd_sums_up(
    rows: tuple[dict[str, Any], ...], last: str
) -> None:
    host: Any = Journal(*SUMS_UP, *rows)
    (told,) = explained(host, [Failure(UNIT, "failed", "exit-code", invocation="b")], {UNIT})
    assert told.message == f"failed; the cause is not proven, {last}"
    assert told.journal[-1] == "Scheduled restart job"


@pytest.mark.parametrize(
    ("rule", "rows"), [(JOB, ROWS), (NOT_HEALTHY, (row(None, 9, "b"), *ROWS))], ids=["without cause", "a long line"]
)
def test_it_is_asked_for_text_where_that_does_not_tell(rule: Rule, rows: tuple[dict[str, Any], ...]) -> None:
    host: Any = Journal(*rows)
    (told,) = explained(host, [Failure(UNIT, "failed", rule=rule)], {UNIT})
    assert told.journal[-1] == "as text"


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        ("", "failed: result exit-code", "failed: result exit-code"),
        ("223", "failed: exit status 223", "failed: exit status 223"),
        ("220", "failed: exit status 220 (SETSID)", "failed: exit status 220 (not systemd's)"),
    ],
)
def test_only_a_step_that_the_message_names_is_taken_out_of_it(
    monkeypatch: pytest.MonkeyPatch, status: str, message: str, told: str
) -> None:
    unproven = Why(None, "not systemd's")
    monkeypatch.setattr(explaining, "explain", lambda *_args: {UNIT: unproven})
    host: Any = Journal()
    (found,) = explained(host, [Failure(UNIT, message, "exit-code", status)], {UNIT})
    assert found.message == f"{told}; the cause is not proven"


def test_it_is_not_asked_of_what_is_no_unit() -> None:
    host: Any = Journal()
    assert [each.message for each in explained(host, [Failure("", "no room")], frozenset())] == ["no room"]
    assert host.asked == []

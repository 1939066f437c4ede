# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop that waits: who is asked, when it ends, what it returns. What systemctl shows is replayed turn by turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import watch as watching
from ansible_collections.unitwright.systemd.plugins.module_utils._host.causes import Failure
from ansible_collections.unitwright.systemd.plugins.module_utils._host.expectations import (
    Done,
    Down,
    Expectation,
    Good,
    NotYet,
    Verdict,
    Wrong,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._host.looks import PROPERTIES, Look
from ansible_collections.unitwright.systemd.plugins.module_utils._host.watch import wait_for_rest, watch

LOADED = {"LoadState": "loaded", "Job": "0", "InvocationID": "one", "Result": "success"}
GOING, GONE = {**LOADED, "ActiveState": "deactivating"}, {**LOADED, "ActiveState": "inactive"}
COMING, THERE = {**LOADED, "ActiveState": "activating"}, {**LOADED, "ActiveState": "active"}
RELOADING, QUEUED = {**LOADED, "ActiveState": "reloading"}, {**THERE, "Job": "17"}
FAILED = {**LOADED, "ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "3"}

Shown = dict[str, str]


class Replay:
    """In the place of a manager: each unit's states turn by turn, the last for ever, on a clock that does not wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 1.0) -> None:
        self.states: dict[str, Iterator[Shown]] = {}
        self.last: dict[str, Shown] = {}
        self.asked: list[list[str]] = []
        self.properties: set[tuple[str, ...]] = set()
        self.now = 100.0
        self.seconds = seconds
        monkeypatch.setattr(watching.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(watching.time, "sleep", self.sleep)

    def __call__(self, **states: list[Shown]) -> Replay:
        self.states = {f"{name}.service": iter(each) for name, each in states.items()}
        return self

    def sleep(self, _seconds: float) -> None:
        self.now += self.seconds

    def show(self, units: Sequence[str], properties: Sequence[str]) -> dict[str, Shown]:
        self.asked.append(list(units))
        self.properties.add(tuple(properties))
        self.last.update({unit: next(self.states[unit], self.last.get(unit, {})) for unit in units})
        return {unit: self.last[unit] for unit in units}


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Replay:
    return Replay(monkeypatch)


class Noted:
    """Expects nothing, and notes what it is shown; good once that is active."""

    name = "noted"

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def verdict(self, look: Look, manager: object) -> Verdict:
        self.looks.append(look)
        return Good() if look.active == "active" else NotYet()


def test_all_units_are_asked_at_once_as_long_as_each_is_waited_for(replay: Replay) -> None:
    expected = {"b.service": Noted(), "a.service": Noted()}
    host = replay(a=[COMING, THERE], b=[GONE, COMING, THERE])
    assert watch(host, expected) == []
    assert host.asked == [["a.service", "b.service"], ["a.service", "b.service"], ["b.service"]]
    assert host.properties == {PROPERTIES}
    assert [look.at for look in expected["b.service"].looks] == [100.0, 101.0, 102.0]
    assert [look.shown for look in expected["a.service"].looks] == [COMING, THERE]


def test_each_is_told_whether_another_is_on_its_way(replay: Replay) -> None:
    """What is good no longer counts, and nobody is another to itself."""
    expected = {"a.service": Noted(), "b.service": Noted(), "c.service": Noted()}
    host = replay(a=[COMING, THERE], b=[GONE, GOING, GONE, THERE], c=[GONE, THERE])
    assert watch(host, expected) == []
    moves = {unit: [look.others_move for look in noted.looks] for unit, noted in expected.items()}
    assert moves == {
        "a.service": [False, True],
        "b.service": [True, False, False, False],
        "c.service": [True, True],
    }


def test_nothing_to_wait_for_asks_nothing(replay: Replay) -> None:
    assert watch(replay(), {}) == []
    assert wait_for_rest(replay(), [], 5.0) == []
    assert replay.asked == []


def test_after_a_failure_the_others_are_looked_at_once_more(replay: Replay) -> None:
    """Units are shown one after another: what was shown before the one that failed may have failed with it."""
    expected: dict[str, Expectation] = {f"{name}.service": Done(9.0) for name in "abc"}
    host = replay(a=[COMING], b=[COMING, COMING, FAILED], c=[COMING, {**FAILED, "InvocationID": "two"}])
    message = "failed: result exit-code"
    assert watch(host, expected) == [
        Failure("c.service", message, "exit-code", "3", "two"),
        Failure("b.service", message, "exit-code", "3", "one"),
    ]
    assert [len(asked) for asked in host.asked] == [3, 3, 2]
    assert host.now == 101.0


def test_it_goes_on_to_the_end_where_that_is_wanted(replay: Replay) -> None:
    expected: dict[str, Expectation] = {f"{name}.service": Done(9.0) for name in "abc"}
    host = replay(a=[COMING, COMING, FAILED], b=[FAILED], c=[COMING, COMING, COMING, GONE])
    assert [failure.unit for failure in watch(host, expected, to_the_end=True)] == ["b.service", "a.service"]
    assert [len(asked) for asked in host.asked] == [3, 2, 2, 1]


def test_a_failure_says_which_run_failed_and_not_which_is_there(replay: Replay) -> None:
    class Fallen(Noted):
        def verdict(self, look: Look, manager: object) -> Verdict:
            return Wrong("fell", "zero")

    assert watch(replay(a=[FAILED]), {"a.service": Fallen()}) == [
        Failure("a.service", "fell", "exit-code", "3", "zero")
    ]


def test_each_has_its_own_deadline(replay: Replay) -> None:
    expected: dict[str, Expectation] = {"a.service": Down(2.0), "b.service": Done(5.0)}
    host = replay(a=[{**COMING, "SubState": "start"}], b=[{**COMING, "SubState": "start"}])
    found = watch(host, expected, to_the_end=True)
    assert [failure.message for failure in found] == [
        "is not down after 2 s: activating (start)",
        "is not done after 5 s: activating (start); if it needs longer, say so by health: {timeout: }",
    ]
    assert host.now == 106.0


def test_rest_is_when_nothing_is_taken_down_or_reloaded(replay: Replay) -> None:
    host = replay(a=[GOING, GONE], b=[RELOADING, QUEUED, QUEUED, THERE], c=[COMING], d=[{**GONE, "Job": "17"}])
    units = [f"{name}.service" for name in "abcd"]
    assert wait_for_rest(host, units, 60.0) == []
    assert host.now == 103.0
    assert host.properties == {("ActiveState", "Job")}


def test_what_is_being_started_is_waited_for_where_that_is_wanted(replay: Replay) -> None:
    assert wait_for_rest(replay(a=[COMING, COMING, GONE]), ["a.service"], 60.0, starts=True) == []
    assert replay.now == 102.0


def test_what_takes_too_long_is_named(replay: Replay) -> None:
    host = replay(a=[GOING], b=[GOING, GONE])
    assert wait_for_rest(host, ["a.service", "b.service"], 2.0) == ["a.service"]
    assert host.now == 103.0

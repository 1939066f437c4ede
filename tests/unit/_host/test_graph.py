# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Relations are asked for once, for all that a job can reach and nothing else; what was not asked for is an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import (
    Graph,
    NotLookedAtError,
    kept_waiting,
    look,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState

UP = UnitState("loaded", "active", "running")
DOWN = UnitState("loaded", "inactive", "dead")


class Answers:
    """What `systemctl show` says of each unit, and which units were asked for in which call."""

    version = 252

    def __init__(self, **units: dict[str, str]) -> None:
        self.units = {f"{name}.service": shown for name, shown in units.items()}
        self.asked: list[list[str]] = []

    def show(self, units: Sequence[str], properties: Sequence[str]) -> dict[str, dict[str, str]]:
        self.asked += [list(units)] if units else []
        return {unit: self.units.get(unit, {}) for unit in units}


def look_at(answers: Answers, units: Sequence[str], up: Sequence[str], down: Sequence[str] = ()) -> Graph:
    states = States({**dict.fromkeys(up, UP), **dict.fromkeys(down, DOWN)})
    host: Any = answers
    return look(host, units, states)


def test_nothing_is_asked_where_no_job_is_wished_for() -> None:
    answers = Answers()
    look_at(answers, [], ["a.service"])
    assert answers.asked == []


def test_what_goes_along_is_followed_to_the_end() -> None:
    answers = Answers(a={"RequiredBy": "b.service"}, b={"ConsistsOf": "c.service"}, c={}, d={})
    graph = look_at(answers, ["a.service"], ["a.service", "b.service", "c.service", "d.service"])
    assert set(graph.nodes) == {"a.service", "b.service", "c.service"}
    assert graph.node("b.service").related("ConsistsOf", "RequiredBy") == ("c.service",)


def test_what_is_down_is_followed_only_where_it_would_be_started() -> None:
    """Everything conflicts with shutdown.target, which is down: it is never asked for."""
    answers = Answers(
        a={"RequiredBy": "b.service", "Requires": "c.service", "Conflicts": "shutdown.target"}, c={"Wants": "d.service"}
    )
    graph = look_at(answers, ["a.service"], ["a.service"], ["b.service", "c.service", "d.service", "shutdown.target"])
    assert set(graph.nodes) == {"a.service", "c.service", "d.service"}


def test_what_is_up_and_needed_is_asked_for_and_not_followed() -> None:
    """It may stop when nothing needs it any more; what else needs it has nothing to do with this."""
    answers = Answers(a={"Requires": "base.service"}, base={"RequiredBy": "a.service other.service"})
    graph = look_at(answers, ["a.service"], ["a.service", "base.service", "other.service"])
    assert set(graph.nodes) == {"a.service", "base.service"}


def test_what_stops_by_itself_is_followed() -> None:
    answers = Answers(
        a={"Requires": "base.service"}, base={"StopWhenUnneeded": "yes", "ConsistsOf": "part.service"}, part={}
    )
    graph = look_at(answers, ["a.service"], ["a.service", "base.service", "part.service"])
    assert "part.service" in graph.nodes
    assert graph.node("base.service").settings == {"StopWhenUnneeded"}


def test_a_long_chain_takes_no_more_calls_than_a_short_one() -> None:
    units = {f"u{number}": {"RequiredBy": f"u{number + 1}.service"} for number in range(100)}
    answers = Answers(**units)
    graph = look_at(answers, ["u0.service"], [f"{name}.service" for name in units])
    assert set(graph.nodes) == {f"{name}.service" for name in units}
    assert len(answers.asked) <= 7


def test_a_unit_that_was_not_asked_for_is_an_error() -> None:
    graph = look_at(Answers(), ["a.service"], ["a.service", "b.service"])
    with pytest.raises(NotLookedAtError, match=r"b\.service"):
        graph.node("b.service")


def test_what_systemd_has_forgotten_is_named_by_others_all_the_same() -> None:
    """It names no WantedBy= of a unit that nothing in memory refers to, though what wants it is asked for, too."""
    answers = Answers(a={"Wants": "b.service"}, b={})
    graph = look_at(answers, ["a.service"], [], ["a.service", "b.service"])
    assert graph.node("b.service").related("WantedBy") == ("a.service",)


def test_of_others_is_known_how_they_are_related_to_those_that_were_asked_for() -> None:
    answers = Answers(a={"RequiredBy": "b.service", "PartOf": "c.service"})
    graph = look_at(answers, ["a.service"], ["a.service"], ["b.service", "c.service"])
    assert graph.among("b.service").relations == {"Requires": ("a.service",)}
    assert graph.among("c.service").relations == {"ConsistsOf": ("a.service",)}
    assert graph.among("a.service").related("RequiredBy") == ()


def test_what_is_kept_waiting_comes_after_it_or_needs_it_or_what_does() -> None:
    host: Any = Answers(
        a={"After": "failed.service"},
        b={"Requires": "a.service"},
        c={"Wants": "failed.service"},
        d={"After": "c.service"},
        e={"After": "unasked.service"},
        failed={"After": "b.service"},
    )
    units = [f"{name}.service" for name in ("a", "b", "c", "d", "e", "failed")]
    assert kept_waiting(host, units, {"failed.service"}) == {"a.service", "b.service"}
    assert len(host.asked) == 1

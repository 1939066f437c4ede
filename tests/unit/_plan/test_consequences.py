# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What jobs do to all units: relations, what is up, jobs, and what becomes of whom.

By the manual page, systemd.unit(5) unless another is named, and tried on 247, 252, 257 and 262. What holds from a
version on only is said so. tests/integration/test_consequences_random.py holds the same against a real systemd.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import Graph, Node
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.consequences import (
    Call,
    fates,
    is_asked_for,
    restarted_with,
    starting_again,
    stopped_with,
    taken_anew,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.course import Course
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.relations import Because

VERSIONS = (247, 252, 257, 262)
UP = UnitState("loaded", "active", "running")
INVERSE = {
    "Requires": "RequiredBy",
    "Requisite": "RequisiteOf",
    "BindsTo": "BoundBy",
    "PartOf": "ConsistsOf",
    "PropagatesStopTo": "StopPropagatedFrom",
    "PropagatesReloadTo": "ReloadPropagatedFrom",
    "Upholds": "UpheldBy",
    "Conflicts": "ConflictedBy",
    "Wants": "WantedBy",
    "Triggers": "TriggeredBy",
    "After": "Before",
}


def full(name: str) -> str:
    return name if "." in name else f"{name}.service"


def graph(units: str, up: str, version: int = 262) -> Graph:
    """Units as `b Requires=a After=a; a StopWhenUnneeded; c missing; d reloads`; one without a type is a service."""
    relations: dict[str, dict[str, tuple[str, ...]]] = {}
    settings: dict[str, frozenset[str]] = {}
    for line in units.split(";"):
        unit, *words = line.split()
        relations.setdefault(full(unit), {})
        settings[full(unit)] = frozenset(word for word in words if "=" not in word)
        for directive, other in (word.split("=") for word in words if "=" in word):
            for one, name, to in ((unit, directive, other), (other, INVERSE[directive], unit)):
                named = relations.setdefault(full(one), {})
                named[name] = (*named.get(name, ()), full(to))
    known = {unit: settings.get(unit, frozenset()) for unit in relations}
    nodes = {
        unit: Node(each, known[unit], "missing" not in known[unit], reloads="reloads" in known[unit])
        for unit, each in relations.items()
    }
    return Graph(nodes, States({full(name): UP for name in up.split()}), version)


@dataclass(frozen=True)
class Row:
    """jobs: `stop b, a; start a`. become: `a down, b anew, c up`; who is not named is left alone."""

    units: str
    up: str
    jobs: str
    become: str
    versions: tuple[int, ...] = VERSIONS


OLD, GRACEFUL = (247, 252), (257, 262)
SEVERAL = (247, 252, 257)
UPHELD = (252, 257, 262)

ROWS = [
    # Requires=: "If one of the other units gets ... explicitly stopped (or restarted), this unit will be stopped (or
    # restarted)"; it starts them, and is nothing to them.
    Row("b Requires=a", "a b", "stop a", "a down, b down"),
    Row("b Requires=a", "a b", "restart a", "a anew, b anew"),
    Row("b Requires=a", "a b", "stop b", "b down"),
    Row("b Requires=a", "a b", "restart b", "b anew"),
    Row("b Requires=a", "", "start b", "a up, b up"),
    Row("b Requires=a", "", "start a", "a up"),
    Row("b Requires=a", "b", "restart b", "a up, b anew"),
    Row("b Requires=a", "a", "restart a", "a anew"),
    Row("b Requires=a", "b", "restart a", "a up, b anew"),
    Row("b Requires=a", "b", "start a", "a up"),
    # Wants=: "a weaker version of Requires=" that only starts.
    Row("b Wants=a", "a b", "stop a", "a down"),
    Row("b Wants=a", "a b", "restart a", "a anew"),
    Row("b Wants=a", "", "start b", "a up, b up"),
    Row("b Wants=a", "b", "restart b", "a up, b anew"),
    # Requisite=: "if the units listed here are not started already, they will not be started and the starting of this
    # unit will fail immediately".
    Row("b Requisite=a After=a", "a b", "stop a", "a down, b down"),
    Row("b Requisite=a After=a", "a b", "restart a", "a anew, b anew"),
    Row("b Requisite=a After=a", "", "start b", ""),
    Row("b Requisite=a After=a", "b", "start b", ""),
    Row("b Requisite=a After=a", "b", "restart b", "b down"),
    Row("b Requisite=a After=a", "", "start a, b", "a up, b up"),
    # BindsTo=: "in addition to the effect of Requires= ... entering inactive state ... will be stopped too".
    Row("b BindsTo=a", "a b", "stop a", "a down, b down"),
    Row("b BindsTo=a", "a b", "restart a", "a anew, b anew"),
    Row("b BindsTo=a", "", "start b", "a up, b up"),
    Row("b BindsTo=a After=a; a BindsTo=c After=c; c Requisite=d After=d", "", "start b", ""),
    # PartOf=: "limited to stopping and restarting of units".
    Row("b PartOf=a", "a b", "stop a", "a down, b down"),
    Row("b PartOf=a", "a b", "restart a", "a anew, b anew"),
    Row("b PartOf=a", "", "start a", "a up"),
    Row("b PartOf=a", "b", "stop a", "b down"),
    # What is asked for by name hands on whatever its state; all else only if it has something to do.
    Row("b Requires=a; c PartOf=b", "a c", "stop a", "a down"),
    Row("b Requires=a; c PartOf=b", "a c", "restart a", "a anew"),
    Row("b Requires=a; c PartOf=b", "a b c", "stop a", "a down, b down, c down"),
    Row("a Wants=b; b Wants=c", "a b", "start a", ""),
    Row("a Wants=b; b Wants=c", "a", "start a", "b up, c up"),
    # PropagatesStopTo=: "when this unit is stopped"; from 254 on a restart is a stop, too.
    Row("a PropagatesStopTo=b", "a b", "stop a", "a down, b down", UPHELD),
    Row("a PropagatesStopTo=b", "a b", "restart a", "a anew", (252,)),
    Row("a PropagatesStopTo=b", "a b", "restart a", "a anew, b down", GRACEFUL),
    # From then on only the named unit hands it on, and a chain of it.
    Row("b Requires=a PropagatesStopTo=c", "a b c", "stop a", "a down, b down, c down", (252,)),
    Row("b Requires=a PropagatesStopTo=c", "a b c", "stop a", "a down, b down", GRACEFUL),
    Row("a PropagatesStopTo=b; b PropagatesStopTo=c", "a b c", "stop a", "a down, b down, c down", UPHELD),
    Row("a PropagatesStopTo=b; c Requires=b", "a b c", "restart a", "a anew, b down, c down", GRACEFUL),
    # What is to be started all the same is restarted, and what is to be restarted is just that.
    Row("a PropagatesStopTo=b Wants=b", "a b", "restart a", "a anew, b anew", GRACEFUL),
    Row("a PropagatesStopTo=b Wants=b", "a", "restart a", "a anew, b up", GRACEFUL),
    Row("a PropagatesStopTo=b; b PartOf=a", "a b", "restart a", "a anew, b anew", GRACEFUL),
    # Upholds=: "as long as this unit is up, all units listed ... are started whenever found to be inactive".
    Row("a Upholds=b", "a b", "stop b", "b anew", UPHELD),
    Row("a Upholds=b", "a b", "stop a", "a down", UPHELD),
    Row("a Upholds=b", "a b", "stop a, b", "a down, b down", UPHELD),
    Row("a Upholds=b", "", "start a", "a up, b up", UPHELD),
    Row("a Upholds=b; c PartOf=b", "a b c", "stop b", "b anew, c down", UPHELD),
    # It is not started against a job that is not done yet, nor again once that is done.
    Row("a Upholds=b; b Requires=c After=c", "a b c", "stop c", "c down, b down", UPHELD),
    # StopWhenUnneeded=: "stopped when it is no longer used".
    Row("a StopWhenUnneeded; b Wants=a", "a b", "stop b", "b down, a down"),
    Row("a StopWhenUnneeded; b Wants=a; c Requires=a", "a b c", "stop b", "b down"),
    Row("a StopWhenUnneeded; b Wants=a; c Upholds=a", "a b c", "stop b", "b down", UPHELD),
    Row("a StopWhenUnneeded; b PartOf=a; c Wants=a", "a b c", "stop c", "c down, a down, b down"),
    Row("a StopWhenUnneeded Wants=b; b StopWhenUnneeded; c Wants=a", "a b c", "stop c", "a down, b down, c down"),
    Row("a StopWhenUnneeded; b Requires=a After=a", "a b", "restart b", "b anew"),
    Row("a StopWhenUnneeded", "", "start a", ""),
    # Conflicts=: "starting the former will stop the latter and vice versa".
    Row("a Conflicts=b", "b", "start a", "a up, b down"),
    Row("a Conflicts=b", "a", "start b", "a down, b up"),
    Row("a Conflicts=b; c Requires=b", "b c", "start a", "a up, b down, c down"),
    Row("a Conflicts=b; c Wants=a", "b", "start c", "a up, b down, c up"),
    # What is wanted, and not required, gives way; what cannot, systemd refuses.
    Row("a Conflicts=b; c Wants=a Requires=b", "", "start c", "b up, c up"),
    Row("a Conflicts=b; c Requires=a Requires=b", "", "start c", ""),
    Row("a Requires=b; b Conflicts=a", "", "start a", ""),
    Row("a Wants=b; b Conflicts=a", "", "start a", "a up"),
    # Several names are done one after the other: also from 262 on, where what all of them are at once is refused.
    Row("b Requires=a; c Conflicts=b", "a b", "restart a, c", "a anew, b down, c up"),
    # From then on one call is one transaction, and the order of its names is nothing to it.
    Row("b Requisite=a After=a", "", "start b, a", "a up", SEVERAL),
    Row("b Requisite=a After=a", "", "start b, a", "a up, b up", (262,)),
    Row("a.socket Triggers=a; a After=a.socket", "a.socket a", "restart a.socket, a", "a.socket down, a anew", SEVERAL),
    Row("a.socket Triggers=a; a After=a.socket", "a.socket a", "restart a.socket, a", "a.socket anew, a anew", (262,)),
    Row("b Wants=c; a Conflicts=c", "b c", "start a, b", "a up, c down", (262,)),
    # What has no file cannot be required; that it is wanted does no harm.
    Row("b Requires=a; a missing", "", "start b", ""),
    Row("b Wants=a; a missing", "", "start b", "b up"),
    Row("b Requires=a; a missing; c", "", "start b, c", "c up"),
    # systemd.socket(5): a socket starts only while its service is down; either may stop without the other.
    Row("a.socket Triggers=a; a After=a.socket", "a.socket a", "restart a.socket", "a.socket down"),
    Row("a.socket Triggers=a; a After=a.socket", "a.socket a", "stop a.socket", "a.socket down"),
    Row("a.socket Triggers=a; a After=a.socket", "a.socket a", "restart a", "a anew"),
    Row("a.socket Triggers=a; a After=a.socket", "a", "start a.socket", ""),
    Row(
        "a.socket Triggers=a; a After=a.socket",
        "a.socket a",
        "stop a.socket, a; start a.socket",
        "a.socket anew, a down",
    ),
    Row(
        "a.socket Triggers=a; a Requires=a.socket After=a.socket",
        "a.socket a",
        "restart a.socket",
        "a.socket anew, a anew",
    ),
    Row("a.socket Triggers=a; a After=a.socket; b Requires=a.socket After=a.socket", "a", "start b", ""),
    # What has run its course is down again.
    Row("a Wants=b", "", "run a", "b up"),
]


@pytest.mark.parametrize(
    ("row", "version"),
    [pytest.param(row, version, id=f"{version}: {row.units}: {row.jobs}") for row in ROWS for version in row.versions],
)
def test_what_becomes_of_whom(row: Row, version: int) -> None:
    calls = [call.strip().split(" ", 1) for call in row.jobs.split(";")]
    named = [Call(verb, tuple(full(unit.strip()) for unit in units.split(","))) for verb, units in calls]
    expected = dict(each.split() for each in row.become.split(", ") if each)
    found = fates(named, graph(row.units, row.up, version))
    assert {unit: fate.becomes.value for unit, fate in found.items()} == {
        full(unit): becomes for unit, becomes in expected.items()
    }


def test_each_is_told_why() -> None:
    found = fates(
        [Call("restart", ("a.service",))], graph("b Requires=a; c PartOf=b; a Conflicts=d; a Wants=e", "a b c d")
    )
    assert {unit: fate.cause for unit, fate in found.items()} == {
        "a.service": Because(),
        "b.service": Because("a.service", "Requires"),
        "c.service": Because("b.service", "PartOf"),
        "d.service": Because("a.service", "Conflicts"),
        "e.service": Because("a.service", "Wants"),
    }
    assert [unit for unit, fate in found.items() if not fate.was_up] == ["e.service"]


def test_what_happens_by_itself_is_told_too() -> None:
    host = graph("a Upholds=b; c Wants=d; d StopWhenUnneeded; e PartOf=d; b PropagatesStopTo=c", "a b c d e")
    found = fates([Call("stop", ("b.service",))], host)
    assert {unit: (fate.becomes.value, fate.cause) for unit, fate in found.items()} == {
        "b.service": ("anew", Because()),
        "c.service": ("down", Because("b.service", "PropagatesStopTo")),
        "d.service": ("down", Because("", "StopWhenUnneeded")),
        "e.service": ("down", Because("d.service", "PartOf")),
    }


def test_one_job_of_a_unit_names_what_it_takes_along() -> None:
    made = graph("b Requires=a; c PropagatesStopTo=a; d PartOf=b; e BindsTo=f", "a b c d e f")
    assert stopped_with("c.service", made) == {
        "a.service": Because("c.service", "PropagatesStopTo"),
        "b.service": Because("a.service", "Requires"),
        "d.service": Because("b.service", "PartOf"),
    }
    assert set(restarted_with("a.service", made)) == {"b.service", "d.service"}


@pytest.mark.parametrize(("version", "along"), [(252, ["b.service"]), (262, [])])
def test_what_one_restart_takes_along_and_another_ends_is_not_sure_to_run(version: int, along: list[str]) -> None:
    made = graph("a; b PartOf=a; c PropagatesStopTo=b", "a b c", version)
    assert taken_anew(["a.service", "c.service"], made, ()) == along


@pytest.mark.parametrize(
    ("units", "up", "jobs", "reloaded"),
    [
        ("a reloads PropagatesReloadTo=b; b reloads", "a b", "reload a", "a, b by a"),
        ("a reloads PropagatesReloadTo=b; b reloads", "a", "reload a", "a"),
        ("a reloads PropagatesReloadTo=b; b", "a b", "reload a", "a"),
        ("a reloads PropagatesReloadTo=b; b reloads", "a b", "restart a", ""),
        ("a reloads PropagatesReloadTo=b; b reloads", "a b", "reload b", "b"),
        ("a reloads PropagatesReloadTo=b; b reloads", "a b", "reload b, a", "a, b by a"),
        (
            "a reloads PropagatesReloadTo=b; b reloads PropagatesReloadTo=c; c reloads",
            "a b c",
            "reload a",
            "a, b by a, c by b",
        ),
        # A service without a reload of its own passes none on, as all other types do.
        ("a reloads PropagatesReloadTo=b; b PropagatesReloadTo=c; c reloads", "a b c", "reload a", "a"),
        (
            "t.target PropagatesReloadTo=b PropagatesReloadTo=u.target; b reloads",
            "t.target b",
            "reload t.target",
            "t.target, b by t.target",
        ),
        (
            "a reloads PropagatesReloadTo=t.target; t.target PropagatesReloadTo=c; c reloads",
            "a t.target c",
            "reload a",
            "a, t.target by a, c by t.target",
        ),
        ("a reloads PropagatesReloadTo=s.socket; s.socket Upholds=a", "a s.socket", "reload a", "a"),
        ("a reloads PropagatesReloadTo=b; b reloads PropagatesReloadTo=a", "a b", "reload a, b", "a, b by a"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_reload_is_handed_on_to_what_is_up_and_has_one(
    units: str, up: str, jobs: str, reloaded: str, version: int
) -> None:
    """systemd.unit(5), PropagatesReloadTo=, and unit_can_reload(): nothing goes down or comes up by it."""
    verb, _blank, named = jobs.partition(" ")
    course = Course(graph(units, up, version))
    assert fates([Call(verb, tuple(map(full, named.split(", "))))], course.graph, course=course).keys() <= {"a.service"}
    told = [each.split(" by ") for each in reloaded.split(", ") if each]
    assert course.reloads == {
        full(unit): Because(full(by[0]), "PropagatesReloadTo") if by else Because() for unit, *by in told
    }


def test_what_is_upheld_by_a_unit_that_nobody_asked_for_comes_up_at_a_reload() -> None:
    """unit_notify(), while reloading: a start that a job was in the way of is tried again."""
    host = graph("a; b BindsTo=a After=a; c Upholds=b", "a b c", 252)
    partly = Graph({unit: node for unit, node in host.nodes.items() if unit != "c.service"}, host.states, 252)
    found = fates([Call("stop", ("a.service",)), Call("daemon-reload", ())], partly)
    assert {unit: fate.becomes.value for unit, fate in found.items()} == {"a.service": "anew", "b.service": "anew"}


def test_what_was_to_start_with_what_is_refused_does_not_stay_up() -> None:
    host = graph("c PartOf=c Upholds=a.socket After=a.socket; a.socket Upholds=e Triggers=a; e BindsTo=a.socket", "a c")
    assert list(fates([Call("restart", ("c.service",))], host)) == ["c.service"]


def test_what_would_start_a_stopped_unit_again() -> None:
    units = graph("a; b Upholds=a; c.socket Triggers=a; d.timer Triggers=a; e Wants=a", "a b c.socket")
    assert starting_again("a.service", units) == ["b.service", "c.socket"]


@pytest.mark.parametrize("directive", ["Wants", "Requires", "BindsTo", "Upholds", "Triggers"])
def test_what_is_asked_for(directive: str) -> None:
    assert is_asked_for("a.service", graph(f"a; b {directive}=a", ""))


@pytest.mark.parametrize("directive", ["Requisite", "PartOf", "After", "Conflicts"])
def test_what_is_only_mentioned_is_not_asked_for(directive: str) -> None:
    assert not is_asked_for("a.service", graph(f"a; b {directive}=a", "b"))

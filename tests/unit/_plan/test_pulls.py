# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of what a running unit wants only the new is started, if that can be, and it is expected to be what it was before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import Graph, Node
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences, making, plan
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.expected import Expected
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.owed import Owed, Pending

from tests.unit.world import RUNNING, Entry, declare, in_force, jobs, planned, related

VENDOR = {
    "m.target": "[Unit]\nWants=old.service\n",
    "old.service": "[Service]\nExecStart=/bin/old\n",
    "new.service": "[Service]\nExecStart=/bin/new\n",
}
TARGET = {"m.target": UnitState("loaded", "active", "active")}


def over(**wishes: str) -> Entry:
    return {"name": "m.target", "dropin": "x", "unit": wishes}


def pulled(*units: Entry, up: tuple[str, ...] = (), nodes: dict[str, Node] | None = None, **wishes: str) -> plan.Plan:
    """What is done for a drop-in over a target that is up."""
    observed = in_force(None, {**TARGET, **dict.fromkeys(up, RUNNING)}, vendor=VENDOR)
    found = differences.compare(declare(*units, dropins=[over(**wishes)]), observed, {})
    graph = related(observed)
    graph = Graph(
        {**{name: graph.node(name) for name in (*VENDOR, "gone.service")}, **(nodes or {})}, observed.states, 252
    )
    return making.make(found, plan.wishes(found, observed), graph, observed)


@pytest.mark.parametrize("directive", ["Wants", "Requires", "Upholds"])
def test_only_the_new_is_started(directive: str) -> None:
    made = pulled(**{directive: "new.service"})
    assert jobs(made) == [("start", "new.service")]
    (step,) = (step for step in made.steps if step.action == "start")
    assert step.reason == f"newly in {directive}= of m.target"
    assert made.pulled == {"new.service"}
    assert "new.service" not in made.watched


@pytest.mark.parametrize("directive", ["BindsTo", "BindTo"])
def test_what_is_bound_anew_comes_up_again_with_that(directive: str) -> None:
    """systemd has stopped it meanwhile, and a start of the other one alone would leave it down."""
    made = pulled(**{directive: "new.service"})
    assert jobs(made) == [("start", "m.target")]
    assert "now pulls in new.service, without which systemd stops it" in [step.reason for step in made.steps][-1]


def test_what_runs_or_is_wanted_already_is_left_alone() -> None:
    assert jobs(pulled(Wants="new.service", up=("new.service",))) == []
    assert jobs(pulled(Wants="old.service")) == []


def test_what_cannot_be_loaded_is_passed_over() -> None:
    assert jobs(pulled(Wants="gone.service", nodes={"gone.service": Node({}, frozenset(), loads=False)})) == []


def test_what_refuses_a_start_of_its_own_is_told_of() -> None:
    made = pulled(Wants="new.service", nodes={"new.service": Node({}, frozenset(["RefuseManualStart"]))})
    assert jobs(made) == []
    assert "new.service; but that refuses a manual start" in made.kept["m.target"]


def service(**more: Any) -> Entry:
    return {"name": "mine.service", "service": {"ExecStart": "/bin/mine"}, **more}


def own(directive: str, **more: Any) -> plan.Plan:
    before, after = declare(service(**more)), declare(service(**more), dropins=[over(**{directive: "mine.service"})])
    return planned(after, in_force(before, TARGET, vendor=VENDOR))


@pytest.mark.parametrize(("directive", "expected"), [("Wants", Expected.UNFAILED), ("Requires", Expected.DONE)])
def test_what_is_expected_of_one_of_this_declaration(directive: str, expected: Expected) -> None:
    made = own(directive, state="present")
    assert jobs(made) == [("start", "mine.service")]
    assert made.watched["mine.service"] is expected


def test_what_it_is_bound_to_is_expected_to_be_done() -> None:
    made = own("BindsTo", state="present")
    assert jobs(made) == [("start", "m.target")]
    assert made.watched["mine.service"] is Expected.DONE


def test_what_is_declared_of_it_comes_first() -> None:
    assert jobs(own("Wants", state="stopped")) == []
    made = own("Wants")
    assert jobs(made) == [("start", "mine.service")]
    assert (made.watched["mine.service"], made.pulled) == (Expected.UP, frozenset())


def test_a_run_that_was_cut_off_owes_it() -> None:
    observed = in_force(None, TARGET, vendor=VENDOR)
    desired = declare(dropins=[over(Wants="new.service")])
    pending = Pending(owed={"new.service": (Owed.WANTED,)}, since="then")
    found = differences.compare(desired, observed, {}, pending)
    made = making.make(found, plan.wishes(found, observed), related(observed), observed)
    assert ("start", "new.service") in jobs(made)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the steps of a plan would do to this run, and what systemd would not do. Pure. Private to the collection."""

from __future__ import annotations

from typing import AbstractSet, Iterator

from .._desired.contradictions import option_rule
from .._desired.options import RUNNING
from .._host.graph import Graph
from .._syntax.dependencies import hands_reloads_on
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.special import path_below
from .case import Case
from .conflicts import of_jobs
from .consequences import behind, displaced, reloads_others, standing_on, stopped_with, taken_down
from .fates import Becomes
from .plan import Plan, carries
from .references import View

_OWN_CONNECTION = Rule(
    "own-connection",
    Severity.ERROR,
    "{what} would cut off this very run, which depends on it",
    "do that by another way into the host",
    "a run does not end itself or its connection",
)
_HIDES_RUN = Rule(
    "own-connection",
    Severity.ERROR,
    "to bring up {by} would mount {mount} over {path}, which this run has in use",
    "declare {by} state: present, or have Ansible's temporary folder and its home elsewhere (remote_tmp)",
    "a run does not end itself or its connection",
)
_TAKES_HOST = Rule(
    "of-host",
    Severity.ERROR,
    "its stop takes {target} along, and with that all that the host runs",
    "declare state: present",
    "systemd.special(7), basic.target",
)
_STOP_REFUSED = Rule(
    "refused-stop",
    Severity.ERROR,
    "refuses a manual stop",
    "stop what it belongs to, or leave it to the next boot by state: present",
    "systemd.unit(5), RefuseManualStop=",
)
_GOES_DOWN_FOR_GOOD = Rule(
    "refused-start",
    Severity.ERROR,
    "goes down with {taking} and refuses a manual start",
    "declare state: present, or leave {taking}",
    "systemd.unit(5), RefuseManualStart=",
)
_NEVER_RELOADED = option_rule(
    "a .{kind} that hands no reload on cannot be reloaded",
    "declare state: started, or restarted, or name in PropagatesReloadTo= what shall be reloaded",
    "systemctl(1), reload",
)
_UNNEEDED = Rule(
    "contradiction",
    Severity.ERROR,
    "it is declared to run, and systemd stops it at once, as nothing that runs needs it",
    "declare state: present, and start what needs it, or take StopWhenUnneeded= away",
    "systemd.unit(5), StopWhenUnneeded=",
)


def hindrances(plan: Plan, view: View, graph: Graph, ending: AbstractSet[str]) -> Iterator[Problem]:
    yield from of_jobs(plan, view)
    yield from _never_reloaded(view, graph)
    yield from _unneeded(plan, view)
    yield from _ended(plan, view, graph, ending)
    yield from _hidden(plan, view)
    yield from _not_up_again(plan, view, graph)


def _never_reloaded(view: View, graph: Graph) -> Iterator[Problem]:
    for case in view.differences.cases:
        if case.wanted == "reloaded" and not case.kind.reloadable and not _hands_reloads_on(case, view, graph):
            yield _NEVER_RELOADED.problem(case.unit, kind=case.kind.name)


def _hands_reloads_on(case: Case, view: View, graph: Graph) -> bool:
    """systemd takes that job of any unit that hands it on (unit_can_reload()), whoever says that it does."""
    declared = (each.unit for each in view.differences.cases)
    return hands_reloads_on(case.unit, declared, view.differences.named) or reloads_others(case.unit, graph)


def _unneeded(plan: Plan, view: View) -> Iterator[Problem]:
    for case in view.differences.cases:
        if case.wanted in RUNNING and case.unit in plan.foretold.unneeded:
            yield _UNNEEDED.problem(case.unit, "Unit", "StopWhenUnneeded")


def _ended(plan: Plan, view: View, graph: Graph, ending: AbstractSet[str]) -> Iterator[Problem]:
    """Stops that would end this run or its connection, or that systemd refuses."""
    for unit, alias in view.differences.aliasing.ended.items():
        if carries((unit, *stopped_with(unit, graph)), view.observed):
            yield _OWN_CONNECTION.problem(unit, what=f"to give it the name {alias}, which systemd has in memory,")
    for unit, reason in [*((unit, "") for unit in plan.jobs["stop"]), *displaced(plan.fates).items()]:
        root = behind(plan.fates[unit], plan.fates, plan.jobs) if reason and ending else None
        if root and root[1] in ending:
            continue
        if carries((unit, *stopped_with(unit, graph)), view.observed):
            what = f"to start {reason}, which conflicts with it," if reason else "to stop it"
            yield _OWN_CONNECTION.problem(unit, what=what)
        elif not reason and standing_on(unit, graph):
            yield _TAKES_HOST.problem(unit, target=standing_on(unit, graph))
        elif not reason and "RefuseManualStop" in graph.node(unit).settings:
            yield _STOP_REFUSED.problem(unit, "Unit", "RefuseManualStop")


def _hidden(plan: Plan, view: View) -> Iterator[Problem]:
    """Mounts that would hide what this run has in use, and that come up only as something needs them."""
    for unit, fate in plan.fates.items():
        path = path_below(unit, view.observed.manager.footing) if fate.becomes is Becomes.UP else ""
        if path:
            root = behind(fate, plan.fates, plan.jobs)
            by = fate.cause.unit or (root[1] if root else unit)
            yield _HIDES_RUN.problem(by, by=by, mount=unit, path=path)


def _not_up_again(plan: Plan, view: View, graph: Graph) -> Iterator[Problem]:
    """What goes down with a stop, and could not be started again."""
    along = taken_down([*plan.jobs["stop"], *displaced(plan.fates)], graph)
    for case in view.differences.cases:
        if case.unit in along and case.unit in plan.jobs["start"] and case.is_set("RefuseManualStart"):
            yield _GOES_DOWN_FOR_GOOD.problem(case.unit, "Unit", "RefuseManualStart", taking=along[case.unit])

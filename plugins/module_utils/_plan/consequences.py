# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What jobs do to other units: whoever wants to know that asks here. Pure, and private to the collection.

The rules for each relation are in _syntax/relations.py, which jobs systemd adds to a job in transactions.py, and what
then happens in course.py.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .._host.graph import Graph
from .._syntax.activation import begin_together
from .._syntax.kinds import Cause, kind_of
from .._syntax.relations import PULLED_IN_BY, Because, Does
from .._syntax.special import FOUNDATIONS
from .fates import Becomes, Call, Fate

if TYPE_CHECKING:
    from .course import Course
    from .transactions import UnitsUp


def stopped_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All units that go down if this one is stopped, each with why."""
    return _with(Does.STOP, unit, graph)


def standing_on(unit: str, graph: Graph) -> str:
    """The first of FOUNDATIONS (basic.target and the like) that goes down if this unit is stopped; "" if none does."""
    taken = stopped_with(unit, graph)
    return next((target for target in FOUNDATIONS if target in taken and unit not in FOUNDATIONS), "")


def restarted_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All units that are restarted if this one is, each with why."""
    return _with(Does.RESTART, unit, graph)


def reloaded_with(units: Iterable[str], graph: Graph) -> Dict[str, Because]:
    """All units that are reloaded if these are, each with why."""
    return {other: cause for unit in units for other, cause in _with(Does.RELOAD, unit, graph).items()}


def reloads_others(unit: str, graph: Graph) -> bool:
    """Does a reload of a unit reload more, as systemd has it in memory?"""
    return bool(graph.among(unit).related("PropagatesReloadTo"))


def handed_reloads(course: Course) -> Dict[str, Because]:
    """Units that were reloaded because another one was, each with why."""
    return {unit: cause for unit, cause in course.reloads.items() if cause.unit}


def _with(
    does: Does, unit: str, graph: Graph, units_up: Optional[UnitsUp] = None, job: Optional[Does] = None
) -> Dict[str, Because]:
    """The other units to which a job of this unit does `does`, each with why. job: the job, if it is another one."""
    from .transactions import UnitsUp, transaction  # noqa: PLC0415 (a run without jobs, the most common, is spared it)

    made = transaction(job or does, [unit], graph, units_up or UnitsUp(graph)) or {}
    return {other: job.cause for other, job in sorted(made.items()) if job.does is does and other != unit}


def handed_on(does: Does, unit: str, graph: Graph, down: Iterable[str]) -> Set[str]:
    """All other units that get a job because of this one, none if systemd refuses it. down: units that are down."""
    from .transactions import UnitsUp, transaction  # noqa: PLC0415 (as above)

    units_up = UnitsUp(graph)
    for each in down:
        units_up.set(each, False)
    return set(transaction(does, [unit], graph, units_up) or ()) - {unit}


def taken_down(units: Iterable[str], graph: Graph) -> Dict[str, str]:
    """All that goes down if these units are stopped, each with the one of these that takes it down."""
    return {other: unit for unit in units for other in stopped_with(unit, graph)}


def taken_anew(units: Iterable[str], graph: Graph, stopped: Sequence[str]) -> List[str]:
    """All that is restarted if these units are: not what was stopped before, nor what one of these restarts ends."""
    units = list(units)
    ended = {*stopped, *(other for unit in units for other in _with(Does.STOP, unit, graph, job=Does.RESTART))}
    return [other for unit in units for other in restarted_with(unit, graph) if other not in ended]


def ending_alone(units: Iterable[str], graph: Graph) -> List[str]:
    """Those of these units that are up and whose stop would take down no other unit."""
    return [unit for unit in units if graph.states[unit].can_stop and not stopped_with(unit, graph)]


def not_taken_along(
    units: Sequence[str], graph: Graph, course: Optional[Course] = None, does: Does = Does.RESTART
) -> List[str]:
    """These units without those that the restart (or reload) of another one of these restarts (or reloads) anyway.

    Such a unit must get no job of its own: when that job is queued, the unit may have been restarted already, and it
    would be restarted a second time.
    """
    units_up = course.units_up if course else None
    along = {unit: _with(does, unit, graph, units_up) for unit in units}
    heads: List[str] = []
    taken: Set[str] = set()
    for unit in sorted(units, key=lambda unit: -len(along[unit])):
        if unit not in taken:
            heads.append(unit)
            taken.update(along[unit])
    return [unit for unit in units if unit in heads]


def displaced(fates: Mapping[str, Fate]) -> Dict[str, str]:
    """Units that ran and that the start of another one ended by Conflicts=, on either side, with that other one."""
    ended = [each for each in fates.values() if each.was_up and each.becomes is Becomes.DOWN]
    return {each.unit: each.cause.unit for each in ended if each.cause.directive == "Conflicts"}


def outdone(course: Course) -> Dict[str, Tuple[str, str]]:
    """Units that are down in the end because of Conflicts=, each with (the unit that was started, what that ended).

    What it ended is the unit itself, or another one that took the unit down with it.
    """
    found = {}
    for unit in course.ends:
        ended, cause, seen = unit, course.ends[unit], {unit}
        while cause.directive != "Conflicts" and cause.unit in course.ends and cause.unit not in seen:
            ended, cause = cause.unit, course.ends[cause.unit]
            seen.add(ended)
        if cause.directive == "Conflicts" and not course.is_up(unit):
            found[unit] = (cause.unit, ended)
    return found


def unneeded(course: Course) -> FrozenSet[str]:
    """Units that are down in the end as nothing that is up needs them, though they may have been started."""
    ends = course.ends.items()
    return frozenset(unit for unit, why in ends if why.directive == "StopWhenUnneeded" and not course.is_up(unit))


def behind(fate: Fate, foretold: Mapping[str, Fate], jobs: Mapping[str, Sequence[str]]) -> Optional[Tuple[str, str]]:
    """The job, as (verb, unit), that a fate comes from; None if systemd does it by itself."""
    starting = fate.becomes is Becomes.UP or fate.cause.directive == "Conflicts"
    verbs = ("start", "restart", "run", "stop") if starting else ("stop", "restart", "start", "run")
    unit, seen = fate.unit, {""}
    if fate.becomes is Becomes.DOWN and fate.cause.unit and unit not in jobs["stop"]:
        unit = fate.cause.unit  # a start or restart of its own is not what it is down by
    while unit not in seen:
        verb = next((verb for verb in verbs if unit in jobs[verb]), "")
        if verb:
            return verb, unit
        seen.add(unit)
        unit = foretold[unit].cause.unit if unit in foretold else ""
    return None


def still_upheld(units: Iterable[str], stopped: Sequence[str], graph: Graph) -> FrozenSet[str]:
    """Those of these units that Upholds= of an active unit would start again, as that unit is not stopped."""

    def upholders(unit: str) -> Set[str]:
        return {other for other in graph.node(unit).related("UpheldBy") if graph.states[other].is_active}

    return frozenset(unit for unit in units if upholders(unit).difference(stopped))


def upholding_first(units: Sequence[str], graph: Graph) -> Tuple[str, ...]:
    """In the order of their stops: what upholds one of them would start that again between two."""
    stopped = set(units)
    return tuple(sorted(units, key=lambda unit: stopped.isdisjoint(graph.node(unit).related("Upholds"))))


def starters(unit: str, graph: Graph) -> List[str]:
    """The sockets and paths that can start this unit at any moment. (A timer starts it at a known time.)"""
    return [other for other in graph.node(unit).related("TriggeredBy") if kind_of(other).starts.cause is Cause.EVENT]


def started_by(unit: str, graph: Graph) -> Tuple[str, ...]:
    """What this timer, socket or path starts."""
    return graph.node(unit).related("Triggers")


def starting_again(unit: str, graph: Graph) -> List[str]:
    """What is up and would start this unit again after a stop: what upholds it, its sockets, paths and timers."""
    others = graph.node(unit).related("UpheldBy", "TriggeredBy")
    return sorted(other for other in others if graph.states[other].is_active)


def is_asked_for(unit: str, graph: Graph) -> bool:
    """Does anything ever start it: a unit that pulls it in, or a socket, path or timer?"""
    return bool(graph.node(unit).related(*PULLED_IN_BY, "TriggeredBy"))


def fates(
    calls: Iterable[Call],
    graph: Graph,
    later: Optional[Graph] = None,
    course: Optional[Course] = None,
) -> Dict[str, Fate]:
    """What becomes of each unit that these calls start or stop, directly or through other units.

    calls: in the order in which they are made; "run" and "daemon-reload" are verbs, too. later: how units are related
    after the daemon-reload, if that changes. course: the simulation to use, in the place of a new one.
    """
    if course is None:
        from .course import Course  # noqa: PLC0415 (as above)

        course = Course(graph)
    for verb, units, alone in calls:
        if verb == "stop":
            course.ask(Does.STOP, units)
            course.finish()
        elif verb == "daemon-reload":
            course.reload(later)
        elif verb == "reload":
            course.ask(Does.RELOAD, not_taken_along(units, course.graph, course, Does.RELOAD))
        elif verb == "restart":
            course.ask(Does.RESTART, units if alone else not_taken_along(units, course.graph, course), alone)
        elif verb in ("start", "run"):
            if begin_together(verb, units):
                course.want(units)
            course.ask(Does.START, units, alone)
        for unit in units if verb == "run" else ():
            course.finish()
            course.ended(unit)
    course.finish()
    return {fate.unit: fate for fate in _told(course, graph)}


def _told(course: Course, graph: Graph) -> Iterator[Fate]:
    for unit, first in course.causes.items():
        was_up, is_up = graph.states[unit].is_up, course.is_up(unit)
        if was_up or is_up:
            becomes = Becomes.DOWN if not is_up else Becomes.ANEW if was_up else Becomes.UP
            cause = first if is_up else course.ends[unit]
            yield Fate(unit, was_up, becomes, cause, not course.graph.among(unit).once)

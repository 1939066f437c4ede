# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a set of jobs does to all units that they reach. Pure. Private to the collection.

systemd's rules are in _syntax/relations.py, what it makes of one job in transactions.py, and what follows in course.py.
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
from .._syntax.relations import RELATIONS, Because, Does
from .._syntax.special import FOUNDATIONS
from .fates import Becomes, Call, Fate

if TYPE_CHECKING:
    from .course import Course
    from .transactions import UnitsUp

# By what a unit is known that pulls another one in.
_ASKING = tuple(relation.inverse for relation in RELATIONS.values() if relation.start is Does.START)


def stopped_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All that a stop of a unit takes down with it, to the end."""
    return _with(Does.STOP, unit, graph)


def standing_on(unit: str, graph: Graph) -> str:
    """What of the foundations of the host goes down with the stop of a unit, "" if none does."""
    taken = stopped_with(unit, graph)
    return next((target for target in FOUNDATIONS if target in taken and unit not in FOUNDATIONS), "")


def restarted_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All that is restarted with a unit, to the end."""
    return _with(Does.RESTART, unit, graph)


def reloaded_with(units: Iterable[str], graph: Graph) -> Dict[str, Because]:
    """All that is reloaded with these units, to the end."""
    return {other: cause for unit in units for other, cause in _with(Does.RELOAD, unit, graph).items()}


def hands_reloads_on(unit: str, graph: Graph) -> bool:
    return bool(graph.among(unit).related("PropagatesReloadTo"))


def handed_reloads(course: Course) -> Dict[str, Because]:
    """What was reloaded with another unit, each with why."""
    return {unit: cause for unit, cause in course.reloads.items() if cause.unit}


def _with(
    does: Does, unit: str, graph: Graph, units_up: Optional[UnitsUp] = None, job: Optional[Does] = None
) -> Dict[str, Because]:
    """All other units to which a job of this unit does that. job: which job, if not the same."""
    from .transactions import UnitsUp, transaction  # noqa: PLC0415 (a run without jobs, the most common, is spared it)

    made = transaction(job or does, [unit], graph, units_up or UnitsUp(graph)) or {}
    return {other: job.cause for other, job in sorted(made.items()) if job.does is does and other != unit}


def handed_on(does: Does, unit: str, graph: Graph, down: Iterable[str]) -> Set[str]:
    """All other units that get a job with this one. down: units that are down by then. None if systemd refuses it."""
    from .transactions import UnitsUp, transaction  # noqa: PLC0415 (as above)

    units_up = UnitsUp(graph)
    for each in down:
        units_up.set(each, False)
    return set(transaction(does, [unit], graph, units_up) or ()) - {unit}


def taken_down(units: Iterable[str], graph: Graph) -> Dict[str, str]:
    """What goes down with units that are stopped, each with the one that takes it."""
    return {other: unit for unit in units for other in stopped_with(unit, graph)}


def taken_anew(units: Iterable[str], graph: Graph, stopped: Sequence[str]) -> List[str]:
    """What is restarted with these units, unless it is stopped before, or one of them ends it."""
    units = list(units)
    ended = {*stopped, *(other for unit in units for other in _with(Does.STOP, unit, graph, job=Does.RESTART))}
    return [other for unit in units for other in restarted_with(unit, graph) if other not in ended]


def ending_alone(units: Iterable[str], graph: Graph) -> List[str]:
    """Those of these that are up, and with which nothing else would go down."""
    return [unit for unit in units if graph.states[unit].can_stop and not stopped_with(unit, graph)]


def not_taken_along(
    units: Sequence[str], graph: Graph, course: Optional[Course] = None, does: Does = Does.RESTART
) -> List[str]:
    """Those of these units that the restart, or reload, of another one does not restart, or reload, anyway.

    A unit that is taken along must get no job of its own. When that job is queued the unit may be up again, or
    reloaded, already: it would go down, or be reloaded, a second time.
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
    """Units that ran and that a start has ended by Conflicts= of either side, each with what was started."""
    ended = [each for each in fates.values() if each.was_up and each.becomes is Becomes.DOWN]
    return {each.unit: each.cause.unit for each in ended if each.cause.directive == "Conflicts"}


def outdone(course: Course) -> Dict[str, Tuple[str, str]]:
    """Units that are down in the end by Conflicts=, each with (the unit that was started, the unit that this ended).

    The latter is the unit itself, or one with which, or after which, it went down.
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
    """The job, a verb and a unit, that leads to a fate; None if systemd does it by itself."""
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
    """Those of these that something upholds which is not stopped too: a stop would not last."""

    def upholders(unit: str) -> Set[str]:
        return {other for other in graph.node(unit).related("UpheldBy") if graph.states[other].is_active}

    return frozenset(unit for unit in units if upholders(unit).difference(stopped))


def upholding_first(units: Sequence[str], graph: Graph) -> Tuple[str, ...]:
    """In the order of their stops: what upholds one of them would start that again between two."""
    return tuple(sorted(units, key=lambda unit: set(units).isdisjoint(graph.node(unit).related("Upholds"))))


def starters(unit: str, graph: Graph) -> List[str]:
    """The sockets and paths that may start a unit at any moment; a timer has its time."""
    return [other for other in graph.node(unit).related("TriggeredBy") if kind_of(other).starts.cause is Cause.EVENT]


def starting_again(unit: str, graph: Graph) -> List[str]:
    """What is up and would start a unit that is stopped: what upholds it, its sockets, paths and timers."""
    others = graph.node(unit).related("UpheldBy", "TriggeredBy")
    return sorted(other for other in others if graph.states[other].is_active)


def is_asked_for(unit: str, graph: Graph) -> bool:
    """Does anything start it: another unit that pulls it in, or a socket, path or timer?"""
    return bool(graph.node(unit).related(*_ASKING, "TriggeredBy"))


def fates(
    calls: Iterable[Call],
    graph: Graph,
    later: Optional[Graph] = None,
    course: Optional[Course] = None,
) -> Dict[str, Fate]:
    """What becomes of every unit to which these jobs, or what they entail, do anything.

    calls: in the order in which they are made; "run" and "daemon-reload" are verbs, too.
    later: how units are related once systemd has read its files again, if that is otherwise than now. course: how
    things go on, if otherwise than one after the other.
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

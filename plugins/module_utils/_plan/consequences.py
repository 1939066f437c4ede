# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a set of jobs does to all units that they reach. Pure. Private to the collection.

systemd's rules are in _syntax/relations.py, what it makes of one job in transactions.py, and what follows in course.py.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .._host.graph import Graph
from .._syntax.kinds import Cause, kind_of
from .._syntax.relations import Does
from .course import Course
from .transactions import Because, Standing, transaction


class Becomes(enum.Enum):
    """What is left of a unit when all is done: down, up by another process than before, or up where it was down."""

    DOWN = "down"
    ANEW = "anew"
    UP = "up"


@dataclass(frozen=True)
class Fate:
    """What becomes of a unit. cause: why that first went down, or came up."""

    unit: str
    was_up: bool
    becomes: Becomes
    cause: Because


def stopped_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All that a stop of a unit takes down with it, to the end."""
    return _with(Does.STOP, unit, graph)


def restarted_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All that is restarted with a unit, to the end."""
    return _with(Does.RESTART, unit, graph)


def _with(does: Does, unit: str, graph: Graph, standing: Optional[Standing] = None) -> Dict[str, Because]:
    made = transaction(does, [unit], graph, standing or Standing(graph)) or {}
    return {other: job.cause for other, job in sorted(made.items()) if job.does is does and other != unit}


def taken_down(units: Iterable[str], graph: Graph) -> Dict[str, str]:
    """What goes down with units that are stopped, each with the one that takes it."""
    return {other: unit for unit in units for other in stopped_with(unit, graph)}


def taken_anew(units: Iterable[str], graph: Graph, stopped: Sequence[str]) -> List[str]:
    """What is restarted with these units, unless it is stopped before."""
    return [other for unit in units for other in restarted_with(unit, graph) if other not in stopped]


def ending_alone(units: Iterable[str], graph: Graph) -> List[str]:
    """Those of these that are up, and with which nothing else would go down."""
    return [unit for unit in units if graph.states[unit].can_stop and not stopped_with(unit, graph)]


def not_taken_along(units: Sequence[str], graph: Graph, course: Optional[Course] = None) -> List[str]:
    """Those of these units that no restart of another of them restarts as well, in the same transaction.

    With a job of its own, what comes up again before that on which it depends is queued would go down once more.
    """
    standing = course.standing if course else Standing(graph)
    along = {unit: _with(Does.RESTART, unit, graph, standing) for unit in units}
    heads: List[str] = []
    taken: Set[str] = set()
    for unit in sorted(units, key=lambda unit: -len(along[unit])):
        if unit not in taken:
            heads.append(unit)
            taken.update(along[unit])
    return [unit for unit in units if unit in heads]


def displaced(started: Sequence[str], conflicts: Mapping[str, Sequence[str]], graph: Graph) -> Dict[str, str]:
    """Units that run and that a start ends by Conflicts= of either side, each with what is started.

    conflicts: what the text of a started unit will name.
    """
    return {
        other: unit
        for unit in started
        for other in (*conflicts.get(unit, ()), *graph.node(unit).related("ConflictedBy"))
        if graph.states[other].is_up and other not in started
    }


def starters(unit: str, graph: Graph) -> List[str]:
    """The sockets and paths that may start a unit at any moment; a timer has its time."""
    return [other for other in graph.node(unit).related("TriggeredBy") if kind_of(other).starts.cause is Cause.EVENT]


def fates(calls: Iterable[Tuple[str, Sequence[str]]], graph: Graph, course: Optional[Course] = None) -> Dict[str, Fate]:
    """What becomes of every unit to which these jobs, or what they entail, do anything.

    calls: verbs (stop, restart, start, run, daemon-reload; others change no unit's state) and units, in the order in
    which they are done. course: how things go on, if otherwise than one after the other.
    """
    course = course or Course(graph)
    for verb, units in calls:
        if verb == "stop":
            course.ask(Does.STOP, units)
            course.finish()
        elif verb == "daemon-reload":
            course.reload()
        elif verb == "reload":
            course.reloaded(units)
        elif verb == "restart":
            course.ask(Does.RESTART, not_taken_along(units, graph, course))
        elif verb in ("start", "run"):
            if verb == "start" and len(units) > 1 and any(kind_of(unit).starts.hands_over for unit in units):
                course.want(units)
            course.ask(Does.START, units)
        for unit in units if verb == "run" else ():
            course.finish()
            course.ended(unit)
    course.finish()
    return _fates(course, graph)


def _fates(course: Course, graph: Graph) -> Dict[str, Fate]:
    found = {}
    for unit, cause in course.causes.items():
        was_up, is_up = graph.states[unit].is_up, course.is_up(unit)
        if was_up or is_up:
            becomes = Becomes.DOWN if not is_up else Becomes.ANEW if was_up else Becomes.UP
            found[unit] = Fate(unit, was_up, becomes, cause)
    return found

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a set of jobs does to all units that they reach. The rules of systemd are in _syntax/relations.py.

Jobs are carried out as a run does: stops, then starts of sockets, reloads, restarts, starts; each unit's job is a
transaction of its own. Private to the collection.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from .._host.graph import Graph, Node
from .._syntax.kinds import Cause, kind_of
from .._syntax.relations import RELATIONS, Does


class Becomes(enum.Enum):
    """What is left of a unit when all is done: down, up by another process than before, or up where it was down."""

    DOWN = "down"
    ANEW = "anew"
    UP = "up"


@dataclass(frozen=True)
class Because:
    """Why something happens to a unit: because of which other one, and by which directive; both "" for its own job."""

    unit: str = ""
    directive: str = ""


@dataclass(frozen=True)
class Fate:
    """What becomes of a unit. cause: why that first went down, or came up."""

    unit: str
    was_up: bool
    becomes: Becomes
    cause: Because


def stopped_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All that a stop of a unit takes down with it, to the end."""
    return _spread(unit, Does.STOP, graph, {})


def restarted_with(unit: str, graph: Graph) -> Dict[str, Because]:
    """All that is restarted with a unit, to the end."""
    return _spread(unit, Does.RESTART, graph, {})


def taken_down(units: Iterable[str], graph: Graph) -> Dict[str, str]:
    """What goes down with units that are stopped, each with the one that takes it."""
    return {other: unit for unit in units for other in stopped_with(unit, graph)}


def taken_anew(units: Iterable[str], graph: Graph, stopped: Sequence[str]) -> List[str]:
    """What is restarted with these units, unless it is stopped before."""
    return [other for unit in units for other in restarted_with(unit, graph) if other not in stopped]


def _spread(root: str, job: Does, graph: Graph, since: Mapping[str, bool]) -> Dict[str, Because]:
    """What systemd hands this job of one unit on to; since: whether units are up that have come up or gone down since.

    It goes on only through units that it has something to do to: for what is down a stop is redundant, a restart none.
    """

    def takes_it(unit: str) -> bool:
        state = graph.states[unit]
        return since.get(unit, state.can_stop if job is Does.STOP else state.is_active)

    found: Dict[str, Because] = {}
    ahead = [root]
    while ahead:
        unit = ahead.pop(0)
        for name, relation in RELATIONS.items():
            if (relation.stop if job is Does.STOP else relation.restart) is job:
                more = [other for other in graph.node(unit).related(name) if takes_it(other)]
                more = [other for other in more if other not in (root, *found)]
                found.update(dict.fromkeys(more, Because(unit, relation.directive)))
                ahead += more
    return {other: found[other] for other in sorted(found)}


def ending_alone(units: Iterable[str], graph: Graph) -> List[str]:
    """Those of these that are up, and with which nothing else would go down."""
    return [unit for unit in units if graph.states[unit].can_stop and not stopped_with(unit, graph)]


def not_taken_along(units: Sequence[str], graph: Graph) -> List[str]:
    """Those of these units that no restart of another of them restarts as well, in the same transaction.

    With a job of its own, what comes up again before that on which it depends is queued would go down once more.
    """
    along = {unit: restarted_with(unit, graph) for unit in units}
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


def fates(jobs: Mapping[str, Sequence[str]], graph: Graph) -> Dict[str, Fate]:
    """What becomes of every unit to which these jobs, or what they entail, do anything.

    jobs: units by verb (stop, restart, start, run; others change no unit's state), in the order in which they are done.
    """
    course = _Course(graph)
    for unit in jobs.get("stop", ()):
        course.stop(unit)
    course.settle()
    starts = jobs.get("start", ())
    for unit in [each for each in starts if kind_of(each).starts.hands_over]:
        course.start(unit)
    for unit in jobs.get("restart", ()):
        course.restart(unit)
        course.settle()
    for unit in [each for each in (*starts, *jobs.get("run", ())) if not kind_of(each).starts.hands_over]:
        course.start(unit)
        course.settle()
    return course.fates()


class _Course:
    """The course of events: which units are up, and why each went down or came up first."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._up: Dict[str, bool] = {}
        self._causes: Dict[str, Because] = {}
        self._unneeded: Set[str] = set()

    def is_up(self, unit: str) -> bool:
        return self._up.get(unit, self._graph.states[unit].is_up)

    def fates(self) -> Dict[str, Fate]:
        found = {}
        for unit, up in self._up.items():
            was_up = self._graph.states[unit].is_up
            if was_up or up:
                becomes = Becomes.DOWN if not up else Becomes.ANEW if was_up else Becomes.UP
                found[unit] = Fate(unit, was_up, becomes, self._causes[unit])
        return found

    def stop(self, unit: str, cause: Because = Because()) -> None:
        self._end({unit: cause, **_spread(unit, Does.STOP, self._graph, self._up)})

    def restart(self, unit: str) -> None:
        """systemd restarts what it hands a restart on to, and stops what it hands only the stop in it on to."""
        anew = {unit: Because(), **(_spread(unit, Does.RESTART, self._graph, self._up) if self.is_up(unit) else {})}
        self._end(anew)
        self._pull_in(anew)

    def start(self, unit: str, cause: Because = Because()) -> None:
        self._pull_in({unit: cause})

    def settle(self) -> None:
        """What systemd does by itself once jobs are done: starts what is upheld, stops what nothing needs any more."""
        while True:
            upheld = [(unit, by) for unit in self._up if not self.is_up(unit) for by in self._upholders(unit)][:1]
            idle = [unit for unit in sorted(self._unneeded) if self.is_up(unit) and not self._is_needed(unit)]
            self._unneeded = set()
            if not upheld and not idle:
                return
            for unit, by in upheld:
                self.start(unit, Because(by, "Upholds"))
            for unit in idle:
                self.stop(unit, Because("", "StopWhenUnneeded"))

    def _node(self, unit: str) -> Node:
        return self._graph.node(unit)

    def _end(self, units: Mapping[str, Because]) -> None:
        for unit, cause in units.items():
            if self.is_up(unit):
                self._causes.setdefault(unit, cause)
                self._up[unit] = False
                self._unneeded.update(self._needs(unit))

    def _pull_in(self, units: Mapping[str, Because]) -> None:
        """Start units with what they pull in, if nothing speaks against it, and end what conflicts with any of them."""
        wanted = dict(units)
        ahead = list(units)
        while ahead:
            unit = ahead.pop(0)
            for name, relation in RELATIONS.items():
                if relation.start is Does.START:
                    more = [each for each in self._node(unit).related(name) if not self.is_up(each)]
                    more = [other for other in more if other not in wanted]
                    wanted.update(dict.fromkeys(more, Because(unit, relation.directive)))
                    ahead += more
        for unit in wanted:
            for name, relation in RELATIONS.items():
                if relation.start is Does.STOP:
                    for other in self._node(unit).related(name):
                        if self.is_up(other) and other not in wanted:
                            self.stop(other, Because(unit, relation.directive))
        for unit, cause in wanted.items():
            if not self.is_up(unit) and not self._is_kept_down(unit, wanted):
                self._causes.setdefault(unit, cause)
                self._up[unit] = True

    def _is_kept_down(self, unit: str, wanted: Mapping[str, Because]) -> bool:
        lacking = any(not self.is_up(each) and each not in wanted for each in self._node(unit).related("Requisite"))
        return lacking or (
            kind_of(unit).starts.hands_over and any(self.is_up(each) for each in self._node(unit).related("Triggers"))
        )

    def _needs(self, unit: str) -> Iterator[str]:
        for name, relation in RELATIONS.items():
            if relation.start in (Does.START, Does.VERIFY):
                for other in self._node(unit).related(name):
                    if self.is_up(other) and "StopWhenUnneeded" in self._node(other).settings:
                        yield other

    def _is_needed(self, unit: str) -> bool:
        needing = [name for name, relation in RELATIONS.items() if relation.needs_it]
        return any(self.is_up(other) for other in self._node(unit).related(*needing))

    def _upholders(self, unit: str) -> Tuple[str, ...]:
        upholding = [name for name, relation in RELATIONS.items() if relation.upholds_it]
        return tuple(other for other in self._node(unit).related(*upholding) if self.is_up(other))

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What systemd makes of a job: a transaction, which is that job and all that go with it. Pure.

By experiment on 247, 252, 257 and 262, and as src/core/transaction.c has it: a job hands others on to related units
(_syntax/relations.py), and these again. A job that would change nothing is left out, and with it all that it
alone has handed on: nothing is handed on through a unit that has nothing to do. A job that is asked for by name is
never left out. Where a unit would be both started and stopped, the job that is not necessary for what was asked for is
left out. If both are, systemd refuses the whole.

Private to the collection.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .._host.graph import Graph, Node
from .._syntax.kinds import kind_of
from .._syntax.relations import RELATIONS, Because, Does

# PropagatesStopTo=: from then on a stop or restart of the named unit alone is handed on, and less roughly.
_GRACEFUL_SINCE = 254
# A restart is handed on to what is still coming up, too, from then on.
_ACTIVATING_SINCE = 252

# Which of several jobs of a unit stands for all of them.
_STRENGTH = (Does.STOP, Does.RESTART, Does.START, Does.RELOAD, Does.VERIFY)

# A job is known by its unit and what it does.
Key = Tuple[str, Does]
# A stop and another job of the same unit.
Contradiction = Tuple[Key, Key]


class Job(NamedTuple):
    """What a transaction does to one unit, and why."""

    does: Does
    cause: Because


class _Link(NamedTuple):
    """Why a job is there.

    cause: the unit and directive. matters: the job that handed it on is not done without it. conflicts: it is a stop by
    Conflicts=.
    """

    cause: Because
    matters: bool = True
    conflicts: bool = False


class UnitsUp:
    """Which units are up at each moment: at first those that were found so."""

    def __init__(self, graph: Graph) -> None:
        self._states = graph.states
        self._version = graph.version
        self._since: Dict[str, bool] = {}

    def is_up(self, unit: str) -> bool:
        return self._since.get(unit, self._states[unit].is_up)

    def set(self, unit: str, up: bool) -> None:
        self._since[unit] = up

    def would_change(self, unit: str, does: Does) -> bool:
        """Has such a job anything to do (job_type_is_redundant(), job_type_collapse())?"""
        state = self._states[unit]
        if does is Does.STOP:
            return self._since.get(unit, state.can_stop)
        if does is Does.RESTART:
            restarted = state.is_up if self._version >= _ACTIVATING_SINCE else state.is_active
            return self._since.get(unit, restarted)
        if does is Does.RELOAD:
            return self._since.get(unit, state.is_active)
        return not self.is_up(unit)


def transaction(
    does: Does,
    units: Sequence[str],
    graph: Graph,
    units_up: UnitsUp,
    queued: Optional[Mapping[str, Does]] = None,
    gently: bool = False,
    settled_first: Callable[[Sequence[Contradiction]], Contradiction] = itemgetter(0),
) -> Optional[Dict[str, Job]]:
    """The jobs that come of these, asked for at once, by unit. None: systemd refuses them.

    queued: jobs that are not done yet. gently: nothing is stopped by the Conflicts= of others, and no queued job is
    given up for it (systemctl(1), --job-mode=fail), as with what systemd starts or stops by itself. settled_first:
    which of several contradictions, as what is left out for one may settle another.
    """
    made = _Transaction(graph, units_up, queued or {}, settled_first)
    for unit in units:
        made.ask(unit, does)
    return made.settled(gently)


def wanted_together(
    units: Sequence[str], graph: Graph, units_up: UnitsUp, queued: Optional[Mapping[str, Does]] = None
) -> Dict[str, Job]:
    """Starts by Wants= of one new unit: those that cannot be done do not hinder the others."""
    made = _Transaction(graph, units_up, queued or {}, itemgetter(0))
    for unit in units:
        made.want(unit)
    return made.settled(False) or {}


class _Transaction:
    def __init__(
        self,
        graph: Graph,
        units_up: UnitsUp,
        queued: Mapping[str, Does],
        settled_first: Callable[[Sequence[Contradiction]], Contradiction],
    ) -> None:
        self._graph = graph
        self._units_up = units_up
        self._queued = queued
        self._settled_first = settled_first
        # Each job with those that have handed it on, and why. One that is asked for by name has none.
        self._jobs: Dict[Key, Dict[Key, _Link]] = {}
        self._by_unit: Dict[str, List[Key]] = {}
        # Those that are asked for by name.
        self._asked: Dict[Key, None] = {}
        # Those that were handed on, straight or by way of others, by what was asked for and does something.
        self._sure: Set[Key] = set()

    def ask(self, unit: str, does: Does) -> None:
        job = (unit, does)
        self._asked[job] = None
        if self._add(job):
            self._hand_on(job)
            self._stop_gracefully(job)

    def want(self, unit: str) -> None:
        root = ("", Does.START)
        self._jobs.setdefault(root, {})
        self._asked = {root: None}
        self._sure.add(root)
        if self._add((unit, Does.START), root, _Link(Because(), matters=False)):
            self._hand_on((unit, Does.START))

    def _add(self, job: Key, by: Optional[Key] = None, link: Optional[_Link] = None) -> bool:
        """Returns whether the job is new, or was handed on only now by one that does something."""
        known = job in self._jobs
        if not known:
            self._by_unit.setdefault(job[0], []).append(job)
        links = self._jobs.setdefault(job, {})
        if by and link and not (by in links and links[by].matters):
            links[by] = link
        sure = by is None or self._does_something(by)
        new = not known or (sure and job not in self._sure)
        if sure:
            self._sure.add(job)
        return new

    def _does_something(self, job: Key) -> bool:
        return job in self._sure and self._counts(job)

    def _node(self, job: Key) -> Node:
        """The relations of a job's unit.

        Those of a job that changes nothing only to units that were looked at: what it hands on is most likely left out.
        """
        return self._graph.node(job[0]) if self._does_something(job) else self._graph.among(job[0])

    def _hand_on(self, job: Key) -> None:
        """Hand a job on, and each new job at once before the next one, which is systemd's order."""
        ahead = [self._added(job)]
        while ahead:
            new = next(ahead[-1], None)
            if new is None:
                ahead.pop()
            else:
                ahead.append(self._added(new))

    def _added(self, job: Key) -> Iterator[Key]:
        """Add the jobs that one hands on; those that are new come back, one after the other."""
        for other, link in self._related(job):
            if self._add(other, job, link):
                yield other

    def _related(self, job: Key) -> List[Tuple[Key, _Link]]:
        unit, does = job
        node = self._node(job)
        found: List[Tuple[Key, _Link]] = []
        for name, relation in RELATIONS.items():
            handed = relation.handed_on(does)
            if handed is Does.NOTHING or (name == "PropagatesStopTo" and self._graph.version >= _GRACEFUL_SINCE):
                continue
            for other in node.related(name):
                if self._takes(other, handed):
                    link = _Link(Because(unit, relation.directive), relation.matters, name == "Conflicts")
                    found.append(((other, handed), link))
        return found

    def _takes(self, unit: str, handed: Does) -> bool:
        """A restart or reload is handed on to what is active; a reload to what has one, or hands it on itself."""
        if handed is Does.RELOAD:
            node = self._graph.among(unit)
            passes = not kind_of(unit).reloadable and bool(node.related("PropagatesReloadTo"))
            return (node.reloads or passes) and self._units_up.would_change(unit, handed)
        return handed is not Does.RESTART or self._units_up.would_change(unit, handed)

    def _stop_gracefully(self, job: Key) -> None:
        """From 254 on PropagatesStopTo= is handed on last, by the named unit and along a chain of it, on a restart too.

        What is to be stopped or restarted anyway is left at that; what is to be started is restarted.
        """
        ahead = [job]
        while ahead and self._graph.version >= _GRACEFUL_SINCE:
            current = ahead.pop(0)
            unit, does = current
            others = self._node(current).related("PropagatesStopTo") if does in (Does.STOP, Does.RESTART) else ()
            for other in others:
                there = {each[1] for each in self._by_unit.get(other, ())}
                if there.isdisjoint((Does.STOP, Does.RESTART)):
                    more = (other, Does.RESTART if Does.START in there else Does.STOP)
                    self._add(more, current, _Link(Because(unit, "PropagatesStopTo")))
                    self._hand_on(more)
                    ahead.append(more)

    def _is_idle(self, unit: str) -> bool:
        """Would all jobs of this unit change nothing? What is asked for by name is never idle."""
        return not any(self._counts(job) for job in self._by_unit.get(unit, ()))

    def _counts(self, job: Key) -> bool:
        unit, does = job
        if job in self._asked or does in (Does.RESTART, Does.RELOAD):
            return True
        return self._units_up.would_change(unit, does) or self._replaces_queued(job)

    def _replaces_queued(self, job: Key) -> bool:
        waiting = self._queued.get(job[0])
        return waiting is not None and (job[1] is Does.STOP) != (waiting is Does.STOP)

    def settled(self, gently: bool) -> Optional[Dict[str, Job]]:
        mattering = self._mattering()
        unloaded = [job for job in self._jobs if job[1] is not Does.STOP and not self._graph.among(job[0]).loads]
        if not mattering.isdisjoint(unloaded):
            return None
        self._drop(unloaded)
        if gently:
            self._minimize(mattering)
        self._drop([job for unit in list(self._by_unit) if self._is_idle(unit) for job in self._by_unit[unit]])
        self._collect()
        while True:
            contradictions = self._contradictions()
            if not contradictions:
                break
            left_out = self._left_out(*self._settled_first(contradictions), mattering)
            if left_out is None:
                return None
            self._give_up(left_out)
            self._collect()
        if gently and any(self._replaces_queued(job) for job in self._jobs):
            return None
        return {unit: self._merged(jobs) for unit, jobs in self._by_unit.items() if jobs and not self._is_idle(unit)}

    def _mattering(self) -> Set[Key]:
        """Jobs without which what was asked for is not done (transaction_find_jobs_that_matter_to_anchor())."""
        needs: Dict[Key, List[Key]] = {}
        for job, links in self._jobs.items():
            for by, link in links.items():
                if link.matters:
                    needs.setdefault(by, []).append(job)
        found = set(self._asked)
        ahead = list(found)
        while ahead:
            more = set(needs.get(ahead.pop(), ())) - found
            found |= more
            ahead += more
        return found

    def _minimize(self, mattering: Set[Key]) -> None:
        """Leave out stops of what runs, and jobs against a queued one (transaction_minimize_impact())."""
        for job in [each for each in self._jobs if each not in mattering]:
            unit, does = job
            stops = does is Does.STOP and self._units_up.is_up(unit)
            if job in self._jobs and (stops or self._replaces_queued(job)):
                self._give_up(job)

    def _contradictions(self) -> List[Contradiction]:
        found: List[Contradiction] = []
        for unit, jobs in self._by_unit.items():
            others = [job for job in jobs if job[1] is not Does.STOP]
            if (unit, Does.STOP) in jobs and others:
                found.append(((unit, Does.STOP), others[0]))
        return found

    def _left_out(self, stop: Key, other: Key, mattering: Set[Key]) -> Optional[Key]:
        """Which of two jobs that contradict each other is left out (delete_one_unmergeable_job())."""
        if stop in mattering:
            return None if other in mattering else other
        if other in mattering:
            return stop
        return other if any(link.conflicts for link in self._jobs[stop].values()) else stop

    def _give_up(self, job: Key) -> None:
        """Leave a job out, and what is not done without it."""
        ahead = [job]
        while ahead:
            gone = ahead.pop()
            if gone in self._jobs:
                ahead += [by for by, link in self._jobs[gone].items() if link.matters]
                self._drop([gone])

    def _drop(self, jobs: Iterable[Key]) -> None:
        gone = set(jobs)
        for job in gone:
            del self._jobs[job]
            self._by_unit[job[0]].remove(job)
        for links in self._jobs.values() if gone else ():
            for by in gone.intersection(links):
                del links[by]

    def _collect(self) -> None:
        """Leave out what no job hands on any more.

        Of several jobs of a unit systemd looks at the last one only (transaction_collect_garbage()).
        """
        while True:
            last = [jobs[-1] for jobs in self._by_unit.values() if jobs]
            loose = [job for job in last if not self._jobs[job] and job not in self._asked]
            if not loose:
                return
            self._drop(loose)

    def _merged(self, jobs: Sequence[Key]) -> Job:
        """One job for a unit: a restart is a start as well, and each of them sees that it is up."""
        strongest = min(jobs, key=lambda job: _STRENGTH.index(job[1]))
        links = [link for job in (strongest, *jobs) for link in self._jobs[job].values()]
        return Job(strongest[1], links[0].cause if links and strongest not in self._asked else Because())

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What happens once jobs are queued: in which order systemd does them, what fails, and what it adds by itself. Pure.

By experiment on 247, 252, 257 and 262, and as src/core/job.c and unit.c have it. Private to the collection.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Set

from .._host.graph import Graph
from .._host.manager import TOGETHER_SINCE
from .._syntax.activation import in_the_way
from .._syntax.relations import BINDING, NEEDED_BY, USED_BY, USES, Because, Does
from .transactions import Contradiction, Job, UnitsUp, transaction, wanted_together

# From then on systemd keeps a queue of units that it may have to start or stop by itself.
_QUEUES_SINCE = 249
# How often systemd starts or stops one unit by itself before it gives up.
_MOST_BY_ITSELF = 16


class Course:
    """A simulation of systemd: which units are up so far, and why.

    causes: why each unit first went down or came up; units that neither has happened to are not in it. ends: why each
    unit last went down. reloads: why each unit was first reloaded.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.units_up = UnitsUp(graph)
        self._queued: Dict[str, Job] = {}
        # Units that systemd looks at again after a change, in this order; used as ordered sets.
        self._upheld: Dict[str, None] = {}
        self._bound: Dict[str, None] = {}
        self._unneeded: Dict[str, None] = {}
        self._by_itself: Dict[str, int] = {}
        self.causes: Dict[str, Because] = {}
        self.ends: Dict[str, Because] = {}
        self.reloads: Dict[str, Because] = {}

    def is_up(self, unit: str) -> bool:
        return self.units_up.is_up(unit)

    def ask(self, does: Does, units: Sequence[str], alone: bool = False) -> None:
        """One call of systemctl. If systemd refuses the units together, each is asked for alone (Manager.queue).

        alone: related units get no jobs (systemctl(1), --job-mode=ignore-requirements).
        """
        if alone:
            self._install({unit: Job(does, Because()) for unit in units})
            self.pause()
            return
        whole = None
        if len(units) == 1 or self.graph.version >= TOGETHER_SINCE:
            whole = self._transaction(does, units)
            self._install(whole or {})
        for unit in units if whole is None and len(units) > 1 else ():
            self._install(self._transaction(does, [unit]) or {})
            self.pause()
        self.pause()

    def want(self, units: Sequence[str]) -> None:
        """Start these units as the Wants= of one new unit (Manager.start_together)."""
        self._install(wanted_together(units, self.graph, self.units_up, self._doing()))
        self.pause()

    def reload(self, later: Optional[Graph] = None) -> None:
        """A daemon-reload. later: how units are related after it, if that changes.

        From 249 on systemd then treats each unit that is up as if it had just started (unit_notify()).
        """
        self.graph = later or self.graph
        nodes = self.graph.nodes if self.graph.version >= _QUEUES_SINCE else ()
        for unit in filter(self.is_up, nodes):
            self._look_again_at([unit])
            self._upheld.update(dict.fromkeys(self.graph.among(unit).related("Upholds")))
        for unit in nodes:  # units that were not asked for can uphold these, too
            if any(map(self.is_up, self.graph.node(unit).related("UpheldBy"))):
                self._upheld[unit] = None
        self._react()
        self.pause()

    def pause(self) -> None:
        """Between two calls. How far systemd really gets until the next one is chance; here it finishes everything."""
        self.finish()

    def ended(self, unit: str) -> None:
        """A unit has done its work and ended by itself. Its OnSuccess= units are started."""
        if self.is_up(unit):
            self._down(unit, self.causes.get(unit, Because()))
            self._react()
            for other in self.graph.among(unit).related("OnSuccess"):
                jobs = self._transaction(Does.START, [other], gently=True) or {}
                self._install({**jobs, other: Job(Does.START, Because(unit, "OnSuccess"))} if other in jobs else {})
            self.pause()

    def _transaction(self, does: Does, units: Sequence[str], gently: bool = False) -> Optional[Dict[str, Job]]:
        return transaction(does, units, self.graph, self.units_up, self._doing(), gently, self.settled_first)

    def settled_first(self, contradictions: Sequence[Contradiction]) -> Contradiction:
        """Which contradiction systemd solves first is chance, since it keeps jobs in a hash table."""
        return contradictions[0]

    def _doing(self) -> Dict[str, Does]:
        return {unit: job.does for unit, job in self._queued.items()}

    def _install(self, jobs: Mapping[str, Job]) -> None:
        """Queue jobs. One that contradicts a queued job replaces it, else the stronger stays (job_install())."""
        for unit, job in jobs.items():
            there = self._queued.get(unit)
            if there is None or self._prevails(unit, job.does, there.does):
                self._queued[unit] = job

    def _prevails(self, unit: str, does: Does, there: Does) -> bool:
        """Does the new job win? A start and a reload become a reload if the unit is up (job_type_lookup_merge())."""
        if Does.STOP in (does, there) or does is Does.RESTART:
            return True
        both = (Does.START, Does.RELOAD) if self.is_up(unit) else (Does.RELOAD, Does.START)
        ranks = (Does.VERIFY, *both, Does.RESTART)
        return ranks.index(does) > ranks.index(there) or there is Does.VERIFY

    def finish(self) -> None:
        """Do all queued jobs, and all that follows from them."""
        while self._queued:
            self.go_on()

    def go_on(self) -> None:
        """Do the jobs that are ready. Stop early if systemd adds jobs by itself, since the order changes then."""
        for unit in self.ready():
            if unit in self._queued:
                self._do(unit)
                if self._react():
                    return

    def ready(self) -> List[str]:
        """Units whose job waits for no other job. Those whose job fails at once come first; else the order is chance.

        Of two units that are ordered, the later one is stopped first and started last (job_compare()).
        """
        waiting: Set[str] = set()
        for unit, job in self._queued.items():
            earlier = self._queued.keys() & self.graph.node(unit).related("After")
            waiting |= earlier if job.does in (Does.STOP, Does.RESTART) else {unit} if earlier else set()
        ready = [unit for unit in self._queued if unit not in waiting] or list(self._queued)
        return sorted(ready, key=lambda unit: not self.is_refused(unit))

    def _do(self, unit: str) -> None:
        refused, was_up = self.is_refused(unit), self.is_up(unit)
        job = self._queued.pop(unit)
        if job.does is Does.RESTART:
            self._queued[unit] = Job(Does.START, job.cause)
        if job.does in (Does.STOP, Does.RESTART):
            if self.is_up(unit):
                self._down(unit, job.cause)
        elif job.does is Does.RELOAD:
            if was_up:
                self.reloads.setdefault(unit, job.cause)
        elif refused:
            self._fail_with(unit)
        elif job.does is Does.START and not self.is_up(unit):
            self._set_up(unit, job.cause)
        changed = self.is_up(unit) != was_up
        # A reloaded unit runs on, but systemd still looks at it again.
        if changed or job.does is Does.RELOAD or self.graph.version >= _QUEUES_SINCE:
            self._look_again_at([unit])
        if changed:  # a socket hears of its service (unit_trigger_notify())
            self._look_again_at(self.graph.among(unit).related("TriggeredBy"))

    def is_refused(self, unit: str) -> bool:
        """Does its start, or check, fail at once? A check (Requisite=) fails if the unit is down.

        A socket does not start while its service is up. A unit with BindsTo= and After= of another one does not start
        while that one is down (unit_verify_deps()).
        """
        does = self._queued[unit].does
        if does in (Does.STOP, Does.RESTART) or self.is_up(unit):
            return False
        node = self.graph.node(unit) if does is Does.START else None
        if node is None:
            return True
        lacking = set(node.related(BINDING)).intersection(node.related("After"))
        is_lacking = any(not self.is_up(other) for other in lacking)
        return is_lacking or in_the_way(unit, node.related("Triggers"), self.is_up) != ""

    def _fail_with(self, unit: str) -> None:
        """Its start fails, and so do the queued starts of units that need it (job_fail_dependencies()).

        Units bound to it that have already begun to start are looked at again.
        """
        self._bound.update(dict.fromkeys(self.graph.node(unit).related("BoundBy")))
        ahead = [unit]
        while ahead:
            current = ahead.pop()
            for other in self.graph.node(current).related(*NEEDED_BY):
                if other in self._queued and self._queued[other].does in (Does.START, Does.VERIFY):
                    del self._queued[other]
                    self._look_again_at([other])
                    ahead.append(other)

    def _down(self, unit: str, cause: Because) -> None:
        self._note(unit, cause)
        self.ends[unit] = cause
        self.units_up.set(unit, False)
        node = self.graph.node(unit)
        self._unneeded.update(dict.fromkeys(node.related(*USES)))
        self._bound.update(dict.fromkeys(node.related("BoundBy")))

    def _set_up(self, unit: str, cause: Because) -> None:
        self._note(unit, cause)
        self.units_up.set(unit, True)
        self._upheld.update(dict.fromkeys(self.graph.node(unit).related("Upholds")))

    def _note(self, unit: str, cause: Because) -> None:
        self.causes.setdefault(unit, cause)

    def _look_again_at(self, units: Sequence[str]) -> None:
        for queue in (self._upheld, self._bound, self._unneeded):
            queue.update(dict.fromkeys(units))

    def _react(self) -> bool:
        """Let systemd start and stop units by itself, as it does before the next job. Returns whether it did any."""
        tries = sum(self._by_itself.values())
        while self._upheld or self._bound or self._unneeded:
            if self._upheld:
                self._start_if_upheld(_first(self._upheld))
            elif self._bound:
                self._stop_if_bound(_first(self._bound))
            else:
                self._stop_if_unneeded(_first(self._unneeded))
        return sum(self._by_itself.values()) > tries

    def _start_if_upheld(self, unit: str) -> None:
        """It is down, and something that is up has it in Upholds= (unit_is_upheld_by_active())."""
        if self.is_up(unit) or unit in self._queued:
            return
        others = [other for other in self.graph.node(unit).related("UpheldBy") if other not in self._queued]
        by = next(filter(self.is_up, others), None)
        if by is not None:
            self._by_themselves(Does.START, unit, Because(by, "Upholds"), gently=True)

    def _stop_if_bound(self, unit: str) -> None:
        """It is up, and what it is bound to by BindsTo= is down (unit_is_bound_by_inactive())."""
        if not self.is_up(unit) or unit in self._queued:
            return
        others = [other for other in self.graph.node(unit).related(BINDING) if other not in self._queued]
        to = next((other for other in others if not self.is_up(other)), None)
        if to is not None:
            self._by_themselves(Does.STOP, unit, Because(to, BINDING), gently=False)

    def _stop_if_unneeded(self, unit: str) -> None:
        """It has StopWhenUnneeded=, is up, and nothing that is up needs it (unit_is_unneeded())."""
        node = self.graph.node(unit)
        if "StopWhenUnneeded" not in node.settings or not self.is_up(unit) or unit in self._queued:
            return
        if not any(other in self._queued or self.is_up(other) for other in node.related(*USED_BY)):
            self._by_themselves(Does.STOP, unit, Because("", "StopWhenUnneeded"), gently=True)

    def _by_themselves(self, does: Does, unit: str, cause: Because, gently: bool) -> None:
        self._by_itself[unit] = self._by_itself.get(unit, 0) + 1
        if self._by_itself[unit] <= _MOST_BY_ITSELF:
            jobs = self._transaction(does, [unit], gently) or {}
            self._install({**jobs, unit: Job(does, cause)} if jobs else {})


def _first(queue: Dict[str, None]) -> str:
    unit = next(iter(queue))
    del queue[unit]
    return unit

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""In which order systemd is given jobs, so that nothing that happens between two of them does harm.

Private to the collection.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .._host.graph import Graph
from .._syntax.activation import starts
from .._syntax.dependencies import named
from .._syntax.kinds import Cause, kind_of
from .._syntax.loadpath import LoadPath
from . import sockets
from .fates import Call
from .runs import Runs, all_earlier, runs

_CALLED = ("reload", "restart", "start", "run")


def calls(jobs: Mapping[str, Sequence[str]], loadpath: LoadPath, graph: Optional[Graph] = None) -> Tuple[Call, ...]:
    """What is called for once the manager has read the new files.

    What runs for a change comes before what is After= it, and after what it comes after itself.
    """
    earlier = _earlier([unit for verb in _CALLED for unit in jobs[verb]], loadpath) if jobs["run"] else {}
    when = runs(jobs, earlier, graph) if graph and jobs["run"] else Runs()
    left = {verb: [unit for unit in jobs[verb] if unit not in when.pulled] for verb in _CALLED}
    found: List[Call] = []
    for run in when.early:
        before = all_earlier(run, earlier)
        due = {verb: [unit for unit in units if unit in before] for verb, units in left.items()}
        left = {verb: [unit for unit in units if unit not in (*before, run)] for verb, units in left.items()}
        found += [*_stage(due, loadpath, when.alone), Call("run", (run,), run in when.alone)]
    return (*found, *_stage(left, loadpath, when.alone))


def _stage(jobs: Mapping[str, Sequence[str]], loadpath: LoadPath, alone: FrozenSet[str]) -> Tuple[Call, ...]:
    """Sockets come first. A unit that is both started and reloaded is started first, else it would reload twice."""
    starting = jobs["start"]
    opening = sockets.first(starting, {*jobs["restart"]}, _earlier(starting, loadpath), loadpath)
    pulling = [unit for unit in starting if unit in jobs["reload"] and unit not in opening]
    others = [unit for unit in starting if unit not in (*opening, *pulling)]
    found = (
        Call("start", tuple(opening)),
        Call("start", tuple(pulling)),
        Call("reload", tuple(jobs["reload"])),
        Call("restart", tuple(unit for unit in jobs["restart"] if unit not in alone)),
        Call("restart", tuple(unit for unit in jobs["restart"] if unit in alone), alone=True),
        Call("start", tuple(unit for unit in others if unit not in alone)),
        Call("start", tuple(unit for unit in others if unit in alone), alone=True),
        Call("run", tuple(unit for unit in jobs["run"] if unit not in alone)),
        Call("run", tuple(unit for unit in jobs["run"] if unit in alone), alone=True),
    )
    return tuple(call for call in found if call.units)


def ordered(verb: str, units: Iterable[str], loadpath: LoadPath) -> Tuple[str, ...]:
    """Dependencies come first for a start, else last. What would start a unit again, as a socket, stops first."""
    ranked = in_order(list(dict.fromkeys(units)), loadpath)
    if verb in ("start", "run", "reload"):
        return tuple(ranked)
    ranked.reverse()
    return tuple(sorted(ranked, key=lambda unit: verb == "stop" and not kind_of(unit).is_starter))


def in_order(units: Sequence[str], loadpath: LoadPath) -> List[str]:
    """Units sorted so that each comes after those it is ordered After=. Stable, cycles cut.

    A socket comes before the service that it starts, which has to be down then; a path, which may start it, after.
    """
    if len(units) < 2:
        return list(units)
    after = _earlier(units, loadpath)
    result: List[str] = []
    state: Dict[str, int] = {}

    def visit(unit: str) -> None:
        pending = [(unit, iter(sorted(after[unit])))]
        state[unit] = 1
        while pending:
            current, others = pending[-1]
            other = next((each for each in others if each not in state), None)
            if other is None:
                pending.pop()
                result.append(current)
            else:
                state[other] = 1
                pending.append((other, iter(sorted(after[other]))))

    for unit in units:
        if unit not in state:
            visit(unit)
    return result


def _earlier(units: Sequence[str], loadpath: LoadPath) -> Dict[str, Set[str]]:
    """For each of these units those of them that it comes after."""
    members = set(units)
    after: Dict[str, Set[str]] = {unit: set() for unit in units}
    for unit in units:
        after[unit].update(members.intersection(named(unit, "After", loadpath)) - {unit})
        for later in members.intersection(named(unit, "Before", loadpath)) - {unit}:
            after[later].add(unit)
        services = members.intersection(sockets.services([unit], loadpath))
        for service in services:
            after[service].add(unit)
        if not services and kind_of(unit).starts.cause is Cause.EVENT and starts(unit, loadpath) in members:
            after[unit].add(starts(unit, loadpath))
    return after

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""When a oneshot runs that is to run for a change: before what is ordered after it, and once. Pure.

A start of what wants or requires it would run it as well. Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from .._host.graph import Graph
from .._syntax.directives import GAINS_START
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import words
from .._syntax.relations import Does
from .consequences import handed_on

Jobs = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Runs:
    """Oneshots by the time of their run, the rest of them comes last.

    early: before all that is ordered after them. pulled: the start of another unit runs them. alone: units whose job is
    queued without what they require, which is up but for such a oneshot, and would run that again.
    """

    early: Tuple[str, ...] = ()
    pulled: FrozenSet[str] = frozenset()
    alone: FrozenSet[str] = frozenset()


def runs(jobs: Jobs, earlier: Mapping[str, Set[str]], loadpath: LoadPath, graph: Optional[Graph]) -> Runs:
    """earlier: for each unit with a job those that it comes after."""
    early: List[str] = []
    pulled: Set[str] = set()
    alone: Set[str] = set()
    others = [unit for verb in ("reload", "restart", "start") for unit in jobs[verb]]
    for run in jobs["run"]:
        pullers = [unit for unit in others if run in _pulls(unit, loadpath)]
        concerned = {*pullers, *(unit for unit in others if run in all_earlier(unit, earlier))}
        if not concerned:
            continue
        at_rest = graph is not None and not graph.states[run].is_up
        if pullers and at_rest and concerned.issubset(jobs["start"]):
            pulled.add(run)
            continue
        early.append(run)
        alone.update(unit for unit in pullers if graph is not None and _can_be_alone(unit, jobs, graph))
    return Runs(tuple(early), frozenset(pulled), frozenset(alone))


def all_earlier(unit: str, earlier: Mapping[str, Set[str]]) -> Set[str]:
    """All that a unit comes after, to the end."""
    found: Set[str] = set()
    ahead = [unit]
    while ahead:
        more = earlier.get(ahead.pop(), set()) - found
        found |= more
        ahead += sorted(more)
    return found - {unit}


def _pulls(unit: str, loadpath: LoadPath) -> Iterator[str]:
    text = loadpath.effective(unit)
    return (other for directive in sorted(GAINS_START) for other in words(text, "Unit", directive))


def _can_be_alone(unit: str, jobs: Jobs, graph: Graph) -> bool:
    """Would a job of it do no more than that to other units, but to run what this run does anyway?"""
    if unit not in graph.nodes:
        return False
    reached = handed_on(Does.RESTART if unit in jobs["restart"] else Does.START, unit, graph)
    return reached is not None and reached.issubset(each for units in jobs.values() for each in units)

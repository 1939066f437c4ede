# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""When a oneshot runs that is to run for a change: before what is ordered after it, and once. Pure.

A start of what wants or requires it, be that another such oneshot, would run it as well. Private to the collection.
"""

from __future__ import annotations

from typing import FrozenSet, Mapping, NamedTuple, Sequence, Set, Tuple

from .._host.graph import Graph
from .._syntax.relations import Does
from .consequences import handed_on

Jobs = Mapping[str, Sequence[str]]
Earlier = Mapping[str, Set[str]]


class Runs(NamedTuple):
    """Oneshots by the time of their run, the rest of them comes last.

    early: before all that is ordered after them. pulled: the start of another unit runs them. alone: units whose job is
    queued without jobs for what they require: all of that is up but for such a oneshot, which would run again.
    """

    early: Tuple[str, ...] = ()
    pulled: FrozenSet[str] = frozenset()
    alone: FrozenSet[str] = frozenset()


def runs(jobs: Jobs, earlier: Earlier, graph: Graph) -> Runs:
    """earlier: for each unit with a job those that it comes after. graph: how units are related by then."""
    early: Set[str] = set()
    pulled: Set[str] = set()
    down = (*jobs["stop"], *jobs["run"])
    reached = {
        unit: handed_on(Does.START, unit, graph, down) for unit in (*jobs["reload"], *jobs["start"], *jobs["run"])
    }
    reached.update({unit: handed_on(Does.RESTART, unit, graph, down) for unit in jobs["restart"]})
    for run in reversed(jobs["run"]):
        pullers = {unit for unit, others in reached.items() if run in others}
        concerned = pullers.union(unit for unit in reached if run in all_earlier(unit, earlier))
        if pullers and not graph.states[run].is_up and concerned.issubset((*jobs["start"], *pulled)):
            pulled.add(run)
        elif concerned:
            early.add(run)
    # A restart goes alone only if it would do nothing to other units; starts may reach what is in the same call.
    alone = _alone(jobs["restart"], early, (), reached, earlier)
    alone |= _alone(jobs["start"], early, (*jobs["restart"], *jobs["start"]), reached, earlier)
    alone |= {run for run in jobs["run"] if _is_alone(run, early, jobs["start"], reached, earlier)}
    return Runs(tuple(run for run in jobs["run"] if run in early), frozenset(pulled), frozenset(alone))


def _is_alone(
    run: str, early: Set[str], starts: Sequence[str], reached: Mapping[str, Set[str]], earlier: Earlier
) -> bool:
    """Would it run others again, and has all else that its job would start been started before it?"""
    before = all_earlier(run, earlier)
    up_by_then = {*early, *(unit for unit in starts if unit in before)}
    return not reached[run].isdisjoint(early) and reached[run].issubset(up_by_then)


def all_earlier(unit: str, earlier: Earlier) -> Set[str]:
    """All that a unit comes after, to the end."""
    found: Set[str] = set()
    ahead = [unit]
    while ahead:
        more = earlier.get(ahead.pop(), set()) - found
        found |= more
        ahead += sorted(more)
    return found - {unit}


def _alone(
    units: Sequence[str],
    early: Set[str],
    others: Sequence[str],
    reached: Mapping[str, Set[str]],
    earlier: Earlier,
) -> Set[str]:
    """Those of these units that would run such a oneshot again, and whose job reaches no more units than these others.

    They have a call of their own, after that of the rest. A unit that is ordered after one of them goes into that call
    too, if its job reaches no more units either. If it does reach more, both stay with the rest: systemd keeps an order
    only within one call.
    """
    able = {unit for unit in units if reached[unit].issubset((*early, *others))}
    pulling = {unit for unit in able if not reached[unit].isdisjoint(early)}
    found = pulling.union(unit for unit in able if not pulling.isdisjoint(all_earlier(unit, earlier)))
    rest = [unit for unit in units if unit not in found]
    return found.difference(*(all_earlier(unit, earlier) for unit in rest))

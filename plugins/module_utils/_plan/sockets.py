# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What follows from the one rule about sockets (_syntax/activation.py, in_the_way).

A socket starts only while its service is down (it fails otherwise, and stays down: tried on 247 to 262), and a
connection to another socket of that service, which still listens, would start it (systemd.socket(5)). So a service
goes down in one call with all its sockets, these start before anything that may start it, and until then a service that
is down stays down.

Private to the collection.
"""

from __future__ import annotations

from typing import AbstractSet, Dict, FrozenSet, Iterable, List, Mapping, Sequence, Set

from .._host.graph import Graph
from .._host.manager import States
from .._host.observed import Observed
from .._syntax import activation
from .._syntax.activation import served, starts
from .._syntax.dependencies import held_up_by
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .consequences import starters, stopped_with
from .differences import Differences
from .policy import Act
from .runtime_folders import losing


def services(units: Iterable[str], loadpath: LoadPath) -> FrozenSet[str]:
    """The services of the sockets among these units: they have to be down while those start."""
    return frozenset(filter(None, (served(unit, loadpath) for unit in units)))


def in_the_way(unit: str, after: LoadPath, states: States) -> str:
    """The service that runs, and that keeps a socket from starting; "" if there is none."""
    service = served(unit, after)
    return activation.in_the_way(unit, [service] if service else (), lambda each: states[each].is_up)


def with_service(acts: Sequence[Act], after: LoadPath, states: States) -> List[Act]:
    """What is to be done to one unit, with what that asks of its service if it is a socket."""
    found: List[Act] = []
    for act in acts:
        service = served(act.unit, after)
        if service and act.verb == "cycle":
            found += [act, Act("cycle", service, act.reason)]
        elif service and act.verb == "start" and not states[act.unit].is_up:
            found += [Act("cycle", service, f"{act.unit} cannot start listening while it runs"), act]
        else:
            found.append(act)
    return found


def with_lost(acts: Sequence[Act], after: LoadPath, observed: Observed) -> List[Act]:
    """The same for a service whose restart takes away the file on which a socket of it listens."""
    found: List[Act] = []
    for act in acts:
        socket = losing(act.unit, after, observed.states) if act.verb == "restart" else None
        why = f"{act.reason}; {socket} starts anew with it, since its file is in the folder that goes meanwhile"
        found.append(Act("cycle", act.unit, why) if socket else act)
    return found


def down_together(units: Sequence[str], graph: Graph) -> Dict[str, str]:
    """Those of these units that run, and all that has to go down and up again with these, each with the reason.

    The sockets of a service go down and up even if the service itself is down just now.
    """
    found = dict.fromkeys(units, "")
    ahead = list(units)
    while ahead:
        unit = ahead.pop()
        also = dict.fromkeys(starters(unit, graph), f"it would start {unit}, which goes down")
        if graph.states[unit].is_up:
            also.update(dict.fromkeys(stopped_with(unit, graph), f"goes down with {unit}"))
        more = {other: reason for other, reason in also.items() if graph.states[other].is_up and other not in found}
        found.update(more)
        ahead += more
    return {unit: reason for unit, reason in found.items() if graph.states[unit].is_up}


def to_stay_down(acts: Iterable[Act], differences: Differences, observed: Observed) -> FrozenSet[str]:
    """Services that are down and must stay so: a socket of theirs starts, or they leave with what starts them."""
    going = {case.unit for case in differences.cases if case.leaves}
    leaving = [act.unit for act in acts if act.verb == "stop"]
    found = going.intersection(starts(unit, observed.loadpath) for unit in leaving)
    found.update(act.unit for act in acts if act.verb == "cycle")
    return frozenset(unit for unit in found if unit in observed.states and not observed.states[unit].is_up)


def first(
    units: Sequence[str], restarted: AbstractSet[str], earlier: Mapping[str, AbstractSet[str]], loadpath: LoadPath
) -> List[str]:
    """The sockets among units to be started, and those that a socket is to come after (earlier).

    Any other job may start the service of a socket, so these begin before it. A socket that a restart takes along, or
    that is ordered after that restart, cannot come first; then the other sockets of its service do not either.
    """
    serves = {unit: served(unit, loadpath) or unit for unit in units if kind_of(unit).starts.hands_over}
    late = {service for unit, service in serves.items() if not restarted.isdisjoint(held_up_by(unit, loadpath))}
    sockets = [unit for unit, service in serves.items() if service not in late]
    found: Set[str] = set()
    while sockets:
        found.add(sockets[-1])
        sockets += earlier[sockets.pop()] - found
    return [unit for unit in units if unit in found]

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a job of one unit does to others, and jobs queued with regard to that. Private to the collection."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import AbstractSet, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from .causes import Failure
from .expectations import Down
from .manager import Manager, Outcome, named, names
from .watch import watch

# systemd.unit(5): who goes down, or is restarted, with a unit.
_BINDING = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf")
# Only a stop, from systemd 249 on.
_STOPPED_WITH = "PropagatesStopTo"
TRIGGERED_BY = "TriggeredBy"
UPHELD_BY = "UpheldBy"
_ATTEMPTS = 3
_PAUSE = 0.4
# systemd hands a restart, or a stop, on only to what is in one of these states (tried on 247 to 262).
_RESTARTED = ("active", "reloading", "refreshing")
_STOPPED = (*_RESTARTED, "activating", "deactivating")


def with_company(manager: Manager, units: Iterable[str], properties: Sequence[str]) -> Dict[str, Dict[str, str]]:
    """Properties of units, of all that a stop of them takes along, and of what that takes along."""
    found: Dict[str, Dict[str, str]] = {}
    asked = set(units)
    while asked:
        found.update(manager.show(sorted(asked), ("ActiveState", *_BINDING, _STOPPED_WITH, *properties)))
        asked = {other for unit in asked for other in named(found[unit], (*_BINDING, _STOPPED_WITH))} - set(found)
    return found


def bound(shown: Mapping[str, Mapping[str, str]], units: Iterable[str]) -> Dict[str, Tuple[str, ...]]:
    """What a restart of each unit takes along, to the end."""
    return _reached(units, shown, _BINDING, _RESTARTED)


def stopped_with(shown: Mapping[str, Mapping[str, str]], units: Iterable[str]) -> Dict[str, Tuple[str, ...]]:
    """What a stop of each unit takes along, to the end."""
    return _reached(units, shown, (*_BINDING, _STOPPED_WITH), _STOPPED)


def starters(shown: Mapping[str, Mapping[str, str]]) -> Dict[str, Tuple[str, ...]]:
    """What may start each unit at any moment: its sockets and paths; a timer has its time."""
    return {
        unit: tuple(other for other in names(each, TRIGGERED_BY) if other.endswith((".socket", ".path")))
        for unit, each in shown.items()
    }


def free_to_stop(manager: Manager, units: AbstractSet[str]) -> List[str]:
    """Those of these that are up, and with which nothing else would go down."""
    shown = with_company(manager, units, ())
    along = stopped_with(shown, units)
    return [unit for unit in units if shown[unit].get("ActiveState") in _STOPPED and not along[unit]]


def take_down(manager: Manager, units: Sequence[str], timeout: float) -> Tuple[Outcome, List[Failure]]:
    """Stop units, in the order given, and wait; once more if something has started one again meanwhile.

    A connection to a socket that is still open may start its service, and what that requires.
    """
    for _attempt in range(_ATTEMPTS):
        done = manager.queue("stop", units)
        if done.code != 0:  # there is nothing to wait for
            return done, []
        failures = watch(manager, {unit: Down(timeout) for unit in units}, to_the_end=True)
        states = manager.list_units() if failures else {}
        if not any(states[failure.unit].active == "active" for failure in failures if failure.unit in states):
            break
    return done, [_named_restarters(manager, failure) for failure in failures]


def _named_restarters(manager: Manager, failure: Failure) -> Failure:
    others = restarters(manager, [failure.unit])[failure.unit]
    return replace(failure, message=f"{failure.message}; {', '.join(others)} would") if others else failure


def restarters(manager: Manager, units: Iterable[str], *properties: str) -> Dict[str, List[str]]:
    """What of all that is up would start each unit again: what upholds it (at once), its sockets, paths and timers."""
    asked = properties or (UPHELD_BY, TRIGGERED_BY)
    shown = manager.show(sorted(units), ("ActiveState", *asked))  # 247 knows no UpheldBy=, and would say nothing
    states = manager.show(sorted({other for each in shown.values() for other in named(each, asked)}), ["ActiveState"])
    up = {other for other, each in states.items() if each.get("ActiveState") in _RESTARTED}
    return {unit: sorted(named(each, asked) & up) for unit, each in shown.items()}


def queue_without_gaps(manager: Manager, verb: str, units: Sequence[str]) -> Outcome:
    """Queue jobs in the order given, so that nothing that happens between two of them does harm.

    Several names in one systemctl call are jobs of their own, not one transaction.
    """
    if verb == "restart" and len(units) > 1:
        units = _not_taken_along(manager, units)
    sockets = [unit for unit in units if unit.endswith(".socket") and verb == "start"]
    if sockets and len(units) > 1:
        # A connection to the first socket would start its service, and no other socket of that starts then.
        together = manager.start_together(units)
        if together.code != 0:
            return together
    done = manager.queue(verb, units)
    if sockets:
        _insist(manager, sockets)
    return done


def _insist(manager: Manager, sockets: Sequence[str]) -> None:
    """On a busy machine an address that has just been closed may be in use for a moment (listen(2), EADDRINUSE)."""
    for _attempt in range(_ATTEMPTS - 1):
        shown = manager.show(sockets, ["Result"])
        held = [unit for unit in sockets if shown[unit].get("Result") == "resources"]
        if not held:
            break
        time.sleep(_PAUSE)
        manager.queue("start", held)


def _not_taken_along(manager: Manager, units: Sequence[str]) -> List[str]:
    """Those that no restart of another of them restarts as well, in the same transaction.

    With a job of its own, what comes up again before that on which it depends is queued would go down once more.
    """
    along = bound(with_company(manager, units, ()), units)
    heads: List[str] = []
    taken: Set[str] = set()
    for unit in sorted(units, key=lambda unit: -len(along[unit])):
        if unit not in taken:
            heads.append(unit)
            taken.update(along[unit])
    return [unit for unit in units if unit in heads]


def _reached(
    units: Iterable[str], shown: Mapping[str, Mapping[str, str]], properties: Sequence[str], states: Sequence[str]
) -> Dict[str, Tuple[str, ...]]:
    """For each unit what is named by these properties in one of these states, and what that names."""
    there = {unit for unit, each in shown.items() if each.get("ActiveState") in states}
    direct = {unit: named(each, properties) & there for unit, each in shown.items()}
    reached: Dict[str, Tuple[str, ...]] = {}
    for unit in units:
        found: Set[str] = set()
        ahead = direct[unit]
        while ahead:
            found |= ahead
            ahead = {other for each in ahead for other in direct[each]} - found
        reached[unit] = tuple(sorted(found - {unit}))
    return reached

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Waiting until units are what is expected of them. Private to the collection."""

from __future__ import annotations

import time
from typing import List, Mapping, Sequence

from .causes import Failure, failure
from .expectations import Expectation, NotYet, Wrong
from .looks import MOVING, PROPERTIES, Look
from .manager import Manager

_INTERVAL = 0.1
# A stop may take the whole of TimeoutStopSec= (90 s unless set) before systemd kills.
STOP_TIMEOUT = 120.0


def watch(manager: Manager, expected: Mapping[str, Expectation], to_the_end: bool = False) -> List[Failure]:
    """Wait until every unit is what is expected of it; one deadline a unit, all waited for together.

    to_the_end: go on though one has failed. Else it ends then, so that nothing wrong runs longer than it has to.
    """
    failures: List[Failure] = []
    waiting = dict(expected)
    ending = False
    while waiting and not ending:
        # A unit that was looked at just before the one that failed may have failed with it: hence one more look.
        ending = bool(failures) and not to_the_end
        at = time.monotonic()  # checks from outside take their time, and what was seen before them grows old
        shown = manager.show(sorted(waiting), PROPERTIES)
        moving = {unit for unit, each in shown.items() if each.get("ActiveState") in MOVING}
        for unit, expectation in list(waiting.items()):
            look = Look(unit, shown[unit], at, others_move=not moving <= {unit})
            verdict = expectation.verdict(look, manager)
            if isinstance(verdict, NotYet):
                continue
            if isinstance(verdict, Wrong):
                failures.append(failure(unit, verdict.message, look.shown, verdict.invocation))
            del waiting[unit]
        if waiting and (to_the_end or not failures):
            time.sleep(_INTERVAL)
    return failures


def wait_for_rest(
    manager: Manager, units: Sequence[str], timeout: float = STOP_TIMEOUT, starts: bool = False
) -> List[str]:
    """Wait until no job is taking these units down or reloading them; what is being started may go on.

    starts: wait for that, too: for a oneshot until its work is done. Returns those that took too long.
    """
    deadline = time.monotonic() + timeout
    busy = list(units)
    while busy:
        shown = manager.show(sorted(units), ("ActiveState", "Job"))
        busy = [unit for unit, each in shown.items() if _is_busy(Look(unit, each, time.monotonic()), starts)]
        if time.monotonic() > deadline:
            break
        if busy:
            time.sleep(_INTERVAL)
    return busy


def _is_busy(look: Look, starts: bool) -> bool:
    states = ("deactivating", "reloading", "refreshing", *(("activating",) if starts else ()))
    return look.active in states or (look.active == "active" and look.queued)

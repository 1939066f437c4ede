# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Jobs queued so that nothing that happens between two of them does harm, and stops that are waited for.

Private to the collection.
"""

from __future__ import annotations

import time
from typing import List, Sequence, Tuple

from .._syntax.activation import begin_together
from .._syntax.kinds import kind_of
from .causes import STAYS_UP, Failure
from .expectations import Down
from .manager import Manager, Outcome
from .watch import STOP_TIMEOUT, watch

_ATTEMPTS = 3
_DOWN = ("inactive", "failed")
_PAUSE = 0.4


def take_down(manager: Manager, units: Sequence[str]) -> Tuple[Outcome, List[Failure]]:
    """Stop units, in the order given, and wait; once more if something has started one again meanwhile.

    A connection to a socket that is still open may start its service, and what that requires.
    """
    for _attempt in range(_ATTEMPTS):
        done = manager.queue("stop", units)
        if done.code != 0:  # there is nothing to wait for
            return done, []
        failures = watch(manager, {unit: Down(STOP_TIMEOUT) for unit in units}, to_the_end=True)
        if not failures:
            return done, []
        states = manager.list_units()
        # What came up again may have ended by itself since; only a stop that takes too long gains nothing by another.
        if not any(states[failure.unit].active in ("active", *_DOWN) for failure in failures):
            break
    return done, [failure._replace(rule=STAYS_UP) for failure in failures]


def queue(manager: Manager, verb: str, units: Sequence[str]) -> Outcome:
    """Queue jobs in the order given. Until 262 several names in one call of systemctl are several transactions."""
    sockets = [unit for unit in units if kind_of(unit).starts.hands_over and verb == "start"]
    if begin_together(verb, units):
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

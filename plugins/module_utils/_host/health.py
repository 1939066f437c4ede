# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The `health` option: how a unit has to prove itself. Private to the collection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Dict, NamedTuple, Sequence, Tuple

if TYPE_CHECKING:
    from .manager import Manager
    from .probe import Check

# What one attempt of a check may take, if its unit has that much time left; one that begins at the end has the least.
ATTEMPT = 10.0
_LEAST = 0.5

# The options of checks from outside, as an argument spec has them; probe.py has a class for each.
CHECK_OPTIONS: Dict[str, Dict[str, str]] = {
    "tcp": {"type": "str"},
    "unix": {"type": "path"},
    "http": {"type": "str"},
    "command": {"type": "list", "elements": "str"},
}


class Place(NamedTuple):
    """Where a check connects to: a port of a host, or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"


class Health(NamedTuple):
    """How a unit proves itself: seconds it must stay up, seconds it may take, and checks from outside.

    patient: nobody has said how long it may take, so that the time which systemd gives its start is its own to take.
    """

    stable_for: float = 5.0
    timeout: float = 60.0
    checks: Tuple[Check, ...] = ()
    patient: bool = False


def first_complaint(manager: Manager, checks: Sequence[Check], left: float = ATTEMPT) -> str:
    """What the checks complain of right now, "" if all of them pass. left: seconds that their unit has left."""
    end = time.monotonic() + left
    found = (check.complaint(manager, _time_until(end)) for check in checks)
    return next(filter(None, found), "")


def _time_until(end: float) -> float:
    return round(min(ATTEMPT, max(_LEAST, end - time.monotonic())), 1)

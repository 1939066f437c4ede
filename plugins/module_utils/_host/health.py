# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The `health` option: how a unit has to prove itself. Private to the collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, NamedTuple, Tuple

if TYPE_CHECKING:
    from .probe import Check

# The options of checks from outside, as an argument spec has them; probe.py has a class for each.
CHECK_OPTIONS: Dict[str, Dict[str, str]] = {
    "tcp": {"type": "str"},
    "unix": {"type": "path"},
    "http": {"type": "str"},
    "command": {"type": "list", "elements": "str"},
}


class Health(NamedTuple):
    """How a unit proves itself: seconds it must stay up, seconds it may take, and checks from outside.

    patient: nobody has said how long it may take, so that the time which systemd gives its start is its own to take.
    """

    stable_for: float = 5.0
    timeout: float = 60.0
    checks: Tuple[Check, ...] = ()
    patient: bool = False

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What searches and drills that were cut off have left, taken back by whoever holds the lock next.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import List, NamedTuple

from .._host.files import Writer
from .._host.manager import Manager


class TakenBack(NamedTuple):
    """A unit that something was left of, and what is to be told of it. up: units that were to be up again."""

    unit: str
    told: str
    up: List[str]


def recover(manager: Manager) -> List[TakenBack]:
    """Take all of it back. Only for a run that holds the lock and may change the host."""
    if not manager.live or not os.path.isdir(manager.places.under_way):
        return []
    from . import standing, trials  # noqa: PLC0415 (only where one of them may have left something)

    writer = Writer()
    found = [TakenBack(trial.unit, _SEARCHED, [trial.unit, *trial.others]) for trial in trials.recover(manager, writer)]
    for drilled in standing.recover(manager.places, manager, writer):
        found.append(TakenBack(drilled.unit, _DRILLED, list(drilled.up)))
    return found


_SEARCHED = "what a search that was cut off had left was taken away, and it was restarted"
_DRILLED = "what a drill that was cut off had left was taken back"

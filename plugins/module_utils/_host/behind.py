# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is behind a unit that hands over what it has opened, such as the service of a socket.

systemd takes a connection before the service is there, so that a check which only connects passes whatever becomes of
it. Imported only where such a unit has a check. Private to the collection.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Dict, NamedTuple, Optional

from .graph import started_by
from .looks import PROPERTIES, Look, failed
from .manager import Manager

_CHANGED = "StateChangeTimestampMonotonic"


class Fall(NamedTuple):
    """What has failed; for_good: nothing but another check would start it again."""

    message: str
    for_good: bool


@dataclass
class Behind:
    """What one unit starts, and how often systemd had restarted that by itself when it was looked at last.

    since: from when on a failure is one of what a check has woken.
    """

    unit: str
    since: float
    _restarts: Dict[str, int] = field(default_factory=dict)

    def fall(self, manager: Manager) -> Optional[Fall]:
        """What of it has failed since, None if nothing has: what is at rest has ended well, or was not woken."""
        started = started_by(manager, self.unit)
        shown = manager.show(started, (*PROPERTIES, _CHANGED)) if started else {}
        falls = [self._of(Look(unit, each, time.monotonic())) for unit, each in shown.items()]
        return next((each for each in falls if each is not None), None)

    def _of(self, look: Look) -> Optional[Fall]:
        restarts = int(look.run.restarts or 0)
        before = self._restarts.get(look.unit, restarts)
        self._restarts[look.unit] = restarts
        changed = int(look.shown.get(_CHANGED) or 0) / 1_000_000
        why = failed(look, reloaded=False) if changed >= self.since else ""
        if not why and restarts > before:
            why = "ended and was restarted by itself"
        return Fall(f"{look.unit}, which it starts, {why}", look.active == "failed") if why else None

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Falls of a unit from which systemd brings it up by itself (Restart=): which of them do not count yet.

Private to the collection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import List, NamedTuple, Optional

from .looks import Look, Run

# Seconds from its first fall on within which none but the first can be the last: RestartSec= may be a moment.
_LEAST = 5.0


class Allowance(NamedTuple):
    """How often a unit may fall that systemd starts again by itself, and come up all the same.

    most: with that fall it has failed. waits: may what it needs not have been up yet? Then that its process was there
    says nothing, where its Type= does not tell when it is up. until_up: only before it has come up.
    """

    most: float = 1
    waits: bool = False
    until_up: bool = True


# What nothing has been done to; what ran, and is restarted alone; what did not run, or is started with what it comes
# after; what ran before, and shall run again.
NO_FALL = Allowance()
ALONE = Allowance(2)
FIRST = Allowance(3, waits=True)
BACK = Allowance(math.inf, until_up=False)


@dataclass
class Falls:
    """Those of a unit.

    allowed: how many it may have. since: the time of the monotonic clock from which on a run counts. runs: the IDs of
    those that have fallen. first, last: when the first and the last of them were seen.
    """

    allowed: Allowance
    since: float = 0.0
    runs: List[str] = field(default_factory=list, init=False)
    first: float = field(default=0.0, init=False)
    last: float = field(default=0.0, init=False)
    _seen: Optional[Run] = field(default=None, init=False)

    def has_fallen(self, look: Look) -> bool:
        """Has it fallen since the last look, or waits it still for its restart after that?"""
        if not look.run_since(self.since):
            return False
        before, self._seen = self._seen, look.run
        anew = before is not None and look.run.is_restart_of(before)
        fallen = look.run if look.waits_for_restart else before if anew else None
        if fallen is None or fallen.invocation in self.runs:
            return look.waits_for_restart
        self.runs.append(fallen.invocation)
        self.last = look.at
        self.first = self.first if len(self.runs) > 1 else look.at
        return True

    def excused(self, look: Look, came_up: bool, left: float) -> bool:
        """May it come up yet? came_up: it had before it fell. left: seconds that it has."""
        allowed = self.allowed
        if allowed.most <= 1 or (came_up and allowed.until_up):
            return False
        hopeless = len(self.runs) >= allowed.most and look.at - self.first >= _LEAST
        too_late = look.waits_for_restart and look.restart_sec - (look.at - self.last) > left
        return not (hopeless or too_late)

    def told(self, complaint: str) -> str:
        """A complaint of the last fall, with how many there were."""
        number = len(self.runs)
        return complaint if number < 2 else complaint.replace("ended and", f"ended {number} times and", 1)

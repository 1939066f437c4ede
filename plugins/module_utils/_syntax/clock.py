# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Changes of a zone's clock, and what they make differ between a job of cron and a timer with the same schedule.

Private to the collection.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Callable, Dict, Iterable, List, NamedTuple

from .cron import Schedule

_DAY = 24 * 60 * 60
# cron takes that and more for a correction of the clock, after which it runs only what is due now (cron.c).
_LARGEST = timedelta(hours=3)
_TIMES_SHOWN = 3


class Change(NamedTuple):
    """What the clock shows when it is changed, and what it is set to."""

    before: datetime
    after: datetime

    @property
    def forward(self) -> bool:
        return self.after > self.before


def changes(offset: Callable[[int], int], start: int, days: int) -> List[Change]:
    """The changes within so many days. start: in seconds of the epoch. offset: seconds east of UTC at such a time."""
    found = []
    for early in range(start, start + days * _DAY, _DAY):
        old, late = offset(early), early + _DAY
        if offset(late) == old:
            continue
        first = early
        while late - first > 1:
            middle = (first + late) // 2
            first, late = (middle, late) if offset(middle) == old else (first, middle)
        found.append(Change(_reading(late + old), _reading(late + offset(late))))
    return found


def _reading(seconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)


def differing(schedule: Schedule, change: Change) -> List[datetime]:
    """What the clock shows when cron alone runs the job at a change, and no timer with the schedule's calendars.

    Forward, cron makes up at once for what the change leaves out, unless the schedule is a wildcard; a timer does not.
    Back, cron runs a wildcard's job both times that the clock shows its time; any other, as a timer, the first time.
    """
    first, last = min(change), max(change)
    if schedule.reboot or schedule.wildcard is change.forward or last - first >= _LARGEST:
        return []
    minutes = (first + timedelta(minutes=number) for number in range((last - first) // timedelta(minutes=1)))
    return [reading for reading in minutes if schedule.is_due(reading)]


def unlike_cron(schedule: Schedule, changed: Iterable[Change]) -> str:
    """What these changes make differ, as one sentence; "" if nothing does."""
    times: Dict[str, List[str]] = {}
    for change in changed:
        for reading in differing(schedule, change):
            times.setdefault(f"{reading:%Y-%m-%d}", []).append(f"{reading:%H:%M}")
    if not times:
        return ""
    days = " and ".join(f"{_shortened(each)} on {day}" for day, each in times.items())
    if schedule.wildcard:
        return f"where the clock is put back, cron runs the job twice, and the timer only the first time: {days}"
    return f"where the clock is put forward, cron runs the job right after, and the timer leaves it out: {days}"


def _shortened(times: List[str]) -> str:
    more = len(times) - _TIMES_SHOWN
    return ", ".join(times[:_TIMES_SHOWN]) + (f" and {more} more" if more > 0 else "")

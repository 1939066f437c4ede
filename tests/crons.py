# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random schedules of cron, and the oracles that say when cron would run them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.cron import Schedule
from croniter import CroniterBadDateError, croniter

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()
NICKNAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
# Lowest, highest, names of the values from the lowest on.
FIELDS = ((0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, WEEKDAYS))
# Later than that a schedule is not followed.
END = datetime(2050, 1, 1)


def expressions(seed: int, count: int) -> list[str]:
    """Of every form that all crons take alike."""
    random = Random(seed)
    return [expression(random) for _number in range(count)]


def nightly(seed: int, count: int) -> list[str]:
    """Due in the hours in which clocks change, on most days."""
    hours, days = ("*", "*/2", "*/3", "0-5,21-23", "23,0,1", "2", "1-3"), ("*", "0,6")
    random = Random(seed)
    return [
        f"{_field(random, *FIELDS[0])} {random.choice(hours)} * * {random.choice(days)}" for _number in range(count)
    ]


def expression(random: Random) -> str:
    if random.random() < 0.01:
        return random.choice(NICKNAMES)
    return " ".join(_field(random, *field) for field in FIELDS)


def _field(random: Random, low: int, high: int, names: list[str]) -> str:
    form = random.random()
    if form < 0.35:
        return "*"
    if form < 0.5:
        return f"*/{random.randint(1, high + 1)}"
    elements = [_element(random, low, high, names) for _number in range(random.choice((1, 1, 1, 2, 3, 5)))]
    return ("*/9," if random.random() < 0.03 else "") + ",".join(elements)


def _element(random: Random, low: int, high: int, names: list[str]) -> str:
    first = random.randint(low, high)
    if first in (high, 7) or random.random() < 0.5:
        return _word(random, first, low, names)
    # croniter takes a range of one value, as 5-5, for all values, and cron for that value.
    last = random.randint(first + 1, high)
    if (first, last) == (0, 7):
        return "0-7"
    step = f"/{random.randint(1, last - first)}" if random.random() < 0.3 else ""
    return f"{_word(random, first, low, names)}-{_word(random, last, low, names)}{step}"


def _word(random: Random, value: int, low: int, names: list[str]) -> str:
    if not names or random.random() < 0.7:
        return str(value)
    name = names[(value - low) % len(names)]
    return random.choice((name, name.upper(), name.capitalize()))


def by_croniter(text: str, base: datetime, count: int) -> list[datetime]:
    """The next times after base by a clock that is never changed, fewer if the rest comes after END."""
    times = croniter(text, base, ret_type=datetime, implement_cron_bug=True)
    found: list[datetime] = []
    try:
        while len(found) < count:
            found.append(times.get_next(datetime))
    except CroniterBadDateError:
        pass
    return [time for time in found if time < END]


def by_vixie(schedule: Schedule, zone: ZoneInfo, start: datetime, minutes: int) -> list[datetime]:
    """What the clock shows for each run of vixie cron and cronie, by the main loop of cron.c; start: in UTC."""

    def clock(minute: int) -> datetime:
        return (start.replace(tzinfo=UTC) + timedelta(minutes=minute)).astimezone(zone).replace(tzinfo=None)

    minute = timedelta(minutes=1)
    virtual, runs = clock(0), []

    def find(time: datetime, wild: bool, fixed: bool) -> None:
        if (wild if schedule.wildcard else fixed) and schedule.is_due(time):
            runs.append(time)

    for number in range(1, minutes + 1):
        now = clock(number)
        gone = (now - virtual) // minute
        if not -180 < gone <= 180:
            virtual = now
            find(now, wild=True, fixed=True)
        elif gone > 5:
            find(now, wild=True, fixed=False)
            while virtual < now:
                virtual += minute
                find(virtual, wild=False, fixed=True)
        elif gone <= 0:
            find(now, wild=True, fixed=False)
        while virtual < now and gone > 0:
            virtual += minute
            find(virtual, wild=True, fixed=True)
    return runs


def by_clock(schedule: Schedule, base: datetime) -> Iterator[datetime]:
    """The schedule's own times after base, by a clock that is never changed."""
    day = base.replace(hour=0, minute=0)
    while day < END:
        if schedule.is_due(day.replace(hour=schedule.hours[0], minute=schedule.minutes[0])):
            for hour in schedule.hours:
                for minute in schedule.minutes:
                    if day.replace(hour=hour, minute=minute) > base:
                        yield day.replace(hour=hour, minute=minute)
        day += timedelta(days=1)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Schedules of cron, as vixie cron and cronie read them, and the calendars of systemd that elapse at the same times.

Private to the collection.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from .rule import Refused, shown


class Schedule(NamedTuple):
    """When cron runs a job.

    minutes, hours, days, months, weekdays: the values of the five fields, the days of the week from Sunday, 0, to
    Saturday, 6. either: one of the two day fields is enough. wildcard: as the minute or the hour begins with "*", cron
    keeps to real time where the clock changes, and makes nothing up. reboot: at each boot, and at no other time.
    """

    minutes: Tuple[int, ...] = ()
    hours: Tuple[int, ...] = ()
    days: Tuple[int, ...] = ()
    months: Tuple[int, ...] = ()
    weekdays: Tuple[int, ...] = ()
    either: bool = False
    wildcard: bool = False
    reboot: bool = False

    def is_due(self, clock: datetime) -> bool:
        """Is the job due when the clock shows that?"""
        if clock.minute not in self.minutes or clock.hour not in self.hours or clock.month not in self.months:
            return False
        day, weekday = clock.day in self.days, clock.isoweekday() % 7 in self.weekdays
        return (day or weekday) if self.either else (day and weekday)


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: Tuple[str, ...] = ()

    def number(self, word: str) -> int:
        """names: of the values from `low` on."""
        if word.lower() in self.names:
            return self.low + self.names.index(word.lower())
        if not word.isdigit() or not self.low <= int(word) <= self.high:
            names = f", or {self.names[0]} to {self.names[-1]}" if self.names else ""
            raise Refused(f"{shown(word)} is no {self.name}: write {self.low} to {self.high}{names}")
        return int(word)


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, tuple("jan feb mar apr may jun jul aug sep oct nov dec".split()))
_WEEKDAY = _Field("day of the week", 0, 7, tuple("sun mon tue wed thu fri sat".split()))
_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)
_LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}

_REBOOT = "@reboot"
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ELEMENT = re.compile(r"(\*|[0-9]{1,9}|[A-Za-z]+)(?:-([0-9]{1,9}|[A-Za-z]+))?(?:/([0-9]{1,9}))?")
# What a person may have meant for a field, in cron's way or in that of another scheduler.
_SHAPE = re.compile(rf"(?:[0-9*,/~?#LWH()-]|(?:{'|'.join(_MONTH.names + _WEEKDAY.names)})[a-z]*)+", re.IGNORECASE)
# What other schedulers have in a field, and cron has not.
_FOREIGN = (
    (r".*\?.*", "is Quartz's, not cron's: write '*'"),
    (r".*#.*", "is Quartz's, not cron's: write a calendar, such as 'Mon *-*-08..14' for the second Monday of a month"),
    (
        r"\d*L?W|W\d+",
        "is Quartz's, not cron's, and no calendar has the nearest working day: let the job look at the date",
    ),
    (
        rf"(?:\d+|{'|'.join(_WEEKDAY.names)})?L(?:-\d+)?",
        "is Quartz's, not cron's: write a calendar, such as '*-*~01' for the last day of a month, 'Fri *-*~07/1' "
        "for the last Friday",
    ),
    (r"H\b.*", "is Jenkins's, not cron's: write a number, and RandomizedDelaySec= where hosts shall not run at once"),
    (r".*~.*", "lets cron pick a value by chance: write a number, and RandomizedDelaySec= with FixedRandomDelay=yes"),
)
_ZONE = re.compile(r"(?:CRON_)?TZ=(.*)")


def parse(text: str) -> Schedule:
    """Read a schedule of five fields, or a nickname. Raises Refused, with the mend, for what no cron would run."""
    line = text.strip()
    if line[:1] in ("'", '"'):
        raise Refused(f"the schedule itself holds quotes: write {' '.join(line.strip(line[0]).split())}")
    if line.startswith("@"):
        return _nickname(line)
    words = line.split()
    zone = _ZONE.fullmatch(words[0]) if words else None
    if zone:
        raise Refused(f"{shown(words[0])} is no part of a schedule: give {shown(zone.group(1))} as its time zone")
    if len(words) != len(_FIELDS):
        raise _miscounted(words)
    return _from_fields(words)


def _nickname(line: str) -> Schedule:
    if line == _REBOOT:
        return Schedule(reboot=True)
    if line in _NICKNAMES:
        return _from_fields(_NICKNAMES[line].split())
    known = [*_NICKNAMES, _REBOOT]
    word = line.split(maxsplit=1)[0].lower()
    if word.startswith("@every"):
        raise Refused(f"{shown(line)} is no schedule of cron: write '*/5 * * * *', or OnUnitActiveSec= for a time span")
    if word not in known:
        raise Refused(f"{shown(line)} is no schedule of cron: write five fields, or one of {', '.join(known)}")
    raise Refused(f"{shown(line)} is not written as cron has it: write {word} alone")


def _miscounted(words: Sequence[str]) -> Refused:
    count = len(_FIELDS)
    whole = shown(" ".join(words))
    if len(words) < count:
        fields = ", ".join(field.name for field in _FIELDS)
        return Refused(f"{whole} has {len(words)} of the five fields: write {fields}")
    if all(_SHAPE.fullmatch(word) for word in words):
        return Refused(
            f"{whole} has {len(words)} fields, and cron has five: leave out the seconds in front, or the year behind"
        )
    schedule, rest = " ".join(words[:count]), " ".join(words[count:])
    return Refused(f"{shown(rest)} is no part of the schedule: write {shown(schedule)} alone")


def _from_fields(words: Sequence[str]) -> Schedule:
    minutes, hours, days, months, weekdays = (_values(field, word) for field, word in zip(_FIELDS, words))
    starred = [word.startswith("*") for word in words]
    schedule = Schedule(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=tuple(sorted(days)),
        months=tuple(sorted(months)),
        weekdays=tuple(sorted({number % 7 for number in weekdays})),
        # By the first character alone, so "*/2" is such a field and "1-31" is none: crontab(5), the note on days.
        either=not starred[2] and not starred[4],
        wildcard=starred[0] or starred[1],
    )
    if not _has_days(schedule) and not schedule.either:
        raise Refused(f"{shown(' '.join(words))} never comes: no month that it names has day {schedule.days[0]}")
    return schedule


def _has_days(schedule: Schedule) -> bool:
    return any(schedule.days[0] <= _LONGEST.get(month, 31) for month in schedule.months)


def _values(field: _Field, word: str) -> Set[int]:
    """The numbers that one field names."""
    found: Set[int] = set()
    for element in word.split(","):
        parts = _ELEMENT.fullmatch(element)
        if parts is None or parts.group(1).lower() not in field.names:
            _refuse_foreign(element)
        if parts is None or (parts.group(1) == "*" and parts.group(2)):
            raise Refused(
                f"{shown(word)} is no {field.name} of cron: write numbers, ranges such as "
                f"{field.low}-{field.low + 4}, '*', a step such as '*/2', or a list of them with ',' and no space"
            )
        found.update(_range(field, element, *parts.groups()))
    return found


def _refuse_foreign(element: str) -> None:
    for pattern, mend in _FOREIGN:
        if re.fullmatch(pattern, element, re.IGNORECASE):
            raise Refused(f"{shown(element)} {mend}")


def _range(field: _Field, element: str, first: str, last: Optional[str], step: Optional[str]) -> Iterable[int]:
    size = int(step or 1)
    if not size:
        raise Refused(f"the step of {shown(element)} is 0: write 1 or more")
    if first == "*":
        return range(field.low, field.high + 1, size)
    low = field.number(first)
    if last is None:
        if step is not None:
            raise Refused(
                f"{shown(element)} is the single {field.name} {low} to some crons and a series to others: write "
                f"'{low}', or '{low}-{field.high}/{step}'"
            )
        return (low,)
    high = field.number(last)
    if field is _WEEKDAY and high == 0 < low:
        high = 7
    if low > high:
        around = f"{low}-{field.high},{field.low}-{high}" if step is None else f"the numbers, from {low} to {high}"
        raise Refused(f"the range {shown(element)} runs backwards: write {around}")
    return range(low, high + 1, size)


def looks_like_cron(text: str) -> bool:
    """Is that meant for cron? Never true of a calendar of systemd, which has at most four words (systemd.time(7))."""
    words = text.strip().strip("'\"").split()
    if words and _ZONE.fullmatch(words[0]):
        words = words[1:]
    if words and words[0].startswith("@"):
        return words[0].lower() in (*_NICKNAMES, _REBOOT) or words[0].lower().startswith("@every")
    return len(words) >= len(_FIELDS) and all(_SHAPE.fullmatch(word) for word in words[: len(_FIELDS)])


def calendars(schedule: Schedule, zone: str = "") -> List[str]:
    """The values of OnCalendar= that elapse as that schedule does, in the host's time zone or in the one given.

    Two where either of the day fields is enough, since a calendar wants both its weekday and its date. Hours and
    minutes are written out: over a change of the clock, systemd gets lost in a start with a step ("02/4:30").
    """
    if schedule.reboot:
        raise Refused(f"{_REBOOT} is no time: enable the service, so that each boot starts it, and leave out the timer")
    suffix = f" {time_zone(zone)}" if zone else ""
    time = f"{_written(schedule.hours, _HOUR)}:{_written(schedule.minutes, _MINUTE)}:00"
    months = _written(schedule.months, _MONTH, ranges=True)
    found = []
    for weekdays, days in _dates(schedule):
        date = f"*-{months}-{_written(days, _DAY, ranges=True)}"
        found.append(" ".join([*_weekdays(weekdays), date, time]) + suffix)
    return found


def _dates(schedule: Schedule) -> Iterator[Tuple[Sequence[int], Sequence[int]]]:
    """Pairs of weekdays and days; a day is named by one of them if both of the pair hold it."""
    all_days, all_weekdays = tuple(range(1, 32)), tuple(range(7))
    if not schedule.either:
        yield schedule.weekdays, schedule.days
    elif all_days == schedule.days or all_weekdays == schedule.weekdays:
        yield all_weekdays, all_days
    else:
        if _has_days(schedule):
            yield all_weekdays, schedule.days
        yield schedule.weekdays, all_days


def _written(values: Sequence[int], field: _Field, ranges: bool = False) -> str:
    if len(values) == field.high - field.low + 1:
        return "*"
    return ",".join(
        "..".join(f"{value:02}" for value in part) for part in (_runs(values) if ranges else ((v,) for v in values))
    )


def _runs(values: Sequence[int]) -> Iterator[Tuple[int, ...]]:
    """First and last of what follows one another, if that is three values or more; the others one by one."""
    rest = list(values)
    while rest:
        length = next((i for i, value in enumerate(rest) if value != rest[0] + i), len(rest))
        yield (rest[0], rest[length - 1]) if length > 2 else (rest[0],)
        del rest[: length if length > 2 else 1]


def _weekdays(values: Sequence[int]) -> List[str]:
    """As systemd has them: a week begins on Monday."""
    if len(values) == 7:
        return []
    names = [name.capitalize() for name in _WEEKDAY.names]
    runs = _runs(sorted(value or 7 for value in values))
    return [",".join("..".join(names[value % 7] for value in run) for run in runs)]


def time_zone(text: str) -> str:
    """The name of a time zone as a calendar ends with. Raises Refused for what is none."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", text):
        raise Refused(f"{shown(text)} names no time zone: write it as in 'Europe/Berlin' or 'UTC'")
    return text

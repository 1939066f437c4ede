# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calendars of a schedule of cron elapse when cron runs the job, as the host's own systemd reckons."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import cron
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused

from tests.crons import END, by_croniter, expressions, nightly

from .lab import Lab

COUNT = int(os.environ.get("UNITWRIGHT_CRONS", "200"))
TIMES = 50
BATCH = 100
# Where the zone is not UTC, the line with the time in UTC comes second.
ELAPSE = re.compile(r"(?:\(in UTC\)|Next elapse|Iter(?:\.|ation) #\d+): \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d):00 UTC")


def elapses(host: Lab, calendars: Sequence[str], base: datetime, count: int, zone: str) -> list[list[datetime]]:
    """The next times of each calendar after base, in UTC, if the host is in that zone."""
    asked = [f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC", f"--iterations={count}"]
    done = host.run("env", f"TZ={zone}", "LC_ALL=C", "systemd-analyze", "calendar", *asked, *calendars)
    assert done.returncode == 0, done.stderr.decode()
    _before, *answers = done.stdout.decode().split("Normalized form: ")
    assert len(answers) == len(calendars)
    return [[datetime.fromisoformat(time) for time in ELAPSE.findall(answer)] for answer in answers]


def of_schedules(
    host: Lab, texts: Sequence[str], base: datetime, count: int, zone: str
) -> Iterator[tuple[str, list[datetime]]]:
    """Each schedule and its next times, of one calendar or of two."""
    schedules = [translated(text) for text in texts]
    found = iter(elapses(host, [calendar for calendars in schedules for calendar in calendars], base, count, zone))
    for text, calendars in zip(texts, schedules, strict=True):
        yield text, sorted({time for each in islice(found, len(calendars)) for time in each})[:count]


def translated(text: str) -> list[str]:
    try:
        return cron.calendars(cron.parse(text))
    except Refused as refused:
        assert "never comes" in str(refused)
        return []


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin"])
def test_elapses_are_those_of_croniter(host: Lab, name: str) -> None:
    """In a zone outside of the days on which its clock changes."""
    zone = ZoneInfo(name)
    random = Random(COUNT)
    texts = expressions(COUNT, COUNT)
    for first in range(0, COUNT, BATCH):
        base = datetime(2026, 1, 1) + timedelta(minutes=random.randrange(365 * 24 * 60))
        start = reading(base, zone)
        for text, times in of_schedules(host, texts[first : first + BATCH], base, TIMES, name):
            ours = [shown for shown in (reading(time, zone) for time in times) if shown < END]
            theirs = by_croniter(text, start, TIMES)
            last = min((each[-1] for each in (ours, theirs) if len(each) == TIMES), default=END)
            assert compared(ours, zone, last) == compared(theirs, zone, last), (text, start)


def reading(time: datetime, zone: ZoneInfo) -> datetime:
    """What the zone's clock shows at that time of UTC."""
    return time.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def compared(times: list[datetime], zone: ZoneInfo, last: datetime) -> list[datetime]:
    return [time for time in times if time <= last and not changes(time, zone)]


def changes(time: datetime, zone: ZoneInfo) -> bool:
    """Does the clock change on that day?"""
    day = time.replace(hour=0, minute=0, tzinfo=zone)
    return day.utcoffset() != (day + timedelta(days=1)).utcoffset()


NIGHTS = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1)),
    ("America/Santiago", datetime(2026, 4, 5, 3)),
    ("America/Santiago", datetime(2026, 9, 6, 4)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30)),
]


@pytest.mark.parametrize(("name", "change"), NIGHTS)
def test_a_timer_elapses_when_the_clock_first_shows_its_time(host: Lab, name: str, change: datetime) -> None:
    """Which is what `clock.differing` rests on: a time that is left out is, and one that comes twice counts once."""
    zone = ZoneInfo(name)
    base, minutes = change - timedelta(hours=2), 4 * 60
    texts = nightly(COUNT, min(COUNT // 10, 100))
    end = base + timedelta(minutes=minutes)
    for text, times in of_schedules(host, texts, base, minutes, name):
        assert [time for time in times if time <= end] == list(first_shown(text, base, minutes, zone)), text


def first_shown(text: str, base: datetime, minutes: int, zone: ZoneInfo) -> Iterator[datetime]:
    schedule = cron.parse(text)
    seen = set()
    for number in range(1, minutes + 1):
        time = base + timedelta(minutes=number)
        shown = reading(time, zone)
        if shown not in seen and schedule.is_due(shown):
            yield time
        seen.add(shown)


def test_calendars_are_written_as_systemd_writes_them(host: Lab) -> None:
    calendars = [calendar for text in expressions(1, 100) for calendar in translated(text)]
    done = host.run("systemd-analyze", "calendar", *calendars)
    assert re.findall(r"Original form: (.*)", done.stdout.decode()) == []


@pytest.mark.parametrize("base", [datetime(2026, 3, 29), datetime(2026, 10, 25)])
def test_a_zone_in_the_calendar_is_the_same_as_that_of_the_host(host: Lab, base: datetime) -> None:
    calendars = [calendar for text in nightly(1, 5) for calendar in translated(text)]
    there = elapses(host, calendars, base, 10, "Europe/Berlin")
    assert elapses(host, [f"{each} Europe/Berlin" for each in calendars], base, 10, "UTC") == there


def test_what_is_taken_for_cron_is_no_calendar(host: Lab) -> None:
    lines = [*expressions(3, 100), "@reboot", "@every 5m", "0 2 * * * UTC", "CRON_TZ=UTC 0 2 * * *", "'0 2 * * *'"]
    assert [line for line in lines if not cron.looks_like_cron(line)] == []
    done = host.run("systemd-analyze", "calendar", *lines)
    assert len(re.findall("Failed to parse calendar", done.stderr.decode())) == len(lines)


def test_what_the_remedies_name_is_a_calendar(host: Lab) -> None:
    base = datetime(2026, 1, 1)
    found = elapses(host, ["Mon *-*-08..14 UTC", "*-*~01 UTC", "Fri *-*~07/1 UTC"], base, 2, "UTC")
    assert [[f"{time:%m-%d}" for time in times] for times in found] == [
        ["01-12", "02-09"],
        ["01-31", "02-28"],
        ["01-30", "02-27"],
    ]

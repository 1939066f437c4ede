# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change of the clock makes differ between cron and a timer is told, and nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import clock, cron
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.clock import Change

from tests.crons import by_vixie, nightly

MINUTES = 12 * 60
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def of_zone(name: str) -> list[Change]:
    zone = ZoneInfo(name)

    def offset(seconds: int) -> int:
        found = datetime.fromtimestamp(seconds, zone).utcoffset()
        assert found is not None
        return int(found.total_seconds())

    return clock.changes(offset, START, 365)


BERLIN = [
    Change(datetime(2026, 3, 29, 2), datetime(2026, 3, 29, 3)),
    Change(datetime(2026, 10, 25, 3), datetime(2026, 10, 25, 2)),
]


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("UTC", []),
        ("Asia/Tokyo", []),
        ("Europe/Berlin", BERLIN),
        (
            "Australia/Lord_Howe",
            [
                Change(datetime(2026, 4, 5, 2), datetime(2026, 4, 5, 1, 30)),
                Change(datetime(2026, 10, 4, 2), datetime(2026, 10, 4, 2, 30)),
            ],
        ),
        (
            "America/Santiago",
            [
                Change(datetime(2026, 4, 5), datetime(2026, 4, 4, 23)),
                Change(datetime(2026, 9, 6), datetime(2026, 9, 6, 1)),
            ],
        ),
    ],
)
def test_changes_of_a_zone(zone: str, changes: list[Change]) -> None:
    assert of_zone(zone) == changes


FORWARD = "where the clock is put forward, cron runs the job right after, and the timer leaves it out: "
BACK = "where the clock is put back, cron runs the job twice, and the timer only the first time: "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("30 2 * * *", FORWARD + "02:30 on 2026-03-29"),
        ("30 2 * * sun", FORWARD + "02:30 on 2026-03-29"),
        ("30 2 * * mon-sat", ""),
        ("30 2 1-28 * *", ""),
        ("30 3 * * *", ""),
        ("0 0-23 * * *", FORWARD + "02:00 on 2026-03-29"),
        ("0,10,20,30 2 * * *", FORWARD + "02:00, 02:10, 02:20 and 1 more on 2026-03-29"),
        ("@hourly", BACK + "02:00 on 2026-10-25"),
        ("*/30 2 * * *", BACK + "02:00, 02:30 on 2026-10-25"),
        ("*/30 3 * * *", ""),
        ("@daily", ""),
        ("@reboot", ""),
    ],
)
def test_what_is_told(text: str, told: str) -> None:
    assert clock.unlike_cron(cron.parse(text), BERLIN) == told
    assert clock.unlike_cron(cron.parse(text), []) == ""


def test_each_day_is_told() -> None:
    changes = [BERLIN[0], Change(datetime(2027, 3, 28, 2), datetime(2027, 3, 28, 3))]
    told = clock.unlike_cron(cron.parse("30 2 * * *"), changes)
    assert told == FORWARD + "02:30 on 2026-03-29 and 02:30 on 2027-03-28"


def test_a_correction_of_the_clock_is_no_change() -> None:
    """After three hours or more, cron too goes on from what the clock shows."""
    correction = Change(datetime(2026, 1, 1, 2), datetime(2026, 1, 1, 5))
    assert clock.unlike_cron(cron.parse("30 2 * * *"), [correction]) == ""


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Cairo", "Antarctica/Troll"]
)
def test_just_that_differs(name: str) -> None:
    """Beside cron's own loop, in the night of the change; a timer elapses when the clock first shows its time."""
    zone = ZoneInfo(name)
    for change in of_zone(name):
        start = (change.before.replace(tzinfo=zone) - timedelta(hours=6)).astimezone(UTC).replace(tzinfo=None)
        shown = [
            (start.replace(tzinfo=UTC) + timedelta(minutes=number)).astimezone(zone).replace(tzinfo=None)
            for number in range(1, MINUTES + 1)
        ]
        for text in nightly(7, 40):
            schedule = cron.parse(text)
            timer = {reading for reading in shown if schedule.is_due(reading)}
            runs = Counter(by_vixie(schedule, zone, start, MINUTES))
            assert runs == Counter([*timer, *clock.differing(schedule, change)]), (change, text)

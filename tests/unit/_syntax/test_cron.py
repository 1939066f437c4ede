# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A schedule of cron is read as cron reads it, and becomes the calendars that elapse then."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import cron
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused
from hypothesis import example, given
from hypothesis import strategies as st

from tests.crons import by_clock, by_croniter, expressions

MONDAYS = "Mon *-*-01,03,05,07,09,11,13,15,17,19,21,23,25,27,29,31 00:00:00"


@pytest.mark.parametrize(
    ("text", "calendars"),
    [
        ("0 2 * * *", ["*-*-* 02:00:00"]),
        ("* * * * *", ["*-*-* *:*:00"]),
        ("  00\t02 * * *\n", ["*-*-* 02:00:00"]),
        ("*/20 * * * *", ["*-*-* *:00,20,40:00"]),
        ("*/35 */23 * * *", ["*-*-* 00,23:00,35:00"]),
        ("*/99 * * * *", ["*-*-* *:00:00"]),
        ("30 2-23/4 * * *", ["*-*-* 02,06,10,14,18,22:30:00"]),
        ("0 9-12 * * *", ["*-*-* 09,10,11,12:00:00"]),
        ("5,1-2,1,10-20/5 * * * *", ["*-*-* *:01,02,05,10,15,20:00"]),
        ("0 0 1 1 *", ["*-01-01 00:00:00"]),
        ("0 0 * jan,MAR-may *", ["*-01,03..05-* 00:00:00"]),
        ("0 0 * */5 *", ["*-01,06,11-* 00:00:00"]),
        ("0 0 */10 * *", ["*-*-01,11,21,31 00:00:00"]),
        ("0 0 1-3,5,6 * *", ["*-*-01..03,05,06 00:00:00"]),
        # either day field is enough
        ("1 2 3 4 5", ["*-04-03 02:01:00", "Fri *-04-* 02:01:00"]),
        ("0 0 1,15 * mon", ["*-*-01,15 00:00:00", "Mon *-*-* 00:00:00"]),
        ("0 0 1-31 * 1", ["*-*-* 00:00:00"]),
        ("0 0 5,* * 1", ["*-*-* 00:00:00"]),
        ("0 0 1 * 0-6", ["*-*-* 00:00:00"]),
        ("0 0 31 2 1", ["Mon *-02-* 00:00:00"]),
        ("0 0 31 2,3 1", ["*-02,03-31 00:00:00", "Mon *-02,03-* 00:00:00"]),
        # both, where one begins with "*"
        ("0 0 */2 * 1", [MONDAYS]),
        ("0 0 1 * */2", ["Tue,Thu,Sat,Sun *-*-01 00:00:00"]),
        ("0 0 *,5 * 1", ["Mon *-*-* 00:00:00"]),
        ("0 0 29 2 *", ["*-02-29 00:00:00"]),
        # Sunday
        ("0 0 * * 0", ["Sun *-*-* 00:00:00"]),
        ("0 0 * * 7", ["Sun *-*-* 00:00:00"]),
        ("0 0 * * 0,7", ["Sun *-*-* 00:00:00"]),
        ("0 0 * * 0-7", ["*-*-* 00:00:00"]),
        ("0 0 * * 1-5", ["Mon..Fri *-*-* 00:00:00"]),
        ("0 0 * * 2-7", ["Tue..Sun *-*-* 00:00:00"]),
        ("0 0 * * 6-7", ["Sat,Sun *-*-* 00:00:00"]),
        ("0 0 * * fri-sun", ["Fri..Sun *-*-* 00:00:00"]),
        ("0 0 * * Sat-Sun", ["Sat,Sun *-*-* 00:00:00"]),
        ("0 0 * * 5-0", ["Fri..Sun *-*-* 00:00:00"]),
        ("0 0 * * sun-tue", ["Mon,Tue,Sun *-*-* 00:00:00"]),
        ("0 0 * * 1-7/2", ["Mon,Wed,Fri,Sun *-*-* 00:00:00"]),
        ("@yearly", ["*-01-01 00:00:00"]),
        ("@annually", ["*-01-01 00:00:00"]),
        ("@monthly", ["*-*-01 00:00:00"]),
        ("@weekly", ["Sun *-*-* 00:00:00"]),
        ("@daily", ["*-*-* 00:00:00"]),
        ("@midnight", ["*-*-* 00:00:00"]),
        ("@hourly", ["*-*-* *:00:00"]),
    ],
)
def test_calendars(text: str, calendars: list[str]) -> None:
    assert cron.calendars(cron.parse(text)) == calendars


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Port-au-Prince", "Etc/GMT+3"])
def test_each_calendar_has_the_zone(zone: str) -> None:
    expected = [f"*-*-13 00:00:00 {zone}", f"Fri *-*-* 00:00:00 {zone}"]
    assert cron.calendars(cron.parse("0 0 13 * 5"), zone) == expected


@pytest.mark.parametrize("zone", [":Europe/Berlin", "Europe/Berlin\n", "CET-1CEST,M3.5.0", "../UTC", "+02:00", " "])
def test_what_names_no_zone(zone: str) -> None:
    with pytest.raises(Refused, match="write it as in 'Europe/Berlin' or 'UTC'"):
        cron.calendars(cron.parse("@daily"), zone)


REFUSED = [
    ("", "five fields"),
    ("0 2 * *", "'0 2 * *' has 4 of the five fields: write minute, hour, day of the month, month, day of the week"),
    ("0 2 * * * root /bin/x -y", "'root /bin/x -y' is no part of the schedule: write '0 2 * * *' alone"),
    (
        "0 0 2 * * ?",
        "'0 0 2 * * ?' has 6 fields, and cron has five: leave out the seconds in front, or the year behind",
    ),
    ("0 0 2 * * MON 2030", "has 7 fields"),
    ("'0 2 * * *'", "write 0 2 * * *"),
    ('"@daily"', "write @daily"),
    ("CRON_TZ=Europe/Berlin 0 2 * * *", "give 'Europe/Berlin' as its time zone"),
    ("TZ=UTC @daily", "give 'UTC' as its time zone"),
    ("@Daily", "write @daily alone"),
    ("@daily root /bin/x", "write @daily alone"),
    ("@every 5m", "OnUnitActiveSec="),
    ("@fortnightly", "one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @reboot"),
    ("60 * * * *", "'60' is no minute: write 0 to 59"),
    ("* 24 * * *", "'24' is no hour: write 0 to 23"),
    ("* * 0 * *", "'0' is no day of the month: write 1 to 31"),
    ("* * 1-32 * *", "'32' is no day of the month: write 1 to 31"),
    ("* * * 13 *", "'13' is no month: write 1 to 12, or jan to dec"),
    ("* * * mon *", "'mon' is no month"),
    ("* * * * 8", "'8' is no day of the week: write 0 to 7, or sun to sat"),
    ("* * * * monday", "'monday' is no day of the week: write 0 to 7, or sun to sat"),
    ("jan * * * *", "'jan' is no minute: write 0 to 59"),
    ("\u0661 * * * *", "is no minute"),
    ("*5 * * * *", "'*5' is no minute of cron"),
    ("*-5 * * * *", "'*-5' is no minute of cron"),
    ("-5 * * * *", "'-5' is no minute of cron"),
    ("1,,2 * * * *", "'1,,2' is no minute of cron"),
    ("1, 2 * * *", "'1,' is no minute of cron"),
    ("1.5 * * * *", "'1.5' is no minute of cron"),
    ("*/0 * * * *", "the step of '*/0' is 0: write 1 or more"),
    ("*/x * * * *", "'*/x' is no minute of cron"),
    ("5/10 * * * *", "'5/10' is the single minute 5 to some crons and a series to others: write '5', or '5-59/10'"),
    ("0 22-4 * * *", "the range '22-4' runs backwards: write 22-23,0-4"),
    ("0 0 * nov-feb *", "the range 'nov-feb' runs backwards: write 11-12,1-2"),
    ("0 0 * * sat-mon", "the range 'sat-mon' runs backwards: write 6-7,0-1"),
    ("0 22-4/2 * * *", "the range '22-4/2' runs backwards: write the numbers, from 22 to 4"),
    ("0 0 30 2 *", "'0 0 30 2 *' never comes: no month that it names has day 30"),
    ("0 0 31 4,6,sep,11 *", "no month that it names has day 31"),
    ("0 0 31 2 */2", "never comes"),
    ("0~59 * * * *", "'0~59' lets cron pick a value by chance: write a number, and RandomizedDelaySec="),
    ("~ * * * *", "lets cron pick a value by chance"),
    ("H/15 * * * *", "'H/15' is Jenkins's, not cron's"),
    ("0 0 L * *", "'L' is Quartz's, not cron's: write a calendar, such as '*-*~01'"),
    ("0 0 L-3 * *", "'L-3' is Quartz's"),
    ("0 0 * * 5L", "'5L' is Quartz's"),
    ("0 0 * * friL", "'friL' is Quartz's"),
    ("0 0 15W * *", "'15W' is Quartz's, not cron's, and no calendar has the nearest working day"),
    ("0 0 LW * *", "'LW' is Quartz's"),
    ("0 0 * * 1#2", "'1#2' is Quartz's, not cron's: write a calendar, such as 'Mon *-*-08..14'"),
    ("0 0 ? * 1", "'?' is Quartz's, not cron's: write '*'"),
]


@pytest.mark.parametrize(("text", "mend"), REFUSED)
def test_what_no_cron_would_run(text: str, mend: str) -> None:
    with pytest.raises(Refused) as refused:
        cron.parse(text)
    assert mend in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_boot_is_no_time() -> None:
    schedule = cron.parse("@reboot")
    assert schedule == cron.Schedule(reboot=True)
    assert not schedule.is_due(datetime(2026, 1, 1))
    with pytest.raises(Refused, match="enable the service"):
        cron.calendars(schedule)


@pytest.mark.parametrize(
    ("text", "wildcard"),
    [
        ("* 2 * * *", True),
        ("*/15 2 * * *", True),
        ("0,15,30,45 2 * * *", False),
        ("0 * * * *", True),
        ("0 0-23 * * *", False),
        ("@hourly", True),
        ("@daily", False),
        ("0 2 */2 * *", False),
    ],
)
def test_wildcards(text: str, wildcard: bool) -> None:
    assert cron.parse(text).wildcard is wildcard


CRON = [
    *("0 2 * * *", "*/5 * * * *", "1 2 3 4 5", "0 0 * * mon-fri", "0 0 1 JAN *", " 0  2\t* * * ", "H H * * *"),
    *("0 2 * * 1#2", "0 2 L * ?", "0 0 15W * *", "0 0 2 * * ?", "0 2 * * * root /bin/x", "0~59 * * * *", "60 2 * * *"),
    *("'0 2 * * *'", '"0 2 * * *"', "CRON_TZ=UTC 0 2 * * *", "TZ=UTC @daily", "0 2 * * monday", "0 2 * * * UTC"),
    *("@yearly", "@daily", "@Daily", "@reboot", "@every 5m", "@hourly x"),
]
NO_CRON = [
    *("", "daily", "weekly UTC", "*-*-* 02:00:00", "02:00", "Mon *-*-* 02:00:00 Europe/Berlin", "@1395716396", "*:0/5"),
    *("Mon,Tue *-*-01..04 12:00:00", "Fri *-*~07/1 02:00:00", "2026-01-01 10:00:00", "*", "0 2 * *", "@"),
    "each day at 2 in the morning",
]


@pytest.mark.parametrize("text", CRON)
def test_lines_of_cron_are_known(text: str) -> None:
    assert cron.looks_like_cron(text)


@pytest.mark.parametrize("text", NO_CRON)
def test_others_are_not_taken_for_cron(text: str) -> None:
    assert not cron.looks_like_cron(text)


@given(st.text() | st.from_regex(r"[@0-9*,/~?#LW a-z-]{1,30}", fullmatch=True))
@example("9" * 5000 + " * * * *")
@example("'0 2\n* * *'")
@example("CRON_TZ=\n@daily")
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        assert cron.calendars(cron.parse(text))
    except Refused as refused:
        assert "\n" not in str(refused)
    assert cron.looks_like_cron(text) in (True, False)


@pytest.mark.parametrize("seed", range(10))
def test_times_are_those_of_croniter(seed: int) -> None:
    base = datetime(2026, 1, 1)
    for text in expressions(seed, 50):
        assert cron.looks_like_cron(text)
        theirs = by_croniter(text, base, 20)
        try:
            ours = list(islice(by_clock(cron.parse(text), base), 20))
        except Refused as refused:
            assert "never comes" in str(refused)
            ours = []
        assert ours == theirs, text

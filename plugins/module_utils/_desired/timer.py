# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The short form of a timer, with the service that it starts. Pure. Private to the collection."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import List, Mapping, Optional

from .._syntax import cron
from .._syntax.kinds import kind_of
from .._syntax.rule import Refused, Rule, Severity
from . import service
from .forms import STATE, Around, Builder, Entry, Params, chosen, unit_name, with_kind
from .short import SHORT

# A date or a time of day, which no line of cron has.
_CALENDAR = re.compile(r"\*-|\d-|:|^(hourly|daily|weekly|monthly|yearly)$")
# Options besides the short ones that are for a timer, and not for what runs once a boot.
_OF_TIMES = ("timezone", "timer", "unit", "instances")

_COMMAND = "; what it runs goes to exec_start, and as whom, which /etc/crontab has before that, to user"

_CRON = Rule(
    "cron",
    Severity.ERROR,
    "that is no schedule of cron, or cannot be one of a timer",
    "the message says what it takes",
    "crontab(5)",
)
_CRON_ALONE = replace(_CRON, of_lack=True)
_UNIT = Rule(
    "timer-unit",
    Severity.ERROR,
    "the timer brings a service of its own and names {other} besides",
    "leave out unit, or the options of the service",
    "systemd.timer(5), Unit=",
)


def starter(entry: Params) -> Builder:
    """The timer of an entry, with no more than what it starts. Raises Problems for the name of another type."""
    built = Builder(unit_name(entry["name"], "timer"))
    _unit(built, entry)
    built.open(entry, "timer")
    return built


def units(entry: Params, around: Around) -> List[Entry]:
    """The entries of a stack's units that a short one stands for. Raises Problems."""
    built = Builder(unit_name(entry["name"], "timer"))
    if entry.get("state") == "absent":
        return service.gone(entry, built.unit, starter(entry).starts())
    built.short(entry, SHORT["timer"])
    schedule = _schedule(built, entry)
    if schedule is not None and schedule.reboot:
        return built.entries(_at_boot(built, entry, around))
    _unit(built, entry)
    _calendars(built, entry, schedule)
    built.open(entry, *_section_of_unit(entry), "timer", "install")
    found = _brought(built, entry, around)
    if not built.sections.get("Timer") and (service.brings(entry) or not chosen(entry, STATE)):
        built.lacks("nothing says when it elapses: give on_calendar, cron or another time")
    if any(built.sections.values()):
        built.at_boot(around.boot)
    # The last two are for the result, which says how the timer differs from the line of cron.
    passed = chosen(entry, (*STATE, "instances", "replace", "cron", "timezone", *(() if found else ("health",))))
    told = found or isinstance(entry.get("unit"), str)
    return built.entries(*found, built.entry(**passed, **service.not_brought(built, told)))


def _schedule(built: Builder, entry: Params) -> Optional[cron.Schedule]:
    """The schedule of the option cron, None for an entry that has none, or a wrong one."""
    try:
        return cron.parse(str(entry["cron"])) if entry.get("cron") is not None else None
    except Refused as refused:
        hint = " (a calendar of systemd goes to on_calendar)" if _CALENDAR.search(str(entry["cron"])) else ""
        command = "" if service.brings(entry) or "is no part of" not in str(refused) else _COMMAND
        _refuse(built, "cron", f"{refused}{hint}{command}")
        return None


def _refuse(built: Builder, option: str, message: str, rule: Rule = _CRON) -> None:
    built.problems.append(rule.said(f"{option}: {message}", built.unit, "Timer", "OnCalendar"))


def _calendars(built: Builder, entry: Params, schedule: Optional[cron.Schedule]) -> None:
    """Take cron and timezone."""
    zone, given = entry.get("timezone") or "", built.sections.get("Timer", {}).get("OnCalendar")
    if schedule is None and not zone:
        return
    if entry.get("cron") is None and given is None:
        told = "it is for on_calendar or cron, and there is neither: leave it out"
        _refuse(built, "timezone", told, _CRON_ALONE)
    option = "timezone"
    try:
        if zone:
            cron.time_zone(zone)
        option = "timezone" if schedule is None else "cron"
        if schedule is not None and given is not None:
            raise Refused("on_calendar is given as well: leave out one of them")
        if schedule is None and given is None:
            return
        found = cron.calendars(schedule, zone) if schedule is not None else _in_zone(given, zone)
    except Refused as refused:
        _refuse(built, option, str(refused))
        return
    built.take("Timer", "OnCalendar", found, "on_calendar" if schedule is None else "cron")


def _in_zone(given: object, zone: str) -> List[object]:
    each = list(given) if isinstance(given, (list, tuple)) else [given]
    return [f"{one} {cron.time_zone(zone)}" if isinstance(one, str) else one for one in each]


def _section_of_unit(entry: Params) -> List[str]:
    """The option unit is a section only as a mapping."""
    return ["unit"] if isinstance(entry.get("unit"), Mapping) else []


def _unit(built: Builder, entry: Params) -> None:
    named = entry.get("unit")
    if named is None or isinstance(named, Mapping):
        return
    if not isinstance(named, str):
        told = "unit is the name of a unit, or a mapping of directives"
        built.problems.append(_UNIT.said(told, built.unit, option="unit"))
        return
    if service.brings(entry):
        built.problems.append(_UNIT.problem(built.unit, "Timer", "Unit", other=named))
    built.take("Timer", "Unit", with_kind(named), "unit")


def _brought(built: Builder, entry: Params, around: Around) -> List[Entry]:
    if isinstance(entry.get("unit"), str):  # which is told, if there are options of another
        return []
    found = service.beside(built, entry, starter(entry).starts(), around, {"Type": "oneshot"})
    return [{**each, "health": entry["health"]} if entry.get("health") else each for each in found]


def _at_boot(built: Builder, entry: Params, around: Around) -> Entry:
    """What cron runs once a boot: a service that is enabled, and not run by its installation."""
    of_timers = (option for option, row in SHORT["timer"].items() if row.section == kind_of(built.unit).section)
    foreign = list(chosen(entry, (*_OF_TIMES, *of_timers)))
    if foreign:
        told = f"cron: @reboot needs no timer, so {foreign[0]} would be for nothing: leave it out"
        built.problems.append(_CRON.said(told, built.unit, option=foreign[0]))
    if not service.brings(entry):
        told = "@reboot is a service that is enabled at boot: say with exec_start or argv what it runs"
        _refuse(built, "cron", told, _CRON_ALONE)
    built.open(entry, "install")
    (found,) = _brought(built, entry, around) or [Builder(starter(entry).starts()).entry()]
    built.wanted_by(around.boot)
    state = {"state": "present", "enabled": True, **chosen(entry, STATE)}
    unit = {**built.sections.get("Unit", {}), **found.get("unit", {})}
    return {**found, **({"unit": unit} if unit else {}), "install": built.sections.get("Install", {}), **state}

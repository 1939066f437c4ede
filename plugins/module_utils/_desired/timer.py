# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The short form of a timer, with the service that it starts. Pure. Private to the collection."""

from __future__ import annotations

from typing import List, Optional

from .._syntax import cron
from .._syntax.rule import Problems, Refused, Rule, Severity
from . import service
from .forms import STATE, Around, Builder, Entry, Params, chosen, unit_name, with_kind
from .short import SHORT

_TARGET = "timers.target"

_CRON = Rule(
    "cron",
    Severity.ERROR,
    "that is no schedule of cron, or cannot be one of a timer",
    "the message says what it takes",
    "crontab(5)",
)
_UNIT = Rule(
    "timer-unit",
    Severity.ERROR,
    "the timer brings a service of its own and names {other} besides",
    "leave out unit, or the options of the service",
    "systemd.timer(5), Unit=",
)


def started(entry: Params) -> str:
    """The unit that the timer of an entry starts, as far as the entry says."""
    section = entry.get("timer") or {}
    named = entry["unit"] if isinstance(entry.get("unit"), str) else section.get("Unit")
    return with_kind(str(named)) if named else unit_name(entry["name"], "timer")[: -len("timer")] + "service"


def schedule(entry: Params) -> Optional[cron.Schedule]:
    """The schedule of an entry with the option cron, None for one that has none, or a wrong one."""
    try:
        return cron.parse(str(entry["cron"])) if entry.get("cron") else None
    except Refused:
        return None


def units(entry: Params, around: Around) -> List[Entry]:
    """The entries of a stack's units that a short one stands for. Raises Problems."""
    name, brought = unit_name(entry["name"], "timer"), started(entry)
    built = Builder(name)
    with_service = service.brings(entry)
    if entry.get("state") == "absent":
        own = [Builder(brought).entry(state="absent")] if with_service else []
        return [built.entry(state="absent"), *own]
    built.short(entry, SHORT["timer"])
    _unit(built, entry, with_service)
    at_boot = _cron(built, entry)
    section = {"unit": "Unit"} if not isinstance(entry.get("unit"), str) else {}
    built.open(entry, {**section, "timer": "Timer", "install": "Install"})
    problems = built.problems
    found: List[Entry] = []
    try:
        if with_service:
            found.append(service.beside(entry, brought, around, {"Type": "oneshot"}))
    except Problems as wrong:
        problems += wrong.problems
    if problems:
        raise Problems(problems)
    if entry.get("health"):  # of what runs here, if that is ours
        found = [{**each, "health": entry["health"]} for each in found]
    if at_boot:
        return [_enabled_at_boot(each, around, entry) for each in found]
    # The last two are for the result, which says how the timer differs from the line of cron.
    passed = chosen(entry, (*STATE, "instances", "replace", "cron", "timezone", *(() if found else ("health",))))
    if built.sections:
        built.wanted_by(_TARGET)
    return [*found, built.entry(**passed)]


def _unit(built: Builder, entry: Params, with_service: bool) -> None:
    if not isinstance(entry.get("unit"), str):
        return
    if with_service:
        built.problems.append(_UNIT.problem(built.unit, "Timer", "Unit", other=entry["unit"]))
    built.sections.setdefault("Timer", {})["Unit"] = with_kind(entry["unit"])


def _cron(built: Builder, entry: Params) -> bool:
    """Take cron and timezone; returns whether the job is for each boot, and so needs no timer."""
    zone, given = entry.get("timezone") or "", entry.get("cron")
    timer = built.sections.setdefault("Timer", {})
    try:
        if given is None:
            _in_zone(timer, zone)
            return False
        if "OnCalendar" in timer:
            raise Refused("on_calendar is given as well: leave out one of them")
        parsed = cron.parse(str(given))
        if parsed.reboot:
            _refuse_times(timer, entry)
            return True
        timer["OnCalendar"] = cron.calendars(parsed, zone)
    except Refused as refused:
        option = "timezone" if given is None else "cron"
        built.problems.append(_CRON.said(f"{option}: {refused}", built.unit, "Timer", "OnCalendar"))
    return False


def _in_zone(timer: Entry, zone: str) -> None:
    given = timer.get("OnCalendar")
    if not zone:
        return
    if given is None:
        raise Refused("it is for on_calendar or cron, and there is neither: leave it out")
    each = list(given) if isinstance(given, (list, tuple)) else [given]
    timer["OnCalendar"] = [f"{one} {cron.time_zone(zone)}" if isinstance(one, str) else one for one in each]


def _refuse_times(timer: Entry, entry: Params) -> None:
    others = [directive for directive in timer if directive.startswith("On")]
    if others or entry.get("timer"):
        raise Refused("@reboot needs no timer, so other times would be for nothing: leave out one of them")
    if not service.brings(entry):
        raise Refused("@reboot is a service that is enabled at boot: say with exec_start or argv what it runs")


def _enabled_at_boot(unit: Entry, around: Around, entry: Params) -> Entry:
    """What cron runs once a boot: enabled, and not run by its installation."""
    install = {"WantedBy": around.boot, **(entry.get("install") or {})}
    state = {"state": "present", "enabled": True, **chosen(entry, STATE)}
    return {**unit, "install": install, **state}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The short form of a service, and of the service that a timer or a socket brings. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import List, Mapping

from .._syntax.rule import Rule, Severity
from .._syntax.spans import seconds
from . import inherited
from .forms import OF_PROCESS, STATE, Around, Builder, Entry, Params, chosen, unit_name
from .short import PROCESS, SHORT
from .stack import MAY_BRING

RESTART_SEC = "5s"
# Options of what it runs besides those that stand for one directive each.
_OPEN = ("argv", "depends_on", "service")
# Before 230 it had another name, and stood in [Service] (systemd's NEWS); both are still read.
_INTERVALS = ("StartLimitIntervalSec", "StartLimitInterval")
# What systemd has where a text says nothing (systemd-system.conf(5)): 5 starts within 10 s, a pause of 100 ms.
_LIMIT, _BURST, _PAUSE = "10s", "5", "100ms"

_START_LIMIT = Rule(
    "start-limit",
    Severity.ERROR,
    "{burst} starts that each wait {pause} take longer than {limit}, so this limit would never end a crash loop",
    "make start_limit_interval_sec more than {least} seconds, or leave the limit out",
    "systemd.unit(5), StartLimitIntervalSec=",
    of_lack=True,
)


def units(entry: Params, around: Around) -> List[Entry]:
    """The entry of a stack's units that a short one stands for. Raises Problems."""
    built = Builder(unit_name(entry["name"], "service"))
    passed = chosen(entry, (*OF_PROCESS, *STATE, "instances", "health", "on_change", "replace"))
    if entry.get("state") == "absent":
        return built.entries(built.entry(**chosen(entry, ("state", "replace"))))
    built.short(entry, SHORT["service"])
    built.open(entry, "unit", "service", "install")
    built.argv(entry)
    if not has_text(entry):
        if not chosen(entry, (*STATE, *OF_PROCESS, "health")):
            built.lacks("nothing is said of it: give exec_start or argv")
        return built.entries(built.entry(**passed))
    _fill_in(built, entry, around)
    if not _has_starter(built, entry, around):
        built.at_boot(around.boot)
    return built.entries(built.entry(**passed))


def brings(entry: Params) -> bool:
    """Does the entry of a timer or a socket say anything of a service that it brings?"""
    return bool(chosen(entry, (*PROCESS, *OF_PROCESS, *_OPEN)))


def has_text(entry: Params) -> bool:
    """Does the entry of a service bring one, or is it about the state of someone else's?"""
    return bool(chosen(entry, (*SHORT["service"], *_OPEN, "unit", "install")))


def beside(starter: Builder, entry: Params, unit: str, around: Around, defaults: Mapping[str, str]) -> List[Entry]:
    """The service that a timer or a socket brings, if it does; what is wrong with it is noted with the starter.

    defaults: directives of its [Service] section.
    """
    if not brings(entry):
        return []
    built = Builder(unit)
    found = _beside(built, entry, around, defaults)
    starter.problems += built.problems
    return [found]


def not_brought(starter: Builder, told: object) -> Entry:
    """What a timer or a socket has besides that is ours, and of which nothing is `told` of what it starts."""
    return {MAY_BRING: True} if any(starter.sections.values()) and not told else {}


def gone(entry: Params, starter: str, unit: str) -> List[Entry]:
    """A timer or a socket that is to be removed, with the service that it brings."""
    passed = chosen(entry, ("state", "replace"))
    return [Builder(each).entry(**passed) for each in (starter, *([unit] if brings(entry) else []))]


def _beside(built: Builder, entry: Params, around: Around, defaults: Mapping[str, str]) -> Entry:
    built.short(entry, {"description": SHORT["service"]["description"], **PROCESS})
    built.open(entry, "service")
    built.argv(entry)
    for directive, value in defaults.items():
        built.default("Service", directive, value)
    _fill_in(built, entry, around)
    return built.entry(**chosen(entry, (*OF_PROCESS, "on_change", "replace")))


def _fill_in(built: Builder, entry: Params, around: Around) -> None:
    """The defaults of a service: a name in the journal, and another start after a failure, without giving up."""
    is_run_by_another = _is_run_by_another(built, entry, around)
    built.inherit(entry, is_run_by_another)
    built.depends_on(entry)
    built.default("Service", "SyslogIdentifier", "%N")
    if built.said("Service", "StandardInput") in ("", "null"):
        built.default("Service", "StandardOutput", "journal")
    limited = bool(_said(built, *_INTERVALS) or _said(built, "StartLimitBurst"))
    if not built.said("Service", "Restart") and not is_run_by_another:
        built.default("Service", "Restart", "on-failure")
    if built.said("Service", "Restart") in ("", "no"):
        return
    built.default("Service", "RestartSec", RESTART_SEC)
    if limited:
        _check_limit(built)
    else:
        built.default("Unit", "StartLimitIntervalSec", 0)


def _is_run_by_another(built: Builder, entry: Params, around: Around) -> bool:
    """A oneshot that fails is run again at its next time, or by whoever started it; so is a service per connection."""
    sort = built.said("Service", "Type") or inherited.type_of(entry)
    return sort == "oneshot" or built.unit in around.timed | around.accepted


def _has_starter(built: Builder, entry: Params, around: Around) -> bool:
    """Is there something else that starts it at the right moment, so that a boot shall not?"""
    return built.unit in around.on_demand | around.members or entry.get("run") is not None


def _said(built: Builder, *directives: str) -> str:
    return next(filter(None, (built.said(section, each) for section in ("Unit", "Service") for each in directives)), "")


def _check_limit(built: Builder) -> None:
    """A limit counts starts within an interval; with a pause before each they may never be that many."""
    said = {
        "limit": _said(built, *_INTERVALS) or _LIMIT,
        "pause": built.said("Service", "RestartSec") or _PAUSE,
    }
    limit, pause = seconds(said["limit"]), seconds(said["pause"])
    burst = _said(built, "StartLimitBurst") or _BURST
    if not limit or pause is None or not burst.isdigit() or int(burst) * pause < limit:
        return
    least = f"{int(burst) * pause:g}"
    told = _START_LIMIT.problem(built.unit, "Unit", "StartLimitIntervalSec", burst=burst, least=least, **said)
    built.problems.append(told)

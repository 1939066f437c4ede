# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""When timers elapse next: which have no time to come, what the result says of that, and what differs from cron.

Private to the collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, FrozenSet, List, Set

from .._desired.render import Params
from .._desired.stack import Desired
from .._host.calendar import elapses, offset_in
from .._host.manager import Manager
from .._host.observed import Observed
from .._plan.differences import Differences
from .._syntax.clock import changes, unlike_cron
from .._syntax.cron import parse
from .._syntax.kinds import TIMER_TIMES, kind_of
from .._syntax.meaning import goes_at_its_end
from .._syntax.names import parse_name
from .._syntax.specifiers import in_value

_NEXT = 5
# Within so many days the clock of a zone is put forward and back once each.
_DAYS = 366


# What such a timer counts from comes once, with the boot or its own start.
_ONCE = {"OnBootSec", "OnStartupSec", "OnActiveSec"}
_OTHERS = {"OnClockChange", "OnTimezoneChange"}


def spent(desired: Desired, observed: Observed, manager: Manager) -> FrozenSet[str]:
    """Timers that are down, and none of whose times is to come: a start would find nothing to do.

    Where times count from the boot or its own start, one that goes down at its end has had them.
    """
    written = {path: each.content for path, each in desired.files.items() if not each.secret}
    after = observed.loadpath.changed(written, [])
    every = (unit for unit in desired.units if kind_of(unit.name.text).goes_by_time)
    calendars: Dict[str, List[str]] = {}
    found: Set[str] = set()
    for timer in (each for unit in every for each in unit.members if not observed.states[each].is_up):
        text = after.effective(timer)
        bases = {base for base in TIMER_TIMES | _OTHERS if text.get("Timer", {}).get(base)}
        if bases == {"OnCalendar"}:
            calendars[timer] = [in_value(each, timer) for each in text["Timer"]["OnCalendar"]]
        elif bases and bases <= _ONCE and goes_at_its_end(text):
            found.add(timer)
    times = elapses(manager, [one for each in calendars.values() for one in each], 1)
    found.update(timer for timer, each in calendars.items() if times and not any(times[one] for one in each))
    return frozenset(found)


def timers(differences: Differences, params: Params, manager: Manager) -> Dict[str, Dict[str, Any]]:
    """By timer of the declaration: next_elapses, and for one of cron unlike_cron, what the clock's changes upset.

    Times are as of ISO 8601, in UTC; what counts from a start or a boot has none.
    """
    every = differences.desired.units
    units = [each for each in every if kind_of(each.name.text).goes_by_time and each.state != "absent"]
    calendars = {member: _calendars(member, differences) for each in units for member in each.members}
    found = elapses(manager, [one for each in calendars.values() for one in each], _NEXT)
    given = {str(entry["name"]): entry for entry in params.get("units") or () if entry.get("cron")}
    told: Dict[str, Dict[str, Any]] = {}
    for member, each in calendars.items():
        times = sorted({moment for one in each for moment in found.get(one, ())})[:_NEXT]
        told[member] = {"next_elapses": [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)) for moment in times]}
        entry = given.get(member) or given.get(parse_name(member).template or "")
        if entry:
            told[member]["unlike_cron"] = _unlike_cron(entry)
    return told


def _calendars(timer: str, differences: Differences) -> List[str]:
    return [in_value(each, timer) for each in differences.after.effective(timer).get("Timer", {}).get("OnCalendar", ())]


def _unlike_cron(entry: Params) -> str:
    offset = offset_in(str(entry.get("timezone") or ""))
    return unlike_cron(parse(str(entry["cron"])), changes(offset, int(time.time()), _DAYS))

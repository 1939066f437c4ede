# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the result says of timers: when they elapse next, and what differs from cron. Private to the collection."""

from __future__ import annotations

import time
from typing import Any, Dict, List

from .._desired.render import Params
from .._host.calendar import elapses, offset_in
from .._host.manager import Manager
from .._plan.differences import Differences
from .._syntax.clock import changes, unlike_cron
from .._syntax.cron import parse
from .._syntax.kinds import kind_of
from .._syntax.names import parse_name
from .._syntax.specifiers import in_value

_NEXT = 5
# Within so many days the clock of a zone is put forward and back once each.
_DAYS = 366


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

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The place and the mend that a complaint of systemd-analyze verify leaves to the reader. Pure.

The words are those of systemd 247 to 262. Private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import List, NamedTuple, Pattern, Sequence

from .._syntax.rule import Problem

# What systemd takes as it stands and advises against.
ADVICE = re.compile(
    r"this is not safe|is obsolete, (?:automatically updating|replacing by)|is unsafe, as it disables|deprecated"
    r"|please (?:consider|use \S+ instead)",
    re.I,
)


class _Mend(NamedTuple):
    """What to do about a complaint, and where, if the complaint has no place. The first that fits counts."""

    complaint: Pattern[str]
    mend: str
    section: str = ""
    directive: str = ""


# A unit that is left with too little, be it that a line of it was dropped.
_LACKING = (
    _Mend(
        re.compile("Service has no ExecStart="), "only a oneshot with ExecStop= does without it", "Service", "ExecStart"
    ),
    _Mend(re.compile("has no Listen setting"), "add one", "Socket", "ListenStream"),
    _Mend(re.compile("Timer unit lacks value setting"), "add OnCalendar= or another time", "Timer", "OnCalendar"),
    _Mend(re.compile("Path unit lacks path setting"), "add PathExists= or another path", "Path", "PathExists"),
    _Mend(re.compile("has fatal error"), "mend the line that systemd complains of"),
)
_DBUS = "Type=dbus needs the name that the program takes on the bus"
_MENDS = (
    *_LACKING,
    _Mend(
        re.compile(r"more than one ExecStart= setting"),
        'write a list that begins with "", so that it takes the place of the earlier one',
        "Service",
        "ExecStart",
    ),
    _Mend(re.compile(r"isn't allowed for Type=oneshot"), "use on-failure, or leave it out", "Service", "Restart"),
    _Mend(re.compile(r"no D-Bus service name"), _DBUS, "Service", "BusName"),
    _Mend(re.compile(r"unit_watch_bus_name"), _DBUS, "Service", "BusName"),  # 247 stumbles over that
    _Mend(
        re.compile(r"Where= setting doesn't match unit name"),
        "name the unit as systemd-escape --path --suffix=mount says for that folder",
        "Mount",
        "Where",
    ),
    _Mend(re.compile(r"Neither a valid executable name nor an absolute path"), "give the whole path of the program"),
    _Mend(re.compile(r"is not absolute"), "begin it with /"),
    _Mend(re.compile(r"is not executable: No such file"), "install it, or mend the path"),
    _Mend(re.compile(r"is not executable: Permission denied"), "give it a mode that lets it be run, such as 0755"),
    _Mend(re.compile(r"Unit \S+ not found"), "declare it too, or mend its name"),
    _Mend(re.compile(r"does not match strict user/group name rules"), "give the name of a user or group that is there"),
    _Mend(re.compile(r", ignoring\b"), "systemd would drop this line, so mend or remove it"),
)


def mended(problems: Sequence[Problem]) -> List[Problem]:
    """Problems with their mends, without those that only follow from another one of the same unit."""
    faulty = {each.unit for each in problems if not ADVICE.search(each.message) and not _is_consequence(each)}
    return [_mended(each) for each in problems if not (each.unit in faulty and _is_consequence(each))]


def _is_consequence(problem: Problem) -> bool:
    return not problem.directive and any(each.complaint.search(problem.message) for each in _LACKING)


def _mended(problem: Problem) -> Problem:
    found = next((each for each in _MENDS if each.complaint.search(problem.message)), None)
    if found is None:
        return problem
    message = problem.message[: -len(" Refusing.")] if problem.message.endswith(" Refusing.") else problem.message
    section, directive = (problem.section, problem.directive) if problem.directive else (found.section, found.directive)
    return replace(problem, message=f"{message.rstrip('.')}: {found.mend}", section=section, directive=directive)

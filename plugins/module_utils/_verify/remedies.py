# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the words of systemd-analyze verify weigh, and the place and the mend that they leave to the reader. Pure.

The words are those of systemd 247 to 262. Private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import AbstractSet, List, NamedTuple, Sequence, Set, Tuple

from .._syntax.rule import Problem, Rule, Severity

_SOURCE = "systemd-analyze verify of the host"
VERIFY = Rule("verify", Severity.ERROR, "systemd refuses it, or would drop a line of it", "", _SOURCE)
# What an earlier task of the play would have put there: no fault of the unit, but nothing we could vouch for either.
MISSING = Rule("missing", Severity.UNVERIFIED, "it names something that is not there", "", _SOURCE)
ADVICE = Rule("advice", Severity.WARNING, "systemd takes it as it stands and advises against it", "", _SOURCE)
# The mildest first: of several wordings in one complaint that one counts.
_BY_WEIGHT = (ADVICE, MISSING, VERIFY)


class Wording(NamedTuple):
    """Words of systemd, and what they mean.

    words: a pattern. rule: how much they weigh. remedy: what to do, "" if the words say it. section, directive: where,
    if the complaint has no place. follows: the unit is left with too little, maybe since a line of it was dropped.
    """

    words: str
    rule: Rule = VERIFY
    remedy: str = ""
    section: str = ""
    directive: str = ""
    follows: bool = False

    def fits(self, message: str) -> bool:
        return re.search(self.words, message) is not None


_DBUS = "Type=dbus needs the name that the program takes on the bus"
# Of those that fit a complaint the mildest weighs, and the first that has a remedy mends.
WORDINGS: Tuple[Wording, ...] = (
    Wording(r"(?i)this is not safe", ADVICE),
    Wording(r"(?i)is obsolete, (?:automatically updating|replacing by)", ADVICE),
    Wording(r"(?i)is unsafe, as it disables", ADVICE),
    Wording(r"(?i)deprecated", ADVICE),
    Wording(r"(?i)please (?:consider|use \S+ instead)", ADVICE),
    Wording(
        "Service has no ExecStart=",
        VERIFY,
        "only a oneshot with ExecStop= does without it",
        "Service",
        "ExecStart",
        follows=True,
    ),
    Wording("has no Listen setting", VERIFY, "add one", "Socket", "ListenStream", follows=True),
    Wording(
        "Timer unit lacks value setting", VERIFY, "add OnCalendar= or another time", "Timer", "OnCalendar", follows=True
    ),
    Wording(
        "Path unit lacks path setting", VERIFY, "add PathExists= or another path", "Path", "PathExists", follows=True
    ),
    Wording("has fatal error", VERIFY, "mend the line that systemd complains of", follows=True),
    Wording(
        "more than one ExecStart= setting",
        VERIFY,
        'write a list that begins with "", so that it takes the place of the earlier one',
        "Service",
        "ExecStart",
    ),
    Wording("isn't allowed for Type=oneshot", VERIFY, "use on-failure, or leave it out", "Service", "Restart"),
    Wording("no D-Bus service name", VERIFY, _DBUS, "Service", "BusName"),
    Wording("unit_watch_bus_name", VERIFY, _DBUS, "Service", "BusName"),  # 247 stumbles over that
    Wording(
        "Where= setting doesn't match unit name",
        VERIFY,
        "name the unit as systemd-escape --path --suffix=mount says for that folder",
        "Mount",
        "Where",
    ),
    Wording("Neither a valid executable name nor an absolute path", VERIFY, "give the whole path of the program"),
    Wording("is not absolute", VERIFY, "begin it with /"),
    Wording("is not executable: No such file", MISSING, "install it, or mend the path"),
    Wording("is not executable: Permission denied", MISSING, "give it a mode that lets it be run, such as 0755"),
    Wording(r"Unit \S+ not found", MISSING, "declare it too, or mend its name"),
    Wording("does not match strict user/group name rules", VERIFY, "give the name of a user or group that is there"),
    Wording(r", ignoring\b", VERIFY, "systemd would drop this line, so mend or remove it"),
    Wording(r"(?i)is not executable", MISSING),
    Wording(r"(?i)Failed to (?:load|find)", MISSING),
    Wording(r"(?i)not found", MISSING),
    Wording(r"(?i)No such file or directory", MISSING),
    Wording(r"(?i)Unable to (?:locate|find)", MISSING),
)


def judged(problems: Sequence[Problem], going: AbstractSet[str]) -> List[Problem]:
    """What verify says, weighed and with mends, without what only follows from another complaint of the same unit.

    going: what this run itself takes away, and so no other task will bring.
    """
    weighed = [replace(each, rule=_rule(each, going)) for each in problems]
    faulty = {each.unit for each in weighed if each.rule is not ADVICE and not _follows(each)}
    return [_mended(each) for each in weighed if not (each.unit in faulty and _follows(each))]


def _rule(problem: Problem, going: AbstractSet[str]) -> Rule:
    if problem.rule is not VERIFY:  # it is no word of verify itself
        return problem.rule
    told = [wording.rule for wording in WORDINGS if wording.fits(problem.message)]
    rule = min(told, key=_BY_WEIGHT.index, default=VERIFY)
    return VERIFY if rule is MISSING and not going.isdisjoint(words_of(problem.message)) else rule


def words_of(message: str) -> Set[str]:
    """The words of a complaint, as names that may stand among them."""
    return {word.strip(".,:;'\"") for word in message.split()}


def _follows(problem: Problem) -> bool:
    return not problem.directive and any(each.follows and each.fits(problem.message) for each in WORDINGS)


def _mended(problem: Problem) -> Problem:
    found = next((each for each in WORDINGS if each.remedy and each.fits(problem.message)), None)
    if found is None:
        return problem
    message = problem.message[: -len(" Refusing.")] if problem.message.endswith(" Refusing.") else problem.message
    section, directive = (problem.section, problem.directive) if problem.directive else (found.section, found.directive)
    return replace(problem, message=f"{message.rstrip('.')}: {found.remedy}", section=section, directive=directive)

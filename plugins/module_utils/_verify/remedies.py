# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the words of systemd-analyze verify weigh, and the place and the mend that they leave to the reader. Pure.

The words are those of systemd 247 to 262. Private to the collection.
"""

from __future__ import annotations

import re
from typing import AbstractSet, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from .._syntax.directives import Catalogue
from .._syntax.kinds import kind_of
from .._syntax.names import misnamed, parse_name
from .._syntax.rule import Problem, Rule, Severity
from .shapes import shape

_SOURCE = "systemd-analyze verify of the host"
VERIFY = Rule("verify", Severity.ERROR, "systemd refuses it, or would drop a line of it", "", _SOURCE)
# What an earlier task of the play would have put there: no fault of the unit, but nothing we could vouch for either.
_NOT_FOUND = "declare it too, or mend its name"
MISSING = Rule("missing", Severity.UNVERIFIED, "it names something that is not there", "", _SOURCE)
ADVICE = Rule("advice", Severity.WARNING, "systemd takes it as it stands and advises against it", "", _SOURCE)
# syslog(3)
_WARNING, _NOTICE = 4, 5


class Wording(NamedTuple):
    """Words of systemd, and what they mean.

    words: a pattern that the complaint begins with, so that no value in it is taken for systemd's own words. rule: how
    much they weigh, None as their level says. remedy: what to do, "" if the words say it. section, directive: where, if
    the complaint has no place, without a section in that of the unit's type. follows: the unit is left with too little,
    maybe since a line of it was dropped.
    """

    words: str
    rule: Optional[Rule] = None
    remedy: str = ""
    section: str = ""
    directive: str = ""
    follows: bool = False

    def fits(self, message: str) -> bool:
        return re.match(self.words, message) is not None


_NO_QUOTES = "write it without quotes"
_DROPPED = "systemd would drop this line, so mend or remove it"
_BY_SHELL = (
    "a shell does that itself: write /bin/sh -c and all the rest in quotes, or say it by directives such as "
    "WorkingDirectory= and Environment="
)
_DBUS = "Type=dbus needs the name that the program takes on the bus"
# Those of systemd's texts (its load-fragment.c, service.c, unit.c and the like) whose level does not tell what they
# weigh, or that have a remedy. The first that fits counts.
WORDINGS: Tuple[Wording, ...] = (
    # Warnings about a line that is taken as it stands.
    Wording(r"Unit dependency type \S+= is obsolete, replacing by", ADVICE),
    Wording(r"Unit uses \S+=; please use", ADVICE),
    Wording(r"Unit (?:uses|configured to use) KillMode=none", ADVICE),
    Wording(r"Specifier \S+ used in unit configuration, which is deprecated", ADVICE),
    Wording(r"The !! modifier for \S+= lines is no longer supported", ADVICE),
    Wording(r"\S+= is deprecated", ADVICE),
    Wording("Accepting user/group name '[\"']", ADVICE, _NO_QUOTES),
    Wording(
        "Accepting user/group name",
        ADVICE,
        "systemd takes it, and the start fails unless a user or group of that name is there",
    ),
    Wording(
        r"Ignoring unknown escape sequences: .*\\\$",
        ADVICE,
        "systemd leaves such a backslash as it stands: write $ alone for a variable of the unit, $$ for a dollar sign",
    ),
    Wording(
        "Ignoring unknown escape sequences",  # it ignores what they are unknown for, and not the text
        ADVICE,
        "systemd leaves such a backslash as it stands, and in doubt it is doubled",
    ),
    Wording(
        "Cannot add dependency job, ignoring",
        ADVICE,
        "what wants it starts without it, so mend it, or take it out there",
        follows=True,
    ),
    # Notices and warnings that something is not loaded.
    Wording("Unit configuration has fatal error", VERIFY, "mend the line that systemd complains of", follows=True),
    Wording(r"Unit \S+ failed to load properly", VERIFY, "mend the line that systemd complains of", follows=True),
    Wording("Failed to open ", VERIFY),
    Wording("Found ordering cycle", VERIFY),
    Wording("Found dependency on", VERIFY),
    Wording("Job .+ deleted to break ordering cycle", VERIFY),
    # What leaves a unit with too little.
    Wording(
        "Service has no ExecStart=",
        VERIFY,
        "only a oneshot with ExecStop= does without it",
        "Service",
        "ExecStart",
        follows=True,
    ),
    Wording("Unit has no Listen setting", VERIFY, "add one", "Socket", "ListenStream", follows=True),
    Wording(
        "Timer unit lacks value setting", VERIFY, "add OnCalendar= or another time", "Timer", "OnCalendar", follows=True
    ),
    Wording(
        "Path unit lacks path setting", VERIFY, "add PathExists= or another path", "Path", "PathExists", follows=True
    ),
    Wording(
        "Service has more than one ExecStart= setting",
        VERIFY,
        'a list is the directive repeated, so write one command as one text, or a list that begins with "" if it shall '
        "take the place of an earlier one; what runs ahead of it is ExecStartPre=",
        "Service",
        "ExecStart",
    ),
    Wording(
        "Service has Restart= .*isn't allowed for Type=oneshot",
        VERIFY,
        "use on-failure, or leave it out",
        "Service",
        "Restart",
    ),
    Wording("What= setting is missing", VERIFY, "say what is mounted", "Mount", "What"),
    Wording("Service is of type D-Bus but no D-Bus service name", VERIFY, _DBUS, "Service", "BusName"),
    Wording(".*unit_watch_bus_name", None, _DBUS, "Service", "BusName"),  # 247 stumbles over that
    Wording(
        "Where= setting doesn't match unit name",
        VERIFY,
        "a unit for a folder has its path as its name",
        "",
        "Where",
    ),
    Wording(
        "Value of What= and unit name do not match",
        VERIFY,
        "a unit for a file has its path as its name",
        "",
        "What",
    ),
    Wording(
        r"Command \w+=.* is not executable",
        VERIFY,
        "a variable is set by Environment= or the option environment, or by /usr/bin/env in front of the program",
    ),
    Wording(
        r"Command \$.+ is not executable",
        VERIFY,
        "systemd puts no variable in the place of a program: write its path, or have a shell find it by /bin/sh -c",
    ),
    # Words that a shell does itself (POSIX, Shell Command Language), and no program.
    Wording(
        r"Command (?:\.|:|\{|!|alias|case|cd|eval|exit|export|for|if|readonly|set|shift|source|trap|ulimit|umask|unset"
        "|until|while) is not executable",
        VERIFY,
        _BY_SHELL,
    ),
    Wording(
        "DynamicUser= enabled for user unit, which is not supported",
        VERIFY,
        "leave it out, since a user's manager can run nothing as someone else",
        "Service",
        "DynamicUser",
    ),
    # What may still come.
    Wording(
        r"Command [^/\s]+ is not executable: No such file or directory$",
        MISSING,
        "install it, or write its whole path, since systemd looks for a mere name in /usr/local/bin and the like alone",
    ),
    Wording("Command .+ is not executable: No such file or directory$", MISSING, "install it, or mend the path"),
    Wording(
        "Command .+ is not executable: Permission denied$",
        MISSING,
        "give it a mode that lets it be run, such as 0755",
    ),
    Wording("Command .+ is not executable: Is a directory$", None, "name the program that is in it"),
    Wording(r"(?:Failed to create \S+: )?Unit \S+ not found", MISSING, _NOT_FOUND),
    # Lines that are dropped, or break the unit.
    Wording(r".*: Invalid slot$", VERIFY, "a percent sign that is meant as itself is written %%"),
    Wording(
        r"Failed to parse calendar specification, ignoring: .*[A-Za-z]/[A-Za-z_]+$",
        VERIFY,
        "the time zone at its end, where the option timezone puts it, is one of `timedatectl list-timezones`, and what "
        "is before it as `systemd-analyze calendar` of the host takes it",
    ),
    Wording(
        r"Invalid environment assignment, ignoring: (?:[0-9]|[^=\s]*[^\w=\s])[^=\s]*=",
        VERIFY,
        "a variable's name has letters, digits and underscores alone, and no digit in front",
    ),
    Wording(
        r"Invalid user/group name or numeric ID: [^:\s]+:[^:\s]+",
        VERIFY,
        "a user and a group are two directives, User= and Group=",
    ),
    Wording(
        "Invalid syntax, ignoring",
        VERIFY,
        "close each quote, and double a backslash that is meant as itself",
    ),
    Wording("Invalid environment assignment", VERIFY, "put double quotes around an assignment that holds a blank"),
    Wording(
        r"Neither a valid executable name nor an absolute path: \$.+",
        VERIFY,
        "systemd puts no variable in the place of a program: write its path, or have a shell find it by /bin/sh -c",
    ),
    Wording(
        "Neither a valid executable name nor an absolute path: ~",
        VERIFY,
        "systemd puts no home in the place of ~: write the whole path, or for units of a user %h",
    ),
    Wording(
        "(?:System call |(?:Unknown system call group|Failed to parse (?:system call|address family)), ignoring: )~",
        VERIFY,
        "a ~ stands in front of the first word alone and inverts its whole line, so make of the several lines a list",
    ),
    Wording("Empty path in command line", VERIFY, "what is in front of a program stands there without a blank"),
    Wording(
        "Empty executable name or zeroeth argument", VERIFY, "with @ the name that it is to have follows the program"
    ),
    Wording(
        "(?:Runtime|State|Cache|Logs|Configuration)Directory= path is absolute",
        VERIFY,
        "it is below /run, /var/lib, /var/cache, /var/log or /etc by itself: leave that out",
    ),
    Wording(r"\S+ path is not normalized", VERIFY, "write it without . and .. in it"),
    Wording("Failed to load slice unit .* is not valid", VERIFY, "the name of a slice ends in .slice"),
    Wording("Failed to parse CPU affinity", None, "CPUs are numbers and ranges, such as 0-3 5"),
    Wording(
        "Neither a valid executable name nor an absolute path",
        VERIFY,
        "give its whole path, which begins with /",
    ),
    Wording(
        r".* path is not absolute\b.*: ~",
        VERIFY,
        "systemd puts no home in the place of ~: write the whole path, or for units of a user %h",
    ),
    Wording(
        r".* path is not absolute\b.*: -?[\"']",
        VERIFY,
        "it is read to the end of the line, blanks and all, so write it without quotes",
    ),
    Wording(
        r".* path is not absolute\b.*: -?\$",
        VERIFY,
        "systemd puts no variable in the place of a path: write it out",
    ),
    Wording(
        r"What= path is not absolute\b.*: (?:PART)?(?:UUID|LABEL)=",
        VERIFY,
        "a swap takes the device by its path alone, such as /dev/disk/by-uuid/ or by-label/ with that behind it",
    ),
    Wording(r"\S+ path is not absolute", VERIFY, "begin it with /"),
    Wording(
        "Failed to add dependency on .*, ignoring: Invalid argument",
        VERIFY,
        "write the whole name of a unit, with its type, such as network.target; a blank separates several",
    ),
    Wording(
        "Unbalanced quoting", VERIFY, "close the quote that it opens, or write \\\" or \\' for the character itself"
    ),
    Wording(r".*, ignoring\b", None, _DROPPED),
)
# Complaints of one line that differ in the word alone that they are about.
_OF_WORD = (
    re.compile(r"(?P<before>Failed to add dependency on )(?P<word>[^\s,]+)(?P<behind>,.*)$"),
    re.compile(r"(?P<before>.*, ignoring(?: assignment)?: )(?P<word>.+)(?P<behind>)$"),
)
# What is behind it is meant for a comment, in a value that has no room for words.
_COMMENTED = re.compile(r".*\S\s+[#;](?:\s|[A-Za-z])")
# In quotes, which few directives take, as systemd has it in the words of one version or another.
_QUOTED = re.compile(r".*(?:[=:] ?|')([\"'])[^\"']+\1'?(?:, ignoring\b.*)?$")
_NO_COMMENT = "a comment has a line of its own, above this one"


def weight(message: str, level: int, placed: bool) -> Rule:
    """What a complaint weighs, by its words or else by its level.

    placed: it is about a line of a file. Of such a line a warning says that it is dropped; of a unit, that something in
    it has no effect, and systemd takes it. A notice says how something is taken.
    """
    told = next((wording.rule for wording in WORDINGS if wording.rule and wording.fits(message)), None)
    if told is not None:
        return told
    return VERIFY if level < _NOTICE and (placed or level < _WARNING) else ADVICE


def judged(
    problems: Sequence[Problem],
    going: AbstractSet[str],
    of_users: bool = False,
    catalogue: Optional[Catalogue] = None,
) -> List[Problem]:
    """What verify says, with mends, without what only follows from another complaint of the same unit.

    going: what this run itself takes away, and so no other task will bring. of_users: users' managers run the units.
    catalogue: the directives that the host knows, with their types.
    """
    weighed = [each._replace(rule=VERIFY) if _is_taken_away(each, going) else each for each in problems]
    faulty = {each.unit for each in weighed if each.rule is not ADVICE and not _follows(each)}
    kept = [each for each in weighed if not (_follows(each) and not faulty.isdisjoint(_kin(each.unit)))]
    mended = _told_once(kept, catalogue)
    return [_of_users(each) for each in mended] if of_users else mended


def _told_once(problems: Sequence[Problem], catalogue: Optional[Catalogue]) -> List[Problem]:
    """With mends; what is said of several words of a value is said once, of all of them."""
    words: Dict[Tuple[Problem, str, str], Dict[str, None]] = {}
    for problem in problems:
        mended = _mended(problem, catalogue)
        found = next(filter(None, (pattern.match(problem.message) for pattern in _OF_WORD)), None)
        if found is None:
            words[(mended, "", "")] = {mended.message: None}
            continue
        before, word, behind = found.group("before", "word", "behind")
        behind += mended.message[len(problem.message) :]
        words.setdefault((mended._replace(message=""), before, behind), {})[word] = None
    return [
        problem._replace(message=before + ", ".join(said) + behind) for (problem, before, behind), said in words.items()
    ]


def _of_users(problem: Problem) -> Problem:
    if not problem.message.endswith(_NOT_FOUND):
        return problem
    return problem._replace(message=f"{problem.message} (a user's manager knows no units of the system)")


def beside(doubts: Sequence[Problem], said: Sequence[Problem]) -> List[Problem]:
    """The doubts without what verify has said already: where a whole command is a shell's, so is what is in it."""
    whole = (each for each in said if each.message.endswith(_BY_SHELL))
    told = {(unit, each.section, each.directive) for each in whole for unit in _kin(each.unit)}
    places = ((each, (each.unit, each.section, each.directive)) for each in doubts)
    return [each for each, place in places if not (each.rule.id == "shell" and place in told)]


def is_of_line(problem: Problem) -> bool:
    """Is it about a line as it stands, and not about what a unit as a whole has or lacks?"""
    if problem.rule.of_line:
        return True
    whole = any(each.directive and each.fits(problem.message) for each in WORDINGS)
    return problem.rule is VERIFY and bool(problem.directive) and not whole


def _kin(unit: str) -> Tuple[str, ...]:
    """A unit, and the template that it is an instance of."""
    template = parse_name(unit).template if unit and not misnamed(unit) else None
    return (unit, template) if template else (unit,)


def _is_taken_away(problem: Problem, going: AbstractSet[str]) -> bool:
    return problem.rule is MISSING and not going.isdisjoint(words_of(problem.message))


def words_of(message: str) -> Set[str]:
    """The words of a complaint, as names that may stand among them."""
    return {word.strip(".,:;'\"") for word in message.split()}


def _follows(problem: Problem) -> bool:
    return not problem.directive and any(each.follows and each.fits(problem.message) for each in WORDINGS)


def _place(found: Wording, unit: str) -> Tuple[str, str]:
    own = kind_of(unit).section if found.directive and unit else ""
    return found.section or own, found.directive


def _mended(problem: Problem, catalogue: Optional[Catalogue]) -> Problem:
    found = next((each for each in WORDINGS if each.remedy and each.fits(problem.message)), None)
    if found is None:
        return problem
    message = problem.message[: -len(" Refusing.")] if problem.message.endswith(" Refusing.") else problem.message
    section, directive = (problem.section, problem.directive) if problem.directive else _place(found, problem.unit)
    if problem.rule.remedy and message.endswith(problem.rule.remedy):  # what that rule says of it is enough
        return problem._replace(section=section, directive=directive)
    kind = catalogue.type_of(section, directive) if catalogue else None
    remedy = (shape(directive, kind) if found.remedy == _DROPPED else "") or found.remedy
    if found.remedy == _DROPPED and _QUOTED.match(message):
        remedy = _NO_QUOTES
    if _COMMENTED.match(message) and not directive.startswith("Exec"):
        remedy = _NO_COMMENT
    return problem._replace(message=f"{message.rstrip('.')}: {remedy}", section=section, directive=directive)

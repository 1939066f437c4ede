# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is written as other formats have it, and means something else in a unit: cron, compose files, shells. Pure.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, List, Mapping, Sequence, Tuple

from .._syntax import values
from .._syntax.kinds import KINDS
from .._syntax.rule import Problem, Refused, Rule, Severity, shown
from .._syntax.unitfile import LISTS_OF_UNITS
from .._syntax.words import apart

Assignments = Sequence[Tuple[str, str]]

_CRON = Rule(
    "calendar",
    Severity.ERROR,
    "{value} is a schedule of cron, which OnCalendar= does not take",
    "{remedy}",
    "systemd.time(7), calendar events; crontab(5)",
)
_WORDS = Rule(
    "command-words",
    Severity.ERROR,
    "a list is the directive repeated, and these look like the words of one command",
    "write one text, {command}",
    "systemd.service(5), Command lines",
)
_NAMES = Rule(
    "unit-list",
    Severity.ERROR,
    "{value} is not how names of units are listed",
    "blanks stand between them, and nothing else: {names}",
    "systemd.unit(5)",
    of_line=True,
)
_COMMENT = Rule(
    "unit-list",
    Severity.ERROR,
    "what is behind {sign} would be read as names of units as well",
    "a comment has a line of its own, above this one",
    "systemd.syntax(7)",
    of_line=True,
)
# What no name of a unit can hold, and a list of another format has.
_BETWEEN = re.compile(r"[\s,\[\]]+")
# What begins a comment where one may stand.
_SIGN = re.compile(r"(?:^|\s)([#;])")
# What no command begins with: an option of a program, a signal, a variable. systemd takes one dash off, and what is
# left is the name of no program.
_NO_PROGRAM = re.compile(r"--\S|-[A-Za-z0-9]$|-[A-Z0-9]+$|\$")
_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def of_lines(unit: str, sections: Sequence[Tuple[str, Assignments]]) -> Iterator[Problem]:
    """Values in a text, structured or not."""
    for section, assignments in sections:
        lists = LISTS_OF_UNITS.get(section, ())
        for directive, value in assignments:
            if (section, directive) == ("Timer", "OnCalendar"):
                remedy = _calendar(value)
                if remedy:
                    yield _CRON.problem(unit, section, directive, value=shown(value), remedy=remedy)
            elif directive in lists:
                yield from _of_names(unit, section, directive, value)
            elif directive == "Environment":
                said = _cut_short(value)
                if said:
                    yield values.ENVIRONMENT.said(said, unit, section, directive)


def _of_names(unit: str, section: str, directive: str, value: str) -> Iterator[Problem]:
    comment = _SIGN.search(value)
    if comment:
        yield _COMMENT.problem(unit, section, directive, sign=comment.group(1))
    elif set(value) & set(",[]"):
        found = " ".join(word.strip("\"'") for word in _BETWEEN.split(value) if word)
        yield _NAMES.problem(unit, section, directive, value=shown(value), names=shown(found))


def of_lists(params: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    """A command as a list of its words."""
    given = params.get(kind) or {}
    for directive, value in given.items():
        if not str(directive).startswith("Exec") or not isinstance(value, (list, tuple)):
            continue
        single = directive == "ExecStart" and given.get("Type") != "oneshot" and "dropin" not in params
        items = [each for each in value if isinstance(each, str) and each]
        if len(items) == len(value) - value.count("") and _are_words(items, single):
            command = shown(" ".join(_quoted(each) for each in items))
            yield _WORDS.problem(str(params["name"]), KINDS[kind].section, str(directive), command=command)


def _are_words(items: Sequence[str], single: bool) -> bool:
    """single: there may be one command only."""
    if len(items) < 2 or re.search(r"\s", items[0]):
        return False
    if any(_NO_PROGRAM.match(each) for each in items[1:]):
        return True
    return single and not all(apart(each)[1].startswith("/") and re.search(r"\s", each) for each in items[1:])


def _quoted(word: str) -> str:
    if not re.search(r"[\s\"'\\]", word) and word != ";":
        return word
    return '"' + re.sub(r'(["\\])', r"\\\1", word) + '"'


def _cut_short(value: str) -> str:
    """What is wrong with a text for Environment= that has a blank where it is not meant to end an assignment.

    Never the value, which may be a secret. What has quotes or specifiers is for systemd to read.
    """
    if re.search(r"[\"'\\%]", value):
        return ""
    words = value.split()
    stray = [position for position, word in enumerate(words) if "=" not in word]
    if not stray:
        return ""
    if stray[0] == 0:
        return "it does not begin with an assignment: write NAME=value, or a mapping, or use the option environment"
    name = _names(words[: stray[0]])[-1:] or ["it"]
    return (
        f"a blank ends the value of {name[0]}, so what follows would be dropped: put double quotes around the whole "
        "assignment, name and all, or write a mapping, or use the option environment"
    )


def _names(words: Sequence[str]) -> List[str]:
    return [word.partition("=")[0] for word in words if _ASSIGNED.match(word)]


def _calendar(value: str) -> str:
    """What to write in the place of a line of cron, "" if it is none."""
    from .._syntax import cron  # noqa: PLC0415 (only where there is a timer)

    if not cron.looks_like_cron(value):
        return ""
    try:
        found = [shown(each) for each in cron.calendars(cron.parse(value.strip().strip("'\"")))]
    except Refused as refused:
        return str(refused)
    return f"write {found[0]}" if len(found) == 1 else f"write the list [{', '.join(found)}]"

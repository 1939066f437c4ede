# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Values of variables that systemd takes as they are, and hardly anyone means so. Pure.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Container, Iterator, List, Mapping, Sequence, Set

from .._host.manager import PATH
from .._syntax.kinds import kind_of
from .._syntax.rule import Problem, Rule, Severity, shown
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Entry
from .._syntax.words import Word, split
from .shells import GIVEN

_AS_IT_IS = Rule(
    "environment-variable",
    Severity.WARNING,
    "systemd puts no variable into the value of another, so the program gets {word} in {name} as it is",
    "write it out{such}",
    "systemd.exec(5), Environment=",
    of_line=True,
)
_OPEN = Rule(
    "environment-secret",
    Severity.WARNING,
    "{name} has what looks like a secret, and a unit's file, in which this is, can be read by everyone on the host",
    "put it under secrets",
    "systemd.exec(5), Environment=; the option secrets",
    of_line=True,
)
_PARTED = Rule(
    "environment-parted",
    Severity.WARNING,
    "the {sign} behind it becomes a part of the value of {name}",
    "leave it out, as blanks alone stand between assignments, or put that assignment in double quotes if it is meant",
    "systemd.exec(5), Environment=",
    of_line=True,
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
# Where a value goes on as the path that a variable is, or a list of paths: other texts may be for the program to fill.
_AS_PATH = re.compile(r"(?:^|(?<=:))\$(?:\{(\w+)\}|(\w+))(?=[/:]|$)")
# Names that say what is in them. What ends otherwise, as in _FILE, _URL or _TTL, says where it is, or how long; PWD
# alone is the folder that a program is in (environ(7)).
_SECRET = re.compile(
    r".*_PWD|(?:.*_)?(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_?KEY(?:_BASE)?|(?:API|ACCESS|AUTH|BEARER|BOT)?_?TOKEN"
    r"|(?:API|PRIVATE|ENCRYPTION|SIGNING|MASTER)_?KEY|SECRET_ACCESS_KEY|CREDENTIALS?)",
    re.IGNORECASE,
)
_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:(?!\$)[^/\s@]+@")
# A path, an address, a number, a switch, or what the program itself fills.
_NO_SECRET = re.compile(r"|[/~@%$].*|[a-z][a-z0-9+.-]*:.*|\d+|(?:yes|no|on|off|true|false|none|null)", re.IGNORECASE)


def as_they_are(unit: str, entries: Sequence[Entry]) -> Iterator[Problem]:
    """Variables that a shell would fill in. entries: what one text says."""
    found = _assigned(unit, entries)
    known = {*found, *GIVEN}
    for name, value in found.items():
        word = _meant(name, value, known)
        if word:
            whole = name == "PATH" and word in ("$PATH", "${PATH}")
            such = f", such as {shown(value.replace(word, PATH))}" if whole else ""
            yield _AS_IT_IS.problem(unit, kind_of(unit).section, "Environment", name=name, word=word, such=such)


def parted(unit: str, entries: Sequence[Entry]) -> Iterator[Problem]:
    """Assignments with something else than a blank between them."""
    for words in _words(unit, entries):
        for word, following in zip(words, words[1:]):
            if word.raw[-1] in ",;" and "=" in word.raw and "=" in following.raw:
                told = {"name": word.text.partition("=")[0], "sign": word.raw[-1]}
                yield _PARTED.problem(unit, kind_of(unit).section, "Environment", **told)


def open_secrets(unit: str, entries: Sequence[Entry], hidden: Container[str]) -> Iterator[Problem]:
    """hidden: variables that are under secrets as well, of which that is said."""
    for name, value in _assigned(unit, entries).items():
        is_named = _SECRET.fullmatch(name) and not _NO_SECRET.fullmatch(value)
        if (is_named or _WITH_PASSWORD.match(value)) and name not in hidden:
            yield _OPEN.problem(unit, kind_of(unit).section, "Environment", name=name)


def _assigned(unit: str, entries: Sequence[Entry]) -> Mapping[str, str]:
    parts = (word.text.partition("=") for words in _words(unit, entries) for word in words)
    return {name: value for name, sign, value in parts if sign}


def _words(unit: str, entries: Sequence[Entry]) -> Iterator[List[Word]]:
    """The words of each line; of one with a quote that is open verify complains."""
    section = kind_of(unit).section
    for each in entries:
        if (each.section, each.directive) == (section, "Environment"):
            try:
                yield split(in_value(each.value, unit))
            except ValueError:
                continue


def _meant(name: str, value: str, known: Set[str]) -> str:
    """The variable that is meant to be filled in, as it is written."""
    for found in _VARIABLE.finditer(value):
        if name in found.groups():
            return found.group()
    for found in _AS_PATH.finditer(value):
        if not known.isdisjoint(filter(None, found.groups())):
            return found.group()
    return ""

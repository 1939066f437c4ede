# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Unit files as text and as data: parse, render, and merge with drop-ins as systemd does.

What is not in systemd.syntax(7) was measured on systemd 247, 252, 257 and 262. Private to the collection.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar

from .characters import LINE_MAX, WHITESPACE, continues, refuse_unwritable, refuse_value
from .former import PRESENT_NAMES, present
from .kinds import KINDS
from .rule import Refused, Rule, Severity, shown

SYNTAX = Rule(
    "syntax",
    Severity.ERROR,
    "systemd would not read this line, or not as it is meant",
    "the message says which line it is, and how it is written",
    "systemd.syntax(7)",
)

# Otherwise a comment could hide an assignment.
_HIDDEN_BREAK = re.compile(r"\x00|\r(?!\n)")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_TORN = re.compile(r"\\[ \t]+$")
# What no line of a unit begins with, and the options of a program do.
_OPTION = re.compile(r"\s*--?[A-Za-z]")
_OF_JINJA = ("{%", "{{", "{#")
_HEADER = re.compile(r"\[([^\]\[\"'\\]+)\]")


_Kept = TypeVar("_Kept")


class Entry(NamedTuple):
    """One assignment; `line` is where it starts, counted from 1."""

    section: str
    directive: str
    value: str
    line: int


def parse(text: str) -> Tuple[Entry, ...]:
    """Read a unit file as systemd does, values byte for byte as systemd sees them.

    A comment is a line that starts with # or ;, also in the middle of a continuation. A backslash at the end of
    a line becomes one space, and the next line is added as it is. Lines of an X- section that assign nothing are
    skipped, as systemd skips them. Raises Refused, with the line, where systemd would fail or drop the line.
    """
    entries, complaint = _parsed(text)
    if complaint:
        raise Refused(complaint)
    return entries


@lru_cache(maxsize=None)
def _parsed(text: str) -> Tuple[Tuple[Entry, ...], str]:
    """The assignments, or what is wrong with the text.

    A text is read once in a run, though it comes by several ways: as declared, as it lies on the host, as it will.
    """
    try:
        return tuple(_assignments(text)), ""
    except Refused as refused:
        return (), str(refused)


def _assignments(text: str) -> Iterator[Entry]:
    hidden = _HIDDEN_BREAK.search(text)
    if hidden:
        number = text.count("\n", 0, hidden.start()) + 1
        raise Refused(f"line {number}: contains a NUL or a lone carriage return, which systemd takes for a line break")
    section = ""
    for number, line in _lines(text):
        try:
            if line.startswith("["):
                section = _section(line)
                continue
            entry = _assignment(section, line, number)
        except Refused as error:
            raise Refused(f"line {number}: {error}") from None
        if entry:
            yield entry


def refuse_torn(text: str) -> None:
    """Raise Refused for a line that shall go on in the next, and does not.

    A blank follows its backslash, or another backslash, as in what a shell was to write. systemd reads on with the next
    line as one of its own, and complains of that if at all.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    for number, raw in enumerate(lines, 1):
        if raw.lstrip(WHITESPACE).startswith(("#", ";")):
            continue
        if _TORN.search(raw):
            raise Refused(f"line {number}: a blank follows the backslash at its end, so it does not go on: take it out")
        if raw.endswith("\\\\") and _OPTION.match("".join(lines[number : number + 1])):
            raise Refused(f"line {number}: two backslashes at its end are one of its text, so leave out one to go on")


def _lines(text: str) -> Iterator[Tuple[int, str]]:
    """The logical lines that are neither empty nor comments, stripped, with the number of their first line."""
    start = 0
    parts: List[str] = []
    text = text[1:] if text.startswith("\ufeff") else text
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = raw.strip(WHITESPACE)
        if line.startswith(("#", ";")):
            continue
        if not parts:
            start = number
        if continues(raw):
            parts.append(raw[:-1] + " ")
            continue
        if parts:
            line = "".join([*parts, raw]).strip(WHITESPACE)
            parts = []
        if line:
            yield start, line
    if parts:
        yield start, "".join(parts).strip(WHITESPACE)


@lru_cache(maxsize=None)
def _section(line: str) -> str:
    match = _HEADER.fullmatch(line)
    if not match:
        raise Refused(f"{shown(line[:80])} is not a section header: write it as '[Service]', alone on its line")
    refuse_unwritable(match.group(1), "the section header")
    return match.group(1)


@lru_cache(maxsize=None)
def _assignment(section: str, line: str, number: int) -> Optional[Entry]:
    """The units of a stack have most of their lines in common."""
    name, equals, value = line.partition("=")
    name = name.rstrip(WHITESPACE)
    if section.startswith("X-") and not (equals and name):
        return None
    if line.startswith(".include"):
        raise Refused(
            ".include is no more (since systemd 246): give the whole text, or declare a dropin over that unit"
        )
    if line.startswith(_OF_JINJA):
        raise Refused("it is Jinja's, which systemd does not know: have it filled in, as by lookup('template', ...)")
    if not equals or not name:
        # The line itself is not repeated: a stray line may be the second half of a secret.
        raise Refused("neither 'Directive=value', nor a [Section], nor a comment: systemd would ignore this line")
    if not section:
        raise Refused(
            f"{shown(name[:80])} is assigned before the first section: put a '[Service]' or the like above it"
        )
    if not line.isprintable():
        refuse_unwritable(name, "the directive's name")
        refuse_unwritable(value, f"the value of {name}=")
    _refuse_long(line, name)
    return Entry(section, name, value.lstrip(WHITESPACE), number)


def _refuse_long(line: str, name: str) -> None:
    # A character has at most four bytes.
    if len(line) * 4 >= LINE_MAX and len(line.encode("utf-8")) >= LINE_MAX:
        raise Refused(
            f"the line of {name}= reaches systemd's limit of {LINE_MAX} bytes: split it, or move it to a file"
        )


Section = Tuple[str, Sequence[Tuple[str, str]]]


def render(sections: Sequence[Section], header: Sequence[str] = ()) -> str:
    """Write a unit file: comment lines, then each (section, ((directive, value), ...)) in the order given.

    What is rendered parses back to the same assignments. Raises Refused for what would not: a line break or
    control character, white space around a value, a backslash at its end, a name that is no name, a line that is
    too long.
    """
    blocks: List[str] = []
    if header:
        for line in header:
            refuse_unwritable(line, "a line of the header")
        blocks.append("".join(f"# {line}".rstrip(" ") + "\n" for line in header))
    for section, assignments in sections:
        if not _NAME.fullmatch(section):
            raise Refused(f"{shown(section)} cannot name a section: only letters, digits and '-'")
        lines = [f"[{section}]"]
        lines.extend(_render_line(directive, value) for directive, value in assignments)
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


@lru_cache(maxsize=None)
def _render_line(directive: str, value: str) -> str:
    if not _NAME.fullmatch(directive):
        raise Refused(f"{shown(directive)} cannot name a directive: only letters, digits and '-'")
    refuse_value(value, f"the value of {directive}=")
    line = f"{directive}={value}"
    _refuse_long(line, directive)
    return line


_UNIT_DEPENDENCIES = frozenset(
    """
    After Before Wants Requires Requisite BindsTo PartOf Upholds Conflicts OnSuccess OnFailure
    PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo
    StopPropagatedFrom JoinsNamespaceOf RequiresOverridable RequisiteOverridable
    """.split()
)
# Directives that hold names of units, parted by blanks (systemd.unit(5)).
LISTS_OF_UNITS: Dict[str, FrozenSet[str]] = {
    "Unit": _UNIT_DEPENDENCIES.union(old for old, name in PRESENT_NAMES.items() if name in _UNIT_DEPENDENCIES),
    "Install": frozenset(("WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also")),
}
# Dependencies only ever add up: an empty assignment leaves them as they are (systemd.unit(5), measured).
_ADD_ONLY: Dict[str, FrozenSet[str]] = {
    "Unit": _UNIT_DEPENDENCIES | {"RequiresMountsFor", "WantsMountsFor"},
    "Install": frozenset(["Also"]),
    **{row.section: row.own.lists.added_only for row in KINDS.values()},
}

# An empty assignment to one of these empties all of its line (systemd.exec(5)).
_EXEC_RESET_TOGETHER = (
    frozenset(("BindPaths", "BindReadOnlyPaths")),
    frozenset(("StandardInputText", "StandardInputData")),
    frozenset(("LoadCredential", "LoadCredentialEncrypted")),
    frozenset(("SetCredential", "SetCredentialEncrypted")),
    frozenset(("IOSchedulingClass", "IOSchedulingPriority")),
)
_RESET_TOGETHER: Dict[str, Tuple[FrozenSet[str], ...]] = {
    row.section: (row.own.lists.reset_together, *(_EXEC_RESET_TOGETHER if row.runs_commands else ()))
    for row in KINDS.values()
}
# The same by the beginning of the name (systemd.unit(5)).
_RESET_BY_PREFIX: Dict[str, Tuple[str, ...]] = {
    "Unit": ("Condition", "Assert"),
    **{row.section: (row.own.lists.reset_by_prefix,) for row in KINDS.values() if row.own.lists.reset_by_prefix},
}


# Section to directive to the values in force. It is shared by all who ask for it, so nobody changes it.
Effective = Mapping[str, Mapping[str, Sequence[str]]]


def effective(files: Sequence[Sequence[Entry]]) -> Effective:
    """Merge a fragment and its drop-ins, in order, to section -> directive -> the values in force.

    A directive is found by the name that it has by now, whichever a file has it by.

    Lists are whole; of a scalar the last value counts. A directive that was reset and not set again is there
    with no values, which differs from its absence for a few (CapabilityBoundingSet=, Delegate=). Every empty
    assignment counts as a reset but those of dependencies; that systemd warns of it for booleans, spans and the
    like, and keeps the earlier value, takes the directive's type (values.to_values refuses those).
    """
    return _merge((entry, entry.value) for file in files for entry in file)


class Placed(NamedTuple):
    """A value in force, and where it is assigned."""

    value: str
    path: str
    line: int


def origins(files: Mapping[str, Sequence[Entry]]) -> Mapping[str, Mapping[str, Sequence[Placed]]]:
    """The same with the file and line of each value; files by path, in order."""
    placed = ((entry, Placed(entry.value, path, entry.line)) for path, file in files.items() for entry in file)
    return _merge(placed)


def _merge(assignments: Iterable[Tuple[Entry, _Kept]]) -> Dict[str, Dict[str, List[_Kept]]]:
    """What is kept of each assignment that counts."""
    merged: Dict[str, Dict[str, List[_Kept]]] = {}
    for entry, kept in assignments:
        name, directive = present(entry.section, entry.directive)
        section = merged.setdefault(name, {})
        if entry.value:
            section.setdefault(directive, []).append(kept)
        elif not adds_only(name, directive):
            section[directive] = []
            for other in section:
                if _reset_together(name, directive, other):
                    section[other] = []
    return merged


def adds_only(section: str, directive: str) -> bool:
    """Is it one that an empty assignment leaves as it is?"""
    section, directive = present(section, directive)
    return directive in _ADD_ONLY.get(section, frozenset())


def is_reset_by(section: str, directive: str, entry: Entry) -> bool:
    """Does an assignment that comes later leave nothing of the values of a directive?"""
    if entry.value or entry.section != section or adds_only(section, entry.directive):
        return False
    return entry.directive == directive or _reset_together(section, entry.directive, directive)


@lru_cache(maxsize=None)
def alone(text: str) -> Effective:
    """The text in force of a unit that has one file. Raises Refused as `parse` does."""
    return effective([parse(text)])


def _reset_together(section: str, directive: str, other: str) -> bool:
    if any(directive.startswith(each) and other.startswith(each) for each in _RESET_BY_PREFIX.get(section, ())):
        return True
    return any(directive in group and other in group for group in _RESET_TOGETHER.get(section, ()))

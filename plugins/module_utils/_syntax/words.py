# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A value's words, as systemd takes it apart with quotes and C escapes. Private to the collection."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Tuple

# Directives whose values are commands (systemd.service(5), systemd.socket(5)).
COMMANDS = (
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecReloadPost",
    "ExecStop",
    "ExecStopPre",
    "ExecStopPost",
)
# systemd.syntax(7), "Quoting"; \s is a blank.
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\\"'s]))")
_LETTERS = dict(zip("abfnrtvs", "\a\b\f\n\r\t\v "))
_BLANKS = " \t\n\r"
# An escape that is none, all up to what may mean something, or that itself.
_PIECE = re.compile(rf"\\.|[^{_BLANKS}'\"\\]+|.", re.DOTALL)
# No word is as for a shell without one of these; an escape may stand for one.
TELLING = re.compile(r"[|&<>`$~*\\;#]|sh\s.*-[A-Za-z]*c\s")


class Word(NamedTuple):
    """raw: as it is written. text: without its quotes, its escapes undone."""

    raw: str
    text: str

    @property
    def is_quoted(self) -> bool:
        """Does it begin in quotes, or with an escape, so that nothing but the character itself is meant?"""
        return self.raw[:1] in "\"'\\"


def split(value: str) -> List[Word]:
    """The words of ExecStart=, Environment= and the like (systemd's extract_first_word()).

    An escape that is none stays as it is. Raises ValueError where a quote is not closed.
    """
    found: List[Word] = []
    raw = text = quote = ""
    position = 0
    while position < len(value):
        char = value[position]
        if not quote and char in _BLANKS:
            if raw:
                found.append(Word(raw, text))
            raw = text = ""
            position += 1
            continue
        piece, meant = _piece(value, position)
        if char in ("'", '"') and quote in ("", char):
            quote, meant = "" if quote else char, ""
        raw += piece
        text += meant
        position += len(piece)
    if quote:
        raise ValueError(f"{quote} is not closed")
    return [*found, Word(raw, text)] if raw else found


def commands(value: str) -> List[List[Word]]:
    """The commands of one line, which a ; of its own stands between (systemd.service(5), Command lines).

    None where a quote is not closed, of which verify complains.
    """
    try:
        words = split(value)
    except ValueError:
        return []
    found: List[List[Word]] = [[]]
    for word in words:
        if word.raw == ";":
            found.append([])
        else:
            found[-1].append(word)
    return [command for command in found if command]


def apart(program: str) -> Tuple[str, str]:
    """The characters before the program of a command, and itself (systemd.service(5), Command lines)."""
    path = program.lstrip("@-:+!|")
    return program[: len(program) - len(path)], path


def _piece(value: str, position: int) -> Tuple[str, str]:
    """The next escape, or what is as it stands, and what it stands for."""
    escape = _ESCAPE.match(value, position)
    if escape is None:
        same = _PIECE.match(value, position)[0]  # type: ignore[index]  # it takes any character
        return same, same
    *numbers, octal, letter = escape.groups()
    if letter:
        return escape.group(), _LETTERS.get(letter, letter)
    number = int(octal, 8) if octal else int(next(filter(None, numbers)), 16)
    return escape.group(), chr(number) if number <= 0x10FFFF else escape.group()

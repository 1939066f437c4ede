# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Characters that pages of the web and editors put in the place of a hyphen, a quote or a blank. Pure.

systemd takes them as they are: what follows is no option, is not quoted, or is the same word. Private to the
collection.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Iterator, Sequence

from .._syntax.rule import Problem, Rule, Severity
from .._syntax.unitfile import Entry
from .._syntax.words import COMMANDS, split

_LOOK_ALIKE = Rule(
    "look-alike",
    Severity.WARNING,
    "it has the character {name} (U+{code}), which systemd takes as it is",
    "{mend}",
    "systemd.syntax(7)",
)
_MENDS = {
    **dict.fromkeys("\u2010\u2011", "write a hyphen"),
    **dict.fromkeys("\u2012\u2013\u2014\u2015\u2212", "write a hyphen, or two of them"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f", 'write a quote (")'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b", "write a quote (')"),
    **dict.fromkeys("\u00a0\u2007\u202f", "write a blank"),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", "take it out"),
}
# Nobody means these within a word either, unless it is in quotes.
_ANYWHERE = re.compile("[\u00a0\u2007\u202f\u200b-\u200d\u2060\ufeff\u2010\u2011]")
# What is for people to read.
_PROSE = frozenset(("Description",))


def look_alikes(unit: str, entries: Sequence[Entry]) -> Iterator[Problem]:
    """The first of each line. entries: what one text says."""
    for each in entries:
        found = "" if each.value.isascii() or each.directive in _PROSE else _first(each)
        if found:
            told = {"name": unicodedata.name(found).lower(), "code": f"{ord(found):04X}", "mend": _MENDS[found]}
            yield _LOOK_ALIKE.problem(unit, each.section, each.directive, **told)


def _first(entry: Entry) -> str:
    """Of an option or a quote by where it stands: at the beginning of a word, of a list that has words."""
    if entry.directive in COMMANDS or entry.directive == "Environment":
        try:
            words = [word.raw for word in split(entry.value) if not word.is_quoted]
        except ValueError:  # a quote is not closed, of which verify complains
            return ""
    else:
        words = [entry.value]
    for word in words:
        if word[0] in _MENDS:
            return word[0]
        found = _ANYWHERE.search(word)
        if found:
            return found.group()
    return ""

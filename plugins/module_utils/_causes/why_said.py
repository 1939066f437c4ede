# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a program said before it ended: which line of it decides, and the paths in that. Private to the collection."""

from __future__ import annotations

import re
from typing import Callable, Iterator, List, NamedTuple, Optional, Pattern, Sequence, Tuple

from .._host.journal import Line
from .incident import ERROR_PRIORITIES, Cause, Incident
from .views import inside

# Lines before the last one that may belong to it, such as a trace.
MOST_BEHIND = 25
# A path in quotes goes on to where they end, and may have spaces in it; without quotes it ends before the first space.
_QUOTES = (
    *(("'", "'"), ('"', '"'), ("`", "`"), ("`", "'"), ("\u2018", "\u2019")),
    *(("\u201c", "\u201d"), ("\u201e", "\u201c"), ("\u00ab", "\u00bb"), ("\u00bb", "\u00ab")),
)
_MARKS = "".join(sorted({mark for pair in _QUOTES for mark in pair}))
_NO_PART = r"\s:;,()\[\]<>|" + _MARKS
_PATH = re.compile(
    "|".join(rf"(?<!\w){begin}/[^{begin}{end}]*{end}" for begin, end in _QUOTES)
    + rf"|(?<![\w{_MARKS}])/[^{_NO_PART}]*[^{_NO_PART}.]"
)
# What may stand behind a path without quotes and is no more of its name; any other word may well be that.
_GOES_ON = re.compile(
    r"\s+(?!(?:as|at|because|by|can|can't|cannot|could|did|do|does|due|failed|fails|for|from|has|in|is|not|on|to|was"
    r"|were|while|with)\b)[\w.-]"
)
_PROGRAM = re.compile(r"^(?:[^\s:]+:\s+)(?:(?:line )?\d+:\s+)?")
# Times of day, and where in a source or a file of settings something stands: neither a port nor what it is about.
_NO_OBJECT = re.compile(
    r"^(?:[\d/:.-]+\s+)*[\w-]+\.[a-z]{1,4}(?::\d+)+(?=:\s)|(?<![\w:.])\d{1,2}:\d{2}:\d{2}(?![\w:])"
    r"|(?:\b(?:in|at) )?(?<![\w:/.])[\w.+@~-]*/[\w./+@~-]*(?::\d+)+(?::in\b)?|\bin /\S+ on line \d+",
    re.IGNORECASE,
)
# What may follow the decisive line and says nothing new: traces, closing words, hints.
_BEHIND = re.compile(
    r"^\s|^[\]})]+[,;]?$|^Node\.js v|^Emitted 'error' event|^Require stack:$|^- /|^goroutine \d+|^created by "
    r"|^[\w./*()-]+\(.*\)$|^exit status \d+$|^note: run with|^(?i:stack (?:back)?trace):$|^#\d+ "
    r"|still could not bind\(\)|^nginx: configuration file .* test failed$|^Error: A fatal exception has occurred"
    r"|^Error: Could not create the Java|\bWorker (?:exiting|failed to boot)\b|\bShutting down: Master\b"
    r"|^BEGIN failed--compilation aborted|^sudo: If sudo is running in a container|^(?:\S*/)?env: use -\[v\]S |^\s*$"
)
# A detail of an error, as Node.js has them behind its trace.
_DETAIL = re.compile(r"^\s+\w+: ")
# What a program calls an error by itself.
_ERROR = re.compile(
    r"\[(?i:emerg|alert|crit|critical|error|fatal)\]|\b(?i:fatal|panic|panicked)\b|\b(?:ERROR|CRITICAL|SEVERE)\b"
    r"|\b(?i:[\w.]*(?:error|exception))(?: \[\w+\])?:|\bException in thread\b"
    r"|\blevel\"?[=:] ?\"?(?i:error|crit|critical|fatal|panic)\b"
)
_TRACEBACK = "Traceback (most recent call last):"


class LastWords(NamedTuple):
    """The decisive line, and what of details follows it."""

    text: str
    more: str
    line: Line


class Words(NamedTuple):
    """What is to be found in the line, and what proves it."""

    pattern: Pattern[str]
    prove: Callable[[Incident, LastWords], Optional[Cause]]


def last_words(lines: Sequence[Line]) -> Optional[LastWords]:
    """The very last line, but for what says nothing new, however long a trace that is."""
    behind: List[str] = []
    for line in reversed(lines):
        if not _BEHIND.search(line.text):
            details = [text.strip() for text in reversed(behind) if _DETAIL.search(text)]
            return LastWords(line.text.strip(), " ".join(details), line)
        behind.append(line.text)
    return None


def telling(lines: Sequence[Line]) -> str:
    """What of a program's words says most, where none is proven: the last that it calls an error, else the last."""
    rows = [(text, line) for line in lines for text in line.text.splitlines() if text.strip()]
    texts = [text for text, _line in rows]
    errors = [at for at, (text, line) in enumerate(rows) if _is_error(texts, at, line) and not _BEHIND.search(text)]
    last = [at for at, text in enumerate(texts) if not _BEHIND.search(text)] or [len(texts) - 1]
    chosen = (errors or last)[-1] if texts else 0
    # What ends so has its words in the next one.
    ends = chosen + 2 if texts and texts[chosen].rstrip().endswith(":") else chosen + 1
    return " ".join(text.strip() for text in texts[chosen:ends])


def _is_error(texts: Sequence[str], at: int, line: Line) -> bool:
    return (
        bool(_ERROR.search(texts[at]))
        or line.fields.get("PRIORITY") in ERROR_PRIORITIES
        or (not texts[at][0].isspace() and _in_traceback(texts[:at]))
    )


def _in_traceback(before: Sequence[str]) -> bool:
    """Is what comes next behind a trace of Python, whose last line is the error?"""
    return next((text.strip() == _TRACEBACK for text in reversed(before) if not text[0].isspace()), False)


def without_positions(text: str) -> str:
    return _NO_OBJECT.sub(" ", text)


def paths(said: LastWords) -> List[str]:
    """The paths that a line names, without the program that says it."""
    return list(dict.fromkeys(path for path, _whole in _paths(said)))


def path_of(incident: Incident, said: LastWords) -> Optional[Tuple[str, str]]:
    """The one path of a line, as the unit has it and as the host has it; None if it may be but a part of one."""
    found = dict(_paths(said))
    path, whole = next(iter(found.items()), ("", False))
    real = inside(incident, path) if len(found) == 1 and whole else None
    return (path, real) if real is not None else None


def _paths(said: LastWords) -> Iterator[Tuple[str, bool]]:
    """Each path of a line, and whether it is known where that ends. What is in quotes may be a command."""
    text = without_positions(_PROGRAM.sub("", said.text))
    for each in _PATH.finditer(text):
        if each.group().startswith("/"):
            yield each.group(), _GOES_ON.match(text, each.end()) is None
        else:
            yield each.group()[1:-1], " -" not in each.group()

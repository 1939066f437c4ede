# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Has the host's systemd-analyze verify read units, and makes sure that it did. Private to the collection."""

from __future__ import annotations

import os
import re
from typing import Mapping, NamedTuple, Sequence, Tuple

from .._host.files import read, resolve, staged
from .._host.manager import Manager, Outcome
from .._host.places import Places
from .._syntax.characters import WHITESPACE
from .._syntax.loadpath import LoadPath

# The last unit that is handed over; its program is not there. verify looks for programs after it has read all units, so
# its complaint of this one shows that it ran to its end.
LAST = "unitwright-judged.service"
_LAST_TEXT = b"[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/unitwright/judged\n"
# From 250 on an argument with a colon is FILE:ALIAS (systemd-analyze(1)), so a name with one is given as an alias.
_TAKES_ALIASES = 250
_COPY = "unitwright-copy-"

_LINE = re.compile(r"<(?P<priority>\d+)>(?P<text>.*)")
_PLACED = re.compile(r"(?P<path>/.+?):(?P<line>\d+): (?P<text>.*)")
_UNIT = re.compile(r"(?P<unit>[A-Za-z0-9:_.\\@-]+\.[a-z]+): (?P<text>.*)")
ERROR = 3  # syslog(3)


class VerifyLine(NamedTuple):
    """A line of verify.

    level: as of syslog(3). text: its words. path, line: of the file that it is about, "" and 0 where it names none.
    unit: the one that it is about, "" where it does not say.
    """

    level: int
    text: str
    path: str = ""
    line: int = 0
    unit: str = ""


def breaks(said: VerifyLine) -> bool:
    """Is it about a line at which systemd stops to read the unit? All others it passes over, and says so."""
    return bool(said.line) and said.level <= ERROR and "ignoring" not in said.text.lower()


class Verdict(NamedTuple):
    """What verify said of units. unjudged: those that it did not judge. absent: as there is no systemd-analyze."""

    said: Tuple[VerifyLine, ...] = ()
    unjudged: Tuple[str, ...] = ()
    why: str = ""
    absent: bool = False


def judge(
    manager: Manager,
    places: Places,
    loadpath: LoadPath,
    units: Sequence[str],
    new: Mapping[str, bytes],
    gone: Sequence[str],
) -> Verdict:
    """Have units judged on the host with some files new and others gone.

    loadpath: the files as they are then. units: they may be instances; each has a file there or in `new`.
    """
    if not units:
        return Verdict()
    texts = {os.path.basename(path): content for path, content in new.items() if os.path.dirname(path) == places.units}
    with_colon = [unit for unit in units if ":" in unit and (unit in texts or loadpath.fragment(unit))]
    copies = {unit: f"{_COPY}{number}" for number, unit in enumerate(with_colon)}
    if manager.version < _TAKES_ALIASES:
        copies = {}
    copied = {name: texts.get(unit) or _content(unit, loadpath, places) for unit, name in copies.items()}
    beside = {LAST: _LAST_TEXT, **copied}
    files = {**new, **{places.unit_file(name): content for name, content in beside.items()}}
    with staged(places.units, files, gone) as stage:
        return _Bench(manager, places, loadpath, stage, copies).judge(units)


def _content(unit: str, loadpath: LoadPath, places: Places) -> bytes:
    path = loadpath.fragment(unit) or ""
    return loadpath.contents[path] if path in loadpath.contents else read(resolve(path, places.root))


class _Bench:
    """A stage, and the units that are judged in it."""

    def __init__(
        self, manager: Manager, places: Places, loadpath: LoadPath, stage: str, copies: Mapping[str, str]
    ) -> None:
        self.manager, self.places, self.stage, self.copies = manager, places, stage, copies
        self.folders = [stage if folder == places.units else folder for folder in loadpath.folders]
        self.fragments = {unit: loadpath.fragment(unit) or "" for unit in copies}

    def judge(self, units: Sequence[str]) -> Verdict:
        """Where it gives up over one unit, the others are judged without that."""
        whole = self._ask(units)
        if not whole.why or len(units) == 1:
            return whole
        middle = len(units) // 2
        halves = [(half, self._ask(half)) for half in (units[:middle], units[middle:])]
        if all(verdict.why for _half, verdict in halves):
            return whole
        parts = [self.judge(half) if verdict.why else verdict for half, verdict in halves]
        return Verdict(
            tuple(said for part in parts for said in part.said),
            tuple(unit for part in parts for unit in part.unjudged),
            next(part.why for part in parts if part.why),
        )

    def _ask(self, units: Sequence[str]) -> Verdict:
        files = [self._handed(unit) for unit in (*units, LAST)]
        outcome = self.manager.verify(":".join(self.folders), files)
        if outcome.code == 127:
            return Verdict(unjudged=tuple(units), absent=True)
        stripped = (line.strip(WHITESPACE) for line in outcome.err.split("\n"))  # other blanks may be of a value
        lines = [self._read(line) for line in stripped if line]
        said = tuple(each for each in lines if LAST not in (each.unit, os.path.basename(each.path)))
        if len(said) < len(lines):
            return Verdict(said)
        return Verdict(tuple(each for each in said if each.path or each.unit), tuple(units), _why(said, outcome))

    def _handed(self, unit: str) -> str:
        if unit in self.copies:
            return f"{os.path.join(self.stage, self.copies[unit])}:{unit}"
        # Only the name counts. verify puts the folders of what it is given before all others, so that is the first one.
        return os.path.join(self.folders[0], unit)

    def _read(self, line: str) -> VerifyLine:
        leveled = _LINE.match(line)
        level = int(leveled.group("priority")) & 7 if leveled else ERROR
        text = leveled.group("text") if leveled else line
        placed = _PLACED.match(text)
        if placed:
            path = self._path(placed.group("path"))
            return VerifyLine(level, self._at_home(placed.group("text")), path, int(placed.group("line")))
        named = _UNIT.match(text)
        if named:
            return VerifyLine(level, self._at_home(named.group("text")), unit=named.group("unit"))
        return VerifyLine(level, self._at_home(text))

    def _at_home(self, text: str) -> str:
        return text.replace(self.stage, self.places.units)

    def _path(self, path: str) -> str:
        """verify puts an alias into a folder of its own."""
        return self.fragments.get(os.path.basename(path)) or self._at_home(path)


def _why(said: Sequence[VerifyLine], outcome: Outcome) -> str:
    words = [each.text for each in said if not (each.path or each.unit)]
    return "; ".join(words) or (f"signal {-outcome.code}" if outcome.code < 0 else outcome.message)

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of docs/causes.md from what the tests provoke; with --check it only says whether that is due."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from tests.integration.breakages import MISLEADING, WAYS

from . import ROOT

PAGE = ROOT / "docs" / "causes.md"
_BEGIN, _END = "<!-- {}, made by `make rules` -->\n", "<!-- end of {} -->\n"


def main(args: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(args).check
    now = PAGE.read_text(encoding="utf-8")
    text = now
    for name, lines in (("counts", _counts()), ("ways", _ways()), ("misleading", _misleading())):
        begin, end = _BEGIN.format(name), _END.format(name)
        head, rest = text.split(begin)
        text = head + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.split(end)[1]
    if text != now and not check:
        PAGE.write_text(text, encoding="utf-8")
    elif text != now:
        print(f"{PAGE.relative_to(ROOT)} is not what the tests say: run `make rules`", file=sys.stderr)
        return 1
    return 0


def _counts() -> Iterator[str]:
    named = sum(way.named for way in WAYS)
    yield from _table(
        ("", "provoked", "named", "not named", "named wrongly"),
        [
            ("ways to break a unit", len(WAYS), named, len(WAYS) - named, 0),
            ("words and numbers that mislead", len(MISLEADING), 0, len(MISLEADING), 0),
        ],
    )


def _ways() -> Iterator[str]:
    rows = [(way.way, "named" if way.named else "not named", _words(way.says), _words(way.remedy)) for way in WAYS]
    return _table(("way to break a unit", "", "the sentence has", "the remedy has"), rows)


def _misleading() -> Iterator[str]:
    for each in MISLEADING:
        yield f"- {each.way}"


def _words(parts: Sequence[str]) -> str:
    return ", ".join(f"`{part.strip(' (:')}`" for part in parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

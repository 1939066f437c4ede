# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of docs/causes.md from what the tests provoke; with --check it only says whether that is due."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tests.integration.breakages import KERNEL_WAYS, MISLEADING, WAYS, Way

from . import ROOT
from .pages import filled, kept, table

PAGE = ROOT / "docs" / "causes.md"


def main(args: Sequence[str]) -> int:
    def made(now: str) -> str:
        ways, kernel = _ways(WAYS), _ways(KERNEL_WAYS)
        return filled(now, counts=_counts(), ways=ways, kernel=kernel, misleading=_misleading())

    return kept(PAGE, made, "tests", __doc__, args)


def _counts() -> Iterator[str]:
    def row(what: str, ways: Sequence[Way]) -> tuple[object, ...]:
        named = sum(way.named for way in ways)
        return what, len(ways), named, len(ways) - named, 0

    yield from table(
        ("", "provoked", "named", "not named", "named wrongly"),
        [
            row("ways to break a unit", WAYS),
            row("those for which it takes a kernel of its own", KERNEL_WAYS),
            ("words and numbers that mislead", len(MISLEADING), 0, len(MISLEADING), 0),
        ],
    )


def _ways(ways: Sequence[Way]) -> Iterator[str]:
    rows = [(way.way, "named" if way.named else "not named", _words(way.says), _words(way.remedy)) for way in ways]
    return table(("way to break a unit", "", "the sentence has", "the remedy has"), rows)


def _misleading() -> Iterator[str]:
    for each in MISLEADING:
        yield f"- {each.way}"


def _words(parts: Sequence[str]) -> str:
    return ", ".join(f"`{part.strip(' (:')}`" for part in parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

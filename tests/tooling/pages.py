# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of docs/ whose tables are made from what is there: written by `make rules`, and with --check only looked at."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from . import ROOT

_BEGIN, _END = "<!-- {}, made by `make rules` -->\n", "<!-- end of {} -->\n"


def kept(page: Path, make: Callable[[str], str], source: str, doc: str | None, args: Sequence[str]) -> int:
    """Exit status 1 if the page is not what `make` makes of it and was only looked at. source: what says so."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(args).check
    now = page.read_text(encoding="utf-8") if page.exists() else ""
    text = make(now)
    if text != now and not check:
        page.write_text(text, encoding="utf-8")
    elif text != now:
        print(f"{page.relative_to(ROOT)} is not what the {source} say: run `make rules`", file=sys.stderr)
        return 1
    return 0


def filled(text: str, **parts: Iterable[str]) -> str:
    """The lines of each part between its two marks; an underscore of its name is a hyphen there."""
    for key, lines in parts.items():
        name = key.replace("_", "-")
        begin, end = _BEGIN.format(name), _END.format(name)
        head, rest = text.split(begin)
        text = head + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.split(end)[1]
    return text


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CONTRIBUTING.md says where each rule stands: every file and function that its tables name is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UTILS = ROOT / "plugins" / "module_utils"
HEADINGS = ("The way from a task to a host", "Where a change goes")


def pointers() -> Iterator[tuple[Path, str]]:
    """(file, name in it) as the tables have them: a file, and behind it what it defines."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for heading in HEADINGS:
        table = text.split(f"## {heading}\n")[1].split("\n## ")[0]
        for line in table.splitlines():
            yield from _of_row(line) if line.startswith("|") else ()


def _of_row(line: str) -> Iterator[tuple[Path, str]]:
    path = None
    for word in re.findall(r"`([^`]+)`", line):
        if "/" in word or word.endswith(".md"):
            path = UTILS / word if (UTILS / word).exists() else ROOT / word
            yield path, ""
        elif path is not None and path.suffix == ".py" and re.fullmatch(r"[\w.]+", word):
            yield path, word


def defined(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
            found |= {f"{node.name}.{below.name}" for below in node.body if isinstance(below, ast.FunctionDef)}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize(("path", "name"), sorted(set(pointers())), ids=lambda part: getattr(part, "name", part))
def test_every_pointer_leads_somewhere(path: Path, name: str) -> None:
    assert path.exists()
    if name:
        assert name in defined(path)


def test_every_room_has_a_row() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split(f"## {HEADINGS[0]}\n")[1]
    assert {path.name for path in UTILS.glob("_*/")} <= set(re.findall(r"^\| `(_\w+)` ", text, re.MULTILINE))


def test_the_first_line_of_each_file_says_what_it_is() -> None:
    """A sentence that no other file has."""
    first = [path.read_text(encoding="utf-8").partition('"""')[2].splitlines()[0] for path in UTILS.glob("_*/*.py")]
    told = [line.partition('"""')[0] for line in first]
    assert [line for line in told if not line.endswith(".") or told.count(line) > 1] == []


@pytest.mark.parametrize("name", ["guarantees.md", "restarts.md"])
def test_every_proof_that_is_named_is_there(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|plugins)/[\w/.]+)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_promise_names_its_proof() -> None:
    promises = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8").split("## Promises\n")[1]
    paragraphs = promises.split("\n## ")[0].strip().split("\n\n")
    assert [each for each in paragraphs if "`tests/" not in each] == []

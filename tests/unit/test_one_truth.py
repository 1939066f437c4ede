# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the spellings of a boolean mean is decided in _syntax/meaning.py, and nowhere else.

Found is a list that has two spellings of the same, and a search for one in a list that has the empty value beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

UTILS = Path(__file__).parents[2] / "plugins" / "module_utils"
TABLE = "_syntax/meaning.py"
YES, NO = {"1", "yes", "y", "true", "t", "on"}, {"0", "no", "n", "false", "f", "off"}
# By file what is left, word for word.
LEFT = {
    # What Ansible takes for an option.
    "_desired/mistakes.py": ("('yes', 'no', 'true', 'false', 'on', 'off')",),
    # Restart= is no boolean: of these words it knows "no" alone.
    "_desired/service.py": ("('', 'no')",),
}


def _texts(node: ast.AST) -> set[str]:
    """The texts in a list, be it written as one text."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
        words = node.func.value
        return set(words.value.split()) if isinstance(words, ast.Constant) and isinstance(words.value, str) else set()
    parts = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else []
    return {each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def telling(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        words = _texts(node)
        yes, no = words & YES, words & NO
        off = "" in words and not yes and no - {"0"}  # numbers are no booleans by themselves
        if len(yes) > 1 or len(no) > 1 or off:
            yield node


def found(path: Path) -> set[str]:
    return {ast.unparse(node) for node in telling(ast.parse(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("path", sorted(UTILS.rglob("*.py")), ids=lambda path: str(path.relative_to(UTILS)))
def test_only_the_table_knows_how_yes_and_no_are_spelt(path: Path) -> None:
    name = str(path.relative_to(UTILS))
    if name != TABLE:
        assert found(path) == set(LEFT.get(name, ()))


@pytest.mark.parametrize(
    "line",
    [
        "value not in ('', 'no')",
        "value in ('yes', 'true')",
        "_OFF = ('default', 'no', 'false')",
        "_ON = frozenset('1 yes on'.split())",
        "set(['n', 'f'])",
    ],
)
def test_each_list_is_found(line: str) -> None:
    assert list(telling(ast.parse(line)))


@pytest.mark.parametrize("line", ["order = ('no', 'yes', 'full')", "shown == 'yes'", "shown in ('', 'all')"])
def test_what_is_no_such_list(line: str) -> None:
    assert not list(telling(ast.parse(line)))

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of units and scopes are told apart by their rows alone (_syntax/kinds.py, _host/scopes.py), and nowhere else.

Found is all that takes another way by the name of a type, of its section or of a scope: a comparison, a mapping or list
of such names, a row that is asked for by its name, a name where none is given.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.scopes import SCOPES
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.kinds import KINDS

UTILS = Path(__file__).parents[2] / "plugins" / "module_utils"
TABLES = ("_syntax/kinds.py", "_host/scopes.py")
_SECTIONS = {row.section for row in KINDS.values()}
_NAMES = {*KINDS, *SCOPES, *_SECTIONS, *(f".{name}" for name in KINDS)}
_BESIDE = {"Unit", "Install", ""}
# By file what is left, word for word.
LEFT = {
    # What a row cannot say of a type is a function; which types have one is held by test_kinds.py.
    "_plan/policy.py": ("{'service': _service, 'timer': _timer}",),
    # The short forms, each of a type that has a file here, are options of ours and not rules of systemd's.
    "_desired/short.py": (
        "{'service': {**_rows(_GENERAL), **PROCESS, **_rows(_INSTALL)}, 'timer': _rows(_GENERAL, _TIMES, _INSTALL), "
        "'socket': _rows(_GENERAL, _LISTENERS, _INSTALL), 'target': _rows(_GENERAL, _RELATIONS, _INSTALL)}",
    ),
    # An account, and no scope.
    "_verify/lacking.py": ("what == 'user'",),
}


def is_name(node: ast.AST, constants: dict[str, ast.expr]) -> bool:
    """Is it the name of a type, section or scope, or a collection of nothing but such names?"""
    names = list(_names(node, constants))
    return None not in names and any(names)


def _names(node: ast.AST, constants: dict[str, ast.expr]) -> Iterator[bool | None]:
    """For each part of a collection: True for such a name, False for what may stand beside it, None for all else."""
    node = constants.get(node.id, node) if isinstance(node, ast.Name) else node
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for word in node.value.split() or [""]:
            yield True if word in _NAMES else False if word in _BESIDE else None
    elif isinstance(node, ast.Constant):
        yield False if node.value is None else None
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("frozenset", "set", "tuple", "list"):
        yield from (each for part in node.args for each in _names(part, constants))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
        yield from _names(node.func.value, constants)
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
        parts = node.keys if isinstance(node, ast.Dict) else node.elts
        yield from (each for part in parts for each in (_names(part, constants) if part else [None]))
    else:
        yield None


def telling(tree: ast.Module) -> Iterator[ast.AST]:
    """Whatever in a file takes another way by such a name."""
    assigned = (each for each in tree.body if isinstance(each, (ast.Assign, ast.AnnAssign)) and each.value)
    constants = {
        target.id: each.value
        for each in assigned
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
        if isinstance(target, ast.Name) and each.value
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.BoolOp):
            sides = node.values
        elif isinstance(node, ast.Subscript):
            rows = getattr(node.value, "id", "") in ("KINDS", "SCOPES")
            sides = [node.slice] if rows else []
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            by_name = ("startswith", "endswith", "removesuffix", "scope_of", "places")
            sides = node.args if name in by_name else []
        elif isinstance(node, ast.Dict):
            sides = [node]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            value = node.value
            sides = [value] if isinstance(value, (ast.Tuple, ast.List, ast.Set, ast.Call)) else []
        else:
            sides = []
        if any(is_name(each, constants) for each in sides):
            yield node


def found(path: Path) -> set[str]:
    return {ast.unparse(node) for node in telling(ast.parse(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("path", sorted(UTILS.rglob("*.py")), ids=lambda path: str(path.relative_to(UTILS)))
def test_only_the_tables_tell_types_and_scopes_apart(path: Path) -> None:
    name = str(path.relative_to(UTILS))
    if name not in TABLES:
        assert found(path) == set(LEFT.get(name, ()))


@pytest.mark.parametrize(
    "line",
    [
        "kind == 'service'",
        "look.kind.name != 'device'",
        "row.section == 'Timer'",
        "kind in ('timer', 'socket')",
        "scope not in (None, 'system')",
        "option or 'system'",
        "unit.endswith('.socket')",
        "_LISTS = ('Path',)",
        "_LASTING = frozenset('service socket'.split())",
        "targets = {'timer': 'timers.target', 'socket': 'sockets.target'}.get(name)",
        "_ADDED = {'Unit': 1, 'Service': 2, 'Install': 3}",
        "KINDS['timer']",
        "places('user', '', {})",
        "_KIND = 'mount'\nkind == _KIND",
    ],
)
def test_each_way_of_telling_is_found(line: str) -> None:
    assert list(telling(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ["verb == 'start'", "what = {'path': path, 'unit': unit}", "name = f'{stem}.socket'", "other == name.kind"]
)
def test_what_is_no_way_of_telling(line: str) -> None:
    assert not list(telling(ast.parse(line)))

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may touch the host: pure rooms not at all, one file starts processes, and one writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

UTILS = Path(__file__).parents[2] / "plugins" / "module_utils"
# What is put on a host to run there by itself is no part of a module.
FILES = sorted(path for path in UTILS.rglob("*.py") if path.parent.name != "_programs")
# What they know of the host comes to them as data.
PURE_ROOMS = ("_syntax", "_advice", "_desired", "_plan")
PURE = [path for path in FILES if path.relative_to(UTILS).parts[0] in PURE_ROOMS]
# What such a room takes of the room that reads the host, by its file: types of data, constants, and functions of those.
FROM_HOST = {
    "files": {"Seen", "TEMPORARY"},
    "graph": {"Graph", "Node", "SETTINGS"},
    "health": {"CHECK_OPTIONS", "Health"},
    "manager": {"PATH", "States", "TOGETHER_SINCE", "UnitState"},
    "mounts": {"InPlace"},
    "observed": {"Observed", "Unread", "units_under"},
    "places": {"CREDENTIALS", "ENVIRONMENT", "Places"},
    "probe": {"read_checks"},
    "scopes": {"DEFAULT_SCOPE", "SCOPES", "Scope", "scope_of"},
    "traces": {"Invocation"},
}
# Of Python's own modules those that touch nothing; of these two the functions that only look at the text of a path.
STANDARD = {
    *("__future__", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal", "difflib", "enum"),
    *("functools", "hmac", "inspect", "ipaddress", "json", "math", "operator", "re", "types", "typing", "unicodedata"),
    *("urllib.parse", "os", "posixpath"),
}
OF_PATHS = {"basename", "dirname", "join", "normpath", "relpath", "sep", "split"}
READING = {"open", "input", "exec", "eval", "__import__"}
STARTING = {"subprocess", "multiprocessing", "pty", "asyncio"}
STARTS = ("system", "popen", "exec", "spawn", "posix_spawn", "fork")
# Modules that are mostly for writing, so that nobody else has a use for them.
WRITERS = {"shutil", "tempfile", "pathlib"}
WRITING = {
    *("chmod", "chown", "copy_file_range", "fchmod", "fchown", "fdatasync", "fdopen", "fsync", "ftruncate", "lchown"),
    *("link", "makedirs", "mkdir", "mkfifo", "mknod", "pwrite", "pwritev", "remove", "removedirs", "removexattr"),
    *("rename", "renames", "replace", "rmdir", "sendfile", "setxattr", "symlink", "truncate", "unlink", "utime"),
    *("write", "writev"),
}
FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"}


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(module, name in it), such as ("os", "") for the whole; a relative module begins with dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name if alias.asname is None else f"{alias.name} as", "") for alias in node.names)


def dotted(tree: ast.AST) -> set[str]:
    """Names with what is taken of them, such as os.path.join."""
    found = (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {each for each in found if re.fullmatch(r"[\w.]+", each)}


def called(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def touching(tree: ast.Module) -> set[str]:
    """What a file of a pure room has that reads the host, or may."""
    found = {name for name, _node in called(tree) if name in READING}
    for module, name in imported(tree):
        parts = module.strip(".").split(".")
        if "_host" in (*parts, name):
            file = parts[-1] if parts[-1] != "_host" else ""
            found |= {f"{module} {name}"} if name not in FROM_HOST.get(file, ()) else set()
        elif not module.startswith((".", "ansible.module_utils.")):
            whole = module in STANDARD and not (name and module in ("os", "posixpath"))
            found |= set() if whole else {f"{module} {name}"}
    for each in dotted(tree):
        if each.startswith(("os.", "posixpath.")) and each != "os.path":
            found |= {each} if each.rpartition(".")[2] not in OF_PATHS else set()
    return found | ({"datetime.now", "datetime.today", "datetime.utcnow", "date.today"} & dotted(tree))


def starting(tree: ast.Module) -> set[str]:
    """What starts a process."""
    found = {module for module, _name in imported(tree) if module.split()[0].partition(".")[0] in STARTING}
    return found | {each for each in dotted(tree) if each.startswith(tuple(f"os.{start}" for start in STARTS))}


def writing(tree: ast.Module) -> set[str]:
    """What writes to files or folders."""
    found = {f"{module} {name}" for module, name in imported(tree) if module.split()[0] in WRITERS}
    # By another name it would not be seen below.
    found |= {f"{module} {name}" for module, name in imported(tree) if module == "os as" or (module == "os" and name)}
    found |= {each for each in dotted(tree) if each.startswith("os.") and each[3:] in WRITING}
    for name, node in called(tree):
        if name == "open":
            modes = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "mode")]
            found |= {ast.unparse(node) for mode in modes if set(_constant(mode)) & set("wax+")}
        elif name == "os.open":
            found |= {ast.unparse(node) for each in dotted(node) if each.rpartition(".")[2] in FLAGS}
    return found


def _constant(node: ast.expr) -> str:
    """A text as it stands there; what is worked out may be any mode."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "w"


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(UTILS))


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_a_pure_room_touches_no_host(path: Path) -> None:
    assert touching(parsed(path)) == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_manager_starts_processes(path: Path) -> None:
    assert bool(starting(parsed(path))) == (name_of(path) == "_host/manager.py")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_files_writes(path: Path) -> None:
    assert bool(writing(parsed(path))) == (name_of(path) == "_host/files.py")


@pytest.mark.parametrize(
    "line",
    [
        "from .._host.files import look",
        "from .._host import files",
        "from . import _host",
        "from .._host.manager import Manager",
        "from ..._host.observed import observe",
        "import pathlib",
        "from pathlib import Path",
        "import time",
        "import os as it",
        "from os import stat",
        "from os.path import exists",
        "from posixpath import realpath",
        "import urllib.request",
        "os.stat('/etc')",
        "os.environ",
        "os.path.exists('/etc')",
        "posixpath.islink('/etc')",
        "open('/etc/hostname')",
        "datetime.now()",
    ],
)
def test_what_touches_a_host_is_known(line: str) -> None:
    assert touching(ast.parse(line))


@pytest.mark.parametrize("line", ["import subprocess", "from subprocess import run", "os.system('a')", "os.execv('a')"])
def test_what_starts_a_process_is_known(line: str) -> None:
    assert starting(ast.parse(line))


@pytest.mark.parametrize(
    ("line", "writes"),
    [
        ("open('/a', 'w')", True),
        ("open('/a', 'ab')", True),
        ("open('/a', 'r+')", True),
        ("open('/a', mode='x')", True),
        ("open('/a', mode)", True),
        ("open('/a')", False),
        ("open('/a', 'rb')", False),
        ("os.open('/a', os.O_RDONLY | os.O_CLOEXEC)", False),
        ("os.open('/a', os.O_WRONLY)", True),
        ("os.open('/a', os.O_RDONLY | os.O_CREAT)", True),
        ("os.write(1, b'a')", True),
        ("os.rename('a', 'b')", True),
        ("from os import rename", True),
        ("from pathlib import Path", True),
        ("import shutil", True),
        ("import tempfile as it", True),
        ("text.replace('a', 'b')", False),
    ],
)
def test_what_writes_is_known(line: str, writes: bool) -> None:
    assert bool(writing(ast.parse(line))) is writes

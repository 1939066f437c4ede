# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Files of variables that are written for a shell, of which systemd takes less than is in them.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Iterator, Mapping, Sequence

from .._host.files import read, resolve
from .._host.places import Places
from .._host.reading import matching
from .._syntax.rule import Problem, Rule, Severity, shown

_EXPORTS = Rule(
    "environment-file-export",
    Severity.WARNING,
    "line {number} of {path} begins with export, and systemd passes over such a line",
    "leave out that word (for a shell, set -a before it reads the file does the same)",
    "systemd.exec(5), EnvironmentFile=",
)
_EXPORT = re.compile(rb"\s*export\s+[A-Za-z_]\w*=")
_PATTERN = frozenset("%*?[\\")
_MOST = 1 << 16


def exports(unit: str, section: str, settings: Mapping[str, Sequence[str]], places: Places) -> Iterator[Problem]:
    """Lines that a unit's process would lack. settings: of its section, specifiers resolved."""
    for value in settings.get("EnvironmentFile", ()):
        path = value.strip("\"'").lstrip("-")
        if path.startswith("/") and _PATTERN.isdisjoint(path):
            number = _first(path, places.root)
            if number:
                yield _EXPORTS.problem(unit, section, "EnvironmentFile", number=number, path=shown(path))


def contents(pattern: str, root: str) -> Iterator[bytes]:
    """What is in the files that one EnvironmentFile= names, in their order; one that cannot be read has nothing."""
    for path in matching(pattern, root):
        try:
            yield read(resolve(root + path, root))
        except (OSError, ValueError):
            continue


def _first(path: str, root: str) -> int:
    """The number of the first line that is exported, 0 if none is, or the file cannot be read."""
    continued = False
    for number, line in enumerate(next(contents(path, root), b"")[:_MOST].splitlines(), 1):
        if not continued and _EXPORT.match(line):
            return number
        continued = line.endswith(b"\\")
    return 0

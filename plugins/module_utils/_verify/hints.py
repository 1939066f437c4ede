# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the unit's own text or the host says of a complaint beyond its remedy: the name that may be meant.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Iterator

from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import last
from .._syntax.names import escape_path, misnamed
from .._syntax.rule import Problem, Refused, shown
from .programs import Sight, found_elsewhere, look_for
from .remedies import MISSING

_NO_PROGRAM = re.compile(r"Command (.+) is not executable: No such file or directory")
_MISNAMED = re.compile("(?:Value of )?(?P<directive>Where|What)=.* (?:doesn't match unit name|unit name do not match)")


def pointed(problem: Problem, loadpath: LoadPath, root: str) -> Problem:
    """A complaint with the name that may be meant. root: of the host's own files."""
    if not problem.unit or misnamed(problem.unit):
        return problem
    found = next(_names(problem, loadpath, root), "")
    return problem._replace(message=f"{problem.message} ({found})") if found else problem


def _names(problem: Problem, loadpath: LoadPath, root: str) -> Iterator[str]:
    program = _NO_PROGRAM.match(problem.message) if problem.rule is MISSING else None
    if program:
        name, text = program.group(1), loadpath.effective(problem.unit)
        if look_for(name.partition(" ")[0], problem.unit, problem.directive, text, root) is Sight.THERE:
            yield "its quotes make one word of all that: leave them out"
        path = found_elsewhere(name, problem.unit, text, root)
        if path:
            yield f"did you mean {path}?"
    misnamed_by = _MISNAMED.match(problem.message)
    if misnamed_by:
        path = last(loadpath.effective(problem.unit), problem.section, misnamed_by.group("directive"))
        name = _named_by(path, kind_of(problem.unit).name)
        if name:
            yield f"{shown(name)} here"


def _named_by(path: str, kind: str) -> str:
    try:
        return f"{escape_path(path)}.{kind}" if path.startswith("/") and "%" not in path else ""
    except Refused:
        return ""

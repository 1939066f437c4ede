# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is not there, and that verify does not come to: it tells the first unit that is needed, and each first command.

A start that fails over another one is as sure. Private to the collection.
"""

from __future__ import annotations

import os
import re
from typing import Container, Iterator, List, Sequence, Tuple

from .._host.files import resolve
from .._plan.references import View
from .._syntax.dependencies import named
from .._syntax.kinds import File, kind_of
from .._syntax.loadpath import LoadPath, entries
from .._syntax.names import misnamed
from .._syntax.relations import REQUIRES
from .._syntax.rule import legible
from .._syntax.specifiers import in_value, names_instance
from .._syntax.unitfile import Entry
from .._syntax.words import COMMANDS, apart, commands
from .complaints import Complaint
from .judge import ERROR
from .programs import Sight, is_brought, look_for
from .remedies import weight
from .subjects import Subjects

_NOT_FOUND = re.compile(r"Unit (?P<other>\S+) not found")


def overlooked(subjects: Subjects, new: Container[str], loadpath: LoadPath, root: str) -> List[Complaint]:
    """In the words of verify. new: files that are written. root: of the host's own files."""
    found = []
    for unit in subjects.units:
        for path in loadpath.files(unit):
            for entry in entries(loadpath.contents.get(path, b"")) if path in new else ():
                if entry.directive not in COMMANDS:
                    continue
                for program in _programs(entry, unit, unit in subjects.made_up):
                    sight = look_for(program, unit, entry.directive, loadpath.effective(unit), root)
                    if sight is Sight.ABSENT and not is_brought(program, unit, entry.directive, loadpath, root):
                        found.append(_missing(program, unit, path, entry, root))
    return found


def needed_too(found: Sequence[Complaint], view: View) -> Iterator[Complaint]:
    """Units that one needs besides the one that verify has not found, and that are not there either."""
    for each in found:
        match = _NOT_FOUND.search(each.text)
        first = match.group("other") if match and each.problem.directive in REQUIRES else ""
        for directive, other in _needs(each.problem.unit, view.after) if first else ():
            if other != first and not view.is_there(other):
                told = each.problem.message.replace(first, other)
                problem = each.problem._replace(directive=directive, message=told)
                yield each._replace(problem=problem, text=each.text.replace(first, other))


def _needs(unit: str, loadpath: LoadPath) -> Iterator[Tuple[str, str]]:
    """Of the types that are not there without a file."""
    for directive in () if misnamed(unit) else REQUIRES:
        for other in named(unit, directive, loadpath):
            if not misnamed(other) and kind_of(other).file is File.NEEDED:
                yield directive, other


def _missing(program: str, unit: str, path: str, entry: Entry, root: str) -> Complaint:
    why = "Permission denied" if os.path.isfile(resolve(root + program, root)) else "No such file or directory"
    text = f"Command {legible(program)} is not executable: {why}"
    problem = weight(text, ERROR, placed=False).said(text, unit, entry.section, entry.directive)
    return Complaint(problem, text, path, specific=names_instance(entry.value))


def _programs(entry: Entry, unit: str, made_up: bool) -> Iterator[str]:
    """Those of a line's commands that have to be there. made_up: nobody knows the instance."""
    if made_up and names_instance(entry.value):
        return
    for command in commands(in_value(entry.value, unit)):
        prefix, path = apart(command[0].text)
        if path and not set(prefix) & set("-|") and not set(path) & set("$%"):
            yield path

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Variables that are declared and that a process has otherwise, by an EnvironmentFile= that others gave its unit.

systemd reads those after all of Environment=, one after another (systemd.exec(5)). Private to the collection.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, Sequence

from .._plan.overridden import with_files
from .._plan.references import View
from .._syntax.kinds import kind_of
from .._syntax.loadpath import entries
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.settings import settings
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Placed, origins
from .environment_files import contents

_OVERRIDDEN = Rule(
    "overridden",
    Severity.WARNING,
    "{path}, an EnvironmentFile= of {by} that systemd reads after that, sets {names} otherwise, so what is declared is "
    "not in force",
    "set it there, or take it out there",
    "systemd.exec(5), EnvironmentFile=",
)
_ASSIGNED = re.compile(r"^[ \t]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.MULTILINE)


def overridden_by_files(view: View) -> Iterator[Problem]:
    own = {*view.desired.files}
    for unit, path in with_files(view):
        files = view.after.files(unit)
        section = "" if misnamed(unit) else kind_of(unit).section
        if path not in files:
            continue
        of_files = origins({each: entries(view.after.contents.get(each, b"")) for each in files})
        named = of_files.get(section, {}).get("EnvironmentFile", ())
        if all(each.path in own for each in named):
            continue
        yield from _by_foreign(unit, section, path, named, view)


def _by_foreign(unit: str, section: str, path: str, named: Sequence[Placed], view: View) -> Iterator[Problem]:
    """named: files of variables, with the file of the unit that names each, in their order."""
    root, own = view.observed.places.root, {*view.desired.files}
    mine = _declared(view.desired.files[path].content, section)
    found: Dict[str, Placed] = {}
    for each in named:
        value = in_value(each.value, unit).lstrip("-")
        if each.path not in own:
            there = _variables(value, root)
            found.update({name: each for name in there if name in mine and there[name] != mine[name]})
        elif _plain(value) in own:  # secrets, which come in the place of what was before
            secrets = _assigned(view.desired.files[_plain(value)].content.decode("utf-8", "replace"))
            mine.update(secrets if each.path == path else {})
            found = {name: placed for name, placed in found.items() if name not in secrets}
    for each in dict.fromkeys(found.values()):
        names = ", ".join(sorted(name for name in found if found[name] == each))
        file = in_value(each.value, unit).lstrip("-")
        yield _OVERRIDDEN.problem(unit, section, "Environment", path=file, by=each.path, names=names)


def _plain(pattern: str) -> str:
    return re.sub(r"\\([\\*?\[])", r"\1", pattern)


def _declared(content: bytes, section: str) -> Dict[str, str]:
    found = (each for entry in entries(content) if entry.directive == "Environment" for each in settings(entry))
    return {each.key: each.value for each in found if each.section == section and each.key}


def _variables(pattern: str, root: str) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for content in contents(pattern, root):
        found.update(_assigned(content.decode("utf-8", "replace")))
    return found


def _assigned(text: str) -> Dict[str, str]:
    """The variables of a file. What goes on in the next line, or has escapes, is told apart from what is declared."""
    found = {}
    for name, value in _ASSIGNED.findall(text):
        quoted = re.fullmatch(r"\"(.*)\"|'(.*)'", value.strip())
        found[name] = (quoted.group(1) or quoted.group(2) or "") if quoted else value.strip()
    return found

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What Ansible refuses of a module's options before the module runs, as `errors` like any others. Pure.

Read where Ansible has refused something. Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from .._desired.forms import unit_name
from .._desired.mistakes import Steps, mistakes, path_of
from .._desired.options import FORMS, Spec
from .._syntax.rule import Problem, Problems, Rule, Severity, legible
from .._syntax.values import is_changed

Params = Mapping[str, Any]

_OPTION = Rule(
    "option",
    Severity.ERROR,
    "there is no such option, or it has a value that it cannot have",
    "the message says what may be meant, or what it takes",
    "the options of the modules",
)


def refused(spec: Spec, given: Params, module: str) -> Tuple[List[str], List[Dict[str, str]]]:
    """For all that is wrong a line and an entry of `errors`. given: as they came; module: its full name."""
    lines, errors = [], []
    for steps, message in mistakes(spec, given, module):
        path = path_of(steps)
        problem = _OPTION.said(message, _unit(given, steps, is_stack="units" in spec))
        lines.append(str(_with_path(problem, path)))
        errors.append({**problem.as_dict(), "path": path})
    return lines, errors


def _with_path(problem: Problem, path: str) -> Problem:
    return problem._replace(message=f"{legible(path)}: {problem.message}") if path else problem


def _unit(given: Params, steps: Steps, is_stack: bool) -> str:
    """The unit of the entry that a mistake is in, as far as it has a name."""
    if not is_stack:
        return _name(given)
    if len(steps) < 2 or not isinstance(steps[1], int):
        return ""
    kind, number = str(steps[0]), steps[1]
    entry = given[kind][number] if isinstance(given[kind], (list, tuple)) else None
    name = _name(entry) if isinstance(entry, Mapping) else ""
    try:
        return unit_name(name, kind[:-1]) if name and kind in FORMS else name
    except Problems:
        return name


def _name(entry: Params) -> str:
    name = entry.get("name")
    return "" if is_changed(name) else str(name or "")

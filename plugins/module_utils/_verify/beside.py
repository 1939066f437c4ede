# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Programs that are run beside the units: those that tell someone of a failure, and those that check a unit's health.

Nobody else would look for them before they are needed. Private to the collection.
"""

from __future__ import annotations

import os
from typing import Dict, Iterator, List, NamedTuple, Tuple

from .._desired.stack import Desired
from .._host.files import is_program, resolve
from .._host.manager import PATH, Manager
from .._host.places import Places
from .._plan.expected import Expected
from .._plan.plan import Plan
from .._syntax.loadpath import LoadPath
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Rule, Severity, shown
from .programs import may_bring

_NO_TELLER = Rule(
    "alert-program",
    Severity.UNVERIFIED,
    "there is no program {name} on this host{why}, so that nobody would be told of a failure",
    "install it first, or tell in another way",
    "the options alert and alerts",
)
_NO_CHECKER = Rule(
    "health-program",
    Severity.UNVERIFIED,
    "there is no program {name} on this host{why}, so that the check of its health could never pass",
    "install it first, or check in another way",
    "the option health",
)
# An interpreter is within the first line of a file, of which the kernel reads no more (BINPRM_BUF_SIZE).
_FIRST = 256
_NOWHERE = "it is not there"


class _Beside(NamedTuple):
    """A program that is run for a unit. path: the folders that it is looked for in, and the root of their files."""

    rule: Rule
    unit: str
    program: str
    path: Tuple[str, str]


def tellers(desired: Desired, places: Places) -> Iterator[Problem]:
    """Programs of alerts that are not there: nobody would miss them before a service has failed."""
    for unit, program in desired.tellers:
        yield from _absent(_Beside(_NO_TELLER, unit, program, (PATH, places.root)))


def checkers(desired: Desired, plan: Plan, after: LoadPath, manager: Manager) -> Iterator[Problem]:
    """Programs of checks that are not there, for units that this run brings up; none that a declared unit may make."""
    commands = [unit for unit in _declared(desired) if not misnamed(unit)]
    for unit, program in sorted(_asked(desired, plan)):
        for found in _absent(_Beside(_NO_CHECKER, unit, program, (manager.path, ""))):
            if not any(may_bring(program, each, after) for each in commands):
                yield found


def _declared(desired: Desired) -> List[str]:
    """Units whose commands may make something, each once."""
    named = [member for unit in desired.units for member in unit.members]
    return list(dict.fromkeys([*named, *(dropin.unit.text for dropin in desired.dropins)]))


def _asked(desired: Desired, plan: Plan) -> Iterator[Tuple[str, str]]:
    for unit, expected in plan.watched.items():
        checks = desired.health_of(unit).checks if expected is not Expected.DOWN else ()
        programs = [check.program for check in checks if check.program]
        # One with a folder and no slash in front is looked for from where the module runs.
        yield from ((unit, each) for each in programs if each.startswith("/") or "/" not in each)


def _absent(asked: _Beside) -> Iterator[Problem]:
    path, root = asked.path
    named = asked.program.startswith("/")
    places = [asked.program] if named else [f"{folder}/{asked.program}" for folder in path.split(":") if folder]
    reasons: Dict[str, str] = {place: _why_not(place, root) for place in places}
    if all(reasons.values()):
        # Of one that is looked for in many folders there is no more to say than that.
        why = next((each for each in reasons.values() if each != _NOWHERE), "")
        yield asked.rule.problem(asked.unit, name=shown(asked.program), why=f" ({why})" if why else "")


def _why_not(place: str, root: str) -> str:
    """Why a file cannot be run, "" if it can, as far as that shows."""
    try:
        found = resolve(root + place, root)
        if not os.path.exists(found):
            return _NOWHERE
        if not os.path.isfile(found):
            return f"{place} is no file"
        if not is_program(root + place, root):
            return f"{place} is not executable"
        interpreter = _interpreter(found)
        there = not interpreter.startswith("/") or is_program(root + interpreter, root)
    except OSError:  # what cannot be read is for the run to find out
        return ""
    return "" if there else f"{shown(interpreter)}, which its first line names, is not there"


def _interpreter(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(_FIRST)
    words = head[2:].partition(b"\n")[0].split(maxsplit=1) if head.startswith(b"#!") else []
    return words[0].decode("utf-8", "replace") if words else ""

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the host has and a unit's own text hides from it: verify looks for programs on the host.

Told as the failure would be, which is the next thing to happen. Private to the collection.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from .._causes.incident import Incident, texts
from .._causes.views import inside
from .._causes.why_program import hidden
from .._host.places import Places
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.words import COMMANDS, apart, commands
from .programs import is_brought

_HIDDEN = Rule("hidden", Severity.WARNING, "{what}", "{remedy}", "systemd.exec(5), Sandboxing and Paths")
# What runs outside of the sandbox (systemd.service(5), Command lines).
_OUTSIDE = frozenset("+!")


def hidden_from(unit: str, loadpath: LoadPath, places: Places) -> Iterator[Problem]:
    """Programs, and the folder that they start in. A command that runs before may bring what is not there yet."""
    files = {path: loadpath.contents.get(path, b"") for path in loadpath.files(unit)}
    incident = Incident(unit, "", {}, texts(files, unit), made=loadpath.made)
    for directive, path in dict.fromkeys(_looked_for(incident)):
        real = inside(incident, path)
        found = hidden(incident, path, real, None) if real else None
        if found and not is_brought(path, unit, directive, loadpath, places.root):
            yield _HIDDEN.problem(unit, kind_of(unit).section, directive, what=found.what, remedy=found.remedy)


def _looked_for(incident: Incident) -> Iterator[Tuple[str, str]]:
    for directive in COMMANDS:
        for placed in incident.placed(directive):
            for command in commands(placed.value):
                marks, program = apart(command[0].text)
                if program.startswith("/") and _OUTSIDE.isdisjoint(marks):
                    yield directive, program
    yield "WorkingDirectory", incident.value("WorkingDirectory")

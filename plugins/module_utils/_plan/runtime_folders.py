# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Sockets of the file system that go with the folder that their service has while it runs. Pure.

systemd takes away what RuntimeDirectory= names when the service stops, with all that is in it (systemd.exec(5)). A
socket there goes on listening, where nobody can reach it. Tried on 247 to 262. Private to the collection.
"""

from __future__ import annotations

import os
from typing import Iterator, Optional, Set

from .._host.manager import States
from .._syntax.activation import namesake, starts
from .._syntax.kinds import Processes, kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import is_true, last, words
from .._syntax.names import misnamed, parse_name
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Effective
from .references import View

_GOES_WITH_FOLDER = Rule(
    "socket-in-runtime-folder",
    Severity.WARNING,
    "{path} goes away whenever {service} stops, since it is in its RuntimeDirectory=, and the socket then listens "
    "where nobody can reach it",
    "give {service} RuntimeDirectoryPreserve=yes, or the socket another folder",
    "systemd.exec(5), RuntimeDirectoryPreserve=",
)


def lost(socket: str, service: str, after: LoadPath) -> str:
    """The path on which a socket listens and that goes away when its service stops, "" if none does."""
    text, base = {} if misnamed(service) else after.effective(service), after.made.get("RuntimeDirectory")
    if base is None or is_true(last(text, "Service", "RuntimeDirectoryPreserve")):
        return ""
    named = (in_value(word, service).partition(":")[0] for word in words(text, "Service", "RuntimeDirectory"))
    folders = tuple(f"{base}/{name.strip('/')}/" for name in named)
    own = after.effective(socket).get(kind_of(socket).section, {}) if folders else {}
    values = [value for directive, given in own.items() if directive.startswith("Listen") for value in given]
    paths = (in_value(value, socket).replace("%t", base) for value in values)
    return next((path for path in paths if _real(path).startswith(folders)), "")


def _real(path: str) -> str:
    """Where a path leads: /var/run is /run (systemd itself says so of each such line)."""
    plain = os.path.normpath(path)
    return plain[len("/var") :] if plain.startswith("/var/run/") else plain


def _preserved(text: Effective) -> str:
    return last(text, "Service", "RuntimeDirectoryPreserve").lower()


def losing(service: str, after: LoadPath, states: States) -> Optional[str]:
    """A socket that is up and would be out of reach once its service has stopped, None if there is none."""
    text = after.effective(service)
    # With restart they stay for the start that follows.
    if not text.get("Service", {}).get("RuntimeDirectory") or _preserved(text) == "restart":
        return None
    others = (unit for unit, state in states.items() if kind_of(unit).starts.hands_over and state.is_up)
    mine = (unit for unit in others if starts(unit, after) == service)
    return next((unit for unit in sorted(mine) if lost(unit, service, after)), None)


def listens_in_vain(view: View) -> Iterator[Problem]:
    """Sockets and services that this declaration has a part in."""
    names = [each for unit in view.desired.units if unit.path for each in (unit.name.text, *unit.members)]
    names += [dropin.unit.text for dropin in view.desired.dropins if not dropin.unit.stands_for_others]
    names = list(dict.fromkeys(names))  # a unit is a member of its own
    services = [name for name in names if kind_of(name).processes is Processes.MAIN]
    told: Set[str] = set()
    for socket in dict.fromkeys(filter(None, (_socket(name, view.after) for name in names))):
        for service in dict.fromkeys((starts(socket, view.after), *services)):
            path = lost(socket, service, view.after)
            # What the template says is not said of each instance again.
            if path and parse_name(socket).template not in told:
                told.add(socket)
                yield _GOES_WITH_FOLDER.problem(socket, kind_of(socket).section, path=path, service=service)
                break


def _socket(name: str, after: LoadPath) -> str:
    """The socket that a name is of, or that a service of that name has by its own."""
    if kind_of(name).starts.hands_over:
        return name
    named = namesake(name)
    return named if named and after.fragment(named) and starts(named, after) == name else ""

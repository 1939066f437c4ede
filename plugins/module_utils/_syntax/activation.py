# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a timer, socket, path or automount starts. Private to the collection."""

from __future__ import annotations

import re
from typing import Callable, Iterable, Sequence, Tuple

from .kinds import KINDS, kind_of
from .loadpath import LoadPath
from .meaning import is_set, last
from .names import UnitName, misnamed, parse_name
from .specifiers import in_name
from .unitfile import Effective

# What starts an instance for each connection, by the type of what it starts (systemd.socket(5), Accept=).
_ACCEPTING = {row.starts.kind: row for row in KINDS.values() if row.starts.each}
# What opens something for units of a type, by that type.
_OPENING = {row.starts.kind: row for row in KINDS.values() if row.starts.hands_over}
_CONNECTION = re.compile(r"\d+-")


def accepting(name: UnitName) -> Tuple[str, ...]:
    """The units that start instances of this template if they accept connections for them; none if none could.

    An instance of a socket has the text of its template, unless it has a file of its own.
    """
    row = _ACCEPTING.get(name.kind)
    return (f"{name.prefix}.{row.name}", f"{name.prefix}@.{row.name}") if row and name.instance is not None else ()


def namesake(unit: str) -> str:
    """The socket that starts a service unless it says otherwise, "" for what is no service."""
    name = parse_name(unit)
    row = _OPENING.get(name.kind)
    return f"{name.prefix}.{row.name}" if row and not name.instance else ""


def is_accepted_for(unit: str, loadpath: LoadPath) -> bool:
    """Is there a socket with Accept=yes that starts instances of this service's template (systemd.socket(5))?"""
    sockets = accepting(parse_name(unit))
    every = [*sockets, *(each for socket in sockets for each in loadpath.own_files(socket))]
    return any(accepts(socket, loadpath.effective(socket)) for socket in every)


def is_of_connection(unit: str) -> bool:
    """Has an instance a name as such a socket gives it? It counts connections: N-ADDRESS:PORT-ADDRESS:PORT."""
    return _CONNECTION.match(parse_name(unit).instance or "") is not None


def accepts(unit: str, text: Effective) -> bool:
    """Does it start an instance for each connection (systemd.socket(5), Accept=)?"""
    row = kind_of(unit)
    return is_set(text, row.section, row.starts.each)


def by_its_name(unit: str) -> Tuple[str, str]:
    """What a unit starts unless its text names another: itself, and for each connection.

    The latter is the template of its prefix: acc@1.socket starts acc@0-1-0.service, tried on 252. Either is "" where
    units of its type start nothing so.
    """
    row = kind_of(unit)
    stem, kind, each = unit.rpartition(".")[0], row.starts.kind, row.starts.each
    return f"{stem}.{kind}" if kind else "", f"{stem.partition('@')[0]}@.{kind}" if each else ""


def started_by(unit: str, text: Effective) -> str:
    """The unit that a timer, socket, path or automount starts, or the template of such; "" for other kinds."""
    row = kind_of(unit)
    if not row.is_starter:
        return ""
    own, of_connection = by_its_name(unit)
    if accepts(unit, text):
        return of_connection
    return in_name(last(text, row.section, row.starts.directive), unit) or own


def starts(unit: str, loadpath: LoadPath) -> str:
    """What it starts by its merged text, by the name that systemd lists it under, which an alias is not."""
    return loadpath.primary(started_by(unit, loadpath.effective(unit)))


def served(unit: str, loadpath: LoadPath) -> str:
    """The one service that a socket is for; "" if each connection has its own, or its name cannot be told."""
    service = starts(unit, loadpath) if kind_of(unit).starts.hands_over else ""
    return "" if not service or misnamed(service) or parse_name(service).is_template else service


def in_the_way(unit: str, started: Iterable[str], is_up: Callable[[str], bool]) -> str:
    """What of the units that it starts runs, and keeps it from starting; "" if nothing does.

    The one rule about sockets: while its service is up a socket does not start (socket_start()).
    """
    return next(filter(is_up, started), "") if kind_of(unit).starts.hands_over else ""


def begin_together(verb: str, units: Sequence[str]) -> bool:
    """Have these jobs to begin in one transaction, as there are sockets among what is started?

    A connection to the first one would start its service, and no other socket of that service starts then.
    """
    return verb == "start" and len(units) > 1 and any(kind_of(unit).starts.hands_over for unit in units)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The short form of a socket, with the service that it hands connections to. Pure. Private to the collection."""

from __future__ import annotations

from typing import List

from .._syntax.meaning import is_true
from .._syntax.names import is_template
from .._syntax.rule import Problems
from . import service
from .forms import STATE, Around, Builder, Entry, Params, chosen, unit_name, with_kind
from .short import SHORT

_TARGET = "sockets.target"


def started(entry: Params) -> str:
    """The service, or the template of services, that the socket of an entry is for."""
    section = entry.get("socket") or {}
    stem = unit_name(entry["name"], "socket")[: -len(".socket")]
    if accepts(entry):
        return f"{stem}@.service"
    return with_kind(str(section["Service"])) if section.get("Service") else f"{stem}.service"


def accepts(entry: Params) -> bool:
    """Has each connection a service of its own?"""
    said = (entry.get("socket") or {}).get("Accept")
    return entry.get("accept") is True or said is True or (isinstance(said, str) and is_true(said))


def units(entry: Params, around: Around) -> List[Entry]:
    """The entries of a stack's units that a short one stands for. Raises Problems."""
    name, brought = unit_name(entry["name"], "socket"), started(entry)
    built = Builder(name)
    with_service = service.brings(entry)
    if entry.get("state") == "absent":
        return [built.entry(state="absent"), *([Builder(brought).entry(state="absent")] if with_service else [])]
    built.short(entry, SHORT["socket"])
    built.open(entry, {"unit": "Unit", "socket": "Socket", "install": "Install"})
    if any(built.sections.values()):
        built.wanted_by(_TARGET)
    about_state = any(entry.get(option) is not None for option in (*STATE, "health"))
    if not built.problems and not built.sections.get("Socket") and (with_service or not about_state):
        built.lacks("nothing says where it listens: give listen_stream or another address")
    problems = list(built.problems)
    found: List[Entry] = []
    try:
        if with_service:
            # A program for one connection reads and writes it, as under inetd (systemd.socket(5), Accept=).
            defaults = {"StandardInput": "socket", "StandardError": "journal"} if accepts(entry) else {}
            found.append(service.beside(entry, brought, around, defaults))
    except Problems as wrong:
        problems += wrong.problems
    if problems:
        raise Problems(problems)
    if entry.get("state") == "stopped":
        found = [{**each, "state": "stopped"} for each in found if not is_template(each["name"])] or found
    # A socket is never reloaded.
    on_change = ("on_change",) if entry.get("on_change") != "reload" else ()
    return [*found, built.entry(**chosen(entry, (*STATE, "instances", "health", "replace", *on_change)))]

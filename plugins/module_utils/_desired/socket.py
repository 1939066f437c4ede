# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The short form of a socket, with the service that it hands connections to. Pure. Private to the collection."""

from __future__ import annotations

from typing import List

from .._syntax.meaning import is_true
from .._syntax.names import is_template
from . import service
from .forms import STATE, Around, Builder, Entry, Params, chosen, unit_name, with_kind
from .short import SHORT


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
    built, brought = Builder(unit_name(entry["name"], "socket")), started(entry)
    if entry.get("state") == "absent":
        return service.gone(entry, built.unit, brought)
    built.short(entry, SHORT["socket"])
    built.open(entry, "unit", "socket", "install")
    if any(built.sections.values()):
        built.at_boot(around.boot)
    if not built.sections.get("Socket") and (service.brings(entry) or not chosen(entry, (*STATE, "health"))):
        built.lacks("nothing says where it listens: give listen_stream or another address")
    # A program for one connection reads and writes it, as under inetd (systemd.socket(5), Accept=).
    defaults = {"StandardInput": "socket", "StandardError": "journal"} if accepts(entry) else {}
    found = service.beside(built, entry, brought, around, defaults)
    if entry.get("state") == "stopped" and not is_template(brought):
        found = [{**each, "state": "stopped"} for each in found]
    # A socket is never reloaded.
    on_change = ("on_change",) if entry.get("on_change") != "reload" else ()
    passed = chosen(entry, (*STATE, "instances", "health", "replace", *on_change))
    return built.entries(*found, built.entry(**passed, **service.not_brought(built, found)))

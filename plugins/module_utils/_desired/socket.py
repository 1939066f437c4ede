# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The short form of a socket, with the service that it hands connections to. Pure. Private to the collection."""

from __future__ import annotations

from typing import List

from .._syntax.names import is_template
from . import service
from .forms import STATE, Around, Builder, Entry, Params, chosen, unit_name
from .short import SHORT


def starter(entry: Params) -> Builder:
    """The socket of an entry, by what the entry says. Raises Problems for the name of another type."""
    built = Builder(unit_name(entry["name"], "socket"))
    built.short(entry, SHORT["socket"])
    built.open(entry, "unit", "socket", "install")
    return built


def units(entry: Params, around: Around) -> List[Entry]:
    """The entries of a stack's units that a short one stands for. Raises Problems."""
    built = starter(entry)
    brought = built.starts()
    if entry.get("state") == "absent":
        return service.gone(entry, built.unit, brought)
    if any(built.sections.values()):
        built.at_boot(around.boot)
    if not built.sections.get("Socket") and (service.brings(entry) or not chosen(entry, (*STATE, "health"))):
        built.lacks("nothing says where it listens: give listen_stream or another address")
    # A program for one connection reads and writes it, as under inetd (systemd.socket(5), Accept=).
    defaults = {"StandardInput": "socket", "StandardError": "journal"} if built.accepts() else {}
    found = service.beside(built, entry, brought, around, defaults)
    if entry.get("state") == "stopped" and not is_template(brought):
        found = [{**each, "state": "stopped"} for each in found]
    # A socket is never reloaded.
    on_change = ("on_change",) if entry.get("on_change") != "reload" else ()
    passed = chosen(entry, (*STATE, "instances", "health", "replace", *on_change))
    return built.entries(*found, built.entry(**passed, **service.not_brought(built, found)))

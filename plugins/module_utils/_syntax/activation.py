# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a timer, socket, path or automount starts. Private to the collection."""

from __future__ import annotations

import re

from .loadpath import Effective, LoadPath, is_true, last
from .names import misnamed, parse_name

# Which directive of a kind names the unit it starts, and the kind it starts by default (systemd.timer(5) and the like).
STARTS = {
    "timer": ("Timer", "Unit", "service"),
    "socket": ("Socket", "Service", "service"),
    "path": ("Path", "Unit", "service"),
    "automount": ("", "", "mount"),
}
_CONNECTION = re.compile(r"\d+-")


def is_accepted_for(unit: str, loadpath: LoadPath) -> bool:
    """Is there a socket with Accept=yes that starts instances of this service's template (systemd.socket(5))?"""
    name = parse_name(unit)
    if name.kind != "service" or name.instance is None:
        return False
    return is_true(last(loadpath.effective(f"{name.prefix}.socket"), "Socket", "Accept"))


def is_of_connection(unit: str) -> bool:
    """Has an instance a name as such a socket gives it? It counts connections: N-ADDRESS:PORT-ADDRESS:PORT."""
    return _CONNECTION.match(parse_name(unit).instance or "") is not None


def started_by(unit: str, effective: Effective) -> str:
    """The unit that a timer, socket, path or automount starts, "" for other kinds.

    A socket with Accept=yes starts instances of a template (systemd.socket(5)).
    """
    stem, _dot, kind = unit.rpartition(".")
    if kind not in STARTS:
        return ""
    section, directive, started = STARTS[kind]
    if kind == "socket" and is_true(last(effective, section, "Accept")):
        return f"{stem}@.{started}"
    named = last(effective, section, directive) if directive else ""
    return _resolved(named, unit) or f"{stem}.{started}"


def _resolved(named: str, unit: str) -> str:
    """With the specifiers that a name alone resolves (systemd.unit(5)); others, such as %H, stay."""
    if "%" not in named or misnamed(unit):
        return named
    name = parse_name(unit)
    values = {"p": name.prefix, "j": name.prefix.rpartition("-")[2], "%": "%"}
    if not name.is_template:  # else only its instances know
        values.update({"n": unit, "N": unit.rpartition(".")[0], "i": name.instance or ""})
    return re.sub("%(.)", lambda found: values.get(found.group(1), found.group()), named)


def starts(unit: str, loadpath: LoadPath) -> str:
    """What it starts by its merged text, by the name that systemd lists it under, which an alias is not."""
    return loadpath.primary(started_by(unit, loadpath.effective(unit)))


def served(unit: str, loadpath: LoadPath) -> str:
    """The one service that a socket is for; "" if each connection has its own, or its name cannot be told."""
    service = starts(unit, loadpath) if unit.endswith(".socket") else ""
    return "" if not service or misnamed(service) or parse_name(service).is_template else service

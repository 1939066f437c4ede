# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What may have been meant by a section or directive that a systemd does not know there. Private to the collection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Tuple

from .former import PRESENT_NAMES
from .kinds import CGROUP_SECTIONS, KINDS
from .likeness import likeness, near
from .rule import shown
from .versions import came_with

if TYPE_CHECKING:
    from .directives import Catalogue

_WORDS = re.compile(r"[A-Z]{2,}[a-z]?(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]|[^A-Za-z0-9]+")
_NEAR_ENOUGH = 0.6
# Read without effect: these five by every version, and the rest by 262 (a warning each), with what to use instead.
_IGNORED_BY_ALL = frozenset("IgnoreOnSnapshot BusPolicy Capabilities NetClass SysVStartPriority".split())
_DROPPED: Dict[str, str] = {
    "BlockIOAccounting": "IOAccounting",
    "BlockIODeviceWeight": "IODeviceWeight",
    "BlockIOReadBandwidth": "IOReadBandwidthMax",
    "BlockIOWeight": "IOWeight",
    "BlockIOWriteBandwidth": "IOWriteBandwidthMax",
    "CPUAccounting": "",
    "CPUShares": "CPUWeight",
    "DefaultMemoryLow": "",
    "DefaultMemoryMin": "",
    "DefaultStartupMemoryLow": "",
    "ManagedOOMMemoryPressureLimitPercent": "ManagedOOMMemoryPressureLimit",
    "MemoryLimit": "MemoryMax",
    "StartupBlockIOWeight": "StartupIOWeight",
    "StartupCPUShares": "StartupCPUWeight",
}
# The names before those that systemd's manuals have by now; it still reads these, and advises against some of them.
_NEWER_NAMES = {**_DROPPED, **PRESENT_NAMES}


def complaint(catalogue: Catalogue, kind: str, section: str, directive: str, valid: Tuple[str, ...]) -> str:
    """What is wrong, and the mend. valid: the sections of that kind of unit."""
    if section not in valid:
        return _foreign_section(catalogue, kind, section, valid)
    if directive.lower() in ("true", "false"):
        return f"YAML made {directive} of a key written on, off, yes or no: quote it"
    inner = next((name for name in (*valid, *catalogue.sections) if name.lower() == directive.lower()), "")
    if inner and directive[:1].islower():
        beside = f": put it beside {section.lower()}, and not below that" if inner in valid else ""
        more = "" if inner in valid else f", and {_foreign_section(catalogue, kind, inner, valid)}"
        return f"{directive} is no directive but a section of its own{beside}{more}"
    return (
        _without_effect(catalogue, section, directive)
        or _elsewhere(catalogue, section, directive, valid)
        or next(filter(None, (_newer(catalogue, each, directive) for each in (section, valid[1], "Unit"))), None)
        or _foreign(catalogue, directive, valid)
        or _misspelt(catalogue, section, directive, valid)
    )


def _foreign_section(catalogue: Catalogue, kind: str, section: str, valid: Tuple[str, ...]) -> str:
    for name in valid:
        if name.lower() == section.lower():
            return f"[{section}] is written [{name}]"
    if section in catalogue.sections:
        there = _and(f"[{name}]" for name in valid)
        return f"[{section}] does not belong in a .{kind}, which has {there}{_beside(section)}"
    found = near(section, valid)
    mend = f"did you mean [{found[0]}]?" if found else f"a .{kind} has {_and(f'[{name}]' for name in valid)}"
    return f"there is no section {shown(section)}: {mend}"


def _beside(section: str) -> str:
    """What to do with what belongs to another unit."""
    own = next((other for other, row in KINDS.items() if row.section == section), "")
    return f": declare NAME.{own} beside it, and put that there" if own else ""


def _without_effect(catalogue: Catalogue, section: str, directive: str) -> Optional[str]:
    known = section in CGROUP_SECTIONS and directive in _DROPPED
    if not known and directive not in _IGNORED_BY_ALL:
        return None
    newer = _DROPPED.get(directive, "")
    mend = f"use {newer}" if newer else "leave it out"
    return f"{directive} has no effect in systemd {catalogue.version}: {mend}"


def _elsewhere(catalogue: Catalogue, section: str, directive: str, valid: Tuple[str, ...]) -> Optional[str]:
    for other in valid:
        if other != section and catalogue.type_of(other, directive) is not None:
            return f"{directive} belongs in [{other}], not in [{section}]"
    return None


def _newer(catalogue: Catalogue, section: str, directive: str) -> Optional[str]:
    came = came_with(section, directive)
    if not came or came[1] <= catalogue.version:
        return None
    first, last = came
    when = f"systemd {last}" if first == last else f"a systemd of {first} to {last}"
    return f"{directive} came to [{section}] with {when}; this host has {catalogue.version}"


def _foreign(catalogue: Catalogue, directive: str, valid: Tuple[str, ...]) -> Optional[str]:
    homes = [name for name in catalogue.sections if name not in valid and directive in catalogue.sections[name]]
    if not homes:
        return None
    beside = _beside(homes[0]) if len(homes) == 1 else ""
    return f"{directive} belongs in {_and(f'[{name}]' for name in homes)}, which is for another kind of unit{beside}"


def _misspelt(catalogue: Catalogue, section: str, directive: str, valid: Tuple[str, ...]) -> str:
    plain = re.sub("[-_]", "", directive).lower()  # as in Ansible's or another spelling
    for name in (section, *valid):
        for known in catalogue.sections.get(name, {}):
            if known.lower() == plain:
                return f"{shown(directive)} is written {known}" + (f", in [{name}]" if name != section else "")
    near = _nearest(directive, catalogue.sections.get(section, {}))
    mend = f"did you mean {near}?" if near else "look in the man pages of that version, or start its name with X-"
    return f"systemd {catalogue.version} knows no {shown(directive)} in [{section}]: {mend}"


def _nearest(directive: str, known: Iterable[str]) -> str:
    """The directive that one may have meant, "" if none is near.

    Words at the beginning that many share, such as Condition, make nothing near: what comes after them has to be.
    """
    close = near(directive, known, most=10, least=0.7)
    found = (each for each in close if _alike(_WORDS.findall(directive), _WORDS.findall(each)))
    return next((_NEWER_NAMES.get(each) or each for each in found if each not in _IGNORED_BY_ALL), "")


def _alike(one: List[str], other: List[str]) -> bool:
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    rest = likeness("".join(one), "".join(other))
    return not one or not other or rest >= _NEAR_ENOUGH


def _and(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last

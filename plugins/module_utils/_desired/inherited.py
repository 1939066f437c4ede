# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a stack says once for all of its services (the option defaults), under what an entry says itself. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping, Tuple

from .options import HIDDEN_OPTIONS

Params = Mapping[str, Any]
Entry = Dict[str, Any]

DEFAULTS = "defaults"
_MAPPINGS = ("environment", *HIDDEN_OPTIONS, "health", "hardening")
_OF_SUBOPTIONS = ("health", "hardening")


def merged(entry: Params, defaults: Params, judged: bool) -> Entry:
    """A service's entry with what stands in no section, its own word first, and what its sections may take as DEFAULTS.

    judged: a run waits for the service, so that a check of its health is for something.
    """
    without = {*(entry.get("without") or ()), *(() if judged else ("health",))}
    general_of = {part: each for part, each in defaults.items() if each and part not in without}
    both = plain(entry)
    for part in _MAPPINGS:
        general, own = general_of.get(part), entry.get(part)
        if isinstance(general, Mapping) and (own is None or isinstance(own, Mapping)):
            both[part] = {**general, **given(own or {})} if part in _OF_SUBOPTIONS else {**general, **(own or {})}
        elif general is not None and not isinstance(general, Mapping):
            both[part] = general  # refused with the entry, as one of its own
    if general_of.get("triggers"):
        own, general = given(entry.get("triggers") or {}), given(general_of["triggers"])
        lists = {key: [*general.get(key, ()), *own.get(key, ())] for key in ("files", "values")}
        both["triggers"] = {**general, **own, **lists}
    if entry.get("alert") is None and general_of.get("alert") is not None:
        both["alert"] = general_of["alert"]
    return {**both, DEFAULTS: {part: general_of[part] for part in ("unit", "service") if part in general_of}}


def plain(entry: Params) -> Entry:
    """An entry without what it says of the stack's defaults."""
    return {key: each for key, each in entry.items() if key != "without"}


def given(options: Params) -> Entry:
    """Without the nulls by which Ansible hands on suboptions that are not given."""
    return {key: each for key, each in options.items() if each is not None}


def type_of(entry: Params) -> str:
    """Type= of a merged entry by the stack's defaults, "" if they do not say."""
    return str(((entry.get(DEFAULTS) or {}).get("service") or {}).get("Type") or "")


def directives(entry: Params, is_run_by_another: bool) -> Iterator[Tuple[str, str, Any]]:
    """Section, directive and value of what the sections of a merged entry have where it says nothing itself.

    systemd refuses most words of Restart= in a oneshot, and what a timer starts is run again at its next time.
    """
    for section, told in (entry.get(DEFAULTS) or {}).items():
        for directive, value in told.items():
            if not (is_run_by_another and str(directive).startswith("Restart")):
                yield section.capitalize(), str(directive), value


def in_sections(unit: Params, timed: bool) -> Entry:
    """A merged entry of a service with sections; a text in one piece has no place for more.

    timed: a timer starts it.
    """
    found = {key: each for key, each in unit.items() if key != DEFAULTS}
    if unit.get("content") is None:
        sort = (unit.get("service") or {}).get("Type") or type_of(unit)
        for section, directive, value in directives(unit, timed or sort == "oneshot"):
            found[section.lower()] = {directive: value, **(found.get(section.lower()) or {})}
    return found

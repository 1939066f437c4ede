# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where in the options of a task a mistake is, such as units[3].service.ExecStart. Pure, and read where one is told.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, FrozenSet, Iterator, List, Mapping, Tuple

from .._desired.options import FORMS, LISTS
from .._desired.short import ROWS
from .._syntax.kinds import KINDS
from .._syntax.names import misnamed, parse_name

Params = Mapping[str, Any]

# Options that make more than one directive, or one with others, by what they make.
_MAKING = {
    ("Service", "ExecStart"): ("argv",),
    ("Timer", "OnCalendar"): ("cron", "timezone"),
    ("Unit", "Wants"): ("depends_on", "members"),
    ("Unit", "Requires"): ("depends_on",),
    ("Unit", "After"): ("depends_on",),
    ("Service", "Environment"): ("environment",),
    ("Service", "EnvironmentFile"): ("secrets",),
    ("Service", "LoadCredential"): ("credentials",),
}


def option_path(params: Params, unit: str, section: str, directive: str, option: str = "") -> str:
    """The option that a mistake with this place comes from, as near as it can be told; "" if it is of none.

    params: those of any module. What an entry has not said itself may come from the defaults of its stack. option: that
    of the entry of the unit, or of all where there is no unit, where the mistake knows it.
    """
    if option and not unit:
        return option
    entries = list(_entries(params, unit))
    for path, entry in entries:
        within = _said(entry, option) or _within(entry, section, directive)
        if within:
            return f"{path}.{within}" if path else within
    defaults = params.get("defaults") or {}
    general = (_said(defaults, option) or _within(defaults, section, directive)) if entries else ""
    if general:
        return f"defaults.{general}"
    return next((_of_instance(path, entry, unit) for path, entry in entries), "")


def _entries(params: Params, unit: str) -> Iterator[Tuple[str, Params]]:
    """The entries that are about a unit, with their paths; a module of one unit is an entry itself."""
    if not any(option in params for option in LISTS):
        yield "", params
        return
    for option in LISTS:
        for number, entry in enumerate(params.get(option) or ()):
            if not _names(option, str(entry.get("name"))).isdisjoint(_general(unit)):
                yield f"{option}[{number}]", entry


def _names(option: str, name: str) -> FrozenSet[str]:
    if option not in FORMS:
        return frozenset([name])
    kind = option[:-1]
    stem = name[: -len(kind) - 1] if name.endswith(f".{kind}") else name
    brought = KINDS[kind].starts.kind
    return frozenset([f"{stem}.{kind}", *([f"{stem}.{brought}", f"{stem}@.{brought}"] if brought else [])])


def _general(unit: str) -> List[str]:
    """A unit, and the template that it is an instance of."""
    template = "" if misnamed(unit) else parse_name(unit).template
    return [unit, template] if template else [unit]


def _said(entry: Params, option: str) -> str:
    """That option, if the entry has given it, or what it lies in."""
    return option if entry.get(option.partition(".")[0]) is not None else ""


def _within(entry: Params, section: str, directive: str) -> str:
    if not directive:
        return ""
    said = entry.get(section.lower())
    if isinstance(said, Mapping) and directive in said:
        return f"{section.lower()}.{directive}"
    short = [option for option, row in ROWS.items() if (row.section, row.directive) == (section, directive)]
    made = [*short, *_MAKING.get((section, directive), ()), "content"]
    return next((option for option in made if entry.get(option) is not None), "")


def _of_instance(path: str, entry: Params, unit: str) -> str:
    """The instance of its own where that has something of its own."""
    instance = "" if misnamed(unit) else parse_name(unit).instance
    for number, each in enumerate(entry.get("instances") or ()):
        if instance and isinstance(each, Mapping) and str(each.get("name")) == instance:
            return f"{path}.instances[{number}]".lstrip(".")
    return path

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where in the options of a task a mistake is, such as units[3].service.ExecStart. Pure, and read where one is told.

Private to the collection.
"""

from __future__ import annotations

import enum
import re
from typing import Any, FrozenSet, Iterator, List, Mapping, Tuple

from .._desired.forms import with_kind
from .._desired.options import FORMS, LISTS
from .._desired.short import ROWS
from .._syntax.activation import by_its_name
from .._syntax.kinds import KINDS
from .._syntax.names import misnamed, parse_name
from .._syntax.rule import joined

Params = Mapping[str, Any]

# Of a module of one unit, where nothing in its entry is nearer.
_NAME = "name"
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
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

    params: those of any module. What an entry has not said itself may come from the defaults of its stack. option: as
    `Problem` has it, where the mistake knows it: its path in the value of the directive, in the entry, or in all.
    """
    if not unit:
        return option
    entries = list(_entries(params, unit))
    around = [*entries, *([("defaults", params.get("defaults") or {})] if entries else [])]
    for nearness in _Nearness:
        for path, entry in around:
            within = _within(entry, section, directive, option, nearness)
            if within:
                return joined(path, within)
    found = next((path or _NAME for path, _entry in entries), "")
    return found if found not in ("", _NAME) else _as_member(params, unit) or found


def _as_member(params: Params, unit: str) -> str:
    """Where a unit without an entry of its own is a member of a target, "" if it is none."""
    targets = [(f"targets[{number}]", each) for number, each in enumerate(params.get("targets") or ())]
    for path, entry in [*targets, ("", params)]:
        members = entry.get("members")
        for number, each in enumerate(members if isinstance(members, (list, tuple)) else ()):
            if unit in (with_kind(word) for word in str(each).split()):
                return joined(path, f"members[{number}]")
    return ""


def every_path(params: Params, unit: str, option: str) -> List[str]:
    """All entries that are about a unit; those of its drop-ins that have a name in common, if `option` says so."""
    if option != "dropin":
        found = [(path, entry) for path, entry in _entries(params, unit) if not path.startswith("dropins[")]
        return list(dict.fromkeys(path for path, entry in found if _is_about(path, entry, unit)))
    dropins = [(path, entry) for path, entry in _entries(params, unit) if path.startswith("dropins[")]
    named = [_file_name(entry) for _path, entry in dropins]
    return [path for path, entry in dropins if named.count(_file_name(entry)) > 1]


def _file_name(entry: Params) -> str:
    name = str(entry.get("dropin"))
    return name if name.endswith(".conf") else f"{name}.conf"


def _is_about(path: str, entry: Params, unit: str) -> bool:
    """Not that of a template, unless it lists the instance."""
    instance = "" if misnamed(unit) else parse_name(unit).instance
    if not instance or str(entry.get("name")) == unit or ".instances[" in path:
        return True
    return instance in (str(each) for each in entry.get("instances") or () if not isinstance(each, Mapping))


def _entries(params: Params, unit: str) -> Iterator[Tuple[str, Params]]:
    """The entries that are about a unit, with their paths; a module of one unit is an entry itself.

    What an instance has of its own comes before the entry of its template.
    """
    if not any(option in params for option in LISTS):
        yield from _of_instance("", params, unit)
        yield "", params
        return
    for option in LISTS:
        for number, entry in enumerate(params.get(option) or ()):
            if not names_of(option, str(entry.get("name"))).isdisjoint(_general(unit)):
                path = f"{option}[{number}]"
                yield from _of_instance(path, entry, unit)
                yield path, entry


def names_of(option: str, name: str) -> FrozenSet[str]:
    """The units that an entry of a list is about."""
    if option not in FORMS:
        return frozenset([name])
    kind = option[:-1]
    suffix = name.rpartition(".")[2]
    if suffix in KINDS and suffix != kind:
        return frozenset([name])  # which is refused, by the name that it has
    unit = name if name.endswith(f".{kind}") else f"{name}.{kind}"
    return frozenset(filter(None, (unit, *by_its_name(unit))))


def _general(unit: str) -> List[str]:
    """A unit, and the template that it is an instance of."""
    template = "" if misnamed(unit) else parse_name(unit).template
    return [unit, template] if template else [unit]


class _Nearness(enum.Enum):
    """How much of an option's path there is: all of it with a value, all of it, or what is around it."""

    GIVEN = "given"
    THERE = "there"
    AROUND = "around"


def _within(entry: Params, section: str, directive: str, option: str, nearness: _Nearness) -> str:
    """The path of that in an entry, if there is as much of it."""
    if not directive:
        return _there(entry, option, nearness) if option else ""
    found = (_there(entry, joined(each, option), nearness) for each in _making(entry, section, directive))
    return next(filter(None, found), "")


def _making(entry: Params, section: str, directive: str) -> Iterator[str]:
    """The options of an entry that make a directive, or may."""
    said = entry.get(section.lower())
    if isinstance(said, Mapping) and directive in said:
        yield f"{section.lower()}.{directive}"
    yield from (option for option, row in ROWS.items() if (row.section, row.directive) == (section, directive))
    yield from (*_MAKING.get((section, directive), ()), "content")


def _there(entry: Params, path: str, nearness: _Nearness) -> str:
    value: Any = entry
    met = ""
    for name, index in _STEP.findall(path):
        if name and isinstance(value, Mapping) and name in value:
            value = value[name]
        elif index and isinstance(value, (list, tuple)) and int(index) < len(value):
            value = value[int(index)]
        else:
            break
        if value is None and not met:  # as Ansible hands on an option that is not given
            break
        met = joined(met, name or f"[{index}]")
    if nearness is _Nearness.AROUND:
        return met
    return path if met == path and (nearness is _Nearness.THERE or value is not None) else ""


def _of_instance(path: str, entry: Params, unit: str) -> Iterator[Tuple[str, Params]]:
    """The instance of its own where that has something of its own."""
    instance = "" if misnamed(unit) else parse_name(unit).instance
    for number, each in enumerate(entry.get("instances") or ()):
        if instance and isinstance(each, Mapping) and str(each.get("name")) == instance:
            yield joined(path, f"instances[{number}]"), each

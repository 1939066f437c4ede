# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of which YAML has made another text than was written: MODE: 0644 is 420, and START: 12:30 is 750.

A module only sees what YAML has made of it, and most numbers are what they seem. The controller knows where a value was
written, and so can look. Private to the collection.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.mistakes import TEXTS
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.options import (
    HIDDEN_OPTIONS,
    LISTS,
    SECTION_OPTIONS,
    TEXT_OPTIONS,
    Spec,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.short import ROWS
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.values import WRITTEN

from ._positions import origin

# Secrets are no numbers anyway, and go nowhere where they might be shown; of triggers only counts that they change.
_PASSED_OVER = (*HIDDEN_OPTIONS, "triggers")
# What a program is given as it stands.
_TEXTS = (*(option for option in TEXT_OPTIONS if option not in _PASSED_OVER), "argv", "Environment")
# What systemd reads: there a number is one, however it was written, but for those that were not meant as numbers.
_NUMBERS = {*SECTION_OPTIONS, *(option for option, row in ROWS.items() if row.takes in (("text",), ("texts",)))}
# What has options of its own.
_ENTRIES = ("defaults", *LISTS)
# Mappings by names that someone has made up.
_NAMED = (*HIDDEN_OPTIONS, "alerts")
_SPECS: Mapping[str, Callable[[], Spec]] = {
    "stack": options.stack,
    "drill": options.drill,
    "unit_info": options.info,
    "unit": options.unit,
    "dropin": options.dropin,
    "service": options.service,
    "timer": options.timer,
    "socket": options.socket,
    "target": options.target,
    "hardening": options.hardened,
    "hardening_search": options.searched,
}
_NO_NUMBER = re.compile(r"[-+]?(0[0-7_]+|\d[\d_]*(:[0-5]?\d)+(\.\d*)?)")
_SCALAR = re.compile(r"(?:&\S+\s+)?([^\s,\]}#\"'][^,\]}#]*)")
_KEY = "the name before a colon (such as yes, no, on, off)"


def as_written(args: Mapping[str, Any], module: str = "stack") -> dict[str, Any]:
    """The options of a task, with a mark in the place of each value that is another text than was written."""
    return _level(args, _SPECS[module]() if module in _SPECS else {})


def looks_at(option: str) -> bool:
    """Is an option of that name looked at, or what is in it, whatever its type?"""
    return option in (*_TEXTS, *_NUMBERS, *_ENTRIES, *_NAMED, "instances")


def _level(args: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    return {key: _option(str(key), value, spec.get(str(key), {})) for key, value in args.items()}


def _option(name: str, value: Any, spec: Spec) -> Any:
    kind, inner = spec.get("type"), spec.get("options")
    if name == "instances":
        return [_instance(each) for each in value] if isinstance(value, list) else value
    if kind in TEXTS or (kind == "list" and spec.get("elements") in TEXTS):
        # What YAML makes of a choice Ansible takes for the word again.
        return value if spec.get("choices") else _named(value, is_list=kind == "list")
    if inner is not None:
        return _entries(value, inner)
    # Where a mapping or a list is wanted, a mark would be taken for one: Ansible refuses the number itself.
    if name not in ROWS and not isinstance(value, (Mapping, list)):
        return value
    if name in _TEXTS:
        return _marked(value, is_text=True)
    if name in _NAMED:
        return _with_names(value)
    return _marked(value, is_text=False) if name in _NUMBERS else value


def _entries(value: Any, spec: Spec) -> Any:
    """What has options of its own, one or a list of such."""
    if isinstance(value, Mapping):
        return _level(value, spec)
    return [_entries(each, spec) for each in value] if isinstance(value, list) else value


def _instance(value: Any) -> Any:
    """One of a template, by its name alone or with what it has of its own."""
    if not isinstance(value, Mapping):
        return _named(value)
    told = _level(value, options.instance())
    return {**told, "name": _named(value["name"])} if "name" in value else told


def _named(value: Any, is_list: bool = False) -> Any:
    """What is taken as it was written, where a truth value is never meant."""
    if isinstance(value, list):
        return [_named(each) for each in value] if is_list else value
    if isinstance(value, bool):
        found: Any = {WRITTEN: ["", str(value)]}
    else:
        found = _marked(value, is_text=True)
    # Ansible would take a mark for the list that is wanted.
    return [found] if is_list and found is not value else found


def _with_names(value: Any) -> Any:
    """A mapping in which a name that YAML has changed has a mark for its value."""
    if not isinstance(value, Mapping):
        return value
    return {key: {WRITTEN: [_KEY, str(key)]} if isinstance(key, bool) else inner for key, inner in value.items()}


def _marked(value: Any, is_text: bool) -> Any:
    if isinstance(value, Mapping):
        named = _with_names(value)
        return {key: _marked(inner, is_text or key in _TEXTS) for key, inner in named.items()}
    if isinstance(value, list):
        return [_marked(each, is_text) for each in value]
    if isinstance(value, bool) or not isinstance(value, (int, float, datetime.datetime)):
        return value
    written = _source(value)
    lost = written != _sent(value) if is_text else _NO_NUMBER.fullmatch(written)
    return {WRITTEN: [written, _sent(value)]} if written and lost else value


def _sent(value: Any) -> str:
    """The text that a module is given, or makes of it."""
    return str(value.isoformat()) if isinstance(value, datetime.datetime) else str(value)


def _source(value: Any) -> str:
    """What was written for a value; "" where that is not known, or is something that only led to it."""
    place = origin(value)
    if place is None or not place.line_num or not place.col_num:
        return ""
    lines = _lines(place.path)
    line = lines[place.line_num - 1] if place.line_num <= len(lines) else ""
    found = _SCALAR.match(line, place.col_num - 1)
    written = found.group(1).strip() if found else ""
    try:
        return written if yaml.safe_load(written) == value else ""
    except (yaml.YAMLError, ValueError):
        return ""


@functools.lru_cache(maxsize=64)
def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return []

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
from collections.abc import Mapping
from typing import Any

import yaml
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.options import (
    HIDDEN_OPTIONS,
    LISTS,
    SECTION_OPTIONS,
    TEXT_OPTIONS,
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
# What has options of its own: the entries of a stack, what it says for all of them, and instances.
_ENTRIES = ("defaults", *LISTS, "instances")
_NO_NUMBER = re.compile(r"[-+]?(0[0-7_]+|\d[\d_]*(:[0-5]?\d)+(\.\d*)?)")
_SCALAR = re.compile(r"(?:&\S+\s+)?([^\s,\]}#\"'][^,\]}#]*)")


def as_written(args: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a task, with a mark in the place of each value that is another text than was written."""
    return {key: _option(str(key), value) for key, value in args.items()}


def looks_at(option: str) -> bool:
    """Is an option of that name looked at, or what is in it?"""
    return option in _TEXTS or option in _NUMBERS or option in _ENTRIES


def _option(name: str, value: Any) -> Any:
    # Where a mapping or a list is wanted, a mark would be taken for one: Ansible refuses the number itself.
    if name not in ROWS and not isinstance(value, (Mapping, list)):
        return value
    if name in _TEXTS:
        return _marked(value, is_text=True)
    if name in _NUMBERS:
        return _marked(value, is_text=False)
    return _entries(value) if name in _ENTRIES else value


def _entries(value: Any) -> Any:
    """The entries of a stack, or the mapping of its defaults."""
    if isinstance(value, Mapping):
        return as_written(value)
    return [_entries(each) for each in value] if isinstance(value, list) else value


def _marked(value: Any, is_text: bool) -> Any:
    if isinstance(value, Mapping):
        return {key: _marked(inner, is_text or key in _TEXTS) for key, inner in value.items()}
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

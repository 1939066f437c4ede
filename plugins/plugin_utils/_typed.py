# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a host has told, each as the type that is wanted, whatever it is. Pure, and private to the collection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def text(value: object) -> str:
    """ "" for what is none, and the number 0 is one."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if value or is_number else ""


def number(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        return 0


def seconds(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def mapping(value: object) -> Mapping[str, Any]:
    return {str(key): each for key, each in value.items()} if isinstance(value, Mapping) else {}


def texts(value: object) -> list[str]:
    return [text(each) for each in value] if isinstance(value, (list, tuple)) else []


def mappings(value: object) -> list[Mapping[str, Any]]:
    """None for null. Raises ValueError for what is no list of mappings: to pass it over would be to call it well."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, Mapping) for each in value):
        raise ValueError("no list of mappings")
    return [mapping(each) for each in value]

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Spans of time, as systemd.time(7) reads them. Private to the collection."""

from __future__ import annotations

import math
import re
from typing import Optional

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_UNITS = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("us", "usec", "µs", "μs"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("m", "min", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hr", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("M", "month", "months"), 30.4375 * _DAY),
    **dict.fromkeys(("y", "year", "years"), 365.25 * _DAY),
}
_EXACT = re.compile(r"\s*([0-9]+)(?:\.([0-9]{1,3})(?![0-9.]))?\s*([A-Za-zµμ]*)")
_MOST = 2**63
_PART = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zµμ]*)")


def microseconds(text: str) -> Optional[int]:
    """How long a span is to the microsecond; None for one of which that is not plain, and for infinity."""
    found, end = 0, 0
    parts = list(_EXACT.finditer(text))
    for part in parts:
        unit = part.group(3)
        if part.start() != end or unit not in _UNITS or (not unit and len(parts) > 1):
            return None
        # In thousandths of what systemd counts in.
        exact = int(part.group(1) + (part.group(2) or "").ljust(3, "0")) * round(_UNITS[unit] * 1_000_000)
        if exact % 1000:
            return None
        found, end = found + exact // 1000, part.end()
    return found if parts and end == len(text) and found < _MOST else None


def seconds(text: str) -> Optional[float]:
    """How long a span is, math.inf for infinity; None for a text that is none."""
    if text.strip() == "infinity":
        return math.inf
    parts, end = [], 0
    for part in _PART.finditer(text):
        if part.start() != end or part.group(2) not in _UNITS:
            return None
        parts.append(float(part.group(1)) * _UNITS[part.group(2)])
        end = part.end()
    return sum(parts) if parts and not text[end:].strip() else None

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The exposure of a service by our own table, for where the host's systemd cannot be asked. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Sequence

from . import merging
from .optouts import Line
from .profiles import ServiceLines, is_root
from .protection import Merge, Protection
from .protections import PROTECTIONS

# What systemd-analyze counts of a service that says nothing, as root and otherwise, and the most there is.
_BARE = (53510, 51610)
_MOST = (56160, 56460)
# Points of a list by each name that it still allows, and by each that it denies: those are rarely the weighty ones.
_BY_NAME = {"CapabilityBoundingSet": (550, 250), "RestrictAddressFamilies": (800, 800)}
_BY_GROUP = 900


def estimated(lines: Sequence[Line], version: int) -> float:
    """The exposure, from 0 to 10. lines: those of its [Service], in systemd's order."""
    said = ServiceLines(lines, version)
    root = is_root(said)
    saved = sum(_saved(row, said.all(row.name)) for row in PROTECTIONS.values())
    points = max(0, (_BARE[0] if root else _BARE[1]) - saved)
    return round(10 * points / (_MOST[0] if root else _MOST[1]), 1)


def _saved(row: Protection, said: Sequence[str]) -> int:
    if not said or row.name in ("DynamicUser", "AmbientCapabilities"):  # who it is counts by what it is bare
        return 0
    if row.merge is Merge.LADDER:
        values = merging.in_force(said)
        return row.weight * row.rank(values[-1]) // (len(row.order) - 1) if values else 0
    if row.merge is Merge.CALLS:
        return _of_calls(row, said)
    if row.name in _BY_NAME:
        names = merging.read_names(row.name, said)
        allowed, denied = (points * len(names.names) for points in _BY_NAME[row.name])
        return min(row.weight, denied) if names.all_but else max(0, row.weight - allowed)
    return row.weight if merging.in_force(said) else 0


def _of_calls(row: Protection, said: Sequence[str]) -> int:
    lines = merging.in_force(said)
    denied = {word for line in lines if line.startswith("~") for word in line[1:].split() if word.startswith("@")}
    if not lines:
        return 0
    least = 0 if lines[0].startswith("~") else row.weight - 2 * _BY_GROUP
    return min(row.weight, least + _BY_GROUP * len(denied))

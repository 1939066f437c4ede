# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Paths that a unit, or the host, waits for: what is not there yet, and comes before it is needed.

Private to the collection.
"""

from __future__ import annotations

import os
import posixpath
from typing import List, Set

from .._host.files import resolve
from .._syntax.kinds import KINDS
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import required_paths
from .._syntax.names import escape_path, mount_of
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Effective


def is_awaited(path: str, unit: str, text: Effective, host: str) -> bool:
    """Is that path or a folder above it missing, and does a condition keep the unit from starting until it comes?"""
    required = {in_value(each, unit) for each in required_paths(text)}
    return any(not os.path.lexists(resolve(host + each, host)) for each in required.intersection(within(path)))


def within(path: str) -> Set[str]:
    """It and the folders that it is in, but for those that everything is in."""
    return {path, *(each for each in _above(path) if each.count("/") > 1)}


def awaits_mount(path: str, loadpath: LoadPath, host: str) -> bool:
    """Does a unit say that something is mounted over a folder of this path, where nothing is yet?"""
    kinds = [kind.name for kind in KINDS.values() if kind.over_folder]
    names = {mount_of(each): escape_path(each) for each in _above(posixpath.normpath(path))}
    said = [mount for mount, name in names.items() if any(loadpath.defines(f"{name}.{kind}") for kind in kinds)]
    if host or not said:
        return bool(said)
    from .._host.mounts import in_place  # noqa: PLC0415 (few paths are below what a unit mounts)

    return not in_place().keys() >= set(said)


def _above(path: str) -> List[str]:
    parts = path.strip("/").split("/")[:-1]
    return ["/" + "/".join(parts[: number + 1]) for number in range(len(parts))]

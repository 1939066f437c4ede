# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a service is at: its processes. Private to the collection."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import FrozenSet, Set

from .files import read
from .manager import Manager

# Of cgroup v2 alone, beside v1, and of v1.
_GROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")


def processes(manager: Manager, unit: str) -> FrozenSet[int]:
    """The processes of a unit, those of groups below its own among them; none where it runs none."""
    group = manager.show([unit], ("ControlGroup",))[unit].get("ControlGroup", "")
    found: Set[int] = set()
    for base in _GROUPS if group else ():
        for folder, _folders, names in os.walk(base + group):
            if "cgroup.procs" in names:
                with suppress(OSError, ValueError):
                    found.update(int(pid) for pid in read(os.path.join(folder, "cgroup.procs")).split())
    return frozenset(found)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The limits of memory that the kernel holds a control group to, lowered until it kills.

They are set in the kernel alone: systemd would take longer to take them back than to start the unit anew, which would
then be killed once more. Private to the collection.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from typing import List, NamedTuple, Optional, Sequence

from .files import KernelFile

_GROUPS = "/sys/fs/cgroup"
_EVENTS = "memory.events"
# The former first: else what is over the latter would be swapped out.
_SWAP, _MEMORY = "memory.swap.max", "memory.max"
# Small steps, so that no more is killed than has to be.
_STEP = 0.75
_PAGE = 4096


class Limit(NamedTuple):
    """A limit of a control group: its file, what it says, and the number of the group, which its path is not."""

    path: str
    said: str
    group: int


class Kill(NamedTuple):
    """The kernel has killed: at which limit in bytes, and when, by the monotonic clock."""

    limit: int
    at: float


def limits(group: str) -> List[Limit]:
    """Those of a group by the path that systemd tells, none where the kernel holds it to no limit of memory."""
    folder = _GROUPS + group
    if not group.strip("/") or not os.path.isfile(os.path.join(folder, _MEMORY)):
        return []
    paths = [os.path.join(folder, name) for name in (_SWAP, _MEMORY)]
    return [_limit(path) for path in paths if os.path.isfile(path)]


def _limit(path: str) -> Limit:
    with KernelFile(path) as file:
        return Limit(path, file.read().strip(), _group(path))


def _group(path: str) -> int:
    return os.stat(os.path.dirname(path)).st_ino


def exhaust(found: Sequence[Limit]) -> Optional[Kill]:
    """Lower the limits of a group until the kernel kills, and give them back; None if nothing of it can be killed."""
    folder = os.path.dirname(found[0].path)
    with ExitStack() as opened:
        files = [opened.enter_context(KernelFile(limit.path, may_write=True)) for limit in found]
        events = opened.enter_context(KernelFile(os.path.join(folder, _EVENTS)))
        used = opened.enter_context(KernelFile(os.path.join(folder, "memory.current")))
        try:
            for file in files[:-1]:
                file.write("0")
            return lower(files[-1], events, int(used.read()))
        finally:
            for file, limit in zip(files, found):
                with suppress(OSError):  # a group that is gone has no limits
                    file.write(limit.said)


def lower(limit: KernelFile, events: KernelFile, used: int) -> Optional[Kill]:
    """Lower a limit step by step from what is used. The kernel kills before it has taken one that is too low."""
    before = _killed(events)
    while used:
        used = int(used * _STEP) if used > _PAGE else 0
        at = time.monotonic()
        try:
            limit.write(str(used))
            kills = _killed(events)
        except OSError:  # the group has gone with the last of its processes
            return Kill(used, at)
        if kills > before:
            return Kill(used, at)
    return None


def _killed(events: KernelFile) -> int:
    """How many processes of the group the kernel has killed for want of memory."""
    for line in events.read().splitlines():
        name, _space, number = line.partition(" ")
        if name == "oom_kill":
            return int(number)
    return 0


def give_back(limit: Limit) -> None:
    """Set a limit to what it was, if that very group is still there."""
    with suppress(OSError):
        if _group(limit.path) == limit.group:
            with KernelFile(limit.path, may_write=True) as file:
                file.write(limit.said)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Processes as the kernel has them, and signals to one that systemctl has no name for. Private to the collection."""

from __future__ import annotations

import os
import signal
from typing import Dict, List, NamedTuple, Optional

from .files import read


class Process(NamedTuple):
    """A process, which its number alone is not: that is given to another one in time. began: in ticks of the boot."""

    pid: int
    began: str


def process(pid: int) -> Optional[Process]:
    """The process that has this number, None if none has."""
    found = _stat(pid)
    return Process(pid, found[19]) if found else None


def send(to: Process, number: int) -> bool:
    """Send a signal, if that very process is still there."""
    if process(to.pid) != to:
        return False
    try:
        os.kill(to.pid, number)
    except OSError:
        return False
    return True


def go_on(stopped: Process) -> bool:
    """Let a process go on that SIGSTOP has stopped."""
    return send(stopped, signal.SIGCONT)


def descendants(pid: int) -> List[Process]:
    """The children of a process with theirs, the nearest first."""
    children: Dict[int, List[int]] = {}
    for name in os.listdir("/proc"):
        found = _stat(int(name)) if name.isdigit() else []
        if found and found[0] != "Z":
            children.setdefault(int(found[1]), []).append(int(name))
    ahead, known = [pid], []
    while ahead:
        below = children.get(ahead.pop(0), [])
        ahead += below
        known += [found for found in map(process, below) if found]
    return known


def _stat(pid: int) -> List[str]:
    """The fields of proc(5), /proc/PID/stat, from its state on; none if it is gone."""
    try:
        return read(f"/proc/{pid}/stat").rpartition(b")")[2].decode().split()
    except OSError:
        return []

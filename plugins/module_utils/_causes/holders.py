# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who holds what a unit wants: a port, a socket, a file. Read from proc(5). Private to the collection."""

from __future__ import annotations

import os
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from .._syntax.kinds import KINDS, Cgroup

_LISTENS = "0A"
_ACCEPTS = 0x10000  # __SO_ACCEPTCON
_CLOSED = "07"  # of a datagram socket: bound, and connected to nobody
_UNIT = re.compile(rf"[^/]+\.(?:{'|'.join(row.name for row in KINDS.values() if row.cgroup is Cgroup.OWN)})$")


class Holder(NamedTuple):
    """A process that holds something: its number, its name, and the unit that it is of, "" where none is known."""

    pid: int
    name: str
    unit: str

    def __str__(self) -> str:
        return f"{self.unit} ({self.name}, process {self.pid})" if self.unit else f"process {self.pid} ({self.name})"


class Port(NamedTuple):
    """A port that something listens on: its number, and the inodes of the sockets."""

    number: int
    inodes: Tuple[str, ...]


def listening() -> Dict[int, Port]:
    """By number, of TCP and UDP, in the network that this process is in."""
    found: Dict[int, List[str]] = {}
    for name, state in (("tcp", _LISTENS), ("tcp6", _LISTENS), ("udp", _CLOSED), ("udp6", _CLOSED)):
        for row in _rows(f"/proc/net/{name}"):
            if len(row) > 9 and row[3] == state:
                found.setdefault(int(row[1].rpartition(":")[2], 16), []).append(row[9])
    return {number: Port(number, tuple(inodes)) for number, inodes in found.items()}


def listeners_on(number: int) -> Tuple[str, ...]:
    """The inodes of the sockets that listen on a port of TCP, of whatever address."""
    rows = (row for name in ("tcp", "tcp6") for row in _rows(f"/proc/net/{name}"))
    listen = (row for row in rows if len(row) > 9 and row[3] == _LISTENS)
    return tuple(row[9] for row in listen if int(row[1].rpartition(":")[2], 16) == number)


def listeners_at(path: str) -> Tuple[str, ...]:
    """The same of a socket of the file system."""
    rows = (row for row in _rows("/proc/net/unix") if len(row) > 7 and row[-1] == path)
    return tuple(row[6] for row in rows if int(row[3], 16) & _ACCEPTS)


def all_listeners() -> List[str]:
    """Those of all that listens, at whatever address."""
    inet = [inode for port in listening().values() for inode in port.inodes]
    return [*inet, *(row[6] for row in _rows("/proc/net/unix") if len(row) > 6 and int(row[3], 16) & _ACCEPTS)]


def bound_path(path: str) -> bool:
    """Does a socket of the file system have this path?"""
    return any(len(row) > 7 and row[-1] == path for row in _rows("/proc/net/unix"))


def _rows(path: str) -> Iterator[List[str]]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:
            next(lines, None)
            yield from (line.split() for line in lines)
    except OSError:
        return


def of_port(port: Port) -> Optional[Holder]:
    """The process that has opened it; of several the one that is not systemd. None where that may not be known."""
    wanted = _links_of(port.inodes)
    pids = [pid for pid, links in _opened(_pids()) if wanted & links]
    pid = next((each for each in pids if each != 1), pids[0] if pids else 0)
    return holder(pid) if pid else None


def of_these(inodes: Sequence[str], pids: Optional[Iterable[int]] = None) -> List[Holder]:
    """The processes that have one of these sockets open, as far as that may be known: of some, or of all."""
    wanted = _links_of(inodes)
    among = (_pids() if pids is None else pids) if wanted else ()
    return [holder(pid) for pid, links in _opened(among) if wanted & links]


def begun(pid: int) -> int:
    """When a process began, in ticks since the boot; 0 for one that is gone."""
    behind = _text(f"/proc/{pid}/stat").rpartition(") ")[2].split()  # proc(5): its name may hold anything
    return int(behind[19]) if len(behind) > 19 else 0


def network(pid: int) -> str:
    """The network namespace that a process is in."""
    return _link(f"/proc/{pid}/ns/net")


def _links_of(inodes: Iterable[str]) -> Set[str]:
    return {f"socket:[{inode}]" for inode in inodes}


def writer_of(path: str) -> Optional[Holder]:
    """A process that has a file open to write, by which it cannot be run (ETXTBSY)."""
    real = os.path.realpath(path)
    for pid in _pids():
        folder = f"/proc/{pid}/fd"
        for number in _entries(folder):
            if _link(f"{folder}/{number}") == real and _writes(pid, number):
                return holder(pid)
    return None


def _writes(pid: int, number: str) -> bool:
    try:
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as lines:
            flags = next((line.split()[1] for line in lines if line.startswith("flags:")), "0")
    except OSError:
        return False
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def _opened(pids: Iterable[int]) -> Iterator[Tuple[int, Set[str]]]:
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        yield pid, {_link(f"{folder}/{number}") for number in _entries(folder)}


def _pids() -> List[int]:
    return sorted(int(name) for name in _entries("/proc") if name.isdigit())


def _entries(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def holder(pid: int) -> Holder:
    return Holder(pid, _text(f"/proc/{pid}/comm").strip() or "?", "" if pid == 1 else unit_of(pid))


def unit_of(pid: int) -> str:
    """The unit whose cgroup a process is in, "" where that is none."""
    lines = _text(f"/proc/{pid}/cgroup").splitlines()
    groups = [line.split(":", 2)[2] for line in lines if line.startswith("0::") or ":name=systemd:" in line]
    for group in groups:
        parts = [part for part in group.split("/") if _UNIT.search(part)]
        if parts:
            return parts[-1]
    return ""


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""

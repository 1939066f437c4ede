# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a service is at: its processes, whose they are, what they listen on, whom they talk to, which files they write.

All of it is read in the host's own view, so that what the service has to itself alone is not there. Private to the
collection.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Sequence, Set, Tuple

from . import journal
from .files import read
from .manager import Manager

# Of cgroup v2 alone, beside v1, and of v1.
_GROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
_INET = ("tcp", "tcp6", "udp", "udp6")
_SWITCHES = re.compile(r"ctxt_switches:\s*(\d+)")
_TCP_LISTENS, _UDP_BOUND = "0A", "07"
_ACCEPTS = 0x10000  # __SO_ACCEPTCON
_WRITES = os.O_WRONLY | os.O_RDWR
# Where services leave files. What is in a home is the business of ProtectHome=, and what is in /tmp of PrivateTmp=.
_ROOTS = ("/etc", "/opt", "/run", "/srv", "/usr/local", "/var")
_PASSED = (
    "/run/credentials",
    "/run/log",
    "/run/systemd",
    "/run/udev",
    "/run/unitwright",
    "/run/user",
    "/run/lock",
    "/var/lib/systemd",
    "/var/lib/unitwright",
    "/var/lib/private",
    "/var/log/journal",
    "/var/tmp",
    "/var/lock",
)
_MOST_ENTRIES, _MOST_SECONDS = 300_000, 10.0


class Listener(NamedTuple):
    """transport: tcp, udp or unix. address: HOST:PORT or a path. mode: of the path, "" for others."""

    transport: str
    address: str
    mode: str = ""

    @property
    def is_local(self) -> bool:
        """Can only this host reach it?"""
        return self.transport == "unix" or _is_loopback(self.address.rpartition(":")[0].strip("[]"))

    def __str__(self) -> str:
        return f"{self.transport} {self.address}"


class Changed(NamedTuple):
    """A file or folder that changed: whose it is, and the bits of its mode."""

    path: str
    uid: int
    mode: int
    is_folder: bool


@dataclass(frozen=True)
class Workload:
    """A service at a moment.

    pids: its processes. users: of these, with how often those have had a processor. listeners: where it can be reached.
    peers: addresses that it talks to. families: of its sockets. written: files that it has open for writing. logs:
    those of them that only grow.
    """

    pids: FrozenSet[int]
    users: Dict[int, int]
    listeners: FrozenSet[Listener]
    peers: FrozenSet[str]
    families: FrozenSet[str]
    written: FrozenSet[str]
    logs: FrozenSet[str]


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


def processes_of_run(manager: Manager, unit: str, run: str) -> FrozenSet[int]:
    """Those of a run, as far as they are known: also its main one and those that said something, if they are gone.

    What a filter has ended is gone by the time that the kernel tells of it.
    """
    main = manager.show([unit], ("ExecMainPID",))[unit].get("ExecMainPID", "")
    gone = {int(main)} if main.isdigit() else set()
    return processes(manager, unit) | journal.speakers(manager, run) | gone


def workload(manager: Manager, unit: str) -> Workload:
    pids = processes(manager, unit)
    users: Dict[int, int] = {}
    sockets: Set[str] = set()
    written: Set[str] = set()
    logs: Set[str] = set()
    for pid in pids:
        with suppress(OSError, ValueError):
            uid, woken = os.stat(f"/proc/{pid}").st_uid, read(f"/proc/{pid}/status").decode("utf-8", "replace")
            users[uid] = users.get(uid, 0) + sum(int(each) for each in _SWITCHES.findall(woken))
        for target, flags, grows in _open(pid):
            if target.startswith("socket:["):
                sockets.add(target[8:-1])
            elif flags & _WRITES and _is_file(target):
                written.add(target)
                logs.update([target] if flags & os.O_APPEND and grows else ())
    listeners, peers, families = _sockets(frozenset(sockets))
    return Workload(pids, users, listeners, peers, families, frozenset(written), frozenset(logs))


def _open(pid: int) -> Iterator[Tuple[str, int, bool]]:
    """What a process has open, with the flags by which, and whether that is a file and no pipe or device."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for name in names:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            said = read(f"/proc/{pid}/fdinfo/{name}").decode("utf-8", "replace")
            mode = os.stat(f"/proc/{pid}/fd/{name}").st_mode
        except OSError:
            continue
        flags = re.search(r"^flags:\s*([0-7]+)", said, re.MULTILINE)
        yield target, int(flags.group(1), 8) if flags else 0, stat.S_ISREG(mode)


def _is_file(target: str) -> bool:
    return target.startswith("/") and not target.startswith(("/dev/", "/proc/", "/sys/")) and " (deleted)" not in target


def _sockets(inodes: FrozenSet[str]) -> Tuple[FrozenSet[Listener], FrozenSet[str], FrozenSet[str]]:
    listeners: Set[Listener] = set()
    peers: Set[str] = set()
    families: Set[str] = set()
    for table in _INET:
        for row in connections(table):
            if row.inode not in inodes:
                continue
            families.add("AF_INET6" if table.endswith("6") else "AF_INET")
            if row.listens:
                listeners.add(Listener(table[:3], row.local))
            elif not row.peer.endswith(":0"):
                peers.add(row.peer.rpartition(":")[0].strip("[]"))
    for line in _lines("/proc/net/unix"):
        words = line.split(None, 7)
        if len(words) > 6 and words[6] in inodes:
            families.add("AF_UNIX")
            if int(words[3], 16) & _ACCEPTS and len(words) > 7:
                listeners.add(Listener("unix", words[7], _mode(words[7])))
    families |= {
        name
        for file, name in _OTHERS.items()
        if any(line.split()[-1:] and _inode(line, file) in inodes for line in _lines(f"/proc/net/{file}"))
    }
    return frozenset(listeners), frozenset(peers), frozenset(families)


_OTHERS = {"netlink": "AF_NETLINK", "packet": "AF_PACKET"}
_INODE_AT = {"netlink": 9, "packet": 8}


def _inode(line: str, file: str) -> str:
    words = line.split()
    return words[_INODE_AT[file]] if len(words) > _INODE_AT[file] else ""


class Connection(NamedTuple):
    """A row of /proc/net/tcp and the like."""

    local: str
    peer: str
    listens: bool
    inode: str


def connections(table: str) -> Iterator[Connection]:
    for line in _lines(f"/proc/net/{table}")[1:]:
        words = line.split()
        listens = words[3] == (_TCP_LISTENS if table.startswith("tcp") else _UDP_BOUND)
        peer = _address(words[2])
        yield Connection(_address(words[1]), peer, listens and peer.endswith(":0"), words[9])


def _address(word: str) -> str:
    """HOST:PORT of what the kernel shows as hexadecimal numbers in the machine's order of bytes."""
    host, _colon, port = word.partition(":")
    packed = b"".join(struct.pack("=I", int(host[at : at + 8], 16)) for at in range(0, len(host), 8))
    address = ipaddress.ip_address(packed)
    return f"[{address}]:{int(port, 16)}" if address.version == 6 else f"{address}:{int(port, 16)}"


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        mapped = getattr(address, "ipv4_mapped", None)
        return bool((mapped or address).is_loopback)
    return False


def is_local(peer: str) -> bool:
    return _is_loopback(peer)


def _mode(path: str) -> str:
    """Mode and owner of a socket's file: who may connect; "" for an abstract one, "absent" where others see none."""
    if not path.startswith("/"):
        return ""
    try:
        seen = os.stat(path)
    except OSError:
        return "absent"
    return f"{stat.S_IMODE(seen.st_mode):04o} {seen.st_uid}:{seen.st_gid}"


def _lines(path: str) -> List[str]:
    try:
        return read(path).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def visited(before: Dict[str, Set[Connection]], seen: Set[Connection], listeners: Sequence[Listener]) -> Set[Listener]:
    """Those TCP listeners to which there were connections since; seen: those meanwhile.

    The kernel remembers one that was closed in order for a minute.
    """
    found: Set[Listener] = set()
    now = seen.union(*(connections(table) for table in before))
    fresh = now.difference(*before.values())
    for listener in listeners:
        port = ":" + listener.address.rpartition(":")[2]
        if listener.transport == "tcp" and any(
            not row.listens and (row.local.endswith(port) or row.peer.endswith(port)) for row in fresh
        ):
            found.add(listener)
    return found


def all_connections() -> Dict[str, Set[Connection]]:
    return {table: set(connections(table)) for table in ("tcp", "tcp6")}


def unix_paths() -> Dict[str, int]:
    """How many sockets bear each path now: what listens there, and one for each connection."""
    found: Dict[str, int] = {}
    for line in _lines("/proc/net/unix"):
        for path in line.split(None, 7)[7:]:
            found[path] = found.get(path, 0) + 1
    return found


def changed_since(since: float) -> List[Changed]:
    """Files and folders that changed since then, where services leave some; of a very large host not all."""
    found: List[Changed] = []
    begun, seen = time.monotonic(), 0
    for root in _ROOTS:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in _PASSED]
            seen += 1 + len(names)
            if seen > _MOST_ENTRIES or time.monotonic() - begun > _MOST_SECONDS:
                return found
            for path, is_folder in [(folder, True), *((os.path.join(folder, name), False) for name in names)]:
                with suppress(OSError):
                    status = os.lstat(path)
                    if status.st_mtime >= since and not stat.S_ISLNK(status.st_mode) and path not in _ROOTS:
                        found.append(Changed(path, status.st_uid, stat.S_IMODE(status.st_mode), is_folder))
    return found


def owner_of(path: str) -> int:
    """The user whose file or folder it is, -1 where it is not there."""
    try:
        return os.lstat(path).st_uid
    except OSError:
        return -1


def size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def grown(path: str, since: int) -> str:
    """What a file has got behind its first bytes; nothing of a pipe, which would be waited for."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as stream:
            seen = os.fstat(stream.fileno())
            if not stat.S_ISREG(seen.st_mode):
                return ""
            stream.seek(since if seen.st_size >= since else 0)
            return stream.read(200_000).decode("utf-8", "replace")
    except OSError:
        return ""


_TMPFILES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/lib/tmpfiles.d")


def lasting(folder: str, runtime: Sequence[str]) -> str:
    """The folder that has to be writable for this one, and that is there when the service starts.

    Below /run that is only what each boot makes, or RuntimeDirectory= of the service (runtime).
    """
    if not folder.startswith("/run/") or any(
        folder == f"/run/{name}" or folder.startswith(f"/run/{name}/") for name in runtime
    ):
        return folder
    for place in _TMPFILES:
        for name in os.listdir(place) if os.path.isdir(place) else ():
            if any(_makes(line, folder) for line in _lines(os.path.join(place, name))):
                return folder
    return "/run"


def _makes(line: str, folder: str) -> bool:
    words = line.split()
    return (
        len(words) > 1 and words[0][:1] in "dDvqQ" and words[1].replace("/var/run/", "/run/", 1).rstrip("/") == folder
    )


def own_folder(path: str, is_folder: bool, uid: int) -> str:
    """The topmost folder that is a user's own above a file; of root, whose all the rest is, the file's own folder."""
    folder = path if is_folder else os.path.dirname(path)
    while uid and owner_of(folder) == uid and owner_of(os.path.dirname(folder)) == uid:
        folder = os.path.dirname(folder)
    return folder

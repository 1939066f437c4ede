# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the kernel has mounted, and what it swaps to, whoever made it do that: proc(5), mountinfo and swaps.

Private to the collection.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Set, Tuple

from .._syntax.names import escape_path, mount_of
from .files import read

# File systems of which a folder may be all that there is to mount.
_WITH_VOLUMES = ("btrfs", "bcachefs")
_MOUNTS = "/proc/self/mountinfo"
_OCTAL = re.compile(r"\\([0-7]{3})")


class InPlace(NamedTuple):
    """What is mounted at a place, or swapped to.

    source: as the kernel names it. names: all names by which that is known here; none if that cannot be told. type: of
    the file system, "" for a swap. options: as the kernel tells them.
    """

    source: str
    names: FrozenSet[str]
    type: str
    options: Tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.source} ({', '.join([*filter(None, [self.type]), ','.join(self.options)])})"


class _Mount(NamedTuple):
    """A line of mountinfo.

    device: its number, MAJOR:MINOR. below: the folder of the file system that is mounted. where: the folder that it is
    mounted on. source, type, options: as the kernel tells them.
    """

    device: str
    below: str
    where: str
    source: str
    type: str
    options: Tuple[str, ...]


def is_mounted_over(folder: str) -> bool:
    """Asked of the kernel: for os.path.ismount Python 3.13 looks at `folder/..`, a visit that an automount answers."""
    return any(_parsed(line).where == folder for line in _lines(_MOUNTS))


def in_place() -> Dict[str, InPlace]:
    """By the names of the units that systemd makes of them."""
    mounts = [_parsed(line) for line in _lines(_MOUNTS) if _is_text(line)]
    devices = _devices("/dev")
    found = {}
    for mount in mounts:  # the last one lies on top
        names = _names(mount, mounts, devices)
        found[mount_of(mount.where)] = InPlace(mount.source, names, mount.type, mount.options)
    for line in _lines("/proc/swaps")[1:]:
        path, _type, _size, _used, priority = line.split()
        source = _plain(path)
        names = devices.get(_node(source), frozenset()) | {source}
        swap = InPlace(source, names, "", (f"pri={priority}",))
        found.update({escape_path(name) + ".swap": swap for name in names})
    return found


def _is_text(line: str) -> bool:
    """A place whose name is no text can have no unit of ours."""
    return not any("\udc80" <= char <= "\udcff" for char in line)


def _lines(path: str) -> List[str]:
    try:
        return read(path).decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found.group(1), 8)), text)


def _parsed(line: str) -> _Mount:
    fields, _dash, rest = line.partition(" - ")
    device, below, where, options = fields.split()[2:6]
    kind, source, *more = rest.split(" ")
    every = dict.fromkeys([*options.split(","), *",".join(more).split(",")])
    return _Mount(device, _plain(below), _plain(where), _plain(source), kind, tuple(filter(None, every)))


def _names(mount: _Mount, mounts: List[_Mount], devices: Mapping[str, FrozenSet[str]]) -> FrozenSet[str]:
    """A block device by all its names, a part of a file system by its path (a bind mount), else the source."""
    part = frozenset(_within(mount, mounts))
    if mount.below != "/" and mount.type not in _WITH_VOLUMES:
        return part
    names: FrozenSet[str] = devices.get(mount.device) or devices.get(_node(mount.source)) or frozenset()
    if mount.source.startswith("/dev/") and not names and not os.path.exists(mount.source):
        return frozenset()  # as /dev/root, which the kernel itself makes up
    return frozenset({*names, mount.source, *_backing(mount.source), *part})


def _within(mount: _Mount, mounts: List[_Mount]) -> Iterator[str]:
    """What is mounted here, as a path in another place where the same file system is mounted."""
    for other in mounts:
        below = os.path.relpath(mount.below, other.below)
        if other.device == mount.device and other.where != mount.where and not below.startswith(".."):
            yield os.path.normpath(os.path.join(other.where, below))


def _backing(source: str) -> Iterator[str]:
    """The file of a loop device."""
    if source.startswith("/dev/loop"):
        yield from _lines(f"/sys/block/{os.path.basename(source)}/loop/backing_file")


def _node(path: str) -> str:
    """The number of a block device, "" for anything else."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}" if stat.S_ISBLK(status.st_mode) else ""


def _devices(folder: str) -> Dict[str, FrozenSet[str]]:
    """All names of each block device, by its number."""
    found: Dict[str, Set[str]] = {}
    for where, _folders, files in os.walk(folder):
        for path in (os.path.join(where, name) for name in files):
            number = _node(path)
            if number:
                found.setdefault(number, set()).add(path)
    return {number: frozenset(paths) for number, paths in found.items()}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a manager and its units leave in the file system of how they run: read without asking it.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import Dict, FrozenSet, NamedTuple, Optional

from .._syntax.kinds import kind_of
from .files import read
from .places import Places
from .reading import Reader

INVOCATION = "invocation:"
LOG_FIELDS = "log-extra-fields:"
# What a remote run reaches the host by, whatever the connection is.
_CONNECTION = (
    "NetworkManager.service",
    "dbus-broker.service",
    "dbus.service",
    "dbus.socket",
    "iwd.service",
    "networking.service",
    "ssh.service",
    "ssh.socket",
    "sshd.service",
    "sshd.socket",
    "systemd-networkd.service",
    "wpa_supplicant.service",
)


class Invocation(NamedTuple):
    """One run of a unit: its ID, when it began (seconds since the epoch), and its journal fields (LogExtraFields=)."""

    id: str
    began: float
    log_fields: FrozenSet[str] = frozenset()


def loaded_at(manager: str) -> Optional[float]:
    """When the manager last read its unit files, in seconds since the epoch; None if that cannot be told.

    Newer ones touch a file then, 247 and a user's manager remake the generators' folders, if only for a moment.
    """
    folders = ["/generator", "/generator.early", "/generator.late"]
    for marks in (["/systemd-units-load"], folders, [""]):
        times = [each for each in (changed_at(manager + mark) for mark in marks) if each is not None]
        if times:
            return max(times)
    return None


def changed_at(path: str) -> Optional[float]:
    """When a file or folder last changed, in seconds since the epoch."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def invocations(manager: str, reader: Reader) -> Dict[str, Invocation]:
    """Each unit's present run, by the links that the manager keeps."""
    entries = {entry.name: entry.path for entry in reader.scan(manager + "/units")}
    found = {}
    for name, path in entries.items():
        if name.startswith(INVOCATION):
            unit = name[len(INVOCATION) :]
            seen = reader.look(path)
            if seen is not None and seen.target:
                fields = _log_fields(entries.get(LOG_FIELDS + unit), seen.changed_at, reader)
                found[unit] = Invocation(seen.target, seen.changed_at, fields)
    return found


def _log_fields(path: Optional[str], began: float, reader: Reader) -> FrozenSet[str]:
    """PID 1 keeps what LogExtraFields= said when a unit was last started; user managers do not.

    It leaves the file lying when the unit is started without that directive, so one from before this run of the unit
    says nothing: PID 1 writes it right after the invocation's link.
    """
    seen = reader.look(path) if path else None
    if seen is None or seen.content is None or seen.changed_at < began:
        return frozenset()
    return _fields(seen.content)


def _fields(content: bytes) -> FrozenSet[str]:
    """The file holds journal fields, each behind its length as a little-endian 64-bit number."""
    values = []
    while len(content) >= 8:
        length = int.from_bytes(content[:8], "little")
        values.append(content[8 : 8 + length].decode("utf-8", "replace"))
        content = content[8 + length :]
    return frozenset(values)


def boot(places: Places) -> str:
    """The boot ID is the kernel's and outlives a container's restart and a soft reboot, so PID 1's start time is added.

    For a user manager that is the time its socket was made.
    """
    try:
        boot_id = read("/proc/sys/kernel/random/boot_id").decode().strip()
        if places.scope.of_session:
            return f"{boot_id}/{os.stat(places.manager + '/private').st_ctime}"
        return f"{boot_id}/{read('/proc/1/stat').rpartition(b')')[2].split()[19].decode()}"
    except OSError:
        return ""


def carriers() -> FrozenSet[str]:
    """The units on this process's own cgroup path, and those that carry a connection."""
    try:
        lines = read("/proc/self/cgroup").decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    own = {part for line in lines for part in line.split(":", 2)[-1].split("/") if kind_of(part).has_process}
    return frozenset({*own, *_CONNECTION, f"user@{os.getuid()}.service"})

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which files a unit sees, and may write: what its text hides of the host, and what the host refuses its account.

Private to the collection.
"""

from __future__ import annotations

import grp
import os
import posixpath
import pwd
import stat
from typing import Any, Callable, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

from .._host.files import resolve
from .._syntax.meaning import is_on, truth
from .._syntax.unitfile import Placed
from .incident import Incident

READ, WRITE, RUN = 4, 2, 1
_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")
# systemd.exec(5), PrivateDevices=: what is left in /dev.
_PSEUDO = frozenset("null zero full random urandom tty pts ptmx shm mqueue hugepages log console core fd".split())
_VENDOR = ("/usr", "/boot", "/efi", "/bin", "/sbin", "/lib", "/lib64")
_KERNEL = ("/proc/sys", "/proc/sysrq-trigger", "/proc/acpi", "/proc/fs", "/proc/irq", "/sys")
_SEALED = ("RootImage", "RootMStack", "MountImages", "ExtensionImages", "ExtensionDirectories")


class Cover(NamedTuple):
    """A directive that decides what a unit sees at a path.

    directive: its name. place: where it stands. path: what it is about. hides, read_only: what it does to that;
    neither, and the unit sees it as it is. shut: it hides the folder itself, so that systemd mounts nothing below it.
    """

    directive: str
    place: Optional[Placed]
    path: str
    hides: bool = False
    read_only: bool = False
    shut: bool = False


class Who(NamedTuple):
    """An account as the kernel sees a process of it."""

    name: str
    uid: int
    groups: FrozenSet[int]


def sealed(incident: Incident) -> bool:
    """Does it see what cannot be looked into from here, such as an image?"""
    return any(incident.value(each) for each in _SEALED)


def inside(incident: Incident, path: str) -> Optional[str]:
    """Where the host has a path of the unit; None where that cannot be told."""
    if sealed(incident) or not path.startswith("/") or "%" in path:
        return None
    root = incident.value("RootDirectory").lstrip("-")
    try:
        return resolve(root.rstrip("/") + path, root.rstrip("/")) if root else resolve(path, "")
    except (OSError, ValueError):  # the latter of a path with a NUL byte in it
        return None


def led_by(incident: Incident, path: str) -> str:
    """Of a path that is not there, the link on its way that leads nowhere, as a sentence goes on; "" if none does."""
    root = incident.value("RootDirectory").lstrip("-").rstrip("/")
    link = there(root + path)
    if sealed(incident) or not os.path.islink(link):
        return ""
    return f" ({link[len(root) :]} is a link to {os.readlink(link)})"


def cover(incident: Incident, path: str) -> Optional[Cover]:
    """What decides about a path: the directive that names the deepest folder above it, the strictest of such.

    Below a folder that is shut systemd drops what other directives would mount (252: even for root it is not there).
    """
    if incident.elevated:
        return None
    path = posixpath.normpath(path)
    found = [each for each in _covers(incident) if below(path, each.path)]
    return max(found, key=_weight) if found else None


def _weight(each: Cover) -> Tuple[bool, int, bool]:
    return each.shut, len(each.path.rstrip("/")), each.hides


def below(path: str, folder: str) -> bool:
    return folder in ("/", path) or path.startswith(folder.rstrip("/") + "/")


def _covers(incident: Incident) -> Iterator[Cover]:
    yield from _listed(incident)
    yield from _protected(incident)
    for directive, base in incident.made.items():
        for word, placed in incident.words(directive):
            yield Cover(directive, placed, f"{base}/{word.partition(':')[0]}")
            yield Cover(directive, placed, f"{base}/private/{word.partition(':')[0]}")


def _listed(incident: Incident) -> Iterator[Cover]:
    for directive, hides, read_only in (
        ("ReadWritePaths", False, False),
        ("ReadOnlyPaths", False, True),
        ("InaccessiblePaths", True, False),
    ):
        for word, placed in incident.words(directive):
            yield Cover(directive, placed, posixpath.normpath(word.lstrip("-+")), hides, read_only, shut=hides)
    for directive, read_only in (("BindPaths", False), ("BindReadOnlyPaths", True)):
        for word, placed in incident.words(directive):
            yield Cover(directive, placed, _destination(word), False, read_only)
    for word, placed in incident.words("TemporaryFileSystem"):
        path, _colon, options = word.partition(":")
        yield Cover("TemporaryFileSystem", placed, path, True, "ro" in options.split(","))


def _destination(word: str) -> str:
    source, _colon, rest = word.lstrip("-").partition(":")
    return rest.partition(":")[0] or source


def binds(incident: Incident, path: str) -> bool:
    """Does the unit have a path bound, or a folder above it?"""
    words = [word for name in ("BindPaths", "BindReadOnlyPaths") for word, _placed in incident.words(name)]
    return any(below(path, _destination(word)) for word in words)


def _protected(incident: Incident) -> Iterator[Cover]:
    system = _effective(incident, "ProtectSystem")
    for path in {"strict": ("/",), "full": (*_VENDOR, "/etc"), "yes": _VENDOR}.get(system, ()):
        yield _by(incident, "ProtectSystem", path, read_only=True)
    if system == "strict":
        for path in ("/dev", "/proc", "/sys"):
            yield Cover("ProtectSystem", None, path)
    home = _effective(incident, "ProtectHome")
    for path in _HOMES if home in ("yes", "tmpfs", "read-only") else ():
        sort = {"hides": home != "read-only", "read_only": home == "read-only", "shut": home == "yes"}
        yield _by(incident, "ProtectHome", path, **sort)
    temporary = _effective(incident, "PrivateTmp")
    for path in _TEMPORARY if is_on(temporary) else ():
        yield _by(incident, "PrivateTmp", path, hides=True)
    if _effective(incident, "PrivateDevices") == "yes":
        yield _by(incident, "PrivateDevices", "/dev", hides=True)
        for name in _PSEUDO:
            yield Cover("PrivateDevices", None, f"/dev/{name}")
    if _effective(incident, "ProtectKernelTunables") == "yes":
        for path in _KERNEL:
            yield _by(incident, "ProtectKernelTunables", path, read_only=True)
    if is_on(_effective(incident, "ProtectControlGroups")):
        yield _by(incident, "ProtectControlGroups", "/sys/fs/cgroup", read_only=True)


def _effective(incident: Incident, directive: str) -> str:
    """By the manager, who knows what other directives imply; by the text where it does not say."""
    told = incident.properties.get(directive)
    if isinstance(told, str):
        return told
    value = incident.value(directive)
    means = told if isinstance(told, bool) else truth(value)
    return value if means is None else "yes" if means else "no"


def _by(
    incident: Incident, directive: str, path: str, hides: bool = False, read_only: bool = False, shut: bool = False
) -> Cover:
    """Of a directive, or of DynamicUser= where that implies it."""
    name = directive if incident.placed(directive) or not incident.is_set("DynamicUser") else "DynamicUser"
    placed = incident.placed(name)
    return Cover(name, placed[-1] if placed else None, path, hides, read_only, shut)


# What the host refuses.


def account_of(incident: Incident) -> Optional[Who]:
    """Who its processes are; None where that cannot be told."""
    if incident.elevated or any("CAP_DAC_" in each.value.upper() for each in incident.placed("AmbientCapabilities")):
        return None
    if incident.of_user:
        return Who(str(os.getuid()), os.getuid(), frozenset([os.getgid(), *os.getgroups()]))
    if incident.is_set("DynamicUser"):
        return None
    user = incident.value("User") or "0"
    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        return Who(user, int(user), frozenset()) if user.isdigit() and user != "0" else None
    groups = {entry.pw_gid, *(each.gr_gid for each in grp.getgrall() if entry.pw_name in each.gr_mem)}
    try:
        groups |= {_gid(word) for word, _placed in [*incident.words("Group"), *incident.words("SupplementaryGroups")]}
    except KeyError:
        return None
    return Who(entry.pw_name, entry.pw_uid, frozenset(groups))


def _gid(name: str) -> int:
    return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid


def is_user(name: str) -> bool:
    """Has the host such an account, by its name or number?"""
    return _is_known(pwd.getpwuid, int(name)) if name.isdigit() else _is_known(pwd.getpwnam, name)


def is_group(name: str) -> bool:
    """Has the host such a group, by its name or number?"""
    return _is_known(grp.getgrgid, int(name)) if name.isdigit() else _is_known(grp.getgrnam, name)


def _is_known(look_up: Callable[[Any], object], key: object) -> bool:
    try:
        look_up(key)
    except (KeyError, OverflowError):
        return False
    return True


def refused_at(path: str, who: Who, wanted: int) -> str:
    """The first on the way to a path of the host that does not let an account through, "" if each does.

    wanted: what is asked of the path itself. Where lists of access decide, nothing is said.
    """
    for each, asked in _way(path, wanted):
        try:
            status = os.stat(each)
        except OSError:
            return ""
        if _has_list(each):
            return ""
        if not _allowed(status, who, asked):
            return each
    return ""


def _way(path: str, wanted: int) -> Iterator[Tuple[str, int]]:
    real = os.path.realpath(path)
    folders: List[str] = []
    folder = os.path.dirname(real)
    while folder not in folders:
        folders.append(folder)
        folder = os.path.dirname(folder)
    for each in reversed(folders):
        yield each, RUN
    yield real, wanted


def _allowed(status: os.stat_result, who: Who, wanted: int) -> bool:
    mode = stat.S_IMODE(status.st_mode)
    if who.uid == 0:  # only what nobody may run root may not either
        return stat.S_ISDIR(status.st_mode) or not wanted & RUN or bool(mode & 0o111)
    if who.uid == status.st_uid:
        mode >>= 6
    elif status.st_gid in who.groups:
        mode >>= 3
    return mode & wanted == wanted


def _has_list(path: str) -> bool:
    try:
        return any(name.startswith("system.posix_acl") for name in os.listxattr(path))
    except OSError:
        return False


def mode_of(path: str) -> str:
    """Owner, group and mode, as a sentence has them."""
    try:
        status = os.stat(path)
    except OSError:
        return "not to be seen"
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    return f"{owner}:{group} {stat.S_IMODE(status.st_mode):04o}"


def there(path: str) -> str:
    """The deepest of a path that is there."""
    while path != "/" and not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def mounted(path: str, flag: int) -> bool:
    """Has the file system that a path lies on, or would, such a flag (statvfs(3))?"""
    try:
        return bool(os.statvfs(there(path)).f_flag & flag)
    except OSError:
        return False

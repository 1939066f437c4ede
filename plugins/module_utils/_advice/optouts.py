# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a workload may need that a profile takes away: opt-outs by name, and exactly what each gives back. Pure.

Private to the collection.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from .._syntax.likeness import near
from .._syntax.rule import Refusals, Refused, shown

Line = Tuple[str, str]
_INET = ("AF_INET", "AF_INET6")
# Words of IPAddressAllow= that stand for networks (systemd.resource-control(5)).
ADDRESS_WORDS = {
    "any": ("0.0.0.0/0", "::/0"),
    "localhost": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/64"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
}
# systemd.resource-control(5), DeviceAllow=: a name of /proc/devices, or a pattern of such.
_CLASS = re.compile(r"(?:char|block)-\S+")
HOMES = ("/home", "/root", "/run/user")


class OptOut(NamedTuple):
    """Something that a workload needs.

    name: as `allow` has it. means: what it is, in words. takes: what a value of it may be, "" if it has none. values:
    the most that a directive may still be. calls, capabilities, families: what is allowed again. wants: lines that a
    profile gets for it. needed: paths that have to be there for these.
    """

    name: str
    means: str
    takes: str = ""
    values: Mapping[str, str] = MappingProxyType({})
    calls: Tuple[str, ...] = ()
    capabilities: Tuple[str, ...] = ()
    families: Tuple[str, ...] = ()
    wants: Tuple[Line, ...] = ()
    needed: Tuple[str, ...] = ()


def _caps(names: str) -> Tuple[str, ...]:
    return tuple(f"CAP_{name}" for name in names.split())


_SWITCH = _caps("SETUID SETGID CHOWN DAC_OVERRIDE FOWNER KILL")
_NO_USERS = {"PrivateUsers": "no", "DynamicUser": "no"}
# Each of these has a mount namespace made for a service (tried on 247, 252, 257 and 262; DynamicUser= implies others).
_HOST_MOUNTS = {
    **dict.fromkeys(
        """
        DynamicUser PrivateNetwork PrivateDevices PrivateTmp PrivateIPC PrivateMounts PrivateUsers PrivatePIDs
        ProtectSystem ProtectHome ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups
        PrivateBPF
        """.split(),
        "no",
    ),
    "ProtectProc": "default",
    "ProcSubset": "all",
}
_ROWS = (
    OptOut("network", "connections over the network", "any (as without a value), local, none, or a list of networks"),
    OptOut("netlink", "asking the kernel for addresses and routes (getifaddrs())", families=("AF_NETLINK",)),
    OptOut(
        "raw_sockets",
        "packet and raw sockets",
        values={"PrivateUsers": "no"},
        capabilities=_caps("NET_RAW"),
        families=("AF_PACKET", "AF_NETLINK", *_INET),
    ),
    OptOut("low_ports", "ports below 1024", values={"PrivateUsers": "no"}, capabilities=_caps("NET_BIND_SERVICE")),
    OptOut("setuid_calls", "calls of setuid() and its like without any power, as gunicorn makes", calls=("@setuid",)),
    OptOut(
        "switch_users",
        "starting as root, and going on as another user",
        values=_NO_USERS,
        calls=("@setuid", "@chown"),
        capabilities=_SWITCH,
    ),
    OptOut(
        "escalate",
        "sudo and other programs that gain rights",
        values={**_NO_USERS, "NoNewPrivileges": "no"},
        calls=("@setuid", "@chown", "@resources", "capset"),
        capabilities=_SWITCH,
    ),
    OptOut("devices", "devices", "nothing for all of them, or a list of paths and of classes such as char-ttyUSB"),
    OptOut(
        "tunables",
        "settings of the kernel, and hardware by /sys",
        values={"ProtectKernelTunables": "no", "ProcSubset": "all"},
    ),
    OptOut("home", "files in /home, /root and /run/user", "write (as without a value), read, or a list of paths"),
    OptOut("jit", "running code that it has made itself", values={"MemoryDenyWriteExecute": "no"}),
    OptOut("namespaces", "namespaces, as containers need", values={"RestrictNamespaces": "no"}, calls=("@mount",)),
    OptOut(
        "realtime",
        "real-time scheduling",
        values={"PrivateUsers": "no", "RestrictRealtime": "no"},
        calls=("@resources",),
        capabilities=_caps("SYS_NICE"),
    ),
    OptOut("resources", "priorities, limits and processors of its own", calls=("@resources",)),
    OptOut(
        "other_processes",
        "a look at other users' processes, and at /proc as a whole",
        values={"ProtectProc": "default", "ProcSubset": "all", "PrivatePIDs": "no"},
    ),
    OptOut(
        "debug",
        "tracing of other processes",
        values={"PrivateUsers": "no"},
        calls=("@debug", "@setuid"),
        capabilities=_caps("SYS_PTRACE"),
    ),
    OptOut(
        "clock",
        "setting the clock",
        values={"PrivateUsers": "no", "ProtectClock": "no"},
        calls=("@clock",),
        capabilities=_caps("SYS_TIME"),
    ),
    OptOut(
        "kernel_modules",
        "loading modules",
        values={"PrivateUsers": "no", "ProtectKernelModules": "no"},
        calls=("@module",),
        capabilities=_caps("SYS_MODULE"),
    ),
    OptOut(
        "kernel_logs",
        "the kernel's log",
        values={"PrivateUsers": "no", "ProtectKernelLogs": "no"},
        calls=("syslog",),
        capabilities=_caps("SYSLOG"),
    ),
    OptOut("shared_tmp", "files in /tmp that others share", values={"PrivateTmp": "no"}),
    OptOut("shared_files", "making files and sockets that others open", values={"UMask": "0022"}),
    OptOut("setgid_files", "making setuid and setgid files", values={"RestrictSUIDSGID": "no"}),
    OptOut("other_users", "knowing other users, as peer authentication does", values={"PrivateUsers": "no"}),
    OptOut("foreign_abi", "32-bit programs on 64 bit", values={"SystemCallArchitectures": ""}),
    OptOut("personality", "another ABI or layout of memory (personality())", values={"LockPersonality": "no"}),
    OptOut(
        "hostname",
        "changing the host's name",
        values={"PrivateUsers": "no", "ProtectHostname": "no"},
        calls=("sethostname", "setdomainname"),
        capabilities=_caps("SYS_ADMIN"),
    ),
    OptOut("cgroups", "control groups of its own", values={"ProtectControlGroups": "no"}),
    OptOut(
        "mounts",
        "mounts that others see, so none of what gives it file systems of its own",
        values=_HOST_MOUNTS,
        calls=("@mount",),
        capabilities=_caps("SYS_ADMIN"),
    ),
    OptOut("shared_ipc", "shared memory of System V", values={"PrivateIPC": "no", "RemoveIPC": "no"}),
    OptOut("groups", "groups besides its own", "a list of groups"),
    OptOut("static_user", "a user that is there for good", values={"DynamicUser": "no"}),
)
OPT_OUTS: Dict[str, OptOut] = {row.name: row for row in _ROWS}


class Needs(NamedTuple):
    """All that a workload is allowed, added up.

    names: of the opt-outs. values: the most that each directive may still be. by: the opt-outs that say so. calls,
    capabilities, families: what is allowed again. wants: lines that a profile gets besides its own, in the place of
    those where it has any. more: lines of lists that nothing is held against. needed: paths that have to be there,
    each with the directive of its line.
    """

    names: Tuple[str, ...] = ()
    values: Mapping[str, str] = MappingProxyType({})
    by: Mapping[str, str] = MappingProxyType({})
    calls: Tuple[str, ...] = ()
    capabilities: Tuple[str, ...] = ()
    families: Tuple[str, ...] = ()
    wants: Mapping[str, Tuple[str, ...]] = MappingProxyType({})
    more: Tuple[Line, ...] = ()
    needed: Tuple[Tuple[str, str], ...] = ()


def needs(allow: Sequence[Any], writable: Sequence[Any]) -> Needs:
    """Read the opt-outs of an entry, names or mappings of one to its value, and the paths that it writes to.

    Raises Refused for all that there are not, or cannot be so.
    """
    found: Dict[str, OptOut] = {}
    wrong = Refusals()
    for number, each in enumerate(allow):
        with wrong.noted(f"allow[{number}]"):
            name, value = _named(each)
            if name in found:
                raise Refused(f"allow: {name} is there twice")
            found[name] = _with_value(OPT_OUTS[name], value)
    # What mounts gives back no other one holds back in part.
    rows = sorted(found.values(), key=lambda row: row.name == "mounts")
    home = found.get("home")
    paths = []
    as_allowed = not wrong.each
    for number, given in enumerate(writable):
        with wrong.noted(f"read_write_paths[{number}]"):
            paths.append(_path(_present(given), "read_write_paths"))
            if as_allowed:
                _refuse_hidden(paths[-1], home)
    wrong.tell()
    values = {directive: value for row in rows for directive, value in row.values.items()}
    wants: Dict[str, Tuple[str, ...]] = {}
    more: List[Line] = [("ReadWritePaths", quoted(f"-{path}")) for path in paths]
    for directive, value in (line for row in rows for line in row.wants):
        if directive in ("DeviceAllow", "BindPaths", "SupplementaryGroups"):
            more.append((directive, value))
        else:
            wants[directive] = (value,)
    if "mounts" in found:  # nothing is hidden from it, and such a line would give it file systems of its own
        more = [line for line in more if line[0] not in ("ReadWritePaths", "BindPaths")]
    return Needs(
        names=tuple(found),
        values=values,
        by={directive: row.name for row in rows for directive in row.values},
        calls=_once(call for row in rows for call in row.calls),
        capabilities=_once(each for row in rows for each in row.capabilities),
        families=_once(each for row in rows for each in row.families),
        wants=wants,
        more=tuple(more),
        needed=(
            *((path, "ReadWritePaths") for path, given in zip(paths, writable) if not _is_optional(given)),
            *((path, "BindPaths") for row in rows for path in row.needed),
        ),
    )


def _once(words: Any) -> Tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _named(given: Any) -> Tuple[str, Any]:
    if isinstance(given, str):
        name, value = given, None
    elif isinstance(given, Mapping) and len(given) == 1:
        name, value = next((str(key), each) for key, each in given.items())
        if value is None:
            raise Refused(f"allow: {name} has an empty value: write it alone, or what of it is meant")
    else:
        raise Refused("allow takes names, or mappings of one name to its value, such as {network: local}")
    if name not in OPT_OUTS:
        close = near(name, OPT_OUTS)
        mend = f"did you mean {close[0]}?" if close else f"there are {', '.join(OPT_OUTS)}"
        raise Refused(f"allow: there is nothing called {shown(name)} to allow: {mend}")
    return name, value


def _with_value(row: OptOut, value: Any) -> OptOut:
    if row.name in _BY_VALUE:
        return _BY_VALUE[row.name](row, value)
    if value is not None and value is not True:
        raise Refused(f"allow: {row.name} takes no value: write it alone")
    return row


def _refused_value(row: OptOut) -> Refused:
    return Refused(f"allow: {row.name} takes {row.takes}")


def _words(row: OptOut, value: Any) -> List[str]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not words or not all(isinstance(word, str) for word in words):
        raise _refused_value(row)
    return list(words)


def _network(row: OptOut, value: Any) -> OptOut:
    if value in (None, True, "any"):
        return OptOut(row.name, row.means, values={"PrivateNetwork": "no", "IPAddressDeny": ""}, families=_INET)
    if value in ("none", False):
        wants = (("PrivateNetwork", "yes"), ("IPAddressDeny", "any"), ("RestrictAddressFamilies", "AF_UNIX"))
        return OptOut(row.name, row.means, wants=wants)
    words = ["localhost"] if value == "local" else _words(row, value)
    for word in words:
        networks(word)
    allowed = (("IPAddressDeny", "any"), ("IPAddressAllow", " ".join(words)))
    return OptOut(row.name, row.means, values={"PrivateNetwork": "no"}, families=_INET, wants=allowed)


def networks(word: str) -> List[Any]:
    """The networks that a word of IPAddressAllow= stands for. Raises Refused."""
    try:
        return [ipaddress.ip_network(each, strict=False) for each in ADDRESS_WORDS.get(word, (word,))]
    except ValueError:
        raise Refused(f"allow: network: {shown(word)} is no address or network, such as 10.0.0.0/8") from None


def _devices(row: OptOut, value: Any) -> OptOut:
    if value in (None, True):
        return OptOut(row.name, row.means, values={"PrivateDevices": "no", "DevicePolicy": "auto"})
    lines: List[Line] = []
    values: Dict[str, str] = {}
    wants: List[Line] = []
    needed: List[str] = []
    for word in _words(row, value):
        if _CLASS.fullmatch(word):
            # A class has no nodes that could be bound into a /dev of its own.
            values = {"PrivateDevices": "no", "DevicePolicy": "closed"}
            wants = [("DevicePolicy", "closed")]
            lines.append(("DeviceAllow", f"{word} rw"))
            continue
        path = _path(_present(word), "allow: devices")
        if not path.startswith("/dev/"):
            raise Refused(f"allow: devices: {shown(word)} does not lie in /dev")
        lines += [("DeviceAllow", f"{quoted(path)} rw"), ("BindPaths", quoted(f"-{path}"))]
        needed += [] if _is_optional(word) else [path]
    if values:  # with a /dev that is the host's, there is nothing to bind
        lines, needed = [line for line in lines if line[0] != "BindPaths"], []
    return OptOut(row.name, row.means, values=values, wants=(*wants, *lines), needed=tuple(needed))


def _home(row: OptOut, value: Any) -> OptOut:
    if value in (None, True, "write"):
        return OptOut(row.name, row.means, values={"ProtectHome": "no"})
    if value == "read":
        return OptOut(row.name, row.means, values={"ProtectHome": "read-only"})
    words = _words(row, value)
    paths = [_path(_present(word), "allow: home") for word in words]
    for path in paths:
        if not _within(path, HOMES):
            raise Refused(f"allow: home: {shown(path)} does not lie in /home, /root or /run/user")
    binds = tuple(("BindPaths", quoted(f"-{path}")) for path in paths)
    needed = tuple(path for path, word in zip(paths, words) if not _is_optional(word))
    return OptOut(row.name, row.means, values={"ProtectHome": "tmpfs"}, wants=binds, needed=needed)


def _groups(row: OptOut, value: Any) -> OptOut:
    words = _words(row, value)
    for word in words:
        if not word or word != "".join(word.split()):
            raise Refused(f"allow: groups: {shown(word)} is no name of a group")
    return OptOut(row.name, row.means, wants=tuple(("SupplementaryGroups", word) for word in words))


_BY_VALUE = {"network": _network, "devices": _devices, "home": _home, "groups": _groups}


def _is_optional(path: Any) -> bool:
    """Is it written as systemd has one that may be missing?"""
    return isinstance(path, str) and path.startswith("-/")


def _present(path: Any) -> Any:
    return path[1:] if _is_optional(path) else path


def _path(given: Any, option: str) -> str:
    if not isinstance(given, str) or not given.startswith("/"):
        raise Refused(f"{option}: {shown(str(given))} is no absolute path")
    if not given.isprintable() or any(char in given for char in "\"'\\"):
        raise Refused(f"{option}: {shown(given)} has a character that such a path cannot have")
    if ".." in given.split("/"):
        raise Refused(f"{option}: {shown(given)} leads upwards: write the folder that is meant")
    path = posixpath.normpath(given).replace("//", "/")
    if path == "/":
        raise Refused(f"{option}: / is all there is: name the folders that it needs, or take a weaker profile")
    return path


def _within(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _refuse_hidden(path: str, home: Any) -> None:
    """A path that may be written to and is not to be seen would stay hidden."""
    if not _within(path, HOMES):
        return
    bound = [value.strip('"')[1:] for directive, value in home.wants] if home else []
    if home is None or not (home.values.get("ProtectHome") == "no" or _within(path, bound)):
        raise Refused(
            f"read_write_paths: {shown(path)} is hidden with all of /home, /root and /run/user: "
            f"add {{home: [{path}]}} to allow"
        )


def quoted(path: str) -> str:
    """A path as one word of a directive."""
    return f'"{path}"' if " " in path else path

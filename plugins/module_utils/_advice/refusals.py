# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a service says was refused to it, and which directive of its text does refuse that: reckoned, never guessed.

A line names an error of the kernel, and mostly a path, a port or a call. Which directives refuse just that is known
from the unit's text; where the line says too little there are none, and where several refuse it they are all named.
Pure. Private to the collection.
"""

from __future__ import annotations

import posixpath
import re
from typing import Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .._syntax.meaning import is_on
from .calls import CAPABILITIES, DIRECTIVES, SYSCALLS
from .merging import Filter, Names, capabilities, families, in_force
from .optouts import HOMES, OPT_OUTS, Line, OptOut
from .profiles import Host, ServiceLines, is_root
from .protections import PROTECTIONS

# As strerror(3), Node, Python, nginx and systemd's own manager say them.
_ERRORS = {
    "EROFS": re.compile(r"read-only file system|\bEROFS\b|\[Errno 30\]", re.IGNORECASE),
    "EACCES": re.compile(r"permission denied|\bEACCES\b|\[Errno 13\]", re.IGNORECASE),
    "EPERM": re.compile(r"operation not permitted|\bEPERM\b|\[Errno 1\]", re.IGNORECASE),
    "EAFNOSUPPORT": re.compile(r"address family not supported|\bEAFNOSUPPORT\b|\[Errno 97\]", re.IGNORECASE),
    "SIGSYS": re.compile(r"\bstatus=31\b|\bSIGSYS\b|bad system call|\bsignal 31\b", re.IGNORECASE),
}
# audit_seccomp() of the kernel: what a filter has ended or logged.
_SECCOMP = re.compile(r"\btype=1326\b.*\bpid=(?P<pid>\d+)\b.*\bsyscall=(?P<call>\d+)\b")
# What systemd says of its own steps is no word of the service.
_STEP = re.compile(r"\S+\.service: Failed ")
_QUOTED = re.compile(r"""["'`](/[^"'`]+)["'`]""")
_BARE = re.compile(r"""(?<![\w:/.])(/[^\s"'`,:;()]+)""")
_PORT = re.compile(r"\bbind\w*\b.*?(?::|\bport )(?P<port>\d{1,5})\b")
_CALL = re.compile(r"\b[a-z][a-z0-9_]+\b")
_CALLED = re.compile(r"\b([a-z][a-z0-9_]+)\(")
# By which Python shows what of a line of source it is about.
_MARKS = re.compile(r"\s+[\^~]+")
_LOW = 1024
# What each value of ProtectSystem= makes read-only, and what stays as it is even then (systemd.exec(5)).
_SYSTEM = {
    "yes": ("/usr", "/boot", "/efi"),
    "full": ("/usr", "/boot", "/efi", "/etc"),
    "strict": ("/",),
}
_NOT_STRICT = ("/dev", "/proc", "/sys", *HOMES)
_WRITABLE = ("StateDirectory", "CacheDirectory", "LogsDirectory", "RuntimeDirectory")
_KERNEL = ("/proc/sys", "/sys", "/proc/sysrq-trigger", "/proc/latency_stats", "/proc/acpi", "/proc/timer_stats")
_GROUPS = "/sys/fs/cgroup"
# Root with it opens any file, whatever its mode.
_ANY_MODE = "CAP_DAC_OVERRIDE"
PATHS = "read_write_paths"


class Refusal(NamedTuple):
    """A line that tells of something that was refused.

    line: the line itself. error: the kernel's name of it. about: the path, port or call, "" where the line names none.
    directives: those of the unit's text that refuse it, none where that cannot be told. mend: the opt-out of `allow`
    that gives it back, or `read_write_paths`, "" where no single one does.
    """

    line: str
    error: str
    about: str
    directives: Tuple[str, ...] = ()
    mend: str = ""

    @property
    def folder(self) -> str:
        """What would have to be writable, "" if that is not what is missing."""
        return self.about if self.mend == PATHS else ""


def refusals(lines: Iterable[str], before: Iterable[str], present: Sequence[Line], host: Host) -> List[Refusal]:
    """What these lines of a run tell that those of the run before it did not. present: the unit's [Service] by now."""
    known = {_shape(line) for line in before}
    reader = _Reader(present, host)
    found: Dict[str, Refusal] = {}
    source = ""
    for line in lines:
        shape = _shape(line)
        if shape not in known and shape not in found:
            refusal = reader.read(line, source)
            if refusal is not None:
                found[shape] = refusal
        if not _MARKS.fullmatch(line):
            source = line if line[:1].isspace() else ""
    return list(found.values())


def mentions(line: str) -> bool:
    """Does a line tell of a refusal at all?"""
    return bool(_error(line))


def of_processes(lines: Iterable[str], pids: FrozenSet[int]) -> List[str]:
    """Of the lines of a kernel's log those by which a filter tells of one of these processes."""
    found = ((line, _SECCOMP.search(line)) for line in lines)
    return [line for line, match in found if match and int(match.group("pid")) in pids]


def _shape(line: str) -> str:
    """A line without what differs from run to run: times, processes, random names."""
    return re.sub(r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{6,}\b|\d+", "#", line.strip())


def _error(line: str) -> str:
    if _SECCOMP.search(line):
        return "SIGSYS"
    return next((name for name, words in _ERRORS.items() if words.search(line)), "")


class _Reader:
    """Lines against the text of one unit."""

    def __init__(self, present: Sequence[Line], host: Host) -> None:
        self._said = ServiceLines(present, host.catalogue.version)
        self._root = is_root(self._said)
        self._filter, self._made = Filter(host.calls), host.made

    def read(self, line: str, source: str) -> Optional[Refusal]:
        """source: the last line of a trace above it, which may have the call."""
        error = _error(line)
        if not error or _STEP.match(line):
            return None
        line = line.strip()
        if error == "SIGSYS":
            return self._ended(line)
        if error == "EAFNOSUPPORT":
            return self._family(line)
        path = self._path(line)
        if error == "EROFS":
            return self._read_only(line, path)
        return self._port(line, error) or self._denied(line, error, path, source)

    def _path(self, line: str) -> str:
        """The path that a line is about, "" if it names none or several that might be it."""
        quoted = list(dict.fromkeys(_QUOTED.findall(line)))
        if quoted:
            return quoted[0] if len(quoted) == 1 else ""
        at = min(found.start() for found in (words.search(line) for words in _ERRORS.values()) if found)
        bare = [match.group(1).rstrip(".") for match in _BARE.finditer(line)]
        ahead = [match.group(1) for match in _BARE.finditer(line[:at])]
        return ahead[-1] if ahead else bare[-1] if bare else ""

    def _read_only(self, line: str, path: str) -> Refusal:
        path = posixpath.normpath(path) if path else ""
        makers = list(self._makes_read_only(path)) if path else []
        if makers == ["ProtectSystem"]:
            folder = posixpath.dirname(path)
            return Refusal(line, "EROFS", folder, ("ProtectSystem",), PATHS if folder != "/" else "")
        return self._told(line, "EROFS", path, makers)

    def _makes_read_only(self, path: str) -> Iterator[str]:
        """Of the directives that remount folders those that reach this path: of nested folders the inner one counts."""
        writable = max((len(each) for each in self._writable() if _within(path, each)), default=0)
        for directive, folders in self._remounted():
            spared = directive == "ProtectSystem" and folders == ("/",) and _within(path, *_NOT_STRICT)
            if not spared and any(_within(path, folder) and len(folder) > writable for folder in folders):
                yield directive

    def _remounted(self) -> Iterator[Tuple[str, Tuple[str, ...]]]:
        value = self._said.last("ProtectSystem")
        level = value if value in _SYSTEM else "yes" if is_on(value) else ""
        if level:
            yield "ProtectSystem", _SYSTEM[level]
        if self._said.last("ProtectHome") in ("read-only", "tmpfs"):
            yield "ProtectHome", HOMES
        if is_on(self._said.last("ProtectKernelTunables")):
            yield "ProtectKernelTunables", _KERNEL
        if is_on(self._said.last("ProtectControlGroups")):
            yield "ProtectControlGroups", (_GROUPS,)
        listed = tuple(_paths(self._said.all("ReadOnlyPaths")))
        if listed:
            yield "ReadOnlyPaths", listed

    def _writable(self) -> Iterator[str]:
        yield from _paths(self._said.all("ReadWritePaths"))
        for directive in _WRITABLE:
            folder = self._made.get(directive)
            for name in (word for value in in_force(self._said.all(directive)) for word in value.split()):
                if folder:
                    yield f"{folder}/{name.partition(':')[0]}"

    def _port(self, line: str, error: str) -> Optional[Refusal]:
        port = _PORT.search(line)
        if not port or not 0 < int(port.group("port")) < _LOW:
            return None
        found = ["CapabilityBoundingSet"] if self._lacks("CAP_NET_BIND_SERVICE") else []
        found += self._users()
        return self._told(line, error, f"port {port.group('port')}", found, capability="CAP_NET_BIND_SERVICE")

    def _denied(self, line: str, error: str, path: str, source: str) -> Refusal:
        """By a call, where one is named: its path says nothing of who refuses it then."""
        before = line[: min(found.start() for found in (words.search(line) for words in _ERRORS.values()) if found)]
        for name in (*_CALL.findall(before), *_CALLED.findall(source)):
            if name in CAPABILITIES or name in DIRECTIVES:
                return self._call(line, error, name)
        if path and _within(path, *HOMES) and is_on(self._said.last("ProtectHome")):
            return self._told(line, error, path, ["ProtectHome"])
        hidden = [each for each in _paths(self._said.all("InaccessiblePaths")) if _within(path, each)] if path else []
        if hidden:
            return self._told(line, error, path, ["InaccessiblePaths"])
        if path and _within(path, "/dev") and self._said.last("DevicePolicy") in ("closed", "strict"):
            return self._told(line, error, path, ["DevicePolicy"])
        if path and error == "EACCES" and self._is_bound_by_modes(path):
            found = ["CapabilityBoundingSet", *self._users()]
            return self._told(line, error, path, found, capability=_ANY_MODE)
        return Refusal(line, error, path)

    def _is_bound_by_modes(self, path: str) -> bool:
        """Does root fail to open it for want of a power alone? So it is while it cannot become another user."""
        kept = all(self._lacks(each) for each in (_ANY_MODE, "CAP_SETUID"))
        return kept and not _within(path, "/proc", "/sys") and not in_force(self._said.all("NoExecPaths"))

    def _call(self, line: str, error: str, name: str) -> Refusal:
        capability = CAPABILITIES.get(name, "")
        found = ["CapabilityBoundingSet"] if capability and self._lacks(capability) else []
        call = SYSCALLS.get(name, name)
        said = self._said.all("SystemCallFilter")
        if error == "EPERM" and in_force(said) and not self._passes(said, call):
            found.append("SystemCallFilter")
        found += [each for each in DIRECTIVES.get(name, ()) if is_on(self._said.last(each))]
        return self._told(line, error, name, found, capability, call)

    def _passes(self, filters: Sequence[str], call: str) -> bool:
        return self._filter.read(filters).holds(Names(frozenset([call])))

    def _lacks(self, capability: str) -> bool:
        """Is it kept from a process that would have it without the unit's bounding set?"""
        names = capabilities(self._said.all("CapabilityBoundingSet"))
        return self._root and not names.holds(Names(frozenset([capability])))

    def _users(self) -> List[str]:
        """Among users of its own the powers of root are none over what is of others."""
        return ["PrivateUsers"] if is_on(self._said.last("PrivateUsers")) else []

    def _ended(self, line: str) -> Refusal:
        match = _SECCOMP.search(line)
        said = [each for each in ("SystemCallFilter", "SystemCallArchitectures") if in_force(self._said.all(each))]
        return self._told(line, "SIGSYS", f"system call {match.group('call')}" if match else "", said)

    def _family(self, line: str) -> Refusal:
        restricts = families(self._said.all("RestrictAddressFamilies")) != families([])
        return self._told(line, "EAFNOSUPPORT", "", ["RestrictAddressFamilies"] if restricts else [])

    def _told(
        self, line: str, error: str, about: str, found: Sequence[str], capability: str = "", call: str = ""
    ) -> Refusal:
        """With the least opt-out that gives all of it back; where that depends on more than is known, there is none."""
        mending = [row for row in OPT_OUTS.values() if found and self._mends(row, found, capability, call)]
        return Refusal(line, error, about, tuple(found), min(mending, key=_size).name if mending else "")

    def _mends(self, row: OptOut, found: Sequence[str], capability: str, call: str) -> bool:
        for directive in found:
            known = PROTECTIONS.get(directive)
            if known is None or row.name not in known.allow:
                return False
            if directive == "CapabilityBoundingSet" and capability not in row.capabilities:
                return False
            if directive == "SystemCallFilter" and not (call and self._passes([" ".join(row.calls)], call)):
                return False
            if directive == "RestrictAddressFamilies":  # which family it was the line does not say
                return False
        return True


def _size(row: OptOut) -> int:
    """How much an opt-out gives back."""
    return len(row.values) + len(row.calls) + len(row.capabilities) + len(row.families)


def _within(path: str, *folders: str) -> bool:
    return any(folder in ("/", path) or path.startswith(folder + "/") for folder in folders)


def _paths(lines: Sequence[str]) -> Iterator[str]:
    for line in in_force(lines):
        for word in re.findall(r'"[^"]*"|\S+', line):
            yield posixpath.normpath(word.strip('"').lstrip("-+"))

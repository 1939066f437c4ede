# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a step of systemd's own has failed on the way to a program (systemd.exec(5), "Process Exit Codes").

Each is told of by systemd with the step's name, the error of the kernel, and often a path; which directive that is of,
and whether the object is there, is looked up. Private to the collection.
"""

from __future__ import annotations

import errno
import os
import posixpath
import pwd
import re
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .._syntax.unitfile import Placed
from . import why_program
from .incident import Cause, FailedStep, Incident, assigned, at, cause
from .views import RUN, account_of, below, inside, is_group, is_user, led_by, mode_of, refused_at, sealed, there
from .why_access import let_in

Why = Callable[[Incident, FailedStep], Optional[Cause]]
# Before a path in what systemd says of a namespace (up to 254).
_UNIT_ROOT = "/run/systemd/unit-root"
_NAMESPACE = re.compile(r"Failed to set up mount namespacing: (?P<path>/.*): [^:]*$")
_BASE = re.compile(r"Failed to set up special execution directory in (?P<base>/[^:]*):")
_LIMIT = re.compile(r"Failed to adjust resource limit RLIMIT_(?P<name>\w+)")
_MAY_BE_MISSING = "-"
# Of an account that is not there; 262 has the last.
_NOBODY = (errno.ESRCH, errno.ENOENT, errno.EINVAL)
# Where the error is not known: those that the host alone can prove, since with any of them no start can succeed.
_LIKELY = (errno.ENOENT, errno.ESRCH, errno.ENOTDIR, errno.EACCES, errno.ENOEXEC, errno.EPERM)


class Of(NamedTuple):
    """A step that is about directives and nothing else: which those are, and what mends it."""

    directives: Tuple[str, ...]
    remedy: str


_LEAVE_OUT = "leave it out, or give it what this host allows"
# Steps that say all there is to say.
_PLAIN: Dict[str, Of] = {
    "NICE": Of(("Nice",), _LEAVE_OUT),
    "OOM_ADJUST": Of(("OOMScoreAdjust",), _LEAVE_OUT),
    "IOPRIO": Of(("IOSchedulingClass", "IOSchedulingPriority"), _LEAVE_OUT),
    "TIMERSLACK": Of(("TimerSlackNSec",), _LEAVE_OUT),
    "SECUREBITS": Of(("SecureBits",), _LEAVE_OUT),
    "SETSCHEDULER": Of(("CPUSchedulingPolicy", "CPUSchedulingPriority"), _LEAVE_OUT),
    "CPUAFFINITY": Of(("CPUAffinity",), "name CPUs that this host has"),
    "NUMA_POLICY": Of(("NUMAPolicy",), _LEAVE_OUT),
    "CAPABILITIES": Of(("AmbientCapabilities", "CapabilityBoundingSet"), "leave out what this manager may not give"),
    "PAM": Of(("PAMName",), "look into its file in /etc/pam.d, and whether the account is locked or has expired"),
    "SELINUX_CONTEXT": Of(("SELinuxContext",), "name a context of the policy, or begin the value with -"),
    "PERSONALITY": Of(("Personality",), "leave it out on this machine"),
    "APPARMOR": Of(("AppArmorProfile",), "load that profile first, or begin the value with -"),
    "ADDRESS_FAMILIES": Of(("RestrictAddressFamilies",), _LEAVE_OUT),
    "KEYRING": Of(("KeyringMode",), "set KeyringMode=inherit"),
    "BPF": Of(("RestrictFileSystems",), _LEAVE_OUT),
    "KSM": Of(("MemoryKSM",), _LEAVE_OUT),
    "SMACK_PROCESS_LABEL": Of(("SmackProcessLabel",), _LEAVE_OUT),
    "FDS": Of(("OpenFile",), "mend the path, or end the value with :graceful"),
}


def why(incident: Incident) -> Optional[Cause]:
    """By the step that systemd names, None where nothing is proven."""
    step = incident.step
    if step is None:
        return None
    if step.name in _PLAIN:
        return _plain(incident, step) if step.errno else None
    if step.name not in _BY_STEP:
        return None
    errors = [step.errno] if step.errno else _LIKELY
    return next(filter(None, (_BY_STEP[step.name](incident, step._replace(errno=each)) for each in errors)), None)


def _plain(incident: Incident, step: FailedStep) -> Optional[Cause]:
    row = _PLAIN[step.name]
    found = [(name, incident.placed(name)[-1]) for name in row.directives if incident.placed(name)]
    if not found:
        return None
    told = " and ".join(assigned(name, placed.value, placed) for name, placed in found)
    what = f"systemd could not put {told} into force here ({step.reason})"
    return cause(what, row.remedy, step.line, *found[0])


def _limits(incident: Incident, step: FailedStep) -> Optional[Cause]:
    line = incident.by_systemd("Failed to adjust resource limit")
    found = _LIMIT.search(line.text) if line else None
    directive = f"Limit{found.group('name')}" if found else ""
    if not incident.placed(directive):
        return None
    placed = incident.placed(directive)[-1]
    what = f"{assigned(directive, placed.value, placed)} is more than this manager may give ({step.reason})"
    return cause(what, "lower it, or raise the limit of the manager itself", line, directive, placed)


def _user(incident: Incident, step: FailedStep) -> Optional[Cause]:
    placed = incident.placed("User")
    if incident.of_user:
        return _of_other(incident, step)
    if not placed or incident.is_set("DynamicUser") or step.errno not in _NOBODY:
        return None
    name = placed[-1].value
    if is_user(name):
        return None
    what = f"there is no user {name}, whom {at('User', placed[-1])} names"
    remedy = "create that account before the unit starts, or correct the name"
    return cause(what, remedy, step.line, "User", placed[-1])


def _group(incident: Incident, step: FailedStep) -> Optional[Cause]:
    if incident.of_user:
        return _of_other(incident, step)
    words = [(name, word, each) for name in ("Group", "SupplementaryGroups") for word, each in incident.words(name)]
    missing = [row for row in words if not is_group(row[1])]
    if not missing or step.errno not in _NOBODY:
        return None
    directive, name, placed = missing[0]
    what = f"there is no group {name}, which {at(directive, placed)} names"
    return cause(what, "create that group before the unit starts, or correct the name", step.line, directive, placed)


def _of_other(incident: Incident, step: FailedStep) -> Optional[Cause]:
    """A user's manager may take no other account, nor any group."""
    for directive in ("User", "Group", "SupplementaryGroups", "DynamicUser"):
        if incident.placed(directive) and step.errno == errno.EPERM:
            placed = incident.placed(directive)[-1]
            whose = at(directive, placed)
            what = f"a user's manager can run nothing as someone else, nor set groups, which {whose} asks for"
            return cause(what, "leave it out, or make it a unit of the system", step.line, directive, placed)
    return None


def _chdir(incident: Incident, step: FailedStep) -> Optional[Cause]:
    placed = incident.placed("WorkingDirectory")
    path = placed[-1].value.lstrip(_MAY_BE_MISSING) if placed else ""
    whose = at("WorkingDirectory", placed[-1] if placed else None)
    if path == "~":
        path = _home(incident)
        whose = f"{whose}, the home of {incident.value('User') or 'root'},"
    if not path.startswith("/"):
        return None
    return _path(incident, step, "WorkingDirectory", placed[-1], path, f"the folder {path} of {whose}")


def _home(incident: Incident) -> str:
    who = account_of(incident)
    try:
        return pwd.getpwuid(who.uid).pw_dir if who else ""
    except KeyError:
        return ""


def _path(
    incident: Incident, step: FailedStep, directive: str, placed: Placed, path: str, called: str, made: bool = True
) -> Optional[Cause]:
    """A path that a step needs: not there, hidden, no folder, or closed to the account.

    made: systemd makes the unit's folders before that step; it opens its streams earlier (247 to 262).
    """
    real = inside(incident, path)
    if real is None:
        return None
    hidden = why_program.hidden(incident, path, real, step.line)
    if step.errno == errno.ENOENT:
        if hidden or os.path.exists(real):
            return hidden
        what = f"{called} is not there{led_by(incident, path)}"
        return cause(what, _make(incident, directive, path, made), step.line, directive, placed)
    if step.errno == errno.ENOTDIR and os.path.exists(there(real)) and not os.path.isdir(there(real)):
        what = f"{called} is no folder, as {there(real)} is a file"
        return cause(what, "move that away, or mend the path", step.line, directive, placed)
    if step.errno != errno.EACCES:
        return None
    if hidden:
        return hidden
    who = account_of(incident)
    closed = refused_at(real, who, RUN) if who else ""
    if not closed or who is None:
        return None
    what = f"user {who.name} may not enter {closed} ({mode_of(closed)}), which {called} takes"
    return cause(what, f"{let_in(who, closed)}, or mend the path", step.line, directive, placed)


def _make(incident: Incident, directive: str, path: str, made: bool) -> str:
    makers = {name: base for name, base in incident.made.items() if name in _MAKERS}
    by_itself = next((name for name, base in makers.items() if made and below(path, base) and path != base), "")
    own = f"have systemd make it by {by_itself}={path[len(makers[by_itself]) + 1 :]}, " if by_itself else ""
    late = "" if made else " (systemd makes LogsDirectory= and the like too late for it)"
    return f"{own}make it before the unit starts{late}, or mend {directive}="


_MAKERS = ("RuntimeDirectory", "StateDirectory", "CacheDirectory")


def _stream(directive: str) -> Why:
    def of_stream(incident: Incident, step: FailedStep) -> Optional[Cause]:
        placed = incident.placed(directive) or (
            incident.placed("StandardOutput") if directive != "StandardInput" else ()
        )
        sort, _colon, path = placed[-1].value.partition(":") if placed else ("", "", "")
        if sort in ("tty", "tty-force", "tty-fail"):
            return _terminal(incident, step)
        if sort not in ("file", "append", "truncate"):
            return None
        name = directive if incident.placed(directive) else "StandardOutput"
        if directive == "StandardInput":
            called = f"the file {path} of {at(name, placed[-1])}"
            return _path(incident, step, name, placed[-1], path, called, made=False)
        if step.errno == errno.EISDIR or os.path.isdir(path):
            what = f"{path} of {at(name, placed[-1])} is a folder"
            return cause(what, "name a file in it", step.line, name, placed[-1])
        folder = os.path.dirname(path)
        called = f"the folder {folder} for {at(name, placed[-1])}"
        return _path(incident, step, name, placed[-1], folder, called, made=False)

    return of_stream


def _terminal(incident: Incident, step: FailedStep) -> Optional[Cause]:
    placed = incident.placed("TTYPath")
    if not placed or step.errno not in (errno.ENOENT, errno.ENXIO) or os.path.exists(placed[-1].value):
        return None
    what = f"the terminal {placed[-1].value} of {at('TTYPath', placed[-1])} is not there"
    return cause(what, "mend the path, or have the host make that terminal", step.line, "TTYPath", placed[-1])


def _made(directive: str) -> Why:
    def of_folder(incident: Incident, step: FailedStep) -> Optional[Cause]:
        # 262 does not say of which unit that is, but the step tells that no program has run.
        line = next((each for each in reversed(incident.lines) if _BASE.search(each.text)), None)
        found = _BASE.search(line.text) if line else None
        for word, placed in incident.words(directive) if found else ():
            path = posixpath.join(found.group("base") if found else "", word.partition(":")[0])
            if os.path.lexists(there(path)) and not os.path.isdir(there(path)):
                what = f"{at(directive, placed)} cannot make the folder {path}, as {there(path)} is a file"
                return cause(what, f"move {there(path)} away, or take another name", line, directive, placed)
            private = posixpath.join(posixpath.dirname(path), "private", posixpath.basename(path))
            if step.errno == errno.EEXIST and all(map(_is_real_folder, (path, private))):
                what = f"{at(directive, placed)} cannot make {path} a link to {private}, as both are folders"
                return cause(what, "keep the one that has its files, and move the other away", line, directive, placed)
        return None

    return of_folder


def _is_real_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _namespace(incident: Incident, step: FailedStep) -> Optional[Cause]:
    """Up to 254 the path may be that of the view, and of a bind mount it is where it shall lie."""
    line = next((each for each in reversed(incident.lines) if _NAMESPACE.search(each.text)), None)
    found = _NAMESPACE.search(line.text) if line else None
    told = found.group("path") if found else ""
    told = told[len(_UNIT_ROOT) :] if told.startswith(_UNIT_ROOT) else told
    if step.errno == errno.ENOTDIR:
        return _no_folder(incident, step)
    if step.errno != errno.ENOENT:
        return None
    rows = [row for row in _mounted(incident) if not os.path.exists(row.host)]
    exact = [row for row in rows if told in (row.host, row.inside)]
    chosen = exact or ([] if told else rows)
    if not chosen:
        return _temporary(incident, step, told) or _no_folder(incident, step)  # of a file 262 says that it is not there
    row = chosen[0]
    others = {each.host for each in chosen} - {row.host}
    also = f" (nor are {', '.join(sorted(others))})" if others else ""
    what = f"{row.host} of {at(row.directive, row.placed)} is not there{also}"
    optional = "" if row.directive == "RootDirectory" else ", or begin the value with - where it may be missing"
    proof = line if told else step.line
    return cause(what, f"make it before the unit starts{optional}", proof, row.directive, row.placed)


def _no_folder(incident: Incident, step: FailedStep) -> Optional[Cause]:
    """A file is where a folder has to be."""
    for row in _mounted(incident):
        deepest = there(row.host)
        if os.path.isfile(deepest) and (deepest != row.host or row.directive == "RootDirectory"):
            what = f"{row.host} of {at(row.directive, row.placed)} is no folder, as {deepest} is a file"
            return cause(what, "move that away, or mend the path", step.line, row.directive, row.placed)
    return None


class _Row(NamedTuple):
    """A path that is mounted for a unit: where the host has it, and where the unit shall."""

    directive: str
    placed: Placed
    host: str
    inside: str


def _mounted(incident: Incident) -> Iterator[_Row]:
    """Those that have to be there."""
    root = incident.value("RootDirectory").lstrip(_MAY_BE_MISSING)
    for directive in ("RootDirectory", "RootImage"):
        for placed in incident.placed(directive)[-1:]:
            if not placed.value.startswith(_MAY_BE_MISSING):
                yield _Row(directive, placed, placed.value, placed.value)
    for directive in ("ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths"):
        for word, placed in incident.words(directive):
            if word.startswith(("/", "+/")):
                path = word.lstrip("+")
                yield _Row(directive, placed, (root if word.startswith("+") else "") + path, path)
    for directive in ("BindPaths", "BindReadOnlyPaths", "MountImages"):
        for word, placed in incident.words(directive):
            source, _colon, rest = word.partition(":")
            if source.startswith("/"):
                yield _Row(directive, placed, source, rest.partition(":")[0] or source)
    for directive in ("ExtensionImages", "ExtensionDirectories"):
        for word, placed in incident.words(directive):
            if word.startswith("/"):
                yield _Row(directive, placed, word.partition(":")[0], word)


def _temporary(incident: Incident, step: FailedStep, told: str) -> Optional[Cause]:
    placed = incident.placed("PrivateTmp")
    missing = [path for path in ("/tmp", "/var/tmp") if not os.path.isdir(path)]
    if not placed or not missing or (told and told not in missing):
        return None
    what = f"{missing[0]} is not there, which {at('PrivateTmp', placed[-1])} needs"
    return cause(what, f"make it: install -d -m 1777 {missing[0]}", step.line, "PrivateTmp", placed[-1])


def _credentials(incident: Incident, step: FailedStep) -> Optional[Cause]:
    """systemd says no path, and "Protocol error" for whatever it is (up to 257)."""
    missing: List[Tuple[str, str, str, Placed]] = []
    for directive in ("LoadCredential", "LoadCredentialEncrypted"):
        for placed in incident.placed(directive):
            name, _colon, path = placed.value.partition(":")
            if path.startswith("/") and not os.path.lexists(path):
                missing.append((directive, name, path, placed))
    if not missing:
        return None
    directive, name, path, placed = missing[0]
    what = f"{path}, which {at(directive, placed)} takes the credential {name} from, is not there"
    return cause(what, "put the file there before the unit starts, or mend the path", step.line, directive, placed)


def _network(incident: Incident, step: FailedStep) -> Optional[Cause]:
    placed = incident.placed("NetworkNamespacePath")
    if placed and step.errno == errno.EINVAL and os.path.exists(placed[-1].value):
        what = f"{placed[-1].value} of {at('NetworkNamespacePath', placed[-1])} is no network namespace"
        return cause(what, "mend the path", step.line, "NetworkNamespacePath", placed[-1])
    if not placed or os.path.exists(placed[-1].value):
        return None
    what = f"there is no network namespace {placed[-1].value}, which {at('NetworkNamespacePath', placed[-1])} names"
    remedy = "order the unit after what makes it (After= and Requires=), or mend the path"
    return cause(what, remedy, step.line, "NetworkNamespacePath", placed[-1])


def _chroot(incident: Incident, step: FailedStep) -> Optional[Cause]:
    placed = incident.placed("RootDirectory")
    if not placed or sealed(incident) or os.path.isdir(placed[-1].value):
        return None
    what = f"the folder {at('RootDirectory', placed[-1])} names is not there"
    return cause(what, "make it before the unit starts, or mend the path", step.line, "RootDirectory", placed[-1])


_BY_STEP: Dict[str, Why] = {
    "CHDIR": _chdir,
    "EXEC": why_program.why,
    "LIMITS": _limits,
    "USER": _user,
    "GROUP": _group,
    "CHROOT": _chroot,
    "STDIN": _stream("StandardInput"),
    "STDOUT": _stream("StandardOutput"),
    "STDERR": _stream("StandardError"),
    "NETWORK": _network,
    "NAMESPACE": _namespace,
    "CREDENTIALS": _credentials,
    "RUNTIME_DIRECTORY": _made("RuntimeDirectory"),
    "STATE_DIRECTORY": _made("StateDirectory"),
    "CACHE_DIRECTORY": _made("CacheDirectory"),
    "LOGS_DIRECTORY": _made("LogsDirectory"),
    "CONFIGURATION_DIRECTORY": _made("ConfigurationDirectory"),
}

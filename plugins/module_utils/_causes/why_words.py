# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a program has ended itself: by its very last words, where the host proves them.

Words alone prove nothing: a program may speak of another host, of a file that it can do without, or of what it tried
first. So the line has to be the last, to name the object, and the object has to be so. Private to the collection.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Callable, Iterator, Optional, Tuple

from .._host.manager import PATH
from . import why_modules, why_ports
from .incident import Cause, Incident, assigned, at, cause
from .views import READ, RUN, WRITE, account_of, cover, inside, led_by, mode_of, mounted, refused_at, there
from .why_access import let_do, let_in, make_writable
from .why_errors import tells
from .why_program import carriage_return, hidden
from .why_said import MOST_BEHIND, LastWords, Words, last_words, path_of

# Of something that the program goes on without, by its own word; only ever a reason to say nothing.
_MILD = re.compile(
    r"\b(warn(ing)?|note|notice|info|debug|trace|optional\w*|ignor\w*|skip\w*|fall(ing)? ?back|default\w*|continu\w*"
    r"|retry\w*|retried|remote\w*|harmless|expected|as usual|not the (cause|reason|problem))\b",
    re.IGNORECASE,
)
_UNSET = r"(?:not (?:been )?set|missing|required|unset|undefined|not defined|must be (?:set|given|provided|defined))\b"
_ASKED = re.compile(
    rf"\b[Vv]ariable[:\s]+[`'\"$]*(?P<name>[A-Z][A-Z0-9_]+)['\"`]* (?:is |was |has )?{_UNSET}"
    rf"|[`'\"$]*\b(?P<before>[A-Z][A-Z0-9_]+)['\"`]* (?:environment|env) variable (?:is |was |has )?{_UNSET}"
    r"|\b[Mm]issing (?:required )?(?:environment|env) variable:? [`'\"$]*(?P<after>[A-Z][A-Z0-9_]+)\b"
)
# Words, or modes of open(), of one that writes.
_WRITES = re.compile(
    r"writ|creat|unlink|remov|renam|append|mkdir|FileHandler|,\s*['\"](?:[wax]b?t?\+?|r\+?b?\+)['\"]", re.IGNORECASE
)
_RUNS = re.compile(r"\bexec", re.IGNORECASE)
# What a shell says of a command, or env(1), which the first line of a script may have for its interpreter.
_CALLED = re.compile(
    r"(?:^|: )(?P<name>[\w./+-]+): (?:command )?not found$"
    r"|^(?:\S*/)?env: ['\u2018\"]?(?P<by_env>[\w./+-]+(?:\\r)?)['\u2019\"]?: No such file or directory$"
)
_CANNOT_RUN = 126
_FAMILY = re.compile(r"\bAF_[A-Z0-9]+\b")


def why(incident: Incident) -> Optional[Cause]:
    said = last_words(incident.said)
    if said is None or _MILD.search(said.text) or said.line.fields.get("PRIORITY", "6") in ("4", "5", "7"):
        return None
    for row in _ROWS:
        found = row.prove(incident, said) if row.pattern.search(said.text) else None
        if found:
            return found
    return None


# Files.

_VERBS = {READ: "read", WRITE: "write to", RUN: "execute"}


def _read_only(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = path_of(incident, said)
    if found is None:
        return None
    path, real = found
    over = cover(incident, real if not incident.value("RootDirectory") else path)
    if mounted(real, os.ST_RDONLY):
        what = f"{path} lies on a file system of the host that is mounted read-only"
        return cause(what, "mount that read-write, or have the program write elsewhere", said.line)
    if over is None or not over.read_only:
        return None
    folder = there(real if os.path.isdir(real) else os.path.dirname(real))
    what = f"{at(over.directive, over.place)} does not let it write {path}"
    remedy = make_writable(incident, over.directive, over.place, real, folder)
    if over.directive in ("BindReadOnlyPaths", "ReadOnlyPaths"):
        remedy = f"{remedy}, or take it out of {over.directive}="
    return cause(what, remedy, said.line, over.directive, over.place)


def _denied(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = path_of(incident, said)
    who = account_of(incident)
    if found is None or who is None:
        return None
    path, real = found
    exists = os.path.lexists(real)
    veiled = hidden(incident, path, real, said.line)
    if veiled:
        return veiled
    goal = real if exists else os.path.dirname(real)
    if not os.path.exists(goal):
        goal = there(goal)
    closed = refused_at(goal, who, RUN if goal != real or os.path.isdir(goal) else 0)
    if closed:
        what = f"user {who.name} may not enter {closed} ({mode_of(closed)}), which lies on the way to {path}"
        return cause(what, let_in(who, closed), said.line)
    wanted = _wanted(incident, said) if goal == real else (WRITE,)
    closed_for = [each for each in wanted if refused_at(goal, who, each) == os.path.realpath(goal)]
    if not closed_for:
        return None
    verb = " or ".join(_VERBS[each] for each in closed_for)
    what = f"user {who.name} may not {verb} {goal} ({mode_of(goal)})"
    return cause(what, let_do(incident, who, goal, real, closed_for), said.line)


def _wanted(incident: Incident, said: LastWords) -> Tuple[int, ...]:
    """What was to be done with a path that is there. Any program may have meant to read it; for more it must say so."""
    if _RUNS.search(said.text) or (incident.exit is not None and incident.exit.status == _CANNOT_RUN):
        return (RUN,)
    behind = [line.text for line in incident.said[-MOST_BEHIND:]]
    return (READ, WRITE) if any(_WRITES.search(text) for text in (said.text, *behind)) else (READ,)


def _not_there(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = path_of(incident, said)
    if found is None:
        return None
    path, real = found
    if os.path.exists(real):
        return hidden(incident, path, real, said.line)
    missing = path if os.path.isdir(os.path.dirname(real)) else os.path.dirname(path)
    over = cover(incident, path)
    if over is not None and over.hides:
        return None
    what = f"{missing} is not there{led_by(incident, path)}, which the program asks for"
    return cause(what, "put it there before the unit starts, or mend the path in what tells the program", said.line)


def _full(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = path_of(incident, said)
    if found is None:
        return None
    try:
        space = os.statvfs(there(found[1]))
    except OSError:
        return None
    used = "space" if not space.f_bavail else "inodes" if space.f_files and not space.f_favail else ""
    if not used:
        return None
    what = f"the file system of {found[0]} has no {used} left"
    return cause(what, "make room there", said.line)


# Commands, libraries, variables, limits.


def _no_command(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = _CALLED.search(said.text)
    if found is None or incident.exit is None or incident.exit.status != 127:
        return None
    name = found.group("name") or found.group("by_env")
    if name.endswith("\\r"):
        return carriage_return(incident, said.line)
    folders = [""] if name.startswith("/") else [folder + "/" for folder in PATH.split(":")]
    if any(os.path.exists(inside(incident, folder + name) or "/") for folder in folders):
        return None
    what = f"the command {name}, which a script of {incident.command}= calls, is not there"
    return cause(what, "install it, or call it by its whole path", said.line)


def _no_library(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = re.search(r"error while loading shared libraries: (?P<name>[\w.+-]+): cannot open shared object", said.text)
    if found is None or incident.exit is None or incident.exit.status != 127:
        return None
    what = f"the library {found.group('name')}, which its program needs, is not there"
    return cause(what, "install the package that has it, or a build of the program for this host", said.line)


def _no_variable(incident: Incident, said: LastWords) -> Optional[Cause]:
    name = next((each for each in _variables(incident, said) if each), "")
    if not name or any(_sets(placed.value, name) for placed in incident.placed("Environment")):
        return None
    if any(name in word for word, _placed in incident.words("PassEnvironment")) or _in_files(incident, name):
        return None
    missing = [placed for placed in incident.placed("EnvironmentFile") if placed.value.startswith("-")]
    absent = [each for each in missing if not os.path.exists(each.value[1:])]
    where = f" ({absent[0].value[1:]} of {at('EnvironmentFile', absent[0])} is not there)" if absent else ""
    what = f"the variable {name} is not set in its environment{where}"
    return cause(what, f"set it by Environment={name}=..., or in a file by EnvironmentFile=", said.line, "Environment")


def _variables(incident: Incident, said: LastWords) -> Iterator[str]:
    """Names of a line that says so of a variable, or of a trace that reads the environment."""
    found = re.search(r"(?P<name>\b[A-Z][A-Z0-9_]+): (?:unbound variable|parameter (?:null or )?not set)", said.text)
    if found:
        yield found.group("name")
    found = re.search(r"^KeyError: '(?P<name>\w+)'$", said.text)
    if found and any(
        "os.environ" in line.text or "<frozen os>" in line.text or "/os.py" in line.text for line in incident.said
    ):
        yield found.group("name")
    found = _ASKED.search(said.text)
    if found:
        yield found.group("name") or found.group("before") or found.group("after")


def _sets(value: str, name: str) -> bool:
    return bool(re.search(rf"(?:^|[\s\"']){re.escape(name)}=.", value))


def _in_files(incident: Incident, name: str) -> bool:
    """Does a file set it? One that cannot be read may."""
    for placed in incident.placed("EnvironmentFile"):
        path = placed.value.lstrip("-")
        try:
            with open(path, encoding="utf-8", errors="replace") as lines:
                if any(re.match(rf"\s*{re.escape(name)}\s*=\s*\S", line) for line in lines):
                    return True
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False


def _no_files_left(incident: Incident, said: LastWords) -> Optional[Cause]:
    placed = incident.placed("LimitNOFILE")
    limit = incident.properties.get("LimitNOFILESoft")
    if "inotify" in said.text.lower() or "in system" in said.text or not isinstance(limit, int) or limit > 1 << 30:
        return None
    what = f"it has as many files open as {assigned('LimitNOFILE', str(limit), placed[-1] if placed else None)} lets it"
    remedy = f"raise LimitNOFILE= in [{incident.section}], or see whether it leaves files open"
    return cause(what, remedy, said.line, "LimitNOFILE", placed[-1] if placed else None)


def _no_family(incident: Incident, said: LastWords) -> Optional[Cause]:
    placed = incident.placed("RestrictAddressFamilies")
    if not placed:
        return None
    listed = {word.lstrip("~") for each in placed for word in each.value.split()}
    inverted = placed[0].value.startswith("~")
    told = _FAMILY.findall(said.text)
    usual = told or ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK")
    lacking = [name for name in usual if (name in listed) == inverted and _has_family(name)]
    if not lacking:
        return None
    which = f"sockets of {lacking[0]}" if told else "a socket of the family that it asks for"
    what = f"{at('RestrictAddressFamilies', placed[-1])} does not let it open {which}"
    remedy = f"add {lacking[0] if told else 'the one that it needs'} to RestrictAddressFamilies="
    return cause(what, remedy, said.line, "RestrictAddressFamilies", placed[-1])


def _has_family(name: str) -> bool:
    family = getattr(socket, name, None)
    try:
        kind = socket.SOCK_RAW if name in ("AF_NETLINK", "AF_PACKET") else socket.SOCK_STREAM
        socket.socket(family, kind).close() if family is not None else None
    except OSError:
        return False
    return family is not None


def _no_new_privileges(incident: Incident, said: LastWords) -> Optional[Cause]:
    if incident.properties.get("NoNewPrivileges") is not True and not incident.is_set("NoNewPrivileges"):
        return None
    placed = incident.placed("NoNewPrivileges")
    whose = at("NoNewPrivileges", placed[-1]) if placed else "NoNewPrivileges=, which another directive of it implies,"
    what = f"{whose} does not let it become another user by sudo or the like"
    remedy = "run the unit as the user that it needs (User=), or set NoNewPrivileges=no"
    return cause(what, remedy, said.line, "NoNewPrivileges", placed[-1] if placed else None)


def _no_executable_memory(incident: Incident, said: LastWords) -> Optional[Cause]:
    placed = incident.placed("MemoryDenyWriteExecute")
    trace = " ".join(line.text for line in incident.said[-MOST_BEHIND:])
    if not incident.is_set("MemoryDenyWriteExecute") or not re.search(
        r"mmap|mprotect|executable (stack|memory)", trace
    ):
        return None
    what = f"{at('MemoryDenyWriteExecute', placed[-1])} does not let it make memory that is writable and executable"
    remedy = "set it to no for a program that compiles as it runs (JIT)"
    return cause(what, remedy, said.line, "MemoryDenyWriteExecute", placed[-1])


def _row(pattern: str, prove: Callable[[Incident, LastWords], Optional[Cause]]) -> Words:
    return Words(re.compile(pattern, re.IGNORECASE), prove)


_DENIED = tells(errno.EACCES)
_ROWS = (
    _row(why_ports.IN_USE, why_ports.taken),
    _row(why_ports.DENIED, why_ports.low_port),
    _row(_DENIED, why_ports.low_port_of_trace),
    _row(why_ports.FOREIGN, why_ports.foreign),
    _row(tells(errno.EROFS), _read_only),
    _row(_DENIED, _denied),
    _row(tells(errno.ECONNREFUSED), why_ports.nobody_listens),
    _row(r"not found$|\benv: ", _no_command),
    _row(r"error while loading shared libraries", _no_library),
    *why_modules.ROWS,
    _row(tells(errno.ENOENT), _not_there),
    _row(tells(errno.ENOSPC), _full),
    _row(r"unbound variable|not set|KeyError|variable", _no_variable),
    _row(tells(errno.EMFILE), _no_files_left),
    _row(tells(errno.EAFNOSUPPORT), _no_family),
    _row(r"no new privileges", _no_new_privileges),
    _row(tells(errno.EPERM, errno.EACCES), _no_executable_memory),
    _row(r"\d", why_ports.told_before),
)

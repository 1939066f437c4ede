# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a program has ended itself: by its very last words, where the host proves them.

Words alone prove nothing: a program may speak of another host, of a file that it can do without, or of what it tried
first. So the line has to be the last, to name the object, and the object has to be so. Private to the collection.
"""

from __future__ import annotations

import os
import re
import socket
from typing import Callable, Iterator, List, Mapping, NamedTuple, Optional, Pattern, Set, Tuple

from . import holders
from .incident import Cause, Incident, at, cause, named
from .journal import Line
from .manager import PATH
from .views import READ, RUN, WRITE, account_of, cover, inside, mode_of, mounted, refused_at, there
from .why_program import hidden

# What may stand behind the decisive line and says nothing of its own: traces, closings, hints.
_BEHIND = re.compile(
    r"^\s|^[\]})]+[,;]?$|^Node\.js v|^Emitted 'error' event|^goroutine \d+|^[\w./*()-]+\(.*\)$|^exit status \d+$"
    r"|^note: run with|still could not bind\(\)|^\s*$"
)
# Of something that the program goes on without, by its own word; only ever a reason to say nothing.
_MILD = re.compile(
    r"\b(warn(ing)?|note|notice|info|debug|trace|optional\w*|ignor\w*|skip\w*|fall(ing)? ?back|default\w*|continu\w*"
    r"|retry\w*|retried|remote\w*|harmless|expected|as usual|not the (cause|reason|problem))\b",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?P<quote>['\"`]?)(?P<path>/[^\s'\"`:;,()\[\]<>|]*[^\s'\"`:;,()\[\]<>|.])(?P=quote)")
_PROGRAM = re.compile(r"^(?:[^\s:]+:\s+)(?:(?:line )?\d+:\s+)?")
_PORT = re.compile(r"(?:(?<=[\w\].*:]):|\bport[ =:]+|\*:)(?P<port>\d{1,5})\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?:^|[:=\s])(?P<port>\d{2,5})(?=$|[\s/,;'\"])")
_ASKED = re.compile(
    r"\b[Vv]ariable[:\s]+[`'\"$]*(?P<name>[A-Z][A-Z0-9_]+)['\"`]* (?:is |was )?"
    r"(?:not set|missing|required|unset|undefined)\b"
)
# Addresses to which a program connects, on which it does not listen: then a number says nothing.
_PEER = r"(?:upstream|remote|proxy|target|backend|peer|connect|server|database|db|broker|origin|forward|url)"
_CLIENT = re.compile(rf"(?:://\S*|(?:\s--?[\w-]*{_PEER}[\w-]*(?:=|\s+)|\w*{_PEER}\w*=)[\w.-]*:?)$", re.IGNORECASE)
_MOST_BEHIND = 25


class Said(NamedTuple):
    """The decisive line, and what of details follows it."""

    text: str
    more: str
    line: Line


class Words(NamedTuple):
    """What is to be found in the line, and what proves it."""

    pattern: Pattern[str]
    prove: Callable[[Incident, Said], Optional[Cause]]


def why(incident: Incident) -> Optional[Cause]:
    said = _last_words(incident)
    if said is None or _MILD.search(said.text) or said.line.fields.get("PRIORITY", "6") in ("4", "5", "7"):
        return None
    for row in _ROWS:
        found = row.prove(incident, said) if row.pattern.search(said.text) else None
        if found:
            return found
    return None


def _last_words(incident: Incident) -> Optional[Said]:
    behind: List[str] = []
    for line in list(reversed(incident.said))[:_MOST_BEHIND]:
        if not _BEHIND.search(line.text):
            return Said(line.text.strip(), " ".join(reversed(behind)), line)
        behind.append(line.text)
    return None


def _paths(said: Said) -> List[str]:
    """The paths that a line names, without the program that says it."""
    text = _PROGRAM.sub("", said.text)
    return list(dict.fromkeys(each.group("path") for each in _PATH.finditer(text)))


def _path(incident: Incident, said: Said) -> Optional[Tuple[str, str]]:
    """The one path of a line, as the unit has it and as the host has it."""
    found = _paths(said)
    real = inside(incident, found[0]) if len(found) == 1 else None
    return (found[0], real) if real is not None else None


# Ports.


def _own_network(incident: Incident) -> bool:
    return bool(incident.is_set("PrivateNetwork") or incident.value("NetworkNamespacePath"))


def _ports(said: Said) -> Set[int]:
    text = f"{said.text} {said.more}"
    return {int(each.group("port")) for each in _PORT.finditer(text) if 0 < int(each.group("port")) < 65536}


def _given_ports(incident: Incident) -> Set[int]:
    """Numbers of its command and its settings that may be ports: for a line that names none."""
    texts = [placed.value for name in (incident.command, "Environment") for placed in incident.placed(name)]
    found = [(text[: each.start("port")], int(each.group("port"))) for text in texts for each in _NUMBER.finditer(text)]
    if any(_CLIENT.search(before) for before, _number in found):
        return set()
    return {number for _before, number in found if number < 65536}


def _taken(incident: Incident, said: Said) -> Optional[Cause]:
    if _own_network(incident):
        return None
    told = _ports(said)
    paths = [] if told else _paths(said)
    if paths:
        return _left_socket(incident, said, paths)
    wanted = told or _given_ports(incident)
    held = holders.listening()
    if len(wanted) != 1 or not wanted & held.keys():
        return None
    return port_taken(next(iter(wanted)), held, said.line)


def port_taken(number: int, held: Mapping[int, holders.Port], line: Optional[Line], unit: str = "") -> Optional[Cause]:
    """unit: a socket unit that is known to hold it."""
    by = holders.of_port(held[number])
    who = unit or ("systemd itself, for a socket unit" if by and by.pid == 1 else str(by) if by else "another process")
    what = f"port {number} is taken by {who}"
    remedy = "stop that one, or give one of the two another port"
    return cause(what, remedy, line)


def _left_socket(incident: Incident, said: Said, paths: List[str]) -> Optional[Cause]:
    real = inside(incident, paths[0]) if len(paths) == 1 else None
    if real is None or not os.path.exists(real):
        return None
    if holders.bound_path(real):
        what = f"another process has the socket {paths[0]} open"
        return cause(what, "stop that one, or take another path", said.line)
    what = f"the socket {paths[0]} is left from an earlier run, and nobody listens on it"
    remedy = (
        f"have it removed first: ExecStartPre=-/bin/rm -f {paths[0]}, or a RuntimeDirectory= that goes with the unit"
    )
    return cause(what, remedy, said.line)


def _low_port(incident: Incident, said: Said) -> Optional[Cause]:
    ports = _ports(said) or (_given_ports(incident) if not _paths(said) else set())
    who = account_of(incident)
    if len(ports) != 1 or who is None or _own_network(incident):
        return None
    number, lowest = next(iter(ports)), _lowest_port()
    bounded = incident.placed("CapabilityBoundingSet")
    given = any("CAP_NET_BIND_SERVICE" in placed.value.upper() for placed in incident.placed("AmbientCapabilities"))
    if number >= lowest or (who.uid == 0 and not bounded) or given:
        return None
    if who.uid == 0 and any(
        "CAP_NET_BIND_SERVICE" in placed.value.upper() or "~" in placed.value for placed in bounded
    ):
        return None
    what = f"user {who.name} may not listen on port {number}, as that is below {lowest}"
    remedy = f"add AmbientCapabilities=CAP_NET_BIND_SERVICE to [{incident.section}], or take a higher port"
    return cause(what, remedy, said.line)


def _low_port_of_trace(incident: Incident, said: Said) -> Optional[Cause]:
    """Of a line that says nothing but the error, below a trace that ends in the call."""
    calls = [
        line.text for line in incident.said[-_MOST_BEHIND:] if re.search(r"\.(bind|server_bind|listen)\(", line.text)
    ]
    return _low_port(incident, said) if calls and not _paths(said) else None


def _lowest_port() -> int:
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return 1024


def _nobody_listens(incident: Incident, said: Said) -> Optional[Cause]:
    found = re.search(r"(?:127\.0\.0\.1|localhost|\[?::1\]?)(?::|[\"', ]+(?:port )?)(?P<port>\d{1,5})\b", said.text)
    number = int(found.group("port")) if found else 0
    if not 0 < number < 65536 or number in holders.listening() or _own_network(incident):
        return None
    what = f"nobody listens on port {number} of this host, to which it connects"
    remedy = "start first what serves it, and order the unit after that (After= and Wants=)"
    return cause(what, remedy, said.line)


# Files.


def _read_only(incident: Incident, said: Said) -> Optional[Cause]:
    found = _path(incident, said)
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
    remedy = f"add ReadWritePaths={folder} to [{incident.section}]"
    if over.directive in ("BindReadOnlyPaths", "ReadOnlyPaths"):
        remedy = f"{remedy}, or take it out of {over.directive}="
    return cause(what, remedy, said.line, over.directive, over.place)


def _denied(incident: Incident, said: Said) -> Optional[Cause]:
    found = _path(incident, said)
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
        return cause(what, f"let that user in, as by chmod or chown of {closed}", said.line)
    wanted = [WRITE] if goal != real or os.path.isdir(goal) else [READ, WRITE]
    closed_for = [each for each in wanted if refused_at(goal, who, each) == os.path.realpath(goal)]
    if not closed_for:
        return None
    verb = {(READ, WRITE): "read or write", (READ,): "read", (WRITE,): "write to"}[tuple(closed_for)]
    what = f"user {who.name} may not {verb} {goal} ({mode_of(goal)})"
    return cause(what, f"let that user, as by chown or chmod of {goal}", said.line)


def _not_there(incident: Incident, said: Said) -> Optional[Cause]:
    found = _path(incident, said)
    if found is None:
        return None
    path, real = found
    if os.path.exists(real):
        return hidden(incident, path, real, said.line)
    missing = path if os.path.isdir(os.path.dirname(real)) else os.path.dirname(path)
    over = cover(incident, path)
    if over is not None and over.hides:
        return None
    what = f"{missing} is not there, which the program asks for"
    return cause(what, "put it there before the unit starts, or mend the path in what tells the program", said.line)


def _full(incident: Incident, said: Said) -> Optional[Cause]:
    found = _path(incident, said)
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


def _no_command(incident: Incident, said: Said) -> Optional[Cause]:
    found = re.search(r"(?P<name>[\w./+-]+): (?:command )?not found$", said.text)
    if found is None or incident.exit is None or incident.exit.status != 127:
        return None
    name = found.group("name")
    folders = [""] if name.startswith("/") else [folder + "/" for folder in PATH.split(":")]
    if any(os.path.exists(inside(incident, folder + name) or "/") for folder in folders):
        return None
    what = f"the command {name}, which a script of {incident.command}= calls, is not there"
    return cause(what, "install it, or call it by its whole path", said.line)


def _no_library(incident: Incident, said: Said) -> Optional[Cause]:
    found = re.search(r"error while loading shared libraries: (?P<name>[\w.+-]+): cannot open shared object", said.text)
    if found is None or incident.exit is None or incident.exit.status != 127:
        return None
    what = f"the library {found.group('name')}, which its program needs, is not there"
    return cause(what, "install the package that has it, or a build of the program for this host", said.line)


def _no_variable(incident: Incident, said: Said) -> Optional[Cause]:
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


def _variables(incident: Incident, said: Said) -> Iterator[str]:
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
        yield found.group("name")


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


def _no_files_left(incident: Incident, said: Said) -> Optional[Cause]:
    placed = incident.placed("LimitNOFILE")
    limit = incident.properties.get("LimitNOFILESoft")
    if "inotify" in said.text.lower() or "in system" in said.text or not isinstance(limit, int) or limit > 1 << 30:
        return None
    what = f"it has as many files open as {named('LimitNOFILE', str(limit), placed[-1] if placed else None)} lets it"
    remedy = f"raise LimitNOFILE= in [{incident.section}], or see whether it leaves files open"
    return cause(what, remedy, said.line, "LimitNOFILE", placed[-1] if placed else None)


def _no_family(incident: Incident, said: Said) -> Optional[Cause]:
    placed = incident.placed("RestrictAddressFamilies")
    if not placed:
        return None
    listed = {word.lstrip("~") for each in placed for word in each.value.split()}
    inverted = placed[0].value.startswith("~")
    usual = ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK")
    lacking = [name for name in usual if (name in listed) == inverted and _has_family(name)]
    if not lacking:
        return None
    which = f"sockets of {lacking[0]}" if len(lacking) == 1 else f"a socket, such as one of {' or '.join(lacking)}"
    what = f"{at('RestrictAddressFamilies', placed[-1])} does not let it open {which}"
    remedy = f"add what it needs of {' '.join(lacking)} to RestrictAddressFamilies="
    return cause(what, remedy, said.line, "RestrictAddressFamilies", placed[-1])


def _has_family(name: str) -> bool:
    family = getattr(socket, name, None)
    try:
        kind = socket.SOCK_RAW if name == "AF_NETLINK" else socket.SOCK_STREAM
        socket.socket(family, kind).close() if family is not None else None
    except OSError:
        return False
    return family is not None


def _no_new_privileges(incident: Incident, said: Said) -> Optional[Cause]:
    if incident.properties.get("NoNewPrivileges") is not True and not incident.is_set("NoNewPrivileges"):
        return None
    placed = incident.placed("NoNewPrivileges")
    whose = at("NoNewPrivileges", placed[-1]) if placed else "NoNewPrivileges=, which another directive of it implies,"
    what = f"{whose} does not let it become another user by sudo or the like"
    remedy = "run the unit as the user that it needs (User=), or set NoNewPrivileges=no"
    return cause(what, remedy, said.line, "NoNewPrivileges", placed[-1] if placed else None)


def _no_executable_memory(incident: Incident, said: Said) -> Optional[Cause]:
    placed = incident.placed("MemoryDenyWriteExecute")
    trace = " ".join(line.text for line in incident.said[-_MOST_BEHIND:])
    if not incident.is_set("MemoryDenyWriteExecute") or not re.search(
        r"mmap|mprotect|executable (stack|memory)", trace
    ):
        return None
    what = f"{at('MemoryDenyWriteExecute', placed[-1])} does not let it make memory that is writable and executable"
    remedy = "set it to no for a program that compiles as it runs (JIT)"
    return cause(what, remedy, said.line, "MemoryDenyWriteExecute", placed[-1])


def _row(pattern: str, prove: Callable[[Incident, Said], Optional[Cause]]) -> Words:
    return Words(re.compile(pattern, re.IGNORECASE), prove)


_DENIED = r"permission denied|EACCES|errno 13\b"
_ROWS = (
    _row(r"address already in use|EADDRINUSE|AddrInUse|errno 98\b", _taken),
    _row(rf"(?=.*\b(bind|listen|port)\b)(?=.*({_DENIED}|operation not permitted))", _low_port),
    _row(_DENIED, _low_port_of_trace),
    _row(r"read-only file ?system|EROFS|errno 30\b", _read_only),
    _row(_DENIED, _denied),
    _row(r"connection refused|ECONNREFUSED|errno 111\b", _nobody_listens),
    _row(r"not found$", _no_command),
    _row(r"error while loading shared libraries", _no_library),
    _row(r"no such file or directory|ENOENT|errno 2\b", _not_there),
    _row(r"no space left on device|ENOSPC|errno 28\b", _full),
    _row(r"unbound variable|not set|KeyError|variable", _no_variable),
    _row(r"too many open files|EMFILE|errno 24\b", _no_files_left),
    _row(r"address family not supported|EAFNOSUPPORT|errno 97\b", _no_family),
    _row(r"no new privileges", _no_new_privileges),
    _row(rf"operation not permitted|{_DENIED}|EPERM", _no_executable_memory),
)

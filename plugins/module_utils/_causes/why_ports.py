# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Ports that are taken, too low, or not listened on, by the last words of a program. Private to the collection."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Mapping, Optional, Sequence, Set

from .._host.journal import Line
from . import holders
from .incident import Cause, Incident, at, cause
from .views import account_of
from .why_errors import tells
from .why_said import MOST_BEHIND, LastWords, path_of, paths, without_positions

# The last is an address as Python writes it.
_PORT = re.compile(
    r"(?:(?<=[\w\].*:\s]):|\bport[ =:]+|\*:|['\"](?:[\d.]+|[\da-f]*:[\da-f:.]*|localhost|)['\"], ?)"
    r"(?P<port>\d{1,5})\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:^|[:=\s,('\"])(?P<port>\d{2,5})(?=$|[\s/,;)'\"])")
_IP = re.compile(r"(?<![\w.:])(?P<four>\d{1,3}(?:\.\d{1,3}){3})(?![\w.])|\[?(?<![\w.])(?P<six>[\da-f]*:[\da-f:]+)\]")
# Addresses to which a program connects, on which it does not listen: then a number says nothing.
_PEER = r"(?:upstream|remote|proxy|target|backend|peer|connect|server|database|db|broker|origin|forward|url)"
_CLIENT = re.compile(rf"(?:://\S*|(?:\s--?[\w-]*{_PEER}[\w-]*(?:=|\s+)|\w*{_PEER}\w*=)[\w.-]*:?)$", re.IGNORECASE)
# An option or a variable whose value is this number, and one that may hold a port.
_OPTION = re.compile(r"(?:(?:^|\s)(?P<option>--?[\w-]+)(?:=|\s+)|(?:^|[\s\"'])(?P<name>\w+)=)$")
_OF_PORT = re.compile(r"port|listen|bind|addr|http|^-[plb]$", re.IGNORECASE)

# Lines that say why a program cannot listen; one that connects meets the same errors.
IN_USE = tells(errno.EADDRINUSE)
DENIED = rf"(?m:^)(?=.*\b(?:bind|listen)|(?!.*\bconnect).*\bport\b)(?=.*(?:{tells(errno.EACCES, errno.EPERM)}))"
FOREIGN = rf"(?=.*\b(?:bind|listen))(?=.*(?:{tells(errno.EADDRNOTAVAIL)}))"


def _own_network(incident: Incident) -> bool:
    return bool(incident.is_set("PrivateNetwork") or incident.value("NetworkNamespacePath"))


def _ports(said: LastWords) -> Set[int]:
    """Those of the line itself, or where it names none those of its details."""
    for text in (without_positions(said.text), said.more):
        found = {int(each.group("port")) for each in _PORT.finditer(text)}
        if any(0 < each < 65536 for each in found):
            return {each for each in found if 0 < each < 65536}
    return set()


def _given_ports(incident: Incident) -> Set[int]:
    """Numbers of its command and its settings that may be ports: for a line that names none."""
    texts = [placed.value for name in (incident.command, "Environment") for placed in incident.placed(name)]
    found = [(text[: each.start("port")], int(each.group("port"))) for text in texts for each in _NUMBER.finditer(text)]
    if any(_CLIENT.search(before) for before, _number in found):
        return set()
    return {number for before, number in found if number < 65536 and _may_be_port(before)}


def _may_be_port(before: str) -> bool:
    """By the option or the variable that a number is given to; a word by itself may be one."""
    found = _OPTION.search(before)
    return found is None or bool(_OF_PORT.search(found.group("option") or found.group("name")))


def taken(incident: Incident, said: LastWords) -> Optional[Cause]:
    if _own_network(incident):
        return None
    told = _ports(said)
    if not told and paths(said):
        return _left_socket(incident, said)
    wanted = told or _given_ports(incident)
    held = holders.listening()
    if len(wanted) != 1 or not wanted & held.keys():
        return None
    return port_taken(next(iter(wanted)), held, said.line)


def told_before(incident: Incident, said: LastWords) -> Optional[Cause]:
    """Of a last line that no more than names a port: by what an earlier one has said of it."""
    named = _ports(said)
    for line in reversed(incident.said[-MOST_BEHIND:] if len(named) == 1 else ()):
        earlier = LastWords(line.text.strip(), "", line)
        if line is said.line or _ports(earlier) != named:
            continue
        for pattern, prove in ((IN_USE, taken), (DENIED, low_port), (FOREIGN, foreign)):
            found = prove(incident, earlier) if re.search(pattern, earlier.text, re.IGNORECASE) else None
            if found:
                return found
    return None


def foreign(incident: Incident, said: LastWords) -> Optional[Cause]:
    """An address to listen on that no interface of this host has."""
    found = {each.group("four") or each.group("six") for each in _IP.finditer(without_positions(said.text))}
    address = found.pop() if len(found) == 1 and not _own_network(incident) else ""
    return _foreign(address, "which it would listen on", [], said.line) if address else None


def foreign_of_socket(incident: Incident, line: Optional[Line]) -> Optional[Cause]:
    for directive in ("ListenStream", "ListenDatagram", "ListenSequentialPacket"):
        for placed in incident.placed(directive) if not incident.is_set("FreeBind") else ():
            address = placed.value.rpartition(":")[0].strip("[]")
            whose = f"which {at(directive, placed)} names"
            found = _foreign(address, whose, ["FreeBind=yes"], line) if address else None
            if found:
                return found._replace(directive=directive, place=f"{placed.path}:{placed.line}")
    return None


def _foreign(address: str, whose: str, ways: Sequence[str], line: Optional[Line]) -> Optional[Cause]:
    if not _is_foreign(address):
        return None
    what = f"this host does not have the address {address}, {whose}"
    late = "Wants=network-online.target and After= it where it comes late"
    return cause(what, ", ".join(["take an address that it has", *ways]) + f", or {late}", line)


def _is_foreign(address: str) -> bool:
    """Does the kernel know no such address of its own?"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.bind((address, 0))
    except OSError as error:
        return error.errno == errno.EADDRNOTAVAIL
    return False


def refused(incident: Incident, port: int, path: str) -> str:
    """The program's own line by which another one has this port or this Unix socket, "" if it has said none."""
    for line in () if _own_network(incident) else incident.said:
        if re.search(IN_USE, line.text, re.IGNORECASE) and _is_about(
            incident, LastWords(line.text, "", line), port, path
        ):
            return line.text.strip().rpartition("\n")[2]
    return ""


def _is_about(incident: Incident, said: LastWords, port: int, path: str) -> bool:
    """A line that names no address is about the one that the unit's text has."""
    if path:
        return re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w/-])", said.text) is not None
    return port in (_ports(said) or (set() if paths(said) else _given_ports(incident)))


def port_taken(number: int, held: Mapping[int, holders.Port], line: Optional[Line], unit: str = "") -> Optional[Cause]:
    """unit: a socket unit that is known to hold it."""
    by = holders.of_port(held[number])
    who = unit or ("systemd itself, for a socket unit" if by and by.pid == 1 else str(by) if by else "another process")
    what = f"port {number} is taken by {who}"
    remedy = "stop that one, or give one of the two another port"
    return cause(what, remedy, line)


def _left_socket(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = path_of(incident, said)
    if found is None or not os.path.exists(found[1]):
        return None
    path, real = found
    if holders.bound_path(real):
        what = f"another process has the socket {path} open"
        return cause(what, "stop that one, or take another path", said.line)
    what = f"the socket {path} is left from an earlier run, and nobody listens on it"
    remedy = f"have it removed first: ExecStartPre=-/bin/rm -f {path}, or a RuntimeDirectory= that goes with the unit"
    return cause(what, remedy, said.line)


def low_port(incident: Incident, said: LastWords) -> Optional[Cause]:
    ports = _ports(said) or (_given_ports(incident) if not paths(said) else set())
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


def low_port_of_trace(incident: Incident, said: LastWords) -> Optional[Cause]:
    """Of a line that says nothing but the error, below a trace that ends in the call."""
    calls = [
        line.text for line in incident.said[-MOST_BEHIND:] if re.search(r"\.(bind|server_bind|listen)\(", line.text)
    ]
    return low_port(incident, said) if calls and not paths(said) else None


def _lowest_port() -> int:
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return 1024


def nobody_listens(incident: Incident, said: LastWords) -> Optional[Cause]:
    found = re.search(r"(?:127\.0\.0\.1|localhost|\[?::1\]?)(?::|[\"', ]+(?:port )?)(?P<port>\d{1,5})\b", said.text)
    number = int(found.group("port")) if found else 0
    if not 0 < number < 65536 or number in holders.listening() or _own_network(incident):
        return None
    what = f"nobody listens on port {number} of this host, to which it connects"
    remedy = "start first what serves it, and order the unit after that (After= and Wants=)"
    return cause(what, remedy, said.line)

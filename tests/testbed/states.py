# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on the target: for each line on stdin ("begin", "end"), tells as JSON in what state all units are.

It asks as D-Bus has it, since `systemctl show` has the manager tell all of each unit, which takes ten times as long.
The answer is by manager ("system", and that of the user who is the argument) and unit: load state, active state,
sub state, the ID of its invocation, the path of its file, and what triggers it; and the results of the jobs since the
beginning, likewise. A manager that does not run is left out. What triggers it is told of what is up or has run since.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import socket
import struct
import sys
from collections.abc import Iterator

MANAGER = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
PROPERTIES, UNIT = "org.freedesktop.DBus.Properties", "org.freedesktop.systemd1.Unit"
REPLY, ERROR = 2, 3
MEMBER, REPLY_SERIAL = 3, 5
HEAD = 16
PATIENCE = 30


def padded(data: bytes, to: int) -> bytes:
    return data + bytes(-len(data) % to)


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode() + b"\0"


def call(serial: int, path: str, interface: str, member: str, *arguments: str) -> bytes:
    """A method call; its arguments are strings."""
    body = b""
    for argument in arguments:
        body = padded(body, 4) + text(argument)
    fields = b""
    for code, kind, value in ((1, b"o", path), (2, b"s", interface), (3, b"s", member)):
        fields = padded(fields, 8) + bytes([code, 1]) + kind + b"\0" + text(value)
    if arguments:
        signature = b"s" * len(arguments)
        fields = padded(fields, 8) + b"\x08\x01g\0" + bytes([len(signature)]) + signature + b"\0"
    head = struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), serial, len(fields))
    return padded(head + fields, 8) + body


class Connection:
    """To one manager, which tells all of its jobs, asked or not, on such a connection."""

    def __init__(self, path: str) -> None:
        self.finished: dict[str, list[str]] = {}
        self._replies: dict[int, bytes] = {}
        self._got = b""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
        while b"\r\n" not in self._got:
            self._receive()
        told, _end, self._got = self._got.partition(b"\r\n")
        if not told.startswith(b"OK"):
            raise OSError(f"{path}: {told!r}")

    def _receive(self) -> None:
        more = self.socket.recv(1 << 20)
        if not more:
            raise OSError("the manager has hung up")
        self._got += more

    def listen(self) -> None:
        """Take what there is."""
        self._receive()
        at = 0
        while len(self._got) - at >= HEAD:
            kind = self._got[at + 1]
            length, _serial, fields = struct.unpack_from("<III", self._got, at + 4)
            start = at + HEAD + fields + -fields % 8
            if len(self._got) < start + length:
                break
            self._take(kind, told_in(self._got[at + HEAD : at + HEAD + fields]), self._got[start : start + length])
            at = start + length
        self._got = self._got[at:]

    def _take(self, kind: int, fields: dict[int, int | str], body: bytes) -> None:
        if kind in (REPLY, ERROR):
            self._replies[int(fields[REPLY_SERIAL])] = body if kind == REPLY else b""
        elif fields.get(MEMBER) == "JobRemoved":
            _path, unit, result = strings(body, 4, "oss")
            self.finished.setdefault(unit, []).append(result)

    def ask(self, calls: dict[int, bytes]) -> dict[int, bytes]:
        """The bodies of the answers by serial; that of an error is empty."""
        self._replies = {}
        self.socket.sendall(b"".join(calls.values()))
        while len(self._replies) < len(calls):
            self.listen()
        return self._replies


def told_in(fields: bytes) -> dict[int, int | str]:
    """The fields of a message that are numbers and text."""
    found: dict[int, int | str] = {}
    at = 0
    while at < len(fields):
        at += -at % 8
        code, kind = fields[at], fields[at + 2 : at + 3]
        at += 4
        if kind == b"g":
            at += fields[at] + 2
            continue
        (value,) = struct.unpack_from("<I", fields, at)
        at += 4
        found[code] = value if kind == b"u" else fields[at : at + value].decode()
        at += 0 if kind == b"u" else value + 1
    return found


def strings(body: bytes, at: int, kinds: str) -> list[str]:
    """The text among values of these kinds."""
    return [value for value, _end in values(body, at, kinds)]


def values(body: bytes, at: int, kinds: str) -> Iterator[tuple[str, int]]:
    """Texts, each with where it ends; numbers are left out."""
    for kind in kinds:
        at += -at % 4
        (length,) = struct.unpack_from("<I", body, at)
        at += 4
        if kind != "u":
            yield body[at : at + length].decode(), at + length + 1
            at += length + 1


def listed(body: bytes) -> Iterator[list[str]]:
    """The rows of ListUnits(), a(ssssssouso), less their numbers."""
    end, at = struct.unpack_from("<I", body)[0] + 8, 8
    while at < end:
        row = list(values(body, at + -at % 8, "ssssssouso"))
        at = row[-1][1]
        yield [value for value, _end in row]


def told_of(body: bytes, start: int, kind: str) -> list[str]:
    """The texts in the value of a property: s, or as."""
    (length,) = struct.unpack_from("<I", body, start)
    end = start + 4 + length
    if kind == "s":
        return [body[start + 4 : end].decode()] if length else []
    found, at = [], start + 4
    while at < end:
        ((value, at),) = values(body, at, "s")
        found.append(value)
    return found


NOT_LOADED = ["", "inactive", "", "", "", ""]


def states(connection: Connection, before: dict[str, list[str]]) -> dict[str, list[str]]:
    """before: the same at the beginning; nothing, if this is it."""
    (body,) = connection.ask({1: call(1, *MANAGER, "ListUnits")}).values()
    rows = list(listed(body))
    paths = {row[0]: row[6] for row in rows}
    found = {row[0]: [row[2], row[3], row[4], "", "", ""] for row in rows}
    was = {unit: before.get(unit, NOT_LOADED) for unit in found}
    could_run = [unit for unit in found if "loaded" in (found[unit][0], was[unit][0]) or found[unit][1] != "inactive"]
    # At once, as a unit of the command line goes at its end, with its path.
    asked = [(paths[unit], name) for unit in could_run for name in ("InvocationID", "FragmentPath")]
    runs = properties(connection, asked)
    for unit in could_run:
        found[unit][3] = runs[paths[unit], "InvocationID"][8:].hex()
        found[unit][4] = "".join(told_of(runs[paths[unit], "FragmentPath"], 4, "s"))
    told = [unit for unit in found if found[unit][1] != "inactive" or found[unit][3] != was[unit][3]]
    starters = properties(connection, [(paths[unit], "TriggeredBy") for unit in told])
    for unit in told:
        found[unit][5] = " ".join(told_of(starters[paths[unit], "TriggeredBy"], 4, "as"))
    return found


def properties(connection: Connection, asked: list[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """Of units, by their paths: each a variant, so its signature, and after that the value.

    An error, where a unit is forgotten meanwhile, is empty.
    """
    calls = {at: call(at, path, PROPERTIES, "Get", UNIT, name) for at, (path, name) in enumerate(asked, 1)}
    answers = connection.ask(calls)
    return {each: answers[at] or bytes(12) for at, each in enumerate(asked, 1)}


def connected(path: str, uid: int) -> Connection | None:
    """As that user, whom alone the manager lets in; None where there is no manager."""
    os.seteuid(uid)
    try:
        return Connection(path)
    except OSError:
        return None
    finally:
        os.seteuid(0)


def managers(user: str) -> dict[str, Connection]:
    uid = pwd.getpwnam(user).pw_uid
    found = {"system": connected("/run/systemd/private", 0), user: connected(f"/run/user/{uid}/systemd/private", uid)}
    return {manager: connection for manager, connection in found.items() if connection}


Told = dict[str, dict[str, list[str]]]


def told_by(connections: dict[str, Connection], before: Told) -> Told:
    found = {}
    for manager, connection in connections.items():
        with contextlib.suppress(OSError):
            found[manager] = states(connection, before.get(manager, {}))
    return found


def main(user: str) -> None:
    connections: dict[str, Connection] = {}
    before: Told = {}
    while True:
        ready, _writable, _failed = select.select([sys.stdin, *(each.socket for each in connections.values())], [], [])
        for manager, connection in [*connections.items()]:
            if connection.socket in ready:
                try:
                    connection.listen()
                except OSError:
                    del connections[manager]
        if sys.stdin not in ready:
            continue
        asked = sys.stdin.readline()
        if not asked:
            return
        begins = asked == "begin\n"
        if begins or "system" not in connections:
            connections = {**managers(user), **connections}
        found = told_by(connections, {} if begins else before)
        before = found
        finished = {manager: connection.finished for manager, connection in connections.items()}
        print(json.dumps([found, finished]), flush=True)
        if not begins:
            for connection in connections.values():
                connection.socket.close()
            connections = {}


main(sys.argv[1])

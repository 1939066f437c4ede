# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the bus name of its argument and keeps it, in as much of the D-Bus protocol as that needs."""

from __future__ import annotations

import socket
import struct
import sys

SERVICE = "org.freedesktop.DBus"


def aligned(data: bytes, size: int = 8) -> bytes:
    return data + b"\0" * (-len(data) % size)


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode() + b"\0"


def field(code: int, kind: bytes, value: bytes) -> bytes:
    return bytes([code, 1]) + kind + b"\0" + value


def call(serial: int, member: str, body: bytes = b"", signature: bytes = b"") -> bytes:
    fields = aligned(field(1, b"o", text("/org/freedesktop/DBus"))) + aligned(field(2, b"s", text(SERVICE)))
    fields += aligned(field(3, b"s", text(member))) + field(6, b"s", text(SERVICE))
    if signature:
        fields = aligned(fields) + field(8, b"g", bytes([len(signature)]) + signature + b"\0")
    return b"l\1\0\1" + struct.pack("<III", len(body), serial, len(fields)) + aligned(fields) + body


with socket.socket(socket.AF_UNIX) as bus:
    bus.connect("/run/dbus/system_bus_socket")
    bus.sendall(b"\0AUTH EXTERNAL 30\r\n")
    bus.recv(100)
    bus.sendall(b"BEGIN\r\n" + call(1, "Hello"))
    name = aligned(text(sys.argv[1]), 4)
    bus.sendall(call(2, "RequestName", name + struct.pack("<I", 0), b"su"))
    while bus.recv(4096):
        pass

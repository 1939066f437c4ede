# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manager is asked, and its answers are read, by the D-Bus Specification. The other end is played here."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import bus
from ansible_collections.unitwright.systemd.plugins.module_utils._host.bus import Bus, BusError


def text(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value + b"\0"


def padded(data: bytes, alignment: int) -> bytes:
    return data + b"\0" * (-len(data) % alignment)


def message(kind: int, serial: int, body: bytes, signature: bytes, error: bytes = b"") -> bytes:
    fields = b"\x05\x01u\0" + struct.pack("<I", serial)
    if error:
        fields = padded(fields, 8) + b"\x04\x01s\0" + text(error)
    fields = padded(fields, 8) + b"\x08\x01g\0" + bytes([len(signature)]) + signature + b"\0"
    return padded(struct.pack("<BBBBIII", ord("l"), kind, 0, 1, len(body), 9, len(fields)) + fields, 8) + body


def entry(data: bytes, name: bytes, signature: bytes, alignment: int, value: bytes) -> bytes:
    """One more entry of an a{sv}; data starts where entries are aligned to 8."""
    data = padded(data, 8) + text(name) + bytes([len(signature)]) + signature + b"\0"
    return padded(data, alignment) + value


def properties() -> bytes:
    data = entry(b"", b"Id", b"s", 4, text(b"a.service"))
    data = entry(data, b"Passed", b"s", 4, text(b"over"))
    data = entry(data, b"Over", b"(sa(uu))", 8, padded(text(b"x"), 4) + struct.pack("<I4xII", 8, 1, 2))
    data = entry(data, b"Byte", b"y", 1, b"\x07")
    data = entry(data, b"Many", b"a(st)", 4, struct.pack("<I", 0))
    data = padded(data, 8)
    data = entry(data, b"Names", b"as", 4, struct.pack("<I", 14) + text(b"a") + b"\0\0" + text(b"b"))
    data = entry(data, b"MainPID", b"u", 4, struct.pack("<I", 812))
    data = entry(data, b"MemoryMax", b"t", 8, struct.pack("<Q", 2**64 - 1))
    data = entry(data, b"Nice", b"i", 4, struct.pack("<i", -5))
    data = entry(data, b"Transient", b"b", 4, struct.pack("<I", 1))
    data = entry(data, b"InvocationID", b"ay", 4, struct.pack("<I", 2) + b"\xc9\x98")
    return struct.pack("<I4x", len(data)) + data


WANTED = frozenset(("Id", "Names", "MainPID", "MemoryMax", "Nice", "Transient", "InvocationID", "Many"))
EXPECTED = {
    "Id": "a.service",
    "Many": [],
    "Names": ["a", "b"],
    "MainPID": 812,
    "MemoryMax": 18446744073709551615,
    "Nice": -5,
    "Transient": True,
    "InvocationID": b"\xc9\x98",
}


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A manager that takes the user and then sends what a test says; returns what it was asked."""
    monkeypatch.setattr(bus.os, "geteuid", lambda: 0)

    def start(answer: bytes, greeting: bytes = b"OK 0123\r\n") -> tuple[str, list[bytes]]:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(tmp_path / "private"))
        server.listen()
        heard: list[bytes] = []

        def manage() -> None:
            with server:
                other, _address = server.accept()
            with other:
                heard.append(other.recv(4096))
                other.sendall(greeting)
                heard.append(other.recv(1 << 16))
                if answer:
                    other.sendall(answer)

        threading.Thread(target=manage, daemon=True).start()
        return str(tmp_path), heard

    return start


def test_values_come_as_what_they_are(play: Callable[..., Any]) -> None:
    signal = message(4, 0, b"", b"")
    folder, heard = play(signal + message(2, 1, properties(), b"a{sv}"))
    with Bus(folder, of_session=False) as asked:
        (answer,) = asked.properties(["a.service"], WANTED)
    assert (answer.unit, answer.properties, answer.refused) == ("a.service", EXPECTED, "")
    assert heard[0] == b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n"
    assert b"/org/freedesktop/systemd1/unit/a_2eservice\0" in heard[1]
    assert b"GetAll\0" in heard[1]


def test_what_is_refused_is_said_and_the_rest_told(play: Callable[..., Any]) -> None:
    refused = message(3, 1, text(b"Unit name bad is no name."), b"s", b"org.x.Bad")
    folder, _heard = play(refused + message(2, 2, properties(), b"a{sv}"))
    with Bus(folder, of_session=False) as asked:
        first, second = asked.properties(["bad", "a.service"], WANTED)
    assert (first.properties, first.refused) == ({}, "Unit name bad is no name.")
    assert second.properties == EXPECTED


def test_a_manager_that_goes_away_is_an_error_and_no_empty_answer(play: Callable[..., Any]) -> None:
    folder, _heard = play(message(2, 1, properties(), b"a{sv}")[:100])
    with Bus(folder, of_session=False) as asked, pytest.raises(BusError, match="closed the connection"):
        list(asked.properties(["a.service"], WANTED))


def test_nobody_there_or_not_for_this_user_is_an_error(play: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(BusError, match=r"/nowhere/private: No such file or directory"):
        Bus("/nowhere", of_session=False)
    folder, _heard = play(b"", greeting=b"REJECTED EXTERNAL\r\n")
    with pytest.raises(BusError, match="does not take this user"):
        Bus(folder, of_session=False)


@pytest.mark.parametrize(
    ("unit", "label"),
    [
        ("a.service", "a_2eservice"),
        ("1a9.mount", "_31a9_2emount"),
        ("a-b@c\\x2d.service", "a_2db_40c_5cx2d_2eservice"),
        ("_.slice", "_5f_2eslice"),
        ("\u00e4.service", "_c3_a4_2eservice"),
    ],
)
def test_where_a_unit_is_on_the_bus(unit: str, label: str) -> None:
    assert bus._object_path(unit) == f"/org/freedesktop/systemd1/unit/{label}"


def test_types_are_told_apart() -> None:
    assert bus._types("sa{sv}(iia(ss))aay") == ("s", "a{sv}", "(iia(ss))", "aay")

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A manager asked over its own socket: typed values, and no process however many units are asked for.

What systemctl prints cannot be taken apart again: the words of a command are joined by blanks, and a line break in one
looks like the next property. The little of D-Bus that this takes is by the D-Bus Specification. Only asks, and queues
nothing. Private to the collection.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from functools import lru_cache
from types import TracebackType
from typing import Any, Dict, FrozenSet, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

_SYSTEM_BUS = "/run/dbus/system_bus_socket"
_DESTINATION = "org.freedesktop.systemd1"
_MANAGER_PATH = "/org/freedesktop/systemd1"
_MANAGER = "org.freedesktop.systemd1.Manager"
_PROPERTIES = "org.freedesktop.DBus.Properties"
# As long as systemctl waits for a busy manager, which may be at a reload.
_TIMEOUT = 80.0
# Questions that are sent in one piece: fewer changes from one process to the other, and answers that fit its buffer.
_TOGETHER = 32

_CALL, _RETURN, _ERROR = 1, 2, 3
_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_TO, _TO, _SIGNATURE = 1, 2, 3, 4, 5, 6, 8
# Both ends are on one machine, and write as it does.
_ORDER, _MARK = ("<", "l") if sys.byteorder == "little" else (">", "B")
_FIXED = {
    "y": struct.Struct(_ORDER + "B"),
    "b": struct.Struct(_ORDER + "I"),
    "n": struct.Struct(_ORDER + "h"),
    "q": struct.Struct(_ORDER + "H"),
    "i": struct.Struct(_ORDER + "i"),
    "u": struct.Struct(_ORDER + "I"),
    "h": struct.Struct(_ORDER + "I"),
    "x": struct.Struct(_ORDER + "q"),
    "t": struct.Struct(_ORDER + "Q"),
    "d": struct.Struct(_ORDER + "d"),
}
_ALIGNED = {**{code: each.size for code, each in _FIXED.items()}, "s": 4, "o": 4, "g": 1, "v": 1, "a": 4}
_LENGTH = _FIXED["u"]
_HEAD = struct.Struct(_ORDER + "BBBBIII")


class BusError(Exception):
    """The manager did not answer, or refused; the message says what it said."""


class Answer(NamedTuple):
    """What became of the question for one unit: its properties, or why there are none."""

    unit: str
    properties: Dict[str, Any]
    refused: str = ""


class Bus:
    """A connection to the manager of a scope, to be used as a context."""

    def __init__(self, manager: str, of_session: bool) -> None:
        """manager: its runtime folder. A user who is not root asks the system's by the message bus."""
        private = manager + "/private"
        self._by_message_bus = not of_session and os.geteuid() != 0
        path = _SYSTEM_BUS if self._by_message_bus else private
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_TIMEOUT)
        self._stream = self._socket.makefile("rb", 1 << 16)
        self._serial = 0
        try:
            self._socket.connect(path)
            self._greet()
        except (OSError, BusError) as error:
            self._close()
            raise BusError(f"systemd could not be asked by {path}: {_reason(error)}") from error

    def __enter__(self) -> Bus:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _greet(self) -> None:
        who = str(os.geteuid()).encode().hex()
        # In one piece: sd-bus as a server would not read what follows right behind BEGIN until more comes.
        self._socket.sendall(b"\0AUTH EXTERNAL " + who.encode() + b"\r\nBEGIN\r\n")
        if not self._stream.readline().startswith(b"OK "):
            raise BusError("it does not take this user")
        if self._by_message_bus:
            bus = "org.freedesktop.DBus"
            self._await(self._send("/org/freedesktop/DBus", bus, "Hello", to=bus))

    def unit_path(self) -> Tuple[str, ...]:
        """The load path in force, highest priority first."""
        serial = self._send(_MANAGER_PATH, _PROPERTIES, "Get", "ss", _MANAGER, "UnitPath")
        return tuple(_Reader(self._await(serial)).value("v"))

    def unit_files(self, patterns: Sequence[str]) -> Dict[str, str]:
        """Enablement of the unit files whose names match, by path; there need be nothing in memory of them."""
        serial = self._send(_MANAGER_PATH, _MANAGER, "ListUnitFilesByPatterns", "asas", (), patterns)
        return dict(_Reader(self._await(serial)).value("a(ss)"))

    def properties(self, units: Sequence[str], wanted: FrozenSet[str]) -> Iterator[Answer]:
        """Properties of units in the order asked; a name that is nowhere has LoadState "not-found"."""
        names = {name.encode(): name for name in wanted}
        for first in range(0, len(units), _TOGETHER):
            asked = units[first : first + _TOGETHER]
            calls = [self._call(_object_path(unit), _PROPERTIES, "GetAll", "s", "") for unit in asked]
            self._write(b"".join(data for _serial, data in calls))
            for unit, (serial, _data) in zip(asked, calls):
                try:
                    yield Answer(unit, _Reader(self._await(serial)).mapping(names))
                except _Refused as refused:
                    yield Answer(unit, {}, str(refused))

    def _send(self, path: str, interface: str, member: str, signature: str = "", *given: Any, to: str = "") -> int:
        serial, data = self._call(path, interface, member, signature, *given, to=to)
        self._write(data)
        return serial

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise BusError(f"systemd could not be asked: {_reason(error)}") from error

    def _call(
        self, path: str, interface: str, member: str, signature: str = "", *given: Any, to: str = ""
    ) -> Tuple[int, bytes]:
        """The serial number and the bytes of a question."""
        self._serial += 1
        fields = [(_PATH, "o", path), (_INTERFACE, "s", interface), (_MEMBER, "s", member)]
        if self._by_message_bus:
            fields.append((_TO, "s", to or _DESTINATION))
        if signature:
            fields.append((_SIGNATURE, "g", signature))
        body = _Writer()
        for code, value in zip(_types(signature), given):
            body.add(code, value)
        head = _Writer()
        for number, code, value in fields:
            head.align(8)
            head.data += bytes((number, 1)) + code.encode() + b"\0"
            head.add(code, value)
        size = len(head.data)
        head.align(8)
        start = _HEAD.pack(ord(_MARK), _CALL, 0, 1, len(body.data), self._serial, size)
        return self._serial, start + bytes(head.data) + bytes(body.data)

    def _await(self, serial: int) -> bytes:
        """The body of the answer to a question; signals, and answers that nobody waits for, are passed over."""
        while True:
            _endian, sort, _flags, _version, length, _serial, fields = _HEAD.unpack(self._read(_HEAD.size))
            head = _Reader(self._read(_up_to(fields, 8)))
            told = head.fields(fields)
            body = self._read(length)
            if told.get(_REPLY_TO) != serial or sort not in (_RETURN, _ERROR):
                continue
            if sort == _ERROR:
                said = _Reader(body).value("s") if str(told.get(_SIGNATURE, "")).startswith("s") else ""
                raise _Refused(said or told.get(_ERROR_NAME, "no reason given"))
            return body

    def _read(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except OSError as error:
            raise BusError(f"systemd gave no answer: {_reason(error)}") from error
        if len(data) < size:
            raise BusError("systemd has closed the connection before it answered")
        return data


class _Refused(BusError):
    """An error that the manager has answered with."""


def _reason(error: Exception) -> str:
    if isinstance(error, socket.timeout):
        return f"no answer within {_TIMEOUT:g} s"
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _object_path(unit: str) -> str:
    """systemd's bus_label_escape(): all but letters, and digits that are not first, by their number."""
    label = "".join(
        chr(byte) if (chr(byte).isalpha() and byte < 0x80) or (48 <= byte <= 57 and place) else f"_{byte:02x}"
        for place, byte in enumerate(unit.encode("utf-8"))
    )
    return f"{_MANAGER_PATH}/unit/{label or '_'}"


def _up_to(position: int, alignment: int) -> int:
    """alignment: a power of two."""
    return position + alignment - 1 & -alignment


def _alignment(code: str) -> int:
    return _ALIGNED.get(code[0], 8)


@lru_cache(maxsize=None)
def _types(signature: str) -> Tuple[str, ...]:
    """The complete types that a signature is made of: "sa{sv}(ii)" is "s", "a{sv}" and "(ii)"."""
    found, start, position, depth = [], 0, 0, 0
    while position < len(signature):
        code = signature[position]
        depth += (code in "({") - (code in ")}")
        position += 1
        if depth == 0 and code != "a":
            found.append(signature[start:position])
            start = position
    return tuple(found)


class _Writer:
    """Makes a message: strings and lists of them are all that is ever asked with."""

    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, alignment: int) -> None:
        self.data += b"\0" * (_up_to(len(self.data), alignment) - len(self.data))

    def add(self, code: str, value: Any) -> None:
        if code == "g":
            self.data += bytes((len(value),)) + value.encode() + b"\0"
            return
        self.align(4)
        if code == "as":
            texts = _Writer()
            for each in value:
                texts.add("s", each)
            self.data += _LENGTH.pack(len(texts.data)) + texts.data
            return
        text = value.encode("utf-8", "surrogateescape")
        self.data += _LENGTH.pack(len(text)) + text + b"\0"


class _Reader:
    """Takes a message apart by its signature."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, code: str) -> Any:
        """One value of a complete type; structures are tuples, and bytes stay bytes."""
        first = code[0]
        if first in _FIXED:
            found = self._fixed(first)
            return bool(found) if first == "b" else found
        if first in "sog":
            return self._text(first)
        if first == "v":
            return self.value(self._text("g"))
        if first == "a":
            return self._array(code[1:])
        self._at = _up_to(self._at, 8)
        return tuple(self.value(each) for each in _types(code[1:-1]))

    def mapping(self, wanted: Mapping[bytes, str]) -> Dict[str, Any]:
        """Those of an a{sv} that are wanted. The others, which are most, are skipped over."""
        found: Dict[str, Any] = {}
        data = self._data
        size = self._fixed("u")
        self._at = _up_to(self._at, 8)
        end = self._at + size
        while self._at < end:
            at = _up_to(self._at, 8)
            start = at + 4
            stop = start + _LENGTH.unpack_from(data, at)[0]
            behind = stop + 2 + data[stop + 1]
            code = data[stop + 2 : behind]
            self._at = behind + 1
            name = wanted.get(data[start:stop])
            if name is not None:
                found[name] = self.value(code.decode("ascii"))
            else:
                self._pass_over(code)
        return found

    def fields(self, size: int) -> Dict[int, Any]:
        """The fields of a message's head."""
        found = {}
        while self._at < size:
            self._at = _up_to(self._at, 8)
            number = self._fixed("y")
            found[number] = self.value("v")
        return found

    def _fixed(self, code: str) -> Any:
        form = _FIXED[code]
        at = _up_to(self._at, form.size)
        self._at = at + form.size
        return form.unpack_from(self._data, at)[0]

    def _text(self, code: str) -> str:
        size = self._fixed("y" if code == "g" else "u")
        start, self._at = self._at, self._at + size + 1
        return self._data[start : start + size].decode("utf-8", "replace")

    def _array(self, code: str) -> Any:
        size = self._fixed("u")
        self._at = _up_to(self._at, _alignment(code))
        end = self._at + size
        if code == "y":
            start, self._at = self._at, end
            return self._data[start:end]
        values = []
        while self._at < end:
            values.append(self.value(code if code[0] != "{" else f"({code[1:-1]})"))
        return dict(values) if code[0] == "{" else values

    def _pass_over(self, code: bytes) -> None:
        first = code[:1].decode("ascii")
        if first in _FIXED:
            size = _ALIGNED[first]
            self._at = _up_to(self._at, size) + size
        elif first in "so":
            self._at = _up_to(self._at, 4)
            self._at += 4 + _LENGTH.unpack_from(self._data, self._at)[0] + 1
        elif first == "a":
            size = self._fixed("u")
            self._at = _up_to(self._at, _alignment(chr(code[1]))) + size
        else:
            self.value(code.decode("ascii"))

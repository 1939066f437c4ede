# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Clients that connect to a socket all the time. Private to the collection."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import List, Optional, Sequence, Tuple, Type, Union

Address = Union[str, Tuple[str, int]]
_STREAM = " (Stream)"
# What a kernel needs to take a connection whose queue is full for a moment.
_PATIENCE = 5.0
_INTERVAL = 0.02
_ANY = {"0.0.0.0": "127.0.0.1", "[::]": "::1", "::": "::1"}


def addresses(listen: str) -> List[Address]:
    """Where a socket unit can be connected to, by what systemctl shows of Listen."""
    found: List[Address] = []
    for line in listen.split("\n"):
        if not line.endswith(_STREAM):
            continue
        where = line[: -len(_STREAM)]
        host, _colon, port = where.rpartition(":")
        if where.startswith("/"):
            found.append(where)
        elif where.startswith("@"):
            found.append("\0" + where[1:])
        elif port.isdigit():
            found.append((_ANY.get(host, host).strip("[]"), int(port)))
    return found


class Clients:
    """In its `with` block one client after another connects and leaves. tried, refused: how many did, and were."""

    def __init__(self, where: Sequence[Address]) -> None:
        self.tried = 0
        self.refused = 0
        self.complaint = ""
        self._where = where
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._connect, daemon=True)

    def __enter__(self) -> Clients:
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._ended.set()
        self._thread.join(_PATIENCE + 1)

    def _connect(self) -> None:
        while not self._ended.wait(_INTERVAL):
            for where in self._where:
                self.tried += 1
                try:
                    _connected(where)
                except OSError as error:
                    self.refused += 1
                    self.complaint = str(error)


def _connected(where: Address) -> None:
    if isinstance(where, tuple):
        socket.create_connection(where, timeout=_PATIENCE).close()
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(_PATIENCE)
        stream.connect(where)

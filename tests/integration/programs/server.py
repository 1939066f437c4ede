# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers every connection with its first argument, as HTTP: on all that a socket unit hands over, else on a port."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading


def serve(listener: socket.socket, text: str) -> None:
    while True:
        connection, _address = listener.accept()
        # Whoever asks may be gone before the answer.
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + text.encode())


text, port = sys.argv[1], int(sys.argv[2])
given = range(3, 3 + int(os.environ.get("LISTEN_FDS", "0")))
for each in [socket.socket(fileno=number) for number in given] or [socket.create_server(("127.0.0.1", port))]:
    threading.Thread(target=serve, args=(each, text)).start()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers each connection to a port with its process ID, from a child if told so, and says that it lives if asked to.

Arguments: the port, and what else it shall do: `child` answers from one that is started anew, `orphan` from one that is
not; `once` answers only in its first run since the file of its port went; `patient` takes SIGSEGV for nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

port, manners = int(sys.argv[1]), sys.argv[2:]


def serve() -> None:
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        connection, _address = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(f"HTTP/1.0 200 OK\r\n\r\n{os.getpid()}".encode())


def notify(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stream:
        stream.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
        stream.sendall(text.encode())


def live() -> None:
    pause = int(os.environ.get("WATCHDOG_USEC", "0")) / 4e6
    while pause:
        notify("WATCHDOG=1")
        time.sleep(pause)


def child() -> int:
    pid = os.fork()
    if not pid:
        serve()
    return pid


if "patient" in manners:
    signal.signal(signal.SIGSEGV, signal.SIG_IGN)
if "once" in manners:
    ran = Path(f"/run/notes/lively-{port}")
    if ran.exists():
        signal.pause()
    ran.touch()
if "child" in manners or "orphan" in manners:
    running = child()
    if "NOTIFY_SOCKET" in os.environ:
        notify("READY=1")
    while True:
        os.waitpid(running, 0)
        if "orphan" in manners:
            signal.pause()
        running = child()
threading.Thread(target=serve, daemon=True).start()
if "NOTIFY_SOCKET" in os.environ:
    notify("READY=1")
live()
signal.pause()

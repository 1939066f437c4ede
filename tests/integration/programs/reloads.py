# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of Type=notify-reload: says so when it is asked to reload, and that it is ready again."""

from __future__ import annotations

import os
import signal
import socket
import time


def say(message: str) -> None:
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)


def reload(_number: int, _frame: object) -> None:
    say(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
    say("READY=1")


signal.signal(signal.SIGHUP, reload)
say("READY=1")
while True:
    signal.pause()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service behind a socket unit: answers every connection with its argument, as HTTP."""

from __future__ import annotations

import socket
import sys

with socket.socket(fileno=3) as listener:
    while True:
        connection, _address = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + sys.argv[1].encode())

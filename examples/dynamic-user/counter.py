# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts its visitors, over restarts and reboots."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

COUNT = Path(os.environ["STATE_DIRECTORY"], "count")


class Handler(BaseHTTPRequestHandler):
    timeout = 5

    def do_GET(self) -> None:
        number = int(COUNT.read_text()) + 1 if COUNT.exists() else 1
        COUNT.write_text(str(number))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"Visitor {number}\n".encode())


if __name__ == "__main__":
    HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()

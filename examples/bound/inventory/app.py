# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""app.py PORT [--closed]: says how many things there are, or that it is closed."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import redis

PORT = int(sys.argv[1])
CLOSED = "--closed" in sys.argv


class Handler(BaseHTTPRequestHandler):
    timeout = 5

    def do_GET(self) -> None:
        told = "Closed for maintenance" if CLOSED else f"{redis.Redis(port=6390).dbsize()} things"
        self.send_response(503 if CLOSED else 200)
        self.end_headers()
        self.wfile.write(f"{told}\n".encode())


if __name__ == "__main__":
    HTTPServer(("", PORT), Handler).serve_forever()

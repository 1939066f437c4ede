# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GPIO pins over HTTP: GET /health, GET /pins, GET /readings, PUT /pins/17 with the body 0 or 1.

One loop serves requests and feeds systemd's watchdog, so that whatever hangs the one starves the other.
"""

from __future__ import annotations

import json
import os
import pathlib
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer

ADDRESS = ("127.0.0.1", 5000)
DATA = pathlib.Path("data")
PINS = DATA / "pins.json"
NAMES = ("17", "22", "27")


def notify(state: str) -> None:
    """sd_notify(3), without its library."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(state.encode(), address.replace("@", "\0", 1))


def read_pins() -> dict[str, int]:
    stored = json.loads(PINS.read_text()) if PINS.exists() else {}
    return {name: stored.get(name, 0) for name in NAMES}


def write_pins(pins: dict[str, int]) -> None:
    draft = PINS.with_suffix(".draft")
    draft.write_text(json.dumps(pins))
    draft.replace(PINS)


class Handler(BaseHTTPRequestHandler):
    timeout = 5  # a client that says nothing must not starve the watchdog

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {"status": "ok", "pid": os.getpid()})
        elif self.path == "/pins":
            self.answer(200, read_pins())
        elif self.path == "/readings" and (DATA / "readings.json").exists():
            self.answer(200, json.loads((DATA / "readings.json").read_text()))
        else:
            self.answer(404, {"error": "not found"})

    def do_PUT(self) -> None:
        name = self.path.rpartition("/")[2]
        level = self.rfile.read(int(self.headers.get("Content-Length", 0))).strip()
        if self.path != f"/pins/{name}" or name not in NAMES:
            self.answer(404, {"error": "no such pin"})
        elif level not in (b"0", b"1"):
            self.answer(400, {"error": "the body must be 0 or 1"})
        else:
            write_pins({**read_pins(), name: int(level)})
            self.answer(200, read_pins())

    def answer(self, status: int, body: dict) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() + b"\n")


def main() -> None:
    server = HTTPServer(ADDRESS, Handler)
    server.timeout = int(os.environ.get("WATCHDOG_USEC", "30000000")) / 1e6 / 3
    notify(f"READY=1\nSTATUS=Serving {len(NAMES)} pins on port {ADDRESS[1]}")
    while True:
        server.handle_request()
        notify("WATCHDOG=1")


if __name__ == "__main__":
    main()

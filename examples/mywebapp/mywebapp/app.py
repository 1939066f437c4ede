# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny HTTP server: the pages beside it. SIGHUP reads them anew, SIGTERM lets it end by itself."""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

PAGES = Path(__file__).with_name("pages")
PORT = int(os.environ.get("PORT", "8080"))
pages: dict[str, bytes] = {}


def read(_signal: int = 0, _frame: FrameType | None = None) -> None:
    pages.clear()
    pages.update({f"/{path.name}": path.read_bytes() for path in PAGES.iterdir()})
    pages["/"] = pages["/index.html"]
    print(f"Serving {len(pages)} pages on port {PORT}", flush=True)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = pages.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page or b"Not found\n")


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, read)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    read()
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web application: SIGHUP reads config.ini again, SIGTERM ends it once every open request is answered."""

from __future__ import annotations

import configparser
import os
import pathlib
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIG = pathlib.Path("config.ini")
SIGNALS = {signal.SIGHUP, signal.SIGTERM}


class Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() waits for the requests still open
    greeting = ""

    def configure(self) -> None:
        config = configparser.ConfigParser(interpolation=None)
        config.read_string(CONFIG.read_text())
        self.greeting = config["page"]["greeting"]


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 5

    def do_GET(self) -> None:
        self.send_response(200 if self.path in ("/", "/health") else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        if self.path == "/":
            self.wfile.write(f"{self.server.greeting}\n".encode())
        elif self.path == "/health":
            self.wfile.write(b"ok\n")


def main() -> None:
    # Blocked before any thread starts, so that sigwait() below is the one place signals arrive at.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    with Server(("", int(os.environ.get("PORT", "8080"))), Handler) as server:
        server.configure()
        threading.Thread(target=server.serve_forever).start()
        print(f"Serving on port {server.server_port}", flush=True)
        while signal.sigwait(SIGNALS) == signal.SIGHUP:
            try:
                server.configure()
                print(f"Read {CONFIG} again", flush=True)
            except (OSError, KeyError, configparser.Error) as error:
                print(f"Keeping the old configuration: {CONFIG}: {error!r}", flush=True)
        print("Stopping", flush=True)
        server.shutdown()


if __name__ == "__main__":
    main()

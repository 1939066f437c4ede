# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API configured by its environment: GET /health, GET /token (a signed JSON web token)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import pathlib
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

ACCESS_LOG = pathlib.Path("logs/access.log")
ISSUED = pathlib.Path("/var/lib/myapi/issued")
SECRETS = ("DATABASE_URL", "JWT_SECRET")


def faults() -> list[str]:
    found = [f"{name} is not set" for name in SECRETS if not os.environ.get(name)]
    if not os.environ.get("PORT", "").isdecimal():
        found.append("PORT is not a number")
    return found


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token() -> str:
    number = int(ISSUED.read_text()) + 1 if ISSUED.exists() else 1
    ISSUED.write_text(str(number))
    parts = {"alg": "HS256", "typ": "JWT"}, {"iss": "myapi", "iat": int(time.time()), "jti": str(number)}
    signed = ".".join(encode(json.dumps(part).encode()) for part in parts)
    key = os.environ["JWT_SECRET"].encode()
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), hashlib.sha256))}"


class Handler(BaseHTTPRequestHandler):
    timeout = 5

    def do_GET(self) -> None:
        if self.path == "/health":
            database = urlsplit(os.environ["DATABASE_URL"])
            self.answer(
                200,
                {
                    "status": "ok",
                    "environment": os.environ.get("NODE_ENV"),
                    "database": f"{database.hostname}{database.path}",
                    "secrets_loaded": {name: bool(os.environ.get(name)) for name in SECRETS},
                },
            )
        elif self.path == "/token":
            self.answer(200, {"token": token()})
        else:
            self.answer(404, {"error": "not found"})

    def answer(self, status: int, body: dict) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() + b"\n")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        with ACCESS_LOG.open("a") as log:
            log.write(f"{self.log_date_time_string()} {self.requestline} {int(code)}\n")


def main() -> None:
    if found := faults():
        raise SystemExit("; ".join(found))
    if "--check" not in sys.argv:
        HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()

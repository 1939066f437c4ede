# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPIO over HTTP: GET /health, /pins and /readings, PUT /pins/17 with the body 0 or 1.

Its watchdog asks its own /health before it says that all is well, so that a server which hangs is started anew.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import sdnotify
from flask import Flask, Response, jsonify, request

DEVICE = "/dev/gpiomem"
PINS = Path("data/pins.json")
READINGS = Path("data/readings.json")
NAMES = ("17", "22", "27")
app = Flask(__name__)


def pins() -> dict[str, int]:
    stored = json.loads(PINS.read_text()) if PINS.exists() else {}
    return {name: stored.get(name, 0) for name in NAMES}


@app.get("/health")
def health() -> Response:
    with open(DEVICE, "r+b", buffering=0) as device:
        return jsonify(status="ok", device=DEVICE, register=device.read(1).hex(), user=os.geteuid())


@app.get("/pins")
def all_pins() -> Response:
    return jsonify(pins())


@app.put("/pins/<name>")
def put(name: str) -> tuple[Response, int]:
    if name not in NAMES or request.data not in (b"0", b"1"):
        return jsonify(error="PUT 0 or 1 to one of the pins"), 400
    draft = PINS.with_suffix(".draft")
    draft.write_text(json.dumps({**pins(), name: int(request.data)}))
    draft.replace(PINS)
    return jsonify(pins()), 200


@app.get("/readings")
def readings() -> Response:
    return Response(READINGS.read_text(), content_type="application/json")


def watch() -> None:
    """READY=1 with the first answer, and WATCHDOG=1 with each."""
    manager = sdnotify.SystemdNotifier()
    pause = int(os.environ.get("WATCHDOG_USEC", "30000000")) / 1e6 / 3
    told = False
    while True:
        try:
            urlopen("http://127.0.0.1:5000/health", timeout=pause).close()
        except OSError as error:
            print(f"<4>No answer yet: {error}")
            time.sleep(0.2)
            continue
        manager.notify("WATCHDOG=1" if told else "READY=1")
        told = True
        time.sleep(pause)


if __name__ == "__main__":
    threading.Thread(target=watch, daemon=True).start()
    app.run(host="127.0.0.1", port=5000)

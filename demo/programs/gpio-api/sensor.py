# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what sensors a machine always has and leaves the latest reading for the API."""

from __future__ import annotations

import json
import os
import pathlib
import time

READINGS = pathlib.Path("data/readings.json")
THERMAL = pathlib.Path("/sys/class/thermal/thermal_zone0/temp")
INTERVAL = float(os.environ.get("INTERVAL", "5"))


def read() -> dict[str, float]:
    memory = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    reading = {
        "time": time.time(),
        "load": os.getloadavg()[0],
        "memory_available_mib": int(memory["MemAvailable"].split()[0]) // 1024,
    }
    if THERMAL.exists():
        reading["temperature_celsius"] = int(THERMAL.read_text()) / 1000
    return reading


def main() -> None:
    print(f"Reading every {INTERVAL:g} s into {READINGS.resolve()}")
    while True:
        draft = READINGS.with_suffix(".draft")
        draft.write_text(json.dumps(read()))
        draft.replace(READINGS)
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main()

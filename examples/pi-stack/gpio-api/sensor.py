# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaves the latest readings for the API."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

READINGS = Path("data/readings.json")


def main() -> None:
    print(f"Reading into {READINGS.resolve()}")
    while True:
        draft = READINGS.with_suffix(".draft")
        draft.write_text(json.dumps({"time": time.time(), "load": os.getloadavg()[0]}))
        draft.replace(READINGS)
        time.sleep(2)


if __name__ == "__main__":
    main()

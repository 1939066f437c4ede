# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the host: module payloads that Ansible left there, in turns; `in_turns.py ROUNDS MODULE ...`.

Prints their seconds by module as JSON.
"""

from __future__ import annotations

import glob
import json
import subprocess
import sys
import time


def main(rounds: int, modules: list[str]) -> None:
    seconds: dict[str, list[float]] = {module: [] for module in modules}
    for _round in range(rounds):
        for module in modules:
            (payload,) = glob.glob(f"/root/.ansible/tmp/*/AnsiballZ_{module}.py")
            begun = time.perf_counter()
            subprocess.run([sys.executable, payload], check=True, capture_output=True)
            seconds[module].append(time.perf_counter() - begun)
    print(json.dumps(seconds))


main(int(sys.argv[1]), sys.argv[2:])

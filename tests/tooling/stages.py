# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs make targets one after the other up to the first that fails, and ends with a table of their minutes."""

from __future__ import annotations

import os
import subprocess
import sys
import time


def main(stages: list[str]) -> int:
    rows: list[tuple[str, str, float]] = []
    for number, stage in enumerate(stages, 1):
        print(f"\n===== {number}/{len(stages)} {stage} =====", flush=True)
        began = time.monotonic()
        done = subprocess.run([os.environ.get("MAKE", "make"), "--no-print-directory", stage], check=False)
        rows.append((stage, "passed" if done.returncode == 0 else "FAILED", time.monotonic() - began))
        if done.returncode != 0:
            break
    rows += [(stage, "not run", 0.0) for stage in stages[len(rows) :]]
    print(f"\n{'stage':<14}{'result':<10}{'minutes':>8}")
    for stage, result, seconds in rows:
        print(f"{stage:<14}{result:<10}{seconds / 60:>8.2f}")
    print(f"{'total':<24}{sum(row[2] for row in rows) / 60:>8.2f}", flush=True)
    return 0 if all(row[1] == "passed" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

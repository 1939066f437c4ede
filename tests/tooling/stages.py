# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs make targets, begins none after one has failed, and ends with a table of their minutes.

Arguments: one target after the other. Those with commas between them run two at a time, each printed when it has
ended: none of them uses both cores of a small machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

AT_ONCE = 2


class Stage(NamedTuple):
    name: str
    result: str
    seconds: float = 0.0


def main(groups: list[str]) -> int:
    began = time.monotonic()
    rows: list[Stage] = []
    for group in groups:
        rows += together(group.split(","), rows)
    print(f"\n{'stage':<14}{'result':<10}{'minutes':>8}")
    for stage in rows:
        print(f"{stage.name:<14}{stage.result:<10}{stage.seconds / 60:>8.2f}")
    print(f"{'total':<24}{(time.monotonic() - began) / 60:>8.2f}", flush=True)
    return 0 if all_passed(rows) else 1


def all_passed(rows: list[Stage]) -> bool:
    return all(stage.result == "passed" for stage in rows)


def together(names: list[str], before: list[Stage]) -> list[Stage]:
    """A stage by itself is seen while it runs."""
    done = list(before)

    def one(name: str) -> Stage:
        stage = run(name, captured=len(names) > 1) if all_passed(done) else Stage(name, "not run")
        done.append(stage)
        return stage

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, names))


def run(name: str, captured: bool) -> Stage:
    heading = f"\n===== {name} =====\n"
    if not captured:
        print(heading, end="", flush=True)
    began = time.monotonic()
    done = subprocess.run(
        [os.environ.get("MAKE", "make"), "--no-print-directory", name],
        check=False,
        stdout=subprocess.PIPE if captured else None,
        stderr=subprocess.STDOUT if captured else None,
    )
    if captured:
        sys.stdout.buffer.write(heading.encode() + done.stdout)
        sys.stdout.buffer.flush()
    return Stage(name, "passed" if done.returncode == 0 else "FAILED", time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

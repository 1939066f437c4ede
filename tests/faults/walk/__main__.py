# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m tests.faults.walk --seed N --steps N`: all cases, and a random walk, which is made short if it fails."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time

from tests.integration.lab import Lab
from tests.testbed.image import default_suite
from tests.testbed.listing import restore

from .cases import CASES
from .walker import Broken, walked
from .world import Step, steps

# For making a walk short.
PATIENCE = 900.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--steps", type=int, default=200)
    chosen = parser.parse_args()
    host = Lab(f"unitwright-walk-{default_suite()}-{os.getpid()}")
    try:
        host.prepare()
        return again(host) or walk(host, chosen.seed, chosen.steps)
    finally:
        host.down()


def again(host: Lab) -> int:
    """What failed once."""
    for name, case in CASES.items():
        found = walked(host, case)
        anew(host)
        print(f"{name}: {'nothing that is not right' if found is None else found[1]}", flush=True)
        if found is not None:
            return 1
    return 0


def anew(host: Lab) -> None:
    """As before any walk."""
    host.remove_all()
    host.applied.clear()
    restore(host)


def walk(host: Lab, seed: int, number: int) -> int:
    print(f"seed {seed}, {number} steps, {default_suite()}", flush=True)
    planned = steps(seed, number)
    found = walked(host, planned, told=lambda line: print(line, flush=True))
    if found is None:
        print(f"seed {seed}: {number} steps, and nothing that is not right")
        return 0
    at, broken = found
    print(f"seed {seed}: step {at + 1}, {planned[at]}: {broken}\n", flush=True)
    short = shortened(host, planned[: at + 1], broken)
    print(f"These steps are enough for it ({broken.kind}), a case for tests/faults/walk/cases.py:")
    print("\n".join(f"    {step}," for step in short))
    return 1


def shortened(host: Lab, failing: list[Step], broken: Broken) -> list[Step]:
    """The same without all steps that the failure does not need: halves first, then ever smaller parts."""
    deadline = time.monotonic() + PATIENCE
    size = len(failing) // 2
    while size and time.monotonic() < deadline:
        at = 0
        while at < len(failing) - 1 and time.monotonic() < deadline:
            fewer = failing[:at] + failing[min(at + size, len(failing) - 1) :]
            anew(host)
            found = walked(host, fewer)
            if found and found[1].kind == broken.kind:
                failing = fewer[: found[0] + 1]
                print(f"  {len(failing)} steps", flush=True)
            else:
                at += size
        size //= 2
    return failing


if __name__ == "__main__":
    sys.exit(main())

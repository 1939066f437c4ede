# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: `make bench` measures in a container of its own and prints tables in Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time

from tests.testbed.engine import EngineError
from tests.testbed.host import Host
from tests.testbed.image import default_suite

from . import report
from .measure import facts_alone, modules_alone, rounds, short_alone
from .playbook import PlaybookError

# The loop takes minutes for 50 units, so it goes over this many, and the rest of its time is reckoned.
SAMPLE = 3
# Units, rounds, units of the loop.
TASKS = ((1, 4, 1), (50, 4, SAMPLE), (500, 3, 0))
ALONE = ((1, 7), (50, 7), (500, 5), (1000, 5))
SHORT = ((50, 9), (500, 5))
FACTS = ((500, 3),)


def main() -> None:
    begun = time.monotonic()
    load = os.getloadavg()[0]
    host = Host(f"unitwright-bench-{os.getpid()}")
    try:
        _say(f"booting {default_suite()}")
        host.up()
        found = {}
        for count, number, sample in TASKS:
            _say(f"{count} units, {number} rounds")
            found[count] = rounds(host, count, number, sample)
        alone = {}
        for count, number in ALONE:
            _say(f"the modules alone, {count} units, {number} rounds")
            alone[count] = modules_alone(host, count, number)
        short = {}
        for count, number in SHORT:
            _say(f"sections and few options, {count} units, {number} rounds")
            short[count] = short_alone(host, count, number)
        facts = {}
        for count, number in FACTS:
            _say(f"facts of {count} units, {number} rounds")
            facts[count] = facts_alone(host, count, number)
        versions = _versions(host)
    finally:
        host.down()
    minutes = (time.monotonic() - begun) / 60
    print(f"{versions}; load average {load:.1f} before and {os.getloadavg()[0]:.1f} after {minutes:.0f} minutes\n")
    print("Targets, by medians\n\n" + report.targets_table(found, alone))
    print("Tasks, seconds (medians) and ratios (min / median / max)\n\n" + report.tasks_table(found, SAMPLE))
    print("systemd alone, seconds (min / median / max)\n\n" + report.systemd_table(found))
    print("Modules alone, no change, seconds and ratios (min / median / max)\n\n" + report.modules_table(alone))
    print(
        "Sections and few options, no change, seconds and ratios (min / median / max)\n\n" + report.short_table(short)
    )
    print("Facts of units, seconds (min / median / max) of the modules alone\n\n" + report.facts_table(facts), end="")


def _versions(host: Host) -> str:
    ansible = subprocess.run(["ansible", "--version"], check=True, capture_output=True, text=True).stdout
    own = f"{ansible.splitlines()[0]}, Python {platform.python_version()}, {host.engine.text('--version')}"
    there = f"{host.sh('systemctl --version').splitlines()[0]}, {host.sh('python3 --version')}"
    return f"Controller: {own}; host: {there}; {os.cpu_count()} cores"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except (EngineError, PlaybookError) as problem:
        sys.exit(f"benchmarks: {problem}")

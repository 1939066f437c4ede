# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs stages of make, and says besides what of all that could be tested was left out, and why."""

from __future__ import annotations

import sys

from . import stages

# Targets that test something and are no stage of `make test-all`, and other runs of those that are, with the reason.
LEFT_OUT = {
    "faults": "a run killed at each of its steps takes longer than all else",
    "corpus": "the image with a hundred packages takes two gigabytes",
    "hardening": "a search restarts each of its programs a hundred times",
    "docs": "the tool that checks links brings fifty more packages",
    "bench": "it measures, and judges nothing",
}
ELSEWHERE = {
    "UNITWRIGHT_SUITE=bullseye, trixie or sid make integration": "each takes as long as on bookworm; the scenario "
    "versions has a small part on all four",
    "another kernel in make vm": "the scenario has that of bookworm alone",
}


def left_out(ran: list[str]) -> list[str]:
    """A line for each, but for what did run."""
    targets = {f"make {target}": why for target, why in LEFT_OUT.items() if target not in ran}
    return [f"left out: {what}: {why}" for what, why in {**targets, **ELSEWHERE}.items()]


def main(groups: list[str]) -> int:
    result = stages.main(groups)
    print("\n" + "\n".join(left_out([stage for group in groups for stage in group.split(",")])), flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

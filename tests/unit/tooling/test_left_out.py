# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No target of the Makefile that tests something is left out of `make test-all` in silence."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tooling.left_out import ELSEWHERE, LEFT_OUT, left_out

MAKEFILE = (Path(__file__).parents[3] / "Makefile").read_text(encoding="utf-8")
# They run others, make something, or put it away.
NO_TESTS = {
    *("help", "demo", "demo-down", "test", "test-all", "rules", "setup", "artifact", "image", "prepare", "tools"),
    "clean",
}


def stages() -> set[str]:
    """Those of `make test-all`."""
    told = re.findall(r"^test-all:.*\n\t.*tests\.tooling\.left_out (.*)$", MAKEFILE, re.MULTILINE)
    variable = re.findall(r"^STAGES := (.*)$", MAKEFILE, re.MULTILINE)
    assert len(told) == len(variable) == 1
    return set(re.split(r"[ ,]", told[0].replace("$(STAGES)", variable[0])))


def test_every_target_is_a_stage_or_left_out_with_a_reason() -> None:
    targets = set(re.findall(r"^\.PHONY: ([\w-]+)$", MAKEFILE, re.MULTILINE))
    assert stages() <= targets
    assert targets - NO_TESTS - stages() == LEFT_OUT.keys()
    assert not stages() & LEFT_OUT.keys()


def test_what_did_run_is_not_told() -> None:
    told = left_out(["unit", "faults"])
    assert len(told) == len(LEFT_OUT) + len(ELSEWHERE) - 1
    assert not any("make faults:" in line for line in told)
    assert "left out: make bench: it measures, and judges nothing" in told

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program set up on a host, and its exposure there."""

from __future__ import annotations

import re

from tests.testbed.host import Host

from .programs import Program


def set_up(machine: Host, program: Program) -> None:
    for path, text in program.files:
        machine.write(path, text)
    machine.sh(program.setup)


def exposure(machine: Host, unit: str) -> float:
    said = re.search(r": (\d+\.\d+) ", machine.sh(f"systemd-analyze security --no-pager '{unit}' | tail -1"))
    assert said
    return float(said.group(1))

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search reaches what is promised, and what it finds holds."""

from __future__ import annotations

import pytest

from tests.testbed.host import Host

from .driven import exposure, set_up, works
from .programs import PROGRAMS

HEALTH = {"stable_for": 0.5, "timeout": 60}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_finds(machine: Host, name: str) -> None:
    program = PROGRAMS[name]
    set_up(machine, program)
    before = exposure(machine, program.unit)
    result = machine.module("hardening_search", name=program.unit, probe=list(program.probe), health=HEALTH)
    assert not result.get("failed"), result["msg"]
    print(name, result["exposure"], len(result["tries"]), result["seconds"], result["playbook"])
    assert result["complete"]
    assert exposure(machine, program.unit) == before, "it is left as it was"
    assert result["exposure"]["after"] <= program.at_most
    found = machine.module("dropin", **result["declaration"], health=HEALTH)
    assert not found.get("failed"), found["msg"]
    try:
        assert exposure(machine, program.unit) == result["exposure"]["after"]
        works(machine, program.probe)
    finally:
        given = {key: result["declaration"][key] for key in ("name", "dropin")}
        machine.module("dropin", **given, state="absent")

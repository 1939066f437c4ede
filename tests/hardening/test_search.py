# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search reaches what is promised, what it finds holds, and the recipe in examples/hardening is as strict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.testbed.host import Host

from .programs import PROGRAMS, Program

RECIPES = Path(__file__).parents[2] / "examples" / "hardening"
HEALTH = {"stable_for": 0.5, "timeout": 60}


def set_up(machine: Host, program: Program) -> None:
    for path, text in program.files:
        machine.write(path, text)
    machine.sh(program.setup, check=False)


def exposure(machine: Host, unit: str) -> float:
    said = re.search(r": (\d+\.\d+) ", machine.sh(f"systemd-analyze security --no-pager '{unit}' | tail -1"))
    assert said
    return float(said.group(1))


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
        for command in program.probe:
            machine.sh(command)
    finally:
        given = {key: result["declaration"][key] for key in ("name", "dropin")}
        machine.module("dropin", **given, state="absent")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yml")), ids=lambda path: path.stem)
def test_a_recipe(machine: Host, path: Path) -> None:
    """It reaches the exposure in its first line, and the program does its work."""
    text = path.read_text(encoding="utf-8")
    promised = re.search(r"exposure (\d\.\d)", text)
    assert promised
    program = PROGRAMS[path.stem]
    set_up(machine, program)
    (play,) = yaml.safe_load(text)
    for task in play["tasks"]:
        ((module, given),) = [(key, each) for key, each in task.items() if key.startswith("unitwright.")]
        result = machine.module(module.rpartition(".")[2], **given)
        assert not result.get("failed"), (result["msg"], result.get("errors"))
    try:
        assert exposure(machine, program.unit) == float(promised.group(1))
        for command in program.probe:
            machine.sh(command)
    finally:
        for task in play["tasks"]:
            ((module, given),) = [(key, each) for key, each in task.items() if key.startswith("unitwright.")]
            away = {key: given[key] for key in ("name", "dropin") if key in given}
            machine.module(module.rpartition(".")[2], **away, state="absent")

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example in the documentation of a module does what its name says: one after the other, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .lab import Lab, succeeded

MODULES = Path(__file__).parents[2] / "plugins" / "modules"
SECTION = re.compile(r'^EXAMPLES = r"""\n(.*?)^"""', re.MULTILINE | re.DOTALL)
# What an example takes from a vault, with the value to try it with.
VAULTED = re.compile(r"\{\{ \w+ \| default\('([^']*)'\) \}\}")


def examples(module: str) -> list[dict[str, Any]]:
    found = SECTION.search((MODULES / f"{module}.py").read_text(encoding="utf-8"))
    assert found
    tasks: list[dict[str, Any]] = yaml.safe_load(VAULTED.sub(r"\1", found.group(1)))
    return tasks


@pytest.mark.parametrize("module", sorted(path.stem for path in MODULES.glob("*.py")))
def test_the_examples_of_a_module(host: Lab, module: str) -> None:
    tasks = examples(module)
    assert tasks
    try:
        for task in tasks:
            ((action, given),) = [(key, each) for key, each in task.items() if key.startswith("unitwright.systemd.")]
            assert task["name"]
            succeeded(host.module(action.rpartition(".")[2], **given))
    finally:
        for name in dict.fromkeys(given["name"] for given in _declared(tasks) if "name" in given):
            host.module(module, name=name, state="absent", **_as_dropin(tasks))
            host.sh(f"systemctl unmask '{name}'", check=False)


def _declared(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for task in tasks for key, each in task.items() if key.startswith("unitwright.systemd.")]


def _as_dropin(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """What the module dropin needs to know besides the name."""
    names = [given["dropin"] for given in _declared(tasks) if "dropin" in given]
    return {"dropin": names[0]} if names else {}

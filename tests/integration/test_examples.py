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

from .entries import UNITS, server
from .lab import Lab, succeeded

MODULES = Path(__file__).parents[2] / "plugins" / "modules"
SECTION = re.compile(r'^EXAMPLES = r"""\n(.*?)^"""', re.MULTILINE | re.DOTALL)
# What some examples are about and do not bring.
ELSEWHERE = ("dashboard.service",)
# Modules after which there is nothing to take away.
NOTHING_STAYS = ("unit_info", "drill", "hardening_search")
# What an example takes from a vault, with the value to try it with.
VAULTED = re.compile(r"\{\{ \w+ \| default\('([^']*)'\) \}\}")


def examples(module: str) -> list[dict[str, Any]]:
    found = SECTION.search((MODULES / f"{module}.py").read_text(encoding="utf-8"))
    assert found
    tasks: list[dict[str, Any]] = yaml.safe_load(VAULTED.sub(r"\1", found.group(1)))
    return tasks


def ours(tasks: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Module and options of the tasks, but for those of another collection, and of a user that is not here."""
    prefix = "unitwright.systemd."
    here = [task for task in tasks if "become_user" not in task]
    return [(key[len(prefix) :], given) for task in here for key, given in task.items() if key.startswith(prefix)]


@pytest.mark.parametrize("module", sorted(path.stem for path in MODULES.glob("*.py")))
def test_the_examples_of_a_module(host: Lab, module: str) -> None:
    tasks = examples(module)
    assert tasks
    assert all(task["name"] for task in tasks)
    for unit in ELSEWHERE:
        host.foreign(unit, f"[Service]\nExecStart={server('dashboard', 8096)}\n")
    try:
        for each, given in ours(tasks):
            succeeded(host.module(each, **given))
    finally:
        for each, given in ours(tasks):
            if each not in NOTHING_STAYS:
                host.module(each, **{key: given[key] for key in ("name", "dropin") if key in given}, state="absent")
        masked = [given["name"] for _each, given in ours(tasks) if given.get("masked")]
        host.sh(f"systemctl unmask {' '.join(masked)}", check=False)
        host.sh(f"systemctl stop {' '.join(ELSEWHERE)}; rm -f {' '.join(f'{UNITS}/{each}' for each in ELSEWHERE)}")

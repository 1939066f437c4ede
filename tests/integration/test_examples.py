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
    for task in tasks:
        ((action, given),) = [(key, each) for key, each in task.items() if key.startswith("unitwright.systemd.")]
        assert task["name"]
        if given.get("masked"):  # a mask is nobody's, so nothing would take it away
            succeeded(host.module(module, **given))
            succeeded(host.module(module, name=given["name"], masked=False))
        else:
            succeeded(host.attempt(module=action.rpartition(".")[2], **given))

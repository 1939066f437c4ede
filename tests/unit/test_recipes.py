# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No recipe of hardening is left out of Molecule's scenario in silence."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.hardening.recipes import RECIPES

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "molecule" / "recipes"
EXAMPLES = sorted(path.stem for path in (ROOT / "examples" / "hardening").glob("*.yml"))


def test_each_is_tried() -> None:
    assert sorted(RECIPES) == EXAMPLES


def test_each_is_run_by_the_scenario_on_one_host() -> None:
    converge = (SCENARIO / "converge.yml").read_text(encoding="utf-8")
    imported = re.findall(r"examples/hardening/([\w-]+)\.yml\n  when: \"'([\w-]+)' in recipes\"", converge)
    assert imported == [(name, name) for name in EXAMPLES]
    hosts = yaml.safe_load((SCENARIO / "inventory/hosts.yml").read_text(encoding="utf-8"))["systemd_hosts"]["hosts"]
    assert sorted(name for each in hosts.values() for name in each["recipes"]) == EXAMPLES

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the recipes share: each recipe, and the host that it is on."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.hardening.recipes import RECIPES, Recipe
from tests.testbed.host import Host

INVENTORY = Path(__file__).parents[1] / "inventory" / "hosts.yml"
HOSTS = yaml.safe_load(INVENTORY.read_text(encoding="utf-8"))["systemd_hosts"]["hosts"]
PLACES = {name: Host(host) for host, variables in HOSTS.items() for name in variables["recipes"]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for the `name` of a recipe runs once for each."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", PLACES)
    if "place" in metafunc.fixturenames:
        metafunc.parametrize("place", HOSTS)


@pytest.fixture
def recipe(name: str) -> Recipe:
    return RECIPES[name]


@pytest.fixture
def machine(name: str) -> Host:
    return PLACES[name]

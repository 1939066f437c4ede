# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the demo's stack share: its variables, and a look at a unit from outside the collection."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host

VARIABLES = Path(__file__).parents[3] / "demo" / "inventory" / "group_vars" / "pi.yml"
Show = Callable[[str, str], str]
Get = Callable[[str], str]
Until = Callable[..., bool]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a `unit` runs once for each one that is enabled; `restarting`: that has a Restart=."""
    units = yaml.safe_load(VARIABLES.read_text())["systemd_stack_pi"]["units"]
    if "unit" in metafunc.fixturenames:
        metafunc.parametrize("unit", [unit["name"] for unit in units if "install" in unit])
    if "restarting" in metafunc.fixturenames:
        metafunc.parametrize("restarting", [unit["name"] for unit in units if "Restart" in unit.get("service", {})])


@pytest.fixture(scope="session")
def variables() -> dict[str, Any]:
    return yaml.safe_load(VARIABLES.read_text())


@pytest.fixture(scope="module")
def show(host: Host) -> Show:
    """show(unit, property): its value, as systemd has it."""
    return lambda unit, name: host.check_output("systemctl show --value --property=%s %s", name, unit)


@pytest.fixture(scope="module")
def get(host: Host) -> Get:
    """get(url): the body of a good answer."""
    return lambda url: host.check_output("curl --silent --show-error --fail --max-time 5 %s", url)


@pytest.fixture(scope="session")
def until() -> Until:
    """until(condition, seconds): whether it came true within that time."""

    def wait(condition: Callable[[], bool], seconds: float = 30) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    return wait


@pytest.fixture(scope="module", autouse=True)
def _fresh_start_limits(host: Host) -> None:
    """These tests restart more than a start limit grants, above all when they run twice."""
    host.check_output("systemctl reset-failed")

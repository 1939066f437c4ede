# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test host: a container with systemd, of the suite in UNITWRIGHT_SUITE, one for each worker of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.integration.lab import Lab
from tests.testbed.image import default_suite
from tests.testbed.listing import restore


@pytest.fixture(scope="session")
def host(worker_id: str) -> Iterator[Lab]:
    """With UNITWRIGHT_HOST=NAME that container is used, and stays for the next run."""
    kept = os.environ.get("UNITWRIGHT_HOST")
    machine = Lab(f"{kept}-{worker_id}" if kept else f"unitwright-{default_suite()}-{worker_id}-{os.getpid()}")
    try:
        machine.prepare()
        yield machine
    finally:
        if not kept:
            machine.down()


@pytest.fixture(autouse=True)
def tidy(host: Lab, request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test its stacks go by the module itself, which leaves nothing, and the host is as before the first."""
    yield
    by_force = request.node.get_closest_marker("by_force") is not None
    try:
        if not by_force:
            host.remove_all()
    finally:
        host.applied.clear()
        host.visited = False
        left = restore(host)
    assert by_force or left == []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "by_force(why): what the test has set up cannot be taken away by the module")
    config.addinivalue_line("markers", "long: begins first")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long begins first, each at the head of a worker's share, or all would wait for it at the end."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if item not in long]
    for number, item in enumerate(long):
        items.insert(number % workers * (len(items) // workers), item)

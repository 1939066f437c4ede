# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test host: a container with systemd, of the suite in UNITWRIGHT_SUITE, one for each worker of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.testbed.host import Host
from tests.testbed.image import default_suite
from tests.testbed.listing import restore
from tests.tooling import COLLECTION, COLLECTIONS


@pytest.fixture(scope="session")
def host(worker_id: str) -> Iterator[Host]:
    """With UNITWRIGHT_HOST=NAME that container is used, and stays for the next run."""
    kept = os.environ.get("UNITWRIGHT_HOST")
    machine = Host(f"{kept}-{worker_id}" if kept else f"unitwright-{default_suite()}-{worker_id}-{os.getpid()}")
    try:
        machine.up()
        machine.install_collection(COLLECTIONS / COLLECTION)
        restore(machine)
        yield machine
    finally:
        if not kept:
            machine.down()


@pytest.fixture
def tidy(host: Host) -> Iterator[None]:
    """What a test leaves in systemd's and the collection's folders is stopped and gone after it."""
    yield
    restore(host)

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host with two versions of the collection: a container of the suite in UNITWRIGHT_SUITE, one for each worker."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.driving import Driver, booted
from tests.testbed.host import Host
from tests.testbed.listing import restore

from .sides import EARLIER, Sides


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier version's plugins, unpacked."""
    (archive,) = Path(__file__).parent.glob("*.tar.gz")
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() and member.name.endswith(".py") else None
            if content is not None and member.name.startswith("plugins/"):
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
    return folder


@pytest.fixture(scope="session")
def driver(worker_id: str, earlier: Path) -> Iterator[Driver]:
    """With UNITWRIGHT_HOST=NAME that container is used, and stays for the next run."""
    with booted("upgrade", worker_id) as machine:
        Host(machine.name, machine.engine, base=EARLIER).install_collection(earlier)
        driver = Driver(machine, before=EARLIER)
        driver.install()
        driver.add_user()
        restore(machine)
        yield driver


@pytest.fixture
def sides(driver: Driver) -> Iterator[Sides]:
    """A host on which nothing has been applied yet, and nothing is left after it."""
    sides = Sides(driver)
    sides.clear()
    yield sides
    sides.clear()

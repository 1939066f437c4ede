# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test host: a container with systemd, of the suite in UNITWRIGHT_SUITE, one for each worker of a run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.support import PROGRAMS, TRACES, USER, Stack
from tests.integration.world import SERVER, SERVER_TEXT

from tests.testbed.host import Host
from tests.testbed.image import default_suite
from tests.testbed.listing import restore
from tests.tooling import COLLECTION, COLLECTIONS

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def host(worker_id: str) -> Iterator[Host]:
    """With UNITWRIGHT_HOST=NAME that container is used, and stays for the next run."""
    kept = os.environ.get("UNITWRIGHT_HOST")
    machine = Host(f"{kept}-{worker_id}" if kept else f"unitwright-{default_suite()}-{worker_id}-{os.getpid()}")
    try:
        machine.up()
        machine.install_collection(COLLECTIONS / COLLECTION)
        for program in Path(__file__).with_name("programs").glob("*.py"):
            machine.write(f"{PROGRAMS}/{program.name}", program.read_text(encoding="utf-8"))
        machine.sh(f"id {USER} 2>/dev/null || useradd --create-home --shell /bin/bash {USER}")
        machine.sh(f"loginctl enable-linger {USER} && systemctl start user@$(id -u {USER}).service")
        # PID 1 makes this folder for the first transient unit, and never takes it away.
        machine.sh("mkdir -p /run/systemd/transient")
        restore(machine)
        yield machine
    finally:
        if not kept:
            machine.down()


@pytest.fixture(autouse=True)
def tidy(host: Host) -> Iterator[None]:
    """After each test the host is as it was before the first."""
    yield
    restore(host)


@pytest.fixture
def web_server(host: Host) -> None:
    """The program of world.server."""
    host.write(SERVER, SERVER_TEXT)


@pytest.fixture(scope="session")
def version(host: Host) -> int:
    """The host's systemd."""
    return int(host.sh("systemctl --version").split()[1])


@pytest.fixture
def stack(tidy: None, host: Host) -> Iterator[Stack]:
    """A stack with a name of its own, of which nothing may be left once it is removed."""
    ours = Stack(host, f"it{os.getpid()}n{next(NUMBERS)}")
    yield ours
    ours.remove()
    assert host.sh(TRACES.format(name=ours.name), check=False) == ""

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers with the programs in them, and the table of what was measured."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.testbed.engine import find_engine
from tests.testbed.host import Host
from tests.testbed.image import default_suite, ensure_image
from tests.tooling import COLLECTION, COLLECTIONS

Row = tuple[str, ...]
ROWS = pytest.StashKey[list[Row]]()


def _machine(name: str) -> Iterator[Host]:
    engine = find_engine()
    host = Host(f"unitwright-{name}-{os.getpid()}", engine)
    before = os.environ.get("UNITWRIGHT_IMAGE")
    os.environ["UNITWRIGHT_IMAGE"] = ensure_image(engine, default_suite(), "hardening")
    try:
        host.up()
        host.install_collection(COLLECTIONS / COLLECTION)
        yield host
    finally:
        host.down()
        if before is None:
            del os.environ["UNITWRIGHT_IMAGE"]


@pytest.fixture(scope="session")
def machine() -> Iterator[Host]:
    """One for all searches, each of which leaves it as it was."""
    yield from _machine("searched")


@pytest.fixture
def fresh() -> Iterator[Host]:
    """One for a recipe alone."""
    yield from _machine("recipe")


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> list[Row]:
    """Of the table that is printed at the end."""
    return request.config.stash.setdefault(ROWS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for row in config.stash.get(ROWS, []):
        terminalreporter.write_line(f"| {' | '.join(row)} |")

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container of bookworm with the programs in it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.testbed.engine import find_engine
from tests.testbed.host import Host
from tests.testbed.image import ensure_image
from tests.tooling import COLLECTION, COLLECTIONS

from .programs import PACKAGES


@pytest.fixture(scope="session")
def machine() -> Iterator[Host]:
    engine = find_engine()
    os.environ["UNITWRIGHT_IMAGE"] = ensure_image(engine, "bookworm", PACKAGES)
    host = Host(f"unitwright-hardening-{os.getpid()}", engine)
    try:
        host.up("bookworm")
        host.install_collection(COLLECTIONS / COLLECTION)
        yield host
    finally:
        host.down()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nobody is told to open a folder of the system; what a unit writes goes to a folder of its own."""

from __future__ import annotations

import os

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._causes import why_access
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.incident import Incident
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.views import READ, WRITE, Who

from tests.unit.world import SYSTEM

ANYONE = Who("shop", 3_999_999, frozenset([3_999_999]))
UNIT = "shop.service"
OWN = "have it write to /var/lib/shop, which StateDirectory=shop makes for it"


@pytest.mark.parametrize(
    ("unit", "path", "told"),
    [
        (UNIT, "/var/lib/a.db", OWN),
        (UNIT, "/var/lib/other/a.db", "have systemd make /var/lib/other for it by StateDirectory=other"),
        (
            "shop@one.service",
            "/var/cache/x",
            "have it write to /var/cache/shop, which CacheDirectory=shop makes for it",
        ),
        (UNIT, "/run/shop/sock", "have systemd make /run/shop for it by RuntimeDirectory=shop"),
        (UNIT, "/run/user/1000/x", OWN),
        (UNIT, "/etc/shop.conf", OWN),
        (UNIT, "/usr/share/shop", OWN),
        (UNIT, "/root/x", OWN),
    ],
)
def test_a_folder_of_its_own(unit: str, path: str, told: str) -> None:
    assert why_access.own_folder(unit, path, SYSTEM.made(252)) == told


@pytest.mark.parametrize("path", ["/", "/etc", "/var/lib", "/root/app", "/usr/share/x", "/home", "/proc/sys/net"])
def test_a_folder_of_the_system(path: str) -> None:
    assert why_access.of_system(path)
    assert "chmod" not in why_access.let_in(ANYONE, path)


@pytest.mark.parametrize("path", ["/opt/app", "/srv", "/var/lib/app", "/etc/app", "/data", "/homes"])
def test_a_folder_that_may_be_given(path: str) -> None:
    assert not why_access.of_system(path)
    assert why_access.let_in(ANYONE, path) == f"let that user in, as by chmod or chown of {path}"


def test_a_unit_of_a_user_writes_at_home() -> None:
    incident = Incident(UNIT, "exit-code", {}, {}, of_user=True)
    assert "in the home of that user" in why_access.let_do(incident, ANYONE, "/var/lib", "/var/lib/a", (WRITE,))


def test_a_file_that_its_group_may_read() -> None:
    if os.stat("/etc/shadow").st_gid == 0:
        pytest.skip("it has no group of its own here")
    incident = Incident(UNIT, "exit-code", {}, {}, made=SYSTEM.made(252))
    told = why_access.let_do(incident, ANYONE, "/etc/shadow", "/etc/shadow", (READ,))
    assert told == "add shadow to SupplementaryGroups="

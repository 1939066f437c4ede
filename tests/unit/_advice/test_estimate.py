# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The estimate is near what systemd says, and what lets others in is known by its name or its sessions."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.estimate import estimated
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.logins import lets_others_in
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.optouts import needs
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.profiles import Host, profile

from tests.unit.world import facts


@pytest.mark.parametrize(
    ("level", "user", "measured"),
    [
        ("", "", 9.6),
        ("", "app", 9.2),
        ("baseline", "", 6.4),
        ("baseline", "app", 6.1),
        ("standard", "app", 1.6),
        ("strict", "app", 1.1),
    ],
)
def test_what_systemd_252_measures(level: str, user: str, measured: float) -> None:
    present = [("User", user)] if user else []
    lines = profile(level, needs([], []), present, Host(facts().catalogue)).lines if level else ()
    assert abs(estimated([*present, *lines], 252) - measured) <= 0.7


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("ssh.service", "ssh.service is what others log in, run jobs or reach each other by"),
        ("getty@tty1.service", "getty@tty1.service is what others log in, run jobs or reach each other by"),
        ("sshguard.service", ""),
        ("cron-mail.service", ""),
    ],
)
def test_by_its_name(unit: str, told: str) -> None:
    assert lets_others_in(unit, []) == told


def test_by_its_sessions() -> None:
    assert lets_others_in("a.service", [("PAMName", "login")]) == "it opens sessions (PAMName=login)"
    assert lets_others_in("a.service", [("PAMName", "login"), ("PAMName", "")]) == ""

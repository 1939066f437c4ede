# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the playbooks drill, reboot and check all runs that was declared."""

from __future__ import annotations

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("unit", ["answer.service", "job.timer"])
def test_it_is_up(host: Host, unit: str) -> None:
    assert host.check_output(f"systemctl is-active {unit}") == "active"

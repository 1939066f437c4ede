# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container was rebooted after the role ran: what is enabled came up by itself."""

from __future__ import annotations

from testinfra.host import Host


def test_the_boot_came_after_the_units(host: Host) -> None:
    booted = host.check_output("date --date=@$(( $(date +%s) - $(ps -o etimes= -p 1) )) --iso-8601=seconds")
    newer = host.check_output("find /etc/systemd/system/gpio-api.service -newermt %s", booted)
    assert not newer, f"written after the boot of {booted}: run `molecule side-effect` first"


def test_an_enabled_unit_is_up(host: Host, unit: str) -> None:
    assert host.check_output("systemctl is-enabled %s", unit) == "enabled"
    assert host.check_output("systemctl is-active %s", unit) == "active"


def test_nothing_failed(host: Host) -> None:
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""

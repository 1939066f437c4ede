# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples were removed: files, accounts and units are those of before."""

from __future__ import annotations

from testinfra.host import Host


def test_nothing_is_left_and_nothing_is_missing(host: Host) -> None:
    assert host.run("diff /root/before /root/after").stdout == ""


def test_nothing_runs_that_no_file_is_for(host: Host) -> None:
    listed = host.check_output("systemctl list-units --all --plain --no-legend --state=not-found").splitlines()
    running = host.check_output("systemctl list-units --type=service,timer,socket --state=active --plain --no-legend")
    assert not [line for line in listed if line.split()[2] == "active"]
    assert "hello" not in running
    assert "nightly-backup" not in running


def test_nothing_failed(host: Host) -> None:
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""

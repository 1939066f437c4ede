# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container was rebooted: everything is as it was declared."""

from __future__ import annotations

from typing import Any

import pytest
from testinfra.host import Host


def test_the_boot_came_after_the_units(host: Host) -> None:
    booted = host.check_output("date --date=@$(( $(date +%s) - $(ps -o etimes= -p 1) )) --iso-8601=seconds")
    newer = host.check_output("find /etc/systemd/system/hello.service -newermt %s", booted)
    assert not newer, f"written after the boot of {booted}: reboot the container first"


@pytest.mark.parametrize("name", ["myapp", "mysocketapi"])
def test_what_a_connection_starts_does_not_run_yet(show: Any, name: str) -> None:
    assert show(f"{name}.service", "ActiveState") == "inactive"


def test_it_is_enabled_and_up(host: Host, show: Any, until: Any, enabled: str) -> None:
    assert host.check_output("systemctl is-enabled %s", enabled) == "enabled"
    assert until(lambda: show(enabled, "ActiveState") == "active")


@pytest.mark.parametrize("unit", ["crasher.service", "inventory-maintenance.service", "nightly-backup.service"])
def test_what_is_not_declared_started_is_not(show: Any, unit: str) -> None:
    assert show(unit, "ActiveState") == "inactive"


def test_it_answers(answers: Any, until: Any, service: str) -> None:
    assert until(lambda: answers(service))


def test_the_oneshot_ran_in_this_boot(host: Host) -> None:
    booted = int(host.check_output("echo $(( $(date +%s) - $(ps -o etimes= -p 1) ))"))
    stamp = host.check_output("date --date=$(cat /tmp/system-booted) +%s")
    assert int(stamp) >= booted - 2


def test_lines_of_before_the_reboot_are_there_if_the_journal_lies_on_a_disk(host: Host) -> None:
    booted = host.check_output("echo $(( $(date +%s) - $(ps -o etimes= -p 1) - 1 ))")
    said = host.check_output(
        "journalctl --quiet --no-pager --output=cat -u frames --reverse --lines=1 --until=@%s", booted
    )
    assert bool(said) == bool(host.run("find /var/log/journal -name system.journal").stdout)


def test_the_counter_has_counted_on(get: Any) -> None:
    # It was asked before the reboot too, and by the tests above.
    assert int(get("http://127.0.0.1:8083/").split()[1]) > 4


def test_nothing_failed(host: Host) -> None:
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""

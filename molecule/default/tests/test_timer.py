# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup is scheduled, and what the schedule runs makes a backup."""

from __future__ import annotations

from testinfra.host import Host

from .conftest import Show

TWO_O_CLOCK = 2 * 3600
RANDOM_DELAY = 300
ACCURACY = 60


def test_the_next_run_is_at_two(host: Host, show: Show) -> None:
    assert show("backup.timer", "SubState") == "waiting"
    elapse = show("backup.timer", "NextElapseUSecRealtime")
    at, midnight, now = (
        int(host.check_output("date --date=%s +%%s", moment)) for moment in (elapse, f"{elapse[4:14]} 00:00", "now")
    )
    assert 0 < at - now <= 86400 + RANDOM_DELAY + ACCURACY
    assert 0 <= at - midnight - TWO_O_CLOCK <= RANDOM_DELAY + ACCURACY


def test_a_run_writes_an_archive_that_only_its_user_may_read(host: Host, show: Show) -> None:
    host.check_output("systemctl start backup.service")
    assert show("backup.service", "Result") == "success"
    newest = host.check_output("ls -t /var/lib/backup/backup-*.tar.gz | head -n 1")
    archive = host.file(newest)
    assert (archive.user, archive.mode) == ("backup", 0o600)
    packed = host.check_output("tar --list --file=%s", newest).splitlines()
    assert {"gpio-api/data/readings.json", "mywebapp/config.ini"} <= set(packed)

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""c needs b needs a."""

from __future__ import annotations

from testinfra.host import Host

from .conftest import Show

CHAIN = ["service-a.service", "service-b.service", "service-c.service"]
HEARD = (
    "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/service-c/socket'); print(s.recv(99).decode())"
)


def test_each_link_started_once_the_one_before_was_ready(host: Host, show: Show) -> None:
    host.check_output("systemctl stop service-a.service")
    assert [show(unit, "ActiveState") for unit in CHAIN] == ["inactive"] * 3
    host.check_output("systemctl start service-c.service")
    ready = [int(show(unit, "ActiveEnterTimestampMonotonic")) for unit in CHAIN]
    started = [int(show(unit, "ExecMainStartTimestampMonotonic")) for unit in CHAIN]
    assert ready[0] <= started[1] < ready[1] <= started[2] < ready[2]


def test_each_link_heard_the_one_before(host: Host) -> None:
    assert host.check_output("python3 -c %s", HEARD) == "c <- b <- a"

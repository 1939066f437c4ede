# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""myapp runs from the first connection on, not before."""

from __future__ import annotations

from testinfra.host import Host

from .conftest import Get, Show


def test_a_connection_starts_the_service(host: Host, show: Show, get: Get) -> None:
    # An earlier test may have connected.
    host.check_output("systemctl stop myapp.service")
    assert show("myapp.service", "ActiveState") == "inactive"
    assert show("myapp.socket", "SubState") == "listening"
    said = get("http://127.0.0.1:8081/")
    assert show("myapp.service", "ActiveState") == "active"
    assert said == f"myapp, started on demand as process {show('myapp.service', 'MainPID')}"


def test_nothing_but_the_socket_starts_it(show: Show) -> None:
    assert show("myapp.service", "WantedBy") == ""
    assert show("myapp.service", "TriggeredBy") == "myapp.socket"

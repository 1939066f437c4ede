# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is killed, hangs, is reloaded or stopped comes back as it should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testinfra.host import Host

from .conftest import Get, Show, Until

MEMBERS = ["gpio-api.service", "sensor-reader.service"]
CONFIG = "/opt/mywebapp/config.ini"


@pytest.fixture(scope="module")
def killed(host: Host, show: Show, variables: dict) -> dict[str, str]:
    """All at once, so that their pauses before the restart pass at the same time. The process IDs of before."""
    units = [unit["name"] for unit in variables["systemd_stack_pi"]["units"] if "Restart" in unit.get("service", {})]
    pids = {unit: show(unit, "MainPID") for unit in units}
    host.check_output("kill -KILL " + " ".join(pids.values()))
    return pids


def test_a_killed_service_comes_back(show: Show, until: Until, killed: dict[str, str], restarting: str) -> None:
    assert until(lambda: show(restarting, "MainPID") not in ("0", killed[restarting]))
    assert until(lambda: show(restarting, "ActiveState") == "active")


def test_a_hanging_service_is_restarted_by_its_watchdog(host: Host, show: Show, until: Until) -> None:
    pid = show("gpio-api.service", "MainPID")
    host.check_output("kill -STOP %s", pid)
    assert until(lambda: show("gpio-api.service", "MainPID") not in ("0", pid), seconds=60)
    assert until(lambda: show("gpio-api.service", "ActiveState") == "active")
    host.check_output("journalctl --unit=gpio-api.service --grep='Watchdog timeout' --lines=1")


@pytest.fixture
def greeting(host: Host) -> Iterator[str]:
    """Another greeting in mywebapp's configuration, for as long as the test runs."""
    before = host.file(CONFIG).content_string
    host.check_output("sed --in-place 's/^greeting = .*/greeting = Hello again/' %s", CONFIG)
    yield "Hello again"
    host.check_output("printf %%s %s > %s", before, CONFIG)
    host.check_output("systemctl reload mywebapp.service")


def test_a_reload_is_heard_and_keeps_the_process(host: Host, show: Show, get: Get, until: Until, greeting: str) -> None:
    before = show("mywebapp.service", "MainPID"), show("mywebapp.service", "InvocationID")
    host.check_output("systemctl reload mywebapp.service")
    assert until(lambda: greeting in get("http://127.0.0.1:8080/"))
    assert (show("mywebapp.service", "MainPID"), show("mywebapp.service", "InvocationID")) == before


def test_a_stop_lets_the_service_end_itself(host: Host, show: Show) -> None:
    host.check_output("systemctl stop mywebapp.service")
    assert show("mywebapp.service", "ActiveState") == "inactive"
    assert (show("mywebapp.service", "ExecMainCode"), show("mywebapp.service", "ExecMainStatus")) == ("1", "0")
    host.check_output("systemctl start mywebapp.service")


def test_the_target_stops_and_starts_its_members(host: Host, show: Show, until: Until) -> None:
    host.check_output("systemctl stop pi-stack.target")
    assert until(lambda: [show(unit, "ActiveState") for unit in MEMBERS] == ["inactive"] * 2)
    host.check_output("systemctl start pi-stack.target")
    assert [show(unit, "ActiveState") for unit in MEMBERS] == ["active"] * 2

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is killed or hangs comes back and works; what crashes too often is given up, and told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

HANGING = "gpio-api"
ON_DEMAND = ("myapp", "mysocketapi")


@pytest.fixture(scope="module")
def before(request: pytest.FixtureRequest, host: Host, show: Any, answers: Any) -> Callable[[str], str]:
    """before(service): its process before one hung, one began to crash, and all others were killed, all at once."""
    services = dict.fromkeys(item.callspec.params["service"] for item in request.session.items if _for_each(item))
    assert all(answers(each) for each in ON_DEMAND)
    pids = {each: show(f"{each}.service", "MainPID") for each in services}
    assert "0" not in pids.values(), pids
    host.check_output("kill -STOP %s", pids[HANGING])
    host.check_output("systemctl start --no-block crasher.service")
    host.check_output("kill -KILL " + " ".join(pid for each, pid in pids.items() if each != HANGING))
    return pids.__getitem__


def _for_each(item: pytest.Item) -> bool:
    return "service" in getattr(getattr(item, "callspec", None), "params", {})


def test_it_comes_back(show: Any, until: Any, answers: Any, before: Callable[[str], str], service: str) -> None:
    pid = before(service)
    unit = f"{service}.service"
    # What a connection starts is not up again before there is one.
    assert until(lambda: answers(service) and show(unit, "MainPID") not in ("0", pid), seconds=120)
    assert show(unit, "ActiveState") == "active"


def test_the_one_that_hung_was_ended_by_its_watchdog(host: Host) -> None:
    host.check_output("journalctl --unit=gpio-api.service --grep='Watchdog timeout' --lines=1")


def test_the_one_that_crashes_is_given_up_and_told(host: Host, show: Any, until: Any) -> None:
    assert until(lambda: show("crasher.service", "ActiveState") == "failed", seconds=120)
    host.check_output("journalctl -u crasher --grep='Start request repeated too quickly' --lines=1")
    started = host.check_output("journalctl -u crasher --output=cat --no-pager --grep='^Started, and about to crash'")
    assert len(started.splitlines()) == 3
    assert "crasher.service" in host.check_output("journalctl -t crash-alert --output=cat --no-pager")


def test_a_reload_is_heard_and_keeps_the_process(host: Host, show: Any, get: Any, until: Any) -> None:
    page, pid = "/opt/mywebapp/pages/more.html", show("mywebapp.service", "MainPID")
    host.check_output("echo More > %s", page)
    host.check_output("systemctl reload mywebapp")
    assert until(lambda: get("http://127.0.0.1:8080/more.html") == "More")
    assert show("mywebapp.service", "MainPID") == pid
    host.check_output("rm %s", page)


def test_no_connection_is_lost_over_restarts(host: Host) -> None:
    restarts = "for i in 1 2 3; do systemctl restart mysocketapi; done"
    ask = "curl --silent --fail --max-time 30 http://127.0.0.1:3001/ || echo lost"
    told = host.check_output(f"({restarts}) & while kill -0 $! 2>/dev/null; do {ask}; done; wait")
    assert "lost" not in told
    assert len(set(told.splitlines())) >= 2


def test_a_socket_starts_what_was_stopped(host: Host, show: Any, answers: Any) -> None:
    host.check_output("systemctl stop myapp.service")
    assert show("myapp.service", "ActiveState") == "inactive"
    assert show("myapp.socket", "SubState") == "listening"
    assert answers("myapp")
    assert show("myapp.service", "ActiveState") == "active"


def test_the_target_stops_and_starts_its_members(host: Host, show: Any, until: Any) -> None:
    members = ("gpio-api.service", "sensor-reader.service")
    host.check_output("systemctl stop pi-stack.target")
    assert until(lambda: [show(each, "ActiveState") for each in members] == ["inactive"] * 2)
    host.check_output("systemctl start pi-stack.target")
    assert until(lambda: [show(each, "ActiveState") for each in members] == ["active"] * 2)


def test_the_chain_stops_from_its_first_and_starts_from_its_last(host: Host, show: Any) -> None:
    chain = [f"service-{each}.service" for each in "abc"]
    host.check_output("systemctl stop service-a.service")
    assert [show(each, "ActiveState") for each in chain] == ["inactive"] * 3
    host.check_output("systemctl start service-c.service")
    ready = [int(show(each, "ActiveEnterTimestampMonotonic")) for each in chain]
    started = [int(show(each, "ExecMainStartTimestampMonotonic")) for each in chain]
    assert ready[0] <= started[1] < ready[1] <= started[2] < ready[2]


def test_the_application_goes_and_comes_with_its_database(host: Host, show: Any, answers: Any, until: Any) -> None:
    host.check_output("systemctl stop inventory-db.service")
    assert until(lambda: show("inventory.service", "ActiveState") == "inactive")
    host.check_output("systemctl start inventory-db.service")
    assert until(lambda: answers("inventory"))


def test_maintenance_and_application_never_run_both(host: Host, show: Any, get: Any, answers: Any, until: Any) -> None:
    host.check_output("systemctl start inventory-maintenance.service")
    assert show("inventory.service", "ActiveState") == "inactive"
    assert until(lambda: get("http://127.0.0.1:8090/") == "Closed for maintenance")
    host.check_output("systemctl start inventory.service")
    assert show("inventory-maintenance.service", "ActiveState") == "inactive"
    assert until(lambda: answers("inventory"))

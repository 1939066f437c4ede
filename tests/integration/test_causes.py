# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit that is down by what it needs is told with that, and waits for it as long as that may take."""

from __future__ import annotations

import pytest

from .entries import service, tmpfs
from .lab import Lab


def test_what_needs_a_unit_that_fails_is_told_with_that(host: Lab) -> None:
    """A migration before the program, on the first deployment and when there is an older version."""
    migration = service("migration", "/bin/sh -c 'echo no such table; exit 7'", service={"Type": "oneshot"})
    needs = {"Requires": migration["name"], "After": migration["name"]}
    for main in (service(unit=needs), service(unit=needs, environment={"A": "2"})):
        result = host.failing(migration, main)
        errors = {error["unit"]: error for error in result["errors"]}
        # The run ends with the first failure that it sees, be it the one or the other.
        assert all(unit == migration["name"] or migration["name"] in errors[unit]["message"] for unit in errors)
        assert (errors[migration["name"]]["result"], errors[migration["name"]]["status"]) == ("exit-code", "7")
        assert "no such table" in errors[migration["name"]]["journal"]
        host.apply(service())
    # Beside a process that goes on, what it newly requires is started, too.
    assert migration["name"] in host.failing(migration, service(unit=needs))["msg"]
    assert host.state("main.service") == "active"


@pytest.mark.parametrize("running", [False, True])
def test_what_is_needed_may_take_its_time_or_have_nothing_to_do(host: Lab, running: bool) -> None:
    """An unmet condition satisfies Requires= (systemd.unit(5)); a migration has the time of what waits for it."""
    unmet = service("unmet", unit={"ConditionPathExists": "!/etc/hostname"}, state="present")
    slow = service("slow", "/bin/sleep 4", service={"Type": "oneshot"}, health={"timeout": 2, "stable_for": 0})
    needs = f"{unmet['name']} {slow['name']}"
    patient = {"timeout": 30, "stable_for": 0.3}
    if running:
        host.apply(service())
    host.settled(unmet, slow, service(unit={"Requires": needs, "After": needs}, health=patient))
    assert host.state("main.service") == "active"
    assert host.show("slow.service", "Result") == "success"
    assert host.show("slow.service", "ExecMainStartTimestampMonotonic") != "0"


def test_what_needs_a_mount_that_fails_is_told_with_that(host: Lab) -> None:
    mount = tmpfs(Options="size=bogus")
    needing = service(unit={"Requires": mount["name"], "After": mount["name"]})
    result = host.failing({**mount, "state": "present"}, needing, health={"stable_for": 0})
    assert {error["unit"] for error in result["errors"]} == {mount["name"], needing["name"]}


def test_a_oneshot_that_its_dependency_keeps_from_running(host: Lab) -> None:
    needed = service("needed", "/bin/false", service={"Type": "oneshot"}, state="present")
    once = {"Type": "oneshot"}
    needs = {"Requires": needed["name"], "After": needed["name"]}
    job = service("job", "/bin/true", service=once, unit=needs, run="on_change")
    assert "job.service" in host.failing(needed, job)["msg"]
    host.settled({**needed, "service": {**needed["service"], "ExecStart": "/bin/true"}}, job)

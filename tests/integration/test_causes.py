# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit that is down by what it needs is told with that, and waits for it as long as that may take."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import MOUNT, UNITS, VENDOR, WANTED, Entry, many, service, tmpfs
from .lab import Lab, Result


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


@pytest.mark.parametrize("directive", ["Requires", "BindsTo", "Requisite"])
@pytest.mark.parametrize("name", ["apps.target", "apps.slice", "main.service"])
def test_what_needs_a_unit_of_others_is_told_with_that(host: Lab, name: str, directive: str) -> None:
    """Also where systemd knows no result, as of targets and slices."""
    host.foreign("other.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 9'\n", start=False)
    needing = service() if name == "main.service" else {"name": name}
    needing |= {"unit": {directive: "other.service", "After": "other.service"}}
    result = host.failing(needing)
    assert told(result) == {name: "dependency", "other.service": "health"}
    (error,) = (error for error in result["errors"] if error["unit"] == "other.service")
    status, said = ("0", "Requisite=") if directive == "Requisite" else ("9", "exit status 9")
    assert said in error["message"]
    assert error["status"] in (status, "")


def test_what_needs_a_unit_that_is_down_by_another_is_told_with_that(host: Lab) -> None:
    failing = service("failing", "/bin/false", service={"Type": "oneshot"}, state="present")
    middle = {"name": "b.target", "unit": {"Requires": "failing.service", "After": "failing.service"}}
    result = host.failing(failing, middle, {"name": "a.target", "unit": {"Requires": "b.target", "After": "b.target"}})
    assert told(result) == {"a.target": "dependency", "b.target": "dependency", "failing.service": "health"}


def test_each_oneshot_that_fails_is_told(host: Lab) -> None:
    def job(name: str, command: str, **unit: str) -> Entry:
        return service(name, command, service={"Type": "oneshot"}, run="on_change", unit=unit)

    assert told(host.failing(job("a", "/bin/false"), job("b", "/bin/true"))) == {"a.service": "health"}
    both = {"a.service": "health", "b.service": "health"}
    assert told(host.failing(job("a", "/bin/false"), job("b", "/bin/false"))) == both
    # What needs one that has failed is left for the next run.
    needing = job("c", "/bin/true", Requires="a.service", After="a.service")
    failing = (job("a", "/bin/false"), job("b", "/bin/false"), needing)
    assert told(host.failing(*failing, on_failure="keep")) == both
    assert host.show("c.service", "ExecMainStartTimestampMonotonic") == "0"


def test_a_oneshot_that_its_dependency_keeps_from_running(host: Lab) -> None:
    needed = service("needed", "/bin/false", service={"Type": "oneshot"}, state="present")
    once = {"Type": "oneshot"}
    needs = {"Requires": needed["name"], "After": needed["name"]}
    job = service("job", "/bin/true", service=once, unit=needs, run="on_change")
    assert "job.service" in host.failing(needed, job)["msg"]
    host.settled({**needed, "service": {**needed["service"], "ExecStart": "/bin/true"}}, job)


def told(result: Result) -> dict[str, str]:
    """The rule of each unit's error."""
    return {error["unit"]: error["rule"] for error in result["errors"]}


def test_a_job_that_systemd_refuses_is_told_of_its_unit_with_no_earlier_lines(host: Lab) -> None:
    """What it needs was masked meanwhile, while it runs on."""
    host.foreign("needed.service", folder=VENDOR)
    say = "/bin/sh -c 'echo the first time; exec sleep infinity'"
    needing = service("a", say, unit={"Requires": "needed.service", "After": "needed.service"})
    host.apply(needing, service("ba"))
    host.sh("systemctl mask needed.service && systemctl kill -s KILL needed.service")
    before = host.invocation("a.service")
    result = host.failing({**needing, "state": "restarted"}, service("ba", state="restarted"))
    (error,) = result["errors"]
    assert (error["unit"], error["rule"]) == ("a.service", "job")
    assert "needed.service is masked" in error["message"]
    assert "the first time" not in error["journal"]
    assert result["rolled_back"]
    assert host.invocation("a.service") == before


@pytest.mark.parametrize("more", [{}, {"Restart": "always", "RestartSec": 60}], ids=["failed", "restarting"])
@pytest.mark.parametrize("before", [{}, {"ExecStartPre": "/bin/true"}], ids=["main", "pre"])
def test_the_status_of_whatever_command_has_failed(host: Lab, more: Entry, before: Entry) -> None:
    error = host.error_of(service(service={"ReadWritePaths": "/nowhere", **more, **before}))
    assert (error["result"], error["status"]) == ("exit-code", "226")
    assert "NAMESPACE" in error["message"]
    assert ("ExecStartPre=" in error["message"]) == bool(before)


def test_a_missing_environment_file_is_named(host: Lab) -> None:
    error = host.error_of(service(service={"EnvironmentFile": ["/etc/hostname", "/nowhere/app.env"]}))
    assert error["result"] == "resources"
    assert error["message"].startswith("failed: result resources: /nowhere/app.env of EnvironmentFile= (")
    assert error["message"].count("/nowhere/app.env") == error["message"].count("is not there") == 1


def test_what_was_foretold_and_has_come_is_told_once(host: Lab) -> None:
    for directive, value in (("EnvironmentFile", "/nowhere/app.env"), ("User", "nobody-here")):
        result = host.failing(service(service={directive: value}))
        assert result["errors"][0]["directive"] == directive
        assert "without it no start succeeds" not in " ".join(result.get("warnings", ()))


def test_what_a_host_supports_no_units_of(host: Lab) -> None:
    """A container has no swap of its own (systemd.swap(5))."""
    swap = {"name": "swapfile.swap", "swap": {"What": "/swapfile"}}
    assert "supports no .swap units" in host.error_of(swap)["message"]
    needing = service(unit={"Requires": swap["name"], "After": swap["name"]})
    result = host.failing({**swap, "state": "present"}, needing)
    assert told(result) == {"main.service": "dependency", "swapfile.swap": "health"}


def test_a_device_that_is_waited_for_is_named(host: Lab) -> None:
    mount = {"name": "mnt-test.mount", "mount": {"What": "/dev/nowhere", "Where": MOUNT}}
    result = host.failing(mount, health={"timeout": 1, "stable_for": 0})
    assert told(result) == {mount["name"]: "dependency", "dev-nowhere.device": "health"}
    needing, device = result["errors"]
    assert "dev-nowhere.device" in needing["message"]
    remedy = "mend the name, or what shall bring the device"
    assert device["message"] == f"the device /dev/nowhere is not there: {remedy}"
    # A line for each, which is what makes Ansible's message have the position of each.
    assert result["msg"].startswith(f"{mount['name']}: {needing['message']}\ndev-nowhere.device: {device['message']}.")


def test_links_that_systemctl_cannot_make_are_no_matter_of_health(host: Lab) -> None:
    host.write(f"{UNITS}/x.target.wants", "in the way")
    result = host.failing(*many(2, install={"WantedBy": "x.target"}))
    assert {error["rule"] for error in result["errors"]} == {"links"}
    host.sh(f"rm {UNITS}/x.target.wants")


UNMET: list[tuple[dict[str, Any], str, str]] = [
    ({"ConditionPathExists": "/etc", "ConditionVirtualization": "dockr"}, "ConditionVirtualization", "=dockr (/etc/"),
    ({"ConditionPathExists": ["/etc", "!/usr"]}, "ConditionPathExists", "=!/usr (/etc/systemd/system/main.service:"),
    ({"ConditionPathExists": ["|/no1", "|/no2"]}, "ConditionPathExists", "none of ConditionPathExists=|/no1 (/etc/"),
    ({"AssertPathExists": "/no/such"}, "AssertPathExists", "=/no/such (/etc/systemd/system/main.service:"),
]


@pytest.mark.parametrize("more", [{}, {"install": WANTED}], ids=["forgotten", "remembered"])
@pytest.mark.parametrize(("directives", "directive", "said"), UNMET)
def test_which_condition_kept_a_unit_down(
    host: Lab, directives: dict[str, Any], directive: str, said: str, more: dict[str, Any]
) -> None:
    """systemd forgets what nothing refers to, and with it which one it was."""
    error = host.error_of(service(unit=directives, **more))
    assert (error["section"], error["directive"]) == ("Unit", directive)
    assert said in error["cause"]
    assert said in error["message"]


def test_which_condition_of_a_dropin_kept_a_unit_down(host: Lab) -> None:
    dropin = {"name": "main.service", "dropin": "a", "unit": {"ConditionHost": "nobody"}}
    (error,) = host.failing(service(), dropins=[dropin])["errors"]
    assert "ConditionHost=nobody (/etc/systemd/system/main.service.d/a.conf:" in error["cause"]

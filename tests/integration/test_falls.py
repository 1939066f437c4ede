# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit that falls before it is up may come up by its own Restart=; one that never will is told soon, and why."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import NOTIFY, Entry, app, program, service
from .lab import Lab

TRIED = f"{NOTES}/tried"
# As where a database is not up yet: it ends badly until it has been tried so often.
LATER = "echo x >> {path}; test $(wc -l < {path}) -gt {falls} || exit 7"
AGAIN = {"Restart": "on-failure", "RestartSec": "300ms"}
UNLIMITED = {"StartLimitIntervalSec": 0}


def late(falls: int, then: str = "exec sleep infinity", before: str = "", path: str = TRIED) -> str:
    """ExecStart= of a program that falls so often before it stays up."""
    return f"/bin/sh -c '{before}{LATER.format(path=path, falls=falls)}; {then}'"


def falling(falls: int = 1, name: str = "main", before: str = "", **more: Any) -> Entry:
    return service(name, late(falls, before=before), service=AGAIN, **more)


READY = late(1, "systemd-notify --ready; exec sleep infinity")


@pytest.mark.parametrize(
    "unit",
    [
        falling(1),
        falling(2),
        falling(1, before="sleep 0.4; ", health={"stable_for": 1}),
        falling(1, health={"command": ["/bin/sh", "-c", f"test $(wc -l < {TRIED}) -gt 1"], "stable_for": 0.3}),
        service(command=READY, service={**NOTIFY, **AGAIN}),
        service(service={**AGAIN, "ExecStartPre": late(1, "true")}),
        service("main@", late(1), service=AGAIN, instances=["a"]),
        {"name": "main.service", "content": f"[Service]\nExecStart={late(1)}\nRestart=always\nRestartSec=300ms\n"},
    ],
    ids=["once", "twice", "after a while", "with a check", "notify", "before its start", "instance", "text"],
)
def test_what_its_own_restart_brings_up_has_not_failed(host: Lab, unit: Entry) -> None:
    result = host.settled(unit)
    (name,) = result["newly_started"]
    assert host.state(name) == "active"
    assert len(host.read(TRIED).split()) > 1


def test_a_oneshot_that_succeeds_later(host: Lab) -> None:
    once = service(command=late(1, "true"), service={"Type": "oneshot", "RemainAfterExit": True, **AGAIN})
    assert host.settled(once)["newly_started"] == ["main.service"]


def test_a_job_of_a_change_that_succeeds_later(host: Lab) -> None:
    host.apply(service(command=late(1, "true"), service={"Type": "oneshot", **AGAIN}, run="on_change"))
    assert len(host.read(TRIED).split()) == 2


def test_what_comes_after_a_job_of_a_change_waits_for_that(host: Lab) -> None:
    once = service("job", late(1, f"echo done > {NOTES}/job"), service={"Type": "oneshot", **AGAIN}, run="on_change")
    relying = app(1, unit={"After": "job.service"}, service={"ExecStartPre": f"/bin/test -e {NOTES}/job"})
    host.apply(once, relying)
    host.assert_runs(1)


def test_a_job_of_a_change_that_never_succeeds(host: Lab) -> None:
    once = service(command="/bin/false", service={"Type": "oneshot", **AGAIN}, run="on_change")
    result = host.failing(once)
    assert [error["rule"] for error in result["errors"]] == ["health"]


@pytest.mark.parametrize("seconds", ["3s", "100ms"])
def test_what_never_comes_up_is_told_before_its_time_is_over(host: Lab, seconds: str) -> None:
    loop = {"Restart": "always", "RestartSec": seconds}
    begun = time.monotonic()
    error = host.error_of(
        service(command="/bin/sh -c 'sleep 0.2; echo no luck; exit 7'", unit=UNLIMITED, service=loop),
        timeout=60,
        stable_for=3,
    )
    assert time.monotonic() - begun < 40
    assert "times and wa" in error["message"]  # waits for its restart, or was restarted: as it is met
    assert error["message"].endswith("it said: no luck")


def test_what_systemd_gives_up_is_told_at_once(host: Lab) -> None:
    loop = {"Restart": "always", "RestartSec": "100ms"}
    unit = service("limited", "/bin/sh -c 'echo no luck; exit 7'", service=loop, unit={"StartLimitBurst": 5})
    begun = time.monotonic()
    error = host.error_of(unit, timeout=60)
    assert time.monotonic() - begun < 30
    assert "it failed 5 times" in error["message"]
    assert "it said: no luck" in error["message"]


def test_a_restart_that_comes_too_late_is_not_waited_for(host: Lab) -> None:
    begun = time.monotonic()
    error = host.error_of(service(command="/bin/false", service={"Restart": "always", "RestartSec": 70}), timeout=60)
    assert time.monotonic() - begun < 30
    assert "ended and waits for its automatic restart" in error["message"]


@pytest.mark.parametrize(
    ("more", "health"),
    [
        ({"ExecStart": f"/bin/sh -c 'systemd-notify --ready; sleep 0.5; test -e {TRIED} || touch {TRIED}'"}, {}),
        ({"Type": "simple", "ExecStart": "/bin/sleep 0.5"}, {"command": ["/bin/true"]}),
    ],
    ids=["notify", "a check"],
)
def test_what_was_up_and_fell_has_failed(host: Lab, more: Entry, health: Entry) -> None:
    unit = service(service={**NOTIFY, "Restart": "always", "RestartSec": "300ms", **more})
    error = host.error_of(unit, stable_for=2, **health)
    assert "ended and" in error["message"]


def test_a_new_version_that_falls_is_rolled_back_at_once(host: Lab) -> None:
    host.apply(app(1))
    begun = time.monotonic()
    falls = {"ExecStart": program(2, then="sleep 0.4; exit 3"), "Restart": "always", "RestartSec": 30}
    result = host.failing(app(2, service=falls), health={"stable_for": 1, "timeout": 60})
    assert time.monotonic() - begun < 30
    assert result["rolled_back"]
    assert "ended and waits" in result["msg"]
    host.assert_runs(1)


def test_a_new_version_may_fall_before_it_is_ready(host: Lab) -> None:
    host.apply(app(1))
    host.apply(app(2, service={**NOTIFY, **AGAIN, "ExecStart": READY}))
    assert host.state("app.service") == "active"


def test_a_new_version_beside_one_that_it_comes_after_may_fall(host: Lab) -> None:
    """Both are restarted, and what the one needs is not there at once."""

    def both(number: int, then: str) -> list[Entry]:
        command = program(number, then=f"{then}exec sleep infinity")
        relying = app(number, unit={"After": "base.service"}, service={"ExecStart": command, **AGAIN})
        return [app(number, "base"), relying]

    host.apply(*both(1, ""))
    host.apply(*both(2, LATER.format(path=TRIED, falls=1) + "; "))
    host.assert_runs(2)


def test_what_is_restarted_with_another_may_fall(host: Lab) -> None:
    relying = service("relying", late(1), unit={"Requires": "base.service", "After": "base.service"}, service=AGAIN)
    host.sh(f"echo x > {TRIED}")
    host.apply(app(1, "base"), relying)
    host.sh(f"rm {TRIED}")
    host.apply(app(2, "base"), relying)
    assert host.states("base.service", "relying.service") == ["active"] * 2


def test_what_ran_before_may_fall_when_it_is_brought_back(host: Lab) -> None:
    then = LATER.format(path=TRIED, falls=1) + "; exec sleep infinity"
    host.apply(app(1, service={"ExecStart": program(1, then=then), **AGAIN}))
    before = host.listing()
    result = host.failing(app(2, service={"ExecStart": program(2, then=f"rm {TRIED}; exit 3")}))
    assert result["rolled_back"], result["msg"]
    assert host.listing() == before
    host.assert_runs(1)

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that runs with something older than its files say is found, whoever forgot to restart it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.support import QUICK, Stack, actions, environment, verbs
from tests.integration.world import untouched


@contextmanager
def by_hand(stack: Stack, text: str = "[Service]\nEnvironment=B=2\n") -> Iterator[str]:
    """The path of a drop-in that someone else has written over the stack's main service."""
    folder = stack.path("main.service.d")
    stack.host.write(f"{folder}/by-hand.conf", text)
    try:
        yield f"{folder}/by-hand.conf"
    finally:
        stack.host.sh(f"rm -r {folder}; systemctl daemon-reload")


@contextmanager
def theirs(stack: Stack) -> Iterator[str]:
    """A running service of someone else, by its name; what the stack had over it goes with it."""
    name = stack.unit("theirs.service")
    stack.host.write(f"/etc/systemd/system/{name}", "[Service]\nExecStart=/bin/sleep infinity\n")
    stack.host.sh(f"systemctl daemon-reload; systemctl start {name}")
    try:
        yield name
    finally:
        stack.remove()
        stack.host.sh(f"systemctl stop {name}; rm -r /etc/systemd/system/{name}*; systemctl daemon-reload")


def test_a_missed_restart_is_made_up_for(stack: Stack) -> None:
    """The files are there and loaded, the process is not: as a handler that never ran leaves it."""
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    old = stack.host.read(stack.path("main.service"))
    changed = {**unit, "environment": {"A": "2"}}
    stack.apply(changed)
    new = stack.host.read(stack.path("main.service"))
    stack.host.write(stack.path("main.service"), old)
    stack.host.sh(f"systemctl daemon-reload; systemctl restart {unit['name']}")
    stack.host.write(stack.path("main.service"), new)
    stack.host.sh("systemctl daemon-reload")
    result = stack.settled(changed)
    assert actions(result) == [("restart", unit["name"])]
    assert environment(stack.host, unit["name"])["A"] == "2"


def test_files_that_systemd_has_not_loaded_yet_are_loaded(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    stack.host.sh(f"systemctl stop {unit['name']}; cp -a {stack.path('main.service')} /tmp/kept")
    stack.host.write(stack.path("main.service"), "[Service]\nExecStart=/bin/false\n")
    stack.host.sh("systemctl daemon-reload")
    stack.host.sh(f"mv /tmp/kept {stack.path('main.service')}")
    result = stack.settled(unit)
    assert ("daemon-reload", "") in actions(result)
    assert environment(stack.host, unit["name"])["A"] == "1"


def test_an_edit_by_hand_is_taken_back(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    stack.host.sh(f"sed -i s/A=1/A=hand/ {stack.path('main.service')}")
    stack.host.sh(f"systemctl daemon-reload; systemctl restart {unit['name']}")
    assert environment(stack.host, unit["name"])["A"] == "hand"
    stack.settled(unit)
    assert environment(stack.host, unit["name"])["A"] == "1"


def test_a_mode_changed_by_hand_is_taken_back(stack: Stack) -> None:
    unit = stack.service(secrets={"TOKEN": "not-to-be-seen"})
    stack.apply(unit)
    secret = f"/etc/unitwright/{stack.name}/{unit['name']}.env"
    stack.host.sh(f"chmod 644 {secret}")
    result = stack.settled(unit)
    assert result["plan"][0]["path"] == secret
    assert stack.host.sh(f"stat -c %a {secret}") == "600"


def test_a_unit_file_removed_by_hand_is_written_again(stack: Stack) -> None:
    unit = stack.service(install={"WantedBy": "multi-user.target"})
    stack.apply(unit)
    stack.host.sh(f"rm {stack.path('main.service')}; systemctl daemon-reload")
    stack.settled(unit)
    assert stack.show("main.service", "LoadState") == "loaded"


def test_a_restart_by_anyone_makes_a_process_current(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    stack.host.sh(f"systemctl restart {unit['name']}")
    stack.assert_settled(unit)


def test_a_daemon_reexec_changes_nothing(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"}, install={"WantedBy": "multi-user.target"})
    stack.apply(unit)
    stack.host.sh("systemctl daemon-reexec")
    stack.assert_settled(unit)


def test_the_journal_can_be_asked_for_one_deployed_version(stack: Stack) -> None:
    unit = stack.service(command="/bin/sh -c 'echo it is me; exec sleep infinity'")
    stack.apply(unit)
    (line,) = stack.host.sh(f"grep -h LogExtraFields= {stack.path('main.service')}").splitlines()
    stamp = line.partition("=")[2]
    stack.host.sh("journalctl --sync")
    assert "it is me" in stack.host.sh(f"journalctl --quiet --output=cat {stamp}")


def test_a_file_of_someone_else_that_systemd_has_not_read_is_put_into_force(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    with by_hand(stack):
        result = stack.settled(unit)
        assert actions(result) == [("daemon-reload", ""), ("restart", unit["name"])]
        assert environment(stack.host, unit["name"])["B"] == "2"


def test_a_process_that_was_restarted_before_systemd_read_such_a_file(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    with by_hand(stack):
        stack.host.sh(f"systemctl restart {unit['name']}")
        assert "B" not in environment(stack.host, unit["name"])
        assert stack.settled(unit)["restarted"] == [unit["name"]]
        assert environment(stack.host, unit["name"])["B"] == "2"


def test_such_a_file_is_reloaded_for_once(stack: Stack) -> None:
    unit = stack.service(service={"ExecReload": "/bin/true"}, on_change="reload")
    stack.apply(unit)
    with by_hand(stack):
        stack.host.sh("systemctl daemon-reload")
        assert stack.settled(unit)["reloaded"] == [unit["name"]]


def test_such_a_file_over_one_of_many_that_a_dropin_is_for(stack: Stack) -> None:
    """The unit is named nowhere, and yet systemd has to read its files for a restart to be of any use."""
    with theirs(stack) as name:
        dropin = {"name": stack.unit(".service"), "dropin": "all", "environment": {"A": "1"}}
        assert ("restart", name) in actions(stack.settled(dropins=[dropin]))
        stack.host.write(f"/etc/systemd/system/{name}.d/by-hand.conf", "[Service]\nEnvironment=B=2\n")
        assert actions(stack.settled(dropins=[dropin])) == [("daemon-reload", ""), ("restart", name)]
        assert environment(stack.host, name)["B"] == "2"


def test_a_mode_of_someone_elses_file_restarts_nothing(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    with by_hand(stack) as path:
        stack.settled(unit)
        stack.host.sh(f"chmod 600 {path}")
        assert actions(stack.settled(unit)) == [("daemon-reload", "")]


def test_a_unit_of_someone_else_is_not_restarted_for_what_others_change(stack: Stack) -> None:
    """It may be about to fail by that, and a task that only asks for its state has nothing to do with it."""
    with theirs(stack) as name:
        stack.host.write(f"/etc/systemd/system/{name}.d/by-hand.conf", "[Service]\nExecStart=\nExecStart=/bin/false\n")
        stack.host.sh("systemctl daemon-reload")
        about = {"name": name, "dropin": "about", "unit": {"Documentation": "man:sleep(1)"}}
        for given in ({"name": name, "state": "started"}, {"name": name, "enabled": False}):
            assert stack.apply(given)["plan"] == []
        assert verbs(stack.settled(dropins=[about])) == ["write", "daemon-reload"]


def test_a_stamp_that_someone_else_resets_restarts_nothing(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    with by_hand(stack, "[Service]\nLogExtraFields=\n"):
        stack.host.sh(f"systemctl daemon-reload; systemctl restart {unit['name']}")
        stack.assert_settled(unit)


def test_what_was_reloaded_for_a_dropin_of_another_owner_is_current(stack: Stack) -> None:
    unit = stack.service(service={"ExecReload": "/bin/true"})
    stack.apply(unit)
    since = stack.invocation("main.service")
    dropin = {"name": unit["name"], "dropin": "more", "environment": {"A": "1"}, "on_change": "reload"}
    assert stack.host.module("dropin", **dropin, health=QUICK)["reloaded"] == [unit["name"]]
    stack.assert_settled(unit)
    assert stack.invocation("main.service") == since
    assert stack.host.module("dropin", name=unit["name"], dropin="more", state="absent")["changed"]


def test_what_an_operator_sets_in_an_emergency_restarts_nothing(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1"})
    stack.apply(unit)
    stack.host.sh(f"systemctl set-property {unit['name']} CPUWeight=50")
    with untouched(stack.host):
        stack.assert_settled(unit)
    stack.host.sh(f"systemctl revert {unit['name']}")
    stack.apply(unit)


@pytest.mark.parametrize("on_change", ["none", "reload"])
def test_a_dropin_that_is_gone_is_in_force_until_the_process_is_a_new_one(stack: Stack, on_change: str) -> None:
    with theirs(stack) as name:
        text = "[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/true\n"
        stack.host.write(f"/etc/systemd/system/{name}", text)
        dropin = {"name": name, "dropin": "more", "environment": {"A": "1"}, "on_change": on_change}
        stack.settled(dropins=[{**dropin, "on_change": "restart"}])
        gone = {"name": name, "dropin": "more", "state": "absent", "on_change": on_change}
        result = stack.settled(dropins=[gone])
        assert environment(stack.host, name)["A"] == "1"
        if on_change == "none":
            assert name in result["kept"]
            assert name in stack.apply(dropins=[gone])["kept"]
            result = stack.settled(dropins=[{**gone, "on_change": "restart"}])
            assert result["restarted"] == [name]
            assert "A" not in environment(stack.host, name)

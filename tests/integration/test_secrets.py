# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets reach the process and nothing else: no unit file, no result, no diff, no journal, no other user."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.support import Result, Stack, environment
from tests.integration.world import show
from tests.testbed.host import Host

CANARY = "canary-5f2e-tweets"
OTHER = "canary-9a1b-sings"


@pytest.fixture
def journal(host: Host) -> str:
    """A command that prints what the journal has of this test: the programs of others tell their secrets, too."""
    last = host.sh("journalctl --quiet --lines=1 --output=export | sed -n s/^__CURSOR=//p")
    return f"journalctl --sync; journalctl --quiet --after-cursor='{last}'"


@pytest.fixture
def assert_hidden(host: Host, journal: str) -> Callable[..., None]:
    """No canary in results, nor where others than root may read, nor in any field of the journal."""

    def look(*results: Result) -> None:
        assert "canary-" not in json.dumps(results)
        readable = "grep -rls --exclude-dir=journal canary- /etc/systemd /run/systemd /run/log /var/log /tmp"
        readable += f"; {journal} --all --output=export | grep -a canary-"
        readable += "; find /var/lib/unitwright /etc/unitwright -perm /044 -type f -exec grep -l canary- {} +"
        assert host.sh(readable, check=False) == ""

    return look


def declared(stack: Stack, value: str = CANARY, **more: Any) -> dict[str, Any]:
    return stack.service(secrets={"TOKEN": value, "SECOND": 'it\'s "quoted" ' + value}, **more)


def test_secrets_are_in_the_process_and_nowhere_else(stack: Stack, assert_hidden: Callable[..., None]) -> None:
    unit = declared(stack, credentials={"password": CANARY})
    first = stack.apply(unit)
    assert environment(stack.host, unit["name"])["TOKEN"] == CANARY
    changed = stack.apply(declared(stack, OTHER, credentials={"password": OTHER}))
    assert changed["restarted"] == [unit["name"]]
    assert changed["diff"], "the diff says at least that something differs"
    assert_hidden(first, changed)
    assert "canary-" not in stack.host.sh(f"systemctl show {unit['name']}; systemctl cat {unit['name']}")


def test_secret_files_are_for_root_alone(stack: Stack) -> None:
    unit = declared(stack, credentials={"password": CANARY})
    stack.settled(unit)
    folder = f"/etc/unitwright/{stack.name}"
    seen = stack.host.sh(f"cd {folder} && find . -printf '%P %M %u:%g\n' | sort").splitlines()
    assert seen == [
        " drwx------ root:root",
        f"{unit['name']}.credentials drwx------ root:root",
        f"{unit['name']}.credentials/password -rw------- root:root",
        f"{unit['name']}.env -rw------- root:root",
    ]
    text = stack.host.read(stack.path("main.service"))
    assert f"EnvironmentFile={folder}/{unit['name']}.env" in text
    assert f"LoadCredential=password:{folder}/{unit['name']}.credentials/password" in text


def test_secrets_that_are_no_longer_declared_are_removed(stack: Stack, assert_hidden: Callable[..., None]) -> None:
    stack.settled(declared(stack, credentials={"password": CANARY}))
    result = stack.settled(stack.service())
    assert len(result["removed"]) == 2
    assert not stack.host.exists(f"/etc/unitwright/{stack.name}")
    assert_hidden(result)


def test_check_mode_and_drop_ins_hide_them_too(stack: Stack, assert_hidden: Callable[..., None]) -> None:
    unit = stack.service()
    dropin = {"name": unit["name"], "dropin": "x", "secrets": {"TOKEN": CANARY}, "credentials": {"pass": CANARY}}
    would = stack.apply(unit, dropins=[dropin], check_mode=True)
    result = stack.apply(unit, dropins=[dropin])
    assert environment(stack.host, unit["name"])["TOKEN"] == CANARY
    gone = stack.apply(unit, dropins=[{**dropin, "state": "absent"}])
    assert_hidden(would, result, gone)


@pytest.mark.parametrize(
    "broken",
    [
        {"service": {"Fnord": 1}},
        {"service": {"Type": "notfy"}},
        {"service": {"ExecStart": "/bin/false"}, "health": {"stable_for": 1}},
        {"on_change": "reload"},
        {"secrets": {"TOKEN": {"nested": CANARY}}},
        {"secrets": {"not a name": CANARY}},
        {"credentials": {"a/b": CANARY}},
    ],
)
def test_a_failing_run_hides_them(stack: Stack, assert_hidden: Callable[..., None], broken: dict[str, Any]) -> None:
    unit = declared(stack)
    result = stack.refused({**unit, **broken, "service": {**unit["service"], **broken.get("service", {})}})
    assert_hidden(result)


def test_a_secret_that_the_program_tells_is_blotted_out_of_the_error(stack: Stack) -> None:
    command = "/bin/sh -c 'echo my token is $$TOKEN; exit 3'"
    result = stack.refused(stack.service(command=command, secrets={"TOKEN": "told-7c1d"}, health={"stable_for": 1}))
    assert "my token is" in json.dumps(result["errors"])
    assert "told-7c1d" not in json.dumps(result)


def test_an_environment_is_not_logged_by_the_module(stack: Stack, journal: str) -> None:
    unit = stack.service(environment={"PLAIN": CANARY})
    stack.apply(unit)
    assert show(stack.host, unit["name"], "Environment") == f"PLAIN={CANARY}"
    assert stack.host.sh(f"{journal} --all --output=export | grep -a canary-", check=False) == ""
    stack.host.sh(f"{journal} | grep -q 'ansible-.*Invoked'")


def test_a_secret_of_several_lines_is_not_in_the_error_line_by_line(stack: Stack) -> None:
    telling = stack.service(command="/bin/sh -c 'echo \"$TOKEN\"; exit 3'", secrets={"TOKEN": f"{CANARY}\n{OTHER}"})
    telling["health"] = {"stable_for": 1}
    assert "canary-" not in json.dumps(stack.refused(telling))


def test_a_global_stack_of_the_same_name_leaves_secrets_alone(stack: Stack) -> None:
    stack.apply(declared(stack))
    unit = {"name": stack.unit("other.service"), "service": {"ExecStart": "/bin/true"}}
    assert stack.apply(unit, scope="global", prune=True)["removed"] == []
    assert stack.host.exists(f"/etc/unitwright/{stack.name}/{stack.unit('main.service')}.env")
    stack.host.module("stack", name=stack.name, scope="global", state="absent")


def test_the_secret_of_another_owner_is_blotted_out_too(stack: Stack) -> None:
    unit = stack.service(command="/bin/sh -c 'echo my token is $$TOKEN; test -z $$FAIL'", secrets={"TOKEN": CANARY})
    unit["service"]["ExecStart"] = "/bin/sh -c 'echo my token is $$TOKEN; test -z $$FAIL && exec sleep infinity'"
    stack.apply(unit)
    dropin = {"name": unit["name"], "dropin": "x", "environment": {"FAIL": "1"}, "health": {"stable_for": 1}}
    result = stack.host.module("dropin", **dropin)
    assert "my token is" in json.dumps(result["errors"])
    assert "canary-" not in json.dumps(result)


def test_a_credential_that_holds_an_assignment_is_blotted_out_as_a_whole(stack: Stack) -> None:
    """Given by an earlier run of another owner, so that neither Ansible nor this run was told of it."""
    text = f'user="bobby"\ntoken={CANARY}'
    credential = f"/etc/unitwright/{stack.name}/{stack.unit('main.service')}.credentials/key"
    unit = stack.service(command=f"/bin/sh -c 'cat {credential}; test -z $$FAIL && exec sleep infinity'")
    unit.update(credentials={"key": text}, state="present")
    stack.apply(unit)
    dropin = {"name": unit["name"], "dropin": "x", "environment": {"FAIL": "1"}}
    telling = stack.service("telling", f"/bin/sh -c 'cat {credential}; exit 3'", health={"stable_for": 1})
    result = stack.host.module("stack", name=f"{stack.name}-other", units=[telling], dropins=[dropin])
    assert "********" in json.dumps(result["errors"])
    assert "canary-" not in json.dumps(result)


@pytest.mark.parametrize("name", ["50-[x]", "50-*?", "50-{a,b}"])
def test_a_dropin_whose_name_is_a_pattern_takes_secrets(stack: Stack, name: str) -> None:
    unit = stack.service()
    stack.apply(unit, dropins=[{"name": unit["name"], "dropin": name, "secrets": {"TOKEN": CANARY}}])
    assert environment(stack.host, unit["name"])["TOKEN"] == CANARY

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a file is: pruning what is ours, and leaving what is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.support import FOREVER, Stack
from tests.integration.world import show, state, untouched


@pytest.fixture
def other(stack: Stack) -> Iterator[Stack]:
    """A second stack."""
    second = Stack(stack.host, f"{stack.name}second")
    yield second
    second.remove()


def test_what_is_no_longer_declared_is_orphaned_and_stays(stack: Stack) -> None:
    stack.apply(stack.service("a"), stack.service("b"))
    result = stack.apply(stack.service("a"))
    assert result["orphaned"] == [stack.unit("b.service")]
    assert not result["changed"]
    assert stack.show("b.service", "ActiveState") == "active"


def test_prune_stops_and_removes_it(stack: Stack) -> None:
    keep, gone = stack.service("a"), stack.service("b", secrets={"TOKEN": "not-to-be-seen"})
    dropin = {"name": keep["name"], "dropin": "x", "environment": {"A": "1"}}
    stack.apply(keep, gone, dropins=[dropin])
    result = stack.settled(keep, prune=True)
    assert result["stopped"] == [gone["name"]]
    assert len(result["removed"]) == 3
    assert result["restarted"] == [keep["name"]]
    assert stack.show("b.service", "LoadState") == "not-found"


def test_prune_touches_nobody_else(stack: Stack, other: Stack) -> None:
    other.apply(other.service())
    by_hand = f"/etc/systemd/system/{stack.unit('hand.service')}"
    stack.host.write(by_hand, f"[Service]\nExecStart={FOREVER}\n")
    stack.settled(stack.service("a"), prune=True)
    other.assert_settled(other.service())
    assert stack.host.exists(by_hand)
    stack.host.sh(f"rm {by_hand}; systemctl daemon-reload")


def test_an_empty_declaration_does_not_prune(stack: Stack) -> None:
    stack.apply(stack.service())
    with untouched(stack.host):
        result = stack.refused(prune=True)
    assert result["errors"][0]["rule"] == "empty-prune"


def test_prune_stops_short_of_max_removed(stack: Stack) -> None:
    stack.apply(*(stack.service(name) for name in "abcd"))
    with untouched(stack.host):
        result = stack.refused(stack.service("a"), prune=True, max_removed=2)
    assert "3" in result["msg"]
    assert stack.settled(stack.service("a"), prune=True, max_removed=3)["removed"]


def test_a_renamed_unit_is_moved_by_prune(stack: Stack) -> None:
    stack.apply(stack.service("old"))
    result = stack.settled(stack.service("new"), prune=True)
    assert (result["stopped"], result["newly_started"]) == ([stack.unit("old.service")], [stack.unit("new.service")])


def test_a_file_by_hand_is_not_replaced_unless_told(stack: Stack) -> None:
    stack.host.write(stack.path("main.service"), f"[Service]\nExecStart={FOREVER}\n")
    unit = stack.service()
    with untouched(stack.host):
        result = stack.refused(unit)
    assert result["errors"][0]["rule"] == "owner"
    assert "replace: true" in result["msg"]
    stack.settled({**unit, "replace": True})


def test_another_stacks_file_is_adopted_only_when_told(stack: Stack, other: Stack) -> None:
    unit = stack.service()
    other.apply(unit)
    before = stack.invocation("main.service")
    with untouched(stack.host):
        assert f"adopt: [{other.name}]" in stack.refused(unit)["msg"]
    stack.settled(unit, adopt=[other.name])
    assert not other.remove()["changed"]
    assert stack.invocation("main.service") == before


def test_a_stack_is_renamed_by_adoption(stack: Stack, other: Stack) -> None:
    """Its secrets move along, and what the old one had besides is pruned."""
    unit = stack.service(secrets={"TOKEN": "not-to-be-seen"})
    other.apply(unit, stack.service("b"))
    result = stack.settled(unit, adopt=[other.name], prune=True)
    assert result["stopped"] == [stack.unit("b.service")]
    assert not stack.host.exists(f"/etc/unitwright/{other.name}")
    assert not other.remove()["changed"]


def test_a_packaged_unit_is_not_defined_anew_unless_told(stack: Stack) -> None:
    name = "systemd-fsck-root.service"
    unit = {"name": name, "service": {"ExecStart": FOREVER}, "state": "present"}
    with untouched(stack.host):
        result = stack.refused(unit)
    assert "dropin" in result["msg"]
    assert "replace: true" in result["msg"]
    stack.settled({**unit, "replace": True})
    assert show(stack.host, name, "FragmentPath") == f"/etc/systemd/system/{name}"
    stack.remove()
    assert show(stack.host, name, "FragmentPath") != f"/etc/systemd/system/{name}"


def test_a_link_in_the_way_is_not_followed(stack: Stack) -> None:
    stack.host.write(f"/opt/{stack.name}", "precious")
    stack.host.sh(f"ln -s /opt/{stack.name} {stack.path('main.service')}")
    with untouched(stack.host):
        stack.refused({**stack.service(), "replace": True})
    assert stack.host.read(f"/opt/{stack.name}") == "precious"
    stack.host.sh(f"rm /opt/{stack.name} {stack.path('main.service')}")


def test_absent_does_not_take_what_is_not_ours(stack: Stack) -> None:
    stack.host.write(stack.path("main.service"), f"[Service]\nExecStart={FOREVER}\n")
    with untouched(stack.host):
        stack.refused({"name": stack.unit("main.service"), "state": "absent"})
        stack.refused({"name": "nginx.service", "state": "absent"})
    assert state(stack.host, "nginx.service") == "active"
    stack.host.sh(f"rm {stack.path('main.service')}")


def test_what_an_adopted_stack_had_begun_is_finished_by_its_new_owner(stack: Stack, other: Stack) -> None:
    unit = other.service(environment={"A": "1"})
    other.apply(unit)
    changed = {**unit, "environment": {"A": "2"}, "health": {"stable_for": 60}}
    killed = ("timeout", "--signal=KILL", "4")
    other.host.start_module("stack", name=other.name, units=[changed], prefix=killed)
    result = stack.settled({**unit, "environment": {"A": "2"}}, adopt=[other.name])
    assert result["recovered"]
    assert not stack.host.sh("ls /var/lib/unitwright/system/running")


def test_an_entry_without_a_text_leaves_the_units_files_alone(stack: Stack) -> None:
    unit = stack.service(secrets={"TOKEN": "not-to-be-seen"}, credentials={"key": "not-to-be-seen"})
    stack.apply(unit)
    with untouched(stack.host):
        result = stack.apply({"name": unit["name"], "state": "started"})
        assert not result["changed"]
        assert not result["orphaned"]
        refused = stack.refused({"name": unit["name"], "state": "started"}, prune=True)
    assert refused["errors"][0]["rule"] == "no-text"
    stack.host.sh(f"systemctl restart {unit['name']}")


def test_a_stack_takes_over_what_the_modules_for_one_unit_wrote(stack: Stack) -> None:
    unit = stack.service(secrets={"TOKEN": "not-to-be-seen"})
    dropin = {"name": unit["name"], "dropin": "more", "environment": {"A": "1"}}
    quick = {"health": {"stable_for": 0}}
    assert not stack.host.module("unit", **{**unit, **quick}).get("failed")
    assert not stack.host.module("dropin", **dropin, **quick).get("failed")
    refused = stack.refused(unit, dropins=[dropin])
    owners = [unit["name"], f"{unit['name']}.d-more.conf"]
    assert all(f"adopt: [{owner}]" in refused["msg"] for owner in owners)
    stack.settled(unit, dropins=[dropin], adopt=owners)
    assert stack.show("main.service", "ActiveState") == "active"


def test_a_secret_that_goes_is_removed_and_no_orphan(stack: Stack) -> None:
    stack.apply(stack.service(secrets={"TOKEN": "not-to-be-seen"}))
    result = stack.settled(stack.service())
    assert len(result["removed"]) == 1
    assert result["orphaned"] == []

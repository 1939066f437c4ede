# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode tells the plan and the diff of the run that follows, and leaves the host as it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.support import FOREVER, PROGRAMS, Result, Stack, verbs
from tests.integration.world import untouched

WANTED = {"WantedBy": "multi-user.target"}


def foretold(stack: Stack, *units: dict[str, Any], **options: Any) -> Result:
    """The result of a run that check mode foretold."""
    with untouched(stack.host):
        would = stack.apply(*units, check_mode=True, **options)
    result = stack.apply(*units, **options)
    for key in (
        "changed",
        "plan",
        "diff",
        "newly_started",
        "restarted",
        "reloaded",
        "stopped",
        "removed",
        "orphaned",
        "kept",
    ):
        assert would[key] == result[key], key
    return result


def everything(stack: Stack) -> list[dict[str, Any]]:
    return [
        stack.service("a", install=WANTED, secrets={"TOKEN": "not-to-be-seen"}, triggers={"values": [1]}),
        stack.service("b", unit={"Requires": stack.unit("a.service"), "After": stack.unit("a.service")}),
        stack.service("job", "/bin/true", service={"Type": "oneshot"}),
        {"name": stack.unit("job.timer"), "timer": {"OnCalendar": "daily"}, "install": {"WantedBy": "timers.target"}},
        stack.service("web", f"/usr/bin/python3 {PROGRAMS}/answer.py hi"),
        {"name": stack.unit("web.socket"), "socket": {"ListenStream": f"/run/{stack.name}.sock"}},
        {"name": stack.unit("w@.service"), "service": {"ExecStart": FOREVER}, "install": WANTED, "instances": ["x"]},
    ]


def test_a_first_apply_changes_and_a_removal_are_foretold(stack: Stack) -> None:
    units = everything(stack)
    dropin = {"name": stack.unit("b.service"), "dropin": "x", "environment": {"A": "1"}}
    first = foretold(stack, *units, dropins=[dropin])
    assert len(first["diff"]) == 9
    units[0]["triggers"] = {"values": [2]}
    units[3]["timer"] = {"OnCalendar": "weekly"}
    units[5]["socket"] = {"ListenStream": f"/run/{stack.name}.other"}
    units[6]["instances"] = ["y"]
    assert set(verbs(foretold(stack, *units, prune=True))) >= {"write", "daemon-reload", "restart", "remove", "stop"}
    foretold(stack, *units[:1], prune=True)
    foretold(stack, state="absent")


def test_nothing_to_do_is_foretold(stack: Stack) -> None:
    unit = stack.service(install=WANTED)
    stack.apply(unit)
    assert not foretold(stack, unit)["changed"]


def test_the_diff_shows_the_text_before_and_after(stack: Stack) -> None:
    unit = stack.service(unit={"Description": "old"})
    stack.apply(unit)
    (shown,) = foretold(stack, {**unit, "unit": {"Description": "new"}})["diff"]
    assert shown["before_header"] == stack.path("main.service")
    assert "Description=old" in shown["before"]
    assert "Description=new" in shown["after"]
    assert "STAMP" not in shown["before"] + shown["after"]


@pytest.fixture
def late(stack: Stack) -> str:
    return f"/usr/local/bin/{stack.name}"


def test_a_program_that_is_not_there_yet_is_unverified(stack: Stack, late: str) -> None:
    unit = stack.service(command=f"{late} infinity", service={"User": "no-such-user-yet"})
    with untouched(stack.host):
        would = stack.apply(unit, check_mode=True)
    assert [error["unit"] for error in would["unverified"]] == [unit["name"]]
    stack.host.sh(f"cp /bin/sleep {late}; useradd --system no-such-user-yet")
    result = stack.apply(unit)
    assert (result["plan"], result["diff"], result["unverified"]) == (would["plan"], would["diff"], [])
    stack.remove()
    stack.host.sh(f"rm {late}; userdel no-such-user-yet")


def test_a_unit_and_a_trigger_file_that_are_not_there_yet_are_unverified(stack: Stack) -> None:
    config, ghost = f"/etc/{stack.name}.conf", f"ghost-{stack.name}.service"
    unit = stack.service(unit={"Requires": ghost}, triggers={"files": [config]})
    with untouched(stack.host):
        would = stack.apply(unit, check_mode=True)
    assert len(would["unverified"]) >= 2
    stack.refused(unit)
    stack.host.write(config, "x")
    stack.host.write(f"/run/systemd/system/{ghost}", f"[Service]\nExecStart={FOREVER}\n")
    result = stack.apply(unit)
    assert result["plan"] == would["plan"]
    stack.remove()
    stack.host.sh(f"systemctl stop {ghost}; rm {config} /run/systemd/system/{ghost}; systemctl daemon-reload")


def test_the_state_of_a_unit_that_an_earlier_task_would_install_is_unverified(stack: Stack) -> None:
    unit = {"name": f"ghost-{stack.name}.service", "state": "started", "enabled": True}
    with untouched(stack.host):
        would = stack.apply(unit, check_mode=True)
    assert [error["unit"] for error in would["unverified"]] == [unit["name"]]


def test_what_is_wrong_is_an_error_in_check_mode_too(stack: Stack) -> None:
    with untouched(stack.host):
        result = stack.refused(stack.service(service={"Type": "notfy"}), check_mode=True)
    assert result["errors"][0]["directive"] == "Type"


def test_a_removal_of_what_another_needs_is_refused_in_check_mode_too(stack: Stack) -> None:
    needed = stack.service("needed")
    stack.apply(stack.service("needing", unit={"BindsTo": needed["name"], "After": needed["name"]}), needed)
    error = stack.refused(stack.service("needing", unit={"BindsTo": needed["name"]}), check_mode=True, prune=True)
    assert needed["name"] in error["msg"]

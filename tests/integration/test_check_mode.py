# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode tells the plan and the diff of the run that follows, and leaves the host as it is."""

from __future__ import annotations

from typing import Any

from tests.testbed.listing import NOTES

from .entries import FOREVER, UNITS, WANTED, Entry, server, service, timer
from .lab import Lab, Result, verbs


def everything() -> list[Entry]:
    return [
        service("a", install=WANTED, secrets={"TOKEN": "not-to-be-seen"}, triggers={"values": [1]}),
        service("b", unit={"Requires": "a.service", "After": "a.service"}),
        service("job", "/bin/true", service={"Type": "oneshot"}),
        {"name": "job.timer", "timer": {"OnCalendar": "daily"}, "install": {"WantedBy": "timers.target"}},
        service("web", server("hi")),
        {"name": "web.socket", "socket": {"ListenStream": f"{NOTES}/sock"}},
        {"name": "w@.service", "service": {"ExecStart": FOREVER}, "install": WANTED, "instances": ["x"]},
    ]


def foretold(host: Lab, *units: Entry, **options: Any) -> Result:
    """The result of a run that check mode foretold."""
    would, result = host.foretell(*units, **options), host.apply(*units, **options)
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


def test_a_first_apply_changes_and_a_removal_are_foretold(host: Lab) -> None:
    units = everything()
    dropin = {"name": "b.service", "dropin": "x", "environment": {"A": "1"}}
    first = foretold(host, *units, dropins=[dropin])
    assert len(first["diff"]) == 9
    units[0]["triggers"] = {"values": [2]}
    units[3]["timer"] = {"OnCalendar": "weekly"}
    units[5]["socket"] = {"ListenStream": f"{NOTES}/other"}
    units[6]["instances"] = ["y"]
    assert set(verbs(foretold(host, *units, prune=True))) >= {"write", "daemon-reload", "restart", "remove", "stop"}
    foretold(host, *units[:1], prune=True)
    foretold(host, state="absent")


def test_nothing_to_do_is_foretold(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    assert not foretold(host, unit)["changed"]


def test_the_diff_shows_the_text_before_and_after(host: Lab) -> None:
    unit = service(unit={"Description": "old"})
    host.apply(unit)
    (shown,) = foretold(host, {**unit, "unit": {"Description": "new"}})["diff"]
    assert shown["before_header"] == f"{UNITS}/main.service"
    assert "Description=old" in shown["before"]
    assert "Description=new" in shown["after"]
    assert "STAMP" not in shown["before"] + shown["after"]


def test_a_program_and_an_account_that_are_not_there_yet_are_unverified_without_a_warning(host: Lab) -> None:
    """An earlier task, which changes nothing either, would bring them."""
    late = "/usr/local/bin/late"
    unit = service(command=f"{late} infinity", service={"User": "no-such-user-yet"}, install=WANTED)
    would = host.foretell(unit)
    assert [(error["unit"], error["directive"]) for error in would["unverified"]] == [
        (unit["name"], "User"),
        (unit["name"], "ExecStart"),
    ]
    assert not would.get("warnings")
    host.sh(f"cp /bin/sleep {late}; useradd --system no-such-user-yet")
    result = host.apply(unit)
    assert (result["plan"], result["diff"], result["unverified"]) == (would["plan"], would["diff"], [])


def test_units_and_targets_that_are_not_there_yet_are_unverified_without_a_warning(host: Lab) -> None:
    """A run would warn of them: by then the earlier task has done its part. What looks misspelt will not come."""
    (warning,) = host.foretell(service(install={"WantedBy": "multiuser.target"}))["warnings"]
    assert "did you mean multi-user.target?" in warning
    unit = service(unit={"Wants": "late.service"}, install={"WantedBy": "late.target"})
    late = {"name": "other-late.service", "state": "stopped"}
    reload = {"on_change": "reload", "health": {"tcp": "127.0.0.1:9"}}
    dropin = {"name": "dropped-late.service", "dropin": "50-more", "service": {"Nice": 5}, **reload}
    would = host.foretell(unit, late, dropins=[dropin])
    rules = {"wants-nowhere", "no-such-target", "stopped-nowhere", "dropin-without-unit"}
    assert ({each["rule"] for each in would["unverified"]}, would.get("warnings", [])) == (rules, [])
    result = host.apply(unit, late, dropins=[dropin])
    assert ({each["rule"] for each in result["unverified"]}, len(result["warnings"])) == (rules, 4)


def test_a_unit_and_a_trigger_file_that_are_not_there_yet_are_unverified(host: Lab) -> None:
    config, ghost = "/etc/test.conf", "ghost.service"
    unit = service(unit={"Requires": ghost}, triggers={"files": [config]})
    would = host.foretell(unit)
    assert len(would["unverified"]) >= 2
    host.failing(unit)
    host.write(config, "x")
    host.write(f"/run/systemd/system/{ghost}", f"[Service]\nExecStart={FOREVER}\n")
    result = host.apply(unit)
    assert result["plan"] == would["plan"]


def test_the_state_of_a_unit_that_an_earlier_task_would_install_is_unverified(host: Lab) -> None:
    unit = {"name": "ghost.service", "state": "started", "enabled": True}
    would = host.foretell(unit)
    assert [error["unit"] for error in would["unverified"]] == [unit["name"]]


def test_what_is_wrong_is_an_error_in_check_mode_too(host: Lab) -> None:
    result = host.refused(service(service={"Type": "notfy"}), check_mode=True)
    assert result["errors"][0]["directive"] == "Type"


def test_a_removal_of_what_another_needs_is_refused_in_check_mode_too(host: Lab) -> None:
    needed = service("needed")
    host.apply(service("needing", unit={"BindsTo": needed["name"], "After": needed["name"]}), needed)
    error = host.failing(service("needing", unit={"BindsTo": needed["name"]}), check_mode=True, prune=True)
    assert needed["name"] in error["msg"]


def test_check_mode_knows_what_a_run_takes_away(host: Lab) -> None:
    job = service("job", "/bin/true", service={"Type": "oneshot"})
    clock = timer("daily")
    host.apply(job, clock)
    for check_mode in (True, False):
        assert "nowhere" in host.failing(clock, prune=True, check_mode=check_mode)["msg"]


def test_several_removals_are_foretold_in_the_order_of_the_declaration(host: Lab) -> None:
    names = ("delta", "alpha", "charlie", "bravo")
    host.apply(*(service(name) for name in names))
    result = foretold(host, *({"name": f"{name}.service", "state": "absent"} for name in names))
    paths = [f"{UNITS}/{name}.service" for name in names]
    assert result["removed"] == [row["before_header"] for row in result["diff"]] == paths

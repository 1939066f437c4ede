# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one unit cannot live with takes all others back: files, links, masks, sockets, timers, run state."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, FOREVER, IDLE, UNITS, WANTED, Entry, app, program, server, service, socket, timer, web
from .lab import Lab


def test_one_of_ten_fails(host: Lab) -> None:
    names = [f"app{number}" for number in range(10)]
    host.apply(*(app(1, name) for name in names))
    before = host.listing()
    new = [app(2, name) for name in names]
    new[6]["service"]["ExecStart"] = program(2, names[6], "exit 3")
    result = host.failing(*new)
    assert [error["unit"] for error in result["errors"]] == ["app6.service"]
    assert host.listing() == before
    assert [host.version(name) for name in names] == ["1"] * 10
    assert host.sh("systemctl is-active 'app*.service' | sort -u") == "active"
    assert host.no_record()


def test_files_of_every_sort_and_links_are_back(host: Lab) -> None:
    """Drop-ins, secrets, credentials, an alias, links of our own and of others, a pruned unit, a mask."""
    host.sh(f"ln -s /dev/null {UNITS}/unmasked.service")
    host.write("/usr/local/lib/systemd/system/masked.service", IDLE)
    first = app(1, secrets={"TOKEN": "first"}, credentials={"key": "first"}, install={"Alias": "nick.service"})
    dropin = {"name": "app.service", "dropin": "50-own", "service": {"LimitNOFILE": 1000}, "secrets": {"MORE": "first"}}
    host.apply(first, app(1, "pruned", install={"RequiredBy": "rescue.target"}), dropins=[dropin])
    host.sh(f"cd {UNITS} && mkdir -p x.target.wants && ln -s ../app.service x.target.wants/app.service")
    host.sh(f"chmod 0600 {UNITS}/app.service.d/50-own.conf; systemctl daemon-reload")
    before = host.listing()
    second = app(2, secrets={"TOKEN": "second"}, credentials={"other": "second"}, install={"WantedBy": "y.target"})
    dropin = {**dropin, "service": {"LimitNOFILE": 2000}, "secrets": {"MORE": "second"}}
    masks = [{"name": "masked.service", "masked": True}, {"name": "unmasked.service", "masked": False}]
    host.failing(second, *masks, BAD, dropins=[dropin], prune=True)
    assert host.listing() == before
    assert host.version() == "1"
    assert host.state("pruned.service") == "active"
    assert host.show("unmasked.service", "LoadState") == "masked"
    assert host.show("masked.service", "LoadState") == "loaded"
    assert "secret" not in str(host.environment("app.service"))


def test_a_folder_of_units_that_cannot_be_written_to(host: Lab) -> None:
    """Nothing was done, so there is nothing that the way back could fail at."""
    host.apply(app(1))
    before = host.listing()
    host.sh(f"mount --bind {UNITS} {UNITS}; mount -o remount,bind,ro {UNITS}")
    try:
        result = host.failing(app(1), app(1, "other"))
    finally:
        host.sh(f"umount {UNITS}")
    assert "Read-only file system" in result["msg"]
    assert "ROLL-BACK FAILED" not in result["msg"]
    assert host.listing() == before
    assert host.no_record()


def test_what_was_stopped_runs_and_what_was_started_does_not(host: Lab) -> None:
    host.apply(app(1, "ran"), app(1, "rested", state="stopped"), app(1, "untouched"))
    kept = host.invocation("untouched.service")
    before = host.listing()
    host.failing(app(1, "ran", state="stopped"), app(1, "rested"), app(1, "untouched"), BAD)
    assert host.listing() == before
    assert host.states("ran.service", "rested.service") == ["active", "inactive"]
    assert host.invocation("untouched.service") == kept


def test_what_shall_be_gone_is_back_and_runs(host: Lab) -> None:
    host.apply(app(1, service={"ExecStop": f"/bin/sh -c 'echo stopped > {NOTES}/stopped'"}))
    before = host.listing()
    host.failing({"name": "app.service", "state": "absent"}, BAD)
    assert host.listing() == before
    assert host.version("stopped") == "stopped"
    assert host.state("app.service") == "active"
    assert host.enabled("app.service") == "enabled"


def test_a_calendar_that_lies_in_the_past(host: Lab) -> None:
    job = service("job", program(1, "job", "true"), service={"Type": "oneshot"})
    install = {"install": {"WantedBy": "timers.target"}}
    host.apply(job, timer("daily") | install)
    before, elapse = host.listing(), host.show("job.timer", "NextElapseUSecRealtime")
    result = host.failing(job, timer("2001-01-01") | install)
    assert result["errors"][0]["unit"] == "job.timer"
    assert "has no next elapse" in result["msg"]
    assert host.listing() == before
    assert host.show("job.timer", "NextElapseUSecRealtime") == elapse
    assert not host.exists(f"{NOTES}/job")


@pytest.mark.parametrize("service_runs", [False, True], ids=["idle", "while its service runs"])
def test_a_socket_whose_port_is_taken(host: Lab, service_runs: bool) -> None:
    taken = service("other", server("other", 8001), install=WANTED, health={"tcp": "127.0.0.1:8001"})
    host.apply(taken, socket(8002), web("old"))
    if service_runs:
        assert host.answer(8002) == "old"
    before = host.listing()
    result = host.failing(taken, socket(8001), web("new"))
    assert "web.socket" in {error["unit"] for error in result["errors"]}
    assert "Address already in use" in str([error["journal"] for error in result["errors"]])
    assert host.listing() == before
    assert host.state("web.service") == ("active" if service_runs else "inactive")
    assert host.answer(8002) == "old"
    assert host.answer(8001) == "other"


def test_a_changed_socket_whose_service_runs_is_back_where_it_was(host: Lab) -> None:
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"
    before = host.listing()
    result = host.failing(socket(8003), web("new"), BAD)
    assert [error["unit"] for error in result["errors"]] == ["bad.service"]
    assert host.listing() == before
    assert host.show("web.socket", "Listen") == "127.0.0.1:8002 (Stream)"
    assert host.state("web.service") == "active"
    assert host.answer(8002) == "old"
    assert not host.answer_now(8003)


def test_a_socket_that_starts_a_service_of_another_name(host: Lab) -> None:
    def units(port: int, served: str) -> list[Entry]:
        return [socket(port, Service="served.service"), web(served, "served")]

    host.apply(*units(8002, "old"))
    assert host.answer(8002) == "old"
    before = host.listing()
    host.failing(*units(8003, "new"), BAD)
    assert host.listing() == before
    assert host.answer(8002) == "old"
    host.apply(*units(8003, "new"))
    assert host.answer(8003) == "new"


def test_an_idle_service_that_was_started_by_its_new_version_is_down_again(host: Lab) -> None:
    def on_demand(text: str) -> list[Entry]:
        return [web(text), {**socket(8002), "health": {"http": "http://127.0.0.1:8002/"}}]

    host.apply(*on_demand("old"))
    host.sh("systemctl stop web.service")
    changed = on_demand("new")
    changed[1]["socket"]["Backlog"] = 5
    result = host.failing(*changed, BAD)
    assert result["rolled_back"], result["msg"]
    assert host.states("web.socket", "web.service") == ["active", "inactive"]
    assert host.answer(8002) == "old"


def test_a_service_that_was_kept_without_its_socket_runs_when_that_is_back(host: Lab) -> None:
    kept = web(state="started", on_change="none")
    host.apply(socket(8002), kept)
    host.failing(kept, BAD, prune=True)
    assert host.states("web.socket", "web.service") == ["active"] * 2
    assert host.answer(8002) == "one"


def test_instances_of_a_template(host: Lab) -> None:
    def template(number: int, then: str = "exec sleep infinity") -> Entry:
        return service("t@", program(number, "%i", then), install=WANTED, instances=["one", "two"])

    host.apply(template(1))
    before = host.listing()
    result = host.failing(template(2, "test %i = one && exec sleep infinity"))
    assert [error["unit"] for error in result["errors"]] == ["t@two.service"]
    assert host.listing() == before
    assert [host.version(name) for name in ("one", "two")] == ["1", "1"]
    assert host.states("t@one.service", "t@two.service") == ["active"] * 2


def test_links_of_default_instances_and_of_also_are_back(host: Lab) -> None:
    other = app(1, "other", state="present")
    also = app(1, "also", install={"Also": "other.service"}, state="present")
    host.apply(other, also)
    before = host.listing("/etc")
    template = app(1, "t@", install={"DefaultInstance": "one"}, enabled=True)
    result = host.failing(other, template, BAD, prune=True)
    assert result["rolled_back"], result["msg"]
    assert host.listing("/etc") == before
    host.apply(other, prune=True)
    assert host.enabled("other.service") == "enabled"


def test_a_socket_or_path_that_falls_with_its_service_is_back_too(host: Lab) -> None:
    """What they start over and over runs into its start limit, and takes them down with it."""

    def units(start: str) -> list[Entry]:
        path = {"name": "found.path", "path": {"PathExists": "/etc/hostname"}}
        return [socket(8002), service("web", start or server("one")), path, service("found", start or FOREVER)]

    host.apply(*units(""))
    assert host.answer(8002) == "one"
    with host.asked(8002):
        result = host.failing(*units("/bin/false"))
        assert result["rolled_back"], result["msg"]
    assert host.states("web.socket", "web.service", "found.path", "found.service") == ["active"] * 4
    assert host.answer(8002) == "one"

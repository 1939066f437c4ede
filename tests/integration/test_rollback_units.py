# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that one unit cannot live with takes all others back with it: sockets, timers, links, masks, run state."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, IDLE, UNITS, VENDOR, WANTED, Entry, app, program, server, service, socket, timer, web
from .lab import Lab, until


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


def test_a_calendar_that_is_none_is_told_before_anything_is_written(host: Lab) -> None:
    job = service("job", "/bin/true", service={"Type": "oneshot"})
    host.apply(job, timer("daily"))
    result = host.refused(job, timer("every other blue moon"))
    error = result["errors"][0]
    assert (error["unit"], error["section"], error["directive"]) == ("job.timer", "Timer", "OnCalendar")
    assert host.state("job.timer") == "active"


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


def test_a_cycle_is_told_before_anything_is_written(host: Lab) -> None:
    first = app(1, "first", unit={"Requires": "second.service", "After": "second.service"})
    second = app(1, "second", unit={"Requires": "first.service", "After": "first.service"})
    result = host.refused(first, second)
    assert "cycle" in result["msg"]
    assert {error["unit"] for error in result["errors"]} <= {"first.service", "second.service"}
    assert host.state("first.service") == "inactive"


@pytest.mark.parametrize(
    "harm",
    [{"service": {"RuntimeMaxSec": 1}}, {"unit": {"StopWhenUnneeded": True}}],
    ids=["RuntimeMaxSec", "StopWhenUnneeded"],
)
def test_a_daemon_reload_alone_that_ends_a_process(host: Lab, harm: Entry) -> None:
    """None of these restarts anything, but systemd ends the process as soon as it has read them."""
    if "unit" in harm and host.systemd < 248:
        pytest.skip("systemd 247 does not look at StopWhenUnneeded= of a unit that runs when it reads it")
    host.apply(app(1, install=None))
    before, runs = host.listing(), host.invocation("app.service")
    host.forget_versions()
    result = host.failing(app(1, install=None, health={"stable_for": 2}, **harm))
    assert not result["restarted"]
    assert [error["unit"] for error in result["errors"]] == ["app.service"]
    assert host.listing() == before
    assert host.version() == "1"
    assert host.invocation("app.service") != runs


@pytest.mark.by_force("others need it")
def test_a_unit_that_is_bound_to_a_changed_one_and_does_not_come_back(host: Lab) -> None:
    """A unit of someone else that a restart takes along is judged too, and runs again after the roll-back."""
    host.apply(app(1))
    # The program may come to note its version only a moment later.
    check = f"/bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9; do grep -q 1 {NOTES}/app && exit; sleep 0.2; done; exit 1'"
    bound = f"[Unit]\nRequires=app.service\nAfter=app.service\n{IDLE}ExecStartPre={check}\n"
    host.foreign("bound.service", bound)
    before = host.listing()
    result = host.failing(app(2, service={"Type": "exec"}))
    assert [error["unit"] for error in result["errors"]] == ["bound.service"]
    assert host.listing() == before
    assert host.version() == "1"
    assert host.state("bound.service") == "active"


def test_a_dropin_for_a_unit_of_someone_else(host: Lab) -> None:
    host.apply(app(1, "first"))
    host.foreign("app.service", folder="/usr/local/lib/systemd/system")
    before = host.listing()
    dropin = {"name": "app.service", "dropin": "10-user", "service": {"User": "nobody-here"}}
    result = host.failing(app(1, "first"), dropins=[dropin])
    assert result["errors"][0]["status"] == "217"
    assert host.listing() == before
    assert host.state("app.service") == "active"
    assert host.show("app.service", "User", "DropInPaths") == ""


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


def test_a_unit_as_one_module_call(host: Lab) -> None:
    """The modules for single units roll back as the stack does."""
    good, bad = app(1), app(2, service={"ExecStart": program(2, then="exit 3")})
    assert host.apply(module="unit", **good)["newly_started"] == ["app.service"]
    before = host.listing()
    result = host.failing(module="unit", **bad)
    assert result["rolled_back"]
    assert host.listing() == before
    assert host.version() == "1"


@pytest.mark.by_force("others need it")
def test_what_others_ran_and_a_run_took_down_runs_again(host: Lab) -> None:
    """By a declared stop, and by Conflicts= of a unit that is started."""
    host.apply(app(1, "down"))
    host.foreign("needing.service", "[Unit]\nRequires=down.service\n" + IDLE)
    host.foreign("displaced.service")
    displacing = app(1, "displacing", unit={"Conflicts": "displaced.service"})
    result = host.failing(app(1, "down", state="stopped"), displacing, BAD)
    assert result["rolled_back"], result["msg"]
    assert host.states("down", "needing", "displaced") == ["active"] * 3


def test_what_a_new_path_timer_or_socket_has_started_goes_with_it(host: Lab) -> None:
    """None of them had a job of its own: something else started it, the last one even a check."""
    new = [
        {"name": "p.path", "path": {"PathExists": "/etc/passwd"}},
        {"name": "t.timer", "timer": {"OnActiveSec": 0}},
        socket(8002, "s"),
        socket(8003, "a", Accept=True),
        *(app(1, name, install=None) for name in ("p", "t", "s")),
        app(1, "a@", install=None, service={"StandardInput": "socket"}),
    ]
    before = host.listing("/etc")
    asking = "exec 3<>/dev/tcp/127.0.0.1/8002; exec 4<>/dev/tcp/127.0.0.1/8003; sleep 60"
    check = {"command": ["/usr/bin/systemd-run", "--quiet", "--unit=asking", "/bin/bash", "-c", asking]}
    result = host.failing(*new, service("bad", "/bin/sh -c 'sleep 1; exit 3'", health={"stable_for": 5, **check}))
    host.sh("systemctl stop asking.service", check=False)
    assert result["rolled_back"], result["msg"]
    assert host.listing("/etc") == before
    assert host.sh("systemctl list-units --plain --no-legend --state=active '[ptsa].*' 'a@*'") == ""


def test_what_was_at_its_work_or_had_failed_before_is_left_so(host: Lab) -> None:
    """An instance of a package's template that is taken over, and one that failed long ago."""
    host.write(f"{VENDOR}/work@.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 500\n")
    host.write(f"{UNITS}/fails.service", "[Service]\nExecStart=/bin/false\n")
    host.sh("systemctl daemon-reload; systemctl start --no-block work@1 fails")
    until(lambda: host.state("fails.service") == "failed", "it does not fail")
    taken = service("work@", "/bin/sleep 400", service={"Type": "oneshot"}, replace=True)
    dropin = {"name": "fails.service", "dropin": "x", "service": {"Nice": 1}}
    result = host.failing(taken, BAD, dropins=[dropin])
    assert result["rolled_back"], result["msg"]
    assert host.states("work@1.service", "fails.service") == ["activating", "failed"]


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


def test_what_names_a_started_unit_under_conflicts_runs_again(host: Lab) -> None:
    """Conflicts= is of both sides, and what goes down by it takes along what needs it."""
    host.foreign("against.service", "[Unit]\nConflicts=newer.service\n" + IDLE)
    host.foreign("needing.service", "[Unit]\nRequires=against.service\n" + IDLE)
    result = host.failing(app(1, "newer"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.states("against", "needing") == ["active"] * 2


def test_a_unit_that_kept_ending_is_tried_again_after_it(host: Lab) -> None:
    looping = "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1000\n"
    host.foreign("loops.service", looping)
    until(lambda: host.show("loops.service", "SubState") == "auto-restart", "it does not loop")
    result = host.failing({"name": "loops.service", "state": "started"}, BAD)
    assert result["rolled_back"], result["msg"]
    assert host.state("loops.service") == "activating"


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


def test_an_instance_of_someone_else_outlives_a_new_template(host: Lab) -> None:
    host.foreign("t@mine.service")
    assert host.failing(service("t@", "/bin/false", instances=["a"]))["rolled_back"]
    assert host.state("t@mine.service") == "active"


@pytest.mark.parametrize("then", ["exit 1", "sleep 500"])
def test_what_runs_once_a_change_is_not_run_once_more_by_its_old_text(host: Lab, then: str) -> None:
    """A migration, say. The run waits for the old one to end; the new one fails, or is at its work when time is up."""
    log = f"{NOTES}/log"

    def job(text: str) -> Entry:
        once: Entry = {"service": {"Type": "oneshot"}, "run": "on_change", "health": {"timeout": 4}}
        return service("job", f"/bin/sh -c '{text}'", **once)

    host.apply(job(f"echo old >> {log}; sleep 2"))
    host.sh("systemctl start --no-block job.service")
    until(lambda: host.read(log).split() == ["old", "old"], "it does not start")
    assert host.failing(job(f"echo new >> {log}; {then}"))["rolled_back"]
    assert host.read(log).split() == ["old", "old", "new"]
    assert host.state("job.service") == "inactive"

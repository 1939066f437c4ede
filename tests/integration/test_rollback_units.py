# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that one unit cannot live with takes all others back with it: sockets, timers, links, masks, run state."""

from __future__ import annotations

import pytest

from tests.testbed.host import Host
from tests.testbed.listing import listing

from .world import (
    BAD,
    QUICK,
    Entry,
    answer,
    app,
    failing,
    forget_versions,
    invocation,
    no_record,
    program,
    server,
    show,
    stack,
    state,
    until,
    untouched,
    version,
)

pytestmark = pytest.mark.usefixtures("tidy", "web_server")


def test_one_of_ten_fails(host: Host) -> None:
    names = [f"app{number}" for number in range(10)]
    stack(host, *(app(1, name) for name in names))
    before = listing(host)
    new = [app(2, name) for name in names]
    new[6]["service"]["ExecStart"] = program(2, names[6], "exit 3")
    result = failing(host, *new)
    assert [error["unit"] for error in result["errors"]] == ["app6.service"]
    assert listing(host) == before
    assert [version(host, name) for name in names] == ["1"] * 10
    assert host.sh("systemctl is-active 'app*.service' | sort -u") == "active"
    assert no_record(host)


def test_files_of_every_sort_and_links_are_back(host: Host) -> None:
    """Drop-ins, secrets, credentials, an alias, links of our own and of others, a pruned unit, a mask."""
    host.sh("ln -s /dev/null /etc/systemd/system/unmasked.service")
    host.write("/usr/local/lib/systemd/system/masked.service", "[Service]\nExecStart=/bin/sleep infinity\n")
    first = app(1, secrets={"TOKEN": "first"}, credentials={"key": "first"}, install={"Alias": "nick.service"})
    dropin = {"name": "app.service", "dropin": "50-own", "service": {"LimitNOFILE": 1000}, "secrets": {"MORE": "first"}}
    stack(host, first, app(1, "pruned", install={"RequiredBy": "rescue.target"}), dropins=[dropin])
    host.sh("cd /etc/systemd/system && mkdir -p x.target.wants && ln -s ../app.service x.target.wants/app.service")
    host.sh("chmod 0600 /etc/systemd/system/app.service.d/50-own.conf; systemctl daemon-reload")
    before = listing(host)
    second = app(2, secrets={"TOKEN": "second"}, credentials={"other": "second"}, install={"WantedBy": "y.target"})
    dropin = {**dropin, "service": {"LimitNOFILE": 2000}, "secrets": {"MORE": "second"}}
    masks = [{"name": "masked.service", "masked": True}, {"name": "unmasked.service", "masked": False}]
    failing(host, second, *masks, BAD, dropins=[dropin], prune=True)
    assert listing(host) == before
    assert version(host) == "1"
    assert state(host, "pruned.service") == "active"
    assert show(host, "unmasked.service", "LoadState") == "masked"
    assert show(host, "masked.service", "LoadState") == "loaded"
    assert "secret" not in host.sh("tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID app.service)/environ")


def test_what_was_stopped_runs_and_what_was_started_does_not(host: Host) -> None:
    stack(host, app(1, "ran"), app(1, "rested", state="stopped"), app(1, "untouched"))
    kept = invocation(host, "untouched.service")
    before = listing(host)
    failing(host, app(1, "ran", state="stopped"), app(1, "rested"), app(1, "untouched"), BAD)
    assert listing(host) == before
    assert [state(host, f"{name}.service") for name in ("ran", "rested")] == ["active", "inactive"]
    assert invocation(host, "untouched.service") == kept


def test_what_shall_be_gone_is_back_and_runs(host: Host) -> None:
    stack(host, app(1, service={"ExecStop": "/bin/sh -c 'echo stopped > /run/notes/stopped'"}))
    before = listing(host)
    failing(host, {"name": "app.service", "state": "absent"}, BAD)
    assert listing(host) == before
    assert version(host, "stopped") == "stopped"
    assert state(host, "app.service") == "active"
    assert host.sh("systemctl is-enabled app.service") == "enabled"


def test_a_calendar_that_is_none_is_told_before_anything_is_written(host: Host) -> None:
    stack(host, *timer("daily"))
    with untouched(host):
        result = failing(host, *timer("every other blue moon"))
    error = result["errors"][0]
    assert (error["unit"], error["section"], error["directive"]) == ("job.timer", "Timer", "OnCalendar")
    assert state(host, "job.timer") == "active"


def test_a_calendar_that_lies_in_the_past(host: Host) -> None:
    stack(host, *timer("daily"))
    before, elapse = listing(host), show(host, "job.timer", "NextElapseUSecRealtime")
    result = failing(host, *timer("2001-01-01"))
    assert result["errors"][0]["unit"] == "job.timer"
    assert "has no next elapse" in result["msg"]
    assert listing(host) == before
    assert show(host, "job.timer", "NextElapseUSecRealtime") == elapse
    assert not host.exists("/run/notes/job")


def timer(calendar: str) -> list[Entry]:
    forget = {"Type": "oneshot", "ExecStart": program(1, "job", "true")}
    return [
        {"name": "job.service", "service": forget},
        {"name": "job.timer", "timer": {"OnCalendar": calendar}, "install": {"WantedBy": "timers.target"}},
    ]


def socket(port: int, served: str) -> list[Entry]:
    """A socket and the service behind it, which tells its version."""
    return [
        {"name": "web.socket", "socket": {"ListenStream": f"127.0.0.1:{port}"}, "health": QUICK},
        {"name": "web.service", "service": {"ExecStart": server(served, port)}, "health": QUICK},
    ]


@pytest.mark.parametrize("service_runs", [False, True], ids=["idle", "while its service runs"])
def test_a_socket_whose_port_is_taken(host: Host, service_runs: bool) -> None:
    taken = app(0, "other", service={"ExecStart": server("other", 8001)}, health={"tcp": "127.0.0.1:8001"})
    stack(host, taken, *socket(8002, "old"))
    if service_runs:
        assert answer(host, 8002) == "old"
    before = listing(host)
    result = failing(host, taken, *socket(8001, "new"))
    assert "web.socket" in {error["unit"] for error in result["errors"]}
    assert "Address already in use" in str([error["journal"] for error in result["errors"]])
    assert listing(host) == before
    assert state(host, "web.service") == ("active" if service_runs else "inactive")
    assert answer(host, 8002) == "old"
    assert answer(host, 8001) == "other"


def test_a_changed_socket_whose_service_runs_is_back_where_it_was(host: Host) -> None:
    stack(host, *socket(8002, "old"))
    assert answer(host, 8002) == "old"
    before = listing(host)
    result = failing(host, *socket(8003, "new"), BAD)
    assert [error["unit"] for error in result["errors"]] == ["bad.service"]
    assert listing(host) == before
    assert show(host, "web.socket", "Listen") == "127.0.0.1:8002 (Stream)"
    assert state(host, "web.service") == "active"
    assert answer(host, 8002) == "old"
    assert not answer_now(host, 8003)


def test_a_socket_that_starts_a_service_of_another_name(host: Host) -> None:
    def units(port: int, served: str) -> list[Entry]:
        units = socket(port, served)
        units[0]["socket"]["Service"] = units[1]["name"] = "served.service"
        return units

    stack(host, *units(8002, "old"))
    assert answer(host, 8002) == "old"
    before = listing(host)
    failing(host, *units(8003, "new"), BAD)
    assert listing(host) == before
    assert answer(host, 8002) == "old"
    stack(host, *units(8003, "new"))
    assert answer(host, 8003) == "new"


def answer_now(host: Host, port: int) -> str:
    return host.sh(f"curl -s 127.0.0.1:{port}", check=False)


def test_a_cycle_is_told_before_anything_is_written(host: Host) -> None:
    first = app(1, "first", unit={"Requires": "second.service", "After": "second.service"})
    second = app(1, "second", unit={"Requires": "first.service", "After": "first.service"})
    with untouched(host):
        result = failing(host, first, second)
    assert "cycle" in result["msg"]
    assert {error["unit"] for error in result["errors"]} <= {"first.service", "second.service"}
    assert state(host, "first.service") == "inactive"


@pytest.mark.parametrize(
    "harm",
    [{"service": {"RuntimeMaxSec": 1}}, {"unit": {"StopWhenUnneeded": True}}],
    ids=["RuntimeMaxSec", "StopWhenUnneeded"],
)
def test_a_daemon_reload_alone_that_ends_a_process(host: Host, harm: Entry) -> None:
    """None of these restarts anything, but systemd ends the process as soon as it has read them."""
    if "unit" in harm and "systemd 247" in host.sh("systemctl --version"):
        pytest.skip("systemd 247 does not look at StopWhenUnneeded= of a unit that runs when it reads it")
    stack(host, app(1, install=None))
    before, runs = listing(host), invocation(host, "app.service")
    forget_versions(host)
    result = failing(host, app(1, install=None, health={"stable_for": 2}, **harm))
    assert not result["restarted"]
    assert [error["unit"] for error in result["errors"]] == ["app.service"]
    assert listing(host) == before
    assert version(host) == "1"
    assert invocation(host, "app.service") != runs


def test_a_unit_that_is_bound_to_a_changed_one_and_does_not_come_back(host: Host) -> None:
    """A unit of someone else that a restart takes along is judged too, and runs again after the roll-back."""
    stack(host, app(1))
    # The program may come to note its version only a moment later.
    check = "/bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9; do grep -q 1 /run/notes/app && exit; sleep 0.2; done; exit 1'"
    bound = "[Unit]\nRequires=app.service\nAfter=app.service\n"
    bound += f"[Service]\nExecStartPre={check}\nExecStart=/bin/sleep infinity\n"
    host.write("/etc/systemd/system/bound.service", bound)
    host.sh("systemctl daemon-reload && systemctl start bound.service")
    before = listing(host)
    result = failing(host, app(2, service={"Type": "exec"}))
    assert [error["unit"] for error in result["errors"]] == ["bound.service"]
    assert listing(host) == before
    assert version(host) == "1"
    assert state(host, "bound.service") == "active"


def test_a_dropin_for_a_unit_of_someone_else(host: Host) -> None:
    foreign = f"[Service]\nExecStart={program('foreign')}\n"
    host.write("/usr/local/lib/systemd/system/app.service", foreign)
    stack(host, app(1, "first"))
    host.sh("systemctl daemon-reload && systemctl start app.service")
    before = listing(host)
    dropin = {"name": "app.service", "dropin": "10-user", "service": {"User": "nobody-here"}, "health": QUICK}
    result = failing(host, app(1, "first"), dropins=[dropin])
    assert result["errors"][0]["status"] == "217"
    assert listing(host) == before
    assert state(host, "app.service") == "active"
    assert show(host, "app.service", "User", "DropInPaths") == ""


def test_instances_of_a_template(host: Host) -> None:
    def template(number: int, then: str = "exec sleep infinity") -> Entry:
        service = {"ExecStart": program(number, "%i", then)}
        install = {"WantedBy": "multi-user.target"}
        return {
            "name": "t@.service",
            "instances": ["one", "two"],
            "service": service,
            "install": install,
            "health": QUICK,
        }

    stack(host, template(1))
    before = listing(host)
    result = failing(host, template(2, "test %i = one && exec sleep infinity"))
    assert [error["unit"] for error in result["errors"]] == ["t@two.service"]
    assert listing(host) == before
    assert [version(host, name) for name in ("one", "two")] == ["1", "1"]
    assert host.sh("systemctl is-active t@one.service t@two.service") == "active\nactive"


def test_a_unit_as_one_module_call(host: Host) -> None:
    """The modules for single units roll back as the stack does."""
    good, bad = app(1), app(2, service={"ExecStart": program(2, then="exit 3")})
    assert host.module("unit", **good)["newly_started"] == ["app.service"]
    before = listing(host)
    result = host.module("unit", **bad)
    assert result["failed"]
    assert result["rolled_back"]
    assert listing(host) == before
    assert version(host) == "1"


def foreign(host: Host, name: str, text: str = "") -> None:
    host.write(f"/etc/systemd/system/{name}.service", f"{text}\n[Service]\nExecStart=/bin/sleep infinity\n")
    host.sh(f"systemctl daemon-reload && systemctl start {name}.service")


def test_what_others_ran_and_a_run_took_down_runs_again(host: Host) -> None:
    """By a declared stop, and by Conflicts= of a unit that is started."""
    stack(host, app(1, "down"))
    foreign(host, "needing", "[Unit]\nRequires=down.service")
    foreign(host, "displaced")
    displacing = app(1, "displacing", unit={"Conflicts": "displaced.service"})
    result = failing(host, app(1, "down", state="stopped"), displacing, BAD)
    assert result["rolled_back"], result["msg"]
    assert host.sh("systemctl is-active down needing displaced") == "active\nactive\nactive"


def test_what_a_new_path_timer_or_socket_has_started_goes_with_it(host: Host) -> None:
    """None of them had a job of its own: something else started it, the last one even a check."""
    new = [
        {"name": "p.path", "path": {"PathExists": "/etc/passwd"}},
        {"name": "t.timer", "timer": {"OnActiveSec": 0}},
        {"name": "s.socket", "socket": {"ListenStream": "127.0.0.1:8002"}},
        {"name": "a.socket", "socket": {"ListenStream": "127.0.0.1:8003", "Accept": True}},
        *(app(1, name, install=None) for name in ("p", "t", "s")),
        app(1, "a@", install=None, service={"StandardInput": "socket"}),
    ]
    before = listing(host, "/etc")
    bad = app(0, "bad", service={"ExecStart": program(0, "bad", "sleep 1; exit 3")}, health={"stable_for": 5})
    asking = "exec 3<>/dev/tcp/127.0.0.1/8002; exec 4<>/dev/tcp/127.0.0.1/8003; sleep 60"
    check = {"command": ["/usr/bin/systemd-run", "--quiet", "--unit=asking", "/bin/bash", "-c", asking]}
    try:
        result = failing(host, *new, {**bad, "health": {**bad["health"], **check}})
    finally:
        host.sh("systemctl stop asking.service", check=False)
    assert result["rolled_back"], result["msg"]
    assert listing(host, "/etc") == before
    assert host.sh("systemctl list-units --plain --no-legend --state=active '[ptsa].*' 'a@*'") == ""


def test_what_was_at_its_work_or_had_failed_before_is_left_so(host: Host) -> None:
    """An instance of a package's template that is taken over, and one that failed long ago."""
    vendor = "/usr/lib/systemd/system/work@.service"
    host.write(vendor, "[Service]\nType=oneshot\nExecStart=/bin/sleep 500\n")
    host.write("/etc/systemd/system/fails.service", "[Service]\nExecStart=/bin/false\n")
    host.sh("systemctl daemon-reload; systemctl start --no-block work@1 fails")
    until(lambda: state(host, "fails.service") == "failed", "it does not fail")
    taken = {"name": "work@.service", "service": {"Type": "oneshot", "ExecStart": "/bin/sleep 400"}, "replace": True}
    dropin = {"name": "fails.service", "dropin": "x", "service": {"Nice": 1}}
    try:
        result = failing(host, taken, BAD, dropins=[dropin])
        assert result["rolled_back"], result["msg"]
        assert [state(host, unit) for unit in ("work@1.service", "fails.service")] == ["activating", "failed"]
    finally:
        host.sh(f"rm {vendor}; systemctl stop work@1; systemctl daemon-reload")


def test_an_idle_service_that_was_started_by_its_new_version_is_down_again(host: Host) -> None:
    def on_demand(text: str) -> list[Entry]:
        service = {"name": "web.service", "service": {"ExecStart": server(text, 0)}, "health": QUICK}
        check = {"http": "http://127.0.0.1:8002/", **QUICK}
        socket = {"name": "web.socket", "socket": {"ListenStream": "127.0.0.1:8002"}, "health": check}
        return [service, socket]

    stack(host, *on_demand("old"))
    host.sh("systemctl stop web.service")
    changed = on_demand("new")
    changed[1]["socket"]["Backlog"] = 5
    result = failing(host, *changed, BAD)
    assert result["rolled_back"], result["msg"]
    assert [state(host, unit) for unit in ("web.socket", "web.service")] == ["active", "inactive"]
    assert answer(host, 8002) == "old"


def test_what_names_a_started_unit_under_conflicts_runs_again(host: Host) -> None:
    """Conflicts= is of both sides, and what goes down by it takes along what needs it."""
    foreign(host, "against", "[Unit]\nConflicts=newer.service")
    foreign(host, "needing", "[Unit]\nRequires=against.service")
    result = failing(host, app(1, "newer"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.sh("systemctl is-active against needing") == "active\nactive"


def test_a_unit_that_kept_ending_is_tried_again_after_it(host: Host) -> None:
    looping = "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1000\n"
    host.write("/etc/systemd/system/loops.service", looping)
    host.sh("systemctl daemon-reload && systemctl start loops.service")
    until(lambda: show(host, "loops.service", "SubState") == "auto-restart", "it does not loop")
    result = failing(host, {"name": "loops.service", "state": "started"}, BAD)
    assert result["rolled_back"], result["msg"]
    assert show(host, "loops.service", "ActiveState") == "activating"


def test_links_of_default_instances_and_of_also_are_back(host: Host) -> None:
    install = {"WantedBy": "multi-user.target"}
    other = app(1, "other", install=install, state="present")
    also = app(1, "also", install={**install, "Also": "other.service"}, state="present")
    stack(host, other, also)
    before = listing(host, "/etc")
    template = app(1, "t@", install={**install, "DefaultInstance": "one"}, enabled=True)
    result = failing(host, other, template, BAD, prune=True)
    assert result["rolled_back"], result["msg"]
    assert listing(host, "/etc") == before
    stack(host, other, prune=True)
    assert host.sh("systemctl is-enabled other.service") == "enabled"


def test_an_instance_of_someone_else_outlives_a_new_template(host: Host) -> None:
    foreign(host, "t@mine")
    template = {"name": "t@.service", "instances": ["a"], "service": {"ExecStart": "/bin/false"}, "health": QUICK}
    assert failing(host, template)["rolled_back"]
    assert state(host, "t@mine.service") == "active"


@pytest.mark.parametrize("then", ["exit 1", "sleep 500"])
def test_what_runs_once_a_change_is_not_run_once_more_by_its_old_text(host: Host, then: str) -> None:
    """A migration, say. The run waits for the old one to end; the new one fails, or is at its work when time is up."""
    log = "/run/notes/log"
    forget_versions(host)

    def job(text: str) -> Entry:
        once = {"Type": "oneshot", "ExecStart": f"/bin/sh -c '{text}'"}
        return {"name": "job.service", "service": once, "run": "on_change", "health": {"timeout": 4}}

    stack(host, job(f"echo old >> {log}; sleep 2"))
    host.sh("systemctl start --no-block job.service")
    until(lambda: host.read(log).split() == ["old", "old"], "it does not start")
    assert failing(host, job(f"echo new >> {log}; {then}"))["rolled_back"]
    assert host.read(log).split() == ["old", "old", "new"]
    assert state(host, "job.service") == "inactive"

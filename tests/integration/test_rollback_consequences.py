# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A roll-back brings back what went down with the change, whose ever it is, and starts nothing else."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, IDLE, UNITS, VENDOR, Entry, app, program, server, service, socket, web
from .lab import Lab, until


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


@pytest.mark.by_force("others need it")
def test_what_others_ran_and_a_run_took_down_runs_again(host: Lab) -> None:
    """By a declared stop, and by Conflicts= of a unit that is started."""
    host.apply(app(1, "down"))
    host.foreign("needing.service", "[Unit]\nRequires=down.service\n" + IDLE)
    host.foreign("displaced.service")
    displacing = app(1, "displacing", unit={"Conflicts": "displaced.service"})
    result = host.failing(app(1, "down", state="stopped"), displacing, BAD)
    assert result["rolled_back"], result["msg"]
    assert result["started_again"] == ["displaced.service", "down.service", "needing.service"]
    assert host.states("down", "needing", "displaced") == ["active"] * 3


def test_what_names_a_started_unit_under_conflicts_runs_again(host: Lab) -> None:
    """Conflicts= is of both sides, and what goes down by it takes along what needs it."""
    host.foreign("against.service", "[Unit]\nConflicts=newer.service\n" + IDLE)
    host.foreign("needing.service", "[Unit]\nRequires=against.service\n" + IDLE)
    result = host.failing(app(1, "newer"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.states("against", "needing") == ["active"] * 2


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


def test_a_unit_that_kept_ending_is_tried_again_after_it(host: Lab) -> None:
    looping = "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1000\n"
    host.foreign("loops.service", looping)
    until(lambda: host.show("loops.service", "SubState") == "auto-restart", "it does not loop")
    result = host.failing({"name": "loops.service", "state": "started"}, BAD)
    assert result["rolled_back"], result["msg"]
    assert host.state("loops.service") == "activating"


def test_an_instance_of_someone_else_outlives_a_new_template(host: Lab) -> None:
    host.foreign("t@mine.service")
    assert host.failing(service("t@", "/bin/false", instances=["a"]))["rolled_back"]
    assert host.state("t@mine.service") == "active"


def test_a_stopped_socket_is_back_and_what_its_service_takes_along_too(host: Lab) -> None:
    """It starts only while its service is down, and a worker needs that."""
    worker = app(1, "worker", unit={"Requires": "web.service", "After": "web.service"})
    host.apply(socket(8002), web(), worker)
    before = host.listing()
    result = host.failing({**socket(8002), "state": "stopped"}, web(), worker, BAD)
    assert result["started_again"] == ["web.service", "web.socket", "worker.service"]
    assert host.listing() == before
    assert host.states("web.socket", "web.service", "worker.service") == ["active"] * 3


def test_a_roll_back_waits_for_no_work_that_it_has_begun_again(host: Lab) -> None:
    host.apply(service("job", program(1, "job", "exec sleep 500"), service={"Type": "oneshot"}))
    host.begin("job.service")
    result = host.failing(BAD, prune=True)
    assert result["rolled_back"], result["msg"]
    assert host.state("job.service") == "activating"


def test_what_is_bound_to_a_process_that_ends_on_its_reload_is_back(host: Lab) -> None:
    def base(reload: str, value: str) -> Entry:
        return app(1, "base", service={"ExecReload": reload}, environment={"V": value}, on_change="reload")

    bound = app(1, "bound", unit={"BindsTo": "base.service", "After": "base.service"})
    host.apply(base("/bin/true", "1"), bound)
    result = host.failing(base("/bin/kill -KILL $MAINPID", "2"), bound)
    assert result["rolled_back"], result["msg"]
    assert host.states("base.service", "bound.service") == ["active"] * 2


@pytest.mark.by_force("others need it")
def test_a_roll_back_leaves_to_systemd_what_refuses_its_stop(host: Lab) -> None:
    """It goes down with what it needs, and is up again."""
    host.apply(socket(8002), web())
    host.foreign("other.service", "[Unit]\nRequires=web.service\nAfter=web.service\nRefuseManualStop=yes\n" + IDLE)
    result = host.failing({**socket(8002), "state": "stopped"}, web(), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.states("web.socket", "web.service", "other.service") == ["active"] * 3


def test_what_waits_for_another_is_not_started_after_a_roll_back(host: Lab) -> None:
    slow = app(1, "slow", service={"Type": "notify", "TimeoutStartSec": "infinity"})
    late = app(1, "late", unit={"After": "slow.service", "Wants": "slow.service"})
    host.apply(app(1))
    before = host.listing()
    result = host.failing(app(1), slow, late, BAD)
    assert result["rolled_back"], result["msg"]
    until(lambda: host.sh("systemctl list-jobs --no-legend") == "", "jobs are left")
    assert host.listing() == before
    assert host.state("late.service") == "inactive"
    assert not host.exists(f"{NOTES}/late")


def test_what_a_unit_of_before_needs_stays_up(host: Lab) -> None:
    """It had failed, and what requires it ran on."""
    base = service("a")
    bound = service("c", unit={"Requires": base["name"]})
    host.apply(base, bound)
    host.sh("systemctl kill --signal=KILL a.service")
    until(lambda: host.state("a.service") == "failed", "a.service has not failed")
    before = host.invocation("c.service")
    result = host.failing(base, bound, BAD)
    assert result["rolled_back"] is True
    assert "a.service stays up: c.service needs it" in result["msg"]
    assert result["started_again"] == []
    assert host.states("a.service", "c.service") == ["active"] * 2
    assert host.invocation("c.service") == before


def test_what_only_the_new_text_of_another_needs_goes_down_again(host: Lab) -> None:
    """A unit has got another name, and what is bound to it runs on by that."""

    def units(name: str) -> list[Entry]:
        bound = {"BindsTo": f"{name}.service", "After": f"{name}.service"}
        return [service(name, server(name, 8001)), service("c", unit=bound)]

    host.apply(*units("old"))
    result = host.failing(*units("new"), {**BAD, "unit": {"After": "c.service"}}, prune=True)
    assert result["rolled_back"], result["msg"]
    assert "stays up" not in result["msg"]
    assert host.states("old.service", "new.service", "c.service") == ["active", "inactive", "active"]
    assert host.answer(8001) == "old"
    host.assert_settled(*units("old"), prune=True)


def test_what_only_the_new_text_of_another_upholds_goes_down_again(host: Lab) -> None:
    if host.systemd < 249:
        pytest.skip("Upholds= came with systemd 249")

    def units(name: str) -> list[Entry]:
        return [service("c", unit={"Upholds": f"{name}.service"}), service(name)]

    host.apply(*units("old"))
    result = host.failing(*units("new"), {**BAD, "unit": {"After": "new.service"}}, prune=True)
    assert result["rolled_back"], result["msg"]
    assert host.states("old.service", "new.service", "c.service") == ["active", "inactive", "active"]


def test_what_a_text_has_come_to_need_goes_down_without_it(host: Lab) -> None:
    host.apply(service("c"))
    before = host.invocation("c.service")
    result = host.failing(service("c", unit={"Requires": "a.service"}), service("a"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.states("a.service", "c.service") == ["inactive", "active"]
    assert host.invocation("c.service") == before


def test_what_goes_down_with_a_unit_that_is_new_runs_again(host: Lab) -> None:
    host.foreign("c.service", "[Unit]\nPartOf=a.service\n" + IDLE)
    result = host.failing(service("a"), BAD)
    assert result["rolled_back"] is True
    assert result["started_again"] == ["c.service"]
    assert host.states("a.service", "c.service") == ["inactive", "active"]


def test_what_does_not_run_again_after_a_roll_back_is_named(host: Lab) -> None:
    """It runs only once."""
    once = f"[Unit]\nPartOf=a.service\n[Service]\nExecStart=/bin/sh -c 'mkdir {NOTES}/once && exec sleep infinity'\n"
    host.foreign("c.service", once)
    until(lambda: host.exists(f"{NOTES}/once"), "c.service has not begun")
    result = host.failing(service("a"), BAD)
    assert result["rolled_back"] is False
    assert "c.service" in result["msg"]
    host.apply(service("a"))  # what was not undone is noted until then


def test_what_a_start_brought_up_of_others_goes_down_again(host: Lab) -> None:
    """A unit that is wanted, what that requires, and the slice in which one is; but not what refuses it."""
    host.foreign("needed.service", start=False)
    host.foreign("wanted.service", "[Unit]\nRequires=needed.service\nAfter=needed.service\n" + IDLE, start=False)
    host.foreign("stubborn.service", "[Unit]\nRefuseManualStop=yes\n" + IDLE, start=False)
    host.foreign("lab.slice", "[Slice]\nCPUWeight=200\n", start=False)
    wants = {"Wants": "wanted.service stubborn.service", "After": "wanted.service stubborn.service"}
    result = host.failing(
        service("a", unit=wants, service={"Slice": "lab.slice"}), {**BAD, "unit": {"After": "a.service"}}
    )
    assert result["rolled_back"], result["msg"]
    assert "stubborn.service stays up: it refuses a manual stop" in result["msg"]
    assert host.states("a", "needed", "wanted", "lab.slice", "stubborn") == [*["inactive"] * 4, "active"]

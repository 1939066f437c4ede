# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends or starts by itself while a run is at work: no failure, not started out of time, not left behind."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tests.testbed.listing import NOTES

from .entries import BAD, FOREVER, WANTED, Entry, app, bad, echo, merged, program, server, service, socket, web
from .lab import Lab, until

FLAG, LOG = f"{NOTES}/flag", f"{NOTES}/log"


def job(description: str) -> Entry:
    """What works until the flag goes, started by hand, as a timer would."""
    work = f"/bin/sh -c 'echo begun >> {LOG}; while test -e {FLAG}; do sleep 0.05; done'"
    return service("job", work, unit={"Description": description}, state="present")


def begin_job(host: Lab) -> None:
    host.apply(job("old"))
    host.sh(f"touch {FLAG}; systemctl start job.service")


END_JOB = f"rm {FLAG}; while systemctl -q is-active job.service; do sleep 0.05; done"


def test_what_ends_well_by_itself_meanwhile_has_not_failed(host: Lab) -> None:
    begin_job(host)
    ends_it = app(1, health={"command": ["/bin/sh", "-c", f"{END_JOB}; true"]})
    patient = {**job("new"), "health": {"stable_for": 60}}
    result = host.apply(ends_it, patient)
    assert result["changed"]
    assert host.state("job.service") == "inactive"
    assert host.read(LOG).split() == ["begun"]


def test_what_has_ended_by_itself_is_not_run_once_more_by_a_roll_back(host: Lab) -> None:
    begin_job(host)
    before = host.listing()
    host.failing(job("new"), bad(f"{END_JOB}; "))
    assert host.listing() == before
    assert host.state("job.service") == "inactive"
    assert host.read(LOG).split() == ["begun"]


def test_a_connection_that_ends_meanwhile_is_no_failure(host: Lab) -> None:
    running = "systemctl list-units --plain --no-legend --state=active 'echo@*.service'"
    host.apply(*echo("old", 8002))
    for hang_up in (True, False):
        with host.connected(8002):
            until(lambda: host.sh(running), "no connection is served")
            ends_it = f"systemctl stop asking.service; while {running} | grep -q .; do sleep 0.05; done; "
            if hang_up:
                command = ["/bin/sh", "-c", ends_it + "true"]
                host.apply(*echo("new", 8002), app(1, health={"command": command}))
            else:
                result = host.failing(*echo("newer", 8002), bad(ends_it))
                assert result["rolled_back"], result["msg"]
        assert host.sh(running) == ""


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


def test_a_start_limit_of_one_does_not_hinder_the_roll_back(host: Lab) -> None:
    limited: Entry = {"unit": {"StartLimitBurst": 1, "StartLimitIntervalSec": 600}}
    host.apply(app(1, **limited))
    result = host.failing(app(2, **limited), bad(f"while ! grep -q 2 {NOTES}/app; do sleep 0.05; done; "))
    assert result["rolled_back"], result["msg"]
    assert host.state("app.service") == "active"
    assert host.version() == "1"


def test_a_timer_whose_time_for_this_boot_is_over_does_not_run_again(host: Lab) -> None:
    log = f"{NOTES}/log"

    def timer(description: str) -> list[Entry]:
        unit = {"Description": description}
        return [
            {"name": "once.timer", "unit": unit, "timer": {"OnBootSec": "1s", "AccuracySec": "1ms"}},
            service("once", f"/bin/sh -c 'echo ran >> {log}'", service={"Type": "oneshot"}),
        ]

    host.apply(*timer("old"))
    until(lambda: host.show("once.timer", "SubState") == "elapsed", "the timer does not elapse")
    ran = host.read(log)
    result = host.failing(*timer("new"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.show("once.timer", "SubState") == "elapsed"
    until(lambda: host.state("once.service") == "inactive", "it runs")
    assert host.read(log) == ran


def wants_what_a_socket_starts(port: int, text: str) -> list[Entry]:
    """The one that pulls it in comes first, and the service has no job of its own."""
    waiting = app(text, unit={"Wants": "api.service", "After": "api.service"})
    return [waiting, web(text, "api"), socket(port, "api")]


def test_a_socket_is_open_before_another_unit_starts_its_service(host: Lab) -> None:
    host.apply(*wants_what_a_socket_starts(8002, "one"))
    assert host.answer(8002) == "one"
    host.apply(*wants_what_a_socket_starts(8003, "two"))
    assert host.answer(8003) == "two"
    before = host.listing()
    result = host.failing(*wants_what_a_socket_starts(8004, "three"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.listing() == before
    assert host.answer(8003) == "two"


def test_a_socket_comes_after_what_it_is_ordered_after(host: Lab) -> None:
    first = service("first", "/bin/sleep 0.5", service={"Type": "oneshot", "RemainAfterExit": True})
    after = {"unit": {"After": "first.service"}}
    sockets = [{**socket(port, each, Service="api.service"), **after} for port, each in ((8002, "a"), (8003, "b"))]
    host.apply(first, *sockets, web(name="api"))
    done = int(host.show("first.service", "ActiveEnterTimestampMonotonic"))
    assert all(int(host.show(f"{each}.socket", "ActiveEnterTimestampMonotonic")) >= done for each in "ab")


# Serves one connection, whichever socket it comes from.
BRIEF = (
    '/usr/bin/python3 -c \'import os, select, socket; fds = [*range(3, 3 + int(os.environ["LISTEN_FDS"]))]; '
    "socket.socket(fileno=select.select(fds, [], [])[0][0]).accept()'"
)


def brief(port: int, start: str = BRIEF, **more: Entry) -> list[Entry]:
    """A service that comes and goes, with a socket that changes and one that does not."""
    listen = {"Service": "brief.service", "TriggerLimitIntervalSec": 0}
    served = merged(service("brief", start, unit={"StartLimitIntervalSec": 0}), more)
    return [socket(port, "changed", **listen), socket(8005, "other", **listen), served]


def visited(host: Lab) -> AbstractContextManager[None]:
    return host.asked(8005, *range(8300, 8307), pause="sleep 0.2")


def test_a_socket_changes_while_its_service_comes_and_goes(host: Lab) -> None:
    """What is down when the host is looked at may have been started when its socket is closed, by another one too."""
    host.apply(*brief(8300))
    with visited(host):
        for port in range(8301, 8305):
            host.apply(*brief(port))
        for port in (8305, 8306):
            result = host.failing(*brief(port), BAD)
            assert result["rolled_back"], result["msg"]
            assert host.states("changed.socket", "other.socket") == ["active"] * 2


def test_nothing_of_it_is_left_when_it_goes(host: Lab) -> None:
    for _time in range(4):
        host.apply(*brief(8300))
        with visited(host):
            host.apply(state="absent")
            assert host.state("brief.service") == "inactive"


def test_what_crashes_on_each_connection_has_failed(host: Lab) -> None:
    """Its socket starts it again each time, so that it looks up."""
    patient = {"stable_for": 3, "timeout": 20}
    host.apply(*brief(8300, FOREVER))
    host.sh("systemctl start brief.service")
    with visited(host):
        result = host.failing(*brief(8301, "/bin/sh -c 'sleep 0.25; exit 3'", health=patient))
    assert "brief.service" in [error["unit"] for error in result["errors"]]
    assert result["rolled_back"], result["msg"]


def test_what_serves_one_connection_after_another_is_not_held_to_stay(host: Lab) -> None:
    patient = {"stable_for": 2, "timeout": 5}

    def units(port: int) -> list[Entry]:
        return [{**unit, "health": patient} for unit in brief(port)]

    host.apply(*units(8300))
    with host.asked(8005, *range(8300, 8303)):
        for port in (8301, 8302):
            host.apply(*units(port))
    assert host.states("changed.socket", "other.socket") == ["active"] * 2


def test_a_changed_service_on_demand_may_end_when_its_work_is_done(host: Lab) -> None:
    def units(seconds: float) -> list[Entry]:
        start = f"/bin/sh -c 'test -z $LISTEN_FDS || sleep {seconds}'"
        return [socket(8002, FlushPending=True), service("web", start, health={"stable_for": 3})]

    host.apply(*units(60))
    host.sh("bash -c 'true > /dev/tcp/127.0.0.1/8002'")
    until(lambda: host.state("web.service") == "active", "it is not started")
    assert host.apply(*units(1.5))["restarted"] == ["web.service"]
    assert host.states("web.socket", "web.service") == ["active", "inactive"]
    # Not if it has a check, and ends before that has passed.
    host.sh("bash -c 'true > /dev/tcp/127.0.0.1/8002'")
    host.apply(*units(60))
    host.sh("bash -c 'true > /dev/tcp/127.0.0.1/8002'")
    until(lambda: host.state("web.service") == "active", "it is not started")
    listening, brief_one = units(0.5)
    result = host.failing(listening, merged(brief_one, {"health": {"command": ["/bin/false"]}}))
    assert result["rolled_back"], result["msg"]
    assert host.state("web.service") == "active"


def test_what_a_timer_of_someone_else_starts_may_end_when_its_work_is_done(host: Lab) -> None:
    more: Entry = {"install": WANTED, "state": "present", "health": {"stable_for": 4}}
    work = service("job", "/bin/sleep 3", unit={"PartOf": "base.service"}, **more)
    host.apply(app(1, "base"), work)
    host.foreign("theirs.timer", "[Timer]\nOnCalendar=2099-01-01\nUnit=job.service\n")
    host.sh("systemctl start job.service")
    host.apply(work, prune=True)
    assert host.states("base.service", "job.service") == ["inactive", "inactive"]


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


def test_what_a_condition_keeps_down_after_its_socket_has_changed_is_told(host: Lab) -> None:
    host.apply(*brief(8300, FOREVER))
    host.sh("systemctl start brief.service")
    result = host.failing(*brief(8301, FOREVER, unit={"ConditionPathExists": "/nowhere"}))
    assert "conditions is not met" in result["msg"]
    assert host.state("brief.service") == "active"


def test_what_is_bound_to_a_service_that_is_down_goes_on(host: Lab) -> None:
    part = app(1, "part", unit={"PartOf": "brief.service"})
    host.apply(*brief(8300), part)
    pid = host.show("part.service", "MainPID")
    host.apply(*brief(8301), part)
    assert host.show("part.service", "MainPID") == pid


def test_a_socket_that_needs_what_is_restarted_starts_after_it(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        changed, *rest = brief(8300 + version)
        return [app(version, "base"), {**changed, "unit": {"Requires": "base.service", "After": "base.service"}}, *rest]

    host.apply(*units(0))
    with visited(host):
        for version in range(1, 5):
            host.apply(*units(version))
            assert host.states("changed.socket", "other.socket") == ["active"] * 2


def test_what_is_up_in_time_is_so_whatever_the_checks_of_others_take(host: Lab) -> None:
    """They fail once, so that all are looked at again and again."""
    slow = f"test -e {NOTES}/asked-$0 && exit 0; touch {NOTES}/asked-$0; sleep 4; exit 1"
    units = [app(1, each, health={"command": ["/bin/sh", "-c", slow, each]}) for each in ("a", "b", "c")]
    ready = program(1, "z", "sleep 1; systemd-notify --ready; exec sleep infinity")
    notify = {"Type": "notify", "NotifyAccess": "all", "ExecStart": ready}
    host.apply(*units, app(1, "z", service=notify, health={"stable_for": 1, "timeout": 5}))
    assert host.state("z.service") == "active"


def test_what_requisite_takes_along_is_up_again(host: Lab) -> None:
    def units(port: int) -> list[Entry]:
        needs = {"Requisite": "api.service", "After": "api.service"}
        return [socket(port, "api"), web(name="api"), app(1, "worker", unit=needs)]

    host.apply(*units(8002)[:2])
    assert host.answer(8002) == "one"
    host.apply(*units(8002))
    result = host.apply(*units(8003))
    assert "worker.service" in result["restarted"]
    assert host.state("worker.service") == "active"
    assert host.apply(*units(8003))["changed"] is False

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends or starts by itself while a run is at work: no failure, not started out of time, not left behind."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.testbed.host import Host
from tests.testbed.listing import listing

from .world import (
    QUICK,
    Entry,
    answer,
    app,
    asked,
    connected,
    echo,
    failing,
    program,
    server,
    show,
    stack,
    state,
    until,
    version,
)

pytestmark = pytest.mark.usefixtures("tidy", "web_server")

FLAG, LOG = "/run/notes/flag", "/run/notes/log"


def bad(after: str = "") -> Entry:
    """A unit that takes a run down with it, once `after` has been so."""
    return app(0, "bad", service={"ExecStart": program(0, "bad", f"{after}exit 3")})


def job(description: str) -> list[Entry]:
    """What works until the flag goes, started by hand, as a timer would."""
    work = f"/bin/sh -c 'echo begun >> {LOG}; while test -e {FLAG}; do sleep 0.05; done'"
    return [
        {
            "name": "job.service",
            "unit": {"Description": description},
            "service": {"ExecStart": work},
            "state": "present",
            "health": QUICK,
        }
    ]


def begin_job(host: Host) -> None:
    stack(host, *job("old"))
    host.sh(f"rm -f {LOG}; touch {FLAG}; systemctl start job.service")


END_JOB = f"rm {FLAG}; while systemctl -q is-active job.service; do sleep 0.05; done"


def test_what_ends_well_by_itself_meanwhile_has_not_failed(host: Host) -> None:
    begin_job(host)
    ends_it = app(1, health={"stable_for": 0.3, "timeout": 20, "command": ["/bin/sh", "-c", f"{END_JOB}; true"]})
    patient = {**job("new")[0], "health": {"stable_for": 60, "timeout": 20}}
    result = stack(host, ends_it, patient)
    assert result["changed"]
    assert state(host, "job.service") == "inactive"
    assert host.read(LOG).split() == ["begun"]


def test_what_has_ended_by_itself_is_not_run_once_more_by_a_roll_back(host: Host) -> None:
    begin_job(host)
    before = listing(host)
    failing(host, *job("new"), bad(f"{END_JOB}; "))
    assert listing(host) == before
    assert state(host, "job.service") == "inactive"
    assert host.read(LOG).split() == ["begun"]


def test_a_connection_that_ends_meanwhile_is_no_failure(host: Host) -> None:
    running = "systemctl list-units --plain --no-legend --state=active 'echo@*.service'"
    stack(host, *echo("old", 8002))
    for hang_up in (True, False):
        with connected(host, 8002):
            until(lambda: host.sh(running), "no connection is served")
            ends_it = f"systemctl stop asking.service; while {running} | grep -q .; do sleep 0.05; done; "
            if hang_up:
                command = ["/bin/sh", "-c", ends_it + "true"]
                stack(host, *echo("new", 8002), app(1, health={"stable_for": 0.3, "timeout": 20, "command": command}))
            else:
                result = failing(host, *echo("newer", 8002), bad(ends_it))
                assert result["rolled_back"], result["msg"]
        assert host.sh(running) == ""


def test_what_waits_for_another_is_not_started_after_a_roll_back(host: Host) -> None:
    slow = app(1, "slow", service={"Type": "notify", "TimeoutStartSec": "infinity"})
    late = app(1, "late", unit={"After": "slow.service", "Wants": "slow.service"})
    stack(host, app(1))
    before = listing(host)
    result = failing(host, app(1), slow, late, bad())
    assert result["rolled_back"], result["msg"]
    until(lambda: host.sh("systemctl list-jobs --no-legend") == "", "jobs are left")
    assert listing(host) == before
    assert state(host, "late.service") == "inactive"
    assert not host.exists("/run/notes/late")


def test_a_start_limit_of_one_does_not_hinder_the_roll_back(host: Host) -> None:
    limited: dict[str, Any] = {"unit": {"StartLimitBurst": 1, "StartLimitIntervalSec": 600}}
    stack(host, app(1, **limited))
    result = failing(host, app(2, **limited), bad("while ! grep -q 2 /run/notes/app; do sleep 0.05; done; "))
    assert result["rolled_back"], result["msg"]
    assert state(host, "app.service") == "active"
    assert version(host) == "1"


def test_a_timer_whose_time_for_this_boot_is_over_does_not_run_again(host: Host) -> None:
    def timer(description: str) -> list[Entry]:
        unit = {"Description": description}
        work = {"Type": "oneshot", "ExecStart": f"/bin/sh -c 'echo ran >> {LOG}'"}
        return [
            {"name": "once.timer", "unit": unit, "timer": {"OnBootSec": "1s", "AccuracySec": "1ms"}},
            {"name": "once.service", "service": work},
        ]

    stack(host, *timer("old"))
    until(lambda: show(host, "once.timer", "SubState") == "elapsed", "the timer does not elapse")
    ran = host.read(LOG)
    result = failing(host, *timer("new"), bad())
    assert result["rolled_back"], result["msg"]
    assert show(host, "once.timer", "SubState") == "elapsed"
    until(lambda: state(host, "once.service") == "inactive", "it runs")
    assert host.read(LOG) == ran


def wants_what_a_socket_starts(port: int, text: str) -> list[Entry]:
    """The one that pulls it in comes first, and the service has no job of its own."""
    listen = {"ListenStream": f"127.0.0.1:{port}", "Service": "api.service"}
    return [
        app(text, unit={"Wants": "api.service", "After": "api.service"}),
        {"name": "api.service", "service": {"ExecStart": server(text, 0)}, "health": QUICK},
        {"name": "api.socket", "socket": listen, "health": QUICK},
    ]


def test_a_socket_is_open_before_another_unit_starts_its_service(host: Host) -> None:
    stack(host, *wants_what_a_socket_starts(8002, "one"))
    assert answer(host, 8002) == "one"
    stack(host, *wants_what_a_socket_starts(8003, "two"))
    assert answer(host, 8003) == "two"
    before = listing(host)
    result = failing(host, *wants_what_a_socket_starts(8004, "three"), bad())
    assert result["rolled_back"], result["msg"]
    assert listing(host) == before
    assert answer(host, 8003) == "two"


def test_a_socket_comes_after_what_it_is_ordered_after(host: Host) -> None:
    first = app(1, "first", service={"Type": "oneshot", "RemainAfterExit": True, "ExecStart": "/bin/sleep 0.5"})
    units = [
        first,
        *(
            {
                "name": f"{each}.socket",
                "unit": {"After": "first.service"},
                "socket": {"ListenStream": f"127.0.0.1:{port}", "Service": "api.service"},
            }
            for port, each in ((8002, "a"), (8003, "b"))
        ),
    ]
    api = {"name": "api.service", "service": {"ExecStart": server("one", 0)}}
    stack(host, *units, api)
    done = int(show(host, "first.service", "ActiveEnterTimestampMonotonic"))
    assert all(int(show(host, f"{each}.socket", "ActiveEnterTimestampMonotonic")) >= done for each in "ab")


# Serves one connection, whichever socket it comes from.
BRIEF = (
    '/usr/bin/python3 -c \'import os, select, socket; fds = [*range(3, 3 + int(os.environ["LISTEN_FDS"]))]; '
    "socket.socket(fileno=select.select(fds, [], [])[0][0]).accept()'"
)


def brief(port: int, start: str = BRIEF, **more: Entry) -> list[Entry]:
    """A service that comes and goes, with a socket that changes and one that does not."""
    listen = {"Service": "brief.service", "TriggerLimitIntervalSec": 0}
    unit = {"StartLimitIntervalSec": 0, **more.pop("unit", {})}
    return [
        {"name": "changed.socket", "socket": {"ListenStream": f"127.0.0.1:{port}", **listen}, "health": QUICK},
        {"name": "other.socket", "socket": {"ListenStream": "127.0.0.1:8005", **listen}, "health": QUICK},
        {"name": "brief.service", "unit": unit, "service": {"ExecStart": start}, "health": QUICK, **more},
    ]


def visited(host: Host) -> AbstractContextManager[None]:
    return asked(host, 8005, *range(8300, 8307), pause="sleep 0.2")


def test_a_socket_changes_while_its_service_comes_and_goes(host: Host) -> None:
    """What is down when the host is looked at may have been started when its socket is closed, by another one too."""
    stack(host, *brief(8300))
    with visited(host):
        for port in range(8301, 8305):
            stack(host, *brief(port))
        for port in (8305, 8306):
            result = failing(host, *brief(port), bad())
            assert result["rolled_back"], result["msg"]
            assert host.sh("systemctl is-active changed.socket other.socket") == "active\nactive"


def test_nothing_of_it_is_left_when_it_goes(host: Host) -> None:
    for _time in range(4):
        stack(host, *brief(8300))
        with visited(host):
            stack(host, state="absent")
            assert state(host, "brief.service") == "inactive"


def test_what_crashes_on_each_connection_has_failed(host: Host) -> None:
    """Its socket starts it again each time, so that it looks up."""
    patient = {"stable_for": 3, "timeout": 20}
    stack(host, *brief(8300, "/bin/sleep infinity"))
    host.sh("systemctl start brief.service")
    with visited(host):
        result = failing(host, *brief(8301, "/bin/sh -c 'sleep 0.25; exit 3'", health=patient))
    assert "brief.service" in [error["unit"] for error in result["errors"]]
    assert result["rolled_back"], result["msg"]


def test_what_serves_one_connection_after_another_is_not_held_to_stay(host: Host) -> None:
    patient = {"stable_for": 2, "timeout": 5}

    def units(port: int) -> list[Entry]:
        return [{**unit, "health": patient} for unit in brief(port)]

    stack(host, *units(8300))
    with asked(host, 8005, *range(8300, 8303)):
        for port in (8301, 8302):
            stack(host, *units(port))
    assert host.sh("systemctl is-active changed.socket other.socket") == "active\nactive"


def test_a_changed_service_on_demand_may_end_when_its_work_is_done(host: Host) -> None:
    def units(seconds: float) -> list[Entry]:
        start = f"/bin/sh -c 'test -z $LISTEN_FDS || sleep {seconds}'"
        patient = {"stable_for": 3, "timeout": 20}
        listen = {"ListenStream": "127.0.0.1:8002", "FlushPending": True}
        return [
            {"name": "web.socket", "socket": listen, "health": QUICK},
            {"name": "web.service", "service": {"ExecStart": start}, "health": patient},
        ]

    stack(host, *units(60))
    host.sh("bash -c 'true > /dev/tcp/127.0.0.1/8002'")
    until(lambda: state(host, "web.service") == "active", "it is not started")
    assert stack(host, *units(1.5))["restarted"] == ["web.service"]
    assert host.sh("systemctl is-active web.socket web.service", check=False) == "active\ninactive"
    # Not if it has a check, and ends before that has passed.
    host.sh("bash -c 'true > /dev/tcp/127.0.0.1/8002'")
    socket, service = units(60)
    stack(host, socket, service)
    host.sh("bash -c 'true > /dev/tcp/127.0.0.1/8002'")
    until(lambda: state(host, "web.service") == "active", "it is not started")
    checked = {**units(0.5)[1], "health": {"stable_for": 3, "timeout": 20, "command": ["/bin/false"]}}
    result = failing(host, socket, checked)
    assert result["rolled_back"], result["msg"]
    assert state(host, "web.service") == "active"


def test_what_a_timer_of_someone_else_starts_may_end_when_its_work_is_done(host: Host) -> None:
    work = app(1, "job", unit={"PartOf": "base.service"}, service={"ExecStart": "/bin/sleep 3"}, state="present")
    work["health"] = {"stable_for": 4, "timeout": 20}
    stack(host, app(1, "base"), work)
    timer = "/etc/systemd/system/theirs.timer"
    host.write(timer, "[Timer]\nOnCalendar=2099-01-01\nUnit=job.service\n")
    host.sh("systemctl daemon-reload; systemctl start theirs.timer; systemctl start job.service")
    stack(host, work, prune=True)
    assert [state(host, unit) for unit in ("base.service", "job.service")] == ["inactive", "inactive"]


def test_a_socket_or_path_that_falls_with_its_service_is_back_too(host: Host) -> None:
    """What they start over and over runs into its start limit, and takes them down with it."""

    def units(start: str) -> list[Entry]:
        path = {"PathExists": "/etc/hostname", "Unit": "found.service"}
        return [
            {"name": "web.socket", "socket": {"ListenStream": "127.0.0.1:8002"}, "health": QUICK},
            {"name": "web.service", "service": {"ExecStart": start or server("one", 0)}, "health": QUICK},
            {"name": "found.path", "path": path, "health": QUICK},
            {"name": "found.service", "service": {"ExecStart": start or "/bin/sleep infinity"}, "health": QUICK},
        ]

    stack(host, *units(""))
    assert answer(host, 8002) == "one"
    with asked(host, 8002):
        result = failing(host, *units("/bin/false"))
        assert result["rolled_back"], result["msg"]
    names = "web.socket web.service found.path found.service"
    assert host.sh(f"systemctl is-active {names}").split() == ["active"] * 4
    assert answer(host, 8002) == "one"


def test_what_a_condition_keeps_down_after_its_socket_has_changed_is_told(host: Host) -> None:
    idle = "/bin/sleep infinity"
    stack(host, *brief(8300, idle))
    host.sh("systemctl start brief.service")
    result = failing(host, *brief(8301, idle, unit={"ConditionPathExists": "/nowhere"}))
    assert "conditions is not met" in result["msg"]
    assert state(host, "brief.service") == "active"


def test_what_is_bound_to_a_service_that_is_down_goes_on(host: Host) -> None:
    part = app(1, "part", unit={"PartOf": "brief.service"})
    stack(host, *brief(8300), part)
    pid = show(host, "part.service", "MainPID")
    stack(host, *brief(8301), part)
    assert show(host, "part.service", "MainPID") == pid


def test_a_socket_that_needs_what_is_restarted_starts_after_it(host: Host) -> None:
    def units(version: int) -> list[Entry]:
        changed, *rest = brief(8300 + version)
        return [app(version, "base"), {**changed, "unit": {"Requires": "base.service", "After": "base.service"}}, *rest]

    stack(host, *units(0))
    with visited(host):
        for version in range(1, 5):
            stack(host, *units(version))
            assert host.sh("systemctl is-active changed.socket other.socket") == "active\nactive"


def test_what_is_up_in_time_is_so_whatever_the_checks_of_others_take(host: Host) -> None:
    """They fail once, so that all are looked at again and again."""
    slow = "test -e /run/notes/asked-$0 && exit 0; touch /run/notes/asked-$0; sleep 4; exit 1"
    units = [app(1, each, health={**QUICK, "command": ["/bin/sh", "-c", slow, each]}) for each in ("a", "b", "c")]
    ready = program(1, "z", "sleep 1; systemd-notify --ready; exec sleep infinity")
    notify = {"Type": "notify", "NotifyAccess": "all", "ExecStart": ready}
    stack(host, *units, app(1, "z", service=notify, health={"stable_for": 1, "timeout": 5}))
    assert state(host, "z.service") == "active"


def test_what_requisite_takes_along_is_up_again(host: Host) -> None:
    def units(port: int) -> list[Entry]:
        needs = {"Requisite": "api.service", "After": "api.service"}
        listen = {"ListenStream": f"127.0.0.1:{port}", "Service": "api.service"}
        return [
            {"name": "api.socket", "socket": listen, "health": QUICK},
            {"name": "api.service", "service": {"ExecStart": server("one", 0)}, "health": QUICK},
            app(1, "worker", unit=needs),
        ]

    stack(host, *units(8002)[:2])
    assert answer(host, 8002) == "one"
    stack(host, *units(8002))
    result = stack(host, *units(8003))
    assert "worker.service" in result["restarted"]
    assert state(host, "worker.service") == "active"
    assert stack(host, *units(8003))["changed"] is False

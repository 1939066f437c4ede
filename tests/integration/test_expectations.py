# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not come up or stay up is told with result, status and last words; what ends well is no failure."""

from __future__ import annotations

import time

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, NOTIFY, WANTED, Entry, app, bad, merged, service, socket, timer
from .lab import Lab, until


def test_a_program_that_ends_at_once(host: Lab) -> None:
    error = host.error_of(service(command="/bin/sh -c 'echo goodbye; exit 3'"))
    assert (error["result"], error["status"]) == ("exit-code", "3")
    assert "goodbye" in error["journal"]
    assert "exit status 3" in error["message"]


def test_a_program_that_ends_well_but_should_run(host: Lab) -> None:
    error = host.error_of(service(command="/bin/true", install=WANTED))
    assert "ended by itself" in error["message"]


def test_a_program_that_falls_over_while_it_should_be_stable(host: Lab) -> None:
    error = host.error_of(service(command="/bin/sh -c 'sleep 0.7; exit 4'"), stable_for=3)
    assert error["status"] == "4"


def test_a_program_that_is_restarted_over_and_over(host: Lab) -> None:
    unit = service(command="/bin/false", service={"Restart": "always", "RestartSec": "200ms"})
    assert "exit status 1" in host.error_of(unit)["message"]  # the result is the start limit from systemd 258 on


def test_a_program_that_is_killed(host: Lab) -> None:
    error = host.error_of(service(command="/bin/sh -c 'kill -SEGV $$$$'"))
    assert error["result"] in ("signal", "core-dump")
    assert "signal" in error["message"]


def test_a_service_that_never_says_ready(host: Lab) -> None:
    unit = service(service={**NOTIFY, "TimeoutStartSec": "infinity"})
    error = host.error_of(unit, timeout=1)
    assert "after 1 s" in error["message"]
    assert "activating" in error["message"]


def test_a_crash_loop_that_takes_its_time_to_end_does_not_put_off_its_deadline(host: Lab) -> None:
    """systemd restarts it at once each time, so that it is seen to start or to stop, and hardly ever between."""
    loop = {**NOTIFY, "TimeoutStartSec": 1, "ExecStopPost": "/bin/sleep 0.5", "Restart": "always", "RestartSec": 0}
    begun = time.monotonic()
    host.error_of(service(service=loop, unit={"StartLimitIntervalSec": 0}), timeout=5)
    assert time.monotonic() - begun < 20


def test_a_service_that_systemd_gives_up_on(host: Lab) -> None:
    error = host.error_of(service(service={**NOTIFY, "TimeoutStartSec": "1s"}))
    assert error["result"] == "timeout"


def test_a_user_that_is_not_there(host: Lab) -> None:
    error = host.error_of(service(service={"User": "nobody-of-that-name"}))
    assert error["status"] == "217"
    assert "no such user" in error["message"]


def test_a_folder_that_is_not_there(host: Lab) -> None:
    error = host.error_of(service(service={"WorkingDirectory": "/no/such/folder"}))
    assert error["status"] == "200"


def test_a_oneshot_that_fails(host: Lab) -> None:
    unit = service(command="/bin/sh -c 'echo sorry; exit 5'", service={"Type": "oneshot"}, run="on_change")
    error = host.error_of(unit)
    assert error["status"] == "5"
    assert "sorry" in error["journal"]


def test_a_condition_that_is_not_met(host: Lab) -> None:
    unit = service(unit={"ConditionPathExists": "/no/such/path"}, install=WANTED)
    assert "condition" in host.error_of(unit)["message"]


def test_an_assertion_that_does_not_hold(host: Lab) -> None:
    unit = service(command="/bin/sh -c 'echo said long ago; exec sleep infinity'")
    unit["install"] = WANTED
    host.apply(unit)
    host.sh(f"systemctl stop {unit['name']}")
    result = host.failing({**unit, "unit": {"AssertPathExists": "/nowhere"}})
    assert "assert" in result["msg"].lower()
    assert "said long ago" not in str(result["errors"])


def test_a_timer_without_a_next_elapse(host: Lab) -> None:
    clock = timer("2001-01-01", "t")
    result = host.failing(service("t", "/bin/true", service={"Type": "oneshot"}), clock)
    assert "no next elapse" in result["msg"]


def test_a_socket_on_a_port_that_is_taken(host: Lab) -> None:
    socket = {"name": "s.socket", "socket": {"ListenStream": "127.0.0.1:80"}}
    result = host.failing(service("s"), socket)
    assert [error["unit"] for error in result["errors"]] == [socket["name"]]


def test_a_path_that_starts_its_service_over_and_over(host: Lab) -> None:
    path = {"name": "p.path", "path": {"PathExists": "/etc/passwd"}}
    once = service("p", "/bin/true", service={"Type": "oneshot"})
    result = host.failing(path, once, health={"stable_for": 2, "timeout": 20})
    assert [error["unit"] for error in result["errors"]] == [path["name"]]
    assert "start-limit" in result["msg"]


FLAG, LOG = f"{NOTES}/flag", f"{NOTES}/log"

END_JOB = f"rm {FLAG}; while systemctl -q is-active job.service; do sleep 0.05; done"


def job(description: str) -> Entry:
    """What works until the flag goes, started by hand, as a timer would."""
    work = f"/bin/sh -c 'echo begun >> {LOG}; while test -e {FLAG}; do sleep 0.05; done'"
    return service("job", work, unit={"Description": description}, state="present")


def begin_job(host: Lab) -> None:
    host.apply(job("old"))
    host.sh(f"touch {FLAG}; systemctl start job.service")


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


@pytest.mark.parametrize(
    ("command", "more", "told"),
    [
        ("/bin/sleep nonsense", {}, "exit-code"),
        (FOREVER, {"health": {"tcp": "127.0.0.1:1", "timeout": 3}}, "127.0.0.1:1"),
    ],
    ids=["a program that fails", "a check that fails"],
)
def test_what_a_target_brings_up_is_judged_like_what_has_a_job(host: Lab, command: str, more: Entry, told: str) -> None:
    """Its socket is the reason why it is not started by itself."""
    units = [socket(8099, "hc"), service("hc", command, **more), {"name": "hc.target", "unit": {"Wants": "hc.service"}}]
    result = host.failing(*units)
    assert {error["unit"] for error in result["errors"]} == {"hc.service"}
    assert told in result["msg"]
    assert result["unverified"] == []
    assert host.states("hc.socket", "hc.service", "hc.target") == ["inactive"] * 3

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not come up is told with unit, result, exit status and its last words; what does is believed only then."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, MOUNT, NOTIFY, PROGRAMS, UNITS, WANTED, Entry, service, timer, tmpfs
from .lab import Lab, actions


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


def test_a_slow_check_of_one_unit_is_no_time_that_another_has_stayed_up(host: Lab) -> None:
    """The check fails at once at first, so that the time is taken, and then takes longer than the other one lives."""
    once = f"{NOTES}/once"
    check = f"test -e {once} && exec sleep 4; touch {once}; exit 1"
    slow = service("a", health={"command": ["/bin/sh", "-c", check], "timeout": 15})
    brief = service("b", "/bin/sh -c 'sleep 2; exit 4'", health={"stable_for": 3, "timeout": 15})
    result = host.failing(slow, brief)
    assert [(error["unit"], error["status"]) for error in result["errors"]] == [(brief["name"], "4")]


def test_a_program_that_is_restarted_over_and_over(host: Lab) -> None:
    unit = service(command="/bin/false", service={"Restart": "always", "RestartSec": "200ms"})
    assert "result exit-code" in host.error_of(unit)["message"]


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


def test_what_needs_a_unit_that_fails_is_told_with_that(host: Lab) -> None:
    """A migration before the program, on the first deployment and when there is an older version."""
    migration = service("migration", "/bin/sh -c 'echo no such table; exit 7'", service={"Type": "oneshot"})
    needs = {"Requires": migration["name"], "After": migration["name"]}
    for main in (service(unit=needs), service(unit=needs, environment={"A": "2"})):
        result = host.failing(migration, main)
        errors = {error["unit"]: error for error in result["errors"]}
        # The run ends with the first failure that it sees, be it the one or the other.
        assert all(unit == migration["name"] or migration["name"] in errors[unit]["message"] for unit in errors)
        assert (errors[migration["name"]]["result"], errors[migration["name"]]["status"]) == ("exit-code", "7")
        assert "no such table" in errors[migration["name"]]["journal"]
        host.apply(service())
    # Beside a process that goes on, what it newly requires is started, too.
    assert migration["name"] in host.failing(migration, service(unit=needs))["msg"]
    assert host.state("main.service") == "active"


@pytest.mark.parametrize("running", [False, True])
def test_what_is_needed_may_take_its_time_or_have_nothing_to_do(host: Lab, running: bool) -> None:
    """An unmet condition satisfies Requires= (systemd.unit(5)); a migration has the time of what waits for it."""
    unmet = service("unmet", unit={"ConditionPathExists": "!/etc/hostname"}, state="present")
    slow = service("slow", "/bin/sleep 4", service={"Type": "oneshot"}, health={"timeout": 2, "stable_for": 0})
    needs = f"{unmet['name']} {slow['name']}"
    patient = {"timeout": 30, "stable_for": 0.3}
    if running:
        host.apply(service())
    host.settled(unmet, slow, service(unit={"Requires": needs, "After": needs}, health=patient))
    assert host.state("main.service") == "active"
    assert host.show("slow.service", "Result") == "success"
    assert host.show("slow.service", "ExecMainStartTimestampMonotonic") != "0"


def test_what_needs_a_mount_that_fails_is_told_with_that(host: Lab) -> None:
    mount = tmpfs(Options="size=bogus")
    needing = service(unit={"Requires": mount["name"], "After": mount["name"]})
    result = host.failing({**mount, "state": "present"}, needing, health={"stable_for": 0})
    assert {error["unit"] for error in result["errors"]} == {mount["name"], needing["name"]}


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


def test_a_timer_without_a_next_elapse(host: Lab) -> None:
    clock = timer("2001-01-01", "t")
    result = host.failing(service("t", "/bin/true", service={"Type": "oneshot"}), clock)
    assert "no next elapse" in result["msg"]


def test_a_socket_on_a_port_that_is_taken(host: Lab) -> None:
    socket = {"name": "s.socket", "socket": {"ListenStream": "127.0.0.1:80"}}
    result = host.failing(service("s"), socket)
    assert [error["unit"] for error in result["errors"]] == [socket["name"]]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"tcp": "127.0.0.1:9"}, "127.0.0.1:9: Connection refused"),
        ({"unix": "/run/no.sock"}, "/run/no.sock: No such file or directory"),
        ({"http": "http://127.0.0.1:80/no-such-page"}, "no-such-page answers with 404"),
        ({"http": "http://127.0.0.1:9/"}, "Connection refused"),
        ({"tcp": "127.0.0.1:80", "http": "http://127.0.0.1:80/no-such-page"}, "no-such-page answers with 404"),
        ({"command": ["/bin/sh", "-c", "echo no luck >&2; exit 4"]}, "exit code 4, no luck"),
        ({"command": ["no-such-command"]}, "no-such-command is not installed"),
    ],
)
def test_a_check_that_does_not_pass(host: Lab, check: dict[str, Any], said: str) -> None:
    error = host.error_of(service(), timeout=1, **check)
    assert "does not pass" in error["message"]
    assert said in error["message"]


def test_checks_that_pass_in_time(host: Lab) -> None:
    port = "127.0.0.1:4712"
    late = f"/bin/sh -c 'sleep 1; exec /usr/bin/python3 -m http.server --bind 127.0.0.1 4712 --directory {PROGRAMS}'"
    checks = {"tcp": port, "http": f"http://{port}/server.py", "command": ["/bin/test", "-d", "/etc"]}
    result = host.settled(service(command=late, health={"stable_for": 0.2, "timeout": 20, **checks}))
    assert result["newly_started"] == ["main.service"]


def test_one_deadline_holds_for_all(host: Lab) -> None:
    unready = [service(name, service={**NOTIFY, "TimeoutStartSec": "infinity"}) for name in "abcdef"]
    result = host.failing(*({**unit, "health": {"timeout": 1}} for unit in unready), on_failure="keep")
    assert result["timings"]["apply"] < 10


def test_keep_leaves_what_failed(host: Lab) -> None:
    unit = service(command="/bin/false", install=WANTED, health={"stable_for": 0.3})
    host.failing(unit, on_failure="keep")
    assert host.exists(f"{UNITS}/main.service")
    assert host.state("main.service") == "failed"


def test_without_keep_nothing_is_left_of_what_failed(host: Lab) -> None:
    unit = service(command="/bin/false", install=WANTED, health={"stable_for": 0.3})
    host.failing(unit, service("other"))
    assert host.sh("find /etc/systemd -name 'main*' -o -name 'other*'") == ""
    assert host.show("main.service", "LoadState") == "not-found"
    assert host.state("other.service") == "inactive"


def test_a_timer_whose_time_after_the_boot_is_over(host: Lab) -> None:
    """It runs at once then, and not again before the next boot."""
    job = service("t", "/bin/true", service={"Type": "oneshot"})
    host.settled(job, {"name": "t.timer", "timer": {"OnBootSec": "1us"}})
    assert host.show("t.timer", "SubState") == "elapsed"
    since = host.show("t.service", "ExecMainStartTimestampMonotonic")
    host.settled(job, {"name": "t.timer", "timer": {"OnBootSec": "2us"}})
    assert host.show("t.service", "ExecMainStartTimestampMonotonic") == since


def test_a_slow_stop_is_the_units_own_to_take(host: Lab) -> None:
    slow = "/bin/bash -c 'trap \"sleep 4; exit 0\" TERM; while :; do sleep 0.1; done'"
    health = {"stable_for": 0, "timeout": 2}
    host.apply(service(command=slow, environment={"A": "1"}, health=health))
    result = host.settled(service(command=slow, environment={"A": "2"}, health=health))
    assert result["restarted"] == ["main.service"]


def test_without_systemd_analyze_it_is_said_that_nothing_was_verified(host: Lab) -> None:
    host.sh("mv /usr/bin/systemd-analyze /usr/bin/systemd-analyze.away")
    try:
        result = host.apply(service())
    finally:
        host.sh("mv /usr/bin/systemd-analyze.away /usr/bin/systemd-analyze")
    assert [each["rule"] for each in result["unverified"]] == ["no-verify"]


def test_what_keep_left_undone_is_done_by_the_next_run(host: Lab) -> None:
    """A reload that a run never came to shows nowhere but in its record."""
    before, after = tmpfs(Options="mode=0700"), tmpfs(Options="mode=0755,size=4M")
    host.apply(before)
    links = f"{UNITS}/x.target.wants"
    host.write(links, "in the way")
    enabled = service(install={"WantedBy": "x.target"})
    host.failing(after, enabled, on_failure="keep")
    assert "size=4096k" not in host.sh(f"findmnt -no OPTIONS {MOUNT}")
    host.sh(f"rm {links}")
    result = host.settled(after, enabled)
    assert result["recovered"]
    assert "size=4096k" in host.sh(f"findmnt -no OPTIONS {MOUNT}")


def test_a_oneshot_that_its_dependency_keeps_from_running(host: Lab) -> None:
    needed = service("needed", "/bin/false", service={"Type": "oneshot"}, state="present")
    once = {"Type": "oneshot"}
    needs = {"Requires": needed["name"], "After": needed["name"]}
    job = service("job", "/bin/true", service=once, unit=needs, run="on_change")
    assert "job.service" in host.failing(needed, job)["msg"]
    host.settled({**needed, "service": {**needed["service"], "ExecStart": "/bin/true"}}, job)


def test_a_oneshot_that_is_at_its_work_runs_once_more(host: Lab) -> None:
    def job(number: int) -> Entry:
        command = f"/bin/sh -c 'sleep 1; echo {number} >> {NOTES}/log'"
        return service("job", command, service={"Type": "oneshot"}, run="on_change")

    host.apply(job(1))
    host.sh("systemctl start --no-block job.service")
    host.settled(job(2))
    assert host.sh(f"cat {NOTES}/log") == "1\n1\n2"


def test_a_reload_that_failed_long_ago_is_not_this_runs_fault(host: Lab) -> None:
    unit = service(service={"ExecReload": "/bin/false"})
    host.apply(unit)
    host.sh(f"systemctl reload {unit['name']}", check=False)
    assert host.settled({**unit, "unit": {"Description": "Another"}})["changed"]


def test_one_waits_for_another_within_the_time_of_each(host: Lab) -> None:
    slow = {"Type": "oneshot", "RemainAfterExit": True}
    health = {"stable_for": 0, "timeout": 5}
    first = service("a", "/bin/sleep 3", service=slow, health=health)
    second = service("b", "/bin/sleep 3", service=slow, unit={"After": first["name"]}, health=health)
    assert len(host.settled(first, second)["newly_started"]) == 2


def test_keep_tells_all_that_failed_and_starts_the_rest(host: Lab) -> None:
    bad = [service(name, "/bin/false", health={"stable_for": 0.5}) for name in ("x", "y")]
    refusing = service("z", unit={"RefuseManualStart": True}, environment={"A": "1"})
    good = service("good")
    result = host.failing(*bad, refusing, good, on_failure="keep")
    assert sorted(error["unit"] for error in result["errors"]) == [unit["name"] for unit in bad]
    assert host.state("good.service") == "active"


def test_a_oneshot_that_is_at_its_work_for_too_long_is_told_once(host: Lab) -> None:
    health = {"timeout": 1}
    job = service("job", "/bin/sleep 30", service={"Type": "oneshot"}, run="on_change", health=health)
    host.apply({key: value for key, value in job.items() if key != "run"})
    host.sh(f"systemctl start --no-block {job['name']}")
    (error,) = host.failing({**job, "service": {"Type": "oneshot", "ExecStart": "/bin/sleep 31"}})["errors"]
    assert error["unit"] == job["name"]
    assert "earlier work" in error["message"]


def test_the_checks_of_a_dropin_count(host: Lab) -> None:
    host.apply(service("main"))
    dropins = [
        {"name": "main.service", "dropin": "a", "environment": {"A": "1"}},
        {
            "name": "main.service",
            "dropin": "b",
            "environment": {"B": "1"},
            "health": {"tcp": "127.0.0.1:9", "timeout": 1},
        },
    ]
    named = {"name": "main.service", "state": "started"}
    result = host.failing(named, dropins=dropins, name="over")
    assert "127.0.0.1:9" in result["msg"]


def test_a_path_that_starts_its_service_over_and_over(host: Lab) -> None:
    path = {"name": "p.path", "path": {"PathExists": "/etc/passwd"}}
    once = service("p", "/bin/true", service={"Type": "oneshot"})
    result = host.failing(path, once, health={"stable_for": 2, "timeout": 20})
    assert [error["unit"] for error in result["errors"]] == [path["name"]]
    assert "start-limit" in result["msg"]


def test_checks_of_what_does_not_run_are_said_to_be_undone(host: Lab) -> None:
    listen = {"ListenStream": "127.0.0.1:4713"}
    socket = {"name": "s.socket", "socket": listen}
    check = {"tcp": "127.0.0.1:4713", "timeout": 2}
    result = host.settled(service("s", health=check), socket)
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [("s.service", "not-checked")]
    assert any("its socket" in warning for warning in result["warnings"])
    assert host.settled(service("s"), {**socket, "health": check})["unverified"] == []


def test_a_secret_that_a_check_prints_is_hidden(host: Lab) -> None:
    secret = {"TOKEN": "not-to-be-seen" * 50}
    host.apply(service("other", secrets=secret))
    path = "/etc/unitwright/test/other.service.env"
    check = {"command": ["/bin/sh", "-c", f"cat {path} >&2; exit 1"], "timeout": 1, "stable_for": 0}
    result = host.failing(module="unit", **service("asking", health=check))
    assert "exit code 1" in result["msg"]
    assert "not-to-be-seen" not in str(result)


def test_a_run_that_failed_and_was_kept_is_made_again(host: Lab) -> None:
    flag = f"{NOTES}/flag"
    once = service(command=f"/bin/test -e {flag}", service={"Type": "oneshot"}, run="on_change")
    host.failing(once, on_failure="keep")
    host.failing(once, on_failure="keep")
    host.write(flag, "")
    assert actions(host.settled(once)) == [("reset-failed", once["name"]), ("run", once["name"])]


def test_a_job_that_systemd_refuses_is_told_in_its_words(host: Lab) -> None:
    """As when someone forbids it while the run is under way."""
    unit = service(state="restarted")
    host.apply(unit)
    forbid = f"[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart={FOREVER}\n"
    shim = "/usr/local/bin/systemctl"
    host.write(f"{NOTES}/forbid", forbid)
    script = (
        '#!/bin/sh\ncase "$*" in *restart*)\n'
        f"mkdir -p {UNITS}/main.service.d; cp {NOTES}/forbid {UNITS}/main.service.d/x.conf\n"
        '/usr/bin/systemctl daemon-reload;; esac\nexec /usr/bin/systemctl "$@"\n'
    )
    host.write(shim, script, 0o755)
    try:
        result = host.failing(unit)
    finally:
        host.sh(f"rm -r {shim} {UNITS}/main.service.d; systemctl daemon-reload")
    assert [each["unit"] for each in result["errors"]] == [unit["name"]]
    assert "Operation refused" in result["msg"]


def test_an_assertion_that_does_not_hold(host: Lab) -> None:
    unit = service(command="/bin/sh -c 'echo said long ago; exec sleep infinity'")
    unit["install"] = WANTED
    host.apply(unit)
    host.sh(f"systemctl stop {unit['name']}")
    result = host.failing({**unit, "unit": {"AssertPathExists": "/nowhere"}})
    assert "assert" in result["msg"].lower()
    assert "said long ago" not in str(result["errors"])

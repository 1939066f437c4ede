# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not come up is told with unit, result, exit status and its last words; what does is believed only then."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.support import FOREVER, PROGRAMS, Stack, actions, failed

NOTIFY = {"Type": "notify", "NotifyAccess": "all"}


def error_of(stack: Stack, unit: dict[str, Any], **health: Any) -> dict[str, Any]:
    """The one error of a unit that does not become healthy."""
    result = stack.refused({**unit, "health": {"stable_for": 0.3, "timeout": 15, **health}})
    (error,) = result["errors"]
    assert (error["unit"], error["rule"]) == (unit["name"], "health")
    assert unit["name"] in result["msg"]
    assert error["message"] in result["msg"]
    return error


def test_a_program_that_ends_at_once(stack: Stack) -> None:
    error = error_of(stack, stack.service(command="/bin/sh -c 'echo goodbye; exit 3'"))
    assert (error["result"], error["status"]) == ("exit-code", "3")
    assert "goodbye" in error["journal"]
    assert "exit status 3" in error["message"]


def test_a_program_that_ends_well_but_should_run(stack: Stack) -> None:
    error = error_of(stack, stack.service(command="/bin/true", install={"WantedBy": "multi-user.target"}))
    assert "ended by itself" in error["message"]


def test_a_program_that_falls_over_while_it_should_be_stable(stack: Stack) -> None:
    error = error_of(stack, stack.service(command="/bin/sh -c 'sleep 0.7; exit 4'"), stable_for=3)
    assert error["status"] == "4"


def test_a_slow_check_of_one_unit_is_no_time_that_another_has_stayed_up(stack: Stack) -> None:
    """The check fails at once at first, so that the time is taken, and then takes longer than the other one lives."""
    once = f"/run/{stack.name}.once"
    check = f"test -e {once} && exec sleep 4; touch {once}; exit 1"
    slow = stack.service("a", health={"command": ["/bin/sh", "-c", check], "timeout": 15})
    brief = stack.service("b", "/bin/sh -c 'sleep 2; exit 4'", health={"stable_for": 3, "timeout": 15})
    result = stack.refused(slow, brief)
    assert [(error["unit"], error["status"]) for error in result["errors"]] == [(brief["name"], "4")]
    stack.host.sh(f"rm {once}")


def test_a_program_that_is_restarted_over_and_over(stack: Stack) -> None:
    unit = stack.service(command="/bin/false", service={"Restart": "always", "RestartSec": "200ms"})
    assert "result exit-code" in error_of(stack, unit)["message"]


def test_a_program_that_is_killed(stack: Stack) -> None:
    error = error_of(stack, stack.service(command="/bin/sh -c 'kill -SEGV $$$$'"))
    assert error["result"] in ("signal", "core-dump")
    assert "signal" in error["message"]


def test_a_service_that_never_says_ready(stack: Stack) -> None:
    unit = stack.service(service={**NOTIFY, "TimeoutStartSec": "infinity"})
    error = error_of(stack, unit, timeout=1)
    assert "after 1 s" in error["message"]
    assert "activating" in error["message"]


def test_a_crash_loop_that_takes_its_time_to_end_does_not_put_off_its_deadline(stack: Stack) -> None:
    """systemd restarts it at once each time, so that it is seen to start or to stop, and hardly ever between."""
    loop = {**NOTIFY, "TimeoutStartSec": 1, "ExecStopPost": "/bin/sleep 0.5", "Restart": "always", "RestartSec": 0}
    begun = time.monotonic()
    error_of(stack, stack.service(service=loop, unit={"StartLimitIntervalSec": 0}), timeout=5)
    assert time.monotonic() - begun < 20


def test_what_needs_a_unit_that_fails_is_told_with_that(stack: Stack) -> None:
    """A migration before the program, on the first deployment and when there is an older version."""
    migration = stack.service("migration", "/bin/sh -c 'echo no such table; exit 7'", service={"Type": "oneshot"})
    needs = {"Requires": migration["name"], "After": migration["name"]}
    for main in (stack.service(unit=needs), stack.service(unit=needs, environment={"A": "2"})):
        result = stack.refused(migration, main)
        errors = {error["unit"]: error for error in result["errors"]}
        # The run ends with the first failure that it sees, be it the one or the other.
        assert all(unit == migration["name"] or migration["name"] in errors[unit]["message"] for unit in errors)
        assert (errors[migration["name"]]["result"], errors[migration["name"]]["status"]) == ("exit-code", "7")
        assert "no such table" in errors[migration["name"]]["journal"]
        stack.apply(stack.service())
    # Beside a process that goes on, what it newly requires is started, too.
    assert migration["name"] in stack.refused(migration, stack.service(unit=needs))["msg"]
    assert stack.show("main.service", "ActiveState") == "active"


@pytest.mark.parametrize("running", [False, True])
def test_what_is_needed_may_take_its_time_or_have_nothing_to_do(stack: Stack, running: bool) -> None:
    """An unmet condition satisfies Requires= (systemd.unit(5)); a migration has the time of what waits for it."""
    unmet = stack.service("unmet", unit={"ConditionPathExists": "!/etc/hostname"}, state="present")
    slow = stack.service("slow", "/bin/sleep 4", service={"Type": "oneshot"}, health={"timeout": 2, "stable_for": 0})
    needs = f"{unmet['name']} {slow['name']}"
    patient = {"timeout": 30, "stable_for": 0.3}
    if running:
        stack.apply(stack.service())
    stack.settled(unmet, slow, stack.service(unit={"Requires": needs, "After": needs}, health=patient))
    assert stack.show("main.service", "ActiveState") == "active"
    assert stack.show("slow.service", "Result") == "success"
    assert stack.show("slow.service", "ExecMainStartTimestampMonotonic") != "0"


def test_what_needs_a_mount_that_fails_is_told_with_that(stack: Stack) -> None:
    mount = {"What": "tmpfs", "Where": f"/mnt/{stack.name}", "Type": "tmpfs", "Options": "size=bogus"}
    name = f"mnt-{stack.name}.mount"
    needing = stack.service(unit={"Requires": name, "After": name})
    result = stack.refused({"name": name, "mount": mount, "state": "present"}, needing)
    assert {error["unit"] for error in result["errors"]} == {name, needing["name"]}
    stack.host.sh(f"rmdir /mnt/{stack.name}")


def test_a_service_that_systemd_gives_up_on(stack: Stack) -> None:
    error = error_of(stack, stack.service(service={**NOTIFY, "TimeoutStartSec": "1s"}))
    assert error["result"] == "timeout"


def test_a_user_that_is_not_there(stack: Stack) -> None:
    error = error_of(stack, stack.service(service={"User": "nobody-of-that-name"}))
    assert error["status"] == "217"
    assert "no such user" in error["message"]


def test_a_folder_that_is_not_there(stack: Stack) -> None:
    error = error_of(stack, stack.service(service={"WorkingDirectory": "/no/such/folder"}))
    assert error["status"] == "200"


def test_a_oneshot_that_fails(stack: Stack) -> None:
    unit = stack.service(command="/bin/sh -c 'echo sorry; exit 5'", service={"Type": "oneshot"}, run="on_change")
    error = error_of(stack, unit)
    assert error["status"] == "5"
    assert "sorry" in error["journal"]


def test_a_condition_that_is_not_met(stack: Stack) -> None:
    unit = stack.service(unit={"ConditionPathExists": "/no/such/path"}, install={"WantedBy": "multi-user.target"})
    assert "condition" in error_of(stack, unit)["message"]


def test_a_timer_without_a_next_elapse(stack: Stack) -> None:
    timer = {"name": stack.unit("t.timer"), "timer": {"OnCalendar": "2001-01-01"}}
    result = stack.refused(stack.service("t", "/bin/true", service={"Type": "oneshot"}), timer)
    assert "no next elapse" in result["msg"]


def test_a_port_that_is_taken(stack: Stack) -> None:
    socket = {"name": stack.unit("s.socket"), "socket": {"ListenStream": "127.0.0.1:80"}}
    result = stack.refused(stack.service("s"), socket)
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
def test_a_check_that_does_not_pass(stack: Stack, check: dict[str, Any], said: str) -> None:
    error = error_of(stack, stack.service(), timeout=1, **check)
    assert "does not pass" in error["message"]
    assert said in error["message"]


def test_checks_that_pass_in_time(stack: Stack) -> None:
    port = "127.0.0.1:4712"
    late = f"/bin/sh -c 'sleep 1; exec /usr/bin/python3 -m http.server --bind 127.0.0.1 4712 --directory {PROGRAMS}'"
    checks = {"tcp": port, "http": f"http://{port}/answer.py", "command": ["/bin/test", "-d", "/etc"]}
    result = stack.settled(stack.service(command=late, health={"stable_for": 0.2, "timeout": 20, **checks}))
    assert result["newly_started"] == [stack.unit("main.service")]


def test_one_deadline_holds_for_all(stack: Stack) -> None:
    unready = [stack.service(name, service={**NOTIFY, "TimeoutStartSec": "infinity"}) for name in "abcdef"]
    result = stack.refused(*({**unit, "health": {"timeout": 1}} for unit in unready), on_failure="keep")
    assert result["timings"]["apply"] < 10


def test_keep_leaves_what_failed(stack: Stack) -> None:
    unit = stack.service(command="/bin/false", install={"WantedBy": "multi-user.target"}, health={"stable_for": 0.3})
    stack.refused(unit, on_failure="keep")
    assert stack.host.exists(stack.path("main.service"))
    assert stack.show("main.service", "ActiveState") == "failed"


def test_without_keep_nothing_is_left_of_what_failed(stack: Stack) -> None:
    unit = stack.service(command="/bin/false", install={"WantedBy": "multi-user.target"}, health={"stable_for": 0.3})
    stack.refused(unit, stack.service("other"))
    assert stack.host.sh(f"find /etc/systemd -name '*{stack.name}*'") == ""
    assert stack.show("main.service", "LoadState") == "not-found"
    assert stack.show("other.service", "ActiveState") == "inactive"


def test_a_timer_whose_time_after_the_boot_is_over(stack: Stack) -> None:
    """It runs at once then, and not again before the next boot."""
    job = stack.service("t", "/bin/true", service={"Type": "oneshot"})
    stack.settled(job, {"name": stack.unit("t.timer"), "timer": {"OnBootSec": "1us"}})
    assert stack.show("t.timer", "SubState") == "elapsed"
    since = stack.show("t.service", "ExecMainStartTimestampMonotonic")
    stack.settled(job, {"name": stack.unit("t.timer"), "timer": {"OnBootSec": "2us"}})
    assert stack.show("t.service", "ExecMainStartTimestampMonotonic") == since


def test_a_slow_stop_is_the_units_own_to_take(stack: Stack) -> None:
    slow = "/bin/bash -c 'trap \"sleep 4; exit 0\" TERM; while :; do sleep 0.1; done'"
    health = {"stable_for": 0, "timeout": 2}
    stack.apply(stack.service(command=slow, environment={"A": "1"}, health=health))
    result = stack.settled(stack.service(command=slow, environment={"A": "2"}, health=health))
    assert result["restarted"] == [stack.unit("main.service")]


def test_without_systemd_analyze_it_is_said_that_nothing_was_verified(stack: Stack) -> None:
    stack.host.sh("mv /usr/bin/systemd-analyze /usr/bin/systemd-analyze.away")
    try:
        result = stack.apply(stack.service())
    finally:
        stack.host.sh("mv /usr/bin/systemd-analyze.away /usr/bin/systemd-analyze")
    assert [each["rule"] for each in result["unverified"]] == ["no-verify"]


def test_what_keep_left_undone_is_done_by_the_next_run(stack: Stack) -> None:
    """A reload that a run never came to shows nowhere but in its record."""
    where = f"/run/{stack.name}"
    unit = "run-" + stack.name + ".mount"

    def mount(options: str) -> dict[str, Any]:
        return {"name": unit, "mount": {"What": "tmpfs", "Where": where, "Type": "tmpfs", "Options": options}}

    stack.apply(mount("mode=0700"))
    links = f"/etc/systemd/system/{stack.unit('x.target.wants')}"
    stack.host.write(links, "in the way")
    enabled = stack.service(install={"WantedBy": stack.unit("x.target")})
    stack.refused(mount("mode=0755,size=4M"), enabled, on_failure="keep")
    assert "size=4096k" not in stack.host.sh(f"findmnt -no OPTIONS {where}")
    stack.host.sh(f"rm {links}")
    result = stack.settled(mount("mode=0755,size=4M"), enabled)
    assert result["recovered"]
    assert "size=4096k" in stack.host.sh(f"findmnt -no OPTIONS {where}")


def test_a_oneshot_that_its_dependency_keeps_from_running(stack: Stack) -> None:
    needed = stack.service("needed", "/bin/false", service={"Type": "oneshot"}, state="present")
    once = {"Type": "oneshot"}
    needs = {"Requires": needed["name"], "After": needed["name"]}
    job = stack.service("job", "/bin/true", service=once, unit=needs, run="on_change")
    assert stack.unit("job.service") in stack.refused(needed, job)["msg"]
    stack.settled({**needed, "service": {**needed["service"], "ExecStart": "/bin/true"}}, job)


def test_a_oneshot_that_is_at_its_work_runs_once_more(stack: Stack) -> None:
    def job(number: int) -> dict[str, Any]:
        command = f"/bin/sh -c 'sleep 1; echo {number} >> /run/{stack.name}'"
        return stack.service("job", command, service={"Type": "oneshot"}, run="on_change")

    stack.apply(job(1))
    stack.host.sh(f"systemctl start --no-block {stack.unit('job.service')}")
    stack.settled(job(2))
    assert stack.host.sh(f"cat /run/{stack.name}; rm /run/{stack.name}") == "1\n1\n2"


def test_a_reload_that_failed_long_ago_is_not_this_runs_fault(stack: Stack) -> None:
    unit = stack.service(service={"ExecReload": "/bin/false"})
    stack.apply(unit)
    stack.host.sh(f"systemctl reload {unit['name']}", check=False)
    assert stack.settled({**unit, "unit": {"Description": "Another"}})["changed"]


def test_one_waits_for_another_within_the_time_of_each(stack: Stack) -> None:
    slow = {"Type": "oneshot", "RemainAfterExit": True}
    health = {"stable_for": 0, "timeout": 5}
    first = stack.service("a", "/bin/sleep 3", service=slow, health=health)
    second = stack.service("b", "/bin/sleep 3", service=slow, unit={"After": first["name"]}, health=health)
    assert len(stack.settled(first, second)["newly_started"]) == 2


def test_keep_tells_all_that_failed_and_starts_the_rest(stack: Stack) -> None:
    bad = [stack.service(name, "/bin/false", health={"stable_for": 0.5}) for name in ("x", "y")]
    refusing = stack.service("z", unit={"RefuseManualStart": True}, environment={"A": "1"})
    good = stack.service("good")
    result = stack.refused(*bad, refusing, good, on_failure="keep")
    assert sorted(error["unit"] for error in result["errors"]) == [unit["name"] for unit in bad]
    assert stack.show("good.service", "ActiveState") == "active"


def test_a_oneshot_that_is_at_its_work_for_too_long_is_told_once(stack: Stack) -> None:
    health = {"timeout": 1}
    job = stack.service("job", "/bin/sleep 30", service={"Type": "oneshot"}, run="on_change", health=health)
    stack.apply({key: value for key, value in job.items() if key != "run"})
    stack.host.sh(f"systemctl start --no-block {job['name']}")
    (error,) = stack.refused({**job, "service": {"Type": "oneshot", "ExecStart": "/bin/sleep 31"}})["errors"]
    assert error["unit"] == job["name"]
    assert "earlier work" in error["message"]


def test_the_checks_of_a_dropin_count(stack: Stack) -> None:
    stack.apply(stack.service("main"))
    dropins = [
        {"name": stack.unit("main.service"), "dropin": "a", "environment": {"A": "1"}},
        {
            "name": stack.unit("main.service"),
            "dropin": "b",
            "environment": {"B": "1"},
            "health": {"tcp": "127.0.0.1:9", "timeout": 1},
        },
    ]
    named = {"name": stack.unit("main.service"), "state": "started"}
    result = failed(stack.host.module("stack", name=stack.name + "-over", units=[named], dropins=dropins))
    assert "127.0.0.1:9" in result["msg"]


def test_a_path_that_starts_its_service_over_and_over(stack: Stack) -> None:
    path = {"name": stack.unit("p.path"), "path": {"PathExists": "/etc/passwd"}}
    once = stack.service("p", "/bin/true", service={"Type": "oneshot"})
    result = stack.refused(path, once, health={"stable_for": 2, "timeout": 20})
    assert [error["unit"] for error in result["errors"]] == [path["name"]]
    assert "start-limit" in result["msg"]


def test_checks_of_what_does_not_run_are_said_to_be_undone(stack: Stack) -> None:
    listen = {"ListenStream": "127.0.0.1:4713"}
    socket = {"name": stack.unit("s.socket"), "socket": listen}
    check = {"tcp": "127.0.0.1:4713", "timeout": 2}
    result = stack.settled(stack.service("s", health=check), socket)
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [(stack.unit("s.service"), "not-checked")]
    assert any("its socket" in warning for warning in result["warnings"])
    assert stack.settled(stack.service("s"), {**socket, "health": check})["unverified"] == []


def test_a_secret_that_a_check_prints_is_hidden(stack: Stack) -> None:
    secret = {"TOKEN": "not-to-be-seen" * 50}
    stack.apply(stack.service("other", secrets=secret))
    path = f"/etc/unitwright/{stack.name}/{stack.unit('other.service')}.env"
    check = {"command": ["/bin/sh", "-c", f"cat {path} >&2; exit 1"], "timeout": 1, "stable_for": 0}
    result = failed(stack.host.module("unit", **stack.service("asking", health=check)))
    assert "exit code 1" in result["msg"]
    assert "not-to-be-seen" not in str(result)


def test_a_run_that_failed_and_was_kept_is_made_again(stack: Stack) -> None:
    flag = f"/run/{stack.name}-flag"
    once = stack.service(command=f"/bin/test -e {flag}", service={"Type": "oneshot"}, run="on_change")
    stack.refused(once, on_failure="keep")
    stack.refused(once, on_failure="keep")
    stack.host.write(flag, "")
    assert actions(stack.settled(once)) == [("reset-failed", once["name"]), ("run", once["name"])]


def test_a_job_that_systemd_refuses_is_told_in_its_words(stack: Stack) -> None:
    """As when someone forbids it while the run is under way."""
    unit = stack.service(state="restarted")
    stack.apply(unit)
    forbid = f"[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart={FOREVER}\n"
    shim = "/usr/local/bin/systemctl"
    stack.host.write("/run/forbid", forbid)
    script = (
        '#!/bin/sh\ncase "$*" in *restart*)\n'
        f"mkdir -p {stack.path('main.service.d')}; cp /run/forbid {stack.path('main.service.d')}/x.conf\n"
        '/usr/bin/systemctl daemon-reload;; esac\nexec /usr/bin/systemctl "$@"\n'
    )
    stack.host.write(shim, script)
    stack.host.sh(f"chmod 755 {shim}")
    try:
        result = stack.refused(unit)
    finally:
        stack.host.sh(f"rm -r {shim} {stack.path('main.service.d')}; systemctl daemon-reload")
    assert [each["unit"] for each in result["errors"]] == [unit["name"]]
    assert "Operation refused" in result["msg"]


def test_an_assertion_that_does_not_hold(stack: Stack) -> None:
    unit = stack.service(command="/bin/sh -c 'echo said long ago; exec sleep infinity'")
    unit["install"] = {"WantedBy": "multi-user.target"}
    stack.apply(unit)
    stack.host.sh(f"systemctl stop {unit['name']}")
    result = stack.refused({**unit, "unit": {"AssertPathExists": "/nowhere"}})
    assert "assert" in result["msg"].lower()
    assert "said long ago" not in str(result["errors"])

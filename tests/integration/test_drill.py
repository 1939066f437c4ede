# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill tells what a unit's settings promise, does the fault, measures, and takes all of it back."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from .entries import NOTIFY, PROGRAMS, Entry, server, service, socket, timer
from .lab import CUT_OFF, Lab, Result, failed, succeeded, until

PORT = 9140
UNIT = "drilled.service"
HEALTH = {"http": f"http://127.0.0.1:{PORT}/", "stable_for": 0.2, "timeout": 20}
# What a drill notes while it lasts.
STANDING = "/run/unitwright"


def lively(*manners: str, **directives: Any) -> Entry:
    """A service that answers on PORT."""
    command = " ".join(["/usr/bin/python3", f"{PROGRAMS}/lively.py", str(PORT), *manners])
    return service("drilled", command, service=directives)


def drill(host: Lab, *faults: str, **options: Any) -> Result:
    given = {"name": UNIT, "may_hurt": [UNIT], "health": HEALTH, **options}
    return host.module("drill", **given, **({"faults": list(faults)} if faults else {}))


def drilled(host: Lab, *faults: str, **options: Any) -> Result:
    """By fault what came of it, of a drill that succeeds and leaves nothing."""
    result = succeeded(drill(host, *faults, **options))
    assert_nothing_left(host)
    found: Result = result["faults"]
    return found


def assert_nothing_left(host: Lab) -> None:
    assert not host.exists(STANDING)
    assert host.sh("ls /run/systemd/system | grep drill", check=False) == ""


def verdicts(faults: Result) -> dict[str, tuple[str, str, bool]]:
    """By fault what was promised, what it came to, and whether that is the same."""
    return {fault: (it["promise"]["verdict"], it["verdict"], it["agrees"]) for fault, it in faults.items()}


def rules(result: Result) -> list[tuple[str, str]]:
    return [(error["rule"], error["unit"]) for error in result["errors"]]


def test_it_comes_back_after_a_crash_and_after_each_of_a_loop_up_to_the_limit(host: Lab) -> None:
    host.apply(lively(Restart="on-failure", RestartSec="300ms"))
    before = host.invocation(UNIT)
    found = drilled(host, "kill", "segv", "crash_loop", max_recovery=20)
    assert verdicts(found) == {
        "kill": ("recovered", "recovered", True),
        "segv": ("recovered", "recovered", True),
        "crash_loop": ("start-limit-hit", "start-limit-hit", True),
    }
    for fault in ("kill", "segv"):
        assert found[fault]["promise"]["after"] == 0.3
        assert 0.3 <= found[fault]["to_process"]["max"] <= found[fault]["to_healthy"]["max"] < 20
    # That of the loop is from the reset and the start on.
    assert found["crash_loop"]["to_healthy"]["max"] > 0
    assert host.state(UNIT) == "active"
    assert host.invocation(UNIT) != before


def test_rounds_give_the_median_and_the_most(host: Lab) -> None:
    host.apply(lively(Restart="on-failure"))
    kill = drilled(host, "kill", rounds=3)["kill"]
    took = sorted(each["to_healthy"] for each in kill["rounds"])
    assert len(took) == 3
    assert kill["to_healthy"] == {"p50": took[1], "max": took[2]}


def test_what_is_not_restarted_stays_down_as_promised_and_is_brought_back(host: Lab) -> None:
    host.apply(lively())
    result = succeeded(drill(host, "kill", "crash_loop"))
    assert verdicts(result["faults"]) == {
        "kill": ("failed", "failed", True),
        "crash_loop": ("failed", "failed", True),
    }
    assert result["faults"]["kill"]["rounds"][0]["result"] == "signal"
    assert any("Restart=on-failure brings it back" in each for each in result["warnings"])
    assert host.state(UNIT) == "active"
    slow = failed(drill(host, "kill", max_recovery=5))
    assert rules(slow) == [("drill-slow", UNIT)]
    assert "came to failed" in slow["msg"]
    assert_nothing_left(host)


def test_a_success_is_no_failure(host: Lab) -> None:
    host.apply(lively(Restart="on-failure", SuccessExitStatus="SIGKILL"))
    assert verdicts(drilled(host, "kill")) == {"kill": ("inactive", "inactive", True)}
    assert host.state(UNIT) == "active"


def test_a_hang_that_nobody_notices(host: Lab) -> None:
    host.apply(lively(Restart="always"))
    before = host.invocation(UNIT)
    result = succeeded(drill(host, "hang", health={**HEALTH, "timeout": 5}))
    assert verdicts(result["faults"]) == {"hang": ("not-noticed", "not-noticed", True)}
    assert "its check says" in result["faults"]["hang"]["rounds"][0]["how"]
    assert any("WatchdogSec=" in each for each in result["warnings"])
    assert host.invocation(UNIT) == before
    assert process_state(host) == "S"


def process_state(host: Lab) -> str:
    return host.sh(f"ps -o state= -p {host.show(UNIT, 'MainPID')}", check=False).strip()


def test_a_hang_that_a_watchdog_notices(host: Lab) -> None:
    host.apply(lively(Restart="on-failure", WatchdogSec="1s", **NOTIFY))
    hang = drilled(host, "hang")["hang"]
    assert (hang["promise"]["verdict"], hang["promise"]["after"]) == ("recovered", 1.1)
    assert hang["verdict"] == "recovered"
    # It may have said that it lives just before.
    assert hang["to_process"]["max"] > 0.5


def test_a_child_that_the_program_replaces_and_one_that_it_does_not(host: Lab) -> None:
    host.apply(lively("child"))
    assert verdicts(drilled(host, "child")) == {"child": ("recovered", "unharmed", True)}
    host.apply(lively("orphan"))
    result = failed(drill(host, "child", health={**HEALTH, "timeout": 2}))
    assert rules(result) == [("drill-differs", UNIT)]
    assert verdicts(result["faults"]) == {"child": ("recovered", "wrong-state", False)}
    assert "Connection refused" in result["msg"]
    # It was started anew for that.
    assert host.answer(PORT)
    assert_nothing_left(host)


def test_promise_and_measurement_differ(host: Lab) -> None:
    host.apply(lively("once", Restart="always"))
    result = failed(drill(host, "kill", "segv", health={**HEALTH, "timeout": 1}))
    assert rules(result)[0] == ("drill-differs", UNIT)
    assert verdicts(result["faults"]) == {
        "kill": ("recovered", "wrong-state", False),
        # Nothing more is done to what is not well.
        "segv": ("recovered", "not-tried", None),
    }
    assert result["errors"][0]["journal"]
    assert ("drill-not-well", UNIT) in rules(result)
    assert_nothing_left(host)


def test_a_signal_that_the_program_takes_for_nothing(host: Lab) -> None:
    host.apply(lively("patient"))
    result = failed(drill(host, "segv"))
    assert verdicts(result["faults"]) == {"segv": ("failed", "unharmed", False)}


def enforces(host: Lab) -> bool:
    """Does the kernel hold its services to limits of memory?"""
    return host.exists("/sys/fs/cgroup/system.slice/memory.max")


@pytest.mark.parametrize(
    ("restart", "policy", "verdict"),
    [("on-failure", "stop", "recovered"), ("on-abort", "stop", "failed"), ("on-abort", "continue", "recovered")],
)
def test_the_kernel_kills_it_for_want_of_memory(host: Lab, restart: str, policy: str, verdict: str) -> None:
    host.apply(lively(Restart=restart, OOMPolicy=policy, MemoryMax="200M"))
    before = host.invocation(UNIT)
    oom = drilled(host, "oom")["oom"]
    assert oom["promise"]["verdict"] == verdict
    if enforces(host):
        assert (oom["verdict"], oom["agrees"]) == (verdict, True)
        assert "the kernel killed at a limit of" in oom["rounds"][0]["how"] or verdict == "failed"
        assert host.state(UNIT) == "active"
        group = host.show(UNIT, "ControlGroup")
        assert host.sh(f"cat /sys/fs/cgroup{group}/memory.max").strip() == str(200 * 2**20)
    else:
        assert oom["verdict"] == "not-tried"
        assert "no memory controller of cgroup v2" in oom["not_tried"]
        assert host.invocation(UNIT) == before


def test_what_the_kernel_may_not_kill_is_as_before(host: Lab) -> None:
    host.apply(lively(Restart="always", OOMScoreAdjust="-1000"))
    before = host.invocation(UNIT)
    oom = drilled(host, "oom")["oom"]
    assert oom["verdict"] == "not-tried"
    assert ("no process of it that it may kill" in oom["not_tried"]) is enforces(host)
    assert host.invocation(UNIT) == before


def test_what_it_requires_stops(host: Lab) -> None:
    unit = lively(Restart="always")
    host.apply(service("base"), {**unit, "unit": {"Requires": "base.service", "After": "base.service"}})
    assert drilled(host, "dependency")["dependency"]["verdict"] == "not-tried"
    found = drilled(host, "dependency", may_hurt=[UNIT, "base.*"])
    assert verdicts(found) == {"dependency": ("inactive", "inactive", True)}
    assert found["dependency"]["to_healthy"]["max"] > 0
    assert host.states("base.service", UNIT) == ["active", "active"]


def test_what_the_host_lives_in_is_no_dependency_to_stop(host: Lab) -> None:
    """Every service requires sysinit.target and its slice, with which all else would go."""
    host.apply(lively(Restart="always"))
    assert drilled(host, "dependency", may_hurt=["*"])["dependency"]["verdict"] == "not-tried"
    assert host.states("sysinit.target", "dbus.service", UNIT) == ["active", "active", "active"]


def test_nobody_is_refused_where_a_socket_stays(host: Lab) -> None:
    host.apply(socket(PORT, "drilled"), service("drilled", server("one"), state="started"))
    found = drilled(host, "socket")
    assert verdicts(found) == {"socket": ("recovered", "recovered", True)}
    assert "none refused" in found["socket"]["rounds"][0]["how"]


def test_clients_are_refused_where_the_socket_goes_with_its_service(host: Lab) -> None:
    """It is bound to it, which nobody sees in the service itself."""
    bound = {**socket(PORT, "drilled"), "unit": {"PartOf": UNIT, "Before": UNIT}}
    host.apply(bound, service("drilled", server("one"), state="started"))
    result = failed(drill(host, "socket", may_hurt=["drilled.*"]))
    assert verdicts(result["faults"]) == {"socket": ("recovered", "refused", False)}
    assert host.answer(PORT) == "one"


@pytest.mark.parametrize(
    ("unit", "verdict"), [({}, "start-limit-hit"), ({"StartLimitIntervalSec": "0"}, "recovered")], ids=["down", "up"]
)
def test_a_socket_that_its_own_start_limit_kept_down_is_up_again(host: Lab, unit: Entry, verdict: str) -> None:
    """It goes down and up with its service until it may not start any more, and then only while that is down."""
    bound = {**socket(PORT + 1, "drilled"), "unit": {"PartOf": UNIT, "Before": UNIT}}
    host.apply(bound, {**lively(Restart="always"), "unit": unit, "state": "started"})
    found = drilled(host, "crash_loop", may_hurt=["drilled.*"])
    assert verdicts(found) == {"crash_loop": (verdict, verdict, True)}
    assert host.states("drilled.socket", UNIT) == ["active", "active"]


@pytest.mark.parametrize(("persistent", "verdict"), [(True, "recovered"), (False, "missed")])
def test_a_timer_catches_up_if_it_is_persistent(host: Lab, persistent: bool, verdict: str) -> None:
    job = service("drilled", "/bin/sh -c 'echo ran >> /run/notes/drilled'", service={"Type": "oneshot"})
    host.apply(timer("yearly", "drilled", Persistent=persistent), job)
    when = host.show("drilled.timer", "NextElapseUSecRealtime")
    found = drilled(host, name="drilled.timer", may_hurt=["drilled.*"], health={"timeout": 20})
    assert verdicts(found) == {"downtime": (verdict, verdict, True)}
    assert host.exists("/run/notes/drilled") is persistent
    assert host.state("drilled.timer") == "active"
    assert host.show("drilled.timer", "NextElapseUSecRealtime") == when


def test_a_timer_whose_service_fails_is_told_with_the_cause_of_that(host: Lab) -> None:
    job = service("drilled", "/bin/sh -c 'nowhere-to-be-found'", service={"Type": "oneshot"})
    host.apply(timer("yearly", "drilled", Persistent=True), job)
    result = failed(drill(host, name="drilled.timer", may_hurt=["drilled.*"], health={"timeout": 20}))
    assert rules(result) == [("drill-differs", "drilled.timer"), ("drill-not-well", "drilled.service")]
    assert "drilled.service failed" in result["errors"][0]["message"]
    assert result["errors"][1]["cause"].startswith("the command nowhere-to-be-found")
    assert_nothing_left(host)
    host.sh("systemctl reset-failed drilled.service")


def test_only_the_calendar_of_a_timer_is_caught_up(host: Lab) -> None:
    """What comes after a boot lies in the past, so that it would elapse as soon as the timer starts."""
    job = service("drilled", "/bin/true", service={"Type": "oneshot"})
    once = {"OnBootSec": "1s", "OnStartupSec": "1s"}
    host.apply(timer("yearly", "drilled", **once), job)
    found = drilled(host, name="drilled.timer", may_hurt=["drilled.*"], health={"timeout": 20})
    assert verdicts(found) == {"downtime": ("missed", "missed", True)}
    host.apply({"name": "drilled.timer", "timer": {**once, "OnActiveSec": "1h"}}, job)
    found = drilled(host, name="drilled.timer", may_hurt=["drilled.*"], health={"timeout": 20})
    assert verdicts(found) == {"downtime": ("missed", "not-tried", None)}
    assert "no OnCalendar=" in found["downtime"]["not_tried"]


def test_what_nobody_would_wait_for_is_not_tried(host: Lab) -> None:
    host.apply(lively(Restart="always", RestartSec="1h", WatchdogSec="30min", **NOTIFY))
    before = host.invocation(UNIT)
    result = succeeded(drill(host, "kill", "segv", "hang", "crash_loop"))
    assert {each["verdict"] for each in result["faults"].values()} == {"not-tried"}
    assert all("120 s that a drill waits" in each["not_tried"] for each in result["faults"].values())
    assert result["changed"] is False
    assert host.invocation(UNIT) == before


def test_a_crash_loop_that_is_too_slow_for_the_limit_proves_nothing(host: Lab) -> None:
    slow = {"ExecStartPre": "/bin/sleep 0.7", "Restart": "always", "RestartSec": "100ms"}
    entry = lively(**slow)
    entry["unit"] = {**entry.get("unit", {}), "StartLimitIntervalSec": "2s", "StartLimitBurst": 3}
    host.apply(entry)
    result = succeeded(drill(host, "crash_loop"))
    assert verdicts(result["faults"]) == {"crash_loop": ("start-limit-hit", "not-tried", None)}
    assert "4 crashes took" in result["faults"]["crash_loop"]["not_tried"]
    assert host.state(UNIT) == "active"
    assert_nothing_left(host)


def test_a_program_that_fails_when_it_is_started_anew_was_given_up_by_nobody(host: Lab) -> None:
    """Restart=on-abort restarts what was killed, and not what exits with a status."""
    lines = "test ! -e /run/notes/drilled || exit 3; touch /run/notes/drilled; exec"
    command = f"/bin/sh -c '{lines} /usr/bin/python3 {PROGRAMS}/lively.py {PORT}'"
    host.apply(service("drilled", command, service={"Restart": "on-abort"}))
    result = failed(drill(host, "kill"))
    assert verdicts(result["faults"]) == {"kill": ("recovered", "failed", False)}


def test_a_difference_comes_with_its_cause(host: Lab) -> None:
    host.sh("ln -sf /usr/bin/python3 /run/notes/python")
    host.apply(service("drilled", f"/run/notes/python {PROGRAMS}/lively.py {PORT}", service={"Restart": "always"}))
    host.sh("rm /run/notes/python")
    result = failed(drill(host, "kill", "child"))
    assert rules(result)[0] == ("drill-differs", UNIT)
    assert "/run/notes/python" in result["errors"][0]["cause"]
    assert "otherwise than it should" in result["faults"]["child"]["not_tried"]


def test_check_mode_tells_the_promise_and_does_nothing(host: Lab) -> None:
    host.apply(lively(Restart="always", RestartSec=3))
    before = host.invocation(UNIT)
    with host.untouched():
        result = succeeded(drill(host, check_mode=True))
    assert result["changed"] is True
    assert result["faults"]["kill"]["promise"] == {"verdict": "recovered", "reason": "Restart=always", "after": 3.0}
    assert {each["verdict"] for each in result["faults"].values()} == {"not-tried"}
    assert host.invocation(UNIT) == before


def test_what_is_refused(host: Lab) -> None:
    relying = service("relying", unit={"BindsTo": UNIT, "After": UNIT})
    host.apply(lively(Restart="always"), relying, service("down", state="present"))
    before = host.invocation(UNIT)

    def refused(**options: Any) -> list[tuple[str, str]]:
        with host.untouched():
            return rules(failed(drill(host, **options)))

    both = [UNIT, "relying.service"]
    # What it was not told of, itself or along with it; a unit without a check; what is not up or not well.
    assert refused() == [("drill-not-told", "relying.service")]
    assert refused(may_hurt=["other.service"]) == [("drill-not-told", UNIT), ("drill-not-told", "relying.service")]
    assert refused(may_hurt=both, health={}) == [("drill-unchecked", UNIT)]
    assert refused(name="down.service", may_hurt=["*"]) == [("drill-not-up", "down.service")]
    assert refused(name="nowhere", may_hurt=["*"]) == [("drill-not-up", "nowhere.service")]
    sick = {**HEALTH, "http": "http://127.0.0.1:1/", "timeout": 0.5}
    assert refused(may_hurt=both, health=sick) == [("drill-not-up", UNIT)]
    # What the connection lives in, whatever it was told; what is neither a service nor a timer.
    assert ("drill-carries", "dbus.service") in refused(name="dbus.service", may_hurt=["*"])
    assert refused(name="basic.target", may_hurt=["*"]) == [("drill-kind", "basic.target")]
    assert [rule for rule, _unit in refused(may_hurt=[])] == ["drill-option"]
    assert [rule for rule, _unit in refused(scope="global", may_hurt=["*"])] == ["drill-option"]
    assert host.invocation(UNIT) == before


def test_a_unit_that_takes_the_host_down_is_spared(host: Lab) -> None:
    unit = {**lively(), "unit": {"FailureAction": "reboot"}}
    host.apply(unit)
    result = failed(drill(host))
    assert rules(result) == [("drill-ends-host", UNIT)]
    assert result["errors"][0]["directive"] == "FailureAction"


@pytest.fixture
def cut_off(host: Lab) -> Any:
    """A drill that something kills as soon as a condition holds."""

    def cut(condition: Any, **options: Any) -> None:
        begun = threading.Thread(target=host.start_module, args=("drill",), kwargs=options)
        begun.start()
        until(condition, "the drill did not come that far")
        host.sh(CUT_OFF)
        begun.join()

    return cut


def test_an_interrupted_hang_is_taken_back_by_the_next_run(host: Lab, cut_off: Any) -> None:
    host.apply(lively(Restart="always"))
    options = {"name": UNIT, "may_hurt": [UNIT], "health": HEALTH}
    cut_off(lambda: process_state(host) == "T", **options, faults=["hang"])
    assert process_state(host) == "T"
    with host.untouched():  # and it does not speak against one that takes it back
        succeeded(host.module("drill", **options, check_mode=True))
    result = succeeded(host.module("drill", **options, faults=["dependency"]))
    assert result["recovered"] == [UNIT]
    assert result["changed"] is True
    assert process_state(host) == "S"
    assert_nothing_left(host)


def test_an_interrupted_hang_is_taken_back_by_the_next_run_of_any_module(host: Lab, cut_off: Any) -> None:
    host.apply(lively(Restart="always"))
    options = {"name": UNIT, "may_hurt": [UNIT], "health": HEALTH}
    cut_off(lambda: process_state(host) == "T", **options, faults=["hang"])
    result = host.apply(lively(Restart="always"))
    assert [each for each in result["warnings"] if each.startswith(f"{UNIT}: what a drill that was cut off")]
    assert process_state(host) == "S"
    assert_nothing_left(host)


def test_an_interrupted_downtime_is_taken_back_by_the_next_run_of_any_drill(host: Lab) -> None:
    job = service("drilled", f"/usr/bin/{CUT_OFF}", service={"Type": "oneshot"})
    host.apply(timer("yearly", "drilled", Persistent=True), job, service("other"))
    when = host.show("drilled.timer", "NextElapseUSecRealtime")
    dropin = "/run/systemd/system/drilled.timer.d/zz-unitwright-drill.conf"
    timers = {"name": "drilled.timer", "may_hurt": ["drilled.*"]}
    # It is what the timer starts that ends the drill, so that nobody has to be quick.
    assert host.start_module("drill", **timers).returncode == 137
    assert host.exists(dropin)
    other = {"name": "other.service", "may_hurt": ["other.service"], "health": {"command": ["/bin/true"]}}
    result = succeeded(host.module("drill", **other, faults=["child"]))
    assert result["recovered"] == ["drilled.timer"]
    assert host.state("drilled.timer") == "active"
    assert host.show("drilled.timer", "NextElapseUSecRealtime") == when
    assert_nothing_left(host)

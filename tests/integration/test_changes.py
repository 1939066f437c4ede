# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change touches: as little as puts it into force, in the order in which that is safe."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, UNITS, WANTED, Entry, server, service, timer
from .lab import Lab, actions, until, verbs


def test_a_description_restarts_nothing(host: Lab) -> None:
    unit = service(unit={"Description": "old"})
    assert host.left_alone(unit, {**unit, "unit": {"Description": "new"}}) == ["write", "daemon-reload"]
    assert host.show("main.service", "Description") == "new"


@pytest.mark.parametrize(
    ("directive", "value", "shown", "as_shown"),
    [
        ("MemoryMax", "64M", "MemoryMax", "67108864"),
        ("RestartSec", 7, "RestartUSec", "7s"),
        ("ExecStop", "/bin/true", "ExecStop", "/bin/true"),
        ("TimeoutStopSec", "12s", "TimeoutStopUSec", "12s"),
    ],
)
def test_what_a_daemon_reload_puts_into_force(
    host: Lab, directive: str, value: object, shown: str, as_shown: str
) -> None:
    unit = service()
    changed = service(service={directive: value})
    assert set(host.left_alone(unit, changed)) <= {"write", "daemon-reload", "touch-slice"}
    assert as_shown in host.show("main.service", shown)


@pytest.mark.parametrize(
    "changed",
    [
        {"service": {"ExecStart": "/bin/sleep 1000000"}},
        {"service": {"ExecStart": FOREVER, "LimitNOFILE": 2000}},
        {"service": {"ExecStart": FOREVER, "NoNewPrivileges": True}},
        {"environment": {"A": "2"}},
        {"secrets": {"HIDDEN": "something"}},
        {"triggers": {"values": ["v2"]}},
    ],
)
def test_what_a_process_is_started_with_restarts_it_alone(host: Lab, changed: Entry) -> None:
    other = service("other")
    unit = service()
    host.apply(unit, other)
    before = host.invocation("other.service")
    result = host.settled({**unit, **changed}, other)
    assert result["restarted"] == [unit["name"]]
    assert host.invocation("other.service") == before


def test_a_changed_secret_or_trigger_value_restarts(host: Lab) -> None:
    unit = service(secrets={"TOKEN": "first-token"}, triggers={"values": [{"version": 1}]})
    host.settled(unit)
    unit["secrets"] = {"TOKEN": "second-token"}
    assert host.settled(unit)["restarted"] == [unit["name"]]
    assert host.environment(unit["name"])["TOKEN"] == "second-token"
    unit["triggers"] = {"values": [{"version": 2}]}
    assert host.settled(unit)["restarted"] == [unit["name"]]


def test_a_changed_trigger_file_restarts(host: Lab) -> None:
    config = "/etc/test.conf"
    host.write(config, "one")
    unit = service(triggers={"files": [config]})
    host.settled(unit)
    host.sh(f"touch {config}")
    host.assert_settled(unit)
    host.write(config, "two")
    result = host.settled(unit)
    assert result["restarted"] == [unit["name"]]


def test_on_change_reload_keeps_the_process(host: Lab) -> None:
    trace = f"{NOTES}/reloaded"
    reloadable = {"ExecReload": f"/bin/touch {trace}"}
    unit = service(service=reloadable, on_change="reload", triggers={"values": [1]})
    host.apply(unit)
    before = host.invocation("main.service")
    result = host.settled({**unit, "triggers": {"values": [2]}})
    assert (result["reloaded"], result["restarted"]) == ([unit["name"]], [])
    assert host.exists(trace)
    assert host.invocation("main.service") == before


def test_on_change_none_keeps_the_process_and_says_so_until_it_is_restarted(host: Lab) -> None:
    unit = service(on_change="none", environment={"A": "1"})
    host.apply(unit)
    before = host.invocation("main.service")
    changed = {**unit, "environment": {"A": "2"}}
    assert "on_change is none" in host.apply(changed)["kept"][unit["name"]]
    assert host.invocation("main.service") == before
    again = host.apply(changed)
    assert not again["changed"]
    assert unit["name"] in again["kept"]
    host.sh(f"systemctl restart {unit['name']}")
    assert host.apply(changed)["kept"] == {}


def test_a_changed_install_section_moves_the_links_only(host: Lab) -> None:
    unit = service(install=WANTED)
    moved = {**unit, "install": {"WantedBy": "default.target"}}
    assert "reenable" in host.left_alone(unit, moved)
    links = host.sh(f"find /etc/systemd/system -name {unit['name']} -type l")
    assert links == f"{UNITS}/default.target.wants/{unit['name']}"


def test_an_install_section_that_goes_takes_its_links_along(host: Lab) -> None:
    unit = service(install=WANTED)
    bare = service()
    host.left_alone(unit, bare)
    assert host.sh(f"find /etc/systemd/system -name {unit['name']} -type l") == ""


def test_dependents_are_restarted_in_order(host: Lab) -> None:
    log = f"{NOTES}/log"

    def chain(word: str) -> list[Entry]:
        return [
            service(
                name,
                service={
                    "ExecStartPre": f"/bin/sh -c 'echo start {name} >> {log}'",
                    "ExecStopPost": f"/bin/sh -c 'echo stop {name} >> {log}'",
                },
                unit={"After": f"{before}.service", "Requires": f"{before}.service"} if before else {},
                environment={"WORD": word},
            )
            for name, before in (("c", "b"), ("b", "a"), ("a", ""))
        ]

    host.settled(*chain("one"))
    host.sh(f"rm {log}")
    result = host.settled(*chain("two"))
    assert result["restarted"] == [f"{name}.service" for name in "cba"]
    lines = host.read(log).split("\n")
    assert lines[:6] == ["stop c", "stop b", "stop a", "start a", "start b", "start c"]


def many_on_one_base(word: str) -> list[Entry]:
    """So many that the first has long ended before the base's own restart could be asked for."""
    base = service("base", environment={"WORD": word})
    started = f"/bin/sh -c 'echo %n >> {NOTES}/log; exec sleep infinity'"
    bound = {"Requires": base["name"], "After": base["name"]}
    words = {"WORD": word}
    dependents = (service(f"d{i}", service={"ExecStart": started}, unit=bound, environment=words) for i in range(25))
    return [base, *dependents]


def test_what_depends_on_another_is_restarted_only_once(host: Lab) -> None:
    log = f"{NOTES}/log"
    host.settled(*many_on_one_base("one"))
    host.sh(f"rm {log}")
    result = host.settled(*many_on_one_base("two"))
    assert len(result["restarted"]) == 26
    starts = host.read(log).split()
    assert sorted(starts) == sorted(set(starts))
    assert len(starts) == 25
    host.sh(f"rm {log}")
    late = {"unit": {"After": " ".join(starts)}, "run": "on_change"}
    bad = service("bad", "/bin/false", service={"Type": "oneshot"}, **late)
    error = host.failing(*many_on_one_base("three"), bad)
    assert error["rolled_back"] is True
    starts = host.read(log).split()  # once by the new text and once by the old
    assert {starts.count(unit) for unit in starts} == {2}


def test_a_restart_or_stop_does_not_reach_beyond_what_is_down(host: Lab) -> None:
    """systemd restarts or stops what is bound to a unit only by way of what is up."""

    def chain(word: str) -> list[Entry]:
        after = {name: {"Requires": f"{name}.service", "After": f"{name}.service"} for name in ("base", "once")}
        base = service("base", environment={"WORD": word})
        once = service("once", "/bin/true", service={"Type": "oneshot"}, unit=after["base"])
        return [base, once, service("app", unit=after["once"], environment={"WORD": word})]

    host.settled(*chain("one"))
    assert host.state("once.service") == "inactive"
    before = host.invocation("app.service")
    result = host.settled(*chain("two"))
    assert sorted(result["restarted"]) == ["app.service", "base.service"]
    again = host.invocation("app.service")
    assert again != before
    result = host.settled(service("base"), *chain("two")[1:])
    assert result["restarted"] == ["base.service"]
    assert host.invocation("app.service") == again
    (stop,) = (
        step for step in host.apply(state="absent")["plan"] if step["action"] == "stop" and "base" in step["unit"]
    )
    assert "along" not in stop["reason"]


def test_a_stop_names_what_it_takes_along(host: Lab) -> None:
    base = service("base")
    bound = service("bound", unit={"BindsTo": base["name"], "After": base["name"]})
    host.apply(base)
    assert host.apply(bound, name="other")["newly_started"] == [bound["name"]]
    assert host.apply({**base, "state": "stopped"})["stopped"] == [base["name"], bound["name"]]


def test_a_restart_names_and_watches_what_it_takes_along(host: Lab) -> None:
    base = service("base")
    bound = service("bound", unit={"Requires": base["name"], "After": base["name"]})
    host.apply(base, bound)
    before = host.invocation("bound.service")
    result = host.settled({**base, "environment": {"A": "1"}}, bound)
    (step,) = (step for step in result["plan"] if step["action"] == "restart")
    assert step["unit"] == base["name"]
    assert bound["name"] in step["reason"]
    assert host.state("bound.service") == "active"
    assert host.invocation("bound.service") != before


def test_a_drop_in_over_a_packaged_service(host: Lab) -> None:
    dropin = {"name": "nginx.service", "dropin": "50-limits", "service": {"LimitNOFILE": 4321}}
    result = host.settled(dropins=[dropin])
    assert result["restarted"] == ["nginx.service"]
    pid = host.show("nginx.service", "MainPID")
    assert "4321" in host.sh(f"grep 'open files' /proc/{pid}/limits")
    result = host.settled(dropins=[{**dropin, "state": "absent"}])
    assert result["restarted"] == ["nginx.service"]
    pid = host.show("nginx.service", "MainPID")
    assert "4321" not in host.sh(f"grep 'open files' /proc/{pid}/limits")
    assert not host.exists(f"{UNITS}/nginx.service.d")


def test_a_drop_in_that_changes_nothing_restarts_nothing(host: Lab) -> None:
    before = host.show("nginx.service", "InvocationID")
    host.settled(dropins=[{"name": "nginx.service", "dropin": "50-note", "unit": {"Documentation": "man:x(1)"}}])
    assert host.show("nginx.service", "InvocationID") == before


def test_a_drop_in_starts_nothing_that_is_down(host: Lab) -> None:
    unit = service(state="stopped")
    host.settled(unit, dropins=[{"name": unit["name"], "dropin": "x", "environment": {"A": "1"}}])
    assert host.state("main.service") == "inactive"


def activated(answer: str, address: str) -> list[Entry]:
    return [service("web", server(answer)), {"name": "web.socket", "socket": {"ListenStream": address}}]


def test_a_socket_is_bound_anew_with_its_service_running(host: Lab) -> None:
    old, new = f"{NOTES}/old", f"{NOTES}/new"
    host.apply(*activated("hi", old))
    assert host.answer_now(old) == "hi"
    host.settled(*activated("hi", new))
    assert host.state("web.socket") == "active"
    assert host.state("web.service") == "active"
    assert host.answer_now(new) == "hi"
    assert host.answer_now(old) == ""


def test_a_service_is_restarted_while_its_socket_stays(host: Lab) -> None:
    address = f"{NOTES}/sock"
    host.apply(*activated("one", address))
    assert host.answer_now(address) == "one"
    before = host.invocation("web.socket")
    assert host.settled(*activated("two", address))["restarted"] == ["web.service"]
    assert host.answer_now(address) == "two"
    assert host.invocation("web.socket") == before


def test_a_running_service_gains_a_socket(host: Lab) -> None:
    address = f"{NOTES}/sock"
    web, socket = activated("hi", address)
    alone = {**web, "service": {"ExecStart": FOREVER}}
    host.apply(alone)
    result = host.settled(web, socket)
    assert socket["name"] in result["newly_started"]
    assert host.answer_now(address) == "hi"


def test_a_timer_changes_its_schedule_without_firing(host: Lab) -> None:
    trace = f"{NOTES}/ran"
    job = service("job", f"/bin/touch {trace}", service={"Type": "oneshot"})

    def timer(when: str) -> Entry:
        directives = {"OnCalendar": when, "Persistent": True}
        return {"name": "job.timer", "timer": directives, "install": {"WantedBy": "timers.target"}}

    host.apply(job, timer("*-*-* 03:00:00"))
    before = host.show("job.timer", "NextElapseUSecRealtime")
    result = host.settled(job, timer("*-*-* 04:00:00"))
    assert verbs(result) == ["write", "daemon-reload"]
    after = host.show("job.timer", "NextElapseUSecRealtime")
    assert "04:00:00" in after
    assert after != before
    assert not host.exists(trace)


def test_a_target_starts_the_member_it_gains(host: Lab) -> None:
    first, second = (service(name, state="present") for name in ("a", "b"))
    target = {"name": "all.target", "unit": {"Wants": first["name"]}}
    host.settled(target, first, second)
    before = host.invocation("a.service")
    target["unit"] = {"Wants": [first["name"], second["name"]]}
    host.settled(target, first, second)
    until(lambda: host.state("b.service") == "active", "the new member is not started")
    assert host.invocation("a.service") == before


def test_state_restarted_does_so_at_every_run(host: Lab) -> None:
    unit = service(state="restarted")
    host.apply(unit)
    before = host.invocation("main.service")
    assert actions(host.apply(unit)) == [("restart", unit["name"])]
    assert host.invocation("main.service") != before


def test_state_reloaded_does_so_at_every_run(host: Lab) -> None:
    unit = service(service={"ExecReload": "/bin/true"}, state="reloaded")
    host.apply(unit)
    before = host.invocation("main.service")
    assert actions(host.apply(unit)) == [("reload", unit["name"])]
    assert host.invocation("main.service") == before


def test_a_chain_of_bound_units_is_up_again_after_its_end_was_bound_anew(host: Lab) -> None:
    def chain(path: str) -> list[Entry]:
        first, second = "first.service", "second.service"
        socket = {"name": "first.socket", "socket": {"ListenStream": f"{NOTES}/{path}"}}
        return [
            service("third", unit={"Requires": second, "After": second}),
            service("second", unit={"Requires": first, "After": first}),
            service("first", state="started"),
            socket,
        ]

    host.apply(*chain("old"))
    host.settled(*chain("new"))
    assert host.states("first.socket", "first.service", "second.service", "third.service") == ["active"] * 4


def test_a_oneshot_that_is_at_its_work_is_not_cut_off(host: Lab) -> None:
    def job(command: str) -> list[Entry]:
        clock = timer("*-*-* 03:00:00")
        return [service("job", command, service={"Type": "oneshot"}), clock]

    host.apply(*job(FOREVER))
    host.sh("systemctl start --no-block job.service")
    until(lambda: host.state("job.service") == "activating", "the job is at work")
    before = host.show("job.service", "MainPID")
    result = host.apply(*job("/bin/sleep 3600"))
    assert "job.service" in result["kept"]
    assert host.show("job.service", "MainPID") == before


def test_an_alias_is_not_taken_for_a_unit_of_its_own(host: Lab) -> None:
    alias = "alias.service"
    host.apply(service(install={**WANTED, "Alias": alias}))
    error = host.failing(service(install={**WANTED, "Alias": alias}), {"name": alias, "state": "stopped"})
    assert "main.service" in error["msg"]
    assert host.state("main.service") == "active"

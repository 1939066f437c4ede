# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change touches: as little as puts it into force, in the order in which that is safe."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.support import FOREVER, PROGRAMS, Stack, actions, environment, succeeded, verbs
from tests.integration.world import show, until

WANTED = {"WantedBy": "multi-user.target"}


def untouched(stack: Stack, unit: dict[str, Any], changed: dict[str, Any]) -> list[str]:
    """The plan's verbs of a change that leaves the process alone."""
    stack.apply(unit)
    suffix = unit["name"][len(stack.name) + 1 :]
    before = stack.invocation(suffix)
    result = stack.settled(changed)
    assert stack.invocation(suffix) == before
    assert (result["restarted"], result["newly_started"], result["stopped"]) == ([], [], [])
    return verbs(result)


def test_a_description_restarts_nothing(stack: Stack) -> None:
    unit = stack.service(unit={"Description": "old"})
    assert untouched(stack, unit, {**unit, "unit": {"Description": "new"}}) == ["write", "daemon-reload"]
    assert stack.show("main.service", "Description") == "new"


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
    stack: Stack, directive: str, value: object, shown: str, as_shown: str
) -> None:
    unit = stack.service()
    changed = stack.service(service={directive: value})
    assert set(untouched(stack, unit, changed)) <= {"write", "daemon-reload", "touch-slice"}
    assert as_shown in stack.show("main.service", shown)


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
def test_what_a_process_is_started_with_restarts_it_alone(stack: Stack, changed: dict[str, Any]) -> None:
    other = stack.service("other")
    unit = stack.service()
    stack.apply(unit, other)
    before = stack.invocation("other.service")
    result = stack.settled({**unit, **changed}, other)
    assert result["restarted"] == [unit["name"]]
    assert stack.invocation("other.service") == before


def test_a_changed_secret_or_trigger_value_restarts(stack: Stack) -> None:
    unit = stack.service(secrets={"TOKEN": "first-token"}, triggers={"values": [{"version": 1}]})
    stack.settled(unit)
    unit["secrets"] = {"TOKEN": "second-token"}
    assert stack.settled(unit)["restarted"] == [unit["name"]]
    assert environment(stack.host, unit["name"])["TOKEN"] == "second-token"
    unit["triggers"] = {"values": [{"version": 2}]}
    assert stack.settled(unit)["restarted"] == [unit["name"]]


def test_a_changed_trigger_file_restarts(stack: Stack) -> None:
    config = f"/etc/{stack.name}.conf"
    stack.host.write(config, "one")
    unit = stack.service(triggers={"files": [config]})
    stack.settled(unit)
    stack.host.sh(f"touch {config}")
    stack.assert_settled(unit)
    stack.host.write(config, "two")
    result = stack.settled(unit)
    assert result["restarted"] == [unit["name"]]
    stack.host.sh(f"rm {config}")


def test_on_change_reload_keeps_the_process(stack: Stack) -> None:
    trace = f"/run/{stack.name}.reloaded"
    reloadable = {"ExecReload": f"/bin/touch {trace}"}
    unit = stack.service(service=reloadable, on_change="reload", triggers={"values": [1]})
    stack.apply(unit)
    before = stack.invocation("main.service")
    result = stack.settled({**unit, "triggers": {"values": [2]}})
    assert (result["reloaded"], result["restarted"]) == ([unit["name"]], [])
    assert stack.host.exists(trace)
    assert stack.invocation("main.service") == before
    stack.host.sh(f"rm {trace}")


def test_on_change_none_keeps_the_process_and_says_so_until_it_is_restarted(stack: Stack) -> None:
    unit = stack.service(on_change="none", environment={"A": "1"})
    stack.apply(unit)
    before = stack.invocation("main.service")
    changed = {**unit, "environment": {"A": "2"}}
    assert "on_change is none" in stack.apply(changed)["kept"][unit["name"]]
    assert stack.invocation("main.service") == before
    again = stack.apply(changed)
    assert not again["changed"]
    assert unit["name"] in again["kept"]
    stack.host.sh(f"systemctl restart {unit['name']}")
    assert stack.apply(changed)["kept"] == {}


def test_a_changed_install_section_moves_the_links_only(stack: Stack) -> None:
    unit = stack.service(install=WANTED)
    moved = {**unit, "install": {"WantedBy": "default.target"}}
    assert "reenable" in untouched(stack, unit, moved)
    links = stack.host.sh(f"find /etc/systemd/system -name {unit['name']} -type l")
    assert links == f"/etc/systemd/system/default.target.wants/{unit['name']}"
    stack.host.sh("rmdir /etc/systemd/system/default.target.wants 2>/dev/null || true")


def test_an_install_section_that_goes_takes_its_links_along(stack: Stack) -> None:
    unit = stack.service(install=WANTED)
    bare = stack.service()
    untouched(stack, unit, bare)
    assert stack.host.sh(f"find /etc/systemd/system -name {unit['name']} -type l") == ""


def test_dependents_are_restarted_in_order(stack: Stack) -> None:
    log = f"/run/{stack.name}.log"

    def chain(word: str) -> list[dict[str, Any]]:
        return [
            stack.service(
                name,
                service={
                    "ExecStartPre": f"/bin/sh -c 'echo start {name} >> {log}'",
                    "ExecStopPost": f"/bin/sh -c 'echo stop {name} >> {log}'",
                },
                unit={"After": stack.unit(f"{before}.service"), "Requires": stack.unit(f"{before}.service")}
                if before
                else {},
                environment={"WORD": word},
            )
            for name, before in (("c", "b"), ("b", "a"), ("a", ""))
        ]

    stack.settled(*chain("one"))
    stack.host.sh(f"rm {log}")
    result = stack.settled(*chain("two"))
    assert result["restarted"] == [stack.unit(f"{name}.service") for name in "cba"]
    lines = stack.host.read(log).split("\n")
    assert lines[:6] == ["stop c", "stop b", "stop a", "start a", "start b", "start c"]
    stack.remove()
    stack.host.sh(f"rm {log}")


def many_on_one_base(stack: Stack, word: str) -> list[dict[str, Any]]:
    """So many that the first has long ended before the base's own restart could be asked for."""
    base = stack.service("base", environment={"WORD": word})
    started = f"/bin/sh -c 'echo %n >> /run/{stack.name}.log; exec sleep infinity'"
    bound = {"Requires": base["name"], "After": base["name"]}
    words = {"WORD": word}
    dependents = (
        stack.service(f"d{i}", service={"ExecStart": started}, unit=bound, environment=words) for i in range(25)
    )
    return [base, *dependents]


def test_what_depends_on_another_is_restarted_only_once(stack: Stack) -> None:
    log = f"/run/{stack.name}.log"
    stack.settled(*many_on_one_base(stack, "one"))
    stack.host.sh(f"rm {log}")
    result = stack.settled(*many_on_one_base(stack, "two"))
    assert len(result["restarted"]) == 26
    starts = stack.host.read(log).split()
    assert sorted(starts) == sorted(set(starts))
    assert len(starts) == 25
    stack.host.sh(f"rm {log}")
    late = {"unit": {"After": " ".join(starts)}, "run": "on_change"}
    bad = stack.service("bad", "/bin/false", service={"Type": "oneshot"}, **late)
    error = stack.refused(*many_on_one_base(stack, "three"), bad)
    assert error["rolled_back"] is True
    starts = stack.host.read(log).split()  # once by the new text and once by the old
    assert {starts.count(unit) for unit in starts} == {2}
    stack.remove()
    stack.host.sh(f"rm {log}")


def test_a_restart_or_stop_does_not_reach_beyond_what_is_down(stack: Stack) -> None:
    """systemd restarts or stops what is bound to a unit only by way of what is up."""

    def chain(word: str) -> list[dict[str, Any]]:
        after = {
            name: {"Requires": stack.unit(f"{name}.service"), "After": stack.unit(f"{name}.service")}
            for name in ("base", "once")
        }
        base = stack.service("base", environment={"WORD": word})
        once = stack.service("once", "/bin/true", service={"Type": "oneshot"}, unit=after["base"])
        return [base, once, stack.service("app", unit=after["once"], environment={"WORD": word})]

    stack.settled(*chain("one"))
    assert stack.show("once.service", "ActiveState") == "inactive"
    before = stack.invocation("app.service")
    result = stack.settled(*chain("two"))
    assert sorted(result["restarted"]) == [stack.unit("app.service"), stack.unit("base.service")]
    again = stack.invocation("app.service")
    assert again != before
    result = stack.settled(stack.service("base"), *chain("two")[1:])
    assert result["restarted"] == [stack.unit("base.service")]
    assert stack.invocation("app.service") == again
    (stop,) = (
        step for step in stack.apply(state="absent")["plan"] if step["action"] == "stop" and "base" in step["unit"]
    )
    assert "along" not in stop["reason"]


def test_a_stop_names_what_it_takes_along(stack: Stack) -> None:
    base = stack.service("base")
    bound = stack.service("bound", unit={"BindsTo": base["name"], "After": base["name"]})
    stack.apply(base)
    other = succeeded(stack.host.module("stack", name=stack.name + "-other", units=[bound]))
    assert other["newly_started"] == [bound["name"]]
    assert stack.apply({**base, "state": "stopped"})["stopped"] == [base["name"], bound["name"]]
    succeeded(stack.host.module("stack", name=stack.name + "-other", state="absent"))


def test_a_restart_names_and_watches_what_it_takes_along(stack: Stack) -> None:
    base = stack.service("base")
    bound = stack.service("bound", unit={"Requires": base["name"], "After": base["name"]})
    stack.apply(base, bound)
    before = stack.invocation("bound.service")
    result = stack.settled({**base, "environment": {"A": "1"}}, bound)
    (step,) = (step for step in result["plan"] if step["action"] == "restart")
    assert step["unit"] == base["name"]
    assert bound["name"] in step["reason"]
    assert stack.show("bound.service", "ActiveState") == "active"
    assert stack.invocation("bound.service") != before


def test_a_drop_in_over_a_packaged_service(stack: Stack) -> None:
    dropin = {"name": "nginx.service", "dropin": "50-limits", "service": {"LimitNOFILE": 4321}}
    result = stack.settled(dropins=[dropin])
    assert result["restarted"] == ["nginx.service"]
    pid = show(stack.host, "nginx.service", "MainPID")
    assert "4321" in stack.host.sh(f"grep 'open files' /proc/{pid}/limits")
    result = stack.settled(dropins=[{**dropin, "state": "absent"}])
    assert result["restarted"] == ["nginx.service"]
    pid = show(stack.host, "nginx.service", "MainPID")
    assert "4321" not in stack.host.sh(f"grep 'open files' /proc/{pid}/limits")
    assert not stack.host.exists("/etc/systemd/system/nginx.service.d")


def test_a_drop_in_that_changes_nothing_restarts_nothing(stack: Stack) -> None:
    before = show(stack.host, "nginx.service", "InvocationID")
    stack.settled(dropins=[{"name": "nginx.service", "dropin": "50-note", "unit": {"Documentation": "man:x(1)"}}])
    assert show(stack.host, "nginx.service", "InvocationID") == before


def test_a_drop_in_starts_nothing_that_is_down(stack: Stack) -> None:
    unit = stack.service(state="stopped")
    stack.settled(unit, dropins=[{"name": unit["name"], "dropin": "x", "environment": {"A": "1"}}])
    assert stack.show("main.service", "ActiveState") == "inactive"


def activated(stack: Stack, answer: str, address: str, **more: Any) -> list[dict[str, Any]]:
    service = stack.service("web", f"/usr/bin/python3 {PROGRAMS}/answer.py {answer}")
    socket = {"name": stack.unit("web.socket"), "socket": {"ListenStream": address, **more}}
    return [service, socket]


def ask(stack: Stack, address: str) -> str:
    return stack.host.sh(f"curl -s -m 5 --unix-socket {address} http://x/", check=False)


def test_a_socket_is_bound_anew_with_its_service_running(stack: Stack) -> None:
    old, new = f"/run/{stack.name}.old", f"/run/{stack.name}.new"
    stack.apply(*activated(stack, "hi", old))
    assert ask(stack, old) == "hi"
    stack.settled(*activated(stack, "hi", new))
    assert stack.show("web.socket", "ActiveState") == "active"
    assert stack.show("web.service", "ActiveState") == "active"
    assert ask(stack, new) == "hi"
    assert ask(stack, old) == ""


def test_a_service_is_restarted_while_its_socket_stays(stack: Stack) -> None:
    address = f"/run/{stack.name}.sock"
    stack.apply(*activated(stack, "one", address))
    assert ask(stack, address) == "one"
    before = stack.invocation("web.socket")
    assert stack.settled(*activated(stack, "two", address))["restarted"] == [stack.unit("web.service")]
    assert ask(stack, address) == "two"
    assert stack.invocation("web.socket") == before


def test_a_running_service_gains_a_socket(stack: Stack) -> None:
    address = f"/run/{stack.name}.sock"
    service, socket = activated(stack, "hi", address)
    alone = {**service, "service": {"ExecStart": FOREVER}}
    stack.apply(alone)
    result = stack.settled(service, socket)
    assert socket["name"] in result["newly_started"]
    assert ask(stack, address) == "hi"


def test_a_timer_changes_its_schedule_without_firing(stack: Stack) -> None:
    trace = f"/run/{stack.name}.ran"
    job = stack.service("job", f"/bin/touch {trace}", service={"Type": "oneshot"})

    def timer(when: str) -> dict[str, Any]:
        directives = {"OnCalendar": when, "Persistent": True}
        return {"name": stack.unit("job.timer"), "timer": directives, "install": {"WantedBy": "timers.target"}}

    stack.apply(job, timer("*-*-* 03:00:00"))
    before = stack.show("job.timer", "NextElapseUSecRealtime")
    result = stack.settled(job, timer("*-*-* 04:00:00"))
    assert verbs(result) == ["write", "daemon-reload"]
    after = stack.show("job.timer", "NextElapseUSecRealtime")
    assert "04:00:00" in after
    assert after != before
    assert not stack.host.exists(trace)
    stack.remove()
    stack.host.sh(f"rm -f /var/lib/systemd/timers/stamp-{stack.unit('job.timer')}")


def test_a_target_starts_the_member_it_gains(stack: Stack) -> None:
    first, second = (stack.service(name, state="present") for name in ("a", "b"))
    target = {"name": stack.unit("all.target"), "unit": {"Wants": first["name"]}}
    stack.settled(target, first, second)
    before = stack.invocation("a.service")
    target["unit"] = {"Wants": [first["name"], second["name"]]}
    stack.settled(target, first, second)
    until(lambda: stack.show("b.service", "ActiveState") == "active", "the new member is not started")
    assert stack.invocation("a.service") == before


def test_state_restarted_does_so_at_every_run(stack: Stack) -> None:
    unit = stack.service(state="restarted")
    stack.apply(unit)
    before = stack.invocation("main.service")
    assert actions(stack.apply(unit)) == [("restart", unit["name"])]
    assert stack.invocation("main.service") != before


def test_state_reloaded_does_so_at_every_run(stack: Stack) -> None:
    unit = stack.service(service={"ExecReload": "/bin/true"}, state="reloaded")
    stack.apply(unit)
    before = stack.invocation("main.service")
    assert actions(stack.apply(unit)) == [("reload", unit["name"])]
    assert stack.invocation("main.service") == before


def test_a_chain_of_bound_units_is_up_again_after_its_end_was_bound_anew(stack: Stack) -> None:
    def chain(path: str) -> list[dict[str, Any]]:
        first, second = stack.unit("first.service"), stack.unit("second.service")
        socket = {"name": stack.unit("first.socket"), "socket": {"ListenStream": f"/run/{stack.name}-{path}"}}
        return [
            stack.service("third", unit={"Requires": second, "After": second}),
            stack.service("second", unit={"Requires": first, "After": first}),
            stack.service("first", state="started"),
            socket,
        ]

    stack.apply(*chain("old"))
    stack.settled(*chain("new"))
    names = ("first.socket", "first.service", "second.service", "third.service")
    assert [stack.show(name, "ActiveState") for name in names] == ["active"] * 4


def test_a_oneshot_that_is_at_its_work_is_not_cut_off(stack: Stack) -> None:
    def job(command: str) -> list[dict[str, Any]]:
        timer = {"name": stack.unit("job.timer"), "timer": {"OnCalendar": "*-*-* 03:00:00"}}
        return [stack.service("job", command, service={"Type": "oneshot"}), timer]

    stack.apply(*job(FOREVER))
    stack.host.sh(f"systemctl start --no-block {stack.unit('job.service')}")
    until(lambda: stack.show("job.service", "ActiveState") == "activating", "the job is at work")
    before = stack.show("job.service", "MainPID")
    result = stack.apply(*job("/bin/sleep 3600"))
    assert stack.unit("job.service") in result["kept"]
    assert stack.show("job.service", "MainPID") == before


def test_an_alias_is_not_taken_for_a_unit_of_its_own(stack: Stack) -> None:
    alias = stack.unit("alias.service")
    stack.apply(stack.service(install={**WANTED, "Alias": alias}))
    error = stack.refused(stack.service(install={**WANTED, "Alias": alias}), {"name": alias, "state": "stopped"})
    assert stack.unit("main.service") in error["msg"]
    assert stack.show("main.service", "ActiveState") == "active"

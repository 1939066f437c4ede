# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes down or up with another unit is named, done once and in order, and runs where it is declared to run."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import IDLE, MOUNT, UNITS, WANTED, Entry, app, program, service, socket, tmpfs, web
from .lab import CUT_OFF, Lab, places


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


@pytest.mark.by_force("others need it")
def test_what_is_bound_is_restarted_named_and_watched(host: Lab) -> None:
    host.apply(app(1))
    for directive in ("Requires", "BindsTo", "PartOf"):
        name = directive.lower()
        text = f"[Unit]\n{directive}=app.service\nAfter=app.service\n[Service]\nExecStart={program(1, name)}\n"
        host.write(f"{UNITS}/{name}.service", text)
    host.write(f"{UNITS}/wants.service", "[Unit]\nWants=app.service\n[Service]\nExecStart=/bin/sleep 1000\n")
    bound = ["requires.service", "bindsto.service", "partof.service"]
    host.sh(f"systemctl daemon-reload && systemctl start {' '.join(bound)} wants.service")
    before = {unit: host.invocation(unit) for unit in [*bound, "wants.service"]}
    result = host.apply(app(2))
    (step,) = [step for step in result["plan"] if step["action"] == "restart"]
    assert all(unit in step["reason"] for unit in bound)
    assert "wants.service" not in step["reason"]
    assert sorted(result["restarted"]) == sorted(["app.service", *bound])
    assert [unit for unit in before if host.invocation(unit) != before[unit]] == bound
    assert set(host.states(*before)) == {"active"}


@pytest.mark.parametrize("directive", ["BindsTo", "BindTo"])
def test_what_a_running_unit_is_bound_to_anew_comes_up(host: Lab, directive: str) -> None:
    """By today's name or by the one of old, without which systemd would stop the unit."""
    base = service("base", state="present")
    host.settled(service("bound"), base)
    bound = service("bound", unit={directive: base["name"], "After": base["name"]})
    host.settled(bound, base)
    assert host.states("bound.service", "base.service") == ["active", "active"]


@pytest.mark.parametrize("directive", ["Requires", "Requisite", "BindsTo", "PartOf"])
@pytest.mark.parametrize("declared", [False, True])
def test_a_restart_that_takes_a_unit_along_is_its_reload_too(host: Lab, directive: str, declared: bool) -> None:
    def both(number: str) -> list[Entry]:
        again = declared and number == "2"
        change = {} if declared else {"environment": {"A": number}}
        trigger = {} if declared else {"triggers": {"values": [number]}, "on_change": "reload"}
        db = service("db", **change, state="restarted" if again else "started")
        bound = {directive: db["name"], "After": db["name"]}
        reloading = service("app", service={"ExecReload": "/bin/true"}, unit=bound, **trigger)
        return [db, {**reloading, "state": "reloaded" if again else "started"}]

    host.apply(*both("1"))
    foretold = host.foretell(*both("2"))
    before = host.invocation("app.service")
    result = host.apply(*both("2"))
    assert (result["restarted"], result["reloaded"]) == (["db.service", "app.service"], [])
    assert result["plan"] == foretold["plan"]
    assert host.invocation("app.service") != before
    if not declared:
        host.assert_settled(*both("2"))


def test_what_a_start_ends_is_named(host: Lab) -> None:
    """Also what goes down with that."""
    host.foreign("old.service")
    host.foreign("beside.service", "[Unit]\nBindsTo=old.service\n" + IDLE)
    new = service("new", unit={"Conflicts": "old.service"})
    foretold = host.foretell(new)
    result = host.settled(new)
    for each in (foretold, result):
        assert (each["newly_started"], each["stopped"]) == ([new["name"]], ["beside.service", "old.service"])
        (start,) = [step for step in each["plan"] if step["action"] == "start"]
        assert "stops old.service (Conflicts= of new.service)" in start["reason"]
        assert "stops beside.service (BindsTo= of old.service)" in start["reason"]
    assert host.states("old.service", "beside.service") == ["inactive"] * 2


def test_what_a_start_pulls_in_is_named(host: Lab) -> None:
    """By the text to come, of which systemd knows nothing yet."""
    host.foreign("base.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n", start=False)
    host.foreign("tool.service", "[Unit]\nRequires=base.service\n" + IDLE, start=False)
    new = service("new", unit={"Wants": "tool.service nix.service"})
    foretold = host.foretell(new)
    result = host.settled(new)
    for each in (foretold, result):
        assert each["newly_started"] == [new["name"], "base.service", "tool.service"]
        (start,) = [step for step in each["plan"] if step["action"] == "start"]
        assert "starts tool.service (Wants= of new.service)" in start["reason"]
        assert "starts base.service (Requires= of tool.service)" in start["reason"]
        assert "nix" not in start["reason"]


def test_a_restart_takes_along_what_the_new_text_binds(host: Lab) -> None:
    db = service("db")
    host.apply(db, service("app"))
    before = host.invocation("app.service")
    result = host.settled(
        {**db, "environment": {"A": "1"}}, service("app", unit={"Requires": db["name"], "After": db["name"]})
    )
    assert result["restarted"] == ["db.service", "app.service"]
    assert host.invocation("app.service") != before


def test_restarts_that_contradict_each_other_are_done_one_by_one(host: Lab) -> None:
    """From 262 on systemd refuses both in one call."""

    def both(word: str) -> list[Entry]:
        return [
            service("a", environment={"A": word}),
            service("c", environment={"A": word}, unit={"PropagatesStopTo": "b.service"}),
        ]

    if host.systemd < 249:
        pytest.skip("PropagatesStopTo= came with 249")
    host.apply(*both("1"))
    host.foreign("b.service", "[Unit]\nPartOf=a.service\n" + IDLE)
    before = [host.invocation(f"{name}.service") for name in "ac"]
    host.settled(*both("2"))
    assert host.states("a.service", "c.service") == ["active"] * 2
    assert not set(before).intersection(host.invocation(f"{name}.service") for name in "ac")


def test_one_that_systemd_refuses_hinders_no_other(host: Lab) -> None:
    host.foreign("lacking.service", "[Unit]\nRequires=nix.service\n" + IDLE, start=False)
    lacking = {"name": "lacking.service", "state": "started"}
    errors = host.failing(service("a"), lacking, service("z"), on_failure="keep")["errors"]
    assert [error["unit"] for error in errors] == ["lacking.service"], errors
    assert host.states("a.service", "z.service") == ["active"] * 2


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


def test_what_is_stopped_before_is_not_taken_along_by_a_restart(host: Lab) -> None:
    def worker(after: int, **more: object) -> Entry:
        return app(after, "worker", unit={"PartOf": "base.service"}, **more)

    host.apply(app(1, "base"), worker(1))
    result = host.apply(app(2, "base"), worker(1, state="stopped"))
    assert (result["restarted"], result["stopped"]) == (["base.service"], ["worker.service"])
    assert "along" not in str(result["plan"])
    host.apply(app(2, "base"), worker(1, on_change="none"))
    result = host.apply(app(3, "base"), worker(2, on_change="none"))
    assert (result["restarted"], result["kept"]) == (["base.service", "worker.service"], {})
    assert host.version("worker") == "2"


NEEDS_WEB = {"Requires": "web.service", "After": "web.service"}


def test_what_is_at_its_work_is_cut_off_with_what_it_needs_and_not_begun_anew(host: Lab) -> None:
    def units(port: int) -> list[Entry]:
        command = program(1, "job", "exec sleep 500")
        return [socket(port), web(), service("job", command, service={"Type": "oneshot"}, unit=NEEDS_WEB)]

    host.apply(*units(8002))
    host.sh("systemctl start --no-block job.service")
    host.version("job")
    host.forget_versions()
    result = host.apply(*units(8003))
    assert "job.service" in result["stopped"]
    assert host.state("job.service") == "inactive"
    assert not host.exists(f"{NOTES}/job")
    assert host.answer(8003) == "one"


@pytest.mark.parametrize("tie", [{"PartOf": "gone.service"}, {"BindsTo": "gone.service", "After": "gone.service"}])
@pytest.mark.parametrize("ending", ["pruned", "stopped", "masked"])
def test_what_goes_down_with_another_and_is_declared_to_run_runs(host: Lab, tie: dict[str, str], ending: str) -> None:
    """The tie goes with the other unit, but systemd acts by what it has read."""
    gone, stays = service("gone"), service("stays")
    own = {directive: value.replace("gone.service", gone["name"]) for directive, value in tie.items()}
    host.apply(gone, {**stays, "unit": own})
    before = host.invocation("stays.service")
    after = {
        "pruned": [],
        "stopped": [{**gone, "state": "stopped"}],
        "masked": [{"name": gone["name"], "masked": True}],
    }
    result = host.settled(stays, *after[ending], prune=True)
    assert result["restarted"] == [stays["name"]]
    assert result["stopped"] == [gone["name"]]
    assert host.state("stays.service") == "active"
    assert host.invocation("stays.service") != before
    if ending == "masked":
        host.apply({**gone, "masked": False}, stays)


@pytest.mark.parametrize("refused", ["RefuseManualStart", "RefuseManualStop"])
def test_what_goes_down_with_another_and_refuses(host: Lab, refused: str) -> None:
    """systemd takes it down all the same, and only a start by name is refused."""
    gone, stays = service("gone"), service("stays")
    host.apply(gone, {**stays, "unit": {"PartOf": gone["name"]}})
    refusing = {**stays, "unit": {refused: True}}
    if refused == "RefuseManualStart":
        assert places(host.failing(refusing, prune=True)) == [(stays["name"], "Unit", refused)]
        return
    host.settled(refusing, prune=True)
    assert host.state("stays.service") == "active"
    host.apply(stays)


def test_a_target_that_goes_leaves_its_members_up(host: Lab) -> None:
    target = {"name": "all.target"}
    member = service("member", unit={"PartOf": target["name"]}, install=WANTED)
    host.apply(target | {"unit": {"Wants": member["name"]}}, member)
    assert host.settled(member, prune=True)["restarted"] == [member["name"]]
    assert host.state("member.service") == "active"


@pytest.mark.parametrize("kind", ["mount", "slice"])
def test_what_lay_in_a_mount_or_slice_that_goes_is_up_again(host: Lab, kind: str) -> None:
    base = service("base")
    if kind == "mount":
        around = [tmpfs()]
        member = service("member", service={"WorkingDirectory": MOUNT})
    else:
        around = [{"name": "test-x.slice", "slice": {"CPUWeight": 200}}, base]
        member = service("member", service={"Slice": "test-x.slice"}, unit={"PartOf": base["name"]})
    host.apply(*around, member)
    host.settled(member, prune=True)
    assert host.state("member.service") == "active"


def test_what_another_unit_upheld_goes_once_that_does_not(host: Lab) -> None:
    if host.systemd < 249:
        pytest.skip("Upholds= came with systemd 249")
    upheld = service("upheld")
    upholding = service("upholding", unit={"Upholds": upheld["name"]})
    host.apply(upheld, upholding)
    assert host.settled(service("upholding"), prune=True)["stopped"] == [upheld["name"]]
    # Cut off by the reload, before its stop.
    host.apply(upheld, upholding)
    killer = "/run/systemd/system-generators/killer"
    host.write(killer, f"#!/bin/sh\n{CUT_OFF}\n", 0o755)
    host.cut_off(service("upholding"), prune=True)
    host.sh(f"rm {killer}")
    assert f"{upheld['name']}: stop" in host.settled(service("upholding"), prune=True)["recovered"]
    assert host.state("upheld.service") == "inactive"
    host.apply(upheld, upholding)
    result = host.failing({**upheld, "state": "stopped"}, upholding)
    assert places(result) == [(upholding["name"], "Unit", "Upholds")]
    host.settled({**upheld, "state": "stopped"}, service("upholding"))


def test_what_upholds_another_stops_before_it(host: Lab) -> None:
    if host.systemd < 249:
        pytest.skip("Upholds= came with systemd 249")
    host.apply(service("upheld"), service("upholding", unit={"Upholds": "upheld.service"}))
    foretold = host.foretell(state="absent")
    result = host.remove()
    assert result["stopped"] == foretold["stopped"] == ["upholding.service", "upheld.service"]
    assert result["restarted"] == foretold["restarted"] == []


def test_a_socket_that_goes_down_with_a_target_is_opened_again(host: Lab) -> None:
    """It cannot start while its service runs, which is not bound to that target."""
    target, served = {"name": "old.target", "unit": {"Description": "old"}}, service("s")
    socket = {"name": "s.socket", "socket": {"ListenStream": f"{NOTES}/sock"}}
    host.apply(target, served, {**socket, "unit": {"PartOf": target["name"]}})
    host.sh(f"systemctl start {served['name']} {target['name']}")
    assert set(host.settled(served, socket, prune=True)["restarted"]) == {socket["name"], served["name"]}
    assert host.show("s.socket", "SubState") == "running"


def test_a_path_that_starts_what_goes_down_with_another(host: Lab) -> None:
    gone, found = service("gone"), service("p", state="started")
    path = {"name": "p.path", "path": {"PathExists": "/etc/passwd"}}
    host.apply(gone, {**found, "unit": {"PartOf": gone["name"]}}, path)
    host.settled(found, path, prune=True)
    assert host.state("p.service") == "active"


def test_what_needs_a_daemon_that_becomes_a_oneshot_runs_on(host: Lab) -> None:
    job, needing = service("job"), service("needing")
    needing["unit"] = {"Requires": job["name"], "After": job["name"]}
    host.apply(job, needing)
    once = service("job", "/bin/true", service={"Type": "oneshot"}, run="on_change")
    host.settled(once, needing)
    assert host.state("needing.service") == "active"


def test_what_a_unit_lies_in_is_started_with_it_and_named(host: Lab) -> None:
    """By relations that systemd makes of other directives than Requires=."""
    mount, part = tmpfs() | {"state": "present"}, {"name": "lab.slice", "slice": {"CPUWeight": 200}}
    inside = service("inside", service={"WorkingDirectory": f"{MOUNT}/", "Slice": part["name"]})
    host.apply(mount, {**part, "state": "present"})
    result = host.settled(mount, {**part, "state": "present"}, inside)
    assert result["newly_started"] == [inside["name"], part["name"], mount["name"]]
    (step,) = (step for step in result["plan"] if step["action"] == "start")
    for around in (mount["name"], part["name"]):
        assert f"starts {around} (Requires= of {inside['name']})" in step["reason"]


def test_the_sockets_that_a_service_gets_are_started_before_it_and_named(host: Lab) -> None:
    more = {"name": "more.socket", "socket": {"ListenStream": f"{NOTES}/more", "Service": "got.service"}}
    got = service("got", service={"Sockets": more["name"], "LogNamespace": "lab"}, state="started")
    asked = ["systemd-journald@lab.service"]  # by the first line that the service writes
    result = host.settled(got, {**more, "state": "present"}, besides=asked)
    journals = [f"systemd-journald{kind}@lab.socket" for kind in ("-varlink", "")]
    assert {got["name"], more["name"], *journals} <= set(result["newly_started"])

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left as it is, who may say so, and what is done all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Observed
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences, making, plan
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.owed import Owed, Pending
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.plan import Plan

from tests.unit.world import RUNNING, SYSTEM, Entry, carried, declare, in_force, jobs, planned, related

VENDOR = {"a.service": "[Service]\nExecStart=/bin/a\nExecReload=/bin/r\n"}
NAMED: Entry = {"name": "a.service", "state": "started"}


def dropin(on_change: str | None = None, nice: int = 1, name: str = "x", unit: str = "a.service") -> Entry:
    said = {"on_change": on_change} if on_change else {}
    return {"name": unit, "dropin": name, "service": {"Nice": nice}, **said}


@pytest.mark.parametrize(
    ("unit", "dropins", "done"),
    [
        (None, [dropin()], ["restart"]),
        (None, [dropin("none")], []),
        (None, [dropin("reload")], ["reload"]),
        (NAMED, [dropin("none")], []),
        ({**NAMED, "on_change": "none"}, [dropin()], []),
        ({**NAMED, "on_change": "none"}, [dropin("restart")], []),
        ({**NAMED, "on_change": "restart"}, [dropin("none")], ["restart"]),
        (NAMED, [dropin("none"), dropin(name="y")], []),
        (NAMED, [dropin("reload"), dropin("none", name="y")], []),
        (NAMED, [dropin("restart"), dropin("reload", name="y")], ["reload"]),
    ],
)
def test_who_says_what_a_change_does(unit: Entry | None, dropins: list[Entry], done: list[str]) -> None:
    observed = in_force(None, {"a.service": RUNNING}, vendor=VENDOR)
    made = planned(declare(*([unit] if unit else []), dropins=dropins), observed)
    assert [verb for verb, _unit in jobs(made)] == done
    # What a reload does not put into force is kept, too.
    assert set(made.kept) == (set() if done == ["restart"] else {"a.service"})


def test_a_dropin_says_nothing_of_a_unit_that_has_a_text_beside_it() -> None:
    def stack(start: str) -> Desired:
        return declare({"name": "a.service", "service": {"ExecStart": start}}, dropins=[dropin("none")])

    assert jobs(planned(stack("/bin/b"), in_force(stack("/bin/a"), {"a.service": RUNNING}))) == [
        ("restart", "a.service")
    ]


@pytest.mark.parametrize(("on_change", "done"), [(None, ["restart"]), ("none", []), ("reload", ["reload"])])
def test_a_template_speaks_for_instances_that_nobody_lists(on_change: str | None, done: list[str]) -> None:
    def stack(start: str) -> Desired:
        text = {"ExecStart": start, "ExecReload": "/bin/r"}
        said = {"on_change": on_change} if on_change else {}
        return declare({"name": "a@.service", "service": text, "state": "present", **said})

    made = planned(stack("/bin/b"), in_force(stack("/bin/a"), {"a@x.service": RUNNING}))
    assert [verb for verb, _unit in jobs(made)] == done


def reloaded(start: str, **more: object) -> Entry:
    text = {"ExecStart": start, "ExecReload": "/bin/r"}
    return {"name": "a.service", "service": text, "state": "reloaded", **more}


def test_a_kept_unit_that_is_declared_reloaded_is() -> None:
    kept = [declare(reloaded(start, on_change="none")) for start in ("/bin/a", "/bin/b")]
    made = planned(kept[1], in_force(kept[0], {"a.service": RUNNING}))
    assert jobs(made) == [("reload", "a.service")]
    assert "on_change is none" in made.kept["a.service"]


def test_what_carries_this_run_and_is_declared_reloaded_is() -> None:
    changed = [declare(reloaded(start)) for start in ("/bin/a", "/bin/b")]
    observed = carried(in_force(changed[0], {"a.service": RUNNING}), "a.service")
    made = planned(changed[1], observed)
    assert jobs(made) == [("reload", "a.service")]
    assert "connection" in made.kept["a.service"]


def test_what_keeps_ending_and_refuses_a_restart_is_left_to_systemd() -> None:
    text = {"service": {"ExecStart": "/bin/a"}, "unit": {"RefuseManualStop": True}}
    desired = declare({"name": "a.service", **text, "state": "started"})
    made = planned(desired, in_force(desired, {"a.service": UnitState("loaded", "activating", "auto-restart")}))
    assert made.empty
    assert "refuses" in made.kept["a.service"]


@pytest.mark.parametrize(("directive", "values"), [("Options", ("ro", "rw")), ("What", ("/dev/a", "/dev/b"))])
def test_a_mount_that_shall_not_be_touched(directive: str, values: tuple[str, str]) -> None:
    def mount(value: str) -> Desired:
        text = {"What": "/dev/a", "Where": "/srv", directive: value}
        return declare({"name": "srv.mount", "mount": text, "on_change": "none"})

    states = {"srv.mount": UnitState("loaded", "active", "mounted")}
    made = planned(mount(values[1]), in_force(mount(values[0]), states))
    assert jobs(made) == []
    assert directive in made.kept["srv.mount"]


def test_what_goes_down_with_a_service_comes_up_with_it() -> None:
    def stack(path: str) -> Desired:
        socket = {"name": "a.socket", "socket": {"ListenStream": path}}
        return declare({"name": "a.service", "service": {"ExecStart": "/bin/a"}}, socket)

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running"), "b.service": RUNNING}
    relations = {"a.service": {"RequiredBy": ("b.service", "c.service")}}
    made = planned(stack("/run/b"), in_force(stack("/run/a"), states), relations)
    assert set(made.jobs["start"]) == {"a.socket", "a.service", "b.service"}


def test_a_socket_is_kept_for_what_would_not_come_up_again() -> None:
    """What needs its service goes down with that, and refuses to be started by hand."""

    def stack(path: str) -> Desired:
        socket = {"name": "a.socket", "socket": {"ListenStream": path}}
        return declare({"name": "a.service", "service": {"ExecStart": "/bin/a"}}, socket)

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running"), "b.service": RUNNING}
    refusing = {"b.service": "[Unit]\nRequires=a.service\nRefuseManualStart=yes\n[Service]\nExecStart=/bin/b\n"}
    observed = in_force(stack("/run/a"), states, vendor=refusing)
    made = planned(stack("/run/b"), observed, {"a.service": {"RequiredBy": ("b.service",)}})
    assert jobs(made) == []
    assert "refuses" in made.kept["a.socket"]


def test_a_socket_is_kept_whose_service_shall_refuse_a_start_from_now_on() -> None:
    """What is in memory lets it go down, what is read then does not let it come up."""

    def stack(path: str, **unit: bool) -> Desired:
        socket = {"name": "a.socket", "socket": {"ListenStream": path}}
        return declare({"name": "a.service", "service": {"ExecStart": "/bin/a"}, "unit": unit}, socket)

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    made = planned(stack("/run/b", RefuseManualStart=True), in_force(stack("/run/a"), states))
    assert jobs(made) == []
    assert "refuses" in made.kept["a.socket"]


def test_a_socket_that_goes_is_nothing_to_a_service_that_it_alone_started() -> None:
    service = {"name": "a.service", "service": {"ExecStart": "/bin/a"}, "state": "present"}
    socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a"}}
    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    made = planned(declare(service, prune=True), in_force(declare(service, socket), states))
    assert jobs(made) == [("stop", "a.socket")]


def interrupted(case_before: Entry, verb: Owed, unit: str, state: UnitState = RUNNING) -> Plan:
    """A run that was cut off owes this, and the declaration is as it was then."""
    desired = declare(case_before)
    observed = in_force(desired, {unit: state})
    pending = Pending(owed={unit: (verb,)}, since="then")
    found, graph = differences.compare(desired, observed, {}, pending), related(observed)
    return making.make(found, plan.wishes(found, observed), graph, observed)


@pytest.mark.parametrize("verb", [Owed.RESTART, Owed.CYCLE, Owed.RELOAD])
def test_on_change_none_holds_back_what_an_interrupted_run_owes(verb: Owed) -> None:
    def owing(on_change: str) -> Plan:
        text = {"ExecStart": "/bin/a", "ExecReload": "/bin/r"}
        return interrupted({"name": "a.service", "service": text, "on_change": on_change}, verb, "a.service")

    assert jobs(owing("restart"))
    assert jobs(owing("none")) == []
    assert owing("none").kept["a.service"] == "an unfinished run owed it; on_change is none"


@pytest.mark.parametrize("verb", [Owed.PULL, Owed.TOUCH_SLICE])
def test_on_change_none_holds_back_nothing_that_leaves_the_process_alone(verb: Owed) -> None:
    kept = {"name": "a.service", "service": {"ExecStart": "/bin/a"}, "on_change": "none"}
    assert len(jobs(interrupted(kept, verb, "a.service"))) == 1


def test_what_is_declared_restarted_is_in_spite_of_on_change_none() -> None:
    kept = declare({"name": "a.service", "service": {"ExecStart": "/bin/a"}, "on_change": "none", "state": "restarted"})
    assert jobs(planned(kept, in_force(kept, {"a.service": RUNNING}))) == [("restart", "a.service")]


@pytest.mark.parametrize(
    ("unit", "changed", "sub"),
    [
        ({"name": "a.timer", "timer": {"OnCalendar": "2001-01-01"}}, {"timer": {"OnCalendar": "daily"}}, "elapsed"),
        (
            {"name": "a.socket", "socket": {"ListenStream": "/run/a"}},
            {"socket": {"ListenStream": "/run/b"}},
            "listening",
        ),
        (
            {"name": "dev-sda.swap", "swap": {"What": "/dev/sda"}},
            {"swap": {"What": "/dev/sda", "Priority": 1}},
            "active",
        ),
        (
            {"name": "srv.automount", "automount": {"Where": "/srv"}},
            {"automount": {"Where": "/srv", "TimeoutIdleSec": 9}},
            "waiting",
        ),
    ],
    ids=["timer", "socket", "swap", "automount"],
)
def test_on_change_none_is_heeded_for_each_kind(unit: Entry, changed: Entry, sub: str) -> None:
    def made(on_change: str) -> Plan:
        before = {**unit, "on_change": on_change, "state": "started"}
        observed = in_force(declare(before), {unit["name"]: UnitState("loaded", "active", sub)})
        return planned(declare({**before, **changed}), observed)

    assert jobs(made("restart"))
    assert jobs(made("none")) == []
    assert "on_change is none" in made("none").kept[unit["name"]]


MASK = f"{SYSTEM.units}/a.service"


def under_mask(observed: Observed) -> Observed:
    """Someone has masked a unit of a package that runs on."""
    loadpath = observed.loadpath.changed({MASK: b""}, [])
    loadpath = replace(loadpath, links={MASK: "/dev/null"})
    files = {**observed.files, MASK: Seen(0o120777, 0, 0, 0.0, None, "/dev/null")}
    return replace(observed, loadpath=loadpath, files=files)


@pytest.mark.parametrize("on_change", ["restart", "reload", "none"])
def test_what_is_masked_is_given_no_job_that_needs_its_text(on_change: str) -> None:
    dropins = [{**dropin(on_change), "unit": {"Wants": "b.service"}}]
    observed = under_mask(in_force(None, {"a.service": RUNNING}, vendor=VENDOR))
    made = planned(declare(dropins=dropins), observed)
    assert jobs(made) == []
    assert MASK in made.kept["a.service"] or on_change == "none"
    assert made.watched == {}


def test_what_is_masked_can_still_be_stopped() -> None:
    observed = under_mask(in_force(None, {"a.service": RUNNING}, vendor=VENDOR))
    assert jobs(planned(declare({"name": "a.service", "state": "stopped"}), observed)) == [("stop", "a.service")]


@pytest.mark.parametrize("name", ["usr", "etc", "run", "dev"])
def test_a_mount_of_the_host_goes_without_a_stop(name: str) -> None:
    unit = {"name": f"{name}.mount", "mount": {"What": "/dev/a", "Where": f"/{name}"}}
    other = {"name": "b.target", "unit": {"Description": "b"}, "state": "present"}
    observed = in_force(declare(unit, other), {unit["name"]: UnitState("loaded", "active", "mounted")})
    for desired in (declare(other, prune=True), declare({"name": unit["name"], "state": "absent"})):
        made = planned(desired, observed)
        assert jobs(made) == []
        assert made.files.remove
        assert "the host stands on it" in made.kept[unit["name"]]


def test_a_mount_of_the_host_is_not_laid_over_what_it_stands_on() -> None:
    desired = declare({"name": "var.mount", "mount": {"What": "/dev/a", "Where": "/var"}})
    made = planned(desired, in_force(None))
    assert jobs(made) == []
    assert "next boot" in made.kept["var.mount"]


def test_an_elapsed_timer_that_changes_is_not_held_to_be_waiting() -> None:
    def timer(description: str) -> Desired:
        unit = {"Description": description}
        return declare({"name": "a.timer", "unit": unit, "timer": {"OnCalendar": "2001-01-01"}})

    def watched(sub: str) -> set[str]:
        observed = in_force(timer("a"), {"a.timer": UnitState("loaded", "active", sub)})
        made = planned(timer("b"), observed)
        assert jobs(made) == []
        return set(made.watched)

    assert (watched("waiting"), watched("elapsed")) == ({"a.timer"}, set())


@pytest.mark.parametrize(
    ("unit", "done"), [("a.scope", ["touch-slice"]), ("a.slice", ["start", "touch-slice"]), ("dev-a.device", [])]
)
def test_a_drop_in_over_what_systemd_makes_itself(unit: str, done: list[str]) -> None:
    """Nobody starts a scope or a device."""
    section = unit.rpartition(".")[2]
    limits = {} if section == "device" else {section: {"MemoryMax": "1G"}}
    if section == "scope":
        limits = {"content": "[Scope]\nMemoryMax=1G\n[Unit]\nWants=b.service\n"}
    dropin = {"name": unit, "dropin": "x", **({"unit": {"Wants": "b.service"}} if section != "scope" else {}), **limits}
    observed = in_force(None, {unit: UnitState("loaded", "active", "running")}, 257)
    made = planned(declare(dropins=[dropin], version=257), observed)
    assert sorted(verb for verb, _unit in jobs(made)) == done


@pytest.mark.parametrize("leaving", [False, True])
def test_what_the_host_stands_on(leaving: bool) -> None:
    """By what a stop takes along, whatever it is called."""
    mount: Entry = {"name": "data.mount", "mount": {"What": "a", "Where": "/data", "Type": "tmpfs"}}
    before = declare(mount)
    after = declare(
        {**mount, "mount": {**mount["mount"], "What": "b"}} if not leaving else {**mount, "state": "absent"}
    )
    states = {"data.mount": UnitState("loaded", "active", "mounted"), "basic.target": RUNNING}
    needed = {"data.mount": {"RequiredBy": ("basic.target",)}, "basic.target": {"Requires": ("data.mount",)}}
    made = planned(after, in_force(before, states), needed)
    assert jobs(made) == []
    assert "basic.target" in made.kept["data.mount"]
    assert ("stop", "data.mount") in jobs(
        planned(declare({**mount, "state": "stopped"}), in_force(before, states), needed)
    )

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a oneshot runs for a change: what is called for, and what the plan tells of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.fates import Call
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.plan import Plan

from ..world import RUNNING, Entry, declare, in_force, planned

MIG, APP, WEB = "mig.service", "app.service", "web.service"


def service(name: str, unit: Entry | None = None, **more: Any) -> Entry:
    return {"name": name, "unit": unit or {}, "service": {"ExecStart": f"/bin/{name}"}, **more}


def oneshot(name: str = MIG, unit: Entry | None = None, **more: Any) -> Entry:
    text = {"Type": "oneshot", "ExecStart": "/bin/mig"}
    return {**service(name, unit, **more), "service": text, "run": "on_change"}


def pulls(other: str, **more: str) -> Entry:
    return {"Requires": other, "After": other, **more}


def changed(*units: Entry, down: tuple[str, ...] = (MIG,)) -> Plan:
    """All of these with another environment than before; what is not down is up."""
    before, after = (declare(*({**unit, "environment": {"A": at}} for unit in units)) for at in ("1", "2"))
    names = [name for unit in units for name in members(unit)]
    return planned(after, in_force(before, {name: RUNNING for name in names if name not in down}))


def members(unit: Entry) -> list[str]:
    return [unit["name"].replace("@", f"@{each}") for each in unit.get("instances", [""])]


def told(made: Plan) -> list[tuple[str, str]]:
    """The steps of jobs after the files."""
    return [(step.action, step.unit) for step in made.steps if step.action in ("reload", "restart", "start", "run")]


@pytest.mark.parametrize("directive", ["Requires", "Wants", "BindsTo"])
def test_what_a_template_names_by_its_instance(directive: str) -> None:
    app = service("app@.service", {directive: "mig@%i.service", "After": "mig@%i.service"}, instances=["a"])
    made = changed(app, oneshot("mig@.service", instances=["a"]), down=("mig@a.service",))
    assert made.calls == (Call("run", ("mig@a.service",)), Call("restart", ("app@a.service",), alone=True))


@pytest.mark.parametrize(("app", "mig"), [({}, {"Before": "app@%i.service"}), ({"After": "mig@%i.service"}, {})])
def test_what_is_ordered_by_its_instance(app: Entry, mig: Entry) -> None:
    units = service("app@.service", app, instances=["a"]), oneshot("mig@.service", mig, instances=["a"])
    made = changed(*units, down=("mig@a.service",))
    assert made.calls == (Call("run", ("mig@a.service",)), Call("restart", ("app@a.service",)))


def test_what_is_named_by_an_alias() -> None:
    mig = oneshot(MIG, install={"Alias": "migrate.service", "WantedBy": "multi-user.target"}, enabled=True)
    units = [mig, service(APP, pulls("migrate.service"))]
    before, after = (declare(*({**unit, "environment": {"A": at}} for unit in units)) for at in ("1", "2"))
    host = with_links(in_force(before, {APP: RUNNING}))
    assert planned(after, host).calls == (Call("run", (MIG,)), Call("restart", (APP,), alone=True))


def with_links(observed: Any) -> Any:
    """The load path knows the names that links give, too."""
    folder = observed.places.units
    loadpath = observed.loadpath
    names = {**loadpath.names, folder: loadpath.names[folder] | {"migrate.service"}}
    links = {f"{folder}/migrate.service": f"{folder}/{MIG}"}
    contents = {**loadpath.contents, f"{folder}/migrate.service": loadpath.contents[f"{folder}/{MIG}"]}
    return replace(observed, loadpath=replace(loadpath, names=names, links=links, contents=contents))


def test_what_pulls_by_its_installation() -> None:
    mig = oneshot(MIG, install={"RequiredBy": APP}, enabled=True)
    before = declare(service(APP, {"After": MIG}, environment={"A": "1"}))
    after = declare(mig, service(APP, {"After": MIG}, environment={"A": "2"}))
    made = planned(after, in_force(before, {APP: RUNNING}))
    assert made.calls == (Call("run", (MIG,)), Call("restart", (APP,), alone=True))


def test_what_pulls_through_another_that_is_down() -> None:
    """The start of what requires what requires it runs it as well, so that is enough."""
    app = service(APP, pulls(MIG), state="present")
    made = changed(service(WEB, pulls(APP)), app, oneshot(), down=(WEB, APP, MIG))
    assert made.calls == (Call("start", (WEB,)),)


@pytest.mark.parametrize("directive", ["Requires", "BindsTo", "Requisite"])
def test_what_a_restart_takes_along_keeps_its_place(directive: str) -> None:
    """The restart that takes it along may run the oneshot once more."""
    made = changed(service(WEB, {directive: APP, "After": APP}), service(APP, pulls(MIG)), oneshot())
    assert made.calls == (Call("run", (MIG,)), Call("restart", (WEB, APP)))


def test_what_only_comes_after_goes_with_it() -> None:
    """In one call, as two would be in the order of the calls."""
    made = changed(service(WEB, {"After": APP}), service(APP, pulls(MIG)), oneshot())
    assert made.calls == (Call("run", (MIG,)), Call("restart", (WEB, APP), alone=True))


def test_what_comes_after_and_takes_others_along_keeps_it_from_being_alone() -> None:
    follower = service("follower.service", {"PartOf": WEB})
    made = changed(service(WEB, {"After": APP}), service(APP, pulls(MIG)), oneshot(), follower)
    (run, *restarts) = made.calls
    assert run == Call("run", (MIG,))
    assert [(each.verb, each.alone, set(each.units)) for each in restarts] == [
        ("restart", False, {WEB, APP, "follower.service"})
    ]


def test_what_is_to_be_started_first_is_started_in_its_transaction() -> None:
    db = service("db.service")
    app = service(APP, {"Requires": f"{MIG} db.service", "After": f"{MIG} db.service"})
    made = changed(db, app, oneshot(), down=("db.service", MIG))
    assert made.calls == (Call("run", (MIG,)), Call("restart", (APP,)), Call("start", ("db.service",)))


def test_a_oneshot_is_not_left_to_what_is_started_without_its_requirements() -> None:
    other = service("other.service", {"After": MIG})
    app = service(APP, pulls(f"{MIG} second.service"))
    made = changed(other, app, oneshot(), oneshot("second.service"), down=(APP, MIG, "second.service"))
    assert made.calls == (
        Call("run", (MIG,)),
        Call("restart", ("other.service",)),
        Call("start", (APP,)),
    )


def test_the_plan_is_told_in_the_order_of_its_calls() -> None:
    made = changed(service(WEB, pulls(APP)), service(APP, pulls(MIG)), oneshot())
    assert told(made) == [("run", MIG), ("restart", WEB), ("restart", APP)]
    db = oneshot(MIG, pulls("db.service"))
    made = changed(service(APP, pulls(MIG)), db, service("db.service"))
    assert told(made) == [("restart", "db.service"), ("run", MIG), ("restart", APP)]


def test_what_a_start_runs_is_told_after_it() -> None:
    made = changed(service(APP, pulls(MIG)), oneshot(), down=(APP, MIG))
    assert told(made) == [("start", APP), ("run", MIG)]


def test_only_what_is_taken_along_is_told() -> None:
    def reasons(web: Entry) -> dict[str, str]:
        made = changed(service(WEB, web), service(APP, pulls(MIG)), oneshot())
        return {step.unit: step.reason for step in made.steps if step.action == "restart"}

    assert "takes" not in reasons({"After": APP})[APP]
    assert reasons(pulls(APP))[APP].endswith("; takes web.service along")


def test_a_socket_opens_after_the_restart_of_what_its_instance_comes_after() -> None:
    accepting = {"name": "s@.service", "service": {"ExecStart": "/bin/s"}}
    socket = {"name": "s@.socket", "unit": {"After": "app@%i.service"}, "socket": {"ListenStream": "/run/s-%i"}}
    units = {at: [service("app@.service", instances=["a"], environment={"A": at}), accepting] for at in ("1", "2")}
    after = declare(*units["2"], {**socket, "instances": ["a"]})
    made = planned(after, in_force(declare(*units["1"]), {"app@a.service": RUNNING}))
    assert made.calls == (Call("restart", ("app@a.service",)), Call("start", ("s@a.socket",)))


NEXT = "next.service"


@pytest.mark.parametrize("directive", ["Requires", "Wants", "BindsTo"])
def test_one_that_pulls_another_in_does_not_run_it_again(directive: str) -> None:
    made = changed(oneshot(), oneshot(NEXT, {directive: MIG, "After": MIG}), down=(MIG, NEXT))
    assert made.calls == (Call("run", (MIG,)), Call("run", (NEXT,), alone=True))


def test_two_in_a_row_before_what_needs_both() -> None:
    units = service(APP, pulls(NEXT)), oneshot(NEXT, pulls(MIG)), oneshot()
    made = changed(*units, down=(MIG, NEXT))
    assert made.calls == (
        Call("run", (MIG,)),
        Call("run", (NEXT,), alone=True),
        Call("restart", (APP,), alone=True),
    )
    assert changed(*units, down=(MIG, NEXT, APP)).calls == (Call("start", (APP,)),)


def test_one_that_also_needs_what_is_down_is_called_for_as_a_whole() -> None:
    """That would not come up else."""
    lib = service("lib.service", state="present")
    made = changed(lib, oneshot(), oneshot(NEXT, pulls(f"{MIG} lib.service")), down=(MIG, NEXT, "lib.service"))
    assert made.calls == (Call("run", (MIG,)), Call("run", (NEXT,)))
    made = changed(
        service("lib.service"), oneshot(), oneshot(NEXT, pulls(f"{MIG} lib.service")), down=(MIG, NEXT, "lib.service")
    )
    assert [each for each in made.calls if each.verb == "run"] == [
        Call("run", (MIG,)),
        Call("run", (NEXT,), alone=True),
    ]


def test_two_that_have_nothing_to_do_with_each_other_run_in_one_call() -> None:
    (call,) = changed(oneshot(), oneshot(NEXT), down=(MIG, NEXT)).calls
    assert (call.verb, set(call.units), call.alone) == ("run", {MIG, NEXT}, False)

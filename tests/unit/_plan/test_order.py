# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order systemd is given jobs."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import Graph, Node
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.fates import Call
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.order import calls, in_order, ordered
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.plan import VERBS
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath

from tests.unit.world import RUNNING

FOLDER = "/etc/systemd/system"


def files(**units: str) -> LoadPath:
    """Units by name with an underscore for the dot; a text without a section is of [Unit]."""
    texts = {name.replace("_", ".", 1): text for name, text in units.items()}
    contents = {
        f"{FOLDER}/{name}": (text if "[" in text else f"[Unit]\n{text}\n").encode() for name, text in texts.items()
    }
    return LoadPath((FOLDER,), {FOLDER: frozenset(texts)}, {}, contents)


CHAIN = files(a_service="After=b.service", b_service="", c_service="Before=b.service")


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("start", ("c.service", "b.service", "a.service")),
        ("run", ("c.service", "b.service", "a.service")),
        ("reload", ("c.service", "b.service", "a.service")),
        ("restart", ("a.service", "b.service", "c.service")),
        ("stop", ("a.service", "b.service", "c.service")),
    ],
)
def test_dependencies_come_first_where_something_comes_up(verb: str, expected: tuple[str, ...]) -> None:
    assert ordered(verb, ["a.service", "b.service", "c.service"], CHAIN) == expected


def test_what_starts_another_is_stopped_before_it() -> None:
    loadpath = files(a_service="After=a.timer", a_timer="[Timer]\nOnCalendar=daily")
    assert ordered("stop", ["a.service", "a.timer"], loadpath) == ("a.timer", "a.service")


def test_a_cycle_is_cut() -> None:
    loadpath = files(a_service="After=b.service", b_service="After=a.service")
    assert sorted(in_order(["a.service", "b.service"], loadpath)) == ["a.service", "b.service"]


def jobs(**units: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {**dict.fromkeys(VERBS, ()), **units}


def test_a_socket_opens_before_anything_else_is_done() -> None:
    loadpath = files(a_socket="[Socket]\nListenStream=/run/a", a_service="", b_service="", c_service="")
    wanted = jobs(start=("a.socket", "a.service"), restart=("b.service",), reload=("c.service",))
    assert calls(wanted, loadpath) == (
        Call("start", ("a.socket",)),
        Call("reload", ("c.service",)),
        Call("restart", ("b.service",)),
        Call("start", ("a.service",)),
    )


def test_a_socket_that_a_restart_takes_along_opens_after_that() -> None:
    loadpath = files(a_socket="[Unit]\nRequires=b.service\n[Socket]\nListenStream=/run/a", a_service="", b_service="")
    wanted = jobs(start=("a.socket",), restart=("b.service",))
    assert calls(wanted, loadpath) == (Call("restart", ("b.service",)), Call("start", ("a.socket",)))


def test_what_a_socket_comes_after_is_started_before_it() -> None:
    loadpath = files(a_socket="[Unit]\nAfter=b.service\n[Socket]\nListenStream=/run/a", a_service="", b_service="")
    wanted = jobs(start=("b.service", "a.socket", "a.service"))
    assert calls(wanted, loadpath)[0] == Call("start", ("b.service", "a.socket"))


def test_a_start_of_what_is_reloaded_comes_before_the_reload() -> None:
    """Else systemd would do the reload twice."""
    loadpath = files(a_service="")
    wanted = jobs(start=("a.service",), reload=("a.service",))
    assert calls(wanted, loadpath) == (Call("start", ("a.service",)), Call("reload", ("a.service",)))


APP, MIG = "app.service", "mig.service"


def called(app: str, mig: str = "", **units: tuple[str, ...]) -> tuple[Call, ...]:
    """With the units of that text, of which those that are restarted or reloaded are up."""
    loadpath = files(app_service=app, mig_service=mig, db_service="", other_service="")
    up = {unit: RUNNING for verb in ("restart", "reload") for unit in units.get(verb, ())}
    states = {unit: UnitState("loaded", "inactive", "dead") for unit in (APP, MIG, "db.service", "other.service")}
    said = dict(line.split("=") for line in app.splitlines())
    relations = {APP: {name: tuple(others.split()) for name, others in said.items()}}
    nodes = {unit: Node(relations.get(unit, {}), frozenset()) for unit in states}
    return calls(jobs(run=(MIG,), **units), loadpath, Graph(nodes, States({**states, **up}), 252))


RUN = Call("run", (MIG,))


@pytest.mark.parametrize(
    ("verb", "app", "alone"),
    [
        ("restart", f"After={MIG}", False),
        ("reload", f"After={MIG}", False),
        ("start", f"After={MIG}", False),
        ("restart", f"After={MIG}\nRequires={MIG}", True),
        ("restart", f"After={MIG}\nWants={MIG}", True),
        # It would run once more, but what else it wants has to be started.
        ("restart", f"After={MIG}\nRequires={MIG}\nWants=db.service", False),
        ("restart", f"Requires={MIG}", True),
    ],
)
def test_a_oneshot_runs_before_what_is_after_it(verb: str, app: str, alone: bool) -> None:
    assert called(app, **{verb: (APP,)}) == (RUN, Call(verb, (APP,), alone))
    assert called("", f"Before={APP}", **{verb: (APP,)}) == (RUN, Call(verb, (APP,)))


def test_a_start_that_runs_a_oneshot_is_enough() -> None:
    for app in (f"After={MIG}\nRequires={MIG}", f"Wants={MIG}"):
        assert called(app, start=(APP,)) == (Call("start", (APP,)),)
    both = called(f"After={MIG}\nRequires={MIG}", "Before=other.service", start=(APP,), restart=("other.service",))
    assert both == (RUN, Call("restart", ("other.service",)), Call("start", (APP,), alone=True))


def test_a_oneshot_runs_after_what_it_comes_after_and_else_last() -> None:
    assert called("", restart=(APP,)) == (Call("restart", (APP,)), RUN)
    found = called(f"After={MIG}", "After=db.service", restart=(APP, "db.service", "other.service"))
    assert found == (Call("restart", ("db.service",)), RUN, Call("restart", (APP, "other.service")))

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back is a plan: the files of the record, and what ran before, by what has become of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._apply import record, rollback
from ansible_collections.unitwright.systemd.plugins.module_utils._apply.record import Linked, Record
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen
from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import Graph, Node
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.expected import Expected
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.fates import Call
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.owed import Owed

from tests.unit.world import RUNNING, SYSTEM, in_force

NOTHING = Record("boot", "2026-01-01T00:00:00Z", {}, Linked(), {}, (), (), (), {}, {})
DOWN = UnitState("loaded", "inactive", "dead")


def seen(content: bytes, mode: int = 0o100644) -> Seen:
    return Seen(mode, 0, 0, 0.0, content)


@pytest.fixture
def manager(tmp_path: Path) -> Any:
    places = SYSTEM._replace(units=str(tmp_path), secrets=str(tmp_path / "secrets"))
    return SimpleNamespace(places=places, live=True)


def test_files_are_those_of_before(manager: Any, tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(b"same")
    same = (tmp_path / "same").stat()
    record = NOTHING._replace(
        backups={
            str(tmp_path / "new"): None,
            str(tmp_path / "changed"): seen(b"old", 0o100640),
            str(tmp_path / "same"): Seen(same.st_mode, same.st_uid, same.st_gid, 0.0, b"same"),
            str(tmp_path / "secrets" / "x" / "a.env"): seen(b"secret", 0o100600),
            str(tmp_path / "masked"): Seen(0o120777, 0, 0, 0.0, None, "/dev/null"),
        },
    )
    files = rollback._files_back(record, [], {}, manager).files
    assert files.remove == (str(tmp_path / "new"),)
    assert [(each.path, each.content, each.mode, each.owner, each.secret) for each in files.write] == [
        (str(tmp_path / "changed"), b"old", 0o640, (0, 0), False),
        (str(tmp_path / "secrets" / "x" / "a.env"), b"secret", 0o600, (0, 0), True),
    ]
    assert files.links == {str(tmp_path / "masked"): "/dev/null"}


def test_enablement_is_the_exact_links_of_before(manager: Any, tmp_path: Path) -> None:
    kept, lost, new = (str(tmp_path / f"{name}.target.wants" / "a.service") for name in ("kept", "lost", "new"))
    Path(kept).parent.mkdir()
    Path(kept).symlink_to("/unit")
    record = NOTHING._replace(linked=Linked(("a.service",), {kept: "/unit", lost: "/unit"}))
    files = rollback._files_back(record, [], {kept: "/unit", new: "/unit"}, manager).files
    assert files.remove == (new,)
    assert files.links == {lost: "/unit"}


def test_what_would_start_others_stops_first(manager: Any) -> None:
    assert rollback._files_back(NOTHING, ["a.service", "a.socket"], {}, manager).jobs["stop"] == (
        "a.socket",
        "a.service",
    )


def test_what_a_unit_of_before_needs_is_left_and_what_only_goes_along_runs_again() -> None:
    """c requires b, which requires a; e is part of d."""
    bound = {
        "a.service": {"RequiredBy": ("b.service",)},
        "b.service": {"Requires": ("a.service",), "RequiredBy": ("c.service",)},
        "c.service": {"Requires": ("b.service",)},
        "d.service": {"ConsistsOf": ("e.service",)},
        "e.service": {"PartOf": ("d.service",)},
    }
    nodes = {unit: Node(relations, frozenset()) for unit, relations in bound.items()}
    graph = Graph(nodes, States(dict.fromkeys(bound, RUNNING)), 252)
    assert rollback._taken_down(NOTHING, ["a.service", "b.service", "d.service"], graph) == (
        ["d.service"],
        dict.fromkeys(["a.service", "b.service"], "c.service needs it"),
        ["e.service"],
    )
    assert rollback._taken_down(NOTHING, ["a.service", "b.service", "c.service"], graph)[1:] == ({}, [])


def runs_again(record: Record, states: dict[str, UnitState], runs: dict[str, str]) -> Any:
    observed = replace(in_force(None), states=States(states))
    touched, reloaded = rollback._touched(record, observed, runs)
    graph = Graph(dict.fromkeys(states, Node({}, frozenset())), observed.states, observed.manager.version)
    concerned = frozenset({*record.up, *record.watched})
    back = rollback._Back(observed, graph, concerned, frozenset(), {}, tuple(touched), tuple(reloaded))
    return rollback._runs_again(record, back)


def test_what_was_restarted_is_restarted_by_its_old_text() -> None:
    record = NOTHING._replace(up={"a.service": "1"}, handled=("a.service",), watched={"a.service": Expected.UP})
    plan = runs_again(record, {"a.service": RUNNING}, {"a.service": "2"})
    assert plan.calls == (Call("restart", ("a.service",)),)
    assert plan.watched == {"a.service": Expected.UP}


def test_what_was_never_touched_is_left_alone() -> None:
    record = NOTHING._replace(up={"a.service": "1"}, handled=("a.service",))
    assert runs_again(record, {"a.service": RUNNING}, {"a.service": "1"}).calls == ()


def test_what_is_down_is_started_and_its_failure_forgotten() -> None:
    record = NOTHING._replace(up={"a.service": "1"}, handled=("a.service",), watched={"a.service": Expected.UNFAILED})
    plan = runs_again(record, {"a.service": UnitState("loaded", "failed", "failed")}, {"a.service": ""})
    assert plan.calls == (Call("start", ("a.service",)),)
    assert plan.jobs["reset-failed"] == ("a.service",)
    assert plan.watched == {"a.service": Expected.UNFAILED}


def test_what_ended_by_itself_stays_down() -> None:
    record = NOTHING._replace(up={"a.service": "1"}, watched={"a.service": Expected.UNFAILED})
    assert runs_again(record, {"a.service": DOWN}, {"a.service": ""}).calls == ()


def test_what_was_reloaded_is_reloaded_again() -> None:
    record = NOTHING._replace(
        up={"a.service": "1"}, owed={"a.service": (Owed.RELOAD,)}, watched={"a.service": Expected.UP}
    )
    assert runs_again(record, {"a.service": RUNNING}, {"a.service": "1"}).calls == (Call("reload", ("a.service",)),)


@pytest.mark.parametrize("now", ["elapsed", "waiting", "dead"])
def test_a_timer_with_no_time_to_come_is_not_started_anew(now: str) -> None:
    """Older systemd would have it fire once more; with the files of before its times are over again."""
    state = UnitState("loaded", "inactive" if now == "dead" else "active", now)
    record = NOTHING._replace(up={"a.timer": "1"}, handled=("a.timer",), watched={"a.timer": Expected.UP})
    plan = runs_again(record._replace(over=("a.timer",)), {"a.timer": state}, {"a.timer": "2"})
    assert plan.calls == ()
    assert plan.watched == {}
    assert runs_again(record, {"a.timer": state}, {"a.timer": "2"}).calls


def test_what_runs_anew_since_is_told(manager: Any) -> None:
    runs = {"again.service": "1", "still.service": "2", "down.service": "3"}
    now = {**runs, "again.service": "4"}
    manager.list_units = lambda: States({"again.service": RUNNING, "still.service": RUNNING, "down.service": DOWN})
    manager.show = lambda units, _properties: {unit: {"InvocationID": now[unit]} for unit in units}
    assert record.anew(runs, manager) == ("again.service",)

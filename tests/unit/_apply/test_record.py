# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered between runs is read back; a record that cannot be read stops the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._apply import accepted, record
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen, Writer
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import Places
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.expected import Expected
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.owed import Owed
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problems

from tests.unit.world import SYSTEM

A = f"{SYSTEM.units}/a.service"
WHOLE = record.Record(
    boot="boot",
    begun="2026-01-01T00:00:00Z",
    backups={
        A: Seen(0o100640, 1, 2, 0.0, b"\xff\0"),
        f"{SYSTEM.units}/b.service.d/b.conf": None,
        f"{SYSTEM.units}/c.service": Seen(0o120777, 0, 0, 0.0, None, "/dev/null"),
        f"{SYSTEM.secrets}/test/a.service.env": Seen(0o100600, 0, 0, 0.0, b"A=b"),
    },
    linked=record.Linked(("a.service",), {f"{SYSTEM.units}/x.target.wants/a.service": "/y"}),
    up={"a.service": "id"},
    retrying=(),
    idle=("b.service",),
    handled=("a.service",),
    owed={"a.service": (Owed.RESTART,)},
    watched={"a.service": Expected.UP},
)


@pytest.fixture
def where(tmp_path: Path) -> Places:
    return SYSTEM._replace(state=str(tmp_path))


def test_a_record_reads_back(where: Places) -> None:
    record.save(where, "test", WHOLE, Writer())
    assert record.load(where, ["test"]) == WHOLE
    record.drop(where, ["test"], Writer())
    assert record.load(where, ["test"]) is None


def test_what_is_watched_is_written_by_name(where: Places) -> None:
    """As versions of before did, so that one finishes what another had begun."""
    watched = {
        "a.service": Expected.UP,
        "b.service": Expected.UNFAILED,
        "c.service": Expected.DONE,
        "d.service": Expected.DOWN,
    }
    record.save(where, "test", WHOLE._replace(watched=watched), Writer())
    written = json.loads(Path(where.state, "running", "test.json").read_bytes())
    assert written["watched"] == {"a.service": "up", "b.service": "unfailed", "c.service": "done", "d.service": "down"}
    assert record.load(where, ["test"]) == WHOLE._replace(watched=watched)


def test_two_records_are_one_in_the_order_in_which_they_began(where: Places) -> None:
    """What was new to the first and has been started since did not run before either."""
    first = WHOLE._replace(up={"a.service": "id"}, idle=("b.service", "t@.service"), watched={"a.service": Expected.UP})
    second = WHOLE._replace(
        begun="2026-01-02T00:00:00Z",
        up={"a.service": "newer", "b.service": "id", "c.service": "id", "t@1.service": "id"},
        idle=("d.service",),
        owed={"c.service": (Owed.RELOAD,)},
        backups={A: None, f"{A}.d/d.conf": None},
    )
    record.save(where, "z", first, Writer())
    record.save(where, "a", second, Writer())
    both = record.load(where, ["a", "z"])
    assert both is not None
    assert both.up == {"a.service": "id", "c.service": "id"}
    assert both.idle == ("b.service", "t@.service", "d.service")
    assert both.owed == {"a.service": (Owed.RESTART,), "c.service": (Owed.RELOAD,)}
    assert both.backups == {**WHOLE.backups, f"{A}.d/d.conf": None}


@pytest.mark.parametrize(("boot", "over"), [("same", ("t.timer",)), ("another", ())])
def test_a_timer_that_was_over_before_a_boot_is_not_so_any_more(boot: str, over: tuple[str, ...]) -> None:
    first = WHOLE._replace(boot="same", up={"t.timer": "id"}, over=("t.timer",))
    assert record.joined(first, WHOLE._replace(boot=boot, up={"t.timer": "id"})).over == over


def test_what_a_run_had_started_of_others_is_as_a_boot_since_then_has_it() -> None:
    first = WHOLE._replace(boot="same", up={"old.service": "id"}, handled=("old.service", "pulled.service"))
    assert record.joined(first, WHOLE._replace(boot="same", handled=())).handled == first.handled
    assert record.joined(first, WHOLE._replace(boot="another", handled=())).handled == ("old.service",)


@pytest.mark.parametrize(
    "damage",
    [
        *(b"", b"\0\xff", b"{", b"null", b"[]", b"{}", b'{"boot": 1}', b'"x"', b"17"),
        *({"up": []}, {"owed": "x"}, {"owed": {"a.service": 1}}, {"watched": None}, {"links": {"a": ["b"]}}),
        *({"backups": []}, {"backups": {"/a": 1}}, {"backups": {"/a": {}}}, {"enabled": 1}, {"more": 1}),
        *({"watched": {"a.service": "x"}}, {"enabled": [1]}, {"format": 2}, {"format": "1"}, {"format": None}),
        # What no run of ours writes.
        *({"backups": {path: None}} for path in ("/etc/passwd", f"{SYSTEM.units}/../a", "a.service", SYSTEM.units)),
        *({field: {"a/b": "up"}} for field in ("up", "watched")),
        *({"links": {"/etc/passwd": "/x"}}, {"owed": {"a/b": "restart"}}, {"idle": ["no-unit"]}, {"handled": [""]}),
    ],
)
def test_a_record_that_cannot_be_read_stops_the_run(where: Places, damage: bytes | dict[str, Any]) -> None:
    path, whole = written(where)
    path.write_bytes(damage if isinstance(damage, bytes) else json.dumps({**whole, **damage}).encode())
    with pytest.raises(Problems) as caught:
        record.load(where, ["other", "test"])
    (problem,) = caught.value.problems
    assert problem.rule.id == "record"
    assert str(path) in problem.message
    assert path.exists()


# As earlier versions wrote them, and read them.
FIELDS = (
    *("boot", "begun", "backups", "enabled", "links", "up", "retrying", "idle", "handled", "owed", "watched", "over"),
)


@pytest.mark.parametrize("field", FIELDS)
def test_a_record_without_a_field_stops_the_run(where: Places, field: str) -> None:
    path, whole = written(where)
    assert set(whole) == {"format", *FIELDS, "patience"}
    del whole[field]
    path.write_text(json.dumps(whole))
    with pytest.raises(Problems):
        record.load(where, ["test"])


def test_a_record_of_the_time_before_formats_is_read(where: Places) -> None:
    path, whole = written(where)
    assert whole.pop("format") == 1
    path.write_text(json.dumps(whole))
    assert record.load(where, ["test"]) == WHOLE


def written(where: Places) -> tuple[Path, dict[str, Any]]:
    record.save(where, "test", WHOLE, Writer())
    path = Path(where.state, "running", "test.json")
    return path, json.loads(path.read_bytes())


@pytest.mark.parametrize("damage", [b"", b"\0\xff", b"{", b"null", b"[]", b'{"boot": 1}', b'"x"', b"17"])
def test_a_damaged_list_of_the_accepted_counts_as_none(where: Places, damage: bytes) -> None:
    Path(where.state, "accepted.json").write_bytes(damage)
    assert accepted.accepted(where) == {}


def test_a_record_of_a_version_that_knew_of_no_timers_that_are_over(where: Places) -> None:
    record.save(where, "test", WHOLE._replace(over=("a.timer",)), Writer())
    path = Path(where.state, "running", "test.json")
    whole = json.loads(path.read_bytes())
    assert whole.pop("over") == ["a.timer"]
    del whole["format"]
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert record.load(where, ["test"]) == WHOLE


@pytest.mark.parametrize(
    ("unit", "sub", "over"),
    [("a.timer", "elapsed", True), ("a.timer", "waiting", False), ("a.service", "elapsed", False)],
)
def test_what_has_elapsed(unit: str, sub: str, over: bool) -> None:
    assert record.has_elapsed(unit, UnitState("loaded", "active", sub)) is over

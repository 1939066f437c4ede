# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered between runs is read back, and what cannot be read counts as not there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._apply import accepted, record
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen, Writer
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import Places
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.expected import Expected
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.owed import Owed

from tests.unit.world import SYSTEM

WHOLE = record.Record(
    boot="boot",
    begun="2026-01-01T00:00:00Z",
    backups={
        "/a": Seen(0o100640, 1, 2, 0.0, b"\xff\0"),
        "/b": None,
        "/c": Seen(0o120777, 0, 0, 0.0, None, "/dev/null"),
    },
    enabled=("a.service",),
    links={"/x": "/y"},
    up={"a.service": "id"},
    retrying=(),
    idle=("b.service",),
    handled=("a.service",),
    owed={"a.service": (Owed.RESTART,)},
    watched={"a.service": Expected.UP},
)


@pytest.fixture
def where(tmp_path: Path) -> Places:
    return replace(SYSTEM, state=str(tmp_path))


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
    record.save(where, "test", replace(WHOLE, watched=watched), Writer())
    written = json.loads(Path(where.state, "running", "test.json").read_bytes())
    assert written["watched"] == {"a.service": "up", "b.service": "unfailed", "c.service": "done", "d.service": "down"}
    assert record.load(where, ["test"]) == replace(WHOLE, watched=watched)


def test_two_records_are_one_in_the_order_in_which_they_began(where: Places) -> None:
    """What was new to the first and has been started since did not run before either."""
    first = replace(WHOLE, up={"a.service": "id"}, idle=("b.service", "t@.service"), watched={"a.service": Expected.UP})
    second = replace(
        WHOLE,
        begun="2026-01-02T00:00:00Z",
        up={"a.service": "newer", "b.service": "id", "c.service": "id", "t@1.service": "id"},
        idle=("d.service",),
        owed={"c.service": (Owed.RELOAD,)},
        backups={"/a": None, "/d": None},
    )
    record.save(where, "z", first, Writer())
    record.save(where, "a", second, Writer())
    both = record.load(where, ["a", "z"])
    assert both is not None
    assert both.up == {"a.service": "id", "c.service": "id"}
    assert both.idle == ("b.service", "t@.service", "d.service")
    assert both.owed == {"a.service": (Owed.RESTART,), "c.service": (Owed.RELOAD,)}
    assert both.backups == {**WHOLE.backups, "/d": None}


@pytest.mark.parametrize(
    "damage",
    [
        *(b"", b"\0\xff", b"{", b"null", b"[]", b"{}", b'{"boot": 1}', b'"x"', b"17"),
        *({"up": []}, {"owed": "x"}, {"owed": {"a.service": 1}}, {"watched": None}, {"links": {"a": ["b"]}}),
        *({"backups": []}, {"backups": {"/a": 1}}, {"backups": {"/a": {}}}, {"enabled": 1}, {"more": 1}),
        {"watched": {"a.service": "x"}},
    ],
)
@pytest.mark.parametrize("kind", ["running", "accepted"])
def test_a_damaged_file_counts_as_none(where: Places, kind: str, damage: bytes | dict[str, Any]) -> None:
    record.save(where, "test", WHOLE, Writer())
    running = Path(where.state, "running", "test.json")
    whole = json.loads(running.read_bytes())
    path = running if kind == "running" else Path(where.state, "accepted.json")
    path.write_bytes(damage if isinstance(damage, bytes) else json.dumps({**whole, **damage}).encode())
    if kind == "running":
        assert record.load(where, ["test"]) is None
    else:
        assert accepted.accepted(where) == {}


def test_a_record_of_a_version_that_knew_of_no_timers_that_are_over(where: Places) -> None:
    record.save(where, "test", replace(WHOLE, over=("a.timer",)), Writer())
    path = Path(where.state, "running", "test.json")
    written = json.loads(path.read_bytes())
    assert written.pop("over") == ["a.timer"]
    path.write_text(json.dumps(written), encoding="utf-8")
    assert record.load(where, ["test"]) == WHOLE


@pytest.mark.parametrize(
    ("unit", "sub", "over"),
    [("a.timer", "elapsed", True), ("a.timer", "waiting", False), ("a.service", "elapsed", False)],
)
def test_what_is_over(unit: str, sub: str, over: bool) -> None:
    assert record.is_over(unit, UnitState("loaded", "active", sub)) is over

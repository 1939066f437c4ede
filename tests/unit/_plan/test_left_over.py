# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances are left over: those that were declared, by what earlier runs have noted, and are no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._apply import instances
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Writer
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import places
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.left_over import Noted

from tests.unit.world import RUNNING, Entry, declare, in_force

WANTED = {"WantedBy": "multi-user.target"}
RUN = {"a@x.service": RUNNING, "a@y.service": RUNNING}


def service(name: str, **more: Any) -> Entry:
    return {"name": name, "service": {"ExecStart": "/bin/a"}, **more}


def template(*names: str, **more: Any) -> Entry:
    return service("a@.service", install=WANTED, instances=list(names), **more)


def noted(*names: str) -> Noted:
    return Noted({"a@.service": names})


def found(*units: Entry, known: Noted, before: Entry | None = None) -> differences.Differences:
    """Where the units of RUN run and none is enabled."""
    observed = replace(in_force(declare(before or template("x", "y")), RUN), links={})
    return differences.compare(declare(*units), observed, {}, noted=known)


@pytest.mark.parametrize(
    ("known", "left"),
    [
        (noted("a@x.service", "a@y.service"), ("a@y.service",)),
        (noted("a@x.service"), ()),
        (noted("a@x.service", "a@z.service"), ()),
        (Noted(), ()),
        (Noted({"a@.service": ("a@y.service",)}, frozenset({"a@y.service"})), ()),
    ],
)
def test_what_runs(known: Noted, left: tuple[str, ...]) -> None:
    told = found(template("x"), known=known).staying
    assert told.orphaned == left
    assert told.instances == {"a@.service": ("a@x.service", *left)}


def test_what_is_enabled_by_someone_else_is_theirs() -> None:
    observed = in_force(declare(template("x", "y")))
    assert differences.compare(declare(template("x")), observed, {}, noted=noted("a@x.service")).staying.orphaned == ()


def test_what_has_an_entry_of_its_own_or_is_named_by_another_is_not_left_over() -> None:
    both = noted("a@x.service", "a@y.service")
    own = {"name": "a@y.service", "state": "stopped"}
    assert found(template("x"), own, known=both).staying.orphaned == ()
    wanting = service("b.service", unit={"Wants": "a@y.service"})
    assert found(template("x"), wanting, known=both).staying.orphaned == ()


def test_what_a_declared_timer_starts_is_not_left_over() -> None:
    timer = {"name": "a@.timer", "timer": {"OnCalendar": "daily"}, "instances": ["y"]}
    both = noted("a@x.service", "a@y.service")
    assert found(service("a@.service"), timer, known=both).staying.orphaned == ("a@x.service",)


def test_an_entry_without_a_text_leaves_them_as_they_are() -> None:
    both = noted("a@x.service", "a@y.service")
    told = found({"name": "a@.service", "masked": False}, known=both).staying
    assert (told.orphaned, told.instances) == ((), {"a@.service": both.own["a@.service"]})


def test_what_is_noted(tmp_path: Path) -> None:
    where = places("system", str(tmp_path), {})
    writer = Writer(None)
    assert instances.read(where) == {}
    first = instances.changed({}, ["one"], {"a@.service": ("a@x.service",)})
    instances.keep(where, first, writer)
    second = instances.changed(first, ["two"], {"a@.service": ("a@y.service",)}, {"a@.service": ("a@z.service",)})
    instances.keep(where, second, writer)
    assert instances.read(where) == {
        "one": {"a@.service": ["a@x.service"]},
        "two": {"a@.service": ["a@y.service", "a@z.service"]},
    }
    assert instances.noted(second, ["one"]) == Noted(
        {"a@.service": ("a@x.service",)}, frozenset({"a@y.service", "a@z.service"})
    )
    assert instances.noted(second, ["two", "one"]).others == frozenset()
    assert instances.changed(second, ["two", "one"], {}) == {}
    instances.keep(where, {}, writer)
    assert not Path(where.instances_file).exists()


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"one": 1}', b'{"one": {"a@.service": 1}}', b"\xff"])
def test_a_damaged_note_counts_as_none(tmp_path: Path, damage: bytes) -> None:
    where = places("system", str(tmp_path), {})
    Path(where.state).mkdir(parents=True)
    Path(where.instances_file).write_bytes(damage)
    assert instances.read(where) == {}

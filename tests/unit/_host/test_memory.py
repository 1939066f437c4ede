# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A limit of memory is lowered until the kernel kills, and given back to the very group that it is of."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import memory

GIB = 2**30


class Kernel:
    """One that kills at a limit below what is needed. Both files of a group: what is written, and what has happened.

    goes: the group goes with what it kills.
    """

    def __init__(self, needed: int, goes: bool = False) -> None:
        self.needed, self.goes = needed, goes
        self.limits: list[int] = []
        self.kills = 2

    def write(self, text: str) -> None:
        self.limits.append(int(text))
        self.kills += int(text) < self.needed

    def read(self) -> str:
        if self.goes and self.kills > 2:
            raise OSError(errno.ENODEV, "No such device")
        return f"low 0\nhigh 0\nmax 7\noom 9\noom_kill {self.kills}\noom_group_kill 4\n"


def lowered(kernel: Kernel, used: int) -> int | None:
    kill = memory.lower(kernel, kernel, used)  # type: ignore[arg-type]
    return kill.limit if kill else None


@pytest.mark.parametrize("goes", [False, True])
def test_it_is_lowered_no_further_than_it_takes(goes: bool) -> None:
    kernel = Kernel(GIB // 2, goes)
    assert lowered(kernel, GIB) == GIB * 27 // 64
    assert kernel.limits == [GIB * 3 // 4, GIB * 9 // 16, GIB * 27 // 64]


def test_what_cannot_be_killed() -> None:
    kernel = Kernel(0)
    assert lowered(kernel, GIB) is None
    assert kernel.limits[-1] == 0
    assert len(kernel.limits) < 50


def test_what_needs_next_to_nothing_is_killed_at_last() -> None:
    assert lowered(Kernel(1), GIB) == 0


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "_GROUPS", str(tmp_path))
    folder = tmp_path / "system.slice" / "shop.service"
    folder.mkdir(parents=True)
    for name, text in {"max": "max", "swap.max": "1024", "current": "0", "events": "oom_kill 0"}.items():
        (folder / f"memory.{name}").write_text(f"{text}\n")
    return folder


def test_the_limits_of_a_group(group: Path) -> None:
    found = memory.limits("/system.slice/shop.service")
    assert [(Path(limit.path).name, limit.said) for limit in found] == [
        ("memory.swap.max", "1024"),
        ("memory.max", "max"),
    ]
    (group / "memory.swap.max").unlink()
    assert [limit.said for limit in memory.limits("/system.slice/shop.service")] == ["max"]


@pytest.mark.parametrize("name", ["", "/", "/system.slice", "/system.slice/other.service"])
def test_where_the_kernel_enforces_none(group: Path, name: str) -> None:
    (group.parents[1] / "memory.max").write_text("max\n")  # that of a container as a whole
    assert memory.limits(name) == []


def test_they_are_given_back_at_once(group: Path) -> None:
    assert memory.exhaust(memory.limits("/system.slice/shop.service")) is None
    said = [(group / f"memory.{name}").read_text().split()[0] for name in ("swap.max", "max")]
    assert said == ["1024", "max"]


def test_an_interrupted_one_is_given_back_to_that_very_group(group: Path) -> None:
    _swap, limit = memory.limits("/system.slice/shop.service")
    (group / "memory.max").write_text("0")
    memory.give_back(limit._replace(group=limit.group + 1))
    assert (group / "memory.max").read_text() == "0"
    memory.give_back(limit)
    assert (group / "memory.max").read_text() == "max"
    memory.give_back(limit._replace(path="/nowhere/memory.max"))

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a search or drill that was cut off has left is taken back by whatever runs next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._apply import leftovers, standing, trials
from ansible_collections.unitwright.systemd.plugins.module_utils._host import memory
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Writer
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import (
    Manager,
    ManagerError,
    Outcome,
    States,
    UnitState,
)

from tests.unit.world import RUNNING, SYSTEM

DONE = Outcome(0, "", "")
REFUSED = Outcome(1, "", "Failed to reload daemon: Transport endpoint is not connected")


class Systemd(Manager):
    """One that notes what it is told."""

    def __init__(self, folder: Path, reload: Outcome = DONE) -> None:  # pylint: disable=super-init-not-called
        self.places = SYSTEM._replace(manager=str(folder / "systemd"))
        self.live = True
        self.reload = reload
        self.states = States({"shop.service": RUNNING, "shop.timer": UnitState("loaded", "inactive", "dead")})
        self.told: list[tuple[str, ...]] = []

    def daemon_reload(self) -> Outcome:
        self.told.append(("daemon-reload",))
        return self.reload

    def systemctl(self, verb: str, units: Any = (), flags: Any = ()) -> Outcome:
        self.told.append((verb, *units))
        return DONE

    def list_units(self) -> States:
        return self.states

    def show(self, units: Any, properties: Any) -> dict[str, dict[str, str]]:
        return {unit: {"ActiveState": "active", "Job": "0"} for unit in units}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trials, "FOLDER", str(tmp_path / "unitwright"))
    monkeypatch.setattr(trials, "_RECORD", str(tmp_path / "unitwright" / "search.json"))
    monkeypatch.setattr(trials, "_RUNTIME", str(tmp_path / "systemd" / "system"))
    return tmp_path


def drilled(manager: Systemd) -> standing.Standing:
    """A timer, down and with a drop-in, as a drill has it."""
    path = standing.dropin_file(manager.places, "shop.timer")
    found = standing.Standing("shop.timer", up=("shop.timer",), dropins=(path,))
    standing.note(manager.places, found, Writer())
    Writer().write(path, b"[Timer]\n", 0o644)
    return found


def files_below(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_both_kinds_are_taken_back_at_once(folder: Path) -> None:
    manager, writer = Systemd(folder), Writer()
    drilled(manager)
    searched = trials.SearchRecord("shop.service", ["other.service"])
    trials.begin(searched, writer)
    trials.write(searched, "[Service]\n", manager, writer)
    assert len(files_below(folder)) == 4
    found = leftovers.recover(manager)
    assert [(each.unit, each.up) for each in found] == [
        ("shop.service", ["shop.service", "other.service"]),
        ("shop.timer", ["shop.timer"]),
    ]
    assert all(each.told for each in found)
    assert files_below(folder) == []
    assert not (folder / "unitwright").exists()
    assert ("restart", "shop.service") in manager.told
    assert manager.told.index(("stop", "shop.timer")) < manager.told.index(("start", "shop.timer"))
    assert leftovers.recover(manager) == []


def test_a_limit_of_memory_is_given_back_and_a_note_of_before_there_were_such_is_read(folder: Path) -> None:
    manager = Systemd(folder)
    limit = folder / "memory.max"
    limit.write_text("0")
    lowered = memory.Limit(str(limit), "max", folder.stat().st_ino)
    standing.note(manager.places, standing.Standing("shop.service", limits=(lowered,)), Writer())
    (note,) = (folder / "unitwright" / "drills").iterdir()
    assert [each.unit for each in leftovers.recover(manager)] == ["shop.service"]
    assert limit.read_text() == "max"
    note.parent.mkdir(parents=True)
    note.write_text('{"unit": "shop.service", "up": [], "stopped": [], "dropins": []}', encoding="utf-8")
    assert [each.unit for each in leftovers.recover(manager)] == ["shop.service"]


def test_what_is_no_note_hinders_nobody(folder: Path) -> None:
    manager = Systemd(folder)
    notes = folder / "unitwright" / "drills"
    notes.mkdir(parents=True)
    for number, text in enumerate(("", "[]", "{}", '{"unit": "a", "up": [], "stopped": [1], "dropins": []}')):
        (notes / f"{number}.json").write_text(text, encoding="utf-8")
    assert leftovers.recover(manager) == []
    assert manager.told == []
    assert not notes.exists()


def test_its_note_stays_where_systemd_does_not_read_its_files_again(folder: Path) -> None:
    manager = Systemd(folder)
    drilled(manager)
    manager.reload = REFUSED
    with pytest.raises(ManagerError, match="its files again: Failed to reload daemon"):
        leftovers.recover(manager)
    assert files_below(folder) == ["unitwright/drills/shop.timer.json"]
    # What goes by the time of the drill is not started.
    assert ("start", "shop.timer") not in manager.told
    manager.reload = DONE
    assert [each.unit for each in leftovers.recover(manager)] == ["shop.timer"]
    assert files_below(folder) == []


def test_a_search_tries_nothing_that_systemd_has_not_read(folder: Path) -> None:
    manager, writer = Systemd(folder, REFUSED), Writer()
    searched = trials.SearchRecord("shop.service", [])
    trials.begin(searched, writer)
    with pytest.raises(ManagerError, match="did not read its files again"):
        trials.write(searched, "[Service]\n", manager, writer)
    with pytest.raises(ManagerError, match="did not read its files again"):
        leftovers.recover(manager)
    assert ("restart", "shop.service") in manager.told
    assert files_below(folder) == ["unitwright/search.json"]


def test_without_a_manager_nothing_is_looked_for(folder: Path) -> None:
    manager = Systemd(folder)
    drilled(manager)
    manager.live = False
    assert leftovers.recover(manager) == []
    assert files_below(folder) != []

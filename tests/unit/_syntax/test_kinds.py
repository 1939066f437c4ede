# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of each type of unit, written out by hand, and that no row leaves anything open."""

from __future__ import annotations

import re

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import policy
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import kinds
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.effects import Effect
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.kinds import (
    KINDS,
    Cause,
    Cgroup,
    File,
    Kind,
    Naming,
    Processes,
    kind_of,
)

# systemd.unit(5), first paragraph; snapshots and bus names are no more.
EVERY = {
    *("service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"),
}


def having(**cells: object) -> set[str]:
    return {name for name, row in KINDS.items() if all(getattr(row, key) is cell for key, cell in cells.items())}


def test_every_type_has_a_row_under_its_own_name() -> None:
    assert set(KINDS) == EVERY
    assert all(row.name == name and row.section == name.capitalize() for name, row in KINDS.items())


@pytest.mark.parametrize("row", KINDS.values(), ids=lambda row: row.name)
def test_no_cell_is_empty(row: Kind) -> None:
    assert not {None, "", ()}.intersection(row)
    # Nor is anything of a cell left to a default.
    parts = (row, row.own, row.own.lists, row.own.paths, row.names, row.jobs, row.starts)
    assert [part for part in parts if part._field_defaults] == []


def test_each_field_has_its_sentence() -> None:
    text = Kind.__doc__ or ""
    assert [name for name in Kind._fields if not re.search(rf"\b{name}:\s", text)] == []


def test_what_runs_in_it() -> None:
    assert having(processes=Processes.MAIN) == {"service"}
    assert having(processes=Processes.COMMANDS) == {"socket", "mount", "swap"}
    assert having(processes=Processes.FOREIGN) == {"scope"}
    assert having(runs_commands=True) == {"service", "socket", "mount", "swap"}
    assert having(has_process=True) == {"service", "scope"}
    assert having(cgroup=Cgroup.OWN) == {"service", "socket", "mount", "swap", "scope"}
    assert having(cgroup=Cgroup.PARENT) == {"slice"}
    assert having(can_fall=True) == {"service", "socket", "path"}
    assert having(reloadable=True) == {"service", "mount"}


def test_what_defines_and_names_it() -> None:
    assert having(file=File.NEVER) == {"scope", "device"}
    assert having(file=File.OPTIONAL) == {"slice"}
    assert having(naming=Naming.FOLDER) == having(over_folder=True) == {"mount", "automount"}
    assert having(naming=Naming.FILE) == {"swap", "device"}
    assert having(is_named_by_path=True) == {"mount", "automount", "swap", "device"}
    assert having(naming=Naming.PARENTS) == {"slice"}
    # unit_type_may_alias()
    aliased = {name for name, row in KINDS.items() if row.names.may_alias}
    assert aliased == {"service", "socket", "target", "device", "timer", "path"}


def test_what_comes_up_how() -> None:
    assert having(appears=True) == {"device"}
    assert having(is_of_kernel=True) == {"mount", "swap"}
    own = {"timer": "timers.target", "socket": "sockets.target"}
    assert {name: row.boot_target("default.target") for name, row in KINDS.items()} == {
        name: own.get(name, "default.target") for name in EVERY
    }


def test_what_it_starts() -> None:
    assert {name: (row.starts.kind, row.starts.directive) for name, row in KINDS.items() if row.is_starter} == {
        "timer": ("service", "Unit"),
        "socket": ("service", "Service"),
        "path": ("service", "Unit"),
        "automount": ("mount", ""),
    }
    assert {row.name: row.starts.cause for row in KINDS.values() if row.is_starter} == {
        "timer": Cause.TIME,
        "socket": Cause.EVENT,
        "path": Cause.EVENT,
        "automount": Cause.USE,
    }
    assert [name for name, row in KINDS.items() if row.starts.hands_over] == ["socket"]
    assert {name: row.starts.each for name, row in KINDS.items() if row.starts.each} == {"socket": "Accept"}


def test_what_a_change_of_its_own_section_takes() -> None:
    assert {name: row.change.otherwise for name, row in KINDS.items()} == {
        "service": Effect.RESTART,
        "socket": Effect.REBIND,
        "target": Effect.NONE,
        "timer": Effect.LIVE,
        "path": Effect.LIVE,
        "mount": Effect.NEXT,
        "automount": Effect.RESTART,
        "swap": Effect.NEXT,
        "slice": Effect.LIVE,
        "scope": Effect.LIVE,
        "device": Effect.NONE,
    }
    limited = {name for name, row in KINDS.items() if row.change.of("MemoryMax") is Effect.CGROUP}
    assert limited == {"service", "socket", "mount", "swap", "slice", "scope"}


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("timer", {"waiting", "running"}),
        ("socket", {"listening", "running"}),
        ("path", {"waiting", "running"}),
        ("automount", {"waiting", "running"}),
        ("mount", {"mounted"}),
        ("service", {"any"}),
        ("target", {"any"}),
    ],
)
def test_the_sub_states_of_what_does_its_work(kind: str, good: set[str]) -> None:
    assert set(KINDS[kind].good_sub) == good


def test_the_sections_that_take_the_directives_of_processes_and_cgroups() -> None:
    assert set(kinds.EXEC_SECTIONS) == {"Service", "Socket", "Mount", "Swap"}
    assert set(kinds.CGROUP_SECTIONS) == {"Service", "Socket", "Mount", "Swap", "Slice", "Scope"}


def test_the_modules_options_follow() -> None:
    assert (
        *("unit", "service", "socket", "timer", "path", "mount", "automount", "swap", "slice", "install"),
    ) == options.SECTION_OPTIONS


def test_the_policy_has_functions_of_types_alone() -> None:
    assert set(policy._UP) < EVERY


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("a.service", "service"),
        ("a.b@c.d.socket", "socket"),
        ("/etc/systemd/system/a.timer", "timer"),
        ("service", ""),
        ("a.snapshot", ""),
        ("", ""),
    ],
)
def test_the_type_of_a_name(unit: str, name: str) -> None:
    assert kind_of(unit).name == name


def test_what_has_no_type_does_nothing() -> None:
    row = kind_of("nothing")
    assert not (row.is_starter or row.runs_commands or row.has_process or row.is_option or row.can_fall or row.appears)

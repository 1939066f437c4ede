# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what the kernel has in a unit's place is what its text says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.mounts import InPlace
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.in_place import unlike
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.plan import Plan

from tests.unit.world import Entry, declare, in_force, jobs, planned

DISK = InPlace(
    "/dev/sda1",
    frozenset({"/dev/sda1", "/dev/disk/by-uuid/1-2", "/dev/disk/by-label/a\\x20b"}),
    "ext4",
    ("rw", "relatime"),
)
TMPFS = InPlace("tmpfs", frozenset({"tmpfs"}), "tmpfs", ("rw", "nosuid", "size=5120k", "mode=755"))
SWAP = InPlace("/dev/sdb", frozenset({"/dev/sdb"}), "", ("pri=-2",))
NFS = InPlace("nas:/data", frozenset({"nas:/data"}), "nfs4", ("rw", "vers=4.2"))


def differing(there: InPlace, by_unit: bool = False, unit: str = "srv.mount", **text: str) -> list[str]:
    section = "Swap" if unit.endswith(".swap") else "Mount"
    merged = {section: {directive: [value] for directive, value in text.items()}}
    found = unlike(unit, merged, there, by_unit)
    return list(found.directives) if found else []


@pytest.mark.parametrize(
    ("there", "text"),
    [
        (DISK, {"What": "/dev/sda1"}),
        (DISK, {"What": "UUID=1-2", "Type": "ext4", "Options": "defaults,nofail,rw"}),
        (DISK, {"What": 'LABEL="a b"', "Type": "auto"}),
        (DISK, {"What": "/dev/%i"}),
        (TMPFS, {"What": "none", "Type": "tmpfs", "Options": "size=5M,nosuid,mode=0755"}),
        (NFS, {"What": "nas:/data/", "Type": "nfs", "Options": "vers=4"}),
        (
            DISK._replace(options=("rw", "compress=zstd:3", "subvol=/@")),
            {"What": "/dev/sda1", "Options": "compress=zstd,subvol=@"},
        ),
        (DISK._replace(names=frozenset()), {"What": "/dev/other"}),
        (DISK._replace(names=frozenset({"/dev/sda1", "/data"})), {"What": "/data", "Options": "bind", "Type": "none"}),
    ],
)
def test_it_is_what_is_declared(there: InPlace, text: dict[str, str]) -> None:
    assert differing(there, **text) == []


@pytest.mark.parametrize(
    ("there", "text", "found"),
    [
        (DISK, {"What": "/dev/sdb1"}, ["What=/dev/sdb1"]),
        (DISK, {"What": "UUID=9"}, ["What=UUID=9"]),
        (DISK, {"What": "/dev/sda1", "Type": "xfs"}, ["Type=xfs"]),
        (DISK, {"What": "/dev/sda1", "Options": "noatime"}, ["Options=noatime"]),
        (DISK, {"What": "/dev/sda1", "Options": "ro"}, ["Options=ro"]),
        (TMPFS, {"What": "tmpfs", "Type": "tmpfs", "Options": "size=6M"}, ["Options=size=6M"]),
        (TMPFS, {"What": "tmpfs", "Type": "tmpfs", "Options": "suid"}, ["Options=suid"]),
        (TMPFS, {"What": "/dev/sda1"}, ["What=/dev/sda1"]),
        (DISK, {"What": "/srv", "Options": "bind"}, ["What=/srv", "Options=bind"]),
    ],
)
def test_it_is_not(there: InPlace, text: dict[str, str], found: list[str]) -> None:
    # Whatever has mounted it, bind is nothing that a mount keeps.
    assert differing(there, **text) == [each for each in found if each != "Options=bind"]


def test_what_no_text_says_does_not_differ() -> None:
    """verify says that it lacks What=; the unit may also come with a drop-in alone."""
    assert differing(DISK) == []


def test_options_count_only_where_systemd_has_not_put_it_there() -> None:
    assert differing(TMPFS, by_unit=True, What="tmpfs", Type="tmpfs", Options="size=9M") == []
    assert differing(DISK, by_unit=True, What="/dev/sdb", Options="ro") == ["What=/dev/sdb"]


def test_a_swap_of_another_priority() -> None:
    assert differing(SWAP, unit="dev-sdb.swap", What="/dev/sdb", Priority="5") == ["Priority=5"]
    assert differing(SWAP, unit="dev-sdb.swap", What="/dev/sdb") == []
    assert differing(SWAP, by_unit=True, unit="dev-sdb.swap", What="/dev/sdb", Priority="5") == []


def swapping(priority: int, before: int | None = None, by_hand: bool = True) -> Plan:
    def swap(priority: int) -> Entry:
        return {"name": "dev-sdb.swap", "swap": {"What": "/dev/sdb", "Priority": priority}}

    states = {"dev-sdb.swap": UnitState("loaded", "active", "active")}
    observed = in_force(declare(swap(before)) if before else None, states)
    runs = {} if by_hand else dict(observed.invocations)
    observed = replace(observed, in_place={"dev-sdb.swap": SWAP}, invocations=runs)
    return planned(declare(swap(priority)), observed)


def test_a_swap_that_someone_has_switched_on_stays_until_our_text_changes() -> None:
    for made in (swapping(5), swapping(5, before=5)):
        assert jobs(made) == []
        assert "pri=-2" in made.kept["dev-sdb.swap"]
        assert "Priority=5" in made.kept["dev-sdb.swap"]
    assert jobs(swapping(6, before=5)) == [("restart", "dev-sdb.swap")]
    assert not swapping(5, before=5, by_hand=False).kept

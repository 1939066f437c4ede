# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel tells of mounts and swaps, by proc(5)."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import mounts

MOUNTINFO = (
    r"""
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
22 21 0:20 / /run rw,nosuid - tmpfs tmpfs rw,size=1024k,mode=755
23 21 8:1 /srv/my\040data /mnt/a\040b rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw
24 21 0:21 / /mnt/over ro - tmpfs first rw
25 24 0:22 / /mnt/over rw - nfs4 nas:/data rw,vers=4.2
26 21 8:9 / /old rw - ext4 /dev/root rw
27 21 8:9 / /mnt/caf? rw - ext4 /dev/root rw
""".strip()
    .replace("?", "\udce9")
    .splitlines()
)  # a folder of another character set
SWAPS = [
    "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority",
    "/dev/sdb1                               partition\t1024\t\t0\t\t-2",
    "/my\\040swap                             file\t1024\t\t0\t\t5",
]
DEVICES = {"8:1": frozenset({"/dev/sda1", "/dev/disk/by-uuid/1-2"}), "8:17": frozenset({"/dev/sdb1", "/dev/swap"})}


@pytest.fixture(autouse=True)
def _kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"/proc/self/mountinfo": MOUNTINFO, "/proc/swaps": SWAPS}
    monkeypatch.setattr(mounts, "_lines", lambda path: told.get(path, []))
    monkeypatch.setattr(mounts, "_devices", lambda _folder: DEVICES)
    monkeypatch.setattr(mounts, "_node", lambda path: {"/dev/sda1": "8:1", "/dev/sdb1": "8:17"}.get(path, ""))


def test_the_names_of_what_is_mounted() -> None:
    found = mounts.in_place()
    assert {unit: sorted(each.names) for unit, each in found.items() if unit.endswith(".mount")} == {
        "-.mount": ["/dev/disk/by-uuid/1-2", "/dev/sda1"],
        "run.mount": ["tmpfs"],
        r"mnt-a\x20b.mount": ["/srv/my data"],
        "mnt-over.mount": ["nas:/data"],
        "old.mount": [],
    }


def test_what_lies_on_top_counts_and_its_options_are_those_of_mount_and_file_system() -> None:
    found = mounts.in_place()
    assert str(found["mnt-over.mount"]) == "nas:/data (nfs4, rw,vers=4.2)"
    assert found["run.mount"].options == ("rw", "nosuid", "size=1024k", "mode=755")


def test_a_swap_is_there_under_each_of_its_names() -> None:
    found = mounts.in_place()
    assert {unit for unit in found if unit.endswith(".swap")} == {"dev-sdb1.swap", "dev-swap.swap", r"my\x20swap.swap"}
    assert str(found["dev-swap.swap"]) == "/dev/sdb1 (pri=-2)"
    assert found[r"my\x20swap.swap"].options == ("pri=5",)

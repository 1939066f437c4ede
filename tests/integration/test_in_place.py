# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was up before there was a text of ours stays, and it is said how that differs, until it comes up by our text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .entries import MOUNT, Entry, service, tmpfs
from .lab import Lab, until, verbs

UNIT = "mnt-test.mount"
OTHER = service("other")


def mounted(host: Lab) -> str:
    return host.sh(f"findmnt -no SOURCE,OPTIONS {MOUNT}", check=False)


@pytest.fixture
def by_hand(host: Lab) -> Iterator[str]:
    """Something is mounted by hand, with a file in it, and systemd has seen that."""
    host.sh(f"mkdir -p {MOUNT}; mount -t tmpfs -o size=1M tmpfs {MOUNT}; touch {MOUNT}/data")
    until(lambda: host.state(UNIT) == "active", "systemd does not see it")
    yield MOUNT
    host.sh(f"umount {MOUNT}", check=False)


def test_what_is_mounted_by_hand_is_kept_and_said(host: Lab, by_hand: str) -> None:
    declared = tmpfs(Options="size=5M")
    for result in (host.foretell(declared, OTHER), host.settled(declared, OTHER), host.apply(declared, OTHER)):
        assert "size=1024k" in result["kept"][UNIT]
        assert "Options=size=5M" in result["kept"][UNIT]
        assert UNIT not in [step.get("unit") for step in result["plan"] if step["action"] != "write"]
    assert host.exists(f"{by_hand}/data")
    host.sh(f"systemctl restart {UNIT}")
    assert UNIT not in host.apply(declared, OTHER)["kept"]
    assert "size=5120k" in mounted(host)


def test_a_dropin_over_what_is_mounted_by_hand_is_kept_and_said(host: Lab, by_hand: str) -> None:
    over = {"name": UNIT, "dropin": "x", "mount": {"Options": "size=5M"}}
    for result in (host.foretell(dropins=[over]), host.settled(dropins=[over]), host.apply(dropins=[over])):
        assert "size=1024k" in result["kept"][UNIT]
        assert "Options=size=5M" in result["kept"][UNIT]
        assert "no unit file" in result["kept"][UNIT]
    assert host.exists(f"{by_hand}/data")
    for harmless in ({"Options": "size=1M"}, {"TimeoutSec": 7}):
        assert host.settled(dropins=[{**over, "mount": harmless}])["kept"] == {}


def test_what_is_mounted_by_hand_is_remounted_when_our_text_changes(host: Lab, by_hand: str) -> None:
    host.apply(tmpfs(Options="size=5M"))
    result = host.settled(tmpfs(Options="size=6M"))
    assert (result["reloaded"], result["kept"]) == ([UNIT], {})
    assert "size=6144k" in mounted(host)
    assert host.exists(f"{by_hand}/data")


@pytest.mark.parametrize(
    "options",
    ["size=1M", "rw,size=1024k", "defaults,nofail,size=1M,x-systemd.automount", "suid,dev,exec,size=1M"],
)
def test_what_is_mounted_by_hand_as_it_is_declared_is_nothing_to_speak_of(
    host: Lab, by_hand: str, options: str
) -> None:
    assert host.settled(tmpfs(Options=options))["kept"] == {}
    assert host.exists(f"{by_hand}/data")


def test_another_device_is_mounted_there_by_hand(host: Lab, by_hand: str) -> None:
    declared = {"name": UNIT, "mount": {"What": "/srv", "Where": MOUNT, "Options": "bind"}}
    kept = host.settled(declared)["kept"][UNIT]
    assert "What=/srv" in kept
    assert "tmpfs" in kept
    host.sh(f"umount {by_hand}; mount --bind /srv {by_hand}")
    until(lambda: host.state(UNIT) == "active", "systemd does not see it")
    assert host.settled(declared)["kept"] == {}


def test_on_change_none_and_a_content_of_text_are_said_likewise(host: Lab, by_hand: str) -> None:
    text = f"[Mount]\nWhat=tmpfs\nWhere={by_hand}\nType=tmpfs\nOptions=size=5M\n"
    declared: Entry = {"name": UNIT, "content": text, "on_change": "none"}
    assert "size=5M" in host.settled(declared)["kept"][UNIT]
    assert "Options" in host.settled({**declared, "content": text.replace("5M", "6M")})["kept"][UNIT]
    assert "size=1024k" in mounted(host)


ROOT: Entry = {"name": "-.mount", "mount": {"What": "/dev/other", "Where": "/"}}


def test_another_root_is_kept_from_the_first_run_on_and_its_file_can_go(host: Lab) -> None:
    before = host.sh("findmnt -no SOURCE /")
    for result in (host.foretell(ROOT, OTHER), host.apply(ROOT, OTHER), host.apply(ROOT, OTHER)):
        assert "What=/dev/other" in result["kept"]["-.mount"]
        assert before in result["kept"]["-.mount"]
    changed = {**ROOT, "mount": {**ROOT["mount"], "What": "/dev/third"}}
    assert "-.mount" in host.apply(changed, OTHER)["kept"]
    result = host.apply({"name": "-.mount", "state": "absent"}, OTHER)
    assert verbs(result) == ["remove", "daemon-reload"]
    assert "-.mount" in result["kept"]
    host.apply(ROOT, OTHER)
    assert verbs(host.apply(OTHER, prune=True)) == ["remove", "daemon-reload"]
    assert (host.sh("findmnt -no SOURCE /"), host.state("-.mount")) == (before, "active")


@pytest.mark.parametrize("state", ["stopped", "restarted"])
def test_the_root_is_neither_stopped_nor_restarted(host: Lab, state: str) -> None:
    if state == "stopped":
        assert host.refused({**ROOT, "state": state})["errors"][0]["rule"] == "of-host"
    else:
        assert "the host stands on it" in host.apply({**ROOT, "state": state})["kept"]["-.mount"]
        host.remove()


def test_an_automount_whose_file_was_gone_goes_by_its_text_again(host: Lab) -> None:
    units = [tmpfs("/srv"), {"name": "srv.automount", "automount": {"Where": "/srv"}}]
    host.apply(*units)
    host.sh("rm /etc/systemd/system/srv.automount; systemctl daemon-reload")
    units[1] = {"name": "srv.automount", "automount": {"Where": "/srv", "TimeoutIdleSec": 30}}
    result = host.settled(*units)
    # 262 has taken it down.
    assert [*result["restarted"], *result["newly_started"]] == ["srv.automount"]
    assert "timeout=30" in host.sh("grep autofs /proc/mounts")


def test_a_slice_that_systemd_has_made_itself_gets_its_limits(host: Lab) -> None:
    """They sleep on newer versions until something starts in it."""
    app = service("app", service={"Slice": "lab.slice"})
    host.apply(app)
    before = host.invocation("app.service")
    result = host.settled({"name": "lab.slice", "slice": {"MemoryMax": "1G"}}, app)
    assert ("touch-slice" in verbs(result)) == (host.systemd >= 253)
    assert host.show("lab.slice", "MemoryMax") == str(1 << 30)
    assert host.invocation("app.service") == before


def test_an_automount_over_what_is_mounted_waits_for_its_unmount(host: Lab) -> None:
    mount = tmpfs()
    automount: Entry = {"name": "mnt-test.automount", "automount": {"Where": MOUNT}}
    host.apply(mount)
    before = host.invocation(UNIT)
    for result in (host.foretell(mount, automount), host.settled(mount, automount), host.apply(mount, automount)):
        assert UNIT in result["kept"]["mnt-test.automount"]
    assert host.invocation(UNIT) == before
    host.sh(f"systemctl stop {UNIT}")
    assert host.settled(mount, automount)["newly_started"] == ["mnt-test.automount"]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No mount comes over what the run, or its connection, has in use, nor goes away with it."""

from __future__ import annotations

import pytest

from .entries import Entry, tmpfs
from .lab import Lab, actions

# How a run may have something below /srv in use.
IN_USE = {
    "its folder": ("env", "--chdir=/srv/work"),
    "a file that is open": ("sh", "-c", 'exec 9< /srv/work/file; "$@"; exit $?', "sh"),
    "an argument of what has started it": ("sh", "-c", 'shift; "$@"; exit $?', "sh", "/srv/work/file"),
}
AUTOMOUNT: Entry = {"name": "srv.automount", "automount": {"Where": "/srv"}, "state": "started"}


def in_use(host: Lab, how: str = "its folder") -> tuple[str, ...]:
    host.write("/srv/work/file", "a\n")
    return IN_USE[how]


def is_mounted(host: Lab) -> bool:
    return host.sh("grep ' /srv ' /proc/self/mounts", check=False) != ""


@pytest.mark.parametrize("how", IN_USE)
def test_what_a_mount_would_hide_from_the_run(host: Lab, how: str) -> None:
    prefix, mount = in_use(host, how), {**tmpfs("/srv"), "install": {"WantedBy": "multi-user.target"}}
    foretold = host.foretell(mount, prefix=prefix)
    result = host.settled(mount, prefix=prefix)
    for each in (foretold, result):
        assert "start" not in [verb for verb, _unit in actions(each)]
        assert "but this run has /srv/work" in each["kept"]["srv.mount"]
        assert "remote_tmp" in each["kept"]["srv.mount"]
    assert not is_mounted(host)
    assert host.enabled("srv.mount") == "enabled"
    assert host.apply(mount)["newly_started"] == ["srv.mount"], "elsewhere nothing hinders it"


def test_nor_an_automount(host: Lab) -> None:
    prefix = in_use(host)
    result = host.settled(tmpfs("/srv") | {"state": "present"}, AUTOMOUNT, prefix=prefix)
    assert list(result["kept"]) == ["srv.automount"]
    assert not is_mounted(host)


def test_a_mount_beside_is_none_of_that(host: Lab) -> None:
    host.sh("mkdir -p /srv/work /srv/workshop")
    result = host.settled(tmpfs("/srv/workshop"), prefix=("env", "--chdir=/srv/work"))
    assert (result["newly_started"], result["kept"]) == (["srv-workshop.mount"], {})


def test_what_the_run_has_in_use_is_not_unmounted(host: Lab) -> None:
    host.apply(tmpfs("/srv"))
    prefix = in_use(host)
    error = host.refused({**tmpfs("/srv"), "state": "stopped"}, prefix=prefix)["errors"][0]
    assert (error["unit"], error["rule"]) == ("srv.mount", "own-connection")
    assert "/srv/work" in error["message"]
    changed = host.apply(tmpfs("/srv", Type="ramfs"), prefix=prefix)
    assert list(changed["kept"]) == ["srv.mount"]
    assert list(host.apply(prune=True, units=[tmpfs("/mnt/other")], prefix=prefix)["kept"]) == ["srv.mount"]
    assert is_mounted(host)
    host.sh("umount /srv")


def test_the_home_of_who_has_connected(host: Lab) -> None:
    result = host.apply(tmpfs("/root"))
    assert "but this run has /root" in result["kept"]["root.mount"]


def test_what_a_remount_is_enough_for(host: Lab) -> None:
    host.apply(tmpfs("/srv", Options="size=1m"))
    prefix = in_use(host)
    result = host.settled(tmpfs("/srv", Options="size=2m"), prefix=prefix)
    assert (result["reloaded"], result["kept"]) == (["srv.mount"], {})

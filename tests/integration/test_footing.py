# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No mount comes over what the run, or its connection, has in use, nor goes away with it."""

from __future__ import annotations

import pytest

from .entries import UNITS, Entry, service, tmpfs
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


IN_TMP = ("env", "--chdir=/var/tmp/work")
VAR_TMP = {**tmpfs("/var/tmp"), "install": {"WantedBy": "local-fs.target"}}
PULLING: dict[str, Entry] = {
    "PrivateTmp": service(service={"PrivateTmp": True}),
    "WorkingDirectory": service(service={"WorkingDirectory": "/var/tmp/work"}),
    "RequiresMountsFor": {"name": "main.target", "unit": {"RequiresMountsFor": "/var/tmp/work"}},
    "Wants": {"name": "main.target", "unit": {"Wants": "var-tmp.mount"}},
    "Where": tmpfs("/var/tmp/work/more"),
}


@pytest.mark.parametrize("how", PULLING)
def test_nor_what_would_bring_such_a_mount_up(host: Lab, how: str) -> None:
    host.sh("mkdir -p /var/tmp/work")
    unit = PULLING[how]
    for mount in (VAR_TMP, {**tmpfs("/var/tmp"), "state": "present"}):
        for check_mode in (False, True):
            error = host.refused(mount, unit, prefix=IN_TMP, check_mode=check_mode)["errors"][0]
            assert (error["unit"], error["rule"]) == (unit["name"], "own-connection")
            assert "var-tmp.mount over /var/tmp/work" in error["message"]
    host.settled(VAR_TMP, {**unit, "state": "present"}, prefix=IN_TMP)
    host.settled(VAR_TMP, prefix=IN_TMP, prune=True)
    alone = host.refused(unit, name="other", prefix=IN_TMP)["errors"][0]
    assert (alone["unit"], alone["rule"]) == (unit["name"], "own-connection")
    host.settled(service("beside"), name="beside", prefix=IN_TMP)
    assert host.sh("grep ' /var/tmp ' /proc/self/mounts", check=False) == ""
    host.sh("rm -r /var/tmp/work")


@pytest.mark.parametrize("unit", ["var-tmp.mount", "base.service"])
def test_what_the_host_stands_on_by_what_its_targets_need(host: Lab, unit: str) -> None:
    """Without basic.target nearly nothing of a host goes on."""

    def declared(number: int) -> Entry:
        if unit == "base.service":
            return service("base", environment={"A": str(number)})
        return {**tmpfs("/var/tmp"), "mount": {"What": f"tmpfs{number}", "Where": "/var/tmp", "Type": "tmpfs"}}

    if unit == "base.service":
        host.write(f"{UNITS}/basic.target.d/x.conf", "[Unit]\nRequires=base.service\n")
    standing = ["basic.target", "systemd-logind.service", unit]
    host.settled(declared(1))
    assert host.refused({**declared(1), "state": "stopped"})["errors"][0]["rule"] == "of-host"
    changes = (lambda: host.apply(declared(2)), lambda: host.apply(service("next"), prune=True))
    for change in changes:
        assert "basic.target" in change()["kept"][unit]
        assert host.states(*standing) == ["active"] * 3
    host.sh(
        f"rm -rf {UNITS}/basic.target.d; systemctl daemon-reload; systemctl stop --job-mode=ignore-dependencies {unit}"
    )

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drop-in counts like a text of the unit's own, for every unit that it is over."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import IDLE, MOUNT, UNITS, VENDOR, Entry, app, service
from .lab import Lab, Result, verbs


def test_a_drop_in_over_a_packaged_service(host: Lab) -> None:
    dropin = {"name": "nginx.service", "dropin": "50-limits", "service": {"LimitNOFILE": 4321}}
    result = host.settled(dropins=[dropin])
    assert result["restarted"] == ["nginx.service"]
    pid = host.show("nginx.service", "MainPID")
    assert "4321" in host.sh(f"grep 'open files' /proc/{pid}/limits")
    result = host.settled(dropins=[{**dropin, "state": "absent"}])
    assert result["restarted"] == ["nginx.service"]
    pid = host.show("nginx.service", "MainPID")
    assert "4321" not in host.sh(f"grep 'open files' /proc/{pid}/limits")
    assert not host.exists(f"{UNITS}/nginx.service.d")


def test_a_drop_in_that_changes_nothing_restarts_nothing(host: Lab) -> None:
    before = host.show("nginx.service", "InvocationID")
    host.settled(dropins=[{"name": "nginx.service", "dropin": "50-note", "unit": {"Documentation": "man:x(1)"}}])
    assert host.show("nginx.service", "InvocationID") == before


def test_a_drop_in_starts_nothing_that_is_down(host: Lab) -> None:
    unit = service(state="stopped")
    host.settled(unit, dropins=[{"name": unit["name"], "dropin": "x", "environment": {"A": "1"}}])
    assert host.state("main.service") == "inactive"


LIMIT = f"/bin/sh -c 'ulimit -n > {NOTES}/%p; exec sleep infinity'"


def test_a_dropin_for_a_unit_of_a_package(host: Lab) -> None:
    host.foreign("vendor.service", f"[Service]\nExecStart={LIMIT}\n", folder=VENDOR)

    def dropin(**service: object) -> Entry:
        return {"name": "vendor.service", "dropin": "50-lab", "service": service}

    assert host.apply(dropins=[dropin(LimitNOFILE=1234)])["restarted"] == ["vendor.service"]
    assert host.version("vendor") == "1234"
    assert host.apply(dropins=[dropin(LimitNOFILE=1234, TimeoutStopSec=5)])["restarted"] == []
    result = host.apply(dropins=[{"name": "vendor.service", "dropin": "50-lab", "state": "absent"}])
    assert result["restarted"] == ["vendor.service"]
    assert host.version("vendor") != "1234"
    assert not host.exists(f"{UNITS}/vendor.service.d")


@pytest.mark.by_force("one of them refuses its restart")
def test_a_dropin_for_many_goes_by_what_each_of_them_is(host: Lab) -> None:
    """They are named nowhere: one is at its work, one must not be stopped, one is a service like any other."""
    texts = {
        "nightly-backup": "[Service]\nType=oneshot\nExecStart=/bin/sleep 500",
        "nightly-refuses": "[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart=/bin/sleep 500",
        "nightly-plain": "[Service]\nExecStart=/bin/sleep 500",
    }
    for name, text in texts.items():
        host.write(f"{VENDOR}/{name}.service", text + "\n")
    host.sh("systemctl daemon-reload")
    host.begin(*texts)
    dropin = {"name": "nightly-.service", "dropin": "x", "service": {"Nice": 1}, "on_change": "restart"}
    result = host.apply(dropins=[dropin])
    assert set(result["kept"]) == {"nightly-backup.service", "nightly-refuses.service"}
    assert result["restarted"] == ["nightly-plain.service"]


def test_a_folder_of_dropins_that_is_a_link(host: Lab) -> None:
    """What lies behind it is someone else's, and in force like all of theirs."""
    host.apply(app(1, service={"Nice": 1}))
    host.write("/srv/dropins/x.conf", "[Service]\nNice=3\n")
    host.sh(f"ln -s /srv/dropins {UNITS}/app.service.d")
    assert host.apply(app(1, service={"Nice": 1}))["restarted"] == ["app.service"]
    assert host.sh("ps -o ni= -p $(systemctl show -P MainPID app.service)").strip() == "3"
    assert host.apply(app(1, service={"Nice": 1}))["plan"] == []


def test_a_dropin_over_what_has_no_file_stops_nothing(host: Lab) -> None:
    """A mount by hand, and a unit that was masked while it ran."""
    host.sh(f"mkdir {MOUNT}; mount -t tmpfs tmpfs {MOUNT}")
    dropin = {"name": "mnt-test.mount", "dropin": "x", "unit": {"Description": "by hand"}}
    assert verbs(host.settled(dropins=[dropin])) == ["write", "daemon-reload"]
    assert host.sh(f"findmnt -no FSTYPE {MOUNT}") == "tmpfs"


@pytest.mark.parametrize("how", ["absent", "pruned"])
def test_a_dropin_goes_that_is_over_a_unit_which_refuses_its_stop(host: Lab, how: str) -> None:
    text = f"[Unit]\nRefuseManualStop=yes\n{IDLE}"
    host.foreign("refusing.service", text, folder="/usr/local/lib/systemd/system")
    dropin: Entry = {"name": "refusing.service", "dropin": "nice"}
    given = {**dropin, "service": {"Nice": 3}}
    before = host.invocation("refusing.service")
    assert "refuses" in host.settled(service(), dropins=[given])["kept"]["refusing.service"]
    gone: Result = {"prune": True} if how == "pruned" else {"dropins": [{**dropin, "state": "absent"}]}
    result = host.apply(service(), **gone)
    assert verbs(result) == ["remove", "daemon-reload"]
    assert result["kept"] == {}  # it never had what goes
    assert host.invocation("refusing.service") == before
    host.assert_settled(service(), **gone)
    host.sh("rm /usr/local/lib/systemd/system/refusing.service; systemctl daemon-reload")
    host.sh("systemctl kill refusing.service")


def test_a_dropin_is_pruned_that_is_over_a_oneshot_at_its_work(host: Lab) -> None:
    host.foreign("once.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 60\n", start=False)
    host.apply(service(), dropins=[{"name": "once.service", "dropin": "nice", "service": {"Nice": 3}}])
    host.begin("once.service")
    before = host.invocation("once.service")
    assert "at its work" in host.apply(service(), prune=True)["kept"]["once.service"]
    assert host.invocation("once.service") == before
    host.sh("systemctl stop once.service")

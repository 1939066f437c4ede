# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With on_change a change is put into force by a reload, or not at all, with the process that runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import NGINX, PROGRAMS, WANTED, Entry, app, merged, program, service, tmpfs
from .lab import Lab


def test_on_change_reload_keeps_the_process(host: Lab) -> None:
    trace = f"{NOTES}/reloaded"
    reloadable = {"ExecReload": f"/bin/touch {trace}"}
    unit = service(service=reloadable, on_change="reload", triggers={"values": [1]})
    host.apply(unit)
    before = host.invocation("main.service")
    result = host.settled({**unit, "triggers": {"values": [2]}})
    assert (result["reloaded"], result["restarted"]) == ([unit["name"]], [])
    assert host.exists(trace)
    assert host.invocation("main.service") == before


def test_on_change_none_keeps_the_process_and_says_so_until_it_is_restarted(host: Lab) -> None:
    unit = service(on_change="none", environment={"A": "1"})
    host.apply(unit)
    before = host.invocation("main.service")
    changed = {**unit, "environment": {"A": "2"}}
    assert "on_change is none" in host.apply(changed)["kept"][unit["name"]]
    assert host.invocation("main.service") == before
    again = host.apply(changed)
    assert not again["changed"]
    assert unit["name"] in again["kept"]
    host.sh(f"systemctl restart {unit['name']}")
    assert host.apply(changed)["kept"] == {}


def limits(host: Lab, unit: str) -> str:
    return host.sh(f"grep 'open files' /proc/$(systemctl show --value -p MainPID {unit})/limits").split()[3]


@pytest.mark.parametrize("on_change", ["none", "restart"])
def test_what_was_held_back_and_is_taken_back_leaves_the_process_alone(host: Lab, on_change: str) -> None:
    unit = service(service={"LimitNOFILE": 1000})
    host.apply(unit)
    before = host.invocation("main.service")
    assert host.apply(merged(unit, {"service": {"LimitNOFILE": 2000}, "on_change": "none"}))["kept"]
    result = host.settled({**unit, "on_change": on_change})
    assert (result["restarted"], result["kept"]) == ([], {})
    assert (host.invocation("main.service"), limits(host, "main.service")) == (before, "1000")


def test_a_dropin_that_was_held_back_goes_without_a_restart(host: Lab) -> None:
    host.foreign("theirs.service")
    before = host.invocation("theirs.service")
    dropin = {"name": "theirs.service", "dropin": "limits", "service": {"LimitNOFILE": 1000}}
    assert host.apply(dropins=[{**dropin, "on_change": "none"}])["kept"]
    host.remove()
    assert host.invocation("theirs.service") == before


def test_lines_changed_by_hand_beside_a_stamp_are_taken_back_from_the_process(host: Lab) -> None:
    unit = service(service={"LimitNOFILE": 1000})
    host.apply(unit)
    path = "/etc/systemd/system/main.service"
    host.sh(f"sed -i s/1000/2000/ {path} && systemctl daemon-reload && systemctl restart main.service")
    assert limits(host, "main.service") == "2000"
    assert host.settled(unit)["restarted"] == ["main.service"]
    assert limits(host, "main.service") == "1000"


def test_a_notify_reload_service_is_reloaded(host: Lab) -> None:
    if host.systemd < 253:
        pytest.skip("Type=notify-reload came with systemd 253")
    unit = service(
        command=f"/usr/bin/python3 {PROGRAMS}/reloads.py", service={"Type": "notify-reload"}, on_change="reload"
    )
    host.settled(unit)
    before = host.invocation("main.service")
    unit["environment"] = {"A": "1"}
    assert host.settled(unit)["reloaded"] == [unit["name"]]
    assert host.invocation("main.service") == before


@pytest.mark.parametrize("on_change", ["reload", "none"])
def test_what_is_newly_wanted_is_started_where_the_process_stays(host: Lab, on_change: str) -> None:
    log = f"{NOTES}/reloads"
    reload = {"ExecReload": f"/bin/sh -c 'echo r >> {log}; sleep 0.5'"}
    more = app(1, "more", state="present", install=None)
    host.apply(app(1, service=reload, on_change=on_change), more)
    since = host.invocation("app.service")
    wanting = app(1, service={**reload, "Nice": 1}, unit={"Wants": "more.service"}, on_change=on_change)
    result = host.apply(wanting, more)
    assert not result["restarted"]
    assert host.invocation("app.service") == since
    assert host.version("more") == "1"
    if on_change == "reload":
        assert host.read(log).split() == ["r"]


def test_what_is_still_starting_is_restarted_where_a_reload_would_be_lost(host: Lab) -> None:
    ready = "test $$WORD = one || systemd-notify --ready; exec sleep infinity"

    def unit(word: str, **more: object) -> Entry:
        notify = {"Type": "notify", "NotifyAccess": "all", "ExecReload": "/bin/true", "TimeoutStartSec": "infinity"}
        starting = service("app", program(word, then=ready), service=notify, install=WANTED)
        return {**starting, "environment": {"WORD": word}, "on_change": "reload", **more}

    host.apply(unit("one", state="present"))
    host.sh("systemctl start --no-block app.service")
    assert host.version() == "one"
    assert host.state("app.service") == "activating"
    host.apply(unit("two"))
    assert host.state("app.service") == "active"
    assert host.version() == "two"


def test_a_reload_that_failed_long_ago_is_not_this_runs_fault(host: Lab) -> None:
    unit = service(service={"ExecReload": "/bin/false"})
    host.apply(unit)
    host.sh(f"systemctl reload {unit['name']}", check=False)
    assert host.settled({**unit, "unit": {"Description": "Another"}})["changed"]


def test_a_reload_that_the_unit_of_a_package_cannot_do_is_refused(host: Lab) -> None:
    dropin = {"name": "nginx.service", "dropin": "more", "environment": {"A": "1"}, "on_change": "reload"}
    result = host.refused(dropins=[{**dropin, "service": {"ExecReload": ""}}])
    assert result["errors"][0]["directive"] == "ExecReload"


@pytest.mark.parametrize("dropin", [False, True])
@pytest.mark.parametrize("on_change", ["reload", "none"])
def test_a_mount_that_shall_not_be_restarted_is_not_unmounted(host: Lab, on_change: str, dropin: bool) -> None:
    def units(**mount: str) -> dict[str, list[Entry]]:
        using = service(unit={"RequiresMountsFor": "/srv/data"})
        if not dropin:
            return {"units": [tmpfs("/srv", **mount) | {"on_change": on_change}, using]}
        over = {"name": "srv.mount", "dropin": "x", "mount": mount, "on_change": on_change}
        return {"units": [using], "dropins": [over] if mount else []}

    if dropin:
        host.foreign("srv.mount", "[Mount]\nWhat=tmpfs\nWhere=/srv\nType=tmpfs\n")
    host.apply(**units())
    host.sh("touch /srv/data")
    before = host.invocation("srv.mount"), host.invocation("main.service")
    result = host.apply(**units(What="other", Options="size=8m"))
    assert host.exists("/srv/data")
    assert (host.invocation("srv.mount"), host.invocation("main.service")) == before
    remounted = on_change == "reload"
    assert result["reloaded"] == (["srv.mount"] if remounted else [])
    assert ("size=8192k" in host.sh("grep ' /srv ' /proc/mounts")) == remounted
    assert "What" in result["kept"]["srv.mount"]
    host.assert_settled(**units(What="other", Options="size=8m"))
    if dropin:
        host.sh("systemctl stop main.service srv.mount")


@pytest.mark.parametrize("dropin", [False, True])
def test_what_a_reload_has_left_is_restarted_once_that_is_said(host: Lab, dropin: bool) -> None:
    name = NGINX if dropin else "main.service"

    def declared(**more: Any) -> dict[str, list[Entry]]:
        if dropin:
            return {"dropins": [{"name": name, "dropin": "x", **more}]}
        return {"units": [merged(service(service={"ExecReload": "/bin/true"}), more)]}

    if dropin:
        host.sh(f"systemctl start {name}")
    else:
        host.apply(**declared())
    changed = {"service": {"Nice": 5}}
    for _run in range(2):
        result = host.apply(**declared(**changed, on_change="reload"))
        assert "Nice" in result["kept"][name]
    assert host.apply(**declared(**changed, on_change="none"))["kept"]
    result = host.settled(**declared(**changed))
    assert result["restarted"] == [name]
    (reason,) = [step["reason"] for step in result["plan"] if step["action"] == "restart"]
    assert reason.startswith("reloaded, but only its next start puts into force: Nice")
    assert host.sh(f"ps -o ni= -p {host.show(name, 'MainPID')}").strip() == "5"
    assert result["kept"] == {}

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run state and enablement: what is said, what a person means who says nothing, and units of others."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import IDLE, MOUNT, NGINX, UNITS, VENDOR, WANTED, Entry, service, timer, tmpfs
from .lab import CUT_OFF, Lab, actions, places, until, verbs


def test_a_service_without_install_is_started_and_static(host: Lab) -> None:
    unit = service()
    host.settled(unit)
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("active", "static")


def test_stopped_is_neither_started_nor_enabled(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    result = host.settled({**unit, "state": "stopped"})
    assert result["stopped"] == [unit["name"]]
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("inactive", "disabled")


def test_stopped_but_enabled_waits_for_the_next_boot(host: Lab) -> None:
    unit = service(install=WANTED, state="stopped", enabled=True)
    host.settled(unit)
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("inactive", "enabled")


def test_started_but_not_enabled(host: Lab) -> None:
    unit = service(install=WANTED, enabled=False)
    host.settled(unit)
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("active", "disabled")


def test_present_leaves_the_run_state_alone(host: Lab) -> None:
    unit = service(install=WANTED, state="present")
    assert host.settled(unit)["newly_started"] == []
    host.sh(f"systemctl start {unit['name']}")
    host.assert_settled(unit)
    assert host.state(unit["name"]) == "active"


def test_absent_takes_one_unit_away(host: Lab) -> None:
    unit, other = service(install=WANTED), service("other")
    host.apply(unit, other)
    result = host.settled({"name": unit["name"], "state": "absent"}, other)
    assert (result["stopped"], result["removed"]) == ([unit["name"]], [f"{UNITS}/main.service"])
    assert host.show("main.service", "LoadState") == "not-found"
    assert host.sh(f"find /etc/systemd -name {unit['name']}") == ""


def test_absent_for_the_stack_takes_all_away_in_order(host: Lab) -> None:
    first = service("a", install=WANTED, secrets={"TOKEN": "not-to-be-seen"})
    second = service("b", unit={"Requires": first["name"], "After": first["name"]})
    host.apply(first, second, dropins=[{"name": first["name"], "dropin": "x", "environment": {"A": "1"}}])
    result = host.remove()
    assert result["stopped"] == [second["name"], first["name"]]
    assert not host.remove()["changed"]


def test_a_unit_that_was_stopped_by_hand_is_started(host: Lab) -> None:
    unit = service()
    host.apply(unit)
    host.sh(f"systemctl stop {unit['name']}")
    assert actions(host.settled(unit)) == [("start", unit["name"])]


def test_enablement_that_was_removed_by_hand_is_restored(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    before = host.invocation("main.service")
    host.sh(f"systemctl disable {unit['name']}")
    result = host.settled(unit)
    assert ("enable", unit["name"]) in actions(result)
    assert host.enabled(unit["name"]) == "enabled"
    assert host.invocation("main.service") == before


def test_a_unit_that_was_enabled_by_hand_is_disabled(host: Lab) -> None:
    unit = service(install=WANTED, enabled=False)
    host.apply(unit)
    host.sh(f"systemctl enable {unit['name']}")
    host.settled(unit)
    assert host.enabled(unit["name"]) == "disabled"


def test_masked_units_cannot_be_started_and_masked_false_undoes_it(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    masked = {"name": unit["name"], "masked": True}
    result = host.settled(masked)
    assert result["stopped"] == [unit["name"]]
    assert host.enabled(unit["name"]) == "masked"
    assert "masked: false" in host.failing(unit)["msg"]
    host.settled({**unit, "masked": False})
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("active", "enabled")


def test_a_unit_of_others_by_state_and_enablement_only(host: Lab) -> None:
    host.settled({"name": NGINX, "state": "stopped", "enabled": False})
    assert (host.state(NGINX), host.enabled(NGINX)) == ("inactive", "disabled")
    result = host.settled({"name": NGINX, "state": "started", "enabled": True})
    assert result["newly_started"] == [NGINX]
    assert (host.state(NGINX), host.enabled(NGINX)) == ("active", "enabled")
    assert not host.exists(f"{UNITS}/nginx.service")


def test_a_unit_of_others_is_left_alone_unless_told(host: Lab) -> None:
    with host.untouched():
        host.assert_settled({"name": NGINX})
    host.sh(f"systemctl stop {NGINX}")
    host.assert_settled({"name": NGINX, "enabled": True})
    assert host.state(NGINX) == "inactive"


def test_a_unit_of_others_is_masked_and_unmasked(host: Lab) -> None:
    host.settled({"name": NGINX, "masked": True})
    assert (host.state(NGINX), host.enabled(NGINX)) == ("inactive", "masked")
    host.settled({"name": NGINX, "masked": False, "state": "started"})
    assert host.state(NGINX) == "active"


def test_a_unit_of_others_outlives_the_stack(host: Lab) -> None:
    host.apply({"name": NGINX, "state": "started"}, service())
    host.remove()
    assert host.state(NGINX) == "active"


def test_a_failed_unit_is_started_again(host: Lab) -> None:
    unit = service()
    host.apply(unit)
    host.sh(f"systemctl kill --signal=ABRT {unit['name']}; while systemctl -q is-active {unit['name']}; do :; done")
    assert host.state("main.service") == "failed"
    result = host.settled(unit)
    assert result["newly_started"] == [unit["name"]]


def test_the_modules_for_one_unit_do_the_same(host: Lab) -> None:
    name = "one.service"
    unit: Entry = {"module": "unit", **service("one")}
    assert host.apply(**unit)["newly_started"] == [name]
    assert not host.apply(**unit)["changed"]
    dropin: Entry = {"module": "dropin", "name": name, "dropin": "50-more"}
    assert host.apply(**dropin, environment={"A": "1"})["restarted"] == [name]
    assert not host.apply(**dropin, environment={"A": "1"})["changed"]
    assert host.remove(**dropin)["changed"]
    assert host.remove(module="unit", name=name)["stopped"] == [name]
    assert host.show(name, "LoadState") == "not-found"


def test_a_mask_does_not_take_the_place_of_a_file_by_hand(host: Lab) -> None:
    unit = "hand.service"
    host.foreign(unit)
    result = host.refused({"name": unit, "masked": True})
    assert result["errors"][0]["rule"] == "owner"
    assert host.state(unit) == "active"


def test_a_unit_that_was_linked_is_enabled_and_stays_linked(host: Lab) -> None:
    unit = "linked.service"
    host.write(f"/opt/{unit}", IDLE + "[Install]\nWantedBy=multi-user.target\n")
    host.sh(f"systemctl enable /opt/{unit}")
    host.assert_settled({"name": unit, "enabled": True})
    host.sh(f"systemctl disable {unit}; systemctl link /opt/{unit}")
    host.settled({"name": unit, "enabled": True, "state": "started"})
    assert (host.state(unit), host.enabled(unit)) == ("active", "enabled")


def test_a_template_is_enabled_by_its_default_instance(host: Lab) -> None:
    install = {**WANTED, "DefaultInstance": "main"}
    unit = service("t@", install=install, enabled=True)
    host.settled(unit)
    assert host.enabled("t@main.service") == "enabled"
    host.settled({**unit, "enabled": False})
    assert host.enabled("t@main.service") == "disabled"


def test_an_instance_that_a_timer_starts_is_not_started_at_once(host: Lab) -> None:
    timer = {"OnCalendar": "daily", "Unit": "job@a.service"}
    host.settled(service("job@", instances=["a"]), {"name": "job.timer", "timer": timer})
    assert host.state("job@a.service") == "inactive"
    assert host.state("job.timer") == "active"


def test_a_reload_that_the_unit_of_a_package_cannot_do_is_refused(host: Lab) -> None:
    dropin = {"name": "nginx.service", "dropin": "more", "environment": {"A": "1"}, "on_change": "reload"}
    result = host.refused(dropins=[{**dropin, "service": {"ExecReload": ""}}])
    assert result["errors"][0]["directive"] == "ExecReload"


def test_a_unit_that_is_linked_is_not_taken_away(host: Lab) -> None:
    unit = "linked.service"
    host.write(f"/opt/{unit}", IDLE + "[Install]\nWantedBy=multi-user.target\n")
    host.sh(f"systemctl enable /opt/{unit}")
    assert host.refused({"name": unit, "enabled": False})["errors"][0]["rule"] == "linked"


def test_other_instances_stay_enabled_when_the_default_one_is_disabled(host: Lab) -> None:
    install = {**WANTED, "DefaultInstance": "main"}
    unit = service("t@", install=install, enabled=True)
    host.apply(unit)
    other = "t@other.service"
    host.sh(f"systemctl enable {other}")
    host.settled({**unit, "enabled": False})
    assert host.enabled(other) == "enabled"


def test_a_template_that_only_has_an_alias_is_enabled_by_it(host: Lab) -> None:
    install = {"Alias": "other@.service"}
    unit = service("t@", "/bin/true", install=install)
    host.settled({**unit, "enabled": True})
    assert host.exists(f"{UNITS}/other@.service")
    host.settled({**unit, "enabled": False})
    assert not host.exists(f"{UNITS}/other@.service")


def test_a_mask_that_the_next_boot_would_lift(host: Lab) -> None:
    unit = "vendor.service"
    host.foreign(unit, folder="/usr/local/lib/systemd/system", start=False)
    host.sh(f"systemctl mask --runtime {unit}")
    assert host.failing({"name": unit, "masked": False, "state": "started"})["errors"][0]["rule"] == "masked"
    host.settled({"name": unit, "masked": True})
    assert host.exists(f"{UNITS}/{unit}")


@pytest.mark.parametrize("tie", [{"PartOf": "gone.service"}, {"BindsTo": "gone.service", "After": "gone.service"}])
@pytest.mark.parametrize("ending", ["pruned", "stopped", "masked"])
def test_what_goes_down_with_another_and_is_declared_to_run_runs(host: Lab, tie: dict[str, str], ending: str) -> None:
    """The tie goes with the other unit, but systemd acts by what it has read."""
    gone, stays = service("gone"), service("stays")
    own = {directive: value.replace("gone.service", gone["name"]) for directive, value in tie.items()}
    host.apply(gone, {**stays, "unit": own})
    before = host.invocation("stays.service")
    after = {
        "pruned": [],
        "stopped": [{**gone, "state": "stopped"}],
        "masked": [{"name": gone["name"], "masked": True}],
    }
    result = host.settled(stays, *after[ending], prune=True)
    assert result["restarted"] == [stays["name"]]
    assert result["stopped"] == [gone["name"]]
    assert host.state("stays.service") == "active"
    assert host.invocation("stays.service") != before
    if ending == "masked":
        host.apply({**gone, "masked": False}, stays)


def test_a_target_that_goes_leaves_its_members_up(host: Lab) -> None:
    target = {"name": "all.target"}
    member = service("member", unit={"PartOf": target["name"]}, install=WANTED)
    host.apply(target | {"unit": {"Wants": member["name"]}}, member)
    assert host.settled(member, prune=True)["restarted"] == [member["name"]]
    assert host.state("member.service") == "active"


@pytest.mark.parametrize("directive", ["Requires", "BindsTo"])
@pytest.mark.parametrize("between", [False, True])
def test_a_unit_that_shall_run_without_what_it_needs_is_refused(host: Lab, directive: str, between: bool) -> None:
    needed, middle, needing = (service(each) for each in ("needed", "middle", "needing"))
    middle.update(unit={directive: needed["name"]}, state="present")
    needing["unit"] = {directive: (middle if between else needed)["name"]}
    host.apply(needed, middle, needing)
    result = host.failing({**needed, "state": "stopped"}, middle, needing)
    assert places(result) == [(needing["name"], "Unit", directive)]
    assert host.state("needing.service") == "active"
    assert host.settled({**needed, "state": "stopped"}, middle, {**needing, "state": "stopped"})["stopped"]


def test_what_is_needed_by_its_place_cannot_be_declared_stopped(host: Lab) -> None:
    """A mount by the folders below it, a slice by what is in it (systemd.unit(5), systemd.resource-control(5))."""
    mount, group = tmpfs(), {"name": "test.slice"}
    cases: list[tuple[Entry, Entry, tuple[str, str]]] = [
        (mount, {"unit": {"RequiresMountsFor": f"{MOUNT}/below"}}, ("Unit", "RequiresMountsFor")),
        (mount, {"service": {"WorkingDirectory": MOUNT}}, ("Service", "WorkingDirectory")),
        (group, {"service": {"Slice": "test.slice"}}, ("Service", "Slice")),
        (group, {"service": {"Slice": "test-below.slice"}}, ("Service", "Slice")),
    ]
    for needed, more, place in cases:
        needing = service("needing", **more)
        assert places(host.failing({**needed, "state": "stopped"}, needing)) == [(needing["name"], *place)]


def test_a_path_needs_no_mount_that_has_no_file(host: Lab) -> None:
    host.sh(f"mkdir {MOUNT}; mount -t tmpfs tmpfs {MOUNT}")
    by_hand = {"name": "mnt-test.mount", "state": "stopped"}
    host.apply(by_hand, service(service={"WorkingDirectory": MOUNT}))
    assert host.state("main.service") == "active"


@pytest.mark.parametrize("kind", ["mount", "slice"])
def test_what_lay_in_a_mount_or_slice_that_goes_is_up_again(host: Lab, kind: str) -> None:
    base = service("base")
    if kind == "mount":
        around = [tmpfs()]
        member = service("member", service={"WorkingDirectory": MOUNT})
    else:
        around = [{"name": "test-x.slice", "slice": {"CPUWeight": 200}}, base]
        member = service("member", service={"Slice": "test-x.slice"}, unit={"PartOf": base["name"]})
    host.apply(*around, member)
    host.settled(member, prune=True)
    assert host.state("member.service") == "active"


def test_what_another_unit_upheld_goes_once_that_does_not(host: Lab) -> None:
    if host.systemd < 249:
        pytest.skip("Upholds= came with systemd 249")
    upheld = service("upheld")
    upholding = service("upholding", unit={"Upholds": upheld["name"]})
    host.apply(upheld, upholding)
    assert host.settled(service("upholding"), prune=True)["stopped"] == [upheld["name"]]
    # Cut off by the reload, before its stop.
    host.apply(upheld, upholding)
    killer = "/run/systemd/system-generators/killer"
    host.write(killer, f"#!/bin/sh\n{CUT_OFF}\n", 0o755)
    host.cut_off(service("upholding"), prune=True)
    host.sh(f"rm {killer}")
    assert f"{upheld['name']}: stop" in host.settled(service("upholding"), prune=True)["recovered"]
    assert host.state("upheld.service") == "inactive"
    host.apply(upheld, upholding)
    result = host.failing({**upheld, "state": "stopped"}, upholding)
    assert places(result) == [(upholding["name"], "Unit", "Upholds")]
    host.settled({**upheld, "state": "stopped"}, service("upholding"))


def test_instances_that_a_templated_timer_starts_are_no_ones_left_over(host: Lab) -> None:
    """Nor does a number at its front make an instance one of a connection."""
    job = service("job@", "/bin/sleep 500", service={"Type": "oneshot"})
    timer = {"name": "job@.timer", "timer": {"OnCalendar": "2099-01-01"}, "instances": ["x"]}
    named = {"name": "by@.timer", "timer": {"OnCalendar": "2099-01-01", "Unit": "job@%i.service"}}
    host.apply(job, timer, named, prune=True)
    host.sh("systemctl start --no-block job@x.service")
    host.assert_settled(job, timer, named, prune=True)
    assert host.state("job@x.service") == "activating"
    counted = service("w@", instances=["1-a", "2-b"])
    host.apply(counted)
    result = host.settled({**counted, "instances": ["1-a"]}, prune=True)
    assert "w@2-b.service" in result["stopped"]


def test_instances_of_before_go_when_a_socket_takes_over_their_template(host: Lab) -> None:
    """Those of its connections have names of another form."""
    template = service("w@", instances=["9501", "9502"], install=WANTED)
    host.settled(template)
    by_hand = [f"w@{instance}.service" for instance in ("9501", "9502")]
    socket = {"name": "w.socket", "socket": {"ListenStream": "127.0.0.1:9501", "Accept": True}}
    greeting = service("w@", "-/bin/cat", service={"StandardInput": "socket"})
    result = host.apply(greeting, socket)
    assert [unit for unit in by_hand if unit in result["orphaned"]] == by_hand
    serving = "systemctl list-units --plain --no-legend --state=running 'w@?-*'"
    with host.connected(9501):
        until(lambda: host.sh(serving), "no connection is served")
        assert sorted(host.settled(greeting, socket, prune=True)["stopped"]) == by_hand
        assert host.sh(serving)
    assert not host.sh("find /etc/systemd/system -name 'w@95*'")


def test_what_is_needed_and_ends_by_itself_may_be_declared_stopped(host: Lab) -> None:
    once = service("once", "/bin/true", service={"Type": "oneshot"}, state="stopped")
    needing = service("needing", unit={"Requires": once["name"], "After": once["name"]})
    host.settled(once, needing)
    assert host.state("needing.service") == "active"


def test_what_is_declared_stopped_and_pulled_in_is_told(host: Lab) -> None:
    wanted = service("wanted", state="stopped")
    wanting = service("wanting", unit={"Wants": wanted["name"]})
    result = host.apply(wanted, wanting)
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [(wanted["name"], "pulled-in")]
    assert host.settled(wanted, wanting)["stopped"] == [wanted["name"]]
    assert host.state("wanting.service") == "active"


def test_a_socket_that_goes_down_with_a_target_is_opened_again(host: Lab) -> None:
    """It cannot start while its service runs, which is not bound to that target."""
    target, served = {"name": "old.target", "unit": {"Description": "old"}}, service("s")
    socket = {"name": "s.socket", "socket": {"ListenStream": f"{NOTES}/sock"}}
    host.apply(target, served, {**socket, "unit": {"PartOf": target["name"]}})
    host.sh(f"systemctl start {served['name']} {target['name']}")
    assert set(host.settled(served, socket, prune=True)["restarted"]) == {socket["name"], served["name"]}
    assert host.show("s.socket", "SubState") == "running"


def test_a_path_that_starts_what_goes_down_with_another(host: Lab) -> None:
    gone, found = service("gone"), service("p", state="started")
    path = {"name": "p.path", "path": {"PathExists": "/etc/passwd"}}
    host.apply(gone, {**found, "unit": {"PartOf": gone["name"]}}, path)
    host.settled(found, path, prune=True)
    assert host.state("p.service") == "active"


@pytest.mark.parametrize("refused", ["RefuseManualStart", "RefuseManualStop"])
def test_what_goes_down_with_another_and_refuses(host: Lab, refused: str) -> None:
    """systemd takes it down all the same, and only a start by name is refused."""
    gone, stays = service("gone"), service("stays")
    host.apply(gone, {**stays, "unit": {"PartOf": gone["name"]}})
    refusing = {**stays, "unit": {refused: True}}
    if refused == "RefuseManualStart":
        assert places(host.failing(refusing, prune=True)) == [(stays["name"], "Unit", refused)]
        return
    host.settled(refusing, prune=True)
    assert host.state("stays.service") == "active"
    host.apply(stays)


@pytest.mark.parametrize("run", [{}, {"run": "on_change"}], ids=["for the timer", "at once"])
def test_a_service_that_ran_on_becomes_the_work_of_a_timer(host: Lab, run: dict[str, str]) -> None:
    log = f"{NOTES}/log"
    host.apply(service("job", health={"stable_for": 0}))
    once = service("job", f"/bin/sh -c 'echo ran >> {log}'", service={"Type": "oneshot"}, **run)
    clock = timer("2099-01-01")
    result = host.settled(once, clock)
    assert result["newly_started"] == [clock["name"], *([once["name"]] if run else [])]
    assert host.state("job.service") == "inactive"
    assert host.exists(log) == bool(run)
    assert host.show("job.timer", "SubState") == "waiting"


def test_what_needs_a_daemon_that_becomes_a_oneshot_runs_on(host: Lab) -> None:
    job, needing = service("job"), service("needing")
    needing["unit"] = {"Requires": job["name"], "After": job["name"]}
    host.apply(job, needing)
    once = service("job", "/bin/true", service={"Type": "oneshot"}, run="on_change")
    host.settled(once, needing)
    assert host.state("needing.service") == "active"


def test_a_daemon_is_back_where_its_new_version_that_runs_once_fails(host: Lab) -> None:
    host.apply(service("job"))
    host.failing(service("job", "/bin/false", service={"Type": "oneshot"}, run="on_change"))
    assert host.show("job.service", "SubState") == "running"


def test_the_links_of_a_masked_unit(host: Lab) -> None:
    """systemctl leaves them, and says only that it ignores the unit."""
    unit = service(install=WANTED)
    host.apply(unit)
    host.sh(f"mv {UNITS}/main.service {VENDOR}; systemctl mask {unit['name']}")
    named = {"name": unit["name"], "enabled": False}
    assert "unmask it" in host.failing({**named, "masked": True})["msg"]
    assert ("disable", unit["name"]) in actions(host.settled({**named, "masked": False}))
    assert host.show("main.service", "UnitFileState") == "disabled"
    host.sh(f"systemctl stop {unit['name']}; rm {VENDOR}/main.service; systemctl daemon-reload")


def test_an_instance_with_an_entry_of_its_own_is_no_orphan(host: Lab) -> None:
    template = service("t@", install=WANTED, instances=["1", "2"])
    host.apply(template)
    own = {"name": "t@2.service", "state": "started", "enabled": True}
    assert host.settled({**template, "instances": ["1"]}, own, prune=True)["orphaned"] == []
    stopped = {**own, "state": "stopped", "enabled": False}
    assert host.settled({**template, "instances": ["1"]}, stopped)["orphaned"] == []


def test_a_mask_is_no_unit_to_remove(host: Lab) -> None:
    nowhere = "nowhere.service"
    host.sh(f"systemctl stop {NGINX}; systemctl mask {NGINX} {nowhere}")
    masks = f"readlink {UNITS}/{NGINX} {UNITS}/{nowhere}"
    host.assert_settled({"name": nowhere, "state": "absent"})
    (error,) = host.failing({"name": NGINX, "state": "absent"})["errors"]
    assert "can only be masked or stopped" in error["message"]
    assert host.sh(masks) == "/dev/null\n/dev/null"


def test_a_mask_below_run_is_nothing_to_a_removal(host: Lab) -> None:
    unit = service()
    host.apply(unit)
    host.sh(f"systemctl mask --runtime {unit['name']}")
    host.remove()
    assert not host.exists(f"{UNITS}/main.service")


def test_an_install_section_in_a_dropin_counts_with_the_units_enablement(host: Lab) -> None:
    unit, alias = service(install=WANTED), "other.service"
    host.apply(unit)
    dropin = {"name": unit["name"], "dropin": "x", "install": {"Alias": alias}}
    result = host.apply(module="dropin", **dropin)
    assert [each["rule"] for each in result["unverified"]] == ["install-of-dropin"]
    host.remove(module="dropin", name=unit["name"], dropin="x")
    result = host.settled(unit, dropins=[dropin])
    assert result["unverified"] == []
    assert host.sh(f"readlink -f {UNITS}/{alias}").strip() == f"{UNITS}/main.service"
    host.settled(unit, prune=True)
    assert not host.exists(f"{UNITS}/{alias}")


def test_a_file_over_an_alias_of_a_package_goes_again(host: Lab) -> None:
    real, alias = "real.service", "alias.service"
    host.write(f"{VENDOR}/{real}", IDLE)
    host.sh(f"ln -s {real} {VENDOR}/{alias}")
    host.apply(service("alias", replace=True))
    host.apply({"name": alias, "state": "absent"})
    assert not host.exists(f"{UNITS}/{alias}")
    host.settled({"name": alias, "masked": True})
    assert host.enabled(alias) == "masked"


def test_a_dropin_over_what_has_no_file_stops_nothing(host: Lab) -> None:
    """A mount by hand, and a unit that was masked while it ran."""
    host.sh(f"mkdir {MOUNT}; mount -t tmpfs tmpfs {MOUNT}")
    dropin = {"name": "mnt-test.mount", "dropin": "x", "unit": {"Description": "by hand"}}
    assert verbs(host.settled(dropins=[dropin])) == ["write", "daemon-reload"]
    assert host.sh(f"findmnt -no FSTYPE {MOUNT}") == "tmpfs"


def test_check_mode_knows_what_a_run_takes_away(host: Lab) -> None:
    job = service("job", "/bin/true", service={"Type": "oneshot"})
    clock = timer("daily")
    host.apply(job, clock)
    for check_mode in (True, False):
        assert "nowhere" in host.failing(clock, prune=True, check_mode=check_mode)["msg"]


def test_a_credential_named_like_a_word_of_a_message_goes(host: Lab) -> None:
    dropin = {"name": "later.service", "dropin": "x"}
    text = "some text"
    host.apply(dropins=[{**dropin, "credentials": {"host": text, "other": text}}])
    assert host.settled(dropins=[{**dropin, "credentials": {"other": text}}])["removed"]

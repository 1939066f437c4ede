# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run state and enablement: what is said, what a person means who says nothing, and units of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.support import Stack, actions, places, verbs
from tests.integration.world import connected, show, state, until, untouched
from tests.testbed.host import Host

WANTED = {"WantedBy": "multi-user.target"}


def enabled(host: Host, unit: str) -> str:
    return host.sh(f"systemctl is-enabled {unit}", check=False)


def test_a_service_without_install_is_started_and_static(stack: Stack) -> None:
    unit = stack.service()
    stack.settled(unit)
    assert (state(stack.host, unit["name"]), enabled(stack.host, unit["name"])) == ("active", "static")


def test_stopped_is_neither_started_nor_enabled(stack: Stack) -> None:
    unit = stack.service(install=WANTED)
    stack.apply(unit)
    result = stack.settled({**unit, "state": "stopped"})
    assert result["stopped"] == [unit["name"]]
    assert (state(stack.host, unit["name"]), enabled(stack.host, unit["name"])) == ("inactive", "disabled")


def test_stopped_but_enabled_waits_for_the_next_boot(stack: Stack) -> None:
    unit = stack.service(install=WANTED, state="stopped", enabled=True)
    stack.settled(unit)
    assert (state(stack.host, unit["name"]), enabled(stack.host, unit["name"])) == ("inactive", "enabled")


def test_started_but_not_enabled(stack: Stack) -> None:
    unit = stack.service(install=WANTED, enabled=False)
    stack.settled(unit)
    assert (state(stack.host, unit["name"]), enabled(stack.host, unit["name"])) == ("active", "disabled")


def test_present_leaves_the_run_state_alone(stack: Stack) -> None:
    unit = stack.service(install=WANTED, state="present")
    assert stack.settled(unit)["newly_started"] == []
    stack.host.sh(f"systemctl start {unit['name']}")
    stack.assert_settled(unit)
    assert state(stack.host, unit["name"]) == "active"


def test_absent_takes_one_unit_away(stack: Stack) -> None:
    unit, other = stack.service(install=WANTED), stack.service("other")
    stack.apply(unit, other)
    result = stack.settled({"name": unit["name"], "state": "absent"}, other)
    assert (result["stopped"], result["removed"]) == ([unit["name"]], [stack.path("main.service")])
    assert stack.show("main.service", "LoadState") == "not-found"
    assert stack.host.sh(f"find /etc/systemd -name {unit['name']}") == ""


def test_absent_for_the_stack_takes_all_away_in_order(stack: Stack) -> None:
    first = stack.service("a", install=WANTED, secrets={"TOKEN": "not-to-be-seen"})
    second = stack.service("b", unit={"Requires": first["name"], "After": first["name"]})
    stack.apply(first, second, dropins=[{"name": first["name"], "dropin": "x", "environment": {"A": "1"}}])
    result = stack.remove()
    assert result["stopped"] == [second["name"], first["name"]]
    assert not stack.remove()["changed"]


def test_a_unit_that_was_stopped_by_hand_is_started(stack: Stack) -> None:
    unit = stack.service()
    stack.apply(unit)
    stack.host.sh(f"systemctl stop {unit['name']}")
    assert actions(stack.settled(unit)) == [("start", unit["name"])]


def test_enablement_that_was_removed_by_hand_is_restored(stack: Stack) -> None:
    unit = stack.service(install=WANTED)
    stack.apply(unit)
    before = stack.invocation("main.service")
    stack.host.sh(f"systemctl disable {unit['name']}")
    result = stack.settled(unit)
    assert ("enable", unit["name"]) in actions(result)
    assert enabled(stack.host, unit["name"]) == "enabled"
    assert stack.invocation("main.service") == before


def test_a_unit_that_was_enabled_by_hand_is_disabled(stack: Stack) -> None:
    unit = stack.service(install=WANTED, enabled=False)
    stack.apply(unit)
    stack.host.sh(f"systemctl enable {unit['name']}")
    stack.settled(unit)
    assert enabled(stack.host, unit["name"]) == "disabled"


def test_masked_units_cannot_be_started_and_masked_false_undoes_it(stack: Stack) -> None:
    unit = stack.service(install=WANTED)
    stack.apply(unit)
    masked = {"name": unit["name"], "masked": True}
    result = stack.settled(masked)
    assert result["stopped"] == [unit["name"]]
    assert enabled(stack.host, unit["name"]) == "masked"
    assert "masked: false" in stack.refused(unit)["msg"]
    stack.settled({**unit, "masked": False})
    assert (state(stack.host, unit["name"]), enabled(stack.host, unit["name"])) == ("active", "enabled")


@pytest.fixture
def nginx(host: Host) -> Iterator[str]:
    yield "nginx.service"
    host.sh("systemctl unmask nginx.service; systemctl enable --now nginx.service")


def test_a_unit_of_others_by_state_and_enablement_only(stack: Stack, nginx: str) -> None:
    stack.settled({"name": nginx, "state": "stopped", "enabled": False})
    assert (state(stack.host, nginx), enabled(stack.host, nginx)) == ("inactive", "disabled")
    result = stack.settled({"name": nginx, "state": "started", "enabled": True})
    assert result["newly_started"] == [nginx]
    assert (state(stack.host, nginx), enabled(stack.host, nginx)) == ("active", "enabled")
    assert not stack.host.exists("/etc/systemd/system/nginx.service")


def test_a_unit_of_others_is_left_alone_unless_told(stack: Stack, nginx: str) -> None:
    with untouched(stack.host):
        stack.assert_settled({"name": nginx})
    stack.host.sh(f"systemctl stop {nginx}")
    stack.assert_settled({"name": nginx, "enabled": True})
    assert state(stack.host, nginx) == "inactive"


def test_a_unit_of_others_is_masked_and_unmasked(stack: Stack, nginx: str) -> None:
    stack.settled({"name": nginx, "masked": True})
    assert (state(stack.host, nginx), enabled(stack.host, nginx)) == ("inactive", "masked")
    stack.settled({"name": nginx, "masked": False, "state": "started"})
    assert state(stack.host, nginx) == "active"


def test_a_unit_of_others_outlives_the_stack(stack: Stack, nginx: str) -> None:
    stack.apply({"name": nginx, "state": "started"}, stack.service())
    stack.remove()
    assert state(stack.host, nginx) == "active"


def test_a_failed_unit_is_started_again(stack: Stack) -> None:
    unit = stack.service()
    stack.apply(unit)
    stack.host.sh(
        f"systemctl kill --signal=ABRT {unit['name']}; while systemctl -q is-active {unit['name']}; do :; done"
    )
    assert stack.show("main.service", "ActiveState") == "failed"
    result = stack.settled(unit)
    assert result["newly_started"] == [unit["name"]]


def test_the_modules_for_one_unit_do_the_same(stack: Stack) -> None:
    name = stack.unit("one.service")
    entry: dict[str, Any] = {"name": name, "service": {"ExecStart": "/bin/sleep infinity"}, "health": {"stable_for": 0}}
    assert stack.host.module("unit", **entry)["newly_started"] == [name]
    assert not stack.host.module("unit", **entry)["changed"]
    dropin: dict[str, Any] = {"name": name, "dropin": "50-more", "environment": {"A": "1"}, "health": {"stable_for": 0}}
    assert stack.host.module("dropin", **dropin)["restarted"] == [name]
    assert not stack.host.module("dropin", **dropin)["changed"]
    assert stack.host.module("dropin", name=name, dropin="50-more", state="absent", health={"stable_for": 0})["changed"]
    assert stack.host.module("unit", name=name, state="absent")["stopped"] == [name]
    assert show(stack.host, name, "LoadState") == "not-found"


def test_a_mask_does_not_take_the_place_of_a_file_by_hand(stack: Stack) -> None:
    unit = stack.unit("hand.service")
    stack.host.write(stack.path("hand.service"), "[Service]\nExecStart=/bin/sleep infinity\n")
    stack.host.sh(f"systemctl daemon-reload; systemctl start {unit}")
    with untouched(stack.host):
        result = stack.refused({"name": unit, "masked": True})
    assert result["errors"][0]["rule"] == "owner"
    assert state(stack.host, unit) == "active"
    stack.host.sh(f"systemctl stop {unit}; rm {stack.path('hand.service')}; systemctl daemon-reload")


def test_a_unit_that_was_linked_is_enabled_and_stays_linked(stack: Stack) -> None:
    unit = stack.unit("linked.service")
    text = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    stack.host.write(f"/opt/{unit}", text)
    stack.host.sh(f"systemctl enable /opt/{unit}")
    stack.assert_settled({"name": unit, "enabled": True})
    stack.host.sh(f"systemctl disable {unit}; systemctl link /opt/{unit}")
    stack.settled({"name": unit, "enabled": True, "state": "started"})
    assert (state(stack.host, unit), enabled(stack.host, unit)) == ("active", "enabled")
    stack.host.sh(f"systemctl disable --now {unit}; rm /opt/{unit}")


def test_a_template_is_enabled_by_its_default_instance(stack: Stack) -> None:
    install = {"WantedBy": "multi-user.target", "DefaultInstance": "main"}
    template = stack.unit("t@.service")
    unit = {"name": template, "service": {"ExecStart": "/bin/sleep infinity"}, "install": install, "enabled": True}
    stack.settled(unit)
    assert enabled(stack.host, stack.unit("t@main.service")) == "enabled"
    stack.settled({**unit, "enabled": False})
    assert enabled(stack.host, stack.unit("t@main.service")) == "disabled"


def test_an_instance_that_a_timer_starts_is_not_started_at_once(stack: Stack) -> None:
    job = {"name": stack.unit("job@.service"), "instances": ["a"], "service": {"ExecStart": "/bin/sleep infinity"}}
    timer = {"OnCalendar": "daily", "Unit": stack.unit("job@a.service")}
    stack.settled(job, {"name": stack.unit("job.timer"), "timer": timer})
    assert state(stack.host, stack.unit("job@a.service")) == "inactive"
    assert state(stack.host, stack.unit("job.timer")) == "active"


def test_a_reload_that_the_unit_of_a_package_cannot_do_is_refused(stack: Stack) -> None:
    dropin = {"name": "nginx.service", "dropin": "more", "environment": {"A": "1"}, "on_change": "reload"}
    with untouched(stack.host):
        result = stack.refused(dropins=[{**dropin, "service": {"ExecReload": ""}}])
    assert result["errors"][0]["directive"] == "ExecReload"


def test_a_unit_that_is_linked_is_not_taken_away(stack: Stack) -> None:
    unit = stack.unit("linked.service")
    text = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    stack.host.write(f"/opt/{unit}", text)
    stack.host.sh(f"systemctl enable /opt/{unit}")
    with untouched(stack.host):
        assert stack.refused({"name": unit, "enabled": False})["errors"][0]["rule"] == "linked"
    stack.host.sh(f"systemctl disable --now {unit}; rm /opt/{unit}")


def test_other_instances_stay_enabled_when_the_default_one_is_disabled(stack: Stack) -> None:
    install = {"WantedBy": "multi-user.target", "DefaultInstance": "main"}
    service = {"ExecStart": "/bin/sleep infinity"}
    unit = {"name": stack.unit("t@.service"), "service": service, "install": install, "enabled": True}
    stack.apply(unit)
    other = stack.unit("t@other.service")
    stack.host.sh(f"systemctl enable {other}")
    stack.settled({**unit, "enabled": False})
    assert enabled(stack.host, other) == "enabled"
    stack.host.sh(f"systemctl disable {other}")


def test_a_template_that_only_has_an_alias_is_enabled_by_it(stack: Stack) -> None:
    install = {"Alias": stack.unit("other@.service")}
    unit = {"name": stack.unit("t@.service"), "service": {"ExecStart": "/bin/true"}, "install": install}
    stack.settled({**unit, "enabled": True})
    assert stack.host.exists(stack.path("other@.service"))
    stack.settled({**unit, "enabled": False})
    assert not stack.host.exists(stack.path("other@.service"))


def test_a_mask_that_the_next_boot_would_lift(stack: Stack) -> None:
    unit = stack.unit("vendor.service")
    stack.host.write(f"/usr/local/lib/systemd/system/{unit}", "[Service]\nExecStart=/bin/sleep infinity\n")
    stack.host.sh(f"systemctl daemon-reload; systemctl mask --runtime {unit}")
    assert stack.refused({"name": unit, "masked": False, "state": "started"})["errors"][0]["rule"] == "masked"
    stack.settled({"name": unit, "masked": True})
    assert stack.host.exists(f"/etc/systemd/system/{unit}")
    stack.host.sh(f"systemctl unmask {unit}; systemctl unmask --runtime {unit}")
    stack.host.sh(f"rm /usr/local/lib/systemd/system/{unit}; systemctl daemon-reload")


@pytest.mark.parametrize("tie", [{"PartOf": "gone.service"}, {"BindsTo": "gone.service", "After": "gone.service"}])
@pytest.mark.parametrize("ending", ["pruned", "stopped", "masked"])
def test_what_goes_down_with_another_and_is_declared_to_run_runs(
    stack: Stack, tie: dict[str, str], ending: str
) -> None:
    """The tie goes with the other unit, but systemd acts by what it has read."""
    gone, stays = stack.service("gone"), stack.service("stays")
    own = {directive: value.replace("gone.service", gone["name"]) for directive, value in tie.items()}
    stack.apply(gone, {**stays, "unit": own})
    before = stack.invocation("stays.service")
    after = {
        "pruned": [],
        "stopped": [{**gone, "state": "stopped"}],
        "masked": [{"name": gone["name"], "masked": True}],
    }
    result = stack.settled(stays, *after[ending], prune=True)
    assert result["restarted"] == [stays["name"]]
    assert result["stopped"] == [gone["name"]]
    assert stack.show("stays.service", "ActiveState") == "active"
    assert stack.invocation("stays.service") != before
    if ending == "masked":
        stack.apply({**gone, "masked": False}, stays)


def test_a_target_that_goes_leaves_its_members_up(stack: Stack) -> None:
    target = {"name": stack.unit("all.target")}
    member = stack.service("member", unit={"PartOf": target["name"]}, install={"WantedBy": "multi-user.target"})
    stack.apply(target | {"unit": {"Wants": member["name"]}}, member)
    assert stack.settled(member, prune=True)["restarted"] == [member["name"]]
    assert stack.show("member.service", "ActiveState") == "active"


@pytest.mark.parametrize("directive", ["Requires", "BindsTo"])
@pytest.mark.parametrize("between", [False, True])
def test_a_unit_that_shall_run_without_what_it_needs_is_refused(stack: Stack, directive: str, between: bool) -> None:
    needed, middle, needing = (stack.service(each) for each in ("needed", "middle", "needing"))
    middle.update(unit={directive: needed["name"]}, state="present")
    needing["unit"] = {directive: (middle if between else needed)["name"]}
    stack.apply(needed, middle, needing)
    result = stack.refused({**needed, "state": "stopped"}, middle, needing)
    assert places(result) == [(needing["name"], "Unit", directive)]
    assert stack.show("needing.service", "ActiveState") == "active"
    assert stack.settled({**needed, "state": "stopped"}, middle, {**needing, "state": "stopped"})["stopped"]


def test_what_is_needed_by_its_place_cannot_be_declared_stopped(stack: Stack) -> None:
    """A mount by the folders below it, a slice by what is in it (systemd.unit(5), systemd.resource-control(5))."""
    where = f"/mnt/{stack.name}"
    mount = {"name": f"mnt-{stack.name}.mount", "mount": {"What": "tmpfs", "Where": where, "Type": "tmpfs"}}
    group = {"name": f"{stack.name}.slice"}
    cases = [
        (mount, {"unit": {"RequiresMountsFor": f"{where}/below"}}, ("Unit", "RequiresMountsFor")),
        (mount, {"service": {"WorkingDirectory": where}}, ("Service", "WorkingDirectory")),
        (group, {"service": {"Slice": group["name"]}}, ("Service", "Slice")),
        (group, {"service": {"Slice": stack.unit("below.slice")}}, ("Service", "Slice")),
    ]
    for needed, more, place in cases:
        needing = stack.service("needing", **more)
        assert places(stack.refused({**needed, "state": "stopped"}, needing)) == [(needing["name"], *place)]


def test_a_path_needs_no_mount_that_has_no_file(stack: Stack) -> None:
    where = f"/mnt/{stack.name}"
    stack.host.sh(f"mkdir {where}; mount -t tmpfs tmpfs {where}")
    by_hand = {"name": f"mnt-{stack.name}.mount", "state": "stopped"}
    stack.apply(by_hand, stack.service(service={"WorkingDirectory": where}))
    assert stack.show("main.service", "ActiveState") == "active"
    stack.host.sh(f"umount {where} 2>/dev/null; rmdir {where}", check=False)


@pytest.mark.parametrize("kind", ["mount", "slice"])
def test_what_lay_in_a_mount_or_slice_that_goes_is_up_again(stack: Stack, kind: str) -> None:
    where = f"/mnt/{stack.name}"
    mount = {"name": f"mnt-{stack.name}.mount", "mount": {"What": "tmpfs", "Where": where, "Type": "tmpfs"}}
    base = stack.service("base")
    if kind == "mount":
        around = [mount]
        member = stack.service("member", service={"WorkingDirectory": where})
    else:
        around = [{"name": stack.unit("x.slice"), "slice": {"CPUWeight": 200}}, base]
        member = stack.service("member", service={"Slice": stack.unit("x.slice")}, unit={"PartOf": base["name"]})
    stack.apply(*around, member)
    stack.settled(member, prune=True)
    assert stack.show("member.service", "ActiveState") == "active"
    stack.remove()
    stack.host.sh(f"rmdir {where} 2>/dev/null; systemctl stop {stack.unit('x.slice')} {stack.name}.slice", check=False)


def test_what_another_unit_upheld_goes_once_that_does_not(stack: Stack, version: int) -> None:
    if version < 249:
        pytest.skip("Upholds= came with systemd 249")
    upheld = stack.service("upheld")
    upholding = stack.service("upholding", unit={"Upholds": upheld["name"]})
    stack.apply(upheld, upholding)
    assert stack.settled(stack.service("upholding"), prune=True)["stopped"] == [upheld["name"]]
    # Cut off by the reload, before its stop.
    stack.apply(upheld, upholding)
    killer = "/run/systemd/system-generators/killer"
    stack.host.write(killer, "#!/bin/sh\npkill -KILL -f run_modul[e].py\n", 0o755)
    given = {"name": stack.name, "units": [stack.service("upholding")], "prune": True}
    assert stack.host.start_module("stack", **given).returncode == 137
    stack.host.sh(f"rm {killer}")
    assert f"{upheld['name']}: stop" in stack.settled(stack.service("upholding"), prune=True)["recovered"]
    assert stack.show("upheld.service", "ActiveState") == "inactive"
    stack.apply(upheld, upholding)
    result = stack.refused({**upheld, "state": "stopped"}, upholding)
    assert places(result) == [(upholding["name"], "Unit", "Upholds")]
    stack.settled({**upheld, "state": "stopped"}, stack.service("upholding"))


def test_instances_that_a_templated_timer_starts_are_no_ones_left_over(stack: Stack) -> None:
    """Nor does a number at its front make an instance one of a connection."""
    job = stack.service("job@", "/bin/sleep 500", service={"Type": "oneshot"})
    timer = {"name": stack.unit("job@.timer"), "timer": {"OnCalendar": "2099-01-01"}, "instances": ["x"]}
    named = {
        "name": stack.unit("by@.timer"),
        "timer": {"OnCalendar": "2099-01-01", "Unit": f"{stack.name}-job@%i.service"},
    }
    stack.apply(job, timer, named, prune=True)
    stack.host.sh(f"systemctl start --no-block {stack.unit('job@x.service')}")
    stack.assert_settled(job, timer, named, prune=True)
    assert stack.show("job@x.service", "ActiveState") == "activating"
    counted = stack.service("w@", instances=["1-a", "2-b"])
    stack.apply(counted)
    result = stack.settled({**counted, "instances": ["1-a"]}, prune=True)
    assert stack.unit("w@2-b.service") in result["stopped"]


def test_instances_of_before_go_when_a_socket_takes_over_their_template(stack: Stack) -> None:
    """Those of its connections have names of another form."""
    template = stack.service("w@", instances=["9501", "9502"], install=WANTED)
    stack.settled(template)
    by_hand = [stack.unit(f"w@{instance}.service") for instance in ("9501", "9502")]
    socket = {"name": stack.unit("w.socket"), "socket": {"ListenStream": "127.0.0.1:9501", "Accept": True}}
    echo = stack.service("w@", "-/bin/cat", service={"StandardInput": "socket"})
    result = stack.apply(echo, socket)
    assert [unit for unit in by_hand if unit in result["orphaned"]] == by_hand
    serving = f"systemctl list-units --plain --no-legend --state=running '{stack.name}-w@?-*'"
    with connected(stack.host, 9501):
        until(lambda: stack.host.sh(serving), "no connection is served")
        assert sorted(stack.settled(echo, socket, prune=True)["stopped"]) == by_hand
        assert stack.host.sh(serving)
    assert not stack.host.sh(f"find /etc/systemd/system -name '{stack.name}-w@95*'")


def test_what_is_needed_and_ends_by_itself_may_be_declared_stopped(stack: Stack) -> None:
    once = stack.service("once", "/bin/true", service={"Type": "oneshot"}, state="stopped")
    needing = stack.service("needing", unit={"Requires": once["name"], "After": once["name"]})
    stack.settled(once, needing)
    assert stack.show("needing.service", "ActiveState") == "active"


def test_what_is_declared_stopped_and_pulled_in_is_told(stack: Stack) -> None:
    wanted = stack.service("wanted", state="stopped")
    wanting = stack.service("wanting", unit={"Wants": wanted["name"]})
    result = stack.apply(wanted, wanting)
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [(wanted["name"], "pulled-in")]
    assert stack.settled(wanted, wanting)["stopped"] == [wanted["name"]]
    assert stack.show("wanting.service", "ActiveState") == "active"


def test_a_socket_that_goes_down_with_a_target_is_opened_again(stack: Stack) -> None:
    """It cannot start while its service runs, which is not bound to that target."""
    target, service = {"name": stack.unit("old.target"), "unit": {"Description": "old"}}, stack.service("s")
    socket = {"name": stack.unit("s.socket"), "socket": {"ListenStream": f"/run/{stack.name}.sock"}}
    stack.apply(target, service, {**socket, "unit": {"PartOf": target["name"]}})
    stack.host.sh(f"systemctl start {service['name']} {target['name']}")
    assert set(stack.settled(service, socket, prune=True)["restarted"]) == {socket["name"], service["name"]}
    assert stack.show("s.socket", "SubState") == "running"


def test_a_path_that_starts_what_goes_down_with_another(stack: Stack) -> None:
    gone, service = stack.service("gone"), stack.service("p", state="started")
    path = {"name": stack.unit("p.path"), "path": {"PathExists": "/etc/passwd"}}
    stack.apply(gone, {**service, "unit": {"PartOf": gone["name"]}}, path)
    stack.settled(service, path, prune=True)
    assert stack.show("p.service", "ActiveState") == "active"


@pytest.mark.parametrize("refused", ["RefuseManualStart", "RefuseManualStop"])
def test_what_goes_down_with_another_and_refuses(stack: Stack, refused: str) -> None:
    """systemd takes it down all the same, and only a start by name is refused."""
    gone, stays = stack.service("gone"), stack.service("stays")
    stack.apply(gone, {**stays, "unit": {"PartOf": gone["name"]}})
    refusing = {**stays, "unit": {refused: True}}
    if refused == "RefuseManualStart":
        assert places(stack.refused(refusing, prune=True)) == [(stays["name"], "Unit", refused)]
        return
    stack.settled(refusing, prune=True)
    assert stack.show("stays.service", "ActiveState") == "active"
    stack.apply(stays)


@pytest.mark.parametrize("run", [{}, {"run": "on_change"}], ids=["for the timer", "at once"])
def test_a_service_that_ran_on_becomes_the_work_of_a_timer(stack: Stack, run: dict[str, str]) -> None:
    log = f"/run/{stack.name}-log"
    stack.apply(stack.service("job", health={"stable_for": 0}))
    once = stack.service("job", f"/bin/sh -c 'echo ran >> {log}'", service={"Type": "oneshot"}, **run)
    timer = {"name": stack.unit("job.timer"), "timer": {"OnCalendar": "2099-01-01"}}
    result = stack.settled(once, timer)
    assert result["newly_started"] == [timer["name"], *([once["name"]] if run else [])]
    assert stack.show("job.service", "ActiveState") == "inactive"
    assert stack.host.exists(log) == bool(run)
    assert stack.show("job.timer", "SubState") == "waiting"


def test_what_needs_a_daemon_that_becomes_a_oneshot_runs_on(stack: Stack) -> None:
    job, needing = stack.service("job"), stack.service("needing")
    needing["unit"] = {"Requires": job["name"], "After": job["name"]}
    stack.apply(job, needing)
    once = stack.service("job", "/bin/true", service={"Type": "oneshot"}, run="on_change")
    stack.settled(once, needing)
    assert stack.show("needing.service", "ActiveState") == "active"


def test_a_daemon_is_back_where_its_new_version_that_runs_once_fails(stack: Stack) -> None:
    stack.apply(stack.service("job"))
    stack.refused(stack.service("job", "/bin/false", service={"Type": "oneshot"}, run="on_change"))
    assert stack.show("job.service", "SubState") == "running"


def test_the_links_of_a_masked_unit(stack: Stack) -> None:
    """systemctl leaves them, and says only that it ignores the unit."""
    unit = stack.service(install={"WantedBy": "multi-user.target"})
    stack.apply(unit)
    stack.host.sh(f"mv {stack.path('main.service')} /usr/lib/systemd/system/; systemctl mask {unit['name']}")
    named = {"name": unit["name"], "enabled": False}
    try:
        assert "unmask it" in stack.refused({**named, "masked": True})["msg"]
        assert ("disable", unit["name"]) in actions(stack.settled({**named, "masked": False}))
        assert stack.show("main.service", "UnitFileState") == "disabled"
    finally:
        stack.host.sh(
            f"systemctl stop {unit['name']}; rm /usr/lib/systemd/system/{unit['name']}; systemctl daemon-reload"
        )


def test_an_instance_with_an_entry_of_its_own_is_no_orphan(stack: Stack) -> None:
    template = stack.service("t@", install={"WantedBy": "multi-user.target"}, instances=["1", "2"])
    stack.apply(template)
    own = {"name": stack.unit("t@2.service"), "state": "started", "enabled": True}
    assert stack.settled({**template, "instances": ["1"]}, own, prune=True)["orphaned"] == []
    stopped = {**own, "state": "stopped", "enabled": False}
    assert stack.settled({**template, "instances": ["1"]}, stopped)["orphaned"] == []


def test_a_mask_is_no_unit_to_remove(stack: Stack, nginx: str) -> None:
    nowhere = stack.unit("nowhere.service")
    stack.host.sh(f"systemctl stop {nginx}; systemctl mask {nginx} {nowhere}")
    masks = f"readlink /etc/systemd/system/{nginx} /etc/systemd/system/{nowhere}"
    stack.assert_settled({"name": nowhere, "state": "absent"})
    (error,) = stack.refused({"name": nginx, "state": "absent"})["errors"]
    assert "can only be masked or stopped" in error["message"]
    assert stack.host.sh(masks) == "/dev/null\n/dev/null"
    stack.host.sh(f"systemctl unmask {nginx} {nowhere}; systemctl start {nginx}")


def test_a_mask_below_run_is_nothing_to_a_removal(stack: Stack) -> None:
    unit = stack.service()
    stack.apply(unit)
    stack.host.sh(f"systemctl mask --runtime {unit['name']}")
    stack.remove()
    assert not stack.host.exists(stack.path("main.service"))
    stack.host.sh(f"systemctl unmask --runtime {unit['name']}")


def test_an_install_section_in_a_dropin_counts_with_the_units_enablement(stack: Stack) -> None:
    unit, alias = stack.service(install={"WantedBy": "multi-user.target"}), stack.unit("other.service")
    stack.apply(unit)
    dropin = {"name": unit["name"], "dropin": "x", "install": {"Alias": alias}}
    result = stack.host.module("dropin", **dropin)
    assert [each["rule"] for each in result["unverified"]] == ["install-of-dropin"]
    stack.host.module("dropin", name=unit["name"], dropin="x", state="absent")
    result = stack.settled(unit, dropins=[dropin])
    assert result["unverified"] == []
    assert stack.host.sh(f"readlink -f /etc/systemd/system/{alias}").strip() == stack.path("main.service")
    stack.settled(unit, prune=True)
    assert not stack.host.exists(f"/etc/systemd/system/{alias}")


def test_a_file_over_an_alias_of_a_package_goes_again(stack: Stack) -> None:
    real, alias = stack.unit("real.service"), stack.unit("alias.service")
    vendor = "/usr/lib/systemd/system"
    stack.host.write(f"{vendor}/{real}", "[Service]\nExecStart=/bin/sleep infinity\n")
    stack.host.sh(f"ln -s {real} {vendor}/{alias}")
    own = stack.service("alias", replace=True)
    try:
        stack.apply(own)
        stack.apply({"name": alias, "state": "absent"})
        assert not stack.host.exists(f"/etc/systemd/system/{alias}")
        stack.settled({"name": alias, "masked": True})
        assert stack.host.sh(f"systemctl is-enabled {alias}", check=False) == "masked"
    finally:
        stack.host.sh(f"rm -f /etc/systemd/system/{alias} {vendor}/{real} {vendor}/{alias}; systemctl daemon-reload")


def test_a_dropin_over_what_has_no_file_stops_nothing(stack: Stack) -> None:
    """A mount by hand, and a unit that was masked while it ran."""
    where = f"/run/{stack.name}"
    stack.host.sh(f"mkdir {where}; mount -t tmpfs tmpfs {where}")
    try:
        dropin = {"name": f"run-{stack.name}.mount", "dropin": "x", "unit": {"Description": "by hand"}}
        assert verbs(stack.settled(dropins=[dropin])) == ["write", "daemon-reload"]
        assert stack.host.sh(f"findmnt -no FSTYPE {where}") == "tmpfs"
    finally:
        stack.remove()
        stack.host.sh(f"umount {where}; rmdir {where}")


def test_check_mode_knows_what_a_run_takes_away(stack: Stack) -> None:
    job = stack.service("job", "/bin/true", service={"Type": "oneshot"})
    timer = {"name": stack.unit("job.timer"), "timer": {"OnCalendar": "daily"}}
    stack.apply(job, timer)
    for check_mode in (True, False):
        assert "nowhere" in stack.refused(timer, prune=True, check_mode=check_mode)["msg"]


def test_a_credential_named_like_a_word_of_a_message_goes(stack: Stack) -> None:
    dropin = {"name": stack.unit("later.service"), "dropin": "x"}
    text = "some text"
    stack.apply(dropins=[{**dropin, "credentials": {"host": text, "other": text}}])
    assert stack.settled(dropins=[{**dropin, "credentials": {"other": text}}])["removed"]

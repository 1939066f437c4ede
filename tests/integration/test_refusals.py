# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no step can fulfil, systemd refuses, or would cut off the run itself is refused or kept, and named."""

from __future__ import annotations

import pytest

from .entries import IDLE, MOUNT, NGINX, UNITS, VENDOR, WANTED, Entry, app, service, tmpfs, web
from .lab import Lab, places, until, verbs


def test_a_unit_that_is_nowhere(host: Lab) -> None:
    result = host.refused({"name": "ghost.service", "state": "started"})
    assert result["errors"][0]["rule"] == "no-such-unit"


def test_a_oneshot_of_others_is_not_started_as_if_it_stayed_up(host: Lab) -> None:
    name = "job.service"
    host.write(f"/run/systemd/system/{name}", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
    host.sh("systemctl daemon-reload")
    (error,) = host.refused({"name": name, "state": "started"})["errors"]
    assert (error["unit"], error["section"], error["directive"]) == (name, "Service", "Type")
    assert "no state to hold" in error["message"]


def test_a_unit_that_refuses_is_kept_and_named(host: Lab) -> None:
    host.write(f"{UNITS}/lab.target", "[Unit]\nWants=refuses.service\n")
    refuses = {"RefuseManualStop": True, "RefuseManualStart": True}
    host.apply(app(1, "refuses", unit=refuses))
    host.sh("systemctl daemon-reload && systemctl start lab.target")
    assert host.version("refuses") == "1"
    before = host.invocation("refuses.service")
    for _run in range(2):  # it stays stale until it was restarted by someone
        result = host.apply(app(2, "refuses", unit=refuses))
        assert "refuses a manual restart" in result["kept"]["refuses.service"]
        assert result["restarted"] == []
    assert host.invocation("refuses.service") == before
    host.sh("kill $(systemctl show -P MainPID refuses.service)")


def test_a_start_that_is_refused_is_an_error(host: Lab) -> None:
    entry = app(1, unit={"RefuseManualStart": True}, state="started")
    assert "refuses a manual start" in host.failing(entry)["msg"]
    assert not host.exists(f"{UNITS}/app.service")


@pytest.mark.by_force("it refuses its stop")
def test_what_a_dropin_refuses_holds_for_what_is_declared(host: Lab) -> None:
    """The unit's own text says nothing of it, and nothing of it has changed."""
    host.apply(app(1, state="restarted"), app(1, "down", state="stopped"))
    for name, refused in (("app", "RefuseManualStop"), ("down", "RefuseManualStart")):
        host.write(f"{UNITS}/{name}.service.d/x.conf", f"[Unit]\n{refused}=yes\n")
    host.sh("systemctl daemon-reload")
    result = host.apply(app(1, state="restarted"), app(1, "down", state="stopped"))
    assert "refuses" in result["kept"]["app.service"]
    for wanted in ("started", "restarted"):
        result = host.failing(app(1), app(1, "down", state=wanted))
        assert result["errors"][0]["rule"] == "refused-start"


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


def test_units_that_shall_run_and_conflict_are_refused(host: Lab) -> None:
    """Each would end the other at every run."""
    blue, green = service("blue", unit={"Conflicts": "green.service"}), service("green")
    errors = host.refused(blue, green)["errors"]
    assert [(error["unit"], error["directive"], error["rule"]) for error in errors] == [
        ("blue.service", "Conflicts", "contradiction")
    ]
    assert "green.service" in errors[0]["message"]
    needing = service("needing", unit={"Requires": blue["name"], "After": blue["name"]})
    (error,) = host.refused({**blue, "state": "present"}, green, needing)["errors"]
    assert (error["unit"], error["rule"]) == ("needing.service", "contradiction")
    host.settled({**blue, "state": "stopped"}, green)
    host.settled(blue, {**green, "state": "stopped"})


@pytest.mark.parametrize("more", [{"StateDirectory": "app"}, {"WorkingDirectory": "/var/lib/%j"}])
def test_what_shall_run_on_a_mount_that_shall_be_down_is_refused(host: Lab, more: Entry) -> None:
    """Each run would stop the mount, and the service with it, and start both again."""
    mount = {**tmpfs("/var/lib/app"), "state": "stopped"}
    (error,) = host.refused(service("app", service=more), mount)["errors"]
    assert (error["unit"], error["rule"], error["directive"]) == ("app.service", "contradiction", next(iter(more)))
    host.settled(service("app", service=more), {**mount, "state": "started"})
    host.settled(service("app", service=more, state="stopped"), mount)


def test_the_run_of_a_oneshot_that_would_end_the_host_is_refused(host: Lab) -> None:
    once = service("once", "/bin/true", service={"Type": "oneshot"}, unit={"SuccessAction": "poweroff"})
    (error,) = host.refused({**once, "run": "on_change"})["errors"]
    assert (error["unit"], error["rule"]) == ("once.service", "ends-run")
    host.settled(once, service("app", unit={"FailureAction": "reboot", "SuccessAction": "none"}))


def test_a_socket_on_a_mount_that_shall_be_down_is_refused(host: Lab) -> None:
    mount = {**tmpfs("/srv/sockets"), "state": "stopped"}
    listening = [{"name": "web.socket", "socket": {"ListenStream": "/srv/sockets/web"}}, web()]
    (error,) = host.refused(*listening, mount)["errors"]
    assert (error["unit"], error["rule"], error["directive"]) == ("web.socket", "contradiction", "ListenStream")


def test_units_that_shall_run_and_conflict_by_an_alias_or_a_third_are_refused(host: Lab) -> None:
    """The first start would be ended by the second, at every run."""
    green = service("green", install={"Alias": "alias.service", **WANTED})
    (error,) = host.refused(service("blue", unit={"Conflicts": "alias.service"}), green)["errors"]
    assert (error["unit"], error["rule"]) == ("blue.service", "contradiction")
    host.foreign("theirs.service", start=False)
    host.sh(f"ln -s {UNITS}/theirs.service {VENDOR}/other.service")
    app = service("app", unit={"Requires": "theirs.service", "After": "theirs.service"})
    for name in ("theirs", "other"):
        (error,) = host.refused(service("blue", unit={"Conflicts": f"{name}.service"}), app)["errors"]
        assert (error["unit"], error["rule"]) == ("blue.service", "contradiction")
        assert "theirs.service, which app.service needs" in error["message"]


def test_what_a_start_pulls_in_must_not_end_what_shall_run(host: Lab) -> None:
    host.foreign("theirs.service", f"[Unit]\nConflicts=blue.service\n{IDLE}", start=False)
    blue, target = service("blue"), {"name": "all.target", "unit": {"Wants": "theirs.service"}}
    host.settled(blue)
    (error,) = host.refused(blue, target)["errors"]
    assert (error["unit"], error["rule"]) == ("blue.service", "contradiction")
    assert host.settled({**blue, "state": "present"}, target)["stopped"] == ["blue.service"]


@pytest.mark.parametrize("of_oneshot", [True, False])
def test_a_oneshot_must_not_end_for_good_what_shall_run(host: Lab, of_oneshot: bool) -> None:
    """Of a backup for which a service has to be down."""
    backup = service("backup", "/bin/true", service={"Type": "oneshot"}, run="on_change")
    app = service("app")
    one, other = (backup, app) if of_oneshot else (app, backup)
    one["unit"] = {"Conflicts": other["name"]}
    (error,) = host.refused(backup, app)["errors"]
    assert (error["unit"], error["rule"]) == ("app.service", "contradiction")
    assert "the run of backup.service" in error["message"]
    host.settled({key: value for key, value in backup.items() if key != "run"}, app)


def test_what_comes_after_the_oneshot_that_ends_it_runs(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        once = {"Type": "oneshot", "Environment": f"A={version}"}
        backup = service("backup", "/bin/true", service=once, run="on_change", unit={"Conflicts": "app.service"})
        return [backup, service("app", unit={"After": "backup.service"}, environment={"A": version})]

    for version in ("1", "2"):
        host.settled(*units(int(version)))
        assert host.environment("app.service")["A"] == version


def test_what_follows_the_oneshot_that_ends_it_runs(host: Lab) -> None:
    if host.systemd < 249:
        pytest.skip("OnSuccess= came with systemd 249")
    # Without After= it may end while the other one still stops, and OnSuccess= starts nothing against that.
    unit = {"Conflicts": "app.service", "After": "app.service", "OnSuccess": "app.service"}

    def units(version: int) -> list[Entry]:
        once = {"Type": "oneshot", "Environment": f"A={version}"}
        return [service("backup", "/bin/true", service=once, run="on_change", unit=unit), service("app")]

    host.settled(*units(1))
    before = host.invocation("app.service")
    assert host.settled(*units(2))["restarted"] == ["app.service"]
    assert host.state("app.service") == "active"
    assert host.invocation("app.service") != before


def test_a_unit_of_someone_else_that_a_start_ends_is_named(host: Lab) -> None:
    """A drop-in over it says nothing of its state, and a restart would be in vain."""
    host.sh(f"systemctl start {NGINX}")
    over = {"name": NGINX, "dropin": "x", "service": {"Nice": 1}}
    result = host.settled(service("blue", unit={"Conflicts": NGINX}), dropins=[over])
    assert (result["stopped"], result["restarted"]) == ([NGINX], [])
    assert any(NGINX in warning and "blue.service is started" in warning for warning in result["warnings"])
    assert host.states("blue.service", NGINX) == ["active", "inactive"]


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


def test_what_is_needed_and_ends_by_itself_may_be_declared_stopped(host: Lab) -> None:
    once = service("once", "/bin/true", service={"Type": "oneshot"}, state="stopped")
    needing = service("needing", unit={"Requires": once["name"], "After": once["name"]})
    host.settled(once, needing)
    assert host.state("needing.service") == "active"


def test_a_unit_that_others_of_the_stack_require_does_not_go(host: Lab) -> None:
    base = service("base")
    user = service("user", unit={"Requires": base["name"], "After": base["name"]})
    host.apply(base, user)
    result = host.refused(user, prune=True)
    assert base["name"] in result["msg"]
    assert user["name"] in result["msg"]


# Runs the module from a unit of its own, as an agent of the host would.
AGENT = "agent.service"

INSIDE = ("systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--unit={AGENT}")


def test_a_run_does_not_restart_what_it_lives_in(host: Lab) -> None:
    """Changed under its own feet the unit goes on with what it was started with, and the result says so."""
    dropin = {"name": AGENT, "dropin": "own", "service": {"LimitNOFILE": 1234}}
    result = host.apply(dropins=[dropin], prefix=INSIDE)
    assert "connection" in result["kept"][AGENT]
    assert result["restarted"] == []
    assert host.exists(f"{UNITS}/{AGENT}.d/own.conf")


def test_a_run_does_not_stop_what_it_lives_in(host: Lab) -> None:
    before = host.listing(times=True)
    result = host.failing({"name": AGENT, "state": "stopped"}, prefix=INSIDE)
    # What systemd-run has written for the agent goes a moment after it.
    until(lambda: host.listing(times=True) == before, "something is written")
    assert [error["rule"] for error in result["errors"]] == ["own-connection"]


def test_what_carries_a_connection_is_kept_and_not_stopped(host: Lab) -> None:
    unit = "dbus.service"
    before = host.invocation(unit)
    dropin: Entry = {"name": unit, "dropin": "own", "service": {"LimitNOFILE": 1234}}
    result = host.apply(dropins=[dropin])
    assert "connection" in result["kept"][unit]
    refused = host.failing({"name": unit, "state": "stopped"}, name="other")
    assert [error["rule"] for error in refused["errors"]] == ["own-connection"]
    masked = host.failing({"name": unit, "masked": True}, name="other")
    assert [error["rule"] for error in masked["errors"]] == ["own-connection"]
    assert host.invocation(unit) == before


def test_a_slice_that_a_run_lives_in_is_not_stopped(host: Lab) -> None:
    result = host.failing({"name": "system.slice", "state": "stopped"})
    assert [error["rule"] for error in result["errors"]] == ["own-connection"]
    assert host.state("system.slice") == "active"


def test_whoever_is_not_root_is_told_to_become(host: Lab) -> None:
    result = host.refused(service(), prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    assert "become: true" in result["msg"]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        *(("reboot.target", "reboot"), ("poweroff.target", "poweroff"), ("ctrl-alt-del.target", "reboot")),
        *(("rescue.target", "rescue"), ("suspend.target", "suspend"), ("exit.target", "exit")),
    ],
)
def test_what_would_end_the_run_of_the_host_is_never_started(host: Lab, name: str, call: str) -> None:
    unit: Entry = {"name": name, "unit": {"Description": "mine"}, "replace": True}
    result = host.foretell(unit)
    assert "start" not in verbs(result)
    assert result["newly_started"] == []
    for state in ("started", "restarted"):
        (error,) = host.refused({**unit, "state": state})["errors"]
        assert error["rule"] in ("ends-run", "alias")
        if error["rule"] == "ends-run":
            assert f"systemctl {call}" in error["message"]


def test_nor_is_what_pulls_that_in_nor_a_service_behind_it(host: Lab) -> None:
    night: Entry = {"name": "night.target", "unit": {"Requires": "poweroff.target", "DefaultDependencies": False}}
    assert host.settled(night)["newly_started"] == []
    (error,) = host.refused({**night, "state": "started"})["errors"]
    assert error["rule"] == "ends-run"
    assert "poweroff.target" in error["message"]
    assert host.refused({"name": "systemd-reboot.service", "state": "started"})["errors"][0]["rule"] == "ends-run"
    running = service("app")
    host.apply(night, running)
    errors = host.refused(night, {**running, "unit": {"Wants": "night.target"}, "state": "present"})["errors"]
    assert ("app.service", "ends-run") in [(error["unit"], error["rule"]) for error in errors]


def test_a_timer_may_end_the_run_of_the_host_when_its_time_has_come(host: Lab) -> None:
    at_night = {"name": "night.timer", "timer": {"OnCalendar": "2099-01-01", "Unit": "poweroff.target"}}
    assert host.settled(at_night)["newly_started"] == ["night.timer"]


def test_a_drop_in_over_what_ends_the_run_of_the_host_starts_nothing(host: Lab) -> None:
    dropin = {"name": "reboot.target", "dropin": "mine", "unit": {"Description": "mine"}}
    assert verbs(host.settled(dropins=[dropin])) == ["write", "daemon-reload"]

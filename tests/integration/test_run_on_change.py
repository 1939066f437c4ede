# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A oneshot that runs for a change runs once, and before what is After= it, which is not touched where it fails."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, IDLE, Entry, service
from .lab import Lab, Result

LOG = f"{NOTES}/log"
MIG, APP = "mig.service", "app.service"


def logs(what: str, then: str) -> str:
    return f"/bin/sh -c 'echo {what} >> {LOG}; {then}'"


def migration(version: int, then: str = "sleep 0.3; echo done >> " + LOG, **more: object) -> Entry:
    return service("mig", logs(f"migrate {version}", then), service={"Type": "oneshot"}, run="on_change", **more)


def app(version: int, name: str = "app", **unit: str) -> Entry:
    """Its line stands in the log before systemd takes it for started."""
    return service(name, FOREVER, unit=unit, service={"ExecStartPre": logs(f"{name} {version}", "true")})


def ran(host: Lab) -> list[str]:
    """What has happened since this was asked for last."""
    return host.sh(f"cat {LOG}; rm {LOG}", check=False).splitlines()


@pytest.mark.parametrize("unit", [{"After": MIG}, {"After": MIG, "Requires": MIG}, {"After": MIG, "Wants": MIG}])
def test_it_runs_once_and_before_what_comes_after_it(host: Lab, unit: Entry) -> None:
    for version in (1, 2):
        host.settled(migration(version), app(version, **unit))
        assert ran(host) == [f"migrate {version}", "done", f"app {version}"]
    host.settled(migration(3), app(2, **unit))
    assert ran(host) == ["migrate 3", "done"]


def test_what_it_says_itself_to_come_before(host: Lab) -> None:
    for version in (1, 2):
        host.settled(app(version), migration(version, unit={"Before": APP}))
        assert ran(host) == [f"migrate {version}", "done", f"app {version}"]


def failing(host: Lab, *units: Entry) -> Result:
    before = host.invocation(APP)
    result = host.failing(*units)
    assert host.invocation(APP) == before
    assert result["rolled_back"]
    return result


@pytest.mark.parametrize("unit", [{"After": MIG}, {"After": MIG, "Requires": MIG}, {"After": MIG, "Wants": MIG}])
def test_one_that_fails_leaves_all_as_it_was(host: Lab, unit: Entry) -> None:
    host.settled(migration(1), app(1, **unit))
    ran(host)
    result = failing(host, migration(2, then="exit 3"), app(2, **unit))
    assert [error["unit"] for error in result["errors"]] == [MIG]
    assert ran(host) == ["migrate 2"]
    assert (result["newly_started"], result["restarted"]) == ([MIG], []), "the app was only about to be restarted"
    assert "restart" in {step["action"] for step in result["plan"]}
    host.settled(migration(3), app(3, **unit))
    assert ran(host) == ["migrate 3", "done", "app 3"]


def test_one_that_fails_at_first_fails_once(host: Lab) -> None:
    result = host.failing(migration(1, then="exit 3"), app(1, After=MIG, Requires=MIG))
    assert MIG in [error["unit"] for error in result["errors"]]
    assert ran(host) == ["migrate 1"]
    assert host.states(MIG, APP) == ["inactive", "inactive"]


def test_what_it_comes_after_itself_is_before_it(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        ordered = migration(version, unit={"After": "db.service", "Requires": "db.service"})
        return [app(version, After=MIG, Requires=MIG), ordered, app(version, "db"), app(version, "other")]

    for version in (1, 2):
        host.settled(*units(version))
        lines = ran(host)
        assert sorted(lines) == sorted([*(f"{name} {version}" for name in ("db", "app", "other", "migrate")), "done"])
        db, migrate, after = (lines.index(f"{each} {version}") for each in ("db", "migrate", "app"))
        assert db < migrate < after


def test_what_else_its_successor_requires_is_started_all_the_same(host: Lab) -> None:
    """Of a unit that wants more than the oneshot that is down the restart is a whole one."""
    host.foreign("theirs.service", IDLE)
    unit = {"After": f"{MIG} theirs.service", "Requires": MIG, "Wants": "theirs.service"}
    host.settled(migration(1), app(1, **unit))
    host.sh("systemctl stop theirs.service")
    ran(host)
    host.apply(migration(2), app(2, **unit))
    assert host.states("theirs.service", APP) == ["active", "active"]
    assert ran(host)[:2] == ["migrate 2", "done"]


def test_what_a_restart_takes_along_is_still_taken_along(host: Lab) -> None:
    follower = app(1, "follower", Requires=APP, After=APP)
    unit = {"After": MIG, "Requires": MIG}
    host.settled(migration(1), app(1, **unit), follower)
    ran(host)
    assert set(host.settled(migration(2), app(2, **unit), follower)["restarted"]) == {APP, "follower.service"}
    lines = ran(host)
    assert lines[:2] == ["migrate 2", "done"]
    assert lines[-2:] == ["app 2", "follower 1"]


def test_what_a_restart_takes_along_comes_after_it_though_all_of_them_change(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        unit = {"After": MIG, "Requires": MIG}
        return [migration(version), app(version, **unit), app(version, "web", Requires=APP, After=APP)]

    host.settled(*units(1))
    ran(host)
    result = host.settled(*units(2))
    told = [(step["action"], step["unit"]) for step in result["plan"] if step["action"] in ("run", "restart")]
    assert told == [("run", MIG), ("restart", "web.service"), ("restart", APP)]
    lines = ran(host)
    assert lines[:2] == ["migrate 2", "done"]
    assert lines[-2:] == ["app 2", "web 2"]
    assert (lines.count("app 2"), lines.count("web 2")) == (1, 1)


def test_what_is_only_ordered_after_its_successor(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        unit = {"After": MIG, "Requires": MIG}
        return [migration(version), app(version, **unit), app(version, "web", After=APP)]

    host.settled(*units(1))
    ran(host)
    host.settled(*units(2))
    lines = ran(host)
    assert lines[:2] == ["migrate 2", "done"]
    assert sorted(lines[2:]) == ["app 2", "web 2"]


def test_an_instance_that_is_named_by_a_specifier(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        unit = {"After": "mig@%i.service", "Requires": "mig@%i.service"}
        instances = {"instances": ["a"]}
        return [
            {**migration(version), "name": "mig@.service", **instances},
            {**app(version, **unit), "name": "app@.service", **instances},
        ]

    for version in (1, 2):
        host.settled(*units(version))
        assert ran(host) == [f"migrate {version}", "done", f"app {version}"]


def test_one_that_refuses_a_manual_start_is_refused(host: Lab) -> None:
    for version in (1, 2):
        (error,) = host.refused(migration(version, unit={"RefuseManualStart": True}))["errors"]
        assert (error["unit"], error["directive"], error["rule"]) == (MIG, "RefuseManualStart", "refused-start")
    host.settled(migration(1))
    over = {"name": MIG, "dropin": "x", "unit": {"RefuseManualStart": True}}
    (error,) = host.refused(migration(1), dropins=[over])["errors"]
    assert error["rule"] == "refused-start"


def test_a_reload_comes_after_it(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        reloads = {"ExecReload": f"/bin/sh -c 'echo reload >> {LOG}'"}
        unit = service("app", logs("app", f"exec {FOREVER}"), unit={"After": MIG}, service=reloads, on_change="reload")
        return [migration(version), {**unit, "triggers": {"values": [version]}}]

    host.settled(*units(1))
    ran(host)
    host.settled(*units(2))
    assert ran(host) == ["migrate 2", "done", "reload"]


def test_one_that_fails_leaves_what_would_be_reloaded(host: Lab) -> None:
    def unit(value: int) -> Entry:
        reloads = {"ExecReload": logs("reload", "true")}
        return service("app", unit={"After": MIG}, service=reloads, on_change="reload", triggers={"values": [value]})

    host.apply(migration(1), unit(1))
    ran(host)
    assert failing(host, migration(2, "exit 1"), unit(2))["reloaded"] == []
    assert ran(host) == ["migrate 2"]
    host.settled(migration(3), unit(2))
    assert ran(host) == ["migrate 3", "done", "reload"]


@pytest.mark.parametrize("directive", ["Requires", "Wants"])
@pytest.mark.parametrize("with_app", [False, True])
def test_one_that_pulls_in_another_does_not_run_it_twice(host: Lab, directive: str, with_app: bool) -> None:
    def units(version: int) -> list[Entry]:
        unit = {directive: MIG, "After": MIG}
        second = service(
            "second", logs(f"second {version}", "true"), service={"Type": "oneshot"}, run="on_change", unit=unit
        )
        after = [app(version, After="second.service", Requires="second.service")] if with_app else []
        return [*after, second, migration(version)]

    for version in (1, 2):
        host.settled(*units(version))
        last = [f"app {version}"] if with_app else []
        assert ran(host) == [f"migrate {version}", "done", f"second {version}", *last]


def test_with_keep_what_comes_after_one_that_fails_is_left_as_it_is(host: Lab) -> None:
    def units(version: int, then: str = "true") -> list[Entry]:
        second = service(
            "second", logs("second", "true"), service={"Type": "oneshot"}, run="on_change", unit={"After": MIG}
        )
        return [
            migration(version, then=then),
            {**second, "triggers": {"values": [version]}},
            app(version, After=MIG),
            app(version, "web", Requires=APP, After=APP),
            app(version, "other"),
        ]

    host.settled(*units(1))
    ran(host)
    before = host.invocation(APP), host.invocation("web.service")
    result = host.failing(*units(2, then="exit 3"), on_failure="keep")
    assert [error["unit"] for error in result["errors"]] == [MIG]
    assert ran(host) == ["migrate 2", "other 2"]
    assert (host.invocation(APP), host.invocation("web.service")) == before
    host.settled(*units(3))
    lines = ran(host)
    assert lines[0] == "migrate 3"
    assert sorted(lines[1:]) == ["app 3", "other 3", "second", "web 3"]

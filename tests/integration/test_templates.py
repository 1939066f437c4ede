# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A template is what its instances run: the declared ones, those that others start, and those of connections."""

from __future__ import annotations

import pytest

from .entries import UNITS, WANTED, Entry, program, service
from .lab import Lab, until


def test_a_template_runs_in_its_instances(host: Lab) -> None:
    template = service("w@", service={"Environment": {"WHO": "me"}}, install=WANTED, instances=["a", "b"])
    first, second = "w@a.service", "w@b.service"
    result = host.settled(template)
    assert sorted(result["newly_started"]) == [first, second]
    assert host.sh(f"systemctl is-enabled {first} {second}") == "enabled\nenabled"
    template["service"]["ExecStart"] = "/bin/sleep 1000000"
    assert sorted(host.settled(template)["restarted"]) == [first, second]


def test_an_instance_that_is_no_longer_declared_is_stopped(host: Lab) -> None:
    template = service("w@", install=WANTED, instances=["a", "b"])
    host.apply(template)
    result = host.settled({**template, "instances": ["a"]}, prune=True)
    assert result["stopped"] == ["w@b.service"]


def test_a_template_without_instances_is_only_written(host: Lab) -> None:
    assert host.settled(service("w@", install=WANTED))["newly_started"] == []


def test_instances_see_their_own_name(host: Lab) -> None:
    template = service("w@", service={"Environment": "INSTANCE=%i"}, environment={"LITERAL": "%i"}, instances=["x-y"])
    host.settled(template)
    seen = host.environment("w@x-y.service")
    assert (seen["INSTANCE"], seen["LITERAL"]) == ("x-y", "%i")


def test_every_running_instance_of_a_template(host: Lab) -> None:
    """Also one that nobody declared but somebody runs."""

    def template(number: int) -> Entry:
        return service("t@", program(number, "%i"), instances=["declared"])

    host.apply(template(1))
    host.sh("systemctl start t@byhand.service")
    host.forget_versions()
    result = host.apply(template(2))
    assert set(result["restarted"]) == {"t@declared.service", "t@byhand.service"}
    assert [host.version(name) for name in ("declared", "byhand")] == ["2", "2"]


def test_an_instance_that_a_timer_starts_is_not_started_at_once(host: Lab) -> None:
    timer = {"OnCalendar": "daily", "Unit": "job@a.service"}
    host.settled(service("job@", instances=["a"]), {"name": "job.timer", "timer": timer})
    assert host.state("job@a.service") == "inactive"
    assert host.state("job.timer") == "active"


def test_instances_that_a_templated_timer_starts_are_no_ones_left_over(host: Lab) -> None:
    """Nor does a number at its front make an instance one of a connection."""
    job = service("job@", "/bin/sleep 500", service={"Type": "oneshot"})
    timer = {"name": "job@.timer", "timer": {"OnCalendar": "2099-01-01"}, "instances": ["x"]}
    named = {"name": "by@.timer", "timer": {"OnCalendar": "2099-01-01", "Unit": "job@%i.service"}}
    host.apply(job, timer, named, prune=True)
    host.begin("job@x.service")
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


def test_an_instance_with_an_entry_of_its_own_is_no_orphan(host: Lab) -> None:
    template = service("t@", install=WANTED, instances=["1", "2"])
    host.apply(template)
    own = {"name": "t@2.service", "state": "started", "enabled": True}
    assert host.settled({**template, "instances": ["1"]}, own, prune=True)["orphaned"] == []
    stopped = {**own, "state": "stopped", "enabled": False}
    assert host.settled({**template, "instances": ["1"]}, stopped)["orphaned"] == []


def test_a_template_is_enabled_by_its_default_instance(host: Lab) -> None:
    install = {**WANTED, "DefaultInstance": "main"}
    unit = service("t@", install=install, enabled=True)
    host.settled(unit)
    assert host.enabled("t@main.service") == "enabled"
    host.settled({**unit, "enabled": False})
    assert host.enabled("t@main.service") == "disabled"


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


def target(**unit: str) -> Entry:
    return {"name": "apps.target", "unit": unit}


RED = "app@red.service"


@pytest.mark.parametrize("directive", ["Wants", "Requires", "BindsTo", "Upholds"])
def test_an_instance_that_others_pull_in_is_told(host: Lab, directive: str) -> None:
    if directive == "Upholds" and host.systemd < 249:
        pytest.skip("came with 249")
    template = service("app@")
    assert host.foretell(template, target(**{directive: RED}))["newly_started"] == ["apps.target", RED]
    assert host.settled(template, target(**{directive: RED}))["newly_started"] == ["apps.target", RED]


@pytest.mark.parametrize("directive", ["Wants", "Requires"])
def test_an_instance_that_others_pull_in_has_to_come_up(host: Lab, directive: str) -> None:
    template = service("app@", service={"ExecStartPre": "/bin/sh -c 'test %i != red'"})
    result = host.failing(template, target(**{directive: RED}))
    assert RED in [error["unit"] for error in result["errors"]]
    assert result["rolled_back"]
    assert host.states("apps.target", RED) == ["inactive", "inactive"]
    host.settled(template, target(**{directive: "app@blue.service"}))


def test_an_instance_that_is_pulled_in_from_now_on(host: Lab) -> None:
    template = service("app@", service={"ExecStartPre": "/bin/sh -c 'test %i != red'"})
    host.settled(template, target(Wants="app@blue.service"))
    result = host.failing(template, target(Wants=f"app@blue.service {RED}"))
    assert [error["unit"] for error in result["errors"]] == [RED]
    assert host.states("apps.target", "app@blue.service") == ["active", "active"]
    result = host.settled(template, target(Wants="app@blue.service app@green.service"))
    assert result["newly_started"] == ["app@green.service"]


def test_an_instance_that_another_instance_pulls_in(host: Lab) -> None:
    template = service("app@", unit={"Wants": "db@%i.service"})
    result = host.settled(template, service("db@"), target(Wants=RED))
    assert result["newly_started"] == ["apps.target", RED, "db@red.service"]


def test_an_instance_that_a_link_has_pulled_in(host: Lab) -> None:
    template = service("app@", install={"WantedBy": "apps.target", "DefaultInstance": "red"}, enabled=True)
    assert host.settled(template, target(Description="x"))["newly_started"] == ["apps.target", RED]
    linked = {"WantedBy": "dbs.target", "DefaultInstance": "red"}
    failing = service("db@", service={"ExecStartPre": "/bin/false"}, install=linked, enabled=True)
    result = host.failing(failing, {"name": "dbs.target", "unit": {}}, name="dbs")
    assert [error["unit"] for error in result["errors"]] == ["db@red.service"]

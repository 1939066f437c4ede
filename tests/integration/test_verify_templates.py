# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A template is judged by the instances that are declared, run or are enabled, and by no made-up one."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import FOREVER, IDLE, UNITS, WANTED, Entry, service
from .lab import Lab, Result, places


def programs(host: Lab, *names: str) -> None:
    host.sh("; ".join(f"mkdir -p /opt/{name}/bin && ln -sf /bin/sleep /opt/{name}/bin/run" for name in names))


def told(result: Result) -> list[tuple[str, str, str]]:
    return [(each["unit"], each["directive"], each["rule"]) for each in result["unverified"]]


RUN = "/opt/%i/bin/run 1000"
APP = service("app@", RUN, unit={"Description": "%i"})
CLOCK = {"name": "maint@.timer", "timer": {"OnCalendar": "%i"}, "install": {"WantedBy": "timers.target"}}
ONCE = {"Type": "oneshot"}


def test_programs_by_the_name_of_the_instance(host: Lab) -> None:
    programs(host, "one", "two")
    unit = {**APP, "instances": ["one", "two"]}
    assert host.foretell(unit)["unverified"] == []
    host.settled(unit)


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_instance_that_is_wrong_is_named_as_itself(host: Lab, check_mode: bool) -> None:
    programs(host, "one")
    result = host.attempt({**APP, "instances": ["one", "three"]}, check_mode=check_mode)
    found = result["unverified"] if check_mode else result["errors"]
    assert [(each["unit"], each["directive"], each["rule"]) for each in found] == [
        ("app@three.service", "ExecStart", "missing")
    ]


def test_calendars(host: Lab) -> None:
    job = service("maint@", "/bin/true", service=ONCE)
    host.settled(job, {**CLOCK, "instances": ["hourly", "daily"]})
    for check_mode in (False, True):
        result = host.refused(job, {**CLOCK, "instances": ["hourly", "dayly"]}, check_mode=check_mode)
        assert places(result) == [("maint@dayly.timer", "Timer", "OnCalendar")]


@pytest.mark.parametrize(
    ("right", "wrong", "directive", "value"),
    [
        ("5", "five", "RestartSec", "%i"),
        ("0", "five", "CPUAffinity", "%i"),
        ("tmp", "tmp", "WorkingDirectory", "/%i"),
        ("tmp-x", "tmp-x", "StateDirectory", "%p/%i"),
        ("root", "root", "User", "%i"),
        ("a", "a", "Environment", "X=%i"),
        ("system", "system", "Slice", "%i.slice"),
    ],
)
def test_values(host: Lab, right: str, wrong: str, directive: str, value: str) -> None:
    """Those that systemd resolves there, as systemd itself says."""
    unit = service("w@", service={directive: value})
    loaded = host.attempt({**unit, "instances": [right]}, check_mode=True)
    if loaded.get("failed"):  # this version resolves no specifier there
        assert places(loaded) == [("w@.service", "Service", directive)]
        return
    host.settled({**unit, "instances": [right]})
    if wrong != right:
        assert places(host.refused({**unit, "instances": [right, wrong]})) == [
            (f"w@{wrong}.service", "Service", directive)
        ]


def test_addresses(host: Lab) -> None:
    served = service("s@", "/bin/sleep 100", state="present")
    listen = {"name": "s@.socket", "socket": {"ListenStream": "127.0.0.1:%i"}}
    host.settled(served, {**listen, "instances": ["7777"]})
    result = host.refused(served, {**listen, "instances": ["7777", "http"]})
    assert places(result) == [("s@http.socket", "Socket", "ListenStream")]


def test_required_units(host: Lab) -> None:
    unit = service("w@", unit={"Requires": "db-%i.service", "After": "db-%i.service"})
    host.settled(service("db-one"), {**unit, "instances": ["one"]})
    result = host.refused(service("db-one"), {**unit, "instances": ["one", "two"]})
    assert places(result) == [("w@two.service", "Unit", "Requires")]


def test_unescaped_names(host: Lab) -> None:
    host.sh("mkdir -p /opt/a/b && ln -sf /bin/sleep /opt/a/b/run")
    host.settled({**service("w@", "/opt/%I/run 1000"), "instances": ["a-b"]})
    host.settled({**service("w@", "/opt%f/run 1000"), "instances": ["a-b"]})


def test_what_is_wrong_in_all_is_told_once_of_the_template(host: Lab) -> None:
    unit = service("w@", "/bin/nothing", service={"Restart": "maybe"}, instances=["a", "b"])
    found = places(host.refused(unit))
    assert sorted(found) == [("w@.service", "Service", "ExecStart"), ("w@.service", "Service", "Restart")]


@pytest.mark.parametrize(
    "unit",
    [
        APP,
        CLOCK | {"timer": {"OnCalendar": "%i", "Unit": "nginx.service"}},
        service("w@", unit={"Requires": "%i.service"}),
        service("w@", service={"CPUAffinity": "%i"}),
        {"name": "w@.path", "path": {"PathExists": "%i", "Unit": "nginx.service"}},
    ],
    ids=lambda unit: unit["name"],
)
def test_without_an_instance_what_depends_on_it_is_only_told(host: Lab, unit: Entry) -> None:
    for result in (host.foretell(unit), host.settled(unit)):
        assert {(each["unit"], each["rule"]) for each in result["unverified"]} <= {(unit["name"], "no-instance")}


def test_without_an_instance_all_else_is_judged(host: Lab) -> None:
    unit = service("w@", "/opt/%i/run", service={"Restart": "maybe", "ExecStartPre": "/bin/nothing"})
    result = host.refused(unit)
    assert places(result) == [("w@.service", "Service", "Restart"), ("w@.service", "Service", "ExecStartPre")]


def test_by_instances_that_run_or_are_enabled(host: Lab) -> None:
    """Though the declaration names none, and a third one is only in memory."""
    programs(host, "run", "boot", "old")
    host.write(f"{UNITS}/app@.service", IDLE + "[Install]\nWantedBy=multi-user.target\n")
    host.write(f"{UNITS}/other.service", IDLE + "[Unit]\nAfter=app@gone.service\n")
    host.sh(
        "systemctl daemon-reload; systemctl start app@run.service other.service; systemctl -q enable app@boot.service"
    )
    dropin: dict[str, Any] = {"name": "app@.service", "dropin": "a"}
    right = {"ExecStart": ["", "/opt/%i/bin/run 1000"]}
    host.settled(dropins=[{**dropin, "service": right}])
    host.sh("rm -r /opt/run /opt/boot")
    result = host.refused(dropins=[{**dropin, "service": {"ExecStart": ["", "/opt/%i/bin/run 2000"]}}])
    assert sorted(places(result)) == [
        ("app@boot.service", "Service", "ExecStart"),
        ("app@run.service", "Service", "ExecStart"),
    ]
    programs(host, "run", "boot")
    host.remove()
    host.sh("systemctl stop app@run.service other.service; systemctl -q disable app@boot.service")


def test_by_instances_that_a_declared_timer_starts(host: Lab) -> None:
    programs(host, "daily")
    job = service("maint@", "/opt/%i/bin/run 0", service=ONCE)
    host.settled(job, {**CLOCK, "instances": ["daily"]})
    result = host.refused(job, {**CLOCK, "instances": ["daily", "hourly"]})
    assert places(result) == [("maint@hourly.service", "Service", "ExecStart")]


@pytest.mark.parametrize("name", ["apps.target", "a.service"])
@pytest.mark.parametrize("directive", ["Wants", "Requires", "OnFailure"])
def test_by_instances_that_what_is_declared_names(host: Lab, directive: str, name: str) -> None:
    named: Entry = {**(service("a") if name == "a.service" else {"name": name}), "unit": {directive: "app@red.service"}}
    for units in ((APP, named), ({"name": "app@.service", "content": f"[Service]\nExecStart={RUN}\n"}, named)):
        assert places(host.refused(*units)) == [("app@red.service", "Service", "ExecStart")]
    found = host.foretell(APP, named)["unverified"]
    assert [(each["unit"], each["rule"]) for each in found] == [("app@red.service", "missing")]
    programs(host, "red")
    host.settled(APP, named)
    if directive != "OnFailure":  # which starts nothing now
        wrong = {**named, "unit": {directive: "app@red.service app@blue.service"}}
        assert places(host.refused(APP, wrong)) == [("app@blue.service", "Service", "ExecStart")]


def test_by_instances_that_a_drop_in_names(host: Lab) -> None:
    dropin = {"name": "nginx.service", "dropin": "x", "unit": {"Wants": "app@red.service"}}
    assert places(host.refused(APP, dropins=[dropin])) == [("app@red.service", "Service", "ExecStart")]


def test_by_the_default_instance_that_is_to_be_enabled(host: Lab) -> None:
    unit = service("w@", "/opt/%i/bin/run 1000", install={**WANTED, "DefaultInstance": "main"}, enabled=True)
    assert places(host.refused(unit)) == [("w@main.service", "Service", "ExecStart")]
    programs(host, "main")
    host.settled(unit)


def test_an_instance_with_a_drop_in_of_its_own(host: Lab) -> None:
    unit = service("w@", instances=["a", "b"])
    dropin = {"name": "w@b.service", "dropin": "x", "service": {"ExecStart": ["", "/bin/nothing"]}}
    assert places(host.refused(unit, dropins=[dropin])) == [("w@b.service", "Service", "ExecStart")]
    dropin["service"] = {"ExecStart": ["", FOREVER]}
    host.settled(unit, dropins=[dropin])


def test_in_text(host: Lab) -> None:
    programs(host, "one")
    text = "[Service]\nExecStart=/opt/%i/bin/run 1000\n"
    unit: Entry = {"name": "app@.service", "content": text, "instances": ["one"]}
    host.settled(unit)
    assert places(host.refused({**unit, "instances": ["one", "x"]})) == [("app@x.service", "Service", "ExecStart")]


def test_in_an_image(host: Lab) -> None:
    """The host that judges has no such program."""
    host.sh("mkdir -p /srv/image/opt/one/bin && cp /bin/sleep /srv/image/opt/one/bin/run")
    result = host.apply({**APP, "instances": ["one", "x"]}, root="/srv/image")
    found = [each for each in told(result) if each[1] == "ExecStart"]
    assert found == [("app@x.service", "ExecStart", "missing")]


def test_for_users(host: Lab) -> None:
    programs(host, "one")
    result = host.foretell({**APP, "instances": ["one", "x"]}, scope="global")
    assert told(result) == [("app@x.service", "ExecStart", "missing")]

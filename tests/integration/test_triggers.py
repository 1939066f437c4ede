# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trigger that changes counts as a change of the unit, held against what its process has now, and is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, NGINX, UNITS, Entry, service
from .lab import USER, Lab, Result, actions

CONF, HAS = "/etc/test.conf", f"{NOTES}/has"
MAIN = "main.service"
TAKES = f"/bin/cp {CONF} {HAS}"
FILES = {"files": [CONF]}
OF_USER = {"scope": "user", "prefix": ("runuser", "-u", USER, "--"), "env": {"HOME": "/root", "USER": "root"}}
SCOPES = pytest.mark.parametrize("options", [{}, OF_USER], ids=["system", "user"])


def reading(**more: Any) -> Entry:
    """A service that takes up a file when it starts, and when it is reloaded."""
    return service(command=f"/bin/sh -c '{TAKES}; exec {FOREVER}'", service={"ExecReload": TAKES}, **more)


def conf(host: Lab, text: str) -> None:
    host.write(CONF, text)


def reasons(result: Result) -> list[str]:
    """Why jobs are done."""
    return [step["reason"] for step in result["plan"] if step["action"] in ("reload", "restart", "run")]


@pytest.fixture(autouse=True)
def first(host: Lab) -> None:
    conf(host, "one")


def test_a_file_that_goes_back_to_what_the_process_was_started_with(host: Lab) -> None:
    unit = reading(on_change="reload", triggers=FILES)
    host.settled(unit)
    since = host.invocation(MAIN)
    for text in ("two", "one", "two"):
        conf(host, text)
        result = host.settled(unit)
        assert result["reloaded"] == [MAIN]
        assert reasons(result) == [f"changed since its last start: the file {CONF}"]
        assert result["kept"] == {}
        assert host.read(HAS) == text
    assert host.invocation(MAIN) == since
    host.sh(f"systemctl restart {MAIN}")
    host.assert_settled(unit)


def test_a_value_that_goes_back(host: Lab) -> None:
    unit = reading(on_change="reload", triggers={"values": ["one"]})
    host.settled(unit)
    for value in ("two", "one"):
        changed = {**unit, "triggers": {"values": [value]}}
        assert reasons(host.settled(changed)) == ["changed since its last start: triggers.values[0]"]


def test_a_dropin_over_a_unit_of_a_package(host: Lab) -> None:
    host.sh(f"systemctl restart {NGINX}")
    dropin = {"name": NGINX, "dropin": "conf", "triggers": FILES, "on_change": "reload", "unit": {"Description": "x"}}
    since = host.invocation(NGINX)
    assert host.settled(dropins=[dropin])["reloaded"] == []  # the file is as it was when nginx was started
    for text in ("two", "one"):
        conf(host, text)
        assert host.settled(dropins=[dropin])["reloaded"] == [NGINX]
    assert host.invocation(NGINX) == since
    host.settled(dropins=[{**dropin, "state": "absent"}])
    assert host.invocation(NGINX) == since


@SCOPES
def test_a_trigger_that_is_taken_away_is_nothing_to_the_process(host: Lab, options: Entry) -> None:
    first = service(triggers={"values": ["1", "2"], **FILES})
    started = host.settled(first, **options)
    assert started["newly_started"] == [MAIN]
    for triggers in ({"values": ["2"], **FILES}, {"values": ["2"]}, None):
        result = host.settled(service(**({"triggers": triggers} if triggers else {})), **options)
        assert result["changed"]
        assert (result["restarted"], result["reloaded"], result["kept"]) == ([], [], {})
    assert host.settled(service(triggers={"values": ["3"]}), **options)["restarted"] == [MAIN]


def test_a_file_that_is_newly_a_trigger(host: Lab) -> None:
    host.settled(service())
    result = host.settled(service(triggers=FILES))
    assert result["restarted"] == []
    host.sh(f"chmod 600 {CONF}")
    host.assert_settled(service(triggers=FILES))
    conf(host, "two")
    assert host.settled(service(triggers=FILES))["restarted"] == [MAIN]
    host.settled(service())
    conf(host, "three")
    result = host.settled(service(triggers=FILES))
    assert reasons(result) == [f"changed since its last start: the file {CONF}"]
    assert result["restarted"] == [MAIN]


def test_a_template_and_its_instances(host: Lab) -> None:
    template = service("t@", instances=["x", "y"], triggers={"values": ["1"], **FILES})
    both = ["t@x.service", "t@y.service"]
    host.settled(template)
    assert host.settled({**template, "triggers": FILES})["restarted"] == []
    conf(host, "two")
    result = host.settled({**template, "triggers": FILES})
    assert sorted(result["restarted"]) == both
    assert reasons(result) == [f"changed since its last start: the file {CONF}"] * 2


def test_secrets_are_named_and_never_shown(host: Lab) -> None:
    given = {"TOKEN": "first-canary", "OTHER": "same-canary"}
    host.settled(service(secrets=given))
    result = host.settled(service(secrets={**given, "TOKEN": "second-canary"}))
    assert reasons(result) == ["changed since its last start: the secret TOKEN"]
    state = host.sh("cat /var/lib/unitwright/system/*.json")
    assert "secret TOKEN" in state
    assert "canary" not in state
    assert host.sh("stat -c %a /var/lib/unitwright/system/stamps.json") == "600"


def test_a_oneshot_does_not_run_for_a_trigger_that_is_taken_away(host: Lab) -> None:
    def job(**more: Any) -> Entry:
        return service(command=f"/bin/sh -c 'echo ran >> {NOTES}/log'", service={"Type": "oneshot"}, **more)

    host.settled(job(run="on_change", triggers={"values": ["1"]}))
    host.settled(job(run="on_change"))
    assert host.read(f"{NOTES}/log").split() == ["ran"]
    result = host.settled(job(run="on_change", triggers={"values": ["2"]}))
    assert reasons(result) == ["changed since its last start: triggers.values[0]"]
    assert host.read(f"{NOTES}/log").split() == ["ran", "ran"]


def test_what_a_reload_does_not_put_into_force_is_listed_until_a_start(host: Lab) -> None:
    def unit(nice: int) -> Entry:
        return reading(on_change="reload", triggers=FILES, environment={"N": nice})

    host.settled(unit(1))
    since = host.invocation(MAIN)
    result = host.apply(unit(2))
    assert result["reloaded"] == [MAIN]
    assert "Environment" in result["kept"][MAIN]
    again = host.apply(unit(2))
    assert (again["plan"], again["changed"], again["kept"]) == ([], False, result["kept"])
    assert host.foretell(unit(2))["kept"] == result["kept"]
    conf(host, "two")
    assert host.apply(unit(2))["kept"] == result["kept"]  # reloaded once more
    assert host.invocation(MAIN) == since
    back = host.apply(unit(1))
    assert (back["reloaded"], back["kept"]) == ([MAIN], {})
    assert "Environment" in host.apply(unit(2))["kept"][MAIN]
    host.sh(f"systemctl restart {MAIN}")
    assert host.settled(unit(2))["kept"] == {}


@SCOPES
def test_what_a_dropin_changes_and_a_reload_does_not_put_into_force(host: Lab, options: Entry) -> None:
    unit = service(service={"ExecReload": "/bin/true"}, on_change="reload")
    host.settled(unit, **options)
    dropins = [{"name": MAIN, "dropin": "more", "service": {"Nice": 1, "Restart": "always"}}]
    for _time in range(2):
        result = host.apply(unit, dropins=dropins, **options)
        assert "Nice" in result["kept"][MAIN]
        assert "Restart" not in result["kept"][MAIN]
    assert not result["changed"]
    gone = host.apply(unit, dropins=[{**dropins[0], "state": "absent"}], **options)
    assert gone["kept"] == {}


def test_what_someone_elses_dropin_changes_and_a_reload_does_not_put_into_force(host: Lab) -> None:
    unit = service(service={"ExecReload": "/bin/true"}, on_change="reload")
    host.apply(unit)
    path = f"{UNITS}/{MAIN}.d/by-hand.conf"
    host.write(path, "[Service]\nEnvironment=B=2\n")
    result = host.apply(unit)
    assert reasons(result) == [f"changed since its last start: {path}"]
    again = host.apply(unit)
    assert (again["changed"], path in again["kept"][MAIN], path in result["kept"][MAIN]) == (False, True, True)
    host.sh(f"systemctl restart {MAIN}")
    assert host.settled(unit)["kept"] == {}


def test_a_lost_restart_is_told_by_the_dropin_in_which_something_changed(host: Lab) -> None:
    def dropin(nice: int, on_change: str) -> Entry:
        return {"name": MAIN, "dropin": "more", "service": {"Nice": nice}, "on_change": on_change}

    host.foreign(MAIN)
    host.settled(dropins=[dropin(1, "restart")])
    host.apply(dropins=[dropin(2, "none")])
    path = f"{UNITS}/{MAIN}.d/more.conf"
    kept = host.apply(dropins=[dropin(2, "none")])["kept"]
    assert kept == {MAIN: f"changed since its last start: Nice of {path}; on_change is none"}
    result = host.settled(dropins=[dropin(2, "restart")])
    assert actions(result) == [("restart", MAIN)]
    assert reasons(result) == [f"changed since its last start: Nice of {path}"]

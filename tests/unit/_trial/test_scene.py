# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drill is about: all that it may end is looked at, whatever it was told that it may hurt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.health import Health
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._trial import scene

UP = UnitState("loaded", "active", "running")
WEB = {"LoadState": "loaded", "ActiveState": "active", "MainPID": "7", "Id": "web.service", "Names": "web.service"}
Shown = dict[str, dict[str, str]]


class Host:
    """A manager with units that are up, by their properties."""

    version = 252

    def __init__(self, shown: Shown, aliases: dict[str, str] | None = None) -> None:
        self.shown = shown
        self.aliases = aliases or {}

    def show(self, units: Sequence[str], _properties: Sequence[str]) -> Shown:
        return {unit: self.shown.get(self.aliases.get(unit, unit), {}) for unit in units}

    def list_units(self) -> States:
        return States(dict.fromkeys(self.shown, UP))


def look(host: Host, unit: str = "web.service", may_hurt: Sequence[str] = ("*",)) -> scene.Scene:
    return scene.look(host, unit, Health(), may_hurt)  # type: ignore[arg-type]


def rules(host: Host, unit: str = "web.service", may_hurt: Sequence[str] = ("*",)) -> list[tuple[str, str]]:
    here = look(host, unit, may_hurt)
    manager: Any = host
    # Nothing but the settings is asked for here.
    found = [each for each in scene.problems(here, manager, may_hurt, frozenset()) if each.rule.id != "drill-unchecked"]
    return [(each.rule.id, each.unit) for each in found]


def requiring(**settings: str) -> Host:
    """web requires base, which has these settings, and what the host lives in."""
    return Host(
        {
            "web.service": {**WEB, "Requires": "base.service sysinit.target"},
            "base.service": {"RequiredBy": "web.service", **settings},
            "sysinit.target": {"RequiredBy": "web.service dbus.service"},
            "dbus.service": {"Requires": "sysinit.target"},
        }
    )


def test_what_the_host_lives_in_is_no_dependency_to_stop() -> None:
    assert look(requiring()).required == {"base.service": ("base.service", "web.service")}


def test_nor_is_one_that_takes_along_what_the_connection_lives_in() -> None:
    assert look(requiring(RequiredBy="web.service dbus.service")).required == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"SuccessAction": "poweroff"},
        {"OnSuccess": "poweroff.target"},
        {"RefuseManualStop": "yes"},
        {"RefuseManualStart": "yes"},
    ],
)
def test_nor_one_whose_end_is_that_of_the_host_or_for_good(settings: dict[str, str]) -> None:
    host = requiring(**settings)
    assert look(host).required == {}
    # That is no reason not to do all else.
    assert rules(host) == []


def test_what_goes_down_with_it_may_not_end_the_host() -> None:
    host = Host(
        {
            "web.service": {**WEB, "BoundBy": "relying.service"},
            "relying.service": {"BindsTo": "web.service", "OnSuccess": "poweroff.target", "RefuseManualStart": "yes"},
        }
    )
    assert rules(host) == [("drill-ends-host", "relying.service"), ("drill-refuses", "relying.service")]


def test_nor_what_a_timer_starts() -> None:
    timer = {"LoadState": "loaded", "ActiveState": "active", "Id": "job.timer", "Triggers": "job.service"}
    host = Host({"job.timer": timer, "job.service": {"FailureAction": "reboot", "RefuseManualStart": "yes"}})
    assert rules(host, "job.timer") == [("drill-ends-host", "job.service")]


def test_an_alias_is_what_it_stands_for() -> None:
    host = Host({"dbus.service": {**WEB, "Id": "dbus.service", "Names": "dbus.service bus.service"}})
    host.aliases["bus.service"] = "dbus.service"
    assert look(host, "bus.service").unit == "dbus.service"
    assert rules(host, "bus.service") == [("drill-carries", "dbus.service")]
    # Whoever named it by its alias has told of it.
    web = Host({"web.service": {**WEB, "Names": "web.service www.service"}}, {"www.service": "web.service"})
    assert rules(web, "www.service", ["www.service"]) == []
    assert rules(web, "www.service", ["w.service"]) == [("drill-not-told", "web.service")]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no trial may end, and the settings by which the end of a unit is one of the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._trial import spared

UP = UnitState("loaded", "active", "running")
Shown = dict[str, dict[str, str]]


class Asked:
    """A manager that knows properties, and is asked for no more than there is need of."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.calls: list[Sequence[str]] = []

    def show(self, units: Sequence[str], _properties: Sequence[str]) -> Shown:
        self.calls.append(units)
        return {unit: self.shown.get(unit, {}) for unit in units}


def known(shown: Shown, *units: str, up: Sequence[str] = ()) -> Any:
    return spared.look(Asked(shown), units, States(dict.fromkeys(up, UP)))  # type: ignore[arg-type]


def endings(shown: Shown, *units: str, up: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    return [tuple(each) for each in spared.endings(units, known(shown, *units, up=up))]


@pytest.mark.parametrize(
    "unit",
    [
        "dbus.service",
        "ssh.service",
        "systemd-journald.service",
        "systemd-udevd.service",
        "polkit.service",
        "sysinit.target",
        "reboot.target",
        "var.mount",
    ],
)
def test_what_the_host_or_the_connection_lives_in(unit: str) -> None:
    assert spared.carrying(["web.service", unit, unit]) == [unit]


def test_others_are_not_spared() -> None:
    assert spared.carrying(["web.service", "srv.mount", "multi-user.target"]) == []


@pytest.mark.parametrize("directive", ["FailureAction", "SuccessAction", "StartLimitAction", "JobTimeoutAction"])
def test_an_action_of_any_of_them(directive: str) -> None:
    shown = {"web.service": {directive: "none"}, "relying.service": {directive: "reboot"}}
    assert endings(shown, "web.service", "relying.service") == [("relying.service", directive, "reboot")]
    assert endings(shown, "web.service") == []


def test_what_starts_at_an_end() -> None:
    assert endings({"a.service": {"OnFailure": "reboot.target"}}, "a.service") == [
        ("a.service", "OnFailure", "reboot.target")
    ]
    assert endings({"a.service": {"OnSuccess": "mail.service poweroff.target"}}, "a.service") == [
        ("a.service", "OnSuccess", "poweroff.target")
    ]


def test_what_leads_there_by_others() -> None:
    shown = {
        "a.service": {"OnFailure": "panic.service", "Wants": "panic.service"},
        "panic.service": {"SuccessAction": "reboot-force"},
        "b.service": {"OnFailure": "alert@b.service"},
        "alert@b.service": {"Requires": "network.target", "Wants": "last.target"},
        "last.target": {"BindsTo": "halt.target"},
    }
    assert endings(shown, "a.service", "b.service") == [
        ("a.service", "OnFailure", "panic.service, where SuccessAction= of panic.service is reboot-force"),
        ("b.service", "OnFailure", "alert@b.service, which leads to halt.target"),
    ]


def test_what_is_up_is_not_started() -> None:
    shown = {
        "a.service": {"OnFailure": "alert.service"},
        "alert.service": {"Requires": "other.service"},
        "other.service": {"FailureAction": "reboot"},
    }
    assert endings(shown, "a.service", up=["other.service"]) == []
    assert endings(shown, "a.service") == [
        ("a.service", "OnFailure", "alert.service, where FailureAction= of other.service is reboot")
    ]


def test_those_that_start_each_other_are_asked_once() -> None:
    shown = {
        "a.service": {"OnFailure": "b.service"},
        "b.service": {"OnFailure": "a.service", "Wants": "c.service"},
        "c.service": {"Requires": "b.service"},
    }
    asked = Asked(shown)
    found = spared.look(asked, ["a.service"], States())  # type: ignore[arg-type]
    assert asked.calls == [["a.service"], ["b.service"], ["c.service"]]
    assert list(spared.endings(["a.service"], found)) == []


def test_what_nobody_may_start_or_stop() -> None:
    both = {"a.service": {"RefuseManualStop": "yes", "RefuseManualStart": "yes"}}
    assert spared.refused_by_hand("a.service", both) == ["RefuseManualStart", "RefuseManualStop"]
    assert spared.refused_by_hand("a.service", both, stops=False) == ["RefuseManualStart"]
    assert spared.refused_by_hand("b.service", both) == []

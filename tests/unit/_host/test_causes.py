# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else is to blame for a unit that is down, and that systemd says nothing of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.causes import Failure, with_causes

DOWN = {"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "Result": "success"}
NEEDS_B = {**DOWN, "Requires": "b.service", "After": "b.service"}
FAILED = {**DOWN, "ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "3"}


class Host:
    """In the place of a manager: what it shows of each unit."""

    def __init__(self, units: Mapping[str, Mapping[str, str]]) -> None:
        self.units = units

    def show(self, units: Sequence[str], _properties: Sequence[str]) -> dict[str, Mapping[str, str]]:
        return {unit: self.units.get(unit, {**DOWN, "LoadState": "not-found"}) for unit in units}


def told(units: Mapping[str, Mapping[str, str]], unit: str = "a.service") -> list[tuple[str, str, str]]:
    host: Any = Host(units)
    found = with_causes(host, [Failure(unit, "is down", "success")])
    return [(each.unit, each.rule.id, each.message) for each in found]


@pytest.mark.parametrize(
    ("needed", "why"),
    [
        ({**DOWN, "LoadState": "masked"}, "systemd cannot load it (masked)"),
        ({**DOWN, "LoadState": "not-found"}, "systemd cannot load it (not-found)"),
        ({**DOWN, "CanStart": "no", "RefuseManualStart": "no"}, "this host supports no .service units"),
        ({**DOWN, "AssertResult": "no", "ConditionTimestampMonotonic": "7"}, "one of its assertions"),
    ],
)
def test_what_is_needed_and_is_not_there(needed: dict[str, str], why: str) -> None:
    first, second = told({"a.service": NEEDS_B, "b.service": needed})
    assert first == ("a.service", "dependency", "is not up, as what it needs is not there: b.service")
    assert second[:2] == ("b.service", "health")
    assert why in second[2]


def test_what_is_needed_and_has_failed() -> None:
    between = {**DOWN, "BindsTo": "c.service", "After": "c.service"}
    assert told({"a.service": NEEDS_B, "b.service": between, "c.service": FAILED}) == [
        ("a.service", "dependency", "is not up, as what it needs has failed: c.service"),
        ("c.service", "health", "failed: result exit-code, exit status 3"),
    ]


def test_a_mount_that_waits_for_its_device() -> None:
    mount = {**DOWN, "Requires": "system.slice dev-a.device", "After": "-.mount system.slice dev-a.device", "Job": "7"}
    device = {**DOWN, "Job": "8", "CanStart": "no", "RefuseManualStart": "no"}
    up = {**DOWN, "ActiveState": "active"}
    first, second = told({"a.mount": mount, "dev-a.device": device, "system.slice": up, "-.mount": up}, "a.mount")
    assert first == ("a.mount", "dependency", "is not up, as what it needs is not there: dev-a.device")
    assert second[0] == "dev-a.device"
    assert "the device is not there" in second[2]


@pytest.mark.parametrize(
    "needed", [{**DOWN, "ActiveState": "active"}, DOWN, {**DOWN, "ConditionResult": "no"}, {**FAILED, "Job": "7"}]
)
def test_nothing_else_is_to_blame(needed: dict[str, str]) -> None:
    assert told({"a.service": NEEDS_B, "b.service": needed}) == [("a.service", "health", "is down")]


@pytest.mark.parametrize("unit", ["a.target", "a.slice"])
def test_what_has_no_result_of_its_own(unit: str) -> None:
    shown = {key: value for key, value in NEEDS_B.items() if key != "Result"}
    host: Any = Host({unit: shown, "b.service": FAILED})
    found = with_causes(host, [Failure(unit, "is down", "")])
    assert [(each.unit, each.rule.id) for each in found] == [(unit, "dependency"), ("b.service", "health")]


def test_what_has_to_be_up_before() -> None:
    first, second = told({"a.service": {**DOWN, "Requisite": "b.service"}, "b.service": DOWN})
    assert first[:2] == ("a.service", "dependency")
    assert second == (
        "b.service",
        "health",
        "is not up, and Requisite= starts nothing: have it started before, or write Requires=",
    )

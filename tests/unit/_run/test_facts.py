# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which units are asked for, what limits are suggested, and when a timer elapses next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._run import unit_facts
from ansible_collections.unitwright.systemd.plugins.module_utils._run.facts import wish
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.properties import WANTED, key_of
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problems

from tests.unit.test_architecture import shape

MODULE = Path(__file__).parents[3] / "plugins" / "modules" / "unit_info.py"
THERE = ["a.service", "a.timer", "a@b.service", "dev-sda.device", "mnt-x\\x2dy.mount", "shop-web.service"]


def documented(part: str) -> dict[str, Any]:
    text = MODULE.read_text(encoding="utf-8").split(f'{part} = r"""\n')[1].split('\n"""\n')[0]
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, THERE),
        ({"names": ["a.service"]}, ["a.service"]),
        ({"names": ["a"]}, ["a.service"]),
        ({"names": ["a.*"]}, ["a.service", "a.timer"]),
        ({"names": ["a*"], "types": ["service"]}, ["a.service", "a@b.service"]),
        ({"types": ["mount", "device"]}, ["dev-sda.device", "mnt-x\\x2dy.mount"]),
        (
            {"names": ["/mnt/x-y", "/dev/sda", "[!ad]*.service"]},
            ["dev-sda.device", "mnt-x\\x2dy.mount", "shop-web.service"],
        ),
        ({"names": ["nowhere"]}, ["nowhere.service"]),
        ({"names": []}, []),
        ({"types": []}, []),
    ],
)
def test_names_are_read_as_systemctl_reads_them(params: dict[str, Any], expected: list[str]) -> None:
    assert wish(params).matching(THERE) == expected


def test_what_stands_for_nothing_is_named_as_it_was_given() -> None:
    asked = wish({"names": ["a", "nowhere", "/mnt/z", "a*", "z*"]})
    assert list(asked.unmatched(["a.service", "a.timer"])) == ["nowhere", "/mnt/z", "z*"]


def test_names_that_no_unit_can_have_are_refused_at_once() -> None:
    with pytest.raises(Problems) as caught:
        wish({"names": ["a/b.service", "a", "two words.service"]})
    assert [each.rule.id for each in caught.value.problems] == ["unit-name", "unit-name"]


@pytest.mark.parametrize(
    ("measured", "memory", "tasks"),
    [
        ({"memory_current": 100, "memory_peak": 300, "tasks_current": 4}, 600, 8),
        ({"memory_current": 100, "memory_peak": None, "tasks_current": None}, 200, None),
        ({"memory_current": None, "memory_peak": None}, None, None),
        ({}, None, None),
    ],
)
def test_limits_are_twice_the_most_that_was_measured(
    measured: dict[str, int], memory: int | None, tasks: int | None
) -> None:
    assert unit_facts.suggested(measured) == {"memory_max": memory, "tasks_max": tasks}


@pytest.mark.parametrize(
    ("real", "since_boot", "expected"),
    [
        (1767232800000000, 0, 1767232800),
        (1767232800000000, 2**64 - 1, 1767232800),
        (0, 3600000000, 1700003600),
        (2**64 - 1, 3600000000, 1700003600),
        (1700003599000000, 3600000000, 1700003599),
        (1700003601000000, 3600000000, 1700003600),
    ],
)
def test_a_timer_elapses_by_the_earlier_clock(
    real: int, since_boot: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_facts.time, "time_ns", lambda: 1700000005 * 10**9)
    monkeypatch.setattr(unit_facts.time, "monotonic_ns", lambda: 5 * 10**9)
    shown = {"NextElapseUSecRealtime": real, "NextElapseUSecMonotonic": since_boot}
    found = unit_facts._next_elapse(shown)
    assert found is not None
    assert found["epoch"] == expected


def test_a_timer_without_a_time_elapses_never() -> None:
    none = {"NextElapseUSecRealtime": 0, "NextElapseUSecMonotonic": 2**64 - 1}
    assert unit_facts._next_elapse(none) is None


def test_documentation_and_argument_spec_agree() -> None:
    told = documented("DOCUMENTATION")["options"]
    assert shape(told, "suboptions") == shape(options.info(), "options")


def test_every_key_is_documented() -> None:
    """By its own entry, or by the word of another one."""
    told = documented("RETURN")["units"]["contains"]
    words = str(told)
    left_out = {"next_elapse_realtime", "next_elapse_monotonic"}
    keys = {key_of(name) for name in WANTED} - left_out
    assert {key for key in keys if key not in told and f"C({key})" not in words} == set()

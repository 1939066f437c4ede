# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of units, and a thousand, are one look, one reload and one job a verb, and no change is no reload."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .entries import WANTED, many, service
from .lab import Lab, places, verbs


def reloads_told(host: Lab) -> int:
    host.sh("journalctl --sync")
    return int(host.sh("journalctl --quiet --output=cat _PID=1 | grep -Ec '^Reloading[.]+$'", check=False))


@pytest.fixture
def reloads(host: Lab) -> Callable[[], int]:
    """How often PID 1 has read its unit files since the test began."""
    before = reloads_told(host)
    return lambda: reloads_told(host) - before


def test_two_hundred_units_in_one_go(host: Lab, reloads: Callable[[], int]) -> None:
    units = many(200, install=WANTED, environment={"A": "1"})
    result = host.apply(*units)
    assert len(result["newly_started"]) == 200
    assert verbs(result).count("daemon-reload") == 1
    assert reloads() == 1
    host.assert_settled(*units)
    units[7]["environment"] = {"A": "2"}
    assert host.apply(*units)["restarted"] == [units[7]["name"]]
    assert reloads() == 2
    assert len(host.remove()["stopped"]) == 200
    assert reloads() == 3


@pytest.mark.long
def test_a_thousand_units_and_one_mistake_among_them(host: Lab) -> None:
    units = many(1000, install=WANTED, state="present")
    wrong = {**units[789], "service": {"ExecStart": "/no/such/program"}}
    result = host.refused(*units[:789], wrong, *units[790:])
    assert places(result) == [(wrong["name"], "Service", "ExecStart")]
    assert len(host.settled(*units)["plan"]) == 2001
    assert len(host.remove()["removed"]) == 1000


def test_a_run_without_change_reloads_nothing(host: Lab, reloads: Callable[[], int]) -> None:
    unit = service()
    host.apply(unit)
    before = reloads()
    host.assert_settled(unit)
    assert reloads() == before

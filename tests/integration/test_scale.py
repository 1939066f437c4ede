# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs at the same time, and runs with many units: as few calls as for one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.support import Stack, places, verbs
from tests.integration.world import untouched
from tests.testbed.host import Host


def reloads_told(host: Host) -> int:
    host.sh("journalctl --sync")
    return int(host.sh("journalctl --quiet --output=cat _PID=1 | grep -Ec '^Reloading[.]+$'", check=False))


@pytest.fixture
def reloads(host: Host) -> Callable[[], int]:
    """How often PID 1 has read its unit files since the test began."""
    before = reloads_told(host)
    return lambda: reloads_told(host) - before


def newest_process(host: Host) -> int:
    return int(host.read("/proc/loadavg").split()[4])


def many(stack: Stack, number: int, **more: Any) -> list[dict[str, Any]]:
    return [stack.service(f"n{index}", **more) for index in range(number)]


def test_two_hundred_units_in_one_go(stack: Stack, reloads: Callable[[], int]) -> None:
    units = many(stack, 200, install={"WantedBy": "multi-user.target"}, environment={"A": "1"})
    result = stack.apply(*units)
    assert len(result["newly_started"]) == 200
    assert verbs(result).count("daemon-reload") == 1
    assert reloads() == 1
    stack.assert_settled(*units)
    units[7]["environment"] = {"A": "2"}
    assert stack.apply(*units)["restarted"] == [units[7]["name"]]
    assert reloads() == 2
    assert len(stack.remove()["stopped"]) == 200
    assert reloads() == 3


def test_five_thousand_units_and_one_mistake_among_them(stack: Stack) -> None:
    units = many(stack, 5000, install={"WantedBy": "multi-user.target"}, state="present")
    wrong = {**units[4321], "service": {"ExecStart": "/no/such/program"}}
    with untouched(stack.host):
        result = stack.refused(*units[:4321], wrong, *units[4322:])
    assert places(result) == [(wrong["name"], "Service", "ExecStart")]
    assert len(stack.settled(*units)["plan"]) == 10001
    assert len(stack.remove()["removed"]) == 5000


def test_a_run_without_change_reloads_nothing(stack: Stack, reloads: Callable[[], int]) -> None:
    unit = stack.service()
    stack.apply(unit)
    before = reloads()
    stack.assert_settled(unit)
    assert reloads() == before


def processes_of(stack: Stack, *units: dict[str, Any]) -> int:
    """Processes that the host saw while a module ran, give or take what else goes on there."""
    before = newest_process(stack.host)
    stack.apply(*units)
    return newest_process(stack.host) - before


def test_processes_do_not_grow_with_the_units(stack: Stack) -> None:
    one, sixty = many(stack, 1, state="present"), many(stack, 60, state="present")
    few = processes_of(stack, *one)
    assert processes_of(stack, *sixty) < few + 20
    assert processes_of(stack, *sixty) < few + 20


def test_two_runs_at_once_wait_for_each_other(stack: Stack) -> None:
    slow = stack.service(service={"ExecStartPre": "/bin/sleep 1", "Type": "exec"})
    with ThreadPoolExecutor() as pool:
        results = [future.result() for future in [pool.submit(stack.apply, slow) for _turn in range(3)]]
    assert sorted(result["changed"] for result in results) == [False, False, True]


def test_two_stacks_at_once(stack: Stack) -> None:
    stacks = [Stack(stack.host, f"{stack.name}{word}") for word in ("first", "second", "third")]
    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(each.settled, *many(each, 5)) for each in stacks]:
            assert len(future.result()["newly_started"]) == 5
        for future in [pool.submit(each.remove) for each in stacks]:
            assert len(future.result()["stopped"]) == 5

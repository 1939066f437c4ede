# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs at the same time, and runs with many units: as few calls as for one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from .entries import WANTED, Entry, many, service
from .lab import Lab, places, verbs


def reloads_told(host: Lab) -> int:
    host.sh("journalctl --sync")
    return int(host.sh("journalctl --quiet --output=cat _PID=1 | grep -Ec '^Reloading[.]+$'", check=False))


@pytest.fixture
def reloads(host: Lab) -> Callable[[], int]:
    """How often PID 1 has read its unit files since the test began."""
    before = reloads_told(host)
    return lambda: reloads_told(host) - before


def newest_process(host: Lab) -> int:
    return int(host.read("/proc/loadavg").split()[4])


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
def test_five_thousand_units_and_one_mistake_among_them(host: Lab) -> None:
    units = many(5000, install=WANTED, state="present")
    wrong = {**units[4321], "service": {"ExecStart": "/no/such/program"}}
    result = host.refused(*units[:4321], wrong, *units[4322:])
    assert places(result) == [(wrong["name"], "Service", "ExecStart")]
    assert len(host.settled(*units)["plan"]) == 10001
    assert len(host.remove()["removed"]) == 5000


def test_a_run_without_change_reloads_nothing(host: Lab, reloads: Callable[[], int]) -> None:
    unit = service()
    host.apply(unit)
    before = reloads()
    host.assert_settled(unit)
    assert reloads() == before


def processes_of(host: Lab, *units: Entry) -> int:
    """Processes that the host saw while a module ran, give or take what else goes on there."""
    before = newest_process(host)
    host.apply(*units)
    return newest_process(host) - before


def test_processes_do_not_grow_with_the_units(host: Lab) -> None:
    one, sixty = many(1, state="present"), many(60, state="present")
    few = processes_of(host, *one)
    assert processes_of(host, *sixty) < few + 20
    assert processes_of(host, *sixty) < few + 20


def test_two_runs_at_once_wait_for_each_other(host: Lab) -> None:
    slow = service(service={"ExecStartPre": "/bin/sleep 1", "Type": "exec"})
    with ThreadPoolExecutor() as pool:
        results = [future.result() for future in [pool.submit(host.apply, slow) for _turn in range(3)]]
    assert sorted(result["changed"] for result in results) == [False, False, True]


def test_two_stacks_at_once(host: Lab) -> None:
    stacks = ("first", "second", "third")
    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(host.settled, *many(5, name), name=name) for name in stacks]:
            assert len(future.result()["newly_started"]) == 5
        for future in [pool.submit(host.remove, name=name) for name in stacks]:
            assert len(future.result()["stopped"]) == 5

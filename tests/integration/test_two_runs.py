# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs at the same time wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from .entries import many, service
from .lab import Lab


def test_two_runs_at_once_wait_for_each_other(host: Lab) -> None:
    slow = service(service={"ExecStartPre": "/bin/sleep 1", "Type": "exec"})
    with ThreadPoolExecutor() as pool:
        results = [future.result() for future in [pool.submit(host.apply, slow, besides=None) for _turn in range(3)]]
    assert sorted(result["changed"] for result in results) == [False, False, True]


def test_two_stacks_at_once(host: Lab) -> None:
    stacks = ("first", "second", "third")
    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(host.settled, *many(5, name), name=name, besides=None) for name in stacks]:
            assert len(future.result()["newly_started"]) == 5
        for future in [pool.submit(host.remove, name=name, besides=None) for name in stacks]:
            assert len(future.result()["stopped"]) == 5

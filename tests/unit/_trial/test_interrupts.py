# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever ends a drill or a search half-way, and however often, has it taken back first."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.interrupts import Interrupts


@pytest.fixture(autouse=True)
def others() -> Iterator[list[int]]:
    """Signals that reach the handlers of before."""
    reached: list[int] = []
    kinds = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {each: signal.signal(each, lambda number, _frame: reached.append(number)) for each in kinds}
    yield reached
    for each, handler in before.items():
        signal.signal(each, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def test_a_signal_ends_what_is_under_way_and_further_ones_do_not_break_the_way_back(others: list[int]) -> None:
    done = []
    with pytest.raises(SystemExit) as ended, Interrupts() as interrupts:
        try:
            send(signal.SIGHUP)
            done.append("went on")
        finally:
            send(signal.SIGTERM)
            interrupts.hold()
            send(signal.SIGINT)
            done.append("taken back")
    assert done == ["taken back"]
    assert ended.value.code == 128 + signal.SIGHUP
    assert others == []
    send(signal.SIGTERM)
    assert others == [signal.SIGTERM]


def test_a_signal_that_comes_while_all_is_taken_back_waits_for_that(others: list[int]) -> None:
    done = []
    with pytest.raises(SystemExit) as ended, Interrupts() as interrupts:
        interrupts.hold()
        send(signal.SIGTERM)
        done.append("taken back")
    assert done == ["taken back"]
    assert ended.value.code == 128 + signal.SIGTERM
    assert others == []


def test_an_error_meanwhile_does_not_hide_that_it_was_ended() -> None:
    with pytest.raises(SystemExit) as ended, Interrupts() as interrupts:
        interrupts.hold()
        send(signal.SIGTERM)
        raise ValueError
    assert isinstance(ended.value.__cause__, ValueError)


def test_without_a_signal_nothing_ends(others: list[int]) -> None:
    with Interrupts() as interrupts:
        interrupts.hold()
    with pytest.raises(ValueError, match="of its own"), Interrupts():
        raise ValueError("of its own")
    assert others == []

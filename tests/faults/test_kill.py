# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any point, and made again, leads to what an undisturbed one leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import scenarios
from .driving import Driver, complaints
from .scenarios import Scenario

Record = Callable[[str, object], None]
EVERY = [(scenario, part) for scenario in scenarios.KILLED for part in range(scenario.parts)]
# A run that changes anything passes at least these: were they not seen, none of the rest would be.
SEEN = 20


def names(value: Any) -> str:
    return value.name if isinstance(value, Scenario) else str(value)


@pytest.mark.parametrize(("scenario", "part"), EVERY, ids=names)
def test_killed_at_every_point(driver: Driver, scenario: Scenario, part: int, record_property: Record) -> None:
    answer = driver.trials(scenario, part=part, parts=scenario.parts)
    record_property(scenario.name, answer["tried"])
    assert answer["points"] > SEEN
    assert not complaints(answer)


def test_connection_lost_at_every_point(driver: Driver, record_property: Record) -> None:
    """Output closed and SIGHUP: the run ends before it has changed anything, or goes on to its end."""
    answer = driver.trials(scenarios.RESTART, how="hang up")
    record_property("connection lost", answer["tried"])
    assert not complaints(answer)

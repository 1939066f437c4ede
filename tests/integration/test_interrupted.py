# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some of the points at which `make faults` kills a run, so that what loses a restart shows here already."""

from __future__ import annotations

import pytest

from tests.faults import scenarios
from tests.faults.driving import Driver, complaints
from tests.faults.scenarios import Scenario

from .lab import Lab


@pytest.mark.by_force("the driver leaves its scenario")
@pytest.mark.parametrize(("scenario", "parts"), [(scenarios.RESTART, 4), (scenarios.MASK, 5)], ids=["restart", "mask"])
def test_killed_and_run_again(host: Lab, scenario: Scenario, parts: int) -> None:
    driver = Driver(host)
    driver.install()
    answer = driver.trials(scenario, part=0, parts=parts)
    assert answer["tried"] > 0
    assert not complaints(answer)

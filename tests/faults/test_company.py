# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once: one waits for the other, and for a dead one nobody waits."""

from __future__ import annotations

import pytest

from . import scenarios
from .driving import Driver
from .scenarios import Scenario

# In the middle: files are in place, and nothing else is done yet.
POINT = "call systemctl --{scope} daemon-reload #1"


@pytest.mark.parametrize("goes_on", [True, False], ids=["both-go-on", "the-first-is-killed"])
@pytest.mark.parametrize("scenario", [scenarios.RESTART, scenarios.USER_ADD], ids=lambda scenario: scenario.name)
def test_two_runs_at_once(driver: Driver, scenario: Scenario, goes_on: bool) -> None:
    assert not driver.ask("prepare", scenario)["complaints"]
    point = POINT.format(scope=scenario.scope)
    assert not driver.ask("together", scenario, at=point, goes_on=goes_on)["found"]

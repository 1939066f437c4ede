# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed, and the power fails: the host boots with whatever is there, and the run is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.testbed import container

from . import scenarios
from .driving import Driver, other_proofs
from .scenarios import Scenario

# When the record is there, after each file, and after each thing that the manager was told.
POINTS = [r"^os.fsync \S+/running #1$", r"^os.rename \S+ /etc/", r"^os.remove /etc/", r"^after "]
SCENARIOS = (
    (scenarios.ADD, 4),
    (scenarios.RESTART, 2),
    (scenarios.PRUNE, 3),
    (scenarios.MASK, 3),
    (scenarios.RUN, 1),
    (scenarios.ROLLBACK, 5),
)


@pytest.mark.parametrize(("scenario", "parts"), SCENARIOS, ids=lambda value: getattr(value, "name", ""))
def test_power_cut(
    driver: Driver, scenario: Scenario, parts: int, record_property: Callable[[str, object], None]
) -> None:
    """At a part of the points, since each takes a boot."""
    # Proofs lie below /run: after the boot there are those of what has started since.
    proofs = {name: version for name, version in scenario.proofs.items() if not name.endswith(".reloaded")}
    scenario = replace(scenario, proofs=proofs)
    answer = driver.ask("prepare", scenario, only=POINTS, parts=parts, part=0, ignored=other_proofs(scenario))
    assert not answer["complaints"]
    assert answer["points"]
    failed = {}
    for point in answer["points"]:
        assert driver.ask("cut", scenario, at=point)["killed"], point
        container.cut_power(driver.host.engine, driver.host.name)
        found = driver.ask("finish", scenario)["found"]
        if found:
            failed[point] = found
    record_property("power cut", len(answer["points"]))
    assert not failed

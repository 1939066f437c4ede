# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the earlier version that was killed is finished by the present one, as if nothing had come between.

The scenarios are those of tests/faults, which kill one and the same version at every point; here it is a few of them.
"""

from __future__ import annotations

import re

import pytest

from tests.faults.driving import Driver, complaints
from tests.faults.scenarios import KILLED

from .declarations import CHANGE

RECORDED = r"^os.fsync \S+/running #1$"
FIRST_FILE = r"^os.rename \S+ \S+/fx-web.service #1$"
FIRST_GONE = r"^os.remove \S+/fx-tick.service #1$"
WRITTEN = r"^call systemctl --\w+ daemon-reload #1$"
LOADED = r"^after systemctl --\w+ daemon-reload #1$"
FILES_BACK = r"^call systemctl --\w+ daemon-reload #2$"
LOADED_BACK = r"^after systemctl --\w+ daemon-reload #2$"


def during(verb: str, units: str = "", when: str = "during") -> str:
    """The job is queued, and the run does not know it yet."""
    return rf"^{when} systemctl --\w+ (--\S+ )*{verb} -- {units}"


def after(verb: str) -> str:
    return during(verb, when="after")


# Scenario to its points; each pattern has to match at least one.
POINTS = {
    "add": (WRITTEN, LOADED),
    "restart": (RECORDED, FIRST_FILE, WRITTEN, LOADED, during("restart"), after("restart")),
    "reload": (LOADED, after("reload")),
    "rebind": (after("stop"), LOADED, during("start")),
    "prune": (after("stop"), FIRST_GONE, WRITTEN),
    "mask": (after("mask"), WRITTEN),
    "enable": (after("reenable"),),
    "dropin": (LOADED,),
    "undropped": (WRITTEN,),
    "run": (LOADED, during("start")),
    "user-change": (WRITTEN, LOADED, after("restart")),
    "rollback": (LOADED, FILES_BACK, LOADED_BACK, during("restart", "fx-good.service #")),
    "revert": (WRITTEN, after("start")),
    "everything": (FIRST_FILE, WRITTEN, LOADED, after("restart")),
}
SCENARIOS = {scenario.name: scenario for scenario in (*KILLED, CHANGE)}


@pytest.mark.parametrize("name", POINTS)
def test_a_killed_run_is_finished(driver: Driver, name: str) -> None:
    answer = driver.trials(SCENARIOS[name], only=list(POINTS[name]))
    assert not complaints(answer)
    assert [pattern for pattern in POINTS[name] if not any(re.search(pattern, at) for at in answer["chosen"])] == []

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the playbooks drill, reboot and check all runs that was declared."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("unit", ["answer.service", "job.timer"])
def test_it_is_up(host: Host, unit: str) -> None:
    assert host.check_output(f"systemctl is-active {unit}") == "active"


def told(playbook: str) -> dict[str, Any]:
    """What the report of a playbook says of the host's units, by their names."""
    written = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], f"{playbook}.json")
    (host,) = json.loads(written.read_text(encoding="utf-8"))["hosts"]
    assert host["state"] == "well", host
    assert written.with_suffix(".html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    return {unit["unit"]: unit for unit in host["units"]}


def test_the_drill_is_reported_with_its_seconds() -> None:
    (unit,) = told("drill").values()
    verdicts = {tried["fault"]: tried["verdict"] for tried in unit["drills"]}
    assert (unit["unit"], verdicts) == ("answer.service", {"kill": "recovered", "hang": "not-noticed"})
    assert 0 < unit["drills"][0]["to_healthy"]["max"] < 30


def test_the_reboot_is_reported_with_what_is_up_and_what_comes_next() -> None:
    units = told("reboot")
    assert (units["answer.service"]["state"], units["answer.service"]["owner"]) == ("active", "small")
    assert units["job.timer"]["next_elapse"]

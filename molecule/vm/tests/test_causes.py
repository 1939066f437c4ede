# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The causes of failures for which it takes a kernel of its own, as tests/integration has all others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.breakages import FILES, KERNEL_WAYS
from tests.integration.entries import UNITS
from tests.integration.lab import MachineLab
from tests.integration.test_causes_forty import entry, failed_units, misses
from tests.tooling import COLLECTION, COLLECTIONS

EATER = "/opt/broken/eat.py"


@pytest.fixture(scope="module")
def machine() -> Iterator[MachineLab]:
    host = MachineLab("unitwright-vm")
    host.install_collection(COLLECTIONS / COLLECTION)
    host.write(EATER, *FILES[EATER])
    for way in KERNEL_WAYS:
        if way.before:
            host.sh(way.before)
    host.sh("systemctl daemon-reload")
    yield host
    units = f"{UNITS}/*broken-* /run/systemd/system/broken.slice"
    host.sh(
        f"systemctl stop 'broken-*' 'mnt-broken*'; rm -rf {units} /opt/broken; systemctl daemon-reload", check=False
    )
    host.sh("systemctl reset-failed", check=False)


@pytest.mark.parametrize("name", ["eats", "child-eats", "slice-eats"])
def test_unit_info_names_whose_memory_was_too_little(machine: MachineLab, name: str) -> None:
    ways = [way for way in KERNEL_WAYS if way.name == name]
    told = failed_units(machine, ways)[ways[0].unit]["cause"]
    machine.sh(f"rm {UNITS}/{ways[0].unit}; systemctl daemon-reload; systemctl reset-failed")
    assert told["proven"] is True
    assert "oom-kill:" in told["evidence"]
    assert misses(ways[0], told["cause"], told["remedy"]) == []


def test_a_run_names_the_cause_in_its_message_and_as_data(machine: MachineLab) -> None:
    entries = [{**entry(way), "health": {"timeout": 60, "stable_for": 15}} for way in KERNEL_WAYS]
    try:
        result = machine.module("stack", name="broken", units=entries, on_failure="keep")
        errors = {error["unit"]: error for error in result["errors"]}
        wrong: list[str] = []
        for way in KERNEL_WAYS:
            error = errors[way.blamed or way.unit]
            wrong += misses(way, error["cause"], error["remedy"])
            if error["cause"] not in error["message"]:
                wrong.append(f"{way.name}: {error['message']} has not {error['cause']}")
            if way.blamed and way.blamed not in errors[way.unit]["cause"]:
                wrong.append(f"{way.name}: {errors[way.unit]['cause']} does not name {way.blamed}")
        assert not wrong, "\n".join(wrong)
    finally:
        machine.module("stack", name="broken", state="absent")

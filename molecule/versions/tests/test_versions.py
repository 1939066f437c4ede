# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On each version of systemd the same runs after the same, drills came to what was promised, and a reboot kept it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

VERSIONS = ("247", "252", "257", "262")
DRILLED = {
    "answer.service": {
        "kill": "recovered",
        "segv": "recovered",
        "hang": "not-noticed",
        "crash_loop": "recovered",
        "dependency": "inactive",
    },
    "myapp.service": {"kill": "recovered", "socket": "recovered"},
    "job.timer": {"downtime": "recovered"},
}


def told(playbook: str, version: str) -> dict[str, dict[str, Any]]:
    """What the report of a playbook says of the units of a host, by their names."""
    written = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], f"{playbook}.json")
    whole = json.loads(written.read_text(encoding="utf-8"))
    assert whole["counts"]["well"] == len(VERSIONS), whole["counts"]
    (host,) = (each for each in whole["hosts"] if each["host"] == f"unitwright-{version}")
    return {unit["unit"]: unit for unit in host["units"]}


def test_it_is_the_version_that_is_meant(host: Host) -> None:
    version = host.check_output("systemctl --version").split()[1]
    assert host.check_output("hostname") == f"unitwright-{version}"


@pytest.mark.parametrize("unit", ["base.service", "answer.service", "job.timer", "myapp.socket", "nginx.service"])
def test_it_is_up_after_the_reboot(host: Host, unit: str) -> None:
    assert host.check_output("systemctl is-active %s", unit) == "active"


def test_nothing_has_failed(host: Host) -> None:
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""


@pytest.mark.parametrize("port", [8097, 8081])
def test_it_answers(host: Host, port: int) -> None:
    host.check_output("curl --silent --show-error --fail --max-time 10 http://127.0.0.1:%s/", str(port))


def test_the_dropin_is_in_force(host: Host) -> None:
    assert host.check_output("systemctl show --value --property=LimitNOFILE nginx.service") == "4096"


def test_the_secret_is_there_for_the_service_alone(host: Host) -> None:
    pid = host.check_output("systemctl show --value --property=MainPID answer.service")
    assert "ANSWER_TOKEN=not-a-secret" in host.check_output("tr '\\0' '\\n' < /proc/%s/environ", pid)
    assert "not-a-secret" not in host.check_output("systemctl cat answer.service")


@pytest.mark.parametrize("version", VERSIONS)
def test_each_drill_came_to_what_was_promised(version: str) -> None:
    units = told("drill", version)
    verdicts = {name: {tried["fault"]: tried["verdict"] for tried in unit["drills"]} for name, unit in units.items()}
    assert verdicts == DRILLED
    assert all(tried["agrees"] for unit in units.values() for tried in unit["drills"])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_reboot_is_reported(version: str) -> None:
    units = told("reboot", version)
    assert (units["answer.service"]["state"], units["answer.service"]["owner"]) == ("active", "small")
    assert units["job.timer"]["next_elapse"]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container cannot prove: a kernel that enforces, a true reboot, and what is kept across it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

GROUPS = "/sys/fs/cgroup/system.slice"
MIB = 2**20


def told(playbook: str) -> dict[str, Any]:
    """What the report of a playbook says of the host's units, by their names."""
    written = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], f"{playbook}.json")
    (host,) = json.loads(written.read_text(encoding="utf-8"))["hosts"]
    assert host["state"] == "well", host
    return {unit["unit"]: unit for unit in host["units"]}


def group(host: Host, unit: str, file: str) -> str:
    return str(host.check_output("cat %s", f"{GROUPS}/{unit}/{file}")).strip()


def counted(host: Host, unit: str, file: str) -> dict[str, int]:
    lines = (line.split() for line in group(host, unit, file).splitlines())
    return {name: int(number) for name, number in lines}


def started(host: Host, unit: str) -> None:
    host.check_output("systemctl start %s", unit)


def shown(host: Host, unit: str, name: str) -> str:
    return str(host.check_output("systemctl show --value --property=%s %s", name, unit)).strip()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("memory.max", str(120 * MIB)),  # by the drop-in
        ("memory.high", str(80 * MIB)),
        ("cpu.weight", "200"),
        ("io.weight", "default 50"),
        ("pids.max", "33"),
    ],
)
def test_the_kernel_has_each_limit_after_the_reboot_too(host: Host, file: str, says: str) -> None:
    assert group(host, "answer.service", file) == says


def test_the_share_of_a_processor_is_measured(host: Host) -> None:
    started(host, "burner.service")
    try:
        assert group(host, "burner.service", "cpu.max") == "20000 100000"
        script = "date +%s%N; cat {0}; sleep 5; date +%s%N; cat {0}".format(f"{GROUPS}/burner.service/cpu.stat")
        lines = str(host.check_output(script)).split("\n")
        times = [int(line) / 1e9 for line in lines if line.isdigit()]
        used = [int(line.split()[1]) / 1e6 for line in lines if line.startswith("usage_usec")]
        assert 0.1 < (used[1] - used[0]) / (times[1] - times[0]) < 0.25
        assert counted(host, "burner.service", "cpu.stat")["nr_throttled"] > 0
    finally:
        host.check_output("systemctl stop burner.service")


def until(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_memory_beyond_what_is_high_slows_it_down_and_does_not_end_it(host: Host) -> None:
    started(host, "greedy.service")
    try:
        until(lambda: counted(host, "greedy.service", "memory.events")["high"] > 0)
        events = counted(host, "greedy.service", "memory.events")
        assert events["oom_kill"] == 0
        assert shown(host, "greedy.service", "ActiveState") == "active"
    finally:
        host.check_output("systemctl kill --signal=KILL greedy.service; systemctl stop greedy.service")


def test_memory_beyond_the_most_is_its_end(host: Host) -> None:
    started(host, "eater.service")
    try:
        until(lambda: shown(host, "eater.service", "ActiveState") == "failed")
        assert shown(host, "eater.service", "Result") == "oom-kill"
    finally:
        host.check_output("systemctl reset-failed eater.service")


def test_a_drill_had_the_kernel_kill_and_it_came_back() -> None:
    drills = {tried["fault"]: tried for tried in told("drill")["answer.service"]["drills"]}
    verdicts = {fault: tried["verdict"] for fault, tried in drills.items()}
    assert verdicts == {"oom": "recovered", "kill": "recovered"}
    assert 0 < drills["oom"]["to_healthy"]["max"] < 60


def test_a_credential_lies_in_memory_for_the_service_alone(host: Host) -> None:
    folder = "/run/credentials/answer.service"
    assert host.check_output("cat %s", f"{folder}/token") == "not-a-secret"
    kind = host.check_output("findmnt --noheadings --output FSTYPE --target %s", folder)
    assert kind.strip() in ("ramfs", "tmpfs")
    refused = host.run("setpriv --reuid=nobody --regid=nogroup --clear-groups cat %s", f"{folder}/token")
    assert refused.rc != 0
    assert "not-a-secret" not in host.check_output("systemctl show answer.service; systemctl cat answer.service")


def test_all_is_up_after_a_true_reboot(host: Host) -> None:
    units = told("reboot")
    assert (units["answer.service"]["state"], units["answer.service"]["owner"]) == ("active", "proved")
    assert host.check_output("curl --silent --show-error --fail --max-time 20 http://127.0.0.1:8097/")
    # As built, switched off and on, and rebooted: the kernel has given each boot its own ID.
    boots = [line.split()[1] for line in str(host.check_output("journalctl --list-boots --no-pager")).splitlines()]
    boots = [boot for boot in boots if len(boot) == 32]
    assert len(boots) == len(set(boots)) == 3
    now = host.check_output("cat /proc/sys/kernel/random/boot_id").replace("-", "")
    assert boots[-1] == now


@pytest.mark.parametrize("boot", ["-2", "-1", "0"])
def test_the_journal_of_each_boot_is_kept(host: Host, boot: str) -> None:
    said = host.check_output("journalctl --no-pager --boot=%s --unit=answer.service --output=cat", boot)
    assert "Started answer.service" in said


def test_a_timer_caught_up_on_what_came_while_it_was_off(host: Host) -> None:
    """Once, and as soon as the host was up again; the one without Persistent= left it out."""
    assert len(host.check_output("cat /var/lib/late").splitlines()) == 1
    assert not host.file("/var/lib/missed").exists
    ran = host.check_output("journalctl --no-pager --boot=-1 --unit=late.service --output=cat")
    assert "Started late.service" in ran or "Starting late.service" in ran

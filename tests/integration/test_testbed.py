# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test host is what the other tests take it for."""

from __future__ import annotations

import pytest

from tests.testbed.host import CommandError, Host
from tests.testbed.units import Meanwhile, State

from .entries import service
from .happenings import Call, differences
from .lab import USER, Lab


def test_systemd_runs(host: Host) -> None:
    assert host.sh("cat /proc/1/comm") == "systemd"


def test_a_file_has_its_text_and_mode(host: Host) -> None:
    host.write("/root/testbed/a file", "one\n\ntwo\n\n", 0o640)
    assert host.read("/root/testbed/a file") == "one\n\ntwo\n\n"
    assert host.sh("stat --format=%a '/root/testbed/a file'") == "640"


def test_a_failing_command_tells_what_it_said(host: Host) -> None:
    with pytest.raises(CommandError, match="exit 3\nno luck"):
        host.sh("echo no luck; exit 3")
    assert host.sh("echo no luck; exit 3", check=False) == "no luck"


def test_a_reboot_keeps_files_and_starts_anew(host: Host) -> None:
    host.write("/root/testbed/kept", "kept")
    host.write("/run/gone", "gone")
    host.reboot()
    assert host.read("/root/testbed/kept") == "kept"
    assert not host.exists("/run/gone")


def test_a_module_gives_its_failure_as_data(host: Host) -> None:
    result = host.module("stack", name="owner", no_such_option=True)
    assert result["failed"]
    assert "no_such_option" in result["msg"]


def test_a_killed_module_is_told_from_one_that_failed(host: Host) -> None:
    killed = host.start_module("stack", prefix=["timeout", "--signal=KILL", "0.001"], name="killed")
    assert killed.returncode == 137
    with pytest.raises(CommandError, match="gave no result: exit 137"):
        host.module("stack", prefix=["timeout", "--signal=KILL", "0.001"], name="killed")


def test_what_a_call_does_and_its_result_does_not_tell_is_found(host: Lab) -> None:
    """The program of a unit stops, starts and restarts others."""
    host.foreign("running.service")
    host.foreign("idle.service", start=False)
    for verb, became, other in (
        ("restart", "anew", "running.service"),
        ("stop", "down", "running.service"),
        ("start", "up", "idle.service"),
        ("try-restart", "anew", "idle.service"),
    ):
        meddling = service("meddling", service={"ExecStartPre": f"/bin/systemctl {verb} {other}"})
        with pytest.raises(AssertionError, match=f"became {became}, and the plan says nothing: {other} "):
            host.apply(meddling)


def test_what_a_result_tells_and_did_not_happen_is_found() -> None:
    runs = State("loaded", "active", "running", "its invocation", "/etc/systemd/system/a.service", "")
    meanwhile = Meanwhile({"a.service": runs}, {"a.service": runs}, {"a.service": ["done"]})
    plan = [{"action": "restart", "unit": "a.service", "reason": "its text differs"}]
    told = {"plan": plan, "newly_started": [], "restarted": ["a.service"], "stopped": []}
    (difference,) = differences(Call({}, told, {"system": meanwhile}, USER))
    assert difference.startswith("is in restarted: a.service ")

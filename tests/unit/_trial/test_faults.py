# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fault that was not done proves nothing, whoever refused it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._apply.standing import Standing
from ansible_collections.unitwright.systemd.plugins.module_utils._host import processes
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Writer
from ansible_collections.unitwright.systemd.plugins.module_utils._host.health import Health
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Manager, Outcome
from ansible_collections.unitwright.systemd.plugins.module_utils._trial import faults, promise
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.drill import Tried
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.faults import NotTried, Trial
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.measure import AfterFault
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.promise import Promise
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.scene import Scene

from tests.unit.world import SYSTEM

CALENDAR = "{ OnCalendar=*-*-* 02:00:00 ; next_elapse=Fri 2026-11-27 02:00:00 UTC }"


class Refusing(Manager):
    """One that refuses all that would change anything."""

    def __init__(self, folder: Path, pid: str) -> None:  # pylint: disable=super-init-not-called
        self.places = SYSTEM._replace(manager=str(folder / "systemd"))
        self.pid = pid

    def systemctl(self, verb: str, units: Any = (), flags: Any = ()) -> Outcome:
        return Outcome(1, "", f"{verb} is refused")

    def show(self, units: Any, properties: Any) -> dict[str, dict[str, str]]:
        shown = {"MainPID": self.pid, "Listen": "127.0.0.1:1 (Stream)", "ActiveState": "active"}
        return dict.fromkeys(units, shown)


def refused(folder: Path, fault: str, pid: str = "1", unit: str = "shop.service", **shown: str) -> str:
    """Why a fault was not tried."""
    scene = Scene(
        unit=unit,
        shown={"StartLimitBurst": "5", **shown},
        health=Health(),
        hurt=(),
        required={"base.service": ("base.service",)},
        starts="shop.service",
        sockets=("shop.socket",),
    )
    trial = Trial(scene, Refusing(folder, pid), Writer(), Standing(unit, (unit,)))
    with pytest.raises(NotTried) as reason:
        faults.do(trial, fault)
    return str(reason.value)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("kill", "kill is refused"),
        ("segv", "kill is refused"),
        ("crash_loop", "kill is refused"),
        ("dependency", "stop is refused"),
        ("socket", "restart is refused"),
    ],
)
def test_what_systemd_refuses(tmp_path: Path, fault: str, says: str) -> None:
    assert refused(tmp_path, fault) == says


def test_a_timer_that_cannot_be_stopped(tmp_path: Path) -> None:
    assert refused(tmp_path, "downtime", unit="shop.timer", TimersCalendar=CALENDAR) == "stop is refused"


def test_a_timer_without_a_calendar(tmp_path: Path) -> None:
    assert "no OnCalendar=" in refused(tmp_path, "downtime", unit="shop.timer")


@pytest.mark.parametrize("fault", ["hang", "child"])
def test_without_a_main_process_no_other_is_hurt(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda pid, number: pytest.fail(f"{number} was sent to {pid}"))
    assert refused(tmp_path, fault, pid="0") == "its main process is gone"


def test_what_no_kernel_holds_to_a_limit_of_memory(tmp_path: Path) -> None:
    assert "no memory controller" in refused(tmp_path, "oom")


@pytest.fixture
def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_only_the_process_that_was_noted_hangs(
    tmp_path: Path, sleeping: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number has been given to another one since."""
    noted = processes.Process(sleeping.pid, "before")
    real = processes.process
    monkeypatch.setattr(faults.processes, "process", lambda _pid: noted)

    def send(to: processes.Process, number: int) -> bool:
        assert real(to.pid) != to
        return False

    monkeypatch.setattr(faults.processes, "send", send)
    assert refused(tmp_path, "hang", pid=str(sleeping.pid)) == "its main process is gone"
    assert Path(f"/proc/{sleeping.pid}/stat").read_text(encoding="utf-8").split()[2] != "T"


def test_a_fault_that_would_last_too_long(tmp_path: Path) -> None:
    assert "3600 s" in refused(tmp_path, "kill", Restart="always", RestartUSec="1h")


def test_what_programs_say_is_told_without_what_is_secret() -> None:
    seen = AfterFault(promise.WRONG_STATE, how="its check says: no user geheim-7 here")
    told = Tried("kill", Promise(promise.RECOVERED, "Restart=always"), [seen], "not with geheim-7").as_dict(
        ["geheim-7"]
    )
    assert "geheim" not in str(told)
    assert "its check says: no user " in told["rounds"][0]["how"]

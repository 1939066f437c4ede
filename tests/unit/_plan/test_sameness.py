# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same declaration on the same host gives the same plan, diff and errors, to the letter."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import refusals
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.references import View
from ansible_collections.unitwright.systemd.plugins.module_utils._run import report
from ansible_collections.unitwright.systemd.plugins.module_utils._run.work import Work

from tests.unit.world import RUNNING, SYSTEM, Entry, declare, in_force, work

NAMES = ("delta", "alpha", "echo", "bravo", "charlie")
STAY = [f"{name}.service" for name in NAMES]
# Python lays sets out by these.
SEEDS = ("1", "2", "3")


def _service(name: str, **unit: object) -> Entry:
    return {"name": f"{name}.service", "unit": unit, "service": {"ExecStart": "/bin/a"}}


def _before() -> Desired:
    gone = [_service(f"gone-{name}") for name in NAMES]
    dropins = [{"name": "x.service", "dropin": name, "service": {"Nice": 1}} for name in NAMES]
    sockets = [{"name": f"{name}.socket", "socket": {"ListenStream": f"/run/{name}"}} for name in NAMES]
    return declare(*gone, *(_service(name) for name in NAMES), *sockets, dropins=dropins)


def _after() -> Desired:
    gone: list[Entry] = [{"name": f"gone-{name}.service", "state": "absent"} for name in NAMES]
    gone += [{"name": f"{name}.socket", "state": "absent"} for name in NAMES]
    dropins = [{"name": "x.service", "dropin": name, "state": "absent"} for name in NAMES]
    target: Entry = {"name": "all.target", "unit": {"Requires": STAY, "After": STAY}}
    stay = [{**_service(name, Wants=STAY), "state": "present"} for name in NAMES]
    return declare(*gone, target, *stay, dropins=dropins)


def _stopped() -> Desired:
    target: Entry = {"name": "all.target", "unit": {"Requires": STAY}}
    return declare(target, *({**_service(name), "state": "stopped"} for name in NAMES))


def _world(desired: Desired) -> Work:
    states = dict.fromkeys(["x.service", *STAY, *(f"gone-{unit}" for unit in STAY)], RUNNING)
    states.update({f"{name}.socket": UnitState("loaded", "active", "running") for name in NAMES})
    states["all.target"] = UnitState("loaded", "active", "active")
    vendor = {"x.service": "[Service]\nExecStart=/bin/x\n"}
    relations = {unit: {"RequiredBy": tuple(f"gone-{other}" for other in STAY)} for unit in STAY}
    return work(desired, in_force(_before(), states, vendor=vendor), relations)


def told() -> str:
    """All that a run says."""
    made = _world(_after())
    refused = _world(_stopped())
    view = View(refused.differences, refused.observed)
    return json.dumps(
        [
            [step.as_dict() for step in made.plan.steps],
            list(made.plan.watched),
            report.result(made, made.observed.states, [])["diff"],
            [problem.as_dict() for problem in refusals.impossible(view)],
        ],
    )


def test_what_is_removed_is_removed_in_the_order_of_the_declaration() -> None:
    units = [f"{SYSTEM.units}/gone-{name}.service" for name in NAMES]
    sockets = [f"{SYSTEM.units}/{name}.socket" for name in NAMES]
    dropins = [f"{SYSTEM.units}/x.service.d/{name}.conf" for name in NAMES]
    assert list(_world(_after()).differences.remove) == [*units, *sockets, *dropins]


def test_all_that_is_said_stays_the_same() -> None:
    asking = "from tests.unit._plan.test_sameness import told; print(told())"

    def asked(seed: str) -> subprocess.Popen[str]:
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen([sys.executable, "-c", asking], env=environ, stdout=subprocess.PIPE, text=True)

    answers = [process.communicate()[0] for process in [asked(seed) for seed in SEEDS]]
    assert all(answers)
    assert len(set(answers)) == 1

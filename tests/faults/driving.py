# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver on a test host: what it needs to be there, and requests to it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.testbed.host import CommandError, Host, module_input
from tests.testbed.image import default_suite
from tests.tooling import COLLECTION, COLLECTIONS

from .scenarios import Params, Scenario

INSIDE = Path(__file__).with_name("inside")
GOAL = "/opt/unitwright-faults"
USER = "tester"


class Driver:
    """Runs requests on a host that has the collection.

    before: the base of the copy that makes the start state and is cut off, if it is another than the one that is tried.
    """

    def __init__(self, host: Host, before: str = "") -> None:
        self.host = host
        self.before = before or host.base

    def install(self) -> None:
        for path in sorted(INSIDE.glob("*.py")):
            self.host.write(f"{GOAL}/{path.name}", path.read_text(encoding="utf-8"))
        # A session is kept there, also by the user.
        self.host.sh(f"chmod 1777 {GOAL}")

    def add_user(self) -> None:
        """Someone with a manager of their own, for the scenarios of scope user."""
        self.host.sh(f"id {USER} 2>/dev/null || useradd --create-home {USER}; loginctl enable-linger {USER}")
        self.host.sh(f"systemctl start user@$(id -u {USER}).service")

    def prefix(self, scope: str) -> list[str]:
        """What makes a command one of the user, in scope user."""
        if scope != "user":
            return []
        runtime = f"XDG_RUNTIME_DIR=/run/user/{self.host.sh(f'id -u {USER}')}"
        return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "env", runtime]

    def trials(self, scenario: Scenario, how: str = "kill", **choice: Any) -> dict[str, Any]:
        """Cut off at every point, or those of a choice: `part` of `parts`, `only` those that match a pattern."""
        return self.ask("trials", scenario, how=how, **choice)

    def ask(self, what: str, scenario: Scenario, **more: Any) -> dict[str, Any]:
        choice = {"part": 0, "parts": 1, "only": []}
        base = self.host.base
        request = {"do": what, "base": base, **_request(scenario, self.before, base), **choice, **more}
        command = [*self.prefix(scenario.scope), "/usr/bin/python3", f"{GOAL}/driver.py"]
        done = self.host.run(*command, data=json.dumps(request).encode())
        if done.returncode != 0:
            raise CommandError(f"{scenario.name}: {what}: {(done.stdout + done.stderr).decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@contextmanager
def booted(name: str, worker: str) -> Iterator[Host]:
    """A container for a worker, with the collection. With UNITWRIGHT_HOST=NAME it is that one, and stays."""
    kept = os.environ.get("UNITWRIGHT_HOST")
    machine = Host(f"{kept}-{worker}" if kept else f"unitwright-{name}-{default_suite()}-{worker}-{os.getpid()}")
    try:
        machine.up()
        machine.install_collection(COLLECTIONS / COLLECTION)
        yield machine
    finally:
        if not kept:
            machine.down()


def complaints(answer: dict[str, Any]) -> str:
    """What trials have found wrong, as text that can be read; "" if nothing is."""
    lines = list(answer["complaints"])
    for point, found in answer["failed"].items():
        lines += [f"cut off at: {point}", *(f"    {line}" for line in found)]
    return "\n".join(lines)


def _request(scenario: Scenario, before: str, base: str) -> dict[str, Any]:
    def call(params: Params, base: str) -> dict[str, Any]:
        arguments = module_input("stack", **params)
        return {"module": "stack", "arguments": arguments, "umask": scenario.umask, "base": base}

    return {
        "scope": scenario.scope,
        "foreign": dict(scenario.foreign),
        "commands": list(scenario.commands),
        "before": [call(params, before) for params in scenario.before],
        "run": call(scenario.run, before),
        "again": call(scenario.again or scenario.run, base),
        "run_fails": scenario.fails,
        "again_fails": scenario.fails and scenario.again is None,
        "unchanged": scenario.fails and not scenario.keeps,
        "first": scenario.first,
        "proofs": dict(scenario.proofs),
        "new_key": scenario.new_key,
        "ignored": other_proofs(scenario) if scenario.fails or scenario.again or scenario.scope == "user" else [],
    }


def other_proofs(scenario: Scenario) -> list[str]:
    """What a bad version or a second reload wrote is no harm, unless the scenario says what it has to be."""
    return [f"/faults/(?!({'|'.join(map(re.escape, scenario.proofs))})$)."]

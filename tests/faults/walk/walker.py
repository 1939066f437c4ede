# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes a walk on a real systemd, and holds each step against what has to be true of any."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.integration.lab import CUT_OFF, QUICK, Lab, Result
from tests.testbed.engine import EngineError
from tests.testbed.units import State

from . import world
from .world import FOREIGN, PREFIX, Cut, Declare, Declared, Event, Fail, Reboot, Step

FOREIGN_FILE = f"/usr/local/lib/systemd/system/{FOREIGN}"
FOREIGN_TEXT = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
UNITS = "/etc/systemd/system"
BAD = {
    "name": f"{PREFIX}bad.service",
    "service": {"ExecStart": "/bin/false"},
    "install": {"WantedBy": "multi-user.target"},
}
# What someone does to a unit, as a shell does it; what cannot be done to it is no harm.
_DONE_BY_HAND = {
    "stop": "systemctl stop {unit}",
    "kill": "systemctl kill --signal=KILL {unit}",
    "start": "systemctl start {unit}",
    "reload": "systemctl daemon-reload",
    "edit": f"[ ! -e {UNITS}/{{unit}} ] || echo '# by hand' >> {UNITS}/{{unit}}",
    "delete": f"rm -f {UNITS}/{{unit}}; systemctl daemon-reload",
    "mask": "systemctl mask --runtime {unit}; systemctl unmask --runtime {unit}",
    "dropin": f"mkdir -p {UNITS}/{{unit}}.d; echo '[Unit]' > {UNITS}/{{unit}}.d/hand.conf; systemctl daemon-reload",
    "disable": "systemctl disable {unit}",
}


class Broken(AssertionError):
    """A step after which something is not as it has to be. kind: which rule, to tell one failure from another."""

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(f"{kind}: {told}")
        self.kind = kind


class Walker:
    """Where a walk has come to: what is declared, and of which units the process that runs may be another one."""

    def __init__(self, host: Lab) -> None:
        self.host = host
        self.declared: Declared = {}
        # To which something was done since the last run that succeeded.
        self.disturbed: set[str] = set()
        host.foreign(FOREIGN, FOREIGN_TEXT, folder="/usr/local/lib/systemd/system")

    def step(self, step: Step) -> None:
        try:
            self._done[type(step)](self, step)
        except Broken:
            raise
        except (AssertionError, EngineError, ValueError) as error:
            raise Broken(f"run: {_without_names(str(error))}", str(error)) from error

    def _declare(self, step: Declare) -> None:
        self._applied(world.changed(self.declared, step.changes))

    def _cut(self, step: Cut) -> None:
        """Whatever was done or not done, the same run finishes it."""
        declared = world.changed(self.declared, step.changes)
        self.disturbed |= {*self.declared, *declared}
        with self.host.beside(f"sleep {step.after}; {CUT_OFF}"):
            done = self.host.start_module("stack", **_options(declared))
        if done.returncode not in (0, 137):
            raise Broken("cut", f"exit {done.returncode}: {done.stdout.decode()}")
        self._applied(declared)

    def _fail(self, step: Fail) -> None:
        """A run that fails leaves everything as it was."""
        declared = world.changed(self.declared, step.changes)
        before, files = self._states(), self._files()
        result = self.host.failing(**_options(declared, BAD))
        if BAD["name"] not in result["msg"]:
            raise Broken("blame", result["msg"])
        after = self._states()
        for unit in {*before, *after}:
            was, now = before.get(unit), after.get(unit)
            if unit != BAD["name"] and _up(was) != _up(now) and unit not in self.disturbed:
                raise Broken("roll-back", f"{unit} was {was}, and is {now}: {result['msg']}")
        if differing := set(files.items()) ^ set(self._files().items()):
            raise Broken("roll-back", "\n".join(map(str, sorted(differing))))
        self.disturbed |= {*self.declared, *declared}

    def _event(self, step: Event) -> None:
        self.host.sh(f"({_DONE_BY_HAND[step.what].format(unit=step.unit)}) >/dev/null 2>&1", check=False)
        # What a unit takes along is known to the tests of consequences; here each may have been.
        self.disturbed |= set(self.declared)

    def _reboot(self, _step: Reboot) -> None:
        """What is enabled is up again, with nobody's help."""
        self.host.reboot()
        down = [unit for unit in self._at_boot() if self.host.state(unit) not in ("active", "activating")]
        if down and not self.disturbed:
            raise Broken("reboot", f"{down} are enabled, and not up")
        self.disturbed |= set(self.declared)

    _done: dict[type[Any], Callable[[Walker, Any], None]] = {  # noqa: RUF012, read alone
        Declare: _declare,
        Cut: _cut,
        Fail: _fail,
        Event: _event,
        Reboot: _reboot,
    }

    def _at_boot(self) -> Iterator[str]:
        for unit, slot in self.declared.items():
            if unit != FOREIGN and slot.enabled and not world.is_stopped(unit, self.declared):
                yield unit

    def _applied(self, declared: Declared) -> None:
        """Check mode, the run, and the run once more."""
        files, before = self._files(), self._states()
        foretold = self.host.apply(**_options(declared), check_mode=True)
        if files != self._files() or _runs(before) != _runs(self._states()):
            raise Broken("check mode", "it has changed something")
        result = self.host.apply(**_options(declared))
        if foretold["plan"] != result["plan"]:
            raise Broken("check mode", f"foretold {foretold['plan']}, done {result['plan']}")
        self._hold(declared, before, result)
        again = self.host.apply(**_options(declared))
        if again["changed"] or again["plan"]:
            raise Broken("idempotence", str(again["plan"]))
        self.declared, self.disturbed = declared, set()

    def _hold(self, declared: Declared, before: dict[str, State], result: Result) -> None:
        """What is declared runs, what runs is what is declared, and what did not change was not touched."""
        for unit, slot in declared.items():
            wanted = "inactive" if world.is_stopped(unit, declared) else "active"
            state = self.host.state(unit)
            if state != wanted and not (wanted == "inactive" and state == "failed"):
                raise Broken("state", f"{unit} is {state}, and declared {wanted}; {result['plan']}")
            main = self.host.show(unit, "MainPID") if unit.endswith(".service") else ""
            if main not in ("", "0") and self.host.environment(unit).get("VERSION") != str(slot.version):
                raise Broken("version", f"{unit} runs with {self.host.environment(unit)}, declared {slot.version}")
            if unit != FOREIGN and self.host.enabled(unit) != ("enabled" if slot.enabled else "disabled"):
                raise Broken("enablement", f"{unit} is {self.host.enabled(unit)}")
        after = self._states()
        for unit in self._unchanged(declared):
            was, now = before.get(unit), after.get(unit)
            if _up(was) and was and (not now or was.invocation != now.invocation):
                raise Broken("untouched", f"{unit} was {was}, and is {now}; {result['plan']}")

    def _unchanged(self, declared: Declared) -> Iterator[str]:
        """Of a unit itself and of all that it names, and nobody has done anything to."""
        for unit in declared:
            named = {unit, *_named(unit, declared)}
            same = all(self.declared.get(each) == declared[each] for each in named)
            if same and _named(unit, declared) == _named(unit, self.declared) and not named & self.disturbed:
                yield unit

    def _states(self) -> dict[str, State]:
        told = self.host.units.begin()["system"]
        return {unit: state for unit, state in told.items() if unit.startswith(PREFIX)}

    def _files(self) -> dict[str, str]:
        return self.host.listing(UNITS, "/var/lib/unitwright/system")


def _without_names(told: str) -> str:
    """The beginning of a message, the same for the same fault of another unit."""
    return re.sub(r"[\w-]+\.\w+|\d+", "...", told.strip())[:80]


def _runs(states: dict[str, State]) -> dict[str, str]:
    return {unit: state.invocation for unit, state in states.items()}


def _up(state: State | None) -> bool:
    return state is not None and state.is_up


def _named(unit: str, declared: Declared) -> set[str]:
    """All that a unit names, and what those name."""
    if unit not in declared:
        return set()
    first = {other for _directive, other in world.related(unit, declared)}
    return first.union(*(_named(other, declared) for other in first))


def _options(declared: Declared, *more: world.Entry) -> dict[str, Any]:
    units = [*world.entries(declared), *more]
    if not units:  # with prune an empty declaration is taken for a mistake
        return {"name": "walk", "state": "absent"}
    return {
        "name": "walk",
        "units": units,
        "dropins": list(world.dropins(declared)),
        "prune": True,
        "health": QUICK,
    }


def walked(host: Lab, steps: list[Step], told: Callable[[str], None] = lambda line: None) -> tuple[int, Broken] | None:
    """At which step something was not right, and what."""
    walker = Walker(host)
    for number, step in enumerate(steps):
        began = time.monotonic()
        try:
            walker.step(step)
        except Broken as broken:
            return number, broken
        told(f"{number + 1:4d} {time.monotonic() - began:5.1f} s  {step}")
    return None

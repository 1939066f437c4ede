# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What becomes of a unit after a fault, and how long that takes. Private to the collection."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Optional

from .._host import looks
from .._host.endings import describe
from .._host.health import first_complaint
from .._host.looks import Look, Run, run_of
from .._host.manager import Manager, Properties
from . import promise
from .scene import Scene

PROPERTIES = (*looks.PROPERTIES, "ExecMainStartTimestampMonotonic")
_INTERVAL = 0.05
# One attempt of a check; what does not answer by then is not well.
_ATTEMPT = 2.0
# systemd hears at once of a process that ends: a unit that is as before after that time is not harmed.
NOTICED = 2.0
# It is down for good only if it still is a little later, as systemd passes through such a state before a restart.
_SURE = 0.3


@dataclass(frozen=True)
class AfterFault:
    """What became of a unit after a fault.

    verdict: in a word. to_process, to_healthy: seconds until there was a new process, and until it was well; None for
    what never came. how: in words. shown: its properties at the end. invocation: the run that failed, "" if none did.
    unit: the one that both are of, where that is what a timer has started, else "".
    """

    verdict: str
    to_process: Optional[float] = None
    to_healthy: Optional[float] = None
    how: str = ""
    shown: Properties = field(default_factory=dict)
    invocation: str = ""
    unit: str = ""


def show(manager: Manager, unit: str) -> Properties:
    return manager.show([unit], PROPERTIES)[unit]


def is_down(shown: Properties) -> bool:
    """Down, and without a job to be otherwise."""
    return shown.get("SubState") in ("dead", "failed") and shown.get("Job", "0") in ("", "0")


def pause() -> None:
    time.sleep(_INTERVAL)


def since(at: float) -> float:
    return round(time.monotonic() - at, 3)


@dataclass
class Watch:
    """A unit is watched from a fault on.

    scene: the unit and what is around it. manager: the one to be asked. before: its run before the fault. at: when that
    was. patience: the seconds that it may take. noticed: those in which systemd has to notice, after which a unit that
    is as before is taken for not harmed, or for not noticed. hangs: the fault is a hang, which no end of a process
    shows. to_process: seconds until there was a new process, None so far. complaint: the last one of its checks.
    """

    scene: Scene
    manager: Manager
    before: Run
    at: float
    patience: float
    noticed: float
    hangs: bool = False
    to_process: Optional[float] = None
    complaint: str = ""
    _well_since: Optional[float] = None
    _down_since: Optional[float] = None

    def outcome(self) -> AfterFault:
        while True:
            shown = show(self.manager, self.scene.unit)
            seen = self._verdict(shown)
            if seen is not None:
                return seen
            pause()

    def _verdict(self, shown: Properties) -> Optional[AfterFault]:
        now = time.monotonic()
        if is_down(shown):
            self._down_since = self._down_since or now
            return self._down(shown) if now - self._down_since >= _SURE else None
        self._down_since = None
        run = run_of(shown)
        anew = run.pid not in ("0", "", self.before.pid)
        if anew and self.to_process is None:
            self.to_process, self._well_since = self._started(shown), None
        over = now - self.at > self.noticed
        if not anew and self.hangs:
            return self._as_before(shown) if over else None
        seen = self._healthy(shown, anew, over) if shown.get("ActiveState") == "active" else None
        if seen is not None:
            return seen
        return self._late(shown) if now - self.at > self.patience else None

    def _started(self, shown: Properties) -> float:
        began = shown.get("ExecMainStartTimestampMonotonic", "")
        return round(max(0.0, int(began) / 1e6 - self.at), 3) if began.isdigit() else since(self.at)

    def _check(self) -> str:
        left = min(_ATTEMPT, max(0.0, self.at + self.patience - time.monotonic()))
        self.complaint = first_complaint(self.manager, self.scene.health.checks, left)
        return self.complaint

    def _healthy(self, shown: Properties, anew: bool, over: bool) -> Optional[AfterFault]:
        """Its check passes, and for as long as it has to. over: systemd would have noticed by now."""
        if self._check():
            self._well_since = None
            return None
        took = self._well_since = self._well_since or since(self.at)
        if not anew and not over:
            return None
        fallen = self._fallen(run_of(shown))
        if fallen:
            return AfterFault(promise.WRONG_STATE, self.to_process, None, fallen, shown, run_of(shown).invocation)
        if not anew:
            return AfterFault(promise.UNHARMED, None, took, "its main process goes on", shown)
        return AfterFault(promise.RECOVERED, self.to_process, took, "", shown)

    def _fallen(self, run: Run) -> str:
        """Why it did not stay well for as long as health says, "" if it did."""
        until = time.monotonic() + self.scene.health.stable_for
        while time.monotonic() < until:
            shown = show(self.manager, self.scene.unit)
            if shown.get("ActiveState") != "active" or not run.goes_on_in(run_of(shown)):
                return f"did not stay up for {self.scene.health.stable_for:g} s: {describe(shown)}"
            pause()
        return self._check()

    def _down(self, shown: Properties) -> AfterFault:
        failed = shown.get("ActiveState") == "failed"
        run = run_of(shown)
        anew = run.restarts != self.before.restarts
        gave_up = failed and (
            shown.get("Result") == promise.GAVE_UP or (anew and promise.gave_up(self.scene.given, shown))
        )
        verdict = promise.GAVE_UP if gave_up else promise.FAILED if failed else promise.INACTIVE
        return AfterFault(verdict, self.to_process, None, describe(shown), shown, run.invocation)

    def _as_before(self, shown: Properties) -> AfterFault:
        self._check()
        how = f"active after {since(self.at):g} s, with the process that hangs"
        more = f"; its check says {self.complaint}" if self.complaint else "; its check passes all the same"
        return AfterFault(promise.NOT_NOTICED, None, None, how + more, shown, run_of(shown).invocation)

    def _late(self, shown: Properties) -> AfterFault:
        state = Look(self.scene.unit, shown, at=0.0)
        how = f"{state.active} ({state.sub}) after {since(self.at):g} s"
        verdict = promise.WRONG_STATE if state.active == "active" else promise.FAILED
        how += f", and its check says {self.complaint}" if self.complaint else ""
        return AfterFault(verdict, self.to_process, None, how, shown, run_of(shown).invocation)

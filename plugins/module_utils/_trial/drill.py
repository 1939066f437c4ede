# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Drills: a unit is broken on purpose, and what becomes of it is held against what its settings promise.

Private to the collection.
"""

from __future__ import annotations

import math
import os
import statistics
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from .._apply import leftovers, standing
from .._causes.answers import answered_by_another
from .._desired.forms import with_kind
from .._desired.health import HEALTH, health
from .._host import files
from .._host.causes import Failure, failure
from .._host.endings import describe
from .._host.expectations import Proof, Up
from .._host.health import Health
from .._host.manager import Manager, ManagerError
from .._host.observed import tree
from .._host.places import environ, places
from .._host.scopes import scope_of
from .._host.watch import watch
from .._run import report
from .._run.pipeline import HOST, refuse_place
from .._run.work import Failed
from .._syntax.names import UNIT_NAME, parse_name
from .._syntax.rule import Problems, Refused, Rule, Severity
from . import faults, promise, scene
from .faults import NotTried, Trial
from .interrupts import Interrupts
from .measure import AfterFault
from .promise import Promise
from .scene import Scene

_OPTION = Rule(
    "drill-option",
    Severity.ERROR,
    "{what}",
    "",
    "the module drill",
)
_DIFFERS = Rule(
    "drill-differs",
    Severity.ERROR,
    "{fault}: its settings promise {promised} ({reason}), and it came to {verdict}{how}",
    "mend the setting, or the program",
    "the module drill",
    has_cause=True,
)
_SLOW = Rule(
    "drill-slow",
    Severity.ERROR,
    "{fault}: it is not well again within max_recovery ({most:g} s), but {what}",
    "",
    "the option max_recovery",
    has_cause=True,
)
_NOT_WELL = Rule(
    "drill-not-well",
    Severity.ERROR,
    "it is not well after the drill",
    "see to it",
    "the module drill",
    has_cause=True,
)
_HARMED = Rule(
    "drill-harmed",
    Severity.WARNING,
    "{fault}: it came to {verdict}, as its settings promise ({reason})",
    "{remedy}",
    "systemd.service(5), systemd.timer(5)",
)
_REMEDIES = {
    promise.FAILED: "Restart=on-failure brings it back",
    promise.INACTIVE: "Restart=always brings it back, and for a dependency Upholds= or PartOf=",
    promise.NOT_NOTICED: "a program that sends WATCHDOG=1, and WatchdogSec=, let systemd notice",
    promise.MISSED: "Persistent=true catches up",
}


@dataclass
class Tried:
    """A fault, what was promised for it, and what came of it in each round. not_tried: why it was not done."""

    fault: str
    promise: Promise
    rounds: List[AfterFault] = field(default_factory=list)
    not_tried: str = ""

    @property
    def verdict(self) -> str:
        """That of the rounds; of several different ones the first that was not promised."""
        if not self.rounds:
            return promise.NOT_TRIED
        return (self.odd or self.rounds[0]).verdict

    @property
    def odd(self) -> Optional[AfterFault]:
        """The first round that came to something else than was promised."""
        return next((seen for seen in self.rounds if not _agrees(self.promise.verdict, seen.verdict)), None)

    def slow(self, most: float) -> str:
        """Why it is not well within so many seconds, "" if it is."""
        for seen in self.rounds:
            if seen.to_healthy is None:
                return f"came to {seen.verdict}"
            if seen.to_healthy > most:
                return f"after {seen.to_healthy:g} s"
        return ""

    def as_dict(self, hidden: Sequence[str] = ()) -> Dict[str, Any]:
        """hidden: what is not to be shown of what programs say."""
        return {
            "promise": self.promise.as_dict(),
            "verdict": self.verdict,
            "agrees": None if not self.rounds else self.odd is None,
            "not_tried": report.without(self.not_tried, hidden),
            "to_process": _seconds([seen.to_process for seen in self.rounds]),
            "to_healthy": _seconds([seen.to_healthy for seen in self.rounds]),
            "rounds": [
                {
                    "verdict": seen.verdict,
                    "to_process": seen.to_process,
                    "to_healthy": seen.to_healthy,
                    "result": seen.shown.get("Result", ""),
                    "how": report.without(seen.how, hidden),
                }
                for seen in self.rounds
            ],
        }


def _agrees(promised: str, verdict: str) -> bool:
    if promised == promise.UNKNOWN:
        return verdict != promise.WRONG_STATE
    return verdict == promised or (promised == promise.RECOVERED and verdict == promise.UNHARMED)


def _seconds(measured: Sequence[Optional[float]]) -> Optional[Dict[str, float]]:
    known = [each for each in measured if each is not None]
    return {"p50": round(statistics.median(known), 3), "max": max(known)} if known else None


def drill(
    params: Mapping[str, Any], check_mode: bool, label: Optional[files.Labeller] = None
) -> Tuple[Dict[str, Any], List[str]]:
    """The result of the module drill, and what a person is warned of. Raises Problems, or Failed after a drill."""
    refuse_place(params)
    unit, checks = _read(params)
    try:
        where = places(params.get("scope"), "", environ(), (os.geteuid(), os.getegid()))
        manager = Manager(where)
        if not manager.live:
            raise Problems([_OPTION.problem(unit, what="no systemd runs here, so that nothing can be tried")])
        with files.locked(where.lock):
            return _Drill(params, check_mode, unit, checks, manager, files.Writer(label)).run()
    except (ManagerError, files.FileRefused, files.LockBusy, OSError) as error:
        raise Problems([HOST.said(str(error))]) from error


def _read(params: Mapping[str, Any]) -> Tuple[str, Health]:
    """The unit and its health. Raises Problems for what can never be done."""
    problems, unit, checks = [], params["name"], Health()
    try:
        unit = parse_name(with_kind(params["name"])).text
    except Refused as refused:
        problems.append(UNIT_NAME.said(str(refused), unit))
    try:
        checks = health(params.get("health"), {})
    except Refused as refused:
        problems += HEALTH.refusals(refused, unit, "health")
    most, scope = params.get("max_recovery"), scope_of(params.get("scope"))
    wrong = {
        f"scope {scope.name} has no manager, so that nothing of it runs": not scope.has_manager,
        "nothing runs under root": bool(params.get("root")),
        "rounds is a number of 1 or more": (params.get("rounds") or 0) < 1,
        "max_recovery is a number of seconds, more than 0": most is not None and not 0 < most < math.inf,
        "may_hurt is empty: name the unit, and what may be hurt with it": not params.get("may_hurt"),
    }
    problems += [_OPTION.problem(unit, what=what) for what, is_so in wrong.items() if is_so]
    if problems:
        raise Problems(problems)
    return unit, checks


class _Drill:
    """One call of the module, with the lock held."""

    def __init__(
        self,
        params: Mapping[str, Any],
        check_mode: bool,
        unit: str,
        checks: Health,
        manager: Manager,
        writer: files.Writer,
    ) -> None:
        self.params = params
        self.check_mode = check_mode
        self.unit = unit
        self.health = checks
        self.manager = manager
        self.writer = writer
        self.recovered: List[str] = []
        self.failures: List[Failure] = []
        self.unwell: List[Failure] = []

    def run(self) -> Tuple[Dict[str, Any], List[str]]:
        may_hurt = self.params["may_hurt"]
        if not self.check_mode:
            taken = leftovers.recover(self.manager)
            self.recovered = list(dict.fromkeys(each.unit for each in taken))
            self._await({unit for each in taken for unit in each.up})
        here = scene.look(self.manager, self.unit, self.health, may_hurt)
        # Check mode takes nothing back, and foretells what the run does that does.
        coming_up = standing.taken_down(self.manager.places) if self.check_mode else frozenset()
        problems = scene.problems(here, self.manager, may_hurt, coming_up)
        if problems:
            raise Problems(problems)
        known = faults.known(here)
        tried = [Tried(fault, _promise(here, fault)) for fault in self.params.get("faults") or known]
        for each in tried:
            if each.fault not in known:
                each.not_tried = f"that is no fault of a {'timer' if here.is_timer else 'service'}"
            elif self.check_mode:
                continue
            elif self.failures:
                each.not_tried = f"{here.unit} came out of an earlier fault otherwise than it should"
            else:
                self._try(here, each)
        return self._told(tried)

    def _await(self, units: Iterable[str]) -> None:
        """What one that was cut off had taken down comes up again, or the looks that follow say that it has not."""
        proof = {unit: Up(Proof(Health(stable_for=0.0, timeout=self.health.timeout))) for unit in units}
        if proof:
            watch(self.manager, proof, to_the_end=True)

    def _try(self, here: Scene, tried: Tried) -> None:
        """All rounds of a fault. After each the unit is as before, or the drill ends."""
        for _round in range(self.params["rounds"]):
            up = tuple(sorted({here.unit, *here.hurt}))
            trial = Trial(here, self.manager, self.writer, standing.Standing(here.unit, up))
            # What was counted before would be held against it.
            self.manager.systemctl("reset-failed", [here.unit])
            try:
                with Interrupts() as interrupts:
                    seen = self._done(trial, tried.fault, interrupts)
            except NotTried as reason:
                tried.not_tried = str(reason)
                self.failures += self.unwell
                return
            tried.rounds.append(seen)
            self._judge(tried, seen)
            self.failures += self.unwell
            if self.failures:
                return

    def _done(self, trial: Trial, fault: str, interrupts: Interrupts) -> AfterFault:
        """A fault between its note and all of it taken back."""
        try:
            trial.note()
            seen = faults.do(trial, fault)
            if seen.verdict == promise.WRONG_STATE and not trial.scene.is_timer:
                self.manager.queue("restart", [trial.unit])
            return seen
        finally:
            interrupts.hold()
            standing.take_back(trial.standing, self.manager, self.writer)
            self._settle(trial)
            standing.forget(self.manager.places, trial.standing, self.writer)

    def _settle(self, trial: Trial) -> None:
        """Wait until all that was up is well again."""
        checks = Health(stable_for=0.0, timeout=self.health.timeout, checks=self.health.checks)
        plain = Health(stable_for=0.0, timeout=self.health.timeout)
        expected = {unit: Up(Proof(plain)) for unit in trial.standing.up if unit}
        if trial.unit in expected:
            expected[trial.unit] = Up(Proof(checks, doubt=answered_by_another))
        self.unwell = [
            found._replace(message=f"{_NOT_WELL.reason}: {found.message}", rule=_NOT_WELL)
            for found in watch(self.manager, expected, to_the_end=True)
        ]

    def _judge(self, tried: Tried, seen: AfterFault) -> None:
        if not _agrees(tried.promise.verdict, seen.verdict):
            how = f": {seen.how}" if seen.how else ""
            told = _DIFFERS.problem(
                fault=tried.fault,
                promised=tried.promise.verdict,
                reason=tried.promise.reason,
                verdict=seen.verdict,
                how=how,
            )
            self.failures += _differs(self.unit, told.message, seen)
            return
        most = self.params.get("max_recovery")
        slow = Tried(tried.fault, tried.promise, [seen]).slow(most) if most else ""
        if slow:
            told = _SLOW.problem(fault=tried.fault, most=most, what=slow)
            self.failures.append(_of_rule(failure(self.unit, told.message, seen.shown, seen.invocation), _SLOW))

    def _told(self, tried: Sequence[Tried]) -> Tuple[Dict[str, Any], List[str]]:
        secrets = [seen.content for seen in tree(self.manager.places.secrets).values() if seen.content]
        hidden = report.hidden_values(secrets)
        done = any(not each.not_tried if self.check_mode else each.rounds for each in tried)
        result = {
            "changed": done or bool(self.recovered),
            "unit": self.unit,
            "systemd": self.manager.version,
            "faults": {each.fault: each.as_dict(hidden) for each in tried},
            "recovered": self.recovered,
        }
        warned = [_harmed(self.unit, each) for each in tried]
        warnings = [f"{self.unit}: {text}" for text in warned if text]
        if self.failures:
            errors = report.errors(self.failures, self.manager, secrets)
            raise Failed(report.sentence(errors), {**result, "errors": errors}, warnings)
        return result, warnings


def _differs(unit: str, message: str, seen: AfterFault) -> List[Failure]:
    """That of the unit of the drill, and of what a timer has started its own, as that has the cause."""
    if not seen.unit:
        return [_of_rule(failure(unit, message, seen.shown, seen.invocation), _DIFFERS)]
    why = f"{_NOT_WELL.reason}: failed: {describe(seen.shown)}"
    started = _of_rule(failure(seen.unit, why, seen.shown, seen.invocation), _NOT_WELL)
    return [_of_rule(failure(unit, message, {}, ""), _DIFFERS), started]


def _promise(here: Scene, fault: str) -> Promise:
    return promise.promise(here.given, fault)


def _of_rule(found: Failure, rule: Rule) -> Failure:
    return found._replace(rule=rule)


def _harmed(unit: str, tried: Tried) -> str:
    """What a person is warned of though it was promised."""
    seen = next((seen for seen in tried.rounds if seen.verdict in _REMEDIES), None)
    if seen is None or tried.odd is not None:
        return ""
    words = {"fault": tried.fault, "verdict": seen.verdict, "reason": tried.promise.reason}
    return _HARMED.problem(unit, **words, remedy=_REMEDIES[seen.verdict]).message

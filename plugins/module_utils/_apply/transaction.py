# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Carries a plan out, step by step in the plan's order: that of a run, and the way back.

Private to the collection.
"""

from __future__ import annotations

import enum
import functools
import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import AbstractSet, Callable, Dict, Iterable, Iterator, List, Mapping, Sequence, Set

from .._causes.answers import answered_by_another
from .._desired.render import FileWanted
from .._host import jobs
from .._host.causes import (
    DEPENDENCY,
    JOB,
    LIMITS,
    LINKS,
    NO_ANSWER,
    NOT_HEALTHY,
    RELOAD,
    UNEXPECTED,
    WRITE,
    Failure,
    with_causes,
)
from .._host.expectations import Done, Expectation, Proof, Unfailed, Up
from .._host.falls import ALONE, BACK, FIRST, NO_FALL, Allowance
from .._host.files import Writer
from .._host.graph import AFTER, comes_after, kept_waiting, look
from .._host.health import Health
from .._host.looks import PROPERTIES, RUN_PROPERTIES, START_TIMES, Look, run_of, start_time
from .._host.manager import Manager, ManagerError, Outcome, Properties
from .._host.watch import wait_for_rest, watch
from .._plan.consequences import ending_alone, not_taken_along, starting_again
from .._plan.expected import Expected
from .._plan.fates import Becomes, Call
from .._plan.plan import Plan
from .._syntax.names import units_in
from .._syntax.relations import Does
from .._syntax.rule import Rule

# systemctl leaves the links of a masked unit.
_BEFORE_FILES = ("unmask", "disable")
_AFTER_FILES = ("mask", "reenable", "enable")
# What begins a run of a unit.
_BEGINNING = ("restart", "start", "run")
# What of that hands the same on to others, which then need no job of their own.
_HANDED_ON = {"restart": Does.RESTART, "reload": Does.RELOAD}
# "Failed to start a.service: Unit b.service is masked."
_REFUSED = re.compile(r"^Failed to \S+ (?P<unit>\S+): (?P<why>.+)$", re.MULTILINE)
# The same of what was waited for: "Job for a.service failed because ...", "A dependency job for b.service failed."
_UNDONE = re.compile(r"^(?P<dependency>A dependency job|Job) for (?P<unit>\S+) (?P<why>[^.\n]+)", re.MULTILINE)


class OnFailure(enum.Enum):
    """What a failure ends. STOP: all that comes after. KEEP: that too, but for jobs. GO_ON: nothing."""

    STOP = "stop"
    KEEP = "keep"
    GO_ON = "go on"


@dataclass
class Outcomes:
    """What became of a plan. failures empty: every watched unit is as it shall be. begun: no job was left out.

    calls: those that were made, each without the units that were left out.
    """

    failures: List[Failure] = field(default_factory=list)
    begun: bool = False
    calls: List[Call] = field(default_factory=list)


def carry_out(
    plan: Plan,
    health_of: Callable[[str], Health],
    manager: Manager,
    writer: Writer,
    concerned: Iterable[str],
    on_failure: OnFailure,
) -> Outcomes:
    """Do all steps of a plan.

    health_of: what a unit has to prove. concerned: all paths that this run, or one that was cut off before it, writes
    or removes.
    """
    run = _Transaction(plan, manager, writer, on_failure)
    steps: Sequence[Callable[[], None]] = (
        run.prepare,
        run.stop,
        lambda: run.change_enablement(_BEFORE_FILES),
        lambda: run.change_files(concerned),
        lambda: run.change_enablement(_AFTER_FILES),
        run.take_links_away,
        run.reload,
        lambda: run.take_down([unit for unit in plan.jobs["stop"] if unit in plan.upheld]),
        lambda: run.do_jobs(health_of),
    )
    for step in steps:
        with run.noted():
            step()
        if run.outcomes.failures and on_failure is not OnFailure.GO_ON:
            break
    return run.outcomes


class _Transaction:
    """A plan that is being carried out."""

    def __init__(self, plan: Plan, manager: Manager, writer: Writer, on_failure: OnFailure) -> None:
        self._plan = plan
        self._manager = manager
        self._writer = writer
        self._places = manager.places
        self._on_failure = on_failure
        self.outcomes = Outcomes()

    @contextmanager
    def noted(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            self._fail(f"the host refuses to write{where}: {error.strerror}", WRITE)
        except ManagerError as error:
            self._fail(str(error), NO_ANSWER)
        except Exception as error:  # pylint: disable=broad-exception-caught
            # A fault of ours, too, must not leave half a change behind.
            self._fail(f"unexpected {type(error).__name__}: {error}", UNEXPECTED)

    def _fail(self, message: str, rule: Rule, unit: str = "") -> None:
        self.outcomes.failures.append(Failure(unit, message, rule=rule))

    def _note(self, done: Outcome, what: str, units: Sequence[str] = (), rule: Rule = JOB) -> None:
        """Note whose jobs were refused or failed: systemctl has a line for each, or names the unit elsewhere."""
        if done.code == 0:
            return
        refused = {found.group("unit"): found.group("why") for found in _REFUSED.finditer(done.err)}
        undone = {found.group("unit"): found for found in _UNDONE.finditer(done.err)}
        named = [unit for unit in units if unit in refused or unit in undone]
        for unit in named:
            if unit in refused:
                self._fail(f"systemctl {what} failed: {refused[unit]}", rule, unit)
            else:
                needs = undone[unit].group("dependency") != "Job"
                self._fail(f"its {what} {undone[unit].group('why')}", DEPENDENCY if needs else rule, unit)
        if not named:
            told = units_in(done.message)
            unit = next((unit for unit in units if unit in told), units[0] if len(units) == 1 else "")
            self._fail(f"systemctl {what} failed: {done.message}", rule, unit)

    def prepare(self) -> None:
        """A full or read-only disk shows here, while everything still runs. The way back does what it can."""
        files = self._plan.files
        if self._on_failure is OnFailure.GO_ON:
            return
        folders = {os.path.dirname(path) for path in files.remove}
        if self._plan.files.enablement.units:
            folders.add(self._places.units)
        for folder in sorted(folders):
            self._writer.refuse_read_only(folder)
        for wanted in files.write:
            self._prepare(wanted)

    def _prepare(self, wanted: FileWanted) -> None:
        if wanted.secret:
            self._writer.make_folder(os.path.dirname(wanted.path), 0o700)
        self._writer.prepare(wanted.path, wanted.content, wanted.mode, wanted.owner or self._places.owner)

    def stop(self) -> None:
        plan = self._plan
        self.take_down([unit for unit in plan.jobs["stop"] if unit not in plan.upheld])
        if plan.to_stay_down and (self._on_failure is OnFailure.GO_ON or not self.outcomes.failures):
            # One may have been started since the host was looked at.
            graph = look(self._manager, plan.to_stay_down, self._manager.list_units())
            come_up = ending_alone(plan.to_stay_down, graph)
            self.take_down(come_up)
            if come_up:
                self._manager.systemctl("reset-failed", come_up)  # what is cut off at its start has not failed

    def take_down(self, units: Sequence[str]) -> None:
        if units:
            done, failures = jobs.take_down(self._manager, units)
            self._note(done, "stop", units)
            self.outcomes.failures += map(self._with_starters, failures)

    def _with_starters(self, failure: Failure) -> Failure:
        """A unit that is not down, with what would start it again."""
        graph = look(self._manager, [failure.unit], self._manager.list_units())
        up = starting_again(failure.unit, graph)
        return failure._replace(message=f"{failure.message}; {', '.join(up)} would") if up else failure

    def change_files(self, concerned: Iterable[str]) -> None:
        """What goes is first, so that a full disk has room."""
        files, writer = self._plan.files, self._writer
        for path in files.remove:
            with self._each():
                writer.remove(path)
        if self._on_failure is OnFailure.GO_ON:
            for wanted in files.write:
                with self._each():
                    self._prepare(wanted)
                    writer.put_in_place()
        writer.put_in_place()
        for path, target in files.links.items():
            with self._each():
                writer.link(path, target)
        for path in concerned:
            if not os.path.lexists(path):
                for folder in self._places.own_folders(path):
                    writer.remove_folder_if_empty(folder)
        writer.settle()

    @contextmanager
    def _each(self) -> Iterator[None]:
        """On the way back what cannot be restored hinders nothing else."""
        if self._on_failure is not OnFailure.GO_ON:
            yield
            return
        with self.noted():
            yield

    def change_enablement(self, verbs: Sequence[str]) -> None:
        for verb in verbs:
            units: Sequence[str] = getattr(self._plan.files.enablement, verb)
            if units:
                self._note(self._manager.change_enablement(verb, units), verb, units, LINKS)

    def take_links_away(self) -> None:
        for path in self._plan.files.enablement.unwanted:
            self._writer.remove(path)
            if os.path.dirname(path) != self._places.units:
                self._writer.remove_folder_if_empty(os.path.dirname(path))
        self._writer.settle()

    def reload(self) -> None:
        if self._plan.reload:
            self._note(self._manager.daemon_reload(), "daemon-reload", rule=RELOAD)

    def do_jobs(self, health_of: Callable[[str], Health]) -> None:
        """Queue all jobs, then wait for all of them together."""
        plan, manager, outcomes = self._plan, self._manager, self.outcomes
        expected = self._expected(health_of)
        verbs = ("stop", "reset-failed", "restart", "start", "run")
        deliberate = dict.fromkeys(unit for verb in verbs for unit in plan.jobs[verb])
        if deliberate:
            # Earlier starts count against StartLimitBurst=, and that is no reason to refuse one that is meant; and what
            # was stopped at its work has not failed.
            manager.systemctl("reset-failed", list(deliberate))
        skipped: Set[str] = set()
        unsuccessful: Set[str] = set()  # what runs for a change, and has failed
        refused: Set[str] = set()  # systemd has said why, and nothing has become of them
        for call in plan.calls:
            if outcomes.failures and self._on_failure is OnFailure.STOP:  # all will be undone, so nothing more is begun
                skipped.update(call.units)
                continue
            waiting = self._waiting_for(unsuccessful, call.units)
            skipped.update(waiting)
            due = call._replace(units=tuple(unit for unit in call.units if unit not in waiting))
            known = len(outcomes.failures)
            if due.verb == "run" and due.units:
                skipped.update(self._run(due, self._time_of(due.units, health_of), expected))
                unsuccessful.update(due.units if len(outcomes.failures) > known else ())
            elif due.units:
                self._note(self._queue(due), due.verb, due.units)
                refused.update(failure.unit for failure in outcomes.failures[known:])
            outcomes.calls.append(
                due._replace(units=tuple(unit for unit in due.units if unit not in skipped | refused))
            )
        outcomes.failures += [
            Failure("", message, rule=LIMITS) for message in manager.wake_limits(plan.jobs["touch-slice"])
        ]
        outcomes.begun = not skipped
        expected = {unit: each for unit, each in expected.items() if unit not in skipped | refused}
        found = watch(manager, expected, to_the_end=self._on_failure is not OnFailure.STOP)
        found = [self._with_origin(failure) for failure in found]
        watched = {failure.unit for failure in found}
        others = [failure for failure in outcomes.failures if failure.unit not in watched]
        found = [*(each for each in others if each.rule is DEPENDENCY), *found]
        outcomes.failures = [each for each in others if each.rule is not DEPENDENCY]
        outcomes.failures += with_causes(manager, found)

    def _with_origin(self, failure: Failure) -> Failure:
        """What was reloaded with another unit, and is not as it shall be, with that one."""
        cause = self._plan.foretold.reloads.get(failure.unit)
        if cause is None or failure.unit in self._plan.fates or failure.unit in self._plan.jobs["reload"]:
            return failure
        return failure._replace(message=f"was reloaded by {cause}: {failure.message}")

    def _expected(self, health_of: Callable[[str], Health]) -> Dict[str, Expectation]:
        """Asked before the jobs are queued: the run after a restart or reload is compared with the one before."""
        shown = self._manager.show(self._held(), (*RUN_PROPERTIES, AFTER))
        lasting = {unit: expected for unit, expected in self._plan.watched.items() if expected is not Expected.DOWN}
        return {unit: self._expectation(unit, expected, health_of, shown) for unit, expected in lasting.items()}

    def _held(self) -> List[str]:
        """Those of which it matters as what they were up. On the way back it is enough that a unit is up."""
        if self._on_failure is OnFailure.GO_ON:
            return []
        jobs, fates = self._plan.jobs, self._plan.fates
        again = (unit for unit in jobs["start"] if unit in fates and fates[unit].was_up)
        return sorted({*self._plan.reloaded, *jobs["restart"], *again})

    def _expectation(
        self, unit: str, expected: Expected, health_of: Callable[[str], Health], shown: Mapping[str, Properties]
    ) -> Expectation:
        jobs, health = self._plan.jobs, health_of(unit)
        begins = any(unit in jobs[verb] for verb in _BEGINNING) or unit in self._begun
        since = time.monotonic() if begins else 0.0
        allowed = self._allowed(unit, shown.get(unit, {})) if begins else NO_FALL
        if expected is Expected.DONE:
            waiting = jobs["start"] if unit not in jobs["run"] else ()  # what others wait for has their time
            timeout = max([health.timeout, *(health_of(each).timeout for each in waiting)])
            return Done(timeout, since, health.patient, allowed)
        restarted = run_of(shown[unit]) if unit in shown and unit in jobs["restart"] else None
        reloaded = run_of(shown[unit]) if unit in shown and unit in self._plan.reloaded else None
        proof = Proof(health, restarted, reloaded, since, allowed, answered_by_another)
        return Unfailed(proof) if expected is Expected.UNFAILED else Up(proof)

    @functools.cached_property
    def _begun(self) -> Set[str]:
        """What comes up by a run of its own, whether by a job of its own or with others."""
        return {unit for unit, fate in self._plan.fates.items() if fate.becomes is not Becomes.DOWN}

    def _allowed(self, unit: str, shown: Properties) -> Allowance:
        """How often it may fall: more if what it needs may not be up yet, or if it was good before."""
        if self._on_failure is OnFailure.GO_ON:
            return BACK
        fate = self._plan.fates.get(unit)
        own = any(unit in self._plan.jobs[verb] for verb in _BEGINNING)
        with_others = not own or not self._begun.isdisjoint(comes_after(shown))
        return ALONE if fate is not None and fate.was_up and not with_others else FIRST

    def _queue(self, call: Call) -> Outcome:
        units: Sequence[str] = call.units
        if call.alone:
            return self._manager.queue(call.verb, units, alone=True)
        does = _HANDED_ON.get(call.verb)
        if does is None or len(units) < 2:
            return jobs.queue(self._manager, call.verb, units)
        heads = not_taken_along(units, look(self._manager, units, self._manager.list_units()), does=does)
        done = jobs.queue(self._manager, call.verb, heads)
        others = [unit for unit in units if unit not in heads]
        if done.code != 0 and others and does is Does.RELOAD:
            return done.joined(jobs.queue(self._manager, call.verb, others))  # a job that is refused hands on none
        return done

    def _time_of(self, units: Sequence[str], health_of: Callable[[str], Health]) -> float:
        """The longest that one of these may take, which is as long as systemd gives it where nobody has said that."""
        patient = [unit for unit in units if health_of(unit).patient]
        own = [start_time(shown) or 0.0 for shown in self._manager.show(patient, START_TIMES).values()]
        return max([*own, *(health_of(unit).timeout for unit in units)])

    def _waiting_for(self, unsuccessful: AbstractSet[str], units: Sequence[str]) -> Set[str]:
        """Those of these that come after what has failed, or need it, straight or by way of others of the plan.

        They are left as they are, but on the way back.
        """
        if not unsuccessful or self._on_failure is OnFailure.GO_ON:
            return set()
        called = {unit for call in self._plan.calls for unit in call.units}
        return kept_waiting(self._manager, called, unsuccessful).intersection(units)

    def _run(self, call: Call, timeout: float, expected: Mapping[str, Expectation]) -> Sequence[str]:
        """Have oneshots do their work, once more if they are at it: a start alone would only wait for that.

        Returns those that were not begun.
        """
        units = call.units
        busy = wait_for_rest(self._manager, units, timeout, starts=True)
        if not busy:
            done = self._manager.run_to_end(units, timeout, call.alone)
            trying = self._tried_again(units) if done.code else []
            if trying:
                found = watch(self._manager, {unit: expected[unit] for unit in trying}, to_the_end=True)
                self.outcomes.failures += with_causes(self._manager, found)
            else:
                self._note(done, "start", units)
            return ()
        for unit in busy:
            self._fail(f"is still at its earlier work after {timeout:g} s", NOT_HEALTHY, unit)
        return units

    def _tried_again(self, units: Sequence[str]) -> List[str]:
        """Those that have failed, and that systemd starts again by itself: that ends the job, and not their work."""
        shown = self._manager.show(units, PROPERTIES)
        return [unit for unit, each in shown.items() if Look(unit, each, 0.0).is_tried_again]

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Carries a plan out, step by step in the plan's order.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Callable, Iterable, List, Mapping, Sequence, Set, Tuple, Type

from .._desired.stack import Desired
from .._host.causes import Failure, with_causes
from .._host.expectations import Done, Down, Expectation, Proof, Unfailed, Up
from .._host.files import Writer
from .._host.looks import RUN_PROPERTIES, Run, run_of
from .._host.manager import Manager, ManagerError, Outcome
from .._host.places import Places
from .._host.relations import UPHELD_BY, free_to_stop, queue_without_gaps, restarters, take_down
from .._host.watch import wait_for_rest, watch
from .._plan.plan import Plan, sockets_first

# A stop may take the whole of TimeoutStopSec= (90 s unless set) before systemd kills.
STOP_TIMEOUT = 120.0
# systemctl leaves the links of a masked unit.
_BEFORE_FILES = ("unmask", "disable")
_AFTER_FILES = ("mask", "reenable", "enable")


@dataclass
class Outcomes:
    """What became of a plan. failures empty: every watched unit is as it shall be. begun: no job was left out.

    upheld: units that stay down only once the new text of what upholds them is loaded.
    """

    failures: List[Failure] = field(default_factory=list)
    begun: bool = False
    upheld: List[str] = field(default_factory=list)


def carry_out(
    plan: Plan,
    desired: Desired,
    places: Places,
    manager: Manager,
    writer: Writer,
    concerned: Iterable[str],
    keep: bool = False,
) -> Outcomes:
    """Do all steps of a plan; stops at the first step that systemd or the file system refuses.

    concerned: all paths that this run, or one that was cut off before it, writes or removes. keep: what fails stays, so
    every other job is done and judged all the same.
    """
    outcomes = Outcomes()
    steps: Sequence[Callable[[], None]] = (
        # A full or read-only disk shows here, while everything still runs.
        lambda: _prepare(plan, places, writer),
        lambda: _stop(plan, manager, outcomes),
        lambda: _enablement(_BEFORE_FILES, plan, manager, outcomes),
        lambda: _files(plan, places, writer, concerned),
        lambda: _enablement(_AFTER_FILES, plan, manager, outcomes),
        lambda: _reload(plan, manager, outcomes),
        lambda: _take_down(outcomes.upheld, manager, outcomes),
        lambda: _jobs(plan, desired, manager, outcomes, keep),
    )
    for step in steps:
        try:
            step()
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            outcomes.failures.append(Failure("", f"the host refuses to write{where}: {error.strerror}"))
        except ManagerError as error:
            outcomes.failures.append(Failure("", str(error)))
        except Exception as error:  # pylint: disable=broad-exception-caught
            # A fault of ours, too, must not leave half a change behind.
            outcomes.failures.append(Failure("", f"unexpected {type(error).__name__}: {error}"))
        if outcomes.failures:
            break
    return outcomes


def _reload(plan: Plan, manager: Manager, outcomes: Outcomes) -> None:
    if plan.reload:
        _note(outcomes, manager.daemon_reload(), "daemon-reload")


def _note(outcomes: Outcomes, done: Outcome, what: str, units: Sequence[str] = ()) -> None:
    if done.code != 0:
        words = re.findall(r"[\w:.@\\-]+", done.message)
        unit = next((unit for unit in units if unit in words), units[0] if len(units) == 1 else "")
        outcomes.failures.append(Failure(unit, f"systemctl {what} failed: {done.message}"))


def _stop(plan: Plan, manager: Manager, outcomes: Outcomes) -> None:
    stopped = plan.jobs["stop"]
    upholders = restarters(manager, set(stopped).difference(plan.jobs["start"]), UPHELD_BY)
    outcomes.upheld = [unit for unit in stopped if set(upholders.get(unit, ())).difference(stopped)]
    _take_down([unit for unit in stopped if unit not in outcomes.upheld], manager, outcomes)
    if plan.to_stay_down and not outcomes.failures:  # one may have been started since the host was looked at
        come_up = free_to_stop(manager, plan.to_stay_down)
        _take_down(come_up, manager, outcomes)
        if come_up:
            manager.systemctl("reset-failed", come_up)  # what is cut off at its start has not failed


def _take_down(units: Sequence[str], manager: Manager, outcomes: Outcomes) -> None:
    if units:
        done, failures = take_down(manager, units, STOP_TIMEOUT)
        _note(outcomes, done, "stop", units)
        outcomes.failures += failures


def _prepare(plan: Plan, places: Places, writer: Writer) -> None:
    differences = plan.differences
    enablement = any(getattr(differences, verb) for verb in (*_BEFORE_FILES, *_AFTER_FILES))
    folders = {os.path.dirname(path) for path in differences.remove} | ({places.units} if enablement else set())
    for folder in sorted(folders):
        writer.refuse_read_only(folder)
    for wanted in differences.write:
        if wanted.secret:
            writer.make_folder(os.path.dirname(wanted.path), 0o700)
        writer.prepare(wanted.path, wanted.content, wanted.mode, places.owner)


def _files(plan: Plan, places: Places, writer: Writer, concerned: Iterable[str]) -> None:
    for path in plan.differences.remove:
        writer.remove(path)
    writer.put_in_place()
    for path in concerned:
        if not os.path.lexists(path):
            for folder in places.own_folders(path):
                writer.remove_folder_if_empty(folder)
    writer.settle()


def _enablement(verbs: Sequence[str], plan: Plan, manager: Manager, outcomes: Outcomes) -> None:
    for verb in verbs:
        units: Tuple[str, ...] = getattr(plan.differences, verb)
        if units:
            _note(outcomes, manager.change_enablement(verb, units), verb, units)


def _jobs(plan: Plan, desired: Desired, manager: Manager, outcomes: Outcomes, keep: bool) -> None:
    """Queue all jobs, dependencies in order, then wait for all of them together."""
    jobs = plan.jobs
    before = manager.show(sorted([*jobs["reload"], *jobs["restart"]]), RUN_PROPERTIES)
    runs = {unit: run_of(shown) for unit, shown in before.items()}
    verbs = ("stop", "reset-failed", "restart", "start", "run")
    deliberate = dict.fromkeys(unit for verb in verbs for unit in jobs[verb])
    if deliberate:
        # Earlier starts count against StartLimitBurst=, and that is no reason to refuse one that is meant; and what was
        # stopped at its work has not failed.
        manager.systemctl("reset-failed", list(deliberate))
    skipped: Set[str] = set()
    refused: Set[str] = set()  # systemd has said why, and nothing has become of them
    # A start of a unit whose reload is under way would have that done twice.
    pulling = [unit for unit in jobs["start"] if unit in jobs["reload"]]
    sockets = sockets_first(jobs["start"], {*jobs["restart"]}, plan.differences.after)
    for verb, units in (
        ("start", sockets),
        ("start", [unit for unit in pulling if unit not in sockets]),
        ("reload", jobs["reload"]),
        ("restart", jobs["restart"]),
        ("start", [unit for unit in jobs["start"] if unit not in (*sockets, *pulling)]),
        ("run", jobs["run"]),
    ):
        if outcomes.failures and not keep:  # all will be undone, so nothing more is begun
            skipped.update(units)
        elif units and verb == "run":
            skipped.update(_run(units, max(desired.health_of(unit).timeout for unit in units), manager, outcomes))
        elif units:
            _note(outcomes, queue_without_gaps(manager, verb, units), verb, units)
            refused.update(failure.unit for failure in outcomes.failures)
    outcomes.failures += [Failure("", message) for message in manager.wake_limits(jobs["touch-slice"])]
    outcomes.begun = not skipped
    expected = {
        unit: _expectation(unit, expected, plan, desired, runs)
        for unit, expected in plan.watched.items()
        if expected is not Down and unit not in skipped | refused
    }
    found = watch(manager, expected, to_the_end=keep)
    watched = {failure.unit for failure in found}
    outcomes.failures = [failure for failure in outcomes.failures if failure.unit not in watched]
    outcomes.failures += with_causes(manager, found)


def _run(units: Sequence[str], timeout: float, manager: Manager, outcomes: Outcomes) -> Sequence[str]:
    """Have oneshots do their work, once more if they are at it: a start alone would only wait for that.

    Returns those that were not begun.
    """
    busy = wait_for_rest(manager, units, timeout, starts=True)
    if not busy:
        _note(outcomes, manager.run_to_end(units, timeout), "start", units)
        return ()
    outcomes.failures += [Failure(unit, f"is still at its earlier work after {timeout:g} s") for unit in busy]
    return units


def _expectation(
    unit: str, expected: Type[Expectation], plan: Plan, desired: Desired, runs: Mapping[str, Run]
) -> Expectation:
    """runs: those of units that are restarted or reloaded, ahead of that."""
    jobs, health = plan.jobs, desired.health_of(unit)
    if expected is Done:
        waiting = jobs["start"] if unit not in jobs["run"] else ()  # what others wait for has their time
        return Done(max([health.timeout, *(desired.health_of(each).timeout for each in waiting)]))
    restarted = runs[unit] if unit in jobs["restart"] else None
    reloaded = runs[unit] if unit in jobs["reload"] else None
    proof = Proof(health, restarted, reloaded)
    return Unfailed(proof) if expected is Unfailed else Up(proof)

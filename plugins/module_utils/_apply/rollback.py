# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Puts back what a run has changed: files, enablement, and what ran. Private to the collection."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import AbstractSet, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from .._desired.stack import is_run_once
from .._host.causes import Failure
from .._host.expectations import Proof, Unfailed, Up
from .._host.files import Seen, Writer, look
from .._host.manager import Manager, ManagerError
from .._host.observed import UP, Observed, observe, units_under
from .._host.probe import Health
from .._host.relations import free_to_stop, queue_without_gaps, take_down
from .._host.watch import wait_for_rest, watch
from .._plan.plan import going_down, in_order, sockets_first
from .._plan.policy import recurs
from .._syntax.activation import STARTS, starts
from .record import Record, invocations

# Long enough for a stop that systemd has to end by SIGKILL after its default of 90 s.
_TIMEOUT = 120.0
_STABLE_FOR = 1.0
_RUNNING = (*UP, "deactivating")


def roll_back(record: Record, manager: Manager, writer: Writer) -> List[Failure]:
    """Bring back the state that the record describes; returns what did not come back, [] if all did.

    What cannot be brought back hinders nothing else.
    """
    failures: List[Failure] = []
    concerned = sorted({*record.up, *record.retrying, *record.watched, *record.handled, *record.owed})
    writer.discard()
    if manager.live:
        with _noted(failures):
            _withdraw(concerned, manager)
            wait_for_rest(manager, concerned, _TIMEOUT)
        with _noted(failures):
            failures += _down(_new(record, concerned, manager), manager)
    # What is new goes first, so that a full disk has room for what was.
    for path, seen in sorted(record.backups.items(), key=lambda item: item[1] is not None):
        with _noted(failures):
            _restore(path, seen, manager, writer)
    with _noted(failures):
        _relink(record, observe(manager, [], concerned), writer)
    with _noted(failures):
        writer.settle()
    if manager.live:
        with _noted(failures):
            done = manager.daemon_reload()
            if done.code != 0:
                failures.append(Failure("", f"daemon-reload failed: {done.message}"))
            failures += _up_again(record, concerned, observe(manager, [], concerned), manager)
    return failures


@contextmanager
def _noted(failures: List[Failure]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        failures.append(Failure("", f"{error.filename or 'the host'} cannot be restored: {error.strerror}"))
    except ManagerError as error:
        failures.append(Failure("", str(error)))


def _withdraw(units: Sequence[str], manager: Manager) -> None:
    """Cancel the jobs that have not begun: one that waits for what is stopped next would start its unit after that."""
    jobs = manager.waiting_jobs()
    ids = [jobs[unit][0] for unit in units if unit in jobs and jobs[unit][1] != "stop"]
    if ids:
        manager.systemctl("cancel", ids)


def _new(record: Record, concerned: Sequence[str], manager: Manager) -> List[str]:
    """Units that run and did not before, by a job of this run or since something else has started them."""
    now = manager.list_units()
    once = [unit for unit in record.up if record.owed.get(unit) == "run"]
    anew = {unit for unit, run in invocations(manager, once).items() if run != record.up[unit]}
    units = dict.fromkeys([*concerned, *_started_besides(record, now)])
    new = [unit for unit in units if unit not in record.up or unit in anew]
    return [unit for unit in new if unit in now and now[unit].active in _RUNNING]


def _started_besides(record: Record, loaded: Iterable[str]) -> List[str]:
    """What something else may have started meanwhile, a template's instances by their names."""
    return [unit for name in record.idle for unit in (units_under(loaded, name) if "@." in name else [name])]


def _down(units: Sequence[str], manager: Manager) -> List[Failure]:
    """Stop units, those that would start others again first."""
    if not units:
        return []
    ordered = sorted(units, key=lambda unit: unit.rpartition(".")[2] not in STARTS)
    done, failures = take_down(manager, ordered, _TIMEOUT)
    if done.code != 0:
        return [Failure(ordered[0] if len(ordered) == 1 else "", f"stop failed: {done.message}")]
    return failures


def _restore(path: str, seen: Optional[Seen], manager: Manager, writer: Writer) -> None:
    now = look(path)
    if seen is None:
        if now is not None:
            writer.remove(path)
        for folder in manager.places.own_folders(path):
            writer.remove_folder_if_empty(folder)
    elif seen.target is not None:
        if now is None or now.target != seen.target:
            writer.link(path, seen.target)
    elif now is None or (now.content, now.mode, now.uid, now.gid) != (seen.content, seen.mode, seen.uid, seen.gid):
        if path.startswith(manager.places.secrets + os.sep):
            writer.make_folder(os.path.dirname(path), 0o700)
        writer.write(path, seen.content or b"", seen.mode & 0o7777, (seen.uid, seen.gid))


def _relink(record: Record, restored: Observed, writer: Writer) -> None:
    """Enablement as the exact links that there were."""
    present: Dict[str, str] = {}
    for unit in record.enabled:
        present.update({path: restored.links[path] for path in restored.links_to(unit)})
    for path in present:
        if path not in record.links:
            writer.remove(path)
            if os.path.dirname(path) != restored.places.units:
                writer.remove_folder_if_empty(os.path.dirname(path))
    for path, target in record.links.items():
        if present.get(path) != target:
            writer.link(path, target)


def _up_again(record: Record, concerned: Sequence[str], restored: Observed, manager: Manager) -> List[Failure]:
    """What ran before runs again, by its old text; a process that was never touched is left alone."""
    looked_at = dict.fromkeys([*record.watched, *_started_besides(record, restored.states)])
    failed = [unit for unit in looked_at if restored.state(unit).active == "failed"]
    touched, reloaded = _touched(record, restored, manager)
    started = {starts(unit, restored.loadpath) for unit in touched if unit.endswith(".socket")}
    services = {unit for unit in started if "@." not in unit}
    cycled, by_name = _goes_down(services, restored, manager)
    failures = _down(by_name, manager)
    failures += _down(free_to_stop(manager, services.difference(cycled)), manager)
    # Of what the run had nothing to do with only the present is known.
    were_down = {*concerned, *_started_besides(record, restored.states)}.difference(record.up)
    again = [unit for unit in dict.fromkeys([*cycled, *touched]) if unit not in were_down]
    ordered = in_order(again, restored.loadpath)
    reset = dict.fromkeys([*failed, *ordered])  # its start by the new text counts against StartLimitBurst=
    if reset:
        manager.systemctl("reset-failed", list(reset))
    running = [unit for unit in ordered if restored.is_up(unit) and unit not in cycled]
    failures += _queue([unit for unit in ordered if unit not in running], running, reloaded, restored, manager)
    refused = {failure.unit for failure in failures}
    by_itself = {unit for unit, expected in record.watched.items() if expected is Unfailed}
    by_itself |= services.difference(record.watched)
    # What runs once has begun, and when it ends is its own affair.
    lasting = [unit for unit in ordered if not is_run_once(restored.loadpath.effective(unit))]
    health = Health(_STABLE_FOR, max(_TIMEOUT, record.patience))
    failures += watch(
        manager,
        {
            unit: Unfailed(Proof(health)) if unit in by_itself else Up(Proof(health))
            for unit in [*lasting, *reloaded]
            if unit not in refused
        },
    )
    # Its limits of before sleep as the new ones did.
    asleep = [unit for unit, verbs in record.owed.items() if "touch-slice" in verbs.split() and restored.is_up(unit)]
    failures += [Failure("", message) for message in manager.wake_limits(asleep)]
    if record.retrying:  # systemd goes on trying them; whether that comes to anything is not ours
        manager.queue("start", record.retrying)
    return failures


def _goes_down(services: AbstractSet[str], restored: Observed, manager: Manager) -> Tuple[AbstractSet[str], List[str]]:
    """What runs and has to be down while sockets of these services start, and what of that can be stopped by name.

    What refuses that goes down with what it needs.
    """
    known = restored
    while True:
        down = going_down(sorted(services), known)
        unknown = {*services, *down}.difference(known.bound)
        if not unknown:
            return down.keys(), [unit for unit in down if "RefuseManualStop" not in known.refusing.get(unit, ())]
        known = known.with_relations(manager, unknown)


def _queue(
    down: Sequence[str], running: Sequence[str], reloaded: Sequence[str], restored: Observed, manager: Manager
) -> List[Failure]:
    """Queue the jobs of a roll-back: sockets before all that might start their services."""
    failures = []
    sockets = sockets_first(down, {*running}, restored.loadpath)
    for verb, units in (
        ("start", sockets),
        ("reload", reloaded),
        ("restart", running[::-1]),
        ("start", [unit for unit in down if unit not in sockets]),
    ):
        if units:
            done = queue_without_gaps(manager, verb, units)
            if done.code != 0:
                failures.append(Failure(units[0] if len(units) == 1 else "", f"{verb} failed: {done.message}"))
    return failures


def _touched(record: Record, restored: Observed, manager: Manager) -> Tuple[List[str], List[str]]:
    """(units that have to be started anew, units that have to be reloaded)"""
    touched, reloaded = [], []
    runs = invocations(manager, record.up)
    for unit, invocation in record.up.items():
        text = restored.loadpath.effective(unit)
        if record.owed.get(unit) == "run" and is_run_once(text):
            continue  # its work was done or not, and is not done once more
        ours = unit in record.handled or record.watched.get(unit) is Up
        if not ours and (is_run_once(text) or restored.state(unit).active == "inactive"):
            continue  # it has ended by itself
        # A timer whose new times were over does not take up the old ones by daemon-reload.
        elapsed = unit.endswith(".timer") and restored.state(unit).sub == "elapsed" and unit in record.watched
        elapsed = elapsed and recurs(text)
        if not restored.is_up(unit) or runs.get(unit) != invocation or elapsed:
            touched.append(unit)
        elif "reload" in record.owed.get(unit, "").split():
            reloaded.append(unit)
    return touched, reloaded


def describe(failures: Sequence[Failure]) -> str:
    """What stands where after a roll-back that did not succeed."""
    what = "; ".join(f"{failure.unit}: {failure.message}" if failure.unit else failure.message for failure in failures)
    return f"THE ROLL-BACK FAILED TOO: {what}. Files and enablement are those of before; look at these units yourself"

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The way back to what a record describes: two plans, carried out as any other.

First what is new is stopped, and the earlier files are put back. Then it is looked at what daemon-reload has made of
that, and what has to be started is. Private to the collection.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from .._desired.render import FileWanted
from .._host.causes import NO_ANSWER, WRITE, Failure
from .._host.files import Seen, Writer, look
from .._host.graph import Graph, NotLookedAtError
from .._host.graph import look as relations
from .._host.health import Health
from .._host.manager import Manager, ManagerError, States
from .._host.observed import Observed, observe, units_under
from .._host.places import Places
from .._host.watch import STOP_TIMEOUT, wait_for_rest
from .._plan import sockets
from .._plan.consequences import fates, reloaded_with, still_upheld, stopped_with
from .._plan.expected import Expected
from .._plan.fates import Call
from .._plan.order import calls, ordered
from .._plan.owed import Owed
from .._plan.plan import VERBS, Files, Plan
from .._syntax.kinds import kind_of
from .._syntax.meaning import is_run_once, recurs
from .._syntax.names import is_template
from .._syntax.relations import NEEDS, Because
from .record import Record, anew, has_elapsed, invocations
from .transaction import OnFailure, carry_out

_STABLE_FOR = 1.0


class Undone(NamedTuple):
    """What came of a roll-back.

    failures: what did not come back. left: units that run though they did not before, each with the reason. again:
    units that ran before and were started again, whether the run or its undoing had ended them.
    """

    failures: List[Failure]
    left: Mapping[str, str]
    again: Tuple[str, ...] = ()

    def __str__(self) -> str:
        """What stands where now."""
        left = "".join(f", but {unit} stays up: {why}" for unit, why in self.left.items())
        return _describe(self.failures) if self.failures else "What was before is back in force" + left


def roll_back(record: Record, manager: Manager, writer: Writer) -> Undone:
    """Bring back the state that the record describes. What cannot be brought back hinders nothing else."""
    writer.discard()
    concerned = sorted({*record.up, *record.retrying, *record.watched, *record.handled, *record.owed})
    health = Health(_STABLE_FOR, max(STOP_TIMEOUT, record.patience), patient=True)
    failures: List[Failure] = []
    new: List[str] = []
    left: Mapping[str, str] = {}
    upheld: FrozenSet[str] = frozenset()
    links: Mapping[str, str] = {}
    runs = dict(record.up)
    with _noted(failures):
        if manager.live:
            _withdraw(concerned, manager)
            wait_for_rest(manager, concerned)
            new = _new(record, concerned, manager)
            graph = relations(manager, new, manager.list_units())
            new, left, fallen = _taken_down(record, new, graph)
            upheld = still_upheld(new, new, graph)
            runs = {**invocations(manager, fallen), **record.up}
            record = record._replace(up=runs, handled=(*record.handled, *fallen))
            concerned = sorted({*concerned, *fallen})
    with _noted(failures):
        links = _links(record, observe(manager, [], concerned))
    plan = _files_back(record, new, links, manager)._replace(upheld=upheld)
    touched = [*record.backups, *plan.files.remove]
    failures += carry_out(plan, lambda _unit: health, manager, writer, touched, OnFailure.GO_ON).failures
    if manager.live:
        with _noted(failures):
            back = _look_back(record, concerned, left, manager)
            # By its earlier text nothing may need what was started.
            late, left, fallen = _taken_down(record, [unit for unit in left if back.states[unit].can_stop], back.graph)
            plan = _runs_again(record, back, late, fallen)
            with suppress(NotLookedAtError):  # a list that is not complete must not keep anything from coming back
                runs = {**invocations(manager, _taken_along(plan, back.graph)), **runs}
            failures += carry_out(plan, lambda _unit: health, manager, writer, (), OnFailure.GO_ON).failures
        if record.retrying:  # systemd goes on trying them; whether that comes to anything is not ours
            manager.queue("start", record.retrying)
    return Undone(failures, left, anew(runs, manager) if manager.live else ())


def _taken_along(plan: Plan, graph: Graph) -> List[str]:
    """All that is up, and that these jobs end, whose ever it is."""
    foretold = fates([Call("stop", plan.jobs["stop"]), *plan.calls], graph)
    return [unit for unit, fate in foretold.items() if fate.was_up]


@contextmanager
def _noted(failures: List[Failure]) -> Iterator[None]:
    try:
        yield
    except (OSError, ManagerError) as error:
        failures.append(Failure("", str(error), rule=NO_ANSWER if isinstance(error, ManagerError) else WRITE))


def _withdraw(units: Sequence[str], manager: Manager) -> None:
    """Cancel the jobs that have not begun: one that waits for what is stopped next would start its unit after that."""
    jobs = manager.waiting_jobs()
    ids = [jobs[unit][0] for unit in units if unit in jobs and jobs[unit][1] != "stop"]
    if ids:
        manager.systemctl("cancel", ids)


def _new(record: Record, concerned: Sequence[str], manager: Manager) -> List[str]:
    """Units that run and did not before: started by this run, or by something else meanwhile."""
    now = manager.list_units()
    once = [unit for unit in record.up if Owed.RUN in record.owed.get(unit, ())]
    anew = {unit for unit, run in invocations(manager, once).items() if run != record.up[unit]}
    units = dict.fromkeys([*concerned, *_started_besides(record, now)])
    return [unit for unit in units if (unit not in record.up or unit in anew) and now[unit].can_stop]


def _taken_down(record: Record, new: Sequence[str], graph: Graph) -> Tuple[List[str], Dict[str, str], List[str]]:
    """(what of this is stopped, what is left and why, what goes down with it and has to run again)"""
    left: Dict[str, str] = {}
    fallen: Dict[str, None] = {}
    for unit in new:
        taken = stopped_with(unit, graph)
        others = [other for other in taken if other not in new and graph.states[other].is_up]
        needing = next((other for other in others if _needs(other, unit, taken)), "")
        if needing:
            left[unit] = f"{needing} needs it"
        elif unit not in record.watched and "RefuseManualStop" in graph.node(unit).settings:
            left[unit] = "it refuses a manual stop"
        else:
            fallen.update(dict.fromkeys(others))
    return [unit for unit in new if unit not in left], left, list(fallen)


def _needs(other: str, unit: str, taken: Mapping[str, Because]) -> bool:
    """Cannot the one be up without the other, straight or by way of others?"""
    while other != unit and other in taken and taken[other].directive in NEEDS:
        other = taken[other].unit
    return other == unit


def _started_besides(record: Record, loaded: Iterable[str]) -> List[str]:
    """What something else may have started meanwhile, a template's instances by their names."""
    return [unit for name in record.idle for unit in (units_under(loaded, name) if is_template(name) else [name])]


def _links(record: Record, now: Observed) -> Dict[str, str]:
    """The enablement links that there are of units whose links the run may have changed."""
    return {path: now.links[path] for unit in record.linked.units for path in now.links_under(unit)}


def _files_back(record: Record, new: Sequence[str], links: Mapping[str, str], manager: Manager) -> Plan:
    """Stop what is new; put files back as the record has them, and enablement as the exact links that there were."""
    # What would start others again is stopped before them.
    stopped = tuple(sorted(new, key=lambda unit: not kind_of(unit).is_starter))
    gone = [path for path, seen in record.backups.items() if seen is None]
    gone += [path for path in links if path not in record.linked.links and path not in record.backups]
    targets = {path: target for path, target in record.linked.links.items() if path not in record.backups}
    write = []
    for path, seen in record.backups.items():
        if seen is not None and seen.target is not None:
            targets[path] = seen.target
        elif seen is not None and not _is_there(path, seen):
            write.append(_restored(path, seen, manager.places))
    targets = {path: target for path, target in targets.items() if _target(path) != target}
    return Plan(
        files=Files(tuple(write), tuple(gone), targets),
        jobs={**dict.fromkeys(VERBS, ()), "stop": stopped},
        reload=manager.live,
    )


def _restored(path: str, seen: Seen, places: Places) -> FileWanted:
    secret = places.is_secret(path)
    return FileWanted(path, seen.content or b"", seen.mode & 0o7777, "", secret, owner=(seen.uid, seen.gid))


def _is_there(path: str, seen: Seen) -> bool:
    now = look(path)
    return now is not None and (now.content, now.mode, now.uid, now.gid) == (
        seen.content,
        seen.mode,
        seen.uid,
        seen.gid,
    )


def _target(path: str) -> str:
    now = look(path)
    return (now.target if now else None) or ""


class _Back(NamedTuple):
    """The host once its files are those of before.

    observed: the look at it. graph: how the units that were touched are related. concerned: units that this run, or one
    before it, had anything to do with. services: those of the sockets that have to start anew. cycled: those of them
    that run, with all that goes down with them. touched, reloaded: units that have to be started anew, or reloaded.
    """

    observed: Observed
    graph: Graph
    concerned: FrozenSet[str]
    services: FrozenSet[str]
    cycled: Mapping[str, str]
    touched: Tuple[str, ...]
    reloaded: Tuple[str, ...]

    @property
    def states(self) -> States:
        return self.observed.states


def _look_back(record: Record, concerned: Sequence[str], left: Iterable[str], manager: Manager) -> _Back:
    observed = observe(manager, [], concerned)
    touched, reloaded = _touched(record, observed, invocations(manager, record.up))
    services = sockets.services(touched, observed.loadpath)
    graph = relations(manager, services.union(touched, reloaded, left), observed.states)
    both = frozenset([*concerned, *_started_besides(record, observed.states)])
    cycled = sockets.down_together(sorted(services), graph)
    return _Back(observed, graph, both, services, cycled, tuple(touched), tuple(reloaded))


def _runs_again(record: Record, back: _Back, late: Sequence[str] = (), fallen: Sequence[str] = ()) -> Plan:
    """What ran before runs again, by its old text; a process that was never touched is left alone.

    late: what is new, and goes down only now. fallen: what goes down with that.
    """
    states, loadpath = back.states, back.observed.loadpath
    # A unit that refuses a manual stop goes down with what it needs.
    by_name = [unit for unit in back.cycled if "RefuseManualStop" not in back.graph.node(unit).settings]
    # For units outside this run we only know the current state.
    were_down = back.concerned.difference(record.up)
    again = [unit for unit in dict.fromkeys([*back.cycled, *back.touched, *fallen]) if unit not in were_down]
    running = [unit for unit in again if states[unit].is_up and unit not in {*back.cycled, *fallen}]
    looked_at = dict.fromkeys([*record.watched, *_started_besides(record, states)])
    asleep = [unit for unit, owing in record.owed.items() if Owed.TOUCH_SLICE in owing and states[unit].is_up]
    jobs = {
        **dict.fromkeys(VERBS, ()),
        "stop": (*late, *by_name),
        "reset-failed": tuple(unit for unit in looked_at if states[unit].active == "failed"),
        # Its earlier limits are dormant now, as the new ones were.
        "touch-slice": tuple(asleep),
        "reload": back.reloaded,
        "restart": ordered("restart", running, loadpath),
        "start": ordered("start", [unit for unit in again if unit not in running], loadpath),
    }
    return Plan(
        jobs=jobs,
        to_stay_down=back.services.difference(back.cycled),
        calls=calls(jobs, loadpath),
        watched=_watched(record, jobs, back),
    )


def _watched(record: Record, jobs: Mapping[str, Sequence[str]], back: _Back) -> Dict[str, Expected]:
    by_itself = {unit for unit, expected in record.watched.items() if expected is Expected.UNFAILED}
    by_itself |= back.services.difference(record.watched)
    # What runs once has begun, and when it ends is its own affair.
    begun = [*jobs["restart"], *jobs["start"]]
    lasting = [unit for unit in begun if not is_run_once(back.observed.loadpath.effective(unit))]
    lasting += [*jobs["reload"], *reloaded_with(jobs["reload"], back.graph)]
    return {unit: Expected.UNFAILED if unit in by_itself else Expected.UP for unit in lasting}


def _touched(record: Record, restored: Observed, runs: Mapping[str, str]) -> Tuple[List[str], List[str]]:
    """(units that have to be started anew, units that have to be reloaded)"""
    touched, reloaded = [], []
    for unit, invocation in record.up.items():
        text, now = restored.loadpath.effective(unit), restored.states[unit]
        owing = record.owed.get(unit, ())
        if Owed.RUN in owing and is_run_once(text):
            continue  # its work was done or not, and is not done once more
        ours = unit in record.handled or record.watched.get(unit) is Expected.UP
        if not ours and (is_run_once(text) or now.active == "inactive"):
            continue  # it has ended by itself
        if unit in record.over:
            continue  # a new start could run once more what it has started for the last time
        # A timer whose new times were over does not take up the old ones by daemon-reload.
        elapsed = unit in record.watched and has_elapsed(unit, now) and recurs(text)
        if not now.is_up or runs.get(unit) != invocation or elapsed:
            touched.append(unit)
        elif Owed.RELOAD in owing:
            reloaded.append(unit)
    return touched, reloaded


def _describe(failures: Sequence[Failure]) -> str:
    what = "; ".join(f"{failure.unit}: {failure.message}" if failure.unit else failure.message for failure in failures)
    return f"THE ROLL-BACK FAILED TOO: {what}. Files and enablement are those of before; look at these units yourself"

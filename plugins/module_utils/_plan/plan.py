# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Puts what the policy wants into the order in which it is safe to do. Pure. Private to the collection."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import AbstractSet, Dict, FrozenSet, Iterable, List, Mapping, Sequence, Set, Tuple

from .._desired.options import RUNNING
from .._desired.render import FileWanted
from .._host.observed import Observed
from .._syntax.activation import starts
from .._syntax.dependencies import NEEDS, needed
from .._syntax.kinds import Cause, File, Processes, kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import is_run_once, refuses_start, words
from .differences import Differences
from .owners import unit_of
from .policy import Act, decide


@dataclass(frozen=True)
class Step:
    """A line of the plan as a person reads it; path is given for steps about files."""

    action: str
    unit: str
    reason: str
    path: str = ""

    def as_dict(self) -> Dict[str, str]:
        shown = {"action": self.action, "unit": self.unit, "reason": self.reason, "path": self.path}
        return {key: value for key, value in shown.items() if value or key == "action"}


@dataclass(frozen=True)
class Plan:
    """Everything a run does, in the order in which it does it.

    steps: the whole as lines to read. jobs: per verb the units, in order. to_stay_down: services that are down, and
    that something may start before its stop. watched: what becomes of units, as Checks.expect; health decides of all
    but those that go down. kept: units left with an older version on purpose.
    """

    steps: Tuple[Step, ...]
    differences: Differences
    jobs: Mapping[str, Tuple[str, ...]]
    to_stay_down: FrozenSet[str]
    reload: bool
    watched: Mapping[str, str]
    kept: Mapping[str, str]
    deferred: Tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not self.steps


def make(differences: Differences, observed: Observed) -> Plan:
    """Put all that has to be done into the order in which it is safe to do."""
    acts: List[Act] = []
    for case in differences.cases:
        acts += _left_alone(decide(case, observed.version), observed, differences.after)
    acts += [Act("stop", unit, "to be masked") for unit in differences.mask if observed.is_up(unit)]
    to_stay_down = _to_stay_down(acts, differences, observed)
    acts = _settle(acts, differences, observed)
    jobs = {
        verb: _ordered(verb, acts, differences.after)
        for verb in ("stop", "reset-failed", "touch-slice", "reload", "restart", "start", "run")
    }
    done = {unit for verb in ("stop", "restart", "run") for unit in jobs[verb]}
    # What goes down with another one comes up by its newest text.
    done.update(observed.restarted_along(jobs["restart"], jobs["stop"]), observed.taken_along(jobs["stop"]))
    kept = {act.unit: act.reason for act in acts if act.verb == "keep" and act.unit not in done}
    reload = _reload_reason(differences, observed)
    deferred: Tuple[str, ...] = ()
    if not observed.live:
        deferred = tuple(case.unit for case in differences.cases if case.wanted not in ("present", "absent"))
        jobs = dict.fromkeys(jobs, ())
        reload = ""
    steps = _steps(differences, jobs, reload, acts, observed)
    return Plan(
        steps=tuple(steps),
        differences=differences,
        jobs=jobs,
        to_stay_down=to_stay_down if observed.live else frozenset(),
        reload=bool(reload),
        watched=_watched(differences, jobs, observed) if observed.live else {},
        kept=kept if observed.live else {},
        deferred=deferred,
    )


def _to_stay_down(acts: Sequence[Act], differences: Differences, observed: Observed) -> FrozenSet[str]:
    """Services that are down, and must be while a socket of theirs starts, or go with what starts them."""
    going = {case.unit for case in differences.cases if case.leaves}
    leaving = [act.unit for act in acts if act.verb == "stop"]
    found = going.intersection(starts(unit, observed.loadpath) for unit in leaving)
    found.update(act.unit for act in acts if act.verb == "cycle")
    return frozenset(unit for unit in found if unit in observed.states and not observed.is_up(unit))


def _left_alone(acts: Sequence[Act], observed: Observed, after: LoadPath) -> List[Act]:
    """What is to be done for one unit, less what has to be left to a person.

    A restart of what this run or its connection lives in would cut it off half-way, and systemd refuses to stop or
    start some units by name. A socket is not cycled without its service, nor started while that runs.
    """
    reason = ""
    cycled = going_down([act.unit for act in acts if act.verb == "cycle"], observed)
    restarted = [act.unit for act in acts if act.verb == "restart"]
    if not observed.carriers.isdisjoint(cycled) or any(carries(unit, observed.bound, observed) for unit in restarted):
        reason = "; but this run's own connection depends on it: restart it yourself"
    elif any(observed.refusing.get(unit) or refuses_start(after.effective(unit)) for unit in cycled):
        reason = "; but it or what goes down with it refuses a manual stop or start: it is current after a boot"
    if not reason:
        return list(acts)
    left = ("restart", "cycle", "start")
    return [Act("keep", act.unit, act.reason + reason) if act.verb in left else act for act in acts]


def going_down(units: Sequence[str], observed: Observed) -> Dict[str, str]:
    """Those of these units that run, and all that has to go down and up again with these, each with the reason.

    A connection to a socket that still listens would start the service, and then no other socket of it can start: so
    its sockets go down and up even if the service itself is down just now.
    """
    found = dict.fromkeys(units, "")
    ahead = list(units)
    while ahead:
        unit = ahead.pop()
        also = dict.fromkeys(observed.starters.get(unit, ()), f"it would start {unit}, which goes down")
        if observed.is_up(unit):
            also.update(dict.fromkeys(observed.stopped_with.get(unit, ()), f"goes down with {unit}"))
        more = {other: reason for other, reason in also.items() if observed.is_up(other) and other not in found}
        found.update(more)
        ahead += more
    return {unit: reason for unit, reason in found.items() if observed.is_up(unit)}


def carries(unit: str, bound: Mapping[str, Sequence[str]], observed: Observed) -> bool:
    return any(each in observed.carriers and observed.is_up(each) for each in (unit, *bound.get(unit, ())))


def displaced(plan: Plan, observed: Observed) -> Dict[str, str]:
    """Units that run and that a start ends by Conflicts= of either (systemd.unit(5)), each with what is started."""
    after = plan.differences.after
    started = [unit for verb in ("restart", "start", "run") for unit in plan.jobs[verb]]
    return {
        other: unit
        for unit in started
        for other in (*words(after.effective(unit), "Unit", "Conflicts"), *observed.conflicting.get(unit, ()))
        if observed.is_up(other) and other not in started
    }


def _along(leaving: AbstractSet[str], differences: Differences, observed: Observed) -> Dict[str, str]:
    """Units of this run that are up, stay, and go down with those that leave, each with the reason."""
    staying = (case for case in differences.cases if not case.leaves)
    running = {case.unit for case in staying if observed.is_up(case.unit) and not is_run_once(case.after)} - leaving
    # A slice without a file systemd makes itself.
    going = {case.unit for case in differences.cases if case.leaves and case.kind.file is not File.OPTIONAL}
    going.update(differences.mask)
    return {
        other: f"goes down with {unit}"
        for other, unit in observed.taken_along(sorted(leaving)).items()
        if other in running and going.isdisjoint(needed([other], differences.after))
    }


def _at_work(units: Iterable[str], differences: Differences) -> Set[str]:
    """What runs once and is at it: once it was cut off, when it runs again is for its timer to say."""
    return {unit for unit in units if is_run_once(differences.after.effective(unit))}


def _settle(acts: Sequence[Act], differences: Differences, observed: Observed) -> List[Act]:
    """One verb a unit: going down for good beats all else, a cycle beats a restart, a restart a reload or start.

    What goes down with another one's stop, and is not declared stopped too, comes up again.
    """
    leaving = {act.unit for act in acts if act.verb == "stop"}
    along = _along(leaving, differences, observed)
    cycled = {act.unit: act.reason for act in acts if act.verb == "cycle"}
    # Such a socket starts only while its service is down.
    for socket in (unit for unit in along if kind_of(unit).starts.hands_over):
        both = (socket, starts(socket, differences.after))
        cycled.update({unit: along[socket] for unit in both if observed.is_up(unit) and unit not in cycled})
    company = going_down(list(cycled), observed)
    cycled = {unit: cycled.get(unit) or reason for unit, reason in company.items() if unit not in leaving}
    restarted = {act.unit for act in acts if act.verb == "restart"}
    result: Dict[Tuple[str, str], Act] = {}
    for act in acts:
        beaten = act.unit in leaving and act.verb in ("restart", "reload", "start")
        beaten = beaten or (act.unit in cycled and act.verb in ("restart", "reload", "start"))
        beaten = beaten or (act.unit in restarted and act.verb in ("reload", "start"))
        if act.verb != "cycle" and not beaten:
            result.setdefault((act.verb, act.unit), act)
    for unit, reason in along.items():
        if unit not in cycled and unit not in restarted:
            result.pop(("reload", unit), None)
            result[("start", unit)] = Act("start", unit, reason)
    at_work = _at_work(cycled, differences)
    for unit, reason in cycled.items():
        result[("stop", unit)] = Act("stop", unit, reason)
        if unit not in at_work:
            result[("start", unit)] = Act("start", unit, reason)
    return list(result.values())


def _ordered(verb: str, acts: Sequence[Act], after: LoadPath) -> Tuple[str, ...]:
    """systemd takes several names as separate jobs, in the order given: dependencies first for start, else last.

    What would start a unit again (a socket, a timer) is stopped before it.
    """
    ranked = in_order(list(dict.fromkeys(act.unit for act in acts if act.verb == verb)), after)
    if verb in ("start", "run", "reload"):
        return tuple(ranked)
    ranked.reverse()
    return tuple(sorted(ranked, key=lambda unit: verb == "stop" and not kind_of(unit).is_starter))


def in_order(units: Sequence[str], loadpath: LoadPath) -> List[str]:
    """Units sorted so that each comes after those it is ordered After=. Stable, cycles cut.

    A socket comes before the service that it starts, which has to be down then; a path, which may start it, after.
    """
    if len(units) < 2:
        return list(units)
    after = _earlier(units, loadpath)
    result: List[str] = []
    state: Dict[str, int] = {}

    def visit(unit: str) -> None:
        pending = [(unit, iter(sorted(after[unit])))]
        state[unit] = 1
        while pending:
            current, others = pending[-1]
            other = next((each for each in others if each not in state), None)
            if other is None:
                pending.pop()
                result.append(current)
            else:
                state[other] = 1
                pending.append((other, iter(sorted(after[other]))))

    for unit in units:
        if unit not in state:
            visit(unit)
    return result


def sockets_first(units: Sequence[str], restarted: AbstractSet[str], loadpath: LoadPath) -> List[str]:
    """The sockets among units to be started, and those that a socket is to come after.

    Any other job may start the service of a socket, and that socket then does not start. A socket that a restart takes
    along, or that is to come after it, is no earlier than that, and with it all others of its service.
    """
    serves = {unit: starts(unit, loadpath) for unit in units if kind_of(unit).starts.hands_over}
    late = {service for unit, service in serves.items() if not restarted.isdisjoint(_hangs_on(unit, loadpath))}
    sockets = [unit for unit, service in serves.items() if service not in late]
    after = _earlier(units, loadpath) if sockets else {}
    found: Set[str] = set()
    while sockets:
        found.add(sockets[-1])
        sockets += after[sockets.pop()] - found
    return [unit for unit in units if unit in found]


def _hangs_on(unit: str, loadpath: LoadPath) -> Set[str]:
    text = loadpath.effective(unit)
    return needed([unit], loadpath).union(words(text, "Unit", "PartOf"), words(text, "Unit", "After")) - {unit}


def _earlier(units: Sequence[str], loadpath: LoadPath) -> Dict[str, Set[str]]:
    """For each of these units those of them that it comes after."""
    members = set(units)
    after: Dict[str, Set[str]] = {unit: set() for unit in units}
    for unit in units:
        text = loadpath.effective(unit)
        after[unit].update(members.intersection(words(text, "Unit", "After")) - {unit})
        for later in members.intersection(words(text, "Unit", "Before")) - {unit}:
            after[later].add(unit)
        activation = kind_of(unit).starts
        started = starts(unit, loadpath) if activation.cause is Cause.EVENT else ""
        if started in members:
            first, later = (unit, started) if activation.hands_over else (started, unit)
            after[later].add(first)
    return after


def _reload_reason(differences: Differences, observed: Observed) -> str:
    units = observed.places.units + os.sep
    if any(not wanted.secret for wanted in differences.write) or any(
        path.startswith(units) for path in differences.remove
    ):
        return "unit files changed"
    if any((differences.enable, differences.reenable, differences.disable, differences.mask, differences.unmask)):
        return "enablement changed"
    return differences.reload_due


def _watched(differences: Differences, jobs: Mapping[str, Sequence[str]], observed: Observed) -> Dict[str, str]:
    """Whose health decides: what had a job, what runs and had its text changed, and what is bound to either."""
    watched = {unit: expect for unit, expect in differences.pending.judged.items() if observed.is_up(unit)}
    for case in differences.cases:
        # What runs once, or for one connection, ends by itself, at a time of its own.
        lasting = not is_run_once(case.after) and not case.per_connection
        if observed.runs(case.unit) and (case.changed or case.new) and not case.leaves and lasting:
            watched[case.unit] = "up" if case.wanted in RUNNING else "unfailed"
    along = observed.restarted_along(jobs["restart"], jobs["stop"])
    services = [case for case in differences.cases if case.kind.processes is Processes.MAIN]
    present = {case.unit for case in services if case.wanted == "present"}
    on_demand = present.intersection(_started_by_others(differences, observed))
    for unit in (*jobs["restart"], *(other for other in along if other not in watched)):
        watched[unit] = "unfailed" if unit in on_demand else "up"
    # What was up, and goes down and up with others, may have been started by a timer of someone else, too.
    watched.update({unit: "unfailed" if unit in present else "up" for unit in jobs["start"]})
    watched.update({unit: "done" for unit in _newly_needed(differences, jobs) if unit not in watched})
    watched.update(dict.fromkeys(jobs["reload"], "up"))
    watched.update(dict.fromkeys(jobs["run"], "done"))
    started = {*jobs["start"], *jobs["restart"], *jobs["run"]}
    # A socket or path whose service does not start falls with it.
    starters = [other for unit in sorted(started) for other in observed.starters.get(unit, ())]
    watched.update({other: "up" for other in starters if observed.is_up(other) and other not in watched})
    watched.update({unit: "down" for unit in jobs["stop"] if unit not in started})
    return watched


def _newly_needed(differences: Differences, jobs: Mapping[str, Sequence[str]]) -> Set[str]:
    """Units of this declaration that a start pulls in for what runs on, and that it cannot be without from now on."""
    ours = {case.unit for case in differences.cases}
    pulling = (case for case in differences.cases if case.pulls and case.unit in jobs["start"])
    return {
        unit
        for case in pulling
        for directive in NEEDS
        for unit in ours.intersection(case.pulls, words(case.after, "Unit", directive))
    }


def _started_by_others(differences: Differences, observed: Observed) -> Set[str]:
    """Units that sockets, paths and timers start, and that may end when their work is done."""
    started = {unit for case in differences.cases for unit in case.partners if not case.leaves}
    return started.union(unit for unit, others in observed.starters.items() if others)


def _steps(
    differences: Differences,
    jobs: Mapping[str, Sequence[str]],
    reload: str,
    acts: Sequence[Act],
    observed: Observed,
) -> List[Step]:
    reasons = {(act.verb, act.unit): act.reason for act in acts}
    steps = []
    if differences.pending.since:
        steps.append(Step("recover", "", f"a run that began at {differences.pending.since} was interrupted"))
    down = jobs["stop"]
    steps += [_job_step("stop", unit, reasons, observed, down) for unit in down]
    steps += [Step("unmask", unit, "declared not masked") for unit in differences.unmask]
    steps += [Step("disable", unit, "declared not enabled, or its file goes") for unit in differences.disable]
    steps += [_file_step(wanted, observed) for wanted in differences.write]
    steps += [Step("remove", unit_of(path, observed), "no longer declared", path) for path in differences.remove]
    steps += [Step("mask", unit, "declared masked") for unit in differences.mask]
    steps += [Step("reenable", unit, "its [Install] section and its links differ") for unit in differences.reenable]
    steps += [Step("enable", unit, "declared enabled") for unit in differences.enable]
    steps += [Step("daemon-reload", "", reload)] if reload else []
    for verb in ("reset-failed", "reload", "restart", "start", "run", "touch-slice"):
        steps += [_job_step(verb, unit, reasons, observed, down) for unit in jobs[verb]]
    return steps


def _job_step(
    verb: str, unit: str, reasons: Mapping[Tuple[str, str], str], observed: Observed, down: Sequence[str]
) -> Step:
    reason = reasons.get((verb, unit), "")
    along = {"stop": observed.stopped_with, "restart": observed.bound}.get(verb, {})
    bound = [other for other in along.get(unit, ()) if observed.is_up(other) and (verb == "stop" or other not in down)]
    if bound:
        reason += f"; takes {', '.join(bound)} along"
    return Step(verb, unit, reason)


def _file_step(wanted: FileWanted, observed: Observed) -> Step:
    seen = observed.files.get(wanted.path)
    if seen is None:
        return Step("write", wanted.unit, "new", wanted.path)
    reason = "differs" if seen.content != wanted.content else "its mode or owner differs"
    return Step("write", wanted.unit, reason, wanted.path)


def affected(plan: Plan, observed: Observed) -> Set[str]:
    """Units whose relations to others the plan has to know: what gets a job that starts it, or may stop it."""
    units = {unit for verb in ("stop", "restart", "start", "run") for unit in plan.jobs[verb]}
    return {*units, *plan.jobs["reload"], *displaced(plan, observed), *plan.to_stay_down}

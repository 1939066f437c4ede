# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Puts what the policy wants into the order in which it is safe to do. Pure. Private to the collection."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Set, Tuple

from .._host.observed import Observed
from .._syntax.loadpath import LoadPath, last, words
from .._syntax.problem import Problem
from .cases import Case, Differences
from .desired import STARTS, Desired, UnitWanted, can_reload, is_run_once
from .owners import unit_of
from .policy import Act, decide
from .render import FileWanted


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

    steps: the whole as lines to read. jobs: per verb the units, in the order of the one call. watched: units whose
    health decides, with what is expected of them (up, down, done). kept: units left with an older version on purpose.
    """

    steps: Tuple[Step, ...]
    differences: Differences
    jobs: Mapping[str, Tuple[str, ...]]
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
        acts += _kept_alive(decide(case, observed.version), observed)
    acts += [Act("stop", unit, "to be masked") for unit in differences.mask if observed.is_up(unit)]
    acts = _settle(acts, observed)
    jobs = {
        verb: _ordered(verb, acts, differences.after)
        for verb in ("stop", "reset-failed", "touch-slice", "reload", "restart", "start", "run")
    }
    kept = {act.unit: act.reason for act in acts if act.verb == "keep"}
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
        reload=bool(reload),
        watched=_watched(differences, jobs, observed) if observed.live else {},
        kept=kept if observed.live else {},
        deferred=deferred,
    )


def _kept_alive(acts: Sequence[Act], observed: Observed) -> List[Act]:
    """A restart of what this run or its connection lives in would cut it off half-way, so that is left to a person.

    acts: all that is to be done for one unit. A socket is not cycled without its service, nor started while that runs.
    """
    if not any(act.verb in ("restart", "cycle") and _carries(act.unit, observed) for act in acts):
        return list(acts)
    reason = "; but this run's own connection depends on it: restart it yourself"
    left = ("restart", "cycle", "start")
    return [Act("keep", act.unit, act.reason + reason) if act.verb in left else act for act in acts]


def _carries(unit: str, observed: Observed) -> bool:
    return any(each in observed.carriers and observed.is_up(each) for each in (unit, *observed.bound.get(unit, ())))


def suicidal(plan: Plan, observed: Observed) -> List[Problem]:
    """Stops that would end this run or its connection: refused before anything is written."""
    message = "to stop it would cut off this very run, which depends on it: do that by another way into the host"
    return [
        Problem(message, unit=unit, rule="own-connection") for unit in plan.jobs["stop"] if _carries(unit, observed)
    ]


def _settle(acts: Sequence[Act], observed: Observed) -> List[Act]:
    """One verb a unit: going down for good beats all else, a cycle beats a restart, a restart a reload or start."""
    leaving = {act.unit for act in acts if act.verb == "stop"}
    cycled = {act.unit: act.reason for act in acts if act.verb == "cycle" and observed.is_up(act.unit)}
    ahead = list(cycled)
    while ahead:
        unit = ahead.pop()
        # A connection to one that still listens would start the service, and then no other socket of it can start.
        also = dict.fromkeys(observed.sockets.get(unit, ()), f"it would start {unit}, which goes down")
        also.update(dict.fromkeys(observed.bound.get(unit, ()), f"goes down with {unit}"))
        more = {other: reason for other, reason in also.items() if observed.is_up(other) and other not in cycled}
        cycled.update(more)
        ahead += more
    cycled = {unit: reason for unit, reason in cycled.items() if unit not in leaving}
    restarted = {act.unit for act in acts if act.verb == "restart"}
    result: Dict[Tuple[str, str], Act] = {}
    for act in acts:
        beaten = act.unit in leaving and act.verb in ("restart", "reload", "start", "run")
        beaten = beaten or (act.unit in cycled and act.verb in ("restart", "reload", "start"))
        beaten = beaten or (act.unit in restarted and act.verb in ("reload", "start"))
        if act.verb != "cycle" and not beaten:
            result.setdefault((act.verb, act.unit), act)
    for unit, reason in cycled.items():
        result[("stop", unit)] = Act("stop", unit, reason)
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
    return tuple(sorted(ranked, key=lambda unit: verb == "stop" and unit.rpartition(".")[2] not in STARTS))


def in_order(units: Sequence[str], loadpath: LoadPath) -> List[str]:
    """Units sorted so that each comes after those it is ordered After=; sockets before the rest. Stable, cycles cut."""
    if len(units) < 2:
        return list(units)
    members = set(units)
    after: Dict[str, Set[str]] = {unit: set() for unit in units}
    for unit in units:
        text = loadpath.effective(unit)
        after[unit].update(members.intersection(words(text, "Unit", "After")) - {unit})
        for later in members.intersection(words(text, "Unit", "Before")) - {unit}:
            after[later].add(unit)
        started = last(text, "Socket", "Service") or unit.rpartition(".")[0] + ".service"
        if unit.endswith(".socket") and started in members:
            after[started].add(unit)
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
    watched = {unit: "up" for unit in differences.pending.judged if observed.is_up(unit)}
    for case in differences.cases:
        stays = case.wanted not in ("stopped", "absent") and not case.gone
        # What runs once ends by itself, at a time of its own.
        if case.up and (case.changed or case.new) and stays and not is_run_once(case.after):
            watched[case.unit] = "up"
    for verb in ("reload", "restart", "start"):
        watched.update(dict.fromkeys(jobs[verb], "up"))
    watched.update(dict.fromkeys(jobs["run"], "done"))
    for unit in jobs["restart"]:
        watched.update(
            {other: "up" for other in observed.bound.get(unit, ()) if observed.is_up(other) and other not in watched}
        )
    started = {*jobs["start"], *jobs["restart"], *jobs["run"]}
    watched.update({unit: "down" for unit in jobs["stop"] if unit not in started})
    return watched


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
    steps += [_job_step("stop", unit, reasons, observed) for unit in jobs["stop"]]
    steps += [Step("disable", unit, "declared not enabled, or its file goes") for unit in differences.disable]
    steps += [Step("unmask", unit, "declared not masked") for unit in differences.unmask]
    steps += [_file_step(wanted, observed) for wanted in differences.write]
    steps += [Step("remove", unit_of(path, observed), "no longer declared", path) for path in differences.remove]
    steps += [Step("mask", unit, "declared masked") for unit in differences.mask]
    steps += [Step("reenable", unit, "its [Install] section and its links differ") for unit in differences.reenable]
    steps += [Step("enable", unit, "declared enabled") for unit in differences.enable]
    steps += [Step("daemon-reload", "", reload)] if reload else []
    for verb in ("reset-failed", "reload", "restart", "start", "run", "touch-slice"):
        steps += [_job_step(verb, unit, reasons, observed) for unit in jobs[verb]]
    return steps


def _job_step(verb: str, unit: str, reasons: Mapping[Tuple[str, str], str], observed: Observed) -> Step:
    reason = reasons.get((verb, unit), "")
    bound = [other for other in observed.bound.get(unit, ()) if observed.is_up(other)]
    if verb in ("stop", "restart") and bound:
        reason += f"; takes {', '.join(bound)} along"
    return Step(verb, unit, reason)


def _file_step(wanted: FileWanted, observed: Observed) -> Step:
    seen = observed.files.get(wanted.path)
    if seen is None:
        return Step("write", wanted.unit, "new", wanted.path)
    reason = "differs" if seen.content != wanted.content else "its mode or owner differs"
    return Step("write", wanted.unit, reason, wanted.path)


def _unfit(unit: UnitWanted, differences: Differences, observed: Observed) -> List[Problem]:
    """What speaks against naming this unit, or enabling it."""
    name, after = unit.name.text, differences.after
    primary = _alias_of(name, after)
    if primary:
        return [Problem(f"this is an alias: name the unit itself, {primary}", unit=name, rule="alias")]
    if not unit.enabled or unit.path is not None:
        return []
    if after.fragment(name) is None and name not in observed.states:
        message = "there is no such unit on this host: install what brings it, or give its text"
        return [Problem(message, unit=name, rule="no-such-unit")] if unit.state == "present" else []
    if not any(after.effective(name).get("Install", {}).values()):
        message = "enabled needs an [Install] section, which this unit has not: leave out enabled"
        return [Problem(message, unit=name, rule="no-install")]
    return []


def _alias_of(name: str, loadpath: LoadPath) -> str:
    """The unit that a name stands for, "" if it is its own. systemd lists states by that name alone."""
    path = loadpath.fragment(name) or ""
    primary = os.path.basename(loadpath.links.get(path, ""))
    return primary if os.path.basename(path) == name and primary not in ("", "null", name) else ""


def impossible(desired: Desired, differences: Differences, observed: Observed) -> List[Problem]:
    """Wishes that no step can fulfil: a unit that is nowhere, enablement without [Install], a refused start."""
    found = []
    for case in differences.cases:
        nowhere = differences.after.fragment(case.unit) is None and case.now.load == "not-found"
        if case.wanted in ("started", "restarted", "reloaded") and nowhere:
            message = "there is no such unit on this host: install what brings it, or give its text"
            found.append(Problem(message, unit=case.unit, rule="no-such-unit"))
        elif case.wanted == "started" and not case.up and case.is_set("RefuseManualStart"):
            message = "refuses a manual start: declare state: present, and start what pulls it in"
            found.append(Problem(message, case.unit, "Unit", "RefuseManualStart", "refused-start"))
        elif "reload" in (case.on_change, case.wanted.replace("reloaded", "reload")) and _cannot_reload(case):
            message = "a reload needs ExecReload= (or Type=notify-reload), which this unit has not: use restart"
            found.append(Problem(message, case.unit, "Service", "ExecReload", "option"))
    for dropin in desired.dropins:
        unit = dropin.unit.text
        nowhere = differences.after.fragment(unit) is None and unit not in observed.states
        if dropin.present and nowhere and not dropin.unit.stands_for_others:
            message = "there is no such unit on this host yet: the drop-in waits for it"
            found.append(Problem(message, unit=unit, rule="dropin-without-unit"))
        if _alias_of(unit, differences.after):
            message = f"this is an alias: name the unit itself, {_alias_of(unit, differences.after)}"
            found.append(Problem(message, unit=unit, rule="alias"))
    found += [problem for unit in desired.units for problem in _unfit(unit, differences, observed)]
    removals = [path for path in differences.remove if path not in desired.removed]
    if desired.max_removed is not None and len(removals) > desired.max_removed:
        message = f"prune would remove {len(removals)} files, more than max_removed ({desired.max_removed})"
        found.append(Problem(f"{message}: nothing is done", rule="max-removed"))
    return found


def _cannot_reload(case: Case) -> bool:
    """Only of a text that was read can that be told."""
    return case.kind == "service" and bool(case.after.get("Service")) and not can_reload(case.after)


def affected(plan: Plan) -> Set[str]:
    """Units whose dependents the plan has to know."""
    return {*plan.jobs["stop"], *plan.jobs["restart"]}

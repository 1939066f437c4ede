# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The whole policy: what a difference makes us do, unit type by unit type, as pure functions over data.

`decide` is the table of docs/restarts.md; `make` puts what it says into the order in which it is safe to do. What each
rule rests on is systemd's behaviour on 247 to 262, tried out. Private to the collection.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Set, Tuple

from .._host.observed import Observed
from .._syntax.directives import Effect
from .._syntax.loadpath import LoadPath, last, words
from .._syntax.problem import Problem
from .cases import Case, Differences
from .desired import STARTS
from .render import FileWanted

# Mounts that the host itself stands on: never restarted, at most reloaded.
_KEPT_MOUNTS = ("-.mount", "usr.mount", "var.mount")
# From 253 on a changed cgroup limit of a running unit stays dormant until something starts in its slice.
_DORMANT_SINCE = 253


_OWED = "an interrupted run owed it"


class Act(NamedTuple):
    """Something to do to a unit.

    verb: one of systemctl's, or run (start and await its end), cycle (down before the files change, up after),
    touch-slice (put dormant limits into force), keep (nothing, but say why).
    """

    verb: str
    unit: str
    reason: str


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


def decide(case: Case, version: int) -> List[Act]:
    """What is to be done to one unit."""
    if case.gone or case.wanted == "absent":
        return _leave(case, "its file goes")
    if case.wanted == "stopped":
        return [Act("stop", case.unit, "declared stopped")] if case.up else []
    if case.owed == "reset-failed" and case.now.active == "failed" and case.wanted == "present":
        return [Act("reset-failed", case.unit, _OWED)]
    if not case.up:
        return _bring_up(case)
    if case.owed in ("restart", "reload", "cycle", "pull"):
        verb = "start" if case.owed == "pull" else case.owed
        return _restart(case, _OWED) if verb == "restart" else [Act(verb, case.unit, _OWED)]
    if case.wanted == "restarted":
        return _restart(case, "declared restarted")
    if case.wanted == "reloaded":
        return [Act("reload", case.unit, "declared reloaded")]
    return _UP.get(case.kind, _nothing)(case, version)


def _leave(case: Case, reason: str) -> List[Act]:
    acts = [Act("stop", case.unit, reason)] if case.up and case.kind != "slice" else []
    return acts + (
        [Act("reset-failed", case.unit, "a failed state would outlive it")] if case.now.active == "failed" else []
    )


def _bring_up(case: Case) -> List[Act]:
    """A unit that is down: start it if it shall be up. A oneshot that a timer runs must never run out of time."""
    if case.runs_on_change and (case.new or case.restamped or case.owed == "run"):
        reason = _because(case.changed) if case.changed else "its environment or triggers changed"
        return [*_reset(case), Act("run", case.unit, "new" if case.new else _OWED if case.owed else reason)]
    if case.wanted not in ("started", "restarted", "reloaded") and case.owed != "start":
        return []
    partner_up = [
        Act("cycle", partner, f"{case.unit} cannot start listening while it runs") for partner in case.partners
    ]
    before = partner_up if case.kind == "socket" else []
    return before + _reset(case) + [Act("start", case.unit, "failed" if case.now.active == "failed" else "not running")]


def _reset(case: Case) -> List[Act]:
    return (
        [Act("reset-failed", case.unit, "its start limit counts earlier failures")]
        if case.now.active == "failed"
        else []
    )


def _restart(case: Case, reason: str) -> List[Act]:
    if case.is_set("RefuseManualStop") or case.is_set("RefuseManualStart"):
        return [Act("keep", case.unit, f"{reason}; but it refuses a manual restart: it is current after the next boot")]
    return [Act("restart", case.unit, reason)]


def _because(changed: Iterable[Tuple[str, str]]) -> str:
    return "changed: " + ", ".join(directive for _section, directive in changed)


def _service(case: Case, version: int) -> List[Act]:
    needs = case.touched(Effect.RESTART)
    if needs or case.stale:
        reason = (
            "changed: " + ", ".join(needs)
            if needs
            else "runs with an older version of its files, environment or triggers"
        )
        if case.on_change == "none":
            return [Act("keep", case.unit, reason + "; on_change is none")]
        if case.on_change == "reload":
            return [Act("reload", case.unit, reason)]
        return _restart(case, reason)
    return _pull(case) or _wake_limits(case, version)


def _pull(case: Case) -> List[Act]:
    """`start` of an active unit starts what it newly wants; nothing else does."""
    if not case.pulls or case.is_set("RefuseManualStart"):
        return []
    return [Act("start", case.unit, "now pulls in " + ", ".join(case.pulls))]


def _wake_limits(case: Case, version: int) -> List[Act]:
    limits = case.touched(Effect.CGROUP)
    if not limits or version < _DORMANT_SINCE:
        return []
    of_slice = (
        case.unit if case.kind == "slice" else last(case.after, case.kind.capitalize(), "Slice") or "system.slice"
    )
    return [Act("touch-slice", of_slice, f"puts {', '.join(limits)} of {case.unit} into force")]


def _socket(case: Case, version: int) -> List[Act]:
    """A changed address opens only by a new start, and a socket does not start while its service runs."""
    rebind = case.touched(Effect.REBIND, Effect.RESTART)
    if not rebind:
        return _pull(case)
    reason = "changed: " + ", ".join(rebind)
    if case.on_change == "none":
        return [Act("keep", case.unit, reason + "; on_change is none")]
    return [Act("cycle", unit, reason) for unit in (case.unit, *case.partners)]


def _timer(case: Case, version: int) -> List[Act]:
    """daemon-reload alone puts a new schedule into force; a restart would fire a persistent timer out of time."""
    if case.now.load != "loaded" and case.changed:
        return [Act("reset-failed", case.unit, "was not loadable"), Act("restart", case.unit, "was not loadable")]
    return []


def _mount(case: Case, version: int) -> List[Act]:
    if case.touched(Effect.RESTART):
        if case.unit in _KEPT_MOUNTS or case.on_change == "none":
            return [Act("keep", case.unit, _because(case.changed) + "; mounted anew only at the next boot")]
        return _restart(case, _because(case.changed))
    if case.touched(Effect.REMOUNT):
        return [Act("reload", case.unit, _because(case.changed))]
    return _pull(case)


def _automount(case: Case, version: int) -> List[Act]:
    needs = case.touched(Effect.RESTART)
    if not needs:
        return _pull(case)
    if case.now.sub != "waiting" or case.on_change == "none":
        return [Act("keep", case.unit, _because(case.changed) + "; a restart would unmount what is in use")]
    return _restart(case, _because(case.changed))


def _swap(case: Case, version: int) -> List[Act]:
    needs = case.touched(Effect.RESTART)
    if needs and case.on_change == "none":
        return [Act("keep", case.unit, _because(case.changed) + "; on_change is none")]
    return _restart(case, _because(case.changed)) if needs else []


def _target(case: Case, version: int) -> List[Act]:
    """Started again it starts its new members; restarted it would take down all that is PartOf= it."""
    return _pull(case)


def _slice(case: Case, version: int) -> List[Act]:
    return _wake_limits(case, version)


def _nothing(case: Case, version: int) -> List[Act]:
    """daemon-reload alone puts it into force."""
    return []


_UP: Mapping[str, Callable[[Case, int], List[Act]]] = {
    "service": _service,
    "socket": _socket,
    "timer": _timer,
    "target": _target,
    "mount": _mount,
    "automount": _automount,
    "swap": _swap,
    "slice": _slice,
}


def make(differences: Differences, observed: Observed) -> Plan:
    """Put all that has to be done into the order in which it is safe to do."""
    acts: List[Act] = []
    for case in differences.cases:
        acts += decide(case, observed.version)
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


def _settle(acts: Sequence[Act], observed: Observed) -> List[Act]:
    """One verb a unit: going down for good beats all else, a cycle beats a restart, a restart a reload or start."""
    leaving = {act.unit for act in acts if act.verb == "stop"}
    cycled = {act.unit: act.reason for act in acts if act.verb == "cycle" and observed.is_up(act.unit)}
    for unit in list(cycled):
        for other in observed.bound.get(unit, ()):
            if observed.is_up(other):
                cycled.setdefault(other, f"goes down with {unit}")
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
        if not unit.endswith(".socket"):
            after[unit].update(other for other in members if other == unit.rpartition(".")[0] + ".socket")
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
        if case.up and (case.changed or case.new) and case.wanted not in ("stopped", "absent") and not case.gone:
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
    steps += [Step("remove", os.path.basename(path), "no longer declared", path) for path in differences.remove]
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
    reason = "differs" if seen.content != wanted.content else f"its mode is {seen.mode & 0o7777:04o}"
    return Step("write", wanted.unit, reason, wanted.path)


def impossible(differences: Differences, observed: Observed) -> List[Problem]:
    """Wishes that no step can fulfil: a unit that is nowhere, enablement without [Install], a refused start."""
    found = []
    for case in differences.cases:
        nowhere = differences.after.fragment(case.unit) is None and case.now.load == "not-found"
        if case.wanted in ("started", "restarted", "reloaded") and nowhere:
            message = "there is no such unit on this host: install what brings it, or give its text"
            found.append(Problem(message, unit=case.unit, rule="no-such-unit"))
        elif case.wanted == "started" and not case.up and case.is_set("RefuseManualStart"):
            message = (
                "refuses a manual start (RefuseManualStart=yes): declare state: present and start what pulls it in"
            )
            found.append(Problem(message, case.unit, "Unit", "RefuseManualStart", "refused-start"))
    for unit in differences.enable:
        if not differences.after.effective(unit).get("Install"):
            message = "enabled needs an [Install] section, which this unit has not: leave out enabled"
            found.append(Problem(message, unit=unit, rule="no-install"))
    return found


def affected(plan: Plan) -> List[str]:
    """Units whose dependents the plan has to know."""
    return [*plan.jobs["stop"], *plan.jobs["restart"]]

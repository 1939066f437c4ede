# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Makes the plan: from what the policy wants for each unit to steps in a safe order. Private to the collection."""

from __future__ import annotations

import os
from typing import (
    AbstractSet,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .._desired.options import RUNNING
from .._desired.render import FileWanted
from .._host.graph import Graph
from .._host.observed import Observed
from .._syntax.activation import starts
from .._syntax.dependencies import needed
from .._syntax.kinds import File, Processes
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import goes_at_its_end, is_run_once, refuses_start
from .._syntax.relations import NEEDS
from . import sockets
from .brought import brought_along
from .consequences import (
    fates,
    handed_reloads,
    outdone,
    restarted_with,
    standing_on,
    starters,
    still_upheld,
    stopped_with,
    taken_anew,
    taken_down,
    unneeded,
    upholding_first,
)
from .course import Course
from .differences import Differences
from .expected import Expected
from .fates import Becomes, Call, Fate, Foretold
from .order import calls, ordered
from .owners import unit_of
from .plan import VERBS, Files, Plan, Step, Wishes, carries
from .policy import Act
from .pulls import followed, unneeded_from_now_on
from .told import tell_besides, tell_reloads

_RENEWING = ("reload", "restart")
# Verbs of acts that ask a job of a unit.
_JOBS = ("stop", "reload", "restart", "start", "run", "cycle", "pull")


def starting_points(wished: Wishes, differences: Differences, observed: Observed) -> Set[str]:
    """The units whose relations have to be known before a plan is made: none if nothing starts or stops by it."""
    acts = [act for acts in wished for act in acts if act.verb in _JOBS]
    found = {act.unit for act in acts}.union(sockets.to_stay_down(acts, differences, observed))
    found.update(unneeded_from_now_on(differences))
    if not found:
        return found
    from .to_come import named_anew  # noqa: PLC0415 (a run without jobs, the most common, is spared it)

    return found.union(named_anew(differences, observed))


def make(differences: Differences, wished: Wishes, graph: Graph, observed: Observed) -> Plan:
    """The plan for what the policy wants (`wished`), given how the units are related."""
    files = Files(differences.write, differences.remove, enablement=differences.links)
    if not observed.manager.live:
        shall = tuple(case.unit for case in differences.cases if case.wanted not in ("present", "absent"))
        steps = _steps(differences, Plan().jobs, (), "", {}, observed)
        return Plan(tuple(steps), files, deferred=shall)
    later = _later(wished, graph, differences, observed)
    wished = tuple(tuple(followed(acts, differences, later)) for acts in wished)
    told = {case.unit for case in differences.cases if case.wanted == "stopped"}
    wished = tuple(tuple(_left_standing(acts, told, graph)) for acts in wished)
    acts = [act for each in wished for act in _left_alone(each, differences.after, graph, later, observed)]
    pulled = _pulled(acts, differences)
    to_stay_down = sockets.to_stay_down(acts, differences, observed)
    acts = _one_verb_each(acts, differences, graph, later)
    reload = _reload_reason(differences, observed)
    way = _way(acts, differences, graph, later, bool(reload))
    vain = _in_vain(way, differences)
    if vain:
        acts = [act for act in acts if act.unit not in vain or act.verb not in _RENEWING]
        way = _way(acts, differences, graph, later, bool(reload))
    jobs, upheld, queued, foretold = way.jobs, way.upheld, way.queued, way.foretold.fates
    reloads = way.foretold.reloads
    # What goes down with another unit has its newest text when it comes up, so nothing of it is kept old.
    done = {unit for verb in ("stop", "restart", "run") for unit in jobs[verb]}
    done.update(unit for unit, fate in foretold.items() if fate.was_up)
    along = {("stop", unit): _takes_along("stop", unit, jobs, graph) for unit in jobs["stop"]}
    along.update({("restart", unit): _takes_along("restart", unit, jobs, later) for unit in jobs["restart"]})
    reasons = {(act.verb, act.unit): act.reason + along.get((act.verb, act.unit), "") for act in acts}
    besides = tell_besides(reasons, foretold, jobs)
    tell_reloads(reasons, reloads, jobs)
    watched = _watched(differences, jobs, later, pulled, sorted(set(reloads).difference(foretold)))
    return Plan(
        steps=(*_steps(differences, jobs, queued, reload, reasons, observed), *besides),
        files=files,
        jobs=jobs,
        upheld=upheld,
        pulled=pulled,
        to_stay_down=to_stay_down,
        reload=bool(reload),
        calls=queued,
        foretold=way.foretold,
        watched=_standing({**_brought(differences, foretold), **watched}, way.foretold.outdone),
        kept={act.unit: act.reason for act in acts if act.verb == "keep" and act.unit not in done},
    )


class _Way(NamedTuple):
    """The jobs of a plan and what they lead to.

    jobs, upheld, foretold: as in Plan. queued: its calls.
    """

    jobs: Mapping[str, Tuple[str, ...]]
    upheld: FrozenSet[str]
    queued: Tuple[Call, ...]
    foretold: Foretold


def _way(acts: Sequence[Act], differences: Differences, graph: Graph, later: Graph, reload: bool) -> _Way:
    """graph, later: how units are related before and after the daemon-reload."""
    jobs = {verb: ordered(verb, [act.unit for act in acts if act.verb == verb], differences.after) for verb in VERBS}
    jobs["stop"] = upholding_first(jobs["stop"], graph)
    upheld = still_upheld(set(jobs["stop"]).difference(jobs["start"]), jobs["stop"], graph)
    queued = calls(jobs, differences.named, later)
    course = Course(graph)
    foretold = _foretold(jobs, upheld, queued, course, later if reload else None)
    told = Foretold(foretold, outdone(course), unneeded(course), handed_reloads(course))
    return _Way(jobs, upheld, queued, told)


def _in_vain(way: _Way, differences: Differences) -> Set[str]:
    """Units whose restart or reload is no use: a start ends them by Conflicts=, and they are not declared to run."""
    staying = {case.unit for case in differences.cases if case.wanted in RUNNING}
    return {
        unit for verb in _RENEWING for unit in way.jobs[verb] if unit in way.foretold.outdone and unit not in staying
    }


def _later(wished: Wishes, graph: Graph, differences: Differences, observed: Observed) -> Graph:
    """How units will be related after the daemon-reload."""
    if not (any(wished) or graph.nodes):
        return graph
    from .to_come import to_come  # noqa: PLC0415 (as above)

    return to_come(graph, differences, observed)


def _foretold(
    jobs: Mapping[str, Sequence[str]],
    upheld: AbstractSet[str],
    queued: Sequence[Call],
    course: Course,
    later: Optional[Graph],
) -> Dict[str, Fate]:
    """What happens to each unit when the plan is carried out. later: None if there is no daemon-reload."""
    if not (queued or jobs["stop"] or course.graph.nodes):
        return {}
    first = Call("stop", tuple(unit for unit in jobs["stop"] if unit not in upheld))
    last = Call("stop", tuple(unit for unit in jobs["stop"] if unit in upheld))
    return fates([first, *([Call("daemon-reload", ())] if later else []), last, *queued], course.graph, later, course)


def _left_standing(acts: Sequence[Act], told: AbstractSet[str], graph: Graph) -> List[Act]:
    """The acts, without those that would stop basic.target and the like: they wait for the next boot.

    told: units that are declared stopped, which are stopped all the same.
    """
    ending = [act for act in acts if act.verb in ("stop", "restart", "cycle") and act.unit not in told]
    targets = {act.unit: target for act in ending for target in [standing_on(act.unit, graph)] if target}
    if not targets:
        return list(acts)
    return [
        Act("keep", act.unit, f"{act.reason}; but {targets[act.unit]} goes down with it: this waits for the next boot")
        for act in ending
        if act.unit in targets
    ] + [act for act in acts if act.unit not in targets]


def _left_alone(acts: Sequence[Act], after: LoadPath, graph: Graph, later: Graph, observed: Observed) -> List[Act]:
    """The acts for one unit, where those that we cannot do become "keep", with the reason.

    A restart of a unit that this run or its connection lives in would cut the run off half-way. Some units refuse to be
    stopped or started by hand. A socket and its service go down together or not at all.
    """
    reason = ""
    cycled = sockets.down_together([act.unit for act in acts if act.verb == "cycle"], graph)
    restarted = [act.unit for act in acts if act.verb == "restart"]
    if not observed.manager.carriers.isdisjoint(cycled) or any(
        carries((unit, *restarted_with(unit, later)), observed) for unit in restarted
    ):
        reason = "; but this run's own connection depends on it: restart it yourself"
    elif any(_refuses_a_job(unit, after, graph) for unit in cycled):
        reason = "; but it or what goes down with it refuses a manual stop or start: it is current after a boot"
    elif any(after.masked(unit) for unit in cycled):
        masked = next(unit for unit in cycled if after.masked(unit))
        reason = f"; but {masked}, which goes down with it, is masked by {after.fragment(masked)}"
    if not reason:
        return list(acts)
    left = ("restart", "cycle", "start")
    return [Act("keep", act.unit, act.reason + reason) if act.verb in left else act for act in acts]


def _refuses_a_job(unit: str, after: LoadPath, graph: Graph) -> bool:
    """The stop comes before the daemon-reload, so the old text decides about it; the new one about the start."""
    in_memory = graph.node(unit).settings.intersection(("RefuseManualStart", "RefuseManualStop"))
    return bool(in_memory) or refuses_start(after.effective(unit))


def _along(leaving: AbstractSet[str], differences: Differences, graph: Graph) -> Dict[str, str]:
    """Declared units that go down with one that is stopped for good, but shall run on: each with the reason."""
    staying = (case for case in differences.cases if not case.leaves)
    # A timer whose times are over has nothing to go on with.
    lasting = (case for case in staying if case.now.is_up and not is_run_once(case.after))
    running = {case.unit for case in lasting if not (case.kind.goes_by_time and case.idles)} - leaving
    # A slice without a file systemd makes itself.
    going = {case.unit for case in differences.cases if case.leaves and case.kind.file is not File.OPTIONAL}
    going.update(differences.links.mask)
    return {
        other: f"goes down with {unit}"
        for other, unit in taken_down(sorted(leaving), graph).items()
        if other in running and going.isdisjoint(needed([other], differences.after))
    }


def _at_work(units: Iterable[str], differences: Differences) -> Set[str]:
    """The oneshots among these. Once stopped, one is not started again: its timer does that at its time."""
    return {unit for unit in units if is_run_once(differences.after.effective(unit))}


def _one_verb_each(acts: Sequence[Act], differences: Differences, graph: Graph, later: Graph) -> List[Act]:
    """Leave each unit with one verb, the strongest: stop, cycle, restart, then reload or start.

    A restart also makes the reload of what it restarts along with it unnecessary. A unit that goes down with another
    one, and is not declared stopped, is started again.
    """
    leaving = {act.unit for act in acts if act.verb == "stop"}
    along = _along(leaving, differences, graph)
    cycled = {act.unit: act.reason for act in acts if act.verb == "cycle"}
    for unit in along:
        for service in sockets.services([unit], differences.after):
            both = (each for each in (unit, service) if graph.states[each].is_up and each not in cycled)
            cycled.update(dict.fromkeys(both, along[unit]))
    company = sockets.down_together(list(cycled), graph)
    cycled = {unit: cycled.get(unit) or reason for unit, reason in company.items() if unit not in leaving}
    restarted = {act.unit for act in acts if act.verb == "restart"}
    anew = restarted.difference(leaving, cycled)
    anew = anew.union(taken_anew(anew, later, ())) if any(act.verb == "reload" for act in acts) else anew
    result: Dict[Tuple[str, str], Act] = {}
    for act in acts:
        beaten = act.unit in leaving and act.verb in ("restart", "reload", "start")
        beaten = beaten or (act.unit in cycled and act.verb in ("restart", "reload", "start"))
        beaten = beaten or (act.unit in restarted and act.verb == "start")
        beaten = beaten or (act.unit in anew and act.verb == "reload")
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


def _takes_along(verb: str, unit: str, jobs: Mapping[str, Sequence[str]], graph: Graph) -> str:
    if verb == "stop":
        bound = [other for other in stopped_with(unit, graph) if graph.states[other].is_up]
    else:
        bound = [other for other in restarted_with(unit, graph) if other not in jobs["stop"]]
    return f"; takes {', '.join(bound)} along" if bound else ""


def _reload_reason(differences: Differences, observed: Observed) -> str:
    units = observed.places.units + os.sep
    written = any(not wanted.secret for wanted in differences.write)
    if written or any(path.startswith(units) for path in differences.remove):
        return "unit files changed"
    if differences.links.units:
        return "enablement changed"
    return differences.reload_due


def _pulled(acts: Sequence[Act], differences: Differences) -> FrozenSet[str]:
    wanting = {case.unit for case in differences.cases if case.wanted in RUNNING or case.now.is_up or case.owed}
    named = {other for case in differences.cases for others in case.change.pulls.values() for other in others}
    return frozenset(act.unit for act in acts if act.verb == "start" and act.unit in named - wanting)


def _watched(
    differences: Differences,
    jobs: Mapping[str, Sequence[str]],
    graph: Graph,
    pulled: FrozenSet[str],
    reloaded: Sequence[str],
) -> Dict[str, Expected]:
    """Which units decide whether the run was a success, and what each of them has to be.

    They are those that get a job, those that run and whose text changes, and those that go along with one of these.
    reloaded: units that are reloaded along with others.
    """
    states, unproved = graph.states, differences.pending.unproved
    watched = {unit: expected for unit, expected in unproved.items() if states[unit].is_up}
    for case in differences.cases:
        # What runs once, or for one connection, ends by itself, at a time of its own.
        lasting = not is_run_once(case.after) and not case.service.per_connection
        changed = case.change.directives or case.change.new
        # A unit that the run does nothing to need not be better than before, and one that still starts takes its own
        # time.
        held = case.now.runs and case.now.active != "activating" and not case.idles and not case.mask
        if held and changed and not case.leaves and lasting:
            watched[case.unit] = Expected.UP if case.wanted in RUNNING else Expected.UNFAILED
    along = taken_anew(jobs["restart"], graph, jobs["stop"])
    services = [case for case in differences.cases if case.kind.processes is Processes.MAIN]
    present = {case.unit for case in services if case.wanted == "present"}
    present.update(case.unit for case in differences.cases if case.kind.goes_by_time and goes_at_its_end(case.after))
    with_others = [other for other in (*along, *reloaded) if other not in watched]
    on_demand = present.intersection(_started_by_others(differences, graph)) if with_others or jobs["restart"] else ()
    for unit in (*jobs["restart"], *with_others):
        watched[unit] = Expected.UNFAILED if unit in on_demand else Expected.UP
    # What was up, and goes down and up with others, may have been started by a timer of someone else, too.
    started = [unit for unit in jobs["start"] if unit not in pulled]
    watched.update({unit: Expected.UNFAILED if unit in present else Expected.UP for unit in started})
    needed = sorted(_newly_needed(differences, jobs, pulled))
    watched.update({unit: Expected.DONE for unit in needed if unit not in watched})
    watched.update(dict.fromkeys(jobs["reload"], Expected.UP))
    watched.update(dict.fromkeys(jobs["run"], Expected.DONE))
    begun = {*jobs["start"], *jobs["restart"], *jobs["run"]}
    # A socket or path whose service does not start falls with it.
    falling = [other for unit in sorted(begun) for other in starters(unit, graph)]
    watched.update({other: Expected.UP for other in falling if states[other].is_up and other not in watched})
    watched.update({unit: Expected.DOWN for unit in jobs["stop"] if unit not in begun})
    return watched


def _standing(watched: Mapping[str, Expected], ended: Mapping[str, object]) -> Dict[str, Expected]:
    """ended: units that a start ends by Conflicts=, so that they are to be down."""
    return {unit: Expected.DOWN if unit in ended else expected for unit, expected in watched.items()}


def _brought(differences: Differences, foretold: Mapping[str, Fate]) -> Dict[str, Expected]:
    """Declared units that come up by the job of another one, such as a target that wants them.

    An instance counts as declared if its template is, even where only the dependency of another unit names it.
    """
    desired, after = differences.desired, differences.after
    declared = {member for unit in desired.units if unit.path for member in unit.members}
    declared.update(brought_along(desired, after, foretold))
    cases = (case for case in differences.cases if case.unit in declared and case.unit in foretold)
    up = (case for case in cases if foretold[case.unit].becomes is Becomes.UP and foretold[case.unit].lasts)
    return {case.unit: Expected.UNFAILED for case in up if not case.leaves and not case.service.per_connection}


def _newly_needed(differences: Differences, jobs: Mapping[str, Sequence[str]], pulled: FrozenSet[str]) -> Set[str]:
    """Declared units that are started because a running unit needs them from now on."""
    ours = {case.unit for case in differences.cases}
    return {
        unit
        for case in differences.cases
        for directive in NEEDS
        for unit in ours.intersection(case.change.pulls.get(directive, ()))
        if unit in pulled or case.unit in jobs["start"]
    }


def _started_by_others(differences: Differences, graph: Graph) -> Set[str]:
    """Units that a socket, path or timer starts: they may be down again when their work is done."""
    triggers = [case.unit for case in differences.cases if case.kind.is_starter and not case.leaves]
    started = {starts(unit, differences.after) for unit in triggers}
    return started.union(unit for unit in graph.nodes if starters(unit, graph))


def _called(jobs: Mapping[str, Sequence[str]], queued: Sequence[Call]) -> List[Tuple[str, str]]:
    """The jobs after the files, as (verb, unit): by verb, or in the order of the calls if a run is not the last."""
    found = [(verb, unit) for verb in ("reload", "restart", "start", "run") for unit in jobs[verb]]
    if all(call.verb != "run" for call in queued[:-1]):
        return found
    return list(dict.fromkeys([*((call.verb, unit) for call in queued for unit in call.units), *found]))


_UNFINISHED = "is unfinished: it was cut off, or its roll-back failed"


def _steps(
    differences: Differences,
    jobs: Mapping[str, Sequence[str]],
    queued: Sequence[Call],
    reload: str,
    reasons: Mapping[Tuple[str, str], str],
    observed: Observed,
) -> List[Step]:
    """The lines of a plan, in the order in which it is carried out. reasons: by verb and unit."""
    links = differences.links
    steps = []
    if differences.pending.since:
        steps.append(Step("recover", "", f"a run that began at {differences.pending.since} {_UNFINISHED}"))
    steps += [Step("stop", unit, reasons[("stop", unit)]) for unit in jobs["stop"]]
    steps += [Step("unmask", unit, "declared not masked") for unit in links.unmask]
    steps += [Step("disable", unit, "declared not enabled, or what enabled it goes") for unit in links.disable]
    steps += [_file_step(wanted, observed) for wanted in differences.write]
    replaced = {each.path: each.unit for each in differences.aliasing.taken if each.goes}
    steps += [_removal(path, replaced.get(path, ""), observed) for path in differences.remove]
    steps += [Step("mask", unit, "declared masked") for unit in links.mask]
    steps += [Step("reenable", unit, "its [Install] section and its links differ") for unit in links.reenable]
    steps += [Step("enable", unit, "declared enabled") for unit in links.enable]
    unwanted = [(unit, path) for path, unit in links.unwanted.items()]
    steps += [Step("remove", unit, "declared not enabled, and Also= has linked it", path) for unit, path in unwanted]
    steps += [Step("daemon-reload", "", reload)] if reload else []
    due = [("reset-failed", unit) for unit in jobs["reset-failed"]]
    due += [*_called(jobs, queued), *(("touch-slice", unit) for unit in jobs["touch-slice"])]
    return [*steps, *(Step(verb, unit, reasons[(verb, unit)]) for verb, unit in due)]


def _removal(path: str, taker: str, observed: Observed) -> Step:
    """taker: the unit that gets this name as an alias, if the file is removed for that."""
    reason = "an alias of what is disabled" if path in observed.links else "no longer declared"
    reason = f"its name becomes an alias of {taker}" if taker else reason
    return Step("remove", unit_of(path, observed), reason, path)


def _file_step(wanted: FileWanted, observed: Observed) -> Step:
    seen = observed.files.get(wanted.path)
    if seen is None:
        return Step("write", wanted.unit, "new", wanted.path)
    reason = "differs" if seen.content != wanted.content else "its mode or owner differs"
    return Step("write", wanted.unit, reason, wanted.path)

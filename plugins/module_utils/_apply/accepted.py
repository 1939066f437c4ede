# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which processes are current though their stamp does not show it, and what stamps stand for.

Two files below the state folder, for all owners. Private to the collection.
"""

from __future__ import annotations

import json
from typing import AbstractSet, Any, Dict, Mapping, Optional, Set

from .._desired.stamp import Parts, of_process, stamps, stamps_in
from .._host.files import Writer, look
from .._host.manager import UP, Manager
from .._host.observed import Observed
from .._host.places import Places
from .._plan.case import Case
from .._plan.differences import Differences
from .._plan.plan import Plan
from .._plan.stale import Accepted
from .._syntax.kinds import Processes, kind_of


def accepted(where: Places) -> Dict[str, Accepted]:
    """The processes that are known to be current though their stamp does not show it. A damaged file counts as none."""
    try:
        return {unit: _accepted(row) for unit, row in _read(where.accepted_file).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _accepted(row: Mapping[str, Any]) -> Accepted:
    """What is missing in a row of an earlier version is not known."""
    started = frozenset(row["started"]) if row.get("started") is not None else None
    lacking = tuple(map(str, row.get("lacking", ())))
    return Accepted(row["invocation"], frozenset(row["stamps"]), float(row["at"]), started, lacking)


def recorded(where: Places) -> Dict[str, Parts]:
    """What the stamps of earlier runs stand for. A damaged file counts as none."""
    try:
        return {stamp: {**parts} for stamp, parts in _read(where.stamps_file).items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _read(path: str) -> Dict[str, Any]:
    seen = look(path)
    found: Dict[str, Any] = json.loads(seen.content) if seen and seen.content is not None else {}
    return found


def accept(
    plan: Plan,
    differences: Differences,
    observed: Observed,
    manager: Manager,
    writer: Writer,
    failed: AbstractSet[str],
) -> None:
    """Remember what is current and does not show it, and what the stamps that are in use stand for."""
    where, after = observed.places, differences.after
    known, runs = accepted(where), _now_current(plan, differences, manager)
    cases = {case.unit: case for case in differences.cases}
    # A stamp that only the process has, and not its files, would make it look stale in each run.
    telling = {unit for unit in {**known, **runs} if stamps(unit, after) or of_process(observed.log_fields(unit))}
    rows = {unit: row for unit, row in known.items() if unit in telling}
    for unit, run in runs.items():
        if unit in telling and unit not in failed:
            old = known.get(unit)
            same = old if old and old.invocation == run else None
            rows[unit] = _row(run, cases[unit], same, plan, differences, observed)
    if rows != known:
        _keep(where.accepted_file, {unit: _told(row) for unit, row in rows.items()}, where, writer)
    parts, before = _in_use(plan, differences, observed, rows), recorded(where)
    if parts != before:
        _keep(where.stamps_file, parts, where, writer)


def _keep(path: str, content: Mapping[str, Any], where: Places, writer: Writer) -> None:
    if not content:
        writer.remove(path)
    else:
        writer.make_folder(where.state, 0o700)
        writer.write(path, json.dumps(content).encode(), 0o600)
    writer.settle()


def _told(row: Accepted) -> Dict[str, Any]:
    started = None if row.started is None else sorted(row.started)
    more = {"started": started, "lacking": list(row.lacking)}
    told = {"invocation": row.invocation, "stamps": sorted(row.stamps), "at": row.at}
    return {**told, **{key: value for key, value in more.items() if value}}


def _row(
    run: str, case: Case, old: Optional[Accepted], plan: Plan, differences: Differences, observed: Observed
) -> Accepted:
    """old: what was known of the same process."""
    now, before = stamps(case.unit, differences.after), observed.invocations.get(case.unit)
    if before is None or before.id != run:
        return Accepted(run, now, observed.looked_at, started=now)
    started = old.started if old else None
    if case.unit in plan.jobs["reload"]:
        lacking = case.service.process.lacking
        return Accepted(run, now, observed.looked_at, started, tuple(case.needs if lacking is None else lacking))
    # It has not looked at anything again, so what it has is as old as before.
    return Accepted(run, now, old.at if old else before.began, started, old.lacking if old else ())


def _now_current(plan: Plan, differences: Differences, manager: Manager) -> Mapping[str, str]:
    """Processes that are current now, though no stamp shows it, by the run of their unit.

    Those that were reloaded. Those with another stamp, which stands for all that their files say. Under a user's
    manager all that run and are not kept.
    """
    services = [case for case in differences.cases if case.kind.processes is Processes.MAIN]
    reloaded = {unit for unit in plan.jobs["reload"] if kind_of(unit).processes is Processes.MAIN}
    units = {case.unit for case in services if case.service.process.apart and not case.leaves}
    if not manager.places.scope.keeps_stamps:
        units |= {case.unit for case in services}
    units = {*(units - set(plan.kept)), *reloaded}
    shown = manager.show(sorted(units), ["ActiveState", "InvocationID"])
    return {unit: each["InvocationID"] for unit, each in shown.items() if each.get("ActiveState") in UP}


def _in_use(plan: Plan, differences: Differences, observed: Observed, rows: Mapping[str, Accepted]) -> Dict[str, Parts]:
    """What the stamps stand for that are in use: in a file, or of a process that went on running."""
    after, made_of = differences.after, differences.desired.made_of
    found: Set[str] = {stamp for content in after.contents.values() for stamp in stamps_in(content)}
    anew = {unit for verb in ("stop", "restart", "start", "run") for unit in plan.jobs[verb]}
    for unit, run in observed.invocations.items():
        if unit not in anew and after.defines(unit):
            found |= of_process(run.log_fields)
    for row in rows.values():
        found |= {*row.stamps, *(row.started or ())}
    known = recorded(observed.places)
    new = {stamp: made_of[stamp].parts() for stamp in found if stamp in made_of and stamp not in known}
    return {**{stamp: parts for stamp, parts in known.items() if stamp in found}, **new}

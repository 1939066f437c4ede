# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which processes are current though no stamp shows it: one file for all owners below the state folder.

Private to the collection.
"""

from __future__ import annotations

import json
from typing import AbstractSet, Dict, Mapping

from .._desired.stamp import of_process, stamps
from .._host.files import Writer, look
from .._host.manager import UP, Manager
from .._host.observed import Observed
from .._host.places import Places
from .._plan.differences import Differences
from .._plan.plan import Plan
from .._plan.stale import Accepted
from .._syntax.kinds import Processes, kind_of


def accepted(where: Places) -> Dict[str, Accepted]:
    """The processes that are known to be current though their stamp does not show it. A damaged file counts as none."""
    seen = look(where.accepted_file)
    if seen is None or seen.content is None:
        return {}
    try:
        rows = json.loads(seen.content)
        return {u: Accepted(row["invocation"], frozenset(row["stamps"]), float(row["at"])) for u, row in rows.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def accept(
    plan: Plan,
    differences: Differences,
    observed: Observed,
    manager: Manager,
    writer: Writer,
    failed: AbstractSet[str],
) -> None:
    """Remember what is current and does not show it."""
    where = observed.places
    known, runs = accepted(where), _now_current(plan, differences, manager)
    after = differences.after
    # A stamp that the process has and its files no longer would say each time anew that it is stale.
    telling = {unit for unit in {**known, **runs} if stamps(unit, after) or of_process(observed.log_fields(unit))}
    kept = {unit: row for unit, row in known.items() if unit in telling}
    for unit, run in runs.items():
        if unit in telling and unit not in failed:
            kept[unit] = Accepted(run, stamps(unit, after), observed.looked_at)
    if kept == known:
        return
    path = where.accepted_file
    if not kept:
        writer.remove(path)
    else:
        rows = {u: {"invocation": r.invocation, "stamps": sorted(r.stamps), "at": r.at} for u, r in kept.items()}
        writer.make_folder(where.state, 0o700)
        writer.write(path, json.dumps(rows).encode(), 0o600)
    writer.settle()


def _now_current(plan: Plan, differences: Differences, manager: Manager) -> Mapping[str, str]:
    """Runs that are of the newest text: what was reloaded, and under a user manager all that runs and is not kept."""
    units = {unit for unit in plan.jobs["reload"] if kind_of(unit).processes is Processes.MAIN}
    if not manager.places.scope.keeps_stamps:
        units |= {case.unit for case in differences.cases if case.kind.processes is Processes.MAIN}
    shown = manager.show(sorted(units - set(plan.kept)), ["ActiveState", "InvocationID"])
    return {unit: each["InvocationID"] for unit, each in shown.items() if each.get("ActiveState") in UP}

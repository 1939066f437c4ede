# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is remembered between runs, in a file an owner has under the state folder.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import time
from typing import Dict

from .._host.files import Writer, look
from .._host.manager import Manager
from .._host.places import Places
from .cases import Accepted, stamps
from .desired import Desired
from .plan import Plan


def _accepted_path(where: Places, owner: str) -> str:
    return os.path.join(where.state, "accepted", owner + ".json")


def accepted(where: Places, owner: str) -> Dict[str, Accepted]:
    """The processes that are known to be current though their stamp does not show it. A damaged file counts as none."""
    seen = look(_accepted_path(where, owner))
    if seen is None or seen.content is None:
        return {}
    try:
        rows = json.loads(seen.content)
        return {unit: Accepted(row["invocation"], frozenset(row["stamps"]), row["since"]) for unit, row in rows.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def accept(where: Places, desired: Desired, plan: Plan, manager: Manager, writer: Writer) -> None:
    """Remember what this run made current: reloaded services, and under a user manager all that it started."""
    if where.root or where.scope == "global" or not manager.live:
        return
    known = accepted(where, desired.owner)
    units = {unit for each in desired.units for unit in each.members} | {dropin.unit.text for dropin in desired.dropins}
    kept = {unit: row for unit, row in known.items() if unit in units}
    current = set(plan.jobs["reload"])
    if where.scope == "user":
        current |= {*plan.jobs["start"], *plan.jobs["restart"]}
    current = {unit for unit in current if unit.endswith(".service")}
    shown = manager.show(sorted(current), ["InvocationID"])
    for unit, values in shown.items():
        kept[unit] = Accepted(values.get("InvocationID", ""), stamps(unit, plan.differences.after), time.time())
    if kept != known:
        rows = {
            unit: {"invocation": r.invocation, "stamps": sorted(r.stamps), "since": r.since} for unit, r in kept.items()
        }
        writer.make_folder(os.path.dirname(_accepted_path(where, desired.owner)), 0o700)
        writer.write(_accepted_path(where, desired.owner), json.dumps(rows).encode(), 0o600)
        writer.settle()

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a running unit wants or needs from now on, or whether it is needed, and was not so before. Pure.

Of what it wants only what is new is started: `systemctl start` of the unit itself would start that too, but also all
else that it wants and that is down, such as what someone has stopped by hand. Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, Sequence

from .._host.graph import Graph
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import stops_unneeded
from .._syntax.names import misnamed, parse_name
from .._syntax.relations import BINDING, PULLS_IN
from . import sockets
from .case import Case
from .differences import Differences
from .policy import Act

_UNNEEDED = ("Unit", "StopWhenUnneeded")


def unneeded_from_now_on(differences: Differences) -> Iterator[str]:
    """Units that run, and that systemd may stop by itself once it has read that it shall where nothing needs them."""
    for case in differences.cases:
        if case.now.is_up and _UNNEEDED in case.change.directives and stops_unneeded(case.after):
            yield case.unit


def followed(acts: Sequence[Act], differences: Differences, later: Graph) -> List[Act]:
    """Acts for one unit, with those for what it pulls in in the place of its own. later: by the new text."""
    if all(act.verb != "pull" for act in acts):
        return list(acts)
    cases = {case.unit: case for case in differences.cases}
    found: List[Act] = []
    for act in acts:
        found += _starts(cases[act.unit], cases, differences.after, later) if act.verb == "pull" else [act]
    return found


def _starts(case: Case, cases: Dict[str, Case], after: LoadPath, later: Graph) -> List[Act]:
    found: Dict[str, Act] = {}
    for directive in PULLS_IN:
        for other in case.change.pulls.get(directive, ()):
            if not _is_due(other, cases, later) or other in found:
                continue
            hindrance = _hindrance(other, after, later)
            if hindrance:
                found[other] = Act("keep", case.unit, f"now pulls in {other}; but {hindrance}")
            elif directive == BINDING:  # both have to come up then
                found[other] = Act("start", case.unit, f"now pulls in {other}, without which systemd stops it")
            else:
                found[other] = Act("start", other, f"newly in {directive}= of {case.unit}")
    return list(found.values())


def _is_due(unit: str, cases: Dict[str, Case], later: Graph) -> bool:
    """Is it down, and is nothing against its start? What has no text, or is masked, cannot be started."""
    if misnamed(unit) or parse_name(unit).is_template or later.states[unit].is_up or not later.node(unit).loads:
        return False
    return unit not in cases or not (cases[unit].leaves or cases[unit].service.runs_on_change)


def _hindrance(unit: str, after: LoadPath, later: Graph) -> str:
    if "RefuseManualStart" in later.node(unit).settings:
        return "that refuses a manual start: it comes up with the next start of what wants it"
    service = sockets.in_the_way(unit, after, later.states)
    if service:
        return f"that cannot start listening while {service} runs: it comes up with the next boot"
    return ""

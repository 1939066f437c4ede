# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Units that are declared to run, and cannot both run: by their texts, and by what the jobs of a plan would do. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple

from .._desired.options import RUNNING
from .._syntax.dependencies import named, needed
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Rule, Severity
from .plan import Plan
from .references import View

_AT_WAR = Rule(
    "contradiction",
    Severity.ERROR,
    "it conflicts with {other}, and both are declared to run: either ends the other",
    "declare one of them stopped, or take Conflicts= away",
    "systemd.unit(5), Conflicts=",
)
_NEEDS_WAR = Rule(
    "contradiction",
    Severity.ERROR,
    "it needs {needed}, which conflicts with {other}, and both are declared to run",
    "declare one of them stopped, or take Conflicts= away",
    "systemd.unit(5), Conflicts=",
)
_AT_WAR_WITHIN = Rule(
    "contradiction",
    Severity.ERROR,
    "it cannot be up without {needed} and {other}, which conflict, so that systemd refuses to start it",
    "take one of them, or Conflicts=, away",
    "systemd.unit(5), Conflicts=",
)
_OUTDONE = Rule(
    "contradiction",
    Severity.ERROR,
    "it is declared to run, and {what} ends {ended} by Conflicts={along}",
    "declare it stopped or present, or take Conflicts= away",
    "systemd.unit(5), Conflicts=",
)
_DISPLACED = Rule(
    "displaced",
    Severity.WARNING,
    "it is stopped, since {other} is started, which conflicts with it",
    "with state: stopped nothing is said of it; if both shall run, take Conflicts= away",
    "systemd.unit(5), Conflicts=",
)


class _War(NamedTuple):
    """Two units that are declared to run, and cannot both run.

    unit, other: these two. each, with_: what conflicts of either side: the unit itself, or something that it cannot be
    without.
    """

    unit: str
    other: str
    each: str
    with_: str


def _wars(view: View) -> List[_War]:
    """Conflicts by the text of the one; of several units that need the same, the first one is named."""
    loadpath = view.differences.named
    if not any(b"Conflicts" in content for content in loadpath.contents.values()):
        return []
    running = sorted(case.unit for case in view.differences.cases if case.wanted in RUNNING)
    needing: Dict[str, str] = {unit: unit for unit in running}
    for unit in running:
        for other in sorted(each for each in needed([unit], loadpath) if not misnamed(each)):
            needing.setdefault(other, unit)
    return [
        _War(needing[each], needing[other], each, other)
        for each in sorted(needing)
        for other in sorted({*named(each, "Conflicts", loadpath)} - {each})
        if other in needing
    ]


def of_texts(view: View) -> Iterator[Problem]:
    """Units that are declared to run and conflict by their texts: they themselves, or what they cannot be without."""
    for war in _wars(view):
        if war.unit != war.other:
            rule = _AT_WAR if war.each == war.unit else _NEEDS_WAR
            told = war.with_ if war.with_ == war.other else f"{war.with_}, which {war.other} needs"
            yield rule.problem(war.unit, "Unit", "Conflicts", needed=war.each, other=told)
        elif war.unit not in (war.each, war.with_):
            yield _AT_WAR_WITHIN.problem(war.unit, needed=war.each, other=war.with_)


def of_jobs(plan: Plan, view: View) -> Iterator[Problem]:
    """Units that a start, or the run of a oneshot, ends by Conflicts= of either side, and that nothing starts again."""
    told = {unit for war in _wars(view) for unit in war} if plan.outdone else ()
    for case in view.differences.cases if plan.outdone else ():
        other, ended = plan.outdone.get(case.unit, ("", ""))
        if other and case.wanted in RUNNING and not (case.unit in told and other in told):
            yield _OUTDONE.problem(case.unit, "Unit", "Conflicts", **_words(case.unit, other, ended, plan))
        elif other and case.wanted not in RUNNING and case.now.is_up and not case.leaves:
            yield _DISPLACED.problem(case.unit, other=other)


def _words(unit: str, other: str, ended: str, plan: Plan) -> Dict[str, str]:
    what = f"the {'run' if other in plan.jobs['run'] else 'start'} of {other}"
    own = ended == unit
    return {"what": what, "ended": "it" if own else ended, "along": "" if own else ", with which it goes down"}

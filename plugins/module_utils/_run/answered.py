# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Checks that have passed, though it was another unit that has answered. Private to the collection."""

from __future__ import annotations

from typing import List

from .._host.manager import Manager
from .._plan.expected import Expected
from .._syntax.rule import Problem, Rule, Severity
from .work import Work

_BY_ANOTHER = Rule(
    "answered-by-another",
    Severity.WARNING,
    "its check at {place} was answered by {who}, and the unit itself listens nowhere",
    "check what the unit itself does; if it works for {other}, order it after that (After={other})",
    "the option health",
)


def answered(work: Work, manager: Manager) -> List[Problem]:
    """Units whose health has decided, and of which another unit has answered a check."""
    found = []
    for unit, expected in work.plan.watched.items():
        checks = work.desired.health_of(unit).checks if expected in (Expected.UP, Expected.UNFAILED) else ()
        places = [each.place for each in checks if each.place is not None]
        if places:
            from .._causes.answers import instead  # noqa: PLC0415 (only where there is such a check)

            other = instead(manager, unit, places)
            if other:
                place, who = other
                found.append(_BY_ANOTHER.problem(unit, place=str(place), who=str(who), other=who.unit))
    return found

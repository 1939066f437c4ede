# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Orders of a user's unit after units of the system, of which that user's manager knows nothing.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import Iterator, List, Sequence, Tuple

from .._host.places import Places, places
from .._host.scopes import DEFAULT_SCOPE
from .._plan.doubts import of_others
from .._plan.references import View
from .._syntax.kinds import File, kind_of
from .._syntax.loadpath import entries
from .._syntax.names import misnamed, parse_name
from .._syntax.relations import USES
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.specifiers import in_name
from .._syntax.unitfile import Entry

_OF_SYSTEM = Rule(
    "of-system",
    Severity.WARNING,
    "a user's manager knows no units of the system, so nothing is ordered by {other}",
    "leave it out and have the program itself wait for what it needs, or declare this in scope system, with User=",
    "systemd.unit(5), After=; systemd(1), --user",
)
_ORDERS = ("After", "Before")


def ordered_in_vain(view: View) -> Iterator[Problem]:
    """Of what is written."""
    where = view.observed.places
    if not where.scope.of_users:
        return
    folders = _folders(where)
    for wanted in view.differences.write:
        if not where.is_unit_file(wanted.path):
            continue
        name = where.unit_of(wanted.path)
        words = _words(name, entries(wanted.content))
        # What is wished for in vain as well is told of the wish.
        wished = {other for directive, other in words if directive in USES}
        orders = [each for each in words if each[0] in _ORDERS and each[1] not in wished]
        theirs = _words(name, of_others(name, view)) if orders else []
        for directive, other in dict.fromkeys(orders):
            if (directive, other) not in theirs and _is_of_system(other, view, folders):
                yield _OF_SYSTEM.problem(name, "Unit", directive, other=other)


def _words(name: str, text: Sequence[Entry]) -> List[Tuple[str, str]]:
    return [(each.directive, in_name(word, name)) for each in text for word in each.value.split()]


def _folders(where: Places) -> List[str]:
    """Where units of the system are."""
    return list(places(DEFAULT_SCOPE, where.root, {}).lookup)


def _is_of_system(unit: str, view: View, folders: List[str]) -> bool:
    if "%" in unit or misnamed(unit) or kind_of(unit).file is not File.NEEDED or view.is_there(unit):
        return False
    names = filter(None, (unit, parse_name(unit).template))
    return any(os.path.lexists(os.path.join(folder, name)) for name in names for folder in folders)

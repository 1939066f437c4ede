# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Names of capabilities, which systemd passes over without a word where it knows no such one (247 to 262).

Private to the collection.
"""

from __future__ import annotations

from typing import FrozenSet, Iterator, List, Tuple

from .._desired.stack import Desired
from .._host.manager import Manager
from .._plan.differences import Differences
from .._syntax.likeness import near
from .._syntax.loadpath import entries
from .._syntax.rule import Problem, Rule, Severity, legible
from .._syntax.unitfile import Entry

_SOURCE = "systemd.exec(5), CapabilityBoundingSet=; systemd-analyze capability of the host"
_REASON = "this host knows no capability {word}, and systemd passes over it without a word"
_NO_CAPABILITY = Rule("no-capability", Severity.ERROR, _REASON, "mend its name{near}, or leave it out", _SOURCE)
# A set is the same without what cannot be in it.
_NOTHING_TO_TAKE = Rule(
    "capability-passed-over", Severity.WARNING, _REASON, "mend its name{near}, or leave it out", _SOURCE
)
# What systemd itself calls the type of a directive that holds them.
_TYPE = "BOUNDINGSET"


def unknown_capabilities(desired: Desired, differences: Differences, manager: Manager) -> Iterator[Problem]:
    """Those that a written text names."""
    named = list(_named(desired, differences))
    known = manager.capabilities() if named else frozenset()
    for unit, entry in named if known else ():
        for word in entry.value.lstrip("~").split():
            if not word.isdigit() and word.lower() not in known:
                rule = _NOTHING_TO_TAKE if entry.value.startswith("~") else _NO_CAPABILITY
                place = (unit, entry.section, entry.directive)
                yield rule.problem(*place, word=legible(word), near=_near(word, known))


def _named(desired: Desired, differences: Differences) -> Iterator[Tuple[str, Entry]]:
    for wanted in differences.write:
        for entry in () if wanted.secret or not desired.catalogue else entries(wanted.content):
            if desired.catalogue and desired.catalogue.type_of(entry.section, entry.directive) == _TYPE:
                yield wanted.unit, entry


def _near(word: str, known: FrozenSet[str]) -> str:
    close: List[str] = near(word.lower(), sorted(known), least=0.75)
    return f" (did you mean {close[0].upper()}?)" if close else ""

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Names of capabilities and secure bits: systemd passes over one that it does not know, without a word (247 to 262).

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Callable, FrozenSet, Iterator, List, Tuple

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
_NO_BIT = Rule(
    "no-secure-bit",
    Severity.ERROR,
    "there is no secure bit {word}, and systemd passes over it without a word",
    "mend its name{near}, or leave it out",
    "systemd.exec(5), SecureBits=",
)
# What systemd itself calls the types of directives that hold them.
_CAPABILITIES, _BITS = "BOUNDINGSET", "SECUREBITS"
# The same from 247 to 262 (securebits-util.c).
_SECURE_BITS = frozenset(
    f"{bit}{suffix}" for bit in ("keep-caps", "no-setuid-fixup", "noroot") for suffix in ("", "-locked")
)


def unknown_names(desired: Desired, differences: Differences, manager: Manager) -> Iterator[Problem]:
    """Words of a written text that systemd does not know and says nothing of."""
    named = list(_of_type(_CAPABILITIES, desired, differences))
    known = manager.capabilities() if named else frozenset()
    for unit, entry in named:
        for word in entry.value.lstrip("~").split() if known else ():
            if not word.isdigit() and word.lower() not in known:
                rule = _NOTHING_TO_TAKE if entry.value.startswith("~") else _NO_CAPABILITY
                meant = _near(word.lower(), known, str.upper)
                yield rule.problem(unit, entry.section, entry.directive, word=legible(word), near=meant)
    for unit, entry in _of_type(_BITS, desired, differences):
        for word in re.sub("[\"']", "", entry.value).split():
            if word not in _SECURE_BITS:
                meant = _near(word.lower().replace("_", "-"), _SECURE_BITS, str)
                yield _NO_BIT.problem(unit, entry.section, entry.directive, word=legible(word), near=meant)


def _of_type(kind: str, desired: Desired, differences: Differences) -> Iterator[Tuple[str, Entry]]:
    for wanted in differences.write:
        for entry in () if wanted.secret or not desired.catalogue else entries(wanted.content):
            if desired.catalogue and desired.catalogue.type_of(entry.section, entry.directive) == kind:
                yield wanted.unit, entry


def _near(word: str, known: FrozenSet[str], spelled: Callable[[str], str]) -> str:
    close: List[str] = near(word, sorted(known), least=0.75)
    return f" (did you mean {spelled(close[0])}?)" if close else ""

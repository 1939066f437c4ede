# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Options that stand one level too deep, where any name may stand, so that no check of options sees them. Pure.

Private to the collection.
"""

from __future__ import annotations

from collections import abc
from functools import lru_cache
from typing import Any, FrozenSet, Iterator, Mapping

from .._syntax.kinds import kind_of
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Rule, Severity
from .options import FORMS, HIDDEN_OPTIONS, SECTION_OPTIONS, unit

Params = Mapping[str, Any]

_SLIPPED = Rule(
    "slipped-option",
    Severity.WARNING,
    "{option}.{name}: that is an option of the service",
    "has it slipped in by its indentation?",
    "the options environment, secrets and credentials",
)
# Which directive each of them makes.
_MAKES = dict(zip(("environment", *HIDDEN_OPTIONS), ("Environment", "EnvironmentFile", "LoadCredential")))
# A whole section, or a text, is no value of a variable; and a name may well be one's.
_NEVER = {*SECTION_OPTIONS, "content", "name"}


def slipped(entry: Params) -> Iterator[Problem]:
    """Names for the process that are those of options to the letter; variables are upper case as a rule (environ(7)).

    entry: of a unit or a drop-in, which short forms have become. Never a value, which may be a secret.
    """
    given = [option for option in _MAKES if entry.get(option) and isinstance(entry[option], abc.Mapping)]
    for option in given:
        for name in entry[option]:
            if name in _options():
                of = str(entry["name"])
                section = "" if misnamed(of) else kind_of(of).section
                yield _SLIPPED.problem(of, section, _MAKES[option], option=option, name=name)


@lru_cache(maxsize=None)
def _options() -> FrozenSet[str]:
    return frozenset(name for spec in (unit, *FORMS.values()) for name in spec()) - _NEVER

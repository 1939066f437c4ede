# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a program said last before it ended, and the paths in it. Private to the collection."""

from __future__ import annotations

import re
from typing import Callable, List, NamedTuple, Optional, Pattern, Tuple

from .incident import Cause, Incident
from .journal import Line
from .views import inside

# Lines before the last one that may belong to it, such as a trace.
MOST_BEHIND = 25
_PATH = re.compile(r"(?P<quote>['\"`]?)(?P<path>/[^\s'\"`:;,()\[\]<>|]*[^\s'\"`:;,()\[\]<>|.])(?P=quote)")
_PROGRAM = re.compile(r"^(?:[^\s:]+:\s+)(?:(?:line )?\d+:\s+)?")


class LastWords(NamedTuple):
    """The decisive line, and what of details follows it."""

    text: str
    more: str
    line: Line


class Words(NamedTuple):
    """What is to be found in the line, and what proves it."""

    pattern: Pattern[str]
    prove: Callable[[Incident, LastWords], Optional[Cause]]


def paths(said: LastWords) -> List[str]:
    """The paths that a line names, without the program that says it."""
    text = _PROGRAM.sub("", said.text)
    return list(dict.fromkeys(each.group("path") for each in _PATH.finditer(text)))


def path_of(incident: Incident, said: LastWords) -> Optional[Tuple[str, str]]:
    """The one path of a line, as the unit has it and as the host has it."""
    found = paths(said)
    real = inside(incident, found[0]) if len(found) == 1 else None
    return (found[0], real) if real is not None else None

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a unit depends on besides its text, so that a change of it counts as one of the unit. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Iterator, List, Mapping, Optional, Sequence, Tuple

from .._syntax.rule import Problem, Rule, Severity, shown
from .render import Params

_TRIGGER = Rule("trigger", Severity.ERROR, "triggers: {path} is not an absolute path", "", "the option triggers")
_TRIGGER_MISSING = Rule(
    "trigger-missing",
    Severity.UNVERIFIED,
    "triggers: the file {path} is not there",
    "name a file that exists",
    "the option triggers",
)


def is_path(text: str) -> bool:
    """May a file have it for its absolute path?"""
    return text.startswith("/") and "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def trigger_files(entries: Sequence[Params]) -> List[str]:
    """The paths whose contents a desired state depends on."""
    return [path for entry in entries for path in (entry.get("triggers") or {}).get("files") or []]


def bad(entries: Sequence[Params]) -> Iterator[Problem]:
    for entry, path in _triggers(entries):
        if not is_path(path):
            yield _TRIGGER.problem(entry["name"], path=shown(path))


def missing(entries: Sequence[Params], digests: Mapping[str, Optional[str]]) -> Iterator[Problem]:
    for entry, path in _triggers(entries):
        if digests.get(path) is None:
            yield _TRIGGER_MISSING.problem(entry["name"], path=path)


def _triggers(entries: Sequence[Params]) -> Iterator[Tuple[Params, str]]:
    return ((entry, path) for entry in entries for path in trigger_files([entry]))

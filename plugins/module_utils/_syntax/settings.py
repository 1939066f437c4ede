# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which settings a line of a unit makes: some are made by several names, and some lines are lists by a key each.

Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Iterator, NamedTuple, Tuple

from .former import present
from .unitfile import Entry
from .words import split

# Of one namespace, by the credential's name (systemd.exec(5)).
_ENCRYPTED = {"LoadCredentialEncrypted": "LoadCredential", "SetCredentialEncrypted": "SetCredential"}
# Of services, by one line both (systemd.service(5)).
_BOTH: Dict[Tuple[str, str], Tuple[str, ...]] = {("Service", "TimeoutSec"): ("TimeoutStartSec", "TimeoutStopSec")}
_BY_NAME = ("LoadCredential", "SetCredential")
# In the place of a value where a line takes one away.
TAKEN_AWAY = "\0"


class Setting(NamedTuple):
    """One thing that a line sets. key: which of a list, "" for all of a directive."""

    section: str
    directive: str
    key: str
    value: str


def settings(entry: Entry) -> Iterator[Setting]:
    section, directive = _place(entry)
    if directive in ("Environment", "UnsetEnvironment") and entry.value:
        yield from _variables(section, directive, entry.value)
    elif directive in _BY_NAME and ":" in entry.value:
        name, _colon, value = entry.value.partition(":")
        yield Setting(section, directive, name, value)
    elif directive in _BY_NAME and entry.value:
        yield Setting(section, directive, entry.value, "")
    else:
        for each in _BOTH.get((section, directive), (directive,)):
            yield Setting(section, each, "", entry.value)


def _place(entry: Entry) -> Tuple[str, str]:
    section, directive = present(entry.section, entry.directive)
    return section, _ENCRYPTED.get(directive, directive)


def _variables(section: str, directive: str, value: str) -> Iterator[Setting]:
    try:
        words = [word.text for word in split(value)]
    except ValueError:  # of quotes that do not match verify complains
        return
    for word in words:
        name, equals, text = word.partition("=")
        if directive == "UnsetEnvironment" and not equals:
            yield Setting(section, "Environment", name, TAKEN_AWAY)
        elif directive == "Environment" and equals:
            yield Setting(section, directive, name, text)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which settings a line of a unit makes: some are made by several names, and some lines are lists by a key each.

Names of old are those of systemd's own table (load-fragment-gperf.gperf.in of 247 to 262). Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Iterator, NamedTuple, Tuple

from .unitfile import Entry
from .words import split

# The place by which [Unit] has what [Service] may still have.
_UNIT = "Unit"
_OLD_NAMES: Dict[str, str] = {
    "StartLimitInterval": "StartLimitIntervalSec",
    "ReadWriteDirectories": "ReadWritePaths",
    "ReadOnlyDirectories": "ReadOnlyPaths",
    "InaccessibleDirectories": "InaccessiblePaths",
    "OnFailureIsolate": "OnFailureJobMode",
    "ManagedOOMMemoryPressureLimitPercent": "ManagedOOMMemoryPressureLimit",
    # Of one namespace, by the credential's name (systemd.exec(5)).
    "LoadCredentialEncrypted": "LoadCredential",
    "SetCredentialEncrypted": "SetCredential",
}
# What [Service] may have of [Unit].
_MOVED = frozenset(
    ("Service", each)
    for each in ("StartLimitIntervalSec", "StartLimitBurst", "StartLimitAction", "FailureAction", "RebootArgument")
)
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
    directive = _OLD_NAMES.get(entry.directive, entry.directive)
    return _UNIT if (entry.section, directive) in _MOVED else entry.section, directive


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

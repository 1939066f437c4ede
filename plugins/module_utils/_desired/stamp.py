# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The stamp, which tells what a process was started with: how it is made, and where it is read. Pure.

It stands in the unit's file as a field of LogExtraFields=, which PID 1 keeps for each process. Private to the
collection.
"""

from __future__ import annotations

import hmac
import json
import re
from typing import Any, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .._host.scopes import Scope
from .._syntax.directives import effect
from .._syntax.kinds import KINDS, Effect, Processes
from .._syntax.loadpath import LoadPath
from .._syntax.names import is_template

_FIELD = "UNITWRIGHT_STAMP="
_DIRECTIVE = "LogExtraFields"
_IN_FILE = re.compile(rb"^[ \t]*LogExtraFields[ \t]*=[ \t]*(?:" + _FIELD.encode() + rb"(\w+))?[ \t\r]*$", re.MULTILINE)
_LENGTH = 24
# One for all, as json.dumps makes a new one each time.
_JSON = json.JSONEncoder(sort_keys=True, default=str)

Assignment = Tuple[str, str]


def stamped(
    params: Mapping[str, Any],
    kind: str,
    sections: Sequence[Tuple[str, Sequence[Assignment]]],
    scope: Scope,
    key: bytes,
    digests: Mapping[str, Optional[str]],
) -> List[Assignment]:
    """The assignment that stamps a unit or drop-in, [] where none is needed.

    key: the host's secret. digests: of the trigger files, None where one is not there.
    """
    if KINDS[kind].processes is not Processes.MAIN or not scope.has_manager or _is_per_connection(params):
        return []
    stamp = _stamp(params, kind, sections, key, digests)
    return [(_DIRECTIVE, _FIELD + stamp)] if stamp else []


def _is_per_connection(params: Mapping[str, Any]) -> bool:
    """May a socket start an instance of it a connection? PID 1 leaves a file behind for each that is stamped.

    What a text cannot show, secrets and triggers, is worth that.
    """
    hidden = any(params.get(option) for option in ("secrets", "credentials", "triggers"))
    return is_template(params["name"]) and not params.get("instances") and not hidden


def _stamp(
    params: Mapping[str, Any],
    kind: str,
    sections: Sequence[Tuple[str, Sequence[Assignment]]],
    key: bytes,
    digests: Mapping[str, Optional[str]],
) -> str:
    """A keyed hash of all that a process keeps from its start, "" where nothing of that kind is declared.

    Keyed, since a unit file is readable by all and a bare hash would let anyone try out short secrets.
    """
    every = [(section, *assignment) for section, assignments in sections for assignment in assignments]
    kept = sorted(
        (item for item in every if effect(kind, item[0], item[1]) is Effect.RESTART), key=lambda item: item[:2]
    )
    triggers = params.get("triggers") or {}
    parts = {
        "directives": kept,
        "secrets": params.get("secrets") or {},
        "credentials": params.get("credentials") or {},
        "files": {path: digests.get(path) for path in triggers.get("files") or []},
        "values": triggers.get("values") or [],
    }
    if not any(parts.values()):
        return ""
    return hmac.digest(key, _JSON.encode(parts).encode(), "sha256").hex()[:_LENGTH]


def without_stamp(content: bytes) -> str:
    """A unit file for a diff: the stamp says nothing to a person, and needs a key that may not be yet."""
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"{_DIRECTIVE}={_FIELD}"))


def values_without_stamp(values: Iterable[str]) -> List[str]:
    """The values of a directive without our own."""
    return [value for value in values if not value.startswith(_FIELD)]


def stamps(unit: str, loadpath: LoadPath) -> FrozenSet[str]:
    """The stamps a process of this unit carries if it is started from these files; LogExtraFields= alone resets all."""
    found: Set[str] = set()
    for path in loadpath.files(unit):
        for stamp in _IN_FILE.findall(loadpath.contents.get(path, b"")):
            found = {*found, stamp.decode()} if stamp else set()
    return frozenset(found)


def of_process(log_fields: Iterable[str]) -> FrozenSet[str]:
    """The stamps among the journal fields (NAME=value) that a process was started with."""
    return frozenset(each[len(_FIELD) :] for each in log_fields if each.startswith(_FIELD))

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
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from .._host.scopes import Scope
from .._syntax.directives import Catalogue, effect
from .._syntax.effects import Effect
from .._syntax.former import present
from .._syntax.kinds import KINDS, Processes
from .._syntax.loadpath import LoadPath
from .._syntax.names import is_template
from .._syntax.spelling import plain
from .triggers import declared_files, environment_files

_FIELD = "UNITWRIGHT_STAMP="
_DIRECTIVE = "LogExtraFields"
_IN_FILE = re.compile(rb"^[ \t]*LogExtraFields[ \t]*=[ \t]*(?:" + _FIELD.encode() + rb"(\w+))?[ \t\r]*$", re.MULTILINE)
_LENGTH = 24
# One for all, as json.dumps makes a new one each time.
_JSON = json.JSONEncoder(sort_keys=True, default=str)

Assignment = Tuple[str, str]


# What a process has from its start alone; the rest are triggers, which a reload takes up as well.
DIRECTIVE, FILE, VALUE, ENVIRONMENT = "directive", "file", "value", "environment file"
FROM_START = (DIRECTIVE, "secret", "credential", ENVIRONMENT)
# Between the hash of what a text says and that of what it means, where these are two.
_OR = "/"
# Parts that are the content of a file on the host, which may be named anew though it is old.
OF_FILES = (FILE, ENVIRONMENT)

Parts = Mapping[str, str]


@dataclass(frozen=True)
class Ingredients:
    """What the stamp of one text is made of: all that a process keeps from its start.

    key: the host's secret. kept: (section, directive, value). secrets, credentials: by name. files: SHA-256 of each
    trigger file, None where it is not there. values: the other triggers. environment: SHA-256 of each file of
    EnvironmentFile= that counts by itself. catalogue: what the host's systemd says of the types of directives.
    """

    key: bytes = field(repr=False)
    kept: Sequence[Tuple[str, str, str]] = field(repr=False)
    secrets: Mapping[str, object] = field(repr=False)
    credentials: Mapping[str, object] = field(repr=False)
    files: Mapping[str, Optional[str]]
    values: Sequence[object] = field(repr=False)
    environment: Mapping[str, Optional[str]] = field(default_factory=dict)
    catalogue: Optional[Catalogue] = field(default=None, repr=False)

    @property
    def without_environment(self) -> Ingredients:
        """What earlier versions made of the same text."""
        return replace(self, environment={})

    @cached_property
    def stamp(self) -> str:
        """A keyed hash of all, "" where there is nothing of that kind.

        Keyed, since a unit file is readable by all and a bare hash would let anyone try out short secrets.
        """
        parts = {
            "directives": self.kept,
            "secrets": self.secrets,
            "credentials": self.credentials,
            "files": self.files,
            "values": self.values,
            **({"environment": self.environment} if self.environment else {}),
        }
        return self._hash(parts) if any(parts.values()) else ""

    def parts(self) -> Dict[str, str]:
        """A keyed hash of each by its kind and name, so that it can be told later which of them differ."""
        directives: Dict[str, List[str]] = {}
        for section, directive, value in self.kept:
            directives.setdefault(f"{section}.{directive}", []).append(value)
        kinds: Sequence[Mapping[str, object]] = (
            *(directives, self.secrets, self.credentials),
            *(self.environment, self.files),
        )
        found = {
            f"{kind} {name}": self._hash([kind, name, value])
            for kind, each in zip((*FROM_START, FILE), kinds)
            for name, value in each.items()
        }
        for name, values in directives.items():
            section, _dot, directive = name.partition(".")
            kind = self.catalogue.type_of(section, directive) if self.catalogue else None
            meant = plain(directive, values, kind)
            if meant != values:
                found[f"{DIRECTIVE} {name}"] += _OR + self._hash([DIRECTIVE, name, meant])
        # A value has no name but itself.
        found.update((f"{VALUE} {each}", each) for each in map(self._of_value, self.values))
        return found

    def place(self, value: str) -> str:
        """Where a value stands among the triggers, by the hash that is its name; "" if it is none of these."""
        places = [index for index, each in enumerate(self.values) if self._of_value(each) == value]
        return f"triggers.values[{places[0]}]" if places else ""

    def _of_value(self, value: object) -> str:
        return self._hash([VALUE, value])

    def _hash(self, what: object) -> str:
        return hmac.digest(self.key, _JSON.encode(what).encode(), "sha256").hex()[:_LENGTH]


def is_same(old: Optional[str], new: Optional[str]) -> bool:
    """Do two parts of one name stand for the same, if maybe in other words?"""
    return old == new or (old is not None and new is not None and not {*old.split(_OR)}.isdisjoint(new.split(_OR)))


def in_both(one: str, other: str) -> str:
    """What a part comes to that is of two texts: by what each says, and by what each means."""
    (said, _or, meant), (more, _or, more_meant) = one.partition(_OR), other.partition(_OR)
    if not meant and not more_meant:
        return said + more
    return said + more + _OR + (meant or said) + (more_meant or more)


def sort_and_name(part: str) -> Tuple[str, str]:
    """Of what sort a part is, and its own name."""
    sort = next(sort for sort in (*FROM_START, FILE, VALUE) if part.startswith(sort + " "))
    return sort, part[len(sort) + 1 :]


def ingredients(
    params: Mapping[str, Any],
    kind: str,
    sections: Sequence[Tuple[str, Sequence[Assignment]]],
    scope: Scope,
    key: bytes,
    digests: Mapping[str, Optional[str]],
    catalogue: Optional[Catalogue] = None,
) -> Optional[Ingredients]:
    """What stamps a unit or drop-in, None where no stamp is needed.

    key: the host's secret. digests: of the trigger files, None where one is not there. catalogue: as in Ingredients.
    """
    if KINDS[kind].processes is not Processes.MAIN or not scope.has_manager or _is_per_connection(params):
        return None
    said = ((section, *assignment) for section, assignments in sections for assignment in assignments)
    every = ((*present(section, directive), value) for section, directive, value in said)
    kept = [item for item in every if effect(kind, item[0], item[1]) is Effect.RESTART]
    kept.sort(key=itemgetter(0, 1))
    triggers = params.get("triggers") or {}
    made = Ingredients(
        key=key,
        kept=kept,
        secrets=params.get("secrets") or {},
        credentials=params.get("credentials") or {},
        files={path: digests.get(path) for path in declared_files(params)},
        values=triggers.get("values") or [],
        environment={path: digests.get(path) for path in environment_files(params)},
        catalogue=catalogue,
    )
    return made if made.stamp else None


def assignment(made: Ingredients) -> Assignment:
    """The one that stamps a text."""
    return (_DIRECTIVE, _FIELD + made.stamp)


def _is_per_connection(params: Mapping[str, Any]) -> bool:
    """May a socket start an instance of it a connection? PID 1 leaves a file behind for each that is stamped.

    What a text cannot show, secrets and triggers, is worth that.
    """
    hidden = any(params.get(option) for option in ("secrets", "credentials", "triggers"))
    return is_template(params["name"]) and not params.get("instances") and not hidden


def without_stamp(content: bytes) -> str:
    """A unit file for a diff: the stamp says nothing to a person, and needs a key that may not be yet."""
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"{_DIRECTIVE}={_FIELD}"))


def values_without_stamp(values: Iterable[str]) -> List[str]:
    """The values of a directive without our own."""
    return [value for value in values if not value.startswith(_FIELD)]


def stamps(unit: str, loadpath: LoadPath) -> FrozenSet[str]:
    """The stamps a process of this unit carries if it is started from these files; LogExtraFields= alone resets all."""
    return frozenset(stamps_by_file(unit, loadpath))


def stamps_by_file(unit: str, loadpath: LoadPath) -> Dict[str, str]:
    """The same with the path of the file that each is in."""
    found: Dict[str, str] = {}
    for path in loadpath.files(unit):
        for stamp in stamps_in(loadpath.contents.get(path, b"")):
            found = {**found, stamp: path} if stamp else {}
    return found


def stamps_in(content: bytes) -> Iterator[str]:
    """The stamps of a file in their order, "" for what resets them."""
    return (stamp.decode() for stamp in _IN_FILE.findall(content))


def of_process(log_fields: Iterable[str]) -> FrozenSet[str]:
    """The stamps among the journal fields (NAME=value) that a process was started with."""
    return frozenset(each[len(_FIELD) :] for each in log_fields if each.startswith(_FIELD))

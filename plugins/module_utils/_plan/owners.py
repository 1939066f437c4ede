# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whose files are whose: what of ours is left over, and what of others is in the way. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import Dict, Iterable, Iterator, List, Optional, Set

from .._desired.render import owner_of
from .._desired.stack import Desired, is_single
from .._host.files import TEMPORARY, Seen
from .._host.observed import Observed
from .._host.places import CREDENTIALS, ENVIRONMENT
from .._syntax.loadpath import MASK, LoadPath
from .._syntax.names import dropin_of_stem, misnamed, stem_of_dropin
from .._syntax.rule import Problem, Rule, Severity


def owner_rule(reason: str, remedy: str) -> Rule:
    return Rule("owner", Severity.ERROR, reason, remedy, "nothing of another owner is touched")


_DEFINED = owner_rule("{path} defines this unit", "override it by a dropin, or take it over by replace: true")
_DEFINED_GOES = owner_rule(
    "{path} defines this unit, and is not ours",
    "mask or stop it, or say replace: true if what was over that file shall be absent, and no more",
)
_MASKED = owner_rule("this unit is masked", "add masked: false to have it unmasked")
_NO_FILE = owner_rule("{path} is a symbolic link or not a file, so it is not replaced", "remove it first")
_NOT_OURS = owner_rule("{path} is there and not ours", "take it over by replace: true, or use a dropin")
_NOT_OURS_GOES = owner_rule("{path} is there and not ours", "remove it yourself, or leave this entry out")
_OTHERS = owner_rule("{path} belongs to {whose}", "{way}")
_UNDER_MASK = owner_rule(
    "a mask takes the place of {unit} in this folder, and what is there is not ours", "remove it yourself"
)
_OTHERS_UNDER_MASK = owner_rule("it belongs to {whose}, and a mask would take its place", "{way}")
_STRANGER = Rule(
    "stranger",
    Severity.WARNING,
    "{path} is none of the secrets that this folder is for",
    "it is left as it is; move it to a place of its own",
    "nothing of another owner is touched",
)
_NO_TEXT = Rule(
    "no-text",
    Severity.ERROR,
    "it is this stack's own and has no text here",
    "give it, or leave the unit out to have it pruned",
    "the option prune",
)


def conflicts(desired: Desired, observed: Observed) -> List[Problem]:
    """Files in the way that are not this owner's."""
    found = []
    owners = set(desired.owners)
    for path in [*desired.files, *desired.removed]:
        wanted = desired.files.get(path)
        if wanted is None or not wanted.secret:
            found.append(_conflict(path, wanted.unit if wanted else os.path.basename(path), desired, observed, owners))
    found += _textless(desired, observed)
    for name in (unit.name.text for unit in desired.units if unit.masked):
        found.append(_in_the_way(observed.files.get(observed.places.unit_file(name)), name, desired))
    return [problem for problem in found if problem is not None]


def _textless(desired: Desired, observed: Observed) -> List[Problem]:
    """Units that are named, but whose own file prune would take for one that is no longer declared."""
    units = [unit.name.text for unit in desired.units if unit.path is None and not unit.masked]
    owned = {*_owned(desired, observed)} - set(desired.removed) if units and desired.prune else set()
    return [_NO_TEXT.problem(name) for name in units if observed.places.unit_file(name) in owned]


def _defined_by_others(path: str, unit: str, desired: Desired, loadpath: LoadPath) -> Optional[Problem]:
    vendor = loadpath.own_text(os.path.basename(path))
    return (_DEFINED if path in desired.files else _DEFINED_GOES).problem(unit, path=vendor) if vendor else None


def _conflict(path: str, unit: str, desired: Desired, observed: Observed, owners: Set[str]) -> Optional[Problem]:
    seen = observed.files.get(path)
    may_replace = path in desired.replaced
    if seen is None:
        if os.path.dirname(path) != observed.places.units or may_replace or path in desired.given_back:
            return None
        return _defined_by_others(path, unit, desired, observed.loadpath)
    if seen.target == MASK and path in desired.removed:
        return _defined_by_others(path, unit, desired, observed.loadpath.changed({}, [path]))
    if seen.target == MASK:
        unmasked = any(each.path == path and each.masked is False for each in desired.units)
        return None if unmasked else _MASKED.problem(unit)
    if seen.content is None:
        return _NO_FILE.problem(unit, path=path)
    owner = owner_of(seen.content)
    if owner in owners or may_replace:
        return None
    if owner is None:
        return (_NOT_OURS if path in desired.files else _NOT_OURS_GOES).problem(unit, path=path)
    return _OTHERS.problem(unit, path=path, **_words(owner, desired))


def _words(owner: str, desired: Desired) -> Dict[str, str]:
    """Whose a file is, and what helps: the modules of one unit have no option to take over what is another's."""
    whose = f"the module that declares {owner} alone" if is_single(owner) else f"the stack {owner}"
    if not is_single(desired.owner):
        return {"whose": whose, "way": f"take it over by adopt: [{owner}], or declare it there"}
    there = "by that module" if is_single(owner) else "in that stack"
    return {"whose": whose, "way": f"declare it {there}, or have it removed there first (state: absent)"}


def _in_the_way(seen: Optional[Seen], name: str, desired: Desired) -> Optional[Problem]:
    """What speaks against putting a mask, which is a link, where this lies."""
    if seen is None or seen.target == MASK:
        return None
    owner = owner_of(seen.content) if seen.content is not None else None
    if owner in desired.owners:
        return None
    return _UNDER_MASK.problem(name) if owner is None else _OTHERS_UNDER_MASK.problem(name, **_words(owner, desired))


def _owned(desired: Desired, observed: Observed) -> List[str]:
    """Unit files and drop-ins marked as this owner's, secrets by their folder and name."""
    found = []
    for path, seen in observed.files.items():
        if _stem(path, observed) or (seen.content is not None and owner_of(seen.content) in desired.owners):
            found.append(path)
    return found


def strangers(observed: Observed) -> Iterator[Problem]:
    """What lies among this owner's secrets and is none: it may be anything, and stays."""
    for path in observed.files:
        unfinished = os.path.basename(path).startswith(TEMPORARY)  # by a run of ours that was cut off
        if observed.places.is_secret(path) and not unfinished and not _stem(path, observed):
            yield _STRANGER.problem(path=path)


def orphans(desired: Desired, observed: Observed) -> List[str]:
    """What this owner has and no longer declares. An entry without a text leaves its unit's files as they are."""
    if is_single(desired.owner) and not desired.files and not desired.removed and not desired.prune:
        return []  # a module of one unit that speaks of its state alone, such as that of a timer with its service
    stays = (unit for unit in desired.units if unit.path is None and unit.state != "absent" and not unit.masked)
    left = {unit.name.text for unit in stays}
    return [
        path
        for path in _owned(desired, observed)
        if path not in desired.files and path not in desired.removed and not _is_of(path, left, observed)
    ]


def _is_of(path: str, units: Set[str], observed: Observed) -> bool:
    """Is it the fragment of one of these units, or one of its secrets?"""
    return (_stem(path, observed) or os.path.relpath(path, observed.places.units)) in units


def unit_of(path: str, observed: Observed) -> str:
    """The unit that a file of ours is for: a fragment, a drop-in or a secret."""
    stem = _stem(path, observed)
    if not stem:
        return observed.places.unit_of(path)
    parts = dropin_of_stem(stem)
    return parts[0] if parts else stem


def leftover_secrets(desired: Desired, unlisted: Iterable[str], observed: Observed) -> List[str]:
    """The orphans that are secrets of units which are declared or removed: they go, whether prune is set or not."""
    stems = {unit.name.text for unit in desired.units}
    dropins = [(dropin.unit.text, os.path.basename(dropin.path)[: -len(".conf")]) for dropin in desired.dropins]
    stems |= {stem_of_dropin(*each) for each in dropins}
    return [path for path in unlisted if _stem(path, observed) in stems]


def _stem(path: str, observed: Observed) -> str:
    """The unit (or UNIT.d-DROPIN) that a secret file of ours is for, as its name says; "" for other files."""
    seen = observed.files.get(path)
    if not observed.places.is_secret(path) or seen is None or seen.content is None:
        return ""
    _owner, *below = os.path.relpath(path, observed.places.secrets).split(os.sep)
    stem = ""
    if len(below) == 1 and below[0].endswith(ENVIRONMENT) and owner_of(seen.content):
        stem = below[0][: -len(ENVIRONMENT)]
    elif len(below) == 2 and below[0].endswith(CREDENTIALS):
        stem = below[0][: -len(CREDENTIALS)]
    return stem if dropin_of_stem(stem) or not misnamed(stem) else ""


def masked_over(desired: Desired, observed: Observed) -> List[str]:
    """Our own file of a unit that is to be masked: the mask takes its place."""
    paths = [observed.places.unit_file(unit.name.text) for unit in desired.units if unit.masked]
    owned = set(_owned(desired, observed)) if paths else set()
    return [path for path in paths if path in owned and path not in desired.removed and not desired.prune]


def label(path: str, observed: Observed) -> str:
    """An orphan by the name a person knows it by: the unit, UNIT.d/DROPIN.conf, or the path of a secret."""
    below = observed.places.units + os.sep
    return path[len(below) :] if path.startswith(below) else path

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Instances that a declaration had and has no more: no file says so, as an instance need not have one. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import AbstractSet, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from .._desired.render import owner_of
from .._desired.stack import Desired, UnitWanted
from .._host.observed import Observed
from .._syntax.activation import is_accepted_for, is_of_connection, starts
from .._syntax.install import installs
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.names import mentions, misnamed, parse_name
from .enablement import instances_of

# Instances by their templates.
Instances = Mapping[str, Tuple[str, ...]]


class Noted(NamedTuple):
    """The instances that earlier runs have declared.

    own: by template, those of this owner and of those that it takes over; a template of which nothing is known is
    missing, as earlier versions noted nothing. others: the instances of all other owners.
    """

    own: Instances = MappingProxyType({})
    others: FrozenSet[str] = frozenset()


NOTHING_NOTED = Noted()


class Staying(NamedTuple):
    """What is left over and stays, by the names that people know; the instances that the next run has to know."""

    orphaned: Tuple[str, ...] = ()
    instances: Instances = MappingProxyType({})


def left_over(desired: Desired, observed: Observed, after: LoadPath, noted: Noted) -> List[str]:
    """Instances that this owner declared once and no longer does, and that are up or enabled.

    What such an instance starts goes with it, if the template of that is declared here. An instance stays if a file
    names it, as someone then depends on it on purpose, and if another owner declares it.
    """
    members = {member for unit in desired.units for member in (*unit.members, unit.name.text)}
    spared = members.union(starts(each, after) for each in members if _is_starter(each))
    found: List[str] = []
    for unit in (each for each in desired.units if each.name.is_template and each.leaves.listed):
        known = noted.own.get(unit.name.text)
        ours = _unnoted(unit, desired, observed, after) if known is None else _alive(unit, observed, known)
        found += [each for each in ours if each not in spared and each not in noted.others]
    left = [each for each in dict.fromkeys(found) if not _named(each, after)]
    return [*left, *_started(left, desired, observed, after, spared)]


def _alive(unit: UnitWanted, observed: Observed, names: Sequence[str]) -> List[str]:
    there = instances_of(unit.name.text, observed)
    return [each for each in there if each in names and (observed.states[each].is_up or observed.links_to(each))]


def _unnoted(unit: UnitWanted, desired: Desired, observed: Observed, after: LoadPath) -> List[str]:
    """What an earlier version has left. It noted nothing, so what is enabled counts, or runs where nothing can be.

    Where a socket starts an instance for each connection, instances of other names were there before it did.
    """
    template = unit.name.text
    seen = observed.files.get(unit.path or "")
    accepted = is_accepted_for(template, after)
    if seen is None or owner_of(seen.content or b"") not in desired.owners:
        return []
    if not (unit.leaves.instances or accepted):
        return []
    enables = installs(template, after)
    return [
        each
        for each in instances_of(template, observed)
        if not (accepted and is_of_connection(each))
        and (observed.links_to(each) or (observed.states[each].is_up and not enables))
    ]


def _started(
    left: Sequence[str], desired: Desired, observed: Observed, after: LoadPath, spared: AbstractSet[str]
) -> Iterator[str]:
    """Instances that what is left over starts, and that are up."""
    for service in dict.fromkeys(starts(each, after) for each in left if _is_starter(each)):
        template = None if misnamed(service) else parse_name(service).template
        ours = template and os.path.join(observed.places.units, template) in desired.files
        if ours and observed.states[service].is_up and service not in spared and not _named(service, after):
            yield service


def _is_starter(unit: str) -> bool:
    return kind_of(unit).is_starter


def _named(unit: str, after: LoadPath) -> bool:
    return any(mentions(content.decode("utf-8", "replace"), unit) for content in after.contents.values())


def to_note(desired: Desired, stay: Sequence[str], orphaned: Sequence[str], noted: Noted) -> Instances:
    """What the next run has to know.

    stay, orphaned: instances and files that are left over, and stay. An instance with an entry of its own counts if its
    template has a text here; else that is someone else's.
    """
    ours = {unit.name.text for unit in desired.units if unit.path and unit.name.is_template}
    found: Dict[str, List[str]] = {template: [] for template in ours}
    unsaid = [unit for unit in desired.units if not unit.leaves.listed and unit.state != "absent"]
    as_they_are = {*orphaned, *(unit.name.text for unit in unsaid)}
    found.update((template, [*names]) for template, names in noted.own.items() if template in as_they_are)
    for unit in desired.units:
        template = unit.name.text if unit.name.is_template else unit.name.template
        if template and (unit.name.is_template or template in ours):
            members = [each for each in unit.members if unit.meant(each).state != "absent"]
            found.setdefault(template, []).extend(members)
    for each in stay:
        found.setdefault(parse_name(each).template or "", []).append(each)
    return {template: tuple(sorted({*each})) for template, each in sorted(found.items()) if each or template in ours}

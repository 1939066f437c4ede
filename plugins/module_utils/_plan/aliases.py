# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Names that aliases of this declaration take, and that are somebody's already. Pure, and private to the collection."""

from __future__ import annotations

import os
from typing import Dict, Iterator, Mapping, NamedTuple, Sequence, Set, Tuple

from .._desired.stack import Desired, UnitWanted
from .._host.observed import Observed
from .._syntax.install import enabled_together
from .._syntax.loadpath import MASK, LoadPath
from .._syntax.names import is_template, misnamed
from .enablement import Links, linked_with, links_of

# Where an older systemd has a name in memory, be it that another unit refers to it, it takes that state for the one of
# the unit that the name stands for from the next daemon-reload on, by chance, and ends what runs (tried on 247 to 257).
_MERGED_SINCE = 262


class Taken(NamedTuple):
    """An alias whose name is taken.

    unit: the one that is to have the alias. alias: the name. path: what has that name. target: where it leads, if it is
    a link, else "". ours: it lies in our folder, where systemctl makes no link over it. replaced: the entry says
    replace: true.
    """

    unit: str
    alias: str
    path: str
    target: str
    ours: bool
    replaced: bool

    @property
    def is_name_alone(self) -> bool:
        """Is it but another name, of a package's choice, of a unit that keeps its own?"""
        return not self.ours and self.target not in ("", MASK)

    @property
    def goes(self) -> bool:
        """Is it taken away before the alias is made?"""
        return self.ours and self.replaced


class Aliasing(NamedTuple):
    """What comes of the aliases that a run makes.

    taken: those whose names are taken. ended: units that a daemon-reload would end, each by the alias that does it.
    after: the files as they will be, with these links.
    """

    taken: Tuple[Taken, ...]
    ended: Mapping[str, str]
    after: LoadPath


def taken(desired: Desired, observed: Observed, after: LoadPath, links: Links, removed: Set[str]) -> Tuple[Taken, ...]:
    """removed: files that this run takes away anyhow."""
    names = {each for unit in desired.units for each in (unit.name.text, *unit.members) if unit.meant(each).enabled}
    if not any(aliases_made(name, observed, after) for name in names):
        return ()
    unlinked = linked_with([*links.disable, *links.reenable], [observed.loadpath])
    gone = removed.union(path for unit in unlinked for path in observed.links_under(unit))
    found = []
    for unit in desired.units:
        replaced = _replaces(unit, desired)
        for member in unit.members or (unit.name.text,):
            for name, alias in aliases_made(member, observed, after) if unit.meant(member).enabled else ():
                found += list(_taken(name, alias, replaced, observed, after, gone))
    return tuple(dict.fromkeys(found))


def aliases_made(unit: str, observed: Observed, after: LoadPath) -> Sequence[Tuple[str, str]]:
    """What enabling a unit makes an alias of: (that unit, or one that Also= names, alias)."""
    together = enabled_together(unit, after)
    return [(each, link.path) for each in together for link in links_of(each, after, observed).links if link.is_alias]


def _replaces(unit: UnitWanted, desired: Desired) -> bool:
    """By its own entry, or by that of a drop-in over it that has the alias."""
    over = (each for each in desired.dropins if each.present and each.replace)
    folders = [dropin.unit.text for dropin in over if any(entry.directive == "Alias" for entry in dropin.entries)]
    return unit.replace or any(each in (unit.name.text, *unit.members) for each in folders)


def _taken(
    unit: str, alias: str, replaced: bool, observed: Observed, after: LoadPath, gone: Set[str]
) -> Iterator[Taken]:
    path = observed.places.unit_file(alias)
    seen = observed.files.get(path)
    if path in observed.links_under(unit):
        return
    if seen is not None and path not in gone:
        yield Taken(unit, alias, path, seen.target or "", True, replaced)
    other = after.changed({}, [path]).fragment(alias)
    target = after.links.get(other or "", "")
    if other is not None and other != after.fragment(unit) and os.path.basename(target) != unit:
        yield Taken(unit, alias, other, target, False, replaced)


def with_aliases(after: LoadPath, observed: Observed, links: Links) -> LoadPath:
    """The files as they will be, with the links of the aliases that this run makes."""
    linked = linked_with([*links.reenable, *links.enable], [after])
    made = (each for unit in linked for each in aliases_made(unit, observed, after) if not misnamed(each[1]))
    place = observed.places.unit_file
    new = {place(alias): place(unit) for unit, alias in made if place(alias) not in after.links}
    return after.linked(new) if new else after


def ended(desired: Desired, observed: Observed, after: LoadPath, links: Links) -> Dict[str, str]:
    """Units that run and that a daemon-reload would end, as they are given a name that is in memory; by that name."""
    if observed.manager.version >= _MERGED_SINCE:
        return {}
    linked = linked_with([*links.reenable, *links.enable], [after])
    new = (each for unit in linked if observed.states[unit].is_up for each in aliases_made(unit, observed, after))
    return {
        unit: alias
        for unit, alias in new
        if alias in observed.states
        and observed.states[unit].is_up
        and observed.places.unit_file(alias) not in observed.links_under(unit)
    }


def stopped(found: Sequence[Taken], observed: Observed) -> Iterator[Tuple[str, str]]:
    """(unit that runs by a name that becomes an alias of another one, that other one)"""
    for each in found:
        lost = each.replaced and not each.is_name_alone and not is_template(each.alias)
        if lost and observed.states[each.alias].is_up:
            yield each.alias, each.unit

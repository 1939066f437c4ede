# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which units are judged for a change, and a template by which of its instances. Private to the collection."""

from __future__ import annotations

import os
from typing import AbstractSet, Dict, FrozenSet, List, Mapping, NamedTuple, Sequence, Set, Tuple

from .._desired.stack import Desired
from .._host.observed import Observed
from .._plan.brought import roots
from .._plan.differences import Differences
from .._plan.enablement import linked_with
from .._syntax.activation import starts
from .._syntax.dependencies import started_with
from .._syntax.kinds import KINDS, File, kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.names import mentions, misnamed, parse_name, parse_pattern, with_instance
from .._syntax.relations import AT_END, PULLS_IN
from .._syntax.rule import Refused

# Stands for the instances of a template of which none is known. What depends on it is no fault.
_MADE_UP = "i"


class Subjects(NamedTuple):
    """Units that are judged.

    made_up: instances that stand for those of a template of which none is known. stand_ins: units that have no file,
    and are there for drop-ins that no unit of the host has yet. joining: instances that only now are to run, and so had
    no faults before.
    """

    units: Tuple[str, ...]
    made_up: FrozenSet[str] = frozenset()
    stand_ins: FrozenSet[str] = frozenset()
    joining: FrozenSet[str] = frozenset()

    def instances(self, template: str) -> List[str]:
        return [unit for unit in self.units if parse_name(unit).template == template]


def subjects(
    desired: Desired, differences: Differences, observed: Observed, new: Mapping[str, bytes], gone: Sequence[str]
) -> Subjects:
    """Units whose files change, instances that are new, and our own that refer to what goes."""
    names = [case.unit for case in differences.cases if case.change.new or case.change.directives]
    names += [observed.places.unit_of(path) for path in new]
    started = [starts(unit, differences.after) for unit in differences.joining if kind_of(unit).is_starter]
    joining = [*differences.joining, *started]
    names += joining
    going = {os.path.basename(path) for path in gone}
    for unit, content in _own_units(observed, differences.after).items():
        text = content.decode("utf-8", "replace")
        if any(mentions(text, name) for name in going):
            names.append(unit)
    names = [name for name in dict.fromkeys(names) if not misnamed(name) and differences.after.defines(name)]
    found = Subjects(tuple(names))
    if any(parse_name(name).instance is not None for name in names):
        found = _instantiated(names, _alive(desired, differences, observed), new, observed)
        found = found._replace(joining=frozenset(joining).intersection(found.units))
    return _with_stand_ins(found, new, differences.after)


def _with_stand_ins(found: Subjects, new: Mapping[str, bytes], after: LoadPath) -> Subjects:
    covered = {path for unit in found.units for path in after.files(unit)}
    folders = {os.path.dirname(path) for path in new if path not in covered}
    names = [os.path.basename(folder)[: -len(".d")] for folder in sorted(folders) if folder.endswith(".d")]
    made = [unit for unit in map(_stand_in, names) if unit and not after.masked(unit)]
    return Subjects(
        (*found.units, *made),
        found.made_up.union(unit for unit in made if parse_name(unit).instance == _MADE_UP),
        frozenset(made),
        found.joining,
    )


def _stand_in(folder: str) -> str:
    """A unit that has the drop-ins of NAME.d: of a unit, a template, a dashed prefix or a type.

    "" for a type that no file defines (systemd.scope(5)), which verify cannot be asked about.
    """
    try:
        name = parse_pattern(folder)
    except Refused:
        return ""
    if KINDS[name.kind].file is File.NEVER:
        return ""
    if not name.stands_for_others:
        return name.text
    return f"{name.prefix}{'@' if name.is_template else ''}{_MADE_UP}.{name.kind}"


def _own_units(observed: Observed, after: LoadPath) -> Dict[str, bytes]:
    folder = observed.places.units
    return {name: after.contents.get(os.path.join(folder, name), b"") for name in sorted(after.names.get(folder, ()))}


def _instantiated(
    names: Sequence[str], alive: AbstractSet[str], new: Mapping[str, bytes], observed: Observed
) -> Subjects:
    """With instances in the place of templates."""
    own = {observed.places.unit_of(path) for path in new}
    units: Dict[str, None] = {}
    made_up: Set[str] = set()
    for name in names:
        parsed = parse_name(name)
        if parsed.is_template:
            known = sorted(unit for unit in alive if parse_name(unit).template == name)
            if not known:
                known = [with_instance(name, _MADE_UP)]
                made_up.update(known)
            units.update(dict.fromkeys(known))
        elif not parsed.instance or name in alive or name in own:
            units[name] = None
    return Subjects(tuple(units), frozenset(made_up - alive))


def _alive(desired: Desired, differences: Differences, observed: Observed) -> Set[str]:
    """What is declared, runs, is enabled or will be, what timers, sockets and paths of that start, and what all that
    pulls in.
    """
    units = {member for unit in desired.units for member in unit.members}
    units |= {unit for unit, state in observed.states.items() if state.is_up}
    units |= {os.path.basename(path) for path in observed.links}
    units |= set(linked_with([*differences.links.enable, *differences.links.reenable], [differences.after]))
    units = {unit for unit in units if not misnamed(unit)}
    units |= {starts(unit, differences.after) for unit in units if kind_of(unit).is_starter}
    named = started_with([*units, *roots(desired, differences.after)], differences.after, (*PULLS_IN, *AT_END))
    units |= {unit for unit in named if parse_name(unit).instance}
    leaving = {case.unit for case in differences.cases if case.wanted == "absent" or case.change.gone}
    return {unit for unit in units - leaving if not (misnamed(unit) or differences.after.masked(unit))}

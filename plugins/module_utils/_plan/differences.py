# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Desired and observed held against each other: what differs, unit by unit. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from .._desired.render import FileWanted
from .._desired.stack import Desired, UnitWanted
from .._desired.stamp import stamps, values_without_stamp
from .._host.manager import UnitState
from .._host.observed import UP, Observed, units_under
from .._syntax.activation import is_accepted_for, started_by, starts
from .._syntax.directives import GAINS_START, effect
from .._syntax.kinds import Effect, Kind, Processes, kind_of
from .._syntax.loadpath import MASK, LoadPath
from .._syntax.meaning import gained, is_set
from .._syntax.names import parse_name
from .._syntax.unitfile import Effective
from .enablement import enablement, left_over_instances
from .owners import label, leftover_secrets, masked_over, orphans
from .stale import Accepted, is_stale

# "" says nothing.
_BY_CAUTION = ("none", "reload", "restart", "")


@dataclass(frozen=True)
class Pending:
    """What an interrupted run has left: verbs it owes by unit, units whose health it never saw, when it began."""

    owed: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, str] = field(default_factory=dict)
    since: str = ""


NOTHING_PENDING = Pending()


@dataclass(frozen=True)
class Case:
    """All that the policy needs to know of one unit.

    changed: the (section, directive) pairs whose merged values differ. restamped: what its process is started with
    differs, environment, secrets and triggers included. stale: the process runs with something older
    than is declared. pulls: units it newly wants or requires. partners: the units its socket, timer or path starts.
    deprived_by: the socket that opened something for it and goes, "" if none does.
    per_connection: it serves one connection of a socket with Accept=yes.
    """

    unit: str
    kind: Kind
    now: UnitState
    wanted: str
    on_change: str
    runs_on_change: bool
    new: bool
    gone: bool
    changed: Tuple[Tuple[str, str], ...]
    restamped: bool
    stale: bool
    owed: str
    pulls: Tuple[str, ...]
    partners: Tuple[str, ...]
    deprived_by: str
    per_connection: bool
    after: Effective

    @property
    def up(self) -> bool:
        return self.now.active in UP

    @property
    def leaves(self) -> bool:
        """Shall it be down after the run?"""
        return self.wanted in ("stopped", "absent") or self.gone

    def touched(self, *effects: Effect) -> List[str]:
        """Names of the changed directives that take one of these effects."""
        kind = self.kind.name
        return [directive for section, directive in self.changed if effect(kind, section, directive) in effects]

    def is_set(self, directive: str, section: str = "Unit") -> bool:
        return is_set(self.after, section, directive)


@dataclass(frozen=True)
class Differences:
    """What differs between a declaration and a host."""

    write: Tuple[FileWanted, ...]
    remove: Tuple[str, ...]
    orphaned: Tuple[str, ...]
    enable: Tuple[str, ...]
    reenable: Tuple[str, ...]
    disable: Tuple[str, ...]
    mask: Tuple[str, ...]
    unmask: Tuple[str, ...]
    reload_due: str
    cases: Tuple[Case, ...]
    after: LoadPath
    pending: Pending


@dataclass(frozen=True)
class _View:
    """What a case is made from besides the declaration.

    leaving: instances that are no longer listed. sockets: those that go, by the service that they started.
    """

    observed: Observed
    after: LoadPath
    accepted: Mapping[str, Accepted]
    pending: Pending
    leaving: FrozenSet[str]
    sockets: Mapping[str, str]


def compare(
    desired: Desired, observed: Observed, accepted: Mapping[str, Accepted], pending: Pending = NOTHING_PENDING
) -> Differences:
    """Hold a declaration against a host; `conflicts` has been asked first."""
    write = tuple(wanted for path, wanted in desired.files.items() if _differs(wanted, observed))
    unlisted = orphans(desired, observed)
    removed = [path for path in desired.removed if path in observed.files]
    remove = [path for path in removed if observed.files[path].target != MASK]  # a mask is nobody's
    remove += leftover_secrets(desired, unlisted, observed)
    if desired.prune:
        remove += [path for path in unlisted if path not in remove]
    remove += masked_over(desired, observed)
    new_units = {wanted.path: wanted.content for wanted in write if not wanted.secret}
    gone_units = [path for path in remove if path.startswith(observed.places.units + os.sep)]
    unmask = _unmasked(desired, observed)
    masks = [observed.places.unit_file(unit) for unit in unmask]
    altered = new_units or gone_units or masks
    after = observed.loadpath.changed(new_units, [*gone_units, *masks]) if altered else observed.loadpath
    left_over = left_over_instances(desired, observed, after)
    leaving = left_over if desired.prune else []
    links = enablement(desired, observed, after, gone_units, leaving)
    view = _View(observed, after, accepted, pending, frozenset(leaving), _going_sockets(gone_units, observed, after))
    cases = _cases(desired, view, [*new_units, *gone_units])
    return Differences(
        write=write,
        remove=tuple(remove),
        orphaned=()
        if desired.prune
        else (*(label(path, observed) for path in unlisted if path not in remove), *left_over),
        enable=links["enable"],
        reenable=links["reenable"],
        disable=links["disable"],
        mask=tuple(
            unit.name.text for unit in desired.units if unit.masked and not _is_masked_here(unit.name.text, observed)
        ),
        unmask=unmask,
        reload_due="an interrupted run may have missed it" if pending.since else _reload_due(desired, observed, cases),
        cases=cases,
        after=after,
        pending=pending,
    )


def _going_sockets(gone: Iterable[str], observed: Observed, after: LoadPath) -> Dict[str, str]:
    names = [os.path.basename(path) for path in gone if kind_of(path).starts.hands_over]
    sockets = [name for name in names if observed.is_up(name) and not after.defines(name)]
    return {starts(socket, observed.loadpath): socket for socket in sockets}


def _unmasked(desired: Desired, observed: Observed) -> Tuple[str, ...]:
    names = [unit.name.text for unit in desired.units if unit.masked is False]
    return tuple(name for name in names if _is_masked_here(name, observed))


def _is_masked_here(unit: str, observed: Observed) -> bool:
    """By a link of our folder: one below /run is gone after the next boot."""
    return observed.loadpath.links.get(observed.places.unit_file(unit)) == MASK


def _differs(wanted: FileWanted, observed: Observed) -> bool:
    seen = observed.files.get(wanted.path)
    if seen is None or seen.content != wanted.content:
        return True
    return (seen.mode & 0o7777) != wanted.mode or (seen.uid, seen.gid) != observed.places.owner


def _reload_due(desired: Desired, observed: Observed, cases: Sequence[Case]) -> str:
    """Why the manager has to read its files again though none differs, "" if it need not."""
    if not observed.not_loaded:
        return ""
    units = [unit.name.text for unit in desired.units] + [dropin.unit.text for dropin in desired.dropins]
    units += [case.unit for case in cases]
    paths = {path for unit in units for path in observed.loadpath.files(unit)}
    newer = sorted(observed.not_loaded & {*paths, *(path for path, each in desired.files.items() if not each.secret)})
    return f"{os.path.basename(newer[0])} is newer than what systemd has loaded" if newer else ""


def _cases(desired: Desired, view: _View, paths: Sequence[str]) -> Tuple[Case, ...]:
    wanted_by_unit: Dict[str, UnitWanted] = {member: unit for unit in desired.units for member in unit.members}
    inherited = _inherited(desired, view.observed.states)
    changing = {unit for path in paths for unit in _units_of_path(path, view.observed, wanted_by_unit)}
    subjects = dict.fromkeys([*wanted_by_unit, *inherited, *sorted({*changing, *view.leaving}), *view.pending.owed])
    return tuple(
        _case(unit, wanted_by_unit.get(unit), inherited.get(unit, ""), unit in changing, view) for unit in subjects
    )


def _inherited(desired: Desired, loaded: Iterable[str]) -> Dict[str, str]:
    """What is said of on_change for units by their template, else by the most cautious of the drop-ins over them."""
    found: Dict[str, str] = {}
    for dropin in desired.dropins:
        for unit in units_under(loaded, dropin.unit.text):
            found[unit] = min(found.get(unit, ""), dropin.on_change, key=_BY_CAUTION.index)
    for template in (unit for unit in desired.units if unit.name.is_template):
        for unit in units_under(loaded, template.name.text):
            found[unit] = template.on_change or found.get(unit, "")
    return found


def _units_of_path(path: str, observed: Observed, declared: Iterable[str]) -> List[str]:
    """The units a fragment or drop-in is part of: itself, or what is loaded or declared of a template or prefix."""
    folder, name = os.path.split(path)
    unit = name if folder == observed.places.units else os.path.basename(folder)[: -len(".d")]
    parsed = parse_name(unit)
    if not parsed.stands_for_others:
        return [unit]
    return units_under({*observed.states, *declared}, unit)


def _case(unit: str, wanted: Optional[UnitWanted], inherited: str, changing: bool, view: _View) -> Case:
    """inherited: what the unit's template, or drop-ins over it, say of on_change."""
    observed, after = view.observed, view.after
    kind = kind_of(unit)
    stale = observed.is_up(unit) and kind.processes is Processes.MAIN
    stale = stale and is_stale(unit, observed, after, view.accepted.get(unit))
    before_text = observed.loadpath.effective(unit) if changing else {}
    # Its own text is enough for a unit to which nothing is done, without merging its drop-ins again.
    busy = changing or stale or unit in view.pending.owed or _asks_a_job(wanted, unit, observed)
    own = wanted.text if wanted and not busy and not kind.is_starter else {}
    after_text = own or after.effective(unit)
    new = changing and observed.loadpath.fragment(unit) is None
    return Case(
        unit=unit,
        kind=kind,
        now=observed.state(unit),
        wanted=wanted.state if wanted else "absent" if unit in view.leaving else "present",
        on_change=_on_change(wanted, inherited),
        runs_on_change=bool(wanted and wanted.runs_on_change),
        new=new,
        gone=changing and observed.loadpath.defines(unit) and not after.defines(unit),
        changed=tuple(changes(before_text, after_text)) if changing and not new else (),
        restamped=changing and stamps(unit, observed.loadpath) != stamps(unit, after),
        stale=stale,
        owed=view.pending.owed.get(unit, ""),
        pulls=tuple(gained(before_text, after_text, sorted(GAINS_START))) if changing else (),
        partners=(after.primary(started_by(unit, after_text)),) if kind.is_starter else (),
        deprived_by=view.sockets.get(unit, ""),
        per_connection=bool(parse_name(unit).instance) and is_accepted_for(unit, after),
        after=after_text,
    )


def _asks_a_job(wanted: Optional[UnitWanted], unit: str, observed: Observed) -> bool:
    """Does the declaration alone, without any change, ask for one?"""
    state = wanted.state if wanted else ""
    return state in ("restarted", "reloaded") or (state == "started" and not observed.runs(unit))


def _on_change(wanted: Optional[UnitWanted], inherited: str) -> str:
    """A drop-in speaks for its unit where that has no text here and says nothing itself."""
    said = wanted.on_change if wanted else ""
    return said or ("" if wanted and wanted.path else inherited) or "restart"


def changes(before: Effective, after: Effective) -> List[Tuple[str, str]]:
    """(section, directive) pairs whose merged values differ; our own stamp does not count."""
    found = []
    for section in {**before, **after}:
        old, new = before.get(section, {}), after.get(section, {})
        for directive in {**old, **new}:
            if values_without_stamp(old.get(directive, [])) != values_without_stamp(new.get(directive, [])):
                found.append((section, directive))
    return found

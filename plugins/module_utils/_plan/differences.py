# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Desired and observed held against each other: what differs, unit by unit. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .._desired.defaults import filled_in
from .._desired.options import RUNNING
from .._desired.render import FileWanted, owner_of
from .._desired.stack import Desired, UnitWanted
from .._desired.stamp import Parts
from .._host.observed import Observed, Unread, units_under
from .._syntax.activation import is_accepted_for, starts
from .._syntax.dependencies import named
from .._syntax.kinds import TIMER_TIMES, Cause, File, Processes, kind_of
from .._syntax.loadpath import MASK, LoadPath
from .._syntax.names import parse_name, parse_pattern
from .._syntax.relations import PULLS_IN
from .._syntax.special import path_below
from .._syntax.unitfile import Effective
from .aliases import Aliasing, ended, taken, with_aliases
from .brought import brought_along, roots
from .case import LEFT_ALONE, Case, MountCase, ServiceCase, TextChange
from .enablement import enablement
from .left_over import NOTHING_NOTED, Noted, Staying, left_over, to_note
from .owed import NOTHING_PENDING, Pending
from .owners import label, leftover_secrets, masked_over, orphans
from .stale import CURRENT, Accepted, Evidence, changes, freshness, renewed, unlike_start

if TYPE_CHECKING:
    from .in_place import Unlike

# "" says nothing.
_BY_CAUTION = ("none", LEFT_ALONE, "reload", "restart", "")


class Enablement(NamedTuple):
    """Units whose links systemctl has to change, in the order in which that is done.

    unmask, disable, mask, reenable, enable: by that verb. unwanted: links that are taken away after that, path to unit,
    as Also= of what is enabled makes them.
    """

    unmask: Tuple[str, ...] = ()
    disable: Tuple[str, ...] = ()
    mask: Tuple[str, ...] = ()
    reenable: Tuple[str, ...] = ()
    enable: Tuple[str, ...] = ()
    unwanted: Mapping[str, str] = MappingProxyType({})

    @property
    def units(self) -> Tuple[str, ...]:
        return (*self.enable, *self.reenable, *self.disable, *self.mask, *self.unmask)


class Differences(NamedTuple):
    """What differs between a declaration and a host.

    desired: the declaration, with what it left open filled in. write, remove: files. staying: what is left over and
    stays. links: what differs in enablement. reload_due: why the manager has to read its files again though none
    differs, "" if it need not. cases: the units. after: the files as they will be. pending: what an interrupted run has
    left. joining: instances that shall run or be enabled and do not yet, for which an unchanged file may be wrong.
    aliasing: what comes of those that this run makes.
    """

    desired: Desired
    write: Tuple[FileWanted, ...]
    remove: Tuple[str, ...]
    staying: Staying
    links: Enablement
    reload_due: str
    cases: Tuple[Case, ...]
    after: LoadPath
    pending: Pending
    joining: Tuple[str, ...]
    aliasing: Aliasing

    @property
    def named(self) -> LoadPath:
        """The files as they will be, with the aliases that this run makes: for what units call each other."""
        return self.aliasing.after

    @property
    def none(self) -> bool:
        """Are the files, the links and what the manager has read of them as declared, and is nothing owed?"""
        changed = self.write or self.remove or self.links != Enablement() or self.reload_due or self.aliasing.ended
        return not changed and self.pending == NOTHING_PENDING


class _View(NamedTuple):
    """What a case is made from besides the declaration.

    observed: the host. after: the files as they will be. evidence: what processes are judged by. pending: what an
    interrupted run has left. leaving: instances that are no longer listed. sockets: those that go, by the service that
    they started.
    """

    observed: Observed
    after: LoadPath
    evidence: Evidence
    pending: Pending
    leaving: FrozenSet[str]
    sockets: Mapping[str, str]


def compare(
    desired: Desired,
    observed: Observed,
    accepted: Mapping[str, Accepted],
    pending: Pending = NOTHING_PENDING,
    recorded: Callable[[], Mapping[str, Parts]] = dict,
    noted: Noted = NOTHING_NOTED,
) -> Differences:
    """Hold a declaration against a host.

    accepted, recorded, noted: what earlier runs have noted of processes, of what stamps stand for, and of instances.
    """
    write = tuple(wanted for path, wanted in desired.files.items() if _differs(wanted, observed))
    unlisted = orphans(desired, observed)
    remove = _removed(desired, observed, unlisted)
    new_units = {wanted.path: wanted.content for wanted in write if not wanted.secret}
    gone_units = [path for path in remove if observed.places.is_unit_file(path)]
    unmask = _unmasked(desired, observed)
    masks = [observed.places.unit_file(unit) for unit in unmask]
    altered = new_units or gone_units or masks
    after = observed.loadpath.changed(new_units, [*gone_units, *masks]) if altered else observed.loadpath
    desired = filled_in(desired, after)
    left = left_over(desired, observed, after, noted)
    leaving, staying = (left, []) if desired.prune else ([], left)
    linked = enablement(desired, observed, after, gone_units, leaving, new_units)
    mask = _masked(desired, observed)
    links = Enablement(unmask, linked.disable, mask, linked.reenable, linked.enable, linked.unwanted)
    names = taken(desired, observed, after, linked, set(remove))
    evidence = Evidence(desired, observed, after, accepted, recorded)
    view = _View(observed, after, evidence, pending, frozenset(leaving), _going_sockets(gone_units, observed, after))
    cases = _cases(desired, view, [*new_units, *gone_units])
    orphaned = [label(path, observed) for path in unlisted if path not in remove]
    return Differences(
        desired=desired,
        write=write,
        remove=tuple(dict.fromkeys([*remove, *linked.stranded, *(each.path for each in names if each.goes)])),
        staying=Staying(() if desired.prune else (*orphaned, *staying), to_note(desired, staying, orphaned, noted)),
        links=links,
        reload_due="an unfinished run may have missed it" if pending.since else _reload_due(desired, observed, cases),
        cases=cases,
        after=after,
        pending=pending,
        joining=_joining(cases, links, desired, after, observed),
        aliasing=Aliasing(names, ended(desired, observed, after, linked), with_aliases(after, observed, linked)),
    )


def _removed(desired: Desired, observed: Observed, unlisted: Sequence[str]) -> List[str]:
    """Paths of files that go. unlisted: what is left over of this owner."""
    removed = [path for path in desired.removed if path in observed.files]
    remove = [path for path in removed if observed.files[path].target != MASK]  # a mask is nobody's
    remove += leftover_secrets(desired, unlisted, observed)
    if desired.prune:
        remove += [path for path in unlisted if path not in remove]
    return [*remove, *masked_over(desired, observed)]


def _joining(
    cases: Sequence[Case], links: Enablement, desired: Desired, after: LoadPath, observed: Observed
) -> Tuple[str, ...]:
    live = observed.manager.live
    starting = [case.unit for case in cases if live and case.wanted in RUNNING and not case.now.runs]
    starting += links.enable
    gained = [other for case in cases for others in case.change.pulls.values() for other in others]
    brought = [unit for unit in brought_along(desired, after, [*starting, *gained]) if not observed.states[unit].is_up]
    return tuple(unit for unit in dict.fromkeys([*starting, *brought]) if parse_name(unit).instance)


def _going_sockets(gone: Iterable[str], observed: Observed, after: LoadPath) -> Dict[str, str]:
    names = [os.path.basename(path) for path in gone if kind_of(path).starts.hands_over]
    sockets = [name for name in names if observed.states[name].is_up and not after.defines(name)]
    return {starts(socket, observed.loadpath): socket for socket in sockets}


def _unmasked(desired: Desired, observed: Observed) -> Tuple[str, ...]:
    names = [unit.name.text for unit in desired.units if unit.masked is False]
    return tuple(name for name in names if _is_masked_here(name, observed))


def _masked(desired: Desired, observed: Observed) -> Tuple[str, ...]:
    names = [unit.name.text for unit in desired.units if unit.masked]
    return tuple(name for name in names if not _is_masked_here(name, observed))


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
    if observed.unread == Unread():
        return ""
    units = [unit.name.text for unit in desired.units] + [dropin.unit.text for dropin in desired.dropins]
    units += [case.unit for case in cases]
    loadpath = observed.loadpath
    paths = {path for unit in units for path in (*loadpath.files(unit), *loadpath.dropins_and_masks(unit))}
    newer = sorted(observed.unread.files & {*paths, *(path for path, each in desired.files.items() if not each.secret)})
    if newer:
        return f"{os.path.basename(newer[0])} is newer than what systemd has loaded"
    gone = sorted(observed.unread.units.intersection(_ours(desired, observed)))
    return f"systemd has loaded other files of {gone[0]} than there are" if gone else ""


def _ours(desired: Desired, observed: Observed) -> Set[str]:
    """Units that have a text or a drop-in here."""
    texts = [unit for unit in desired.units if unit.path]
    names = [unit.name.text for unit in texts] + [dropin.unit.text for dropin in desired.dropins]
    members = {member for unit in texts for member in unit.members}
    return members.union(unit for name in names for unit in units_under(observed.states, name))


def outdated_of_others(desired: Desired, observed: Observed) -> List[str]:
    """Units of others that the manager has loaded other files of than there are."""
    return sorted(observed.unread.units - _ours(desired, observed)) if observed.unread.units else []


def _cases(desired: Desired, view: _View, paths: Sequence[str]) -> Tuple[Case, ...]:
    wanted_by_unit: Dict[str, UnitWanted] = {member: unit for unit in desired.units for member in unit.members}
    inherited = _inherited(desired, view.observed, paths)
    named = brought_along(desired, view.after, roots(desired, view.after))
    changing = {unit for path in paths for unit in _units_of_path(path, view.observed, {*wanted_by_unit, *named})}
    others = sorted({*named, *changing, *view.leaving})
    concerned = dict.fromkeys([*wanted_by_unit, *inherited, *others, *view.pending.owed])
    return tuple(
        _case(unit, wanted_by_unit.get(unit), inherited.get(unit, ""), unit in changing, view) for unit in concerned
    )


def _inherited(desired: Desired, observed: Observed, paths: Iterable[str]) -> Dict[str, str]:
    """The on_change of units by their template, else by the most cautious of the drop-ins over them.

    paths: files that change. A drop-in that is removed without being declared says nothing.
    """
    said = {dropin.path: dropin.on_change for dropin in desired.dropins}
    said.update((path, "") for path in paths if path.endswith(".conf") and path not in said)
    over = [(observed.places.unit_of(path), on_change) for path, on_change in said.items()]
    named = {name for name, _on_change in over}.union(*(unit.members for unit in desired.units))
    found: Dict[str, str] = {}
    for name, on_change in over:
        for unit in units_under(observed.states, name):
            unsaid = "" if unit in named or _is_of(desired, unit, observed) else LEFT_ALONE
            found[unit] = min(found.get(unit, ""), on_change or unsaid, key=_BY_CAUTION.index)
    for template in (unit for unit in desired.units if unit.name.is_template):
        for unit in units_under(observed.states, template.name.text):
            found[unit] = template.on_change or found.get(unit, "")
    return found


def _is_of(desired: Desired, unit: str, observed: Observed) -> bool:
    """Is it of this declaration, or of an earlier one of the same owner?"""
    path = observed.loadpath.fragment(unit) or ""
    seen = observed.files.get(path)
    return path in desired.files or bool(seen and owner_of(seen.content or b"") in desired.owners)


def _units_of_path(path: str, observed: Observed, declared: Iterable[str]) -> List[str]:
    """The units a fragment or drop-in is part of: itself, or what is loaded or declared of a template or prefix."""
    unit = observed.places.unit_of(path)
    parsed = parse_pattern(unit)
    if not parsed.stands_for_others:
        return [unit]
    return units_under({*observed.states, *declared}, unit)


def _case(unit: str, wanted: Optional[UnitWanted], inherited: str, changing: bool, view: _View) -> Case:
    """inherited: what the unit's template, or drop-ins over it, say of on_change."""
    after, now = view.after, view.observed.states[unit]
    kind = kind_of(unit)
    text = after.effective(unit)
    change = _change(unit, text, view) if changing else TextChange()
    runs = now.is_up and kind.processes is Processes.MAIN
    state = wanted.meant(unit).state if wanted else "absent" if unit in view.leaving else "present"
    new_times = change.new or TIMER_TIMES.intersection(directive for _section, directive in change.directives)
    if state == "started" and unit in view.observed.manager.spent and not new_times:
        state = "present"  # it has had its time, so it has no state to hold
    return Case(
        unit=unit,
        kind=kind,
        now=now,
        wanted=state,
        on_change=_on_change(wanted, inherited),
        owed=view.pending.owed.get(unit, ()),
        change=change,
        service=ServiceCase(
            process=freshness(unit, view.evidence) if runs else CURRENT,
            unlike_start=tuple(unlike_start(unit, view.evidence)) if runs and change.directives else (),
            runs_on_change=bool(wanted and wanted.runs_on_change),
            per_connection=bool(parse_name(unit).instance) and is_accepted_for(unit, after),
            deprived_by=view.sockets.get(unit, ""),
        ),
        after=text,
        mask=(after.fragment(unit) or "") if after.masked(unit) else "",
        mount=_mount_case(unit, now.is_up, text if wanted and wanted.path else None, view),
    )


def _mount_case(unit: str, is_up: bool, text: Optional[Effective], view: _View) -> MountCase:
    unlike = _unlike(unit, text, view) if is_up else _forestalled(unit, view)
    return MountCase(unlike, path_below(unit, view.observed.manager.footing))


def _forestalled(unit: str, view: _View) -> Optional[Unlike]:
    """What a unit is to bring up at its first use, and is up already: such a unit cannot start (automount_start())."""
    other = starts(unit, view.after) if kind_of(unit).starts.cause is Cause.USE else ""
    if not other or not view.observed.states[other].is_up:
        return None
    from .in_place import Unlike  # noqa: PLC0415 (as below)

    return Unlike(other, ())


def _unlike(unit: str, text: Optional[Effective], view: _View) -> Optional[Unlike]:
    """What is in the place of a unit that is up, and is not what our text says; None: we have but drop-ins over it.

    Where systemd has run nothing for it, something else has put it there, or it had no text then.
    """
    observed = view.observed
    by_unit = unit in observed.invocations and observed.loadpath.fragment(unit) is not None
    there = observed.in_place.get(unit)
    if there is None:
        return None
    from .in_place import of_dropins, unlike  # noqa: PLC0415 (only for what the kernel has mounted, or swaps to)

    if text is None:
        text = of_dropins(unit, view.evidence.desired, view.after)
    return unlike(unit, text, there, by_unit)


def _change(unit: str, text: Effective, view: _View) -> TextChange:
    before, after = view.observed.loadpath, view.after
    new = before.fragment(unit) is None
    old_text = before.effective(unit)
    # systemd has made it itself, of an empty text.
    made = new and view.observed.states[unit].is_up and kind_of(unit).file is not File.NEEDED
    anew = renewed(unit, view.evidence)
    return TextChange(
        new=new,
        gone=before.defines(unit) and not after.defines(unit),
        directives=() if new and not made else tuple(changes(old_text, text, view.evidence.desired.catalogue)),
        restamped=anew is not None,
        news=anew or (),
        pulls=_gained(unit, before, after),
    )


def _gained(unit: str, before: LoadPath, after: LoadPath) -> Dict[str, Tuple[str, ...]]:
    """Units that directives which pull in name after a change and did not before."""
    found = {}
    for directive in PULLS_IN:
        old = named(unit, directive, before)
        found[directive] = tuple(other for other in named(unit, directive, after) if other not in old)
    return {directive: others for directive, others in found.items() if others}


def _on_change(wanted: Optional[UnitWanted], inherited: str) -> str:
    """A drop-in speaks for its unit where that has no text here and says nothing itself."""
    said = wanted.on_change if wanted else ""
    return said or ("" if wanted and wanted.path else inherited) or "restart"

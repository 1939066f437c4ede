# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Desired and observed held against each other: what differs, unit by unit. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .._host.manager import UnitState
from .._host.observed import UP, Observed, units_under
from .._syntax import unitfile
from .._syntax.directives import GAINS_START, Effect, effect
from .._syntax.loadpath import Effective, LoadPath, entries, is_true, last
from .._syntax.names import parse_name
from .desired import STARTS, Desired, UnitWanted, gained, started_by
from .enablement import enablement, left_over_instances
from .owners import label, leftover_secrets, masked_over, orphans
from .render import STAMP_FIELD, FileWanted, owner_of

_STAMP = re.compile(
    rb"^[ \t]*LogExtraFields[ \t]*=[ \t]*(?:" + STAMP_FIELD.encode() + rb"=(\w+))?[ \t\r]*$", re.MULTILINE
)


@dataclass(frozen=True)
class Accepted:
    """A process known to be current though its stamp cannot show it: reloaded, or under a user manager."""

    invocation: str
    stamps: FrozenSet[str]


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
    per_connection: it serves one connection of a socket with Accept=yes.
    """

    unit: str
    kind: str
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
    per_connection: bool
    after: Effective

    @property
    def up(self) -> bool:
        return self.now.active in UP

    def touched(self, *effects: Effect) -> List[str]:
        """Names of the changed directives that take one of these effects."""
        return [directive for section, directive in self.changed if effect(self.kind, section, directive) in effects]

    def is_set(self, directive: str, section: str = "Unit") -> bool:
        return is_true(last(self.after, section, directive))


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
    """What a case is made from besides the declaration. leaving: instances that are no longer listed."""

    observed: Observed
    after: LoadPath
    accepted: Mapping[str, Accepted]
    pending: Pending
    leaving: FrozenSet[str]


def compare(
    desired: Desired, observed: Observed, accepted: Mapping[str, Accepted], pending: Pending = NOTHING_PENDING
) -> Differences:
    """Hold a declaration against a host; `conflicts` has been asked first."""
    write = tuple(wanted for path, wanted in desired.files.items() if _differs(wanted, observed))
    unlisted = orphans(desired, observed)
    remove = [path for path in desired.removed if path in observed.files] + leftover_secrets(desired, observed)
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
    view = _View(observed, after, accepted, pending, frozenset(leaving))
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


def _unmasked(desired: Desired, observed: Observed) -> Tuple[str, ...]:
    names = [unit.name.text for unit in desired.units if unit.masked is False]
    return tuple(name for name in names if _is_masked_here(name, observed))


def _is_masked_here(unit: str, observed: Observed) -> bool:
    """By a link of our folder: one below /run is gone after the next boot."""
    return observed.loadpath.links.get(observed.places.unit_file(unit)) == "/dev/null"


def _differs(wanted: FileWanted, observed: Observed) -> bool:
    seen = observed.files.get(wanted.path)
    if seen is None or seen.content != wanted.content:
        return True
    return (seen.mode & 0o7777) != wanted.mode or (seen.uid, seen.gid) != observed.places.owner


def _reload_due(desired: Desired, observed: Observed, cases: Sequence[Case]) -> str:
    """Why the manager has to read its files again though none differs, "" if it need not."""
    for case in cases:
        news = _foreign_news(case.unit, observed) if case.stale and observed.places.scope == "user" else ""
        if news:  # a user's manager does not show when it has read its files
            return f"someone else changed {os.path.basename(news)}"
    if not observed.not_loaded:
        return ""
    units = [name for unit in desired.units for name in (unit.name.text, *unit.members)]
    units += [dropin.unit.text for dropin in desired.dropins]
    paths = {path for unit in units for path in observed.loadpath.files(unit)}
    newer = sorted(observed.not_loaded & {*paths, *(path for path, each in desired.files.items() if not each.secret)})
    return f"{os.path.basename(newer[0])} is newer than what systemd has loaded" if newer else ""


def stamps(unit: str, loadpath: LoadPath) -> FrozenSet[str]:
    """The stamps a process of this unit carries if it is started from these files; LogExtraFields= alone resets all."""
    found: Set[str] = set()
    for path in loadpath.files(unit):
        for stamp in _STAMP.findall(loadpath.contents.get(path, b"")):
            found = {*found, stamp.decode()} if stamp else set()
    return frozenset(found)


def is_stale(unit: str, view: _View) -> bool:
    """Was the running process started with something else than these files say?"""
    observed = view.observed
    run = observed.invocations.get(unit)
    if _foreign_news(unit, observed):
        return True
    wanted = stamps(unit, view.after)
    if not wanted:  # systemd keeps the stamp of an earlier start then, so it says nothing of this one
        return False
    if observed.running.get(unit, frozenset()) == wanted:
        return False
    known = view.accepted.get(unit)
    if run is not None and known is not None and known.stamps == wanted and known.invocation == run.id:
        return False
    return observed.places.scope == "system" or run is None or not _began_with_these(unit, run.began, view)


def _began_with_these(unit: str, began: float, view: _View) -> bool:
    """A user's manager keeps no stamp, so that is told by time: our files have not changed since the run began."""
    observed = view.observed
    ours = [observed.files[path] for path in observed.loadpath.files(unit) if path in observed.files]
    same = stamps(unit, observed.loadpath) == stamps(unit, view.after)
    return same and all(seen.changed_at < began for seen in ours)


def _foreign_news(unit: str, observed: Observed) -> str:
    """A file in which someone else has changed what a process keeps, after it was started. No stamp tells of those.

    By the time of its content, which survives a daemon-reload and is old for what a package brings. A time that is yet
    to come says nothing.
    """
    run = observed.invocations.get(unit)
    if run is None:
        return ""
    kind = parse_name(unit).kind
    for path in observed.loadpath.files(unit):
        seen = observed.files.get(path) or observed.foreign.get(path)
        if seen is None or not run.began < seen.modified_at <= observed.looked_at or owner_of(seen.content or b""):
            continue
        if any(effect(kind, each.section, each.directive) is Effect.RESTART for each in entries(seen.content or b"")):
            return path
    return ""


def _cases(desired: Desired, view: _View, paths: Sequence[str]) -> Tuple[Case, ...]:
    wanted_by_unit: Dict[str, UnitWanted] = {member: unit for unit in desired.units for member in unit.members}
    loaded = view.observed.states
    on_change = {unit: dropin.on_change for dropin in desired.dropins for unit in units_under(loaded, dropin.unit.text)}
    for template in (unit for unit in desired.units if unit.name.is_template):
        on_change.update(dict.fromkeys(units_under(loaded, template.name.text), template.on_change))
    changing = {unit for path in paths for unit in _units_of_path(path, view.observed, wanted_by_unit)}
    subjects = dict.fromkeys([*wanted_by_unit, *on_change, *sorted({*changing, *view.leaving}), *view.pending.owed])
    return tuple(
        _case(unit, wanted_by_unit.get(unit), on_change.get(unit, ""), unit in changing, view) for unit in subjects
    )


def _units_of_path(path: str, observed: Observed, declared: Iterable[str]) -> List[str]:
    """The units a fragment or drop-in is part of: itself, or what is loaded or declared of a template or prefix."""
    folder, name = os.path.split(path)
    unit = name if folder == observed.places.units else os.path.basename(folder)[: -len(".d")]
    parsed = parse_name(unit)
    if not parsed.stands_for_others:
        return [unit]
    return units_under({*observed.states, *declared}, unit)


def _case(unit: str, wanted: Optional[UnitWanted], inherited: str, changing: bool, view: _View) -> Case:
    """inherited: what the unit's template, or a drop-in over it, says of on_change."""
    observed, after = view.observed, view.after
    kind = parse_name(unit).kind
    before_text = observed.loadpath.effective(unit) if changing else {}
    own_text = {} if changing or kind in STARTS else _own_text(wanted)
    after_text = own_text or after.effective(unit)
    new = changing and observed.loadpath.fragment(unit) is None
    return Case(
        unit=unit,
        kind=kind,
        now=observed.state(unit),
        wanted=wanted.state if wanted else "absent" if unit in view.leaving else "present",
        on_change=wanted.on_change if wanted and (wanted.path or not inherited) else inherited or "restart",
        runs_on_change=bool(wanted and wanted.runs_on_change),
        new=new,
        gone=changing and after.fragment(unit) is None,
        changed=tuple(changes(before_text, after_text)) if changing and not new else (),
        restamped=changing and stamps(unit, observed.loadpath) != stamps(unit, after),
        stale=observed.is_up(unit) and kind == "service" and is_stale(unit, view),
        owed=view.pending.owed.get(unit, ""),
        pulls=tuple(gained(before_text, after_text, sorted(GAINS_START))) if changing else (),
        partners=tuple(filter(None, [started_by(unit, after_text)])),
        per_connection=_is_per_connection(unit, after),
        after=after_text,
    )


def _own_text(wanted: Optional[UnitWanted]) -> Effective:
    """Enough for a unit whose files do not change, without merging its drop-ins again."""
    return unitfile.effective([wanted.entries]) if wanted and wanted.entries else {}


def changes(before: Effective, after: Effective) -> List[Tuple[str, str]]:
    """(section, directive) pairs whose merged values differ; our own stamp does not count."""
    found = []
    for section in {**before, **after}:
        old, new = before.get(section, {}), after.get(section, {})
        for directive in {**old, **new}:
            if _foreign(old.get(directive, [])) != _foreign(new.get(directive, [])):
                found.append((section, directive))
    return found


def _foreign(values: Sequence[str]) -> List[str]:
    return [value for value in values if not value.startswith(STAMP_FIELD + "=")]


def _is_per_connection(unit: str, after: LoadPath) -> bool:
    name = parse_name(unit)
    if name.kind != "service" or not name.instance:
        return False
    return is_true(last(after.effective(f"{name.prefix}.socket"), "Socket", "Accept"))

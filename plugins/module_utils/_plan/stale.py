# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a running process has, held against what its files say. Pure.

By the stamps that it was started with, and by those that a reload has put into force since. Private to the collection.
"""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from .._desired.render import owner_of
from .._desired.stack import Desired
from .._desired.stamp import (
    DIRECTIVE,
    FROM_START,
    OF_FILES,
    VALUE,
    Parts,
    in_both,
    is_same,
    of_process,
    sort_and_name,
    stamps,
    stamps_by_file,
    values_without_stamp,
)
from .._host.observed import Observed
from .._host.traces import Invocation
from .._syntax.directives import Catalogue, effect
from .._syntax.effects import Effect
from .._syntax.loadpath import LoadPath, entries
from .._syntax.names import parse_name
from .._syntax.spelling import plain
from .._syntax.unitfile import Effective


class Accepted(NamedTuple):
    """A process known to be current though its stamp cannot show it: reloaded, or under a user manager.

    invocation: which run of the unit. stamps: what it is current with. at: up to when it has taken up what others
    change, in seconds since the epoch. started: the stamps of its start, where the manager does not keep them; None
    where that is not known. lacking: what only a new start puts into force, as it was told then.
    """

    invocation: str
    stamps: FrozenSet[str]
    at: float
    started: Optional[FrozenSet[str]] = None
    lacking: Tuple[str, ...] = ()


class Freshness(NamedTuple):
    """How a running process stands to its files.

    stale: it has something else, and it is to be brought up to date. news: what that is, in words, as far as it is
    known. lacking: what a reload does not put into force, None if that is not known. apart: it has what its files say,
    though its stamps are not theirs. due: what it lacks is of this declaration alone, which says when that is in force.
    """

    stale: bool = False
    news: Tuple[str, ...] = ()
    lacking: Optional[Tuple[str, ...]] = ()
    apart: bool = False
    due: bool = False


CURRENT = Freshness()


class Difference(NamedTuple):
    """The parts in which what two sets of stamps stand for may differ: of the earlier and of the later."""

    old: Parts
    new: Parts

    @property
    def names(self) -> List[str]:
        """Of those that do."""
        return [name for name in {**self.old, **self.new} if not is_same(self.old.get(name), self.new.get(name))]


class Evidence(NamedTuple):
    """What a process is judged by.

    desired, observed: the declaration and the host. after: the files as they will be. accepted: what earlier runs know
    of processes, by unit. recorded: what stamps of earlier runs stand for, read only if one is asked for.
    """

    desired: Desired
    observed: Observed
    after: LoadPath
    accepted: Mapping[str, Accepted]
    recorded: Callable[[], Mapping[str, Parts]]

    def known(self, unit: str) -> Optional[Accepted]:
        run, known = self.observed.invocations.get(unit), self.accepted.get(unit)
        return known if run is not None and known is not None and known.invocation == run.id else None

    def difference(self, before: FrozenSet[str], after: FrozenSet[str]) -> Optional[Difference]:
        """Between what two sets of stamps stand for; None if that is not known."""
        old, new = self._parts(before - after), self._parts(after - before)
        return None if old is None or new is None else Difference(old, new)

    def _parts(self, wanted: FrozenSet[str]) -> Optional[Parts]:
        found: Dict[str, str] = {}
        for stamp in sorted(wanted):
            made_of = self.desired.made_of.get(stamp)
            parts = made_of.parts() if made_of else self.recorded().get(stamp)
            if parts is None:
                return None
            for name, digest in parts.items():
                found[name] = in_both(found.get(name, ""), digest)
        return found

    def news(self, differs: Difference, since: float) -> List[str]:
        """Parts that a process has to take up.

        A trigger that is no longer declared is none; a file that is declared as one only now is, if it has changed
        since the process began.
        """

        def is_news(name: str) -> bool:
            sort, path = sort_and_name(name)
            newly = sort in OF_FILES and name not in differs.old
            changed = not newly or self.desired.triggers.changed_at.get(path, 0.0) > since
            if sort in FROM_START and sort not in OF_FILES:
                return True
            return name in differs.new and changed

        return [name for name in differs.names if is_news(name)]

    def in_words(self, unit: str, names: List[str]) -> Tuple[str, ...]:
        """Parts in words; a directive of a drop-in with its path."""
        if not names:
            return ()
        files = stamps_by_file(unit, self.after)
        fragment = self.after.fragment(unit)
        places = {
            name: path
            for stamp, path in files.items()
            for name in (self._parts(frozenset((stamp,))) or {})
            if path != fragment
        }
        return tuple(dict.fromkeys(self._word(name, places.get(name, "")) for name in sorted(names)))

    def _word(self, name: str, dropin: str) -> str:
        sort, rest = sort_and_name(name)
        if sort == VALUE:
            made_of = self.desired.made_of.values()
            return next(filter(None, (each.place(rest) for each in made_of)), "a value under triggers")
        if sort != DIRECTIVE:
            return f"the {sort} {rest}"
        return rest.partition(".")[2] + (f" of {dropin}" if dropin else "")

    def newer(self, unit: str, since: float) -> Tuple[str, ...]:
        """What differs in this run, or has changed since then by the times of files: all there is without a record."""
        observed, made_of = self.observed, self.desired.made_of
        template = parse_name(unit).template or unit
        ours = [path for path, each in self.desired.files.items() if each.secret and each.unit in (unit, template)]
        found = []
        for path in [*self.after.files(unit), *ours]:
            seen, wanted = observed.files.get(path), self.desired.files.get(path)
            differs = wanted is not None and wanted.secret and (seen is None or seen.content != wanted.content)
            if differs or (seen is not None and seen.changed_at > since):
                found.append(path)
        triggers = [path for stamp in stamps(unit, self.after) if stamp in made_of for path in made_of[stamp].files]
        changed = [path for path in triggers if self.desired.triggers.changed_at.get(path, 0.0) > since]
        return tuple(dict.fromkeys([*found, *(f"the file {path}" for path in changed)]))


def freshness(unit: str, evidence: Evidence) -> Freshness:
    """Has the running process what its files say?

    Told only of units for which we have written something that a process keeps, now or when it was started.
    """
    observed, after = evidence.observed, evidence.after
    wanted, running = stamps(unit, after), of_process(observed.log_fields(unit))
    if not wanted and not running:
        return CURRENT
    if not observed.can_be_noted(unit):  # then only this run itself can tell
        return Freshness(stamps(unit, observed.loadpath) != wanted)
    run, known = observed.invocations.get(unit), evidence.known(unit)
    began = run.began if run else 0.0
    theirs = _foreign_news(unit, observed, max(began, known.at if known else 0.0)) if wanted and run else []
    own = _own(unit, evidence, wanted, run)
    lacking = own.lacking
    if lacking is not None and known and wanted:  # a reload has not put those of others into force either
        lacking = (*lacking, *_foreign_news(unit, observed, began))
    elif lacking is not None:
        lacking = (*lacking, *theirs)
    due = own.due and lacking == own.lacking
    return Freshness(own.stale or bool(theirs), (*own.news, *theirs), lacking, own.apart and not theirs, due)


def by_its_files(unit: str, evidence: Evidence) -> Freshness:
    """The same for any unit: of one in which nothing is ours, only the times of its files tell.

    That is enough to report it, and not enough to restart what nobody has declared.
    """
    observed = evidence.observed
    if stamps(unit, evidence.after) or of_process(observed.log_fields(unit)):
        return freshness(unit, evidence)
    run = observed.invocations.get(unit)
    news = tuple(_foreign_news(unit, observed, run.began)) if run else ()
    return Freshness(bool(news), news, news)


def _own(unit: str, evidence: Evidence, wanted: FrozenSet[str], run: Optional[Invocation]) -> Freshness:
    """The same without what others have changed."""
    known, started = evidence.known(unit), _started(unit, evidence)
    now = known.stamps if known else started
    began = run.began if run else 0.0
    bare = None if now or run is None else _unlike_bare(unit, began, evidence)
    if now is None and bare is not None:
        now = frozenset()
    if now is None:
        if run is not None and _began_with_these(unit, run.began, evidence.observed, evidence.after):
            return CURRENT
        return Freshness(True, evidence.newer(unit, began), None)
    if now == started == wanted and not (known and known.lacking):
        return CURRENT
    lacking = _lacking(unit, evidence, wanted, started, known, bare)
    if now == wanted:
        # systemd gives a process without a stamp that of its text at a reload.
        newer = wanted - (started or frozenset()) or wanted
        places = stamps_by_file(unit, evidence.after)
        return Freshness(False, (), lacking, due=all(places.get(each) in evidence.desired.files for each in newer))
    differs = evidence.difference(now, wanted)
    if differs is None:
        return Freshness(True, evidence.newer(unit, began), lacking)
    news = evidence.news(differs, max(began, known.at if known else 0.0))
    news = [name for name in news if _is_new_to(bare, name)]
    return Freshness(bool(news), evidence.in_words(unit, news), lacking, not news)


def _unlike_bare(unit: str, began: float, evidence: Evidence) -> Optional[FrozenSet[str]]:
    """What a process kept of files that bear no stamp, such as a package's, and the new ones have otherwise.

    None where these cannot be the files of its start: they bear a stamp, or are not older than it. (A package's
    content may be older, and yet be new on the host.) Only the last load of a manager is known: what was changed before
    the start, and read by systemd only after it, is taken for what the process was started with.
    """
    before = evidence.observed.loadpath
    files = before.files(unit)
    seen = [evidence.observed.foreign.get(path) or evidence.observed.files.get(path) for path in files]
    if not seen or stamps(unit, before) or not all(each and each.changed_at < began for each in seen):
        return None
    kind = parse_name(unit).kind
    differing = changes(before.effective(unit), evidence.after.effective(unit), evidence.desired.catalogue)
    kept = [each for each in differing if effect(kind, *each) is Effect.RESTART]
    return frozenset(f"{DIRECTIVE} {section}.{directive}" for section, directive in kept)


def unlike_start(unit: str, evidence: Evidence) -> List[Tuple[str, str]]:
    """(section, directive) pairs that a run changes from what the running process was started with.

    What is to be in a file counts as had where the process was not started with what is in it now: freshness tells
    then, by the stamps, what the process has instead. Where it was, or nobody knows, the files tell: someone may have
    changed lines beside a stamp.
    """
    before, after = evidence.observed.loadpath, evidence.after
    had, was, will = _had(unit, evidence), _stamps_at(unit, before), _stamps_at(unit, after)
    # Of a stamp that the process has not, or of none where it has the one that is to come.
    newer = [] if had is None else [path for path, each in was.items() if not each <= had]
    newer += [] if had is None else [path for path, each in will.items() if path not in was and each <= had]
    if newer:
        files = after.files(unit)
        there = {path: after.contents.get(path, b"") for path in newer if path in files}
        before = before.changed(there, [path for path in newer if path not in there])
    return changes(before.effective(unit), after.effective(unit), evidence.desired.catalogue)


def _stamps_at(unit: str, loadpath: LoadPath) -> Dict[str, FrozenSet[str]]:
    found: Dict[str, FrozenSet[str]] = {}
    for stamp, path in stamps_by_file(unit, loadpath).items():
        found[path] = found.get(path, frozenset()) | {stamp}
    return found


def _had(unit: str, evidence: Evidence) -> Optional[FrozenSet[str]]:
    """The stamps of all that a process was started or reloaded with, None where that is not known."""
    observed, known = evidence.observed, evidence.known(unit)
    if unit not in observed.invocations or not observed.can_be_noted(unit):
        return None
    started = _started(unit, evidence)
    return None if started is None else started | (known.stamps if known else frozenset())


def _started(unit: str, evidence: Evidence) -> Optional[FrozenSet[str]]:
    observed, known = evidence.observed, evidence.known(unit)
    if observed.places.scope.keeps_stamps:
        return of_process(observed.log_fields(unit))
    return known.started if known else None


def changes(before: Effective, after: Effective, catalogue: Optional[Catalogue] = None) -> List[Tuple[str, str]]:
    """(section, directive) pairs whose merged values differ; our own stamp does not count.

    Of a directive that holds one value the last one counts, and of all what their values come to, as far as the
    catalogue knows their types.
    """
    found = []
    for section in {**before, **after}:
        old, new = before.get(section, {}), after.get(section, {})
        for directive in {**old, **new}:
            counted = slice(-1, None) if catalogue and catalogue.holds_one(section, directive) else slice(None)
            both = (values_without_stamp(each.get(directive, [])[counted]) for each in (old, new))
            kind = catalogue.type_of(section, directive) if catalogue else None
            if len({tuple(plain(directive, each, kind)) for each in both}) > 1:
                found.append((section, directive))
    return found


def _lacking(
    unit: str,
    evidence: Evidence,
    wanted: FrozenSet[str],
    started: Optional[FrozenSet[str]],
    known: Optional[Accepted],
    bare: Optional[FrozenSet[str]],
) -> Optional[Tuple[str, ...]]:
    """What the process will have only by another start."""
    # Of a start without a stamp, that has looked at its text. systemd gives such a process the stamp at its reload.
    if (not started or started == wanted) and known and known.stamps == wanted:
        return known.lacking
    differs = None if started is None else evidence.difference(started, wanted)
    if differs is None:
        return known.lacking if known and known.stamps == wanted else None
    run = evidence.observed.invocations.get(unit)
    news = evidence.news(differs, run.began if run else 0.0)
    kept = [name for name in news if sort_and_name(name)[0] in FROM_START and _is_new_to(bare, name)]
    return evidence.in_words(unit, kept)


def _is_new_to(bare: Optional[FrozenSet[str]], name: str) -> bool:
    """bare: the directives that are new to a process of files without a stamp, None for any other process."""
    return bare is None or name in bare or sort_and_name(name)[0] != DIRECTIVE


def renewed(unit: str, evidence: Evidence) -> Optional[Tuple[str, ...]]:
    """What differs in what a unit that is down will be started with, in words; None if nothing does."""
    before, after = stamps(unit, evidence.observed.loadpath), stamps(unit, evidence.after)
    if before == after:
        return None
    files = [evidence.observed.files.get(path) for path in evidence.observed.loadpath.files(unit)]
    since = max((seen.changed_at for seen in files if seen), default=0.0)
    differs = evidence.difference(before, after)
    if differs is None:
        return evidence.newer(unit, since)
    news = evidence.news(differs, since)
    return evidence.in_words(unit, news) if news else None


def _began_with_these(unit: str, began: float, observed: Observed, after: LoadPath) -> bool:
    """A user's manager keeps no stamp, so that is told by time: our files have not changed since the run began."""
    ours = [observed.files[path] for path in observed.loadpath.files(unit) if path in observed.files]
    same = stamps(unit, observed.loadpath) == stamps(unit, after)
    return same and all(seen.changed_at < began for seen in ours)


def _foreign_news(unit: str, observed: Observed, since: float) -> List[str]:
    """Files of others in which what a process keeps has changed since then, or without systemd having read it.

    No stamp tells that. By the time of a file's content, which survives a daemon-reload and is old for what a package
    brings. A time that is yet to come says nothing.
    """
    return [path for path in _changed_by_others(unit, observed, since) if _is_kept(unit, path, observed)]


def _changed_by_others(unit: str, observed: Observed, since: float) -> Iterator[str]:
    for path in observed.loadpath.files(unit):
        seen = observed.foreign.get(path) or observed.files.get(path)
        if seen is None or owner_of(seen.content or b""):
            continue
        unread = path in observed.unread.files and seen.modified_at > (observed.manager.loaded_at or 0.0)
        if unread or since < seen.modified_at <= observed.looked_at:
            yield path


def _is_kept(unit: str, path: str, observed: Observed) -> bool:
    """Does a file say anything that a process keeps?"""
    seen, kind = observed.foreign.get(path) or observed.files.get(path), parse_name(unit).kind
    assignments = entries(seen.content or b"") if seen else ()
    return any(effect(kind, each.section, each.directive) is Effect.RESTART for each in assignments)

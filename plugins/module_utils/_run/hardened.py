# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The hardening of services in a run: lines over what each says already, and the gate that their exposure has to pass.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from .._advice.estimate import estimated
from .._advice.levels import LEVELS, SESSIONS
from .._advice.logins import lets_others_in
from .._advice.merging import parse_groups
from .._advice.optouts import Line
from .._advice.profiles import Host, Lines, escalates_in_vain, profile, undone
from .._causes.incident import Incident, texts
from .._desired.hardening import DROPIN, TARGET, Asked, asked, with_lines
from .._desired.render import HostFacts, Params
from .._desired.stack import Desired
from .._host import files
from .._host.manager import OFFLINE_SINCE, Manager
from .._host.observed import Observed
from .._plan.owners import orphans
from .._syntax.kinds import KINDS
from .._syntax.loadpath import LoadPath, entries
from .._syntax.meaning import is_early, words
from .._syntax.names import parse_pattern
from .._syntax.rule import Problem, Problems, Rule, Severity
from .._verify.exposure import Exposure, ToMeasure, measured
from .refused import MOST_TOLD, Journals
from .report import hidden_values, secret_files
from .work import Work

_EXPOSURE = Rule(
    "exposure",
    Severity.ERROR,
    "with the profile {level} its exposure would be {reached:g} by systemd {version}, and max_exposure is {most:g}",
    "{mend}",
    "systemd-analyze security of the host, and the option max_exposure",
)
_RAISED = Rule(
    "exposure-raised",
    Severity.ERROR,
    "the profile {level} would raise its exposure from {without:g} to {reached:g}, and no opt-out is a reason for that",
    "report it, with the unit's text",
    "systemd-analyze security of the host",
)
_NOT_MEASURED = Rule(
    "exposure-unknown",
    Severity.WARNING,
    "whether its exposure would be above {most:g} is not known: {why}",
    "{reached}",
    "systemd-analyze(1), security",
)
_NO_UNIT = Rule(
    "hardening-nowhere",
    Severity.UNVERIFIED,
    "there is no such service to harden on this host",
    "declare it, or install what brings it",
    "docs/hardening.md",
)
_NO_PATH = {
    "ReadWritePaths": Rule(
        "hardening-path",
        Severity.UNVERIFIED,
        "read_write_paths: {path} is not there, and what is made later stays read-only",
        "make it first, or let StateDirectory=, LogsDirectory= or RuntimeDirectory= make it",
        "systemd.exec(5), ReadWritePaths=",
    ),
    "BindPaths": Rule(
        "hardening-path",
        Severity.UNVERIFIED,
        "allow: {path} is not there, and what comes later is not seen",
        "make or plug it first, or write -{path} if it may be missing",
        "systemd.exec(5), BindPaths=",
    ),
}
_UNDONE = Rule(
    "hardening-undone",
    Severity.WARNING,
    "{directives} of the profile {level} is made weaker again by {path}",
    "take it out there",
    "systemd.unit(5), drop-ins",
)
# Lists by which an opt-out adds to what a service may, and that cost something.
_WIDENING = ("DeviceAllow", "SupplementaryGroups")
# The three that are measured: what will be in force, what is now, and what would be without any hardening of ours.
AFTER, BEFORE, WITHOUT = "after", "before", "without"


class Hardening:
    """What one run has to do with it. wrong: what is wrong with the options. declared: all but the lines."""

    def __init__(self, params: Params, facts: HostFacts, manager: Manager) -> None:
        self._params, self._manager = params, manager
        self._asked, self.wrong = asked(params)
        self.declared = with_lines(params, {})
        self._host = Host(facts.catalogue, manager.places.scope.of_users, made=manager.places.made(manager.version))
        self._made: Dict[str, Lines] = {}
        self._undone: List[Problem] = []
        self._exposures: Dict[str, Dict[str, Exposure]] = {AFTER: {}, BEFORE: {}, WITHOUT: {}}
        self._estimated: Set[str] = set()
        self._journals: Optional[Journals] = None

    def over(self, desired: Desired, observed: Observed) -> Params:
        """The declaration with lines over what the host and the declaration say otherwise. Raises Problems."""
        self._host = self._host._replace(calls=parse_groups(self._manager.syscall_groups()))
        after = self._to_be(desired, observed)
        problems: List[Problem] = []
        for each in self._asked:
            present, later = self._around(each.unit, after)
            problems += self._misplaced(each, present, after)
            made = profile(each.level, each.needs, present, self._host_of(each.unit, after))
            self._made[each.unit] = made
            for path, lines in later:
                weaker = undone(made.lines, lines, present, self._host)
                if weaker:
                    told = _UNDONE.problem(each.unit, directives=", ".join(weaker), level=each.level, path=path)
                    self._undone.append(told)
        if problems:
            raise Problems(problems)
        return with_lines(self._params, self._made)

    def _host_of(self, unit: str, loadpath: LoadPath) -> Host:
        return self._host._replace(early=is_early(loadpath.effective(unit)))

    def _to_be(self, desired: Desired, observed: Observed) -> LoadPath:
        """The files as they will be, the drop-ins of this still without their lines."""
        new = {path: each.content for path, each in desired.files.items() if not each.secret}
        going = [*desired.removed, *(orphans(desired, observed) if desired.prune else ())]
        return observed.loadpath.changed(new, [path for path in going if path in observed.files])

    def _around(self, unit: str, loadpath: LoadPath) -> Tuple[List[Line], List[Tuple[str, List[Line]]]]:
        """The lines of a unit before its drop-in, and those of each file behind that."""
        paths = list(loadpath.files(unit))
        place = paths.index(self._path(unit))
        before = [line for path in paths[:place] for line in lines_of(unit, loadpath, path)]
        return before, [(path, lines_of(unit, loadpath, path)) for path in paths[place + 1 :]]

    def _path(self, unit: str) -> str:
        return self._manager.places.dropin_file(unit, f"{DROPIN}.conf")

    def _misplaced(self, each: Asked, present: Sequence[Line], after: LoadPath) -> Iterator[Problem]:
        why = lets_others_in(after.primary(each.unit), present)
        if why and each.level != SESSIONS:
            told = f"{why}, and all of that would inherit the profile {each.level}"
            yield TARGET.problem(each.unit, why=told, mend=f"take the profile {SESSIONS}")
        if escalates_in_vain(each.needs, present, self._manager.version):
            told = (
                f"systemd {self._manager.version} keeps a service with a user from gaining rights as soon as it has "
                "any filter, whatever NoNewPrivileges= says, so escalate would allow nothing"
            )
            yield TARGET.problem(each.unit, why=told, mend="leave the service without a profile")

    def judged(self, work: Work, check_mode: bool) -> List[Problem]:
        """Measure what will be in force, and say what speaks against it."""
        after = work.differences.after
        there = [each for each in self._asked if after.defines(each.unit)]
        absent = [_NO_UNIT.problem(each.unit) for each in self._asked if each not in there]
        self._measure([each.unit for each in there], work, check_mode)
        found = [*absent, *self._undone, *self._paths(there, after)]
        for each in there:
            if each.unit in self._estimated or each.unit not in self._exposures[AFTER]:
                found += self._unmeasured(each)
            else:
                found += [*self._raised(each), *self._above(each, after)]
        return found

    def journals_of(self, work: Work) -> Journals:
        """To be asked for before the change: what runs by then is what new runs are held against."""
        units = [each.unit for each in self._asked if not parse_pattern(each.unit).is_template]
        after = work.differences.after
        lines = {unit: self._whole(unit, after) for unit in units}
        files_of = {unit: {path: after.contents.get(path, b"") for path in after.files(unit)} for unit in units}
        incidents = {unit: Incident(unit, "", {}, texts(files_of[unit], unit), made=after.made) for unit in units}
        hidden = hidden_values(secret_files(work))
        self._journals = Journals(self._manager, self._host, lines, incidents, hidden)
        return self._journals

    def _measure(self, units: Sequence[str], work: Work, check_mode: bool) -> None:
        """As they will be, as they are, and as they would be without this; where nothing changes, only once."""
        now, after = work.observed.loadpath, work.differences.after
        bare = after.changed({}, [self._path(unit) for unit in units])
        unchanged = {unit for unit in units if self._whole(unit, now) == self._whole(unit, after)}
        asked: Dict[Tuple[str, str], ToMeasure] = {}
        for when, loadpath in ((AFTER, after), (BEFORE, now), (WITHOUT, bare)):
            for unit in units:
                if loadpath.defines(unit) and (when == AFTER or unit not in unchanged):
                    asked[when, unit] = ToMeasure(unit, tuple(self._whole(unit, loadpath)), loaded=unit in unchanged)
        for (when, unit), found in zip(asked, measured(self._manager, [*asked.values()], check_mode)):
            if found is not None:
                self._exposures[when][unit] = found
            elif self._manager.version < OFFLINE_SINCE:
                self._exposures[when][unit] = Exposure(estimated(asked[when, unit].lines, self._manager.version))
                self._estimated.add(unit)
        same = {unit: each for unit, each in self._exposures[AFTER].items() if unit in unchanged}
        self._exposures[BEFORE].update(same)

    def _whole(self, unit: str, loadpath: LoadPath) -> List[Line]:
        return [line for path in loadpath.files(unit) for line in lines_of(unit, loadpath, path)]

    def _level(self, when: str, unit: str) -> Optional[float]:
        found = self._exposures[when].get(unit)
        return found.level if found else None

    def _unmeasured(self, each: Asked) -> Iterator[Problem]:
        if each.most is None:
            return
        why, reached = "systemd-analyze security did not measure it", "look at what it says on that host"
        if each.unit in self._estimated:
            why = f"systemd {self._manager.version} measures only what it has loaded"
            reached = f"by our own estimate it would be about {self._level(AFTER, each.unit):g}"
        yield _NOT_MEASURED.problem(each.unit, most=each.most, why=why, reached=reached)

    def _raised(self, each: Asked) -> Iterator[Problem]:
        without, after = self._level(WITHOUT, each.unit), self._level(AFTER, each.unit)
        made = self._made[each.unit]
        wanted = made.released or any(value and directive in _WIDENING for directive, value in made.lines)
        if without is not None and after is not None and after > without and not wanted:
            yield _RAISED.problem(each.unit, level=each.level, without=without, reached=after)

    def _above(self, each: Asked, after: LoadPath) -> Iterator[Problem]:
        reached = self._level(AFTER, each.unit)
        if each.most is None or reached is None or reached <= each.most:
            return
        told: Dict[str, Any] = {
            "level": each.level,
            "reached": reached,
            "version": self._manager.version,
            "most": each.most,
        }
        yield _EXPOSURE.problem(each.unit, "", "", **told, mend=self._could_reach(each, after))

    def _could_reach(self, each: Asked, after: LoadPath) -> str:
        """What stricter profiles with the same opt-outs would reach, and what costs most."""
        worst = self._exposures[AFTER][each.unit].findings[:MOST_TOLD]
        costly = ", ".join(f"{finding.about} {finding.exposure:g}" for finding in worst)
        stricter = LEVELS[LEVELS.index(each.level) + 1 :] if each.level in LEVELS else ()
        before, later = self._around(each.unit, after)
        behind = [line for _path, lines in later for line in lines]
        for level in stricter:
            made = profile(level, each.needs, before, self._host_of(each.unit, after))
            lines = [*before, *made.lines, *behind]
            (found,) = measured(self._manager, [ToMeasure(each.unit, tuple(lines))])
            if found and found.level <= (each.most or 0):
                return f"{level} would reach {found.level:g}; what costs most is {costly}"
            if found and level == LEVELS[-1]:
                return (
                    f"even {level} with the same opt-outs would reach only {found.level:g}; what costs most is {costly}"
                )
        return f"no profile with the same opt-outs is stricter; what costs most is {costly}"

    def _paths(self, there: Sequence[Asked], after: LoadPath) -> Iterator[Problem]:
        root = self._manager.places.root
        for each in there:
            made = [
                f"{folder}/{name}".replace("//", "/")
                for directive, folder in after.made.items()
                for name in words(after.effective(each.unit), "Service", directive)
            ]
            for path, option in each.paths:
                made_here = any(path == folder or path.startswith(folder + "/") for folder in made)
                if "%" not in path and not made_here and not os.path.lexists(files.resolve(root + path, root)):
                    yield _NO_PATH[option].problem(each.unit, "Service", option, path=path)

    def result(self) -> Dict[str, Any]:
        return {"hardening": {each.unit: self._told(each) for each in self._asked}}

    def _told(self, each: Asked) -> Dict[str, Any]:
        made, after = self._made[each.unit], self._exposures[AFTER].get(each.unit)
        exposure = {when: self._level(when, each.unit) for when in (BEFORE, AFTER)}
        return {
            "profile": each.level,
            "allow": list(each.needs.names),
            "exposure": {**exposure, "systemd": self._manager.version, "estimated": each.unit in self._estimated},
            "findings": [finding._asdict() for finding in after.findings] if after else [],
            "left_out": dict(made.left_out),
            "stricter": dict(made.stricter),
            "released": dict(made.released),
            "refused": self._journals.as_data(each.unit) if self._journals else [],
        }


def lines_of(unit: str, loadpath: LoadPath, path: str) -> List[Line]:
    """What a file of a unit says in the section of its type."""
    section = KINDS[parse_pattern(unit).kind].section
    found = entries(loadpath.contents.get(path, b""))
    return [(each.directive, each.value) for each in found if each.section == section]

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From the lines of verify to complaints: whose they are, where they are about, and what they weigh. Private."""

from __future__ import annotations

import re
from typing import Container, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .._host.manager import Manager
from .._host.places import Places
from .._syntax.loadpath import LoadPath, entries
from .._syntax.names import misnamed, parse_name
from .._syntax.relations import AT_END, RELATIONS
from .._syntax.rule import Problem, Rule, Severity, legible
from .._syntax.specifiers import in_value, may_be, names_instance
from .._syntax.unitfile import Entry
from .._syntax.versions import value_came_with
from .._syntax.words import apart, commands
from .judge import Verdict, VerifyLine
from .programs import Sight, is_brought, look_for
from .remedies import MISSING, VERIFY, weight, words_of
from .subjects import Subjects

# Consequences of a complaint that has a line of its own, and words about the host rather than the unit.
_NOISE = re.compile(
    r"(?:Proceeding anyway|Unit \S+ has a bad unit file setting|Unable to break cycle|Requested transaction contains"
    r"|Failed to create \S+: (?:Unit \S+ has a bad unit file setting|Transaction order is cyclic)"
    r"|Support for option .* has been removed)"
)
_PROGRAM = re.compile(r"Command (?P<program>.+) is not executable: ")
_OF_UNIT = re.compile(r"Unit (?P<unit>\S+) failed to load properly")
_QUOTED = re.compile(r"'([^']+)'")
# Directives whose values are names of units, and no text for people.
_NAMING = {each.directive for each in RELATIONS.values()} | {"Before", *AT_END, "JoinsNamespaceOf"}

_NO_INSTANCE = Rule(
    "no-instance",
    Severity.WARNING,
    "it depends on the instance, and none is declared, runs or is enabled, so only its start will show whether it is "
    "right",
    "name instances, and it is judged by them",
    "systemd-analyze verify of the host",
)
_UNSEEN = Rule(
    "unseen",
    Severity.WARNING,
    "it may come with what is mounted, or what runs, before it, so only the start will show whether it is there",
    "",
    "systemd.exec(5), RootDirectory=, RootImage=, MountImages= and the like; systemd.mount(5); ExecStartPre=",
)


class Complaint(NamedTuple):
    """What verify says, as a problem.

    problem: with its rule and place. text: its own words. path: the file that it is about, "" if that cannot be told.
    placed: it names that itself. specific: it is about the instance of that name, and no other of the template.
    """

    problem: Problem
    text: str
    path: str = ""
    placed: bool = False
    specific: bool = False


class _Place(NamedTuple):
    """An assignment, and the file that it is in."""

    path: str
    entry: Entry


def complaints(verdict: Verdict, subjects: Subjects, loadpath: LoadPath, manager: Manager) -> List[Complaint]:
    reader = _Reader(subjects, loadpath, manager)
    told = [said for said in verdict.said if not (_NOISE.match(said.text) or said.unit in subjects.stand_ins)]
    found = [each for said in told for each in reader.read(said)]
    return list(dict.fromkeys(found))


class _Reader:
    def __init__(self, subjects: Subjects, loadpath: LoadPath, manager: Manager) -> None:
        self.subjects, self.loadpath, self.manager = subjects, loadpath, manager
        self.places: Places = manager.places

    def read(self, said: VerifyLine) -> Iterator[Complaint]:
        if said.path:
            yield from self._of_line(said)
            return
        place = self._traced(said.text, said.unit) if said.unit else None
        unit = said.unit
        if not unit:
            of_unit = _OF_UNIT.match(said.text)
            unit, place = (of_unit.group("unit"), None) if of_unit else self._by_its_quotes(said.text)
        rule = weight(said.text, said.level, placed=False)
        program = _PROGRAM.match(said.text)
        if program and unit:
            sight = self._look_for(program.group("program"), unit, place)
            if sight is Sight.THERE:
                return
            if sight is Sight.UNSEEN:
                rule = _UNSEEN
        yield self._complaint(said.text, unit, place, rule)

    def _complaint(self, text: str, unit: str, place: Optional[_Place], rule: Rule) -> Complaint:
        section, directive = (place.entry.section, place.entry.directive) if place else ("", "")
        specific = place is not None and self._is_instance(unit) and self._is_own(place, unit)
        if specific and unit in self.subjects.made_up and rule in (VERIFY, MISSING):
            rule = _NO_INSTANCE
        known = rule in (_NO_INSTANCE, _UNSEEN)
        message = (
            ": ".join(filter(None, (text, rule.reason, rule.remedy))) if known else text + self._since(place, rule)
        )
        path = place.path if place else ""
        return Complaint(rule.said(legible(message), unit, section, directive), text, path, specific=specific)

    def _since(self, place: Optional[_Place], rule: Rule) -> str:
        """A value that is not wrong but new."""
        came = value_came_with(place.entry.directive, place.entry.value) if place and rule is VERIFY else None
        version = self.manager.version
        if not place or not came or came <= version:
            return ""
        value = place.entry.value
        return f" ({place.entry.directive}={value} came with systemd {came}, and this host has {version})"

    def _is_instance(self, unit: str) -> bool:
        return bool(unit) and not misnamed(unit) and bool(parse_name(unit).instance)

    def _is_own(self, place: _Place, unit: str) -> bool:
        """Does an assignment concern this instance alone, as it names the instance, or is in a drop-in of it?"""
        return names_instance(place.entry.value) or self.places.unit_of(place.path) == unit

    def _of_line(self, said: VerifyLine) -> Iterator[Complaint]:
        """What is said of a template's line is said of all its instances, unless the line names the instance."""
        unit, entry = self.places.unit_of(said.path), _entry_at(said.path, said.line, self.loadpath)
        place = _Place(said.path, entry) if entry else None
        rule = weight(said.text, said.level, placed=True)
        instances = self.subjects.instances(unit)
        if entry and names_instance(entry.value):
            instances = [each for each in instances if self._is_about(said.text, entry.value, each)][:1]
        for name in instances or [unit]:
            yield self._complaint(said.text, name, place, rule)._replace(path=said.path, placed=True)

    def _is_about(self, text: str, value: str, instance: str) -> bool:
        if instance in self.subjects.made_up:
            return True
        words = [word for word in value.split() if names_instance(word)]
        return any(in_value(word, instance) in text for word in [value, *words])

    def _look_for(self, program: str, unit: str, place: Optional[_Place]) -> Sight:
        if misnamed(unit):
            return Sight.ABSENT
        directive, root = place.entry.directive if place else "", self.places.root
        sight = look_for(program, unit, directive, self.loadpath.effective(unit), root)
        is_late = sight is Sight.ABSENT and is_brought(program, unit, directive, self.loadpath, root)
        return Sight.UNSEEN if is_late else sight

    def _by_its_quotes(self, text: str) -> Tuple[str, Optional[_Place]]:
        """A complaint that names no unit is about the one with a value that it quotes."""
        quoted = _QUOTED.findall(text)
        for unit in self.subjects.units if quoted else ():
            for place in self._places_of(unit):
                if in_value(place.entry.value, unit) in quoted:
                    return unit, place
        return "", None

    def _traced(self, text: str, unit: str) -> Optional[_Place]:
        """The directive that names what a complaint without a line is about: a program, or a unit."""
        program = _PROGRAM.match(text)
        said = words_of(text)
        found = []
        for place in self._places_of(unit):
            value = in_value(place.entry.value, unit)
            if place.entry.directive.startswith("Exec"):
                run = {apart(command[0].text)[1] for command in commands(value)}
                if any(may_be(each, program.group("program")) for each in run) if program else said & run:
                    found.append(place)
            elif not program and place.entry.directive in _NAMING and said.intersection(value.split()):
                found.append(place)
        # systemd minds an order after what is nowhere as little as a wish for it.
        needed = [each for each in found if each.entry.directive not in ("After", "Before", "Wants")]
        return next(iter([*needed, *found]), None)

    def _places_of(self, unit: str) -> Iterator[_Place]:
        for path in () if misnamed(unit) else self.loadpath.files(unit):
            for entry in entries(self.loadpath.contents.get(path, b"")):
                yield _Place(path, entry)


def _entry_at(path: str, line: int, loadpath: LoadPath) -> Optional[Entry]:
    found = entries(loadpath.contents.get(path, b""))
    return next((entry for entry in reversed(found) if entry.line <= line), None)


def of_templates(found: Sequence[Complaint], subjects: Subjects) -> List[Problem]:
    """What is said of all judged instances of a template is said of the template."""
    problems = {each.problem for each in found}
    templates = {unit: parse_name(unit).template or "" for unit in subjects.units if not misnamed(unit)}
    own = {each.problem.unit for each in found if each.specific} - subjects.made_up
    merged: Dict[Problem, None] = {}
    for each in found:
        template = templates.get(each.problem.unit, "")
        every = subjects.instances(template) if template and _is_of_all(each, subjects, own) else []
        is_shared = bool(every) and all(each.problem._replace(unit=unit) in problems for unit in every)
        merged[each.problem._replace(unit=template) if is_shared else each.problem] = None
    return list(merged)


def _is_of_all(complaint: Complaint, subjects: Subjects, own: Container[str]) -> bool:
    """May it be about all instances? One that names no line may come from what this instance has of its own."""
    if complaint.problem.unit in subjects.made_up:
        return True
    return not complaint.specific and (complaint.placed or complaint.problem.unit not in own)


def is_new(
    complaint: Complaint,
    new: Container[str],
    known: Container[str],
    joining: Container[str],
    loadpath: LoadPath,
) -> bool:
    """What is said of a line in a file that stays as it is, say a drop-in of someone else, is an old fault.

    new: files that are written. known: what is said on the host as it is. joining: instances that are new.
    """
    unit = complaint.problem.unit
    if complaint.path in new or (complaint.specific and unit in joining):
        return True
    if complaint.placed:
        return False
    ours = bool(unit) and not misnamed(unit) and loadpath.fragment(unit) in new
    return ours or complaint.text not in known

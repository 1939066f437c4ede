# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The host's own systemd judges files before they are written.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import AbstractSet, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set

from .._host.files import staged
from .._host.manager import Manager
from .._host.observed import Observed
from .._host.places import Places
from .._plan.differences import Differences
from .._syntax import unitfile
from .._syntax.loadpath import LoadPath, entries
from .._syntax.names import mentions
from .._syntax.rule import Problem, Rule, Severity
from .remedies import VERIFY, judged, words_of

_PLACED = re.compile(r"^(?P<path>/[^:]+):(?P<line>\d+): (?P<text>.*)$")
_UNIT = re.compile(r"^(?P<unit>[A-Za-z0-9:_.\\@-]+\.[a-z]+): (?P<text>.*)$")
_BARE = re.compile(r"Command (?P<program>[^/\s]+) is not executable")
# Consequences of a complaint that has a line of its own, and words about the host rather than the unit.
_NOISE = re.compile(
    r"(?:Proceeding anyway|Unit \S+ has a bad unit file setting|Unable to break cycle|Requested transaction contains"
    r"|Failed to create \S+: (?:Unit \S+ has a bad unit file setting|Transaction order is cyclic)"
    r"|Support for option .* has been removed)"
)
# A socket without the service that it starts.
_ALONE = re.compile(r"service \S+ not loaded, \S+ cannot be started")
_QUOTED = re.compile(r"'([^']+)'")
_NO_VERIFY = Rule(
    "no-verify",
    Severity.WARNING,
    "systemd-analyze is not installed, so nothing was verified",
    "install it with systemd's other tools",
    "systemd-analyze(1)",
)


class _Complaint(NamedTuple):
    """A line of verify, and the file it is about ("" where the line names none)."""

    problem: Problem
    path: str = ""


def verify(
    manager: Manager, differences: Differences, observed: Observed, alone: AbstractSet[str] = frozenset()
) -> List[Problem]:
    """Have systemd-analyze verify read the host as it will be; complaints it had before do not count.

    Those about something that an earlier task may bring (a program, a required unit) have the rule MISSING.
    alone: units of which it is said already that what they start is nowhere.
    """
    places = observed.places
    new = {wanted.path: wanted.content for wanted in differences.write if places.is_unit_file(wanted.path)}
    gone = [path for path in differences.remove if places.is_unit_file(path)]
    if not new and not gone:
        return []
    subjects = _subjects(differences, observed, new, gone)
    masks = [observed.places.unit_file(unit) for unit in differences.links.unmask]
    with staged(observed.places.units, new, [*gone, *masks]) as stage:
        complaints = _complaints(manager, observed, stage, subjects, differences.after)
    if complaints:
        there = {unit for folder in observed.loadpath.names.values() for unit in folder}
        # A unit of others that only now is drawn in brings its old faults along.
        asked = dict.fromkeys([*subjects, *(each.problem.unit for each in complaints if each.problem.unit in there)])
        before = _complaints(manager, observed, "", list(asked), observed.loadpath)
        known = {each.problem.message for each in before}
        complaints = [each for each in complaints if _is_new(each, new, known)]
    problems = list(dict.fromkeys(each.problem for each in complaints))
    if len(subjects) == 1:  # there is no other that it could be about
        nameless = [each for each in problems if each.rule is VERIFY and not each.unit]
        problems = [replace(each, unit=subjects[0]) if each in nameless else each for each in problems]
    problems = [each for each in problems if not (each.unit in alone and _ALONE.search(each.message))]
    going = {os.path.basename(path) for path in gone}
    return judged(problems, going)


def _is_new(complaint: _Complaint, new: Mapping[str, bytes], known: AbstractSet[str]) -> bool:
    """What is said of a line in a file that stays as it is, say a drop-in of someone else, is an old fault."""
    if complaint.path:
        return complaint.path in new
    ours = any(os.path.basename(path) == complaint.problem.unit for path in new)
    return ours or complaint.problem.message not in known


def _subjects(differences: Differences, observed: Observed, new: Mapping[str, bytes], gone: Sequence[str]) -> List[str]:
    """Units to verify: those whose files change, and loaded or our own ones that refer to what changes or goes."""
    subjects = [case.unit for case in differences.cases if case.change.new or case.change.directives]
    for path in new:
        if os.path.dirname(path) == observed.places.units and os.path.basename(path) not in subjects:
            subjects.append(os.path.basename(path))
    names: Set[str] = {os.path.basename(path) for path in gone}
    for unit, content in _own_units(observed, differences.after).items():
        text = content.decode("utf-8", "replace")
        if unit not in subjects and any(mentions(text, name) for name in names):
            subjects.append(unit)
    return [unit for unit in subjects if differences.after.defines(unit)]


def _own_units(observed: Observed, after: LoadPath) -> Dict[str, bytes]:
    folder = observed.places.units
    return {name: after.contents.get(os.path.join(folder, name), b"") for name in sorted(after.names.get(folder, ()))}


def _complaints(
    manager: Manager, observed: Observed, stage: str, subjects: Sequence[str], loadpath: LoadPath
) -> List[_Complaint]:
    """What verify says of these units, in the stage or (stage "") on the host as it is."""
    units = observed.places.units
    files = []
    for unit in subjects:
        fragment = loadpath.fragment(unit)
        if fragment is not None:
            folder = stage if stage and os.path.dirname(fragment) == units else os.path.dirname(fragment)
            files.append(os.path.join(folder, unit))
    if not files:
        return []
    folders = [stage if stage and folder == units else folder for folder in loadpath.folders]
    outcome = manager.verify(":".join(folders), files)
    if outcome.code == 127:
        return [_Complaint(_NO_VERIFY.problem())]
    lines = [line.strip() for line in outcome.err.splitlines() if line.strip()]
    judged = [line for line in lines if not _is_found(line, manager)]
    found = [_complaint(line, stage, observed.places, loadpath, subjects) for line in judged]
    complaints = [each for each in found if each is not None]
    if not complaints and outcome.code not in (0, 124) and stage and len(judged) == len(lines):
        complaints.append(_Complaint(VERIFY.said(f"systemd-analyze verify refuses it: {outcome.message}")))
    if outcome.code == 124:
        complaints.append(_Complaint(VERIFY.said(outcome.message)))
    return complaints


def _is_found(line: str, manager: Manager) -> bool:
    """verify of 247 looks for no program by its bare name, though PID 1 does (systemd.service(5), ExecStart=)."""
    bare = _BARE.search(line)
    return bare is not None and manager.finds(bare.group("program"))


def _complaint(
    line: str, stage: str, places: Places, loadpath: LoadPath, subjects: Sequence[str]
) -> Optional[_Complaint]:
    """A line of verify as a problem of a unit and directive; versions differ in the texts, not in the shape."""
    placed = _PLACED.match(line)
    if placed:
        path = placed.group("path").replace(stage, places.units) if stage else placed.group("path")
        unit, entry = places.unit_of(path), _entry_at(path, int(placed.group("line")), loadpath)
        text = placed.group("text").replace(stage, places.units) if stage else placed.group("text")
        section, directive = (entry.section, entry.directive) if entry else ("", "")
        return _Complaint(VERIFY.said(text, unit, section, directive), path)
    text = line.replace(stage, places.units) if stage else line
    named = _UNIT.match(text)
    if _NOISE.match(named.group("text") if named else text):
        return None
    if named:
        return _Complaint(_traced(VERIFY.said(named.group("text"), named.group("unit")), loadpath))
    return _Complaint(_by_its_quotes(text, subjects, loadpath))


def _by_its_quotes(text: str, subjects: Sequence[str], loadpath: LoadPath) -> Problem:
    """A complaint that names no unit is about the one with a value that it quotes."""
    quoted = _QUOTED.findall(text)
    for unit in subjects:
        for entry in _entries_of(unit, loadpath):
            if entry.value in quoted:
                return VERIFY.said(text, unit, entry.section, entry.directive)
    return VERIFY.said(text)


def _traced(problem: Problem, loadpath: LoadPath) -> Problem:
    """The directive that names what a complaint without a line is about: a program, or a unit."""
    said = words_of(problem.message)
    found = []
    for entry in _entries_of(problem.unit, loadpath):
        values = entry.value.split()
        if entry.directive.startswith("Exec"):
            values = [value.lstrip("@-:+!|") for value in values[:1]]
        if (entry.directive.startswith("Exec") or entry.section == "Unit") and said.intersection(values):
            found.append(entry)
    # systemd minds an order after what is nowhere as little as a wish for it.
    needed = [entry for entry in found if entry.directive not in ("After", "Before", "Wants")]
    for entry in [*needed, *found][:1]:
        return replace(problem, section=entry.section, directive=entry.directive)
    return problem


def _entries_of(unit: str, loadpath: LoadPath) -> Iterator[unitfile.Entry]:
    for path in loadpath.contents:
        if {unit, unit + ".d"} & set(path.split(os.sep)):
            yield from entries(loadpath.contents[path])


def _entry_at(path: str, line: int, loadpath: LoadPath) -> Optional[unitfile.Entry]:
    found = entries(loadpath.contents.get(path, b""))
    return next((entry for entry in reversed(found) if entry.line <= line), None)

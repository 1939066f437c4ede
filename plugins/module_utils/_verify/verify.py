# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The host's own systemd judges files before they are written.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, AbstractSet, Iterable, Iterator, List, Mapping, Sequence

from .._desired.stack import Desired
from .._host.manager import Manager
from .._host.observed import Observed
from .._plan.differences import Differences
from .._plan.references import View
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Rule, Severity
from .judge import Verdict, VerifyLine, breaks, judge
from .subjects import Subjects, subjects

if TYPE_CHECKING:
    from .complaints import Complaint

# The text of a unit that is there for its drop-ins alone. Without any it would be masked.
_NOTHING = b"[Unit]\n"
# A socket without the service that it starts.
_ALONE = re.compile(r"(?:Socket )?service \S+ not loaded, \S+ cannot be started")
# An order that leads back to where it began, and how systemd would break it.
_CYCLE = re.compile(r"Found (?:ordering cycle|dependency on)|Job .+ deleted to break ordering cycle")
_COMMAND = re.compile(rb"^[ \t]*(Exec[A-Za-z]+)[ \t]*=", re.MULTILINE)
_NO_VERIFY = Rule(
    "no-verify",
    Severity.WARNING,
    "systemd-analyze is not installed, so {units} went in without being verified",
    "install it with systemd's other tools",
    "systemd-analyze(1)",
)
_NOT_JUDGED = Rule(
    "not-judged",
    Severity.ERROR,
    "systemd-analyze verify gave up and did not judge {units} ({why})",
    "",
    "systemd-analyze verify of the host",
)


def verify(
    manager: Manager,
    desired: Desired,
    differences: Differences,
    observed: Observed,
    alone: AbstractSet[str] = frozenset(),
    cycles: bool = False,
) -> List[Problem]:
    """Have systemd-analyze verify read the host as it will be; complaints it had before do not count.

    Those about something that an earlier task may bring (a program, a required unit) have the rule MISSING.
    alone: units of which it is said already that what they start is nowhere. cycles: it is said already which units
    are ordered after themselves.
    """
    places = observed.places
    new = {wanted.path: wanted.content for wanted in differences.write if places.is_unit_file(wanted.path)}
    gone = [path for path in differences.remove if places.is_unit_file(path)]
    if not (new or gone or differences.joining):
        return []
    chosen = subjects(desired, differences, observed, new, gone)
    masks = [places.unit_file(unit) for unit in differences.links.unmask]
    staged = {**new, **{places.unit_file(unit): _NOTHING for unit in chosen.stand_ins}}
    verdict = judge(manager, places, differences.after, chosen.units, staged, [*gone, *masks])
    behind = _behind(verdict, manager, differences.after, chosen, staged, [*gone, *masks])
    verdict = verdict._replace(said=(*verdict.said, *behind))
    more = _has_more(new)
    if not (verdict.said or verdict.unjudged or more):
        return []
    # A run of which the judge says nothing, the most common, is spared what reads and weighs its words.
    from .commands import needed_too, overlooked  # noqa: PLC0415
    from .complaints import complaints, is_new, of_templates  # noqa: PLC0415
    from .hints import pointed  # noqa: PLC0415
    from .remedies import judged  # noqa: PLC0415

    found = complaints(verdict, chosen, differences.after, manager)
    if found:
        known = _known(found, [unit for unit in chosen.units if unit not in chosen.joining], manager, observed)
        found = [each for each in found if is_new(each, new, known, chosen.joining, differences.after)]
    found = [*found, *needed_too(found, View(differences, observed))]
    found += overlooked(chosen, new, differences.after, places.root) if more else []
    problems = of_templates(found, chosen)
    if len(chosen.units) == 1:  # there is no other that it could be about
        nameless = [each for each in problems if not each.unit]
        problems = [each._replace(unit=chosen.units[0]) if each in nameless else each for each in problems]
    problems = [each for each in problems if not (each.unit in alone and _of_started(each))]
    problems = [each for each in problems if not (cycles and _CYCLE.match(each.message))]
    going = {os.path.basename(path) for path in gone}
    said = judged([*problems, *_unjudged(verdict)], going, places.scope.of_users, desired.catalogue)
    return [pointed(each, differences.after, places.root) for each in said]


def _of_started(problem: Problem) -> bool:
    """Is it about what a timer, socket or path starts?"""
    named = problem.directive and problem.directive == kind_of(problem.unit).starts.directive
    return bool(named or _ALONE.match(problem.message))


def _behind(
    verdict: Verdict,
    manager: Manager,
    after: LoadPath,
    chosen: Subjects,
    staged: Mapping[str, bytes],
    gone: Sequence[str],
) -> Iterator[VerifyLine]:
    """What is wrong with lines behind one at which systemd stops to read the unit: as it would be without that."""
    seen = set(verdict.said)
    ahead, texts = list(verdict.said), dict(staged)
    while ahead:
        breaking = {(each.path, each.line) for each in ahead if each.path in texts and breaks(each)}
        for path, line in breaking:
            texts[path] = _without(texts[path], line)
        broken = {path for path, _line in breaking}
        units = [unit for unit in chosen.units if not broken.isdisjoint(after.files(unit))]
        said = judge(manager, manager.places, after, units, texts, gone).said
        ahead = [each for each in said if each.path and each not in seen]
        seen.update(ahead)
        yield from ahead


def _without(content: bytes, number: int) -> bytes:
    """A text with an assignment left blank, of which a line may go on in the next; systemd counts the last one."""
    lines = content.split(b"\n")
    while number > 1 and lines[number - 2].endswith(b"\\"):
        number -= 1
    goes_on = True
    while goes_on and number <= len(lines):
        goes_on = lines[number - 1].endswith(b"\\")
        lines[number - 1] = b""
        number += 1
    return b"\n".join(lines)


def _has_more(new: Mapping[str, bytes]) -> bool:
    """Has a text more commands than those that verify looks for?"""
    lists = (_COMMAND.findall(content) for content in new.values())
    return any(len(set(each)) < len(each) or b";" in content for each, content in zip(lists, new.values()))


def _known(found: Iterable[Complaint], units: Iterable[str], manager: Manager, observed: Observed) -> AbstractSet[str]:
    """What verify says on the host as it is."""
    there = {unit for folder in observed.loadpath.names.values() for unit in folder}
    # A unit of others that only now is drawn in brings its old faults along.
    drawn_in = [each.problem.unit for each in found if each.problem.unit in there]
    named = [unit for unit in dict.fromkeys([*units, *drawn_in]) if not misnamed(unit)]
    asked = [unit for unit in named if observed.loadpath.defines(unit)]
    verdict = judge(manager, observed.places, observed.loadpath, asked, {}, [])
    return {said.text for said in verdict.said}


def _unjudged(verdict: Verdict) -> List[Problem]:
    """A judge that did not judge: its words were never about the units, and never an old fault of the host."""
    if not verdict.unjudged:
        return []
    rule = _NO_VERIFY if verdict.absent else _NOT_JUDGED
    unit = verdict.unjudged[0] if len(verdict.unjudged) == 1 else ""
    return [rule.problem(unit, units=", ".join(verdict.unjudged), why=verdict.why)]

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Timers, paths and conditions that wait for what never comes. Pure, and private to the collection."""

from __future__ import annotations

import re
from typing import Iterator

from .._desired.options import RUNNING
from .._syntax.activation import starts
from .._syntax.kinds import PATH_CONDITIONS, TIMER_TIMES, kind_of
from .._syntax.loadpath import entries
from .._syntax.rule import Problem, Rule, Severity, shown
from .references import View

_NEVER = Rule(
    "never-elapses",
    Severity.WARNING,
    "its times count from a run of {started}, which nothing else begins, so it never elapses",
    "add OnBootSec= or OnActiveSec= for the first run",
    "systemd.timer(5), OnUnitActiveSec= and OnUnitInactiveSec=",
)
_NO_PATTERN = Rule(
    "path-pattern",
    Severity.WARNING,
    "{watched} takes no pattern, so {value} is a file of just this name",
    "name the folder that it is in, or use PathExistsGlob=",
    "systemd.path(5)",
)
_ONE_PATH = Rule(
    "one-path",
    Severity.WARNING,
    "{named} takes one path, so {value} is a file of just this name",
    "make of the several a list",
    "systemd.path(5); systemd.unit(5), conditions",
)
# A path behind another.
_SECOND = re.compile(r"\S\s+[|!]*/|,/")
_CONDITION_ON_PATH = re.compile(r"(?:Condition|Assert)(?:Path|File|Directory)\w+")
_AFTER_A_RUN = frozenset(("OnUnitActiveSec", "OnUnitInactiveSec"))
_NAMING_PATHS = PATH_CONDITIONS - {"PathExistsGlob"}


def never_elapses(view: View) -> Iterator[Problem]:
    """Timers that are started for the first time, as is what they start."""
    for unit in view.desired.units:
        if not (unit.path and kind_of(unit.name.text).goes_by_time):
            continue
        for timer in (each for each in unit.members if unit.meant(each).state in RUNNING):
            given = view.after.effective(timer).get("Timer", {})
            bases = {base for base in TIMER_TIMES if any(given.get(base, ()))}
            started = starts(timer, view.after)
            if bases and bases <= _AFTER_A_RUN and not _may_run(started, view):
                yield _NEVER.problem(timer, "Timer", min(bases), started=started)


def _may_run(unit: str, view: View) -> bool:
    """Was it there before, so that it may have run, or does this declaration start it?"""
    if view.observed.loadpath.defines(unit) or view.observed.states[unit].is_up:
        return True
    return any(unit in each.members and each.meant(unit).state in RUNNING for each in view.desired.units)


def patterns(view: View) -> Iterator[Problem]:
    for unit in view.desired.units:
        kind = kind_of(unit.name.text)
        for each in entries(view.desired.files[unit.path].content) if unit.path and kind.is_starter else ():
            if each.section == kind.section and each.directive in _NAMING_PATHS and set(each.value) & set("*?"):
                told = {"watched": f"{each.directive}=", "value": shown(each.value)}
                yield _NO_PATTERN.problem(unit.name.text, each.section, each.directive, **told)


def several_paths(view: View) -> Iterator[Problem]:
    for unit in view.desired.units:
        kind = kind_of(unit.name.text)
        for each in entries(view.desired.files[unit.path].content) if unit.path else ():
            watched = kind.is_starter and each.section == kind.section and each.directive in PATH_CONDITIONS
            if _SECOND.search(each.value) and (watched or _CONDITION_ON_PATH.fullmatch(each.directive)):
                told = {"named": f"{each.directive}=", "value": shown(each.value)}
                yield _ONE_PATH.problem(unit.name.text, each.section, each.directive, **told)

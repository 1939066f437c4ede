# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The unit that a drill is about, with all that may be hurt by it, and what speaks against doing that.

Private to the collection.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import AbstractSet, Iterable, Iterator, List, Mapping, Sequence, Tuple

from .._host import graph
from .._host.health import CHECK_OPTIONS, Health, first_complaint
from .._host.manager import Manager, Properties, States, all_names, names
from .._plan.consequences import restarted_with, started_by, starters, stopped_with
from .._syntax.kinds import Processes, kind_of
from .._syntax.relations import REQUIRES
from .._syntax.rule import Problem, Rule, Severity
from . import promise, spared

PROPERTIES = (
    *promise.PROPERTIES,
    *("Id", "Names", *REQUIRES),
    *("LoadState", "ActiveState", "SubState", "MainPID", "TimeoutStopUSec"),
)

_KIND = Rule(
    "drill-kind",
    Severity.ERROR,
    "drills are for services with a main process, and for timers",
    "name one of those",
    "the module drill",
)
_NO_CHECK = Rule(
    "drill-unchecked",
    Severity.ERROR,
    "nothing tells whether it is well, so nothing could be proved",
    f"give health a check ({', '.join(CHECK_OPTIONS)})",
    "the module drill",
)
_NOT_TOLD = Rule(
    "drill-not-told",
    Severity.ERROR,
    "a drill hurts it, and may_hurt does not have it",
    "add it to may_hurt if it may be hurt",
    "the option may_hurt",
)
_CARRIES = Rule(
    "drill-carries",
    Severity.ERROR,
    "this run, its connection or the host itself lives in it",
    "it is spared, whatever may_hurt says",
    "the module drill",
)
_NOT_UP = Rule(
    "drill-not-up",
    Severity.ERROR,
    "it is not well before the drill ({why})",
    "see to that first",
    "the module drill",
)
_ENDS_HOST = Rule(
    "drill-ends-host",
    Severity.ERROR,
    "{setting}= is {value}, so that a fault of it is one of the whole host",
    "it is spared",
    "systemd.unit(5)",
)
_NO_MANUAL = Rule(
    "drill-refuses",
    Severity.ERROR,
    "it could not be started again, as {setting}= is yes",
    "it is spared",
    "systemd.unit(5)",
)


@dataclass(frozen=True)
class Scene:
    """One unit, its settings, and what is around it.

    unit: the name that systemd has for it. shown: its properties before the drill. health: how it proves itself. hurt:
    what else goes down or is restarted with it, and is up. required: what it requires and may be stopped, each with
    what goes down with that. starts: what a timer starts. sockets: those that start it and are up. known: settings of
    all of these by which some are spared.
    """

    unit: str
    shown: Properties
    health: Health
    hurt: Tuple[str, ...]
    required: Mapping[str, Tuple[str, ...]]
    starts: str
    sockets: Tuple[str, ...]
    known: Mapping[str, Properties] = field(default_factory=dict)

    @property
    def struck(self) -> Tuple[str, ...]:
        """What a fault may end."""
        return tuple(dict.fromkeys(filter(None, (self.unit, *self.hurt, self.starts))))

    @property
    def is_timer(self) -> bool:
        return kind_of(self.unit).goes_by_time

    @property
    def given(self) -> promise.Settings:
        return promise.settings(self.shown)


def look(manager: Manager, unit: str, health: Health, may_hurt: Sequence[str]) -> Scene:
    """What there is of a unit, before anything is done to it."""
    shown = manager.show([unit], PROPERTIES)[unit]
    # Others know it, and what is spared has it, by that name and not by an alias.
    unit = shown.get("Id") or unit
    states = manager.list_units()
    wants = [
        other for other in sorted(all_names(shown, REQUIRES)) if states[other].is_up and _is_named(other, may_hurt)
    ]
    around = graph.look(manager, [unit, *wants], states)
    hurt = {*stopped_with(unit, around), *restarted_with(unit, around)} - {unit}
    required = {other: _up((*stopped_with(other, around), other), states) for other in wants}
    required = {other: taken for other, taken in required.items() if all(_is_named(it, may_hurt) for it in taken)}
    triggered = [other for other in starters(unit, around) if kind_of(other).starts.hands_over]
    starts = next(iter(started_by(unit, around)), "")
    ending = {unit, *hurt, *filter(None, [starts]), *(each for taken in required.values() for each in taken)}
    known = spared.look(manager, ending, states)
    return Scene(
        unit=unit,
        shown=shown,
        health=health,
        hurt=_up(hurt, states),
        required={other: taken for other, taken in required.items() if _may_stop(other, taken, known)},
        starts=starts,
        sockets=tuple(other for other in triggered if states[other].is_active),
        known=known,
    )


def _may_stop(unit: str, taken: Sequence[str], known: Mapping[str, Properties]) -> bool:
    """May it be stopped and started again, with what goes down with it?"""
    if spared.carrying(taken) or any(spared.endings(taken, known)) or spared.refused_by_hand(unit, known):
        return False
    return not any(spared.refused_by_hand(other, known, stops=False) for other in taken)


def _up(units: Iterable[str], states: States) -> Tuple[str, ...]:
    return tuple(sorted(unit for unit in units if states[unit].is_up))


def _is_named(unit: str, may_hurt: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(unit, pattern) for pattern in may_hurt)


def problems(scene: Scene, manager: Manager, may_hurt: Sequence[str], coming_up: AbstractSet[str]) -> List[Problem]:
    """All that speaks against a drill of it. coming_up: units that are brought up before it begins."""
    kind = kind_of(scene.unit)
    if not (scene.is_timer or kind.processes is Processes.MAIN):
        return [_KIND.problem(scene.unit)]
    found = [*_untold(scene, may_hurt), *_of_host(scene), *_unhealthy(scene, manager)]
    found = [each for each in found if each.rule is not _NOT_UP or scene.unit not in coming_up]
    return [*found, *_endings(scene)]


def _untold(scene: Scene, may_hurt: Sequence[str]) -> Iterator[Problem]:
    for unit in scene.struck:
        aliases = names(scene.shown, "Names") if unit == scene.unit else ()
        if not any(_is_named(name, may_hurt) for name in (unit, *aliases)):
            yield _NOT_TOLD.problem(unit)


def _of_host(scene: Scene) -> Iterator[Problem]:
    for unit in spared.carrying(scene.struck):
        yield _CARRIES.problem(unit)


def _unhealthy(scene: Scene, manager: Manager) -> Iterator[Problem]:
    shown = scene.shown
    if shown.get("LoadState") != "loaded" or shown.get("ActiveState") != "active":
        yield _NOT_UP.problem(scene.unit, why=f"{shown.get('LoadState')}, {shown.get('ActiveState')}")
        return
    if scene.is_timer:
        return
    if shown.get("MainPID", "0") == "0":
        yield _KIND.problem(scene.unit)
    elif not scene.health.checks:
        yield _NO_CHECK.problem(scene.unit)
    else:
        complaint = first_complaint(manager, scene.health.checks, scene.health.timeout)
        if complaint:
            yield _NOT_UP.problem(scene.unit, why=complaint)


def _endings(scene: Scene) -> Iterator[Problem]:
    """What a failure sets off beyond the unit, and what could not be brought back."""
    for unit, directive, value in spared.endings(scene.struck, scene.known):
        yield _ENDS_HOST.problem(unit, "Unit", directive, setting=directive, value=value)
    for unit in (scene.unit, *scene.hurt):
        for directive in spared.refused_by_hand(unit, scene.known, stops=unit == scene.unit):
            yield _NO_MANUAL.problem(unit, "Unit", directive, setting=directive)

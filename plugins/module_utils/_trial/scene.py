# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The unit that a drill is about, with all that may be hurt by it, and what speaks against doing that.

Private to the collection.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import FrozenSet, Iterable, Iterator, List, Mapping, Sequence, Tuple

from .._host import graph
from .._host.health import CHECK_OPTIONS, Health, first_complaint
from .._host.manager import Manager, Properties, States, named, names
from .._host.traces import carriers
from .._plan.consequences import restarted_with, stopped_with
from .._syntax.kinds import Processes, kind_of
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.special import CALL_FOR, is_of_host
from . import promise

# What a drill of a unit hurts besides it is told by these.
_REQUIRED = ("Requires", "BindsTo")
_ACTIONS = ("FailureAction", "SuccessAction", "StartLimitAction")
_ON_END = ("OnFailure", "OnSuccess")
PROPERTIES = (
    *promise.PROPERTIES,
    *(*_REQUIRED, *_ACTIONS, *_ON_END, "TriggeredBy", "Triggers", "Listen", "Accept"),
    *("LoadState", "ActiveState", "SubState", "MainPID", "RefuseManualStart", "RefuseManualStop", "TimeoutStopUSec"),
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

    shown: its properties before the drill. hurt: what else goes down or is restarted with it, and is up.
    required: what it requires and may be stopped, each with what goes down with that. starts: what a timer starts.
    sockets: those that start it and are up.
    """

    unit: str
    shown: Properties
    health: Health
    hurt: Tuple[str, ...]
    required: Mapping[str, Tuple[str, ...]]
    starts: str
    sockets: Tuple[str, ...]

    @property
    def is_timer(self) -> bool:
        return kind_of(self.unit).goes_by_time

    @property
    def given(self) -> promise.Settings:
        return promise.settings(self.shown)


def look(manager: Manager, unit: str, health: Health, may_hurt: Sequence[str]) -> Scene:
    """What there is of a unit, before anything is done to it."""
    shown = manager.show([unit], PROPERTIES)[unit]
    states = manager.list_units()
    wants = [other for other in sorted(named(shown, _REQUIRED)) if states[other].is_up and _is_named(other, may_hurt)]
    around = graph.look(manager, [unit, *wants], states)
    hurt = {*stopped_with(unit, around), *restarted_with(unit, around)}
    required = {other: _up((*stopped_with(other, around), other), states) for other in wants}
    triggered = [other for other in names(shown, "TriggeredBy") if kind_of(other).starts.hands_over]
    return Scene(
        unit=unit,
        shown=shown,
        health=health,
        hurt=tuple(other for other in _up(hurt, states) if other != unit),
        required={other: taken for other, taken in required.items() if all(_is_named(it, may_hurt) for it in taken)},
        starts=next(iter(names(shown, "Triggers")), ""),
        sockets=tuple(other for other in triggered if states[other].is_active),
    )


def _up(units: Iterable[str], states: States) -> Tuple[str, ...]:
    return tuple(sorted(unit for unit in units if states[unit].is_up))


def _is_named(unit: str, may_hurt: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(unit, pattern) for pattern in may_hurt)


def problems(scene: Scene, manager: Manager, may_hurt: Sequence[str]) -> List[Problem]:
    """All that speaks against a drill of it."""
    kind = kind_of(scene.unit)
    if not (scene.is_timer or kind.processes is Processes.MAIN):
        return [_KIND.problem(scene.unit)]
    found = [*_untold(scene, may_hurt), *_of_host(scene), *_unhealthy(scene, manager)]
    return [*found, *_endings(scene.unit, scene.shown)]


def _untold(scene: Scene, may_hurt: Sequence[str]) -> Iterator[Problem]:
    for unit in filter(None, (scene.unit, *scene.hurt, scene.starts)):
        if not _is_named(unit, may_hurt):
            yield _NOT_TOLD.problem(unit)


def _of_host(scene: Scene) -> Iterator[Problem]:
    spared = _spared()
    for unit in dict.fromkeys((scene.unit, *scene.hurt, scene.starts)):
        if unit in spared or is_of_host(unit) or unit in CALL_FOR:
            yield _CARRIES.problem(unit)


def _spared() -> FrozenSet[str]:
    return carriers() | _OF_HOST


# Without these the host itself is at a loss, though no connection goes through them (systemd.special(7)).
_OF_HOST = frozenset(
    """
    init.scope systemd-journald.service systemd-journald.socket systemd-logind.service systemd-udevd.service
    systemd-resolved.service polkit.service user@0.service
    """.split()
)


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


def _endings(unit: str, shown: Properties) -> Iterator[Problem]:
    """What a failure sets off beyond the unit."""
    for directive in _ACTIONS:
        if shown.get(directive, "none") not in ("none", ""):
            yield _ENDS_HOST.problem(unit, "Unit", directive, setting=directive, value=shown[directive])
    for directive in _ON_END:
        for other in sorted(set(names(shown, directive)).intersection(CALL_FOR)):
            yield _ENDS_HOST.problem(unit, "Unit", directive, setting=directive, value=other)
    for directive in ("RefuseManualStart", "RefuseManualStop"):
        if shown.get(directive) == "yes":
            yield _NO_MANUAL.problem(unit, "Unit", directive, setting=directive)

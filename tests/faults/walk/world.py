# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a walk declares, and what happens meanwhile: pure, and the same for the same seed.

A step is data that means something whatever was before it, so that a walk can be shortened by leaving steps out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Entry = dict[str, Any]

PREFIX = "walk-"
FOREIGN = f"{PREFIX}foreign.service"
# systemd.unit(5); each slot names only slots before it, so that there is no circle.
RELATIONS = ("Requires", "Wants", "BindsTo", "PartOf", "Requisite")
SERVICES = tuple(f"{PREFIX}{letter}.service" for letter in "abcd")
ONCE, TARGET = f"{PREFIX}once.service", f"{PREFIX}group.target"
# Each with the service that it starts.
SOCKET, TIMER = f"{PREFIX}web.socket", f"{PREFIX}tick.timer"
SLOTS = (
    *SERVICES,
    ONCE,
    TARGET,
    SOCKET,
    TIMER,
    FOREIGN,
)
# Something that someone else does to a unit.
EVENTS = ("stop", "kill", "start", "reload", "edit", "delete", "mask", "dropin", "disable")


class Slot(NamedTuple):
    """One unit of the declaration. relations: (directive, unit) of which those count that are declared, too."""

    version: int
    relations: tuple[tuple[str, str], ...] = ()
    enabled: bool = True
    stopped: bool = False


# By unit; None: it is declared no more.
Changes = tuple[tuple[str, Slot | None], ...]


class Declare(NamedTuple):
    """The declaration changes, and is applied."""

    changes: Changes


class Cut(NamedTuple):
    """The same, but the run is killed after so many seconds, and made again."""

    changes: Changes
    after: float


class Fail(NamedTuple):
    """The declaration changes, and has one more unit, that does not come up."""

    changes: Changes


class Event(NamedTuple):
    """Someone does something to a unit."""

    what: str
    unit: str


class Reboot(NamedTuple):
    pass


Step = Declare | Cut | Fail | Event | Reboot
Declared = Mapping[str, Slot]


def steps(seed: int, number: int) -> list[Step]:
    """A walk."""
    rng = random.Random(seed)
    return [Declare(_changes(rng, 4)), *(_step(rng) for _number in range(number - 1))]


def _step(rng: random.Random) -> Step:
    kind = rng.choices(("declare", "cut", "fail", "event", "reboot"), (10, 4, 3, 8, 1))[0]
    if kind == "event":
        return Event(rng.choice(EVENTS), rng.choice(SLOTS))
    if kind == "reboot":
        return Reboot()
    changes = _changes(rng, rng.choice((0, 1, 1, 2, 3)))
    if kind == "cut":
        return Cut(changes, round(rng.uniform(0.05, 1.2), 2))
    return Fail(changes) if kind == "fail" else Declare(changes)


def _changes(rng: random.Random, number: int) -> Changes:
    return tuple((unit, _slot(rng, unit)) for unit in rng.sample(SLOTS, number))


def _slot(rng: random.Random, unit: str) -> Slot | None:
    if rng.random() < 0.25:
        return None
    before = [each for each in SERVICES if SERVICES.index(each) < _rank(unit)]
    number = rng.choice((0, 0, 1, 2)) if before else 0
    relations = {(rng.choice(RELATIONS), other) for other in rng.sample(before, min(number, len(before)))}
    return Slot(rng.randrange(100), tuple(sorted(relations)), rng.random() < 0.8, rng.random() < 0.15)


def _rank(unit: str) -> int:
    """Services may name those before them, all others any."""
    return SERVICES.index(unit) if unit in SERVICES else len(SERVICES)


def changed(declared: Declared, changes: Changes) -> dict[str, Slot]:
    both: dict[str, Slot | None] = {**declared, **dict(changes)}
    return {unit: slot for unit, slot in both.items() if slot is not None}


def entries(declared: Declared) -> Iterator[Entry]:
    """The units, as the module takes them."""
    for unit, slot in declared.items():
        entry: Entry = {"name": unit, "state": "stopped" if is_stopped(unit, declared) else "started"}
        if unit != FOREIGN:
            wanted_by = {"WantedBy": _WANTED_BY.get(unit, "multi-user.target")}
            entry |= {
                "unit": _unit_section(unit, declared),
                "install": wanted_by,
                "enabled": slot.enabled,
                "replace": True,
            }
        yield {**entry, **_OWN.get(unit, _service)(slot)}
        if unit in (SOCKET, TIMER):
            yield {"name": started_by(unit), **(_service if unit == SOCKET else _tick)(slot)}


def dropins(declared: Declared) -> Iterator[Entry]:
    if FOREIGN in declared:
        yield {"name": FOREIGN, "dropin": "walk", "service": {"Environment": f"VERSION={declared[FOREIGN].version}"}}


def started_by(unit: str) -> str:
    """The service of a socket or timer."""
    return f"{unit.rpartition('.')[0]}.service"


def is_stopped(unit: str, declared: Declared) -> bool:
    """What names a unit that is declared stopped is so, too: else the declaration would contradict itself."""
    return declared[unit].stopped or any(is_stopped(other, declared) for _directive, other in related(unit, declared))


def related(unit: str, declared: Declared) -> list[tuple[str, str]]:
    return [pair for pair in declared[unit].relations if pair[1] in declared]


def _unit_section(unit: str, declared: Declared) -> Entry:
    section: Entry = {"Description": f"Version {declared[unit].version}"}
    for directive, other in related(unit, declared):
        section.setdefault(directive, []).append(other)
        section.setdefault("After", []).append(other)
    return section


def _service(slot: Slot) -> Entry:
    return {"service": {"ExecStart": "/bin/sleep infinity", "Environment": f"VERSION={slot.version}"}}


def _once(slot: Slot) -> Entry:
    return {"service": {**_tick(slot)["service"], "RemainAfterExit": True}}


def _tick(slot: Slot) -> Entry:
    return {"service": {"Type": "oneshot", "ExecStart": "/bin/true", "Environment": f"VERSION={slot.version}"}}


_OWN: dict[str, Callable[[Slot], Entry]] = {
    ONCE: _once,
    TARGET: lambda slot: {},
    SOCKET: lambda slot: {"socket": {"ListenStream": f"/run/{PREFIX}web-{slot.version % 3}"}},
    TIMER: lambda slot: {"timer": {"OnCalendar": f"2099-01-01 00:00:{slot.version % 60:02}"}},
    FOREIGN: lambda slot: {},
}
_WANTED_BY = {SOCKET: "sockets.target", TIMER: "timers.target"}

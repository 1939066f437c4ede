# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small graphs of units with jobs, made from a seed; and smaller ones of the same kind, to find what matters in one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from typing import TypeVar

RELATIONS = (
    "Requires",
    "Requires",
    "Requisite",
    "BindsTo",
    "PartOf",
    "PartOf",
    "PropagatesStopTo",
    "PropagatesReloadTo",
    "PropagatesReloadTo",
    "Upholds",
    "Conflicts",
    "Wants",
    "Wants",
)
# What has this can be reloaded, be there anything of its own to reload or not.
HANDING_ON = "PropagatesReloadTo"
# Without After= what it comes to is chance, which its manual page warns of (systemd.unit(5)).
ORDERED = ("Requisite",)
# What a run does first comes first.
VERBS = ("stop", "restart", "reload", "start", "run")

_SERVICE = "[Service]\nType=exec\nExecStart=/bin/sleep infinity\nExecReload=/bin/true\n"
_ONESHOT = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecReload=/bin/true\n"
_TEXTS = {"service": _SERVICE, "oneshot": _ONESHOT, "target": "", "socket": "[Socket]\nListenStream=/run/{name}\n"}

Relation = tuple[str, str, str]
Pair = tuple[str, str]
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Case:
    """Units, their relations, which of them are brought up, and the jobs that are then carried out.

    kinds: unit to service, oneshot, target or socket, in the order in which they start where one is After= another.
    relations: (unit, directive, other). ordered: (unit, other), unit After= other. settings: (unit, line). jobs: (verb,
    unit). prefix: what stands before all names on the host, so that cases can be tried side by side.
    """

    seed: int
    kinds: dict[str, str]
    relations: tuple[Relation, ...]
    ordered: tuple[Pair, ...]
    settings: tuple[Pair, ...]
    up: tuple[str, ...]
    jobs: tuple[Pair, ...]
    prefix: str = ""

    def texts(self) -> dict[str, str]:
        """Unit files by name."""
        return {self.prefix + unit: self._text(unit, kind) for unit, kind in self.kinds.items()}

    def _text(self, unit: str, kind: str) -> str:
        lines = [line for other, line in self.settings if other == unit]
        lines += [f"{directive}={self.prefix}{other}" for one, directive, other in self.relations if one == unit]
        lines += [f"After={self.prefix}{other}" for one, other in self.ordered if one == unit]
        return "\n".join(["[Unit]", *lines, _TEXTS[kind].format(name=self.prefix + unit)])

    def smaller(self) -> list[Case]:
        """The same with one thing less, each in names of its own."""
        found = [self._without(unit) for unit in self.kinds]
        found += [replace(self, jobs=_less(self.jobs, job)) for job in self.jobs]
        found += [replace(self, relations=_less(self.relations, relation)) for relation in self.relations]
        found += [replace(self, settings=_less(self.settings, setting)) for setting in self.settings]
        found += [replace(self, ordered=_less(self.ordered, pair)) for pair in self.ordered]
        found += [replace(self, up=_less(self.up, unit)) for unit in self.up]
        return [replace(each, prefix=f"r{self.seed}x{number}-") for number, each in enumerate(found)]

    def _without(self, unit: str) -> Case:
        """A socket is nothing without its service, and goes with it."""
        gone = {unit, unit.replace(".service", ".socket")}
        return replace(
            self,
            kinds={each: kind for each, kind in self.kinds.items() if each not in gone},
            relations=tuple(each for each in self.relations if gone.isdisjoint(each)),
            ordered=tuple(each for each in self.ordered if gone.isdisjoint(each)),
            settings=tuple(each for each in self.settings if gone.isdisjoint(each)),
            up=tuple(each for each in self.up if each not in gone),
            jobs=tuple(each for each in self.jobs if gone.isdisjoint(each)),
        )

    def __str__(self) -> str:
        """A case as a person reads it, a line a unit."""
        lines = [f"seed {self.seed}"]
        for unit, kind in self.kinds.items():
            told = [f"{directive}={other}" for one, directive, other in self.relations if one == unit]
            told += [f"After={other}" for one, other in self.ordered if one == unit]
            told += [line for one, line in self.settings if one == unit]
            state = "up  " if unit in self.up else "down"
            lines.append(f"  {state} {unit}{' (oneshot)' if kind == 'oneshot' else ''} {' '.join(told)}".rstrip())
        lines.append("  jobs: " + ", ".join(f"{verb} {unit}" for verb, unit in self.jobs))
        return "\n".join(lines)


def _less(things: tuple[Thing, ...], left_out: Thing) -> tuple[Thing, ...]:
    return tuple(each for each in things if each != left_out)


def case(seed: int) -> Case:
    """The case of a seed, the same everywhere."""
    chance = random.Random(seed)
    while True:
        found = _drawn(chance, seed)
        if not _is_unforeseeable(found) and not has_ring_behind_nothing(found, found.up):
            return found


def _drawn(chance: random.Random, seed: int) -> Case:
    kinds = _kinds(chance)
    units = list(kinds)
    relations = _relations(chance, kinds)
    pairs = {(unit, other) for unit, _directive, other in relations}
    later = sorted({(max(pair, key=units.index), min(pair, key=units.index)) for pair in pairs})
    verified = {(unit, other) for unit, directive, other in relations if directive in ORDERED}
    ordered = [pair for pair in later if chance.random() < 0.7 or pair in verified]
    alone = chance.random() < 0.7
    settings = [(unit, "DefaultDependencies=no") for unit in units if alone]
    settings += [(unit, "StopWhenUnneeded=yes") for unit in units if chance.random() < 0.12]
    up = [unit for unit in units if chance.random() < 0.65]
    return Case(
        seed=seed,
        kinds=kinds,
        relations=tuple(relations),
        ordered=tuple(ordered),
        settings=tuple(settings),
        up=tuple(_peaceful(up, relations)),
        jobs=tuple(_jobs(chance, kinds, {unit for unit, directive, _other in relations if directive == HANDING_ON})),
        prefix=f"r{seed}-",
    )


def _is_unforeseeable(found: Case) -> bool:
    """Nobody can say, and nobody means, what comes of these.

    What hangs on two that conflict, or on one with which it conflicts itself: systemd refuses it wherever it comes by
    it, and starts and stops what is upheld in turn until it gives up. A socket that is upheld, which cannot start while
    its service runs: systemd tries in vain until a limit of so many starts in ten seconds refuses every start of it.
    """
    hanging = _pairs(found, "Requires", "Requisite", "BindsTo", "PartOf", "Upholds")
    held = [{unit, *_reached(unit, hanging)} for unit in found.kinds]
    upheld = {other for _unit, other in _pairs(found, "Upholds")}
    return any(found.kinds[unit] == "socket" for unit in upheld) or any(
        each.issuperset(pair) for each in held for pair in _pairs(found, "Conflicts")
    )


def has_ring_behind_nothing(found: Case, up: Iterable[str]) -> bool:
    """Jobs that hand each other on in a ring stay though what handed on the first changes nothing, and is left out.

    systemd counts who hands a job on (transaction_collect_garbage()), and two in a ring count each other. up: the units
    that are up before the jobs.
    """
    starts = _pairs(found, "Requires", "BindsTo", "Wants", "Upholds")
    stops = [(other, unit) for unit, other in _pairs(found, "Requires", "Requisite", "BindsTo", "PartOf")]
    stops += _pairs(found, "PropagatesStopTo")
    running = set(up)
    down = found.kinds.keys() - running
    return _has_ring_behind(starts, down, running) or _has_ring_behind(stops, running, down)


def _pairs(found: Case, *directives: str) -> list[Pair]:
    return [(unit, other) for unit, directive, other in found.relations if directive in directives]


def _has_ring_behind(edges: list[Pair], inside: Set[str], outside: Set[str]) -> bool:
    """Is there a ring of edges between units inside, and one outside that leads into it?"""
    entered = {to for one, to in edges if one in outside and to in inside}
    within = [(one, to) for one, to in edges if one in inside and to in inside]
    return any(unit in _reached(unit, within) for start in entered for unit in {start, *_reached(start, within)})


def _reached(unit: str, edges: list[Pair]) -> set[str]:
    found: set[str] = set()
    ahead = [unit]
    while ahead:
        more = {to for one, to in edges if one == ahead[-1]} - found
        ahead.pop()
        found |= more
        ahead += more
    return found


def _kinds(chance: random.Random) -> dict[str, str]:
    """A socket stands before its service, as systemd orders them, and targets last, after what they name."""
    kinds: dict[str, str] = {}
    letters = iter("abcdefgh")
    if chance.random() < 0.3:
        letter = next(letters)
        kinds = {f"{letter}.socket": "socket", f"{letter}.service": "service"}
    targets = chance.choice((0, 0, 1, 1, 2))
    for _count in range(chance.randint(3, 6) - targets):
        kinds[f"{next(letters)}.service"] = chance.choice(("service", "service", "oneshot"))
    kinds.update({f"{next(letters)}.target": "target" for _count in range(targets) if len(kinds) < 7})
    return kinds


def _relations(chance: random.Random, kinds: dict[str, str]) -> list[Relation]:
    units = list(kinds)
    found: dict[Relation, None] = {}
    for _count in range(chance.randint(len(units) - 1, 2 * len(units))):
        unit, other = chance.sample(units, 2)
        directive = chance.choice(RELATIONS)
        # More often from what starts later to what starts earlier, as people write them.
        if directive in ORDERED or chance.random() < 0.6:
            other, unit = sorted((unit, other), key=units.index)
        found[(unit, directive, other)] = None
    return list(found)


def _peaceful(up: list[str], relations: list[Relation]) -> list[str]:
    """Of two that conflict one is up: systemd lets no job bring up both."""
    found: list[str] = []
    for unit in up:
        if not any(
            (one, "Conflicts", other) in relations for here in found for one, other in ((unit, here), (here, unit))
        ):
            found.append(unit)
    return found


def _jobs(chance: random.Random, kinds: dict[str, str], handing_on: set[str]) -> list[tuple[str, str]]:
    """One verb a unit, or a stop and a start, which is what a plan has."""
    found = []
    for unit in chance.sample(list(kinds), min(len(kinds), chance.choice((1, 1, 1, 2, 2, 3)))):
        verb = chance.choice(("stop", "restart", "start", "cycle", "stop", "restart", "start", "reload", "reload"))
        takes_none = kinds[unit] in ("target", "socket") and unit not in handing_on
        verb = "restart" if verb == "reload" and takes_none else verb
        found += [("stop", unit), ("start", unit)] if verb == "cycle" else [(verb, unit)]
    return found

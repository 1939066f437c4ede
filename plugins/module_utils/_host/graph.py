# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How units are related, as the manager has them in memory: asked once, for all that a set of jobs can reach.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import (
    AbstractSet,
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Sequence,
    Set,
    Tuple,
)

from .._syntax.kinds import kind_of
from .._syntax.relations import NEEDS, RELATIONS, USES, Does, reached
from .manager import Manager, Properties, States, all_names, names

# Settings that decide whether systemd takes a job, or makes one of its own.
SETTINGS = ("StopWhenUnneeded", "RefuseManualStart", "RefuseManualStop")
_STATE = ("LoadState", "Type", "RemainAfterExit", "CanReload")
# Chains of dependencies are short; where one is longer, all units in memory are asked at once.
_MOST_ROUNDS = 6
# By what a unit is kept waiting: what it is ordered after, and what it cannot be up without.
AFTER = "After"
WAITS_FOR = (AFTER, *NEEDS)

_Relations = Mapping[str, Tuple[str, ...]]


class NotLookedAtError(Exception):
    """A unit's relations are needed and were not asked for: a fault of ours, never "it has none"."""


class Node(NamedTuple):
    """What one unit is related to.

    relations: units by systemd's property name. settings: the booleans among SETTINGS that are yes. loads: has it a
    text, so that it can be started? once: does it end by itself when it has run? reloads: has it a reload of its own?
    """

    relations: _Relations
    settings: FrozenSet[str]
    loads: bool = True
    once: bool = False
    reloads: bool = False

    def related(self, *properties: str) -> Tuple[str, ...]:
        return tuple(other for name in properties for other in self.relations.get(name, ()))


@dataclass(frozen=True)
class Graph:
    """The relations of units, complete for those that were asked for and all that a job of one can reach.

    version: systemd's, as what it makes of a relation depends on that.
    """

    nodes: Dict[str, Node]
    states: States
    version: int

    def node(self, unit: str) -> Node:
        """The relations of one unit. Raises NotLookedAtError for one that was not asked for."""
        if unit not in self.nodes:
            raise NotLookedAtError(f"the relations of {unit} were not asked for")
        return self.nodes[unit]

    def among(self, unit: str) -> Node:
        """The relations of any unit, asked for or not, to those that were."""
        if unit not in self.nodes:
            return Node(self._told_by_others.get(unit, {}), frozenset())
        node = self.nodes[unit]
        known = {name: tuple(filter(self.nodes.__contains__, others)) for name, others in node.relations.items()}
        return node._replace(relations=known)

    @cached_property
    def _told_by_others(self) -> Mapping[str, _Relations]:
        return _told_by_others(self.nodes)


def _told_by_others(nodes: Mapping[str, Node]) -> Dict[str, Dict[str, Tuple[str, ...]]]:
    """What units say of others, asked for or not, as relations of those."""
    found: Dict[str, Dict[str, Tuple[str, ...]]] = {}
    for unit, node in nodes.items():
        for name, others in node.relations.items():
            inverse = RELATIONS[name].inverse
            for other in others if inverse in RELATIONS else ():
                relations = found.setdefault(other, {})
                relations[inverse] = (*relations.get(inverse, ()), unit)
    return found


def _from_both_sides(nodes: Mapping[str, Node]) -> Dict[str, Node]:
    """Add what others say of each unit: systemd forgets units that are down, and then names them on one side only."""
    told = _told_by_others(nodes)
    found: Dict[str, Node] = {}
    for unit, node in nodes.items():
        more = told.get(unit, {})
        relations = {
            name: tuple(dict.fromkeys((*node.related(name), *more.get(name, ()))))
            for name in RELATIONS
            if name in node.relations or name in more
        }
        found[unit] = node._replace(relations=relations)
    return found


def look(manager: Manager, units: Iterable[str], states: States) -> Graph:
    """Ask for these units and for what a job of one of them may stop, restart, start or reload, to the end."""
    nodes: Dict[str, Node] = {}
    ahead: Set[str] = set(units)
    beside: Set[str] = set()
    followed: Set[str] = set()
    for _round in range(_MOST_ROUNDS):
        nodes.update(_ask(manager, (ahead | beside) - set(nodes)))
        # What may become unneeded matters only if it stops then (StopWhenUnneeded=).
        ahead |= {unit for unit in beside if "StopWhenUnneeded" in nodes[unit].settings}
        followed |= ahead
        beside = {other for unit in ahead for other in _needed(nodes[unit], states)} - set(nodes)
        ahead = {other for unit in ahead for other in _reached(nodes[unit], states)} - followed
        if not ahead | beside:
            return Graph(_from_both_sides(nodes), states, manager.version)
    nodes.update(_ask(manager, (ahead | beside).union(states) - set(nodes)))
    return Graph(_from_both_sides(nodes), states, manager.version)


def _ask(manager: Manager, units: Iterable[str]) -> Dict[str, Node]:
    shown = manager.show(sorted(units), (*RELATIONS, *SETTINGS, *_STATE))
    return {unit: _node(unit, each) for unit, each in shown.items()}


def _node(unit: str, shown: Mapping[str, str]) -> Node:
    relations = {name: tuple(names(shown, name)) for name in RELATIONS if shown.get(name)}
    settings = frozenset(name for name in SETTINGS if shown.get(name) == "yes")
    once = shown.get("Type") == "oneshot" and shown.get("RemainAfterExit") != "yes"
    # What has no reload itself can hand one on, and then CanReload= is yes, too (unit_can_reload()).
    reloads = kind_of(unit).reloadable and shown.get("CanReload") == "yes"
    return Node(relations, settings, shown.get("LoadState", "loaded") == "loaded", once, reloads)


def _reached(node: Node, states: States) -> Iterator[str]:
    """What is down and is started or looked at with a unit, and what is up and may go down, or be reloaded, with it."""
    for name, relation in RELATIONS.items():
        starts = relation.start in (Does.START, Does.VERIFY) or relation.follows
        ends = Does.STOP in (relation.stop, relation.start) or relation.triggers
        for other in node.related(name):
            reloads = relation.reload is Does.RELOAD and states[other].is_active
            if (ends and states[other].can_stop) or (starts and not states[other].is_up) or reloads:
                yield other


def _needed(node: Node, states: States) -> Iterator[str]:
    """What is up and may no longer be needed once the unit is down (systemd.unit(5), StopWhenUnneeded=)."""
    return (other for other in node.related(*USES) if states[other].is_up)


def onward(
    manager: Manager,
    units: Iterable[str],
    properties: Sequence[str],
    following: Callable[[Mapping[str, Properties]], Iterable[str]],
) -> Dict[str, Properties]:
    """These properties of units and of what they lead to, to the end, by a call for all that are as far away.

    following: what the units of one call lead to.
    """
    known: Dict[str, Properties] = {}
    ahead = set(units)
    while ahead:
        shown = manager.show(sorted(ahead), properties)
        known.update(shown)
        ahead = set(following(shown)) - set(known)
    return known


def comes_after(shown: Properties) -> Set[str]:
    """What a unit is ordered after, by its properties."""
    return {*names(shown, AFTER)}


def needs_first(shown: Properties) -> Set[str]:
    """What has to be up before a unit can come up."""
    return all_names(shown, NEEDS) & comes_after(shown)


def only_checked(shown: Properties) -> Set[str]:
    """What a unit needs, and its start does not bring up."""
    return {*names(shown, "Requisite")}


def started_by(manager: Manager, unit: str) -> Tuple[str, ...]:
    """What a unit starts at a time of its own, such as the service of a socket."""
    return tuple(names(manager.show([unit], ("Triggers",))[unit], "Triggers"))


def kept_waiting(manager: Manager, units: Iterable[str], others: AbstractSet[str]) -> Set[str]:
    """Those of these units that come after one of the others, or need it, straight or by way of each other."""
    units = sorted(units)
    waiting: Dict[str, List[str]] = {}
    for unit, shown in manager.show(units, WAITS_FOR).items():
        for other in all_names(shown, WAITS_FOR):
            waiting.setdefault(other, []).append(unit)
    return set(reached(others, lambda unit: waiting.get(unit, ()))).difference(others)

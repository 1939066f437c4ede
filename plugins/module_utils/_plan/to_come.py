# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How units will be related once the manager has read the new files: its memory, with what their text changes. Pure.

Private to the collection.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Dict, Iterator, List, Set, Tuple

from .._host.graph import SETTINGS, Graph, Node
from .._host.observed import Observed
from .._syntax.activation import starts
from .._syntax.dependencies import implied, named
from .._syntax.install import INSTALLS, enabled_as
from .._syntax.kinds import File
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import is_run_once
from .._syntax.names import is_template, misnamed, parse_name
from .._syntax.relations import NEEDS, NEW, NEW_SINCE, RELATED, RELATIONS
from .case import Case
from .differences import Differences

# Unit, property, other unit.
Edge = Tuple[str, str, str]


def named_anew(differences: Differences, observed: Observed) -> Set[str]:
    """Units whose text or links change, and those that these will name: jobs may reach them only then."""
    linked = {*differences.links.enable, *differences.links.reenable}
    found = {*linked, *(edge[0] for unit in linked for edge in _installed(unit, differences))}
    found.update(case.unit for case in _changed(differences))
    for case in _changed(differences):
        more = _written(case.unit, differences.named) - _written(case.unit, observed.loadpath)
        found.update(other for _unit, name, other in more if name != "After")
    return {unit for unit in found if not misnamed(unit) and not parse_name(unit).is_template}


def to_come(graph: Graph, differences: Differences, observed: Observed) -> Graph:
    """The relations of the units of a graph as the new text gives them."""
    gone: Set[Edge] = set()
    new: Set[Edge] = set()
    for case in _changed(differences):
        will = _written(case.unit, differences.named)
        gone |= _written(case.unit, observed.loadpath) - will
        new |= will
    for unit in (*differences.links.enable, *differences.links.reenable):
        new.update(_installed(unit, differences))
    if graph.version < NEW_SINCE:
        new = {edge for edge in new if edge[1] not in NEW}
    nodes = copy.copy(graph.nodes)
    for unit, name, other in sorted(_both_sides(gone) - _both_sides(new)):
        _set(nodes, unit, name, [each for each in _others(nodes, unit, name) if each != other])
    for unit, name, other in sorted(_both_sides(new)):
        _set(nodes, unit, name, [*_others(nodes, unit, name), other])
    for case in _changed(differences):
        if case.unit in nodes:
            loads = case.kind.file is File.OPTIONAL or differences.after.defines(case.unit)
            settings = frozenset(name for name in SETTINGS if case.is_set(name))
            once = is_run_once(case.after)
            node = nodes[case.unit]._replace(loads=loads, settings=settings, once=once, reloads=case.can_reload)
            nodes[case.unit] = node
    for unit in {unit for unit, name, _other in new if name in INSTALLS and unit in nodes}:
        nodes[unit] = nodes[unit]._replace(loads=nodes[unit].loads or differences.after.defines(unit))
    for _unit, name, other in new:
        if name in NEEDS and other in nodes:  # what is not there yet something else will bring, or all is refused
            nodes[other] = nodes[other]._replace(loads=True)
    return replace(graph, nodes=nodes)


def _installed(unit: str, differences: Differences) -> Iterator[Edge]:
    """The relations that the links of a unit will stand for.

    A template is linked as its default instance. If it is linked to another template, each instance of that wants the
    instance of the same name.
    """
    unit = enabled_as(unit, differences.after) or unit
    own = parse_name(unit)
    for name in INSTALLS:
        for other in named(unit, name, differences.named, "Install"):
            if not (own.is_template and is_template(other)):
                yield unit, name, other
                continue
            theirs = [parse_name(case.unit) for case in differences.cases]
            for each in theirs:
                if each.template == other:
                    yield f"{own.prefix}@{each.instance}.{own.kind}", name, each.text


def _changed(differences: Differences) -> List[Case]:
    changes = ((case, case.change) for case in differences.cases)
    return [case for case, change in changes if change.new or change.gone or change.directives]


def _written(unit: str, loadpath: LoadPath) -> Set[Edge]:
    """The relations that the text of a unit states. What names no unit is left out, as systemd resolves or drops it."""
    found = {(unit, name, other) for name in (*RELATED, "After") for other in named(unit, name, loadpath)}
    found |= {(other, "After", unit) for other in named(unit, "Before", loadpath)}
    found |= {(unit, name, other) for pulls, other in implied(unit, loadpath) for name in (pulls, "After")}
    started = starts(unit, loadpath) if loadpath.effective(unit) else ""
    if started:  # each comes before what it starts
        found |= {(unit, "Triggers", started), (started, "After", unit)}
    return {edge for edge in found if not (misnamed(edge[0]) or misnamed(edge[2]))}


def _both_sides(edges: Set[Edge]) -> Set[Edge]:
    return edges | {(other, RELATIONS[name].inverse, unit) for unit, name, other in edges}


def _others(nodes: Dict[str, Node], unit: str, name: str) -> Tuple[str, ...]:
    return nodes[unit].related(name) if unit in nodes else ()


def _set(nodes: Dict[str, Node], unit: str, name: str, others: List[str]) -> None:
    if unit in nodes and name in RELATIONS:
        relations = {**nodes[unit].relations, name: tuple(dict.fromkeys(others))}
        nodes[unit] = nodes[unit]._replace(relations=relations)

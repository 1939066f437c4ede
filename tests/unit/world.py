# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host as data: what a declaration looks like once it is in force, and what another one would make of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.unitwright.systemd.plugins.module_utils._desired.defaults import filled_in
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.render import HostFacts
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired, build
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen
from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import Graph, Node
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import ManagerSeen, Observed, Unread
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import places
from ansible_collections.unitwright.systemd.plugins.module_utils._host.traces import Invocation
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences, making, plan
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.stale import Accepted
from ansible_collections.unitwright.systemd.plugins.module_utils._run.work import Work
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.directives import parse_dump
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.meaning import is_set
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.unitfile import Effective

SYSTEM = places("system", "", {})
VENDOR = "/usr/lib/systemd/system"
RUNNING = UnitState("loaded", "active", "running")
_DATA = Path(__file__).parent / "data"

Entry = dict[str, Any]


def facts(
    version: int = 252,
    digests: Mapping[str, str | None] | None = None,
    changed_at: Mapping[str, float] | None = None,
) -> HostFacts:
    dump = (_DATA / f"items-{version}.txt").read_text(encoding="utf-8")
    return HostFacts(SYSTEM, parse_dump(dump, version), b"key", digests or {}, changed_at or {})


def declare(*units: Entry, version: int = 252, **stack: Any) -> Desired:
    return build({"name": "test", "units": list(units), **stack}, facts(version))


def in_force(
    desired: Desired | None,
    states: Mapping[str, UnitState] | None = None,
    version: int = 252,
    vendor: Mapping[str, str] | None = None,
) -> Observed:
    """A host where a declaration has been applied: its files, its links, and its processes with their stamps."""
    wanted = desired.files if desired else {}
    files = {path: Seen(0o100000 | each.mode, 0, 0, 0.0, each.content) for path, each in wanted.items()}
    ours = [path for path in files if path.startswith(SYSTEM.units)]
    names: dict[str, set[str]] = {SYSTEM.units: set(), VENDOR: set(vendor or {})}
    dropins: dict[str, set[str]] = {}
    for path in ours:
        folder, _slash, name = path.rpartition("/")
        (names if folder == SYSTEM.units else dropins).setdefault(folder, set()).add(name)
    contents = {path: files[path].content or b"" for path in ours}
    contents.update({f"{VENDOR}/{name}": text.encode() for name, text in (vendor or {}).items()})
    loadpath = LoadPath(
        (SYSTEM.units, VENDOR),
        {folder: frozenset(entries) for folder, entries in names.items()},
        {folder: frozenset(entries) for folder, entries in dropins.items()},
        contents,
        made=SYSTEM.made(version),
    )
    up = [unit for unit, state in (states or {}).items() if state.active == "active"]
    links: dict[str, str] = {}
    for unit in filled_in(desired, loadpath).units if desired else ():
        for member in unit.members if unit.enabled else ():
            text = contents.get(unit.path or "", b"").decode()
            made = [f"{target}.wants/{member}" for target in re.findall(r"^WantedBy=(.*)$", text, re.M)]
            made += re.findall(r"^Alias=(.*)$", text, re.M)
            links.update({f"{SYSTEM.units}/{each}": f"{SYSTEM.units}/{member}" for each in made})
    return Observed(
        places=SYSTEM,
        manager=ManagerSeen(version, live=True, boot="boot"),
        looked_at=0.0,
        files=files,
        foreign={},
        links=links,
        loadpath=loadpath,
        unread=Unread(),
        states=States(states or {}),
        invocations={unit: Invocation("1", 0.0, _stamped(unit, contents)) for unit in up},
    )


Relations = Mapping[str, Mapping[str, tuple[str, ...]]]


def related(observed: Observed, relations: Relations | None = None) -> Graph:
    """The units of a host, with the relations of some of them by systemd's property names."""
    units = {*observed.states, *observed.loadpath.names[SYSTEM.units], *(relations or {})}
    nodes = {
        unit: Node((relations or {}).get(unit, {}), _settings(observed.loadpath.effective(unit)))
        for unit in units
        if "@." not in unit and "." in unit
    }
    return Graph(_Known(nodes), observed.states, observed.manager.version)


class _Known(dict[str, Node]):
    """A unit of which a test says nothing is related to nothing."""

    def __missing__(self, unit: str) -> Node:
        return Node({}, frozenset())

    def __contains__(self, unit: object) -> bool:
        return True


def _settings(text: Effective) -> frozenset[str]:
    """As systemd tells of a unit that it has in memory."""
    names = ("RefuseManualStart", "RefuseManualStop")
    return frozenset(name for name in names if is_set(text, "Unit", name))


def carried(observed: Observed, unit: str) -> Observed:
    """A host that the run reaches by this unit."""
    return replace(observed, manager=observed.manager._replace(carriers=frozenset({unit})))


def stamp(desired: Desired, unit: str = "a.service") -> str:
    """The one stamp that a process of this unit would carry."""
    (found,) = _stamped(unit, in_force(desired).loadpath.contents)
    return found.partition("=")[2]


def recorded(*earlier: Desired) -> dict[str, Mapping[str, str]]:
    """What earlier runs have noted of their stamps."""
    return {stamp: made_of.parts() for each in earlier for stamp, made_of in each.made_of.items()}


def work(
    desired: Desired,
    observed: Observed,
    relations: Relations | None = None,
    earlier: Sequence[Desired] = (),
    accepted: Mapping[str, Accepted] | None = None,
) -> Work:
    """earlier: declarations of which it is noted what their stamps stand for."""
    noted = functools.partial(recorded, *earlier)
    found = differences.compare(desired, observed, accepted or {}, recorded=noted)
    graph = related(observed, relations)
    return Work(
        found.desired, observed, found, graph, making.make(found, plan.wishes(found, observed), graph, observed)
    )


def planned(
    desired: Desired,
    observed: Observed,
    relations: Relations | None = None,
    earlier: Sequence[Desired] = (),
    accepted: Mapping[str, Accepted] | None = None,
) -> plan.Plan:
    return work(desired, observed, relations, earlier, accepted).plan


def jobs(made: plan.Plan) -> list[tuple[str, str]]:
    """(verb, unit) of every job of a plan, in the order in which they are done."""
    verbs = ("stop", "reset-failed", "reload", "restart", "start", "run", "touch-slice")
    return [(verb, unit) for verb in verbs for unit in made.jobs[verb]]


def with_stamps(observed: Observed, stamps: Mapping[str, Sequence[str]]) -> Observed:
    runs = {unit: Invocation("1", 0.0, _log_fields(each)) for unit, each in stamps.items()}
    return replace(observed, invocations={**observed.invocations, **runs})


def _stamped(unit: str, contents: Mapping[str, bytes]) -> frozenset[str]:
    """The journal fields that a process of this unit is started with by its own file or its template's."""
    template = re.sub("@[^.]+", "@", unit)
    folder = f"{SYSTEM.units}/"
    texts = [text.decode() for path, text in contents.items() if path.startswith((folder + unit, folder + template))]
    return frozenset(each for text in texts for each in re.findall(r"^LogExtraFields=(.*)$", text, re.M))


def _log_fields(stamps: Iterable[str]) -> frozenset[str]:
    return frozenset(f"UNITWRIGHT_STAMP={each}" for each in stamps)

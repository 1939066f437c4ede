# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Facts of units: which ones are meant, and a fixed number of questions, however many those are.

systemctl is run for the version and for what is in memory; all else are files, and the manager's own socket.
Private to the collection.
"""

from __future__ import annotations

import fnmatch
import functools
import os
from contextlib import ExitStack
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .._apply import accepted
from .._desired.render import Params
from .._host.bus import Answer, Bus, BusError
from .._host.manager import Manager, ManagerError, States
from .._host.observed import survey
from .._host.places import environ, places
from .._host.reading import Noting
from .._syntax.kinds import KINDS, kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.names import UNIT_NAME, full_name, misnamed, parse_name
from .._syntax.properties import HIDDEN, WANTED, key_of
from .._syntax.rule import Problems, Refused
from .pipeline import HOST, refuse_place
from .unit_facts import UnitFacts, UnreadFact

# What makes a pattern of a name, as for systemctl.
_GLOB = frozenset("*?[")
_ALL = "*"


class Wish(NamedTuple):
    """Which units are asked for. exact: names, each by what was given for it."""

    exact: Mapping[str, str]
    patterns: Tuple[str, ...]
    types: FrozenSet[str]

    def matching(self, names: Iterable[str]) -> List[str]:
        """Those of some names that are meant."""
        found = (name for name in names if any(fnmatch.fnmatchcase(name, each) for each in self.patterns))
        return sorted({each for each in (*found, *self.exact) if kind_of(each).name in self.types})

    def unmatched(self, names: Sequence[str]) -> Iterator[str]:
        """What was given and stands for none of these."""
        yield from (given for name, given in self.exact.items() if name not in names)
        yield from (each for each in self.patterns if each != _ALL and not fnmatch.filter(names, each))


def wish(params: Params) -> Wish:
    """No list of names means all units, an empty one none. Raises Problems for names that no unit can have."""
    exact: Dict[str, str] = {}
    patterns, problems = [], []
    names, types = params.get("names"), params.get("types")
    for given in [_ALL] if names is None else names:
        if _GLOB & set(given):
            patterns.append(given)
            continue
        try:
            exact[full_name(given)] = given
        except Refused as refused:
            problems.append(UNIT_NAME.said(str(refused)))
    if problems:
        raise Problems(problems)
    return Wish(exact, tuple(dict.fromkeys(patterns)), frozenset(KINDS if types is None else types))


def gather(params: Params) -> Dict[str, Any]:
    """The result of unit_info. Raises Problems where systemd cannot be asked at all."""
    refuse_place(params, only_asks=True)
    wished = wish(params)
    try:
        where = places(params.get("scope"), params.get("root") or "", environ())
        manager = Manager(where)
        with ExitStack() as stack:
            bus = stack.enter_context(Bus(where.manager, where.scope.of_session)) if manager.live else None
            return _Run(params, wished, manager, bus).result()
    except (ManagerError, BusError, OSError) as error:
        raise Problems([HOST.said(str(error))]) from error


class _Run:
    """One call of the module."""

    def __init__(self, params: Params, wished: Wish, manager: Manager, bus: Optional[Bus]) -> None:
        self.params = params
        self.wished = wished
        self.manager = manager
        self.bus = bus
        self.reader = Noting()
        folders = bus.unit_path() if bus else manager.places.lookup
        self.observed = survey(manager, folders, self._chosen, self.reader)
        self.unread: List[UnreadFact] = []
        known, unknown = self._accepted()
        self.unit_facts = UnitFacts(
            observed=self.observed,
            reader=self.reader,
            accepted=known,
            no_accepted=unknown,
            recorded=functools.lru_cache(maxsize=None)(functools.partial(accepted.recorded, manager.places)),
            with_settings=bool(params.get("settings", True)),
        )

    def _chosen(self, states: States, loadpath: LoadPath) -> Set[str]:
        """The names that are meant, and those that they are aliases of."""
        chosen = set(self.wished.matching(_names(states, loadpath)))
        paths = (loadpath.fragment(name) for name in chosen)
        targets = {os.path.basename(os.readlink(path)) for path in paths if path and os.path.islink(path)}
        return chosen | {name for name in targets if not misnamed(name)}

    def _accepted(self) -> Tuple[Mapping[str, Any], str]:
        try:
            return accepted.accepted(self.manager.places), ""
        except OSError as error:
            return {}, f"{error.filename} cannot be read: {error.strerror}"

    def result(self) -> Dict[str, Any]:
        loadpath = self.observed.loadpath
        names = self.wished.matching(_names(self.observed.states, loadpath))
        by_name = {name: loadpath.primary(name) for name in names}
        found = self._facts(sorted(set(by_name.values())), loadpath)
        ids = {unit: str(facts["id"]) for unit, facts in found.items()}
        units = {ids[unit]: facts for unit, facts in found.items()}
        for name in self.wished.exact:
            if by_name.get(name) in ids:
                units[name] = found[by_name[name]]
        self._explain(found)
        present = [name for name, unit in by_name.items() if unit in ids]
        folders = {path: why for path, why in self.reader.unread.items() if os.path.isdir(path)}
        unread = [*self.unread, *self.unit_facts.unread, *(UnreadFact("", path, why) for path, why in folders.items())]
        return {
            "changed": False,
            "systemd": self.manager.version,
            "units": {name: units[name] for name in sorted(units)},
            "not_found": list(self.wished.unmatched(present)),
            "unread": [each.as_dict() for each in unread],
        }

    def _explain(self, found: Mapping[str, Dict[str, Any]]) -> None:
        """Say of those that have failed why."""
        failed = {str(facts["id"]): facts for facts in found.values() if _has_failed(facts)}
        if failed and self.bus is not None:
            from .explained import of_units  # noqa: PLC0415 (only where one has failed)

            for unit, told in of_units(self.manager, failed).items():
                failed[unit]["cause"] = told

    def _facts(self, units: Sequence[str], loadpath: LoadPath) -> Dict[str, Dict[str, Any]]:
        """Facts by the name that was asked for; none of what is nowhere."""
        told: Dict[str, Dict[str, Any]] = {}
        by_file = [unit for unit in units if self.bus is None or parse_name(unit).is_template]
        enablement = self._enablement([unit for unit in by_file if loadpath.fragment(unit)])
        for unit in by_file:
            if loadpath.files(unit):
                told[unit] = self.unit_facts.of_files(unit, enablement.get(unit))
        for answer in self._answers([unit for unit in units if unit not in by_file]):
            if answer.refused:
                self.unread.append(UnreadFact(answer.unit, "properties", answer.refused))
                told[answer.unit] = self.unit_facts.of_files(answer.unit, None)
            elif loadpath.fragment(answer.unit) or not _is_nowhere(answer.properties):
                told[answer.unit] = self.unit_facts.of_manager(answer.unit, answer.properties)
        return told

    def _answers(self, units: Sequence[str]) -> Iterator[Answer]:
        wanted = frozenset(self.params.get("properties") or ())
        for name in sorted(wanted & HIDDEN):
            self.unread.append(UnreadFact("", key_of(name), "it holds what is for the service alone"))
        asked = wanted - HIDDEN
        seen: Set[str] = set()
        for answer in self.bus.properties(units, WANTED | asked) if self.bus else ():
            seen |= answer.properties.keys() & asked
            yield answer
        for name in sorted(asked - seen):
            why = f"no unit of these has such a property in systemd {self.manager.version}"
            self.unread.append(UnreadFact("", key_of(name), why))

    def _enablement(self, units: Sequence[str]) -> Mapping[str, str]:
        """Of what is not in memory, all in one call. Names are patterns there."""
        patterns = [unit.replace("\\", "\\\\") for unit in units]
        if not patterns:
            return {}
        if self.bus is None:
            return self.manager.list_unit_files(patterns)
        return {os.path.basename(path): state for path, state in self.bus.unit_files(patterns).items()}


def _names(states: States, loadpath: LoadPath) -> Set[str]:
    """Of all that there is, in memory or as a file."""
    return {name for names in loadpath.names.values() for name in names if not misnamed(name)}.union(states)


def _has_failed(facts: Mapping[str, Any]) -> bool:
    """Is it down by a failure, or between two attempts?"""
    return facts.get("active_state") == "failed" or str(facts.get("sub_state")).startswith("auto-restart")


def _is_nowhere(properties: Mapping[str, Any]) -> bool:
    """Is it but a name that something mentions? A unit whose file went while it ran is not."""
    return properties.get("LoadState") == "not-found" and properties.get("ActiveState") == "inactive"

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is told of one unit: by its properties, by its files, and by both together. Private to the collection."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._desired.render import owner_of
from .._desired.stack import Desired
from .._desired.stamp import Parts, of_process, stamps, values_without_stamp
from .._host.files import resolve
from .._host.health import Health
from .._host.observed import Observed
from .._host.reading import Noting
from .._plan.stale import Accepted, Evidence, by_its_files
from .._syntax import unitfile
from .._syntax.kinds import Cgroup, Processes, kind_of
from .._syntax.loadpath import MASK
from .._syntax.meaning import last
from .._syntax.names import misnamed, parse_name
from .._syntax.properties import NO_NUMBER, moment, told
from .._syntax.rule import Refused

_NOBODY = Desired(("",), {}, (), (), (), Health())
_GROUPS = "/sys/fs/cgroup"
# Facts of a running process that systemd knows only while the kernel counts, and what makes it count.
_COUNTED = {
    "memory_current": "MemoryAccounting=",
    "tasks_current": "TasksAccounting=",
    "cpu_usage_sec": "CPUAccounting=",
}
# A limit of so many times of what was measured leaves room for what was not.
_ROOM = 2
_SUGGESTED = {"memory_max": ("memory_peak", "memory_current"), "tasks_max": ("tasks_current",)}
# Their data is for the service alone (systemd.exec(5)).
_HIDDEN_DATA = ("SetCredential", "SetCredentialEncrypted")
_NOT_SHOWN = "(not shown)"
_CLOCKS = ("next_elapse_realtime", "next_elapse_monotonic")

Facts = Dict[str, Any]


class UnreadFact(NamedTuple):
    """What could not be read: the unit, "" for none alone; a key of its facts or a path; and why."""

    unit: str
    what: str
    reason: str

    def as_dict(self) -> Dict[str, str]:
        return self._asdict()


@dataclass
class UnitFacts:
    """Tells of one unit after the other.

    observed: the look at the host. reader: notes what cannot be read. accepted, recorded: what earlier runs have kept
    for stamps. no_accepted: why the former is not known. with_settings: are the unit's own directives told too? unread:
    what it came upon that could not be read.
    """

    observed: Observed
    reader: Noting
    accepted: Mapping[str, Accepted]
    no_accepted: str
    recorded: Callable[[], Mapping[str, Parts]]
    with_settings: bool
    unread: List[UnreadFact] = field(default_factory=list)

    def of_manager(self, asked: str, properties: Mapping[str, Any]) -> Facts:
        """Of a unit that the manager has loaded, be it for this question alone."""
        unit = str(properties.get("Id") or asked)
        given = [
            told(name, raw) for name, raw in sorted(properties.items(), key=lambda item: not item[0].endswith("Ex"))
        ]
        facts: Facts = {}
        for each in given:
            facts.setdefault(each.key, each.value)
        facts["names"] = sorted({*facts.get("names", ()), *self.observed.loadpath.aliases(unit)})
        facts["unlimited"] = sorted(each.key for each in given if each.unlimited and each.key not in _CLOCKS)
        if facts.get("exec_main_code", "") is None:  # then the status is of no process
            facts["exec_main_status"] = None
        facts["in_memory"] = unit in self.observed.states
        facts["masked"] = facts.get("load_state") == "masked"
        unloaded = self._not_loaded(unit, properties)
        facts["need_daemon_reload"] = bool(unloaded) or bool(facts.get("need_daemon_reload"))
        facts["not_loaded"] = unloaded
        if _CLOCKS[0] in facts:
            facts["next_elapse"] = _next_elapse(properties)
        for clock in _CLOCKS:
            facts.pop(clock, None)
        self._count(unit, properties, facts)
        return {**facts, **self._texts(unit), **self._staleness(unit, facts)}

    def of_files(self, unit: str, enablement: Optional[str]) -> Facts:
        """Of a template, which is never loaded, or of any unit where no manager answers for it."""
        loadpath = self.observed.loadpath
        name = parse_name(unit)
        facts: Facts = {
            "id": unit,
            "names": [unit, *loadpath.aliases(unit)],
            "description": last(loadpath.effective(unit), "Unit", "Description") or None,
            "load_state": None,
            "active_state": None,
            "sub_state": None,
            "unit_file_state": enablement,
            "fragment_path": loadpath.fragment(unit),
            "drop_in_paths": list(loadpath.dropin_files(unit)),
            "in_memory": False,
            "masked": loadpath.masked(unit),
            "need_daemon_reload": False,
            "not_loaded": [],
            "unlimited": [],
        }
        if name.is_template:
            facts["instances"] = self._instances(unit)
        return {**facts, **self._texts(unit)}

    def _instances(self, template: str) -> List[str]:
        """Those in memory, and those that a link of ours enables."""
        linked = (os.path.basename(path) for path in self.observed.links_under(template))
        there = {*self.observed.states, *linked}
        return sorted(each for each in there if not misnamed(each) and parse_name(each).template == template)

    # By its files.

    def _texts(self, unit: str) -> Facts:
        """Whose files they are, and what they say where. None is told of what cannot be read."""
        contents = self._contents(unit)
        owners = {path: owner_of(content) for path, content in contents.items() if content is not None}
        fragment = self.observed.loadpath.fragment(unit)
        facts: Facts = {
            "owner": owners.get(fragment) if fragment else None,
            "owners": {path: owner for path, owner in owners.items() if owner},
        }
        if self.with_settings:
            facts["settings"] = self._settings(unit, contents)
        return facts

    def _contents(self, unit: str) -> Dict[str, Optional[bytes]]:
        """What is in its files by path, None for what cannot be read."""
        loadpath, unread = self.observed.loadpath, self.reader.unread
        if loadpath.masked(unit):
            return {}
        found: Dict[str, Optional[bytes]] = {}
        for path in loadpath.files(unit):
            if loadpath.links.get(path) == MASK:
                continue
            found[path] = loadpath.contents.get(path)
            if found[path] is None:
                behind = resolve(path, self.observed.places.root)
                reason = unread.get(path) or unread.get(behind) or f"it leads to {behind}, where there is no file"
                self.unread.append(UnreadFact(unit, path, reason))
        return found

    def _settings(self, unit: str, contents: Mapping[str, Optional[bytes]]) -> Optional[Facts]:
        files: Dict[str, Sequence[unitfile.Entry]] = {}
        for path, content in contents.items():
            if content is None:
                continue
            try:
                files[path] = unitfile.parse(content.decode("utf-8", "replace"))
            except Refused as refused:
                self.unread.append(UnreadFact(unit, path, str(refused)))
        if contents and not files:
            return None
        return {
            section: {directive: list(_rows(directive, placed)) for directive, placed in directives.items()}
            for section, directives in unitfile.origins(files).items()
        }

    # By both.

    def _not_loaded(self, unit: str, properties: Mapping[str, Any]) -> List[str]:
        """Files that the manager has loaded otherwise than they are: changed, come, or gone."""
        observed, loadpath = self.observed, self.observed.loadpath
        fragment = loadpath.fragment(unit)
        if unit not in observed.states and not (fragment and properties.get("LoadState") == "not-found"):
            return []  # it was loaded for this question
        alone = loadpath.masked(unit) or properties.get("LoadState") != "loaded"
        there = [fragment] if alone and fragment else [] if alone else list(loadpath.files(unit))
        loaded = [each for each in (properties.get("FragmentPath"), *properties.get("DropInPaths", ())) if each]
        by_place = {_place(path): path for path in (*there, *loaded)}
        other = {_place(path) for path in there} ^ {_place(path) for path in loaded}
        return sorted({*(by_place[place] for place in other), *observed.unread.files.intersection(there)})

    def _staleness(self, unit: str, facts: Facts) -> Facts:
        """Has its process what its files say? Null where none runs, or where that cannot be told."""
        if kind_of(unit).processes is not Processes.MAIN:
            return {}
        nothing: Facts = {"stale": None, "stale_for": []}
        if not self.observed.states[unit].runs or unit not in self.observed.invocations:
            return nothing
        note = f"{self.observed.places.manager}/units/log-extra-fields:{unit}"
        ours = stamps(unit, self.observed.loadpath) or of_process(self.observed.log_fields(unit))
        why = self.reader.unread.get(note, "") or (self.no_accepted if ours else "")
        if not why:
            evidence = Evidence(_NOBODY, self.observed, self.observed.loadpath, self.accepted, self.recorded)
            try:
                found = by_its_files(unit, evidence)
                return {"stale": found.stale, "stale_for": list(found.news)}
            except OSError as error:
                why = f"{error.filename} cannot be read: {error.strerror}"
        self.unread.append(UnreadFact(unit, "stale", why))
        return nothing

    def _count(self, unit: str, properties: Mapping[str, Any], facts: Facts) -> None:
        """What the kernel counts, and what limits that suggests; said of a running process where it counts nothing."""
        if kind_of(unit).cgroup is Cgroup.NONE:
            return
        group = properties.get("ControlGroup")
        if group and facts.get("memory_peak") is None:
            facts["memory_peak"], why = _peak(group)
        else:
            facts.setdefault("memory_peak", None)
            why = ""
        facts["suggested"] = suggested(facts)
        if not group or not kind_of(unit).has_process or not self.observed.states[unit].runs:
            return
        for key, directive in _COUNTED.items():
            if facts.get(key) is None:
                reason = f"systemd has no number: {directive} is off, or the kernel has no such controller here"
                self.unread.append(UnreadFact(unit, key, reason))
        if facts["memory_peak"] is None and facts.get("sub_state") != "exited":
            self.unread.append(UnreadFact(unit, "memory_peak", why))


def suggested(facts: Mapping[str, Any]) -> Dict[str, Optional[int]]:
    """Limits of twice the most that was measured, None where nothing was."""
    measured = {
        limit: max((facts[key] for key in keys if facts.get(key)), default=0) for limit, keys in _SUGGESTED.items()
    }
    return {limit: _ROOM * most or None for limit, most in measured.items()}


def _peak(group: str) -> Tuple[Optional[int], str]:
    """What a group's memory has been at most, by the kernel: systemd tells it from 255 on."""
    path = f"{_GROUPS}{group}/memory.peak"
    try:
        with open(path, encoding="ascii") as stream:
            return int(stream.read()), ""
    except (OSError, ValueError) as error:
        return None, f"{path}: {error.strerror if isinstance(error, OSError) else error}"


def _next_elapse(properties: Mapping[str, Any]) -> Optional[Facts]:
    """The earlier of both clocks, as systemctl list-timers has it."""
    real, since_boot = (properties.get(name, 0) for name in ("NextElapseUSecRealtime", "NextElapseUSecMonotonic"))
    times = [real] if real not in (0, NO_NUMBER) else []
    if since_boot not in (0, NO_NUMBER):
        times.append(since_boot + (time.time_ns() - time.monotonic_ns()) // 1000)
    return moment(min(times)) if times else None


def _rows(directive: str, placed: Sequence[unitfile.Placed]) -> Iterator[Facts]:
    kept = set(values_without_stamp(each.value for each in placed))
    for each in placed:
        if each.value in kept:
            yield {"value": _shown(directive, each.value), "path": each.path, "line": each.line}


def _shown(directive: str, value: str) -> str:
    if directive not in _HIDDEN_DATA:
        return value
    name, colon, _data = value.partition(":")
    return name + colon + _NOT_SHOWN if colon else value


@lru_cache(maxsize=None)
def _place(path: str) -> str:
    """Where a file really lies: folders of the load path may be links to one another."""
    return os.path.realpath(path)

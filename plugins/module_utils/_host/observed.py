# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One look at the host: files, links, states, and what running processes were started with.

Private to the collection.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .._syntax.activation import starts
from .._syntax.loadpath import MASK, LoadPath, dropin_folders
from .._syntax.names import misnamed, parse_name
from . import relations
from .files import TEMPORARY, Seen, look, read, resolve
from .manager import Manager, UnitState, names
from .places import Places, lingers

STAMP_FIELD = "UNITWRIGHT_STAMP"
LINK_FOLDERS = (".wants", ".requires", ".upholds")
_CONFLICTING = "ConflictedBy"
_REFUSALS = ("RefuseManualStart", "RefuseManualStop")
INACTIVE = UnitState("not-found", "inactive", "dead")
# What a remote run reaches the host by, whatever the connection is.
_CONNECTION = (
    "NetworkManager.service",
    "dbus-broker.service",
    "dbus.service",
    "dbus.socket",
    "iwd.service",
    "networking.service",
    "ssh.service",
    "ssh.socket",
    "sshd.service",
    "sshd.socket",
    "systemd-networkd.service",
    "wpa_supplicant.service",
)
UP = ("active", "activating", "reloading", "refreshing")


@dataclass(frozen=True)
class Invocation:
    """One run of a unit: its ID and when it began, in seconds since the epoch."""

    id: str
    began: float


@dataclass(frozen=True)
class Observed:
    """The host as it is, for one owner and the units that its declaration names.

    boot: tells one life of the manager from the next.
    files: what lies in our folder, by path (units, NAME.d/*.conf, the owner's secrets). links: symbolic links that
    systemctl enable made there, path to target. states: units in memory. running: stamps that each unit's process was
    started with. invocations: ID and start time of each unit's present run. carriers: units that this very run, or its
    connection, lives in. bound: units that a restart of a unit takes along; stopped_with: those that a stop does.
    starters: sockets and paths that start a unit. conflicting: those that name a unit under Conflicts=. refusing:
    which of RefuseManualStart= and RefuseManualStop= are set in a unit that systemd has in memory.
    looked_at: the time of this look. loaded_at: when the manager last read its files, None if that cannot be told.
    not_loaded: files of units, ours and others', that changed after that. lingers: the manager outlives its user's
    sessions. foreign: what of others is read of the units that the declaration names, outside our folder.
    """

    places: Places
    version: int
    live: bool
    boot: str
    files: Mapping[str, Seen]
    links: Mapping[str, str]
    states: Mapping[str, UnitState]
    loadpath: LoadPath
    running: Mapping[str, FrozenSet[str]]
    invocations: Mapping[str, Invocation]
    carriers: FrozenSet[str] = frozenset()
    bound: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    stopped_with: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    starters: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    conflicting: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    refusing: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    looked_at: float = 0.0
    loaded_at: Optional[float] = None
    not_loaded: FrozenSet[str] = frozenset()
    lingers: bool = True
    foreign: Mapping[str, Seen] = field(default_factory=dict)

    def state(self, unit: str) -> UnitState:
        return self.states.get(unit, INACTIVE)

    def is_up(self, unit: str) -> bool:
        return self.state(unit).active in UP

    def runs(self, unit: str) -> bool:
        """Up, and not only between two attempts of a crash loop."""
        return self.is_up(unit) and not self.state(unit).sub.startswith("auto-restart")

    def taken_along(self, stopped: Iterable[str]) -> Dict[str, str]:
        """What goes down with units that are stopped, each with the one that takes it."""
        return {other: unit for unit in stopped for other in self.stopped_with.get(unit, ())}

    def restarted_along(self, restarted: Iterable[str], stopped: Sequence[str]) -> List[str]:
        """What runs and is restarted with these, unless it is stopped before."""
        along = (other for unit in restarted for other in self.bound.get(unit, ()) if self.is_up(other))
        return [other for other in along if other not in stopped]

    def links_to(self, unit: str) -> List[str]:
        """Paths of the enablement links of a unit: in .wants and the like by name, aliases by target."""
        return self._links_by_unit.get(unit, [])

    @cached_property
    def _links_by_unit(self) -> Dict[str, List[str]]:
        """Made once, as every unit is asked for and a stack may have as many links as units."""
        found: Dict[str, List[str]] = {}
        for path in sorted(self.links):
            folder, name = os.path.split(path)
            unit = os.path.basename(self.links[path]) if folder == self.places.units else name
            found.setdefault(unit, []).append(path)
        return found

    def with_relations(self, manager: Manager, units: Iterable[str]) -> Observed:
        """Ask what a job of these units does to others (systemd.unit(5): Requires=, BindsTo=, PartOf=, Conflicts=)."""
        shown = relations.with_company(manager, units, (relations.TRIGGERED_BY, _CONFLICTING, *_REFUSALS))
        conflicting = {unit: tuple(names(each, _CONFLICTING)) for unit, each in shown.items()}
        refusing = {unit: tuple(name for name in _REFUSALS if each.get(name) == "yes") for unit, each in shown.items()}
        return replace(
            self,
            bound={**self.bound, **relations.bound(shown, units)},
            stopped_with={**self.stopped_with, **relations.stopped_with(shown, units)},
            starters={**self.starters, **relations.starters(shown)},
            conflicting={**self.conflicting, **conflicting},
            refusing={**self.refusing, **refusing},
        )


def observe(manager: Manager, owners: Iterable[str], units: Iterable[str]) -> Observed:
    """Look at all that matters for these owners and unit names; one list-units call, the rest is files."""
    places = manager.places
    folders = manager.unit_path() if os.environ.get("SYSTEMD_UNIT_PATH") else places.lookup
    if places.root:
        folders = tuple(dict.fromkeys(resolve(folder, places.root) for folder in folders))
    looked_at = time.time()  # what is written from now on is for the next look
    files, links, names, dropins = _our_folder(places.units)
    for owner in owners:
        files.update(tree(os.path.join(places.secrets, owner)))
    contents = {path: seen.content for path, seen in files.items() if seen.content is not None}
    loadpath = _load_path(folders, places, names, dropins, contents, files)
    states = manager.list_units() if manager.live else {}
    named = {each for unit in set(units) for each in (unit, *units_under(states, unit))}
    loadpath, foreign = _with_foreign(loadpath, places.units, places.root, sorted(named))
    # Only its file says whether what a socket starts is an alias.
    started = {starts(unit, loadpath) for unit in named if unit.endswith(".socket")} - named
    loadpath, more = _with_foreign(
        loadpath, places.units, places.root, sorted(unit for unit in started if not misnamed(unit))
    )
    foreign.update(more)
    invocations = _invocations(places.manager) if manager.live else {}
    loaded_at = _loaded_at(places.manager) if manager.live else None
    return Observed(
        places=places,
        version=manager.version,
        live=manager.live,
        boot=_boot(places),
        files=files,
        links=links,
        states=states,
        loadpath=loadpath,
        running=_stamps(places.manager, invocations) if manager.live else {},
        invocations=invocations,
        carriers=_carriers() if manager.live else frozenset(),
        loaded_at=loaded_at,
        not_loaded=_not_loaded({**foreign, **files}, places.manager, loaded_at, looked_at),
        foreign=foreign,
        lingers=places.scope != "user" or lingers(),
        looked_at=looked_at,
    )


def _not_loaded(
    files: Mapping[str, Seen], manager: str, loaded_at: Optional[float], looked_at: float
) -> FrozenSet[str]:
    """Files newer than what is loaded.

    Those of generators (below the manager's folder) are made by the loading, those of set-property in force at once.
    One of the time to come, written while the clock was ahead, would be newer than each load until then.
    """
    if loaded_at is None:
        return frozenset()
    newer = (path for path, seen in files.items() if loaded_at < seen.changed_at <= looked_at)
    return frozenset(path for path in newer if not path.startswith(manager + os.sep) and ".control/" not in path)


def _our_folder(folder: str) -> Tuple[Dict[str, Seen], Dict[str, str], Set[str], Dict[str, Set[str]]]:
    files: Dict[str, Seen] = {}
    links: Dict[str, str] = {}
    names: Set[str] = set()
    dropins: Dict[str, Set[str]] = {}
    for entry in _scan(folder):
        if entry.name.endswith(".d") and entry.is_dir():
            below = [each for each in _scan(entry.path) if each.name.endswith(".conf")]
            dropins[entry.path] = {each.name for each in below}
            if not entry.is_symlink():  # what lies behind a link is not ours
                files.update((each.path, seen) for each in below for seen in [look(each.path)] if seen)
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name.endswith(LINK_FOLDERS):
                links.update((each.path, os.readlink(each.path)) for each in _scan(entry.path) if each.is_symlink())
            continue
        seen = look(entry.path)
        if seen is None or entry.name.startswith(TEMPORARY):
            continue
        names.add(entry.name)
        files[entry.path] = seen
        if seen.target is not None and seen.target != MASK:
            links[entry.path] = seen.target
    return files, links, names, dropins


def _scan(folder: str) -> List[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def tree(folder: str) -> Dict[str, Seen]:
    """All files below a folder, by path."""
    found: Dict[str, Seen] = {}
    for entry in _scan(folder):
        if entry.is_dir(follow_symlinks=False):
            found.update(tree(entry.path))
        else:
            seen = look(entry.path)
            if seen is not None:
                found[entry.path] = seen
    return found


def _load_path(
    folders: Tuple[str, ...],
    places: Places,
    names: Set[str],
    dropins: Dict[str, Set[str]],
    contents: Mapping[str, bytes],
    files: Mapping[str, Seen],
) -> LoadPath:
    all_names: Dict[str, FrozenSet[str]] = {places.units: frozenset(names)}
    all_dropins = {folder: frozenset(found) for folder, found in dropins.items()}
    links: Dict[str, str] = {}
    for folder in folders:
        if folder == places.units or os.path.realpath(folder) in {os.path.realpath(each) for each in all_names}:
            continue
        entries = _scan(folder)
        all_names[folder] = frozenset(entry.name for entry in entries)
        for entry in entries:
            if entry.name in names and entry.is_symlink():  # a mask, say, that comes to light when our file goes
                links[entry.path] = os.readlink(entry.path)
            if entry.name.endswith(".d"):
                all_dropins[entry.path] = frozenset(
                    each.name for each in _scan(entry.path) if each.name.endswith(".conf")
                )
    links.update((path, seen.target) for path, seen in files.items() if seen.target is not None)
    return LoadPath(tuple(folders), all_names, all_dropins, dict(contents), links)


def _with_foreign(loadpath: LoadPath, ours: str, root: str, units: Iterable[str]) -> Tuple[LoadPath, Dict[str, Seen]]:
    """Read those fragments and drop-ins of the named units that lie outside our folder, or are linked into it."""
    found: Dict[str, Seen] = {}
    contents = dict(loadpath.contents)
    links = dict(loadpath.links)
    for unit in units:
        mask = os.path.join(ours, unit)
        # Behind a mask lies what is in force once it is taken away.
        behind = loadpath.changed({}, [mask]).files(unit) if links.get(mask) == MASK else ()
        for path in [*loadpath.files(unit), *behind]:
            if path in contents:
                continue
            seen = look(path)
            if seen is not None and seen.target is not None:
                links[path] = seen.target
                if seen.target != MASK:
                    seen = look(resolve(path, root))
            if seen is not None and seen.content is not None:
                contents[path] = seen.content
                found[path] = seen
    return replace(loadpath, contents=contents, links=links), found


def units_under(observed_units: Iterable[str], file_unit: str) -> List[str]:
    """The loaded units that a fragment or drop-in folder of this name is for: instances, dashed prefixes."""
    name = parse_name(file_unit)
    if not name.stands_for_others:
        return [file_unit]
    folder = file_unit + ".d"
    same_kind = [unit for unit in observed_units if unit.endswith("." + name.kind)]
    return sorted(unit for unit in same_kind if folder in dropin_folders(unit))


def _loaded_at(manager: str) -> Optional[float]:
    """When the manager last read its unit files, in seconds since the epoch; None if that cannot be told.

    Newer ones touch a file then, 247 and a user's manager remake the generators' folders, if only for a moment.
    """
    folders = ["/generator", "/generator.early", "/generator.late"]
    for marks in (["/systemd-units-load"], folders, [""]):
        times = [each for each in (_changed_at(manager + mark) for mark in marks) if each is not None]
        if times:
            return max(times)
    return None


def _changed_at(path: str) -> Optional[float]:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def _stamps(manager: str, invocations: Mapping[str, Invocation]) -> Dict[str, FrozenSet[str]]:
    """PID 1 keeps what LogExtraFields= said when a unit was last started; user managers do not.

    It leaves the file lying when the unit is started without that directive, so one from before this run of the unit
    says nothing: PID 1 writes it right after the invocation's link.
    """
    prefix = "log-extra-fields:"
    found = {}
    for entry in _scan(manager + "/units"):
        seen = look(entry.path) if entry.name.startswith(prefix) else None
        if seen is not None and seen.content is not None:
            unit = entry.name[len(prefix) :]
            if unit in invocations and seen.changed_at >= invocations[unit].began:
                found[unit] = _stamp_values(seen.content)
    return found


def _stamp_values(content: bytes) -> FrozenSet[str]:
    """The file holds journal fields, each behind its length as a little-endian 64-bit number."""
    values = []
    while len(content) >= 8:
        length = int.from_bytes(content[:8], "little")
        text = content[8 : 8 + length].decode("utf-8", "replace")
        name, _equals, value = text.partition("=")
        if name == STAMP_FIELD:
            values.append(value)
        content = content[8 + length :]
    return frozenset(values)


def _invocations(manager: str) -> Dict[str, Invocation]:
    prefix = "invocation:"
    found = {}
    for entry in _scan(manager + "/units"):
        seen = look(entry.path) if entry.name.startswith(prefix) else None
        if seen is not None and seen.target:
            found[entry.name[len(prefix) :]] = Invocation(seen.target, seen.changed_at)
    return found


def _boot(places: Places) -> str:
    """The boot ID is the kernel's and outlives a container's restart and a soft reboot, so PID 1's start time is added.

    For a user manager that is the time its socket was made.
    """
    try:
        boot_id = read("/proc/sys/kernel/random/boot_id").decode().strip()
        if places.scope == "user":
            return f"{boot_id}/{os.stat(places.manager + '/private').st_ctime}"
        return f"{boot_id}/{read('/proc/1/stat').rpartition(b')')[2].split()[19].decode()}"
    except OSError:
        return ""


def _carriers() -> FrozenSet[str]:
    """The units on this process's own cgroup path, and those that carry a connection."""
    try:
        lines = read("/proc/self/cgroup").decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    own = {
        part for line in lines for part in line.split(":", 2)[-1].split("/") if part.endswith((".service", ".scope"))
    }
    return frozenset({*own, *_CONNECTION, f"user@{os.getuid()}.service"})

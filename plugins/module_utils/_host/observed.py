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
from typing import (
    TYPE_CHECKING,
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .._syntax.activation import starts
from .._syntax.install import also, installs, named_aliases
from .._syntax.kinds import kind_of
from .._syntax.loadpath import MASK, LoadPath, dropin_folders
from .._syntax.names import NAME_MAX, is_template, misnamed, names_folder, parse_name, parse_pattern
from .._syntax.special import mount_point
from .files import TEMPORARY, Seen, resolve
from .manager import Manager, States
from .places import Places, without_linger
from .reading import Noting, Reader
from .traces import INVOCATION, LOG_FIELDS, Invocation, boot, carriers, changed_at, invocations, loaded_at

if TYPE_CHECKING:
    from .mounts import InPlace

LINK_FOLDERS = (".wants", ".requires", ".upholds")


class ManagerSeen(NamedTuple):
    """The manager that these files are for.

    version: of systemd. live: it runs, and can be given jobs. boot: tells one life of it from the next. loaded_at: when
    it last read its files, None if that cannot be told. without_linger: the user with whose last session it ends, "" if
    it outlives them. carriers: units that this very run, or its connection, lives in. footing: files and folders that
    it has in use, if the declaration names any mount. spent: timers of the declaration that are down, and none of whose
    times is to come.
    """

    version: int
    live: bool
    boot: str = ""
    loaded_at: Optional[float] = None
    without_linger: str = ""
    carriers: FrozenSet[str] = frozenset()
    footing: FrozenSet[str] = frozenset()
    spent: FrozenSet[str] = frozenset()


class Unread(NamedTuple):
    """What the manager has not read as it is now.

    files: those of units, ours and others', that have changed since it last read them. units: those that the
    declaration names of which it has loaded other files than there are now, as one that is gone.
    """

    files: FrozenSet[str] = frozenset()
    units: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Observed:
    """The host as it is, for one owner and the units that its declaration names.

    places: the folders of the scope. manager: whose files these are. looked_at: the time of this look. files: what lies
    in our folder, by path (units, NAME.d/*.conf, the owner's secrets). foreign: what of others is read of the units
    that the declaration names. links: symbolic links that systemctl enable made in our folder, path to target.
    loadpath: the files systemd would read. unread: what the manager has not read of them. states: units in memory.
    invocations: each unit's present run, if it has run a process or command. in_place: what the kernel has mounted or
    swaps to, by unit, if the declaration names any such. wanted_elsewhere: links in .wants and the like that a
    generator or a package has made, by the unit of that name; looked for where systemctl enable would make none.
    """

    places: Places
    manager: ManagerSeen
    looked_at: float
    files: Mapping[str, Seen]
    foreign: Mapping[str, Seen]
    links: Mapping[str, str]
    loadpath: LoadPath
    unread: Unread
    states: States
    invocations: Mapping[str, Invocation]
    in_place: Mapping[str, InPlace] = field(default_factory=dict)
    wanted_elsewhere: Mapping[str, str] = field(default_factory=dict)

    def links_to(self, unit: str) -> List[str]:
        """Paths of the enablement links of a unit: in .wants and the like by name, aliases by target."""
        return self._links_by_unit.get(unit, [])

    def links_under(self, unit: str) -> List[str]:
        """The same, for a template with those of all its instances."""
        others = [each for each in self._links_by_unit if not misnamed(each) and parse_name(each).template == unit]
        return sorted({path for each in [unit, *others] for path in self.links_to(each)})

    @cached_property
    def _links_by_unit(self) -> Dict[str, List[str]]:
        """Made once, as every unit is asked for and a stack may have as many links as units."""
        found: Dict[str, List[str]] = {}
        for path in sorted(self.links):
            for unit in self._linked_units(path):
                found.setdefault(unit, []).append(path)
        return found

    def _linked_units(self, path: str) -> List[str]:
        """An alias is its target's, and one of an instance also that instance's of its target, which is a template."""
        folder, name = os.path.split(path)
        if folder != self.places.units:
            return [name]
        target = os.path.basename(self.links[path])
        alias = None if misnamed(name) else parse_name(name)
        if alias is None or not alias.instance or not is_template(target):
            return [target]
        return [target, target.replace("@", f"@{alias.instance}", 1)]

    def can_be_noted(self, unit: str) -> bool:
        """Can its manager note how a run of it was started? The note's file has the unit's name and more (NAME_MAX)."""
        note = LOG_FIELDS if self.places.scope.keeps_stamps else INVOCATION
        return len(note + unit) <= NAME_MAX

    def log_fields(self, unit: str) -> FrozenSet[str]:
        """What LogExtraFields= said when a unit was started, as NAME=value; none where nothing runs."""
        run = self.invocations.get(unit)
        return run.log_fields if run else frozenset()


# Which units a look is about, by what is in memory and what files there are.
Choice = Callable[[States, LoadPath], Iterable[str]]


class _Sought(NamedTuple):
    """What a look is about. names_taken: aliases that are about to be made."""

    units: Choice
    owners: Tuple[str, ...] = ()
    names_taken: Tuple[str, ...] = ()


def observe(manager: Manager, owners: Iterable[str], units: Iterable[str], names_taken: Iterable[str] = ()) -> Observed:
    """Look at all that matters for these owners and unit names; one list-units call, the rest is files.

    names_taken: aliases that are about to be made.
    """
    places = manager.places
    folders = manager.unit_path() if os.environ.get("SYSTEMD_UNIT_PATH") else places.lookup
    sought = _Sought(lambda _states, _loadpath: units, tuple(owners), tuple(names_taken))
    reader = Reader()
    found, named = _seen(manager, folders, sought, reader)
    seen = found.manager
    of_kernel: Mapping[str, InPlace] = {}
    # Most runs are about no unit of the kernel's, and are spared what reads its tables.
    if manager.live and any(kind_of(unit).is_of_kernel for unit in named):
        from .mounts import in_place  # noqa: PLC0415

        of_kernel = in_place()
    if manager.live and any(map(mount_point, named)):
        from .footing import footing  # noqa: PLC0415

        seen = seen._replace(footing=footing())
    watched = [*folders, *found.loadpath.dropins]
    return replace(
        found,
        manager=seen,
        unread=found.unread._replace(units=_outdated(manager, watched, seen.loaded_at, [*found.states.keys() & named])),
        wanted_elsewhere=_wanted_elsewhere(found.loadpath, places, named, reader),
        in_place=of_kernel,
    )


def survey(manager: Manager, folders: Sequence[str], units: Choice, reader: Noting) -> Observed:
    """The same for a module that only tells of units, of whatever owner. reader: notes what cannot be read.

    Left out is what takes further calls, or matters only to a run that may change something.
    """
    return _seen(manager, folders, _Sought(units), reader)[0]


def _seen(manager: Manager, folders: Sequence[str], sought: _Sought, reader: Reader) -> Tuple[Observed, Set[str]]:
    """What files and one list-units call say, and the units that the look is about."""
    places = manager.places
    if places.root:
        folders = tuple(dict.fromkeys(resolve(folder, places.root) for folder in folders))
    looked_at = time.time()  # what is written from now on is for the next look
    files, links, names, dropins = _our_folder(places.units, reader)
    for owner in sought.owners:
        files.update(tree(os.path.join(places.secrets, owner), reader))
    contents = {path: seen.content for path, seen in files.items() if seen.content is not None}
    loadpath = _load_path(tuple(folders), places, names, dropins, contents, files, reader)
    loadpath = replace(loadpath, made=places.made(manager.version), version=manager.version)
    loadpath = _with_covered(loadpath, places, reader)
    states = manager.list_units() if manager.live else States()
    # What a drop-in that goes was over is judged by the rest of its text, be it declared or not.
    below = (os.path.basename(folder)[: -len(".d")] for folder in dropins)
    sought_units = {*sought.units(states, loadpath), *(unit for unit in below if names_folder(unit))}
    named = {each for unit in sought_units for each in (unit, *units_under(states, unit))}
    loadpath, foreign = _with_foreign(loadpath, places, sorted(named), reader)
    loadpath, more = _with_named(loadpath, places, named, sought.names_taken, reader)
    foreign.update(more)
    ends_with = without_linger() if places.scope.of_session else ""
    seen = ManagerSeen(manager.version, manager.live, boot(places), without_linger=ends_with)
    if manager.live:
        seen = seen._replace(loaded_at=loaded_at(places.manager), carriers=carriers())
    found = Observed(
        places=places,
        manager=seen,
        looked_at=looked_at,
        files=files,
        foreign=foreign,
        links=links,
        loadpath=loadpath,
        unread=Unread(_not_loaded({**foreign, **files}, places.manager, seen.loaded_at, looked_at)),
        states=states,
        invocations=invocations(places.manager, reader) if manager.live else {},
    )
    return found, named


def _with_named(
    loadpath: LoadPath, places: Places, units: Iterable[str], names: Iterable[str], reader: Reader
) -> Tuple[LoadPath, Dict[str, Seen]]:
    """Read the texts of what the named units start or enable, and what has the names that become aliases."""
    found: Dict[str, Seen] = {}
    known = set(units)
    # Only its file says whether what a socket starts is an alias.
    ahead = {starts(unit, loadpath) for unit in known if kind_of(unit).starts.hands_over}
    ahead |= {other for unit in known for other in also(unit, loadpath)}
    while ahead - known:
        new = sorted(unit for unit in ahead - known if not misnamed(unit))
        loadpath, more = _with_foreign(loadpath, places, new, reader)
        found.update(more)
        known |= ahead
        ahead = {other for unit in new for other in also(unit, loadpath)}
    taken = {*names, *(alias for unit in known for alias in named_aliases(unit, loadpath))}
    paths = {loadpath.changed({}, [places.unit_file(name)]).fragment(name) for name in taken if not misnamed(name)}
    links = {path: reader.look(path) for path in paths if path is not None and path not in loadpath.links}
    targets = {path: seen.target for path, seen in links.items() if seen is not None and seen.target is not None}
    return replace(loadpath, links={**loadpath.links, **targets}) if targets else loadpath, found


def _wanted_elsewhere(loadpath: LoadPath, places: Places, units: Iterable[str], reader: Reader) -> Dict[str, str]:
    made = places.manager + "/generator"
    fragments = ((unit, loadpath.fragment(unit)) for unit in units)
    unclear = [unit for unit, path in fragments if path and (path.startswith(made) or not installs(unit, loadpath))]
    if not unclear:
        return {}
    found: Dict[str, str] = {}
    for folder in (each for each in loadpath.folders if each != places.units):
        for name in sorted(loadpath.names.get(folder, ())):
            if name.endswith(LINK_FOLDERS):
                for entry in reader.scan(os.path.join(folder, name)):
                    found.setdefault(entry.name, entry.path)
    return {unit: found[unit] for unit in unclear if unit in found}


def _not_loaded(
    files: Mapping[str, Seen], manager: str, loaded_at: Optional[float], looked_at: float
) -> FrozenSet[str]:
    """Files newer than what is loaded.

    Not those of generators (below the manager's folder), which the loading itself writes, nor those of set-property,
    which are in force at once, nor those with a time in the future: they would be newer than each load until then.
    """
    if loaded_at is None:
        return frozenset()
    newer = (path for path, seen in files.items() if loaded_at < seen.changed_at <= looked_at)
    return frozenset(path for path in newer if not path.startswith(manager + os.sep) and ".control/" not in path)


def _outdated(
    manager: Manager, folders: Iterable[str], loaded_at: Optional[float], units: Sequence[str]
) -> FrozenSet[str]:
    """Asked only if anything has come, or gone, in one of the folders since the manager has read them."""
    remade = tuple(manager.places.manager + each for each in ("/generator", "/transient"))
    lasting = (folder for folder in folders if not folder.startswith(remade) and ".control" not in folder)
    if loaded_at is None or not any((changed_at(folder) or 0.0) > loaded_at for folder in lasting):
        return frozenset()
    shown = manager.show(sorted(units), ("NeedDaemonReload",))
    return frozenset(unit for unit, each in shown.items() if each.get("NeedDaemonReload") == "yes")


def _our_folder(folder: str, reader: Reader) -> Tuple[Dict[str, Seen], Dict[str, str], Set[str], Dict[str, Set[str]]]:
    files: Dict[str, Seen] = {}
    links: Dict[str, str] = {}
    names: Set[str] = set()
    dropins: Dict[str, Set[str]] = {}
    for entry in reader.scan(folder):
        if entry.name.endswith(".d") and entry.is_dir():
            below = [each for each in reader.scan(entry.path) if each.name.endswith(".conf")]
            dropins[entry.path] = {each.name for each in below}
            if not entry.is_symlink():  # what lies behind a link is not ours
                files.update((each.path, seen) for each in below for seen in [reader.look(each.path)] if seen)
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name.endswith(LINK_FOLDERS):
                links.update(
                    (each.path, os.readlink(each.path)) for each in reader.scan(entry.path) if each.is_symlink()
                )
            continue
        seen = reader.look(entry.path)
        if seen is None or entry.name.startswith(TEMPORARY):
            continue
        names.add(entry.name)
        files[entry.path] = seen
        if seen.target is not None and seen.target != MASK:
            links[entry.path] = seen.target
    return files, links, names, dropins


def tree(folder: str, reader: Optional[Reader] = None) -> Dict[str, Seen]:
    """All files below a folder, by path."""
    found: Dict[str, Seen] = {}
    reader = reader or Reader()
    for entry in reader.scan(folder):
        if entry.is_dir(follow_symlinks=False):
            found.update(tree(entry.path, reader))
        else:
            seen = reader.look(entry.path)
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
    reader: Reader,
) -> LoadPath:
    all_names: Dict[str, FrozenSet[str]] = {places.units: frozenset(names)}
    all_dropins = {folder: frozenset(found) for folder, found in dropins.items()}
    links: Dict[str, str] = {}
    linked: List[os.DirEntry[str]] = []
    for folder in folders:
        if folder == places.units or os.path.realpath(folder) in {os.path.realpath(each) for each in all_names}:
            continue
        entries = reader.scan(folder)
        all_names[folder] = frozenset(entry.name for entry in entries)
        linked += [entry for entry in entries if entry.is_symlink()]
        for entry in entries:
            if entry.name.endswith(".d"):
                all_dropins[entry.path] = frozenset(
                    each.name for each in reader.scan(entry.path) if each.name.endswith(".conf")
                )
    below = {os.path.basename(folder) for folder in all_dropins}
    for entry in linked:
        # A mask, say, that comes to light when our file goes, or an alias that has drop-ins.
        if entry.name in names or f"{entry.name}.d" in below:
            links[entry.path] = os.readlink(entry.path)
    links.update((path, seen.target) for path, seen in files.items() if seen.target is not None)
    return LoadPath(tuple(folders), all_names, all_dropins, dict(contents), links)


def _with_foreign(
    loadpath: LoadPath, places: Places, units: Iterable[str], reader: Reader
) -> Tuple[LoadPath, Dict[str, Seen]]:
    """Read those fragments and drop-ins of the named units that lie outside our folder, or are linked into it."""
    found: Dict[str, Seen] = {}
    contents = dict(loadpath.contents)
    links = dict(loadpath.links)
    for unit in units:
        mask = os.path.join(places.units, unit)
        # Behind a mask lies what is in force once it is taken away.
        behind = loadpath.changed({}, [mask]).files(unit) if links.get(mask) == MASK else ()
        for path in [*loadpath.files(unit), *behind]:
            if path in contents:
                continue
            seen = reader.look(path)
            if seen is not None and seen.target is not None:
                links[path] = seen.target
                if seen.target != MASK:
                    seen = reader.look(resolve(path, places.root))
            if seen is not None and seen.content is not None:
                contents[path] = seen.content
                found[path] = seen
        found.update(_covered(unit, loadpath, places, reader))
    # What is known of a load path stays known where nothing has come to it.
    same = contents == loadpath.contents and links == loadpath.links
    return loadpath if same else replace(loadpath, contents=contents, links=links), found


def _with_covered(loadpath: LoadPath, places: Places, reader: Reader) -> LoadPath:
    """With the texts that come into force again when a file of our folder goes, be its unit declared or not."""
    contents = dict(loadpath.contents)
    lower = [folder for folder in loadpath.folders if folder != places.units]
    for name in loadpath.names.get(places.units, ()):
        path = next((os.path.join(each, name) for each in lower if name in loadpath.names.get(each, ())), "")
        if path and places.unit_file(name) in loadpath.contents and path not in contents:
            seen = reader.look(path)
            if seen is not None and seen.target is not None and seen.target != MASK:
                seen = reader.look(resolve(path, places.root))
            if seen is not None and seen.content is not None:
                contents[path] = seen.content
    return replace(loadpath, contents=contents) if len(contents) > len(loadpath.contents) else loadpath


def _covered(unit: str, loadpath: LoadPath, places: Places, reader: Reader) -> Dict[str, Seen]:
    """The files of others that a file of our folder stands in the place of. They are not in force."""
    if unit not in loadpath.names.get(places.units, ()):
        return {}
    paths = [os.path.join(folder, unit) for folder in loadpath.folders if unit in loadpath.names.get(folder, ())]
    seen = {path: reader.look(path) for path in paths if not path.startswith(f"{places.units}/")}
    return {path: each for path, each in seen.items() if each is not None and each.content is not None}


def units_under(observed_units: Iterable[str], file_unit: str) -> List[str]:
    """The loaded units that a fragment or drop-in folder of this name is for: instances, dashed prefixes."""
    name = parse_pattern(file_unit)
    if not name.stands_for_others:
        return [file_unit]
    folder = file_unit + ".d"
    same_kind = [unit for unit in observed_units if unit.endswith("." + name.kind)]
    return sorted(unit for unit in same_kind if folder in dropin_folders(unit))

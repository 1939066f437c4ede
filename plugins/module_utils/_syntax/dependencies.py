# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What other units the text of a unit names, and what it cannot be up without. Private to the collection."""

from __future__ import annotations

import posixpath
from typing import Iterable, Iterator, List, Sequence, Set, Tuple

from .directives import GAINS_START
from .kinds import EXEC_SECTIONS
from .loadpath import LoadPath
from .meaning import is_set, last, words
from .names import misnamed, mount_of
from .relations import RELATIONS, Does
from .special import mount_point
from .specifiers import in_name, in_value
from .unitfile import Effective

# What a unit cannot be up without: what takes it down by a stop, and that it needs.
NEEDS = tuple(each.directive for each in RELATIONS.values() if each.stop is Does.STOP and each.needs_it)
# What relates units so that a job of one may do something to another.
RELATED = (
    *("Requires", "Requisite", "BindsTo", "PartOf", "Wants", "Upholds", "Conflicts"),
    *("PropagatesStopTo", "StopPropagatedFrom", "PropagatesReloadTo", "ReloadPropagatedFrom", "OnSuccess"),
)
# systemd.exec(5): what runs processes needs the mounts of these paths, as it does those of RequiresMountsFor=.
_PATHS = ("WorkingDirectory", "RootDirectory")
# What PrivateTmp= makes anew, below what is mounted there (systemd.exec(5)).
_TEMPORARY = ("/tmp", "/var/tmp")
# Likewise, each of a namespace; the last one came with systemd 257, and where it has no file it is not needed either.
_JOURNALS = (
    "systemd-journald@{}.socket",
    "systemd-journald-varlink@{}.socket",
    "systemd-journald-sync@{}.service",
)


def named(unit: str, directive: str, loadpath: LoadPath, section: str = "Unit") -> List[str]:
    """The units that a directive names, as systemd lists them; those that only systemd can resolve are left out."""
    said = (in_name(word, unit) for word in words(loadpath.effective(unit), section, directive))
    return [loadpath.primary(other) for other in said if "%" not in other]


def all_named(unit: str, loadpath: LoadPath) -> Set[str]:
    """The units that any directive names by which a job of one may do something to another."""
    said = loadpath.effective(unit).get("Unit", {})
    return {other for directive in RELATED if directive in said for other in named(unit, directive, loadpath)}


def started_with(units: Iterable[str], loadpath: LoadPath, directives: Iterable[str] = GAINS_START) -> Set[str]:
    """These units and all that their start pulls in by what the texts say, to the end."""
    directives = sorted(directives)
    found = {unit for unit in units if not misnamed(unit)}
    ahead = sorted(found)
    while ahead:
        unit = ahead.pop()
        others = {other for directive in directives for other in named(unit, directive, loadpath)}
        others.update(other for _property, other in implied(unit, loadpath))
        new = {other for other in others - found if not misnamed(other)}
        found |= new
        ahead += new
    return found


def needs(text: Effective, loadpath: LoadPath) -> Iterator[Tuple[str, str, str]]:
    """What a unit cannot be up without, by its text: (section, directive, unit).

    A mount only if it has a file: systemd does not mind the others.
    """
    said = text.get("Unit", {})
    for directive in (each for each in NEEDS if each in said):
        yield from (("Unit", directive, other) for other in words(text, "Unit", directive))
    yield from _around(text, loadpath)


def implied(unit: str, loadpath: LoadPath) -> List[Tuple[str, str]]:
    """What systemd lists under Requires= or Wants= of a unit that does not name it there: (property, other unit).

    The mounts and slices that it is in, the units of its journal, and those that a service shall get. A slice without
    a file, such as that of a template's instances, systemd makes itself, and nothing runs by it.
    """
    text = loadpath.effective(unit)
    found = [("Requires", other) for _section, _directive, other in _around(text, loadpath, unit)]
    folder = mount_point(unit) if loadpath.defines(unit) else ""
    found += [("Requires", mount) for mount in _mounts(posixpath.dirname(folder))] if folder else []
    for section in EXEC_SECTIONS:
        namespace = in_value(last(text, section, "LogNamespace"), unit)
        found += [("Requires", journal.format(namespace)) for journal in _JOURNALS if namespace]
        found += [("Wants", socket) for socket in words(text, section, "Sockets")]
        # Of a unit that systemd has loaded it tells itself that this is Requires= until 255.
        private = _TEMPORARY if is_set(text, section, "PrivateTmp") else ()
        found += [("Wants", mount) for path in private for mount in _mounts(path)]
    known = [(name, in_name(other, unit)) for name, other in found]
    known = [(name, other) for name, other in known if not misnamed(other) and loadpath.defines(other)]
    return [(name, loadpath.primary(other)) for name, other in known]


def _around(text: Effective, loadpath: LoadPath, unit: str = "") -> Iterator[Tuple[str, str, str]]:
    """The mounts and slices that a unit is in; unit: its name, where that is known."""
    paths = [("Unit", "RequiresMountsFor", path) for path in words(text, "Unit", "RequiresMountsFor")]
    sections = [section for section in EXEC_SECTIONS if section in text]
    paths += [(section, each, last(text, section, each)) for section in sections for each in _PATHS]
    for section, directive, path in (each for each in paths if each[2]):
        mounts = _mounts(in_value(path, unit))
        yield from ((section, directive, mount) for mount in mounts if loadpath.defines(mount))
    for section in sections:
        stem, dot, _kind = last(text, section, "Slice").rpartition(".")
        parts = stem.split("-")
        above = ("-".join(parts[:length]) for length in range(1, len(parts) + 1)) if dot else ()
        yield from ((section, "Slice", each + ".slice") for each in above if each)


def _mounts(path: str) -> Iterator[str]:
    """The units of all mounts that a path may lie in."""
    parts = path.strip("/").split("/")
    if path.startswith("/") and ".." not in parts:
        for length in range(1, len(parts) + 1):
            mount = mount_of("/" + "/".join(parts[:length]))
            if not misnamed(mount):
                yield mount


def needed(units: Sequence[str], loadpath: LoadPath) -> Set[str]:
    """These and all that they cannot be up without, by the names under which systemd lists them."""
    found = {loadpath.primary(unit) for unit in units}
    ahead = [unit for unit in found if not misnamed(unit)]
    while ahead:
        unit = ahead.pop()
        said = needs(loadpath.effective(unit), loadpath)
        more = {loadpath.primary(in_name(other, unit)) for _section, _directive, other in said} - found
        found |= more
        ahead += [unit for unit in more if not misnamed(unit)]
    return found

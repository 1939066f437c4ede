# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The paths whose mounts a unit needs or wants, by its text.

By "Implicit Dependencies" of systemd.exec(5) and of the manual of each type, and by experiment on 247 to 262.

Private to the collection.
"""

from __future__ import annotations

import posixpath
from typing import Iterator, List, NamedTuple

from .kinds import kind_of
from .loadpath import LoadPath
from .meaning import is_set, last, words
from .names import misnamed, mount_of
from .special import mount_point
from .specifiers import in_value
from .unitfile import Effective
from .words import COMMANDS, split

# From then on the root of a unit's processes is wanted and not needed, and so are the mounts for temporary files.
_WANTED_SINCE = 256
# From then on what DynamicUser= makes for temporary files is on no mount of the host.
_APART_SINCE = 257


class Lies(NamedTuple):
    """A path whose mounts are listed under a property of the unit, Requires or Wants, and by which directive."""

    property: str
    section: str
    directive: str
    path: str


def paths(unit: str, loadpath: LoadPath) -> Iterator[Lies]:
    """Specifiers are resolved as far as the unit's name and its manager tell."""
    row = kind_of(unit)
    text = loadpath.effective(unit)
    found = [*_of_any(text, loadpath.version), *_of_own(unit, text)]
    if row.over_folder and loadpath.defines(unit):
        found.append(Lies("Requires", row.section, "Where", posixpath.dirname(mount_point(unit))))
    if has_processes(unit, text):
        found += _of_processes(text, row.section, loadpath)
        found += _of_temporary(text, row.section, loadpath.version)
    for each in found:
        yield each._replace(path=in_value(each.path, unit, loadpath.made))


def has_processes(unit: str, text: Effective) -> bool:
    """Does systemd run any in it? In a socket none but commands that it has."""
    row = kind_of(unit)
    commanded = any(name in COMMANDS for name in text.get(row.section, {}))
    return row.runs_commands and (row.has_process or row.is_of_kernel or commanded)


def mounts(path: str) -> Iterator[str]:
    """The units of all mounts that a path may lie in."""
    parts = path.strip("/").split("/")
    if path.startswith("/") and ".." not in parts:
        for length in range(1, len(parts) + 1):
            mount = mount_of("/" + "/".join(parts[:length]))
            if not misnamed(mount):
                yield mount


def _of_any(text: Effective, version: int) -> Iterator[Lies]:
    yield from (
        Lies("Requires", "Unit", "RequiresMountsFor", each) for each in _words(text, "Unit", "RequiresMountsFor")
    )
    if version >= _WANTED_SINCE:
        yield from (Lies("Wants", "Unit", "WantsMountsFor", each) for each in _words(text, "Unit", "WantsMountsFor"))


def _of_own(unit: str, text: Effective) -> Iterator[Lies]:
    own = kind_of(unit).own
    said = text.get(own.name, {})
    for directive in sorted(own.paths.listed.intersection(said)):
        yield from (Lies("Requires", own.name, directive, path) for path in said[directive])
    source = last(text, own.name, own.paths.source)
    is_remote = source.startswith("//") or "_netdev" in last(text, own.name, "Options").split(",")
    if source and not is_remote:
        yield Lies("Requires", own.name, own.paths.source, source)


def _of_processes(text: Effective, section: str, loadpath: LoadPath) -> Iterator[Lies]:
    newer = loadpath.version >= _WANTED_SINCE
    folder = last(text, section, "WorkingDirectory")
    if not folder.startswith("-"):
        yield Lies("Requires", section, "WorkingDirectory", folder)
    elif newer:  # it may be missing
        yield Lies("Wants", section, "WorkingDirectory", folder[1:])
    for directive in ("RootDirectory", "RootImage"):
        yield Lies("Wants" if newer else "Requires", section, directive, last(text, section, directive))
    for directive, base in loadpath.made.items():
        for name in _words(text, section, directive):
            path = name.partition(":")[0]
            if not path.startswith("/"):
                yield Lies("Requires", section, directive, posixpath.join(base, path))


def _of_temporary(text: Effective, section: str, version: int) -> Iterator[Lies]:
    directive = "DynamicUser" if version < _APART_SINCE and is_set(text, section, "DynamicUser") else "PrivateTmp"
    if is_set(text, section, directive):
        # A mount over /tmp may be masked.
        yield Lies("Wants", section, directive, "/tmp")
        yield Lies("Wants" if version >= _WANTED_SINCE else "Requires", section, directive, "/var/tmp")


def _words(text: Effective, section: str, directive: str) -> List[str]:
    try:
        return [word.text for value in text.get(section, {}).get(directive, ()) for word in split(value)]
    except ValueError:  # of quotes that do not match verify complains
        return words(text, section, directive)

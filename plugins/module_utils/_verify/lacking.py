# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a unit's processes cannot start without, and is not there: verify looks for programs alone.

Another unit or a later task may bring it, so it is told and hinders nothing. Private to the collection.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
from typing import Any, Callable, FrozenSet, Iterator, Mapping, NamedTuple, Sequence, Set, Tuple

from .._desired.stack import Desired
from .._host.files import resolve
from .._host.mounts import is_mounted_over
from .._host.observed import units_under
from .._host.places import Places, account
from .._plan.differences import Differences
from .._syntax.dependencies import needed, wished
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import is_on, is_true
from .._syntax.names import misnamed, parse_name
from .._syntax.rule import Problem, Rule, Severity, shown
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Effective
from .awaited import awaits_mount, is_awaited
from .environment_files import exports

_LACKING = Rule(
    "lacking",
    Severity.WARNING,
    "there is no {what} {name}, and without it no start succeeds",
    "mend its name, or have it made before that",
    "systemd.exec(5)",
    may_come=True,
)
_LACKING_ALL = Rule(
    "lacking",
    Severity.WARNING,
    "there is no {what} {name}, which is read as one, and without it no start succeeds",
    "make of the several a list",
    "systemd.exec(5)",
    may_come=True,
)
_LACKING_EARLY = Rule(
    "lacking",
    Severity.WARNING,
    "there is no {what} {name}, which systemd needs before it makes LogsDirectory= and the like, so no start succeeds",
    "mend its name, or have it made before that",
    "systemd.exec(5); tried on 247 to 262",
    may_come=True,
)
_OTHER_USER = Rule(
    "other-user",
    Severity.WARNING,
    "a user's manager can run nothing as someone else, nor set groups, so no start succeeds",
    "leave it out",
    "systemd.exec(5), User= and Group=; tried on 247, 252, 257 and 262",
)
_COVERED = Rule(
    "covered",
    Severity.WARNING,
    "{name} is not empty, and what is in it is out of sight while this is mounted over it",
    "move that away first, or mount over another folder",
    "systemd.mount(5), Where=; systemd says so in the journal alone",
)
# With one of these the unit sees other files than the host has.
_VIEWS = (
    *("RootDirectory", "RootImage", "RootMStack", "MountImages", "ExtensionImages", "ExtensionDirectories"),
    *("BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem"),
)
_PRIVATE = ("/tmp/", "/var/tmp/")
_TEMPORARY = (*_PRIVATE, "/run/")
_IN_VIEW = ("ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths")
_UNTOLD = frozenset("%*?[\\\"'")
_UNTOLD_NAME = _UNTOLD | {":"}  # of which verify complains
# Paths with nothing between them that would part them.
_SEVERAL = re.compile(r"\S\s+-?/|,-?/")
# With one of these a unit does not see all that the host has; devices are no programs.
_HIDING = ("ProtectHome", "PrivateTmp", "InaccessiblePaths", "TemporaryFileSystem")
# What names an account, by what it is.
_ACCOUNTS = {
    **dict.fromkeys(("User", "SocketUser"), "user"),
    **dict.fromkeys(("Group", "SupplementaryGroups", "SocketGroup"), "group"),
}
# With 252 a unit of a user's manager that names that very user does not start, with 257 it does.
_OWN_USER_SINCE = 253

Settings = Mapping[str, Sequence[str]]


def lacking(desired: Desired, differences: Differences, places: Places, version: int) -> Iterator[Problem]:
    """Of the units that are written, or have a drop-in that is."""
    changed = {places.unit_of(each.path) for each in differences.write if places.is_unit_file(each.path)}
    declared = [member for unit in desired.units for member in unit.members]
    known = [*declared, *(dropin.unit.text for dropin in desired.dropins if not dropin.unit.stands_for_others)]
    for unit in dict.fromkeys(each for name in sorted(changed) for each in units_under(known, name)):
        text = {} if misnamed(unit) else differences.after.effective(unit)
        settings = _settings(unit, text)
        section = kind_of(unit).section
        made = _made_by_others(unit, differences.after)
        paths = [
            each
            for each in _paths(settings, desired, differences.after, places)
            if not is_awaited(each[-1], unit, text, places.root)
        ]
        for rule, directive, what, name in [*_accounts(settings, made, places, version), *paths]:
            yield rule.problem(unit, section, directive, what=what, name=shown(name))
        yield from exports(unit, section, settings, places)
        if any(_last(settings, each) for each in _HIDING) and not (places.root or places.scope.of_users):
            from .out_of_sight import hidden_from  # noqa: PLC0415 (only where something may be hidden)

            yield from hidden_from(unit, differences.after, places)
        if kind_of(unit).over_folder and _has_content(_last(settings, "Where"), places.root):
            yield _COVERED.problem(unit, section, "Where", name=shown(_last(settings, "Where")))


def _has_content(folder: str, root: str) -> bool:
    """Is there anything in a folder that nothing is mounted over yet? What is temporary nobody keeps."""
    if f"{folder}/".startswith(_TEMPORARY):
        return False
    try:
        path = resolve(root + folder, root)
        return not is_mounted_over(path) and bool(os.listdir(path))
    except OSError:  # none yet, or one that this user may not look into
        return False


def _settings(unit: str, text: Effective) -> Settings:
    own = text.get(kind_of(unit).section, {})
    return {name: [in_value(value, unit) for value in values] for name, values in own.items()}


def _last(settings: Settings, name: str) -> str:
    return (settings.get(name) or [""])[-1]


Found = Tuple[Rule, str, str, str]


def _made_by_others(unit: str, loadpath: LoadPath) -> FrozenSet[str]:
    """The accounts that services which are up before it make while they run (systemd.exec(5), DynamicUser=)."""
    found: Set[str] = set()
    for other in needed([unit, *wished(unit, loadpath)], loadpath) - {unit}:
        settings = {} if misnamed(other) else _settings(other, loadpath.effective(other))
        if is_true(_last(settings, "DynamicUser")):
            user = _last(settings, "User") or parse_name(other).prefix
            found |= {user, _last(settings, "Group") or user}
    return frozenset(found)


def _accounts(settings: Settings, made: FrozenSet[str], places: Places, version: int) -> Iterator[Found]:
    if places.root:
        return
    dynamic = is_true(_last(settings, "DynamicUser"))
    if dynamic and places.scope.of_users:
        yield _OTHER_USER, "DynamicUser", "", ""
    for directive, what in _ACCOUNTS.items():
        value = _last(settings, directive)
        for name in value.split() if directive == "SupplementaryGroups" else [value] if value else []:
            if name in made or not _UNTOLD_NAME.isdisjoint(name) or (dynamic and directive in ("User", "Group")):
                continue
            if places.scope.in_home and not _is_own(directive, what, name, version):
                yield _OTHER_USER, directive, what, name
            elif not name.isdigit() and not _is_known(name, pwd.getpwnam if what == "user" else grp.getgrnam):
                yield _LACKING, directive, what, name


def _is_own(directive: str, what: str, name: str, version: int) -> bool:
    """May a user's manager take it? It has no right to set groups, and an older one sets some for its own user, too."""
    if os.geteuid() == 0:
        return True
    if directive == "SupplementaryGroups" or (directive == "User" and version < _OWN_USER_SINCE):
        return False
    entry = account()
    if entry is None:
        return False
    if what == "user":
        return name in (entry.pw_name, str(entry.pw_uid))
    try:
        return name in (grp.getgrgid(entry.pw_gid).gr_name, str(entry.pw_gid))
    except KeyError:
        return name == str(entry.pw_gid)


def _is_known(name: str, look_up: Callable[[str], Any]) -> bool:
    try:
        look_up(name)
    except KeyError:
        return False
    return True


class _Wanted(NamedTuple):
    """A path that a start needs. what: what it has to be. early: opened before systemd makes the unit's folders."""

    directive: str
    path: str
    what: str
    early: bool = False


def _paths(settings: Settings, desired: Desired, loadpath: LoadPath, places: Places) -> Iterator[Found]:
    # One that may be missing begins with a dash, and ~ is a home.
    for wanted in _wanted(settings):
        told = wanted.path.startswith("/") and _UNTOLD.isdisjoint(wanted.path)
        if not told or _is_there(wanted.path, places.root) or awaits_mount(wanted.path, loadpath, places.root):
            continue
        if not _comes(wanted, settings, desired, loadpath.made, places):
            rule = _LACKING_EARLY if wanted.early else _LACKING_ALL if _SEVERAL.search(wanted.path) else _LACKING
            yield rule, wanted.directive, wanted.what, wanted.path


def _wanted(settings: Settings) -> Iterator[_Wanted]:
    for value in settings.get("EnvironmentFile", ()):
        yield _Wanted("EnvironmentFile", value, "file")
    for directive in ("LoadCredential", "LoadCredentialEncrypted"):
        for value in settings.get(directive, ()):
            yield _Wanted(directive, value.partition(":")[2], "file")
    yield from _streams(settings)
    yield _Wanted("NetworkNamespacePath", _last(settings, "NetworkNamespacePath"), "file", early=True)
    yield _Wanted("RootDirectory", _last(settings, "RootDirectory"), "folder")
    for directive in ("BindPaths", "BindReadOnlyPaths"):
        for word in (word for value in settings.get(directive, ()) for word in value.split()):
            yield _Wanted(directive, word.partition(":")[0], "path")
    if any(_last(settings, each) for each in _VIEWS):
        return
    yield _Wanted("WorkingDirectory", _last(settings, "WorkingDirectory"), "folder")
    for directive in _IN_VIEW:
        for value in settings.get(directive, ()):
            for word in value.split():
                yield _Wanted(directive, word.lstrip("+"), "path")


def _streams(settings: Settings) -> Iterator[_Wanted]:
    """An output's file is made, but not its folder (systemd.exec(5), StandardOutput=)."""
    sort, _colon, path = _last(settings, "StandardInput").partition(":")
    if sort == "file":
        yield _Wanted("StandardInput", path, "file", early=True)
    for directive in ("StandardOutput", "StandardError"):
        sort, _colon, path = _last(settings, directive).partition(":")
        if sort in ("file", "append", "truncate"):
            yield _Wanted(directive, os.path.dirname(path), "folder", early=True)


def _is_there(path: str, root: str) -> bool:
    try:
        return os.path.lexists(resolve(root + path, root))
    except OSError:  # a circle of links, which only systemd's words can tell
        return True


def _comes(wanted: _Wanted, settings: Settings, desired: Desired, folders: Mapping[str, str], places: Places) -> bool:
    """Does this run write it, or systemd make it? folders: where, by directive."""
    path = wanted.path
    if places.root + path in desired.files or any(each.startswith(f"{places.root}{path}/") for each in desired.files):
        return True
    if wanted.early:
        return False
    made = [
        f"{folder}/{word.partition(':')[0]}"
        for directive, folder in folders.items()
        for value in settings.get(directive, ())
        for word in value.split()
    ]
    hidden = path.startswith(_PRIVATE) and is_on(_last(settings, "PrivateTmp"))
    return hidden or any(path == each or path.startswith(f"{each}/") or each.startswith(f"{path}/") for each in made)

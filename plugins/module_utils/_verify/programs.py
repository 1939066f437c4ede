# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Is a program where its unit will look for it? verify itself looks on the host alone, and as it is now.

Private to the collection.
"""

from __future__ import annotations

import enum
import glob
import os
import posixpath
import pwd
import re
from typing import Iterator, List, Mapping, Optional, Sequence, Tuple

from .._host.files import is_program, resolve
from .._host.manager import PATH
from .._host.reading import matching
from .._syntax.kinds import kind_of
from .._syntax.likeness import near
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import is_true
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Effective
from .._syntax.words import COMMANDS, apart, commands
from .awaited import awaits_mount, is_awaited, within

# What a unit's files come from that nobody looks into before it starts (systemd.exec(5)), and what that covers.
_SEALED = ("RootImage", "RootMStack")
_EXTENDED = ("/usr/", "/opt/")
# The commands of a start, in their order (systemd.service(5)).
_STARTING = ("ExecCondition", "ExecStartPre", "ExecStart")
_WORD = re.compile(r"[^\s\"';=]+")
# Where programs lie besides: environments of Python and Node below an application, what users install for themselves,
# and what comes without a package.
_OF_APPLICATION = ("/bin", "/*/bin", "/.*/bin", "/node_modules/.bin")
_OF_USER = ("/bin", "/*/bin", "/.*/bin", "/.nvm/versions/node/*/bin")
_APART = ("/opt/*/bin", "/opt/*", "/opt/bin", "/usr/local/*/bin", "/snap/bin", "/usr/games")
_NEAR_ENOUGH = 0.8


class Sight(enum.Enum):
    THERE = "there"
    ABSENT = "absent"
    # It may be there, in an image say; only the start shows it.
    UNSEEN = "unseen"


class _UnseenError(Exception):
    """A folder that cannot be told from here."""


def look_for(program: str, unit: str, directive: str, text: Effective, host: str) -> Sight:
    """Look for a unit's program as the unit will. text: its directives. host: the root of the host's own files."""
    if is_awaited(program, unit, text, host):
        return Sight.THERE  # whenever the unit is started
    settings = {name: [in_value(value, unit) for value in values] for name, values in _own(unit, text).items()}
    if directive != "ExecStart" and is_true(_last(settings, "RootDirectoryStartOnly")):
        settings = {name: values for name, values in settings.items() if not name.startswith("Root")}
    if any(_last(settings, name) for name in _SEALED):
        return Sight.UNSEEN
    try:
        root = _root(settings, host)
        paths = [place for path in _candidates(program, settings) for place in _places(path, settings, root, host)]
    except (_UnseenError, OSError):
        return Sight.UNSEEN
    if any(is_program(path, below) for path, below in paths):
        return Sight.THERE
    return Sight.UNSEEN if any(_covered(path, settings) for path in _candidates(program, settings)) else Sight.ABSENT


def found_elsewhere(program: str, unit: str, text: Effective, host: str) -> str:
    """A program of that name where the unit does not look, or one of nearly that name where it does; "" if none is.

    Only a person can tell whether it is what was meant.
    """
    settings = _own(unit, text)
    if any(_last(settings, name) for name in (*_SEALED, "RootDirectory")):
        return ""
    name = posixpath.basename(program)
    looked_in = PATH.split(":")
    for pattern in (*looked_in, *_of_application(settings), *_APART, *_of_user(settings)):
        for path in matching(f"{pattern}/{glob.escape(name)}", host):
            if is_program(host + path, host):
                return path
    there = [path for folder in looked_in for path in matching(f"{folder}/*", host)]
    close = near(name, {posixpath.basename(path) for path in there}, least=_NEAR_ENOUGH)
    found = (path for path in there if close and posixpath.basename(path) == close[0])
    return next((path for path in found if is_program(host + path, host)), "")


def _of_application(settings: Mapping[str, Sequence[str]]) -> Iterator[str]:
    folder = _last(settings, "WorkingDirectory").lstrip("-").rstrip("/")
    if folder.startswith("/"):
        yield from (glob.escape(folder) + each for each in ("", *_OF_APPLICATION))


def _of_user(settings: Mapping[str, Sequence[str]]) -> Iterator[str]:
    try:
        home = pwd.getpwnam(_last(settings, "User") or "root").pw_dir.rstrip("/")
    except (KeyError, ValueError):
        return
    yield from (glob.escape(home) + each for each in _OF_USER if home)


def is_brought(program: str, unit: str, directive: str, loadpath: LoadPath, host: str) -> bool:
    """May a mount, or a command of the unit that runs before, bring a program that is not there yet?"""
    if not program.startswith("/"):
        return False
    words = [word.rstrip("/") for command in _before(program, unit, directive, loadpath) for word in command[1:]]
    return not within(program).isdisjoint(words) or awaits_mount(program, loadpath, host)


def may_bring(program: str, unit: str, loadpath: LoadPath) -> bool:
    """May a unit that runs make a program: by one of its commands, by a folder of its own, or as a mount?"""
    if not program.startswith("/"):
        return False
    settings = _own(unit, loadpath.effective(unit))
    found = [word.rstrip("/") for name in COMMANDS for line in settings.get(name, ()) for word in _WORD.findall(line)]
    found += [f"{base}/{word}" for name, base in loadpath.made.items() for word in _words(settings, name)]
    found += _words(settings, "Where")
    return not within(program).isdisjoint(in_value(each, unit) for each in found) or awaits_mount(program, loadpath, "")


def _before(program: str, unit: str, directive: str, loadpath: LoadPath) -> Iterator[List[str]]:
    """The commands that run before one with that program, as their words; what a shell is given is taken apart, too."""
    settings = _own(unit, loadpath.effective(unit))
    for name in _STARTING if directive in _STARTING else (*_STARTING, directive):
        for line in settings.get(name, ()):
            for command in commands(in_value(line, unit)):
                if name == directive and apart(command[0].text)[1] == program:
                    return
                yield [part for word in command for part in _WORD.findall(word.text)]
        if name == directive:
            return


def _own(unit: str, text: Effective) -> Mapping[str, Sequence[str]]:
    return text.get(kind_of(unit).section, {})


def _last(settings: Mapping[str, Sequence[str]], name: str) -> str:
    values = settings.get(name, ())
    return values[-1] if values else ""


def _words(settings: Mapping[str, Sequence[str]], *names: str) -> List[str]:
    return [word for name in names for value in settings.get(name, ()) for word in value.split()]


def _candidates(program: str, settings: Mapping[str, Sequence[str]]) -> List[str]:
    if program.startswith("/"):
        return [program]
    folders = [folder for value in settings.get("ExecSearchPath", ()) for folder in value.split(":")]
    return [os.path.join(folder, program) for folder in folders or PATH.split(":")]


def _root(settings: Mapping[str, Sequence[str]], host: str) -> str:
    """The folder that is / to the unit. One that is empty may be where something will be mounted."""
    inside = _last(settings, "RootDirectory")
    if not inside:
        return host
    root = resolve(host + _told(inside), host)
    if not os.path.isdir(root) or not os.listdir(root):
        raise _UnseenError
    return "" if root == "/" else root


def _told(path: str) -> str:
    """A path as it is written, without the mark that it may be missing; not one that only the start resolves."""
    path = path.lstrip("-+")
    if "%" in path or "\\" in path or not path.startswith("/"):
        raise _UnseenError
    return path


def _places(path: str, settings: Mapping[str, Sequence[str]], root: str, host: str) -> Iterator[Tuple[str, str]]:
    """Where a path of the unit may lie, each with the root that its symbolic links are followed in."""
    bound = _bound(path, settings)
    if bound is not None:
        yield host + bound, host
        return
    yield root + path, root
    if path.startswith(_EXTENDED):
        for folder in _words(settings, "ExtensionDirectories"):
            yield host + _told(folder) + path, host


def _bound(path: str, settings: Mapping[str, Sequence[str]]) -> Optional[str]:
    """The host's path behind one that a bind mount covers, None where none does."""
    deepest, found = "", None
    for word in _words(settings, "BindPaths", "BindReadOnlyPaths"):
        source, _colon, rest = word.partition(":")
        source = _told(source)
        target = (rest.partition(":")[0] or source).rstrip("/")
        if (path == target or path.startswith(target + "/")) and len(target) >= len(deepest):
            deepest, found = target, source + path[len(target) :]
    return found


def _covered(path: str, settings: Mapping[str, Sequence[str]]) -> bool:
    """Does an image lie over it?"""
    if path.startswith(_EXTENDED) and _last(settings, "ExtensionImages"):
        return True
    targets = [word.split(":")[1] for word in _words(settings, "MountImages") if ":" in word]
    return any(path.startswith(target.rstrip("/") + "/") for target in targets)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where systemd's and our own files lie, by scope and root.

Private to the collection.
"""

from __future__ import annotations

import os
import pwd
from types import MappingProxyType
from typing import Dict, Iterator, Mapping, NamedTuple, Optional, Tuple

from .scopes import Scope, scope_of

# A file for each user whose manager outlives the user's sessions (logind, loginctl(1)).
_LINGER = "/var/lib/systemd/linger"
# What the names of the files and folders with secrets end in.
ENVIRONMENT, CREDENTIALS = ".env", ".credentials"
# Until then a user's state and logs lay in ~/.config.
_MADE_SINCE = 254


def account() -> Optional[pwd.struct_passwd]:
    """The entry of the user who runs this, None if there is none: a container may be run as any ID."""
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError:
        return None


def environ() -> Dict[str, str]:
    """The environment, with what a login would have set and become does not."""
    found = dict(os.environ)
    found.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    if not found["XDG_RUNTIME_DIR"].endswith(f"/{os.getuid()}"):  # become keeps the connecting user's
        found["XDG_RUNTIME_DIR"] = f"/run/user/{os.getuid()}"
    entry = account()
    if entry is not None:
        found["HOME"] = entry.pw_dir
    return found


def without_linger() -> str:
    """The user who runs this, if that user's manager does not outlive the sessions; else ""."""
    entry = account()
    name = entry.pw_name if entry is not None else str(os.getuid())
    return "" if os.path.exists(os.path.join(_LINGER, name)) else name


class Places(NamedTuple):
    """The folders of one scope. Every path is absolute and has `root` in front already.

    scope: its row. root: the folder of an image, "" for the host itself. units: where we write units and drop-ins.
    secrets: a folder an owner has below it, mode 0700. state: what we remember between runs. lookup: systemd's load
    path, highest priority first. manager: the manager's runtime folder (stamps, invocation IDs), "" where no manager
    runs for these files. home: what stands for the user's folders in paths of the scope. owner: uid and gid that our
    files have.
    """

    scope: Scope
    root: str
    units: str
    secrets: str
    state: str
    lookup: Tuple[str, ...]
    manager: str
    home: Mapping[str, str] = MappingProxyType({})
    owner: Tuple[int, int] = (0, 0)

    @property
    def lock(self) -> str:
        """The folder that two runs for the same files lock: one that is there before the first of them."""
        return self.manager if self.scope.in_home else self.units

    @property
    def under_way(self) -> str:
        """The folder of what drills and searches have in effect, which no boot leaves."""
        return os.path.join(os.path.dirname(self.manager), "unitwright")

    def inside(self, path: str) -> str:
        """The path as a process inside `root` sees it: what may stand in a unit file."""
        return path[len(self.root) :] if self.root else path

    def made(self, version: int) -> Dict[str, str]:
        """By directive, the folder below which a systemd makes those of a unit, as the unit's own processes see it."""
        folders = self.scope.folders
        made = folders.made if version >= _MADE_SINCE else {**folders.made, **folders.made_before_254}
        return {directive: folder.format(**self.home) for directive, folder in made.items()}

    def own_folders(self, path: str) -> Iterator[str]:
        """The folders that are made for a file and have no use once it is gone: NAME.d, an owner's secrets."""
        folder = os.path.dirname(path)
        while folder not in (self.units, os.path.dirname(self.secrets), "/"):
            yield folder
            folder = os.path.dirname(folder)

    def is_unit_file(self, path: str) -> bool:
        """Is it a unit file or a drop-in of ours?"""
        return path.startswith(self.units + os.sep)

    def is_secret(self, path: str) -> bool:
        return path.startswith(self.secrets + os.sep)

    def unit_of(self, path: str) -> str:
        """The unit that a unit file is for, or a drop-in of NAME.d."""
        folder, name = os.path.split(path)
        return os.path.basename(folder)[: -len(".d")] if folder.endswith(".d") else name

    def unit_file(self, name: str) -> str:
        return os.path.join(self.units, name)

    def dropin_file(self, unit: str, dropin: str) -> str:
        return os.path.join(self.units, unit + ".d", dropin)

    def environment_file(self, owner: str, stem: str) -> str:
        return os.path.join(self.secrets, owner, stem + ENVIRONMENT)

    def credential_file(self, owner: str, stem: str, credential: str) -> str:
        return os.path.join(self.secrets, owner, stem + CREDENTIALS, credential)

    @property
    def key_file(self) -> str:
        """The host's secret for stamps."""
        return os.path.join(self.state, "key")

    @property
    def accepted_file(self) -> str:
        """One for all owners: a unit of one may have been reloaded for the drop-in of another."""
        return os.path.join(self.state, "accepted.json")

    @property
    def stamps_file(self) -> str:
        """What stamps stand for, by keyed hashes. One for all owners, as a process carries those of several."""
        return os.path.join(self.state, "stamps.json")

    @property
    def instances_file(self) -> str:
        """Which instances owners have declared. One for all, as several may for one template of a package."""
        return os.path.join(self.state, "instances.json")

    def record_file(self, owner: str) -> str:
        return os.path.join(self.state, "running", owner + ".json")


def places(scope: Optional[str], root: str, environ: Dict[str, str], owner: Tuple[int, int] = (0, 0)) -> Places:
    """The folders of a scope, as the option says it.

    environ: has HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME and the like, by which those of a user are found.
    """
    row = scope_of(scope)
    root = os.path.normpath(root) if root else ""
    root = "" if root == "/" else root
    parts = _of_user(environ) if row.in_home else {}

    def placed(path: str) -> str:
        return root + path.format(**parts)

    return Places(
        scope=row,
        root=root,
        units=placed(row.folders.units),
        secrets=placed(row.folders.secrets),
        state=placed(row.folders.state),
        lookup=tuple(placed(folder) for folder in row.folders.lookup),
        manager="" if root else placed(row.folders.manager),
        home=parts,
        owner=owner,
    )


def _of_user(environ: Dict[str, str]) -> Dict[str, str]:
    home = environ["HOME"]
    return {
        "config": environ.get("XDG_CONFIG_HOME") or home + "/.config",
        "data": environ.get("XDG_DATA_HOME") or home + "/.local/share",
        "state": environ.get("XDG_STATE_HOME") or home + "/.local/state",
        "cache": environ.get("XDG_CACHE_HOME") or home + "/.cache",
        "runtime": environ["XDG_RUNTIME_DIR"],
    }

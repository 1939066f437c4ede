# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where systemd's and our own files lie, by scope and root.

Private to the collection.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

# A file for each user whose manager outlives the user's sessions (logind, loginctl(1)).
_LINGER = "/var/lib/systemd/linger"
# systemd.unit(5), "Unit File Load Path", highest priority first; PID 1 names the same in its UnitPath property.
_SYSTEM_LOOKUP = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
)
_USER_LOOKUP = (
    "{config}/systemd/user.control",
    "{runtime}/systemd/user.control",
    "{runtime}/systemd/transient",
    "{runtime}/systemd/generator.early",
    "{config}/systemd/user",
    "/etc/systemd/user",
    "{runtime}/systemd/user",
    "/run/systemd/user",
    "{runtime}/systemd/generator",
    "{data}/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/lib/systemd/user",
    "/usr/share/systemd/user",
    "{runtime}/systemd/generator.late",
)


def lingers() -> bool:
    """Does the manager of the user who runs this outlive the user's sessions?"""
    return os.path.exists(os.path.join(_LINGER, pwd.getpwuid(os.getuid()).pw_name))


@dataclass(frozen=True)
class Places:
    """The folders of one scope. Every path is absolute and has `root` in front already.

    units: where we write units and drop-ins. secrets: a folder an owner has below it, mode 0700.
    state: what we remember between runs. lookup: systemd's load path, highest priority first.
    manager: the manager's runtime folder (stamps, invocation IDs), "" where no manager runs for these files.
    owner: uid and gid that our files have.
    """

    scope: str
    root: str
    units: str
    secrets: str
    state: str
    lookup: Tuple[str, ...]
    manager: str
    owner: Tuple[int, int] = (0, 0)

    @property
    def lock(self) -> str:
        """The folder that two runs for the same files lock: one that is there before the first of them."""
        return self.manager if self.scope == "user" else self.units

    def inside(self, path: str) -> str:
        """The path as a process inside `root` sees it: what may stand in a unit file."""
        return path[len(self.root) :] if self.root else path

    def own_folders(self, path: str) -> Iterator[str]:
        """The folders that are made for a file and have no use once it is gone: NAME.d, an owner's secrets."""
        folder = os.path.dirname(path)
        while folder not in (self.units, os.path.dirname(self.secrets), "/"):
            yield folder
            folder = os.path.dirname(folder)

    def unit_file(self, name: str) -> str:
        return os.path.join(self.units, name)

    def dropin_file(self, unit: str, dropin: str) -> str:
        return os.path.join(self.units, unit + ".d", dropin)

    def environment_file(self, owner: str, stem: str) -> str:
        return os.path.join(self.secrets, owner, stem + ".env")

    def credential_file(self, owner: str, stem: str, credential: str) -> str:
        return os.path.join(self.secrets, owner, stem + ".credentials", credential)


def places(scope: str, root: str, environ: Dict[str, str], owner: Tuple[int, int] = (0, 0)) -> Places:
    """Folders for a scope: "system", "user" (HOME, XDG_CONFIG_HOME and the like are taken from environ) or "global"."""
    root = os.path.normpath(root) if root else ""
    root = "" if root == "/" else root
    if scope == "user":
        return _user_places(environ, owner)
    unit_dir = "/etc/systemd/system" if scope == "system" else "/etc/systemd/user"
    lookup: List[str] = list(_SYSTEM_LOOKUP) if scope == "system" else ["/etc/systemd/user", *_shared_user_lookup()]
    return Places(
        scope=scope,
        root=root,
        units=root + unit_dir,
        # Scope global takes no secrets, and must not see those of a system stack of the same name.
        secrets=root + ("/etc/unitwright" if scope == "system" else "/var/lib/unitwright/global/secrets"),
        state=root + "/var/lib/unitwright/" + scope,
        lookup=tuple(root + folder for folder in lookup),
        manager="/run/systemd" if scope == "system" and not root else "",
        owner=owner,
    )


def _shared_user_lookup() -> List[str]:
    start = _USER_LOOKUP.index("/etc/systemd/user") + 1
    return [folder for folder in _USER_LOOKUP[start:] if not folder.startswith("{")]


def _user_places(environ: Dict[str, str], owner: Tuple[int, int]) -> Places:
    home = environ["HOME"]
    config = environ.get("XDG_CONFIG_HOME") or home + "/.config"
    runtime = environ["XDG_RUNTIME_DIR"]
    data = environ.get("XDG_DATA_HOME") or home + "/.local/share"
    state = environ.get("XDG_STATE_HOME") or home + "/.local/state"
    return Places(
        scope="user",
        root="",
        units=config + "/systemd/user",
        secrets=config + "/unitwright",
        state=state + "/unitwright",
        lookup=tuple(folder.format(config=config, runtime=runtime, data=data) for folder in _USER_LOOKUP),
        manager=runtime + "/systemd",
        owner=owner,
    )

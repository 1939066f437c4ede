# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The scopes, a row for each: whose units they are, who looks after them, and where their files lie.

Private to the collection.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Dict, FrozenSet, Mapping, NamedTuple, Optional, Tuple


class Folders(NamedTuple):
    """Paths of a scope; {config}, {data}, {state}, {cache} and {runtime} are those of the user (XDG Base Directory).

    units: where we write. secrets: a folder an owner has below it. state: what we remember between runs. manager: the
    manager's runtime folder. lookup: systemd's load path, highest priority first (systemd.unit(5); PID 1 names the
    same in its UnitPath property). made: by directive, the folder below which systemd makes those that it names, before
    it starts anything (systemd.exec(5)). made_before_254: those that were others until then.
    """

    units: str
    secrets: str
    state: str
    manager: str
    lookup: Tuple[str, ...]
    made: Mapping[str, str]
    made_before_254: Mapping[str, str] = MappingProxyType({})


class Scope(NamedTuple):
    """Whose units they are.

    name: what the option says; systemctl has a flag of that name. folders: where the files lie. by_root: only root may
    write them, be it in an image. in_home: they lie in a home, where the user may have linked folders anywhere, and
    where the folder for units may be missing yet. has_manager: there is one manager that runs them. of_session: that
    is the user's own, reached by a socket of its runtime folder, and it may end with the user's last session.
    keeps_stamps: it keeps what LogExtraFields= said when a process was started. takes_secrets: what reads the units
    may read a file that is for their owner alone. of_users: they are units for users' managers. journal_prefix: how the
    journal fields begin with which its manager speaks of units. lacking: targets of the system that it has not
    (systemd.special(7)).
    """

    name: str
    folders: Folders
    by_root: bool
    in_home: bool
    has_manager: bool
    of_session: bool
    keeps_stamps: bool
    takes_secrets: bool
    of_users: bool
    journal_prefix: str
    lacking: FrozenSet[str]

    @property
    def flag(self) -> str:
        return f"--{self.name}"

    @property
    def is_of_host(self) -> bool:
        """Does the host's own manager, PID 1, run its units?"""
        return self.has_manager and not self.of_users

    @property
    def at_boot(self) -> str:
        """The target that starts services when the manager comes up (systemd.special(7))."""
        return "default.target" if _MULTI_USER in self.lacking else _MULTI_USER


_SHARED_USER_LOOKUP = (
    "/usr/local/lib/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/lib/systemd/user",
    "/usr/share/systemd/user",
)
_MULTI_USER = "multi-user.target"
_OF_SYSTEM = frozenset((_MULTI_USER, "graphical.target"))

_ROWS = (
    Scope(
        name="system",
        folders=Folders(
            units="/etc/systemd/system",
            secrets="/etc/unitwright",
            state="/var/lib/unitwright/system",
            manager="/run/systemd",
            lookup=(
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
            ),
            made={
                "RuntimeDirectory": "/run",
                "StateDirectory": "/var/lib",
                "CacheDirectory": "/var/cache",
                "LogsDirectory": "/var/log",
                "ConfigurationDirectory": "/etc",
            },
        ),
        by_root=True,
        in_home=False,
        has_manager=True,
        of_session=False,
        keeps_stamps=True,
        takes_secrets=True,
        of_users=False,
        journal_prefix="",
        lacking=frozenset(),
    ),
    Scope(
        name="user",
        folders=Folders(
            units="{config}/systemd/user",
            secrets="{config}/unitwright",
            state="{state}/unitwright",
            manager="{runtime}/systemd",
            lookup=(
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
                *_SHARED_USER_LOOKUP,
                "{runtime}/systemd/generator.late",
            ),
            made={
                "RuntimeDirectory": "{runtime}",
                "StateDirectory": "{state}",
                "CacheDirectory": "{cache}",
                "LogsDirectory": "{state}/log",
                "ConfigurationDirectory": "{config}",
            },
            made_before_254={"StateDirectory": "{config}", "LogsDirectory": "{config}/log"},
        ),
        by_root=False,
        in_home=True,
        has_manager=True,
        of_session=True,
        keeps_stamps=False,
        takes_secrets=True,
        of_users=True,
        journal_prefix="USER_",
        lacking=_OF_SYSTEM,
    ),
    Scope(
        name="global",
        folders=Folders(
            units="/etc/systemd/user",
            # There are none; those of a system stack of the same name must not be taken for them.
            secrets="/var/lib/unitwright/global/secrets",
            state="/var/lib/unitwright/global",
            manager="",
            lookup=("/etc/systemd/user", "/run/systemd/user", *_SHARED_USER_LOOKUP),
            # Each user has others.
            made={},
        ),
        by_root=True,
        in_home=False,
        has_manager=False,
        of_session=False,
        keeps_stamps=False,
        takes_secrets=False,
        of_users=True,
        journal_prefix="",
        lacking=_OF_SYSTEM,
    ),
)
SCOPES: Dict[str, Scope] = {row.name: row for row in _ROWS}
DEFAULT_SCOPE = next(row.name for row in _ROWS if row.is_of_host)


def scope_of(option: Optional[str]) -> Scope:
    """The scope that the option says, DEFAULT_SCOPE where it says none."""
    return SCOPES[option or DEFAULT_SCOPE]

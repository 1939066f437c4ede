# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What lets a unit at a file or a folder: never that a folder of the system, or another's home, is opened to it.

Private to the collection.
"""

from __future__ import annotations

import grp
import os
import posixpath
import pwd
from typing import Mapping, Optional, Sequence

from .._syntax.loadpath import HARDENING_DROPIN
from .._syntax.names import misnamed, parse_name
from .._syntax.unitfile import Placed
from .incident import Incident
from .views import WRITE, Who, below

# file-hierarchy(7): folders that all of the host share, and those with all that lies below them.
_SHARED = frozenset(
    "/ /bin /etc /home /lib /lib32 /lib64 /libx32 /run /run/user /sbin /tmp /usr /var /var/backups /var/cache /var/lib "
    "/var/lib/private /var/local /var/log /var/mail /var/spool /var/tmp".split()
)
_WHOLLY = ("/boot", "/dev", "/efi", "/proc", "/root", "/sys", "/usr")
# login.defs(5), UID_MIN: accounts of people, whose homes are their own.
_PEOPLE = range(1000, 60000)


def of_system(path: str) -> bool:
    """Is it a folder that nobody may be given, as all of the host relies on it?"""
    return path in _SHARED or any(below(path, each) for each in _WHOLLY)


def _of_another(path: str, who: Who) -> bool:
    homes = [each for each in pwd.getpwall() if each.pw_uid in _PEOPLE and each.pw_uid != who.uid]
    return any(below(path, each.pw_dir) for each in homes if not of_system(each.pw_dir))


# Whose opt-outs mend what stands in its drop-in.
OF_OPTION = "in the option hardening"
_ELSEWHERE = "have it below /opt or /srv, where that user may read it"


def let_in(who: Who, closed: str) -> str:
    """What lets an account enter a folder that is closed to it."""
    if of_system(closed) or _of_another(closed, who):
        return _ELSEWHERE
    return f"let that user in, as by chmod or chown of {closed}"


def let_do(incident: Incident, who: Who, goal: str, path: str, wanted: Sequence[int]) -> str:
    """What lets an account do what it wanted with a file or folder; path: where that was meant to be, or is."""
    if WRITE in wanted and of_system(goal):
        return _own_folder(incident, path)
    if of_system(goal) or _of_another(goal, who):
        return _ELSEWHERE
    group = _group_that_may(goal, wanted)
    return f"add {group} to SupplementaryGroups=" if group else f"let that user, as by chown or chmod of {goal}"


def _group_that_may(path: str, wanted: Sequence[int]) -> str:
    """The group of a file of the system's configuration that lets its members; "" if there is none."""
    status = os.stat(path)
    lets = all(status.st_mode >> 3 & each for each in wanted)
    if not lets or status.st_gid == 0 or not below(path, "/etc"):
        return ""
    try:
        return grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        return ""


def make_writable(incident: Incident, directive: str, placed: Optional[Placed], path: str, folder: str) -> str:
    """What lets it write a path that a directive makes read-only."""
    exists = os.path.exists(path) and not os.path.isdir(path)
    if of_system(folder) and not exists:
        return _own_folder(incident, path)
    wanted = path if of_system(folder) else folder
    if of_hardening(placed) and directive == "ProtectSystem":
        return f"add {wanted} to read_write_paths {OF_OPTION}"
    if of_hardening(placed) and directive == "ProtectHome":
        return allowed("home")
    return f"add ReadWritePaths={wanted} to [{incident.section}]"


def allowed(opt_out: str) -> str:
    """What a profile has taken away is given back by an opt-out."""
    return f"allow it {OF_OPTION}: allow: [{opt_out}]"


def of_hardening(placed: Optional[Placed]) -> bool:
    """Does a line stand in the drop-in that the option hardening writes?"""
    return placed is not None and posixpath.basename(placed.path) == f"{HARDENING_DROPIN}.conf"


def _own_folder(incident: Incident, path: str) -> str:
    if incident.of_user:
        return "have it write in the home of that user"
    return own_folder(incident.unit, path, incident.made)


def own_folder(unit: str, path: str, made: Mapping[str, str]) -> str:
    """A folder of its own, that systemd makes and gives to the user of a unit.

    path: what it would write. made: by directive, where systemd makes them.
    """
    # Configuration is for people to write: what systemd makes for it belongs to root.
    writable = {name: base for name, base in made.items() if name != "ConfigurationDirectory"}
    for directive, base in writable.items():
        if base != path and below(path, base) and not below(path, "/run/user"):
            name, _slash, rest = path[len(base) + 1 :].partition("/")
            if rest:
                return f"have systemd make {base}/{name} for it by {directive}={name}"
            return f"have it write to {base}/{_name(unit)}, which {directive}={_name(unit)} makes for it"
    name = _name(unit)
    return f"have it write to {made['StateDirectory']}/{name}, which StateDirectory={name} makes for it"


def _name(unit: str) -> str:
    prefix = "" if misnamed(unit) else parse_name(unit).prefix
    return prefix if prefix and "\\" not in prefix else "NAME"

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether what is mounted, or swapped to, is what its unit's text says. Pure.

Someone may have mounted it by hand, or the kernel before systemd. Private to the collection.
"""

from __future__ import annotations

from typing import FrozenSet, Iterator, NamedTuple, Optional, Tuple

from .._desired.stack import Desired
from .._host.mounts import InPlace
from .._host.observed import units_under
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import last
from .._syntax.unitfile import Effective

# fstab(5): by what a device is found, and the folder in which udev has it by that.
_TAGS = {
    "UUID": "/dev/disk/by-uuid/",
    "LABEL": "/dev/disk/by-label/",
    "PARTUUID": "/dev/disk/by-partuuid/",
    "PARTLABEL": "/dev/disk/by-partlabel/",
}
# Their source is but a word: proc(5), tmpfs(5).
_WITHOUT_SOURCE = frozenset(
    "tmpfs ramfs devtmpfs proc sysfs devpts mqueue hugetlbfs debugfs tracefs configfs securityfs overlay".split()
)
# mount(8), fstab(5): options that no kernel is told, and those of what it does anyway, which it does not tell.
_OF_USERSPACE = frozenset("defaults auto noauto nofail _netdev user nouser users owner group bind rbind".split())
_USUAL = frozenset("rw suid dev exec async atime diratime relatime nomand nostrictatime nolazytime symfollow".split())
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_IN_OCTAL = ("mode", "umask", "fmask", "dmask")


class Unlike(NamedTuple):
    """What is in place (there) is not what the text says: directives that differ, each as NAME=VALUE."""

    there: str
    directives: Tuple[str, ...]


def unlike(unit: str, text: Effective, there: Optional[InPlace], by_unit: bool) -> Optional[Unlike]:
    """None if it is as it is declared, as far as that can be told.

    by_unit: systemd has put it there by a text of that unit. Its options are not compared then: the kernel rewrites
    them, and a change of the text tells when they have to be looked at.
    """
    section = kind_of(unit).section
    if there is None:
        return None
    written = text.get(section, {})
    found = [directive for directive in _differing(section, text, there) if written.get(directive)]
    if by_unit:
        found = [directive for directive in found if directive not in ("Options", "Priority")]
    said = tuple(f"{directive}={','.join(written[directive])}" for directive in found)
    return Unlike(str(there), said) if found else None


def of_dropins(unit: str, desired: Desired, after: LoadPath) -> Effective:
    """Of a unit's merged text what drop-ins of this declaration say; the rest is not ours to judge."""
    over = [each for each in desired.dropins if each.present and unit in units_under([unit], each.unit.text)]
    said = {(entry.section, entry.directive) for each in over for entry in each.entries}
    return {
        section: {directive: values for directive, values in lines.items() if (section, directive) in said}
        for section, lines in after.effective(unit).items()
    }


def _differing(section: str, text: Effective, there: InPlace) -> Iterator[str]:
    what, wanted = last(text, section, "What"), last(text, section, "Type")
    options = [option for value in text.get(section, {}).get("Options", []) for option in value.split(",") if option]
    bound = {"bind", "rbind"}.intersection(options)
    named = not bound and wanted not in ("", "auto", "none")
    if named and not _same_type(wanted, there.type):
        yield "Type"
    meaningless = wanted == there.type and wanted in _WITHOUT_SOURCE
    if there.names and "%" not in what and not meaningless and not _names_of(what) & there.names:
        yield "What"
    if not all(_in_force(option, frozenset(map(_normal, there.options))) for option in options):
        yield "Options"
    priority = last(text, section, "Priority")
    if priority and f"pri={priority}" not in there.options:
        yield "Priority"


def _same_type(wanted: str, there: str) -> bool:
    """fuse is told with what is behind it, and a newer driver may serve an older type."""
    first, second = wanted.split(".", maxsplit=1)[0], there.split(".", maxsplit=1)[0]
    return (
        first == second or "fuse" in second or {first, second} == {"nfs", "nfs4"} or {first, second} == {"ext3", "ext4"}
    )


def _names_of(what: str) -> FrozenSet[str]:
    tag, equals, value = what.partition("=")
    if equals and tag in _TAGS:
        value = value.strip('"').replace(" ", "\\x20")
        return frozenset({_TAGS[tag] + value, _TAGS[tag] + value.lower(), _TAGS[tag] + value.upper()})
    return frozenset({what, what.rstrip("/") or "/"})


def _in_force(option: str, there: FrozenSet[str]) -> bool:
    name = option.split("=", maxsplit=1)[0]
    if name in _OF_USERSPACE or name == "comment" or name.lower().startswith("x-"):
        return True
    opposite = {"rw": "ro", "atime": "noatime"}.get(option, f"no{option}")
    finer = (f"{option}:", f"{option}.")  # compress=zstd is told as compress=zstd:3, vers=4 as vers=4.2
    told = _normal(option) in there or any(each.startswith(finer) for each in there)
    return told or (option in _USUAL and opposite not in there)


def _normal(option: str) -> str:
    """size=5M is told as size=5120k, mode=0755 as mode=755, subvol=a as subvol=/a."""
    name, _equals, value = option.partition("=")
    if name == "subvol":
        return f"{name}=/{value.lstrip('/')}"
    if name in _IN_OCTAL:
        return f"{name}={value.lstrip('0')}"
    if value[:-1].isdigit() and value[-1].lower() in _UNITS:
        return f"{name}={int(value[:-1]) * _UNITS[value[-1].lower()]}"
    return option

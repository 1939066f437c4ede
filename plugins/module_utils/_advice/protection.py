# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What there is to say of a directive that protects a host from a service. Private to the collection."""

from __future__ import annotations

import enum
from typing import Mapping, NamedTuple, Optional, Tuple

from .._syntax.directives import Catalogue
from .._syntax.meaning import truth
from .._syntax.versions import came_with, value_came_with
from .levels import LEVELS

OLDEST = 247
# A systemd of a user gives a service a mount namespace of its own only since then, but for one with PrivateUsers=yes.
USERS_MOUNTS = 257
_DISABLED = "NOTSUPPORTED"
# Of directives with one value those whose empty line takes back what was said, from that version on; of all others it
# is passed over with a warning (each tried on 247, 252, 257 and 262; between those the earlier one that may be).
_EMPTIED = {
    "RestrictNamespaces": OLDEST,
    "SystemCallErrorNumber": OLDEST,
    "MemoryKSM": OLDEST,
    "PrivateMounts": 253,
    "ProtectHostname": 258,
}


class Merge(enum.Enum):
    """How a directive adds up with what a unit has already.

    LADDER: one value, from weak to strict. MASK: one octal value, of which the bits add up. The others are lists.
    """

    LADDER = "ladder"
    MASK = "mask"
    NAMES = "names"
    CALLS = "calls"
    ERRNO = "errno"
    ADDRESSES = "addresses"
    GROUPS = "groups"


class OfUsers(enum.Enum):
    """What a directive does in the manager of a user."""

    WORKS = "works"
    MOUNTS = "needs a mount namespace"
    FAILS = "the unit would not start"
    NOTHING = "has no effect there"


class Protection(NamedTuple):
    """A directive.

    name: of the directive. weight: what it counts for in `systemd-analyze security`. of_users: what it does in a user's
    manager. stops: what the service, or who has taken it over, can no longer do. breaks: which services cannot live
    with it. allow: the opt-outs that are for such services. merge: how it adds up with what a unit has. order: its
    values from weak to strict, the first being what holds where nothing is said. levels: its lines by profile, from
    that one on until another is named.
    """

    name: str
    weight: int
    of_users: OfUsers
    stops: str
    breaks: str
    allow: Tuple[str, ...]
    merge: Merge
    order: Tuple[str, ...]
    levels: Mapping[str, Tuple[str, ...]]

    @property
    def since(self) -> int:
        """The version that it came with, OLDEST for what is older."""
        came = came_with("Service", self.name)
        return came[1] if came else OLDEST

    def lines(self, level: str, version: int) -> Tuple[str, ...]:
        """Its lines in a profile; of values that are newer than the host, those of the profile before."""
        chosen: Tuple[str, ...] = ()
        for each in LEVELS[: LEVELS.index(level) + 1] if level in LEVELS else (level,):
            newest = max((value_came_with(self.name, line) or 0 for line in self.levels.get(each, ())), default=0)
            if each in self.levels and newest <= version:
                chosen = self.levels[each]
        return chosen

    def rank(self, value: str) -> int:
        """How strict a value is, by its place in the order; what is no word of it where there is a star."""
        if not value:
            return 0
        word = self._word(value)
        return self.order.index(word if word in self.order else "*")

    def takes(self, value: str, version: int) -> bool:
        """Does a systemd of that version go by such a line? One that it does not know it passes over with a warning."""
        if self.merge not in (Merge.LADDER, Merge.MASK, Merge.ERRNO):
            return True
        if not value:
            return version >= _EMPTIED.get(self.name, version + 1)
        if self.merge is Merge.LADDER:
            known = "*" in self.order or self._word(value) in self.order
            return known and (value_came_with(self.name, value) or 0) <= version
        return self.merge is not Merge.MASK or octal(value) is not None

    def _word(self, value: str) -> str:
        word = value.partition(":")[0]
        means = truth(word)
        return word if means is None else "yes" if means else "no"

    def missing(self, catalogue: Catalogue) -> Optional[str]:
        """Why a host's systemd cannot do it, None if it can."""
        known = catalogue.type_of("Service", self.name)
        if known is None:
            came = f"came with systemd {self.since}; " if self.since > OLDEST else ""
            return f"{came}this host has {catalogue.version}"
        return "this host's systemd was built without it" if known == _DISABLED else None


def octal(value: str) -> Optional[int]:
    try:
        return int(value, 8)
    except ValueError:
        return None

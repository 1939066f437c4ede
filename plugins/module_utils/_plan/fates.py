# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a call of systemctl is, and what becomes of a unit by one. Private to the collection."""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING, FrozenSet, Mapping, NamedTuple, Tuple

if TYPE_CHECKING:
    from .._syntax.relations import Because


class Becomes(enum.Enum):
    """What is left of a unit when all is done: down, up by another process than before, or up where it was down."""

    DOWN = "down"
    ANEW = "anew"
    UP = "up"

    @property
    def verb(self) -> str:
        return {Becomes.DOWN: "stop", Becomes.ANEW: "restart", Becomes.UP: "start"}[self]


class Call(NamedTuple):
    """One call of systemctl: a verb and its units, which systemd takes as separate jobs, in this order.

    alone: without jobs for what they require, or for what requires them.
    """

    verb: str
    units: Tuple[str, ...]
    alone: bool = False


class Foretold(NamedTuple):
    """What becomes of units by the jobs of a plan.

    fates: by unit. outdone: units that are down in the end by Conflicts=, as consequences.outdone has them; some come
    up first in the same run. unneeded: units that are down in the end as nothing needs them. reloads: units that are
    reloaded with another one, with why (PropagatesReloadTo=).
    """

    fates: Mapping[str, Fate] = MappingProxyType({})
    outdone: Mapping[str, Tuple[str, str]] = MappingProxyType({})
    unneeded: FrozenSet[str] = frozenset()
    reloads: Mapping[str, Because] = MappingProxyType({})


class Fate(NamedTuple):
    """What becomes of a unit.

    unit: its name. was_up: was it up before? becomes: what is left of it. cause: why it went down for good, else why it
    first went down, or came up. lasts: does it then stay as it is, or end by itself?
    """

    unit: str
    was_up: bool
    becomes: Becomes
    cause: Because
    lasts: bool = True

    def __str__(self) -> str:
        return f"{self.becomes.verb}s {self.unit} ({self.cause})"

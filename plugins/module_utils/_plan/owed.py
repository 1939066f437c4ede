# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a run that was cut off has left to be done. Private to the collection."""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Mapping, NamedTuple, Tuple

from .expected import Expected


class Owed(enum.Enum):
    """Something that a unit still needs. The values stand in records on disk.

    START: it is down. WANTED: it is down, and a running unit wants it from now on. PULL: it runs, and is started all
    the same, which starts what it is bound to from now on (in records of earlier versions, all that it newly wants).
    CYCLE: down and up with its sockets.
    """

    START = "start"
    WANTED = "wanted"
    PULL = "pull"
    CYCLE = "cycle"
    STOP = "stop"
    RESTART = "restart"
    RUN = "run"
    RELOAD = "reload"
    TOUCH_SLICE = "touch-slice"
    RESET_FAILED = "reset-failed"


# What can be owed to a unit that goes on running, one beside the other.
LASTING = frozenset((Owed.RELOAD, Owed.PULL, Owed.RESET_FAILED, Owed.TOUCH_SLICE))

Owing = Tuple[Owed, ...]


def as_text(owing: Owing) -> str:
    """As a record and a result have it: "reload pull"."""
    return " ".join(each.value for each in owing)


def from_text(text: str) -> Owing:
    """What `as_text` has written. Raises ValueError for anything else."""
    return tuple(Owed(word) for word in text.split())


class Pending(NamedTuple):
    """What an interrupted run has left.

    owed: by unit. unproved: units whose health it never saw, with what was expected of them. since: when it began, ""
    if no run was interrupted.
    """

    owed: Mapping[str, Owing] = MappingProxyType({})
    unproved: Mapping[str, Expected] = MappingProxyType({})
    since: str = ""


NOTHING_PENDING = Pending()

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a job of one unit makes of the units that it is related to: systemd's rules, each stated once.

By systemd.unit(5), and by experiment on 247, 252, 257 and 262. Private to the collection.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Dict


class Does(enum.Enum):
    """What systemd does to a related unit, in the same transaction as the job."""

    NOTHING = ""
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    VERIFY = "verify"


@dataclass(frozen=True)
class Relation:
    """What a job of a unit makes of those that one of its properties names.

    directive: how the relation is written in a unit file, on whichever side. stop, restart, start: what is done to them
    when the unit gets such a job; a restart is handed on only to what is active, a stop to what is not yet down, a
    start to what is down. needs_it: while one of them is up, the unit is needed (StopWhenUnneeded=). upholds_it: while
    one of them is up, the unit is started again when it goes down. triggers: the one starts the other at a time of its
    own.
    """

    directive: str
    stop: Does = Does.NOTHING
    restart: Does = Does.NOTHING
    start: Does = Does.NOTHING
    needs_it: bool = False
    upholds_it: bool = False
    triggers: bool = False


# By the property under which systemd lists them (org.freedesktop.systemd1(5)). Upholds= and PropagatesStopTo= came with
# 249. The last two: what a socket, timer or path starts, and what starts a unit.
RELATIONS: Dict[str, Relation] = {
    "Requires": Relation("Requires", start=Does.START),
    "BindsTo": Relation("BindsTo", start=Does.START),
    "Wants": Relation("Wants", start=Does.START),
    "Upholds": Relation("Upholds", start=Does.START),
    "Requisite": Relation("Requisite", start=Does.VERIFY),
    "Conflicts": Relation("Conflicts", start=Does.STOP, restart=Does.STOP),
    "ConflictedBy": Relation("Conflicts", start=Does.STOP, restart=Does.STOP),
    "RequiredBy": Relation("Requires", stop=Does.STOP, restart=Does.RESTART, needs_it=True),
    "RequisiteOf": Relation("Requisite", stop=Does.STOP, restart=Does.RESTART, needs_it=True),
    "BoundBy": Relation("BindsTo", stop=Does.STOP, restart=Does.RESTART, needs_it=True),
    "ConsistsOf": Relation("PartOf", stop=Does.STOP, restart=Does.RESTART),
    "PropagatesStopTo": Relation("PropagatesStopTo", stop=Does.STOP),
    "WantedBy": Relation("Wants", needs_it=True),
    "UpheldBy": Relation("Upholds", needs_it=True, upholds_it=True),
    "Triggers": Relation("Service", triggers=True),
    "TriggeredBy": Relation("Service", triggers=True),
}

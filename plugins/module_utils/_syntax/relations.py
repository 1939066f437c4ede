# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a job of one unit makes of the units that it is related to: systemd's rules, each stated once.

By systemd.unit(5), and by experiment on 247, 252, 257 and 262. Private to the collection.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Callable, Deque, Dict, Iterable, Iterator, NamedTuple, Set


class Does(enum.Enum):
    """What systemd does to a related unit, in the same transaction as the job."""

    NOTHING = ""
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RELOAD = "reload"
    VERIFY = "verify"


class Because(NamedTuple):
    """Why something happens to a unit: because of which other one, and by which directive; both "" for its own job."""

    unit: str = ""
    directive: str = ""

    def __str__(self) -> str:
        return f"{self.directive}= of {self.unit}" if self.unit else f"{self.directive}="


class Relation(NamedTuple):
    """What a job of a unit makes of those that one of its properties names.

    directive: how the relation is written in a unit file, on whichever side. inverse: the same, seen from them. stop,
    restart, start, reload: what is done to them when the unit gets such a job; a restart or reload is handed on only to
    what is active, and a reload only to what can do one, a stop to what is not yet down, a start to what is down.
    matters: the job is not done without that. needs_it: while one of them is up, the unit is needed
    (StopWhenUnneeded=). triggers: the one starts the other at a time of its own. follows: they are started once the
    unit has ended well.
    """

    directive: str
    inverse: str
    stop: Does = Does.NOTHING
    restart: Does = Does.NOTHING
    start: Does = Does.NOTHING
    reload: Does = Does.NOTHING
    matters: bool = True
    needs_it: bool = False
    triggers: bool = False
    follows: bool = False

    def handed_on(self, does: Does) -> Does:
        """What a job of the unit makes of them; a restart is a start as well."""
        if does is Does.RESTART:
            return self.start if self.restart is Does.NOTHING else self.restart
        handed = {Does.START: self.start, Does.STOP: self.stop, Does.RELOAD: self.reload}
        return handed.get(does, Does.NOTHING)


# By the property under which systemd lists them (org.freedesktop.systemd1(5)), in the order in which it hands jobs on.
# The last two: what a socket, timer or path starts, and what starts it.
RELATIONS: Dict[str, Relation] = {
    "Requires": Relation("Requires", "RequiredBy", start=Does.START),
    "BindsTo": Relation("BindsTo", "BoundBy", start=Does.START),
    "Wants": Relation("Wants", "WantedBy", start=Does.START, matters=False),
    "Upholds": Relation("Upholds", "UpheldBy", start=Does.START, matters=False),
    "Requisite": Relation("Requisite", "RequisiteOf", start=Does.VERIFY),
    "Conflicts": Relation("Conflicts", "ConflictedBy", start=Does.STOP),
    "ConflictedBy": Relation("Conflicts", "Conflicts", start=Does.STOP, matters=False),
    "RequiredBy": Relation("Requires", "Requires", stop=Does.STOP, restart=Does.RESTART, needs_it=True),
    "RequisiteOf": Relation("Requisite", "Requisite", stop=Does.STOP, restart=Does.RESTART, needs_it=True),
    "BoundBy": Relation("BindsTo", "BindsTo", stop=Does.STOP, restart=Does.RESTART, needs_it=True),
    "ConsistsOf": Relation("PartOf", "PartOf", stop=Does.STOP, restart=Does.RESTART),
    "PropagatesStopTo": Relation("PropagatesStopTo", "StopPropagatedFrom", stop=Does.STOP),
    "PropagatesReloadTo": Relation("PropagatesReloadTo", "ReloadPropagatedFrom", reload=Does.RELOAD, matters=False),
    "WantedBy": Relation("Wants", "Wants", needs_it=True),
    "UpheldBy": Relation("Upholds", "Upholds", needs_it=True),
    "PartOf": Relation("PartOf", "ConsistsOf"),
    "StopPropagatedFrom": Relation("PropagatesStopTo", "PropagatesStopTo"),
    "ReloadPropagatedFrom": Relation("PropagatesReloadTo", "PropagatesReloadTo"),
    "After": Relation("After", "Before"),
    "OnSuccess": Relation("OnSuccess", "OnSuccessOf", follows=True),
    "OnSuccessOf": Relation("OnSuccess", "OnSuccess"),
    "Triggers": Relation("Service", "TriggeredBy", triggers=True),
    "TriggeredBy": Relation("Service", "Triggers", triggers=True),
}

# Older versions do not know these, and nothing comes of them.
NEW_SINCE = 249
NEW = ("Upholds", "PropagatesStopTo", "StopPropagatedFrom", "OnSuccess", "UpheldBy")

# What the start of a unit pulls in, and what pulls a unit in.
PULLS_IN = tuple(sorted(name for name, each in RELATIONS.items() if each.start is Does.START))
PULLED_IN_BY = tuple(RELATIONS[name].inverse for name in PULLS_IN)
# What a unit cannot be up without: what takes it down by a stop, and that it needs. And what cannot be up without it.
NEEDED_BY = tuple(name for name, each in RELATIONS.items() if each.stop is Does.STOP and each.needs_it)
NEEDS = tuple(RELATIONS[name].inverse for name in NEEDED_BY)
# What of that its start brings up, too.
REQUIRES = tuple(name for name in NEEDS if name in PULLS_IN)
# With what a unit is restarted.
RESTARTED_WITH = tuple(each.directive for each in RELATIONS.values() if each.restart is Does.RESTART)
# While one of these is down, systemd stops the unit, by itself and at any time.
BINDING = "BindsTo"
# What a unit keeps from being unneeded while it is up (StopWhenUnneeded=), and what keeps it from that.
USES = tuple(name for name, each in RELATIONS.items() if each.start in (Does.START, Does.VERIFY))
USED_BY = tuple(name for name, each in RELATIONS.items() if each.needs_it)
# What the end of a unit starts: a failure, or its success.
AT_END = ("OnFailure", "OnSuccess")
# What of all that may well be nowhere: neither systemd nor its verify minds.
WISHES = (*(name for name in PULLS_IN if not RELATIONS[name].matters), *AT_END)
# The directives of [Unit] by which a job of one unit may do something to another.
RELATED = (
    *("Requires", "Requisite", "BindsTo", "PartOf", "Wants", "Upholds", "Conflicts"),
    *("PropagatesStopTo", "StopPropagatedFrom", "PropagatesReloadTo", "ReloadPropagatedFrom", "OnSuccess"),
)
# By what systemd knows that two units work together, so that the one may well answer for the other.
WORKS_WITH = ("After", "Before", "Wants", "WantedBy", "RequiredBy", "PartOf", "ConsistsOf", *NEEDS)


def reached(units: Iterable[str], related: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """These units and all that they lead to, to the end: each once, and the nearest first.

    related: what one unit leads to, asked only once all that is nearer has been taken.
    """
    ahead: Deque[str] = deque(dict.fromkeys(units))
    seen: Set[str] = set(ahead)
    while ahead:
        unit = ahead.popleft()
        yield unit
        more = [other for other in dict.fromkeys(related(unit)) if other not in seen]
        seen.update(more)
        ahead.extend(more)

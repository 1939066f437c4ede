# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who answers the checks of a unit, if that is another one in its place.

A check may be answered by a proxy, by what forwards a port, or by another service that the unit works for. That is as
it shall be, and looks the same from outside. So another one only counts where the unit has said itself that it was
refused the address. What that takes is imported only where a check has passed. Private to the collection.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, AbstractSet, Any, List, Optional, Sequence, Tuple

from .._host.health import Place
from .._host.looks import Look
from .._host.manager import Manager, all_names
from .._syntax.relations import WORKS_WITH

if TYPE_CHECKING:
    from .holders import Holder


def answered_by_another(manager: Manager, look: Look, places: Sequence[Place]) -> str:
    """What is to be said of one that answers in the unit's place, "" where none does, or nobody can tell."""
    own = _processes(manager, look.unit)
    for place in places if own else ():
        others = _others(place, own, look.unit)
        line = _refused(manager, look, place) if others else ""
        if line:
            told = f"{place} is answered by {others[0]}, as it was refused to the unit itself ({line})"
            return f"{told}: stop that one, or give one of the two another address"
    return ""


def instead(manager: Manager, unit: str, places: Sequence[Place]) -> Optional[Tuple[Place, Holder]]:
    """Who answers for a unit that listens nowhere, and has nothing to do with that one as far as systemd knows."""
    from . import holders  # noqa: PLC0415 (as below)

    own = _processes(manager, unit)
    others = [(place, other) for place in places for other in (_others(place, own, unit) if own else ())]
    if not others or holders.of_these(holders.all_listeners(), own):
        return None
    related = all_names(manager.show([unit], WORKS_WITH)[unit], WORKS_WITH)
    begun = min(map(holders.begun, own))
    # What a unit's start has brought up itself, as a container's port, is younger.
    return next((each for each in others if each[1].unit not in related and holders.begun(each[1].pid) < begun), None)


def _processes(manager: Manager, unit: str) -> AbstractSet[int]:
    """None where one of them has a network of its own: then it listens where we do not see it."""
    from .._host.workload import processes  # noqa: PLC0415 (only where a check has passed)
    from . import holders  # noqa: PLC0415 (the same)

    own = processes(manager, unit)
    return own if all(holders.network(pid) == holders.network(os.getpid()) for pid in own) else frozenset()


def _others(place: Place, own: AbstractSet[int], unit: str) -> List[Holder]:
    """Processes of other units that listen there, none if one of the unit's own does, or systemd for a socket."""
    if not place.path and not _is_of_this_host(place):
        return []
    from . import holders  # noqa: PLC0415 (as above)

    inodes = holders.listeners_at(place.path) if place.path else holders.listeners_on(place.port)
    if holders.of_these(inodes, own):
        return []
    found = holders.of_these(inodes)
    return [] if any(each.pid == 1 for each in found) else [each for each in found if each.unit not in ("", unit)]


def _is_of_this_host(place: Place) -> bool:
    """A packet to an address of this host would come from that address itself. None is sent for that."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    return any(_comes_from(family, address) == address[0] for family, _type, _protocol, _name, address in found)


def _comes_from(family: int, address: Tuple[Any, ...]) -> str:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _refused(manager: Manager, look: Look, place: Place) -> str:
    """The line in which the unit has said that somebody else has that address, "" if it has said none."""
    from . import why, why_ports  # noqa: PLC0415 (only where another one listens)

    incident = why.of_present_run(manager, look.unit, look.run.invocation)
    return why_ports.refused(incident, place.port, place.path) if incident else ""

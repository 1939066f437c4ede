# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is meant where a declaration leaves state and enablement open: by the texts as systemd will merge them. Pure.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Set

from .._syntax.activation import starts
from .._syntax.install import installs
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import is_run_once, refuses_start, stops_unneeded
from .._syntax.special import ending
from .stack import Desired, Meant, UnitWanted


def filled_in(desired: Desired, after: LoadPath) -> Desired:
    """The declaration with nothing left open. after: the files as they will be, those of others included."""
    started = _started(desired, after)
    return replace(desired, units=tuple(_filled_in(unit, started, after, desired.restarts) for unit in desired.units))


def _started(desired: Desired, after: LoadPath) -> Set[str]:
    """Units that a timer, socket, path or automount starts which has a text or drop-in here."""
    ours = [each for unit in desired.units if unit.path for each in (unit.name.text, *unit.members)]
    over = [dropin.unit for dropin in desired.dropins if dropin.present]
    ours += [name.text for name in over if name.is_template or not name.stands_for_others]
    return {starts(name, after) for name in ours if kind_of(name).is_starter}


def _filled_in(unit: UnitWanted, started: Set[str], after: LoadPath, restarts: bool) -> UnitWanted:
    on_demand = not started.isdisjoint([unit.name.text, *unit.members])
    on_demand = on_demand or (unit.name.is_template and not unit.members)
    if unit.state == "absent" and not unit.name.is_template and uncovered(unit.name.text, after):
        # Only what was over it goes: what runs goes on with what is there then.
        unit = unit._replace(state="present", enabled=None)
    general = _meant(unit, unit.name.text, on_demand, after, restarts)
    plain = Meant(general.state, general.enabled)
    each = {
        member: general if member == unit.name.text else _meant(unit, member, on_demand, after, restarts)
        for member in unit.members
    }
    return unit._replace(
        state=general.state,
        enabled=general.enabled,
        by_member={member: meant for member, meant in each.items() if meant != plain},
        leaves=unit.leaves._replace(instances=unit.leaves.instances and unit.name.text not in started),
    )


def uncovered(unit: str, after: LoadPath) -> str:
    """The file of someone else that defines a unit without one of ours, "" if there is none."""
    return "" if after.masked(unit) or after.primary(unit) != unit else after.own_text(unit)


def _meant(unit: UnitWanted, member: str, on_demand: bool, after: LoadPath, restarts: bool) -> Meant:
    """What a person means by declaring a unit: started and enabled, unless something else starts it."""
    own = unit.by_member.get(member, Meant())
    state = own.state or unit.state
    enabled = unit.enabled if own.enabled is None else own.enabled
    left_down = False
    brings_text = unit.path is not None
    if not state and unit.masked:
        state = "stopped"
    elif not state:
        text = after.effective(member)
        lasts = brings_text and not on_demand and not is_run_once(text) and not stops_unneeded(text)
        lasts = lasts and not ending(member, after.effective, after.primary)  # nobody declares a unit to end the run
        left_down = lasts and refuses_start(text)
        state = "started" if lasts and not left_down else "present"
    if enabled is None and brings_text and not on_demand and installs(member, after):
        enabled = state not in ("stopped", "absent")
    if restarts and state == "started":
        state = "restarted"
    return Meant(state, False if state == "absent" else enabled, left_down, own.health)

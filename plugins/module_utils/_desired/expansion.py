# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From a declaration with short forms to the same with units and drop-ins alone. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from .._host.scopes import scope_of
from .._syntax.activation import accepts, started_by
from .._syntax.kinds import KINDS, Kind, Processes, kind_of
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Problems, Refused
from .._syntax.unitfile import Effective, parse
from . import alerts, hardening, inherited, instances, service, target, timer
from . import socket as listening
from .forms import Around, Params, as_text, with_kind
from .options import EXPANDED
from .render import has_text

_MAKERS = {"services": service.units, "timers": timer.units, "sockets": listening.units, "targets": target.units}


def expanded(params: Params) -> Tuple[Params, List[Problem]]:
    """A stack's parameters without short forms, and all that is wrong with those that it had."""
    problems: List[Problem] = []
    around = _around(params)
    defaults = params.get("defaults") or {}
    units: List[Params] = [_inheriting(entry, defaults, around) for entry in params.get("units") or ()]
    for option, make in _MAKERS.items():
        for entry in params.get(option) or ():
            try:
                units += make(_with_defaults(entry, option, defaults, around), around)
            except Problems as found:
                problems += found.problems
                units += found.rest or ()
    units, dropins = target.joined(_of_form(params, "target"), units, problems)
    if params.get("state") == "stopped":
        units = [_stopped(unit) for unit in units]
    told, of_alerts = alerts.taken_out(units, params, problems)
    tellers = alerts.programs(units, params)
    units, more = _with_instances(told, problems, scope_of(params.get("scope")).has_manager)
    more += hardening.beside(units)
    plain = {option: given for option, given in params.items() if option not in EXPANDED}
    every = [*(params.get("dropins") or ()), *dropins, *of_alerts, *more]
    return {**plain, "units": units, "dropins": every, **({"tellers": tellers} if tellers else {})}, problems


def _stopped(unit: Params) -> Params:
    """The same declared stopped, and at boot too if it is ours, unless it is masked or to be removed."""
    if unit.get("masked") or unit.get("state") == "absent":
        return unit
    down: Dict[str, Any] = {"state": "stopped", **({"enabled": False} if has_text(unit) else {})}
    own = [{**each, **down} if isinstance(each, Mapping) else each for each in unit.get("instances") or ()]
    return {**unit, **({"instances": own} if own else {}), **down}


def _with_defaults(entry: Params, option: str, defaults: Params, around: Around) -> Params:
    brings = {"services": service.has_text, "timers": service.brings, "sockets": service.brings}.get(option)
    if brings is None or not brings(entry) or entry.get("state") == "absent":
        return inherited.plain(entry)
    judged = option == "services" and with_kind(str(entry["name"])) not in around.on_demand
    return inherited.merged(entry, defaults, judged)


def _inheriting(unit: Params, defaults: Params, around: Around) -> Params:
    """A unit in sections, or as text, with what the stack has for all services if it is one."""
    name = str(unit["name"])
    if kind_of(name).processes is not Processes.MAIN or not has_text(unit) or unit.get("state") == "absent":
        return inherited.plain(unit)
    merged = inherited.merged(unit, defaults, judged=name not in around.on_demand)
    return inherited.in_sections(merged, timed=name in around.timed)


def _with_instances(
    units: Sequence[Params], problems: List[Problem], stamped: bool
) -> Tuple[List[Params], List[Params]]:
    """The units with plain names for instances, and the drop-ins for what those have of their own."""
    found: List[Params] = []
    dropins: List[Params] = []
    for unit in units:
        if not instances.have_own(unit, stamped):
            found.append(unit)
            continue
        try:
            plain, own = instances.apart(unit, stamped)
        except Problems as wrong:
            problems += wrong.problems
            plain, own = wrong.rest
        found.append(plain)
        dropins += own if unit.get("state") != "absent" else ()
    return found, dropins


def _around(params: Params) -> Around:
    timed: List[str] = []
    started: List[str] = []
    accepted: List[str] = []
    for name, text in _starters(params):
        into = timed if kind_of(name).goes_by_time else accepted if accepts(name, text) else started
        into.append(with_kind(started_by(name, text)))
    members = [member for entry in _of_form(params, "target") for member in target.members(entry)]
    boot = scope_of(params.get("scope")).at_boot
    return Around(boot, frozenset(timed), frozenset(started), frozenset(accepted), frozenset(members))


def _starters(params: Params) -> Iterator[Tuple[str, Effective]]:
    """The timers, sockets and paths of a declaration, with their own sections."""
    for form, made in (("timer", timer.starter), ("socket", listening.starter)):
        for entry in _of_form(params, form):
            built = made(entry)
            yield built.unit, built.text()
    for entry in params.get("units") or ():
        name = str(entry["name"])
        row = kind_of(name)
        if row.is_starter and entry.get("state") != "absent" and not misnamed(name):
            yield name, _text(entry, row)


def _text(entry: Params, row: Kind) -> Effective:
    """What an entry says in its own section, as far as it is text."""
    given = entry.get(row.name) if row.is_option else None
    try:
        content = [(each.section, each.directive, each.value) for each in parse(str(entry.get("content") or ""))]
    except Refused:  # which is told where the text is read
        content = []
    content += [(row.section, key, each) for key, values in as_text(given or {}).items() for each in values]
    found: Dict[str, List[str]] = {}
    for section, directive, value in content:
        if section == row.section:
            found.setdefault(directive, []).append(value)
    return {row.section: found}


def _of_form(params: Params, form: str) -> Iterator[Params]:
    """Its entries that are to be there, but for those whose names are of another type and refused."""
    for entry in params.get(f"{form}s") or ():
        suffix = str(entry["name"]).rpartition(".")[2]
        if (suffix not in KINDS or suffix == form) and entry.get("state") != "absent":
            yield entry

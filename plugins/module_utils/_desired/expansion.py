# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From a declaration with short forms to the same with units and drop-ins alone. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Iterator, List, Mapping, Sequence, Tuple

from .._host.scopes import SCOPES
from .._syntax.kinds import KINDS, Cause, Processes, kind_of
from .._syntax.rule import Problem, Problems
from . import hardening, inherited, instances, service, target, timer
from . import socket as listening
from .forms import Around, Params
from .options import FORMS
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
                units += make(_with_defaults(entry, option, defaults), around)
            except Problems as found:
                problems += found.problems
    units, dropins = target.joined(_of_form(params, "target"), units, problems)
    if params.get("state") == "stopped":
        units = [_stopped(unit) for unit in units]
    units, more = _with_instances(units, problems)
    plain = {option: given for option, given in params.items() if option not in (*FORMS, "defaults")}
    more += hardening.beside(units)
    return {**plain, "units": units, "dropins": [*(params.get("dropins") or ()), *dropins, *more]}, problems


def _stopped(unit: Params) -> Params:
    """The same declared stopped, unless it is masked or to be removed."""
    if unit.get("masked") or unit.get("state") == "absent":
        return unit
    own = [{**each, "state": "stopped"} if isinstance(each, Mapping) else each for each in unit.get("instances") or ()]
    return {**unit, **({"instances": own} if own else {}), "state": "stopped"}


def _with_defaults(entry: Params, option: str, defaults: Params) -> Params:
    brings = {"services": service.has_text, "timers": service.brings, "sockets": service.brings}.get(option)
    if brings is None or not brings(entry) or entry.get("state") == "absent":
        return {key: given for key, given in entry.items() if key != "without"}
    return inherited.merged(entry, defaults, judged=option == "services")


def _inheriting(unit: Params, defaults: Params, around: Around) -> Params:
    """A unit in sections, or as text, with what the stack has for all services if it is one."""
    name = str(unit["name"])
    if kind_of(name).processes is not Processes.MAIN or not has_text(unit) or unit.get("state") == "absent":
        return {key: given for key, given in unit.items() if key != "without"}
    judged = name not in around.timed | around.started
    return inherited.in_sections(inherited.merged(unit, defaults, judged))


def _with_instances(units: Sequence[Params], problems: List[Problem]) -> Tuple[List[Params], List[Params]]:
    """The units with plain names for instances, and the drop-ins for what those have of their own."""
    found: List[Params] = []
    dropins: List[Params] = []
    for unit in units:
        if not instances.have_own(unit):
            found.append(unit)
            continue
        try:
            plain, own = instances.apart(unit)
            found.append(plain)
            dropins += own
        except Problems as wrong:
            problems += wrong.problems
    return found, dropins


def _around(params: Params) -> Around:
    timed = [timer.started(entry) for entry in _of_form(params, "timer")]
    started = [listening.started(entry) for entry in _of_form(params, "socket")]
    for entry in params.get("units") or ():
        row = kind_of(str(entry["name"]))
        if row.is_starter:
            named = row.is_option and (entry.get(row.name) or {}).get(row.starts.directive)
            unit = str(named or f"{str(entry['name']).rpartition('.')[0]}.{row.starts.kind}")
            (timed if row.starts.cause is Cause.TIME else started).append(unit)
    members = [member for entry in _of_form(params, "target") for member in target.members(entry)]
    boot = SCOPES[params.get("scope") or "system"].at_boot
    return Around(boot, frozenset(timed), frozenset(started), frozenset(members))


def _of_form(params: Params, form: str) -> Iterator[Params]:
    """Its entries, but for those whose names are of another type and refused."""
    for entry in params.get(f"{form}s") or ():
        suffix = str(entry["name"]).rpartition(".")[2]
        if suffix not in KINDS or suffix == form:
            yield entry

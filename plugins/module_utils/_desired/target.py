# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The short form of a target, with what makes its members start, stop and restart with it. Pure.

Wants= in the target brings a member up with it, and one that fails keeps neither the target nor the others down;
PartOf= in the member hands a stop and a restart of the target on to it, which Wants= and Requires= do not
(systemd.unit(5)). A target comes after what it wants by itself (systemd.target(5)).
Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

from .._syntax.names import is_template
from .._syntax.rule import Problem, Rule, Severity
from .forms import STATE, Around, Builder, Entry, Params, chosen, unit_name, with_kind
from .short import SHORT

_OWN_STATE = Rule(
    "member-state",
    Severity.ERROR,
    "it is a member of {target}, which says when it runs, and has {option} of its own",
    "leave out {option}, or take it from the members",
    "the option members of targets",
)
_TEMPLATE = Rule(
    "member-template",
    Severity.ERROR,
    "{member} is a template, which never runs itself",
    "name its instances as members",
    "the option members of targets",
)
_UP = ("started", "restarted", "reloaded")


def members(entry: Params) -> List[str]:
    """The full names of a target's members."""
    return list(dict.fromkeys(with_kind(word) for each in entry.get("members") or () for word in str(each).split()))


def units(entry: Params, around: Around) -> List[Entry]:
    """The entry of a stack's units that a short one stands for. Raises Problems."""
    built = Builder(unit_name(entry["name"], "target"))
    if entry.get("state") == "absent":
        return built.entries(built.entry(**chosen(entry, ("state", "replace"))))
    built.short(entry, SHORT["target"])
    built.open(entry, "unit", "install")
    built.depends_on(entry)
    built.add("Unit", "Wants", members(entry))
    built.problems += [_TEMPLATE.problem(built.unit, member=each) for each in members(entry) if is_template(each)]
    if not any(built.sections.values()) and not chosen(entry, (*STATE, "members")):
        built.lacks("nothing is said of it: give its members or a description")
    if any(built.sections.values()) or entry.get("members") is not None:
        built.at_boot(around.boot)
    return built.entries(built.entry(**chosen(entry, (*STATE, "health", "on_change", "replace"))))


def joined(
    targets: Iterable[Params], units_given: Sequence[Params], problems: List[Problem]
) -> Tuple[List[Params], List[Entry]]:
    """The units of a stack with its targets' members among them, and the drop-ins for members that are not ours."""
    of_member: Dict[str, List[Params]] = {}
    for target in targets:
        for member in members(target) if target.get("state") != "absent" else ():
            of_member.setdefault(member, []).append(target)
    found: List[Params] = []
    dropins: List[Entry] = []
    for unit in units_given:
        if unit.get("state") == "absent":
            of_member.pop(str(unit["name"]), None)
            found.append(unit)
            continue
        name = str(unit["name"])
        owners = of_member.pop(name, None)
        if owners is None:
            found.append(_with_members(unit, of_member, dropins, problems))
            continue
        problems += _own_state(name, unit, owners)
        dropins += _parts(name, owners)
        found.append({**unit, **_followed(owners, enabled=False)})
    for member, owners in of_member.items():
        if not is_template(member):  # which is refused
            found.append({"name": member, **_outside(owners)})
            dropins += _parts(member, owners)
    return found, dropins


def _with_members(
    unit: Params, of_member: Dict[str, List[Params]], dropins: List[Entry], problems: List[Problem]
) -> Params:
    """A template with those of its instances that are members."""
    given: List[object] = []
    for each in unit.get("instances") or ():
        own = dict(each) if isinstance(each, Mapping) else {"name": each}
        stem, _dot, kind = str(unit["name"]).rpartition(".")
        member = f"{stem}{own.get('name')}.{kind}"
        owners = of_member.pop(member, None)
        if owners is None:
            given.append(each)
            continue
        problems += _own_state(member, {**unit, **own}, owners)
        dropins += _parts(member, owners)
        given.append({**own, **_followed(owners, enabled=False)})
    return {**unit, "instances": given} if given else unit


def _parts(member: str, owners: Sequence[Params]) -> Iterator[Entry]:
    """The drop-ins that hand the stops and restarts of its targets on to a member."""
    for name in (unit_name(target["name"], "target") for target in owners):
        yield {"name": member, "dropin": f"50-{name}", "unit": {"PartOf": name}}


def _own_state(name: str, unit: Params, owners: Sequence[Params]) -> Iterable[Problem]:
    for option in ("state", "enabled"):
        if unit.get(option) is not None:
            yield _OWN_STATE.problem(name, target=unit_name(owners[0]["name"], "target"), option=option)


def _followed(owners: Sequence[Params], enabled: bool) -> Mapping[str, object]:
    """What a member is to be: of several targets, one that runs is enough. enabled False: by the target alone."""
    states = {str(target.get("state") or "started") for target in owners}
    own = {} if enabled else {"enabled": False}
    if states & {*_UP}:
        return own
    return {**own, "state": "stopped" if states == {"stopped"} else "present"}


def _outside(owners: Sequence[Params]) -> Mapping[str, object]:
    """The same of a unit that is not ours: what a package has enabled stays so as long as its target is to be up."""
    down = all(each.get("state") == "stopped" or each.get("enabled") is False for each in owners)
    followed = _followed(owners, enabled=not down)
    return followed if "state" in followed else {**followed, "state": "started"}

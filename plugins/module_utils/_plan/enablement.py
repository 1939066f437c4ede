# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Enablement as the symbolic links that it is: which there are, and which there shall be. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from .._desired.stack import Desired, UnitWanted
from .._host.observed import Observed, units_under
from .._syntax.activation import is_accepted_for, is_of_connection
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import installs, last, words
from .._syntax.names import misnamed, parse_name


def enablement(
    desired: Desired, observed: Observed, after: LoadPath, gone: Sequence[str], leaving: Sequence[str]
) -> Dict[str, Tuple[str, ...]]:
    """Units to enable, reenable and disable; [Install] is read as systemd will after this run.

    gone: files that are removed. leaving: instances that are no longer listed.
    """
    result: Dict[str, List[str]] = {"enable": [], "reenable": [], "disable": []}
    for unit in desired.units:
        for member in unit.members or (() if unit.enabled is None else (unit.name.text,)):
            verb = _verb(unit, member, observed, after)
            if verb:
                # To disable a template would disable all its instances.
                result[verb].append((verb == "disable" and _enabled_as(member, after)) or member)
    units = list(leaving)
    for path in gone:
        name = os.path.basename(path)
        if os.path.dirname(path) == observed.places.units and not after.defines(name):
            units += _of_file(name, observed)
    result["disable"] += [unit for unit in units if observed.links_to(unit) and unit not in result["disable"]]
    # What a unit names under Also= is disabled with it.
    lost = linked_with([*result["disable"], *result["reenable"]], [observed.loadpath])
    wanted = [member for unit in desired.units for member in unit.members if unit.meant(member).enabled]
    result["enable"] += [
        unit for unit in wanted if unit in lost and unit not in [*result["enable"], *result["reenable"]]
    ]
    return {verb: tuple(units) for verb, units in result.items()}


def _verb(unit: UnitWanted, member: str, observed: Observed, after: LoadPath) -> str:
    present = {*observed.links_to(member), *observed.links_to(_enabled_as(member, after) or member)}
    linked = observed.places.unit_file(member)  # a unit from outside the load path, as systemctl link leaves it
    present.discard(linked)
    enabled = unit.meant(member).enabled
    if enabled:
        expected = expected_links(member, after, observed.places.units)
        if not present:
            return "enable" if expected or expected is None else ""
        if expected is None or present == expected:
            return ""
        return "reenable"
    if enabled is None and not (unit.path and _lost_install(member, observed, after)):
        return ""
    return "disable" if present else ""


def _lost_install(unit: str, observed: Observed, after: LoadPath) -> bool:
    """Its links would stay, and go on starting it at boot, when [Install] goes from a text."""
    return not installs(after.effective(unit)) and installs(observed.loadpath.effective(unit))


def left_over_instances(desired: Desired, observed: Observed, after: LoadPath) -> List[str]:
    """Instances of a template that are enabled, or run where none can be, though the template does not list them.

    One that a file names is someone's deliberate dependency. Where a socket starts one for each connection, those of
    other names are of a time before that.
    """
    found = []
    declared = {member for unit in desired.units for member in unit.members}
    for unit in desired.units:
        accepted = unit.name.is_template and is_accepted_for(unit.name.text, after)
        if not unit.lists_instances and not accepted:
            continue
        enables = installs(after.effective(unit.name.text))
        for instance in _of_file(unit.name.text, observed):
            if accepted and is_of_connection(instance):
                continue
            alive = observed.links_to(instance) or (observed.states[instance].is_up and not enables)
            if alive and instance not in declared and not _named(instance, after):
                found.append(instance)
    return found


def _named(unit: str, after: LoadPath) -> bool:
    return any(unit.encode() in content for content in after.contents.values())


def _of_file(unit: str, observed: Observed) -> List[str]:
    """A unit file's own name, or for a template the instances that are loaded or enabled."""
    name = parse_name(unit)
    if not name.is_template:
        return [unit]
    linked = {os.path.basename(path) for path in observed.links}
    return sorted({*units_under(observed.states, unit), *(link for link in linked if _template(link) == unit)})


def _template(link: str) -> Optional[str]:
    """The template of an instance's name, None for all else; a link may have any name."""
    return parse_name(link).template if "@" in link and not misnamed(link) else None


def linked_with(units: Iterable[str], loadpaths: Sequence[LoadPath]) -> List[str]:
    """All names whose links systemctl may change for these units: default instances, what Also= names, and so on."""
    found = dict.fromkeys(units)
    ahead = list(found)
    while ahead:
        unit = ahead.pop()
        for loadpath in loadpaths:
            more = [_enabled_as(unit, loadpath), *words(loadpath.effective(unit), "Install", "Also")]
            new = [each for each in more if each and each not in found and not misnamed(each)]
            found.update(dict.fromkeys(new))
            ahead += new
    return list(found)


def _enabled_as(unit: str, loadpath: LoadPath) -> str:
    """The name that is linked when a unit is enabled: a template's default instance, "" if it has none."""
    name = parse_name(unit)
    if not name.is_template:
        return unit
    default = last(loadpath.effective(unit), "Install", "DefaultInstance")
    return f"{name.prefix}@{default}.{name.kind}" if default else ""


def expected_links(unit: str, loadpath: LoadPath, folder: str) -> Optional[Set[str]]:
    """Paths of the links that `systemctl enable` makes for a unit; None where a specifier hides them."""
    effective = loadpath.effective(unit)
    name = parse_name(unit)
    linked = _enabled_as(unit, loadpath)
    instance = parse_name(linked or unit).instance or ""
    found = set()
    for directive, suffix in (("WantedBy", ".wants"), ("RequiredBy", ".requires"), ("UpheldBy", ".upholds")):
        for target in words(effective, "Install", directive) if linked else ():
            wanting = target.replace("%i", instance).replace("%p", name.prefix).replace("%n", linked)
            if "%" in wanting:
                return None
            found.add(os.path.join(folder, wanting + suffix, linked))
    for alias in words(effective, "Install", "Alias"):
        if "%" in alias:
            return None
        found.add(os.path.join(folder, alias))
    return found

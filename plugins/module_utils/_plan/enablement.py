# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Enablement as the symbolic links that it is: which there are, and which there shall be. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from .._desired.stack import Desired, UnitWanted
from .._host.observed import Observed, units_under
from .._syntax.activation import is_accepted_for, is_of_connection
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import installs, last, words
from .._syntax.names import is_template, mentions, misnamed, parse_name
from .._syntax.specifiers import in_name


@dataclass(frozen=True)
class Links:
    """What is to be done about links: units by systemctl's verbs, and what those leave behind.

    stranded: aliases of instances, which stay when `systemctl disable` (247 to 262) has taken all else: they bear names
    of their own and lead to the template.
    """

    enable: Tuple[str, ...] = ()
    reenable: Tuple[str, ...] = ()
    disable: Tuple[str, ...] = ()
    stranded: Tuple[str, ...] = ()


def enablement(
    desired: Desired, observed: Observed, after: LoadPath, gone: Sequence[str], leaving: Sequence[str]
) -> Links:
    """Units to enable, reenable and disable; [Install] is read as systemd will after this run.

    gone: files that are removed. leaving: instances that are no longer listed.
    """
    verbs: Dict[str, List[str]] = {"enable": [], "reenable": [], "disable": []}
    stranded: List[str] = []
    for unit in desired.units:
        for member in unit.members or (() if unit.enabled is None else (unit.name.text,)):
            verb = _verb(unit, member, observed, after)
            if verb:
                # To disable a template would disable all its instances.
                named = (verb == "disable" and _enabled_as(member, after)) or member
                verbs[verb].append(named)
                stranded += _stranded(named, member, observed, after, stays=verb != "disable")
    units = list(leaving)
    for path in gone:
        name = os.path.basename(path)
        if os.path.dirname(path) == observed.places.units and not after.defines(name):
            units += _of_file(name, observed)
            aliases = observed.links_to(name) if is_template(name) else []
            stranded += [alias for alias in aliases if os.path.dirname(alias) == observed.places.units]
    for unit_name in units:
        if observed.links_to(unit_name) and unit_name not in verbs["disable"]:
            verbs["disable"].append(unit_name)
            stranded += _stranded(unit_name, unit_name, observed, after, stays=False)
    # What a unit names under Also= is disabled with it.
    lost = linked_with([*verbs["disable"], *verbs["reenable"]], [observed.loadpath])
    wanted = [member for unit in desired.units for member in unit.members if unit.meant(member).enabled]
    verbs["enable"] += [unit for unit in wanted if unit in lost and unit not in [*verbs["enable"], *verbs["reenable"]]]
    return Links(**{verb: tuple(units) for verb, units in verbs.items()}, stranded=tuple(dict.fromkeys(stranded)))


def _stranded(named: str, member: str, observed: Observed, after: LoadPath, stays: bool) -> List[str]:
    """named: what systemctl is told to disable for the member. stays: it is enabled anew after that."""
    if not parse_name(named).instance:
        return []
    folder = observed.places.units
    expected = (expected_links(member, after, folder) or set()) if stays else set()
    aliases = [path for path in _present_links(member, observed, after) if os.path.dirname(path) == folder]
    return sorted(path for path in aliases if path not in expected)


def _verb(unit: UnitWanted, member: str, observed: Observed, after: LoadPath) -> str:
    expected = expected_links(member, after, observed.places.units)
    present = _present_links(member, observed, after)
    enabled = unit.meant(member).enabled
    if enabled:
        if not present:
            return "enable" if expected or expected is None else ""
        if expected is None or present == expected:
            return ""
        return "reenable"
    if enabled is None and not (unit.path and _lost_install(member, observed, after)):
        return ""
    return "disable" if present else ""


def _present_links(unit: str, observed: Observed, after: LoadPath) -> Set[str]:
    """The links that enabling a unit has made; for a template's those are by its default instance."""
    linked, folder = _enabled_as(unit, after), observed.places.units
    if linked is None:
        found = set(observed.links_under(unit))
    else:
        found = {path for name in (unit, linked or unit) for path in observed.links_to(name)}
        said = [expected_links(unit, loadpath, folder) or set() for loadpath in (observed.loadpath, after)]
        found -= {path for path in found.difference(*said) if _is_of_another(path, unit, linked, observed)}
    # A unit from outside the load path has a link of its own name, as systemctl link leaves it, and so has an instance
    # whose alias is its own template on 247.
    return found - {observed.places.unit_file(unit)}


def _is_of_another(path: str, unit: str, linked: str, observed: Observed) -> bool:
    """Is it an alias of another instance of this template?"""
    name = os.path.basename(path)
    if os.path.dirname(path) != observed.places.units or not is_template(unit) or _template(name) is None:
        return False
    return parse_name(name).instance != parse_name(linked or unit).instance


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
    return any(mentions(content.decode("utf-8", "replace"), unit) for content in after.contents.values())


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
    """All names whose links systemctl may change for these units: default instances, what Also= names, and so on.

    A template stands for the links of all its instances.
    """
    found = dict.fromkeys(units)
    ahead = list(found)
    while ahead:
        unit = ahead.pop()
        for loadpath in loadpaths:
            also = [in_name(each, unit) for each in words(loadpath.effective(unit), "Install", "Also")]
            more = [_enabled_as(unit, loadpath), *also]
            new = [each for each in more if each and each not in found and not misnamed(each)]
            found.update(dict.fromkeys(new))
            ahead += new
    return list(found)


def _enabled_as(unit: str, loadpath: LoadPath) -> Optional[str]:
    """The name that is linked when a unit is enabled: a template's default instance.

    "" if it has none, None where a specifier hides it.
    """
    name = parse_name(unit)
    if not name.is_template:
        return unit
    given = in_name(last(loadpath.effective(unit), "Install", "DefaultInstance"), unit).replace("%i", "")
    if "%" in given:
        return None
    linked = f"{name.prefix}@{given}.{name.kind}"
    return "" if not given or misnamed(linked) else linked


def expected_links(unit: str, loadpath: LoadPath, folder: str) -> Optional[Set[str]]:
    """Paths of the links that `systemctl enable` makes for a unit; None where a specifier hides them.

    As systemd 247 to 262 make them with --root. An alias of its own name is none; what newer ones refuse, such as an
    alias of another type, 247 makes.
    """
    effective = loadpath.effective(unit)
    linked = _enabled_as(unit, loadpath)
    if linked is None:
        return None
    name = parse_name(linked or unit)
    found = set()
    for directive, suffix in (("WantedBy", ".wants"), ("RequiredBy", ".requires"), ("UpheldBy", ".upholds")):
        for target in words(effective, "Install", directive):
            wanting = in_name(target, name.text)
            if linked or is_template(wanting):
                found.add(os.path.join(wanting + suffix, linked or unit))
    for alias in words(effective, "Install", "Alias"):
        found.add(_alias_of(unit, in_name(alias, name.text)))
    if any("%" in link for link in found):
        return None
    return {os.path.join(folder, link) for link in found - {unit}}


def _alias_of(unit: str, alias: str) -> str:
    """An instance's alias that is a template stands for that template's instance."""
    instance = parse_name(unit).instance
    return alias.replace("@", f"@{instance}", 1) if instance and is_template(alias) else alias

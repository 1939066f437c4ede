# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Enablement as the symbolic links that it is: which there are, and which there shall be. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .._desired.defaults import uncovered
from .._desired.stack import Desired, UnitWanted
from .._host.observed import Observed, units_under
from .._syntax.install import Enabling, also, enabled_as, enabled_together, enabling, installs
from .._syntax.loadpath import LoadPath
from .._syntax.names import is_template, misnamed, parse_name


class Links(NamedTuple):
    """What is to be done about links: units by systemctl's verbs, and what those leave behind.

    enable, reenable, disable: by that verb. stranded: aliases of instances, which stay when `systemctl disable` (247 to
    262) has taken all else: they bear names of their own and lead to the template. unwanted: links that come of Also=
    in what is enabled, for units that are declared not to be, path to unit.
    """

    enable: Tuple[str, ...] = ()
    reenable: Tuple[str, ...] = ()
    disable: Tuple[str, ...] = ()
    stranded: Tuple[str, ...] = ()
    unwanted: Mapping[str, str] = MappingProxyType({})


def links_of(unit: str, loadpath: LoadPath, observed: Observed) -> Enabling:
    """What it comes to, on this host, to enable a unit alone."""
    return enabling(unit, loadpath, observed.manager.version, observed.places.units)


def _expected(unit: str, loadpath: LoadPath, observed: Observed) -> Optional[Set[str]]:
    """Paths of the links that `systemctl enable` makes for a unit; None where a specifier hides them."""
    found = links_of(unit, loadpath, observed)
    return None if found.hidden else {os.path.join(observed.places.units, each.path) for each in found.links}


def enablement(
    desired: Desired,
    observed: Observed,
    after: LoadPath,
    gone: Sequence[str],
    leaving: Sequence[str],
    written: Iterable[str] = (),
) -> Links:
    """Units to enable, reenable and disable; [Install] is read as systemd will after this run.

    gone: files that are removed. leaving: instances that are no longer listed. written: files that change.
    """
    verbs: Dict[str, List[str]] = {"enable": [], "reenable": [], "disable": []}
    stranded: List[str] = []
    former: List[str] = []
    said = _said(desired)
    for unit in desired.units:
        for member in unit.members or (() if unit.enabled is None else (unit.name.text,)):
            verb = _verb(unit, member, said, observed, after)
            if verb:
                # To disable a template would disable all its instances.
                named = (verb == "disable" and enabled_as(member, after)) or member
                verbs[verb].append(named)
                stranded += _stranded(named, member, observed, after, stays=verb != "disable")
            former += _former(unit, member, said, observed, after)
    changed = {**_dropped([*gone, *written], said, observed, after), **_uncovered(gone, said, observed, after)}
    for unit_name, verb in changed.items():
        verbs[verb].append(unit_name)
    units = [*leaving, *former]
    for path in gone:
        name = os.path.basename(path)
        if os.path.dirname(path) == observed.places.units and not after.defines(name):
            units += instances_of(name, observed)
            links = observed.links_to(name) if is_template(name) else []
            stranded += [path for path in links if os.path.dirname(path) == observed.places.units]
    for unit_name in units:
        if observed.links_to(unit_name) and unit_name not in verbs["disable"]:
            verbs["disable"].append(unit_name)
            stranded += _stranded(unit_name, unit_name, observed, after, stays=False)
    # What a unit names under Also= is disabled with it.
    lost = linked_with([*verbs["disable"], *verbs["reenable"]], [observed.loadpath])
    wanted = [unit for unit, enabled in said.items() if enabled]
    verbs["enable"] += [unit for unit in wanted if unit in lost and unit not in [*verbs["enable"], *verbs["reenable"]]]
    return Links(
        **{verb: tuple(units) for verb, units in verbs.items()},
        stranded=tuple(dict.fromkeys(stranded)),
        unwanted=_unwanted([*verbs["reenable"], *verbs["enable"]], said, observed, after),
    )


def _dropped(
    paths: Iterable[str], said: Mapping[str, Optional[bool]], observed: Observed, after: LoadPath
) -> Dict[str, str]:
    """Units whose enablement a declaration leaves open, with links of a drop-in that goes or says less now."""
    folders = {os.path.dirname(path) for path in paths}
    over = sorted(os.path.basename(each)[: -len(".d")] for each in folders if each.endswith(".d"))
    names = [unit for name in over if not misnamed(name) for unit in instances_of(name, observed)]
    verbs = {}
    for unit in (each for each in names if each not in said):
        before, expected = (_expected(unit, each, observed) or set() for each in (observed.loadpath, after))
        present = _present_links(unit, observed, after)
        if present & before - expected:
            verbs[unit] = "reenable" if present & expected else "disable"
    return verbs


def _uncovered(
    gone: Iterable[str], said: Mapping[str, Optional[bool]], observed: Observed, after: LoadPath
) -> Dict[str, str]:
    """Units that are enabled, and whose file goes from over someone else's: by that the links may be others."""
    verbs = {}
    for path in (each for each in gone if os.path.dirname(each) == observed.places.units):
        unit = os.path.basename(path)
        if is_template(unit) or unit in said or not uncovered(unit, after):
            continue
        present, expected = _present_links(unit, observed, after), _expected(unit, after, observed)
        dangling = any(observed.links[each] == observed.places.inside(path) for each in present)
        if present and expected is not None and (dangling or present != expected):
            verbs[unit] = "reenable" if expected else "disable"
    return verbs


def _said(desired: Desired) -> Dict[str, Optional[bool]]:
    """Of which units a declaration says whether they are enabled, and what."""
    every = ((unit, each) for unit in desired.units for each in unit.members or (unit.name.text,))
    return {each: unit.meant(each).enabled for unit, each in every if unit.meant(each).enabled is not None}


def _unwanted(
    enabled: Sequence[str], said: Mapping[str, Optional[bool]], observed: Observed, after: LoadPath
) -> Dict[str, str]:
    along = {other for unit in enabled for other in enabled_together(unit, after) if said.get(other) is False}
    wanted = {path for unit in enabled if said.get(unit) for path in _expected(unit, after, observed) or ()}
    found = {path: unit for unit in sorted(along) for path in sorted(_expected(unit, after, observed) or ())}
    return {path: unit for path, unit in found.items() if path not in wanted}


def _stranded(named: str, member: str, observed: Observed, after: LoadPath, stays: bool) -> List[str]:
    """named: what systemctl is told to disable for the member. stays: it is enabled anew after that."""
    if not parse_name(named).instance:
        return []
    folder = observed.places.units
    expected = (_expected(member, after, observed) or set()) if stays else set()
    links = [path for path in _present_links(member, observed, after) if os.path.dirname(path) == folder]
    return sorted(path for path in links if path not in expected)


def _verb(
    unit: UnitWanted, member: str, said: Mapping[str, Optional[bool]], observed: Observed, after: LoadPath
) -> str:
    """said: of which units the declaration itself says whether they are enabled."""
    expected = _expected(member, after, observed)
    present = _present_links(member, observed, after)
    enabled = unit.meant(member).enabled
    along = [each for each in enabled_together(member, after)[1:] if each not in said]
    if enabled:
        if is_made(member, after, observed) or after.masked(member):
            return ""  # refused, or met
        if present and expected is not None and present != expected:
            return "reenable"
        new = expected is None and _default(member, observed.loadpath) != _default(member, after)
        lacking = (not present and expected != set()) or any(_lacks(each, observed, after) for each in along)
        lacking = lacking or new  # of links that are there none need be its own
        return "enable" if lacking else ""
    if enabled is None and not (unit.path and _lost_install(member, observed, after)):
        return ""
    if not present and expected == set():  # its [Install] has Also= alone
        present = {path for each in along for path in _present_links(each, observed, after)}
    return "disable" if present else ""


def _default(unit: str, loadpath: LoadPath) -> Sequence[str]:
    return loadpath.install(unit).get("DefaultInstance", ())


def _former(
    unit: UnitWanted, member: str, said: Mapping[str, Optional[bool]], observed: Observed, after: LoadPath
) -> List[str]:
    """The instance as which a template was enabled, where its section names another one now, or none."""
    if not is_template(member) or (unit.meant(member).enabled is None and not _lost_install(member, observed, after)):
        return []
    before = enabled_as(member, observed.loadpath)
    return [before] if before and before != enabled_as(member, after) and before not in said else []


def _lacks(unit: str, observed: Observed, after: LoadPath) -> bool:
    """Has it not all links that enabling it makes?"""
    expected, present = _expected(unit, after, observed), _present_links(unit, observed, after)
    return not present if expected is None else not expected <= present


def is_made(unit: str, after: LoadPath, observed: Observed) -> bool:
    """Is its file made anew at each boot or start, by a generator or a call? systemctl enables no such unit."""
    manager = observed.places.manager
    return bool(manager) and (after.fragment(unit) or "").startswith((f"{manager}/generator", f"{manager}/transient"))


def _present_links(unit: str, observed: Observed, after: LoadPath) -> Set[str]:
    """The links that enabling a unit has made; for a template's those are by its default instance."""
    linked = enabled_as(unit, after)
    if linked is None:
        found = set(observed.links_under(unit))
    else:
        found = {path for name in (unit, linked or unit) for path in observed.links_to(name)}
        of_others = {path for path in found if _is_of_another(path, unit, linked, observed)}
        for loadpath in (observed.loadpath, after) if of_others else ():
            of_others -= _expected(unit, loadpath, observed) or set()
        found -= of_others
    # A unit from outside the load path has a link of its own name, as systemctl link leaves it, and so has an instance
    # whose alias is its own template on 247.
    return found - {observed.places.unit_file(unit)}


def _is_of_another(path: str, unit: str, linked: str, observed: Observed) -> bool:
    """Is it an alias of another instance of this template?"""
    name = os.path.basename(path)
    if os.path.dirname(path) != observed.places.units or _template(name) is None:
        return False
    return parse_name(name).instance != parse_name(linked or unit).instance


def _lost_install(unit: str, observed: Observed, after: LoadPath) -> bool:
    """Its links would stay, and go on starting it at boot, when [Install] goes from a text."""
    return not installs(unit, after) and installs(unit, observed.loadpath)


def instances_of(unit: str, observed: Observed) -> List[str]:
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
            more = [enabled_as(unit, loadpath), *also(unit, loadpath)]
            new = [each for each in more if each and each not in found and not misnamed(each)]
            found.update(dict.fromkeys(new))
            ahead += new
    return list(found)

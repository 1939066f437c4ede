# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What speaks against enabling or disabling a unit, as systemctl would or as it is somebody else's name. Pure.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import Dict, Iterator, Optional, Set, Tuple

from .._desired.options import RUNNING
from .._desired.stack import UnitWanted
from .._syntax.install import enabled_together, installs
from .._syntax.loadpath import MASK
from .._syntax.meaning import last
from .._syntax.rule import Problem, Rule, Severity
from .aliases import Taken, aliases_made
from .enablement import is_made, links_of
from .owners import orphans, owner_rule
from .references import View, no_such_unit

_LINKED = Rule(
    "linked",
    Severity.ERROR,
    "is linked from {path}, and systemctl disable would take that away",
    "leave out enabled, or take the link away yourself (systemctl disable)",
    "systemctl(1), link",
)
_NO_INSTALL = Rule(
    "no-install",
    Severity.ERROR,
    "enabled needs an [Install] section, which this unit has not",
    "add one, in its text or in a dropin (install: {{WantedBy: multi-user.target}} or the like), or leave out enabled",
    "systemd.unit(5), [Install] section options",
)
_MADE = Rule(
    "generated",
    Severity.ERROR,
    "{path} is made anew by {maker}, so systemctl enables no such unit",
    "{remedy}, or leave out enabled",
    "systemctl(1), enable; systemd.generator(7)",
)
_STAYS = Rule(
    "generated",
    Severity.ERROR,
    "{path} has it started at boot, which systemctl disable leaves as it is",
    "{remedy}, or have it masked: true",
    "systemctl(1), disable; systemd.generator(7)",
)


def _masked_rule(reason: str, remedy: str) -> Rule:
    return Rule("masked", Severity.ERROR, reason, remedy, "systemctl(1), mask")


_ENABLED_MASKED = _masked_rule("it is masked by {path}, and systemctl enables no such unit", "add masked: false")
_LINKS_UNDER_MASK = _masked_rule(
    "it is masked, and systemctl leaves the links of a masked unit", "unmask it to have it disabled"
)
_ALIAS_OF_OTHERS = owner_rule(
    "{path} defines {alias}, and the alias would put this unit in its place",
    "choose another name, or take that one over by replace: true",
)
_ALIAS_IN_THE_WAY = owner_rule(
    "{path} is in the way of the alias, {what}", "take it away, or take its name over by replace: true"
)
_ALIAS_MOVES = Rule(
    "alias-moves",
    Severity.WARNING,
    "{alias} has been a name of {target}, by {path}",
    "it stands for this unit now",
    "systemd.unit(5), Alias=",
)


def _at_odds(reason: str, remedy: str) -> Rule:
    return Rule("contradiction", Severity.ERROR, reason, remedy, "systemd.unit(5), Alias=")


_ALIAS_DECLARED = _at_odds("{alias} is declared as a unit of its own", "choose another name, or take one of them away")
_ALIAS_TWICE = _at_odds(
    "{alias} is an alias of {other} as well", "take it from one of them, as a name stands for one unit"
)


def enablement(view: View) -> Iterator[Problem]:
    """What is wrong with the [Install] sections of what is to be enabled, and with the names that they take."""
    yield from _faults(view)
    yield from _names(view)
    for each in view.differences.aliasing.taken:
        problem = _of_taken(each, view)
        if problem:
            yield problem


def _enabled(view: View) -> Iterator[str]:
    for unit in view.desired.units:
        for member in unit.members or (unit.name.text,):
            if unit.meant(member).enabled and not is_made(member, view.after, view.observed):
                yield member


def _faults(view: View) -> Iterator[Problem]:
    """What is wrong in [Install]: of new texts, and where links are to be made or none can be; the rest may stay."""
    links = view.differences.links
    written = {each.path for each in view.differences.write}
    said: Set[Tuple[str, str]] = set()  # what the template says is not said of each instance again
    for member in _enabled(view):
        together = [(each, links_of(each, view.after, view.observed)) for each in enabled_together(member, view.after)]
        nowhere = not (view.observed.links_to(member) or any(found.links or found.hidden for _each, found in together))
        asked = nowhere or member in (*links.enable, *links.reenable)
        if asked or not written.isdisjoint(view.after.files(member)):
            for _each, found in together:
                for fault in found.faults:
                    if (fault.directive, fault.message) not in said:
                        said.add((fault.directive, fault.message))
                        yield fault


def _names(view: View) -> Iterator[Problem]:
    """Aliases that this very declaration has as other names, too."""
    declared = {each for unit in view.desired.units for each in (unit.name.text, *unit.members)}
    holders: Dict[str, str] = {}
    for member in _enabled(view):
        for name, alias in aliases_made(member, view.observed, view.after):
            other = holders.setdefault(alias, name)
            if alias in declared and alias != name:
                yield _ALIAS_DECLARED.problem(name, "Install", "Alias", alias=alias)
            elif other != name:
                yield _ALIAS_TWICE.problem(name, "Install", "Alias", alias=alias, other=other)


def _of_taken(found: Taken, view: View) -> Optional[Problem]:
    place = (found.unit, "Install", "Alias")
    if found.is_name_alone:
        target = os.path.basename(found.target)
        return _ALIAS_MOVES.problem(*place, alias=found.alias, path=found.path, target=target)
    if found.replaced:
        return None
    if not found.ours:
        return _ALIAS_OF_OTHERS.problem(*place, alias=found.alias, path=found.path)
    what = "a mask" if found.target == MASK else f"a link to {found.target}" if found.target else "a file"
    if found.path in orphans(view.desired, view.observed):
        what = "a file of this stack that is no longer declared (prune: true takes it away)"
    return _ALIAS_IN_THE_WAY.problem(*place, path=found.path, what=what)


def is_linked(unit: UnitWanted, view: View) -> Optional[Problem]:
    name, differences = unit.name.text, view.differences
    linked = view.observed.links.get(view.observed.places.unit_file(name), "")
    lost = os.path.basename(linked) == name and name in (*differences.links.disable, *differences.links.reenable)
    return _LINKED.problem(name, path=linked) if lost else None


def keeps_links(unit: UnitWanted, view: View) -> Optional[Problem]:
    name, differences = unit.name.text, view.differences
    kept = (
        view.observed.loadpath.masked(name)
        and name in differences.links.disable
        and name not in differences.links.unmask
    )
    return _LINKS_UNDER_MASK.problem(name) if kept else None


def enables_nothing(unit: UnitWanted, view: View) -> Optional[Problem]:
    name = unit.name.text
    enabled = [each for each in unit.members or (name,) if unit.meant(each).enabled]
    if enabled and not view.is_there(name):  # of one that shall run it is said already
        return no_such_unit(name, view) if unit.state == "present" else None
    return next(filter(None, (_enables_nothing(each, unit.meant(each).state, view) for each in enabled)), None)


def _enables_nothing(name: str, state: str, view: View) -> Optional[Problem]:
    """What a package or a generator has started at boot is enabled, though systemctl had nothing to do with it."""
    after = view.after
    if after.masked(name):  # of one that shall run it is said already
        return None if state in RUNNING else _ENABLED_MASKED.problem(name, path=after.fragment(name))
    if name in view.observed.wanted_elsewhere and (is_made(name, after, view.observed) or not installs(name, after)):
        return None
    if is_made(name, after, view.observed):
        path = after.fragment(name) or ""
        maker = "whoever has started it" if "/transient/" in path else "a generator"
        return _MADE.problem(name, "Install", path=path, maker=maker, remedy=_at_its_source(name, "enable", view))
    return None if installs(name, after) else _NO_INSTALL.problem(name).about("enabled")


def is_started_anyhow(unit: UnitWanted, view: View) -> Optional[Problem]:
    """Declared not to be enabled, where that is not for systemctl to say."""
    name, after = unit.name.text, view.after
    path = view.observed.wanted_elsewhere.get(name)
    said = unit.meant(name).enabled is False and unit.state != "absent" and not unit.masked
    if not said or path is None or (installs(name, after) and not is_made(name, after, view.observed)):
        return None
    return _STAYS.problem(name, path=path, remedy=_at_its_source(name, "disable", view))


def _at_its_source(name: str, verb: str, view: View) -> str:
    """Where [Install] is to be put, or taken away, of what is made of another file."""
    source = last(view.after.effective(name), "Unit", "SourcePath")
    if "/init.d/" in source:
        return f"{verb} it where its script is (update-rc.d {os.path.basename(source)} {verb}, or chkconfig)"
    if not is_made(name, view.after, view.observed):
        return "leave out enabled"
    where = source or "what its generator reads"
    return f"give {where} an [Install] section" if verb == "enable" else f"take [Install] out of {where}"

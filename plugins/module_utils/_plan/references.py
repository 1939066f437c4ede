# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Names in a declaration that lead nowhere on this host, or to something else than they say. Pure.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import FrozenSet, Iterator, NamedTuple, Optional, Sequence, Set

from .._desired.options import RUNNING
from .._desired.render import owner_of
from .._desired.stack import Desired, DropinWanted
from .._host.observed import Observed
from .._syntax import likeness
from .._syntax.activation import started_by
from .._syntax.kinds import KINDS, kind_of
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import last
from .._syntax.names import UnitName, is_template, misnamed, parse_name
from .._syntax.rule import Problem, Rule, Severity, shown
from .._syntax.specifiers import names_instance
from .differences import Differences, outdated_of_others
from .enablement import links_of

_ALIAS = Rule("alias", Severity.ERROR, "this is an alias", "name the unit itself, {primary}", "systemd.unit(5), Alias=")
_DROPIN_WAITS = Rule(
    "dropin-without-unit",
    Severity.WARNING,
    "there is no such unit on this host yet",
    "the drop-in waits for it{near}",
    "systemd.unit(5), drop-in",
    may_come=True,
)
_INSTALL_OF_DROPIN = Rule(
    "install-of-dropin",
    Severity.WARNING,
    "counts only when the unit is enabled",
    "declare that beside the drop-in (enabled: true)",
    "systemctl(1), enable",
)
_OUTDATED = Rule(
    "outdated",
    Severity.WARNING,
    "systemd has loaded other files of it than there are, and they are not this stack's",
    "systemctl daemon-reload, which may start and stop what others have changed",
    "systemctl(1), daemon-reload",
)
_SPECIFIER = Rule(
    "specifier",
    Severity.ERROR,
    "what {started} stands for cannot be told, and a socket starts only while that is down",
    "write it out",
    "systemd.socket(5), Service=",
)
STARTS_NOWHERE = Rule(
    "starts-nowhere",
    Severity.UNVERIFIED,
    "it starts {started}, which is nowhere",
    "{bring}declare that too, or mend the name{near}",
    "systemd.timer(5) and the like, Unit=",
)
STARTS_NO_NAME = Rule(
    "starts-no-name",
    Severity.ERROR,
    "what it starts has a name that no unit can have",
    "mend it",
    "systemd.timer(5) and the like, Unit=",
)
_STARTS_GONE = Rule(
    "gone",
    Severity.ERROR,
    "it starts {started}, which is nowhere",
    "{bring}declare that too, or mend the name{near}",
    "systemd.timer(5) and the like, Unit=; this very run takes it away",
)
_NO_SUCH_UNIT = Rule(
    "no-such-unit",
    Severity.UNVERIFIED,
    "there is no such unit on this host",
    "install what brings it, or give its text{near}",
    "systemd.unit(5), unit file load path",
)
_NO_SUCH_TARGET = Rule(
    "no-such-target",
    Severity.WARNING,
    "there is no {target} on this host",
    "nothing starts this unit at boot unless that comes{near}",
    "systemd.unit(5), WantedBy=",
    may_come=True,
)


_ABSENT_NOWHERE = Rule(
    "absent-nowhere",
    Severity.WARNING,
    "there is no such unit, so nothing is removed",
    "did you mean {meant}?",
    "the option state",
)
_STOPPED_NOWHERE = Rule(
    "stopped-nowhere",
    Severity.WARNING,
    "there is no such unit on this host, so nothing is stopped or disabled",
    "mend its name, or leave it out{near}",
    "the options state and enabled",
    may_come=True,
)
_DIGITS = re.compile(r"\d+")
# Of the names without their suffixes: nignx is nginx, and db is not dbus.
_NEAR_ENOUGH = 0.75


class View(NamedTuple):
    """What the rules look at: how a host differs from a declaration, and the host."""

    differences: Differences
    observed: Observed

    @property
    def desired(self) -> Desired:
        return self.differences.desired

    @property
    def after(self) -> LoadPath:
        return self.differences.after

    def is_there(self, unit: str) -> bool:
        """Has it a file, or has systemd made it? What only others refer to is in memory too, as not found."""
        if self.after.fragment(unit) is not None:
            return True
        return not self.goes(unit) and self.observed.states[unit].load != "not-found"

    @property
    def asked_in_vain(self) -> FrozenSet[str]:
        """Units that are named to be started and are nowhere, which is an error of their own."""
        units = [unit for unit in self.desired.units if not unit.path]
        names = (name for unit in units for name in unit.members if unit.meant(name).state in RUNNING)
        return frozenset(name for name in names if not self.is_there(name))

    def goes(self, unit: str) -> bool:
        return self.observed.places.unit_file(unit) in self.differences.remove

    def alias(self, name: str) -> Optional[Problem]:
        primary = self.after.primary(name)
        return None if primary == name else _ALIAS.problem(name, primary=primary)


def dropins(view: View) -> Iterator[Problem]:
    """What speaks against drop-ins for these names, and what a reader should know of them."""
    units = view.desired.units
    enabled = {each for unit in units for each in (unit.name.text, *unit.members) if unit.meant(each).enabled}
    for dropin in view.desired.dropins:
        name = dropin.unit.text
        waits = dropin.present and not dropin.unit.stands_for_others and not view.is_there(name)
        if waits and name not in view.asked_in_vain:
            yield _DROPIN_WAITS.problem(name, near=near(name, view))
        if any(entry.section == "Install" for entry in dropin.entries) and name not in enabled:
            yield _INSTALL_OF_DROPIN.problem(name, "Install")
        alias = view.alias(name)
        if alias:
            yield alias


def outdated(view: View) -> Iterator[Problem]:
    """What a daemon-reload puts into force for units of others is not ours to decide; ours comes with it anyway."""
    reloads = view.differences.write or view.differences.remove or view.differences.reload_due
    for unit in () if reloads else outdated_of_others(view.desired, view.observed):
        yield _OUTDATED.problem(unit)


def removes_nothing(view: View) -> Iterator[Problem]:
    """What shall be absent and is nowhere, where another file of ours has nearly the same name."""
    ours = {path for path, seen in view.observed.files.items() if seen.content and owner_of(seen.content)}
    declared = {*view.desired.files, *view.desired.removed}
    gone = [
        (unit.name.text, view.observed.places.unit_file(unit.name.text))
        for unit in view.desired.units
        if unit.state == "absent"
    ]
    gone += [(dropin.unit.text, dropin.path) for dropin in view.desired.dropins if not dropin.present]
    for name, path in gone:
        if path not in view.observed.files and view.after.fragment(name) is None:
            others = {view.observed.places.unit_of(each) for each in ours - declared}
            meant = _mistyped(name, others)
            if meant:
                yield _ABSENT_NOWHERE.problem(name, meant=meant)


def stops_nothing(view: View) -> Iterator[Problem]:
    """What shall be down or disabled by its name alone, and is nowhere: as good as done, unless its name is wrong."""
    for unit in view.desired.units:
        for name in unit.members if not unit.path and not unit.masked and unit.state != "absent" else ():
            meant = unit.meant(name)
            asked = meant.state not in RUNNING and (meant.state == "stopped" or meant.enabled is False)
            if asked and not view.is_there(name):
                yield _STOPPED_NOWHERE.problem(name, near=near(name, view))


def _mistyped(name: str, others: Set[str]) -> str:
    """Numbers that differ are no slip: what was app-1 is gone, and app-2 is there."""
    stem, _dot, kind = name.rpartition(".")
    known = {each.rpartition(".")[0]: each for each in others if each.endswith("." + kind)}
    close = likeness.near(stem, sorted(known), 3, _NEAR_ENOUGH)
    return next((known[each] for each in close if _DIGITS.sub("", each) != _DIGITS.sub("", stem)), "")


def starts_nothing(view: View) -> Iterator[Problem]:
    """Timers, sockets and paths whose text, or a drop-in over it, points at a unit that is not there."""
    texts = [unit.name for unit in view.desired.units if unit.path]
    texts += [dropin.unit for dropin in view.desired.dropins if _points_elsewhere(dropin)]
    for name in dict.fromkeys(each for text in texts for each in _judged_by(text, view)):
        problem = _starts_nothing(name, view)
        if problem:
            yield problem


def _judged_by(name: UnitName, view: View) -> Sequence[UnitName]:
    """A template by its declared instances where what it starts has their names: without any, nothing is judged."""
    if not name.is_template or not names_instance(started_by(name.text, view.after.effective(name.text))):
        return [name]
    members = (each for unit in view.desired.units if unit.name.text == name.text for each in unit.members)
    return [parse_name(each) for each in members]


def _points_elsewhere(dropin: DropinWanted) -> bool:
    """Does it change what its timer, socket or path starts?"""
    kind = KINDS[dropin.unit.kind]
    own = (each for each in dropin.entries if each.section == kind.section)
    pointing = {kind.starts.directive, kind.starts.each} - {""}
    return any(each.directive in pointing for each in own) and not dropin.unit.stands_for_others


def _starts_nothing(name: UnitName, view: View) -> Optional[Problem]:
    kind = KINDS[name.kind]
    place = (name.text, kind.section, kind.starts.directive)
    if not kind.starts.directive:
        return None
    started = started_by(name.text, view.after.effective(name.text))
    if "%" in started:
        written = {each.path for each in view.differences.write}
        told = kind.starts.hands_over and view.observed.places.unit_file(name.template or name.text) in written
        return _SPECIFIER.problem(*place, started=started) if told else None
    # What this run itself takes away will not come by another task.
    rule = _STARTS_GONE if view.goes(started) else STARTS_NOWHERE
    if misnamed(started):
        return STARTS_NO_NAME.said(_misnamed(started, kind.starts.kind, view), *place)
    if view.is_there(started):
        return None
    bring = f"give the {name.kind} exec_start, " if name.text in _short_forms(view) else ""
    # A name that nobody wrote nobody has misspelt: then only what this run declares beside it may be meant.
    named = last(view.after.effective(name.text), kind.section, kind.starts.directive)
    among = None if named else {unit.name.text for unit in view.desired.units}
    return rule.problem(*place, started=started, bring=bring, near=near(started, view, among))


def _misnamed(started: str, kind: str, view: View) -> str:
    """Of a name that no unit can have; the one with its missing type is proposed where there is such a unit."""
    whole = f"{started}.{kind}"
    if "." in started or misnamed(whole) or view.is_there(whole):
        return misnamed(started)
    mend = f"declare that too, or mend the name{near(whole, view)}"
    return f"{shown(started)} does not end in the type of unit, and there is no {whole} either: {mend}"


def _short_forms(view: View) -> Set[str]:
    """Those that might have brought what they start."""
    return {each for unit in view.desired.units if unit.leaves.started for each in (unit.name.text, *unit.members)}


def wanted_by_nobody(view: View) -> Iterator[Problem]:
    """Targets and the like that shall want an enabled unit, and are not there."""
    for unit in view.desired.units:
        said: Set[str] = set()  # what the template says is not said of each instance again
        for name in (unit.name.text, *unit.members) if unit.path else ():
            of_instances = name not in unit.members and bool(unit.members)
            for problem in _wanted_by_nobody(name, view, of_instances) if unit.meant(name).enabled else ():
                if problem.message not in said:
                    said.add(problem.message)
                    yield problem


def _wanted_by_nobody(name: str, view: View, of_instances: bool) -> Iterator[Problem]:
    """of_instances: name is a template of which instances are declared, which tell themselves what wants each."""
    links = (each for each in links_of(name, view.after, view.observed).links if not each.is_alias)
    for directive, other in dict.fromkeys((each.directive, each.other) for each in links):
        if of_instances and is_template(other):
            continue
        # A device comes whenever it is plugged in.
        if not view.is_there(other) and not kind_of(other).appears:
            scope = view.observed.places.scope
            # A target of the system, which no user's manager has (systemd.special(7)).
            meant = f" (did you mean {scope.at_boot}?)" if other in scope.lacking else near(other, view)
            yield _NO_SUCH_TARGET.problem(name, "Install", directive, target=other, near=meant)


def no_such_unit(unit: str, view: View) -> Problem:
    return _NO_SUCH_UNIT.problem(unit, near=near(unit, view))


def near(unit: str, view: View, among: Optional[Set[str]] = None) -> str:
    """A unit that may have been meant by a name that is nowhere, as a question; their suffixes make none alike.

    among: those that may be, None for all that there are.
    A template is none for a plain name, nor the other way round, and what we make for alerts nobody means.
    """
    stem, _dot, suffix = unit.rpartition(".")
    every = {name for names in view.after.names.values() for name in names} | set(view.observed.states)
    every = every if among is None else every & among
    others = [name for name in every - _of_alerts(view) - {unit} if ("@" in name) == ("@" in unit)]
    parts = [name.rpartition(".") for name in others if not misnamed(name)]
    known = sorted(each for each, _dot, kind in parts if kind == suffix)
    close = [f"{each}.{suffix}" for each in likeness.near(stem, known, 3, _NEAR_ENOUGH)]
    found = next(filter(view.is_there, close), "")
    return f" (did you mean {found}?)" if found else ""


def _of_alerts(view: View) -> Set[str]:
    from .._desired.alerts import template_of  # noqa: PLC0415 (only where a name is nowhere)

    owners = (owner_of(seen.content) for seen in view.observed.files.values() if seen.content)
    return {template_of(owner) for owner in (view.desired.owner, *owners) if owner}

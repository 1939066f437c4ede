# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the short forms share: from the short options of an entry to the sections of a unit. Pure.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Tuple

from ansible.module_utils.parsing.convert_bool import BOOLEANS, boolean

from .._syntax import values
from .._syntax.activation import accepts, started_by
from .._syntax.former import present
from .._syntax.install import INSTALLS
from .._syntax.kinds import DEFAULT_KIND, KINDS, kind_of
from .._syntax.names import parse_name
from .._syntax.rule import Problem, Problems, Refused, Rule, Severity, shown
from .._syntax.unitfile import Effective
from . import inherited
from .options import TEXT_OPTIONS
from .short import Short

Entry = Dict[str, Any]
Params = Mapping[str, Any]
Sections = Dict[str, Dict[str, Any]]

_GIVEN_TWICE = Rule(
    "given-twice",
    Severity.ERROR,
    "it is given as {option} and as {other} as well",
    "leave out one of them",
    "the short options of services, timers, sockets and targets",
)
_OPTION_VALUE = Rule(
    "short-option",
    Severity.ERROR,
    "a short option has a value that it cannot have",
    "the message says what it takes",
    "the short options of services, timers, sockets and targets",
)
_TOO_LITTLE = replace(_OPTION_VALUE, of_lack=True)
_BOOLEANS = frozenset(str(each).lower() for each in BOOLEANS)
# What goes to the unit that an entry is named after, and what to the one that has the process.
STATE = ("enabled", "state", "masked")
OF_PROCESS = (*TEXT_OPTIONS, "run", "alert", "hardening")


class Around(NamedTuple):
    """What the defaults of an entry depend on besides itself.

    boot: the target that a boot reaches. timed: services that a timer of the declaration starts; started: those that
    its sockets or paths start; accepted: templates of which a socket starts one for each connection. members: of its
    targets.
    """

    boot: str
    timed: FrozenSet[str] = frozenset()
    started: FrozenSet[str] = frozenset()
    accepted: FrozenSet[str] = frozenset()
    members: FrozenSet[str] = frozenset()

    @property
    def on_demand(self) -> FrozenSet[str]:
        """What a timer, socket or path starts when it is time for it."""
        return self.timed | self.started | self.accepted


def unit_name(given: str, form: str) -> str:
    """The full name of a form's unit: the suffix may be left out. Raises Problems for that of another type."""
    stem, dot, suffix = given.rpartition(".")
    if dot and suffix in KINDS:
        if suffix != form:
            told = f"{shown(given)} is no {form}: name it {shown(f'{stem}.{form}')}, or declare it under its own type"
            raise Problems([_OPTION_VALUE.said(told, given, option="name")])
        return given
    return f"{given}.{form}"


def with_kind(given: str, kind: str = DEFAULT_KIND) -> str:
    """A unit that an entry refers to, whose suffix may be left out if it is that kind's."""
    return given if given.rpartition(".")[2] in KINDS else f"{given}.{kind}"


class Builder:
    """Puts the sections of one unit together, and notes what is wrong with the options for them."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.sections: Sections = {}
        self.problems: List[Problem] = []
        # It is said that nothing starts it at boot.
        self.unwanted = False
        # By which option an entry has said a directive.
        self._options: Dict[Tuple[str, str], str] = {}

    def short(self, entry: Params, rows: Mapping[str, Short]) -> None:
        """Take the options that stand for a directive each."""
        for option, row in rows.items():
            value = entry.get(option)
            if value is None:
                continue
            if row.takes == ("names",):
                value = " ".join(value)
                # There an empty list says nothing, as it resets nothing.
                if not value and row.section in ("Unit", "Install"):
                    self.unwanted = self.unwanted or row.section == "Install"
                    continue
            self.take(row.section, row.directive, value, option)

    def take(self, section: str, directive: str, value: Any, option: str) -> None:
        """A directive that an entry says by an option of ours."""
        self._options[(section, directive)] = option
        self._set(section, directive, value)

    def open(self, entry: Params, *options: str) -> None:
        """Take what sections say themselves, each by the option of its name, such as service for [Service]."""
        for option in options:
            section = option.capitalize()
            for directive, value in (entry.get(option) or {}).items():
                said = self._options.get(present(section, str(directive)))
                if said is not None:
                    told = _GIVEN_TWICE.problem(self.unit, section, str(directive), option=said, other=option)
                    self.problems.append(told)
                    continue
                self._set(section, directive, value)

    def depends_on(self, entry: Params) -> None:
        """Take that option, which adds to what is there."""
        wants, requires = self._dependencies(entry.get("depends_on") or ())
        for directive, units in (("Wants", wants), ("Requires", requires), ("After", [*wants, *requires])):
            self.add("Unit", directive, units)

    def argv(self, entry: Params) -> None:
        """Take that option."""
        argv = entry.get("argv")
        if argv is None:
            return
        if "ExecStart" in self.sections.get("Service", {}):
            other = "service" if entry.get("exec_start") is None else "exec_start"
            told = _GIVEN_TWICE.problem(self.unit, "Service", "ExecStart", option="argv", other=other)
            self.problems.append(told)
            return
        try:
            line = values.command_line(list(argv), parse_name(self.unit).is_template)
        except Refused as refused:
            told = _OPTION_VALUE.said(f"argv: {refused}", self.unit, "Service", "ExecStart", refused.path)
            self.problems.append(told)
            return
        self._set("Service", "ExecStart", line)

    def _dependencies(self, given: Iterable[Any]) -> Tuple[List[str], List[str]]:
        """The units that are wished for, and those that are needed."""
        wants: List[str] = []
        requires: List[str] = []
        for number, each in enumerate(given):
            if isinstance(each, Mapping) and _is_dependency(each):
                (requires if boolean(each.get("required", False)) else wants).append(with_kind(each["name"]))
            elif isinstance(each, str) and each:
                wants += [with_kind(word) for word in each.split()]
            else:
                told = "depends_on takes names of units, or mappings such as {name: redis.service, required: true}"
                self.problems.append(_OPTION_VALUE.said(told, self.unit, option=f"depends_on[{number}]"))
        return wants, requires

    def add(self, section: str, directive: str, units: Iterable[str]) -> None:
        """Units more in a directive that lists some."""
        new = " ".join(units)
        given = self.sections.get(section, {}).get(directive, "")
        if not new or given is None:  # a null is refused where it is read
            return
        if isinstance(given, (list, tuple)):
            self._set(section, directive, [*given, new])
        else:
            self._set(section, directive, f"{given} {new}" if isinstance(given, str) and given else new)

    def inherit(self, entry: Params, is_run_by_another: bool) -> None:
        """Take what the stack has for all services."""
        for section, directive, value in inherited.directives(entry, is_run_by_another):
            self.default(section, directive, value)

    def default(self, section: str, directive: str, value: Any) -> None:
        """What an entry itself has said stands."""
        self.sections.setdefault(section, {}).setdefault(directive, value)

    def at_boot(self, of_scope: str) -> None:
        """Have it started at boot, as units of its type are. of_scope: the target of the scope."""
        self.wanted_by(kind_of(self.unit).boot_target(of_scope))

    def wanted_by(self, target: str) -> None:
        """The target that starts it at boot, unless the entry has said what does."""
        if not self.unwanted and not any(each in self.sections.get("Install", {}) for each in INSTALLS):
            self.default("Install", "WantedBy", target)

    def said(self, section: str, directive: str) -> str:
        """The value of a directive as text, "" where there is none."""
        value = self.sections.get(section, {}).get(directive)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "" if value is None else str(value)

    def starts(self) -> str:
        """The unit that it starts, or the template of such, as far as its own section says."""
        return with_kind(started_by(self.unit, self.text()))

    def accepts(self) -> bool:
        """Has each connection a service of its own?"""
        return accepts(self.unit, self.text())

    def text(self) -> Effective:
        """Its own section as text."""
        section = kind_of(self.unit).section
        return {section: as_text(self.sections.get(section, {}))}

    def _set(self, section: str, directive: str, value: Any) -> None:
        self.sections.setdefault(section, {})[str(directive)] = value

    def lacks(self, what: str) -> None:
        """Note that an entry says too little to be meant; what is wrong already may be the reason."""
        if self.problems:
            return
        self.problems.append(_TOO_LITTLE.said(f"{what}, or state for a unit that is there already", self.unit))

    def entries(self, *found: Entry) -> List[Entry]:
        """Those, as what a short form stands for. Raises Problems with all that was noted, and them as the rest."""
        if self.problems:
            raise Problems(self.problems, rest=list(found))
        return list(found)

    def entry(self, **options: Any) -> Entry:
        """The unit as an entry with sections."""
        sections = {section.lower(): dict(given) for section, given in self.sections.items() if given}
        return {"name": self.unit, **sections, **{key: each for key, each in options.items() if each is not None}}


def _is_dependency(given: Params) -> bool:
    name, required = given.get("name"), str(given.get("required", False)).lower()
    return bool(name) and isinstance(name, str) and set(given) <= {"name", "required"} and required in _BOOLEANS


def as_text(section: Mapping[str, Any]) -> Dict[str, List[str]]:
    """The directives of a section, as far as they are text: what is wrong with them is told where they are read."""
    found: Dict[str, List[str]] = {}
    for directive, value in section.items():
        each = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
        found[str(directive)] = ["yes" if one is True else str(one) for one in each]
    return found


def chosen(entry: Params, options: Iterable[str]) -> Entry:
    """Of an entry's options those that are given."""
    return {option: entry[option] for option in options if entry.get(option) is not None}

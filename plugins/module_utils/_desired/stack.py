# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From parameters to the state a host shall be in. Pure.

Private to the collection.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from types import MappingProxyType
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, TypeVar

from .._host.health import Health
from .._syntax import names, unitfile
from .._syntax.directives import Catalogue
from .._syntax.loadpath import LoadPath, dropin_folders
from .._syntax.rule import Problem, Problems, Refused, Rule, Severity, shown, within
from . import contradictions, triggers
from .health import HEALTH, health
from .options import OF_INSTANCES, TEXT_OPTIONS
from .render import FileWanted, HostFacts, Params, Rendered, has_text, render
from .stamp import Ingredients

# What is kept of an owner lies in files of that name and a suffix, and a file name ends at 255 bytes.
_OWNER_MAX = 240
# The key of an entry of a short form that does not bring what it starts, and might.
MAY_BRING = "may_bring"
# In the place of a name that is none.
_NO_OWNER = "-"

_Made = TypeVar("_Made")

_EMPTY = Rule(
    "empty",
    Severity.ERROR,
    "the drop-in {dropin} has no text",
    "give it a section, content, environment or triggers",
    "the module dropin",
    of_lack=True,
)


class Meant(NamedTuple):
    """State and enablement of one unit, as an entry says it or leaves it open ("" and None).

    left_down: it would be started if it did not refuse that. health: how an instance proves itself, if not as the
    others of its template.
    """

    state: str = ""
    enabled: Optional[bool] = None
    left_down: bool = False
    health: Optional[Health] = None


class LeftOut(NamedTuple):
    """What an entry does not bring, though it could.

    instances: a template whose other instances are left over, since nothing else starts any. listed: a template which
    has those that are declared and no others, as its entry has a text or a list. started: a short form, without the
    unit that it starts.
    """

    instances: bool = False
    listed: bool = False
    started: bool = False


class UnitWanted(NamedTuple):
    """A unit as it shall be.

    name: its name. path: of its file, None for a unit that someone else defines (state only). members: the units that
    state and enablement are for, instances of a template or the unit itself. state, enabled: "" and None where the
    entry does not say, and `filled_in` does by the merged text; enabled None after that: left as it is. masked: None
    where the entry does not say. on_change: what a change that needs a restart does, "" if the entry does not say.
    runs_on_change: as the option `run` says. health: how it proves itself, None if not by an entry of its own. replace:
    its file may take the place of another owner's. leaves: what its entry could have said. by_member: what differs from
    all that for a member, by its entry among the instances or by its own drop-ins.
    """

    name: names.UnitName
    path: Optional[str]
    members: Tuple[str, ...]
    state: str
    enabled: Optional[bool]
    masked: Optional[bool]
    on_change: str
    runs_on_change: bool
    health: Optional[Health]
    replace: bool
    leaves: LeftOut = LeftOut()
    by_member: Mapping[str, Meant] = MappingProxyType({})

    def health_of(self, member: str) -> Optional[Health]:
        return self.meant(member).health or self.health

    def meant(self, member: str) -> Meant:
        """State and enablement of one member."""
        return self.by_member.get(member) or _in_general(self.state, self.enabled)


@lru_cache(maxsize=None)
def _in_general(state: str, enabled: Optional[bool]) -> Meant:
    """Every rule asks it of every unit, and there are but a few."""
    return Meant(state, enabled)


class DropinWanted(NamedTuple):
    """A drop-in as it shall be.

    unit: the unit, or pattern, that it is for. path: of its file. present: False if it shall be gone. entries: what it
    assigns. on_change: as of a unit. health: how the unit proves itself, None if the entry does not say. replace: its
    file may take the place of another owner's.
    """

    unit: names.UnitName
    path: str
    present: bool
    entries: Tuple[unitfile.Entry, ...]
    on_change: str
    health: Optional[Health]
    replace: bool


class TriggersSeen(NamedTuple):
    """The files under triggers as the host has them. told: what is said of them. changed_at: when, by path."""

    told: Tuple[Problem, ...] = ()
    changed_at: Mapping[str, float] = MappingProxyType({})


_NO_TRIGGERS = TriggersSeen()


@dataclass(frozen=True)
class Desired:
    """All of one owner on one host.

    owners: its name, and those of others whose files it takes over. files: what is to lie on the host, by path. units,
    dropins: as they shall be. removed: the files of what is declared absent. health: what units prove that say nothing
    of it. restarts: what is to run is restarted. prune: what is no longer declared is removed. max_removed: how many
    files that may be, None for any number. triggers: the files that units are restarted for. catalogue: the directives
    that the host's systemd knows, None where it cannot be asked. tellers: by service the program that tells someone of
    its failure.
    """

    owners: Tuple[str, ...]
    files: Mapping[str, FileWanted]
    units: Tuple[UnitWanted, ...]
    dropins: Tuple[DropinWanted, ...]
    removed: Tuple[str, ...]
    health: Health
    restarts: bool = False
    prune: bool = False
    max_removed: Optional[int] = None
    triggers: TriggersSeen = _NO_TRIGGERS
    catalogue: Optional[Catalogue] = None
    tellers: Tuple[Tuple[str, str], ...] = ()

    @property
    def owner(self) -> str:
        return self.owners[0]

    def holds_one(self, section: str, directive: str) -> bool:
        """Does the directive hold one value on this host, as far as it is known?"""
        return self.catalogue is not None and self.catalogue.holds_one(section, directive)

    @cached_property
    def replaced(self) -> FrozenSet[str]:
        """Files that may take the place of someone else's."""
        units = [unit.path for unit in self.units if unit.path and unit.replace]
        return frozenset([*units, *(dropin.path for dropin in self.dropins if dropin.replace)])

    @cached_property
    def given_back(self) -> FrozenSet[str]:
        """Files that are declared absent, and under which someone else's may lie."""
        names_of = {unit.name.text for unit in self.units if unit.replace and unit.state == "absent"}
        return frozenset(path for path in self.removed if posixpath.basename(path) in names_of)

    @cached_property
    def made_of(self) -> Mapping[str, Ingredients]:
        """What each stamp of these files stands for, and that which an earlier version would have made of them."""
        every = [each.made_of for each in self.files.values() if each.made_of]
        old = [each.without_environment for each in every if each.environment]
        return {each.stamp: each for each in (*old, *every)}

    def texts(self, folder: str) -> LoadPath:
        """The files of this declaration alone, as systemd would merge them. folder: where its units lie."""
        paths = [path for path, each in self.files.items() if not each.secret]
        entries: Dict[str, Set[str]] = {folder: set()}
        for place, name in (posixpath.split(path) for path in paths):
            entries.setdefault(place, set()).add(name)
        found = {place: frozenset(each) for place, each in entries.items()}
        return LoadPath((folder,), found, found, {path: self.files[path].content for path in paths})

    def health_of(self, unit: str) -> Health:
        """By its own entry, else by its template's, else by that of a drop-in over it, else as for all units."""
        template, folders = names.parse_name(unit).template, dropin_folders(unit)
        own = [wanted.health_of(unit) for wanted in self.units if unit in wanted.members]
        general = [wanted.health for wanted in self.units if wanted.name.text == template]
        over = [dropin.health for dropin in self.dropins if f"{dropin.unit.text}.d" in folders]
        return next((each for each in [*own, *general, *over] if each), self.health)


def build(params: Params, facts: HostFacts) -> Desired:
    """The desired state of a stack (parameters of the module of that name). Raises Problems with all that is wrong."""
    problems: List[Problem] = []
    owner = _owner(params, problems)
    units: List[UnitWanted] = []
    dropins: List[DropinWanted] = []
    files: Dict[str, FileWanted] = {}
    defaults = params.get("health") or {}
    given_units = params.get("units") or []
    given_dropins = params.get("dropins") or []
    problems += contradictions.of_stack(params)
    has_dropin = frozenset(str(entry["name"]) for entry in given_dropins if entry.get("state") != "absent")
    for entry in given_units:
        _collect(lambda e=entry: _unit(e, owner, defaults, facts, files, has_dropin), units, problems)
    for entry in given_dropins:
        _collect(lambda e=entry: _dropin(e, owner, defaults, facts, files), dropins, problems)
    about = [(unit.name.text, *unit.members) for unit in units]
    problems += contradictions.duplicates(about, [(dropin.unit.text, dropin.path) for dropin in dropins])
    problems += triggers.bad([*given_units, *given_dropins])
    general: List[Health] = []
    _collect(lambda: _health("", None, defaults), general, problems)
    desired = Desired(
        owners=tuple(dict.fromkeys([owner, *(params.get("adopt") or ())])),
        files=files,
        units=tuple(units),
        dropins=tuple(dropins),
        removed=tuple(
            [facts.places.unit_file(unit.name.text) for unit in units if unit.state == "absent"]
            + [dropin.path for dropin in dropins if not dropin.present]
        ),
        restarts=params.get("state") == "restarted",
        prune=bool(params.get("prune")) or params.get("state") == "absent",
        health=general[0] if general else Health(patient=True),
        max_removed=params.get("max_removed"),
        triggers=_seen([*given_units, *given_dropins], facts),
        catalogue=facts.catalogue,
        tellers=tuple(params.get("tellers") or ()),
    )
    if problems:
        raise Problems(problems, rest=replace(desired, prune=False, max_removed=None) if owner != _NO_OWNER else None)
    return desired


def _seen(entries: Sequence[Params], facts: HostFacts) -> TriggersSeen:
    told = (*triggers.missing(entries, facts.digests), *triggers.unwatched(entries, facts.places.scope))
    return TriggersSeen(told, facts.changed_at)


def is_single(owner: str) -> bool:
    """Is it no stack, but the owner of what a module for one unit declares?"""
    return "." in owner


def _collect(make: Any, into: List[Any], problems: List[Problem]) -> None:
    try:
        into.append(make())
    except Problems as found:
        problems += found.problems
        if found.rest is not None:
            into.append(found.rest)


def _noted(make: Callable[[], _Made], problems: List[Problem]) -> Optional[_Made]:
    """What is made, None of what is wrong, which is noted."""
    try:
        return make()
    except Problems as found:
        problems += found.problems
        return None


def _owner(params: Params, problems: List[Problem]) -> str:
    option = "adopt"
    try:
        for old in params.get("adopt") or ():
            names.parse_owner(old)
        option = "name"
        if not params.get("owner"):
            return names.parse_stack(params["name"])
        # A module for a single unit passes the unit's own name, which no stack can have.
        if len(params["owner"].encode("utf-8", "replace")) > _OWNER_MAX:
            name = shown(params["owner"][: names.NAME_SHOWN] + "...")
            raise Refused(f"the name {name} has more than {_OWNER_MAX} bytes: declare it in a stack, or shorten it")
        return str(params["owner"])
    except Refused as refused:
        problems.append(names.STACK_NAME.said(str(refused), option=option))
        return _NO_OWNER


def _unit(
    entry: Params,
    owner: str,
    defaults: Params,
    facts: HostFacts,
    files: Dict[str, FileWanted],
    has_dropin: FrozenSet[str],
) -> UnitWanted:
    try:
        name = names.parse_name(entry["name"])
        members = _members(name, entry)
    except Refused as refused:
        raise Problems(
            [names.UNIT_NAME.said(str(refused), str(entry["name"]), option=refused.path or "name")]
        ) from None
    brings_text = has_text(entry) and entry.get("state") != "absent"
    problems = list(contradictions.of_options(entry, name, brings_text, name.text in has_dropin))
    path = facts.places.unit_file(name.text)
    rendered = _rendered(lambda: render(entry, name.kind, name.text, path, owner, facts), brings_text, problems, files)
    checks = _noted(lambda: _own_health(entry, defaults), problems)
    by_member = _of_instances(name.text, entry, defaults, problems)
    wanted = UnitWanted(
        name=name,
        path=path if rendered is not None else None,
        members=members,
        state=entry.get("state") or "",
        enabled=entry.get("enabled"),
        masked=entry.get("masked"),
        on_change=entry.get("on_change") or "",
        runs_on_change=entry.get("run") == "on_change",
        health=checks,
        replace=bool(entry.get("replace")),
        leaves=LeftOut(
            instances=rendered is not None and entry.get("instances") is not None,
            listed=rendered is not None or entry.get("instances") is not None,
            started=bool(entry.get(MAY_BRING)),
        ),
        by_member=by_member,
    )
    if problems:
        raise Problems(problems, rest=wanted if rendered is not None else None)
    return wanted


def _rendered(
    make: Callable[[], Rendered], wanted: bool, problems: List[Problem], files: Dict[str, FileWanted]
) -> Optional[Rendered]:
    """The text of an entry, if it has one; of one with mistakes, which are added to problems, the lines without any."""
    rendered: Optional[Rendered] = None
    try:
        rendered = make() if wanted else None
    except Problems as found:
        problems += found.problems
        rendered = found.rest
    if any(not each.directive for each in problems):  # without the line of a mistake it cannot be told what is left
        return None
    if rendered is not None:
        files.update((each.path, each) for each in rendered.files)
    return rendered


def _members(name: names.UnitName, entry: Params) -> Tuple[str, ...]:
    instances = entry.get("instances")
    if instances is None:
        return () if name.is_template else (name.text,)
    if not name.is_template:
        with within("instances"):
            raise Refused(f"instances belong to a template: name it {name.prefix}@.{name.kind}")
    members: List[str] = []
    problems: List[Problem] = []
    for number, instance in enumerate(instances):
        try:
            members.append(names.with_instance(name.text, _instance(name, instance)))
        except Refused as refused:
            problems.append(names.UNIT_NAME.said(str(refused), name.text, option=f"instances[{number}]"))
    if problems:
        raise Problems(problems)
    return tuple(members)


def _instance(name: names.UnitName, given: object) -> str:
    """A number stands for itself, unless YAML has rounded it."""
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise Refused(f"YAML made the instance {given!r} of something else (1.10 becomes 1.1, on True): quote it")
    stem, at, rest = str(given).partition("@")
    if at and stem == name.prefix:
        own = rest[: -len(name.kind) - 1] if rest.endswith(f".{name.kind}") else rest
        raise Refused(f"{shown(str(given))} is no instance of {name.text}: write what stands after the @, {own}")
    return str(given)


def _of_instances(template: str, entry: Params, defaults: Params, problems: List[Problem]) -> Mapping[str, Meant]:
    """What instances have of their own, by their full names; what is wrong with that is noted."""
    found = {}
    for instance, own in (entry.get(OF_INSTANCES) or {}).items():
        member = names.with_instance(template, instance)
        checks = _noted(partial(_own_health, {**own, "name": member}, defaults), problems)
        found[member] = Meant(own.get("state") or "", own.get("enabled"), health=checks)
    return found


def _dropin(
    entry: Params, owner: str, defaults: Params, facts: HostFacts, files: Dict[str, FileWanted]
) -> DropinWanted:
    try:
        name = names.parse_pattern(entry["name"])
        with within("dropin"):
            file_name = names.parse_dropin(entry["dropin"])
    except Refused as refused:
        raise Problems(
            [names.UNIT_NAME.said(str(refused), str(entry["name"]), option=refused.path or "name")]
        ) from None
    path = facts.places.dropin_file(name.text, file_name)
    present = entry.get("state") != "absent"
    if present and not has_text(entry) and not any(entry.get(key) for key in TEXT_OPTIONS):
        raise Problems([_EMPTY.problem(name.text, dropin=file_name)])
    problems = list(contradictions.unhonoured(entry, name)) if present else []
    stem = names.stem_of_dropin(name.text, file_name[: -len(".conf")])
    rendered = _rendered(lambda: render(entry, name.kind, stem, path, owner, facts), present, problems, files)
    checks = _noted(lambda: _own_health(entry, defaults), problems)
    wanted = DropinWanted(
        unit=name,
        path=path,
        present=present,
        entries=rendered.entries if rendered else (),
        on_change=entry.get("on_change") or "",
        health=checks,
        replace=bool(entry.get("replace")),
    )
    if problems:
        raise Problems(problems, rest=wanted if rendered is not None else None)
    return wanted


def _own_health(entry: Params, defaults: Params) -> Optional[Health]:
    return _health(entry["name"], entry["health"], defaults) if entry.get("health") else None


def _health(unit: str, given: Optional[Params], defaults: Params) -> Health:
    try:
        return health(given, defaults)
    except Refused as refused:
        raise Problems(HEALTH.refusals(refused, unit, "health")) from None

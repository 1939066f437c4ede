# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From parameters to the state a host shall be in. Pure.

Private to the collection.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from .._host.probe import Health
from .._syntax import names, unitfile
from .._syntax.activation import started_by
from .._syntax.kinds import KINDS, File, Processes
from .._syntax.loadpath import dropin_folders
from .._syntax.meaning import can_reload, is_run_once, refuses_start
from .._syntax.rule import Problem, Problems, Refused, shown
from .health import health
from .render import FileWanted, HostFacts, Params, has_text, render

# What is kept of an owner lies in files of that name and a suffix, and a file name ends at 255 bytes.
_OWNER_MAX = 240
_NAME_SHOWN = 40

# States in which a unit is declared to run.
RUNNING = ("started", "restarted", "reloaded")


@dataclass(frozen=True)
class UnitWanted:
    """A unit as it shall be. path is None for a unit that someone else defines (state only).

    members: the units that state and enablement are for, the instances of a template or the unit itself.
    lists_instances: a template whose other instances are left over, since nothing else starts any.
    enabled None: left as it is. on_change: what a change that needs a restart does, "" if the entry does not say.
    """

    name: names.UnitName
    path: Optional[str]
    entries: Tuple[unitfile.Entry, ...]
    members: Tuple[str, ...]
    state: str
    enabled: Optional[bool]
    masked: Optional[bool]
    on_change: str
    runs_on_change: bool
    health: Optional[Health]
    replace: bool
    lists_instances: bool = False


@dataclass(frozen=True)
class DropinWanted:
    """A drop-in as it shall be; present False: it shall be gone."""

    unit: names.UnitName
    path: str
    present: bool
    entries: Tuple[unitfile.Entry, ...]
    on_change: str
    health: Optional[Health]
    replace: bool


@dataclass(frozen=True)
class Desired:
    """All of one owner on one host."""

    owner: str
    files: Mapping[str, FileWanted]
    units: Tuple[UnitWanted, ...]
    dropins: Tuple[DropinWanted, ...]
    removed: FrozenSet[str]
    replaced: FrozenSet[str]
    health: Health
    prune: bool = False
    max_removed: Optional[int] = None
    adopt: FrozenSet[str] = frozenset()
    missing_triggers: Tuple[Problem, ...] = field(default=())

    def health_of(self, unit: str) -> Health:
        """By its own entry, else by its template's, else by that of a drop-in over it, else as for all units."""
        template, folders = names.parse_name(unit).template, dropin_folders(unit)
        own = [wanted.health for wanted in self.units if unit in wanted.members]
        general = [wanted.health for wanted in self.units if wanted.name.text == template]
        over = [dropin.health for dropin in self.dropins if f"{dropin.unit.text}.d" in folders]
        return next((each for each in [*own, *general, *over] if each), self.health)


def is_path(text: str) -> bool:
    """May a file have it for its absolute path?"""
    return text.startswith("/") and "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def trigger_files(entries: Sequence[Params]) -> List[str]:
    """The paths whose contents a desired state depends on."""
    return [path for entry in entries for path in (entry.get("triggers") or {}).get("files") or []]


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
    if params.get("state") == "absent" and (given_units or given_dropins):
        problems.append(
            Problem("state: absent removes the whole stack, so it takes no units or dropins", rule="absent")
        )
    for entry in given_units:
        _collect(lambda e=entry: _unit(e, owner, defaults, facts, files), units, problems)
    for entry in given_dropins:
        _collect(lambda e=entry: _dropin(e, owner, defaults, facts, files), dropins, problems)
    problems += _duplicates(units, dropins)
    problems += _bad_triggers([*given_units, *given_dropins])
    problems += _empty_prune(params)
    general: List[Health] = []
    _collect(lambda: _health("", None, defaults), general, problems)
    if problems:
        raise Problems(problems)
    started_by_others = _started_by(units)
    return Desired(
        owner=owner,
        files=files,
        units=tuple(_defaults(unit, started_by_others) for unit in units),
        dropins=tuple(dropins),
        removed=frozenset(
            [facts.places.unit_file(unit.name.text) for unit in units if unit.state == "absent"]
            + [dropin.path for dropin in dropins if not dropin.present]
        ),
        replaced=frozenset(
            [unit.path for unit in units if unit.path and unit.replace]
            + [dropin.path for dropin in dropins if dropin.replace]
        ),
        prune=bool(params.get("prune")) or params.get("state") == "absent",
        health=general[0],
        max_removed=params.get("max_removed"),
        adopt=frozenset(params.get("adopt") or ()),
        missing_triggers=tuple(_missing_triggers([*given_units, *given_dropins], facts)),
    )


def _collect(make: Any, into: List[Any], problems: List[Problem]) -> None:
    try:
        into.append(make())
    except Problems as found:
        problems += found.problems


def _owner(params: Params, problems: List[Problem]) -> str:
    try:
        for old in params.get("adopt") or ():
            names.parse_owner(old)
        if not params.get("owner"):
            return names.parse_stack(params["name"])
        # A module for a single unit passes the unit's own name, which no stack can have.
        if len(params["owner"].encode("utf-8", "replace")) > _OWNER_MAX:
            name = shown(params["owner"][:_NAME_SHOWN] + "...")
            raise Refused(f"the name {name} has more than {_OWNER_MAX} bytes: declare it in a stack, or shorten it")
        return str(params["owner"])
    except Refused as refused:
        problems.append(Problem(str(refused), rule="stack-name"))
        return "-"


def _unit(entry: Params, owner: str, defaults: Params, facts: HostFacts, files: Dict[str, FileWanted]) -> UnitWanted:
    try:
        name = names.parse_name(entry["name"])
        members = _members(name, entry)
    except Refused as refused:
        raise Problems([Problem(str(refused), unit=str(entry["name"]), rule="unit-name")]) from None
    brings_text = has_text(entry) and entry.get("state") != "absent"
    problems = _contradictions(entry, name, brings_text)
    rendered = None
    path = facts.places.unit_file(name.text)
    if brings_text:
        try:
            rendered = render(entry, name.kind, name.text, path, owner, facts)
        except Problems as found:
            problems += found.problems
    if rendered is not None:
        problems += _unit_rules(entry, name, rendered.entries)
    if problems:
        raise Problems(problems)
    if rendered is not None:
        files.update((each.path, each) for each in rendered.files)
    return UnitWanted(
        name=name,
        path=path if brings_text else None,
        entries=rendered.entries if rendered else (),
        members=members,
        state=entry.get("state") or "",
        enabled=entry.get("enabled"),
        masked=entry.get("masked"),
        on_change=entry.get("on_change") or "",
        runs_on_change=entry.get("run") == "on_change",
        health=_own_health(entry, defaults),
        replace=bool(entry.get("replace")),
        lists_instances=rendered is not None and entry.get("instances") is not None,
    )


def _members(name: names.UnitName, entry: Params) -> Tuple[str, ...]:
    instances = entry.get("instances")
    if instances is None:
        return () if name.is_template else (name.text,)
    if not name.is_template:
        raise Refused(f"instances belong to a template: name it {name.prefix}@.{name.kind}")
    for instance in instances:
        # A number stands for itself, unless YAML has rounded it.
        if isinstance(instance, bool) or not isinstance(instance, (str, int)):
            raise Refused(
                f"YAML made the instance {instance!r} of something else (1.10 becomes 1.1, on True): quote it"
            )
    return tuple(names.with_instance(name.text, str(instance)) for instance in instances)


def _contradictions(entry: Params, name: names.UnitName, brings_text: bool) -> List[Problem]:
    found = []
    masked = bool(entry.get("masked"))
    if entry.get("content") is not None and has_text({**entry, "content": None}):
        found.append("content is the whole unit: it takes no section options beside it")
    if brings_text and KINDS[name.kind].file is File.NEVER:
        found.append(f"systemd makes .{name.kind} units itself and reads no file for them: use a dropin")
    if brings_text and masked:
        found.append("a masked unit has no file of its own: leave out its text, or masked")
    if masked and (entry.get("enabled") or entry.get("state") in RUNNING):
        found.append("a masked unit can be neither enabled nor started: leave out masked, or the others")
    if not brings_text and entry.get("state") != "absent":
        extra = [option for option in ("environment", "secrets", "credentials", "triggers", "run") if entry.get(option)]
        if extra:
            found.append(f"{extra[0]} needs a text of ours to stand in: declare the unit's sections, or a dropin")
    if name.is_template and not entry.get("instances") and entry.get("state") in RUNNING:
        found.append("a template is not started itself: name its instances")
    return [Problem(message, unit=name.text, rule="contradiction") for message in found]


def _unit_rules(entry: Params, name: names.UnitName, entries: Sequence[unitfile.Entry]) -> List[Problem]:
    """What the options ask of the text."""
    effective = unitfile.effective([entries])
    found = []
    if entry.get("enabled") and not effective.get("Install"):
        found.append(("", "enabled needs an [Install] section: add install: {WantedBy: multi-user.target} or the like"))
    if KINDS[name.kind].processes is Processes.MAIN:
        once = is_run_once(effective)
        if once and entry.get("state") in RUNNING:
            found.append(
                (
                    "Type",
                    "a oneshot without RemainAfterExit has no state to hold: use run: on_change, or a timer",
                )
            )
        if not once and entry.get("run"):
            found.append(
                ("Type", "run: on_change is for Type=oneshot without RemainAfterExit: this service is started anyway")
            )
        wants_reload = entry.get("on_change") == "reload" or entry.get("state") == "reloaded"
        if wants_reload and not can_reload(effective):
            found.append(("ExecReload", "a reload needs ExecReload= (or Type=notify-reload): add it, or use restart"))
    elif entry.get("run"):
        found.append(("", "run: on_change is for a oneshot service"))
    return [
        Problem(message, name.text, "Service" if directive else "", directive, "option") for directive, message in found
    ]


def _dropin(
    entry: Params, owner: str, defaults: Params, facts: HostFacts, files: Dict[str, FileWanted]
) -> DropinWanted:
    try:
        name = names.parse_name(entry["name"])
        file_name = names.parse_dropin(entry["dropin"])
    except Refused as refused:
        raise Problems([Problem(str(refused), unit=str(entry["name"]), rule="unit-name")]) from None
    path = facts.places.dropin_file(name.text, file_name)
    present = entry.get("state") != "absent"
    if present and not has_text(entry) and not any(entry.get(key) for key in ("environment", "secrets", "credentials")):
        message = f"the drop-in {file_name} has no text: give it a section, content or environment"
        raise Problems([Problem(message, unit=name.text, rule="empty")])
    rendered = None
    if present:
        stem = f"{name.text}.d-{file_name[: -len('.conf')]}"
        rendered = render(entry, name.kind, stem, path, owner, facts)
        files.update((each.path, each) for each in rendered.files)
    return DropinWanted(
        unit=name,
        path=path,
        present=present,
        entries=rendered.entries if rendered else (),
        on_change=entry.get("on_change") or "",
        health=_own_health(entry, defaults),
        replace=bool(entry.get("replace")),
    )


def _own_health(entry: Params, defaults: Params) -> Optional[Health]:
    return _health(entry["name"], entry["health"], defaults) if entry.get("health") else None


def _health(unit: str, given: Optional[Params], defaults: Params) -> Health:
    try:
        return health(given, defaults)
    except Refused as refused:
        raise Problems([Problem(str(refused), unit=unit, rule="health")]) from None


def _duplicates(units: Sequence[UnitWanted], dropins: Sequence[DropinWanted]) -> List[Problem]:
    found = []
    seen: Set[str] = set()
    for unit in units:
        for name in {unit.name.text, *unit.members}:
            if name in seen:
                found.append(Problem("declared twice: merge the entries", unit=name, rule="duplicate"))
            seen.add(name)
    paths: Set[str] = set()
    for dropin in dropins:
        if dropin.path in paths:
            message = f"the drop-in {posixpath.basename(dropin.path)} is declared twice: merge the entries"
            found.append(Problem(message, unit=dropin.unit.text, rule="duplicate"))
        paths.add(dropin.path)
    return found


def _empty_prune(params: Params) -> List[Problem]:
    declared = params.get("units") or params.get("dropins")
    if params.get("prune") and params.get("state") != "absent" and not declared:
        message = "an empty declaration with prune would remove all: if that is meant, say state: absent"
        return [Problem(message, rule="empty-prune")]
    return []


def _started_by(units: Sequence[UnitWanted]) -> Set[str]:
    """Units that a timer, socket, path or automount of this stack starts."""
    ours = (unit for unit in units if unit.path is not None)
    return {started_by(unit.name.text, unitfile.effective([unit.entries])) for unit in ours} - {""}


def _defaults(unit: UnitWanted, started_by_others: Set[str]) -> UnitWanted:
    """What a person means by declaring a unit: started and enabled, unless something else starts it."""
    effective = unitfile.effective([unit.entries])
    on_demand = bool(started_by_others.intersection([unit.name.text, *unit.members]))
    on_demand = on_demand or (unit.name.is_template and not unit.members)
    state, enabled = unit.state, unit.enabled
    if not state:
        holds = unit.path is not None and not on_demand and not is_run_once(effective) and not unit.masked
        state = "started" if holds and not refuses_start(effective) else "present"
        if unit.masked:
            state = "stopped"
    if enabled is None and unit.path is not None and not on_demand and effective.get("Install"):
        enabled = state not in ("stopped", "absent")
    return replace(
        unit,
        state=state,
        enabled=False if state == "absent" else enabled,
        lists_instances=unit.lists_instances and unit.name.text not in started_by_others,
    )


def _bad_triggers(entries: Sequence[Params]) -> List[Problem]:
    return [
        Problem(f"triggers: {shown(path)} is not an absolute path", unit=entry["name"], rule="trigger")
        for entry in entries
        for path in trigger_files([entry])
        if not is_path(path)
    ]


def _missing_triggers(entries: Sequence[Params], facts: HostFacts) -> List[Problem]:
    return [
        Problem(
            f"triggers: the file {path} is not there: name a file that exists",
            unit=entry["name"],
            rule="trigger-missing",
        )
        for entry in entries
        for path in trigger_files([entry])
        if facts.digests.get(path) is None
    ]

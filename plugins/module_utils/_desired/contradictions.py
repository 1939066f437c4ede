# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Options that cannot be meant together, told from the declaration alone; what they ask of a text is in _plan. Pure.

Private to the collection.
"""

from __future__ import annotations

import posixpath
from typing import Iterator, Sequence, Set, Tuple

from .._syntax import names
from .._syntax.kinds import KINDS, SELECTIVE, File
from .._syntax.rule import Problem, Rule, RulePlace, Severity
from .options import RUNNING, TEXT_OPTIONS
from .render import Params, has_text

_ABSENT = Rule(
    "absent",
    Severity.ERROR,
    "state: absent removes the whole stack, so it takes no units or dropins",
    "leave them out, or say state: absent of each of them",
    "the option state of the module stack",
    place=RulePlace(option="state"),
)
_EMPTY_PRUNE = Rule(
    "empty-prune",
    Severity.ERROR,
    "an empty declaration with prune would remove all",
    "if that is meant, say state: absent",
    "the option prune",
    place=RulePlace(option="prune"),
)
_TWICE = Rule(
    "duplicate",
    Severity.ERROR,
    "declared twice",
    "merge the entries",
    "the options units and dropins",
    place=RulePlace(everywhere=True),
)
_DROPIN_TWICE = Rule(
    "duplicate",
    Severity.ERROR,
    "the drop-in {dropin} is declared twice",
    "merge the entries",
    "the option dropins",
    place=RulePlace(everywhere=True),
)


def _contradiction(reason: str, remedy: str, source: str, of_lack: bool = False) -> Rule:
    return Rule("contradiction", Severity.ERROR, reason, remedy, source, of_lack=of_lack)


_CONTENT_AND_SECTIONS = _contradiction(
    "content is the whole unit", "write the sections into it, or all of it as sections", "the option content"
)
_NO_FILE = _contradiction(
    "systemd makes .{kind} units itself and reads no file for them",
    "use a dropin",
    "systemd.scope(5), systemd.device(5)",
)
_MASKED_TEXT = _contradiction(
    "a masked unit has no file of its own", "leave out its text, or masked", "systemctl(1), mask"
)
_MASKED_RUNNING = _contradiction(
    "a masked unit can be neither enabled nor started", "leave out masked, or the others", "systemctl(1), mask"
)
_NEEDS_TEXT = _contradiction(
    "{option} needs a text of ours to stand in",
    "declare the unit's text (a service's exec_start, say), or a dropin over the one that is there",
    "the options environment, secrets, credentials, triggers and run",
    of_lack=True,
)
_TEMPLATE_STARTED = _contradiction(
    "a template is not started itself",
    "name its instances",
    "systemd.unit(5), service templates",
    of_lack=True,
)


def option_rule(reason: str, remedy: str, source: str) -> Rule:
    """One about an option that a unit cannot have."""
    return Rule("option", Severity.ERROR, reason, remedy, source)


_RUN_OF_OTHERS = option_rule(
    "run: on_change is for a oneshot service", "leave it out", "systemd.service(5), Type=oneshot"
)
_RELOAD_OF_OTHERS = option_rule(
    "a .{kind} is never reloaded, so on_change: reload would do nothing, or restart it",
    "say restart or none",
    "systemctl(1), reload",
)


def _no_process(reason: str) -> Rule:
    return Rule("no-process", Severity.ERROR, reason, "give it to the service", "systemd.exec(5)")


_NO_PROCESS = _no_process("a .{kind} starts no process, so it takes no {option}")
_NO_PROGRAM = _no_process(
    "a .{kind} runs commands and no program that goes on, so other {option} would never be in force, and it takes none"
)


# What does nothing, by the type of unit.
_UNHONOURED = {kind.name: tuple(sorted(SELECTIVE - kind.honours)) for kind in KINDS.values()}


def of_stack(params: Params) -> Iterator[Problem]:
    """What is wrong with the options of the whole."""
    entries = [*(params.get("units") or []), *(params.get("dropins") or [])]
    if params.get("state") == "absent" and entries:
        yield _ABSENT.problem()
    if params.get("prune") and params.get("state") != "absent" and not entries:
        yield _EMPTY_PRUNE.problem()


def unhonoured(entry: Params, name: names.UnitName) -> Iterator[Problem]:
    """Options that do nothing for units of this type; of a unit or of a drop-in over one."""
    kind = KINDS[name.kind]
    for option in _UNHONOURED[name.kind]:
        if entry.get(option):
            rule = _RUN_OF_OTHERS if option == "run" else _NO_PROGRAM if kind.runs_commands else _NO_PROCESS
            yield rule.problem(name.text, kind=kind.name, option=option).about(option)
    if entry.get("on_change") == "reload" and not kind.reloadable:
        yield _RELOAD_OF_OTHERS.problem(name.text, kind=kind.name).about("on_change")


def of_options(entry: Params, name: names.UnitName, brings_text: bool, has_dropin: bool) -> Iterator[Problem]:
    """What is wrong with the options of one unit. has_dropin: it has one beside it."""
    masked = bool(entry.get("masked"))
    yield from unhonoured(entry, name)
    if entry.get("content") is not None and has_text({**entry, "content": None}):
        yield _CONTENT_AND_SECTIONS.problem(name.text).about("content")
    if brings_text and KINDS[name.kind].file is File.NEVER:
        yield _NO_FILE.problem(name.text, kind=name.kind)
    if brings_text and masked:
        yield _MASKED_TEXT.problem(name.text).about("masked")
    if masked and (entry.get("enabled") or entry.get("state") in RUNNING):
        yield _MASKED_RUNNING.problem(name.text).about("masked")
    if not brings_text and entry.get("state") != "absent":
        for_text = (*TEXT_OPTIONS, *(() if has_dropin else ("run",)))
        extra = [option for option in for_text if entry.get(option)]
        if extra:
            yield _NEEDS_TEXT.problem(name.text, option=extra[0]).about(extra[0])
    if name.is_template and not entry.get("instances") and entry.get("state") in RUNNING:
        yield _TEMPLATE_STARTED.problem(name.text).about("state")


def duplicates(units: Sequence[Tuple[str, ...]], dropins: Sequence[Tuple[str, str]]) -> Iterator[Problem]:
    """units: all names that each entry is about. dropins: the unit and the path of each."""
    seen: Set[str] = set()
    for names_of_one in units:
        for name in dict.fromkeys(names_of_one):
            if name in seen:
                yield _TWICE.problem(name)
            seen.add(name)
    paths: Set[str] = set()
    for unit, path in dropins:
        if path in paths:
            yield _DROPIN_TWICE.problem(unit, dropin=posixpath.basename(path)).about("dropin")
        paths.add(path)

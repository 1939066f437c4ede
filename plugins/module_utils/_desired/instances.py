# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the instances of a template have of their own: as the entry says it, and as specifiers are filled. Pure.

What belongs into a text becomes a drop-in over the instance; state, enablement and health stay with the template's
entry, by instance. Private to the collection.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._syntax.kinds import KINDS
from .._syntax.names import with_instance
from .._syntax.rule import Problem, Problems, Refused, Rule, Severity, shown
from .._syntax.specifiers import in_value
from .options import HIDDEN_OPTIONS, instance
from .stack import OF_INSTANCES

Params = Mapping[str, Any]
Entry = Dict[str, Any]

DROPIN = "50-instance"
_IN_TEXT = ("environment", *HIDDEN_OPTIONS, "triggers")
_SPECIFIER = re.compile("%(.)")
# Those that the name of an instance tells.
_FILLED = "pPiIjJnNf%"

_INSTANCE = Rule(
    "instance",
    Severity.ERROR,
    "an instance is neither a name nor a mapping of its name and what it has of its own",
    "the message says what it takes",
    "the option instances",
)
_UNFILLED = Rule(
    "unfilled",
    Severity.ERROR,
    "{option}: {specifier} is not filled there",
    "write %i or what else the instance's name says, or %% for a percent sign",
    "the options health and triggers of instances",
)


def have_own(unit: Params) -> bool:
    """Is there anything for an entry's instances to have of their own?"""
    given = unit.get("instances") or ()
    about = [unit.get("health"), unit.get("triggers")] if given else []
    return any(isinstance(each, Mapping) for each in given) or any("%" in repr(each) for each in about if each)


def apart(unit: Params) -> Tuple[Entry, List[Entry]]:
    """An entry whose instances are names, with what is theirs as OF_INSTANCES, and their drop-ins. Raises Problems."""
    problems: List[Problem] = []
    template = str(unit["name"])
    found = [_read(each, template, problems) for each in unit.get("instances") or ()]
    triggers = unit.get("triggers") or {}
    filled = {key: [each for each in triggers.get(key) or () if "%" in str(each)] for key in ("files", "values")}
    own: Dict[str, Entry] = {}
    dropins: List[Entry] = []
    for each in found:
        member = _member(template, each["name"])
        of_text = {option: each[option] for option in _IN_TEXT if each.get(option)}
        more = {key: [_filled(one, member, "triggers", problems) for one in given] for key, given in filled.items()}
        if any(more.values()):
            theirs = of_text.get("triggers") or {}
            of_text["triggers"] = {key: [*(theirs.get(key) or ()), *more[key]] for key in more}
        if of_text:
            dropins.append({"name": member, "dropin": DROPIN, **of_text, "replace": bool(unit.get("replace"))})
        health = {
            **(unit.get("health") or {}),
            **{k: v for k, v in (each.get("health") or {}).items() if v is not None},
        }
        told = {"health": _filled(health, member, "health", problems) or None}
        own[str(each["name"])] = {**told, "state": each.get("state"), "enabled": each.get("enabled")}
    if problems:
        raise Problems(problems)
    rest = {key: [one for one in triggers.get(key) or () if one not in filled[key]] for key in filled}
    others = {key: each for key, each in triggers.items() if key not in filled and each is not None}
    plain = {**unit, "instances": [each["name"] for each in found], OF_INSTANCES: own}
    return {**plain, "triggers": {**rest, **others} if any(rest.values()) or others else None}, dropins


def _read(given: object, template: str, problems: List[Problem]) -> Entry:
    if not isinstance(given, Mapping):
        return {"name": given}
    checked = ArgumentSpecValidator(instance()).validate(dict(given))
    for message in checked.error_messages:
        problems.append(_INSTANCE.said(f"instances: {message}", template))
    return dict(checked.validated_parameters) if not checked.error_messages else {"name": str(given.get("name", "-"))}


def _member(template: str, name: object) -> str:
    try:
        return with_instance(template, str(name))
    except Refused:  # which is told where the entry itself is read
        stem, _dot, kind = template.rpartition(".")
        return f"{stem}.{kind}" if kind in KINDS else template


def _filled(value: Any, member: str, option: str, problems: List[Problem]) -> Any:
    """Text with the specifiers of an instance in it, on its own or somewhere in lists and mappings."""
    if isinstance(value, Mapping):
        return {key: _filled(each, member, option, problems) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(each, member, option, problems) for each in value]
    if not isinstance(value, str):
        return value
    for letter in dict.fromkeys(_SPECIFIER.findall(value)):
        if letter not in _FILLED:
            problems.append(_UNFILLED.problem(member, option=option, specifier=shown(f"%{letter}")))
    return in_value(value, member)

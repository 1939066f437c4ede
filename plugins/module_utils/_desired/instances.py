# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the instances of a template have of their own: as the entry says it, and as specifiers are filled. Pure.

What belongs into a text becomes a drop-in over the instance; state, enablement and health stay with the template's
entry, by instance. Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._syntax.kinds import KINDS
from .._syntax.names import with_instance
from .._syntax.rule import Problem, Problems, Refused, Rule, Severity, shown
from .._syntax.specifiers import in_value, left_in
from .._syntax.values import changed, is_changed
from . import inherited, triggers
from .options import OF_INSTANCES, TEXT_OPTIONS, instance

Params = Mapping[str, Any]
Entry = Dict[str, Any]

DROPIN = "50-instance"
# The triggers that are lists.
_LISTS = ("files", "values")
# In the place of one that is not known.
_NO_NAME = "-"

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


def have_own(unit: Params, stamped: bool) -> bool:
    """Is there anything for an entry's instances to have of their own? stamped: as in apart."""
    given = unit.get("instances") or ()
    about = [unit.get("health"), unit.get("triggers")] if given else []
    own = any(isinstance(each, Mapping) for each in given) or any("%" in repr(each) for each in about if each)
    return own or (stamped and any(_environment(unit, each) for each in given))


def _environment(unit: Params, name: object) -> List[str]:
    """The files of an instance's environment that count as triggers by themselves."""
    return triggers.of_instance(unit, _member(str(unit["name"]), name))


def apart(unit: Params, stamped: bool) -> Tuple[Entry, List[Entry]]:
    """An entry whose instances are names, with what is theirs as OF_INSTANCES, and their drop-ins. Raises Problems.

    stamped: it matters what their processes were started with, as there is a manager that runs them.
    """
    problems: List[Problem] = []
    template = str(unit["name"])
    general = inherited.given(unit.get("triggers") or {})
    of_each = {key: [one for one in general.get(key, ()) if "%" in str(one)] for key in _LISTS}
    own: Dict[str, Entry] = {}
    dropins: List[Entry] = []
    found = [_read(each, number, template, problems) for number, each in enumerate(unit.get("instances") or ())]
    for each in found:
        member = _member(template, each["name"])
        theirs = _filled(inherited.given(each.get("triggers") or {}), member, "triggers", problems)
        filled = _filled(of_each, member, "triggers", problems)
        environment = _environment(unit, each["name"]) if stamped else []
        of_text = _of_text({**each, "triggers": _triggers(theirs, filled, environment)})
        if of_text:
            dropins.append({"name": member, "dropin": DROPIN, **of_text, "replace": bool(unit.get("replace"))})
        health = {**(unit.get("health") or {}), **inherited.given(each.get("health") or {})}
        told = {"health": _filled(health, member, "health", problems) or None}
        own[str(each["name"])] = {**told, "state": each.get("state"), "enabled": each.get("enabled")}
    rest = {**general, **{key: [one for one in general.get(key, ()) if one not in of_each[key]] for key in _LISTS}}
    left = rest if any(rest[key] for key in _LISTS) or set(rest) > set(_LISTS) else None
    given = [each["name"] for each in found if each["name"] != _NO_NAME]
    made = {**unit, "instances": given, OF_INSTANCES: own, "triggers": left}, dropins
    if problems:
        raise Problems(problems, rest=made)
    return made


def _of_text(each: Params) -> Entry:
    """What an instance has in its drop-in."""
    return {option: each[option] for option in TEXT_OPTIONS if each.get(option)}


def _triggers(own: Params, of_template: Mapping[str, List[Any]], environment: List[str]) -> Entry:
    """What an instance is restarted for: what it says itself, and what its template names by it."""
    lists = {key: [*(own.get(key) or ()), *of_template[key]] for key in _LISTS}
    counted = environment if own.get("environment_files") is not False else []
    found = {**(lists if any(lists.values()) else {}), triggers.OF_TEMPLATE: counted}
    return {key: each for key, each in found.items() if each or key in _LISTS}


def _read(given: object, number: int, template: str, problems: List[Problem]) -> Entry:
    """One of the option, which is which in it: number."""
    at = f"instances[{number}]"
    name = given["name"] if isinstance(given, Mapping) and "name" in given else given
    if is_changed(name):
        path = at if name is given else f"{at}.name"
        problems.append(_INSTANCE.said(f"{path}: {changed(name)}", template, option=path))
        return {"name": _NO_NAME}
    if not isinstance(given, Mapping):
        return {"name": given}
    try:
        checked = ArgumentSpecValidator(instance()).validate(dict(given))
        refused = list(checked.error_messages)
    except TypeError as error:  # Ansible's own check does not expect a number where a mapping belongs
        refused = [str(error)]
    if not refused:
        return dict(checked.validated_parameters)
    from .mistakes import mistakes, path_of  # noqa: PLC0415 (only where there is something to tell)

    found = [(f"{at}.{path_of(each.steps)}".rstrip("."), each.message) for each in mistakes(instance(), given)]
    for path, message in found or [(at, each) for each in refused]:
        problems.append(_INSTANCE.said(f"{path}: {message}", template, option=path))
    return {"name": str(given.get("name", _NO_NAME))}


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
    for letter in left_in(value, member):
        problems.append(_UNFILLED.problem(member, option=option, specifier=shown(f"%{letter}")).about(option))
    return in_value(value, member)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What Ansible refuses of a module's options before the module runs, as `errors` like any others. Pure.

Read where Ansible has refused something. Private to the collection.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Optional, Sequence, Tuple

from .._desired.forms import unit_name
from .._desired.mistakes import Steps, mistakes, path_of
from .._desired.options import FORMS, LISTS, Spec, host
from .._syntax.rule import Problems, Rule, RulePlace, Severity
from .._syntax.values import is_changed
from .paths import names_of
from .work import WrongOptions

Params = Mapping[str, Any]

_OPTION = Rule(
    "option",
    Severity.ERROR,
    "there is no such option, or it has a value that it cannot have",
    "the message says what may be meant, or what it takes",
    "the options of the modules",
    place=RulePlace(of_all=True),
)
# Without these it is not known what the other options are about.
_OF_THE_WHOLE = ("name", "dropin", *host())


def wrong(spec: Spec, given: Params, module: str) -> WrongOptions:
    """given: as they came; module: its full name."""
    found = mistakes(spec, given, module)
    is_stack = "units" in spec
    problems = [
        _OPTION.said(each.message, _unit(given, each.steps, is_stack), option=path_of(each.steps)) for each in found
    ]
    places = [_option(each.steps) for each in found]
    if not all(steps and _is_apart(steps, is_stack) for steps in places):
        return WrongOptions(problems)
    kind = module.rpartition(".")[2] + "s"
    faulty = (names_of(*each) for steps in places for each in _entries(given, steps, kind, is_stack))
    return WrongOptions(problems, _without(given, places), frozenset(name for names in faulty for name in names))


def _option(steps: Steps) -> Steps:
    """The option that a mistake is in. With one wrong word in a list of words the whole list says nothing."""
    is_entry = len(steps) == 2 and steps[0] in LISTS
    return steps[:-1] if steps and isinstance(steps[-1], int) and not is_entry else steps


def _is_apart(steps: Steps, is_stack: bool) -> bool:
    """Can it be left out, so that all else is judged without it?"""
    if isinstance(steps[-1], int) or steps[-1] in _OF_THE_WHOLE or steps[0] in host():
        return False
    return len(steps) > (2 if steps[0] in LISTS else 1) or not is_stack


def _entries(given: Params, steps: Steps, kind: str, is_stack: bool) -> Iterator[Tuple[str, str]]:
    """The list and the name of each entry that a mistake is in; what is no entry's is in all of them."""
    if not is_stack:
        yield kind, _name(given)
        return
    for option in LISTS if steps[0] not in LISTS else (str(steps[0]),):
        every = given.get(option) or ()
        for number, entry in enumerate(every):
            if isinstance(entry, Mapping) and (option != steps[0] or number == steps[1]):
                yield option, _name(entry)


def _without(given: Params, places: Sequence[Steps]) -> Optional[Params]:
    rest: Any = given
    for steps in places:
        rest = _cut(rest, steps)
    return rest if isinstance(rest, Mapping) else None


def _cut(value: Any, steps: Steps) -> Any:
    """A copy without what is there."""
    step, deeper = steps[0], steps[1:]
    if isinstance(value, Mapping):
        kept = {key: each for key, each in value.items() if deeper or str(key) != step}
        return {**kept, step: _cut(value[step], deeper)} if deeper and step in value else kept
    if isinstance(value, list) and isinstance(step, int) and deeper:
        return [_cut(each, deeper) if number == step else each for number, each in enumerate(value)]
    return value


def _unit(given: Params, steps: Steps, is_stack: bool) -> str:
    """The unit of the entry that a mistake is in, as far as it has a name."""
    if not is_stack:
        return _name(given)
    if len(steps) < 2 or not isinstance(steps[1], int):
        return ""
    kind, number = str(steps[0]), steps[1]
    entry = given[kind][number] if isinstance(given[kind], (list, tuple)) else None
    name = _name(entry) if isinstance(entry, Mapping) else ""
    try:
        return unit_name(name, kind[:-1]) if name and kind in FORMS else name
    except Problems:
        return name


def _name(entry: Params) -> str:
    name = entry.get("name")
    return "" if is_changed(name) else str(name or "")

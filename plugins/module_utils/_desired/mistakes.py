# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where options are not as their specification has them: each such mistake with its place and what may be meant. Pure.

Ansible tells the first kind of mistakes only, and of an option within a list neither where that is nor whose it is.
Read where Ansible has refused something, and by what it holds values to itself. Private to the collection.
"""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, NamedTuple, Sequence, Tuple, Union

from ansible.module_utils.common.parameters import DEFAULT_TYPE_VALIDATORS
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE

from .._syntax.kinds import KINDS
from .._syntax.likeness import near
from .._syntax.rule import shown
from .._syntax.values import changed, is_changed
from . import familiar
from .options import SECTION_OPTIONS, Spec
from .short import ROWS

Params = Mapping[str, Any]
Steps = Tuple[Union[str, int], ...]

_CHECKS: Mapping[str, Any] = DEFAULT_TYPE_VALIDATORS
_TAKES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "list": "a list",
    "dict": "a mapping",
    "path": "a path",
    "str": "text",
}
_BOOLEANS = ("yes", "no", "true", "false", "on", "off")
# The types of what is taken as it was written, and of which the controller marks what YAML has changed.
TEXTS = ("str", "path")
# So many options are listed; of more than that the documentation tells.
_FEW = 12


_NO_OPTION = (
    "there is no option for the section [{section}]: write it as text, in the option content of an entry of units or "
    "dropins"
)


class Mistake(NamedTuple):
    """Where in the options it is, and what is wrong there."""

    steps: Steps
    message: str


class _Level(NamedTuple):
    """Options that lie around others, where they are themselves, and what is given for them."""

    spec: Spec
    steps: Steps
    given: Params


def path_of(steps: Steps) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def mistakes(spec: Spec, given: Params, module: str = "") -> List[Mistake]:
    known = {key: value for key, value in given.items() if not str(key).startswith("_ansible_")}
    return list(_of_level([_Level(spec, (), known)], module))


def _of_level(around: Sequence[_Level], module: str) -> Iterator[Mistake]:
    """The mistakes in what is given for the options of the innermost level."""
    spec, steps, given = around[-1]
    names = {name: option for option, each in spec.items() for name in (option, *each.get("aliases", ()))}
    for key, value in given.items():
        if key in names:
            yield from _of_value(value, spec[names[key]], (*steps, key), around, module)
        else:
            yield Mistake((*steps, str(key)), _of_section(key, value) or _unknown(str(key), around, module))
    for option, each in spec.items():
        if each.get("required") and not any(names.get(key) == option for key in given):
            yield Mistake(steps, f"{option} is missing: give it")


def _of_section(key: object, value: Any) -> str:
    """What is said of a mapping that is meant for a section of which there is no option."""
    kind = KINDS.get(str(key).lower())
    meant = isinstance(value, Mapping) and kind is not None and not kind.is_option
    return _NO_OPTION.format(section=kind.section) if kind and meant else ""


def _of_value(value: Any, wanted: Spec, steps: Steps, around: Sequence[_Level], module: str) -> Iterator[Mistake]:
    choices = wanted.get("choices")
    if value is None and choices:
        # Which Ansible takes for none of them, while of other types it takes null for nothing given.
        yield Mistake(steps, f"it is empty: leave it out, or give one of {', '.join(map(str, choices))}")
        return
    is_entry = isinstance(steps[-1], int)
    if value is None and not (is_entry or wanted.get("required") or wanted.get("default") is not None):
        return
    kind = wanted.get("type", "str")
    told = changed(value) if is_changed(value) and kind in TEXTS else _of_section(steps[-1], value)
    if told:
        yield Mistake(steps, told)
        return
    try:
        made = _CHECKS[kind](value)
    except (TypeError, ValueError):
        yield Mistake(steps, _of_another_type(value, kind) + _as_it_takes(value, wanted))
        return
    if isinstance(made, list):
        inner = {"type": wanted.get("elements", "raw"), "options": wanted.get("options"), "choices": choices}
        for number, each in enumerate(made):
            yield from _of_value(each, inner, (*steps, number), around, module)
    elif choices and not _is_one_of(made, choices):
        told = _no_choice(str(made), choices)
        yield Mistake(steps, told + familiar.more_of(str(steps[-1]), str(made)))
    elif isinstance(made, dict) and wanted.get("options"):
        yield from _of_level([*around, _Level(wanted["options"], steps, made)], module)


def _of_another_type(value: Any, kind: str) -> str:
    if value is None:
        return f"it takes {_TAKES[kind]}, and there is nothing"
    if isinstance(value, (Mapping, list, tuple)) or kind in ("dict", "list"):
        # What it is in full may be much, and secret.
        is_list = isinstance(value, (list, tuple))
        there = "a mapping" if isinstance(value, Mapping) else "a list" if is_list else "a single value"
        return f"it takes {_TAKES[kind]}, and not {there}"
    meant = near(str(value).lower(), _BOOLEANS) if kind == "bool" else []
    return f"it takes {_TAKES[kind]}, and not {shown(str(value))}{_meant(meant)}"


def _as_it_takes(value: Any, wanted: Spec) -> str:
    """How it is written: a single value as an option of a mapping, or which there are, and entries as a list."""
    options = wanted.get("options") or {}
    if isinstance(value, Mapping) and "name" in options:
        return ': each entry begins with "- name:"'
    if wanted.get("type") == "dict" and not options and value is not None:
        return ": write {NAME: VALUE}"
    if value is None or isinstance(value, (Mapping, list, tuple)):
        return ""
    meant = [option for option, each in options.items() if value in (each.get("choices") or ())]
    if meant:
        return f": write {{{meant[0]}: {value}}}"
    return f", of {', '.join(options)}" if 0 < len(options) <= _FEW else ""


def _is_one_of(made: Any, choices: Sequence[Any]) -> bool:
    """As Ansible has it, which takes the truth values that YAML makes of yes and no for these words again."""
    words = {"True": BOOLEANS_TRUE, "False": BOOLEANS_FALSE}.get(made, frozenset()) if isinstance(made, str) else ()
    return made in choices or len({*words} & {*choices}) == 1


def _no_choice(made: str, choices: Sequence[Any]) -> str:
    words = [str(choice) for choice in choices]
    same = [each for each in familiar.STATES.get(made.lower(), ()) if each in words]
    return f"{shown(made)} is none of {', '.join(words)}{_meant(same or near(made.lower(), words))}"


def _meant(words: Sequence[str]) -> str:
    return f": did you mean {words[0]}?" if words else ""


def _unknown(key: str, around: Sequence[_Level], module: str) -> str:
    """What may be meant by an option that there is not where it is given."""
    spec, steps, given = around[-1]
    other = familiar.called(key, spec, given)
    inner = {name: option for option, each in spec.items() for name in each.get("options") or () if name not in spec}
    if key in inner and not (other and inner[key] not in given):
        return _of_an_inner(key, around)
    outer = next((level for level in reversed(around[:-1]) if key in level.spec), None)
    if outer:
        return f"it is an option of {path_of(outer.steps) or 'the module itself'}: indent it less"
    if other or familiar.elsewhere(key, spec):
        return f"there is no such option{_meant([other])}" if other else familiar.elsewhere(key, spec)
    if len(around) == 2 and (found := _entries(around[0], [str(steps[0]), key])):
        return f"it is an option of {steps[0]} of {found}: indent {steps[0]} below that"
    none = "there is no such option"
    shorts = _shorts(spec)
    squeezed = key.replace("_", "").lower()
    words = [*spec, *inner, *shorts]
    close = [option for option in words if option.replace("_", "") == squeezed] or near(key, words)
    if close and close[0] in shorts:
        return f"{none} here: write {shorts[close[0]]}"
    if close:
        return f"{none}{_meant([f'{inner[close[0]]}.{close[0]}' if close[0] in inner else close[0]])}"
    sections = [option for option in SECTION_OPTIONS if option in spec]
    if key[:1].isupper() and sections:
        return f"{none}: a directive stands below the option of its section, one of {', '.join(sections)}"
    if len(spec) <= _FEW:
        return f"{none}: there are {', '.join(spec)}"
    return f"{none}: ansible-doc {module} has all that there are"


def _shorts(spec: Spec) -> Mapping[str, str]:
    """What to write in the place of a short option where there are only sections."""
    return {
        option: f"{row.section.lower()}: {{{row.directive}: ...}}"
        for option, row in ROWS.items()
        if row.section.lower() in spec and option not in spec
    }


def _of_an_inner(key: str, around: Sequence[_Level]) -> str:
    """Of an option that belongs one level deeper: below one that is given, where just that has it."""
    level = around[-1]
    having = [option for option, each in level.spec.items() if key in (each.get("options") or ())]
    if not any(level.spec[option].get("type") == "list" for option in having):
        return f"it is an option of {having[-1]}: indent it below that"
    found = _entries(level, [key])
    return f"it is an option of {found}: indent it below that"


def _entries(level: _Level, names: Sequence[str]) -> str:
    """The entries of lists that have an option, by its names from the outside in; of those lists that are given."""
    having = [option for option, each in level.spec.items() if each.get("type") == "list" and _leads(each, names)]
    given = [option for option in having if level.given.get(option)]
    if len(given) == 1 and isinstance(level.given[given[0]], (list, tuple)):
        number = len(level.given[given[0]])
        return f"{given[0]}[0]" if number == 1 else f"an entry of {given[0]}"
    return f"an entry of {' or '.join(given or having)}" if having else ""


def _leads(spec: Spec, names: Sequence[str]) -> bool:
    for name in names:
        spec = (spec.get("options") or {}).get(name) or {}
    return bool(spec)

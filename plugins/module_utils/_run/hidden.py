# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which texts within a module's options are secret, in their place or not, and spelt well or not. Pure.

An option that is misspelt is refused, and its value would stand in the result all the same. Private to the collection.
"""

from __future__ import annotations

import re
from collections import abc
from functools import lru_cache
from typing import AbstractSet, Any, FrozenSet, Iterator

from ansible.module_utils.common.validation import check_type_dict

from .._desired.options import FORMS, HIDDEN_OPTIONS, Spec, instance, stack, unit
from .._desired.render import SHORTEST_HIDDEN
from .._syntax.likeness import near
from .._syntax.values import WRITTEN

# Options whose values are secret, however deep they lie; an address may hold what lets anyone write to it.
_ALERTS = ("alert", "alerts")
_SECRET = (*HIDDEN_OPTIONS, "webhook")
# Where an option may stand any word that is no option may be meant for one; where directives and variables stand,
# which are near to some options (LoadCredential), it has to be nearer.
_NEAR, _NEARER = 0.6, 0.85
# What a name can be made of. All else is a value that has slipped into its name, such as {"TOKEN=value": ""}.
_NAME = re.compile(r"[A-Za-z0-9_@.-]*")


def hidden_texts(given: Any, spec: Spec) -> Iterator[str]:
    """Those in what is given for the options of a spec, where some may be no such options."""
    options = _as_options(given)
    if not isinstance(options, abc.Mapping):
        yield from (text for each in _listed(options) for text in hidden_texts(each, spec))
        return
    for key, value in options.items():
        known = spec.get(key)
        if key in _SECRET or key in _ALERTS:
            yield from _below(key, value)
        elif known is None:
            yield from _texts(value) if _is_meant(str(key), _NEAR) else hidden_texts(value, {})
        elif key == "instances" or known.get("options"):
            yield from hidden_texts(value, known.get("options") or instance())
        else:
            yield from _deep(value)


def _as_options(given: Any) -> Any:
    """Ansible takes them as text, too (secrets='...' name=...)."""
    try:
        return check_type_dict(given) if isinstance(given, str) else given
    except TypeError:
        return given


def without_values(given: Any, hidden: AbstractSet[str]) -> Any:
    """Options as they may be shown, but for the texts in them: without the keys into which a value has slipped."""
    if isinstance(given, abc.Mapping):
        slipped = {key: f"(name {number})" for number, key in enumerate(given, 1) if str(key) in hidden}
        names = {key: name for key, name in slipped.items() if not is_name(key)}
        return {names.get(key, key): without_values(each, hidden) for key, each in given.items()}
    return [without_values(each, hidden) for each in given] if isinstance(given, (list, tuple)) else given


def is_name(key: object) -> bool:
    """May it be shown, or has a value slipped into it?"""
    return isinstance(key, str) and bool(_NAME.fullmatch(key))


@lru_cache(maxsize=None)
def _is_meant(key: str, least: float) -> bool:
    """Is a word one of the hidden options, or may it be meant for one? A thousand units say the same few words."""
    word = key.replace("_", "").replace("-", "").lower()
    stems = [option.rstrip("s") for option in _SECRET]
    within = any(stem in word for stem in stems) if least == _NEAR else word in stems
    return within or bool({*_SECRET} & {*near(word, _options(), least=least)})


@lru_cache(maxsize=None)
def _options() -> FrozenSet[str]:
    """What else a word may be meant for (sockets and services are near to secrets)."""
    of_entries = (name for spec in (unit, *FORMS.values()) for name in spec())
    return frozenset((*of_entries, *stack(), *_SECRET))


def _below(key: str, value: Any) -> Iterator[str]:
    yield from _texts(value) if key in _SECRET else _addresses(value)


def _deep(given: Any) -> Iterator[str]:
    """Those below what may have any word as a key: directives, variables. Every value of every unit comes by here."""
    # typing's Mapping takes three times as long to ask.
    if isinstance(given, abc.Mapping):
        for key, value in given.items():
            if key in _SECRET or key in _ALERTS:
                yield from _below(key, value)
            elif isinstance(value, str):
                continue
            elif isinstance(value, abc.Mapping) and _is_meant(str(key), _NEARER):
                yield from _texts(value)
            else:
                yield from _deep(value)
    else:
        for each in _listed(given):
            yield from _deep(each)


def _listed(given: Any) -> Any:
    return given if isinstance(given, (list, tuple)) else ()


def _addresses(given: Any) -> Iterator[str]:
    """What may be the address of a webhook, in its place or not."""
    yield from _deep(given)
    yield from (text for text in _texts(given) if "://" in text)


def is_marked(given: Any) -> bool:
    """Does something in it stand in the place of what YAML has changed?"""
    ahead = [given]
    while ahead:
        each = ahead.pop()
        if isinstance(each, abc.Mapping):
            if WRITTEN in each:
                return True
            ahead += (below for below in each.values() if not isinstance(below, str))
        else:
            ahead += _listed(each)
    return False


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, abc.Mapping):
        if WRITTEN in given:
            return  # in the place of a name, and no secret
        for key, value in given.items():
            yield from () if is_name(key) else _beside_name(str(key))
            yield from _texts(value)
    elif isinstance(given, (list, tuple)):
        for each in given:
            yield from _texts(each)
    elif given is not None and str(given):
        yield str(given)


def _beside_name(key: str) -> Iterator[str]:
    """What no name is made of, and the whole."""
    yield key
    start = _NAME.match(key)
    rest = key[start.end() + 1 :].strip() if start else ""
    if len(rest) >= SHORTEST_HIDDEN:
        yield rest

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Specifiers that a unit's name alone resolves (systemd.unit(5), "Specifiers"). Private to the collection."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Dict, List, Mapping

from .names import misnamed, parse_name, unescape

_SPECIFIER = re.compile("%(.)")
# Those that differ from instance to instance.
_OF_INSTANCE = frozenset("iInNf")
# Those that stand for a folder of the manager's, by the directive whose folders are made below it.
_FOLDERS = {
    "t": "RuntimeDirectory",
    "S": "StateDirectory",
    "C": "CacheDirectory",
    "L": "LogsDirectory",
    "E": "ConfigurationDirectory",
}


def names_instance(text: str) -> bool:
    """Does what it stands for depend on the instance?"""
    return any(found in _OF_INSTANCE for found in _SPECIFIER.findall(text))


def in_name(text: str, unit: str) -> str:
    """Resolved where systemd wants the name of a unit, and so takes no unescaped text; others, such as %H, stay."""
    return _resolved(text, {} if "%" not in text or misnamed(unit) else _escaped(unit))


def in_install(text: str, unit: str) -> str:
    """Resolved as systemctl does in [Install], where a template without an instance has an empty one."""
    if "%" not in text or misnamed(unit):
        return text
    name = parse_name(unit)
    values = _escaped(unit)
    if name.is_template:
        values = {**values, "n": unit, "N": unit.rpartition(".")[0], "i": ""}
    return _resolved(text, values)


def in_value(text: str, unit: str, made: Mapping[str, str] = MappingProxyType({})) -> str:
    """Resolved where any text may stand; others, such as %H, stay.

    made: by directive the folders of a manager for which specifiers stand (LoadPath.made), where that matters.
    """
    if "%" not in text or misnamed(unit):
        return text
    folders = {letter: made[directive] for letter, directive in _FOLDERS.items() if directive in made}
    return _resolved(text, {**folders, **_escaped(unit), **_unescaped(unit)})


def left_in(text: str, unit: str) -> List[str]:
    """The letters of specifiers that in_value leaves as they are, each once."""
    known = {**_escaped(unit), **_unescaped(unit)}
    return [letter for letter in dict.fromkeys(_SPECIFIER.findall(text)) if letter not in known]


def may_be(text: str, found: str) -> bool:
    """May a value come to what was found, by what only the host puts in the place of specifiers that are left in it?"""
    parts = (re.escape(part) for part in _SPECIFIER.split(text)[::2])
    return re.fullmatch(".+".join(parts), found) is not None


def _resolved(text: str, values: Dict[str, str]) -> str:
    return _SPECIFIER.sub(lambda found: values.get(found.group(1), found.group()), text) if values else text


def _escaped(unit: str) -> Dict[str, str]:
    name = parse_name(unit)
    values = {"p": name.prefix, "j": name.prefix.rpartition("-")[2], "%": "%"}
    if not name.is_template:  # else only its instances know
        values.update({"n": unit, "N": unit.rpartition(".")[0], "i": name.instance or ""})
    return values


def _unescaped(unit: str) -> Dict[str, str]:
    name = parse_name(unit)
    values = {"P": unescape(name.prefix), "J": unescape(name.prefix.rpartition("-")[2])}
    if not name.is_template:
        path = unescape(name.instance or name.prefix)
        values.update({"I": unescape(name.instance or ""), "f": "/" + path.lstrip("/")})
    return values

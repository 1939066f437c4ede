# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's own entries over those of all hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: combine_units
short_description: Combine the units of a stack with a host's own
version_added: 1.0.0
description:
  - Combines each entry with that of the host's own list which names it, as P(ansible.builtin.combine#filter) with
    C(recursive=true) does. The host's other entries are added to C(units).
  - The role P(unitwright.systemd.stack#role) does it with its variable C(stack_units_host).
  - A list in which a name is twice or missing is given back as it is, and such a list of the host in place of
    C(units), so that the module refuses it.
options:
  _input:
    description: >-
      Lists of entries by option of M(unitwright.systemd.stack), which are C(units), C(services), C(timers), C(sockets)
      and C(targets).
    type: dict
    required: true
  own:
    description: The host's own entries. They have their whole name, such as C(shop.service), also over C(services).
    type: list
    elements: dict
    required: true
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Give one host more memory
  ansible.builtin.set_fact:
    shop: "{{ {'services': [{'name': 'shop', 'exec_start': '/opt/shop', 'memory_max': '64M'}]}
      | unitwright.systemd.combine_units([{'name': 'shop.service', 'memory_max': '1G'}]) }}"
    # {'services': [{'name': 'shop', 'exec_start': '/opt/shop', 'memory_max': '1G'}], 'units': []}
"""

RETURN = r"""
_value:
  description: The same lists, combined.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.vars import merge_hash

Entries = Sequence[Mapping[str, Any]]
# What is in few options may leave out the type in its name.
SHORT = {"services": ".service", "timers": ".timer", "sockets": ".socket", "targets": ".target"}


def combine_units(lists: Mapping[str, Entries], own: Entries) -> dict[str, Entries]:
    if unknown := [option for option in lists if option not in (*SHORT, "units")]:
        raise AnsibleFilterError(f"{', '.join(unknown)}: lists of units are units, {', '.join(SHORT)}")
    of_host = _by_name(own)
    if of_host is None:
        return {**lists, "units": own}
    combined = {
        option: _combined(lists[option], of_host, suffix) for option, suffix in SHORT.items() if option in lists
    }
    taken = {name for option, entries in combined.items() for name in _by_name(entries, SHORT[option]) or ()}
    rest = {name: each for name, each in of_host.items() if name not in taken}
    units = lists.get("units", [])
    known = _by_name(units)
    added = [each for name, each in rest.items() if name not in known] if known is not None else []
    return {**combined, "units": [*_combined(units, rest, ""), *added]}


def _combined(entries: Entries, own: Mapping[str, Mapping[str, Any]], suffix: str) -> Entries:
    known = _by_name(entries, suffix)
    if known is None:
        return entries
    return [_over(each, own[name]) if name in own else each for name, each in known.items()]


def _by_name(entries: Entries, suffix: str = "") -> dict[str, Mapping[str, Any]] | None:
    """Each entry by its whole name; None where one has no name of its own, which the module will refuse."""
    if not isinstance(entries, (list, tuple)) or not all(_named(each) for each in entries):
        return None
    names = [each["name"].removesuffix(suffix) + suffix for each in entries]
    return dict(zip(names, entries, strict=True)) if len(set(names)) == len(names) else None


def _over(entry: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The name stays as it was given: the module tells of it."""
    merged: dict[str, Any] = merge_hash(entry, own)
    return {**merged, "name": entry["name"]}


def _named(entry: object) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("name"), str)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"combine_units": combine_units}

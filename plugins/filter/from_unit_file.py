# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a unit file as sections."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_unit_file
short_description: Read the text of a systemd unit file
version_added: 1.0.0
description:
  - Reads a unit file or a drop-in as systemd does. What P(unitwright.systemd.to_unit_file#filter) has written comes
    back equal, but for sections without a directive.
  - Values are text. A directive that is assigned once is a string, one that is assigned several times a list, and an
    empty assignment an empty string. A section that comes several times is one.
  - Comments are left out, and lines stand in the order of the first line of each directive. Where that would make a
    difference, since an empty assignment resets several directives, it is an error.
seealso:
  - plugin: unitwright.systemd.to_unit_file
    plugin_type: filter
options:
  _input:
    description: The text of the file.
    type: str
    required: true
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Declare a unit that lies in the repository as a file, with another user
  unitwright.systemd.unit:
    name: report.service
    unit: "{{ report.Unit }}"
    service: "{{ report.Service | combine({'User': 'reporter'}) }}"
  vars:
    report: "{{ lookup('ansible.builtin.file', 'report.service') | unitwright.systemd.from_unit_file }}"
"""

RETURN = r"""
_value:
  description: Sections by name, each a mapping of directives to strings, or to lists of strings.
  type: dict
  sample: {Unit: {After: [network-online.target, postgresql.service]}, Service: {ExecStart: /usr/bin/report}}
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import unitfile, values
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused

Sections = dict[str, dict[str, str | list[str]]]


def from_unit_file(text: object) -> Sections:
    if not isinstance(text, str):
        raise AnsibleFilterError(f"a unit file is text, and this is {values.called(text)}")
    try:
        entries = unitfile.parse(text)
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None
    found: dict[str, dict[str, list[str]]] = {}
    for entry in entries:
        found.setdefault(entry.section, {}).setdefault(entry.directive, []).append(entry.value)
    grouped = [
        unitfile.Entry(section, directive, value, 0)
        for section, directives in found.items()
        for directive, given in directives.items()
        for value in given
    ]
    if unitfile.effective([grouped]) != unitfile.effective([entries]):
        raise AnsibleFilterError(
            "an empty assignment resets other directives too, so that the order of lines counts: put it before them"
        )
    return {
        section: {directive: given if len(given) > 1 else given[0] for directive, given in directives.items()}
        for section, directives in found.items()
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"from_unit_file": from_unit_file}

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sections as the text of a unit file."""

from __future__ import annotations

DOCUMENTATION = r"""
name: to_unit_file
short_description: Write sections as the text of a systemd unit file
version_added: 1.0.0
description:
  - Writes a unit file as M(unitwright.systemd.stack) does, but for the line that says whose it is.
  - A list is the directive repeated, an empty string an empty assignment, V(true) and V(false) are C(yes) and C(no),
    and a mapping under C(Environment) gives the program exactly this text.
  - What YAML has changed, and what no line of a unit file can hold, is an error. Whether a host's systemd knows a
    directive is not looked at.
seealso:
  - plugin: unitwright.systemd.from_unit_file
    plugin_type: filter
options:
  _input:
    description:
      - The sections by their names, each a mapping of directives to values. The names of the modules' options, such as
        C(unit) and C(service), are taken too. A section that is null is left out.
    type: dict
    required: true
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Write a unit into an image that Ansible does not manage
  ansible.builtin.copy:
    dest: /srv/image/etc/systemd/system/report.service
    mode: "0644"
    content: "{{ sections | unitwright.systemd.to_unit_file }}"
  vars:
    sections:
      Unit:
        Description: Report
        After: [network-online.target, postgresql.service]
        Wants: network-online.target
      Service:
        Type: oneshot
        ExecStart: /usr/bin/report
  # [Unit]
  # Description=Report
  # After=network-online.target
  # After=postgresql.service
  # Wants=network-online.target
  #
  # [Service]
  # Type=oneshot
  # ExecStart=/usr/bin/report
"""

RETURN = r"""
_value:
  description: The text of the unit file.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.options import SECTION_OPTIONS
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import unitfile, values
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused


def to_unit_file(sections: object) -> str:
    if not isinstance(sections, Mapping):
        raise AnsibleFilterError(
            f"a unit file is a mapping of sections ({{Service: {{...}}}}), and this is {values.called(sections)}"
        )
    written: dict[str, list[tuple[str, str]]] = {}
    for name, assignments in sections.items():
        section = name.capitalize() if name in SECTION_OPTIONS else name
        if section in written:
            raise AnsibleFilterError(f"[{section}] is there twice: merge its directives")
        if assignments is not None:
            written[section] = _assignments(section, assignments)
    try:
        return unitfile.render(list(written.items()))
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None


def _assignments(section: object, given: object) -> list[tuple[str, str]]:
    if not isinstance(section, str):
        raise AnsibleFilterError(
            f"the name of a section is text, and YAML made {values.called(section)} of this one: quote it"
        )
    if not isinstance(given, Mapping):
        raise AnsibleFilterError(
            f"[{section}] is a mapping of directives, and this is {values.called(given)}: "
            "write {Service: {ExecStart: ...}}, each directive below its section"
        )
    found = []
    for directive, value in given.items():
        if not isinstance(directive, str):
            raise AnsibleFilterError(f"[{section}]: YAML made {directive!r} of the name of a directive: quote it")
        try:
            found += [(directive, text) for text in values.to_values(value, None, directive)]
        except Refused as refused:
            raise AnsibleFilterError(f"[{section}] {directive}=: {refused}") from None
    return found


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"to_unit_file": to_unit_file}

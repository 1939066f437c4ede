# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as a part of a unit's name."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unit_escape
short_description: Escape text for the name of a systemd unit
version_added: 1.0.0
description:
  - Escapes text as C(systemd-escape) does, so that it can be an instance, or any other part of a unit's name.
options:
  _input:
    description: The text, or a number.
    type: str
    required: true
  path:
    description: Escape an absolute path as C(systemd-escape --path) does, which the names of mount units are made by.
    type: bool
    default: false
  template:
    description: The name of a template. The result is then the name of its instance.
    type: str
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Name an instance
  ansible.builtin.set_fact:
    unit: "{{ 'backup of web 1' | unitwright.systemd.unit_escape(template='backup@.service') }}"
    # backup@backup\x20of\x20web\x201.service

- name: Name a mount unit
  ansible.builtin.set_fact:
    unit: "{{ '/srv/my-data' | unitwright.systemd.unit_escape(path=true) }}.mount"
    # srv-my\x2ddata.mount
"""

RETURN = r"""
_value:
  description: The escaped text, or with O(template) the name of the instance.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import names, values
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused


def unit_escape(text: object, path: bool = False, template: str = "") -> str:
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        mend = "give them one by one, such as by map" if isinstance(text, (list, tuple)) else "quote it"
        raise AnsibleFilterError(f"a part of a unit's name is text, and this is {values.called(text)}: {mend}")
    try:
        escaped = names.escape_path(str(text)) if path else names.escape(str(text))
        return names.with_instance(template, escaped) if template else escaped
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unit_escape": unit_escape}

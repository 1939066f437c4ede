# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the units of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unit_findings
short_description: Tell which units are not as they should be
version_added: 1.0.0
description:
  - Holds the facts of units, as M(unitwright.systemd.unit_info) gives them, against what a host shall be like. All that
    is enabled is up, nothing has failed, each timer will elapse, and all runs with what its files say.
  - What runs once, what waits for something else to start it, and what a condition has left out may be down.
options:
  _input:
    description: RV(unitwright.systemd.unit_info#module:units).
    type: dict
    required: true
  expected:
    description:
      - Names of units that have to be up as well, such as all that were before a reboot; or a mapping of them to their
        facts from then, by which one is judged that is not there any more.
      - One that a login or a call of D-Bus had started may be down. So may a static one that nothing pulls in which is
        up, if the facts have C(wanted_by) and C(required_by). They have, where
        O(unitwright.systemd.unit_info#module:properties) asks for V(WantedBy) and V(RequiredBy).
    type: raw
    default: []
  ignored:
    description: Names of units that may be as they are. A star stands for any text.
    type: list
    elements: str
    default: []
seealso:
  - module: unitwright.systemd.unit_info
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Look at all units
  unitwright.systemd.unit_info:
    settings: false
  register: looked

- name: Fail with what is wrong
  ansible.builtin.assert:
    that: wrong | length == 0
    fail_msg: "{{ wrong }}"
  vars:
    rows: "{{ looked.units | unitwright.systemd.unit_findings(ignored=['getty@*']) }}"
    wrong: "{{ rows | map(attribute='findings') | flatten | map(attribute='message') }}"
"""

RETURN = r"""
_value:
  description:
    - A mapping of each unit of which something is found, and of those that are enabled, that are expected, that belong
      to a stack, and of timers. It has C(unit), C(description), C(state), C(sub_state), C(enabled), C(owner),
      C(restarts), C(next_elapse) and C(findings).
    - Each of its findings has the word for it as C(finding) (V(failed), V(looping), V(restarting), V(gone), V(down),
      V(not-up), V(no-elapse), V(stale), V(not-loaded) or V(unreadable)), a C(message), and C(cause) and C(remedy),
      which are empty where they are not proven. C(evidence) is the line of the journal that proves them, or where
      nothing is proven the last lines of the run that failed.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.plugin_utils import _findings


def unit_findings(units: object, expected: Iterable[str] = (), ignored: Sequence[str] = ()) -> list[dict[str, Any]]:
    if not isinstance(units, Mapping):
        raise AnsibleFilterError("this wants `units` of what the module unit_info gives, a mapping by their names")
    if isinstance(expected, str):
        raise AnsibleFilterError("expected is a list of names, or a mapping by them")
    if isinstance(ignored, (str, Mapping)):
        raise AnsibleFilterError("ignored is a list of names")
    return _findings.rows(units, expected, ignored)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unit_findings": unit_findings}

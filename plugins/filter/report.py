# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a playbook on all its hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: report
short_description: Put together what was found on many hosts
version_added: 1.0.0
description:
  - Makes one mapping of what a playbook noted of each host. The playbooks C(check), C(drill) and C(reboot) do so where
    C(check_report), C(drill_report) or C(reboot_report) names a file.
  - A host that could not be reached, one that could not be judged, and one whose turn never came are named as such.
positional: hosts, playbook, made
options:
  _input:
    description:
      - A mapping of each host that had its turn, with C(host), its name; C(units), what
        P(unitwright.systemd.unit_findings#filter) gives; C(drills), a list of pairs, each the name of a unit that was
        to be drilled and what M(unitwright.systemd.drill) returned; C(error), what has ended its turn, and whether it
        was C(unreachable); C(passed_over), if there was nothing to do; C(not_reached), if nothing was done since the
        run had ended; C(notes), a list of what else is to be said.
      - All but C(host) may be left out. A host whose entry is something else could not be judged.
    type: list
    elements: dict
    required: true
  hosts:
    description: All hosts that were meant, in the order in which they are told.
    type: list
    elements: str
    required: true
  playbook:
    description: What the report is of.
    type: str
    required: true
  made:
    description: When it was made.
    type: str
    required: true
seealso:
  - plugin: unitwright.systemd.report_html
    plugin_type: filter
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Show how many hosts are well
  ansible.builtin.debug:
    msg: "{{ (entries | unitwright.systemd.report(['web1', 'web2'], 'check', '2026-01-01')).counts.well }}"
  vars:
    entries: [{host: web1, units: "{{ looked.units | unitwright.systemd.unit_findings }}"}]
"""

RETURN = r"""
_value:
  description:
    - C(playbook) and C(made) as given. C(counts), the number of C(hosts), and of those by their state.
    - C(findings), a list with C(finding), C(title) and C(units), by unit and cause the C(hosts) that have it.
    - C(hosts), a list with C(host), C(state), C(message), C(notes) and C(units), each with its C(state), C(sub_state),
      C(enabled), C(restarts), C(next_elapse), C(findings), and by fault what C(drills) came to.
    - The state of a host is V(well), V(findings), V(failed) (it could not be judged), V(unreachable), V(not-reached) or
      V(passed-over).
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.plugin_utils import _report


def report(entries: object, hosts: object, playbook: str, made: str) -> dict[str, Any]:
    if not isinstance(entries, (list, tuple)) or not all(_is_entry(each) for each in entries):
        raise AnsibleFilterError("a report is made of a list of mappings, each with the name of its host as host")
    if not isinstance(hosts, (list, tuple)):
        raise AnsibleFilterError("hosts is a list of names")
    return _report.report(entries, [str(host) for host in hosts], playbook, made)


def _is_entry(entry: object) -> bool:
    return isinstance(entry, Mapping) and "host" in entry


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"report": report}

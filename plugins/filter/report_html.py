# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as a page."""

from __future__ import annotations

DOCUMENTATION = r"""
name: report_html
short_description: Write a report as one page of HTML
version_added: 1.0.0
description:
  - Writes what P(unitwright.systemd.report#filter) gives as a page that needs nothing beside it and runs no script. It
    is grouped by what was found, then by host, follows the reader's choice of dark or light, and fits a phone.
  - All text of hosts is escaped. Of 1,000 hosts the page stays below two million bytes; what it leaves out for that,
    beginning with units as they should be, it counts.
options:
  _input:
    description: The report.
    type: dict
    required: true
seealso:
  - plugin: unitwright.systemd.report
    plugin_type: filter
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Write a page
  ansible.builtin.copy:
    content: "{{ entries | unitwright.systemd.report(['web1'], 'check', '2026-01-01T00:00:00Z')
      | unitwright.systemd.report_html }}"
    dest: /tmp/report.html
    mode: "0600"
  vars:
    entries: [{host: web1, units: "{{ looked.units | unitwright.systemd.unit_findings }}"}]
  delegate_to: localhost
"""

RETURN = r"""
_value:
  description: The text of the page.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.plugin_utils._page import page


def report_html(report: object) -> str:
    if not isinstance(report, Mapping) or not {"playbook", "made", "counts", "findings", "hosts"} <= report.keys():
        raise AnsibleFilterError("a page is made of what the filter unitwright.systemd.report gives, and this is not")
    return page(report)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"report_html": report_html}

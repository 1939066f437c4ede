# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a text mean the same after it was read and written? As text, and by way of the filters."""

from __future__ import annotations

from collections.abc import Iterator

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.filter.from_unit_file import from_unit_file
from ansible_collections.unitwright.systemd.plugins.filter.to_unit_file import to_unit_file
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import unitfile
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused


def complaints(text: str) -> Iterator[str]:
    try:
        entries = unitfile.parse(text)
        written = to_unit_file(from_unit_file(text))
    except (Refused, AnsibleFilterError) as refused:
        yield f"is not read: {refused}"
        return
    before, after = unitfile.effective([entries]), unitfile.effective([unitfile.parse(written)])
    if before != after:
        yield f"means something else after from_unit_file and to_unit_file: {_differing(before, after)}"
    if _assignments(text) != [(entry.directive, entry.value) for entry in entries]:
        yield "another reader finds other assignments in it"


def _differing(before: unitfile.Effective, after: unitfile.Effective) -> str:
    every = [(section, directive) for text in (before, after) for section in text for directive in text[section]]
    differing = [
        f"[{section}] {directive}="
        for section, directive in dict.fromkeys(every)
        if before.get(section, {}).get(directive) != after.get(section, {}).get(directive)
    ]
    return ", ".join(differing) or "its sections"


def _assignments(text: str) -> list[tuple[str, str]]:
    """By a reader that shares nothing with ours: systemd.syntax(7) in a few lines."""
    found: list[tuple[str, str]] = []
    line = ""
    for raw in text.splitlines():
        if raw.lstrip().startswith(("#", ";")):
            continue
        if raw.endswith("\\"):
            line += raw[:-1] + " "
            continue
        whole, line = (line + raw).strip(), ""
        if "=" in whole and not whole.startswith("["):
            directive, _equals, value = whole.partition("=")
            found.append((directive.rstrip(), value.lstrip()))
    return found

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rightly said of a packaged file beyond what systemd says of it, each with the reason."""

from __future__ import annotations

import re
from typing import NamedTuple


class Explained(NamedTuple):
    """files: a pattern of names. rule: the id of what is said. words: a pattern of the message."""

    files: str
    rule: str
    words: str
    reason: str

    def fits(self, name: str, rule: str, message: str) -> bool:
        return bool(re.fullmatch(self.files, name) and rule == self.rule and re.search(self.words, message))


EXPLAINED: tuple[Explained, ...] = (
    Explained(
        r"(chrony|fwupd-refresh)\.service",
        "value",
        "it holds one value",
        "the file sets it twice and not alike. As text it is taken as systemd takes it; as a list it would hide "
        "which one counts, so the sections that from_unit_file gives are refused until one is left",
    ),
    Explained(
        r"netavark-firewalld-reload\.service",
        "no-such-target",
        "there is no firewalld.service",
        "it is for hosts that have firewalld, which its package does without",
    ),
    Explained(
        r"(run-lock|tmp)\.mount",
        "",
        "is left with an older version: tmpfs .* is in its place",
        "the engine of this trial's container has mounted that before systemd ran, with other options",
    ),
    Explained(
        r"systemd-udevd\.service",
        "overridden",
        "syscall-architecture.conf",
        "the package itself has a drop-in that resets this, and what is declared is not in force indeed",
    ),
    Explained(
        r".*\.d/.*\.conf",
        "empty",
        "has no text",
        "the file has nothing but comments. As text it is taken, in the place of another; sections have no comments, "
        "and none at all would be no drop-in",
    ),
    Explained(
        r"(exit|halt|kexec|poweroff|soft-reboot)\.target",
        "alias-moves",
        "ctrl-alt-del.target",
        "a unit with an [Install] section is enabled unless the entry says otherwise, and that gives the keys "
        "Ctrl+Alt+Del to this target",
    ),
)

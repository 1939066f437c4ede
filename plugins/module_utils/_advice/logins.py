# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Services by which others log in or run jobs: all of that inherits what a profile takes away. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Sequence

from .optouts import Line

# Of the distributions, by what comes before an @ or the suffix. What each lets in is told in its own manual page.
_LOGINS = frozenset(
    """
    anacron atd autovt console-getty container-getty cockpit cron crond cronie dbus dbus-broker debug-shell
    display-manager dropbear emergency fcron gdm gdm3 getty greetd lightdm lxdm messagebus nodm rescue sddm serial-getty
    ssh sshd sulogin systemd-logind telnetd user xdm
    """.split()
)


def lets_others_in(unit: str, present: Sequence[Line]) -> str:
    """Why a service is one of those, "" if it is none. present: the lines of its [Service]."""
    stem = unit.rpartition(".")[0].partition("@")[0]
    if stem in _LOGINS:
        return f"{unit} is what others log in, run jobs or reach each other by"
    pam = [value for directive, value in present if directive == "PAMName"]
    return f"it opens sessions (PAMName={pam[-1]})" if pam and pam[-1] else ""

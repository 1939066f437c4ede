# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of docs/hardening.md from their rows; with --check it only says whether that is due."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from ansible_collections.unitwright.systemd.plugins.module_utils._advice.levels import PROFILES
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.optouts import OPT_OUTS, OptOut
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.protection import (
    OLDEST,
    OfUsers,
    Protection,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.protections import PROTECTIONS

from . import ROOT
from .pages import filled, kept, table

PAGE = ROOT / "docs" / "hardening.md"
_USERS = {
    OfUsers.WORKS: "yes",
    OfUsers.MOUNTS: "from 257 on, or with PrivateUsers=yes",
    OfUsers.FAILS: "no",
    OfUsers.NOTHING: "no",
}
# What an opt-out with a value gives back.
_BY_VALUE = {
    "network": "`PrivateNetwork=no`, `AF_INET AF_INET6`; local and networks: `IPAddressDeny=any` and `IPAddressAllow=` "
    "them; none takes the network from a weaker profile too",
    "devices": "`PrivateDevices=no`; paths: `DeviceAllow=` and `BindPaths=` each; classes: `DevicePolicy=closed` and "
    "`DeviceAllow=`",
    "home": "`ProtectHome=no`; read: `ProtectHome=read-only`; paths: `ProtectHome=tmpfs` and `BindPaths=` each",
    "groups": "`SupplementaryGroups=` each",
}


def main(args: Sequence[str]) -> int:
    def made(now: str) -> str:
        return filled(now, profiles=_profiles(), directives=_directives(), opt_outs=_opt_outs())

    return kept(PAGE, made, "tables", __doc__, args)


def _profiles() -> Iterator[str]:
    for level in PROFILES:
        lines = [f"{row.name}={line}" for row in PROTECTIONS.values() for line in row.levels.get(level, ())]
        yield f"- **{level}**: " + ", ".join(f"`{line}`" for line in lines)


def _directives() -> Iterator[str]:
    head = ("directive", "weight", "since", "users' managers", "stops", "breaks", "opt-outs")
    return table(head, (_directive(row) for row in PROTECTIONS.values()))


def _directive(row: Protection) -> Sequence[str]:
    since = str(row.since) if row.since > OLDEST else "old"
    allow = ", ".join(f"`{name}`" for name in row.allow) or "-"
    return (f"`{row.name}`", str(row.weight), since, _USERS[row.of_users], row.stops, row.breaks, allow)


def _opt_outs() -> Iterator[str]:
    return table(("opt-out", "value", "what the service needs", "gives back"), (_opt_out(row) for row in _rows()))


def _rows() -> Iterator[OptOut]:
    yield from OPT_OUTS.values()


def _opt_out(row: OptOut) -> Sequence[str]:
    parts = [f"`{directive}={value}`" for directive, value in row.values.items()]
    parts += [f"the calls `{' '.join(row.calls)}`"] if row.calls else []
    parts += [f"`{' '.join(row.capabilities)}`"] if row.capabilities else []
    parts += [f"`{' '.join(row.families)}`"] if row.families else []
    return (f"`{row.name}`", row.takes or "-", row.means, _BY_VALUE.get(row.name) or ", ".join(parts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both versions of the collection on one host, and all that tells whether one of them has done anything there."""

from __future__ import annotations

from typing import Any

from tests.faults.driving import USER, Driver
from tests.testbed.host import Host
from tests.testbed.listing import FOLDERS, Listing, listing, restore

from .declarations import Call

EARLIER = "/opt/unitwright-earlier"
_HOME = f"/home/{USER}"
# Below them the units write what they were started with: /run/faults, /run/user/UID/faults.
_PROOFS = "/run/faults", "/run/user"
_PROPERTIES = "Id,InvocationID,MainPID,ActiveState,SubState,NeedDaemonReload,StateChangeTimestampMonotonic"

Result = dict[str, Any]


class Sides:
    """earlier and present: the same container, with the one version of the collection and with the other."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.present = driver.host
        self.earlier = Host(driver.host.name, driver.host.engine, base=EARLIER)

    def run(self, side: Host, call: Call, **options: Any) -> Result:
        """A call that has to succeed."""
        module, params = call
        prefix = self._driver.prefix(params.get("scope", "system"))
        result = side.module(module, prefix=prefix, **options, **params)
        assert not result.get("failed"), (result["msg"], result.get("errors"))
        return result

    def systemctl(self, scope: str, *arguments: str) -> str:
        done = self.present.run(*self._driver.prefix(scope), "systemctl", f"--{scope}", *arguments)
        return done.stdout.decode()

    def files(self) -> Listing:
        """Each file with the time of its last change."""
        return listing(self.present, *FOLDERS, *_PROOFS, _HOME, times=True)

    def units(self, scope: str) -> dict[str, str]:
        """Unit to its process, its run, and when anything last happened to it; of those that are up or have failed."""
        blocks = self.systemctl(scope, "show", f"--property={_PROPERTIES}", "--", "fx-*").strip().split("\n\n")
        rows = [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks if block]
        # One that is down is loaded and forgotten as anyone asks for it.
        return {row["Id"]: str(row) for row in rows if row["ActiveState"] != "inactive"}

    def seen(self) -> tuple[Listing, list[dict[str, str]], list[str]]:
        """Two equal ones: nothing was written, no unit touched, and no unit file read anew in between."""
        scopes = ("system", "user")
        reloads = [self.systemctl(scope, "show", "--property=UnitsLoadTimestampMonotonic") for scope in scopes]
        return self.files(), [self.units(scope) for scope in scopes], reloads

    def clear(self) -> None:
        """No unit, no note, in either scope."""
        restore(self.present)
        up = list(self.units("user"))
        if up:
            self.systemctl("user", "stop", "--", *up)
        self.present.sh(f"rm -rf {_HOME}/.config {_HOME}/.local /run/faults /run/user/*/faults")
        self.systemctl("user", "daemon-reload")

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why systemd could not give the files of a socket to SocketUser= and SocketGroup=. Private to the collection.

A process of systemd's own does that, so its status is none of a program's, and no step is told of beside it.
"""

from __future__ import annotations

from typing import Optional

from .incident import Cause, Incident, at, cause
from .views import is_group, is_user

COMMAND = "ExecStartChown"
# systemd.exec(5), "Process Exit Codes": by the status the directive, what it names, who knows that, and what to create.
_ACCOUNTS = {
    217: ("SocketUser", "user {}, whom", is_user, "account"),
    216: ("SocketGroup", "group {}, which", is_group, "group"),
}


def applies(incident: Incident) -> bool:
    return incident.exit is not None and incident.exit.command == COMMAND


def why(incident: Incident) -> Optional[Cause]:
    ended = incident.exit
    if ended is None or ended.status not in _ACCOUNTS:
        return None
    directive, called, is_known, missing = _ACCOUNTS[ended.status]
    placed = incident.placed(directive)
    name = placed[-1].value if placed else ""
    if not name or is_known(name):
        return None
    what = f"there is no {called.format(name)} {at(directive, placed[-1])} names"
    remedy = f"create that {missing} before the unit starts, or correct the name"
    line = incident.by_systemd("Failed to resolve ") or ended.line
    return cause(what, remedy, line, directive, placed[-1])

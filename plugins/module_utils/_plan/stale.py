# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether a running process was started with what its files say. Pure.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, Optional

from .._desired.render import owner_of
from .._desired.stamp import of_process, stamps
from .._host.observed import Observed
from .._syntax.directives import effect
from .._syntax.kinds import Effect
from .._syntax.loadpath import LoadPath, entries
from .._syntax.names import parse_name


@dataclass(frozen=True)
class Accepted:
    """A process known to be current though its stamp cannot show it: reloaded, or under a user manager.

    invocation: which run of the unit. stamps: what it is current with. at: the time of the look that told so, in
    seconds since the epoch.
    """

    invocation: str
    stamps: FrozenSet[str]
    at: float


def is_stale(unit: str, observed: Observed, after: LoadPath, accepted: Optional[Accepted]) -> bool:
    """Was the running process started with something else than these files say?

    Only of what we have written something for that a process keeps, now or when it was started.
    """
    wanted, running = stamps(unit, after), of_process(observed.log_fields(unit))
    if not wanted and not running:
        return False
    if not observed.can_be_noted(unit):  # then only this run itself can tell
        return stamps(unit, observed.loadpath) != wanted
    run = observed.invocations.get(unit)
    known = accepted if run is not None and accepted is not None and accepted.invocation == run.id else None
    if wanted and run is not None and _foreign_news(unit, observed, max(run.began, known.at if known else 0.0)):
        return True
    if running == wanted or (known is not None and known.stamps == wanted):
        return False
    return observed.places.scope.keeps_stamps or run is None or not _began_with_these(unit, run.began, observed, after)


def _began_with_these(unit: str, began: float, observed: Observed, after: LoadPath) -> bool:
    """A user's manager keeps no stamp, so that is told by time: our files have not changed since the run began."""
    ours = [observed.files[path] for path in observed.loadpath.files(unit) if path in observed.files]
    same = stamps(unit, observed.loadpath) == stamps(unit, after)
    return same and all(seen.changed_at < began for seen in ours)


def _foreign_news(unit: str, observed: Observed, since: float) -> bool:
    """Has someone else changed what a process keeps, since then or without systemd having read it? No stamp tells.

    By the time of a file's content, which survives a daemon-reload and is old for what a package brings. A time that is
    yet to come says nothing.
    """
    kind = parse_name(unit).kind
    for path in observed.loadpath.files(unit):
        seen = observed.foreign.get(path) or observed.files.get(path)
        if seen is None or owner_of(seen.content or b""):
            continue
        unread = path in observed.not_loaded and seen.modified_at > (observed.manager.loaded_at or 0.0)
        if not unread and not since < seen.modified_at <= observed.looked_at:
            continue
        if any(effect(kind, each.section, each.directive) is Effect.RESTART for each in entries(seen.content or b"")):
            return True
    return False

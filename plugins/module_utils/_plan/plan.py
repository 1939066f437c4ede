# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a plan is, and what the policy wants of it. How it is made is in making.py. Private to the collection."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Dict, FrozenSet, Iterable, Mapping, NamedTuple, Tuple

from .aliases import stopped
from .differences import Differences, Enablement
from .fates import Foretold
from .policy import Act, decide

if TYPE_CHECKING:
    from .._desired.render import FileWanted
    from .._host.observed import Observed
    from .expected import Expected
    from .fates import Call, Fate

VERBS = ("stop", "reset-failed", "touch-slice", "reload", "restart", "start", "run")


class Step(NamedTuple):
    """A line of the plan as a person reads it; path is given for steps about files."""

    action: str
    unit: str
    reason: str
    path: str = ""

    def as_dict(self) -> Dict[str, str]:
        shown = {"action": self.action, "unit": self.unit, "reason": self.reason, "path": self.path}
        return {key: value for key, value in shown.items() if value or key == "action"}


class Files(NamedTuple):
    """What changes on disk.

    write, remove: files. links: symbolic links to put in place, path to target. enablement: those that systemctl makes.
    """

    write: Tuple[FileWanted, ...] = ()
    remove: Tuple[str, ...] = ()
    links: Mapping[str, str] = MappingProxyType({})
    enablement: Enablement = Enablement()


class Plan(NamedTuple):
    """Everything a run does, in the order in which it does it.

    steps: the whole as lines to read. files: what changes on disk. jobs: per verb the units, in order. upheld: units
    that stay down only once the new text of what upholds them is loaded. pulled: units that are started since a unit
    that runs wants them from now on, and for no other reason. to_stay_down: services that are down, and that something
    may start before they are stopped. reload: does the manager read its files again? calls: the jobs after that.
    foretold: what becomes of all units by it. watched: what is expected of units; of all but those that go down, their
    health decides. kept: units left with an older version on purpose, each with the reason. deferred: what is left to
    the next boot, as no manager runs.
    """

    steps: Tuple[Step, ...] = ()
    files: Files = Files()
    jobs: Mapping[str, Tuple[str, ...]] = MappingProxyType(dict.fromkeys(VERBS, ()))
    upheld: FrozenSet[str] = frozenset()
    pulled: FrozenSet[str] = frozenset()
    to_stay_down: FrozenSet[str] = frozenset()
    reload: bool = False
    calls: Tuple[Call, ...] = ()
    foretold: Foretold = Foretold()
    watched: Mapping[str, Expected] = MappingProxyType({})
    kept: Mapping[str, str] = MappingProxyType({})
    deferred: Tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.steps

    @property
    def fates(self) -> Mapping[str, Fate]:
        return self.foretold.fates

    @property
    def reloaded(self) -> Tuple[str, ...]:
        """What is reloaded, by a job of its own or with others, and goes on running."""
        with_others = sorted(set(self.foretold.reloads).difference(self.jobs["reload"], self.fates))
        return (*self.jobs["reload"], *with_others)

    @property
    def outdone(self) -> Mapping[str, Tuple[str, str]]:
        return self.foretold.outdone


# What the policy wants, case by case.
Wishes = Tuple[Tuple[Act, ...], ...]


def wishes(differences: Differences, observed: Observed) -> Wishes:
    """What is to be done to each unit by itself, with what a socket asks of its service."""
    found = [decide(case, observed.manager.version) for case in differences.cases]
    if any(found):
        from . import sockets  # noqa: PLC0415 (a run with nothing to do, the most common, is spared it)

        found = [sockets.with_service(acts, differences.after, observed.states) for acts in found]
        found = [sockets.with_lost(acts, differences.after, observed) for acts in found]
    masked = [Act("stop", unit, "to be masked") for unit in differences.links.mask if observed.states[unit].is_up]
    renamed = [
        Act("stop", unit, f"its name becomes an alias of {other}")
        for unit, other in stopped(differences.aliasing.taken, observed)
    ]
    merged = [
        Act("cycle", unit, f"systemd has {alias} in memory, and a unit that is given such a name ends at its reload")
        for unit, alias in differences.aliasing.ended.items()
    ]
    return (*(tuple(acts) for acts in found), tuple(masked), tuple(renamed), tuple(merged))


def carries(units: Iterable[str], observed: Observed) -> bool:
    """Does this run, or its connection, live in one of these units?"""
    return any(unit in observed.manager.carriers and observed.states[unit].is_up for unit in units)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the policy needs to know of one unit: as it is, and as it shall be. Pure, and private to the collection."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._host.manager import UnitState
from .._syntax.directives import effect
from .._syntax.effects import Effect
from .._syntax.kinds import ANY_SUB, Kind, Processes
from .._syntax.meaning import can_reload, is_set
from .._syntax.unitfile import Effective
from .owed import Owing
from .stale import CURRENT, Freshness

if TYPE_CHECKING:
    from .in_place import Unlike

# What on_change is for a unit of someone else, where a drop-in for many units changes it and does not say.
LEFT_ALONE = "left-alone"


class TextChange(NamedTuple):
    """How a unit's text will differ.

    new: it has no file yet. gone: its file goes. directives: the (section, directive) pairs whose merged values differ.
    restamped: what its process is started with differs, environment, secrets and triggers included. news: what of
    that differs, in words, as far as it is known. pulls: units that it wants or needs from now on, by the directive.
    """

    new: bool = False
    gone: bool = False
    directives: Tuple[Tuple[str, str], ...] = ()
    restamped: bool = False
    news: Tuple[str, ...] = ()
    pulls: Mapping[str, Tuple[str, ...]] = MappingProxyType({})


class ServiceCase(NamedTuple):
    """What only a service has.

    process: how what runs stands to its files. unlike_start: the (section, directive) pairs that this run changes from
    what it was started with. runs_on_change: as the option `run` says.
    per_connection: it serves one connection of a socket with Accept=yes. deprived_by: the socket that opened something
    for it and goes, "" if none does.
    """

    process: Freshness = CURRENT
    unlike_start: Tuple[Tuple[str, str], ...] = ()
    runs_on_change: bool = False
    per_connection: bool = False
    deprived_by: str = ""


class MountCase(NamedTuple):
    """What only what is mounted, or swapped to, has.

    unlike: what the kernel has in its place, if that is not what our text says; where an automount would wait, what is
    mounted. under_run: a path that this run or its connection has in use, and that this mount would hide, or holds; ""
    if there is none.
    """

    unlike: Optional[Unlike] = None
    under_run: str = ""


class Case(NamedTuple):
    """All that the policy needs to know of one unit.

    unit: its name. kind: the row of its type. now: its state. wanted: the state that it shall have. on_change: what a
    change that needs a restart does, LEFT_ALONE if that is nothing, since the unit is someone else's and one of many
    that a drop-in is for. owed: what an interrupted run has left to do to it. change: how its text will differ.
    service: what only a service has. after: its merged text as it will be. mask: the file that masks it, "" if none
    does. mount: what only a mount, automount or swap has.
    """

    unit: str
    kind: Kind
    now: UnitState
    wanted: str
    on_change: str
    owed: Owing
    change: TextChange
    service: ServiceCase
    after: Effective
    mask: str = ""
    mount: MountCase = MountCase()

    @property
    def leaves(self) -> bool:
        """Shall it be down after the run?"""
        return self.wanted in ("stopped", "absent") or self.change.gone

    @property
    def idles(self) -> bool:
        """Is it up without doing what it is for, as a timer is whose times are over?"""
        good = self.kind.good_sub
        return self.now.active == "active" and good != ANY_SUB and self.now.sub not in good

    def touched(self, *effects: Effect) -> List[str]:
        """Names of the changed directives that take one of these effects."""
        return self._of_effect(self.change.directives, *effects)

    @property
    def needs(self) -> List[str]:
        """Names of the directives that only a new start puts into force, of those that its process has otherwise."""
        return self._of_effect(self.service.unlike_start, Effect.RESTART)

    def _of_effect(self, pairs: Sequence[Tuple[str, str]], *effects: Effect) -> List[str]:
        return [directive for section, directive in pairs if effect(self.kind.name, section, directive) in effects]

    @property
    def can_reload(self) -> bool:
        """Has it a reload of its own, by its new text? Only services have to say so (service_can_reload())."""
        return self.kind.reloadable and (self.kind.processes is not Processes.MAIN or can_reload(self.after))

    def is_set(self, directive: str, section: str = "Unit") -> bool:
        return is_set(self.after, section, directive)

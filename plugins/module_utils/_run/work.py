# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a run has found out before it changes anything. Private to the collection."""

from __future__ import annotations

from typing import Any, FrozenSet, Mapping, NamedTuple, Optional, Sequence, Union

from .._desired.stack import Desired
from .._host.graph import Graph
from .._host.observed import Observed
from .._plan.differences import Differences
from .._plan.fates import Call
from .._plan.plan import Plan
from .._syntax.rule import Problem


class Work(NamedTuple):
    """From what is declared, and the host as it is, to what is to be done.

    desired: the declaration. observed: the host. differences: what differs. graph: how the units are related that have
    jobs. plan: what is to be done.
    """

    desired: Desired
    observed: Observed
    differences: Differences
    graph: Graph
    plan: Plan


class Done(NamedTuple):
    """What a run that failed did, where the states of units do not show it.

    anew: units that run by another run than before. calls: those of systemctl that were made.
    """

    anew: Sequence[str] = ()
    calls: Sequence[Call] = ()


class Failed(Exception):
    """The run failed after it had begun; the result and what was done say how far it came."""

    def __init__(
        self,
        message: str,
        result: Mapping[str, Any],
        warnings: Sequence[Union[str, Problem]] = (),
        done: Optional[Done] = None,
    ) -> None:
        super().__init__(message)
        self.result = dict(result)
        self.warnings = tuple(warnings)
        self.done = done or Done()


class WrongOptions(NamedTuple):
    """What is wrong with the options of a module.

    problems: all that Ansible refuses. rest: the options without them, None where it would not be known what those are
    about. faulty: the units of which something is missing there.
    """

    problems: Sequence[Problem] = ()
    rest: Optional[Mapping[str, Any]] = None
    faulty: FrozenSet[str] = frozenset()

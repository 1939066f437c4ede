# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What no trial may stop, restart or break, whatever it was told: what the run or the host needs, or what ends either.

Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from .._host.graph import onward
from .._host.manager import Manager, Properties, States, names
from .._host.traces import carriers
from .._syntax.relations import AT_END, PULLS_IN, reached
from .._syntax.special import CALL_FOR, is_of_host

_ACTIONS = ("FailureAction", "SuccessAction", "StartLimitAction", "JobTimeoutAction")
_MANUAL = ("RefuseManualStart", "RefuseManualStop")
PROPERTIES = (*_ACTIONS, *AT_END, *PULLS_IN, *_MANUAL)
# Without these the host itself is at a loss, though no connection goes through them (systemd.special(7)).
_OF_HOST = frozenset(
    """
    init.scope system.slice sysinit.target basic.target systemd-journald.service systemd-journald.socket
    systemd-logind.service systemd-udevd.service systemd-resolved.service polkit.service user@0.service
    """.split()
)


class EndsHost(NamedTuple):
    """A setting of a unit by which its end is one of the whole host."""

    unit: str
    directive: str
    value: str


def carrying(units: Iterable[str]) -> List[str]:
    """Those of these, by the names that systemd has for them, that this run, its connection or the host lives in."""
    spared = carriers() | _OF_HOST
    return [unit for unit in dict.fromkeys(units) if unit in spared or unit in CALL_FOR or is_of_host(unit)]


def look(manager: Manager, units: Iterable[str], states: States) -> Dict[str, Properties]:
    """The settings of units, and of all that is down and would be started by an end of one of them."""
    ending = set(units)

    def following(shown: Mapping[str, Properties]) -> Set[str]:
        more = {other for unit, each in shown.items() for other in _set_off(each, started=unit not in ending)}
        return {other for other in more - set(CALL_FOR) if not states[other].is_up}

    return onward(manager, ending, PROPERTIES, following)


def _set_off(shown: Properties, started: bool) -> List[str]:
    """What is started by the end of a unit, or if that is started itself, by its start too."""
    return [other for name in (*AT_END, *(PULLS_IN if started else ())) for other in names(shown, name)]


def endings(units: Iterable[str], known: Mapping[str, Properties]) -> Iterator[EndsHost]:
    """By which settings a failure or end of one of these ends the host. known: what `look` has found."""
    for unit in dict.fromkeys(units):
        shown = known.get(unit, {})
        for directive, value in _actions(shown):
            yield EndsHost(unit, directive, value)
        for directive in AT_END:
            for other in sorted(names(shown, directive)):
                how = _by_start(other, known)
                if how is not None:
                    yield EndsHost(unit, directive, f"{other}{how}")


def _actions(shown: Properties) -> Iterator[Tuple[str, str]]:
    for directive in _ACTIONS:
        if shown.get(directive, "none") not in ("none", ""):
            yield directive, shown[directive]


def _by_start(unit: str, known: Mapping[str, Properties]) -> Optional[str]:
    """How a start of a unit ends the host, in words that go behind its name; None if it does not."""
    for each in reached([unit], lambda other: _set_off(known.get(other, {}), started=True)):
        if each in CALL_FOR:
            return "" if each == unit else f", which leads to {each}"
        for directive, value in _actions(known.get(each, {})):
            return f", where {directive}= of {each} is {value}"
    return None


def refused_by_hand(unit: str, known: Mapping[str, Properties], stops: bool = True) -> List[str]:
    """The settings by which it could not be started again, or stopped, by hand."""
    return [name for name in (_MANUAL if stops else _MANUAL[:1]) if known.get(unit, {}).get(name) == "yes"]

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a unit is not what it should be: systemd's own words, and what else is to blame. Private to the collection."""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Sequence, Set, Tuple

from .._syntax.kinds import kind_of
from .._syntax.rule import Rule, Severity
from . import looks
from .endings import ended, gloss
from .graph import WAITS_FOR, needs_first, only_checked, onward
from .looks import Look
from .manager import Manager, Properties

_SHOWN = (*looks.PROPERTIES, *WAITS_FOR)


def _at_work(name: str, reason: str, remedy: str, source: str) -> Rule:
    return Rule(name, Severity.ERROR, reason, remedy, source)


# What may fail once a run has begun to change the host.
NOT_HEALTHY = Rule(
    "health",
    Severity.ERROR,
    "a unit is not what it shall be after the run",
    "the message says what it is, the journal why",
    "the option health",
    has_cause=True,
)
DEPENDENCY = _at_work(
    "dependency",
    "a unit is down, or waits, as what it needs is not up",
    "the message says what that is; look there",
    "systemd.unit(5), Requires= and the like",
)
STAYS_UP = _at_work(
    "stop", "a unit that was told to stop is not down", "the message says what keeps it up", "systemctl(1), stop"
)
JOB = _at_work("job", "systemd has refused a job", "the message has its words", "systemctl(1), start and the like")
LINKS = _at_work("links", "systemctl did not change the links", "the message has its words", "systemctl(1), enable")
RELOAD = _at_work(
    "daemon-reload", "systemd did not read its files again", "the message has its words", "systemctl(1), daemon-reload"
)
LIMITS = _at_work(
    "limits",
    "changed limits are written and sleep",
    "they wake when something starts in that slice",
    "systemd.resource-control(5)",
)
WRITE = _at_work("write", "the host refuses to write", "the message says where and why", "the kernel")
NO_ANSWER = _at_work("host", "the host does not answer, or is in the way", "", "systemd, the kernel")
UNEXPECTED = _at_work("unexpected", "a fault of the collection itself", "please report it", "this collection")


class Failure(NamedTuple):
    """A unit that is not what it should be, or a step that failed.

    unit: its name, "" for a step that is of no single unit. message: what is wrong, in words. result, status:
    systemd's, for a person and for machines. invocation: the run that failed, "" if that is none or cannot be told.
    rule: what kind of failure it is. gloss: what of the message only explains the result, and goes for a proven cause.
    """

    unit: str
    message: str
    result: str = ""
    status: str = ""
    invocation: str = ""
    rule: Rule = NOT_HEALTHY
    gloss: str = ""


def failure(unit: str, message: str, shown: Properties, invocation: str) -> Failure:
    """invocation: the run that failed, which is not the present one where systemd has restarted the unit since."""
    # Of a device the cause says all of that, with its path.
    explains = message if kind_of(unit).appears else gloss(shown)
    return Failure(unit, message, shown.get("Result", ""), ended(shown).status, invocation, gloss=explains)


def with_causes(manager: Manager, failures: Sequence[Failure]) -> List[Failure]:
    """Failures, with what is to blame for those units that are down because something they need is.

    systemd calls their own result a success, and of types that run nothing, such as targets, it has none.
    """
    found: Dict[str, Failure] = {each.unit: each for each in failures}
    for each in failures:
        blamed = _lacking(manager, each.unit) if each.unit and each.result in ("success", "") else {}
        if blamed:
            failed = all(_has_failed(shown) for _why, shown in blamed.values())
            message = f"is not up, as what it needs {'has failed' if failed else 'is not there'}: "
            found[each.unit] = each._replace(message=message + ", ".join(sorted(blamed)), rule=DEPENDENCY)
        for unit, (why, shown) in blamed.items():
            found.setdefault(unit, failure(unit, why, shown, shown.get("InvocationID", "")))
    return list(found.values())


def _lacking(manager: Manager, unit: str) -> Dict[str, Tuple[str, Properties]]:
    """What is down itself, of all that a unit needs and comes after and that is down with it, each with why."""
    found: Dict[str, Tuple[str, Properties]] = {}
    left_down: Set[str] = set()

    def lacking(shown: Mapping[str, Properties]) -> Set[str]:
        told = {each: _why_lacking(each, values, each in left_down) for each, values in shown.items() if each != unit}
        found.update({each: (why, shown[each]) for each, why in told.items() if why})
        down = [values for values in shown.values() if values.get("ActiveState") == "inactive"]
        left_down.update(*map(only_checked, down))
        return left_down.union(*map(needs_first, down))

    onward(manager, [unit], _SHOWN, lacking)
    return found


def _why_lacking(unit: str, shown: Properties, left_down: bool) -> str:
    """What keeps a unit down by itself, "" if nothing is known to. left_down: by what needs it, as Requisite= does."""
    look = Look(unit, shown, at=0.0)
    if look.active == "active":
        return ""
    if look.kind.appears and look.active == "inactive":
        return "the device is not there: mend the name, or what shall bring the device"
    unasserted = look.shown.get("AssertResult") == "no" and not look.never_tried
    why = looks.failed(look, reloaded=False) or (looks.kept_from_starting(look) if unasserted else "")
    if not why and left_down and look.active == "inactive":
        return "is not up, and Requisite= starts nothing: have it started before, or write Requires="
    return why


def _has_failed(shown: Properties) -> bool:
    return shown.get("ActiveState") == "failed" or shown.get("SubState", "").startswith("auto-restart")

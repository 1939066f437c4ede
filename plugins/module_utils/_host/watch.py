# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Waiting until units are up, and seeing whether they stay up.

Private to the collection.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from . import journal
from .causes import Failure, describe, failure
from .manager import Manager, Properties
from .probe import Health, first_complaint

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "Job",
    "InvocationID",
    "MainPID",
    "NRestarts",
    "Type",
    "RemainAfterExit",
    "ExecMainCode",
    "ExecMainStatus",
    "ReloadResult",
    "ExecRemount",
    "ConditionResult",
    "AssertResult",
    "ConditionTimestampMonotonic",
    "NextElapseUSecRealtime",
    "NextElapseUSecMonotonic",
    "TimersMonotonic",
    "TimeoutStopUSec",
    "TimeoutUSec",
)
# Bases of times that come once: after a boot, or after the timer's own start (systemd.timer(5)).
_ONCE = ("OnBootUSec", "OnStartupUSec", "OnActiveUSec")
_INTERVAL = 0.1
# What is expected of a unit that is to be up, whether it may end by itself or not.
LASTING = ("up", "unfailed")
_GOOD_SUB = {
    "timer": ("waiting", "running"),
    "socket": ("listening", "running"),
    "path": ("waiting", "running"),
    "automount": ("waiting", "running"),
    "mount": ("mounted",),
}

_REMOUNTED = re.compile(r"code=\w+ ; status=(?P<status>\d+)")


@dataclass(frozen=True)
class Checks:
    """What one unit has to prove. expect: up, down, done (its work), or unfailed: up, or ended well by itself."""

    expect: str
    health: Health
    restarted: bool = False
    reloaded: bool = False


def judge(unit: str, expect: str, shown: Properties, reloaded: bool = False) -> Optional[str]:
    """None: as it shall be. "": not yet. Else: one sentence that says what is wrong.

    reloaded: this run has reloaded it, so that a reload which failed is not an old one.
    """
    load, active, sub = shown.get("LoadState", ""), shown.get("ActiveState", ""), shown.get("SubState", "")
    if expect == "down":
        return _judge_down(active, sub, shown)
    if load not in ("loaded", "merged"):
        return f"systemd cannot load it ({load})"
    if active == "failed" and not _queued(shown):  # a restart whose stop ended badly goes on to its start
        return "failed: " + describe(shown)
    if sub.startswith("auto-restart"):
        return "ended and waits for its automatic restart: " + describe(shown)
    if reloaded and not _queued(shown) and _reload_failed(shown):
        return f"its reload failed ({_reload_failed(shown)})"
    if _queued(shown) or active in ("activating", "deactivating", "reloading", "refreshing"):
        return ""
    if expect == "done":
        return None if active in ("inactive", "active") else ""
    if active == "active":
        return _judge_active(unit.rpartition(".")[2], sub, shown)
    return _judge_inactive(expect, shown)


def _reload_failed(shown: Properties) -> str:
    """What systemd says of a unit's last reload; of a mount older versions show only how the last remount ended."""
    status = _REMOUNTED.search(shown.get("ExecRemount", ""))
    if status and status.group("status") != "0":
        return f"mount ended with status {status.group('status')}"
    result = shown.get("ReloadResult", "success")
    return "" if result == "success" else result


def _judge_inactive(expect: str, shown: Properties) -> Optional[str]:
    if expect == "unfailed" and shown.get("ConditionTimestampMonotonic") == "0":
        return None
    if shown.get("ConditionTimestampMonotonic") == "0":  # nothing refers to it, so systemd has forgotten it already
        return "is not running: it ended by itself right away, or one of its conditions or assertions is not met"
    if shown.get("ConditionResult") == "no":
        return "was not started since one of its conditions is not met: mend that, or declare state: present"
    if shown.get("AssertResult") == "no":
        return "was not started since one of its assertions (Assert...=) does not hold"
    if expect == "unfailed" or (shown.get("Type") == "oneshot" and shown.get("RemainAfterExit") == "no"):
        return None
    if (shown.get("ExecMainCode"), shown.get("ExecMainStatus")) == ("2", "15"):
        return "was stopped meanwhile, by someone or with what it depends on: " + describe(shown)
    return "ended by itself right away without an error: " + describe(shown)


def _judge_down(active: str, sub: str, shown: Properties) -> Optional[str]:
    if _queued(shown) or active not in ("inactive", "failed", "active"):
        return ""
    if active == "active":
        return f"was told to stop and is active ({sub}): something has started it again, or kept it from stopping"
    return None


def _queued(shown: Properties) -> bool:
    return shown.get("Job", "0") not in ("", "0")


def _judge_active(kind: str, sub: str, shown: Properties) -> Optional[str]:
    good = _GOOD_SUB.get(kind)
    if kind == "timer" and sub == "elapsed":
        if any(base in shown.get("TimersMonotonic", "") for base in _ONCE):  # its work for this boot is done
            return None
        return "has no next elapse: its times are over, or count from a run that never was (add OnActiveSec=)"
    if good is not None and sub not in good:
        return f"is {sub}, not {good[0]}"
    if kind == "timer" and sub == "waiting" and not _next_elapse(shown):
        return "has no next elapse: its calendar lies in the past"
    return None


def _next_elapse(shown: Properties) -> bool:
    values = (shown.get("NextElapseUSecRealtime", ""), shown.get("NextElapseUSecMonotonic", ""))
    return any(value not in ("", "0", "infinity", "n/a") for value in values)


@dataclass
class _Progress:
    """begun: when its time began to count. run: what it is up as, since when. missing: its checks' last complaint.

    starting: its start was seen, so that a stop after it is a failure's. came_up: when it was up first, 0 before that.
    ended: its earlier runs, which ended by themselves.
    """

    begun: float
    run: Tuple[str, ...] = ()
    since: float = 0.0
    came_up: float = 0.0
    missing: str = ""
    starting: bool = False
    ended: List[str] = field(default_factory=list)


def watch(
    manager: Manager,
    checks: Mapping[str, Checks],
    before: Mapping[str, Properties],
    to_the_end: bool = False,
) -> List[Failure]:
    """Wait until every unit is what it shall be and has stayed so; one deadline a unit, all waited for together.

    Ends at once when one has failed, unless told to go on: what is wrong shall not run any longer than it has to.
    before: the properties of units ahead of their jobs; a reloaded unit must still be the same process.
    """
    begun = time.monotonic()
    progress = {unit: _Progress(begun) for unit in checks}
    failures: List[Failure] = []
    open_checks = dict(checks)
    while open_checks:
        seen_at = time.monotonic()  # checks from outside take their time, and what was seen before them grows old
        shown = manager.show(sorted(open_checks), PROPERTIES)
        for unit, check in list(open_checks.items()):
            mine = progress[unit]
            message = judge(unit, check.expect, shown[unit], check.reloaded)
            if message is None:
                message = _proof(manager, unit, check, shown[unit], before.get(unit, {}), mine, seen_at)
            mine.starting |= check.expect != "down" and shown[unit].get("ActiveState") == "activating"
            if (_is_bounded(shown[unit]) and not mine.starting) or _waits(unit, shown):
                mine.begun = seen_at
            late = mine.came_up + check.health.stable_for if mine.came_up else mine.begun
            if message == "" and seen_at - late > check.health.timeout:
                message = _late(check, shown[unit], mine.missing)
            if message is None:
                del open_checks[unit]
            elif message:
                fallen = [*mine.ended, *mine.run[:1], _present_run(shown[unit])][0]
                failures.append(failure(unit, message, shown[unit], fallen))
                del open_checks[unit]
        if failures and not to_the_end:
            break
        if open_checks:
            time.sleep(_INTERVAL)
    return failures


def _is_bounded(shown: Properties) -> bool:
    """systemd itself ends a stop, by TimeoutStopSec= (systemd.service(5)): that time is the unit's own to take."""
    endless = "infinity" in (shown.get("TimeoutStopUSec"), shown.get("TimeoutUSec"))
    return shown.get("ActiveState") == "deactivating" and not endless


def _waits(unit: str, shown: Mapping[str, Properties]) -> bool:
    """Has its job not begun, while another of these units is on its way? Then it may have to wait for that one."""
    resting = ("inactive", "failed", "active")
    mine = _queued(shown[unit]) and shown[unit].get("ActiveState") in resting
    return mine and any(
        each.get("ActiveState") in ("activating", "deactivating") for other, each in shown.items() if other != unit
    )


# systemd.service(5), Type=: what systemd waits for.
_WAITED_FOR = {
    "notify": ", as it has not sent READY=1 (Type=notify)",
    "notify-reload": ", as it has not sent READY=1 (Type=notify-reload)",
    "forking": ", as its first process has not ended, or PIDFile= has not been written (Type=forking)",
    "dbus": ", as it has not taken its BusName= (Type=dbus)",
}


def _late(check: Checks, shown: Properties, missing: str) -> str:
    if shown.get("ActiveState") == "active" and missing:
        return f"runs, but its check does not pass after {check.health.timeout:g} s: {missing}"
    where = f"{shown.get('ActiveState')} ({shown.get('SubState')})"
    shall = "up" if check.expect == "unfailed" else check.expect
    hint = _WAITED_FOR.get(shown.get("Type", ""), "") if shown.get("ActiveState") == "activating" else ""
    return f"is not {shall} after {check.health.timeout:g} s: {where}{hint}"


def _proof(
    manager: Manager,
    unit: str,
    check: Checks,
    shown: Properties,
    before: Properties,
    progress: _Progress,
    seen_at: float,
) -> Optional[str]:
    """A unit that is up: same process after a reload, checks passed, and unchanged for as long as it has to be."""
    by_itself = check.expect == "unfailed"
    if check.expect not in LASTING:
        return None
    if by_itself and shown.get("ActiveState") != "active":
        if check.restarted and check.health.checks and not progress.run:
            return "ended by itself before its check had passed"
        return _ended_badly(manager, unit, progress)
    run = tuple(shown.get(name, "") for name in ("InvocationID", "MainPID", "NRestarts"))
    if check.reloaded and _identity(before) != _identity(shown):
        return "is not the same process after its reload: the program ended on it"
    if check.restarted and before.get("InvocationID") == shown.get("InvocationID"):
        if unit.endswith(".mount"):
            return "was not restarted: it could not be unmounted (its last lines say why)"
        return "was not restarted: another job took the place of the restart"
    if progress.run and progress.run != run:
        if not by_itself or progress.run[-1] != run[-1]:  # else a timer or socket has started it, and not systemd
            stable_for = check.health.stable_for
            return f"did not stay up for {stable_for:g} s: it ended and was restarted (its last lines say why)"
        progress.ended.append(progress.run[0])
        progress.run = run
    if not progress.run:
        progress.missing = first_complaint(manager, check.health.checks)
        if progress.missing:
            return ""
        progress.run, progress.since, progress.came_up = run, seen_at, seen_at
        return "" if _must_stay(unit, check, shown) else None
    if seen_at - progress.since < check.health.stable_for:
        return ""
    complaint = first_complaint(manager, check.health.checks)
    if complaint:
        return f"passed its check once, but no longer after {check.health.stable_for:g} s: {complaint}"
    return _ended_badly(manager, unit, progress)


def _ended_badly(manager: Manager, unit: str, progress: _Progress) -> Optional[str]:
    """What began anew shows no more how its earlier runs ended: the journal tells."""
    if progress.ended and journal.has_failed(manager, unit, progress.ended):
        return "failed, and was started again by what it serves (its last lines say why)"
    return None


def _present_run(shown: Properties) -> str:
    """The ID of its run. A unit whose conditions or assertions keep it from starting shows that of an earlier one."""
    kept = "no" in (shown.get("ConditionResult"), shown.get("AssertResult"))
    return "" if kept else shown.get("InvocationID", "")


def _identity(shown: Properties) -> Tuple[str, str]:
    return shown.get("InvocationID", ""), shown.get("MainPID", "")


def _must_stay(unit: str, check: Checks, shown: Properties) -> bool:
    """What runs a process can fall over, and what starts others over and over (systemd.path(5), TriggerLimitBurst=)."""
    kinds = (".service", ".socket", ".path")
    return check.health.stable_for > 0 and unit.endswith(kinds) and shown.get("SubState") != "exited"


def baseline(manager: Manager, units: Sequence[str]) -> Dict[str, Dict[str, str]]:
    return manager.show(sorted(units), PROPERTIES)


def settle(manager: Manager, units: Sequence[str], timeout: float, lasting: bool = False) -> List[str]:
    """Wait until no job is taking these units down or reloading them; what is being started may go on.

    lasting: wait for what is being started, too: a oneshot until its work is done. Returns those that took too long.
    """
    deadline = time.monotonic() + timeout
    busy = list(units)
    while busy:
        shown = manager.show(sorted(units), ("ActiveState", "Job"))
        busy = [unit for unit, each in shown.items() if _on_its_way(each, lasting)]
        if time.monotonic() > deadline:
            break
        if busy:
            time.sleep(_INTERVAL)
    return busy


def _on_its_way(shown: Properties, lasting: bool) -> bool:
    active = shown.get("ActiveState", "")
    on_its_way = ("deactivating", "reloading", "refreshing", *(("activating",) if lasting else ()))
    return active in on_its_way or (active == "active" and _queued(shown))

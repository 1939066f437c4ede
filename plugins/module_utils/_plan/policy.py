# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a difference makes us do, unit type by unit type: the table of docs/restarts.md. Pure.

What each rule rests on is systemd's behaviour on 247 to 262, tried out. Private to the collection.
"""

from __future__ import annotations

from typing import Callable, List, Mapping, NamedTuple, Sequence

from .._desired.options import RUNNING
from .._syntax.kinds import Effect, File
from .._syntax.meaning import is_run_once, recurs
from .differences import Case
from .owed import Owed

# Mounts that the host itself stands on: never restarted, at most reloaded.
_KEPT_MOUNTS = ("-.mount", "usr.mount", "var.mount")
# From 253 on a changed cgroup limit of a running unit stays dormant until something starts in its slice.
_DORMANT_SINCE = 253
_OWED = "an interrupted run owed it"
# What is done about that to a unit that is up; the rest is only for one that is down.
_DONE = {
    Owed.RELOAD: "reload",
    Owed.PULL: "start",
    Owed.RUN: "run",
    Owed.TOUCH_SLICE: "touch-slice",
    Owed.STOP: "stop",
}


class Act(NamedTuple):
    """Something to do to a unit.

    verb: one of systemctl's, or run (start and await its end), cycle (down before the files change, up after),
    touch-slice (start something in its slice, which puts dormant limits into force), keep (nothing, but say why).
    """

    verb: str
    unit: str
    reason: str


def decide(case: Case, version: int) -> List[Act]:
    """What is to be done to one unit."""
    if case.change.gone or case.wanted == "absent":
        return _leave(case, "its file goes" if case.change.gone else "no longer declared")
    if case.wanted == "stopped":
        return [Act("stop", case.unit, "declared stopped")] if case.now.is_up else []
    if case.owed == (Owed.RESET_FAILED,) and case.now.active == "failed" and case.wanted == "present":
        return [Act("reset-failed", case.unit, _OWED)]
    if not case.now.is_up:
        return _bring_up(case)
    return [*_owed(case), *_wished(case, version)]


def _owed(case: Case) -> List[Act]:
    """What an interrupted run has left undone to a unit that is up."""
    if Owed.RESTART in case.owed:
        return _restart(case, _OWED)
    if Owed.CYCLE in case.owed:
        return [Act("cycle", case.unit, _OWED)]
    return [Act(_DONE[each], case.unit, _OWED) for each in case.owed if each in _DONE]


def _wished(case: Case, version: int) -> List[Act]:
    """What the declaration asks of a unit that is up."""
    if case.now.sub.startswith("auto-restart"):  # there is no process, and the next will be of the new text
        if case.wanted == "present":
            return []
        acts = _restart(case, "waits to be restarted again")
        return [Act("reset-failed", case.unit, "it keeps ending"), *acts] if acts[0].verb == "restart" else acts
    if case.wanted == "restarted":
        reason = "declared restarted"
        return [Act("cycle", case.unit, reason)] if case.kind.starts.hands_over else _restart(case, reason)
    acts = _UP[case.kind.name](case, version)
    if case.wanted == "reloaded":  # which is nothing beside a restart, if that is not left to a person
        acts = [act for act in acts if act.verb != "reload"] + [Act("reload", case.unit, "declared reloaded")]
    return acts


def _leave(case: Case, reason: str) -> List[Act]:
    acts = [Act("stop", case.unit, reason)] if case.now.is_up and case.kind.file is not File.OPTIONAL else []
    return acts + _reset(case, "a failed state would outlive it")


def _bring_up(case: Case) -> List[Act]:
    """A unit that is down: start it if it shall be up. A oneshot that a timer runs must never run out of time."""
    failed = case.now.active == "failed"
    change = case.change
    if case.service.runs_on_change and (change.new or change.restamped or case.owed == (Owed.RUN,) or failed):
        reason = _changed([directive for _section, directive in change.directives], change.news)
        reason = "new" if change.new else _OWED if case.owed else reason if change.restamped else "its last run failed"
        return [*_reset(case), Act("run", case.unit, reason)]
    if case.wanted not in RUNNING and case.owed != (Owed.START,):
        return []
    return [*_reset(case), Act("start", case.unit, "failed" if failed else "not running")]


def _reset(case: Case, reason: str = "its start limit counts earlier failures") -> List[Act]:
    return [Act("reset-failed", case.unit, reason)] if case.now.active == "failed" else []


def _restart(case: Case, reason: str) -> List[Act]:
    if case.is_set("RefuseManualStop") or case.is_set("RefuseManualStart"):
        return [Act("keep", case.unit, f"{reason}; but it refuses a manual restart: it is current after the next boot")]
    return [Act("restart", case.unit, reason)]


def _because(case: Case) -> str:
    return _changed([directive for _section, directive in case.change.directives])


def _changed(directives: Sequence[str], news: Sequence[str] = ()) -> str:
    """What differs: the directives that this run changes, and what else the process has not, as far as it is known."""
    more = [each for each in news if each.partition(" of ")[0] not in directives]
    if directives:
        return "changed: " + ", ".join([*directives, *more])
    told = ", ".join(more) or "its environment, its secrets or what its triggers name, which no record tells"
    return "changed since its last start: " + told


def _service(case: Case, version: int) -> List[Act]:
    acts = _renewed(case)
    if any(act.verb in ("restart", "stop", "run") for act in acts):  # its next start does all the rest
        return acts
    # A start of what is at its work would be one to wait for until that has ended.
    return acts + ([] if is_run_once(case.after) else _pull(case)) + _wake_limits(case, version)


def _renewed(case: Case) -> List[Act]:
    """What is done about a process that was started with something else."""
    needs = case.needs
    once = is_run_once(case.after)
    stale = case.service.process.stale
    deprived = case.service.deprived_by if case.wanted != "present" else ""
    if (case.change.directives or stale) and once and case.now.active != "activating":
        return _retired(case)
    if (needs or stale) and once:
        if case.service.runs_on_change:
            return [Act("run", case.unit, "once more, when its present run has ended")]
        return [Act("keep", case.unit, "it is at its work, which a restart would cut off: its next run is the new one")]
    if (needs or stale) and case.service.per_connection:
        return [Act("keep", case.unit, "it serves a connection, which a restart would cut off: the next gets the new")]
    if needs or stale or deprived:
        changed = _changed(needs, case.service.process.news)
        reason = changed if needs or stale else f"its socket {deprived} goes"
        if case.on_change == "none":
            return [Act("keep", case.unit, reason + "; on_change is none")]
        # What a socket opened for it is not opened by a reload, and what is still starting cannot be reloaded.
        if case.on_change == "reload" and not deprived and case.now.active != "activating":
            return [Act("reload", case.unit, reason), *_lacking(case, needs)]
        return _restart(case, reason)
    return _lacking(case, [])


def _lacking(case: Case, needs: Sequence[str]) -> List[Act]:
    """What a reload, of this run or an earlier one, does not put into force. needs: what changes now."""
    known = case.service.process.lacking
    lacking = needs if known is None else known
    reason = f"reloaded, but only its next start puts into force: {', '.join(lacking)}"
    return [Act("keep", case.unit, reason)] if lacking else []


def _retired(case: Case) -> List[Act]:
    """What ran on, or stayed up after its end, shall now run once: as long as it is up, a start would do nothing."""
    reason = "is up, and shall now run once and end"
    if case.on_change == "none":
        return [Act("keep", case.unit, reason + "; on_change is none")]
    if case.is_set("RefuseManualStop"):
        return [Act("keep", case.unit, reason + "; but it refuses a manual stop")]
    return [Act("stop", case.unit, reason), *([Act("run", case.unit, reason)] if case.service.runs_on_change else [])]


def _pull(case: Case) -> List[Act]:
    """`start` of an active unit starts what it newly wants; nothing else does."""
    pulls = case.change.pulls
    if not pulls or case.is_set("RefuseManualStart"):
        return []
    return [Act("start", case.unit, "now pulls in " + ", ".join(pulls))]


def _wake_limits(case: Case, version: int) -> List[Act]:
    limits = case.touched(Effect.CGROUP)
    if not limits or version < _DORMANT_SINCE:
        return []
    return [Act("touch-slice", case.unit, f"puts {', '.join(limits)} into force")]


def _socket(case: Case, version: int) -> List[Act]:
    """A changed address opens only by a new start, and a socket does not start while its service runs."""
    rebind = case.touched(Effect.REBIND, Effect.RESTART)
    lost = case.change.new and case.now.load == "not-found"
    if not rebind and not lost:
        return _pull(case) + _wake_limits(case, version)
    reason = "systemd has closed its addresses, as its file was gone" if lost else "changed: " + ", ".join(rebind)
    if case.on_change == "none":
        return [Act("keep", case.unit, reason + "; on_change is none")]
    return [Act("cycle", case.unit, reason)]


def _timer(case: Case, version: int) -> List[Act]:
    """daemon-reload alone puts a new schedule into force; a restart would fire a persistent timer out of time."""
    if case.now.load != "loaded" and case.change.directives:
        return [Act("reset-failed", case.unit, "was not loadable"), Act("restart", case.unit, "was not loadable")]
    if (
        case.now.sub == "elapsed"
        and any(section == "Timer" for section, _directive in case.change.directives)
        and recurs(case.after)
    ):
        return [Act("restart", case.unit, "its times were over, and daemon-reload does not look at new ones then")]
    return _pull(case)


def _mount(case: Case, version: int) -> List[Act]:
    if case.touched(Effect.RESTART):
        if case.unit in _KEPT_MOUNTS or case.on_change == "none":
            return [Act("keep", case.unit, _because(case) + "; mounted anew only at the next boot")]
        return _restart(case, _because(case))
    if case.touched(Effect.REMOUNT):
        verb, why = ("keep", "; on_change is none") if case.on_change == "none" else ("reload", "")
        return [Act(verb, case.unit, _because(case) + why)]
    return _pull(case)


def _automount(case: Case, version: int) -> List[Act]:
    needs = case.touched(Effect.RESTART)
    if not needs:
        return _pull(case)
    if case.now.sub != "waiting" or case.on_change == "none":
        return [Act("keep", case.unit, _because(case) + "; a restart would unmount what is in use")]
    return _restart(case, _because(case))


def _swap(case: Case, version: int) -> List[Act]:
    needs = case.touched(Effect.RESTART)
    if needs and case.on_change == "none":
        return [Act("keep", case.unit, _because(case) + "; on_change is none")]
    return _restart(case, _because(case)) if needs else _pull(case)


def _target(case: Case, version: int) -> List[Act]:
    """Started again it starts its new members; restarted it would take down all that is PartOf= it."""
    return _pull(case)


def _path(case: Case, version: int) -> List[Act]:
    """daemon-reload alone has systemd watch the new places."""
    return _pull(case)


def _slice(case: Case, version: int) -> List[Act]:
    return _pull(case) + _wake_limits(case, version)


def _nothing(case: Case, version: int) -> List[Act]:
    """daemon-reload alone puts it into force."""
    return []


_UP: Mapping[str, Callable[[Case, int], List[Act]]] = {
    "service": _service,
    "socket": _socket,
    "timer": _timer,
    "target": _target,
    "path": _path,
    "mount": _mount,
    "automount": _automount,
    "swap": _swap,
    "slice": _slice,
    "scope": _nothing,
    "device": _nothing,
}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a difference makes us do, unit type by unit type: the table of docs/restarts.md. Pure.

What each rule rests on is systemd's behaviour on 247 to 262, tried out. Private to the collection.
"""

from __future__ import annotations

from typing import Callable, List, Mapping, NamedTuple, Sequence

from .._desired.options import RUNNING
from .._syntax.effects import Effect
from .._syntax.kinds import ANY_SUB, TIMER_TIMES, File
from .._syntax.meaning import is_run_once, recurs
from .._syntax.special import is_of_host
from .case import LEFT_ALONE, Case
from .owed import Owed

# From 253 on a changed cgroup limit of a running unit stays dormant until something starts in its slice.
_DORMANT_SINCE = 253
_OWED = "an unfinished run owed it"
# What is done about that to a unit that is up; the rest is only for one that is down.
_DONE = {
    Owed.RELOAD: "reload",
    Owed.PULL: "start",
    Owed.RUN: "run",
    Owed.TOUCH_SLICE: "touch-slice",
    Owed.STOP: "stop",
}
_HELD_BACK = {
    "none": "on_change is none",
    LEFT_ALONE: "but it is not of this stack, and the drop-in is for many: it is current after its next start, or with "
    "on_change: restart",
}
# What these hold back, and what systemd does to no unit that is masked.
_TOUCHING = ("stop", "restart", "cycle", "reload")
_NEEDING_TEXT = ("start", "pull", "restart", "cycle", "reload", "run", "touch-slice")


class Act(NamedTuple):
    """Something to do to a unit.

    verb: one of systemctl's, or pull (start what it newly wants), run (start and await its end), cycle (down before the
    files change, up after),
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
    acts = _up(case, version) if case.now.is_up else _bring_up(case)
    acts = _left(acts, lambda act: _hindrance(case, act))
    if any(act.verb in ("stop", "restart", "cycle", "run") for act in acts):  # its next start does all the rest
        acts = [act for act in acts if act.verb not in ("start", "pull", "touch-slice")]
    return acts


def _left(acts: List[Act], why: Callable[[Act], str]) -> List[Act]:
    """An act that there is a reason against (why) is told of instead of done; what only belongs to it is left out."""
    found = [(act, why(act)) for act in acts]
    kept = [Act("keep", act.unit, f"{act.reason}; {reason}") for act, reason in found if reason]
    if not kept:
        return acts
    return kept[:1] + [act for act, reason in found if not reason and act.verb not in ("reset-failed", "run")]


def _hindrance(case: Case, act: Act) -> str:
    if case.mask and act.verb in _NEEDING_TEXT:
        return f"but it is masked by {case.mask}"
    taken = act.verb in ("stop", "restart") or (act.verb == "start" and not case.now.is_up)
    if act.verb == "start" and case.mount.unlike and not case.now.is_up:
        there = case.mount.unlike.there
        return f"but {there} is up without it: it starts once that is down, at the latest by the next boot"
    if taken and is_of_host(case.unit):  # mounted over, what runs would miss its files
        return "but the host stands on it: it is current after the next boot"
    if taken and case.mount.under_run:
        return (
            f"but this run has {case.mount.under_run} in use, which would be out of reach: it is in force after the "
            "next boot, or once Ansible has its temporary folder and its home elsewhere (remote_tmp)"
        )
    if act.verb == "restart" and (case.is_set("RefuseManualStop") or case.is_set("RefuseManualStart")):
        return "but it refuses a manual restart: it is current after the next boot"
    if act.verb == "stop" and case.is_set("RefuseManualStop"):
        return "but it refuses a manual stop"
    return ""


def _up(case: Case, version: int) -> List[Act]:
    """A unit that is up: what a difference makes of it, held back by on_change: none; then what is declared."""
    dead = case.now.sub.startswith("auto-restart")  # there is no process, and the next will be of the new text
    acts = _owed(case)
    if case.wanted != "restarted" and not dead:
        acts += _UP.get(case.kind.name, _by_effect)(case, version)
    if case.on_change in _HELD_BACK:
        acts = _left(acts, lambda act: _HELD_BACK[case.on_change] if act.verb in _TOUCHING else "")
    if dead:
        return acts + ([] if case.wanted == "present" else _tried_again(case))
    if case.wanted == "restarted":
        verb = "cycle" if case.kind.starts.hands_over else "restart"
        return [*acts, Act(verb, case.unit, "declared restarted")]
    if case.wanted == "reloaded":  # which is nothing beside a restart, if that is not left to a person
        return [*(act for act in acts if act.verb != "reload"), Act("reload", case.unit, "declared reloaded")]
    return acts


def _owed(case: Case) -> List[Act]:
    """What an interrupted run has left undone to a unit that is up."""
    if Owed.RESTART in case.owed:
        return [Act("restart", case.unit, _OWED)]
    if Owed.CYCLE in case.owed:
        return [Act("cycle", case.unit, _OWED)]
    return [Act(_DONE[each], case.unit, _OWED) for each in case.owed if each in _DONE]


def _tried_again(case: Case) -> List[Act]:
    return [
        Act("reset-failed", case.unit, "it keeps ending"),
        Act("restart", case.unit, "waits to be restarted again"),
    ]


def _leave(case: Case, reason: str) -> List[Act]:
    if is_of_host(case.unit):
        why = f"{reason}; but the host stands on it: it stays as it is"
        return [Act("keep", case.unit, why)] if case.now.is_up else []
    if case.mount.under_run and case.now.is_up:
        why = f"{reason}; but this run has {case.mount.under_run} in use: it goes with the next boot"
        return [Act("keep", case.unit, why)]
    acts = [Act("stop", case.unit, reason)] if case.now.is_up and case.kind.file is not File.OPTIONAL else []
    return acts + _reset(case, "a failed state would outlive it")


def _bring_up(case: Case) -> List[Act]:
    """A unit that is down: start it if it shall be up. A oneshot that a timer runs must run at no other time."""
    failed = case.now.active == "failed"
    change = case.change
    if case.service.runs_on_change and (change.new or change.restamped or case.owed == (Owed.RUN,) or failed):
        reason = _changed([directive for _section, directive in change.directives], change.news)
        reason = "new" if change.new else _OWED if case.owed else reason if change.restamped else "its last run failed"
        return [*_reset(case), Act("run", case.unit, reason)]
    if case.wanted not in RUNNING and case.owed not in ((Owed.START,), (Owed.WANTED,)):
        return []
    return [*_reset(case), Act("start", case.unit, "failed" if failed else "not running")]


def _reset(case: Case, reason: str = "its start limit counts earlier failures") -> List[Act]:
    return [Act("reset-failed", case.unit, reason)] if case.now.active == "failed" else []


def _changed(directives: Sequence[str], news: Sequence[str] = ()) -> str:
    """What differs: the directives that this run changes, and what else the process has not, as far as it is known."""
    more = [each for each in news if each.partition(" of ")[0] not in directives]
    if directives:
        return "changed: " + ", ".join([*directives, *more])
    told = ", ".join(more) or "its environment, its secrets or what its triggers name, which no record tells"
    return "changed since its last start: " + told


def _service(case: Case, version: int) -> List[Act]:
    # To start a oneshot that is at its work would mean to wait until it has ended.
    return _renewed(case) + ([] if is_run_once(case.after) else _pull(case)) + _wake_limits(case, version)


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
        # What a socket opened for it is not opened by a reload, and what is still starting cannot be reloaded.
        if case.on_change == "reload" and not deprived and case.now.active != "activating":
            return [Act("reload", case.unit, reason), *_lacking(case, needs)]
        return [Act("restart", case.unit, reason)]
    lacking = _lacking(case, [])
    due = lacking and case.on_change == "restart" and case.service.process.due
    if due and not (once or case.service.per_connection):
        return [Act("restart", case.unit, lacking[0].reason)]
    return lacking


def _lacking(case: Case, needs: Sequence[str]) -> List[Act]:
    """What a reload, of this run or an earlier one, does not put into force. needs: what changes now."""
    known = case.service.process.lacking
    lacking = needs if known is None else known
    reason = f"reloaded, but only its next start puts into force: {', '.join(lacking)}"
    return [Act("keep", case.unit, reason)] if lacking else []


def _retired(case: Case) -> List[Act]:
    """It ran on, or stayed up after its end, and shall now run once. While it is up a start would do nothing."""
    reason = "is up, and shall now run once and end"
    return [Act("stop", case.unit, reason), *([Act("run", case.unit, reason)] if case.service.runs_on_change else [])]


def _pull(case: Case) -> List[Act]:
    """What a running unit wants from now on has to be started: nothing else brings it up."""
    if case.kind.file is File.NEVER:
        return []
    others = dict.fromkeys(other for others in case.change.pulls.values() for other in others)
    return [Act("pull", case.unit, "now pulls in " + ", ".join(others))] if others else []


def _wake_limits(case: Case, version: int) -> List[Act]:
    limits = case.touched(Effect.CGROUP)
    if not limits or version < _DORMANT_SINCE:
        return []
    return [Act("touch-slice", case.unit, f"puts {', '.join(limits)} into force")]


def _by_effect(case: Case, version: int) -> List[Act]:
    """What the changed directives take by the row of the unit's kind, and nothing more."""
    return _renewal(case) + _pull(case) + _wake_limits(case, version)


def _renewal(case: Case) -> List[Act]:
    acts = [
        (verb, "changed: " + ", ".join(case.touched(effect))) for verb, effect in _BY_EFFECT if case.touched(effect)
    ]
    if case.change.new and case.now.load == "not-found":  # systemd has forgotten what a socket or automount was told
        acts += [
            (verb, "its file was gone, and what it said") for verb, it in _BY_EFFECT if it is case.kind.change.otherwise
        ]
    if case.on_change == "reload":  # the user's word: what a reload does not put into force waits (_not_in_force)
        acts = [(verb, reason) for verb, reason in acts if verb != "restart"]
    found = [_unless_in_use(case, Act(verb, case.unit, reason)) for verb, reason in acts[:1]]
    if any(act.verb in ("restart", "cycle") for act in found):
        return found
    return found + _not_in_force(case, found)


def _not_in_force(case: Case, acts: List[Act]) -> List[Act]:
    """What is not in force yet: only its next start reads it, or something else than its text has brought it up."""
    later = case.touched(Effect.NEXT, *([Effect.RESTART] if case.on_change == "reload" else []))
    if later:
        return [Act("keep", case.unit, f"changed: {', '.join(later)}; in force when it next comes up")]
    unlike = case.mount.unlike
    remounted = [each for each in unlike.directives if not acts or not each.startswith("Options=")] if unlike else []
    if unlike and remounted:
        said = f"{unlike.there} is in its place, and not {', '.join(remounted)}"
        mounts = any(case.after.get(case.kind.section, {}).get("What", ()))
        when = (
            "in force when it next comes up" if mounts else "it has no unit file, and only what one mounts goes by it"
        )
        return [Act("keep", case.unit, f"{said}: {when}")]
    return []


def _unless_in_use(case: Case, act: Act) -> Act:
    unused = case.kind.jobs.unused_sub
    if act.verb != "restart" or unused == ANY_SUB or case.now.sub in unused:
        return act
    return act._replace(verb="keep", reason=act.reason + "; a restart would unmount what is in use")


def _timer(case: Case, version: int) -> List[Act]:
    """daemon-reload alone puts a new schedule into force; a restart would fire a persistent timer out of time."""
    if case.now.load != "loaded" and case.change.directives:
        return [Act("reset-failed", case.unit, "was not loadable"), Act("restart", case.unit, "was not loadable")]
    if (
        case.now.sub == "elapsed"
        and any(directive in TIMER_TIMES for _section, directive in case.change.directives)
        and recurs(case.after)
    ):
        return [Act("restart", case.unit, "its times were over, and daemon-reload does not look at new ones then")]
    return _by_effect(case, version)


# Types of which the row in _syntax/kinds.py does not say all. A target that is started again starts its new members;
# restarted it would take down all that is PartOf= it.
_UP: Mapping[str, Callable[[Case, int], List[Act]]] = {"service": _service, "timer": _timer}
# What a changed directive takes by its effect, the strongest first.
_BY_EFFECT = (
    ("cycle", Effect.REBIND),
    ("restart", Effect.RESTART),
    ("reload", Effect.REMOUNT),
)

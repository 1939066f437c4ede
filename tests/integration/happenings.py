# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call of a module did to the units of the host, held against what its result says of that."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.testbed.units import Meanwhile, State

Result = dict[str, Any]

# What may have become of a unit, by what a plan says of it, and by the list in which it is. What was found activating
# may have ended before its restart.
_BY_VERB = {
    "start": {"up", "ran"},
    "run": {"up", "ran", "anew", "down"},
    "restart": {"up", "ran", "anew"},
    "stop": {"down"},
    "reload": set(),
}
_BY_LIST = {"newly_started": _BY_VERB["start"], "restarted": _BY_VERB["restart"], "stopped": _BY_VERB["stop"]}
# How a reason names what else a job does.
_BESIDES = re.compile(r"\b(start|stop|restart|reload)s (\S+) \(")
_ALONG = re.compile(r"; takes ([^;]+) along")
_PULLED = re.compile(r"\bnow pulls in ([^;]+)")
# Its file is gone once it has ended, which may be before it is asked for.
_TRANSIENT = re.compile(r"run-[rup]\w+(-i\w+)?\.service")
# What Ansible puts in the place of a secret, also where a unit has it in its name.
_BLOTTED = re.compile(r"\*{8}|VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")


@dataclass(frozen=True)
class Call:
    """One call of a module. visited: since when the test began, someone has connected to sockets of this host."""

    options: Mapping[str, Any]
    result: Result
    happened: Mapping[str, Meanwhile]
    user: str
    visited: bool = False

    @property
    def manager(self) -> str:
        """Whose units it was about."""
        return self.user if self.options.get("scope") == "user" else "system"


@dataclass(frozen=True)
class Change:
    """What has become of one unit during a call."""

    unit: str
    manager: str
    meanwhile: Meanwhile
    visited: bool

    @property
    def became(self) -> str:
        return self.meanwhile.became(self.unit)

    @property
    def was(self) -> State:
        return self.meanwhile.was(self.unit)

    @property
    def now(self) -> State:
        return self.meanwhile.now(self.unit)

    @property
    def fragment(self) -> str:
        return self.now.fragment or self.was.fragment

    def triggered(self, *kinds: str) -> bool:
        """By one of these that is, or was, up."""
        names = f"{self.was.triggered_by} {self.now.triggered_by}".split()
        up = (name for name in names if self.meanwhile.was(name).is_up or self.meanwhile.now(name).is_up)
        return any(name.endswith(kinds) for name in up)

    def __str__(self) -> str:
        was, now, jobs = self.was, self.now, self.meanwhile.jobs.get(self.unit, [])
        return f"{self.unit} ({was.active}/{was.sub}, then {now.active}/{now.sub}; its jobs: {jobs})"


# What happens by itself beside a call, and so is named by no result: each with the reason.
BY_ITSELF: dict[str, Callable[[Change], bool]] = {
    "the kernel has it, and systemd only shows it": lambda it: (
        it.unit.endswith(".device") or (it.unit.endswith((".mount", ".swap")) and it.unit not in it.meanwhile.jobs)
    ),
    "processes of someone's own": lambda it: it.unit.endswith(".scope"),
    "made by systemd-run, for a test or to wake a slice's limits": lambda it: (
        "/transient/" in it.fragment or _TRANSIENT.fullmatch(it.unit) is not None
    ),
    "systemd makes a slice without a file by itself, and nothing runs by it": lambda it: (
        it.unit.endswith(".slice") and not it.fragment
    ),
    "its process ended: it had no job": lambda it: it.became == "down" and it.unit not in it.meanwhile.jobs,
    "its time came, or what it waits for, and it ran to its end": lambda it: (
        (it.became in ("up", "ran") or it.was.active == "activating") and it.triggered(".timer", ".path")
    ),
    "what waits for it asked for it once more, and it runs": lambda it: (
        it.became == "" and it.triggered(".timer", ".path")
    ),
    "someone connected": lambda it: it.visited and it.triggered(".socket"),
    "systemctl talks to a user's manager over the user's bus, which has a slice": lambda it: (
        it.unit in ("dbus.service", "session.slice") and it.manager != "system"
    ),
    "systemd tried it again after its end (Restart=)": lambda it: "auto-restart" in it.was.sub + it.now.sub,
}


def _by_itself(change: Change) -> bool:
    return any(is_it(change) for is_it in BY_ITSELF.values())


def differences(call: Call, besides: Collection[str] = ()) -> Iterator[str]:
    """Where a result and what happened differ. besides: units that the test itself starts or stops meanwhile."""
    if _BLOTTED.search(" ".join(_names(call.result))):
        return
    for manager, meanwhile in call.happened.items():
        result = call.result if manager == call.manager and not call.options.get("check_mode") else {}
        visited = call.visited or _asks(call.options)
        changes = (Change(unit, manager, meanwhile, visited) for unit in sorted(meanwhile.changed()))
        for change in changes:
            if change.unit not in besides and not _by_itself(change):
                yield from _untold(change, result)
        yield from _untold_jobs(result, manager, meanwhile, besides)
        yield from _not_done(result, manager, meanwhile, besides)


def _untold_jobs(result: Result, manager: str, meanwhile: Meanwhile, besides: Collection[str]) -> Iterator[str]:
    """What runs on with a job that it had, which is a reload: the plan has to say it."""
    said = {*promised(result), *besides}
    for unit in sorted(set(meanwhile.jobs).difference(said, meanwhile.changed())):
        change = Change(unit, manager, meanwhile, False)
        if change.was.is_up and change.now.is_up and not _by_itself(change):
            yield f"had a job, and the plan says nothing: {change}"


def _asks(options: Any) -> bool:
    """Does the call itself connect to something, to ask whether a unit is healthy?"""
    if isinstance(options, Mapping):
        health = options.get("health")
        asked = isinstance(health, Mapping) and bool({"tcp", "unix", "http", "command"} & set(health))
        return asked or any(_asks(each) for each in options.values())
    return isinstance(options, (list, tuple)) and any(_asks(each) for each in options)


def _names(result: Result) -> Iterator[str]:
    yield from (step.get("unit", "") for step in result.get("plan", ()))
    yield from (unit for key in _BY_LIST for unit in result.get(key, ()))


def promised(result: Result) -> dict[str, set[str]]:
    """What a plan says that it does to units: verbs by unit."""
    found: dict[str, set[str]] = {}
    for step in result.get("plan", ()):
        verb, reason = step["action"], step["reason"]
        said = [(verb, step["unit"])] if verb in _BY_VERB else []
        said += _BESIDES.findall(reason)
        said += [(verb, unit) for units in _ALONG.findall(reason) for unit in units.split(", ")]
        said += [("start", unit) for units in _PULLED.findall(reason) for unit in units.split(", ")]
        for each, unit in said:
            found.setdefault(unit, set()).add(each)
    for unit in result.get("started_again", ()):
        found.setdefault(unit, set()).add("restart")
    return found


def _untold(change: Change, result: Result) -> Iterator[str]:
    """A unit to which something happened: the plan has to say it, and of a run that succeeded a list, too."""
    verbs = promised(result).get(change.unit, set())
    # What is up is started only where the reload, or a stop of ours, takes it down before.
    cycled = {"anew"} if "start" in verbs and ("stop" in verbs or change.was.is_up) else set()
    results = set().union(*(_BY_VERB[verb] for verb in verbs), cycled)
    became, failed = change.became, result.get("failed") and "plan" in result
    # What is undone comes to something else than was planned, of the same units; what could not be is in the message.
    in_message = failed and change.unit in result["msg"]
    if became not in results and not (failed and verbs) and not in_message:
        yield f"became {became}, and the plan says {sorted(verbs) or 'nothing'}: {change}"
    elif not failed and not any(change.unit in result[key] for key in _BY_LIST if became in _listed(key, verbs)):
        yield f"became {became}, and is in no list for that: {change}"
    elif result.get("rolled_back") and became in ("up", "down") and not in_message:
        yield f"became {became} for good, though the run was rolled back: {change}"


def _listed(key: str, verbs: Collection[str]) -> set[str]:
    """What may have become of a unit in a list.

    A oneshot that was at its work is newly started once more. What only a start holds up, since it is bound to a unit
    that is down, goes on running where the start comes before systemd has looked.
    """
    in_time = {""} if key == "restarted" and verbs == {"start"} else set()
    return _BY_LIST[key] | ({"anew", "down"} if "run" in verbs else set()) | in_time


def _not_done(result: Result, manager: str, meanwhile: Meanwhile, besides: Collection[str]) -> Iterator[str]:
    """What a list has, and did not happen."""
    verbs = promised(result)
    for key in _BY_LIST:
        for unit in sorted(set(result.get(key, ())).difference(besides)):
            # systemd forgets what has run and is down, and its run with it. What runs once and fails has run, too.
            jobs, is_up = meanwhile.jobs.get(unit, []), meanwhile.now(unit).is_up
            ran = {"done", "failed"} if "run" in verbs.get(unit, ()) else {"done"}
            forgotten = key != "stopped" and not ran.isdisjoint(jobs) and not is_up
            # By a connection, say: one job is the stop, another was its start.
            started_meanwhile = key == "stopped" and len(jobs) > 1 and not is_up
            if meanwhile.became(unit) not in _listed(key, verbs.get(unit, ())) and not (forgotten or started_meanwhile):
                yield f"is in {key}: {Change(unit, manager, meanwhile, False)}"


def unlike(foretold: Result, result: Result) -> Iterator[str]:
    """Where check mode has said otherwise than the run that followed."""
    if result.get("failed"):
        return
    for key in ("changed", "plan", *_BY_LIST, "reloaded", "removed", "orphaned", "kept", "deferred", "recovered"):
        if foretold.get(key) != result[key]:
            yield f"check mode says of {key} {foretold.get(key, foretold.get('msg'))}, and it is {result[key]}"

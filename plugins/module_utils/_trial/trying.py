# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One try: a service restarted with a drop-in, probed, and held against how it was without.

Private to the collection.
"""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from .._advice.ladder import Item, Lines, OutOfTime, Setting, TryOutcome
from .._advice.optouts import Line, Needs, quoted
from .._advice.profiles import Host, profile
from .._advice.refusals import Refusal, of_processes, refusals
from .._apply import trials
from .._apply.trials import SearchRecord
from .._causes.answers import answered_by_another
from .._host import journal
from .._host.expectations import Proof, Up
from .._host.files import Writer
from .._host.health import Health
from .._host.looks import RUN_PROPERTIES, Run, run_of
from .._host.manager import Manager
from .._host.watch import watch
from .._host.workload import (
    Connection,
    Listener,
    Workload,
    all_connections,
    connections,
    grown,
    processes_of_run,
    size,
    unix_paths,
    visited,
    workload,
)
from .._run.report import without

# Calls for a better place in a queue only: a service goes on though they are refused.
_TUNING = ("sched_setaffinity", "setpriority", "nice", "ioprio_set")
_SAMPLED_EVERY = 0.01
_SETTLES, _LEAST, _AGAIN = 3.0, 2.0, 0.2
_LOOKS = 5
_MOST_EVIDENCE = 4
_ENDED = re.compile(r"Main process exited|Control process exited|Failed at step|Failed to set up")


@dataclass(frozen=True)
class Probe:
    """What proves that a service does its work: checks from outside, and commands; how long a command may take."""

    health: Health
    commands: Tuple[Tuple[str, ...], ...]
    reloads: bool
    patience: float = 120.0


@dataclass
class Baseline:
    """The service as it is, without anything that is tried.

    seen: what it was at after each probe. said: its lines. seconds: how long a try of it takes. touched: listeners to
    which the probe led. idle: users of its processes that did nothing meanwhile. settles: seconds until its first probe
    passed.
    """

    seen: Workload
    said: Sequence[str]
    seconds: float
    touched: FrozenSet[Listener] = frozenset()
    idle: FrozenSet[int] = frozenset()
    settles: float = 0.0


@dataclass
class Bench:
    """Where a service is tried.

    trial: what is under way, for whoever comes next. manager, writer: by which it is done. host: what this systemd can
    do. present: the lines of the unit as it is. needs: what it is allowed. probe: what proves that it does its work.
    until: when no more is tried. hidden: what is not to be shown of what it says. allowed: addresses that it may be
    left. baseline: the service as it is, None before that is measured. tolerated: lines about something refused that it
    did without.
    """

    trial: SearchRecord
    manager: Manager
    writer: Writer
    host: Host
    present: Sequence[Line]
    needs: Needs
    probe: Probe
    until: float
    hidden: Sequence[str] = ()
    allowed: Sequence[str] = ()
    baseline: Optional[Baseline] = None
    tolerated: Set[str] = field(default_factory=set)

    @property
    def unit(self) -> str:
        return self.trial.unit

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self.until

    def lines(self, setting: Setting, folders: FrozenSet[str]) -> Tuple[Line, ...]:
        """The lines of a drop-in for it, over what the unit says itself."""
        wants: Dict[str, Lines] = {**self.needs.wants, **setting}
        if "IPAddressDeny" in setting and self.allowed:
            wants.setdefault("IPAddressAllow", (" ".join(self.allowed),))
        if "SystemCallFilter" in setting:
            wants["SystemCallErrorNumber"] = ("EPERM",)
        more = list(self.needs.more)
        if "strict" in setting.get("ProtectSystem", ()):
            paths = [("ReadWritePaths", quoted(f"-{folder}")) for folder in sorted(folders)]
            more += [line for line in paths if line not in more]
        needs = self.needs._replace(wants=wants, more=tuple(more))
        return profile("", needs, self.present, self.host).lines

    def takes(self, item: Item) -> bool:
        """Would the strictest of a directive add anything to what the unit says, on this host?"""
        return any(
            directive == item.directive
            for directive, _value in self.lines({item.directive: item.rungs[0]}, frozenset())
        )

    def attempt(self, setting: Setting, folders: FrozenSet[str]) -> TryOutcome:
        if self.is_late:
            raise OutOfTime
        lines = self.lines(setting, folders)
        self._put(lines)
        return self._judged(self._once(), lines)

    def proved(self, setting: Setting, folders: FrozenSet[str], stops: float) -> TryOutcome:
        """All of it once more: two restarts, and a stop that takes no longer than it did."""
        lines = self.lines(setting, folders)
        self._put(lines)
        for _time in range(2):
            outcome = self._judged(self._once(), lines)
            if not outcome.passed:
                return outcome
        took, how = self.stopped()
        if how != "success" or took > 2 * stops + 5:
            return TryOutcome(False, (f"its stop took {took:.1f} s and ended as {how}; without it took {stops:.1f} s",))
        return self._judged(self._once(), lines)

    def unwell(self) -> str:
        """What its own health checks say is wrong with it, "" if nothing is."""
        failures = watch(self.manager, {self.unit: Up(Proof(self.probe.health, doubt=answered_by_another))})
        return failures[0].message if failures else ""

    def stopped(self) -> Tuple[float, str]:
        """Stop it: how long that took, and how it ended."""
        begun = time.monotonic()
        self.manager.run(["systemctl", "stop", self.unit], timeout=150.0)
        shown = self.manager.show([self.unit], ("Result",))[self.unit]
        return time.monotonic() - begun, shown.get("Result", "")

    def _put(self, lines: Sequence[Line]) -> None:
        text = "".join(f"{directive}={value}\n" for directive, value in lines)
        trials.write(self.trial, f"[Service]\n{text}", self.manager, self.writer)

    def _once(self) -> _Result:
        return _Try(self).result()

    def _judged(self, result: _Result, lines: Sequence[Line]) -> TryOutcome:
        found = refusals(result.said, self.baseline.said if self.baseline else (), [*self.present, *lines], self.host)
        grave = [each for each in found if each.about not in _TUNING]
        borne = [each.line for each in found if each not in grave and not result.complaint]
        self.tolerated.update(without(line, self.hidden) for line in borne)
        if not result.complaint and not grave:
            return TryOutcome(True)
        ours = {directive for directive, _value in lines}
        evidence = [*(each.line for each in grave), *([result.complaint] if result.complaint else [])]
        if not grave:
            evidence += [line for line in result.said if _ENDED.search(line)][-1:]
        shown = tuple(without(line, self.hidden) for line in evidence[:_MOST_EVIDENCE])
        return TryOutcome(False, shown, _certain(grave) & ours, _folders(grave))

    def measure(self) -> Baseline:
        """The service without anything of ours, which has to pass its probe. Raises Failing."""
        begun = time.monotonic()
        one = self._once()
        if one.complaint:
            raise Failing(without(one.complaint, self.hidden))
        seconds = time.monotonic() - begun
        two = self._once()
        if two.complaint:
            raise Failing(without(two.complaint, self.hidden))
        both = replace(
            one.seen,
            users={uid: 0 for uid in one.seen.users if uid in two.seen.users},
            listeners=one.seen.listeners & two.seen.listeners,
            peers=one.seen.peers | two.seen.peers,
            families=one.seen.families | two.seen.families,
            written=one.seen.written | two.seen.written,
        )
        self.baseline = Baseline(
            both,
            [*one.said, *two.said],
            seconds,
            self._touched(both.listeners, one.touched | two.touched),
            one.idle & two.idle,
            max(one.settled, two.settled),
        )
        limit = min(self.probe.health.timeout, max(8.0, 4 * seconds))
        self.probe = replace(
            self.probe, health=self.probe.health._replace(timeout=limit), patience=max(8.0, 4 * seconds)
        )
        return self.baseline

    def _touched(self, listeners: FrozenSet[Listener], touched: FrozenSet[Listener]) -> FrozenSet[Listener]:
        """Those to which the probe leads: a connection of a moment may pass between two looks, so all is done again."""
        for _time in range(_LOOKS):
            if self.is_late or all(each in touched or each.transport == "udp" for each in listeners):
                break
            with _Sampler() as sampler:
                failed = self.unwell() or self.probed()
            touched |= sampler.touched(listeners)
            if failed:
                break
        return touched

    def probed(self) -> str:
        """Do what the probe does: what is wrong, "" if nothing is."""
        # A command may have a password among its words, so it is told by its number.
        for number, words in enumerate(self.probe.commands, 1):
            done = self.manager.run(words, timeout=self.probe.patience)
            if done.code:
                said = (done.err.strip() or done.out.strip()).rpartition("\n")[2]
                return f"probe {number}: exit code {done.code}{said and ', '}{said}"
        return ""


class Failing(Exception):
    """The service does not pass its probe even as it is."""


@dataclass(frozen=True)
class _Result:
    """What was seen of one restart.

    complaint: why it did not pass, "" if it did. said: its lines. seen: what it was at. touched: listeners to which the
    probe led. idle: users of its processes that did nothing meanwhile. settled: seconds until its first probe passed.
    """

    complaint: str
    said: Sequence[str]
    seen: Workload
    touched: FrozenSet[Listener]
    idle: FrozenSet[int]
    settled: float


class _Try:
    """One restart of the service, and what was seen of it."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.manager, self.unit = bench, bench.manager, bench.unit
        self.began = time.time()
        self.settled = 0.0
        known = bench.baseline.seen.logs if bench.baseline else workload(self.manager, self.unit).logs
        self._sizes = {path: size(path) for path in known}

    def result(self) -> _Result:
        before = self._run()
        self.manager.systemctl("reset-failed", [self.unit])
        begun = time.monotonic()
        done = self.manager.queue("restart", [self.unit])
        complaint = done.message if done.code else self._up(before, begun)
        run = self._run()
        first = workload(self.manager, self.unit)
        with _Sampler() as sampler:
            complaint = complaint or self._first_probed() or self._reloaded() or self.bench.probed()
        complaint = complaint or self._same(run) or self._as_before()
        seen = workload(self.manager, self.unit)
        idle = frozenset(uid for uid in seen.users if seen.users[uid] <= first.users.get(uid, -1))
        return _Result(complaint, self._said(), seen, sampler.touched(seen.listeners), idle, self.settled)

    def _run(self) -> Run:
        return run_of(self.manager.show([self.unit], RUN_PROPERTIES)[self.unit])

    def _up(self, before: Run, begun: float) -> str:
        expected = Up(Proof(self.bench.probe.health, restarted=before, since=begun, doubt=answered_by_another))
        failures = watch(self.manager, {self.unit: expected})
        return failures[0].message if failures else ""

    def _first_probed(self) -> str:
        """The same right after a start: many a service is up before it listens."""
        begun = time.monotonic()
        known = self.bench.baseline
        patience = self.bench.probe.health.timeout if known is None else max(_LEAST, 3 * known.settles)
        while True:
            complaint = self.bench.probed()
            self.settled = time.monotonic() - begun
            if not complaint or self.settled > patience:
                return complaint
            time.sleep(_AGAIN)

    def _reloaded(self) -> str:
        if not self.bench.probe.reloads:
            return ""
        done = self.manager.run(["systemctl", "reload", self.unit], timeout=self.bench.probe.patience)
        return f"its reload failed: {done.message}" if done.code else self._up(Run("", "", ""), 0.0)

    def _same(self, run: Run) -> str:
        return "" if run.goes_on_in(self._run()) else "it ended while it was probed, and was started again"

    def _as_before(self) -> str:
        """What the baseline had and this run has not; workers may still be on their way."""
        if self.bench.baseline is None:
            return ""
        until = time.monotonic() + _SETTLES
        while True:
            lost = _lost(self.bench.baseline.seen, workload(self.manager, self.unit))
            if not lost or time.monotonic() > until:
                return f"it no longer has {', '.join(lost)}" if lost else ""
            time.sleep(0.2)

    def _said(self) -> List[str]:
        run = self._run().invocation
        lines, _before = journal.of_runs(self.manager, self.unit, run, "", self.began)
        logged = [each.text for each in journal.of_kernel(self.manager, self.began)]
        kernel = of_processes(logged, processes_of_run(self.manager, self.unit, run)) if logged and run else []
        own = [line for path, since in self._sizes.items() for line in grown(path, since).splitlines()]
        return [*lines, *kernel, *own]


def _lost(before: Workload, now: Workload) -> List[str]:
    there = {os.path.dirname(path) for path in now.written}
    return [
        *sorted(str(each) + (f" as {each.mode}" if each.mode else "") for each in before.listeners - now.listeners),
        *(f"a process of user {uid}" for uid in sorted(before.users.keys() - now.users.keys())),
        *sorted(f"{path} open" for path in before.logs if os.path.dirname(path) not in there),
    ]


class _Sampler:
    """To which listeners something connects while a probe goes on."""

    def __init__(self) -> None:
        self._connections = all_connections()
        self._most: Dict[str, int] = {}
        self._rows: Set[Connection] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLED_EVERY):
            for path, count in unix_paths().items():
                self._most[path] = max(count, self._most.get(path, 0))
            self._rows.update(row for kind in self._connections for row in connections(kind))

    def touched(self, listeners: FrozenSet[Listener]) -> FrozenSet[Listener]:
        """Of a Unix socket each connection bears the path too, as long as it lasts."""
        local = {each for each in listeners if each.transport == "unix" and self._most.get(each.address, 0) > 1}
        return frozenset(local | visited(self._connections, self._rows, [*listeners]))


def _certain(found: Sequence[Refusal]) -> FrozenSet[str]:
    """Directives that alone refuse something, and could not be mended by a folder."""
    return frozenset(each.directives[0] for each in found if len(each.directives) == 1 and not each.folder)


def _folders(found: Sequence[Refusal]) -> FrozenSet[str]:
    return frozenset(each.folder for each in found if each.folder)

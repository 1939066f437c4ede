# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out random jobs on random graphs of units on the host, and holds what happened against what was said before.

`random_jobs.py COLLECTION FIRST END`, where COLLECTION is the folder that holds ansible_collections: the cases of these
seeds. Prints JSON: what differs, each as a small case that a person can read, and how many were left out, and why.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from random_graphs import VERBS, Case, case, has_ring_behind_nothing

sys.path.insert(0, sys.argv[1])

from ansible_collections.unitwright.systemd.plugins.module_utils._host import jobs
from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import Graph, Node, look
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Manager
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import places
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import order
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.consequences import (
    Call,
    Fate,
    fates,
    not_taken_along,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.course import Course
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.transactions import Contradiction
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.relations import Because, Does

FOLDER = "/run/systemd/system"
# systemd gives up on what it starts over and over after ten seconds, and may begin anew.
PATIENCE = 15.0
RESTING = ("active", "inactive", "failed")
PACES = 30  # orders and paces in which a case has to come out the same
AT_ONCE = 25  # cases side by side, which share what is slow: a daemon-reload, and waiting

# Of each unit its state, its run and the process that was its last reload, "" of those that have none.
Seen = Mapping[str, tuple[str, str, str]]
Calls = Sequence[Call]


@dataclass
class Trial:
    """What one case came to: how its units were before and after, what was foretold, what systemctl complained of.

    left_out: why it says nothing.
    """

    case: Case
    before: Seen = field(default_factory=dict)
    after: Seen = field(default_factory=dict)
    foretold: Mapping[str, Fate] = field(default_factory=dict)
    reloads: Mapping[str, Because] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    left_out: str = ""

    def differences(self) -> list[str]:
        found: list[str] = []
        causes = {**self.reloads, **{unit: fate.cause for unit, fate in self.foretold.items()}}
        for unit in sorted({*self.before, *self.foretold}) if not self.left_out else ():
            happened = _happened(self.before.get(unit, ("", "", "")), self.after.get(unit, ("", "", "")))
            said = _said(unit, self.foretold, self.reloads)
            # What has no reload of its own, such as a target, shows none.
            if happened != ("untouched" if said == "reloaded" and self._shows_none(unit) else said):
                found.append(f"{unit}: said {said}, happened {happened}")
            elif unit in causes and not self._is_told_right(unit, causes[unit]):
                found.append(f"{unit}: nothing relates it to the cause that was said, {causes[unit]}")
        return found

    def _shows_none(self, unit: str) -> bool:
        return self.case.kinds[unit.removeprefix(self.case.prefix)] in ("target", "socket")

    def _is_told_right(self, unit: str, cause: Because) -> bool:
        """Is the cause a job of its own, one of its settings, or a relation that one of the two has?"""
        units = [each.removeprefix(self.case.prefix) for each in (unit, cause.unit)]
        if not cause.directive:
            return any(other == units[0] for _verb, other in self.case.jobs)
        if not cause.unit:
            return (units[0], f"{cause.directive}=yes") in self.case.settings
        return any(
            (one, cause.directive, other) in self.case.relations for one, other in (units, list(reversed(units)))
        )

    def __str__(self) -> str:
        lines = [str(self.case)]
        for unit, (state, _run, _reload) in self.before.items():
            if (state == "active") != (unit.removeprefix(self.case.prefix) in self.case.up):
                lines.append(f"  at first {unit} is {state}")
        lines += [f"  {line}" for line in (*self.differences(), *self.complaints)]
        return "\n".join(lines).replace(self.case.prefix, "")


def _happened(before: tuple[str, str, str], after: tuple[str, str, str]) -> str:
    """In the words of Becomes, and "reloaded"; a unit that runs on has the ID of its run."""
    if after[0] == "active":
        runs_on = "untouched" if before == after else "reloaded" if before[:2] == after[:2] else "anew"
        return "up" if before[0] != "active" else runs_on
    return "down" if before[0] == "active" else "untouched"


def _said(unit: str, foretold: Mapping[str, Fate], reloads: Mapping[str, Because]) -> str:
    return foretold[unit].becomes.value if unit in foretold else "reloaded" if unit in reloads else "untouched"


class Bench:
    """A host's manager, on which cases are tried."""

    def __init__(self) -> None:
        self.manager = Manager(places("system", "", dict(os.environ)))

    def shrunk(self, trial: Trial) -> Trial:
        """The smallest case that still differs. What comes out otherwise the second time is chance."""
        (again,) = self.trials([trial.case])
        if again.differences() != trial.differences():
            return replace(again, left_out="is chance")
        smaller: Trial | None = again
        while smaller:
            again = smaller
            smaller = next((each for each in self.trials(again.case.smaller()) if each.differences()), None)
        return again

    def trials(self, cases: Sequence[Case]) -> list[Trial]:
        """Try cases side by side; none has anything to do with another."""
        texts = {unit: text for each in cases for unit, text in each.texts().items()}
        trials = [Trial(each) for each in cases]
        try:
            self._put(texts)
            self._try(trials)
        finally:
            self._clear(texts)
        return trials

    def _put(self, texts: Mapping[str, str]) -> None:
        for unit, text in texts.items():
            with open(f"{FOLDER}/{unit}", "w", encoding="utf-8") as file:
                file.write(text)
        self.manager.daemon_reload()

    def _clear(self, texts: Iterable[str]) -> None:
        """Without its file a unit has no relations any more, so that nothing starts it again."""
        for unit in texts:
            os.unlink(f"{FOLDER}/{unit}")
        self.manager.daemon_reload()
        states = self.manager.list_units()
        up = [unit for unit in texts if states[unit].can_stop]
        if up:
            self.manager.systemctl("kill", up, ["--signal=KILL"])
            self.manager.systemctl("stop", up)
        self.manager.systemctl("reset-failed")

    def _try(self, trials: Sequence[Trial]) -> None:
        up = [each.case.prefix + unit for each in trials for unit in each.case.up]
        if up:
            self.manager.systemctl("start", up, ["--no-block", "--quiet", "--job-mode=ignore-dependencies"])
        self._rest(trials)
        self.manager.daemon_reload()  # what other jobs have kept from going down, or coming up, does so now
        seen = self._rest(trials)
        given = {each.case.prefix: _by_verb(each.case) for each in trials}
        named = {unit for verbs in given.values() for units in verbs.values() for unit in units}
        graph = look(self.manager, named, self.manager.list_units())
        calls = {each.case.prefix: order.calls(given[each.case.prefix], _loadpath(each.case)) for each in trials}
        for each in _counting(trials):
            prefix = each.case.prefix
            stop = Call("stop", tuple(given[prefix]["stop"]))
            each.before = _of(each.case, seen)
            if has_ring_behind_nothing(each.case, _up(each)):
                each.left_out = "has a ring"
            _foretell(each, [stop, Call("daemon-reload", ()), *calls[prefix]], graph)
            self._call(stop.verb, stop.units, each.complaints)
        self._rest(trials)
        self.manager.daemon_reload()
        for each in _counting(trials):
            self._do_jobs(calls[each.case.prefix], each.complaints)
        seen = self._rest(trials)
        for each in _counting(trials):
            each.after = _of(each.case, seen)

    def _do_jobs(self, calls: Calls, complaints: list[str]) -> None:
        """As a run does: see _Run.do_jobs in _apply/transaction.py."""
        for verb, units, _alone in calls:
            if verb in ("restart", "reload") and len(units) > 1:
                graph = look(self.manager, units, self.manager.list_units())
                self._call(verb, not_taken_along(units, graph, does=Does(verb)), complaints)
            else:
                self._call(verb, units, complaints)

    def _call(self, verb: str, units: Sequence[str], complaints: list[str]) -> None:
        if units:
            done = jobs.queue(self.manager, verb, units)
            if done.code != 0:
                complaints.append(f"{verb} {' '.join(units)}: {done.message}")

    def _rest(self, trials: Sequence[Trial]) -> Seen:
        """Wait until no unit has a job and nothing changes any more: two looks that are the same.

        A case that finds no rest is left out: systemd starts in vain, over and over, what something upholds.
        """
        deadline = time.monotonic() + PATIENCE
        last: Any = None
        while True:
            units = sorted(unit for each in _counting(trials) for unit in each.case.texts())
            shown = self.manager.show(units, ("ActiveState", "InvocationID", "Job", "ExecReload"))
            seen = {
                unit: (each["ActiveState"], each["InvocationID"], _last_reload(each)) for unit, each in shown.items()
            }
            busy = {unit for unit, each in shown.items() if each.get("Job") or each["ActiveState"] not in RESTING}
            if seen == last and not busy:
                return seen
            if time.monotonic() > deadline:
                busy.update(unit for unit in seen if last and seen[unit] != last[unit])
                for each in trials:
                    if not busy.isdisjoint(each.case.texts()):
                        each.left_out = "finds no rest"
                deadline = time.monotonic() + PATIENCE
            last = {unit: seen[unit] for each in _counting(trials) for unit in each.case.texts()}
            time.sleep(0.02)


def _last_reload(shown: Mapping[str, str]) -> str:
    process = re.search(r"pid=(\d+)", shown.get("ExecReload", ""))
    return process.group(1) if process else ""


def _counting(trials: Sequence[Trial]) -> list[Trial]:
    return [each for each in trials if each.left_out != "finds no rest"]


class _Anyhow(Course):
    """systemd waits for nothing between two jobs, and keeps no order that nobody asks for."""

    def __init__(self, graph: Graph, chance: random.Random) -> None:
        self.chance = chance
        super().__init__(replace(graph, nodes={unit: self._shuffled(node) for unit, node in graph.nodes.items()}))

    def _shuffled(self, node: Node) -> Node:
        return node._replace(relations={name: self._any_order(units) for name, units in node.relations.items()})

    def _any_order(self, units: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.chance.sample(units, len(units)))

    def settled_first(self, contradictions: Sequence[Contradiction]) -> Contradiction:
        return self.chance.choice(contradictions)

    def _react(self) -> bool:
        """systemd looks only now and then at what it does by itself."""
        return self.chance.random() < 0.8 and super()._react()

    def finish(self) -> None:
        super().finish()
        while super()._react() or self._queued:
            super().finish()

    def pause(self) -> None:
        for _pass in range(self.chance.choice((0, 0, 1, 2, 9))):
            self.go_on()

    def ready(self) -> list[str]:
        """What is begun takes its time, while others are done already."""
        ready = super().ready()
        return self.chance.sample(ready, self.chance.randint(min(1, len(ready)), len(ready)))


def _foretell(trial: Trial, calls: Calls, graph: Graph) -> None:
    """What comes out otherwise if things are done in another order, or at another pace, is chance."""
    course = Course(graph)
    trial.foretold = fates(calls, graph, course=course)
    trial.reloads = course.reloads
    chance = random.Random(trial.case.seed)
    for _time in range(PACES):
        other = _Anyhow(graph, chance)
        foretold = fates(calls, graph, course=other)
        concerned = {*trial.foretold, *trial.reloads, *foretold, *other.reloads}
        if any(_said(u, trial.foretold, trial.reloads) != _said(u, foretold, other.reloads) for u in concerned):
            trial.left_out = "is chance"
            return


def _by_verb(each: Case) -> dict[str, tuple[str, ...]]:
    """Units by verb, in the order that a plan gives them."""
    given = {verb: [each.prefix + unit for one, unit in each.jobs if one == verb] for verb in VERBS}
    return {verb: order.ordered(verb, units, _loadpath(each)) for verb, units in given.items()}


def _loadpath(each: Case) -> LoadPath:
    texts = each.texts()
    contents = {f"{FOLDER}/{unit}": text.encode() for unit, text in texts.items()}
    return LoadPath((FOLDER,), {FOLDER: frozenset(texts)}, {}, contents)


def _of(each: Case, seen: Seen) -> Seen:
    return {unit: seen[unit] for unit in each.texts()}


def _up(each: Trial) -> set[str]:
    return {unit.removeprefix(each.case.prefix) for unit, seen in each.before.items() if seen[0] == "active"}


def main() -> None:
    first, end = map(int, sys.argv[2:])
    bench = Bench()
    differing: list[str] = []
    left_out: dict[str, int] = {}
    for begin in range(first, end, AT_ONCE):
        for trial in bench.trials([case(seed) for seed in range(begin, min(begin + AT_ONCE, end))]):
            told = bench.shrunk(trial) if trial.differences() else trial
            if told.left_out:
                left_out[told.left_out] = left_out.get(told.left_out, 0) + 1
            elif told.differences():
                differing.append(str(told))
    json.dump({"differing": differing, "left_out": left_out}, sys.stdout)


if __name__ == "__main__":
    main()

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The strictest set of directives that a service can live with, found by trying; the service is left as it was.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple

from .._advice.ladder import Facts, Search, Setting, TryOutcome, items
from .._advice.logins import lets_others_in
from .._advice.merging import parse_groups
from .._advice.optouts import HOMES, Line, Needs, needs
from .._advice.profiles import Host
from .._apply import leftovers, trials
from .._apply.trials import SearchRecord
from .._desired.forms import with_kind
from .._desired.hardening import OPTIONS, TARGET
from .._host import files
from .._host.graph import look
from .._host.health import Health
from .._host.manager import Manager, ManagerError
from .._host.observed import Observed, observe, tree
from .._host.places import environ, places
from .._host.probe import read_checks
from .._host.scopes import scope_of
from .._host.workload import Changed, Workload, changed_since, is_local, lasting, own_folder
from .._plan.consequences import restarted_with, stopped_with
from .._run.hardened import lines_of
from .._run.pipeline import HOST, refuse_place
from .._run.report import hidden_values, without
from .._syntax.directives import parse_dump
from .._syntax.kinds import Processes, kind_of
from .._syntax.meaning import is_early, is_run_once, words
from .._syntax.names import parse_pattern
from .._syntax.rule import Problem, Problems, Refusals, Refused, Rule, Severity
from .._syntax.unitfile import Effective
from .._verify.exposure import Exposure, ToMeasure, measured
from . import spared
from .interrupts import Interrupts
from .trying import Baseline, Bench, Failing, Probe

Params = Mapping[str, Any]
_NO_PROBE = Rule(
    "search-probe",
    Severity.ERROR,
    "{why}",
    "{mend}",
    "docs/hardening.md",
)
_BUSY = Rule(
    "search-busy",
    Severity.ERROR,
    "another search is under way on this host",
    "wait for it; /run/unitwright has its progress",
    "docs/hardening.md",
)
_MOST_SHOWN = 8
_STABLE, _TIMEOUT, _LIMIT = 1.0, 60.0, 1800
_DROPIN, _LAST_DROPIN = "90-hardening.conf", "zz-hardening.conf"


def search(
    params: Params, check_mode: bool, label: Optional[files.Labeller] = None
) -> Tuple[Mapping[str, Any], Sequence[str]]:
    """The result of the module, and no warnings. Raises Problems; nothing was changed by then, or it was taken back.

    label: gives a file its SELinux label.
    """
    refuse_place(params)
    if params.get("root") or not scope_of(params.get("scope")).is_of_host:
        raise Problems(
            [
                TARGET.problem(
                    params["name"],
                    why="a search needs a service that the host's own manager runs",
                    mend="leave scope and root out",
                )
            ]
        )
    probe, given = _read(params)
    try:
        manager = Manager(places(params.get("scope"), "", environ()))
        return _alone(params, check_mode, probe, given, manager, files.Writer(label)), ()
    except (ManagerError, files.FileRefused, files.LockBusy, OSError) as error:
        raise Problems([HOST.said(str(error))]) from error


def _read(params: Params) -> Tuple[Probe, Needs]:
    unit = with_kind(str(params["name"]))
    problems: List[Problem] = []
    wrong = Refusals()
    with wrong.noted():
        if kind_of(unit).processes is not Processes.MAIN:
            problems.append(TARGET.problem(unit, why="only a service can be searched", mend="name a .service"))
        elif parse_pattern(unit).stands_for_others:
            mend = "search one of them by its name"
            problems.append(TARGET.problem(unit, why="it stands for many services", mend=mend))
    with wrong.noted():
        given = needs(params.get("allow") or (), params.get("read_write_paths") or ())
    health = params.get("health") or {}
    with wrong.noted("health"):
        checks = read_checks(health)
    with wrong.noted("time_limit"):
        limit = params.get("time_limit")
        if limit is not None and limit <= 0:
            raise Refused(f"time_limit is a number of seconds above 0, and not {limit:g}")
    commands = []
    for number, each in enumerate(params.get("probe") or ()):
        with wrong.noted(f"probe[{number}]"):
            commands.append(_command(each))
    problems += OPTIONS.refusals(wrong, unit)
    if problems:
        raise Problems(problems)
    if not checks and not commands:
        why = "without a probe a search would find that a service needs nothing at all"
        raise Problems([_NO_PROBE.problem(unit, why=why, mend="give commands in probe, or a check in health")])
    stable, timeout = (health.get(each) for each in ("stable_for", "timeout"))
    proof = Health(_STABLE if stable is None else stable, _TIMEOUT if timeout is None else timeout, checks)
    return Probe(proof, tuple(commands), reloads=False), given


def _command(given: Any) -> Tuple[str, ...]:
    if isinstance(given, str) and given.strip():
        return ("/bin/sh", "-c", given)
    if isinstance(given, (list, tuple)) and given and all(isinstance(word, (str, int, float)) for word in given):
        return tuple(str(word) for word in given)
    raise Refused("probe takes commands: a text for /bin/sh, or a list of words")


def _alone(
    params: Params, check_mode: bool, probe: Probe, given: Needs, manager: Manager, writer: files.Writer
) -> Mapping[str, Any]:
    """Under the lock of searches, and that of all that writes units."""
    if not manager.live:
        raise Problems([HOST.said("no systemd runs here, so no service can be tried")])
    if check_mode:
        return _Sandbox(params, probe, given, manager, writer).foretold()
    writer.make_folder(trials.FOLDER)
    try:
        with _no_other(str(params["name"])), files.locked(manager.places.lock):
            leftovers.recover(manager)
            writer.make_folder(trials.FOLDER)
            return _Sandbox(params, probe, given, manager, writer).searched()
    finally:
        writer.remove_folder_if_empty(trials.FOLDER)


@contextmanager
def _no_other(unit: str) -> Iterator[None]:
    """Hold the lock of searches; who waits for another run is told of that one, and not of a search."""
    with ExitStack() as held:
        try:
            held.enter_context(files.locked(trials.FOLDER, timeout=0.0))
        except files.LockBusy as busy:
            raise Problems([_BUSY.problem(unit)]) from busy
        yield


@dataclass(frozen=True)
class _Service:
    """The service that is tried, as it was found.

    unit: the name that systemd has for it, by which it may be spared, and no alias. observed: the look at the host.
    text: merged. present: the lines of its own section. others: what is up and goes down with it. reloads: can it be
    reloaded?
    """

    unit: str
    observed: Observed
    text: Effective
    present: Sequence[Line]
    others: Sequence[str]
    reloads: bool


def _service(name: str, manager: Manager) -> _Service:
    shown = manager.show([name], ("Id", "CanReload"))[name]
    unit = shown.get("Id") or name
    observed = observe(manager, [], [unit])
    loadpath, states = observed.loadpath, observed.states
    present = [line for path in loadpath.files(unit) for line in lines_of(unit, loadpath, path)]
    graph = look(manager, [unit], states)
    along = {*stopped_with(unit, graph), *restarted_with(unit, graph)} - {unit}
    others = sorted(each for each in along if states[each].is_up)
    return _Service(unit, observed, loadpath.effective(unit), present, others, shown.get("CanReload") == "yes")


def _refuse(service: _Service, manager: Manager) -> None:
    """Raise Problems for a service that cannot be searched."""
    loadpath = service.observed.loadpath
    there = loadpath.defines(service.unit)
    lets_in = lets_others_in(loadpath.primary(service.unit), service.present) if there else ""
    why, mend = "", "search another one"
    if not there:
        why, mend = "there is no such service on this host", "install what brings it, or declare it first"
    elif lets_in:
        why = f"{lets_in}, and all of that would be tried with it"
    elif is_run_once(service.text):
        why = "it runs once and ends, so there is nothing to probe"
    elif not service.observed.states[service.unit].runs:
        why, mend = "it does not run, and a search leaves a service as it was", "start it first"
    else:
        why = _why_spared(service, manager)
    if why:
        raise Problems([TARGET.problem(service.unit, why=why, mend=mend)])


def _why_spared(service: _Service, manager: Manager) -> str:
    """Why no trial may end it and what goes down with it, "" if one may."""
    units = (service.unit, *service.others)
    carried = spared.carrying(units)
    if carried:
        return f"this run, its connection or the host lives in {', '.join(carried)}, which a restart would end"
    known = spared.look(manager, units, service.observed.states)
    for unit, directive, value in spared.endings(units, known):
        return f"{directive}= of {unit} is {value}, so that a try which fails could end the whole host"
    for unit in units:
        by_hand = spared.refused_by_hand(unit, known, stops=unit == service.unit)
        if by_hand:
            return f"{unit} refuses to be stopped or started by hand ({by_hand[0]}=)"
    return ""


class _Sandbox:
    """One search."""

    def __init__(self, params: Params, probe: Probe, given: Needs, manager: Manager, writer: files.Writer) -> None:
        self.params, self.manager, self.writer = params, manager, writer
        self.begun = time.monotonic()
        self.service = _service(with_kind(str(params["name"])), manager)
        _refuse(self.service, manager)
        catalogue = parse_dump(manager.configuration_items(), manager.version)
        groups = parse_groups(manager.syscall_groups())
        early = is_early(self.service.text)
        host = Host(catalogue, calls=groups, made=manager.places.made(manager.version), early=early)
        self.trial = SearchRecord(self.service.unit, self.service.others)
        until = self.begun + (params.get("time_limit") or _LIMIT)
        # Of what the service says only this is known to be secret.
        secrets = (seen.content for seen in tree(manager.places.secrets).values() if seen.content)
        self.hidden = hidden_values(secrets)
        probe = replace(probe, reloads=self.service.reloads)
        self.bench = Bench(self.trial, manager, writer, host, self.service.present, given, probe, until, self.hidden)
        self.known: Setting = {}
        self.before: Optional[float] = None
        self.so_far: Optional[float] = None
        self.asked: List[str] = []
        self.search: Optional[Search] = None
        self.tries: List[Dict[str, Any]] = []
        self.progress: Callable[[str], None] = lambda _line: None

    def foretold(self) -> Mapping[str, Any]:
        """What is tried at most: what it is at is only known once it was restarted."""
        groups, _barred = items(Facts(self.manager.version))
        return {"changed": False, "would_try": [item.directive for group in groups for item in group]}

    def searched(self) -> Mapping[str, Any]:
        trials.begin(self.trial, self.writer)
        self.progress = lambda line: files.append(self.trial.progress, f"{time.strftime('%H:%M:%S')} {line}\n")
        with Interrupts() as interrupts:
            try:
                found = self._found()
            finally:
                interrupts.hold()
                trials.take_away(self.trial, self.manager, self.writer)
                trials.end(self.trial, self.writer)
        left = self.bench.unwell()
        if left:
            left = without(left, self.hidden)
            raise Problems([HOST.said(f"after the search it is not what it was: {left}", self.service.unit)])
        return found

    def _found(self) -> Mapping[str, Any]:
        self.progress(f"{self.service.unit}: a run as it is, to be held against")
        since = time.time()
        stops, _how = self.bench.stopped()
        try:
            baseline = self.bench.measure()
        except Failing as failing:
            mend = "mend the service or the probe"
            why = f"it does not pass its probe as it is ({failing})"
            raise Problems([_NO_PROBE.problem(self.service.unit, why=why, mend=mend)]) from failing
        changed = [each for each in changed_since(since) if each.uid in baseline.seen.users]
        facts = _facts(self.manager.version, baseline, changed, bool(self.params.get("accept_unexercised")))
        self.bench.allowed = ("localhost",) if facts.remote or facts.local else ()
        groups, barred = items(facts)
        groups = [tuple(each for each in group if self.bench.takes(each)) for group in groups]
        self.asked = [item.directive for group in groups for item in group]
        self.before = self.so_far = self._exposure(())
        search = self.search = Search(self._attempt, self._folders(baseline.seen, changed))
        search.run(groups)
        self.progress("all of it together: two restarts, a stop and a start")
        outcome = search.prove(
            lambda setting, folders: self.bench.proved(setting, folders, stops), lambda: self.bench.is_late
        )
        if not outcome.passed:
            why = f"it did not pass its probe even without anything at the end ({'; '.join(outcome.evidence)})"
            raise Problems([_NO_PROBE.problem(self.service.unit, why=why, mend="look at what has changed meanwhile")])
        return self._result(search, facts, barred)

    def _attempt(self, setting: Setting, folders: FrozenSet[str]) -> TryOutcome:
        new = [each for each in setting if each not in self.known or setting[each] != self.known[each]]
        number = len(self.tries) + 1
        self.progress(f"try {number}: {_some(new)}; open: {_some(self._open())}; exposure so far {self.so_far}")
        outcome = self.bench.attempt(setting, folders)
        lines = self.bench.lines(setting, folders)
        entry: Dict[str, Any] = {"tried": new, "passed": outcome.passed, "evidence": list(outcome.evidence)}
        if outcome.passed:
            self.known = dict(setting)
            entry["exposure"] = self.so_far = self._exposure(lines)
        self.tries.append(entry)
        told = f"passed, exposure {self.so_far}" if outcome.passed else f"refused: {'; '.join(outcome.evidence)}"
        self.progress(f"try {number}: {told}")
        return outcome

    def _open(self) -> List[str]:
        """Directives of which it is not known yet how much the service can live with."""
        settled = {*self.search.accepted, *self.search.left_out} if self.search else set()
        return [each for each in self.asked if each not in settled]

    def _exposure(self, lines: Sequence[Line]) -> Optional[float]:
        found: Optional[Exposure] = measured(
            self.manager, [ToMeasure(self.service.unit, (*self.service.present, *lines))]
        )[0]
        return found.level if found else None

    def _folders(self, seen: Workload, changed: Sequence[Changed]) -> FrozenSet[str]:
        """Where it is seen to write, of which only what ProtectSystem=strict would refuse."""
        runtime = words(self.service.text, "Service", "RuntimeDirectory")
        own = [own_folder(each.path, each.is_folder, each.uid) for each in changed if each.uid]
        open_now = [os.path.dirname(path) for path in seen.written]
        found = {
            lasting(each, runtime) for each in [*own, *open_now] if not each.startswith(("/tmp", "/var/tmp", *HOMES))
        }
        return frozenset(each for each in found if not any(each != o and each.startswith(f"{o}/") for o in found))

    def _result(self, search: Search, facts: Facts, barred: Mapping[str, str]) -> Mapping[str, Any]:
        lines = self.bench.lines(search.accepted, search.folders)
        service: Dict[str, Any] = {}
        for directive, value in lines:
            service[directive] = [*service.get(directive, ()), value]
        service = {name: values[0] if len(values) == 1 else values for name, values in service.items()}
        names = [os.path.basename(path) for path in self.service.observed.loadpath.files(self.service.unit)[1:]]
        dropin = _DROPIN if all(name < _DROPIN for name in names) else _LAST_DROPIN
        declaration = {"name": self.service.unit, "dropin": dropin, "service": service}
        left = {
            name: {"why": "it did not pass with it", "evidence": list(each)} for name, each in search.left_out.items()
        }
        left.update({name: {"why": f"not tried: {why}", "evidence": []} for name, why in barred.items()})
        return {
            "changed": False,
            "exposure": {"before": self.before, "after": self._exposure(lines), "systemd": self.manager.version},
            "declaration": declaration,
            "playbook": _playbook(declaration),
            "accepted": {name: list(each) for name, each in search.accepted.items()},
            "left_out": left,
            "unexercised": [*facts.idle, *facts.idle_others],
            "tolerated": sorted(self.bench.tolerated),
            "complete": search.complete,
            "tries": self.tries,
            "taken_along": list(self.trial.others),
            "seconds": round(time.monotonic() - self.begun, 1),
        }


def _facts(version: int, baseline: Baseline, changed: Sequence[Changed], generous: bool) -> Facts:
    inet = [each for each in baseline.seen.listeners if each.transport != "unix"]
    idle = [each for each in baseline.seen.listeners if each not in baseline.touched]
    peers = sorted(baseline.seen.peers)
    modes = 0
    for each in changed:
        modes |= 0 if each.is_folder else each.mode
    return Facts(
        version,
        remote=(*sorted(str(e) for e in inet if not e.is_local), *(f"peer {e}" for e in peers if not is_local(e))),
        local=(*sorted(str(e) for e in inet if e.is_local), *(f"peer {e}" for e in peers if is_local(e))),
        idle=tuple(sorted(str(each) for each in idle)),
        idle_others=tuple(f"processes of user {uid}" for uid in sorted(baseline.idle)),
        families=baseline.seen.families,
        modes=modes,
        generous=generous,
    )


def _some(names: Sequence[str]) -> str:
    """So many that a line stays one that is read."""
    shown = " ".join(names[:_MOST_SHOWN]) or "nothing"
    return shown if len(names) <= _MOST_SHOWN else f"{shown} and {len(names) - _MOST_SHOWN} more"


def _playbook(declaration: Mapping[str, Any]) -> str:
    """A task to paste; JSON's words in quotes are YAML's too."""
    head = [f"- name: Harden {declaration['name']}", "  unitwright.systemd.dropin:"]
    head += [f"    {key}: {declaration[key]}" for key in ("name", "dropin")]
    lines = [f"      {name}: {json.dumps(value)}" for name, value in declaration["service"].items()]
    return "\n".join([*head, "    service:", *lines, ""])

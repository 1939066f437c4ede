# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The whole way from parameters to result, as every module goes it.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .._apply import record
from .._desired.render import HostFacts, Params
from .._desired.stack import Desired, build
from .._desired.triggers import is_path, trigger_files
from .._host import files
from .._host.manager import Manager, ManagerError, UnitState
from .._host.observed import Observed, observe, tree
from .._host.places import Places, places
from .._host.scopes import SCOPES
from .._plan import differences as cases
from .._plan import owners, refusals
from .._plan import plan as planning
from .._plan.plan import Plan
from .._plan.references import STARTS_NOWHERE
from .._syntax.activation import accepting, started_by
from .._syntax.directives import parse_dump
from .._syntax.kinds import kind_of
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Problems, Rule, Severity
from . import report

if TYPE_CHECKING:
    from .._host.watch import Failure

_KEY_BYTES = 32

_HOST = Rule("host", Severity.ERROR, "the host does not answer, or is in the way", "", "systemd, the kernel")
_UNREADABLE = Rule("host", Severity.ERROR, "{path} cannot be read or written", "{reason}", "the kernel")
_BECOME = Rule(
    "become",
    Severity.ERROR,
    "units of the whole host are root's",
    "give the task become: true, or scope: user for units of your own",
    "the option scope",
)
_ROOT_OF_USER = Rule(
    "root",
    Severity.ERROR,
    "root is for scope system and global",
    "the units of a user are where that user's home is",
    "the option root",
)
_NO_ROOT = Rule(
    "root",
    Severity.ERROR,
    "root has to be the absolute path of a folder that is there, and {root} is not",
    "",
    "the option root",
)


class Failed(Exception):
    """The run failed after it had begun; the result says how far it came."""

    def __init__(self, message: str, result: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.result = dict(result)


@dataclass
class Run:
    """One run of a module: what it was given, and what it found on the way."""

    params: Params
    check_mode: bool
    label: Optional[files.Labeller]
    timings: Dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.timings[name] = round(now - self.begun, 3)
        self.begun = now


def apply(
    params: Params, check_mode: bool, label: Optional[files.Labeller] = None
) -> Tuple[Dict[str, Any], List[Problem]]:
    """Bring a host to the declared state; returns the module's result, and what is not verified.

    Raises Problems (nothing was written) or Failed (a unit did not become healthy).
    """
    run = Run(params, check_mode, label)
    _refuse_place(params)
    try:
        ours = (os.geteuid(), os.getegid())
        where = places(params.get("scope") or "system", params.get("root") or "", dict(_environ()), ours)
        manager = Manager(where)
        if where.root:
            for folder in (where.units, where.secrets, where.state):
                files.refuse_linked(folder, where.root)
        with files.locked(where.lock):
            run.lap("ask")
            if not check_mode:
                files.sweep([where.units, where.secrets, where.state])
            return _locked(run, manager)
    except (ManagerError, files.FileRefused, files.LockBusy) as error:
        raise Problems([_HOST.said(str(error))]) from error
    except OSError as error:
        told = _UNREADABLE.problem(path=error.filename or "the host", reason=error.strerror)
        raise Problems([told]) from error


def _refuse_place(params: Params) -> None:
    root = params.get("root")
    scope = SCOPES[params.get("scope") or "system"]
    if not root and scope.by_root and os.geteuid() != 0:
        raise Problems([_BECOME.problem()])
    if root and not scope.by_root:
        raise Problems([_ROOT_OF_USER.problem()])
    if root and not (os.path.isabs(root) and os.path.isdir(root)):
        raise Problems([_NO_ROOT.problem(root=root)])


def _environ() -> Mapping[str, str]:
    """The environment, with what a login would have set and become does not."""
    environ = dict(os.environ)
    environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    if not environ["XDG_RUNTIME_DIR"].endswith(f"/{os.getuid()}"):  # become keeps the connecting user's
        environ["XDG_RUNTIME_DIR"] = f"/run/user/{os.getuid()}"
    environ["HOME"] = pwd.getpwuid(os.getuid()).pw_dir
    return environ


def _locked(run: Run, manager: Manager) -> Tuple[Dict[str, Any], List[Problem]]:
    where = manager.places
    key, new_key = _key(where)
    desired = build(run.params, _facts(run.params, manager, key))
    run.lap("render")
    interrupted = record.load(where, [desired.owner, *desired.adopt]) if manager.live else None
    if interrupted is not None:
        from .._apply.transaction import STOP_TIMEOUT  # noqa: PLC0415 (as in `_transact`)
        from .._host.watch import settle  # noqa: PLC0415

        # What it had begun to stop looks neither up nor down, and would be judged by how far it is.
        settle(manager, sorted({*interrupted.up, *interrupted.watched, *interrupted.owed}), STOP_TIMEOUT)
    observed = observe(manager, [desired.owner, *desired.adopt], _named(desired))
    run.lap("look")
    plan, observed, problems = _plan(desired, observed, interrupted, manager)
    unverified = _passable(problems, lenient=run.check_mode or bool(where.root))
    _refuse_detours(plan, where)
    run.lap("plan")
    failure = None
    states = observed.states
    if not run.check_mode and not plan.empty:
        writer = files.Writer(run.label)
        if new_key and plan.differences.write:
            writer.make_folder(where.state, 0o700)
            writer.write(where.state + "/key", key, 0o600)
        patience = max((desired.health_of(unit).timeout for unit in plan.watched), default=0.0)
        begun = record.begin(plan, observed, interrupted, manager, patience)
        with _connection_may_go():
            failure = _transact(run, plan, desired, observed, manager, writer, begun)
            states = _states_after(manager, states)
        run.lap("apply")
    if failure is None and not run.check_mode:
        unverified += report.pulled_in(plan, states)
    result = {**report.result(plan, desired, observed, states, unverified), "timings": run.timings}
    if failure is not None:
        raise Failed(str(failure), {**result, **failure.result})
    return result, unverified


def _named(desired: Desired) -> Iterator[str]:
    """All units that a declaration is about, what its sockets start, and sockets that may start template instances."""
    for unit in desired.units:
        yield from unit.members
        if kind_of(unit.name.text).starts.hands_over:
            started = started_by(unit.name.text, unit.text)
            if not misnamed(started):
                yield started
    for name in [*(unit.name for unit in desired.units), *(dropin.unit for dropin in desired.dropins)]:
        yield name.text
        if name.is_template and accepting(name):
            yield accepting(name)


@contextmanager
def _connection_may_go() -> Iterator[None]:
    """A connection that is lost hangs up on what it carried: half a change is worse than a result that nobody reads."""
    try:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    except ValueError:  # only the main thread may
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _states_after(manager: Manager, before: Mapping[str, UnitState]) -> Mapping[str, UnitState]:
    try:
        return manager.list_units() if manager.live else before
    except ManagerError:  # what the run has done or undone is to be told all the same
        return before


def _passable(problems: Sequence[Problem], lenient: bool) -> List[Problem]:
    """Raise Problems unless nothing of what was found hinders; returns that, to be reported as unverified."""
    grave = [problem for problem in problems if problem.rule.severity.hinders(lenient)]
    if grave:
        raise Problems(grave)
    return list(problems)


def _transact(
    run: Run,
    plan: Plan,
    desired: Desired,
    observed: Observed,
    manager: Manager,
    writer: files.Writer,
    begun: record.Record,
) -> Optional[Failed]:
    """Carry a plan out between its record and the record's end; on a failure put back what was."""
    # What only a change needs, a run without one, the most common, is spared: that is a tenth of its own imports.
    from .._apply.rollback import describe, roll_back  # noqa: PLC0415
    from .._apply.transaction import carry_out  # noqa: PLC0415

    where = manager.places
    kept_on_disk = manager.live
    if kept_on_disk:
        record.save(where, desired.owner, begun, writer)
    keep = run.params.get("on_failure") == "keep"
    outcomes = carry_out(plan, desired, where, manager, writer, begun.backups, keep)
    failure = None
    undone: Sequence[Failure] = ()
    if outcomes.failures:
        # The journal is asked before the units' earlier version writes to it too.
        errors = report.errors(outcomes.failures, manager, _secret_files(plan, observed))
        text = report.sentence(errors)
        if keep:
            text += ". The new state stays, since on_failure is keep"
            failure = Failed(text, {"errors": errors, "rolled_back": False})
        else:
            undone = roll_back(begun, manager, writer)
            after = describe(undone) if undone else "What was before is back in force"
            failure = Failed(f"{text}. {after}", {"errors": errors, "rolled_back": not undone})
    if manager.live and outcomes.begun and (keep or not outcomes.failures):
        record.accept(plan, observed, manager, writer, {failed.unit for failed in outcomes.failures})
    # A new state that stays and was not got into force is owed: the next run finds the record and completes it.
    owed = failure is not None and not failure.result["rolled_back"] and not outcomes.begun
    if kept_on_disk and not undone and not owed:
        record.drop(where, [desired.owner, *desired.adopt], writer)
    return failure


def _secret_files(plan: Plan, observed: Observed) -> List[bytes]:
    """Contents of secret files: this owner's as they were and shall be, and all there are, as units may share them."""
    there = [*observed.files.items(), *tree(observed.places.secrets).items()]
    old = [seen.content for path, seen in there if path.startswith(observed.places.secrets)]
    new = [wanted.content for wanted in plan.differences.write if wanted.secret]
    return [content for content in [*old, *new] if content]


def _key(where: Places) -> Tuple[bytes, bool]:
    """The host's secret for stamps, and whether it is new."""
    seen = files.look(where.state + "/key")
    if seen is not None and seen.content and len(seen.content) >= _KEY_BYTES:
        return seen.content, False
    return secrets.token_bytes(_KEY_BYTES), True


def _facts(params: Params, manager: Manager, key: bytes) -> HostFacts:
    catalogue = parse_dump(manager.configuration_items(), manager.version)
    entries = [*(params.get("units") or []), *(params.get("dropins") or [])]
    root = manager.places.root
    return HostFacts(manager.places, catalogue, key, {path: _digest(path, root) for path in trigger_files(entries)})


def _digest(path: str, root: str) -> Optional[str]:
    """None for a file that is not there, or a path that is none: the declaration is refused for it later."""
    if not is_path(path):
        return None
    try:
        found = files.resolve(root + path, root)
        if os.path.exists(found) and not os.path.isfile(found):
            raise files.FileRefused(f"triggers: {path} is no file: name the files in a folder one by one")
        return hashlib.sha256(files.read(found)).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise files.FileRefused(f"triggers: {path} cannot be read: {error.strerror}") from error


def _plan(
    desired: Desired, observed: Observed, interrupted: Optional[record.Record], manager: Manager
) -> Tuple[Plan, Observed, List[Problem]]:
    """The plan, the host as it was seen for it, and all that speaks against it."""
    found = owners.conflicts(desired, observed)
    if found:
        raise Problems(found)
    accepted = record.accepted(manager.places)
    differences = cases.compare(desired, observed, accepted, record.pending(interrupted, observed, manager))
    plan = planning.make(differences, observed)
    # What a job takes along is known only once we know the jobs.
    while observed.live:
        unknown = planning.affected(plan, observed) - set(observed.bound)
        if not unknown:
            break
        observed = observed.with_relations(manager, unknown)
        plan = planning.make(differences, observed)
    refused = refusals.impossible(desired, differences, observed)
    problems = [
        *refused,
        *refusals.forbidden(plan, observed),
        *desired.missing_triggers,
    ]
    if differences.write or differences.remove:
        from .._verify.verify import verify  # noqa: PLC0415 (as in `_transact`)

        told = {each.unit for each in refused if each.rule is STARTS_NOWHERE}
        problems += verify(manager, differences, observed, told)
    return plan, observed, problems


def _refuse_detours(plan: Plan, where: Places) -> None:
    unmasked = {where.unit_file(unit) for unit in plan.differences.unmask}
    for path in [*(wanted.path for wanted in plan.differences.write), *plan.differences.remove]:
        if where.scope.in_home:  # whoever owns a home may have linked its folders anywhere
            below = where.units if path.startswith(where.units) else where.secrets
        else:
            below = where.root or "/"
        if path not in unmasked and not (path in plan.differences.remove and os.path.islink(path)):
            files.refuse_detours(path, below)

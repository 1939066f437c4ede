# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The whole way from parameters to result, as every module goes it.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._host import files
from .._host.health import Failure
from .._host.manager import Manager, ManagerError, UnitState
from .._host.observed import Observed, observe
from .._host.places import Places, places
from .._syntax.directives import parse_dump
from .._syntax.problem import Problem, Problems
from . import cases, record
from . import plan as planning
from .desired import Desired, build, trigger_files
from .judge import verify
from .plan import Plan
from .render import HostFacts, Params, shown_text
from .transaction import Outcomes, carry_out


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


def apply(params: Params, check_mode: bool, label: Optional[files.Labeller] = None) -> Dict[str, Any]:
    """Bring a host to the declared state and return the module's result.

    Raises Problems (nothing was written) or Failed (a unit did not become healthy).
    """
    run = Run(params, check_mode, label)
    try:
        where = places(params.get("scope") or "system", params.get("root") or "", dict(_environ()))
        manager = Manager(where)
        with files.locked(where.units):
            run.lap("ask")
            return _locked(run, manager)
    except (ManagerError, files.FileRefused, files.LockBusy) as error:
        raise Problems([Problem(str(error), rule="host")]) from error


def _environ() -> Mapping[str, str]:
    """The environment, with what a login would have set and become does not."""
    environ = dict(os.environ)
    environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    if not environ["XDG_RUNTIME_DIR"].endswith(f"/{os.getuid()}"):  # become keeps the connecting user's
        environ["XDG_RUNTIME_DIR"] = f"/run/user/{os.getuid()}"
    environ["HOME"] = os.path.expanduser("~")
    return environ


def _locked(run: Run, manager: Manager) -> Dict[str, Any]:
    where = manager.places
    key, new_key = _key(where)
    desired = build(run.params, _facts(run.params, manager, key))
    run.lap("render")
    units = [name for unit in desired.units for name in (unit.name.text, *unit.members)]
    units += [dropin.unit.text for dropin in desired.dropins]
    observed = observe(manager, [desired.owner, *desired.adopt], units)
    accepted = record.accepted(where, desired.owner)
    run.lap("look")
    plan, observed = _plan(desired, observed, accepted, manager)
    judgement = verify(manager, plan.differences, observed, lenient=run.check_mode or bool(where.root))
    missing = list(desired.missing_triggers)
    problems = [*judgement.problems, *([] if run.check_mode else missing)]
    if problems:
        raise Problems(problems)
    _refuse_detours(plan, where)
    run.lap("plan")
    unverified = [*judgement.unverified, *(missing if run.check_mode else [])]
    outcomes = Outcomes()
    if not run.check_mode and not plan.empty:
        writer = files.Writer(run.label)
        if new_key and plan.differences.write:
            writer.make_folder(where.state, 0o700)
            writer.write(where.state + "/key", key, 0o600)
        outcomes = carry_out(plan, desired, observed, manager, writer)
        record.accept(where, desired, plan, manager, writer)
        run.lap("apply")
    result = _result(run, plan, desired, observed, manager, unverified)
    if outcomes.failures:
        raise Failed(
            _failure_text(outcomes.failures), {**result, "errors": _failure_data(outcomes.failures, manager, desired)}
        )
    return result


def _key(where: Places) -> Tuple[bytes, bool]:
    """The host's secret for stamps, and whether it is new."""
    seen = files.look(where.state + "/key")
    if seen is not None and seen.content:
        return seen.content, False
    return secrets.token_bytes(32), True


def _facts(params: Params, manager: Manager, key: bytes) -> HostFacts:
    catalogue = parse_dump(manager.configuration_items(), manager.version)
    entries = [*(params.get("units") or []), *(params.get("dropins") or [])]
    root = manager.places.root
    return HostFacts(manager.places, catalogue, key, {path: _digest(root + path) for path in trigger_files(entries)})


def _digest(path: str) -> Optional[str]:
    try:
        return hashlib.sha256(files.read(path)).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise files.FileRefused(f"triggers: {path} cannot be read: {error.strerror}") from error


def _plan(
    desired: Desired, observed: Observed, accepted: Mapping[str, cases.Accepted], manager: Manager
) -> Tuple[Plan, Observed]:
    found = cases.conflicts(desired, observed)
    if found:
        raise Problems(found)
    differences = cases.compare(desired, observed, accepted)
    problems = planning.impossible(differences, observed)
    removals = len([path for path in differences.remove if path not in desired.removed])
    if desired.max_removed is not None and removals > desired.max_removed:
        message = f"prune would remove {removals} files, more than max_removed ({desired.max_removed}): nothing is done"
        problems.append(Problem(message, rule="max-removed"))
    if problems:
        raise Problems(problems)
    plan = planning.make(differences, observed)
    concerned = planning.affected(plan)
    if concerned and observed.live:
        # What a stop or restart takes along is known only once we know what is stopped or restarted.
        observed = observed.with_bound(manager, concerned)
        plan = planning.make(differences, observed)
    return plan, observed


def _refuse_detours(plan: Plan, where: Places) -> None:
    for path in [*(wanted.path for wanted in plan.differences.write), *plan.differences.remove]:
        if where.scope == "user":  # whoever owns a home may have linked its folders anywhere
            below = where.units if path.startswith(where.units) else where.secrets
        else:
            below = where.root or "/"
        if not (path in plan.differences.remove and os.path.islink(path)):
            files.refuse_detours(path, below)


def _result(
    run: Run,
    plan: Plan,
    desired: Desired,
    observed: Observed,
    manager: Manager,
    unverified: Sequence[Problem],
) -> Dict[str, Any]:
    changed = not plan.empty
    states = manager.list_units() if changed and observed.live and not run.check_mode else observed.states
    run.lap("result")
    return {
        "changed": changed,
        "plan": [step.as_dict() for step in plan.steps],
        "started": [*plan.jobs["start"], *plan.jobs["run"]],
        "restarted": list(plan.jobs["restart"]),
        "reloaded": list(plan.jobs["reload"]),
        "stopped": [unit for unit in plan.jobs["stop"] if unit not in plan.jobs["start"]],
        "removed": list(plan.differences.remove),
        "orphaned": list(plan.differences.orphaned),
        "unverified": [problem.as_dict() for problem in unverified],
        "kept": dict(plan.kept),
        "deferred": list(plan.deferred),
        "recovered": [],
        "units": {unit: _unit_state(unit, states) for each in desired.units for unit in each.members},
        "diff": _diff(plan, observed),
        "timings": run.timings,
    }


def _unit_state(unit: str, states: Mapping[str, UnitState]) -> Dict[str, str]:
    state = states.get(unit)
    if state is None:
        return {"load": "", "active": "inactive", "sub": "dead"}
    return {"load": state.load, "active": state.active, "sub": state.sub}


def _diff(plan: Plan, observed: Observed) -> List[Dict[str, str]]:
    shown = []
    for wanted in plan.differences.write:
        seen = observed.files.get(wanted.path)
        if wanted.secret:
            before = "" if seen is None else "(contents not shown, they differ)\n"
        else:
            before = shown_text(seen.content) if seen is not None and seen.content is not None else ""
        shown.append(
            {"before_header": wanted.path, "after_header": wanted.path, "before": before, "after": wanted.shown}
        )
    for path in plan.differences.remove:
        seen = observed.files.get(path)
        secret = path.startswith(observed.places.secrets)
        content = seen.content if seen is not None and not secret else None
        before = shown_text(content) if content is not None else "(not shown)\n"
        shown.append({"before_header": path, "after_header": path, "before": before, "after": ""})
    return shown


def _failure_text(failures: Sequence[Failure]) -> str:
    return "; ".join(f"{failure.unit}: {failure.message}" if failure.unit else failure.message for failure in failures)


def _failure_data(failures: Sequence[Failure], manager: Manager, desired: Desired) -> List[Dict[str, Any]]:
    return [
        {
            **Problem(failure.message, unit=failure.unit, rule="health").as_dict(),
            "result": failure.result,
            "status": failure.status,
            "journal": manager.journal(failure.unit, failure.invocation, 10) if failure.unit else [],
        }
        for failure in failures
    ]

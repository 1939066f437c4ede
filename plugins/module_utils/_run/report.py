# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a module returns: the plan, what became of it, and what went wrong, without a secret in it.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set

from .._desired.defaults import uncovered
from .._desired.render import SHORTEST_HIDDEN, owner_of
from .._desired.stamp import without_stamp
from .._host.files import Seen
from .._host.manager import Manager, States, UnitState
from .._host.observed import Observed, tree
from .._plan.differences import Differences
from .._plan.doubts import not_at_boot
from .._plan.fates import Becomes
from .._plan.owed import Pending, as_text
from .._plan.plan import Plan
from .._plan.references import View
from .._syntax.names import is_template
from .._syntax.rule import Problem, Rule, Severity
from .work import Done, Work

if TYPE_CHECKING:
    from .._host.causes import Failure
    from .refused import Journals

_PULLED_IN = Rule(
    "pulled-in",
    Severity.WARNING,
    "it is declared stopped, and was started since another unit wants it",
    "the next run stops it, so declare it started, or take that wish away",
    "systemd.unit(5), Wants=",
)
_KEPT = Rule("kept", Severity.WARNING, "it is left with an older version", "{reason}", "docs/restarts.md")
_ORPHANED = Rule(
    "orphaned",
    Severity.WARNING,
    "it is no longer declared, and stays as it is",
    "declare it, or let prune take it away",
    "the option prune",
)
_ORPHANED_ANEW = Rule(
    "orphaned",
    Severity.WARNING,
    "it is no longer declared, and goes on by the newest text of its template",
    "declare it, or let prune take it away",
    "the option prune",
)
_UNCOVERED = Rule(
    "uncovered",
    Severity.WARNING,
    "{path} defines it again, and it {state}",
    "that is left as it is: declare state and enabled without a text for what it shall be otherwise",
    "the option replace",
)
# Each is a process of its own; of units that fail by the hundred the first few tell why.
_MOST_JOURNALS = 10
_LONGEST_MESSAGE = 700
_HIDDEN = "********"
_VARIABLE = re.compile(r'^\w+="((?:[^"\\]|\\.)*)"$', re.MULTILINE | re.DOTALL)


def result(work: Work, states: States, unverified: Sequence[Problem]) -> Dict[str, Any]:
    """The result of a run; states are those after it."""
    plan, before = work.plan, work.observed.states
    happened = _happened(plan, before, states)
    return {
        "changed": not plan.empty,
        "plan": [step.as_dict() for step in plan.steps],
        "newly_started": _newly_started(plan, before, happened),
        "restarted": _restarted(plan, before, happened),
        "reloaded": list(plan.reloaded),
        "stopped": _stopped(plan, happened),
        "removed": list(work.differences.remove),
        "orphaned": list(work.differences.staying.orphaned),
        "unverified": [problem.as_dict() for problem in unverified],
        "kept": dict(plan.kept),
        "deferred": list(plan.deferred),
        "recovered": _recovered(work.differences.pending),
        "units": _unit_states(work, states),
        "diff": _diff(work.differences, work.observed),
    }


def of_failed(
    planned: Mapping[str, Any], work: Work, states: States, done: Done, errors: Sequence[Mapping[str, Any]] = ()
) -> Dict[str, List[str]]:
    """The lists of a result where a run has failed: of what was planned that which was done, and was not undone.

    errors: those that it failed by. What ran to an end, be it a bad one, has a status; without one it never began.
    """
    begun = _called(done, "run") - {each["unit"] for each in errors if not each["status"]}
    run = work.plan.jobs["run"]
    reloaded = _called(done, "reload")
    handed_on = {unit for unit, because in work.plan.foretold.reloads.items() if because.unit in reloaded}
    came: Mapping[str, Callable[[str], bool]] = {
        "newly_started": lambda unit: unit in begun if unit in run else states[unit].is_up,
        "restarted": lambda unit: unit in done.anew,
        "reloaded": lambda unit: unit in reloaded or unit in handed_on,
        "stopped": lambda unit: not states[unit].is_up,
        "removed": lambda path: not os.path.lexists(path),
    }
    return {key: [each for each in planned[key] if has_come(each)] for key, has_come in came.items()}


def _called(done: Done, verb: str) -> Set[str]:
    return {unit for call in done.calls if call.verb == verb for unit in call.units}


def pulled_in(work: Work, states: Optional[States]) -> List[Problem]:
    """What is declared stopped, and is started by what another unit wants. states: those after the run.

    Without them, in check mode, by what the jobs of the plan would bring up.
    """
    stopped = sorted(case.unit for case in work.differences.cases if case.wanted == "stopped")
    if states is not None:
        started = [unit for unit in stopped if states[unit].is_up]
    else:
        foretold = work.plan.fates
        started = [unit for unit in stopped if unit in foretold and foretold[unit].becomes is not Becomes.DOWN]
    return [_PULLED_IN.problem(unit) for unit in started]


def is_a_cause(doubt: Problem, errors: Sequence[Mapping[str, Any]]) -> bool:
    """Has the doubt come true? Then the error of the unit says it already, and more."""
    about = (doubt.unit, doubt.directive)
    caused = (each for each in errors if each.get("cause"))
    return doubt.rule.id == "lacking" and any((each["unit"], each["directive"]) == about for each in caused)


def warnings(
    work: Work, unverified: Sequence[Problem], check_mode: bool = False, failed: bool = False
) -> List[Problem]:
    """What a person is told even if they look at no result, each once: what is left as it was, and what is doubtful.

    failed: the run did not do what it was about to.
    """
    told = [problem for problem in unverified if problem.warns(check_mode)]
    kept: Dict[str, List[str]] = {}
    for unit, reason in work.plan.kept.items():  # a drop-in may be for all services of a host
        kept.setdefault(reason, []).append(unit)
    told += [_KEPT.problem(", ".join(units), reason=reason) for reason, units in kept.items()]
    if not failed:
        told += not_at_boot(View(work.differences, work.observed), work.plan, work.graph)
    anew = {unit for unit, fate in work.plan.fates.items() if fate.was_up and fate.becomes is Becomes.ANEW}
    told += [
        (_ORPHANED_ANEW if name in anew else _ORPHANED).problem(name) for name in work.differences.staying.orphaned
    ]
    told += _uncovered(work)
    return list({str(problem): problem for problem in told}.values())


def _uncovered(work: Work) -> Iterator[Problem]:
    """Units that are someone else's again, as our file over theirs goes."""
    differences, observed = work.differences, work.observed
    linked = {*differences.links.enable, *differences.links.reenable}
    for path in (each for each in differences.remove if os.path.dirname(each) == observed.places.units):
        unit = os.path.basename(path)
        theirs = uncovered(unit, differences.after)
        if not theirs or is_template(unit):
            continue
        fate = work.plan.fates.get(unit)
        runs = observed.states[unit].is_up if fate is None else fate.becomes is not Becomes.DOWN
        enabled = unit in linked or (observed.links_under(unit) and unit not in differences.links.disable)
        state = f"{'runs' if runs else 'does not run'} and is {'' if enabled else 'not '}enabled"
        yield _UNCOVERED.problem(unit, path=theirs, state=state)


def _newly_started(plan: Plan, before: States, happened: Mapping[str, Becomes]) -> List[str]:
    own = [*(unit for unit in plan.jobs["start"] if not before[unit].is_up), *plan.jobs["run"]]
    return _with(own, happened, Becomes.UP)


def _restarted(plan: Plan, before: States, happened: Mapping[str, Becomes]) -> List[str]:
    # What is up is started where something takes it down before: a stop of ours, or the reload.
    cycled = [unit for unit in plan.jobs["start"] if before[unit].is_active]
    return _with([*plan.jobs["restart"], *cycled], happened, Becomes.ANEW)


def _stopped(plan: Plan, happened: Mapping[str, Becomes]) -> List[str]:
    again = (*plan.jobs["start"], *plan.jobs["restart"], *plan.jobs["run"])
    return [unit for unit in _with(plan.jobs["stop"], happened, Becomes.DOWN) if unit not in again]


def _with(own: Sequence[str], happened: Mapping[str, Becomes], becomes: Becomes) -> List[str]:
    """Those that got a job for it, and those of which the same comes by the jobs of others."""
    return list(dict.fromkeys([*own, *sorted(unit for unit, each in happened.items() if each is becomes)]))


def _happened(plan: Plan, before: States, after: States) -> Dict[str, Becomes]:
    """What has become of units, as was foretold; in check mode, where nothing has happened, all of that."""
    return {
        unit: fate.becomes
        for unit, fate in plan.fates.items()
        if after is before or not fate.lasts or after[unit].is_up == (fate.becomes is not Becomes.DOWN)
    }


def _recovered(pending: Pending) -> List[str]:
    if not pending.since:
        return []
    owed = [f"{unit}: {as_text(owing)}" for unit, owing in sorted(pending.owed.items())]
    return [f"the run that began at {pending.since}", *owed]


def _unit_states(work: Work, states: States) -> Dict[str, Dict[str, str]]:
    return {
        unit: _unit_state(states.get(unit), work.differences.after.fragment(unit) is not None)
        for each in work.desired.units
        for unit in each.members
    }


def _unit_state(state: Optional[UnitState], has_file: bool) -> Dict[str, str]:
    if state is None:
        return {"load": "" if has_file else "not-found", "active": "inactive", "sub": "dead"}
    return {"load": state.load, "active": state.active, "sub": state.sub}


def _diff(differences: Differences, observed: Observed) -> List[Dict[str, str]]:
    rows = [
        _diff_row(wanted.path, observed.files.get(wanted.path), wanted.secret, wanted.shown)
        for wanted in differences.write
    ]
    for path in differences.remove:
        secret = observed.places.is_secret(path)
        rows.append(_diff_row(path, observed.files.get(path), secret, ""))
    return rows


def _diff_row(path: str, seen: Optional[Seen], secret: bool, after: str) -> Dict[str, str]:
    before = ""
    if seen is not None:
        before = "(not shown)\n" if secret or seen.content is None else without_stamp(seen.content)
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def sentence(errors: Sequence[Mapping[str, Any]]) -> str:
    """What `errors` returned, a line each, so that each can be told with its position."""
    return "\n".join(": ".join(filter(None, (error["unit"], error["message"].rstrip(".")))) for error in errors)


def errors(
    failures: Sequence[Failure],
    manager: Manager,
    secret_files: Iterable[bytes],
    journals: Optional[Journals] = None,
) -> List[Dict[str, Any]]:
    """The failures as data, the first of them with the unit's last journal lines. journals: of hardened units.

    Ansible hides the secrets that the module was given; those that are on the host (secret_files) it cannot know.
    """
    from .explained import explained  # noqa: PLC0415 (a run in which nothing fails, the most common, is spared it)

    hidden = hidden_values(secret_files)
    shown = [failure.unit for failure in failures if failure.unit][:_MOST_JOURNALS]
    told = explained(manager, failures, frozenset(shown), journals)
    return [
        {
            **failure.rule.said(_short(without(each.message, hidden)), failure.unit).as_dict(),
            "directive": each.directive,
            "section": each.section,
            "cause": without(each.cause, hidden),
            "remedy": without(each.remedy, hidden),
            "evidence": without(each.evidence, hidden),
            "result": failure.result,
            "status": failure.status,
            "journal": [without(line, hidden) for line in each.journal],
        }
        for failure, each in zip(failures, told)
    ]


def secret_files(work: Work) -> List[bytes]:
    """Contents of secret files: this owner's as they were and shall be, and all there are, as units may share them."""
    observed = work.observed
    there = [*observed.files.items(), *tree(observed.places.secrets).items()]
    old = [seen.content for path, seen in there if observed.places.is_secret(path)]
    new = [wanted.content for wanted in work.differences.write if wanted.secret]
    return [content for content in [*old, *new] if content]


def hidden_values(secret_files: Iterable[bytes]) -> List[str]:
    """What is not to be shown of the secrets on a host, the longest first."""
    return sorted(_values(secret_files), key=len, reverse=True)


def _values(secret_files: Iterable[bytes]) -> List[str]:
    found = []
    for content in secret_files:
        text = content.decode("utf-8", "replace")
        values = [text.strip()]
        if owner_of(content):  # an environment file bears our mark, a credential is nothing but itself
            values = [re.sub(r"\\(.)", r"\1", value) for value in _VARIABLE.findall(text)]
        # A journal line holds one line of a value.
        lines = [line for value in values for line in (value, *value.splitlines())]
        found += [line for line in lines if len(line) >= SHORTEST_HIDDEN]
    return found


def _short(message: str) -> str:
    """What a program says may be long; cut only once nothing is in it that has to be hidden as a whole."""
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "..."


def without(line: str, hidden: Sequence[str]) -> str:
    for value in hidden:
        line = line.replace(value, _HIDDEN)
    return line

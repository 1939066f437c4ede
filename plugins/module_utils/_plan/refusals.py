# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What speaks against a declaration or its plan on this host, before anything is written. Pure.

Each rule is a function over one view; the tuples at the end are the order in which they speak. Private to the
collection.
"""

from __future__ import annotations

import os
from typing import AbstractSet, Callable, Iterator, List, Optional, Tuple

from .._desired.contradictions import option_rule
from .._desired.options import RUNNING
from .._desired.stack import UnitWanted
from .._host.graph import Graph
from .._host.observed import units_under
from .._syntax.dependencies import needed, needs, upheld
from .._syntax.kinds import Processes, kind_of
from .._syntax.meaning import can_reload, is_run_once
from .._syntax.names import parse_pattern
from .._syntax.rule import Problem, Rule, RulePlace, Severity
from .._syntax.special import ending, is_of_host
from .._syntax.unitfile import Effective
from . import links
from .case import Case
from .conflicts import of_texts
from .doubts import (
    cycles,
    date_formats,
    is_empty,
    mount_options,
    named_twice,
    not_rendered,
    set_twice,
    shell_words,
    slipped,
    taken_for_others,
    values_as_they_are,
    wants_nowhere,
    without_instance,
)
from .overridden import overridden
from .owners import label, strangers
from .plan import Plan
from .references import (
    View,
    dropins,
    no_such_unit,
    outdated,
    removes_nothing,
    starts_nothing,
    stops_nothing,
    wanted_by_nobody,
)
from .runtime_folders import listens_in_vain
from .starters import never_elapses, patterns, several_paths

ENDS_RUN = Rule(
    "ends-run",
    Severity.ERROR,
    "a start of it would {how}end the run of the whole host, or change it",
    "declare state: present, and do that yourself (systemctl {call})",
    "systemd.special(7)",
)
_OF_HOST = Rule(
    "of-host",
    Severity.ERROR,
    "the host stands on this mount, so it is not stopped",
    "declare state: present",
    "systemd.mount(5), -.mount",
)
_HOLDS_RUN = Rule(
    "own-connection",
    Severity.ERROR,
    "this run has {path} in use, which to stop it would take away",
    "declare state: present, or have Ansible's temporary folder elsewhere (remote_tmp)",
    "a run does not end itself or its connection",
)
_START_REFUSED = Rule(
    "refused-start",
    Severity.ERROR,
    "refuses a manual start",
    "declare state: present, and start what pulls it in",
    "systemd.unit(5), RefuseManualStart=",
)


_RUN_REFUSED = Rule(
    "refused-start",
    Severity.ERROR,
    "no run for a change could begin, as it refuses a manual start",
    "leave run out, so that only what pulls it in runs it, or take RefuseManualStart= away",
    "systemd.unit(5), RefuseManualStart=",
)


def _masked_rule(reason: str, remedy: str) -> Rule:
    return Rule("masked", Severity.ERROR, reason, remedy, "systemctl(1), mask")


_MASKED = _masked_rule("it is masked by {path}", "add masked: false")
_MASKED_ELSEWHERE = _masked_rule("it is masked by {path}", "take that away yourself (systemctl unmask --runtime)")
_RUNS_ONCE = option_rule(
    "a oneshot without RemainAfterExit has no state to hold",
    "use run: on_change, or leave it to a timer or to what needs it",
    "systemd.service(5), Type=oneshot",
)
_RUN_OF_LASTING = option_rule(
    "run: on_change is for Type=oneshot without RemainAfterExit",
    "leave it out, as this service is started anyway",
    "systemd.service(5), Type=oneshot",
)
_NO_RELOAD = option_rule(
    "a reload needs ExecReload= (or Type=notify-reload), which this unit has not",
    "add it, in its text or in a dropin, or use restart",
    "systemd.service(5), ExecReload=",
)
_AT_ODDS = Rule(
    "contradiction",
    Severity.ERROR,
    "it is declared to run and {verb} {other}, which is declared stopped",
    "declare both alike",
    "systemd.unit(5), Requires= and Upholds=",
)
_NOT_CHECKED = Rule(
    "not-checked",
    Severity.WARNING,
    "its checks are not done while it does not run",
    "give them to what starts it, its socket say",
    "the option health",
)
_LEFT_DOWN = Rule(
    "left-down",
    Severity.WARNING,
    "it refuses a manual start, so it is not started",
    "start what pulls it in; with state: present nothing is said of it",
    "systemd.unit(5), RefuseManualStart=",
)
_NO_LINGER = Rule(
    "no-linger",
    Severity.WARNING,
    "{user} has no linger, so all of it ends with the last session of {user}",
    "loginctl enable-linger {user}; the manager of another user is reached by become_user",
    "loginctl(1), enable-linger",
    may_come=True,
)
_MAX_REMOVED = Rule(
    "max-removed",
    Severity.ERROR,
    "prune would remove {number} files, more than max_removed ({most})",
    "nothing is done; they are {names}",
    "the option max_removed",
    place=RulePlace(option="max_removed"),
)


def _is_masked(case: Case, view: View) -> Optional[Problem]:
    to_run = case.wanted in RUNNING or (case.service.runs_on_change and not case.leaves)
    if not to_run or not case.mask:
        return None
    ours = os.path.dirname(case.mask) == view.observed.places.units
    return (_MASKED if ours else _MASKED_ELSEWHERE).problem(case.unit, path=case.mask)


def _is_nowhere(case: Case, view: View) -> Optional[Problem]:
    nowhere = case.wanted in RUNNING and not view.is_there(case.unit)
    return no_such_unit(case.unit, view) if nowhere else None


def _ends_run(case: Case, view: View) -> Optional[Problem]:
    """A unit that is started, and what a running one pulls in from now on, as that is started too."""
    after, units = view.after, [case.unit]
    if case.wanted not in RUNNING and not case.service.runs_on_change:
        units = [other for others in case.change.pulls.values() for other in others] if case.now.is_up else []
    texts = {case.unit: case.after}
    ends = (ending(unit, lambda each: texts.get(each) or after.effective(each), after.primary) for unit in units)
    found = None if case.leaves else next(filter(None, ends), None)
    if not found:
        return None
    own = found.unit in (case.unit, view.after.primary(case.unit))
    how = "" if own else f"pull in {found.unit} and so "
    how += f"by {found.setting} " if found.setting else ""
    return ENDS_RUN.problem(case.unit, how=how, call=found.call)


def _holds_host(case: Case, view: View) -> Optional[Problem]:
    down = case.wanted == "stopped" and case.now.is_up
    return _OF_HOST.problem(case.unit) if down and is_of_host(case.unit) else None


def _holds_run(case: Case, view: View) -> Optional[Problem]:
    down = case.wanted == "stopped" and case.now.is_up and case.mount.under_run
    return _HOLDS_RUN.problem(case.unit, path=case.mount.under_run) if down else None


def _refuses_start(case: Case, view: View) -> Optional[Problem]:
    if not case.is_set("RefuseManualStart"):
        return None
    if case.service.runs_on_change:  # whether one is due by now or not
        return _RUN_REFUSED.problem(case.unit, "Unit", "RefuseManualStart")
    refused = case.wanted in RUNNING and not case.now.is_up
    return _START_REFUSED.problem(case.unit, "Unit", "RefuseManualStart") if refused else None


def _runs_once(case: Case, view: View) -> Optional[Problem]:
    once = case.wanted in RUNNING and case.kind.processes is Processes.MAIN and is_run_once(case.after)
    return _RUNS_ONCE.problem(case.unit, "Service", "Type") if once else None


def _has_no_reload(case: Case, view: View) -> Optional[Problem]:
    wanted = case.on_change == "reload" or case.wanted == "reloaded"
    return _no_reload(case.unit, case.after, view) if wanted and not case.mask else None


def _no_reload(unit: str, text: Effective, view: View) -> Optional[Problem]:
    lacking = _is_told(unit, text, view) and not can_reload(text)
    return _NO_RELOAD.problem(unit, "Service", "ExecReload") if lacking else None


def _is_told(unit: str, text: Effective, view: View) -> bool:
    """Only of a text that was read can it be told what a process lacks, and not of drop-ins that wait for one."""
    is_read = view.after.fragment(unit) is not None and bool(text.get("Service"))
    return kind_of(unit).processes is Processes.MAIN and is_read


def _runs_on(case: Case, view: View) -> Optional[Problem]:
    return _lasting(case.unit, case.after, view) if case.service.runs_on_change else None


def _lasting(unit: str, text: Effective, view: View) -> Optional[Problem]:
    lasting = _is_told(unit, text, view) and not is_run_once(text)
    return _RUN_OF_LASTING.problem(unit, "Service", "Type") if lasting else None


def _at_odds(view: View) -> Iterator[Problem]:
    """Units declared to run that need, or uphold, one which is declared stopped and does not end by itself anyway."""
    cases = view.differences.cases
    stopped = {case.unit for case in cases if case.wanted == "stopped" and not is_run_once(case.after)}
    named_so = view.differences.named
    for case in (each for each in cases if each.wanted in RUNNING) if stopped else ():
        wanted = [("needs", *each) for each in needs(case.unit, named_so)]
        wanted += [("upholds", *each) for each in upheld(case.unit, named_so)]
        for verb, section, directive, first in wanted:
            others = needed([first], named_so) if verb == "needs" else {first}
            for other in sorted(stopped.intersection(others)):
                yield _AT_ODDS.problem(case.unit, section, directive, verb=verb, other=other)


def _is_alias(unit: UnitWanted, view: View) -> Optional[Problem]:
    """What lies below our file is nothing to its removal, and a name can be masked whatever it stands for."""
    alias = view.alias(unit.name.text)
    return None if unit.masked or view.goes(unit.name.text) else alias


def _without_instances(unit: UnitWanted, view: View) -> Optional[Problem]:
    """What is asked of a template's text counts for instances that are yet to come."""
    name, text = unit.name.text, view.after.effective(unit.name.text)
    if unit.members:
        return None
    reloads = _no_reload(name, text, view) if unit.on_change == "reload" else None
    return reloads or (_lasting(name, text, view) if unit.runs_on_change else None)


def _of_cases(view: View) -> Iterator[Problem]:
    """The first rule that speaks against a unit has the word."""
    for case in view.differences.cases:
        found = next(filter(None, (rule(case, view) for rule in _CASE_RULES)), None)
        if found:
            yield found


def _of_units(view: View) -> Iterator[Problem]:
    for unit in view.desired.units:
        found = next(filter(None, (rule(unit, view) for rule in _UNIT_RULES)), None)
        if found:
            yield found


def _unchecked(plan: Plan, view: View) -> Iterator[Problem]:
    """Checks are declared for it, and nothing of a run would start it so that they could pass."""
    declared = {case.unit: case.wanted for case in view.differences.cases}
    entries = [(unit.name.text, unit.health) for unit in view.desired.units if unit.state == "present"]
    entries += [(dropin.unit.text, dropin.health) for dropin in view.desired.dropins if dropin.present]
    for name in dict.fromkeys(name for name, health in entries if health and health.checks):
        under = units_under({*view.observed.states, *declared}, name)
        done = any(view.observed.states[each].is_up or declared.get(each) in RUNNING for each in under)
        waits = not parse_pattern(name).stands_for_others and not view.is_there(name)  # which is told already
        if not (done or waits) and plan.watched.keys().isdisjoint(under):
            yield _NOT_CHECKED.problem(name)


def _left_down(view: View) -> Iterator[Problem]:
    """Its entry says nothing of its state, and it is not what that is for other units."""
    for unit in view.desired.units:
        for each in unit.members:
            if unit.meant(each).left_down and not view.observed.states[each].is_up:
                yield _LEFT_DOWN.problem(each, "Unit", "RefuseManualStart")


def _ends_with_session(view: View) -> Iterator[Problem]:
    if view.observed.manager.without_linger:
        yield _NO_LINGER.problem(user=view.observed.manager.without_linger)


def _strangers(view: View) -> Iterator[Problem]:
    return strangers(view.observed)


def _removes_too_many(view: View) -> Iterator[Problem]:
    most = view.desired.max_removed
    removals = [path for path in view.differences.remove if path not in view.desired.removed]
    if most is not None and len(removals) > most:
        names = sorted(label(path, view.observed) for path in removals)
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield _MAX_REMOVED.problem(number=len(removals), most=most, names=", ".join(names[:_MOST_NAMES]) + more)


_MOST_NAMES = 20
_CASE_RULES: Tuple[Callable[[Case, View], Optional[Problem]], ...] = (
    *(_is_masked, _is_nowhere, _ends_run, _holds_host, _holds_run, _refuses_start, _runs_once, _runs_on),
    _has_no_reload,
)
_UNIT_RULES: Tuple[Callable[[UnitWanted, View], Optional[Problem]], ...] = (
    *(
        _is_alias,
        links.is_linked,
        links.keeps_links,
        links.enables_nothing,
        links.is_started_anyhow,
        _without_instances,
    ),
)
_IMPOSSIBLE: Tuple[Callable[[View], Iterator[Problem]], ...] = (
    *(_of_cases, _at_odds, of_texts, dropins, _of_units, links.enablement, starts_nothing, wanted_by_nobody, outdated),
    *(_left_down, _ends_with_session, _strangers, _removes_too_many),
    *(is_empty, wants_nowhere, shell_words, cycles, overridden, listens_in_vain),
    *(removes_nothing, stops_nothing, date_formats, without_instance, set_twice, values_as_they_are, slipped),
    *(never_elapses, patterns, named_twice, mount_options, several_paths, taken_for_others, not_rendered),
)


def impossible(view: View) -> List[Problem]:
    """Wishes that no step can fulfil: a unit that is nowhere, enablement without [Install], a refused start."""
    return [problem for rule in _IMPOSSIBLE for problem in rule(view)]


def forbidden(plan: Plan, view: View, graph: Graph, ending: AbstractSet[str] = frozenset()) -> List[Problem]:
    """What the steps of a plan would do to this run, would leave out, or systemd would not do: told beforehand.

    ending: units whose start is refused as it ends the run of the host (ENDS_RUN): what else that ends is left out.
    """
    unchecked = list(_unchecked(plan, view))
    if plan.empty:
        return unchecked
    from .hindrances import hindrances  # noqa: PLC0415 (a run with nothing to do, the most common, is spared it)

    return [*hindrances(plan, view, graph, ending), *unchecked]

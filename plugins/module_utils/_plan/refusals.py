# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What speaks against a declaration or its plan on this host, before anything is written. Pure.

Private to the collection.
"""

from __future__ import annotations

import difflib
import os
from typing import List

from .._desired.stack import RUNNING, Desired, DropinWanted, UnitWanted
from .._host.graph import Graph
from .._host.observed import Observed, units_under
from .._syntax.activation import started_by
from .._syntax.dependencies import needed, needs
from .._syntax.kinds import KINDS, Processes
from .._syntax.loadpath import LoadPath
from .._syntax.meaning import can_reload, is_run_once, words
from .._syntax.names import UnitName, misnamed
from .._syntax.rule import Problem
from .consequences import stopped_with, taken_down
from .differences import Case, Differences
from .plan import Plan, carries, displaced_by


def forbidden(plan: Plan, differences: Differences, graph: Graph, observed: Observed) -> List[Problem]:
    """Stops that would end this run or its connection, or that systemd refuses: told before anything is written."""
    found = []
    ended = [*((unit, "") for unit in plan.jobs["stop"]), *displaced_by(plan, differences, graph).items()]
    for unit, reason in ended:
        if carries((unit, *stopped_with(unit, graph)), observed):
            what = f"to start {reason}, which conflicts with it," if reason else "to stop it"
            message = f"{what} would cut off this very run, which depends on it: do that by another way into the host"
            found.append(Problem(message, unit=unit, rule="own-connection"))
        elif not reason and "RefuseManualStop" in graph.node(unit).settings:
            message = "refuses a manual stop: stop what it belongs to, or leave it to the next boot by state: present"
            found.append(Problem(message, unit, "Unit", "RefuseManualStop", "refused-stop"))
    along = taken_down((unit for unit, reason in ended), graph)
    for case in differences.cases:
        if case.unit in along and case.unit in plan.jobs["start"] and case.is_set("RefuseManualStart"):
            unit = along[case.unit]
            message = f"goes down with {unit} and refuses a manual start: declare state: present, or leave {unit}"
            found.append(Problem(message, case.unit, "Unit", "RefuseManualStart", "refused-start"))
    return found


def impossible(desired: Desired, differences: Differences, observed: Observed) -> List[Problem]:
    """Wishes that no step can fulfil: a unit that is nowhere, enablement without [Install], a refused start."""
    found = []
    for case in differences.cases:
        nowhere = not _is_there(case.unit, differences, observed)
        if case.wanted in RUNNING and differences.after.masked(case.unit):
            mask = differences.after.fragment(case.unit) or ""
            ours = os.path.dirname(mask) == observed.places.units
            mend = "add masked: false" if ours else "take that away yourself (systemctl unmask --runtime)"
            message = f"it is masked by {mask}: {mend}"
            found.append(Problem(message, unit=case.unit, rule="masked"))
            continue
        if case.wanted in RUNNING and nowhere:
            message = "there is no such unit on this host: install what brings it, or give its text"
            found.append(Problem(message, unit=case.unit, rule="no-such-unit"))
        elif case.wanted in RUNNING and not case.now.is_up and case.is_set("RefuseManualStart"):
            message = "refuses a manual start: declare state: present, and start what pulls it in"
            found.append(Problem(message, case.unit, "Unit", "RefuseManualStart", "refused-start"))
        elif case.wanted in RUNNING and case.kind.processes is Processes.MAIN and is_run_once(case.after):
            message = (
                "a oneshot without RemainAfterExit has no state to hold: leave it to its timer, or to what needs it"
            )
            found.append(Problem(message, case.unit, "Service", "Type", "option"))
        elif case.wanted == "reloaded" and not case.kind.reloadable:
            message = f"a .{case.kind.name} cannot be reloaded: declare state: started, or restarted"
            found.append(Problem(message, unit=case.unit, rule="option"))
        elif (case.on_change == "reload" or case.wanted == "reloaded") and _cannot_reload(case):
            message = "a reload needs ExecReload= (or Type=notify-reload), which this unit has not: use restart"
            found.append(Problem(message, case.unit, "Service", "ExecReload", "option"))
    found += _at_odds(differences)
    found += _unfit_dropins(desired, differences, observed)
    found += [problem for unit in desired.units for problem in _unfit(unit, differences, observed)]
    texts = [unit.name for unit in desired.units if unit.path]
    texts += [dropin.unit for dropin in desired.dropins if _points_elsewhere(dropin)]
    found += [problem for name in dict.fromkeys(texts) for problem in _starts_nothing(name, differences, observed)]
    found += [problem for unit in desired.units for problem in _wanted_by_nobody(unit, differences, observed)]
    found += [problem for unit in desired.units for problem in _unchecked(unit, observed)]
    if not observed.manager.lingers:
        message = "this user has no linger, so all of it ends with the user's last session: loginctl enable-linger"
        found.append(Problem(message, rule="no-linger"))
    removals = [path for path in differences.remove if path not in desired.removed]
    if desired.max_removed is not None and len(removals) > desired.max_removed:
        message = f"prune would remove {len(removals)} files, more than max_removed ({desired.max_removed})"
        found.append(Problem(f"{message}: nothing is done", rule="max-removed"))
    return found


def _at_odds(differences: Differences) -> List[Problem]:
    """Units declared to run that need, or uphold, one which is declared stopped and does not end by itself anyway."""
    cases = differences.cases
    stopped = {case.unit for case in cases if case.wanted == "stopped" and not is_run_once(case.after)}
    found = []
    for case in cases if stopped else ():
        text = differences.after.effective(case.unit) if case.wanted in RUNNING else {}
        wanted = [("needs", *each) for each in needs(text, differences.after)]
        wanted += [("upholds", "Unit", "Upholds", other) for other in words(text, "Unit", "Upholds")]
        for verb, section, directive, first in wanted:
            others = needed([first], differences.after) if verb == "needs" else {first}
            for other in stopped.intersection(others):
                message = f"it is declared to run and {verb} {other}, which is declared stopped: declare both alike"
                found.append(Problem(message, case.unit, section, directive, "contradiction"))
    return found


def _cannot_reload(case: Case) -> bool:
    """Only of a text that was read can that be told."""
    return case.kind.processes is Processes.MAIN and bool(case.after.get("Service")) and not can_reload(case.after)


def _unfit_dropins(desired: Desired, differences: Differences, observed: Observed) -> List[Problem]:
    """What speaks against drop-ins for these names, and what a reader should know of them."""
    enabled = {unit.name.text for unit in desired.units if unit.enabled}
    found = []
    for dropin in desired.dropins:
        name = dropin.unit.text
        if dropin.present and not dropin.unit.stands_for_others and not _is_there(name, differences, observed):
            message = "there is no such unit on this host yet: the drop-in waits for it"
            found.append(Problem(message, unit=name, rule="dropin-without-unit"))
        if any(entry.section == "Install" for entry in dropin.entries) and name not in enabled:
            message = "counts only when the unit is enabled: declare that beside the drop-in (enabled: true)"
            found.append(Problem(message, unit=name, section="Install", rule="install-of-dropin"))
        found += _is_alias(name, differences.after)
    return found


def _is_alias(name: str, after: LoadPath) -> List[Problem]:
    primary = after.primary(name)
    if primary == name:
        return []
    return [Problem(f"this is an alias: name the unit itself, {primary}", unit=name, rule="alias")]


def _unfit(unit: UnitWanted, differences: Differences, observed: Observed) -> List[Problem]:
    """What speaks against naming this unit, or enabling it."""
    name, after = unit.name.text, differences.after
    alias = _is_alias(name, after)
    # What lies below our file is nothing to its removal, and a name can be masked whatever it stands for.
    if alias and not unit.masked and observed.places.unit_file(name) not in differences.remove:
        return alias
    linked = observed.links.get(observed.places.unit_file(name), "")
    if os.path.basename(linked) == name and name in (*differences.links.disable, *differences.links.reenable):
        message = f"is linked from {linked}, and systemctl disable would take that away: give its text, or use a dropin"
        return [Problem(message, unit=name, rule="linked")]
    if observed.loadpath.masked(name) and name in differences.links.disable and name not in differences.links.unmask:
        message = "it is masked, and systemctl leaves the links of a masked unit: unmask it to have it disabled"
        return [Problem(message, unit=name, rule="masked")]
    if not unit.enabled or unit.path is not None:
        return []
    if not _is_there(name, differences, observed):
        message = "there is no such unit on this host: install what brings it, or give its text"
        return [Problem(message, unit=name, rule="no-such-unit")] if unit.state == "present" else []
    if not after.masked(name) and not any(after.effective(name).get("Install", {}).values()):
        message = "enabled needs an [Install] section, which this unit has not: leave out enabled"
        return [Problem(message, unit=name, rule="no-install")]
    return []


def _points_elsewhere(dropin: DropinWanted) -> bool:
    """Does it change what its timer, socket or path starts?"""
    kind = KINDS[dropin.unit.kind]
    own = (each for each in dropin.entries if each.section == kind.section)
    pointing = {kind.starts.directive, kind.starts.each} - {""}
    return any(each.directive in pointing for each in own) and not dropin.unit.stands_for_others


def _starts_nothing(name: UnitName, differences: Differences, observed: Observed) -> List[Problem]:
    """A timer, socket or path whose text, or a drop-in over it, points at a unit that is not there."""
    kind = KINDS[name.kind]
    section, directive = kind.section, kind.starts.directive
    if not directive:
        return []
    started = started_by(name.text, differences.after.effective(name.text))
    if "%" in started:
        written = {each.path for each in differences.write}
        if not kind.starts.hands_over or observed.places.unit_file(name.text) not in written:
            return []
        message = f"what {started} stands for cannot be told, and a socket starts only while that is down: write it out"
        return [Problem(message, name.text, section, directive, "specifier")]
    message = misnamed(started)
    if not message and not _is_there(started, differences, observed):
        message = f"it starts {started}, which is nowhere: declare that too, or mend the name"
    # What this run itself takes away will not come by another task.
    rule = "gone" if _goes(started, differences, observed) else "missing"
    return [Problem(message, name.text, section, directive, rule)] if message else []


def _wanted_by_nobody(unit: UnitWanted, differences: Differences, observed: Observed) -> List[Problem]:
    """Targets and the like that shall want an enabled unit, and are not there."""
    if not (unit.enabled and unit.path):
        return []
    name, after = unit.name.text, differences.after
    text = after.effective(name)
    found = []
    for directive in ("WantedBy", "RequiredBy", "UpheldBy"):
        for other in (each for each in words(text, "Install", directive) if "%" not in each):
            complaint = misnamed(other)
            if complaint:
                found.append(Problem(complaint, name, "Install", directive, "unit-name"))
            elif not _is_there(other, differences, observed):
                near = " (did you mean default.target?)" if _is_systems(other, observed) else ""
                mend = "nothing starts this unit at boot unless that comes"
                mend += near or _near(other, differences, observed)
                message = f"there is no {other} on this host: {mend}"
                found.append(Problem(message, name, "Install", directive, "no-such-target"))
    return found


def _is_systems(target: str, observed: Observed) -> bool:
    """A target of the system, which no user's manager has (systemd.special(7))."""
    return target in observed.places.scope.lacking


def _near(unit: str, differences: Differences, observed: Observed) -> str:
    suffix = "." + unit.rpartition(".")[2]
    every = {name for names in differences.after.names.values() for name in names} | set(observed.states)
    known = sorted(name for name in every if name.endswith(suffix) and not misnamed(name))
    near = [name for name in difflib.get_close_matches(unit, known, 3, 0.85) if _is_there(name, differences, observed)]
    return f" (did you mean {near[0]}?)" if near else ""


def _unchecked(unit: UnitWanted, observed: Observed) -> List[Problem]:
    """Checks are declared for it, and nothing of a run would start it so that they could pass."""
    health, name = unit.health, unit.name.text
    if unit.state != "present" or not (health and health.checks):
        return []
    if any(observed.states[each].is_up for each in units_under(observed.states, name)):
        return []
    message = "its checks are not done while it does not run: give them to what starts it, its socket say"
    return [Problem(message, unit=name, rule="not-checked")]


def _is_there(unit: str, differences: Differences, observed: Observed) -> bool:
    """Has it a file, or has systemd made it? What only others refer to is in memory too, as not found."""
    if differences.after.fragment(unit) is not None:
        return True
    return not _goes(unit, differences, observed) and observed.states[unit].load != "not-found"


def _goes(unit: str, differences: Differences, observed: Observed) -> bool:
    return observed.places.unit_file(unit) in differences.remove

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the units of a host, by the facts of unit_info. Pure, and private to the collection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Facts = Mapping[str, Any]

_UP = ("active", "activating", "reloading", "refreshing")
_ENABLED = ("enabled", "enabled-runtime")

# By the word for it, what is found of a unit, as it is said after the unit's name; the gravest first.
TITLES = {
    "failed": "has failed",
    "looping": "fails again and again",
    "gone": "was up and is not there any more",
    "down": "was up and is not any more",
    "not-up": "is enabled and not up",
    "no-elapse": "has no next elapse",
    "stale": "runs with something older than its files",
    "not-loaded": "its files have changed since systemd has read them",
    # Rules of the module drill.
    "drill-not-well": "is not well after a drill",
    "drill-differs": "came out of a fault otherwise than its settings promise",
    "drill-slow": "was not well again in time",
}


class Finding(NamedTuple):
    """finding: a word of TITLES, or a rule of a module. What is not proven is empty."""

    finding: str
    message: str
    cause: str = ""
    remedy: str = ""
    evidence: str = ""


class Expected(NamedTuple):
    """Units that have to be up whatever their files say, and whether one may be as it is."""

    up: frozenset[str]
    ignores: Callable[[str], bool]


def rows(units: Mapping[str, Facts], expected: Iterable[str] = (), ignored: Iterable[str] = ()) -> list[dict[str, Any]]:
    """A row for each unit that is of note: something is found of it, it is enabled, a timer, or the collection's."""
    asked = Expected(frozenset(expected), _matcher(ignored))
    told = []
    for unit, facts in units.items():
        if facts.get("id") != unit or not facts.get("active_state"):  # an alias, or a template
            continue
        found = [] if asked.ignores(unit) else [each._asdict() for each in _found(unit, facts, unit in asked.up)]
        if found or unit in asked.up or _is_of_note(facts):
            told.append(_row(unit, facts, found))
    gone = sorted(asked.up.difference(units))
    return told + [_row(unit, {}, [Finding("gone", f"{unit}: {TITLES['gone']}")._asdict()]) for unit in gone]


def _row(unit: str, facts: Facts, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "unit": unit,
        "description": facts.get("description") or "",
        "state": facts.get("active_state") or "",
        "sub_state": facts.get("sub_state") or "",
        "enabled": facts.get("unit_file_state") or "",
        "owner": facts.get("owner") or "",
        "restarts": facts.get("n_restarts") or 0,
        "next_elapse": (facts.get("next_elapse") or {}).get("iso"),
        "findings": found,
    }


def _is_of_note(facts: Facts) -> bool:
    return bool(facts.get("owner") or facts.get("next_elapse")) or facts.get("unit_file_state") in _ENABLED


def _found(unit: str, facts: Facts, expected: bool) -> Iterator[Finding]:
    down = _down(unit, facts, expected)
    if down is not None:
        yield down
    if facts.get("stale"):
        older = ", ".join(facts.get("stale_for") or ())
        yield Finding("stale", f"{unit}: {TITLES['stale']}, {older}", remedy="restart it")
    elif facts.get("need_daemon_reload"):
        yield Finding("not-loaded", f"{unit}: {TITLES['not-loaded']} (systemctl daemon-reload)")


def _down(unit: str, facts: Facts, expected: bool) -> Finding | None:
    state, ended = facts["active_state"], _ended(facts)
    looping = str(facts.get("sub_state")).startswith("auto-restart")
    if state == "failed" or looping:
        return _failed(unit, facts, "looping" if looping else "failed", ended)
    unmet = facts.get("condition_timestamp") and facts.get("condition_result") is False
    enabled = facts.get("unit_file_state") in _ENABLED
    # What only a socket, a path or a timer starts is up by chance, and after a boot it waits for them.
    waiting = facts.get("triggered_by") and not (expected and enabled)
    may_rest = facts.get("type") == "oneshot" or unmet or waiting
    if expected and state not in _UP and not may_rest:
        return Finding("down", f"{unit}: was up and is {state}{ended}")
    if enabled and "@." not in unit and state == "inactive" and not may_rest:
        return Finding("not-up", f"{unit}: {TITLES['not-up']}{ended}")
    ticks = facts.get("timers_calendar") and state == "active" and facts.get("sub_state") != "running"
    if ticks and not facts.get("next_elapse"):
        return Finding("no-elapse", f"{unit}: {TITLES['no-elapse']}")
    return None


def _failed(unit: str, facts: Facts, finding: str, ended: str) -> Finding:
    why = facts.get("cause") or {}
    if not why.get("proven"):
        return Finding(finding, f"{unit}: {TITLES[finding]}, result {facts.get('result')}{ended}")
    cause, remedy = why["cause"], why["remedy"]
    return Finding(finding, f"{unit}: {TITLES[finding]}, {cause}: {remedy}", cause, remedy, why.get("evidence") or "")


def _ended(facts: Facts) -> str:
    how = facts.get("exec_main_code")
    return f", {how} {facts.get('exec_main_status')}" if how else ""


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """In a pattern a star stands for any text, and all else for itself."""
    whole = re.compile("|".join(re.escape(each).replace(r"\*", ".*") for each in patterns) or r"(?!)", re.DOTALL)
    return lambda unit: whole.fullmatch(unit) is not None

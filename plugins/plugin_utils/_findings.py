# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the units of a host, by the facts of unit_info. Pure, and private to the collection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UP
from ansible_collections.unitwright.systemd.plugins.plugin_utils import _typed

Facts = Mapping[str, Any]

_ENABLED = ("enabled", "enabled-runtime")
# Who has a unit come up with itself. They are told where the module was asked for those properties.
_PULLED = ("wanted_by", "required_by", "upheld_by", "bound_by")
# logind starts them for who logs in, be there a session after a boot or not.
_OF_LOGINS = ("user@", "user-runtime-dir@")

# By the word for it, what is found of a unit, as it is said after the unit's name; the gravest first.
TITLES = {
    "failed": "has failed",
    "looping": "fails again and again",
    "restarting": "has failed and waits for its restart",
    "gone": "was up and is not there any more",
    "down": "was up and is not any more",
    "not-up": "is enabled and not up",
    "no-elapse": "has no next elapse",
    "stale": "runs with something older than its files",
    "not-loaded": "its files have changed since systemd has read them",
    "unreadable": "its facts cannot be read",
    # Rules of the module drill.
    "drill-not-well": "is not well after a drill",
    "drill-differs": "came out of a fault otherwise than its settings promise",
    "drill-slow": "was not well again in time",
    "drill-harmed": "was harmed by a fault, as its settings promise",
    "drill-not-up": "was not well before a drill",
    "drill-unchecked": "has no check that a drill could go by",
    "drill-not-told": "would be hurt by a drill that may not hurt it",
    "drill-carries": "carries what no drill may end",
    "drill-ends-host": "would take the host along in a drill",
    "drill-refuses": "could not be started again after a drill",
    "drill-kind": "is of no type that drills are for",
    "drill-option": "was to be drilled with an option that cannot be right",
    # Where the module has no rule for it.
    "drill-failed": "could not be drilled",
}


class Finding(NamedTuple):
    """finding: a word of TITLES, or a rule of a module. evidence: the line that proves the cause; where none is proven,
    the last lines of that run.
    """

    finding: str
    message: str
    cause: str = ""
    remedy: str = ""
    evidence: str = ""


class Asked(NamedTuple):
    """up: units that have to be up whatever their files say, with what was known of them then. ignores: may one be as
    it is? units: all that are there now.
    """

    up: Mapping[str, Facts]
    ignores: Callable[[str], bool]
    units: Mapping[str, Facts]


def rows(units: Mapping[str, Any], expected: Iterable[str] = (), ignored: Iterable[str] = ()) -> list[dict[str, Any]]:
    """A row for each unit that is of note: something is found of it, it is enabled, a timer, or the collection's.

    expected: names, or a mapping of them to their facts from before.
    """
    then = expected if isinstance(expected, Mapping) else dict.fromkeys(expected)
    seen = {str(unit): _read(facts) for unit, facts in units.items()}
    asked = Asked({str(unit): _read(facts) for unit, facts in then.items()}, _matcher(ignored), seen)
    told = []
    for unit, facts in seen.items():
        if facts["is_read"] and (facts["id"] != unit or not facts["active_state"]):
            continue  # an alias, or a template
        found = [] if asked.ignores(unit) else [each._asdict() for each in _found(unit, facts, asked)]
        if found or unit in asked.up or _is_of_note(facts):
            told.append(_row(unit, facts, found))
    return told + [_row(unit, _read({}), [_plain("gone", unit)._asdict()]) for unit in _gone(asked)]


def _read(facts: object) -> Facts:
    """What is looked at, each as its type."""
    given = _typed.mapping(facts)
    texts = ("id", "description", "active_state", "sub_state", "unit_file_state", "owner", "type", "result", "bus_name")
    ended = ("exec_main_code", "exec_main_status")
    return {
        **{key: _typed.text(given.get(key)) for key in (*texts, *ended)},
        **{key: _typed.texts(given.get(key)) for key in ("stale_for", "triggered_by", *_PULLED)},
        **{key: given.get(key) is True for key in ("stale", "need_daemon_reload")},
        "n_restarts": _typed.number(given.get("n_restarts")),
        "next_elapse": _typed.text(_typed.mapping(given.get("next_elapse")).get("iso")),
        "cause": _typed.mapping(given.get("cause")),
        "ticks": bool(given.get("timers_calendar")),
        "unmet": bool(given.get("condition_timestamp")) and given.get("condition_result") is False,
        "is_read": isinstance(facts, Mapping),
        "knows_pulled": {"wanted_by", "required_by"} <= given.keys(),
    }


def _row(unit: str, facts: Facts, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "unit": unit,
        "description": facts["description"],
        "state": facts["active_state"],
        "sub_state": facts["sub_state"],
        "enabled": facts["unit_file_state"],
        "owner": facts["owner"],
        "restarts": facts["n_restarts"],
        "next_elapse": facts["next_elapse"] or None,
        "findings": found,
    }


def _is_of_note(facts: Facts) -> bool:
    return bool(facts["owner"] or facts["next_elapse"]) or facts["unit_file_state"] in _ENABLED


def _gone(asked: Asked) -> list[str]:
    """Units that are in no file and in no memory. One that had ended its work may be, as systemd-fsck@.service."""
    missing = sorted(asked.up.keys() - asked.units.keys())
    return [unit for unit in missing if not asked.ignores(unit) and not _may_rest(unit, asked.up[unit], asked)]


def _plain(finding: str, unit: str, more: str = "", remedy: str = "") -> Finding:
    return Finding(finding, f"{unit}: {TITLES[finding]}{more}", remedy=remedy)


def _found(unit: str, facts: Facts, asked: Asked) -> Iterator[Finding]:
    if not facts["is_read"]:
        yield _plain("unreadable", unit)
        return
    down = _failed(unit, facts) or _down(unit, facts, asked)
    if down is not None:
        yield down
    if facts["stale"]:
        yield _plain("stale", unit, f", {', '.join(facts['stale_for'])}", "restart it")
    elif facts["need_daemon_reload"]:
        yield _plain("not-loaded", unit, " (systemctl daemon-reload)")


def _failed(unit: str, facts: Facts) -> Finding | None:
    waits = facts["sub_state"].startswith("auto-restart")
    # With Restart=always one that ended well waits as well, be it for the hundredth time.
    if facts["active_state"] != "failed" and (not waits or facts["result"] == "success"):
        return None
    finding = ("looping" if facts["n_restarts"] else "restarting") if waits else "failed"
    why = facts["cause"]
    if why.get("proven") is not True:
        unknown = "; the cause is not proven" if why else ""
        plain = _plain(finding, unit, f", result {facts['result']}{_ended(facts)}{unknown}")
        return plain._replace(evidence="\n".join(_typed.texts(why.get("journal"))))
    cause, remedy, evidence = (_typed.text(why.get(key)) for key in ("cause", "remedy", "evidence"))
    return Finding(finding, f"{unit}: {TITLES[finding]}, {cause}: {remedy}", cause, remedy, evidence)


def _down(unit: str, facts: Facts, asked: Asked) -> Finding | None:
    state = facts["active_state"]
    may_rest = _may_rest(unit, facts, asked)
    if unit in asked.up and state not in UP and not may_rest:
        return Finding("down", f"{unit}: was up and is {state}{_ended(facts)}")
    if facts["unit_file_state"] in _ENABLED and "@." not in unit and state == "inactive" and not may_rest:
        return _plain("not-up", unit, _ended(facts))
    if facts["ticks"] and state == "active" and facts["sub_state"] != "running" and not facts["next_elapse"]:
        return _plain("no-elapse", unit)
    return None


def _may_rest(unit: str, facts: Facts, asked: Asked) -> bool:
    """Is it as it should be, though it is down?"""
    if facts["type"] == "oneshot" or facts["unmet"]:
        return True
    if unit not in asked.up:
        return bool(facts["triggered_by"])
    # What only a socket, a path or a timer starts is up by chance, and after a boot it waits for them.
    enabled = facts["unit_file_state"] in _ENABLED
    return not enabled and (bool(facts["triggered_by"]) or _was_called(unit, facts, asked))


def _was_called(unit: str, facts: Facts, asked: Asked) -> bool:
    """Was it up since somebody had called for it, whom a boot does not bring back?

    A static unit comes up by a boot only with another one. Where nothing that is up pulls it in, a program had started
    it, or D-Bus, by its bus name, as polkit and systemd-hostnamed, which come and go. A disabled one had been started
    by hand, which is to be told, but for one with a bus name, whoever it was.
    """
    if unit.startswith(_OF_LOGINS):
        return True
    pulled = facts["knows_pulled"] and any(_pulls(other, asked) for key in _PULLED for other in facts[key])
    if facts["bus_name"] or facts["type"] == "dbus":
        return not pulled
    return facts["unit_file_state"] == "static" and facts["knows_pulled"] and not pulled


def _pulls(other: str, asked: Asked) -> bool:
    """Of one that is not known it is taken that it does, and a oneshot has done so."""
    facts = asked.units.get(other)
    return facts is None or facts["active_state"] in UP or facts["type"] == "oneshot"


def _ended(facts: Facts) -> str:
    how = facts["exec_main_code"]
    return f", {how} {facts['exec_main_status']}" if how else ""


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """In a pattern a star stands for any text, and all else for itself."""
    whole = re.compile("|".join(re.escape(each).replace(r"\*", ".*") for each in patterns) or r"(?!)", re.DOTALL)
    return lambda unit: whole.fullmatch(unit) is not None

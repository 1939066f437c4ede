# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a playbook on all its hosts, as one mapping. Pure, and private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.unitwright.systemd.plugins.plugin_utils import _typed
from ansible_collections.unitwright.systemd.plugins.plugin_utils._findings import TITLES

# What a host came to; the gravest first.
UNREACHABLE, FAILED, FOUND, NOT_REACHED, PASSED, WELL = (
    "unreachable",
    "failed",
    "findings",
    "not-reached",
    "passed-over",
    "well",
)
STATES = (UNREACHABLE, FAILED, FOUND, NOT_REACHED, PASSED, WELL)
_AS_TOLD = "The run ended before this host's turn."
_UNREADABLE = "its result cannot be read"
# Of a unit's row, besides its restarts and its findings.
_ROW = ("description", "state", "sub_state", "enabled", "owner", "next_elapse")
_FINDING = ("finding", "message", "cause", "remedy", "evidence")


def report(entries: Iterable[Mapping[str, Any]], hosts: Sequence[str], playbook: str, made: str) -> dict[str, Any]:
    """entries: one of each host that had its turn. hosts: all that were meant; who has no entry is named as such."""
    told = {str(entry["host"]): _safely(entry) for entry in entries}
    whole = [told.get(host) or _state(host, NOT_REACHED, _AS_TOLD) for host in hosts]
    return {
        "playbook": playbook,
        "made": made,
        "counts": {"hosts": len(whole), **{state: sum(each["state"] == state for each in whole) for state in STATES}},
        "findings": _groups(whole),
        "hosts": whole,
    }


def _safely(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Whatever one host has told, the others have their report."""
    try:
        return _host(entry)
    except Exception:  # what it may be is the host's choice, and it is said of that host
        return _state(str(entry["host"]), UNREACHABLE if entry.get("unreachable") is True else FAILED, _UNREADABLE)


def _host(entry: Mapping[str, Any]) -> dict[str, Any]:
    host, error = str(entry["host"]), _typed.text(entry.get("error") or "")
    units = _with_drills(_typed.mappings(entry.get("units")), entry.get("drills") or ())
    found = any(unit["findings"] for unit in units)
    if entry.get("unreachable"):
        state = UNREACHABLE
    elif found:
        state = FOUND
    elif error:
        state = FAILED
    elif entry.get("not_reached"):
        state, error = NOT_REACHED, _AS_TOLD
    else:
        state = WELL if units or not entry.get("passed_over") else PASSED
    # With findings the error but says them once more.
    told = _state(host, state, "" if state == FOUND else error)
    return {**told, "notes": _typed.texts(entry.get("notes")), "units": units}


def _state(host: str, state: str, message: str) -> dict[str, Any]:
    return {"host": host, "state": state, "message": message, "notes": [], "units": []}


def _with_drills(rows: Iterable[Mapping[str, Any]], drills: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """The units' rows, and what drills made of them; a unit may have several."""
    units = {row["unit"]: row for row in map(_row, rows)}
    for asked, result in drills:
        (drill,) = _typed.mappings([result])
        errors = _typed.mappings(drill.get("errors"))
        # Where the module did nothing, the result names no unit.
        named = (drill.get("unit"), *(each.get("unit") for each in errors), asked)
        name = next(filter(None, map(_typed.text, named)), "?")
        row = units.setdefault(name, {"unit": name, "findings": [], "drills": []})
        row["drills"] += _tried(drill.get("faults"))
        row["findings"] += _of_drill(name, drill, errors)
    return list(units.values())


def _row(given: Mapping[str, Any]) -> dict[str, Any]:
    """One of unit_findings, each value as its type. What is not said is left out."""
    said = {key: given[key] for key in _ROW if key in given}
    told: dict[str, Any] = {key: None if each is None else _typed.text(each) for key, each in said.items()}
    if "restarts" in given:
        told["restarts"] = _typed.number(given["restarts"])
    findings = [
        {key: _typed.text(each.get(key)) for key in _FINDING} for each in _typed.mappings(given.get("findings"))
    ]
    return {"unit": _typed.text(given.get("unit")) or "?", **told, "findings": findings, "drills": []}


def _tried(faults: object) -> list[dict[str, Any]]:
    if not faults:
        return []
    (by_name,) = _typed.mappings([faults])
    return [_fault(fault, it) for fault, it in zip(by_name, _typed.mappings(list(by_name.values())), strict=True)]


def _fault(fault: str, it: Mapping[str, Any]) -> dict[str, Any]:
    promised, rounds = _typed.mapping(it.get("promise")), it.get("rounds")
    return {
        "fault": fault,
        "promised": _typed.text(promised.get("verdict")),
        "reason": _typed.text(promised.get("reason")),
        **{key: _typed.text(it.get(key)) for key in ("verdict", "not_tried")},
        "agrees": _typed.truth(it.get("agrees")),
        **{key: _times(it.get(key)) for key in ("to_process", "to_healthy")},
        "rounds": len(rounds) if isinstance(rounds, (list, tuple)) else 0,
    }


def _times(given: object) -> dict[str, float] | None:
    times = {key: _typed.seconds(_typed.mapping(given).get(key)) for key in ("p50", "max")}
    return {key: each for key, each in times.items() if each is not None} if None not in times.values() else None


def _of_drill(unit: str, drill: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not errors and drill.get("failed"):
        errors = [{"message": drill.get("msg")}]
    return [
        {
            "finding": _typed.text(error.get("rule")) or "drill-failed",
            "message": f"{unit}: {_typed.text(error.get('message'))}",
            **{key: _typed.text(error.get(key)) for key in ("cause", "remedy", "evidence")},
        }
        for error in errors
    ]


def _groups(hosts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By finding, and in that by unit and cause, the hosts that have it; what most have comes first."""
    found: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
    for host in hosts:
        for unit in host["units"]:
            for each in unit["findings"]:
                same = found.setdefault(each["finding"], {})
                key = (unit["unit"], each["cause"] or each["message"], each["remedy"])
                group = same.setdefault(key, {"unit": unit["unit"], **_told(each), "hosts": []})
                if host["host"] not in group["hosts"][-1:]:
                    group["hosts"].append(host["host"])
    order = [*TITLES, *sorted(found.keys() - TITLES.keys())]
    return [
        {
            "finding": finding,
            "title": title(finding),
            "units": sorted(found[finding].values(), key=lambda group: (-len(group["hosts"]), group["unit"])),
        }
        for finding in order
        if finding in found
    ]


def _told(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {key: finding[key] for key in ("message", "cause", "remedy")}


def title(finding: str) -> str:
    return TITLES.get(finding) or finding.replace("-", " ")

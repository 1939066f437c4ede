# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a playbook on all its hosts, as one mapping. Pure, and private to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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


def report(entries: Iterable[Mapping[str, Any]], hosts: Sequence[str], playbook: str, made: str) -> dict[str, Any]:
    """entries: one of each host that had its turn. hosts: all that were meant; who has no entry is named as such."""
    told = {str(entry["host"]): _host(entry) for entry in entries}
    whole = [told.get(host) or _state(host, NOT_REACHED, _AS_TOLD) for host in hosts]
    return {
        "playbook": playbook,
        "made": made,
        "counts": {"hosts": len(whole), **{state: sum(each["state"] == state for each in whole) for state in STATES}},
        "findings": _groups(whole),
        "hosts": whole,
    }


def _host(entry: Mapping[str, Any]) -> dict[str, Any]:
    host, error = str(entry["host"]), str(entry.get("error") or "")
    units = _with_drills(entry.get("units") or (), entry.get("drills") or ())
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
    return {**told, "notes": [str(note) for note in entry.get("notes") or ()], "units": units}


def _state(host: str, state: str, message: str) -> dict[str, Any]:
    return {"host": host, "state": state, "message": message, "notes": [], "units": []}


def _with_drills(rows: Iterable[Mapping[str, Any]], drills: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The units' rows, and what drills made of them; a unit may have several."""
    units = {str(row["unit"]): {**row, "drills": []} for row in rows}
    for drill in drills:
        name = _drilled(drill)
        row = units.setdefault(name, {"unit": name, "findings": [], "drills": []})
        row["drills"] = [*row["drills"], *(_tried(fault, it) for fault, it in (drill.get("faults") or {}).items())]
        row["findings"] = [*row["findings"], *_of_drill(name, drill)]
    return list(units.values())


def _drilled(drill: Mapping[str, Any]) -> str:
    """The unit of a result: where the module did nothing, what it was asked for (Ansible keeps that beside)."""
    given = drill.get("drill_entry")
    asked = given.get("name") if isinstance(given, Mapping) else ""
    named = [each.get("unit") for each in drill.get("errors") or ()]
    return str(drill.get("unit") or next(filter(None, named), "") or asked or "?")


def _tried(fault: str, it: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("verdict", "agrees", "not_tried", "to_process", "to_healthy")
    promised = it.get("promise") or {}
    return {
        "fault": fault,
        "promised": promised.get("verdict"),
        "reason": promised.get("reason"),
        **{key: it.get(key) for key in kept},
        "rounds": len(it.get("rounds") or ()),
    }


def _of_drill(unit: str, drill: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = drill.get("errors") or ()
    if not errors and drill.get("failed"):
        errors = [{"message": drill.get("msg")}]
    return [
        {
            "finding": str(error.get("rule") or "drill-failed"),
            "message": f"{unit}: {error.get('message') or ''}",
            **{key: str(error.get(key) or "") for key in ("cause", "remedy", "evidence")},
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

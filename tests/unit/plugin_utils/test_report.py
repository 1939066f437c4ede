# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a playbook on many hosts: nobody is left out, and what is alike stands together."""

from __future__ import annotations

from typing import Any

from ansible_collections.unitwright.systemd.plugins.plugin_utils._report import report


def finding(kind: str = "failed", cause: str = "no user shop", unit: str = "a.service") -> dict[str, str]:
    return {
        "finding": kind,
        "message": f"{unit}: has failed, {cause}",
        "cause": cause,
        "remedy": "make it",
        "evidence": "step USER",
    }


def row(unit: str = "a.service", *findings: dict[str, str]) -> dict[str, Any]:
    return {"unit": unit, "state": "active", "sub_state": "running", "findings": list(findings)}


def made(*entries: dict[str, Any], hosts: tuple[str, ...] = ()) -> dict[str, Any]:
    return report(entries, hosts or [entry["host"] for entry in entries], "check", "today")


def test_each_host_that_was_meant_has_a_state() -> None:
    whole = made(
        {"host": "well", "units": [row()]},
        {"host": "empty", "units": []},
        {"host": "ill", "units": [row("a.service", finding())]},
        {"host": "broken", "error": "no systemd runs here"},
        {"host": "lost", "unreachable": True, "error": "timed out"},
        {"host": "passed", "passed_over": True, "drills": []},
        {"host": "spared", "not_reached": True},
        hosts=("never", "well", "empty", "ill", "broken", "lost", "passed", "spared"),
    )
    assert [(host["host"], host["state"], host["message"]) for host in whole["hosts"]] == [
        ("never", "not-reached", "The run ended before this host's turn."),
        ("well", "well", ""),
        ("empty", "well", ""),
        ("ill", "findings", ""),
        ("broken", "failed", "no systemd runs here"),
        ("lost", "unreachable", "timed out"),
        ("passed", "passed-over", ""),
        ("spared", "not-reached", "The run ended before this host's turn."),
    ]
    assert whole["counts"] == {
        "hosts": 8,
        "unreachable": 1,
        "failed": 1,
        "findings": 1,
        "not-reached": 2,
        "passed-over": 1,
        "well": 2,
    }
    assert (whole["playbook"], whole["made"]) == ("check", "today")


def test_a_host_that_was_lost_after_something_was_found_keeps_both() -> None:
    (host,) = made({"host": "h", "unreachable": True, "error": "timed out", "units": [row("a.service", finding())]})[
        "hosts"
    ]
    assert (host["state"], host["message"], len(host["units"][0]["findings"])) == ("unreachable", "timed out", 1)


def test_findings_are_grouped_by_kind_unit_and_cause() -> None:
    stale = {**finding("stale", ""), "message": "a.service: runs with something older than its files, User"}
    whole = made(
        {"host": "h1", "units": [row("a.service", stale, finding())]},
        {"host": "h2", "units": [row("a.service", finding()), row("b.service", finding())]},
        {"host": "h3", "units": [row("a.service", finding(cause="no group shop"))]},
    )
    told = [
        (group["finding"], group["title"], [(unit["unit"], unit["cause"], unit["hosts"]) for unit in group["units"]])
        for group in whole["findings"]
    ]
    assert told == [
        (
            "failed",
            "has failed",
            [
                ("a.service", "no user shop", ["h1", "h2"]),
                ("a.service", "no group shop", ["h3"]),
                ("b.service", "no user shop", ["h2"]),
            ],
        ),
        ("stale", "runs with something older than its files", [("a.service", "", ["h1"])]),
    ]


DRILLED = {
    "unit": "a.service",
    "faults": {
        "kill": {
            "promise": {"verdict": "recovered", "reason": "Restart=always", "after": 0.1},
            "verdict": "recovered",
            "agrees": True,
            "not_tried": "",
            "to_process": {"p50": 0.2, "max": 0.3},
            "to_healthy": {"p50": 0.4, "max": 0.5},
            "rounds": [{}, {}, {}],
        }
    },
}


def test_a_drill_tells_by_fault_what_it_came_to() -> None:
    (host,) = made({"host": "h", "drills": [DRILLED]})["hosts"]
    assert host["state"] == "well"
    assert host["units"] == [
        {
            "unit": "a.service",
            "findings": [],
            "drills": [
                {
                    "fault": "kill",
                    "promised": "recovered",
                    "reason": "Restart=always",
                    "verdict": "recovered",
                    "agrees": True,
                    "not_tried": "",
                    "to_process": {"p50": 0.2, "max": 0.3},
                    "to_healthy": {"p50": 0.4, "max": 0.5},
                    "rounds": 3,
                }
            ],
        }
    ]


def test_a_drill_that_differs_is_a_finding_of_its_unit() -> None:
    errors = [
        {
            "unit": "a.service",
            "rule": "drill-slow",
            "message": "kill: after 9 s",
            "cause": "",
            "remedy": "",
            "evidence": "",
        }
    ]
    whole = made(
        {"host": "h", "error": "One or more items failed", "drills": [{**DRILLED, "failed": True, "errors": errors}]}
    )
    assert whole["hosts"][0]["state"] == "findings"
    (group,) = whole["findings"]
    assert (group["finding"], group["title"]) == ("drill-slow", "was not well again in time")
    assert group["units"] == [
        {"unit": "a.service", "message": "a.service: kill: after 9 s", "cause": "", "remedy": "", "hosts": ["h"]}
    ]


def test_a_drill_that_was_refused_or_broke_is_told_by_its_unit() -> None:
    refused = {"failed": True, "errors": [{"unit": "b.service", "rule": "drill-unchecked", "message": "no check"}]}
    broke = {"failed": True, "msg": "module failed", "drill_entry": {"name": "c.service"}}
    whole = made({"host": "h", "error": "One or more items failed", "drills": [refused, broke]})
    told = {
        group["finding"]: [(unit["unit"], unit["message"]) for unit in group["units"]] for group in whole["findings"]
    }
    assert told == {
        "drill-failed": [("c.service", "c.service: module failed")],
        "drill-unchecked": [("b.service", "b.service: no check")],
    }


def test_a_drill_of_a_host_that_is_lost_is_no_finding() -> None:
    lost = {"unreachable": True, "msg": "timed out", "drill_entry": {"name": "a.service"}}
    (host,) = made({"host": "h", "unreachable": True, "error": "timed out", "drills": [lost]})["hosts"]
    assert (host["state"], [unit["findings"] for unit in host["units"]]) == ("unreachable", [[]])

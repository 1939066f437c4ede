# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a playbook on many hosts: nobody is left out, and what is alike stands together."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.plugin_utils._page import page
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
    (host,) = made({"host": "h", "drills": [["a", DRILLED]]})["hosts"]
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
        {
            "host": "h",
            "error": "One or more items failed",
            "drills": [["a", {**DRILLED, "failed": True, "errors": errors}]],
        }
    )
    assert whole["hosts"][0]["state"] == "findings"
    (group,) = whole["findings"]
    assert (group["finding"], group["title"]) == ("drill-slow", "was not well again in time")
    assert group["units"] == [
        {"unit": "a.service", "message": "a.service: kill: after 9 s", "cause": "", "remedy": "", "hosts": ["h"]}
    ]


def test_a_drill_that_was_refused_or_broke_is_told_by_its_unit() -> None:
    refused = {"failed": True, "errors": [{"unit": "b.service", "rule": "drill-unchecked", "message": "no check"}]}
    broke = {"failed": True, "msg": "module failed"}
    whole = made({"host": "h", "error": "One or more items failed", "drills": [["b", refused], ["c.service", broke]]})
    told = {
        group["finding"]: [(unit["unit"], unit["message"]) for unit in group["units"]] for group in whole["findings"]
    }
    assert told == {
        "drill-failed": [("c.service", "c.service: module failed")],
        "drill-unchecked": [("b.service", "b.service: no check")],
    }


def test_a_drill_of_a_host_that_is_lost_is_no_finding() -> None:
    lost = {"unreachable": True, "msg": "timed out"}
    (host,) = made({"host": "h", "unreachable": True, "error": "timed out", "drills": [["a.service", lost]]})["hosts"]
    assert (host["state"], [unit["findings"] for unit in host["units"]]) == ("unreachable", [[]])


WELL = {"host": "well", "units": [row("a.service", finding())]}


@pytest.mark.parametrize(
    ("drill", "state"),
    [
        ({"faults": {"kill": {"to_healthy": {"p50": "<img>", "max": 1}}}}, "well"),
        ({"faults": {"kill": {"agrees": []}}}, "well"),
        ({"faults": {"kill": {"promise": "x", "rounds": 3}}}, "well"),
        ({"errors": [{"rule": ["x"], "message": {"a": "b"}}]}, "findings"),
        ({"errors": ["x"]}, "failed"),
        ({"errors": "x"}, "failed"),
        ({"faults": ["x"]}, "failed"),
        ({"faults": {"kill": "x"}}, "failed"),
        ("x", "failed"),
    ],
)
def test_an_odd_drill_is_of_its_host_alone(drill: Any, state: str) -> None:
    whole = made({"host": "odd", "drills": [["a", drill]]}, WELL)
    odd, well = whole["hosts"]
    assert (odd["state"], odd["message"]) == (state, "its result cannot be read" if state == "failed" else "")
    assert well["state"] == "findings"
    assert page(whole)


@pytest.mark.parametrize("field", ["finding", "message", "cause", "remedy", "evidence"])
def test_an_odd_finding_is_one_all_the_same(field: str) -> None:
    whole = made({"host": "odd", "units": [row("a.service", {**finding(), field: ["x"]})]}, WELL)  # type: ignore[dict-item]
    assert [host["state"] for host in whole["hosts"]] == ["findings", "findings"]
    assert whole["hosts"][0]["units"][0]["findings"][0][field] == "['x']"


@pytest.mark.parametrize("units", ["x", ["x"], {"a.service": {}}, [{"unit": "a.service", "findings": "x"}]])
def test_units_that_are_none_are_not_called_well(units: object) -> None:
    whole = made({"host": "odd", "units": units}, {"host": "lost", "units": units, "unreachable": True}, WELL)
    assert [(host["state"], host["message"]) for host in whole["hosts"]] == [
        ("failed", "its result cannot be read"),
        ("unreachable", "its result cannot be read"),
        ("findings", ""),
    ]


ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    float("nan"),
    "",
    "<img>",
    [],
    ["x"],
    [[1]],
    {},
    {"a": 1},
    {"p50": "<img>"},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, held in inner for each in places(held, (*path, key)))]


def spoilt(entry: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The entry with odd values in some places, but for its host."""
    whole = copy.deepcopy(entry)
    for _turn in range(chance.randint(1, 4)):
        *way, last = chance.choice([place for place in places(whole) if place and place != ("host",)])
        holder = whole
        for key in way:
            holder = holder[key]
        holder[last] = copy.deepcopy(chance.choice(ODD))
    return whole


def test_whatever_a_host_tells_the_others_have_their_report() -> None:
    errors = [finding("drill-slow") | {"unit": "a.service", "rule": "drill-slow"}]
    unit = {**row("a.service", finding()), "restarts": 3, "next_elapse": None, "description": "A", "enabled": "enabled"}
    whole = {
        "host": "odd",
        "units": [unit, row("b.service")],
        "drills": [["a", {**DRILLED, "errors": errors, "failed": True, "msg": "m"}]],
        "notes": ["up"],
        "error": "e",
        "unreachable": False,
        "passed_over": False,
        "not_reached": False,
    }
    chance = random.Random(1)
    for _turn in range(500):
        entry = spoilt(whole, chance)
        told = made(entry, WELL)
        assert told["hosts"][1] == made(WELL)["hosts"][0], entry
        assert "<img>" not in page(told), entry
        assert "<img>" not in page(json.loads(json.dumps(told))), entry

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units that are declared to run and cannot run both: refused, by whatever chain the one ends the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Observed
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences, refusals
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.expected import Expected
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.references import View

from ..world import RUNNING, Entry, Relations, declare, in_force, planned, work

BLUE, GREEN, LIB, APP, OLD = (f"{name}.service" for name in ("blue", "green", "lib", "app", "old"))
TEXT = "[Service]\nExecStart=/bin/sleep 9\n"


def service(name: str, **unit: str) -> Entry:
    return {"name": name, "unit": unit, "service": {"ExecStart": "/bin/sleep 9"}}


def oneshot(name: str, **unit: str) -> Entry:
    return {**service(name, **unit), "service": {"Type": "oneshot", "ExecStart": "/bin/true"}, "run": "on_change"}


def refused(desired: Desired, observed: Observed) -> list[tuple[str, str]]:
    found = refusals.impossible(View(differences.compare(desired, observed, {}), observed))
    return [(each.unit, each.message) for each in found if each.rule.id == "contradiction"]


def hindered(desired: Desired, observed: Observed, relations: Relations | None = None) -> dict[str, list[str]]:
    found = work(desired, observed, relations)
    told: dict[str, list[str]] = {}
    for each in refusals.forbidden(found.plan, View(found.differences, observed), found.graph):
        told.setdefault(each.rule.id, []).append(f"{each.unit}: {each.message}")
    return told


def host(states: Mapping[str, UnitState] | None = None, *units: Entry, **vendor: str) -> Observed:
    """With these units of ours in force; vendor: texts of services of others."""
    texts = {f"{name}.service": text for name, text in vendor.items()}
    return in_force(declare(*units) if units else None, states, vendor=texts)


def present(entry: Entry) -> Entry:
    return {**entry, "state": "present"}


@pytest.mark.parametrize(
    ("units", "told"),
    [
        (
            [service(BLUE, Conflicts=LIB), service(APP, Requires=LIB), present(service(LIB))],
            (BLUE, f"it conflicts with {LIB}, which {APP} needs, and both are declared to run"),
        ),
        (
            [service(BLUE), service(APP, BindsTo=LIB), present(service(LIB, Conflicts=BLUE))],
            (APP, f"it needs {LIB}, which conflicts with {BLUE}, and both are declared to run"),
        ),
        (
            [service(BLUE, Requires=OLD), service(APP, Requires=LIB), present(service(LIB, Conflicts=OLD))],
            (APP, f"it needs {LIB}, which conflicts with {OLD}, which {BLUE} needs, and both are declared to run"),
        ),
        (
            [service(APP, Requires=f"{LIB} {OLD}"), present(service(LIB, Conflicts=OLD))],
            (APP, f"it cannot be up without {LIB} and {OLD}, which conflict"),
        ),
    ],
)
def test_what_they_cannot_be_without(units: list[Entry], told: tuple[str, str]) -> None:
    ((unit, message),) = refused(declare(*units), host(old=TEXT))
    assert unit == told[0]
    assert message.startswith(told[1])


def test_by_an_alias_that_this_run_makes() -> None:
    green = {**service(GREEN), "install": {"Alias": "web.service", "WantedBy": "multi-user.target"}, "enabled": True}
    assert [unit for unit, _told in refused(declare(service(BLUE, Conflicts="web.service"), green), host())] == [BLUE]
    needing = [service(BLUE, Conflicts=GREEN), service(APP, Requires="web.service"), {**green, "state": "present"}]
    assert [unit for unit, _told in refused(declare(*needing), host())] == [BLUE]


@pytest.mark.parametrize(
    "units",
    [
        [service(BLUE, Conflicts=GREEN), present(service(GREEN))],
        [service(BLUE, Conflicts=LIB), present(service(APP, Requires=LIB)), present(service(LIB))],
        [service(BLUE, Conflicts=GREEN), {**service(GREEN), "state": "stopped"}],
        [oneshot(BLUE, Conflicts=GREEN), oneshot(GREEN)],
        [service(APP, Wants=LIB, Conflicts=LIB), present(service(LIB))],
    ],
)
def test_what_can_be_meant(units: list[Entry]) -> None:
    assert refused(declare(*units), host()) == []
    assert hindered(declare(*units), host()) == {}


def test_what_a_start_pulls_in_beside() -> None:
    """Only those who know the unit of someone else know that."""
    target: Entry = {"name": "t.target", "unit": {"Wants": LIB}}
    relations = {LIB: {"Conflicts": (BLUE,)}, BLUE: {"ConflictedBy": (LIB,)}}
    told = hindered(declare(service(BLUE), target), host(lib=TEXT), relations)
    assert told == {
        "contradiction": [
            f"{BLUE}: it is declared to run, and the start of {LIB} ends it by Conflicts=: "
            "declare it stopped or present, or take Conflicts= away"
        ]
    }


@pytest.mark.parametrize("of_oneshot", [True, False])
@pytest.mark.parametrize("runs", [True, False])
def test_a_oneshot_that_runs_for_a_change(of_oneshot: bool, runs: bool) -> None:
    once = oneshot(BLUE, **({"Conflicts": GREEN} if of_oneshot else {}))
    green = service(GREEN, **({} if of_oneshot else {"Conflicts": BLUE}))
    at_first = host({GREEN: RUNNING}, {**green, "unit": {}}) if runs else host()
    (told,) = hindered(declare(once, green), at_first)["contradiction"]
    assert told.startswith(f"{GREEN}: it is declared to run, and the run of {BLUE} ends it by Conflicts=")


def test_what_comes_up_after_the_run_that_ends_it() -> None:
    units = oneshot(BLUE, Conflicts=GREEN), service(GREEN, After=BLUE)
    assert hindered(declare(*units), host()) == {}


def test_what_follows_the_run_that_ends_it() -> None:
    units = oneshot(BLUE, Conflicts=GREEN, OnSuccess=GREEN), service(GREEN)
    at_first = host({GREEN: RUNNING}, units[1])
    assert hindered(declare(*units), at_first) == {}
    made = planned(declare(*units), at_first)
    assert [step.reason for step in made.steps if step.action == "run"] == [
        f"new; restarts {GREEN} (Conflicts= of {BLUE})"
    ]


def test_what_is_only_told_where_the_other_need_not_run() -> None:
    """A restart of what is ended anyway would be in vain."""
    over: Entry = {"name": OLD, "dropin": "x", "service": {"Nice": 1}}
    desired = declare(service(BLUE, Conflicts=OLD), dropins=[over])
    at_first = host({OLD: RUNNING}, old=TEXT)
    assert list(hindered(desired, at_first)) == ["displaced"]
    made = planned(desired, at_first)
    assert made.jobs["restart"] == ()
    assert made.watched[OLD] is Expected.DOWN
    assert [step.reason for step in made.steps if step.action == "start"] == [
        f"not running; stops {OLD} (Conflicts= of {BLUE})"
    ]


@pytest.mark.parametrize(("needing", "told"), [([], True), ([service(APP, Wants=LIB)], False)])
def test_what_systemd_stops_at_once_as_nothing_needs_it(needing: list[Entry], told: bool) -> None:
    lib = {**service(LIB, StopWhenUnneeded="yes"), "state": "started"}
    found = hindered(declare(lib, *needing), host()).get("contradiction", [])
    assert (
        found
        == [
            f"{LIB}: it is declared to run, and systemd stops it at once, as nothing that runs needs it: "
            "declare state: present, and start what needs it, or take StopWhenUnneeded= away"
        ]
        * told
    )


def test_what_goes_down_with_what_is_ended() -> None:
    units = [service(BLUE, Conflicts=LIB), service(APP, PartOf=LIB)]
    at_first = host({LIB: RUNNING, APP: RUNNING}, units[1], lib=TEXT)
    relations: dict[str, Any] = {LIB: {"ConsistsOf": (APP,)}, APP: {"PartOf": (LIB,)}}
    (told,) = hindered(declare(*units), at_first, relations)["contradiction"]
    assert f"the start of {BLUE} ends {LIB} by Conflicts=, with which it goes down" in told

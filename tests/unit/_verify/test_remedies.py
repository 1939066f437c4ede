# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd's words weigh, and what is said beside them. The words are as 247 to 262 write them."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problem
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.remedies import VERIFY, judged


def said(message: str, unit: str = "a.service", section: str = "", directive: str = "") -> Problem:
    return VERIFY.said(message, unit, section, directive)


def one(problem: Problem, going: frozenset[str] = frozenset()) -> Problem:
    (found,) = judged([problem], going)
    return found


@pytest.mark.parametrize(
    ("message", "weight"),
    [
        ("Command /usr/bin/nothing is not executable: No such file or directory", "missing"),
        ("Failed to load environment files: Permission denied", "missing"),
        ("Failed to create a.service/start: Unit b.service not found.", "missing"),
        ("Unable to locate executable 'nothing': No such file or directory", "missing"),
        ("Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.", "verify"),
        ("Unknown key name 'Nise' in section 'Service', ignoring.", "verify"),
        ("Special user nobody configured, this is not safe!", "advice"),
        ("Unit uses KillMode=none. This is unsafe, as it disables systemd's process lifecycle management", "advice"),
        ("Standard output type syslog is obsolete, automatically updating to journal.", "advice"),
        ("PIDFile= references a path below legacy directory /var/run/, updating; please consider /run/", "advice"),
        ("CPUAccounting= is deprecated, ignoring", "advice"),
        ("Support for it is deprecated, and /x was not found", "advice"),
    ],
)
def test_what_a_complaint_weighs(message: str, weight: str) -> None:
    assert one(said(message)).rule.id == weight


def test_what_this_run_takes_away_will_not_come_by_another_task() -> None:
    complaint = said("Failed to create a.service/start: Unit b.service not found.")
    assert one(complaint, frozenset({"b.service"})).rule.id == "verify"
    assert one(complaint, frozenset({"c.service"})).rule.id == "missing"


@pytest.mark.parametrize(
    ("message", "section", "directive", "text"),
    [
        (
            *("Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.", "Service", "ExecStart"),
            "Service has no ExecStart=, ExecStop=, or SuccessAction=: only a oneshot with ExecStop= does without it",
        ),
        (
            *("Service has more than one ExecStart= setting, which is only allowed for oneshots. Refusing.", "Service"),
            "ExecStart",
            "Service has more than one ExecStart= setting, which is only allowed for oneshots: "
            'write a list that begins with "", so that it takes the place of the earlier one',
        ),
        (
            *("Where= setting doesn't match unit name. Refusing.", "Mount", "Where"),
            "Where= setting doesn't match unit name: name the unit as systemd-escape --path --suffix=mount says for "
            "that folder",
        ),
        (
            *("Unit b.service not found.", "", ""),
            "Unit b.service not found: declare it too, or mend its name",
        ),
        (
            *("Command /x is not executable: Permission denied", "", ""),
            "Command /x is not executable: Permission denied: give it a mode that lets it be run, such as 0755",
        ),
        (
            *("Its use is deprecated, ignoring", "", ""),
            "Its use is deprecated, ignoring: systemd would drop this line, so mend or remove it",
        ),
        ("Something that nobody has seen.", "", "", "Something that nobody has seen."),
    ],
)
def test_the_mend_and_the_place_that_the_words_leave_out(message: str, section: str, directive: str, text: str) -> None:
    found = one(said(message))
    assert (found.section, found.directive, found.message) == (section, directive, text)


def test_a_place_that_is_known_stays() -> None:
    found = one(said("Executable path is not absolute, ignoring: bin/a", "a.service", "Service", "ExecStartPre"))
    assert (found.section, found.directive) == ("Service", "ExecStartPre")
    assert found.message == "Executable path is not absolute, ignoring: bin/a: begin it with /"


LACKING = said("Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.")
DROPPED = said("Executable path is not absolute, ignoring: bin/a", "a.service", "Service", "ExecStart")


def test_what_only_follows_is_left_out() -> None:
    assert [each.directive for each in judged([DROPPED, LACKING], frozenset())] == ["ExecStart"]
    assert len(judged([LACKING], frozenset())) == 1
    placed = said(LACKING.message, "a.service", "Service", "Type")
    assert len(judged([DROPPED, placed], frozenset())) == 2


def test_another_unit_or_mere_advice_leaves_nothing_out() -> None:
    other = said("Executable path is not absolute, ignoring: bin/a", "b.service", "Service", "ExecStart")
    advice = said("Special user nobody configured, this is not safe!", "a.service", "Service", "User")
    assert len(judged([other, advice, LACKING], frozenset())) == 3

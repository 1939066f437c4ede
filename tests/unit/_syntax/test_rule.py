# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule says what is wrong in its own words; a problem reads as one line and travels as data."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import rule
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import (
    Problem,
    Problems,
    Rule,
    RulePlace,
    Severity,
    shown,
)

RULE = Rule("R1", Severity.ERROR, "{path} is in the way of {unit}", "move it", "systemd.unit(5)")
BARE = Rule("R1", Severity.ERROR, "a: {{b}}", "", "systemd.unit(5)")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(RULE, "bad"), "bad"),
        (Problem(RULE, "bad", unit="a.service"), "a.service: bad"),
        (Problem(RULE, "bad", "a.service", "Service"), "a.service: [Service]: bad"),
        (Problem(RULE, "bad", "a.service", "Service", "Type"), "a.service: [Service] Type=: bad"),
        (Problem(RULE, "bad", directive="Type"), "Type=: bad"),
    ],
)
def test_text_names_the_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_as_dict_has_all_keys_even_when_empty() -> None:
    assert Problem(RULE, "bad").as_dict() == {
        "unit": "",
        "section": "",
        "directive": "",
        "rule": "R1",
        "message": "bad",
    }


def test_of_what_option_it_is() -> None:
    assert Problem(RULE, "bad", option="alert.mail").as_dict()["option"] == "alert.mail"
    of_one = replace(RULE, place=RulePlace(option="prune"))
    assert of_one.problem("a.service", path="/x").option == "prune"
    assert of_one.said("bad").option == "prune"
    assert of_one.said("bad", option="name").option == "name"


def test_problems_has_a_line_for_each() -> None:
    problems = Problems([Problem(RULE, "one", unit="a.service"), Problem(RULE, "two")])
    assert str(problems) == "a.service: one\ntwo"
    assert [problem.message for problem in problems.problems] == ["one", "two"]


def test_shown_can_be_copied_and_cannot_break_the_line() -> None:
    assert shown(r"a\x20b") == r"'a\x20b'"
    assert shown("a\nb") == r"'a\nb'"


def test_a_rule_in_its_own_words() -> None:
    problem = RULE.problem("a.service", "Unit", "After", path="/x")
    assert problem == Problem(RULE, "/x is in the way of a.service: move it", "a.service", "Unit", "After")
    assert BARE.problem().message == "a: {b}"


def test_what_a_rule_is_told_is_not_read_as_its_own_words() -> None:
    assert RULE.problem("a.service", path="{unit}").message == "{unit} is in the way of a.service: move it"
    assert RULE.said("{path} 100%", "a.service") == Problem(RULE, "{path} 100%", "a.service")


@pytest.mark.parametrize(
    ("severity", "strictly", "leniently"),
    [
        (Severity.ERROR, True, True),
        (Severity.UNVERIFIED, True, False),
        (Severity.WARNING, False, False),
        (Severity.NOTE, False, False),
    ],
)
def test_what_hinders(severity: Severity, strictly: bool, leniently: bool) -> None:
    assert (severity.hinders(lenient=False), severity.hinders(lenient=True)) == (strictly, leniently)


def test_what_may_come_is_no_warning_in_check_mode() -> None:
    awaited = Rule("R3", Severity.WARNING, "there is no {other}", "make it{near}", "x", may_come=True)
    missing, misspelt = awaited.problem(other="a", near=""), awaited.problem(other="a", near=" (did you mean b?)")
    assert [each.warns(check_mode=True) for each in (missing, misspelt)] == [False, True]
    assert [each.warns(check_mode=False) for each in (missing, misspelt)] == [True, True]
    assert replace(awaited, may_come=False).problem(other="a", near="").warns(check_mode=True)
    assert not RULE.problem(path="/x").warns(check_mode=False)
    assert not Rule("R4", Severity.NOTE, "x", "", "x").problem().warns(check_mode=False)


def test_every_rule_is_in_the_register() -> None:
    mine = Rule("R2", Severity.WARNING, "x", "", "y")
    assert rule.registered()[-1] is mine
    assert {RULE, BARE} <= set(rule.registered())

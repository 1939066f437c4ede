# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A problem reads as one line and travels as data."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problem, Problems, shown


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("bad"), "bad"),
        (Problem("bad", unit="a.service"), "a.service: bad"),
        (Problem("bad", "a.service", "Service"), "a.service: [Service]: bad"),
        (Problem("bad", "a.service", "Service", "Type"), "a.service: [Service] Type=: bad"),
        (Problem("bad", directive="Type", rule="R1"), "Type=: bad"),
    ],
)
def test_text_names_the_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_as_dict_has_all_keys_even_when_empty() -> None:
    assert Problem("bad", rule="R1").as_dict() == {
        "unit": "",
        "section": "",
        "directive": "",
        "rule": "R1",
        "message": "bad",
    }


def test_problems_has_a_line_for_each() -> None:
    problems = Problems([Problem("one", unit="a.service"), Problem("two")])
    assert str(problems) == "a.service: one\ntwo"
    assert [problem.message for problem in problems.problems] == ["one", "two"]


def test_shown_can_be_copied_and_cannot_break_the_line() -> None:
    assert shown(r"a\x20b") == r"'a\x20b'"
    assert shown("a\nb") == r"'a\nb'"

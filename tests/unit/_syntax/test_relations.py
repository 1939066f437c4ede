# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kinds of relations there are, by systemd.unit(5), and how far they lead."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import relations
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.relations import reached


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (relations.PULLS_IN, "Requires BindsTo Wants Upholds"),
        (relations.PULLED_IN_BY, "RequiredBy BoundBy WantedBy UpheldBy"),
        (relations.NEEDS, "Requires Requisite BindsTo"),
        (relations.NEEDED_BY, "RequiredBy RequisiteOf BoundBy"),
        (relations.REQUIRES, "Requires BindsTo"),
        (relations.RESTARTED_WITH, "Requires Requisite BindsTo PartOf"),
        (relations.USES, "Requires Requisite BindsTo Wants Upholds"),
        (relations.USED_BY, "RequiredBy RequisiteOf BoundBy WantedBy UpheldBy"),
        (relations.WISHES, "Wants Upholds OnFailure OnSuccess"),
    ],
)
def test_which_relations_are_of_a_kind(properties: Sequence[str], expected: str) -> None:
    assert sorted(properties) == sorted(expected.split())


def test_all_that_is_reached_comes_once_and_the_nearest_first() -> None:
    wants = {"a": ["b", "c", "b"], "b": ["d"], "c": ["a", "e"], "d": ["e"]}
    assert list(reached(["a"], lambda unit: wants.get(unit, ()))) == ["a", "b", "c", "d", "e"]


def test_nothing_farther_is_asked_than_is_taken() -> None:
    asked = []

    def related(unit: str) -> list[str]:
        asked.append(unit)
        return [f"{unit}{unit}"]

    walk = reached(["a", "b"], related)
    assert [next(walk), next(walk), next(walk)] == ["a", "b", "aa"]
    assert asked == ["a", "b"]

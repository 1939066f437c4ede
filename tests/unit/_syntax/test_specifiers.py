# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Specifiers that a unit's name alone resolves, by the table of systemd.unit(5)."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.specifiers import (
    in_name,
    in_value,
    names_instance,
)


@pytest.mark.parametrize(
    ("text", "unit", "resolved"),
    [
        ("/opt/%i/run", "a@b-c.service", "/opt/b-c/run"),
        ("%I", "a@b-c.service", "b/c"),
        (r"%I", r"a@b\x2dc.service", "b-c"),
        ("%f", "a@b-c.service", "/b/c"),
        ("%f", "b-c.service", "/b/c"),
        ("%n %N", "a@b.service", "a@b.service a@b"),
        ("%p %P", "a-b@c.service", "a-b a/b"),
        ("%j %J", r"a-b\x2dc.service", r"b\x2dc b-c"),
        ("%%i", "a@b.service", "%i"),
        ("%H %t", "a@b.service", "%H %t"),
        ("%i", "a@.service", "%i"),
        ("%i", "no name", "%i"),
        ("100%", "a.service", "100%"),
    ],
)
def test_a_value(text: str, unit: str, resolved: str) -> None:
    assert in_value(text, unit) == resolved


@pytest.mark.parametrize(("text", "resolved"), [("%i.service", "b-c.service"), ("%I.service", "%I.service")])
def test_the_name_of_a_unit_is_not_unescaped(text: str, resolved: str) -> None:
    assert in_name(text, "a@b-c.service") == resolved


@pytest.mark.parametrize(
    ("text", "so"),
    [("%i", True), ("a%Ib", True), ("%n", True), ("%f", True), ("%p %H", False), ("%%i", False), ("%%%i", True)],
)
def test_whether_it_depends_on_the_instance(text: str, so: bool) -> None:
    assert names_instance(text) is so

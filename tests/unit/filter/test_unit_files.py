# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to_unit_file has written, from_unit_file reads back."""

from __future__ import annotations

from ansible_collections.unitwright.systemd.plugins.filter.from_unit_file import from_unit_file
from ansible_collections.unitwright.systemd.plugins.filter.to_unit_file import to_unit_file
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True)
# What one line can hold: no control characters, no white space at its ends, no backslash at its end.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\t")).filter(
    lambda text: text == text.strip(" \t\n\r") and not text.endswith("\\") and not noncharacters(text)
)
VALUES = TEXT | st.lists(TEXT, min_size=2, max_size=4)
SECTIONS = st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), max_size=4)


def noncharacters(text: str) -> bool:
    return any(ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF for char in text)


@given(SECTIONS)
def test_sections_come_back_equal(sections: dict[str, dict[str, str | list[str]]]) -> None:
    assert from_unit_file(to_unit_file(sections)) == sections


@given(SECTIONS)
def test_text_comes_back_equal(sections: dict[str, dict[str, str | list[str]]]) -> None:
    text = to_unit_file(sections)
    assert to_unit_file(from_unit_file(text)) == text

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A line's words as systemd has them."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.words import commands, split


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("", []),
        ("  /bin/a \t b ", ["/bin/a", "b"]),
        ("a 'b c' \"d e\"", ["a", "b c", "d e"]),
        ("a''b \"\"", ["ab", ""]),
        ('--x="y z"w', ["--x=y zw"]),
        ("'Bob'\\''s orders'", ["Bob's orders"]),
        ("'it\\'s'", ["it's"]),
        ("\"a 'b' c\"", ["a 'b' c"]),
        ("a\\sb \\x41 \\u00e4 \\101 \\\\ \\n", ["a b", "A", "ä", "A", "\\", "\n"]),
        # No escape of systemd's: as it is, and the blank ends nothing.
        ("a\\ b \\; \\$x \\", ["a\\ b", "\\;", "\\$x", "\\"]),
    ],
)
def test_words(value: str, texts: list[str]) -> None:
    assert [word.text for word in split(value)] == texts


@pytest.mark.parametrize("value", ["'a", 'a "b', "a'b\\'"])
def test_a_quote_that_is_open(value: str) -> None:
    with pytest.raises(ValueError, match="is not closed"):
        split(value)


def test_what_is_quoted() -> None:
    assert [word.is_quoted for word in split("a 'b' \"c\" \\x41 d'e'")] == [False, True, True, True, False]


def test_commands_of_a_line() -> None:
    line = "/bin/a b ; /bin/c \\; ';' d; ;"
    assert [[word.raw for word in command] for command in commands(line)] == [
        ["/bin/a", "b"],
        ["/bin/c", "\\;", "';'", "d;"],
    ]

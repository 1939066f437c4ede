# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spans of time are read as systemd.time(7) has them."""

from __future__ import annotations

import math

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.spans import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5.0),
        ("5s", 5.0),
        ("1.5min", 90.0),
        ("2h 30min", 9000.0),
        ("1min20s", 80.0),
        ("100ms", 0.1),
        ("1 week", 604800.0),
        ("infinity", math.inf),
        # As systemctl shows them.
        ("4h 5min 1.278140s", 14701.27814),
        ("1month 2d 3ms", 30.4375 * 86400 + 2 * 86400 + 0.003),
        ("1y 1w 500us", 365.25 * 86400 + 7 * 86400 + 0.0005),
        ("0", 0.0),
        ("", None),
        ("five", None),
        ("5 parsecs", None),
        ("-5", None),
        ("5s tail", None),
    ],
)
def test_a_span_is_so_many_seconds(text: str, expected: float | None) -> None:
    assert seconds(text) == expected

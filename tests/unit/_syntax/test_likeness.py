# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be meant is what a slip of the fingers makes of it, and not what merely ends in the same way."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.likeness import near

OPTIONS = [*options.timer(), *options.socket()]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        # More than the end.
        ("unit_name", "unit"),
        ("user_name", "user"),
        ("group_name", "group"),
        ("service_name", "service"),
        ("unit_file", "unit"),
        ("env_file", "environment_file"),
        ("std_output", "standard_output"),
        ("on_calender", "on_calendar"),
        ("exec_strat", "exec_start"),
        ("limit_files", "limit_nofile"),
        ("wantd_by", "wanted_by"),
        # A slip at the very beginning.
        ("suer", "user"),
        ("xeec_start", "exec_start"),
        ("rxec_start", "exec_start"),
        ("nit", "unit"),
        ("aunit", "unit"),
        # The end alone.
        ("pre_start", ""),
        ("main_file", ""),
        ("quick_delay", ""),
    ],
)
def test_of_an_option(word: str, meant: str) -> None:
    assert near(word, OPTIONS) == ([meant] if meant else [])


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("nignx", ["nginx", "shop-web"], ["nginx"]),
        ("app-worker", ["web-worker", "app-workers"], ["app-workers"]),
        ("stdout", ["timeout"], []),
        ("python", ["python3", "jython"], ["python3"]),
    ],
)
def test_of_another_name(word: str, known: list[str], meant: list[str]) -> None:
    assert near(word, known) == meant

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a merged text says of its unit."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import meaning, unitfile
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.unitfile import Effective


def merged(*texts: str) -> Effective:
    return unitfile.effective([unitfile.parse(text) for text in texts])


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("Type=oneshot", True),
        ("Type=oneshot\nRemainAfterExit=no", True),
        ("Type=oneshot\nRemainAfterExit=yes", False),
        ("Type=oneshot\nRemainAfterExit=ON", False),
        ("Type=oneshot\nType=simple", False),
        ("Type=simple", False),
        ("RemainAfterExit=yes", False),
        ("", False),
    ],
)
def test_what_runs_once(text: str, once: bool) -> None:
    assert meaning.is_run_once(merged("[Service]\n" + text)) is once


def test_a_dropin_has_the_last_word() -> None:
    assert meaning.is_run_once(merged("[Service]\nType=simple", "[Service]\nType=oneshot"))
    assert not meaning.is_run_once(merged("[Service]\nType=oneshot", "[Service]\nRemainAfterExit=true"))


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("ExecReload=/bin/kill -HUP $MAINPID", True),
        ("Type=notify-reload", True),
        ("Type=notify", False),
        ("ExecReload=/bin/a\nExecReload=", False),
        ("", False),
    ],
)
def test_what_can_be_reloaded(text: str, can: bool) -> None:
    assert meaning.can_reload(merged("[Service]\n" + text)) is can


@pytest.mark.parametrize(
    ("text", "recurs"),
    [
        ("OnCalendar=daily", True),
        ("OnActiveSec=5", True),
        ("OnUnitActiveSec=5", True),
        ("OnUnitInactiveSec=5", True),
        ("OnBootSec=5", False),
        ("OnStartupSec=5", False),
        ("OnCalendar=daily\nOnCalendar=", False),
    ],
)
def test_a_timer_that_comes_again(text: str, recurs: bool) -> None:
    assert meaning.recurs(merged("[Timer]\n" + text)) is recurs


def test_what_refuses_a_job_by_name() -> None:
    assert meaning.refuses_start(merged("[Unit]\nRefuseManualStart=yes"))
    assert not meaning.refuses_start(merged("[Unit]\nRefuseManualStop=1"))
    assert not meaning.refuses_start(merged("[Service]\nRefuseManualStart=yes"))


@pytest.mark.parametrize("yes", ["1", "yes", "Yes", "y", "true", "t", "on"])
def test_yes(yes: str) -> None:
    assert meaning.is_true(yes)


@pytest.mark.parametrize("no", ["0", "no", "No", "n", "false", "f", "off", "OFF"])
def test_no(no: str) -> None:
    assert meaning.truth(no) is False
    assert not meaning.is_on(no)


@pytest.mark.parametrize("neither", ["", "2", "yess", "strict"])
def test_what_is_no_boolean(neither: str) -> None:
    assert meaning.truth(neither) is None
    assert not meaning.is_true(neither)


def test_what_is_more_than_yes() -> None:
    assert [each for each in ("", "No", "on", "self", "disconnected") if meaning.is_on(each)] == [
        *("on", "self", "disconnected")
    ]


def test_a_timer_goes_at_its_end_where_that_is_said() -> None:
    assert [meaning.goes_at_its_end(merged(f"[Timer]\nRemainAfterElapse={each}")) for each in ("Off", "maybe", "")] == [
        *(True, False, False)
    ]


def test_the_value_and_the_words_of_a_directive() -> None:
    text = merged("[Unit]\nAfter=a.service b.service\nAfter=c.service\nDescription=one\nDescription=two")
    assert meaning.words(text, "Unit", "After") == ["a.service", "b.service", "c.service"]
    assert meaning.last(text, "Unit", "Description") == "two"
    assert (meaning.last(text, "Unit", "Wants"), meaning.words(text, "Install", "Also")) == ("", [])

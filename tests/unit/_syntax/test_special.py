# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ends the run of the host when it is started, and what the host stands on."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.special import (
    CALL_FOR,
    ending,
    is_of_host,
    path_below,
)

TEXTS = {
    "night.target": {"Unit": {"Requires": ["a.service b.service"]}},
    "b.service": {"Unit": {"Wants": ["poweroff.target"], "After": ["a.service"]}},
    "sleepy.service": {
        "Unit": {"Conflicts": ["sleep.target"], "Before": ["suspend.target"], "PartOf": ["reboot.target"]}
    },
    "round.service": {"Unit": {"Wants": ["round.service", "odd%i"]}},
    "by-alias.target": {"Unit": {"BindsTo": ["down.target"]}},
    "a@poweroff.service": {"Unit": {"Wants": ["%i.target"]}},
    "a@x.service": {"Unit": {"Wants": ["%i.target"]}},
    "once.service": {"Unit": {"SuccessAction": ["reboot-force"]}, "Service": {"Type": ["oneshot"]}},
    "before.service": {"Unit": {"Requires": ["once.service"]}},
    "lasting.service": {"Unit": {"SuccessAction": ["poweroff"]}, "Service": {"Type": ["simple"]}},
    "stays.service": {
        "Unit": {"SuccessAction": ["poweroff"]},
        "Service": {"Type": ["oneshot"], "RemainAfterExit": ["yes"]},
    },
    "careful.service": {
        "Unit": {"FailureAction": ["reboot"], "SuccessAction": ["none"]},
        "Service": {"Type": ["oneshot"]},
    },
}


def reached(unit: str) -> str:
    aliases = {"down.target": "halt.target"}
    found = ending(unit, lambda name: TEXTS.get(name, {}), lambda name: aliases.get(name, name))
    return f"{found.unit} {found.setting}".strip() if found else ""


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        ("reboot.target", "reboot.target"),
        ("ctrl-alt-del.target", "ctrl-alt-del.target"),
        ("systemd-suspend.service", "systemd-suspend.service"),
        ("night.target", "poweroff.target"),
        ("by-alias.target", "halt.target"),
        ("down.target", "halt.target"),
        ("sleepy.service", ""),
        ("round.service", ""),
        ("multi-user.target", ""),
        ("a@poweroff.service", "poweroff.target"),
        ("a@x.service", ""),
        ("once.service", "once.service SuccessAction=reboot-force"),
        ("before.service", "once.service SuccessAction=reboot-force"),
        ("lasting.service", ""),
        ("stays.service", ""),
        ("careful.service", ""),
    ],
)
def test_what_a_start_reaches(unit: str, found: str) -> None:
    assert reached(unit) == found


@pytest.mark.parametrize(
    ("unit", "call"),
    [
        ("runlevel6.target", "reboot"),
        ("rescue.service", "rescue"),
        ("exit.target", "exit"),
        ("final.target", "poweroff"),
        ("soft-reboot.target", "soft-reboot"),
        ("hybrid-sleep.target", "hybrid-sleep"),
    ],
)
def test_the_call_that_is_meant_for_it(unit: str, call: str) -> None:
    assert CALL_FOR[unit] == call


@pytest.mark.parametrize(
    ("unit", "is_it"),
    [
        ("-.mount", True),
        ("usr.mount", True),
        ("var.mount", True),
        ("srv.mount", False),
        ("var-lib.mount", False),
        ("-.slice", False),
    ],
)
def test_what_the_host_stands_on(unit: str, is_it: bool) -> None:
    assert is_of_host(unit) is is_it


@pytest.mark.parametrize(
    ("unit", "path"),
    [
        ("srv.mount", "/srv/a"),
        ("srv.automount", "/srv/a"),
        ("srv-a.mount", "/srv/a"),
        ("srv-a-b.mount", ""),
        ("srv-a\\x2db.mount", "/srv/a-b"),
        ("sr.mount", ""),
        ("home-me.mount", "/home/me"),
        ("-.mount", ""),
        ("srv.service", ""),
        ("srv.swap", ""),
    ],
)
def test_a_mount_over_what_is_in_use(unit: str, path: str) -> None:
    assert path_below(unit, {"/srv/a", "/srv/a-b", "/home/me", "/"} if "x2d" not in unit else {"/srv/a-b"}) == path


@pytest.mark.parametrize(
    ("action", "call"), [("reboot-immediate", "reboot"), ("soft-reboot", "soft-reboot"), ("exit", "exit")]
)
def test_the_call_that_is_meant_for_an_action(action: str, call: str) -> None:
    text = {"Unit": {"SuccessAction": [action]}, "Service": {"Type": ["oneshot"]}}
    found = ending("a.service", lambda _name: text)
    assert found is not None
    assert found.call == call

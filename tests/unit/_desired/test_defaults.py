# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a declaration means when it says little, by the texts as systemd will merge them."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.defaults import filled_in

from tests.unit.world import SYSTEM, Entry, declare, in_force

SERVICE: Entry = {"name": "a.service", "service": {"ExecStart": "/bin/a"}}
INSTALL = {"WantedBy": "multi-user.target"}
ONESHOT: Entry = {"name": "a.service", "service": {"Type": "oneshot", "ExecStart": "/bin/a"}}
TEMPLATE: Entry = {"name": "a@.service", "service": {"ExecStart": "/bin/a"}, "install": INSTALL}
TIMER: Entry = {"name": "a.timer", "timer": {"OnCalendar": "daily"}, "install": {"WantedBy": "timers.target"}}


def dropin(name: str = "a.service", **sections: Entry) -> Entry:
    return {"name": name, "dropin": "x", **sections}


def meant(units: list[Entry], dropins: list[Entry], foreign: str = "") -> dict[str, tuple[str, bool | None]]:
    """State and enablement of the first entry's members. foreign: a drop-in that someone else has put over it."""
    desired = declare(*units, dropins=dropins)
    after = in_force(desired).loadpath
    if foreign:
        after = after.changed({f"{SYSTEM.units}/a.service.d/theirs.conf": foreign.encode()}, [])
    first = filled_in(desired, after).units[0]
    found = {member: first.meant(member) for member in first.members or (first.name.text,)}
    return {member: (each.state, each.enabled) for member, each in found.items()}


@pytest.mark.parametrize(
    ("units", "state", "enabled"),
    [
        ([SERVICE], "started", None),
        ([{**SERVICE, "install": INSTALL}], "started", True),
        ([{**SERVICE, "install": INSTALL}, TIMER], "present", None),
        ([{**SERVICE, "install": INSTALL, "state": "stopped"}], "stopped", False),
        ([{**SERVICE, "install": INSTALL, "enabled": False}], "started", False),
        ([{**SERVICE, "install": INSTALL, "state": "absent"}], "absent", False),
        ([ONESHOT], "present", None),
        (
            [{"name": "a.service", "service": {"Type": "oneshot", "RemainAfterExit": True, "ExecStart": "/a"}}],
            "started",
            None,
        ),
        ([{**SERVICE, "unit": {"StopWhenUnneeded": True}, "install": INSTALL}], "present", True),
        ([TEMPLATE], "present", None),
        (
            [{"name": "a@.service", "service": {"ExecStart": "/a"}, "install": INSTALL, "instances": ["x"]}],
            "started",
            True,
        ),
        ([{"name": "nginx.service"}], "present", None),
        ([{"name": "nginx.service", "masked": True}], "stopped", None),
        ([SERVICE, {"name": "b.socket", "socket": {"ListenStream": 80, "Service": "a.service"}}], "present", None),
        ([SERVICE, {"name": "b.path", "path": {"PathExists": "/x", "Unit": "a.service"}}], "present", None),
        (
            [{"name": "a.mount", "mount": {"What": "x"}}, {"name": "a.automount", "automount": {"Where": "/a"}}],
            "present",
            None,
        ),
    ],
)
def test_what_a_unit_without_a_word_on_its_state_is_meant_to_be(
    units: list[Entry], state: str, enabled: bool | None
) -> None:
    (found,) = meant(units, []).values()
    assert found == (state, enabled)


REMAINS = {"service": {"RemainAfterExit": True}}
ONCE = {"service": {"Type": "oneshot"}}


@pytest.mark.parametrize(
    ("units", "dropins", "state", "enabled"),
    [
        ([SERVICE], [dropin(**ONCE)], "present", None),
        ([ONESHOT], [dropin(**REMAINS)], "started", None),
        ([ONESHOT], [dropin(service={"Type": "exec"})], "started", None),
        ([SERVICE], [dropin(content="[Service]\nType=oneshot\n")], "present", None),
        ([{"name": "a.service", "content": "[Service]\nExecStart=/a\n"}], [dropin(**ONCE)], "present", None),
        ([SERVICE], [dropin(unit={"RefuseManualStart": True})], "present", None),
        ([SERVICE], [dropin(install=INSTALL)], "started", True),
        ([{**SERVICE, "state": "stopped"}], [dropin(install=INSTALL)], "stopped", False),
        ([{**SERVICE, "install": INSTALL}], [dropin(install={"WantedBy": ""})], "started", None),
        ([SERVICE], [dropin(**ONCE), {**dropin(), "dropin": "y", "state": "absent"}], "present", None),
        ([SERVICE], [dropin("a-.service", **ONCE)], "started", None),
        ([{**SERVICE, "name": "a-b.service"}], [dropin("a-.service", **ONCE)], "present", None),
        # What starts it is told by merged texts, too.
        ([SERVICE, {**TIMER, "name": "b.timer"}], [dropin("b.timer", timer={"Unit": "a.service"})], "present", None),
        ([SERVICE, {**TIMER, "timer": {"Unit": "b.service"}}], [], "started", None),
        ([SERVICE, TIMER], [dropin("a.timer", timer={"Unit": "b.service"})], "started", None),
        ([SERVICE], [dropin("their.socket", socket={"Service": "a.service"})], "present", None),
        # A unit that someone else defines is left as it is.
        ([{"name": "nginx.service"}], [dropin("nginx.service", install=INSTALL)], "present", None),
    ],
)
def test_what_is_meant_goes_by_the_merged_text(
    units: list[Entry], dropins: list[Entry], state: str, enabled: bool | None
) -> None:
    (found,) = meant(units, dropins).values()
    assert found == (state, enabled)


def test_what_someone_else_says_of_it_counts_too() -> None:
    assert meant([SERVICE], [], "[Service]\nType=oneshot\n") == {"a.service": ("present", None)}


def test_an_instance_with_a_dropin_of_its_own() -> None:
    template = {"name": "a@.service", "service": {"ExecStart": "/bin/a"}, "instances": ["x", "y"]}
    found = meant([template], [dropin("a@x.service", **ONCE, install=INSTALL)])
    assert found == {"a@x.service": ("present", True), "a@y.service": ("started", None)}
    found = meant([template], [dropin("a@.service", **ONCE, install=INSTALL)])
    assert found == {"a@x.service": ("present", True), "a@y.service": ("present", True)}

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An option that is accepted does something: what a type of unit cannot honour is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.kinds import KINDS, SELECTIVE
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problems

from tests.unit.world import declare

# What an option means for units of every type.
FOR_ALL = {
    *("name", "dropin", *options.SECTION_OPTIONS, "content", "health", "on_change", "replace"),
    *("instances", "enabled", "state", "masked"),
    # Refused by name for all but services, before this table is asked.
    "alert",
}
UNITS: dict[str, dict[str, Any]] = {
    "a.service": {"service": {"ExecStart": "/bin/a"}},
    "a.socket": {"socket": {"ListenStream": "/run/a"}},
    "a.target": {"unit": {"Description": "a"}},
    "a.timer": {"timer": {"OnCalendar": "daily"}},
    "a.path": {"path": {"PathExists": "/a"}},
    "a.mount": {"mount": {"What": "/dev/a", "Where": "/a"}},
    "a.automount": {"automount": {"Where": "/a"}},
    "dev-a.swap": {"swap": {"What": "/dev/a"}},
    "a.slice": {"slice": {"CPUWeight": 1}},
}
GIVEN: dict[str, Any] = {
    "environment": {"A": "1"},
    "secrets": {"A": "some secret"},
    "credentials": {"a": "some secret"},
    "triggers": {"values": ["1"]},
    "run": "on_change",
    "hardening": {"profile": "strict"},
}


def test_each_option_is_for_all_types_or_the_table_says_for_which() -> None:
    assert {*options.unit(), *options.dropin()} == FOR_ALL | SELECTIVE
    assert {option for kind in KINDS.values() for option in kind.honours} == SELECTIVE
    assert set(GIVEN) == SELECTIVE


def refused(**stack: Any) -> list[tuple[str, str, str]]:
    units = stack.pop("units", ())
    with pytest.raises(Problems) as caught:
        declare(*units, **stack)
    return [(each.unit, each.rule.id, each.message) for each in caught.value.problems]


def test_each_instance_that_is_wrong_is_told() -> None:
    template = {"name": "a@.service", "service": {"ExecStart": "/bin/a"}, "instances": ["/srv", "ok", 1.5, ""]}
    told = refused(units=[template])
    assert [(unit, rule) for unit, rule, _message in told] == [("a@.service", "unit-name")] * 3


@pytest.mark.parametrize(
    ("name", "honoured"),
    [
        ("a.service", set(GIVEN)),
        ("a.socket", {"environment"}),
        ("a.mount", {"environment"}),
        ("dev-a.swap", {"environment"}),
        *((name, set()) for name in ("a.target", "a.timer", "a.path", "a.automount", "a.slice")),
    ],
)
def test_what_each_type_honours(name: str, honoured: set[str]) -> None:
    for option, value in GIVEN.items():
        if option in honoured:
            declare({"name": name, **UNITS[name], option: value})
            if option != "run":
                declare(dropins=[{"name": name, "dropin": "x", **UNITS[name], option: value}])
            continue
        ((unit, rule, message),) = refused(units=[{"name": name, **UNITS[name], option: value}])
        assert (unit, rule) == (name, "option" if option == "run" else "no-process")
        assert option in message
        if option == "run":
            continue
        dropin = {"name": name, "dropin": "x", **UNITS[name], option: value}
        assert [each[:2] for each in refused(dropins=[dropin])] == [(name, "no-process")]


def test_what_a_type_cannot_honour_is_refused_all_at_once_and_beside_other_mistakes() -> None:
    timer = {"name": "a.timer", "timer": {"OnCalender": "daily"}, **GIVEN}
    assert len(refused(units=[timer])) == len(GIVEN) + 1
    content = {"name": "a.mount", "content": "[Mount]\nWhat=/dev/a\nWhere=/a\n", "secrets": {"A": "some secret"}}
    assert refused(units=[content]) == [
        (
            "a.mount",
            "no-process",
            "a .mount runs commands and no program that goes on, so other secrets would never be in force, and it "
            "takes none: give it to the service",
        )
    ]


@pytest.mark.parametrize("name", [name for name in UNITS if name not in ("a.service", "a.mount")])
def test_a_type_that_is_never_reloaded(name: str) -> None:
    entry = {"name": name, **UNITS[name]}
    said = f"a .{name.rpartition('.')[2]} is never reloaded, so on_change: reload would do nothing, or restart it: "
    assert refused(units=[{**entry, "on_change": "reload"}]) == [(name, "option", said + "say restart or none")]
    declare({**entry, "on_change": "none"})
    declare({**entry, "on_change": "restart"})


SPEC: options.Spec = {
    "name": {"type": "str"},
    "units": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str"},
            "replace": {"type": "bool", "default": False},
            "also": {"type": "str", "aliases": ["too"]},
            "health": {"type": "dict", "options": {"tcp": {"type": "str"}, "timeout": {"type": "float"}}},
        },
    },
}


def kept(given: object) -> list[str]:
    return sorted(options.narrowed(SPEC, {"units": given})["units"]["options"])


def test_options_of_entries_that_no_entry_has_are_left_out() -> None:
    assert kept([{"name": "a"}, {"name": "b", "state": "started"}]) == ["also", "name", "replace", "state"]
    assert kept({"health": {"tcp": 80}}) == ["also", "health", "name", "replace"]
    assert kept(None) == ["also", "name", "replace"]
    assert options.narrowed(SPEC, {})["name"] == SPEC["name"]


def test_within_an_option_it_is_the_same() -> None:
    entries = [{"name": "a", "health": {"tcp": 80}}, {"name": "b", "health": None}]
    found = options.narrowed(SPEC, {"units": entries})["units"]["options"]["health"]["options"]
    assert found == {"tcp": {"type": "str"}}


def test_what_a_text_has_cannot_be_told() -> None:
    """Ansible takes an entry as text, too."""
    assert kept(["name=a state=started"]) == kept("name=a") == ["also", "health", "name", "replace", "state"]

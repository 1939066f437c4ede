# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a declaration becomes, and what is said of one that cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.render import owner_of
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired, build
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problem, Problems

from tests.unit.world import Entry, declare, facts, stamp

TEMPLATE: Entry = {"name": "t@.service", "service": {"ExecStart": "/bin/t"}}
SERVICE: Entry = {"name": "a.service", "service": {"ExecStart": "/bin/a"}}
TIMER: Entry = {"name": "a.timer", "timer": {"OnCalendar": "daily"}, "install": {"WantedBy": "timers.target"}}


def problems(*units: Entry, **stack: Any) -> list[Problem]:
    with pytest.raises(Problems) as caught:
        declare(*units, **stack)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("units", "stack", "option"),
    [
        ([], {"prune": True}, "prune"),
        ([SERVICE], {"state": "absent"}, "state"),
        ([SERVICE], {"name": "a.b"}, "name"),
        ([SERVICE], {"adopt": ["a/b"]}, "adopt"),
        ([SERVICE, SERVICE], {}, ""),
    ],
)
def test_what_is_wrong_with_the_whole_names_its_option(units: list[Entry], stack: dict[str, Any], option: str) -> None:
    assert [problem.option for problem in problems(*units, **stack)] == [option]


def main_text(desired: Desired, name: str) -> str:
    return desired.files[f"/etc/systemd/system/{name}"].content.decode()


@pytest.mark.parametrize(
    ("units", "stack", "said"),
    [
        ([{"name": "a", "service": {}}], {}, "a.service"),
        ([{"name": "../a.service", "service": {}}], {}, "/"),
        ([SERVICE, SERVICE], {}, "declared twice"),
        ([{**SERVICE, "content": "[Service]\n"}], {}, "content is the whole unit"),
        ([{"name": "a.service", "service": {"ExecStrat": "/bin/a"}}], {}, "ExecStart"),
        ([{"name": "a.service", "timer": {"OnCalendar": "daily"}}], {}, "[Timer]"),
        ([{"name": "a.service", "service": {"ExecStart": "/a", "UMask": 63}}], {}, "quote it"),
        ([{"name": "a.timer", "timer": {"OnCalendar": 750}}], {}, "quote it"),
        ([{"name": "a.timer", "timer": {"OnCalendar": "0 2 * * *"}}], {}, "write '*-*-* 02:00:00'"),
        ([{"name": "a.timer", "timer": {"OnCalendar": "'@daily'"}}], {}, "write '*-*-* 00:00:00'"),
        ([{"name": "a.timer", "content": "[Timer]\nOnCalendar=@hourly\n"}], {}, "write '*-*-* *:00:00'"),
        ([{"name": "a.service", "service": {"ExecStart": "/a", "Nice": None}}], {}, "null"),
        ([{"name": "a.service", "service": {"ExecStart": "/a\n[Install]"}}], {}, "line"),
        ([{**SERVICE, "environment": {"A B": "c"}}], {}, "name"),
        ([{**TIMER, "environment": {"A": "b"}}], {}, "starts no process"),
        ([{**SERVICE, "masked": True}], {}, "masked"),
        ([{**SERVICE, "instances": ["x"]}], {}, "a@.service"),
        (
            [{**TEMPLATE, "instances": ["t@x"]}],
            {},
            "'t@x' is no instance of t@.service: write what stands after the @, x",
        ),
        ([{**TEMPLATE, "instances": ["t@x.service"]}], {}, "write what stands after the @, x"),
        ([{"name": "a.service", "secrets": {"A": "bcde"}}], {}, "needs a text"),
        ([{"name": "a.service", "run": "on_change"}], {}, "needs a text"),
        ([{**TIMER, "run": "on_change"}], {}, "oneshot"),
        ([{**SERVICE, "health": {"tcp": "localhost"}}], {}, "HOST:PORT"),
        ([{**SERVICE, "health": {"http": "localhost:80"}}], {}, "http://"),
        ([{"name": "a.scope", "unit": {"Description": "a"}}], {}, "dropin"),
        ([], {"prune": True}, "state: absent"),
        ([SERVICE], {"state": "absent"}, "takes no units"),
        ([SERVICE], {"name": "a.b"}, "a.b"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_error(units: list[Entry], stack: dict[str, Any], said: str) -> None:
    found = problems(*units, **stack)
    assert len(found) == 1
    assert said in found[0].message


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {"name": "a.service", "unit": {"Descriptoin": "x"}, "service": {"ExecStrat": "/a", "UMask": 63}}
    found = problems(wrong, {"name": "b", "service": {}})
    assert [(each.unit, each.section, each.directive) for each in found] == [
        ("a.service", "Unit", "Descriptoin"),
        ("a.service", "Service", "ExecStrat"),
        ("a.service", "Service", "UMask"),
        ("b", "", ""),
    ]


def test_a_section_of_another_unit_is_told_once() -> None:
    service = {"ExecStart": "/a", "User": "b"}
    text = "[Timer]\nOnCalendar=daily\n[Service]\nExecStart=/a\nUser=b\n"
    for entry in ({**TIMER, "service": service}, {"name": "a.timer", "content": text}):
        (found,) = problems(entry)
        assert (found.section, found.directive) == ("Service", "ExecStart")
        assert found.message.endswith("declare NAME.service beside it, and put that there")


def test_every_file_says_whose_it_is() -> None:
    desired = declare(
        {**SERVICE, "secrets": {"TOKEN": "canary"}}, dropins=[{"name": "b.service", "dropin": "x", "unit": {}}]
    )
    owned = [each for each in desired.files.values() if owner_of(each.content) == "test"]
    assert len(owned) == len(desired.files) == 3


def test_a_secret_is_only_in_its_own_root_only_file() -> None:
    desired = declare({**SERVICE, "secrets": {"TOKEN": "canary"}, "credentials": {"key": "canary"}})
    holding = [each for each in desired.files.values() if b"canary" in each.content]
    assert {each.path for each in holding} == {
        "/etc/unitwright/test/a.service.env",
        "/etc/unitwright/test/a.service.credentials/key",
    }
    assert {(each.mode, each.secret) for each in holding} == {(0o600, True)}
    assert all("canary" not in each.shown for each in desired.files.values())


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"unit": {"Description": "x"}}, {"unit": {"Description": "y"}}, True),
        (
            {"service": {"ExecStart": "/a", "Restart": "no"}},
            {"service": {"ExecStart": "/a", "Restart": "always"}},
            True,
        ),
        ({"service": {"ExecStart": "/a"}}, {"service": {"ExecStart": "/b"}}, False),
        ({"environment": {"A": "1"}}, {"environment": {"A": "2"}}, False),
        ({"secrets": {"A": "abcd"}}, {"secrets": {"A": "efgh"}}, False),
        ({"credentials": {"a": "abcd"}}, {"credentials": {"a": "efgh"}}, False),
        ({"triggers": {"values": ["1"]}}, {"triggers": {"values": ["2"]}}, False),
        ({"service": {"ExecStart": "/a", "Nice": 1}}, {"service": {"Nice": 1, "ExecStart": "/a"}}, True),
    ],
)
def test_the_stamp_is_of_what_a_process_keeps_from_its_start(first: Entry, second: Entry, same: bool) -> None:
    stamps = [stamp(declare({**SERVICE, **each})) for each in (first, second)]
    assert all(stamps)
    assert (stamps[0] == stamps[1]) is same


def test_the_stamp_follows_the_content_of_a_trigger_file() -> None:
    params = {"name": "test", "units": [{**SERVICE, "triggers": {"files": ["/etc/a"]}}]}
    stamps = {stamp(build(params, facts(digests={"/etc/a": digest}))) for digest in ("1", "2", None)}
    assert len(stamps) == 3


def test_text_stays_as_it_was_written() -> None:
    content = "# why\n[Unit]\nDescription = a  b\n\n[Service]\nExecStart=/bin/a \\\n  --long\n"
    desired = declare({"name": "a.service", "content": content, "environment": {"A": "b"}})
    text = main_text(desired, "a.service")
    assert content in text
    assert text.rstrip().splitlines()[-2] == "Environment=A=b" or 'Environment="A=b"' in text


def test_whose_health_counts_for_a_unit() -> None:
    def checked(number: int) -> Entry:
        return {"health": {"timeout": number}}

    unit = {"name": "a.service", "state": "started"}
    template = {"name": "t@.service", "instances": ["x"], "service": {"ExecStart": "/bin/t"}}
    over = [{"name": name, "dropin": "x", "service": {"Nice": 1}} for name in ("a.service", "t@.service", "b-.service")]

    def timeout(name: str, units: list[Entry], dropins: list[Entry]) -> float:
        return declare(*units, dropins=dropins, health={"timeout": 9}).health_of(name).timeout

    assert timeout("a.service", [unit], over) == 9
    assert timeout("a.service", [unit], [{**over[0], **checked(1)}]) == 1
    assert timeout("a.service", [{**unit, **checked(2)}], [{**over[0], **checked(1)}]) == 2
    assert timeout("t@y.service", [{**template, **checked(3)}], [{**over[1], **checked(1)}]) == 3
    assert timeout("t@y.service", [template], [{**over[1], **checked(4)}]) == 4
    assert timeout("b-c.service", [], [{**over[2], **checked(5)}]) == 5
    with pytest.raises(Problems, match="timeout"):
        declare(health={"timeout": -1})


@pytest.mark.parametrize(
    ("name", "more", "size"),
    [
        ("a" * 247 + ".service", {}, 0),
        ("a" * 243 + ".service", {"secrets": {"A": "some secret"}}, 0),
        ("a" * 244 + ".service", {"secrets": {"A": "some secret"}}, 256),
        ("a" * 235 + ".service", {"credentials": {"a": "some secret"}}, 0),
        ("a" * 236 + ".service", {"credentials": {"a": "some secret"}}, 256),
    ],
)
def test_a_name_that_leaves_no_room_for_what_its_files_are_called(name: str, more: Entry, size: int) -> None:
    entry = {**SERVICE, "name": name, **more}
    if not size:
        declare(entry)
        return
    (problem,) = problems(entry)
    assert (problem.unit, problem.rule.id) == (name, "long-name")
    assert f"{size} bytes" in problem.message


def test_a_dropin_of_a_unit_with_a_long_name() -> None:
    """Its folder is the unit's name and two characters more, its secrets bear both names."""
    dropin = {"dropin": "x" * 100, "service": {"Nice": 1}}
    declare(dropins=[{**dropin, "name": "a" * 245 + ".service"}])
    long = [{**dropin, "name": "a" * 246 + ".service"}]
    secret = [{**dropin, "name": "a" * 150 + ".service", "secrets": {"A": "some secret"}}]
    for dropins in (long, secret):
        assert [each.rule.id for each in problems(dropins=dropins)] == ["long-name"]

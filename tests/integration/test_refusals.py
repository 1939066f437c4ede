# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be right is refused with its place and mend, all at once, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.support import FOREVER, Result, Stack, failed
from tests.integration.world import untouched
from tests.testbed.host import Host


def service(section: str, directive: str, value: object) -> dict[str, Any]:
    unit: dict[str, Any] = {"service": {"ExecStart": FOREVER}}
    unit.setdefault(section, {})[directive] = value
    return unit


# suffix of the unit, its entry, (section, directive) of the error, a part of its message
MISTAKES: list[tuple[str, dict[str, Any], tuple[str, str], str]] = [
    ("near.service", service("service", "ExecStrat", "x"), ("Service", "ExecStrat"), "did you mean ExecStart?"),
    ("case.service", service("service", "execstart", "x"), ("Service", "execstart"), "is written ExecStart"),
    ("up.service", service("unit", "Restart", "no"), ("Unit", "Restart"), "belongs in [Service]"),
    ("in.service", service("service", "WantedBy", "x"), ("Service", "WantedBy"), "belongs in [Install]"),
    ("other.service", service("service", "OnCalendar", "daily"), ("Service", "OnCalendar"), "[Timer]"),
    ("limit.service", service("service", "StartLimitIntervalSec", "1"), ("Service", "StartLimitIntervalSec"), "[Unit]"),
    ("none.service", service("service", "Fnord", "x"), ("Service", "Fnord"), "knows no 'Fnord'"),
    ("space.service", service("service", "User name", "x"), ("Service", "User name"), "knows no 'User name'"),
    ("on.service", service("service", "true", "x"), ("Service", "true"), "quote it"),
    ("text.service", {"content": "[Service]\nExecStart=/x\nRestrat=no\n"}, ("Service", "Restrat"), "Restart?"),
    ("garbage.service", {"content": "[Service]\nExecStart /x\n"}, ("", ""), "line 2"),
    ("headless.service", {"content": "ExecStart=/x\n"}, ("", ""), "line 1"),
    (
        "foreign.service",
        {**service("service", "User", "x"), "timer": {"OnCalendar": "x"}},
        ("Timer", "OnCalendar"),
        "[Timer]",
    ),
    ("foreign.target", {"service": {"ExecStart": "/x"}}, ("Service", "ExecStart"), "does not belong in a .target"),
    ("octal.service", service("service", "UMask", 63), ("Service", "UMask"), "quote it"),
    ("mode.service", service("service", "StateDirectoryMode", 493), ("Service", "StateDirectoryMode"), "quote it"),
    ("float.service", service("service", "CPUQuota", 1.1), ("Service", "CPUQuota"), "quote it"),
    ("inf.service", service("service", "LimitCORE", float("inf")), ("Service", "LimitCORE"), "'infinity'"),
    ("null.service", service("unit", "Description", None), ("Unit", "Description"), "leave it out"),
    ("truth.service", service("service", "User", True), ("Service", "User"), "quote it"),
    ("map.service", service("service", "ExecStart", {"a": "b"}), ("Service", "ExecStart"), "a mapping"),
    ("nested.service", service("service", "ExecStartPre", [["/x"]]), ("Service", "ExecStartPre"), "inside a list"),
    ("unset.service", service("service", "Environment", {"A": None}), ("Service", "Environment"), "null"),
    ("rounded.service", service("service", "Environment", {"A": 1.1}), ("Service", "Environment"), "quote it"),
    ("clock.timer", {"timer": {"OnCalendar": 750}}, ("Timer", "OnCalendar"), "quote it"),
    ("hours.timer", {"timer": {"OnCalendar": 12.3}}, ("Timer", "OnCalendar"), "quote it"),
    ("line.service", service("unit", "Description", "a\nUser=root"), ("Unit", "Description"), "line break"),
    ("nul.service", service("unit", "Description", "a\0b"), ("Unit", "Description"), "U+0000"),
    ("end.service", service("unit", "Description", "a\\"), ("Unit", "Description"), "backslash"),
    ("edge.service", service("unit", "Description", " a"), ("Unit", "Description"), "white space"),
    ("block.service", service("unit", "Description", "a\n"), ("Unit", "Description"), "'>-'"),
    ("env1.service", {**service("service", "Nice", 1), "environment": {"A B": "x"}}, ("", ""), "environment variable"),
    (
        "env2.service",
        {**service("service", "Nice", 1), "secrets": {"1A": "hush-hush"}},
        ("", ""),
        "environment variable",
    ),
    ("env3.target", {"unit": {}, "environment": {"A": "b"}}, ("", ""), "starts no process"),
    ("cred.service", {**service("service", "Nice", 1), "credentials": {"a/b": "hush-hush"}}, ("", ""), "credential"),
    ("masked.service", {**service("service", "Nice", 1), "masked": True}, ("", ""), "masked"),
    ("both.service", {**service("service", "Nice", 1), "content": "[Service]\nNice=1"}, ("", ""), "content"),
    ("template@.service", {**service("service", "Nice", 1), "state": "started"}, ("", ""), "name its instances"),
    ("plain.service", {**service("service", "Nice", 1), "instances": ["x"]}, ("", ""), "instances"),
    ("slash@.service", {**service("service", "Nice", 1), "instances": ["a/b"]}, ("", ""), "escaped"),
    (
        "once.service",
        {**service("service", "Type", "oneshot"), "state": "started"},
        ("Service", "Type"),
        "run: on_change",
    ),
    (
        "mute.service",
        {**service("service", "Nice", 1), "on_change": "reload"},
        ("Service", "ExecReload"),
        "ExecReload=",
    ),
    ("bare.service", {**service("service", "Nice", 1), "enabled": True}, ("", ""), "[Install]"),
    ("some.scope", {"unit": {"Description": "x"}}, ("", ""), "dropin"),
    ("x.servcie", {"unit": {}}, ("", ""), ".service'?"),
    ("a b.service", {"unit": {}}, ("", ""), "escaped"),
    ("a/b.service", {"unit": {}}, ("", ""), "slash"),
    ("a\n.service", {"unit": {}}, ("", ""), "characters"),
    ("wait.service", {**service("service", "Nice", 1), "health": {"timeout": 0}}, ("", ""), "timeout"),
    ("port.service", {**service("service", "Nice", 1), "health": {"tcp": "localhost"}}, ("", ""), "HOST:PORT"),
]


@pytest.fixture(scope="module")
def verdict(host: Host) -> Result:
    """All mistakes declared at once, beside a unit without a mistake."""
    units: list[dict[str, Any]] = [{"name": f"refused-{suffix}", **entry} for suffix, entry, _place, _said in MISTAKES]
    units.append({"name": "refused-good.service", **service("service", "Nice", 1)})
    with untouched(host):
        return failed(host.module("stack", name="refused", units=units))


@pytest.mark.parametrize(("suffix", "place", "said"), [(each[0], each[2], each[3]) for each in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_mend(
    verdict: Result, suffix: str, place: tuple[str, str], said: str
) -> None:
    (error,) = (error for error in verdict["errors"] if error["unit"] == f"refused-{suffix}")
    assert (error["section"], error["directive"]) == place
    assert said in error["message"]
    assert error["rule"]
    assert error["message"] in verdict["msg"]


def test_a_unit_without_a_mistake_is_not_blamed_is_told_than_is_wrong(verdict: Result) -> None:
    assert len(verdict["errors"]) == len(MISTAKES)
    assert "refused-good.service" not in verdict["msg"]


def refused(stack: Stack, *units: dict[str, Any], **options: Any) -> Result:
    """The failed result, after seeing that the host is as it was before."""
    with untouched(stack.host):
        return stack.refused(*units, **options)


def test_a_directive_that_this_systemd_is_too_old_for(stack: Stack, version: int) -> None:
    if version >= 254:
        pytest.skip("this systemd has the directives that older ones lack")
    unit = stack.service(service={"RestartSteps": 3}, install={"UpheldBy": "multi-user.target"})
    result = refused(stack, unit)
    assert sorted(error["directive"] for error in result["errors"]) == ["RestartSteps", "UpheldBy"]
    assert all(f"this host has {version}" in error["message"] for error in result["errors"])


def test_a_stack_has_a_plain_name(stack: Stack) -> None:
    with untouched(stack.host):
        result = failed(stack.host.module("stack", name="../x", units=[stack.service()]))
    assert result["errors"][0]["rule"] == "stack-name"


def test_a_unit_declared_twice(stack: Stack) -> None:
    assert refused(stack, stack.service(), stack.service())["errors"][0]["rule"] == "duplicate"


def test_a_unit_that_is_nowhere(stack: Stack) -> None:
    result = refused(stack, {"name": stack.unit("ghost.service"), "state": "started"})
    assert result["errors"][0]["rule"] == "no-such-unit"


def test_a_oneshot_of_others_is_not_started_as_if_it_stayed_up(stack: Stack) -> None:
    name = stack.unit("job.service")
    stack.host.write(f"/run/systemd/system/{name}", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
    stack.host.sh("systemctl daemon-reload")
    (error,) = refused(stack, {"name": name, "state": "started"})["errors"]
    assert (error["unit"], error["section"], error["directive"]) == (name, "Service", "Type")
    assert "no state to hold" in error["message"]
    stack.host.sh(f"rm /run/systemd/system/{name}; systemctl daemon-reload")


def test_an_unknown_option_is_an_error(stack: Stack) -> None:
    with untouched(stack.host):
        result = stack.host.module("stack", name=stack.name, units=[{**stack.service(), "servcie": {}}])
    assert result["failed"]
    assert "servcie" in result["msg"]


def test_the_name_of_a_single_unit_is_too_long_to_be_remembered(stack: Stack) -> None:
    unit = stack.unit("x" * 200 + ".service")
    result = stack.host.module("dropin", name=unit, dropin="y" * 100, environment={"A": "1"})
    assert result["failed"]
    assert "bytes" in result["errors"][0]["message"]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be right in a declaration is refused with its place and mend, all at once, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import FOREVER, Entry, service
from .lab import Lab, Result


def given(section: str, directive: str, value: object) -> Entry:
    unit: Entry = {"service": {"ExecStart": FOREVER}}
    unit.setdefault(section, {})[directive] = value
    return unit


# suffix of the unit, its entry, (section, directive) of the error, a part of its message
MISTAKES: list[tuple[str, dict[str, Any], tuple[str, str], str]] = [
    ("near.service", given("service", "ExecStrat", "x"), ("Service", "ExecStrat"), "did you mean ExecStart?"),
    ("case.service", given("service", "execstart", "x"), ("Service", "execstart"), "is written ExecStart"),
    ("up.service", given("unit", "Restart", "no"), ("Unit", "Restart"), "belongs in [Service]"),
    ("in.service", given("service", "WantedBy", "x"), ("Service", "WantedBy"), "belongs in [Install]"),
    ("other.service", given("service", "OnCalendar", "daily"), ("Service", "OnCalendar"), "[Timer]"),
    (
        "limit.service",
        given("service", "StartLimitIntervalSec", "1"),
        ("Service", "StartLimitIntervalSec"),
        "[Unit]",
    ),
    ("none.service", given("service", "Fnord", "x"), ("Service", "Fnord"), "knows no 'Fnord'"),
    ("space.service", given("service", "User name", "x"), ("Service", "User name"), "knows no 'User name'"),
    ("on.service", given("service", "true", "x"), ("Service", "true"), "quote it"),
    ("text.service", {"content": "[Service]\nExecStart=/x\nRestrat=no\n"}, ("Service", "Restrat"), "Restart?"),
    ("garbage.service", {"content": "[Service]\nExecStart /x\n"}, ("", ""), "line 2"),
    ("headless.service", {"content": "ExecStart=/x\n"}, ("", ""), "line 1"),
    (
        "foreign.service",
        {**given("service", "User", "x"), "timer": {"OnCalendar": "x"}},
        ("Timer", "OnCalendar"),
        "[Timer]",
    ),
    ("foreign.target", {"service": {"ExecStart": "/x"}}, ("Service", "ExecStart"), "does not belong in a .target"),
    ("octal.service", given("service", "UMask", 63), ("Service", "UMask"), "quote it"),
    ("mode.service", given("service", "StateDirectoryMode", 493), ("Service", "StateDirectoryMode"), "quote it"),
    ("float.service", given("service", "CPUQuota", 0.5), ("Service", "CPUQuota"), 'write "50%"'),
    ("whole.service", given("service", "CPUQuota", 2), ("Service", "CPUQuota"), 'write "2%", or "200%"'),
    ("share.service", given("service", "CPUQuota", "0.5"), ("Service", "CPUQuota"), "in percent, such as 50%"),
    ("users.service", given("service", "User", ["daemon", "root"]), ("Service", "User"), "it holds one value"),
    ("limits.service", given("service", "MemoryMax", ["1G", "2G"]), ("Service", "MemoryMax"), "it holds one value"),
    ("inf.service", given("service", "LimitCORE", float("inf")), ("Service", "LimitCORE"), "'infinity'"),
    ("null.service", given("unit", "Description", None), ("Unit", "Description"), "leave it out"),
    ("truth.service", given("service", "User", True), ("Service", "User"), "quote it"),
    ("map.service", given("service", "ExecStart", {"a": "b"}), ("Service", "ExecStart"), "a mapping"),
    ("nested.service", given("service", "ExecStartPre", [["/x"]]), ("Service", "ExecStartPre"), "inside a list"),
    ("unset.service", given("service", "Environment", {"A": None}), ("Service", "Environment"), "null"),
    ("rounded.service", given("service", "Environment", {"A": 1.1}), ("Service", "Environment"), "quote it"),
    ("clock.timer", {"timer": {"OnCalendar": 750}}, ("Timer", "OnCalendar"), "quote it"),
    ("hours.timer", {"timer": {"OnCalendar": 12.3}}, ("Timer", "OnCalendar"), "quote it"),
    (
        "cron.timer",
        {"timer": {"OnCalendar": "0 2 * * *"}},
        ("Timer", "OnCalendar"),
        "'0 2 * * *' is a schedule of cron, which OnCalendar= does not take: write '*-*-* 02:00:00'",
    ),
    (
        "crons.timer",
        {"timer": {"OnCalendar": ["daily", "0 0 13 * 5"]}},
        ("Timer", "OnCalendar"),
        "write the list ['*-*-13 00:00:00', 'Fri *-*-* 00:00:00']",
    ),
    ("nick.timer", {"timer": {"OnCalendar": "@weekly"}}, ("Timer", "OnCalendar"), "write 'Sun *-*-* 00:00:00'"),
    ("boot.timer", {"timer": {"OnCalendar": "@reboot"}}, ("Timer", "OnCalendar"), "enable the service"),
    ("quartz.timer", {"timer": {"OnCalendar": "0 2 L * *"}}, ("Timer", "OnCalendar"), "'*-*~01'"),
    ("tab.timer", {"content": "[Timer]\nOnCalendar=@daily\n"}, ("Timer", "OnCalendar"), "write '*-*-* 00:00:00'"),
    ("line.service", given("unit", "Description", "a\nUser=root"), ("Unit", "Description"), "line break"),
    ("nul.service", given("unit", "Description", "a\0b"), ("Unit", "Description"), "U+0000"),
    ("end.service", given("unit", "Description", "a\\"), ("Unit", "Description"), "backslash"),
    ("edge.service", given("unit", "Description", " a"), ("Unit", "Description"), "white space"),
    ("block.service", given("unit", "Description", "a\n"), ("Unit", "Description"), "'>-'"),
    (
        "env1.service",
        {**given("service", "Nice", 1), "environment": {"A B": "x"}},
        ("Service", "Environment"),
        "environment variable",
    ),
    (
        "env2.service",
        {**given("service", "Nice", 1), "secrets": {"1A": "hush-hush"}},
        ("", ""),
        "environment variable",
    ),
    ("env3.target", {"unit": {}, "environment": {"A": "b"}}, ("", ""), "starts no process"),
    ("cred.service", {**given("service", "Nice", 1), "credentials": {"a/b": "hush-hush"}}, ("", ""), "credential"),
    ("masked.service", {**given("service", "Nice", 1), "masked": True}, ("", ""), "masked"),
    ("both.service", {**given("service", "Nice", 1), "content": "[Service]\nNice=1"}, ("", ""), "content"),
    ("template@.service", {**given("service", "Nice", 1), "state": "started"}, ("", ""), "name its instances"),
    ("plain.service", {**given("service", "Nice", 1), "instances": ["x"]}, ("", ""), "instances"),
    ("slash@.service", {**given("service", "Nice", 1), "instances": ["a/b"]}, ("", ""), "escaped"),
    (
        "once.service",
        {**given("service", "Type", "oneshot"), "state": "started"},
        ("Service", "Type"),
        "run: on_change",
    ),
    (
        "mute.service",
        {**given("service", "Nice", 1), "on_change": "reload"},
        ("Service", "ExecReload"),
        "ExecReload=",
    ),
    ("bare.service", {**given("service", "Nice", 1), "enabled": True}, ("", ""), "[Install]"),
    ("some.scope", {"unit": {"Description": "x"}}, ("", ""), "dropin"),
    ("x.servcie", {"unit": {}}, ("", ""), ".service'?"),
    ("a b.service", {"unit": {}}, ("", ""), "escaped"),
    ("in/folder.service", {"unit": {}}, ("", ""), "slash"),
    ("a\n.service", {"unit": {}}, ("", ""), "characters"),
    ("wait.service", {**given("service", "Nice", 1), "health": {"timeout": 0}}, ("", ""), "timeout"),
    ("port.service", {**given("service", "Nice", 1), "health": {"tcp": "localhost"}}, ("", ""), "HOST:PORT"),
]


@pytest.fixture(scope="module")
def verdict(host: Lab) -> Result:
    """All mistakes declared at once, beside a unit without a mistake."""
    units: list[Entry] = [{"name": f"refused-{suffix}", **entry} for suffix, entry, _place, _said in MISTAKES]
    units.append({"name": "refused-good.service", **given("service", "Nice", 1)})
    return host.refused(*units)


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


def test_a_directive_that_this_systemd_is_too_old_for(host: Lab) -> None:
    if host.systemd >= 254:
        pytest.skip("this systemd has the directives that older ones lack")
    unit = service(service={"RestartSteps": 3}, install={"UpheldBy": "multi-user.target"})
    result = host.refused(unit)
    assert sorted(error["directive"] for error in result["errors"]) == ["RestartSteps", "UpheldBy"]
    assert all(f"this host has {host.systemd}" in error["message"] for error in result["errors"])


def test_a_line_of_cron_in_a_dropin_is_refused_too(host: Lab) -> None:
    dropin = {"name": "some.timer", "dropin": "when", "timer": {"OnCalendar": ["", "30 2 * * mon-fri"]}}
    (error,) = host.refused(dropins=[dropin])["errors"]
    assert (error["unit"], error["rule"]) == ("some.timer", "calendar")
    assert "write 'Mon..Fri *-*-* 02:30:00'" in error["message"]


def test_a_stack_has_a_plain_name(host: Lab) -> None:
    result = host.refused(service(), name="../x")
    assert result["errors"][0]["rule"] == "stack-name"


def test_a_unit_declared_twice(host: Lab) -> None:
    assert host.refused(service(), service())["errors"][0]["rule"] == "duplicate"


def test_an_unknown_option_is_an_error(host: Lab) -> None:
    with host.untouched():
        result = host.attempt({**service(), "servcie": {}})
    assert result["failed"]
    assert "servcie" in result["msg"]


def test_the_name_of_a_single_unit_is_too_long_to_be_remembered(host: Lab) -> None:
    result = host.failing(module="dropin", name="x" * 200 + ".service", dropin="y" * 100, environment={"A": "1"})
    assert "bytes" in result["errors"][0]["message"]


@pytest.mark.parametrize("option", ["triggers", "secrets", "credentials"])
def test_an_option_that_a_unit_cannot_honour_is_refused_by_name(host: Lab, option: str) -> None:
    """It would be written, and never be in force."""
    value = {"values": ["1"]} if option == "triggers" else {"a": "some secret"}
    socket: Entry = {"name": "s.socket", "socket": {"ListenStream": "127.0.0.1:4713"}, option: value}
    timer: Entry = {"name": "t.timer", "timer": {"OnCalendar": "daily"}, option: value}
    for result in (
        host.refused(socket, timer),
        host.refused(dropins=[{**each, "dropin": "x"} for each in (socket, timer)]),
    ):
        assert [(error["unit"], error["rule"]) for error in result["errors"]] == [
            ("s.socket", "no-process"),
            ("t.timer", "no-process"),
        ]
        assert all(option in error["message"] for error in result["errors"])


def test_what_is_not_started_or_not_checked_is_said(host: Lab) -> None:
    refuses = service("refuses", unit={"RefuseManualStart": True})
    result = host.settled(refuses)
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [("refuses.service", "left-down")]
    assert host.apply({**refuses, "state": "present"})["unverified"] == []
    host.foreign("theirs.service", start=False)
    checked = {"name": "theirs.service", "dropin": "x", "environment": {"A": "1"}, "health": {"tcp": "127.0.0.1:9"}}
    result = host.settled(dropins=[checked], name="over")
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [("theirs.service", "not-checked")]


def test_a_mistake_is_told_with_the_option_that_it_comes_from(host: Lab) -> None:
    """Whoever finds it: our rules, or systemd."""
    wrong = service("two", service={"ExecStrat": "x"}), service("three", service={"Restart": "alwayz"})
    result = host.refused(
        service("one"), *wrong, dropins=[{"name": "one.service", "dropin": "x", "content": "[Foo]\nA=b"}]
    )
    paths = {error["path"] for error in result["errors"]}
    assert paths == {"units[1].service.ExecStrat", "units[2].service.Restart", "dropins[0].content"}
    assert all(any(line.endswith(f"({path})") for line in result["msg"].splitlines()) for path in paths)
    (error,) = host.refused(module="unit", **wrong[1])["errors"]
    assert error["path"] == "service.Restart"


@pytest.mark.parametrize("unit", ["init.scope", "session-1.scope"])
def test_a_section_without_an_option_is_one_of_text(host: Lab, unit: str) -> None:
    """The option scope of a module is another thing."""
    dropin = {"name": unit, "dropin": "a", "scope": {"TasksMax": 100}}
    for result in (host.refused(dropins=[dropin]), host.refused(module="dropin", **dropin)):
        assert "there is no option for the section [Scope]: write it as text, in the option content" in result["msg"]
        assert "indent it less" not in result["msg"]


def told(result: Result) -> set[tuple[str, str]]:
    """The option and the rule of each error, each of which is there once."""
    found = [(error["path"], error["rule"]) for error in result["errors"]]
    assert len(set(found)) == len(found), found
    return set(found)


def test_mistakes_that_different_steps_find_are_told_at_once(host: Lab) -> None:
    """Ansible's own check of options, what becomes of short forms, the options themselves, and systemd."""
    services: list[Entry] = [
        {
            "name": "a",
            "exec_start": FOREVER,
            "triggers": ["/etc/hosts"],
            "hardening": {"profile": "paranoid", "allow": ["nonsense"], "read_write_paths": ["data"]},
            "health": {"tcp": "8118", "command": ["a b"], "timeout": 0},
        },
        {"name": "b", "command": FOREVER, "environment": {"A": "b"}, "memory_max": "5x", "restart_sec": "5 weks"},
    ]
    timers: list[Entry] = [
        {"name": "c", "on_calendar": "dayly", "unit": "b", "usr": "x"},
        {"name": "d", "cron": "0 2 * * * root /bin/true", "accuracy_sec": "a fortnight", "timezone": "Europe/Paris"},
        {"name": "e", "on_calendar": "daily", "exec_start": "/bin/true", "nice": "99"},
    ]
    result = host.refused(
        {"name": "f.service", "unit": {"Requires": "b.service"}, "service": {"ExecStart": FOREVER, "Nice": 99}},
        services=services,
        timers=timers,
        defaults={"restart": "always", "alert": {"mial": "x"}},
        alerts={"ops": {"email": "a@b.c"}},
    )
    assert told(result) == {
        ("defaults.restart", "option"),
        ("services[0].triggers", "option"),
        ("services[0].hardening.profile", "option"),
        ("services[1].command", "option"),
        ("timers[0].usr", "option"),
        ("alerts.ops.email", "alert"),
        ("defaults.alert.mial", "alert"),
        ("services[0].hardening.allow[0]", "hardening"),
        ("services[0].hardening.read_write_paths[0]", "hardening"),
        ("services[0].health.tcp", "health-option"),
        ("services[0].health.command", "health-option"),
        ("services[0].health.timeout", "health-option"),
        ("services[1].memory_max", "verify"),
        ("services[1].restart_sec", "verify"),
        ("timers[0].on_calendar", "verify"),
        ("timers[1].cron", "cron"),
        ("timers[1].accuracy_sec", "verify"),
        ("timers[2].nice", "verify"),
        ("units[0].service.Nice", "verify"),
    }


def test_what_is_missing_and_what_is_doubtful_is_told_beside_them(host: Lab) -> None:
    units: list[Entry] = [
        {"name": "a.service", "service": {"ExecStart": FOREVER, "Tipe": "exec"}, "install": {"WantedBy": "multi-user"}},
        {"name": "b.path", "path": {"PathExists": "/srv/b"}},
        service("c", service={"User": "nobody-here"}),
        service("d", f"{FOREVER} &"),
    ]
    wrong = {("units[0].service.Tipe", "unknown-directive"), ("units[0].install.WantedBy", "install")}
    doubtful = {("units[2].service.User", "lacking"), ("units[3].service.ExecStart", "shell")}
    missing = {("units[1]", "starts-nowhere")}
    result = host.refused(*units)
    assert told(result) == {*wrong, *missing}
    assert {(each["path"], each["rule"]) for each in result["unverified"]} == doubtful
    assert len(result["warnings"]) == len(doubtful)
    result = host.refused(*units, check_mode=True)  # as it may come with an earlier task
    assert told(result) == wrong
    assert {(each["path"], each["rule"]) for each in result["unverified"]} == {*doubtful, *missing}


def test_what_an_entry_with_a_wrong_name_is_meant_for_is_not_missing(host: Lab) -> None:
    timer_ = {"name": "shop.timer", "timer": {"OnCalendar": "daily"}}
    result = host.refused({"name": "shop", "service": {"ExecStart": FOREVER}}, timer_)
    assert told(result) == {("units[0].name", "unit-name")}
    assert result["unverified"] == []


@pytest.mark.parametrize("given", ["b", "a.socket,b.socket", "x/y.service"])
def test_a_word_of_also_that_is_no_name_of_a_unit(host: Lab, given: str) -> None:
    result = host.refused(service("a", install={"WantedBy": "multi-user.target", "Also": given}))
    assert {path for path, _rule in told(result)} == {"units[0].install.Also"}


@pytest.mark.parametrize(
    ("module", "options", "path"),
    [
        ("service", {"commnd": FOREVER, "environment": {"A": "b"}, "secrets": {"B": "hidden"}}, "commnd"),
        ("service", {"exec_start": FOREVER, "restart": "alway", "start_limit_interval_sec": 10}, "restart"),
        ("timer", {"on_calender": "daily", "exec_start": "/bin/true", "timezone": "Europe/Paris"}, "on_calender"),
        ("timer", {"cron": "@reboot", "exec_strat": "/bin/true"}, "exec_strat"),
        ("socket", {"listen_strem": "/run/x", "exec_start": FOREVER}, "listen_strem"),
        ("unit", {"service": {"Type": "oneshot"}, "sevice": {"ExecStart": "/bin/true"}}, "sevice"),
    ],
)
def test_what_follows_from_a_mistake_is_not_told(host: Lab, module: str, options: Entry, path: str) -> None:
    name = "x.service" if module == "unit" else "x"
    assert told(host.refused(module=module, name=name, **options)) == {(path, "option")}


def test_nor_of_the_units_around_it(host: Lab) -> None:
    service_ = {"name": "a", "commnd": FOREVER}
    timers = [{"name": "t", "on_calendar": "daily", "unit": "a"}]
    targets = [{"name": "all", "members": ["a"]}]
    unit = service("b", unit={"Requires": "a.service", "After": "a.service"})
    result = host.refused(unit, services=[service_], timers=timers, targets=targets, prune=True)
    assert told(result) == {("services[0].commnd", "option")}

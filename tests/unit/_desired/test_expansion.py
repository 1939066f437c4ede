# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What short forms, defaults and instances with something of their own stand for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.expansion import expanded

Entry = dict[str, Any]
JOURNAL = {"SyslogIdentifier": "%N", "StandardOutput": "journal"}
FOREVER = {"StartLimitIntervalSec": 0}
AGAIN = {"Restart": "on-failure", "RestartSec": "5s"}
AT_BOOT = {"WantedBy": "multi-user.target"}


def units(**declaration: Any) -> dict[str, Entry]:
    """By name, without the name, of a declaration with nothing wrong."""
    params, problems = expanded({"name": "test", **declaration})
    assert [str(each) for each in problems] == []
    found = [*params["units"], *params["dropins"]]
    keys = [f"{each['name']}/{each['dropin']}" if "dropin" in each else each["name"] for each in found]
    assert len(set(keys)) == len(keys)
    return {
        key: {option: given for option, given in each.items() if option not in ("name", "dropin")}
        for key, each in zip(keys, found, strict=True)
    }


def wrong(**declaration: Any) -> list[tuple[str, str]]:
    """Unit and rule of what is wrong."""
    return [(each.unit, each.rule.id) for each in expanded({"name": "test", **declaration})[1]]


def test_a_service_has_the_defaults_of_one_that_shall_run() -> None:
    assert units(services=[{"name": "a", "exec_start": "/a"}]) == {
        "a.service": {"service": {"ExecStart": "/a", **JOURNAL, **AGAIN}, "unit": FOREVER, "install": AT_BOOT}
    }


@pytest.mark.parametrize(
    ("given", "service", "unit"),
    [
        ({"restart": "no"}, {"Restart": "no"}, None),
        ({"restart": "always"}, {"Restart": "always", "RestartSec": "5s"}, FOREVER),
        ({"service": {"Restart": False}}, {"Restart": False}, None),
        ({"restart_sec": 1}, {"RestartSec": 1, "Restart": "on-failure"}, FOREVER),
        ({"type": "oneshot"}, {"Type": "oneshot"}, None),
        ({"service": {"Type": "oneshot"}}, {"Type": "oneshot"}, None),
        (
            {"start_limit_burst": 3, "start_limit_interval_sec": "1h"},
            AGAIN,
            {"StartLimitBurst": 3, "StartLimitIntervalSec": "1h"},
        ),
    ],
)
def test_each_default_is_an_option_away(given: Entry, service: Entry, unit: Entry | None) -> None:
    made = units(services=[{"name": "a", "exec_start": "/a", **given}])["a.service"]
    assert made["service"] == {"ExecStart": "/a", **JOURNAL, **service}
    assert made.get("unit") == unit


@pytest.mark.parametrize(
    ("given", "install"),
    [
        ({"wanted_by": ["graphical.target"]}, {"WantedBy": "graphical.target"}),
        ({"install": {"Alias": "b.service"}}, {"Alias": "b.service", **AT_BOOT}),
        ({"install": {"RequiredBy": "b.target"}}, {"RequiredBy": "b.target"}),
        ({"run": "on_change"}, None),
    ],
)
def test_what_starts_a_service_at_boot(given: Entry, install: Entry | None) -> None:
    assert units(services=[{"name": "a", "exec_start": "/a", **given}])["a.service"].get("install") == install


def test_units_of_users_come_with_their_default_target() -> None:
    made = units(services=[{"name": "a", "exec_start": "/a"}], targets=[{"name": "t", "members": []}], scope="user")
    assert made["a.service"]["install"] == {"WantedBy": "default.target"}


@pytest.mark.parametrize(
    "starter",
    [
        {"timers": [{"name": "a", "on_calendar": "daily"}]},
        {"timers": [{"name": "b", "on_calendar": "daily", "unit": "a"}]},
        {"timers": [{"name": "b", "timer": {"OnCalendar": "daily", "Unit": "a.service"}}]},
        {"units": [{"name": "a.timer", "timer": {"OnCalendar": "daily"}}]},
        {"units": [{"name": "b.timer", "timer": {"OnCalendar": "daily", "Unit": "a.service"}}]},
    ],
)
def test_what_a_timer_starts_is_neither_restarted_nor_started_at_boot(starter: Entry) -> None:
    made = units(services=[{"name": "a", "exec_start": "/a"}], **starter)["a.service"]
    assert made == {"service": {"ExecStart": "/a", **JOURNAL}}


def test_what_a_socket_starts_is_restarted_and_not_started_at_boot() -> None:
    made = units(services=[{"name": "a", "exec_start": "/a"}], sockets=[{"name": "a", "listen_stream": 1}])
    assert made["a.service"] == {"service": {"ExecStart": "/a", **JOURNAL, **AGAIN}, "unit": FOREVER}
    text = {"socket": {"ListenStream": 1}, "install": {"WantedBy": "sockets.target"}}
    assert made["a.socket"] == {**text, "may_bring": True}


def test_a_service_that_nothing_is_said_of_but_its_state_has_no_text() -> None:
    given = {"name": "nginx", "state": "started", "enabled": True, "health": {"tcp": "127.0.0.1:80"}}
    assert units(services=[given], defaults={"environment": {"A": "1"}}) == {
        "nginx.service": {key: value for key, value in given.items() if key != "name"}
    }


@pytest.mark.parametrize("option", ["environment", "secrets", "triggers"])
def test_what_only_a_text_can_hold_reaches_a_service_without_one(option: str) -> None:
    """So that the rule about these says that a dropin is for the service of someone else."""
    assert units(services=[{"name": "nginx", option: {"A": "b"}}]) == {"nginx.service": {option: {"A": "b"}}}


def test_dependencies_are_wanted_and_ordered_and_add_up_with_those_given_besides() -> None:
    given = {"name": "a", "exec_start": "/a", "after": ["x.target"], "unit": {"Wants": ["y.target"]}}
    made = units(services=[{**given, "depends_on": ["redis", {"name": "db.service", "required": True}]}])
    assert made["a.service"]["unit"] == {
        "After": "x.target redis.service db.service",
        "Wants": ["y.target", "redis.service"],
        "Requires": "db.service",
        **FOREVER,
    }
    assert wrong(services=[{**given, "depends_on": [{"nam": "redis"}]}]) == [("a.service", "short-option")]


@pytest.mark.parametrize(
    "given",
    [
        {"restart": "always", "service": {"Restart": "no"}},
        {"argv": ["/a"], "exec_start": "/a"},
        {"argv": ["/a"], "service": {"ExecStart": "/a"}},
        {"wants": ["x.target"], "unit": {"Wants": "y.target"}},
        # By the name that it had before, and in the section that it was in.
        {"read_write_paths": "/a", "service": {"ReadWriteDirectories": "/b"}},
        {"start_limit_interval_sec": "1h", "service": {"StartLimitInterval": 0}},
    ],
)
def test_the_same_directive_both_ways_is_an_error(given: Entry) -> None:
    entry = {"name": "a", **({} if "argv" in given else {"exec_start": "/a"}), **given}
    assert wrong(services=[entry]) == [("a.service", "given-twice")]


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"cron": "0 2 * * *", "timer": {"OnCalendar": "daily"}}, "cron"),
        ({"on_calendar": "daily", "timezone": "UTC", "timer": {"OnCalendar": "weekly"}}, "on_calendar"),
        ({"on_calendar": "daily", "unit": "b", "timer": {"Unit": "c.service"}}, "unit"),
    ],
)
def test_what_is_said_both_ways_is_called_as_it_was_written(given: Entry, option: str) -> None:
    (problem,) = expanded({"name": "test", "timers": [{"name": "a", **given}]})[1]
    assert problem.message == f"it is given as {option} and as timer as well: leave out one of them"


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"start_limit_burst": 5}, True),
        ({"start_limit_burst": 5, "restart_sec": "1s"}, False),
        ({"start_limit_burst": 5, "restart_sec": "2s"}, True),
        ({"start_limit_interval_sec": "25s"}, True),
        ({"start_limit_interval_sec": "30s"}, False),
        ({"start_limit_interval_sec": 0}, False),
        ({"start_limit_burst": 5, "restart": "no"}, False),
        ({"start_limit_interval_sec": "infinity"}, False),
    ],
)
def test_a_start_limit_that_the_pause_never_reaches_is_refused(given: Entry, refused: bool) -> None:
    found = wrong(services=[{"name": "a", "exec_start": "/a", **given}])
    assert found == ([("a.service", "start-limit")] if refused else [])


def test_a_timer_brings_its_service() -> None:
    timer = {
        "name": "a",
        "description": "A",
        "on_calendar": "daily",
        "exec_start": "/a",
        "user": "u",
        "state": "stopped",
    }
    assert units(timers=[timer]) == {
        "a.service": {
            "unit": {"Description": "A"},
            "service": {"ExecStart": "/a", "User": "u", "Type": "oneshot", **JOURNAL},
        },
        "a.timer": {
            "unit": {"Description": "A"},
            "timer": {"OnCalendar": "daily"},
            "install": {"WantedBy": "timers.target"},
            "state": "stopped",
        },
    }
    assert wrong(timers=[{**timer, "unit": "b"}]) == [("a.timer", "timer-unit")]


@pytest.mark.parametrize(
    ("given", "calendars"),
    [
        ({"cron": "0 2 * * *"}, ["*-*-* 02:00:00"]),
        ({"cron": "@daily", "timezone": "UTC"}, ["*-*-* 00:00:00 UTC"]),
        ({"on_calendar": ["daily", "Fri 12:00"], "timezone": "UTC"}, ["daily UTC", "Fri 12:00 UTC"]),
    ],
)
def test_when_a_timer_elapses(given: Entry, calendars: list[str]) -> None:
    assert units(timers=[{"name": "a", "exec_start": "/a", **given}])["a.timer"]["timer"] == {"OnCalendar": calendars}


@pytest.mark.parametrize(
    "given",
    [
        {"cron": "* * *"},
        {"cron": "@daily", "on_calendar": "daily"},
        {"timezone": "UTC"},
        {"timezone": "no zone", "on_calendar": "daily"},
        {"cron": "@reboot", "on_boot_sec": 5},
    ],
)
def test_a_schedule_that_cannot_be_is_refused(given: Entry) -> None:
    assert wrong(timers=[{"name": "a", "exec_start": "/a", **given}]) == [("a.timer", "cron")]
    assert wrong(timers=[{"name": "a", "cron": "@reboot"}]) == [("a.timer", "cron")]


@pytest.mark.parametrize("given", [{"cron": "@daily"}, {"on_calendar": "daily"}])
def test_a_time_zone_that_cannot_be_is_named_by_its_option(given: Entry) -> None:
    (problem,) = expanded(
        {"name": "test", "timers": [{"name": "a", "exec_start": "/a", "timezone": "no zone", **given}]}
    )[1]
    assert problem.message.startswith("timezone: 'no zone' names no time zone")


def test_what_cron_does_at_boot_is_a_service_that_is_enabled_and_not_run() -> None:
    assert units(timers=[{"name": "a", "cron": "@reboot", "exec_start": "/a"}]) == {
        "a.service": {
            "service": {"ExecStart": "/a", "Type": "oneshot", **JOURNAL},
            "install": AT_BOOT,
            "state": "present",
            "enabled": True,
        }
    }


@pytest.mark.parametrize("name", ["a", "a@", "a@1", "a@.socket"])
@pytest.mark.parametrize("accept", [{"accept": True}, {"socket": {"Accept": "yes"}}, {"socket": {"Accept": ["yes"]}}])
def test_a_socket_that_accepts_brings_a_template_that_talks_to_each(name: str, accept: Entry) -> None:
    made = units(sockets=[{"name": name, "listen_stream": 1, "exec_start": "/a", **accept}])
    inetd = {"StandardInput": "socket", "StandardError": "journal"}
    assert made["a@.service"] == {"service": {"ExecStart": "/a", **inetd, "SyslogIdentifier": "%N"}}


@pytest.mark.parametrize(
    "declared",
    [
        {"sockets": [{"name": "a@", "listen_stream": "/run/%i", "exec_start": "/a"}]},
        {
            "services": [{"name": "a@", "exec_start": "/a"}],
            "units": [{"name": "a@.socket", "socket": {"ListenStream": "/run/%i"}}],
        },
    ],
)
def test_an_instance_for_each_socket_restarts_like_any_service(declared: Entry) -> None:
    made = units(**declared)
    assert made["a@.service"] == {"service": {"ExecStart": "/a", **JOURNAL, **AGAIN}, "unit": FOREVER}


def test_members_follow_their_target() -> None:
    made = units(
        services=[{"name": "a", "exec_start": "/a"}],
        units=[{"name": "b.service", "content": "[Service]\nExecStart=/b\n"}],
        targets=[{"name": "t", "members": ["a", "b.service", "c"]}],
    )
    assert made["t.target"] == {"unit": {"Wants": "a.service b.service c.service"}, "install": AT_BOOT}
    assert made["a.service"]["enabled"] is False
    assert "install" not in made["a.service"]
    assert made["b.service"]["enabled"] is False
    assert made["c.service"] == {"state": "started"}
    for member in "abc":
        assert made[f"{member}.service/50-t.target"] == {"unit": {"PartOf": "t.target"}}


@pytest.mark.parametrize(
    ("given", "ours", "theirs"),
    [
        ({"state": "started"}, {"enabled": False}, {"state": "started"}),
        ({"state": "stopped"}, {"enabled": False, "state": "stopped"}, {"enabled": False, "state": "stopped"}),
        ({"state": "present"}, {"enabled": False, "state": "present"}, {"state": "present"}),
        ({"enabled": False}, {"enabled": False}, {"enabled": False, "state": "started"}),
    ],
)
def test_the_state_of_a_member_is_that_of_its_target(given: Entry, ours: Entry, theirs: Entry) -> None:
    made = units(services=[{"name": "a", "exec_start": "/a"}], targets=[{"name": "t", "members": ["a", "c"], **given}])
    assert {key: each for key, each in made["a.service"].items() if key in ("state", "enabled")} == ours
    assert made["c.service"] == theirs


def test_of_two_targets_one_that_runs_is_enough() -> None:
    targets = [{"name": "t", "members": ["a"], "state": "stopped"}, {"name": "u", "members": ["a"]}]
    made = units(services=[{"name": "a", "exec_start": "/a"}], targets=targets)
    assert "state" not in made["a.service"]
    assert {"a.service/50-t.target", "a.service/50-u.target"} < set(made)


@pytest.mark.parametrize("own", [{"state": "started"}, {"enabled": True}])
def test_a_member_has_no_state_of_its_own(own: Entry) -> None:
    services = [{"name": "a", "exec_start": "/a", **own}]
    assert wrong(services=services, targets=[{"name": "t", "members": ["a"]}]) == [("a.service", "member-state")]


DEFAULTS = {
    "unit": {"Documentation": "man:a(1)"},
    "service": {"Restart": "always", "NoNewPrivileges": True},
    "environment": {"A": "1", "B": "1"},
    "secrets": {"S": "some secret"},
    "triggers": {"values": ["1"]},
    "health": {"stable_for": 1.0, "tcp": None},
}


def test_what_a_stack_says_for_all_services_comes_after_what_each_says() -> None:
    own = {"restart": "on-abort", "environment": {"B": "2"}, "triggers": {"files": ["/f"]}, "health": {"timeout": 9.0}}
    made = units(defaults=DEFAULTS, services=[{"name": "a", "exec_start": "/a", **own}])["a.service"]
    assert made["unit"] == {"Documentation": "man:a(1)", **FOREVER}
    assert made["service"] == {
        "ExecStart": "/a",
        "Restart": "on-abort",
        "NoNewPrivileges": True,
        **JOURNAL,
        "RestartSec": "5s",
    }
    assert made["environment"] == {"A": "1", "B": "2"}
    assert made["secrets"] == {"S": "some secret"}
    assert made["triggers"] == {"files": ["/f"], "values": ["1"]}
    assert made["health"] == {"stable_for": 1.0, "tcp": None, "timeout": 9.0}


def test_an_entry_may_do_without_some_of_it() -> None:
    without = ["service", "environment", "secrets", "triggers", "health"]
    made = units(defaults=DEFAULTS, services=[{"name": "a", "exec_start": "/a", "without": without}])["a.service"]
    assert made == {
        "unit": {"Documentation": "man:a(1)", **FOREVER},
        "service": {"ExecStart": "/a", **JOURNAL, **AGAIN},
        "install": AT_BOOT,
    }


def test_units_with_a_text_have_it_too_and_others_have_not() -> None:
    given = [
        {"name": "a.service", "service": {"ExecStart": "/a", "Restart": "no"}},
        {"name": "b.service", "content": "[Service]\nExecStart=/b\n"},
        {"name": "c.service", "state": "started"},
        {"name": "d.target", "unit": {"Description": "D"}},
    ]
    made = units(defaults=DEFAULTS, units=given)
    assert made["a.service"]["service"] == {"Restart": "no", "NoNewPrivileges": True, "ExecStart": "/a"}
    assert made["b.service"]["environment"] == {"A": "1", "B": "1"}
    assert set(made["b.service"]) == {"content", "environment", "secrets", "triggers", "health"}
    assert made["c.service"] == {"state": "started"}
    assert made["d.target"] == {"unit": {"Description": "D"}}


def test_what_a_timer_starts_has_all_but_restarts_and_health() -> None:
    made = units(defaults=DEFAULTS, timers=[{"name": "a", "on_calendar": "daily", "exec_start": "/a"}])
    assert made["a.service"]["service"] == {"ExecStart": "/a", "Type": "oneshot", "NoNewPrivileges": True, **JOURNAL}
    assert "health" not in made["a.service"]
    assert set(made["a.timer"]) == {"timer", "install"}


def test_instances_have_something_of_their_own() -> None:
    own = {
        "name": 2,
        "environment": {"PORT": "82"},
        "secrets": {"S": "some secret"},
        "state": "stopped",
        "enabled": False,
    }
    given = {"name": "a@", "exec_start": "/a %i", "health": {"tcp": "127.0.0.1:8%i"}, "instances": ["1", own]}
    made = units(services=[{**given, "triggers": {"files": ["/all", "/etc/%i.conf"], "values": ["100%%"]}}])
    template = made["a@.service"]
    assert template["instances"] == ["1", 2]
    assert template["of_instances"] == {
        "1": {"health": {"tcp": "127.0.0.1:81"}, "state": None, "enabled": None},
        "2": {"health": {"tcp": "127.0.0.1:82"}, "state": "stopped", "enabled": False},
    }
    assert template["triggers"] == {"files": ["/all"], "values": []}
    assert made["a@1.service/50-instance"] == {
        "triggers": {"files": ["/etc/1.conf"], "values": ["100%"]},
        "replace": False,
    }
    assert made["a@2.service/50-instance"]["environment"] == {"PORT": "82"}
    assert made["a@2.service/50-instance"]["secrets"] == {"S": "some secret"}


def test_the_name_of_an_instance_is_filled_into_what_it_has_of_its_own() -> None:
    triggers = {"files": ["/etc/%i.key"], "values": ["50%%"]}
    instance = {"name": "1", "triggers": triggers, "health": {"unix": "/run/%i.sock"}}
    given = {"name": "a@", "exec_start": "/a %i", "triggers": {"files": ["/etc/%i.conf"]}, "instances": [instance]}
    made = units(services=[given])
    assert made["a@1.service/50-instance"]["triggers"] == {
        "files": ["/etc/1.key", "/etc/1.conf"],
        "values": ["50%"],
    }
    assert made["a@.service"]["of_instances"]["1"]["health"] == {"unix": "/run/1.sock"}


def test_a_file_of_the_environment_that_the_instance_names_counts_for_that_alone() -> None:
    files = ["-/etc/%i.env", "/etc/all.env", "/run/%i.env", "/etc/%H-%i.env"]
    given = {"name": "a@", "exec_start": "/a %i", "environment_file": files, "instances": ["1", {"name": "2"}]}
    made = units(services=[given])
    assert {name: each["triggers"] for name, each in made.items() if "/" in name} == {
        "a@1.service/50-instance": {"of_template": ["/etc/1.env"]},
        "a@2.service/50-instance": {"of_template": ["/etc/2.env"]},
    }
    off = {"environment_files": False}
    assert set(units(services=[{**given, "triggers": off}])) == {"a@.service"}
    own = [{"name": "1", "triggers": off}, "2"]
    assert set(units(services=[{**given, "instances": own}])) == {"a@.service", "a@2.service/50-instance"}
    # Where nothing of it runs, nothing is restarted for it.
    assert set(units(services=[given], scope="global")) == {"a@.service"}


def test_instances_of_a_template_that_goes_have_nothing_of_their_own() -> None:
    sections = {"service": {"ExecStart": "/a", "EnvironmentFile": "/etc/%i.env"}, "instances": [{"name": "1"}]}
    assert set(units(units=[{"name": "a@.service", **sections, "state": "absent"}])) == {"a@.service"}


@pytest.mark.parametrize(
    ("instance", "rule"),
    [
        ({"nam": "1"}, "instance"),
        ({"name": "1", "health": "x y"}, "instance"),
        ({"name": "1", "state": "absent"}, "instance"),
    ],
)
def test_a_mapping_that_is_no_instance_is_refused(instance: Entry, rule: str) -> None:
    given = {"name": "a@", "exec_start": "/a %i", "instances": [instance]}
    assert {each[1] for each in wrong(services=[given])} == {rule}


@pytest.mark.parametrize(
    ("own", "within", "message"),
    [
        ({"stat": "started"}, ".stat", "there is no such option: did you mean state?"),
        ({"state": "startd"}, ".state", "reloaded, present: did you mean started?"),
        ({"http": "http://a"}, ".http", "it is an option of health: indent it below that"),
        ({"health": [1]}, ".health", "it takes a mapping, and not a list"),
    ],
)
def test_a_mistake_in_an_instance_has_its_path(own: Entry, within: str, message: str) -> None:
    given = {"name": "a@", "exec_start": "/a %i", "instances": ["1", {"name": "2", **own}]}
    (problem,) = expanded({"name": "test", "services": [given]})[1]
    assert (problem.unit, problem.option) == ("a@.service", f"instances[1]{within}")
    assert problem.message.startswith(f"instances[1]{within}: ")
    assert problem.message.endswith(message)


def test_what_is_not_filled_in_is_refused() -> None:
    given = {"name": "a@", "exec_start": "/a %i", "instances": ["1"], "health": {"http": "http://%H/a%20b"}}
    assert wrong(services=[given]) == [("a@1.service", "unfilled")] * 2


def test_a_stack_is_stopped_as_a_whole() -> None:
    made = units(
        state="stopped",
        services=[{"name": "a", "exec_start": "/a"}, {"name": "b", "exec_start": "/b", "state": "absent"}],
        targets=[{"name": "t", "members": ["a", "c"]}],
        units=[{"name": "m.service", "masked": True}],
    )
    states = {
        name: made[f"{name}"].get("state") for name in ("a.service", "b.service", "c.service", "t.target", "m.service")
    }
    assert states == {
        "a.service": "stopped",
        "b.service": "absent",
        "c.service": "stopped",
        "t.target": "stopped",
        "m.service": None,
    }


@pytest.mark.parametrize(
    "gone",
    [
        {"timers": [{"name": "a", "state": "absent"}]},
        {"sockets": [{"name": "a", "state": "absent"}]},
        {"units": [{"name": "a.timer", "state": "absent"}]},
    ],
)
def test_what_is_to_be_removed_starts_nothing(gone: Entry) -> None:
    made = units(services=[{"name": "a", "exec_start": "/a"}], **gone)
    assert made["a.service"] == {
        "service": {"ExecStart": "/a", **JOURNAL, **AGAIN},
        "unit": FOREVER,
        "install": AT_BOOT,
    }


def test_an_absent_target_has_no_members() -> None:
    target = {"name": "t", "members": ["a"], "state": "absent"}
    made = units(services=[{"name": "a", "exec_start": "/a"}], targets=[target])
    assert "enabled" not in made["a.service"]
    assert set(made) == {"a.service", "t.target"}


@pytest.mark.parametrize(("form", "own"), [("services", {"exec_start": "/a"}), ("timers", {"on_calendar": "daily"})])
def test_an_empty_list_of_what_starts_it_is_taken_at_its_word(form: str, own: Entry) -> None:
    made = units(**{form: [{"name": "a", "wanted_by": [], **own}]})
    assert all("install" not in each for each in made.values())


def test_a_timer_of_which_only_the_state_is_said_has_no_text() -> None:
    given = {"state": "stopped", "enabled": False, "masked": True}
    assert units(timers=[{"name": "a", **given}]) == {"a.timer": given}


@pytest.mark.parametrize(
    "given", [{"persistent": True}, {"timezone": "UTC"}, {"unit": {"After": "x.target"}}, {"instances": ["1"]}]
)
def test_what_is_for_a_timer_alone_is_refused_for_what_runs_at_boot(given: Entry) -> None:
    (problem,) = expanded({"name": "test", "timers": [{"name": "a", "cron": "@reboot", "exec_start": "/a", **given}]})[
        1
    ]
    assert (problem.unit, problem.rule.id) == ("a.timer", "cron")
    assert problem.option in given  # which is the one to leave out


def test_what_runs_at_boot_may_say_what_starts_it() -> None:
    job = {"name": "a", "cron": "@reboot", "exec_start": "/a", "documentation": "man:a(1)", "wanted_by": ["x.target"]}
    made = units(timers=[job])["a.service"]
    assert made["install"] == {"WantedBy": "x.target"}
    assert made["unit"] == {"Documentation": "man:a(1)"}


@pytest.mark.parametrize("unit", [["x.service"], 5])
def test_the_unit_of_a_timer_is_a_name_or_a_mapping(unit: object) -> None:
    assert wrong(timers=[{"name": "a", "on_calendar": "daily", "unit": unit}]) == [("a.timer", "timer-unit")]


def test_a_dependency_is_required_however_ansible_spells_it() -> None:
    given = [{"name": "a", "required": "true"}, {"name": "b", "required": "no"}]
    made = units(services=[{"name": "x", "exec_start": "/x", "depends_on": given}])["x.service"]["unit"]
    assert (made["Requires"], made["Wants"]) == ("a.service", "b.service")
    nameless = {"name": "x", "exec_start": "/x", "depends_on": [{"name": ""}]}
    assert wrong(services=[nameless]) == [("x.service", "short-option")]


@pytest.mark.parametrize(
    "socket",
    [
        {"sockets": [{"name": "a", "listen_stream": 1, "accept": True}]},
        {"units": [{"name": "a.socket", "socket": {"ListenStream": 1, "Accept": True}}]},
        {"units": [{"name": "a.socket", "content": "[Socket]\nListenStream=1\nAccept=yes\n"}]},
    ],
)
def test_what_a_socket_starts_for_each_connection_is_not_restarted(socket: Entry) -> None:
    made = units(services=[{"name": "a@", "exec_start": "/a"}], **socket)["a@.service"]
    assert made == {"service": {"ExecStart": "/a", **JOURNAL}}


def test_the_service_that_the_text_of_a_timer_names_is_not_restarted() -> None:
    timer = {"name": "b.timer", "content": "[Timer]\nOnCalendar=daily\nUnit=a.service\n"}
    assert "Restart" not in units(services=[{"name": "a", "exec_start": "/a"}], units=[timer])["a.service"]["service"]


def test_the_old_spelling_of_a_start_limit_is_one_too() -> None:
    given = {"name": "a", "exec_start": "/a", "unit": {"StartLimitInterval": 60}}
    assert units(services=[given])["a.service"]["unit"] == {"StartLimitInterval": 60}


def test_instances_are_members_too() -> None:
    workers = {"name": "w@", "exec_start": "/w", "instances": ["1", "2", "3"]}
    made = units(services=[workers], targets=[{"name": "t", "members": ["w@1", "w@2", "w@1.service"]}])
    assert made["t.target"]["unit"] == {"Wants": "w@1.service w@2.service"}
    enabled = {key: each["enabled"] for key, each in made["w@.service"]["of_instances"].items()}
    assert enabled == {"1": False, "2": False, "3": None}
    assert {key for key in made if "/" in key} == {"w@1.service/50-t.target", "w@2.service/50-t.target"}
    assert wrong(services=[workers], targets=[{"name": "t", "members": ["w@"]}]) == [("t.target", "member-template")]


def test_a_stopped_stack_stays_down_at_boot_but_for_what_is_not_ours() -> None:
    made = units(
        state="stopped",
        services=[{"name": "a", "exec_start": "/a", "enabled": True}, {"name": "theirs", "state": "started"}],
        timers=[{"name": "b", "cron": "@reboot", "exec_start": "/b"}],
    )
    enabled = {name: each.get("enabled") for name, each in made.items()}
    assert enabled == {"a.service": False, "b.service": False, "theirs.service": None}


def test_environment_files_stay_switched_off() -> None:
    off = {"environment_files": False}
    services = [{"name": "a", "exec_start": "/a", "triggers": off}, {"name": "b", "exec_start": "/b"}]
    made = units(services=services, defaults={"triggers": {"values": ["1"]}})
    assert made["a.service"]["triggers"] == {"files": [], "values": ["1"], "environment_files": False}
    made = units(services=[services[1]], defaults={"triggers": off})
    assert made["b.service"]["triggers"]["environment_files"] is False
    template = {"name": "w@", "exec_start": "/w", "triggers": off, "instances": [{"name": "1", "state": "stopped"}]}
    assert units(services=[template])["w@.service"]["triggers"]["environment_files"] is False


def test_defaults_know_what_starts_a_service() -> None:
    defaults = {"service": {"Restart": "always"}, "health": {"tcp": "127.0.0.1:1"}}
    timer = {"name": "a.timer", "timer": {"OnCalendar": "daily"}}
    timed = units(units=[{"name": "a.service", "service": {"ExecStart": "/a"}}, timer], defaults=defaults)
    assert timed["a.service"] == {"service": {"ExecStart": "/a"}}
    own: Entry = {"services": [{"name": "a", "exec_start": "/a", "depends_on": ["b"]}]}
    assert "health" not in units(**own, sockets=[{"name": "a", "listen_stream": 1}], defaults=defaults)["a.service"]
    oneshot = units(**own, defaults={"service": {"Type": "oneshot"}})["a.service"]["service"]
    assert oneshot == {"ExecStart": "/a", "Type": "oneshot", **JOURNAL}
    after = units(**own, defaults={"unit": {"After": "network.target"}})["a.service"]["unit"]["After"]
    assert after == "network.target b.service"


ALERT = {"command": ["/bin/true"]}


@pytest.mark.parametrize(
    ("given", "template"),
    [
        ({"name": "shop"}, "shop-alert@.service"),
        ({"name": "shop.service"}, "shop.service-alert@.service"),
        ({"name": "worker@.service"}, "worker-.service-alert@.service"),
    ],
)
def test_the_template_of_alerts_is_of_a_name_of_its_own(given: Entry, template: str) -> None:
    params, problems = expanded({**given, "services": [{"name": "worker@", "exec_start": "/w", "alert": ALERT}]})
    assert problems == []
    assert [each["name"] for each in params["units"]] == ["worker@.service", template]
    assert params["dropins"][0]["unit"] == {"OnFailure": template.replace("@", "@%n")}


@pytest.mark.parametrize(
    "alert",
    [
        {},
        {"webhook": "https://host/a b"},
        {"webhook": "https://host:80x/"},
        {"webhook": "https:///path"},
        {"mail": "two of@them"},
        {"command": ["/a"], "journal": "no"},
        "https://host/secret",
    ],
)
def test_an_alert_that_cannot_be_sent_is_refused_without_its_address(alert: Any) -> None:
    _params, problems = expanded({"name": "test", "services": [{"name": "a", "exec_start": "/a", "alert": alert}]})
    assert [each.rule.id for each in problems] == ["alert"]
    assert "host" not in str(problems[0])


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        (ALERT, (("a.service", "/bin/true"),)),
        ({"mail": "root"}, (("a.service", "/usr/sbin/sendmail"),)),
        ("x", (("a.service", "/bin/tell"),)),
        ({"webhook": "https://host/"}, None),
    ],
)
def test_who_tells_of_a_service(alert: Any, expected: Any) -> None:
    services = [{"name": "a", "exec_start": "/a", "alert": alert}, {"name": "b", "state": "absent", "alert": alert}]
    params, _problems = expanded({"name": "test", "services": services, "alerts": {"x": {"command": ["/bin/tell"]}}})
    assert params.get("tellers") == expected


def test_an_alert_goes_to_a_local_mailbox_too() -> None:
    made = units(services=[{"name": "a", "exec_start": "/a", "alert": {"mail": "root"}}])
    config = json.loads(made["test-alert@.service"]["secrets"]["ALERT_CONFIG"])
    assert (config["units"], config["alerts"]) == ({"a.service": "a.service"}, {"a.service": {"mail": "root"}})


def test_too_much_for_one_variable_is_refused() -> None:
    services = [{"name": f"a{number}", "exec_start": "/a", "alert": "x"} for number in range(9000)]
    assert wrong(services=services, alerts={"x": ALERT}) == [("", "alert")]


def hardenings(**declaration: Any) -> dict[str, Any]:
    """What the drop-ins that harden services ask for, by unit."""
    given, problems = expanded(declaration)
    assert problems == []
    return {each["name"]: each["hardening"] for each in given["dropins"] if each["dropin"] == "60-hardening"}


def test_hardening_is_a_drop_in_beside_the_service() -> None:
    strict = {"profile": "strict"}
    found = hardenings(
        services=[{"name": "a", "exec_start": "/bin/a", "hardening": strict}, {"name": "nginx", "hardening": strict}],
        timers=[{"name": "b", "on_calendar": "daily", "exec_start": "/bin/b", "hardening": strict}],
        sockets=[{"name": "c", "listen_stream": ["1"], "exec_start": "/bin/c", "hardening": strict}],
        units=[
            {"name": "d@.service", "content": "[Service]\nExecStart=/bin/d\n", "hardening": strict},
            {"name": "e.service", "state": "absent", "hardening": strict},
            {"name": "f.timer", "timer": {"OnCalendar": "daily"}, "hardening": strict},
        ],
    )
    assert found == dict.fromkeys(["d@.service", "a.service", "nginx.service", "b.service", "c.service"], strict)


def test_hardening_of_a_whole_stack() -> None:
    general = {"profile": "standard", "max_exposure": 3.0}
    own = {"profile": "strict", "allow": ["jit"], "max_exposure": None}
    found = hardenings(
        defaults={"hardening": general},
        services=[
            {"name": "a", "exec_start": "/bin/a"},
            {"name": "b", "exec_start": "/bin/b", "hardening": own},
            {"name": "c", "exec_start": "/bin/c", "without": ["hardening"]},
            {"name": "nginx", "state": "started"},
        ],
    )
    assert found == {"a.service": general, "b.service": {**own, "max_exposure": 3.0}}


@pytest.mark.parametrize(
    ("form", "entry"),
    [
        ("services", {}),
        ("targets", {}),
        ("timers", {}),
        ("timers", {"exec_start": "/a"}),
        ("timers", {"exec_start": "/a", "state": "started"}),
        ("sockets", {}),
        ("sockets", {"exec_start": "/a"}),
    ],
)
def test_an_entry_that_says_too_little_is_refused(form: str, entry: Entry) -> None:
    assert wrong(**{form: [{"name": "a", **entry}]}) == [(f"a.{form[:-1]}", "short-option")]


def test_a_target_whose_members_are_none_is_one_all_the_same() -> None:
    assert units(targets=[{"name": "t", "members": []}]) == {"t.target": {"install": AT_BOOT}}


@pytest.mark.parametrize(
    ("more", "told"), [({}, "alone; what it runs goes to exec_start, and as whom"), ({"exec_start": "/x"}, "alone")]
)
def test_a_whole_line_of_cron_is_told_where_its_command_goes(more: Entry, told: str) -> None:
    _params, problems = expanded({"name": "shop", "timers": [{"name": "a", "cron": "0 2 * * * root /x", **more}]})
    assert [told in each.message and ("exec_start" in each.message) == (not more) for each in problems] == [True]


def test_a_calendar_in_the_place_of_a_line_of_cron_is_told() -> None:
    timer = {"name": "a", "cron": "*-*-* 02:00:00", "exec_start": "/a"}
    _params, problems = expanded({"name": "test", "timers": [timer]})
    assert "a calendar of systemd goes to on_calendar" in str(problems[0])


def test_a_command_line_in_the_place_of_words_is_refused() -> None:
    assert wrong(services=[{"name": "a", "argv": ["/bin/sleep infinity"]}]) == [("a.service", "short-option")]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible refuses of options is told with its unit, its place and what may be meant; and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.playbook.task import Task
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.familiar import KEYWORDS
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.mistakes import mistakes, path_of
from ansible_collections.unitwright.systemd.plugins.module_utils._run.arguments import wrong
from ansible_collections.unitwright.systemd.plugins.module_utils._run.front import problem_lines
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.values import WRITTEN

MODULE = "unitwright.systemd.stack"


def is_refused(spec: dict[str, Any], given: dict[str, Any]) -> bool:
    try:
        return bool(ArgumentSpecValidator(spec).validate(given).error_messages)
    except TypeError:  # for all its checks, of numbers in the place of mappings
        return True


def told(spec: dict[str, Any], given: dict[str, Any]) -> dict[str, str]:
    """The messages by their paths, of what Ansible refuses as well."""
    found = mistakes(spec, given, MODULE)
    assert bool(found) == is_refused(spec, given)
    return {path_of(each.steps): each.message for each in found}


def in_service(**entry: Any) -> dict[str, str]:
    """The messages for an entry of services, by the paths within it."""
    found = told(options.stack(), {"name": "shop", "services": [{"name": "web", **entry}]})
    return {path.partition(".")[2]: message for path, message in found.items()}


@pytest.mark.parametrize(
    ("entry", "path", "message"),
    [
        ({"wroking_directory": "/srv"}, "", "there is no such option: did you mean working_directory?"),
        ({"ExecStart": "/x"}, "", "there is no such option: did you mean exec_start?"),
        ({"LimitNOFILE": 1}, "", "there is no such option: did you mean limit_nofile?"),
        ({"zzzzz": 1}, "", f"there is no such option: ansible-doc {MODULE} has all that there are"),
        ({"health": None, "stable_for": 3}, "stable_for", "it is an option of health: indent it below that"),
        ({"health": None, "stable_fro": 3}, "stable_fro", "there is no such option: did you mean health.stable_for?"),
        ({"max_exposure": 3}, "", "it is an option of hardening: indent it below that"),
        ({"health": {"enabled": True}}, "health.enabled", "it is an option of services[0]: indent it less"),
        ({"health": {"prune": True}}, "health.prune", "it is an option of the module itself: indent it less"),
        ({"hardening": {"zzzzz": 1}}, "hardening.zzzzz", "there is no such option: there are profile, allow, "),
        ({"restart": "on-faliure"}, "", "on-watchdog: did you mean on-failure?"),
        ({"restart": None}, "", "it is empty: leave it out, or give one of no, always, "),
        ({"restart": "xyz"}, "", "'xyz' is none of no, always, "),
        ({"remain_after_exit": "yse"}, "", "it takes true or false, and not 'yse': did you mean yes?"),
        ({"remain_after_exit": ["yes"]}, "", "it takes true or false, and not a list"),
        ({"enabled": "maybe"}, "", "it takes true or false, and not 'maybe'"),
        ({"replace": None}, "", "it takes true or false, and there is nothing"),
        ({"health": {"stable_for": "3s"}}, "health.stable_for", "it takes a number, and not '3s'"),
        ({"health": [1]}, "", "it takes a mapping, and not a list"),
        ({"environment": "hidden"}, "", "it takes a mapping, and not a single value: write {NAME: VALUE}"),
        ({"environment": ["A=1"]}, "", "it takes a mapping, and not a list: write {NAME: VALUE}"),
        ({"hardening": "strict"}, "", "it takes a mapping, and not a single value: write {profile: strict}"),
        ({"hardening": "strcit"}, "", "not a single value, of profile, allow, read_write_paths, max_exposure"),
        ({"health": "http://localhost"}, "", "a single value, of stable_for, timeout, tcp, unix, http, command"),
        ({"triggers": {"files": {"a": 1}}}, "triggers.files", "it takes a list, and not a mapping"),
        ({"command": "/x"}, "", "there is no such option: did you mean exec_start?"),
        ({"exec_start": "/x", "command": "/x"}, "command", "it is an option of health: indent it below that"),
        ({"health": {}, "env": {"A": "b"}}, "env", "there is no such option: did you mean environment?"),
        ({"cwd": "/srv"}, "", "there is no such option: did you mean working_directory?"),
        ({"wantedby": "x"}, "", "there is no such option: did you mean wanted_by?"),
        ({"become": True}, "", "it is a keyword of the task: put it beside the module's name"),
        ({"with_items": []}, "", "it is a keyword of the task: put it beside the module's name"),
        ({"timeout": 3}, "", "it is an option of health: indent it below that"),
        ({"daemon_reload": True}, "", "it is not needed, as the module has systemd read its files again where they"),
        ({"no_block": True}, "", "it is not needed, as the module waits until its units are up"),
        ({"health": {"url": "http://a"}}, "health.url", "there is no such option: did you mean http?"),
        ({"health": {"cmd": ["a"]}}, "health.cmd", "there is no such option: did you mean command?"),
        ({"triggers": {"file": "/a"}}, "triggers.file", "there is no such option: did you mean files?"),
        ({"hardening": {"level": "strict"}}, "hardening.level", "there is no such option: did you mean profile?"),
        ({"src": "a.service.j2"}, "", "an entry of units has its text in content"),
        ({"template": "a.service.j2"}, "", "lookup('template', 'NAME.service.j2')"),
        ({"state": "running"}, "", "present, absent: did you mean started?"),
        ({"state": "ops.service"}, "", "present, absent"),
        ({"without": ["helth"]}, "without[0]", "hardening: did you mean health?"),
    ],
)
def test_a_mistake_in_an_entry(entry: dict[str, Any], path: str, message: str) -> None:
    found = in_service(**entry)
    ((where, said),) = found.items()
    assert where == (path or next(iter(entry)))
    assert message in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (
            {"state": "started"},
            "state",
            "'started' is none of present, stopped, restarted, absent: did you mean present?",
        ),
        ({"state": "running"}, "state", ": did you mean present?"),
        ({"services": {"web": {}}}, "services", 'it takes a list, and not a mapping: each entry begins with "- name:"'),
    ],
)
def test_a_mistake_in_what_is_of_the_stack(given: dict[str, Any], path: str, message: str) -> None:
    ((where, said),) = told(options.stack(), {"name": "shop", **given}).items()
    assert where == path
    assert said.endswith(message)


def test_what_belongs_to_a_target_by_another_name() -> None:
    for key in ("units", "services"):
        given = {"name": "shop", key: ["web"]}
        assert told(options.target(), given) == {key: "there is no such option: did you mean members?"}


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"restart": False},
        {"health": None, "user": None, "environment": None},
        {"enabled": "yes", "remain_after_exit": 1},
        {"wants": "a,b", "name": 5},
        {"health": '{"stable_for": 3}'},
        {"health": {"stable_for": "3"}},
        {"secrets": "text", "alert": {"zzz": 1}, "instances": [{"zzz": 1}]},
    ],
)
def test_what_ansible_takes_is_no_mistake(entry: dict[str, Any]) -> None:
    assert in_service(**entry) == {}


def test_what_is_missing() -> None:
    assert told(options.stack(), {}) == {"": "name is missing: give it"}
    given = {"name": "shop", "services": [{"nmae": "web"}], "dropins": [{"name": "a.service"}, None], "units": 3}
    assert told(options.stack(), given) == {
        "services[0]": "name is missing: give it",
        "services[0].nmae": "there is no such option: did you mean name?",
        "dropins[0]": "dropin is missing: give it",
        "dropins[1]": "it takes a mapping, and there is nothing",
        "units[0]": "it takes a mapping, and not a single value",
    }


def test_all_at_once_with_their_units() -> None:
    given: dict[str, Any] = {
        "_ansible_check_mode": True,
        "name": "shop",
        "sevices": [],
        "services": [{"name": "web", "usr": "a", "grup": "a"}, {"name": "b.service", "restart": "x"}],
        "timers": [{"name": "nightly", "persistent": "yse"}, {"name": "odd.service", "persistent": "yse"}],
        "units": [{"name": "c.path", "enabled": "maybe"}],
        "defaults": {"helth": {}},
    }
    lines, errors = problem_lines(wrong(options.stack(), given, MODULE).problems, given)
    assert sorted(lines) == sorted(
        [
            "sevices: there is no such option: did you mean services?",
            "web.service: services[0].usr: there is no such option: did you mean user?",
            "web.service: services[0].grup: there is no such option: did you mean group?",
            *(line for line in lines if line.startswith("b.service: services[1].restart: 'x' is none of no, always")),
            "nightly.timer: timers[0].persistent: it takes true or false, and not 'yse': did you mean yes?",
            "odd.service: timers[1].persistent: it takes true or false, and not 'yse': did you mean yes?",
            "c.path: units[0].enabled: it takes true or false, and not 'maybe'",
            "defaults.helth: there is no such option: did you mean health?",
        ]
    )
    assert errors[1] == {
        "unit": "web.service",
        "section": "",
        "directive": "",
        "rule": "option",
        "message": "there is no such option: did you mean user?",
        "path": "services[0].usr",
    }


def test_a_module_of_one_unit() -> None:
    given = {"name": "a.service", "ExecStart": "/x"}
    lines, errors = problem_lines(wrong({**options.unit(), **options.host()}, given, MODULE).problems, given)
    (line,) = lines
    assert line == "a.service: ExecStart: there is no such option here: write service: {ExecStart: ...}"
    assert [error["path"] for error in errors] == ["ExecStart"]


@pytest.mark.parametrize(
    ("place", "key", "message"),
    [
        ("defaults", "restart", "there is no such option here: write service: {Restart: ...}"),
        ("defaults", "usr", "there is no such option here: write service: {User: ...}"),
        ("units", "exec_start", "there is no such option here: write service: {ExecStart: ...}"),
        ("units", "on_calender", "there is no such option here: write timer: {OnCalendar: ...}"),
        ("dropins", "memory_max", "there is no such option here: write service: {MemoryMax: ...}"),
    ],
)
def test_a_short_option_where_only_sections_are(place: str, key: str, message: str) -> None:
    entry = {key: "x"} if place == "defaults" else [{"name": "a.service", "dropin": "b", key: "x"}]
    if place == "units":
        del entry[0]["dropin"]  # type: ignore[index]
    (found,) = told(options.stack(), {"name": "shop", place: entry}).values()
    assert found == message


def rest(**given: Any) -> Any:
    return wrong(options.stack(), {"name": "shop", **given}, MODULE).rest


def test_the_rest_is_without_what_is_wrong() -> None:
    given = {
        "services": [{"name": "web", "usr": "a", "user": "b", "health": {"tcp": "x", "htpt": "y"}}, {"name": "b"}],
        "timers": [{"name": "job", "cron": "0 2 * * *", "supplementary_groups": ["a", {WRITTEN: ["010", "8"]}]}],
        "defaults": {"restart": "always", "environment": {"A": "b"}},
        "_ansible_verbosity": 0,
    }
    assert rest(**given) == {
        "name": "shop",
        "services": [{"name": "web", "user": "b", "health": {"tcp": "x"}}, {"name": "b"}],
        "timers": [{"name": "job", "cron": "0 2 * * *"}],
        "defaults": {"environment": {"A": "b"}},
        "_ansible_verbosity": 0,
    }
    assert given["services"][0]["usr"] == "a"


@pytest.mark.parametrize(
    "given",
    [
        {"sevices": []},
        {"services": {}},
        {"services": [{"nam": "web"}]},
        {"services": ["web"]},
        {"services": [{"name": {WRITTEN: ["010", "8"]}}]},
        {"dropins": [{"name": "a.service"}]},
        {"scope": "sytem"},
        {"prune": "yse"},
    ],
)
def test_there_is_no_rest_where_it_would_be_of_something_else(given: dict[str, Any]) -> None:
    assert rest(**given) is None


def test_of_which_units_something_is_missing() -> None:
    entries: dict[str, Any] = {
        "services": [{"name": "web"}],
        "timers": [{"name": "job"}],
        "units": [{"name": "a.path"}],
    }
    of_job = {"job.timer", "job.service"}
    given = {**entries, "timers": [{"name": "job", "usr": "a"}], "name": "shop"}
    assert wrong(options.stack(), given, MODULE).faulty == of_job
    given = {**entries, "defaults": {"restart": "always"}, "name": "shop"}
    assert wrong(options.stack(), given, MODULE).faulty == {*of_job, "web.service", "a.path"}
    given = {"sockets": [{"name": "each@", "usr": "a"}], "name": "shop"}
    assert wrong(options.stack(), given, MODULE).faulty == {"each@.socket", "each@.service"}
    timer = {**options.timer(), **options.host()}
    assert wrong(timer, {"name": "job", "usr": "a"}, "unitwright.systemd.timer").faulty == of_job


def test_other_names_of_options_are_known() -> None:
    assert told(options.info(), {"name": ["a"], "scope": "system"}) == {}
    assert list(told(options.info(), {"name": ["a"], "types": ["servce"]})) == ["types[0]"]


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (
            {"services": [{"name": "web"}], "environment": {"A": "b"}},
            "environment",
            "it is an option of services[0]: indent it below that",
        ),
        (
            {"services": [{"name": "web"}, {"name": "b"}], "environment": {}},
            "environment",
            "it is an option of an entry of services: indent it below that",
        ),
        (
            {"services": [{"name": "web"}], "timers": [{"name": "b"}], "exec_start": "/x"},
            "exec_start",
            "it is an option of an entry of services or timers: indent it below that",
        ),
        (
            {"services": [{"name": "web"}], "health": {"http": "http://x/"}},
            "health.http",
            "it is an option of health of services[0]: indent health below that",
        ),
        (
            {"timers": [{"name": "web"}], "on_calendar": "daily"},
            "on_calendar",
            "it is an option of timers[0]: indent it below that",
        ),
        ({"on_calendar": "daily"}, "on_calendar", "it is an option of an entry of timers: indent it below that"),
    ],
)
def test_an_option_of_an_entry_that_stands_beside_the_list(given: dict[str, Any], path: str, message: str) -> None:
    ((where, said),) = told(options.stack(), {"name": "shop", **given}).items()
    assert where == path
    assert message in said


def test_each_keyword_is_one_of_a_task() -> None:
    assert set(Task.fattributes) >= KEYWORDS


@pytest.mark.parametrize(
    ("value", "more"),
    [("ops.service", "is named by unit: {OnFailure: ops.service}, or see alert"), ("kep", "mean keep?")],
)
def test_a_unit_where_what_follows_a_failed_run_is_asked(value: str, more: str) -> None:
    (message,) = told(options.stack(), {"name": "shop", "on_failure": value}).values()
    assert message.endswith(more)


def test_entries_by_their_names() -> None:
    """As Docker Compose has them."""
    found = told(options.stack(), {"name": "shop", "services": {"web": {"exec_start": "/x"}}})
    assert found == {"services": 'it takes a list, and not a mapping: each entry begins with "- name:"'}

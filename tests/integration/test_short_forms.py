# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, timers, sockets and targets in few options, by their modules and as entries of a stack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .entries import FOREVER, UNITS, program, server
from .lab import Lab, Result, actions, succeeded, until

# Prints its arguments, each as JSON.
ARGUMENTS = "import json, sys; json.dump(sys.argv[1:], open('/run/arguments', 'w'))"
HARD_WORDS = [
    "plain",
    "two words",
    'a "quote"',
    "it's",
    "back\\slash",
    "$HOME ${HOME}",
    "50%",
    "%n",
    ";",
    "",
    "\t",
    "ä",
]


def declared(host: Lab, module: str, **options: Any) -> Result:
    """A run of a short module; a second one has nothing to do."""
    result = succeeded(host.attempt(module=module, **options))
    again = succeeded(host.attempt(module=module, **options))
    assert (again["changed"], again["plan"]) == (False, [])
    return result


def text(host: Lab, unit: str) -> list[str]:
    """The lines of a unit's file, without its mark."""
    return [line for line in host.read(f"{UNITS}/{unit}").splitlines() if line and not line.startswith("#")]


def test_a_service_runs_is_enabled_and_is_restarted_for_as_long_as_it_takes(host: Lab) -> None:
    result = declared(host, "service", name="app", exec_start=program(1), description="An application", user="nobody")
    assert result["newly_started"] == ["app.service"]
    assert (host.state("app.service"), host.enabled("app.service")) == ("active", "enabled")
    lines = text(host, "app.service")
    assert [line for line in lines if not line.startswith("LogExtraFields")] == [
        "[Unit]",
        "Description=An application",
        "StartLimitIntervalSec=0",
        "[Service]",
        f"ExecStart={program(1)}",
        "User=nobody",
        "SyslogIdentifier=%N",
        "StandardOutput=journal",
        "Restart=on-failure",
        "RestartSec=5s",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    removed = succeeded(host.attempt(module="service", name="app.service", state="absent"))
    assert removed["removed"] == [f"{UNITS}/app.service"]
    assert host.state("app.service") == "inactive"


def test_its_lines_in_the_journal_bear_its_name(host: Lab) -> None:
    declared(host, "service", name="chatty", exec_start="/bin/sh -c 'echo said; exec sleep infinity'")
    assert host.sh("journalctl -t chatty -o cat --no-pager | grep -c '^said$'") != "0"


def test_each_word_of_argv_reaches_the_program_as_it_is_written(host: Lab) -> None:
    command = ["/usr/bin/python3", "-c", ARGUMENTS, *HARD_WORDS]
    succeeded(host.attempt(module="service", name="words", type="oneshot", run="on_change", argv=command))
    assert json.loads(host.read("/run/arguments")) == HARD_WORDS
    host.sh("rm /run/arguments")


def test_sections_stay_open_and_the_same_directive_both_ways_is_an_error(host: Lab) -> None:
    options = {"name": "app", "exec_start": FOREVER, "service": {"OOMPolicy": "continue"}, "restart": "always"}
    declared(host, "service", **options)
    assert host.show("app.service", "OOMPolicy") == "continue"
    with host.untouched():
        result = host.failing(module="service", **{**options, "service": {"Restart": "no"}})
    (error,) = result["errors"]
    assert (error["unit"], error["section"], error["directive"]) == ("app.service", "Service", "Restart")
    assert error["message"] == "it is given as restart and as service as well: leave out one of them"


def test_a_limit_that_is_never_reached_is_refused_and_one_that_is_holds(host: Lab) -> None:
    crashing = {"name": "crash", "exec_start": "/bin/false", "start_limit_burst": 3, "enabled": False}
    result = host.failing(module="service", **crashing)
    assert [error["rule"] for error in result["errors"]] == ["start-limit"]
    assert "more than 15 seconds" in result["msg"]
    limited = {**crashing, "restart_sec": "100ms", "start_limit_interval_sec": 60}
    host.failing(module="service", **limited, on_failure="keep")
    until(lambda: host.state("crash.service") == "failed", "it is started on and on")
    assert host.show("crash.service", "NRestarts") in ("2", "3")  # by version, the last is counted or not


def test_what_it_depends_on_is_wanted_and_ordered(host: Lab) -> None:
    host.foreign("base.service")
    host.foreign("needed.service")
    declared(host, "service", name="app", exec_start=FOREVER, depends_on=["base", {"name": "needed", "required": True}])
    assert "base.service" in host.show("app.service", "Wants").split()
    assert "needed.service" in host.show("app.service", "Requires").split()
    assert {"base.service", "needed.service"} < set(host.show("app.service", "After").split())


def test_a_service_of_a_package_is_declared_by_its_state_alone(host: Lab) -> None:
    host.foreign("theirs.service", start=False)
    result = declared(host, "service", name="theirs", state="started")
    assert actions(result) == [("start", "theirs.service")]
    assert "Restart" not in host.read(f"{UNITS}/theirs.service")
    result = host.failing(module="service", name="theirs", state="absent")
    assert [error["rule"] for error in result["errors"]] == ["owner"]
    host.applied.clear()  # nothing there is ours


def test_a_timer_brings_its_service_which_waits_for_its_time(host: Lab) -> None:
    result = declared(
        host,
        "timer",
        name="nightly-backup",
        on_calendar="*-*-* 02:00:00",
        timezone="UTC",
        persistent=True,
        exec_start="/bin/sh -c 'touch /run/backed-up'",
        user="root",
    )
    assert (host.state("nightly-backup.timer"), host.enabled("nightly-backup.timer")) == ("active", "enabled")
    assert host.state("nightly-backup.service") == "inactive"
    assert not host.exists("/run/backed-up")
    assert (host.show("nightly-backup.service", "Type"), host.show("nightly-backup.service", "Restart")) == (
        "oneshot",
        "no",
    )
    times = result["timers"]["nightly-backup.timer"]["next_elapses"]
    assert [each[10:] for each in times] == ["T02:00:00Z"] * 5
    assert sorted(set(times)) == times
    removed = succeeded(host.attempt(module="timer", name="nightly-backup", state="absent"))
    assert sorted(removed["removed"]) == [f"{UNITS}/nightly-backup.service", f"{UNITS}/nightly-backup.timer"]


def test_a_schedule_of_cron_is_kept(host: Lab) -> None:
    result = declared(
        host, "timer", name="report", cron="30 2 13 * fri", timezone="Europe/Berlin", argv=["/bin/echo", "50%"]
    )
    assert [line for line in text(host, "report.timer") if line.startswith("OnCalendar")] == [
        "OnCalendar=*-*-13 02:30:00 Europe/Berlin",
        "OnCalendar=Fri *-*-* 02:30:00 Europe/Berlin",
    ]
    assert len(result["timers"]["report.timer"]["next_elapses"]) == 5
    daily = declared(host, "timer", name="daily", cron="30 2 * * *", timezone="Europe/Berlin", argv=["/bin/true"])
    assert daily["timers"]["daily.timer"]["unlike_cron"].startswith("where the clock is put forward, cron runs the job")
    result = host.failing(module="timer", name="report", cron="61 2 * * *", argv=["/bin/true"])
    assert "cron: '61' is no minute: write 0 to 59" in result["msg"]


def test_what_cron_does_at_each_boot_is_enabled_and_not_run(host: Lab) -> None:
    declared(host, "timer", name="at-boot", cron="@reboot", exec_start="/bin/sh -c 'touch /run/at-boot'")
    assert (host.enabled("at-boot.service"), host.state("at-boot.service")) == ("enabled", "inactive")
    assert not host.exists(f"{UNITS}/at-boot.timer")
    assert not host.exists("/run/at-boot")


def test_a_timer_for_a_service_of_someone_else(host: Lab) -> None:
    host.foreign("theirs.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n", start=False)
    declared(host, "timer", name="mine", on_boot_sec="5h", on_unit_active_sec="15min", unit="theirs")
    assert host.show("mine.timer", "Unit") == "theirs.service"


def test_a_socket_brings_its_service_and_proves_the_pair(host: Lab) -> None:
    health = {"http": "http://127.0.0.1:8601/", "timeout": 20, "stable_for": 0.3}
    web = {"name": "web", "listen_stream": "127.0.0.1:8601", "exec_start": server("one")}
    result = declared(host, "socket", **web, health=health)
    assert "web.socket" in result["newly_started"]
    assert host.answer(8601) == "one"
    assert (host.enabled("web.socket"), host.enabled("web.service")) == ("enabled", "static")
    silent = {"name": "silent", "listen_stream": "127.0.0.1:8602", "exec_start": FOREVER}
    result = host.failing(module="socket", **silent, health={"http": "http://127.0.0.1:8602/", "timeout": 2})
    assert [error["unit"] for error in result["errors"]] == ["silent.socket"]
    assert not host.exists(f"{UNITS}/silent.socket")


@pytest.mark.parametrize("restart", ["no", "on-failure"])
def test_a_service_that_a_check_has_woken_and_that_falls_fails_its_socket(host: Lab, restart: str) -> None:
    """A check that only connects passes by systemd alone."""
    check = {"tcp": "127.0.0.1:8604", "timeout": 2, "stable_for": 0.3}
    pair = {"name": "falling", "listen_stream": "127.0.0.1:8604", "restart": restart, "health": check}
    result = host.failing(module="socket", **pair, exec_start="/bin/sh -c 'exit 3'")
    (error,) = result["errors"]
    assert error["unit"] == "falling.socket"
    # What waits to be taken starts the service again and again, so that a start limit may come first.
    told = error["message"]
    assert "falling.service, which it starts, " in told or (restart == "no" and "start-limit-hit" in told)
    assert not host.exists(f"{UNITS}/falling.socket")


def test_a_service_that_a_check_has_woken_may_come_up_by_its_own_restart(host: Lab) -> None:
    once = "/bin/sh -c 'test -e /run/fell || { touch /run/fell; exit 3; }; exec sleep infinity'"
    check = {"tcp": "127.0.0.1:8605", "timeout": 15, "stable_for": 0.3}
    pair = {"name": "late", "listen_stream": "127.0.0.1:8605", "restart_sec": 1, "health": check}
    declared(host, "socket", **pair, exec_start=once)
    assert host.show("late.service", "NRestarts") == "1"
    host.sh("rm /run/fell")


@pytest.mark.parametrize("name", [{"name": "greeter"}, {"name": "greeter@", "instances": ["1"]}])
def test_each_connection_has_a_service_of_its_own(host: Lab, name: dict[str, Any]) -> None:
    declared(host, "socket", **name, listen_stream="127.0.0.1:8603", accept=True, exec_start="/bin/echo hello")
    assert host.sh("bash -c 'exec 3<>/dev/tcp/127.0.0.1/8603; cat <&3'") == "hello"
    assert host.exists(f"{UNITS}/greeter@.service")


STACK: dict[str, Any] = {
    "services": [
        {"name": "gpio-api", "exec_start": FOREVER},
        {"name": "sensor", "exec_start": FOREVER, "after": "gpio-api.service"},
    ],
    "targets": [{"name": "pi-stack", "members": ["gpio-api", "sensor", "theirs"]}],
    "prune": True,
}
MEMBERS = ("gpio-api.service", "sensor.service", "theirs.service")


def test_members_follow_their_target(host: Lab) -> None:
    host.foreign("theirs.service", start=False)
    host.settled(**STACK)
    assert host.states("pi-stack.target", *MEMBERS) == ["active"] * 4
    assert (host.enabled("pi-stack.target"), host.enabled("sensor.service")) == ("enabled", "static")
    # systemctl waits for the target alone, which comes down before its members do.
    host.sh("systemctl stop pi-stack.target")
    until(lambda: host.states(*MEMBERS) == ["inactive"] * 3, "they go down with their target")
    host.sh("systemctl start pi-stack.target")
    assert host.states(*MEMBERS) == ["active"] * 3
    before = [host.invocation(member) for member in MEMBERS]
    host.sh("systemctl restart pi-stack.target")
    assert host.states(*MEMBERS) == ["active"] * 3
    assert not set(before) & {host.invocation(member) for member in MEMBERS}
    # Stopping one leaves the others, and the next run brings it back.
    host.sh("systemctl stop gpio-api.service theirs.service")
    assert host.states("pi-stack.target", *MEMBERS) == ["active", "inactive", "active", "inactive"]
    assert sorted(host.apply(**STACK)["newly_started"]) == ["gpio-api.service", "theirs.service"]


def test_a_target_that_is_declared_stopped_leaves_its_members_stopped(host: Lab) -> None:
    host.foreign("theirs.service", start=False)
    host.apply(**STACK)
    stopped = {**STACK, "targets": [{**STACK["targets"][0], "state": "stopped"}]}
    host.settled(**stopped)
    assert host.states("pi-stack.target", *MEMBERS) == ["inactive"] * 4
    # Without the target nothing is left of it on what is not ours.
    result = host.settled(services=STACK["services"], prune=True)
    assert not host.exists(f"{UNITS}/theirs.service.d/50-pi-stack.target.conf")
    assert sorted(result["newly_started"]) == ["gpio-api.service", "sensor.service"]


def test_a_member_has_no_state_of_its_own(host: Lab) -> None:
    host.foreign("theirs.service", start=False)
    services = [{**STACK["services"][0], "state": "stopped"}, STACK["services"][1]]
    result = host.refused(**{**STACK, "services": services})
    assert [(error["unit"], error["rule"]) for error in result["errors"]] == [("gpio-api.service", "member-state")]


def test_all_that_is_wrong_is_told_at_once(host: Lab) -> None:
    result = host.refused(
        services=[{"name": "one", "exec_start": "/bin/sleep 1", "service": {"ExecStart": FOREVER}}],
        timers=[{"name": "two", "cron": "* *", "exec_start": "/bin/true"}],
        units=[{"name": "three.service", "service": {"ExecStart": FOREVER, "Restart": "Always"}}],
    )
    assert [error["unit"] for error in result["errors"]] == ["one.service", "two.timer", "three.service"]


@pytest.mark.parametrize("module", ["service", "timer", "socket", "target"])
def test_a_name_of_another_type_is_refused(host: Lab, module: str) -> None:
    result = host.failing(module=module, name="a.mount")
    assert f"'a.mount' is no {module}: name it 'a.{module}'" in result["msg"]


def test_instances_have_something_of_their_own(host: Lab) -> None:
    ports = {"one": "8611", "two": "8612"}
    program = "/bin/sh -c 'exec /usr/bin/python3 /opt/unitwright-programs/server.py %i $PORT'"
    app = {
        "name": "app@",
        "exec_start": program,
        "instances": [{"name": each, "environment": {"PORT": port}} for each, port in ports.items()],
        "health": {"command": ["test", "-e", "/run/unitwright-%i"], "stable_for": 0.3, "timeout": 15},
    }
    host.sh("touch /run/unitwright-one /run/unitwright-two")
    host.settled(services=[app], prune=True)
    assert [host.answer(int(port)) for port in ports.values()] == ["one", "two"]
    before = host.invocation("app@one.service")
    app["instances"][1] = {"name": "two", "environment": {"PORT": "8613"}, "secrets": {"TOKEN": "of two alone"}}
    result = host.settled(services=[app], prune=True)
    assert result["restarted"] == ["app@two.service"]
    assert host.answer(8613) == "two"
    assert host.invocation("app@one.service") == before
    assert host.environment("app@two.service")["TOKEN"] == "of two alone"
    assert "TOKEN" not in host.environment("app@one.service")
    app["instances"][1] = {"name": "two", "state": "stopped", "enabled": False}
    host.settled(services=[app], prune=True)
    assert host.states("app@one.service", "app@two.service") == ["active", "inactive"]
    host.sh("rm /run/unitwright-one /run/unitwright-two")
    assert [error["unit"] for error in host.failing(services=[{**app, "nice": 1}])["errors"]] == ["app@one.service"]


def test_a_trigger_of_an_instance_restarts_that_alone(host: Lab) -> None:
    host.write("/run/conf-one", "1")
    host.write("/run/conf-two", "1")
    app = {
        "name": "app@",
        "exec_start": FOREVER,
        "instances": ["one", "two"],
        "triggers": {"files": ["/run/conf-%i"]},
    }
    host.settled(services=[app])
    host.write("/run/conf-two", "2")
    assert host.settled(services=[app])["restarted"] == ["app@two.service"]


def test_a_secret_of_an_instance_is_hidden_even_where_the_options_are_refused(host: Lab) -> None:
    app = {"name": "app@", "exec_start": FOREVER, "instances": [{"name": "one", "secrets": {"TOKEN": "canary-42"}}]}
    for result in (
        host.apply(services=[app]),
        host.attempt(services=[{**app, "no_such_option": 1}]),
        host.failing(
            services=[{**app, "instances": [*app["instances"], {"name": "two", "secrets": "TOKEN=canary-43"}]}]
        ),
    ):
        assert "canary" not in json.dumps(result)


def test_what_all_services_of_a_stack_have(host: Lab) -> None:
    defaults = {"service": {"NoNewPrivileges": True}, "environment": {"STAGE": "test"}}
    services = [{"name": "a", "exec_start": FOREVER}, {"name": "b", "exec_start": FOREVER, "without": ["environment"]}]
    host.settled(defaults=defaults, services=services)
    assert host.environment("a.service")["STAGE"] == "test"
    assert "STAGE" not in host.environment("b.service")
    assert host.show("b.service", "NoNewPrivileges") == "yes"
    result = host.settled(defaults={**defaults, "environment": {"STAGE": "live"}}, services=services)
    assert result["restarted"] == ["a.service"]


def test_a_stack_is_stopped_and_restarted_as_a_whole(host: Lab) -> None:
    declared_stack = {
        "services": [
            {"name": "a", "exec_start": FOREVER},
            {"name": "once", "type": "oneshot", "exec_start": "/bin/false"},
            {"name": "w@", "exec_start": FOREVER, "instances": ["1", "2"]},
        ],
        "timers": [{"name": "t", "on_calendar": "yearly", "exec_start": "/bin/false"}],
        "units": [{"name": "down.service", "service": {"ExecStart": FOREVER}, "state": "stopped"}],
    }
    running = ("a.service", "w@1.service", "w@2.service", "t.timer")
    host.settled(**declared_stack)
    assert host.states(*running) == ["active"] * 4
    before = host.invocation("a.service")
    result = host.apply(**declared_stack, state="restarted")
    assert sorted(result["restarted"]) == sorted(running)
    assert host.invocation("a.service") != before
    host.settled(**declared_stack, state="stopped")
    assert host.states(*running) == ["inactive"] * 4
    assert host.enabled("a.service") == "disabled"
    host.settled(**declared_stack)
    assert host.states(*running) == ["active"] * 4

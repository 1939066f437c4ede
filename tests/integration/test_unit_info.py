# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of units are systemd's own, typed, and what cannot be read is said."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .entries import FOREVER, IDLE, UNITS, VENDOR, Entry, service, timer
from .lab import USER, Lab, succeeded, until

Facts = dict[str, Any]
AS_USER = ("runuser", "-u", USER, "--")
AS_NOBODY = ("runuser", "-u", "nobody", "--")


def ask(host: Lab, *names: str, **options: Any) -> Facts:
    """The result, of a run that changes nothing."""
    result = succeeded(host.module("unit_info", **({"names": list(names)} if names else {}), **options))
    assert result["changed"] is False
    return result


def facts(host: Lab, name: str, **options: Any) -> Facts:
    result = ask(host, name, **options)
    assert result["not_found"] == []
    found: Facts = result["units"][name]
    return found


def unread(result: Facts, unit: str) -> dict[str, str]:
    """Reasons by what could not be read, without what this kernel does not count."""
    counted = ("memory_current", "memory_peak", "tasks_current", "cpu_usage_sec")
    return {
        each["what"]: each["reason"]
        for each in result["unread"]
        if each["unit"] == unit and each["what"] not in counted
    }


@pytest.fixture(autouse=True)
def foreign(host: Lab) -> Iterator[None]:
    """What tests put there by hand is down before its files go."""
    yield
    host.sh("systemctl stop 'fact-*'")
    host.sh(f"rm -rf {UNITS}/fact-* {UNITS}/*.wants/fact-* /run/systemd/system-generators; systemctl daemon-reload")
    host.sh("systemctl reset-failed 'fact-*'", check=False)


def test_numbers_times_spans_sizes_lists_and_commands_are_typed(host: Lab) -> None:
    host.write(
        f"{UNITS}/fact-a.service",
        "[Unit]\nDescription=Facts\n[Service]\nExecStartPre=-/bin/false\n"
        "ExecStart=/bin/sh -c 'exec sleep \"infinity\"' 'two words' \"a\\n\\nb\"\n"
        "RestartSec=1min 500ms\nTimeoutStopSec=infinity\nMemoryMax=64M\nTasksMax=40\nEnvironmentFile=-/nowhere\n",
    )
    before = time.time()
    host.sh("systemctl daemon-reload; systemctl start fact-a.service")
    found = facts(host, "fact-a.service", properties=["LimitNOFILE", "After"])
    assert found["main_pid"] == int(host.show("fact-a.service", "MainPID"))
    assert found["n_restarts"] == 0
    assert (found["restart_sec"], found["timeout_stop_sec"]) == (60.5, None)
    assert found["memory_max"] == 67108864
    assert found["tasks_max"] == 40
    assert (found["memory_high"], "memory_high" in found["unlimited"]) == (None, True)
    assert {"timeout_stop_sec", "runtime_max_sec"} <= set(found["unlimited"])
    assert "memory_max" not in found["unlimited"]
    assert found["active_enter_timestamp"]["epoch"] == pytest.approx(before, abs=60)
    shown = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(found["active_enter_timestamp"]["epoch"]))
    assert found["active_enter_timestamp"]["iso"].startswith(shown)
    (command,) = found["exec_start"]
    assert command["argv"] == ["/bin/sh", "-c", 'exec sleep "infinity"', "two words", "a\n\nb"]
    assert (command["path"], command["flags"], command["pid"]) == ("/bin/sh", [], found["main_pid"])
    assert (command["code"], command["status"], command["ended"]) == (None, None, None)
    (earlier,) = found["exec_start_pre"]
    assert (earlier["flags"], earlier["code"], earlier["status"]) == (["ignore-failure"], "exited", 1)
    assert found["environment_files"] == [{"path": "/nowhere", "ignore_errors": True}]
    assert (found["load_state"], found["active_state"], found["sub_state"]) == ("loaded", "active", "running")
    assert isinstance(found["limit_nofile"], int)
    assert "sysinit.target" in found["after"]
    assert found["invocation_id"] == host.invocation("fact-a.service")


def test_each_setting_has_the_file_and_line_that_it_comes_from(host: Lab) -> None:
    host.write(f"{UNITS}/fact-a.service", "[Unit]\nDescription=One\n\n[Service]\nExecStart=/bin/one\nNice=1\n")
    host.write(f"{UNITS}/fact-a.service.d/50-x.conf", f"[Service]\nExecStart=\nExecStart={FOREVER}\n# no\nNice=2\n")
    host.write(f"{UNITS}/fact-.service.d/10-all.conf", "[Service]\nEnvironment=A=1\n")
    host.sh("systemctl daemon-reload")
    own, over = f"{UNITS}/fact-a.service", f"{UNITS}/fact-a.service.d/50-x.conf"
    general = f"{UNITS}/fact-.service.d/10-all.conf"
    found = facts(host, "fact-a.service")
    assert found["settings"] == {
        "Unit": {"Description": [{"value": "One", "path": own, "line": 2}]},
        "Service": {
            "ExecStart": [{"value": FOREVER, "path": over, "line": 3}],
            "Nice": [{"value": "1", "path": own, "line": 6}, {"value": "2", "path": over, "line": 5}],
            "Environment": [{"value": "A=1", "path": general, "line": 2}],
        },
    }
    assert (found["fragment_path"], found["drop_in_paths"]) == (own, [general, over])
    assert "settings" not in facts(host, "fact-a.service", settings=False)


def test_a_timer_tells_when_it_elapses_and_has_elapsed(host: Lab) -> None:
    host.write(f"{UNITS}/fact-b.service", IDLE)
    host.write(
        f"{UNITS}/fact-b.timer",
        "[Timer]\nOnCalendar=2099-01-01 00:00:00 UTC\nOnUnitActiveSec=90\nAccuracySec=1us\nPersistent=true\n",
    )
    host.write(f"{UNITS}/fact-c.timer", "[Timer]\nUnit=fact-b.service\nOnActiveSec=1h\n")
    host.sh("systemctl daemon-reload; systemctl start fact-b.timer fact-c.timer")
    result = ask(host, "fact-[bc].timer")["units"]
    found, other = result["fact-b.timer"], result["fact-c.timer"]
    assert found["next_elapse"] == {"iso": "2099-01-01T00:00:00Z", "epoch": 4070908800}
    assert found["timers_calendar"] == [{"base": "OnCalendar", "calendar": "2099-01-01 00:00:00 UTC"}]
    assert found["timers_monotonic"] == [{"base": "OnUnitActiveSec", "sec": 90}]
    assert (found["unit"], found["persistent"], found["last_trigger"]) == ("fact-b.service", True, None)
    assert found["triggers"] == ["fact-b.service"]
    assert other["next_elapse"]["epoch"] == pytest.approx(time.time() + 3600, abs=120)
    assert facts(host, "fact-b.service")["triggered_by"] == ["fact-b.timer", "fact-c.timer"]


def test_listeners_and_paths_are_lists_of_mappings(host: Lab) -> None:
    host.write(f"{UNITS}/fact-d.service", IDLE)
    host.write(f"{UNITS}/fact-d.socket", "[Socket]\nListenStream=127.0.0.1:7788\nListenDatagram=/run/fact-d\n")
    host.write(f"{UNITS}/fact-d.path", "[Path]\nPathExists=/nowhere/at all\n")
    host.sh("systemctl daemon-reload; systemctl start fact-d.socket")
    units = ask(host, "fact-d.*")["units"]
    assert sorted(units) == ["fact-d.path", "fact-d.service", "fact-d.socket"]
    assert units["fact-d.socket"]["listen"] == [
        {"type": "Stream", "address": "127.0.0.1:7788"},
        {"type": "Datagram", "address": "/run/fact-d"},
    ]
    assert (units["fact-d.socket"]["n_accepted"], units["fact-d.socket"]["accept"]) == (0, False)
    assert units["fact-d.path"]["paths"] == [{"type": "PathExists", "path": "/nowhere/at all"}]
    assert units["fact-d.path"]["active_state"] == "inactive"


def test_what_is_not_in_memory_masked_or_failed_is_told_too(host: Lab) -> None:
    host.write(f"{UNITS}/fact-e.service", IDLE + "[Install]\nWantedBy=multi-user.target\n")
    host.sh(f"ln -s /dev/null {UNITS}/fact-f.service; systemctl daemon-reload; systemctl enable fact-e.service")
    host.write(f"{UNITS}/fact-o.service", IDLE)
    host.write(f"{UNITS}/fact-g.service", "[Service]\nExecStart=/bin/sh -c 'kill -9 $$$$'\n")
    host.write(f"{UNITS}/fact-h.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 7'\n")
    host.sh("systemctl daemon-reload; systemctl start fact-g.service")
    host.sh("systemctl start fact-h.service", check=False)
    until(lambda: host.state("fact-g.service") == "failed", "it has not failed")
    units = ask(host, "fact-*.service")["units"]
    down = units["fact-e.service"]
    assert (down["load_state"], down["active_state"], down["unit_file_state"]) == ("loaded", "inactive", "enabled")
    assert (down["main_pid"], down["stale"], down["active_enter_timestamp"]) == (None, None, None)
    assert units["fact-o.service"]["unit_file_state"] == "static"
    assert [units[f"fact-{each}.service"]["in_memory"] for each in "ego"] == [True, True, False]
    masked = units["fact-f.service"]
    assert (masked["masked"], masked["load_state"], masked["unit_file_state"]) == (True, "masked", "masked")
    assert masked["settings"] == {}
    killed = units["fact-g.service"]
    assert (killed["result"], killed["exec_main_code"], killed["exec_main_status"]) == ("signal", "killed", 9)
    ended = units["fact-h.service"]
    assert (ended["active_state"], ended["result"]) == ("failed", "exit-code")
    assert (ended["exec_main_code"], ended["exec_main_status"]) == ("exited", 7)
    assert ended["exec_start"][0]["status"] == 7
    assert ask(host, "fact-*.service")["unread"] == []


def test_a_template_and_its_instances(host: Lab) -> None:
    host.write(f"{UNITS}/fact-t@.service", f"[Unit]\nDescription=Of %i\n{IDLE}[Install]\nWantedBy=multi-user.target\n")
    host.write(f"{UNITS}/fact-t@.service.d/x.conf", "[Service]\nNice=3\n")
    host.sh(
        "systemctl daemon-reload; systemctl enable fact-t@on; systemctl start fact-t@a.service 'fact-t@b\\x2dc.service'"
    )
    result = ask(host, "fact-t@*", "fact-t@new.service")
    instances = ["fact-t@a.service", "fact-t@b\\x2dc.service", "fact-t@on.service"]
    assert sorted(result["units"]) == sorted(["fact-t@.service", *instances, "fact-t@new.service"])
    template = result["units"]["fact-t@.service"]
    assert template["instances"] == instances
    assert (template["load_state"], template["description"], template["masked"]) == (None, "Of %i", False)
    assert template["unit_file_state"] in ("enabled", "indirect", "disabled")
    assert template["unit_file_state"] == host.enabled("fact-t@.service")
    assert template["drop_in_paths"] == [f"{UNITS}/fact-t@.service.d/x.conf"]
    assert template["settings"]["Service"]["Nice"][0]["line"] == 2
    odd = result["units"]["fact-t@b\\x2dc.service"]
    assert (odd["description"], odd["active_state"]) == ("Of b\\x2dc", "active")
    assert odd["fragment_path"] == f"{UNITS}/fact-t@.service"
    assert result["units"]["fact-t@new.service"]["active_state"] == "inactive"


def test_made_by_a_generator_or_at_run_time(host: Lab) -> None:
    made = "#!/bin/sh\nprintf '[Service]\\nExecStart=/bin/true\\n' > $1/fact-gen.service\n"
    host.write("/run/systemd/system-generators/fact", made, mode=0o755)
    host.sh("systemctl daemon-reload; systemd-run --quiet --unit=fact-run --property=Nice=4 sleep infinity")
    units = ask(host, "fact-gen.service", "fact-run", "-.mount", "-.slice", "init.scope")["units"]
    assert units["fact-gen.service"]["unit_file_state"] == "generated"
    run = units["fact-run.service"]
    assert (run["transient"], run["unit_file_state"], run["active_state"]) == (True, "transient", "active")
    assert run["exec_start"][0]["argv"][1:] == ["infinity"]
    assert run["settings"]["Service"]["Nice"][0]["value"] == "4"
    assert (units["-.mount"]["where"], units["-.mount"]["active_state"]) == ("/", "active")
    assert units["init.scope"]["active_state"] == "active"
    assert units["-.slice"]["fragment_path"] is None


def test_an_alias_is_found_by_either_name(host: Lab) -> None:
    host.write(f"{UNITS}/fact-i.service", IDLE)
    host.sh(f"ln -s fact-i.service {UNITS}/fact-j.service; systemctl daemon-reload")
    asked = ask(host, "fact-j")
    assert asked["units"]["fact-j.service"]["id"] == "fact-i.service"
    assert sorted(asked["units"]["fact-i.service"]["names"]) == ["fact-i.service", "fact-j.service"]
    assert sorted(ask(host, "fact-j*")["units"]) == ["fact-i.service"]


def test_what_stands_for_nothing_is_told_and_no_failure(host: Lab) -> None:
    host.foreign("fact-k.service", f"[Unit]\nAfter=fact-mentioned.service\n{IDLE}")
    result = ask(host, "fact-nowhere", "fact-nowhere-*", "fact-mentioned.service", "fact-k", "/mnt/nowhere")
    assert result["not_found"] == ["fact-nowhere", "fact-mentioned.service", "/mnt/nowhere", "fact-nowhere-*"]
    assert list(result["units"]) == ["fact-k.service"]
    assert "fact-mentioned.service" not in ask(host, "fact-*")["units"]
    wrong = host.module("unit_info", names=["a/b", "ok.service", "fact one"])
    assert wrong["failed"]
    assert [each["rule"] for each in wrong["errors"]] == ["unit-name", "unit-name"]
    odd = ask(host, "fact-k", properties=["Nice", "Nicest"])
    assert odd["units"]["fact-k.service"]["nice"] == 0
    assert [each["what"] for each in odd["unread"] if not each["unit"]] == ["nicest"]


def test_a_unit_whose_file_went_while_it_runs_is_there(host: Lab) -> None:
    host.foreign("fact-l.service")
    host.sh(f"rm {UNITS}/fact-l.service; systemctl daemon-reload")
    found = ask(host, "fact-*")["units"]["fact-l.service"]
    assert (found["load_state"], found["active_state"], found["settings"]) == ("not-found", "active", {})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("echo Nice=1 >> UNITS/fact-m.service", ["UNITS/fact-m.service"]),
        (
            "mkdir UNITS/fact-m.service.d; printf '[Service]\\n' > UNITS/fact-m.service.d/a.conf",
            ["UNITS/fact-m.service.d/a.conf"],
        ),
        ("rm UNITS/fact-.service.d/b.conf", ["UNITS/fact-.service.d/b.conf"]),
        ("mkdir UNITS/service.d; printf '[Service]\\n' > UNITS/service.d/fact.conf", ["UNITS/service.d/fact.conf"]),
    ],
    ids=["edited", "drop-in folder made", "drop-in gone", "drop-in for all services"],
)
def test_what_is_not_loaded_needs_a_daemon_reload(host: Lab, change: str, expected: list[str]) -> None:
    host.write(f"{UNITS}/fact-.service.d/b.conf", "[Service]\nNice=2\n")
    host.foreign("fact-m.service")
    found = facts(host, "fact-m.service")
    assert (found["need_daemon_reload"], found["not_loaded"]) == (False, [])
    host.sh(f"sleep 0.01; {change.replace('UNITS', UNITS)}")
    try:
        found = facts(host, "fact-m.service")
        assert (found["need_daemon_reload"], found["not_loaded"]) == (
            True,
            [each.replace("UNITS", UNITS) for each in expected],
        )
    finally:
        host.sh(f"rm -rf {UNITS}/service.d")
    host.sh("systemctl daemon-reload")
    assert facts(host, "fact-m.service")["need_daemon_reload"] is False


def test_no_unit_of_a_host_that_nobody_touched_needs_a_reload_or_is_stale(host: Lab) -> None:
    """The files that we take a unit to have are those that systemd has loaded, unit by unit."""
    host.sh("systemctl daemon-reload && systemctl restart nginx.service")  # which other tests have put drop-ins over
    result = ask(host)
    assert {name: each["not_loaded"] for name, each in result["units"].items() if each["need_daemon_reload"]} == {}
    assert [name for name, each in result["units"].items() if each.get("stale")] == []
    assert result["not_found"] == []
    shown = json.loads(host.sh("systemctl list-units --all --full --output=json"))
    there = {each["unit"]: each for each in shown if (each["load"], each["active"]) != ("not-found", "inactive")}
    assert {name for name, each in result["units"].items() if each["in_memory"]} == set(there)
    for name, each in there.items():
        found = result["units"][name]
        assert (found["load_state"], found["active_state"]) == (each["load"], each["active"])
    files = host.sh("systemctl list-unit-files --no-legend --full --plain | cut -d' ' -f1").split()
    names = {name for each in result["units"].values() for name in each["names"]}
    assert set(files) <= names
    assert {each["unit"].rpartition(".")[2] for each in shown} >= {"slice", "mount", "target"}
    only = ask(host, types=["socket", "timer"], on_failure="keep", check_mode=True)["units"]
    assert {name.rpartition(".")[2] for name in only} == {"socket", "timer"}


def test_a_process_that_runs_with_something_older_is_stale(host: Lab) -> None:
    ours = service("fact-ours", environment={"A": "1"}, secrets={"TOKEN": "hush-hush"})
    host.apply(ours)
    host.foreign("fact-theirs.service")
    assert [each["stale"] for each in ask(host, "fact-*")["units"].values()] == [False, False]
    host.apply({**ours, "environment": {"A": "2"}, "on_change": "none"})
    host.sh(f"echo Nice=1 >> {UNITS}/fact-theirs.service; systemctl daemon-reload")
    result = ask(host, "fact-*")["units"]
    assert result["fact-ours.service"]["stale"] is True
    assert result["fact-ours.service"]["stale_for"] == ["Environment"]
    assert (result["fact-theirs.service"]["stale"], result["fact-theirs.service"]["stale_for"]) == (
        True,
        [f"{UNITS}/fact-theirs.service"],
    )
    host.sh("systemctl restart fact-ours fact-theirs")
    assert [each["stale"] for each in ask(host, "fact-*")["units"].values()] == [False, False]


def test_whose_it_is_and_no_secret(host: Lab) -> None:
    unit = service("fact-own", secrets={"TOKEN": "hush-hush"}, credentials={"key": "hush-hush too"})
    over: Entry = {"name": "fact-other.service", "dropin": "x", "service": {"Nice": 1}}
    host.foreign("fact-other.service", f"[Service]\nSetCredential=key:hush-hush\nExecStart={FOREVER}\n")
    host.apply(unit, dropins=[over])
    host.apply(module="unit", **timer("daily", "fact-own"), state="present")
    units = ask(host, "fact-*")["units"]
    assert units["fact-own.service"]["owner"] == "test"
    assert units["fact-own.timer"]["owner"] == "fact-own.timer"
    assert units["fact-other.service"]["owner"] is None
    assert units["fact-other.service"]["owners"] == {f"{UNITS}/fact-other.service.d/x.conf": "test"}
    assert "UNITWRIGHT_STAMP" not in json.dumps(units)
    assert units["fact-other.service"]["settings"]["Service"]["SetCredential"][0]["value"] == "key:(not shown)"
    result = ask(host, properties=["Environment", "SetCredential"])
    assert [each["what"] for each in result["unread"] if not each["unit"]] == ["set_credential"]
    assert "hush" not in json.dumps(result)


def test_a_user_has_units_of_their_own(host: Lab) -> None:
    home = f"/home/{USER}/.config/systemd/user"
    host.write(f"{home}/fact-u.service", f"{IDLE}MemoryMax=32M\n")
    host.sh(f"chown -R {USER}: /home/{USER}/.config")
    mine: Facts = {"scope": "user", "prefix": AS_USER, "env": {"XDG_RUNTIME_DIR": "/run/user/0", "HOME": "/root"}}
    host.as_user("systemctl --user daemon-reload")
    host.as_user("systemctl --user start fact-u.service")
    found = facts(host, "fact-u.service", **mine)
    assert (found["active_state"], found["fragment_path"], found["memory_max"]) == (
        "active",
        f"{home}/fact-u.service",
        33554432,
    )
    assert (found["stale"], found["need_daemon_reload"]) == (False, False)
    host.sh(f"echo Nice=1 >> {home}/fact-u.service")
    assert facts(host, "fact-u.service", **mine)["not_loaded"] == [f"{home}/fact-u.service"]
    host.as_user("systemctl --user daemon-reload")
    assert facts(host, "fact-u.service", **mine)["stale"] is True
    host.as_user("systemctl --user stop fact-u.service")
    host.sh(f"rm -rf /home/{USER}/.config")
    host.as_user("systemctl --user daemon-reload")
    assert "default.target" in ask(host, **mine)["units"]


def test_anyone_may_ask_for_the_systems_units_and_what_they_may_not_read_is_said(host: Lab) -> None:
    host.write(f"{UNITS}/fact-v.service", f"[Unit]\nDescription=Private\n{IDLE}", mode=0o600)
    host.write(f"{UNITS}/fact-w.service", IDLE)
    host.write(f"{UNITS}/fact-w.service.d/x.conf", "[Service]\nNice=1\n", mode=0o600)
    host.apply(service("fact-x", environment={"A": "1"}))
    host.sh("systemctl daemon-reload; systemctl start fact-v.service")
    result = ask(host, "fact-*", prefix=AS_NOBODY)
    private, half = result["units"]["fact-v.service"], result["units"]["fact-w.service"]
    assert (private["description"], private["active_state"], private["settings"]) == ("Private", "active", None)
    assert unread(result, "fact-v.service") == {f"{UNITS}/fact-v.service": "Permission denied"}
    assert half["settings"]["Service"]["ExecStart"][0]["line"] == 2
    assert unread(result, "fact-w.service") == {f"{UNITS}/fact-w.service.d/x.conf": "Permission denied"}
    assert result["units"]["fact-x.service"]["stale"] is None
    assert "cannot be read" in unread(result, "fact-x.service")["stale"]
    host.sh(f"mkdir -p {UNITS}/fact-w.service.d && chmod 700 {UNITS}/fact-w.service.d")
    folders = [each["what"] for each in ask(host, "fact-w", prefix=AS_NOBODY)["unread"] if not each["unit"]]
    assert folders == [f"{UNITS}/fact-w.service.d"]


def test_a_file_that_leads_nowhere_or_cannot_be_parsed_is_said(host: Lab) -> None:
    host.write(f"{UNITS}/fact-y.service", "[Service]\nExecStart=/bin/true\nno assignment\n")
    host.sh(f"ln -s /nowhere/fact-z.service {UNITS}/fact-z.service; systemctl daemon-reload")
    result = ask(host, "fact-y", "fact-z")
    assert result["units"]["fact-y.service"]["settings"] is None
    assert "line 3" in unread(result, "fact-y.service")[f"{UNITS}/fact-y.service"]
    assert "/nowhere/fact-z.service" in unread(result, "fact-z.service")[f"{UNITS}/fact-z.service"]


def test_no_answer_is_a_failure_and_no_empty_list(host: Lab) -> None:
    shim = '#!/bin/sh\ncase "$*" in *list-units*) exit 1;; *) exec /usr/bin/systemctl "$@";; esac\n'
    host.write("/opt/shim/systemctl", shim, mode=0o755)
    try:
        result = host.module("unit_info", env={"PATH": "/opt/shim:/usr/bin:/bin"})
    finally:
        host.sh("rm -r /opt/shim")
    assert result["failed"]
    assert [each["rule"] for each in result["errors"]] == ["host"]
    assert "list-units" in result["msg"]
    assert "units" not in result


def test_where_no_manager_runs_the_files_tell(host: Lab) -> None:
    root = "/srv/image"
    host.write(
        f"{root}{UNITS}/fact-a.service",
        f"[Unit]\nDescription=In an image\n{IDLE}[Install]\nWantedBy=multi-user.target\n",
    )
    host.write(f"{root}/usr/lib/systemd/system/fact-b@.service", IDLE)
    host.sh(f"ln -s /dev/null {root}{UNITS}/fact-c.service; systemctl --root={root} enable fact-a.service")
    result = ask(host, root=root)
    units = result["units"]
    assert sorted(units) == ["fact-a.service", "fact-b@.service", "fact-c.service"]
    assert (units["fact-a.service"]["unit_file_state"], units["fact-c.service"]["unit_file_state"]) == (
        "enabled",
        "masked",
    )
    assert units["fact-a.service"]["description"] == "In an image"
    assert units["fact-a.service"]["active_state"] is None
    assert units["fact-c.service"]["masked"] is True
    host.sh(f"rm -r {root}")
    shared = ask(host, "dbus.socket", scope="global")["units"]["dbus.socket"]
    assert shared["fragment_path"].endswith("/systemd/user/dbus.socket")


def test_what_the_kernel_counts_is_told_or_said_to_be_unread(host: Lab) -> None:
    host.foreign("fact-n.service")
    result = ask(host, "fact-n")
    found = result["units"]["fact-n.service"]
    said = {each["what"] for each in result["unread"]}
    for key in ("memory_current", "memory_peak", "tasks_current", "cpu_usage_sec"):
        assert (found[key] is None) == (key in said), key
    twice = {"memory_max": found["memory_peak"], "tasks_max": found["tasks_current"]}
    assert found["suggested"] == {key: most and 2 * most for key, most in twice.items()}


def test_a_unit_of_a_package_has_its_facts(host: Lab) -> None:
    result = ask(host, "nginx")
    assert (result["systemd"], result["not_found"]) == (host.systemd, [])
    found = result["units"]["nginx.service"]
    assert found["fragment_path"] in (f"{VENDOR}/nginx.service", "/lib/systemd/system/nginx.service")
    assert found["unit_file_state"] == host.enabled("nginx.service")
    assert found["settings"]["Service"]["ExecStart"][0]["path"] == found["fragment_path"]

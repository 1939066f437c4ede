# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed service is restarted where its process has to be a new one, and only there (docs/restarts.md)."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, UNITS, Entry, app, merged, service, timer
from .lab import Lab


class Line(NamedTuple):
    """A change of one option, whether it takes a new process, and what tells that it is in force."""

    section: str
    option: str
    old: object
    new: object
    restarts: bool
    told: str = ""


LINES = {
    "execstart": Line("service", "ExecStart", "/bin/sleep 1000", "/bin/sleep 2000", True, "/bin/sleep"),
    "environment": Line("service", "Environment", "A=1", "A=2", True, "A=2"),
    "user": Line("service", "User", "daemon", "games", True, "games"),
    "umask": Line("service", "UMask", "0022", "0077", True, "0077"),
    "workingdirectory": Line("service", "WorkingDirectory", "/", "/tmp", True, "/tmp"),
    "limitnofile": Line("service", "LimitNOFILE", 1000, 2000, True, "2000"),
    "nice": Line("service", "Nice", 1, 2, True, "2"),
    "privatetmp": Line("service", "PrivateTmp", False, True, True, "yes"),
    "oomscoreadjust": Line("service", "OOMScoreAdjust", 1, 2, True, "2"),
    "restart": Line("service", "Restart", "no", "on-failure", False, "on-failure"),
    "killsignal": Line("service", "KillSignal", "SIGTERM", "SIGINT", False, "2"),
    "timeoutstopsec": Line("service", "TimeoutStopSec", 10, 20, False),
    "execstop": Line("service", "ExecStop", "/bin/true", "/bin/echo bye", False, "/bin/echo bye"),
    "execreload": Line("service", "ExecReload", "/bin/true", "/bin/echo hi", False, "/bin/echo hi"),
    "description": Line("unit", "Description", "old", "new", False, "new"),
    "documentation": Line("unit", "Documentation", "man:a", "man:b", False, "man:b"),
    "after": Line("unit", "After", "dbus.service", "dbus.service basic.target", False, "dbus.service"),
    "onfailure": Line("unit", "OnFailure", "basic.target", "paths.target", False, "paths.target"),
    "conditionpathexists": Line("unit", "ConditionPathExists", "/etc", "/nowhere", False),
    "wantedby": Line("install", "WantedBy", "multi-user.target", "rescue.target", False, "rescue.target"),
}


def invocations(host: Lab, names: list[str]) -> dict[str, str]:
    told = host.sh("systemctl show --value --property=InvocationID " + " ".join(f"{name}.service" for name in names))
    return dict(zip(names, told.replace("\n\n", "\n").split("\n"), strict=True))


def units(which: str) -> list[Entry]:
    return [
        merged(app(1, name, install=None), {line.section: {line.option: getattr(line, which)}})
        for name, line in LINES.items()
    ]


def test_line_by_line(host: Lab) -> None:
    names = list(LINES)
    host.apply(*units("old"))
    before = invocations(host, names)
    result = host.apply(*units("new"))
    after = invocations(host, names)
    expected = {name for name, line in LINES.items() if line.restarts}
    assert {name for name in names if before[name] != after[name]} == expected
    assert {unit.removesuffix(".service") for unit in result["restarted"]} == expected
    for name, line in LINES.items():
        assert line.told in host.show(f"{name}.service", line.option), name
    assert host.sh(f"ls {UNITS}/rescue.target.wants") == "wantedby.service"
    assert not host.exists(f"{UNITS}/multi-user.target.wants/wantedby.service")
    assert not host.apply(*units("new"))["changed"]


def test_limits_of_a_cgroup_are_put_into_force_without_a_restart(host: Lab) -> None:
    def limited(most: str) -> list[Entry]:
        slice_unit = {"name": "lab.slice", "slice": {"MemoryMax": most}}
        return [slice_unit, app(1, service={"Slice": "lab.slice", "MemoryMax": most, "CPUQuota": "50%"})]

    host.apply(*limited("200M"))
    before = host.invocation("app.service")
    assert host.apply(*limited("100M"))["restarted"] == []
    assert host.invocation("app.service") == before
    assert [host.show(unit, "MemoryMax") for unit in ("lab.slice", "app.service")] == ["104857600"] * 2
    assert host.state("lab.slice") == "active"


def test_what_a_process_reads_besides_its_unit(host: Lab) -> None:
    """Secrets, credentials, the environment and triggers restart; what the others have does not."""
    config = f"{NOTES}/config"
    host.write(config, "old")

    def units(word: str) -> list[Entry]:
        return [
            app(1, "secret", secrets={"TOKEN": word}),
            app(1, "credential", credentials={"key": word}),
            app(1, "environment", environment={"WORD": word}),
            app(1, "value", triggers={"values": [word]}),
            app(1, "file", triggers={"files": [config]}),
            app(1, "none", environment={"WORD": "always"}),
        ]

    host.apply(*units("first-word"))
    host.write(config, "new")
    result = host.apply(*units("second-word"))
    assert set(result["restarted"]) == {
        f"{n}.service" for n in ("secret", "credential", "environment", "value", "file")
    }
    assert host.environment("secret.service")["TOKEN"] == "second-word"
    assert not host.apply(*units("second-word"))["changed"]


def test_a_description_restarts_nothing(host: Lab) -> None:
    unit = service(unit={"Description": "old"})
    assert host.left_alone(unit, {**unit, "unit": {"Description": "new"}}) == ["write", "daemon-reload"]
    assert host.show("main.service", "Description") == "new"


@pytest.mark.parametrize(
    ("directive", "value", "shown", "as_shown"),
    [
        ("MemoryMax", "64M", "MemoryMax", "67108864"),
        ("RestartSec", 7, "RestartUSec", "7s"),
        ("ExecStop", "/bin/true", "ExecStop", "/bin/true"),
        ("TimeoutStopSec", "12s", "TimeoutStopUSec", "12s"),
    ],
)
def test_what_a_daemon_reload_puts_into_force(
    host: Lab, directive: str, value: object, shown: str, as_shown: str
) -> None:
    unit = service()
    changed = service(service={directive: value})
    assert set(host.left_alone(unit, changed)) <= {"write", "daemon-reload", "touch-slice"}
    assert as_shown in host.show("main.service", shown)


@pytest.mark.parametrize(
    "changed",
    [
        {"service": {"ExecStart": "/bin/sleep 1000000"}},
        {"service": {"ExecStart": FOREVER, "LimitNOFILE": 2000}},
        {"service": {"ExecStart": FOREVER, "NoNewPrivileges": True}},
        {"environment": {"A": "2"}},
        {"secrets": {"HIDDEN": "something"}},
        {"triggers": {"values": ["v2"]}},
    ],
)
def test_what_a_process_is_started_with_restarts_it_alone(host: Lab, changed: Entry) -> None:
    other = service("other")
    unit = service()
    host.apply(unit, other)
    before = host.invocation("other.service")
    result = host.settled({**unit, **changed}, other)
    assert result["restarted"] == [unit["name"]]
    assert host.invocation("other.service") == before


SAID = "[Service]\nUMask=022\nEnvironment=A=1 B=2\nEnvironment=C=3\n"
SAID += "ExecStart=/bin/sh -c 'exec  sleep infinity' app --all\n"
AS_SECTIONS = {
    "service": {"UMask": "0022", "ExecStart": "/bin/sh   -c 'exec  sleep infinity' app  --all"},
    "environment": {"C": 3, "B": 2, "A": 1},
}


def test_the_same_in_other_words_restarts_nothing(host: Lab) -> None:
    """Nor does it hide what does change afterwards."""
    host.apply({"name": "app.service", "content": SAID})
    before = host.invocation("app.service")
    for other in (
        {"content": SAID.replace("app --all", "\\\n  app \\\n  --all").replace("A=1 B=2", "B=2 'A=1'")},
        {"content": f"[Service]\nEnvironment=B=2 A=0 C=3 A=1\n{SAID[len('[Service]') + 1 :]}"},
        AS_SECTIONS,
    ):
        host.settled({"name": "app.service", **other})
        assert host.invocation("app.service") == before
    host.apply({"name": "app.service", **merged(AS_SECTIONS, {"environment": {"A": 2}})})
    assert host.invocation("app.service") != before
    assert host.environment("app.service")["A"] == "2"


def test_a_changed_secret_or_trigger_value_restarts(host: Lab) -> None:
    unit = service(secrets={"TOKEN": "first-token"}, triggers={"values": [{"version": 1}]})
    host.settled(unit)
    unit["secrets"] = {"TOKEN": "second-token"}
    assert host.settled(unit)["restarted"] == [unit["name"]]
    assert host.environment(unit["name"])["TOKEN"] == "second-token"
    unit["triggers"] = {"values": [{"version": 2}]}
    assert host.settled(unit)["restarted"] == [unit["name"]]


def test_a_changed_trigger_file_restarts(host: Lab) -> None:
    config = "/etc/test.conf"
    host.write(config, "one")
    unit = service(triggers={"files": [config]})
    host.settled(unit)
    host.sh(f"touch {config}")
    host.assert_settled(unit)
    host.write(config, "two")
    result = host.settled(unit)
    assert result["restarted"] == [unit["name"]]


def test_binding_to_a_unit_that_is_down_starts_it(host: Lab) -> None:
    """daemon-reload alone would stop what is bound to an inactive unit."""
    host.apply(app(1), app(1, "base", state="present"))
    host.apply(app(1, unit={"BindsTo": "base.service"}), app(1, "base", state="present"))
    assert host.states("app.service", "base.service") == ["active", "active"]


@pytest.mark.parametrize("run", [{}, {"run": "on_change"}], ids=["for the timer", "at once"])
def test_a_service_that_ran_on_becomes_the_work_of_a_timer(host: Lab, run: dict[str, str]) -> None:
    log = f"{NOTES}/log"
    host.apply(service("job", health={"stable_for": 0}))
    once = service("job", f"/bin/sh -c 'echo ran >> {log}'", service={"Type": "oneshot"}, **run)
    clock = timer("2099-01-01")
    result = host.settled(once, clock)
    assert result["newly_started"] == [clock["name"], *([once["name"]] if run else [])]
    assert host.state("job.service") == "inactive"
    assert host.exists(log) == bool(run)
    assert host.show("job.timer", "SubState") == "waiting"

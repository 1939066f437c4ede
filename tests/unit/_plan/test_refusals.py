# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused before anything is written, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.expansion import expanded
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired, build
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Observed
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences, owners, refusals
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.references import View
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problem

from tests.unit.world import RUNNING, SYSTEM, Entry, Relations, carried, declare, facts, in_force, work

MASKED = UnitState("masked", "inactive", "dead")


def service(name: str = "a.service", **more: Any) -> Entry:
    return {"name": name, "service": {"ExecStart": "/bin/a"}, **more}


def rules(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.unit, problem.rule.id) for problem in problems]


def forbidden(desired: Desired, observed: Observed, relations: Relations | None = None) -> list[tuple[str, str]]:
    found = work(desired, observed, relations)
    return rules(refusals.forbidden(found.plan, View(found.differences, observed), found.graph))


def impossible(desired: Desired, observed: Observed) -> list[tuple[str, str]]:
    return rules(refusals.impossible(View(differences.compare(desired, observed, {}), observed)))


@pytest.mark.parametrize(
    ("needing", "folder"),
    [
        (service(service={"ExecStart": "/bin/a", "StateDirectory": "app"}), "/var/lib/app"),
        (
            {
                **service("a@.service"),
                "instances": ["x"],
                "service": {"ExecStart": "/bin/a", "WorkingDirectory": "/srv/%i"},
            },
            "/srv/x",
        ),
        ({"name": "a.path", "path": {"PathExists": "/srv/x/y", "Unit": "b.service"}}, "/srv/x"),
        (
            {
                "name": "srv-x-y.mount",
                "mount": {"What": "tmpfs", "Where": "/srv/x/y", "Type": "tmpfs"},
                "state": "started",
            },
            "/srv/x",
        ),
    ],
)
def test_what_needs_a_mount_must_not_run_while_that_is_stopped(needing: Entry, folder: str) -> None:
    """Each run would start what the one before has stopped."""
    name = f"{folder[1:].replace('/', '-')}.mount"
    mount = {"name": name, "mount": {"What": "tmpfs", "Where": folder, "Type": "tmpfs"}, "state": "stopped"}
    vendor = {"b.service": "[Service]\nExecStart=/bin/b\n"}
    running = {**needing, "state": "started"}
    assert "contradiction" in [
        rule for _unit, rule in impossible(declare(running, mount), in_force(None, vendor=vendor))
    ]
    assert impossible(declare({**running, "state": "stopped"}, mount), in_force(None, vendor=vendor)) == []


def test_a_stop_of_what_carries_this_run() -> None:
    observed = carried(in_force(declare(service()), {"a.service": RUNNING}), "a.service")
    assert forbidden(declare(service(state="stopped")), observed) == [("a.service", "own-connection")]


def test_a_stop_that_takes_along_what_carries_this_run() -> None:
    observed = in_force(declare(service()), {"a.service": RUNNING, "ssh.service": RUNNING})
    bound = {"a.service": {"BoundBy": ("ssh.service",)}}
    assert forbidden(declare(service(state="stopped")), carried(observed, "ssh.service"), bound) == [
        ("a.service", "own-connection")
    ]


def test_a_start_that_conflicts_with_what_carries_this_run() -> None:
    observed = carried(in_force(None, {"ssh.service": RUNNING}), "ssh.service")
    conflicting = service(unit={"Conflicts": "ssh.service"})
    assert forbidden(declare(conflicting), observed) == [("ssh.service", "own-connection")]


def test_a_stop_that_systemd_refuses() -> None:
    refusing = service(unit={"RefuseManualStop": True})
    observed = in_force(declare(refusing), {"a.service": RUNNING})
    assert forbidden(declare({**refusing, "state": "stopped"}), observed) == [("a.service", "refused-stop")]


@pytest.mark.parametrize("state", ["started", "restarted"])
def test_a_start_of_what_another_folder_masks(state: str) -> None:
    observed = in_force(None, {"a.service": MASKED}, vendor={"a.service": ""})
    assert impossible(declare({"name": "a.service", "state": state}), observed) == [("a.service", "masked")]


@pytest.mark.parametrize("kind", ["timer", "target", "path", "slice", "socket"])
def test_a_reload_of_what_has_none(kind: str) -> None:
    states = {f"a.{kind}": UnitState("loaded", "active", "active")}
    reloaded = declare({"name": f"a.{kind}", "state": "reloaded"})
    assert forbidden(reloaded, in_force(None, states, vendor={f"a.{kind}": "[Unit]\n"})) == [(f"a.{kind}", "option")]


def test_what_a_drop_in_that_waits_for_its_unit_asks_of_it() -> None:
    """The text that comes may have a reload, and the unit runs then."""
    dropin = {"name": "b.service", "dropin": "x", "service": {"Nice": 5}, "on_change": "reload"}
    waiting = declare(dropins=[{**dropin, "health": {"tcp": "127.0.0.1:80"}}])
    assert impossible(waiting, in_force(None)) == [("b.service", "dropin-without-unit")]
    assert forbidden(waiting, in_force(None)) == []
    there = {"b.service": "[Service]\nExecStart=/bin/b\n"}
    assert impossible(waiting, in_force(None, vendor=there)) == [("b.service", "option")]
    assert forbidden(waiting, in_force(None, vendor=there)) == [("b.service", "not-checked")]


def test_a_target_that_is_nowhere() -> None:
    unit = service(install={"WantedBy": "multi-user.target mutli-user.target"})
    observed = in_force(None, {"multi-user.target": UnitState("loaded", "active", "active")})
    assert impossible(declare(unit), observed) == [("a.service", "no-such-target")]


def test_what_wants_each_instance_is_told_of_the_instances() -> None:
    template = service("a@.service", instances=["1", "2"], install={"WantedBy": "net@%i.service"})
    assert impossible(declare(template), in_force(None)) == [(f"a@{each}.service", "no-such-target") for each in "12"]
    same = service("a@.service", instances=["1", "2"], install={"WantedBy": "nowhere.target"})
    assert impossible(declare(same), in_force(None)) == [("a@1.service", "no-such-target")]


def test_a_device_may_be_plugged_in_later() -> None:
    for wanting in ("dev-ttyUSB0.device", "sys-subsystem-net-devices-wg0.device"):
        assert impossible(declare(service(install={"WantedBy": wanting})), in_force(None)) == []


def test_a_timer_that_starts_nothing() -> None:
    timer = {"name": "a.timer", "timer": {"OnCalendar": "daily"}}
    assert impossible(declare(timer), in_force(None)) == [("a.timer", "starts-nowhere")]
    assert impossible(declare(timer, service()), in_force(None)) == []


@pytest.mark.parametrize(
    ("timer", "beside", "says"),
    [
        # Nobody wrote report.service, so a stranger's unit of nearly that name is nothing that was meant.
        ({}, {}, "declare that too, or mend the name"),
        ({}, {"name": "repport.service"}, "declare that too, or mend the name (did you mean repport.service?)"),
        ({"Unit": "report.service"}, {}, "mend the name (did you mean reports.service?)"),
        ({"Unit": "report"}, {}, "and there is no report.service either: declare that too, or mend the name (did you"),
        ({"Unit": "reports"}, {}, "'reports' does not end in the type of unit: did you mean 'reports.service'?"),
        ({"Unit": "zzz"}, {}, "there is no zzz.service either: declare that too, or mend the name"),
    ],
)
def test_what_may_be_meant_by_what_a_timer_starts(timer: Entry, beside: Entry, says: str) -> None:
    units = [
        {"name": "report.timer", "timer": {"OnCalendar": "daily", **timer}},
        *([service(**beside)] if beside else []),
    ]
    desired = declare(*units)
    observed = in_force(None, vendor={"reports.service": "[Service]\nExecStart=/x\n"})
    (told,) = refusals.impossible(View(differences.compare(desired, observed, {}), observed))
    assert told.rule.id == ("starts-nowhere" if "." in timer.get("Unit", ".") else "starts-no-name")
    assert says in told.message
    assert ("did you mean" in told.message) == ("did you" in says)


def test_what_would_take_a_linked_unit_away() -> None:
    path = f"{SYSTEM.units}/a.service"
    text = b"[Service]\nExecStart=/bin/a\n[Install]\nWantedBy=multi-user.target\n"
    observed = in_force(None)
    loadpath = observed.loadpath.changed({path: text}, [])
    wants = f"{SYSTEM.units}/multi-user.target.wants/a.service"
    links = {path: "/opt/a.service", wants: "/opt/a.service"}
    observed = replace(observed, loadpath=loadpath, links=links)
    assert impossible(declare({"name": "a.service", "enabled": True}), observed) == []
    assert impossible(declare({"name": "a.service", "enabled": False}), observed) == [("a.service", "linked")]


def test_a_prune_of_what_is_named_without_a_text() -> None:
    observed = in_force(declare(service()), {"a.service": RUNNING})
    named = declare({"name": "a.service", "state": "started"}, prune=True)
    assert rules(owners.conflicts(named, observed)) == [("a.service", "no-text")]
    assert rules(owners.conflicts(declare({"name": "a.service", "state": "absent"}, prune=True), observed)) == []


def test_a_mask_over_a_file_of_someone_else() -> None:
    path = f"{SYSTEM.units}/a.service"
    masked = declare({"name": "a.service", "masked": True})
    by_hand = replace(in_force(None), files={path: Seen(0o100644, 0, 0, 0.0, b"[Service]\n")})
    assert rules(owners.conflicts(masked, by_hand)) == [("a.service", "owner")]
    assert owners.conflicts(masked, in_force(declare(service()))) == []


def test_what_others_only_refer_to_is_not_there() -> None:
    """systemd has it in memory then, as not found."""
    referred = {name: UnitState("not-found", "inactive", "dead") for name in ("gone.service", "gone.target")}
    timer = {"name": "a.timer", "timer": {"OnCalendar": "daily", "Unit": "gone.service"}}
    assert impossible(declare(timer), in_force(None, referred)) == [("a.timer", "starts-nowhere")]
    wanting = service(install={"WantedBy": "gone.target"})
    assert impossible(declare(wanting), in_force(None, referred)) == [("a.service", "no-such-target")]
    dropin = {"name": "gone.service", "dropin": "x", "service": {"Nice": 1}}
    assert impossible(declare(dropins=[dropin]), in_force(None, referred)) == [("gone.service", "dropin-without-unit")]
    for enabled in (True, False):
        named = declare({"name": "gone.service", "enabled": enabled, "state": "started"})
        assert ("gone.service", "no-such-unit") in impossible(named, in_force(None, referred))


NOWHERE = "it starts report.service, which is nowhere: "
PLAIN = "declare that too, or mend the name"


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"timers": [{"name": "report", "on_calendar": "daily"}]}, f"give the timer exec_start, {PLAIN}"),
        ({"sockets": [{"name": "report", "listen_stream": ["8931"]}]}, f"give the socket exec_start, {PLAIN}"),
        ({"timers": [{"name": "daily", "on_calendar": "daily", "unit": "report"}]}, PLAIN),
        ({"units": [{"name": "report.timer", "timer": {"OnCalendar": "daily"}}]}, PLAIN),
    ],
)
def test_a_short_form_may_bring_what_it_starts(given: Entry, remedy: str) -> None:
    """What tells of failures has nearly the same name, and is nothing that somebody means."""
    alert = {"name": "main", "exec_start": "/bin/main", "alert": {"command": ["/bin/tell"]}}
    options = {**given, "name": "repor", "services": [alert]}
    params, wrong = expanded(options)
    desired = build(params, facts())
    assert not wrong
    assert "repor-alert@.service" in {unit.name.text for unit in desired.units}
    observed = in_force(None)
    told = refusals.impossible(View(differences.compare(desired, observed, {}), observed))
    assert [each.message for each in told if each.rule.id == "starts-nowhere"] == [NOWHERE + remedy]


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("multiuser.target", "multi-user.target"),
        ("shop-worker.target", ""),
        ("reporting.target", ""),
        ("payments-api.target", ""),
        ("gonee.target", ""),
    ],
)
def test_the_target_that_may_have_been_meant(given: str, near: str) -> None:
    up = UnitState("loaded", "active", "active")
    known = ("multi-user.target", "sigpwr.target", "sockets.target", "reboot.target", "payments-api.service")
    states = {**dict.fromkeys(known, up), "gone.target": UnitState("not-found", "inactive", "dead")}
    desired = declare(service("payments-api.service", install={"WantedBy": given}))
    observed = in_force(None, states)
    (problem,) = refusals.impossible(View(differences.compare(desired, observed, {}), observed))
    assert "nothing starts this unit at boot" in problem.message
    assert ("did you mean" in problem.message) is bool(near)
    assert near in problem.message


def test_checks_of_a_template_are_done_for_what_runs_of_it() -> None:
    def template(start: str) -> Entry:
        return {"name": "a@.service", "service": {"ExecStart": start}, "health": {"tcp": "127.0.0.1:80"}}

    assert forbidden(declare(template("/bin/b")), in_force(None)) == [("a@.service", "not-checked")]
    running = in_force(declare(template("/bin/a")), {"a@1.service": RUNNING})
    assert forbidden(declare(template("/bin/b")), running) == []


ONCE = {"Type": "oneshot"}
RELOADS = {"ExecReload": "/bin/r"}
INSTALL = {"WantedBy": "multi-user.target"}
TEMPLATE: Entry = {"name": "a@.service", "service": {"ExecStart": "/bin/a"}}
VENDOR = {
    "a.service": "[Service]\nExecStart=/bin/a\n",
    "multi-user.target": "[Unit]\n",
}


def over(unit: str = "a.service", **more: Any) -> Entry:
    return {"name": unit, "dropin": "x", **more}


@pytest.mark.parametrize(
    ("units", "dropins", "found"),
    [
        ([service(enabled=True)], [], [("a.service", "no-install")]),
        ([service(enabled=True)], [over(install=INSTALL)], []),
        ([service(enabled=True, install=INSTALL)], [over(install={"WantedBy": ""})], [("a.service", "no-install")]),
        ([service(enabled=True)], [over(content="[Install]\nWantedBy=multi-user.target\n")], []),
        ([{**TEMPLATE, "instances": ["x"], "enabled": True}], [over("a@.service", install=INSTALL)], []),
        ([{**TEMPLATE, "instances": ["x"], "enabled": True}], [over("a@x.service", install=INSTALL)], []),
        (
            [{**TEMPLATE, "instances": ["x", "y"], "enabled": True}],
            [over("a@x.service", install=INSTALL)],
            [("a@y.service", "no-install")],
        ),
        ([service(on_change="reload")], [], [("a.service", "option")]),
        ([service(state="reloaded")], [], [("a.service", "option")]),
        ([service(on_change="reload")], [over(service=RELOADS)], []),
        ([service(state="reloaded")], [over(content="[Service]\nExecReload=/bin/r\n")], []),
        ([service(on_change="reload")], [over(on_change="reload", service=RELOADS)], []),
        (
            [{"name": "a.service", "service": {"ExecStart": "/bin/a", **RELOADS}, "on_change": "reload"}],
            [over(service={"ExecReload": ""})],
            [("a.service", "option")],
        ),
        ([{**TEMPLATE, "on_change": "reload"}], [], [("a@.service", "option")]),
        ([{**TEMPLATE, "on_change": "reload"}], [over("a@.service", service=RELOADS)], []),
        ([{**TEMPLATE, "instances": ["x"], "on_change": "reload"}], [over("a@x.service", service=RELOADS)], []),
        ([service(state="started")], [over(service=ONCE)], [("a.service", "option")]),
        ([service(run="on_change")], [], [("a.service", "option")]),
        ([service(run="on_change")], [over(service=ONCE)], []),
        ([service(run="on_change")], [over(service={**ONCE, "RemainAfterExit": True})], [("a.service", "option")]),
        ([{**TEMPLATE, "run": "on_change"}], [], [("a@.service", "option")]),
    ],
)
def test_options_ask_of_the_merged_text(units: list[Entry], dropins: list[Entry], found: list[tuple[str, str]]) -> None:
    observed = in_force(None, vendor={"multi-user.target": "[Unit]\n"})
    desired = declare(*units, dropins=dropins)
    assert impossible(desired, observed) == found
    # The same once it is there, and nothing changes.
    assert impossible(desired, in_force(desired, vendor=VENDOR)) == found


@pytest.mark.parametrize(
    ("unit", "dropin", "found"),
    [
        ({"name": "a.service", "on_change": "reload"}, over(service=RELOADS), []),
        ({"name": "a.service", "on_change": "reload"}, over(service={"Nice": 1}), [("a.service", "option")]),
        ({"name": "a.service", "enabled": True}, over(install=INSTALL), []),
        ({"name": "a.service", "state": "started"}, over(service=ONCE), [("a.service", "option")]),
        ({"name": "a.service", "run": "on_change"}, over(service=ONCE), []),
        ({"name": "a.service", "run": "on_change"}, over(service={"Nice": 1}), [("a.service", "option")]),
    ],
)
def test_a_dropin_over_a_unit_that_someone_else_owns(unit: Entry, dropin: Entry, found: list[tuple[str, str]]) -> None:
    assert impossible(declare(unit, dropins=[dropin]), in_force(None, vendor=VENDOR)) == found


@pytest.mark.parametrize("state", ["started", "restarted"])
@pytest.mark.parametrize("name", ["reboot.target", "emergency.service", "sleep.target", "ctrl-alt-del.target"])
def test_a_start_of_what_ends_the_run_of_the_host(name: str, state: str) -> None:
    text = {"service": {"ExecStart": "/bin/a"}} if name.endswith(".service") else {"unit": {"Description": "a"}}
    assert impossible(declare({"name": name, **text}), in_force(None)) == []
    assert impossible(declare({"name": name, "state": state, **text}), in_force(None)) == [(name, "ends-run")]
    vendor = {name: "[Unit]\nDescription=theirs\n"}
    assert impossible(declare({"name": name, "state": state}), in_force(None, vendor=vendor)) == [(name, "ends-run")]


def test_the_run_of_a_oneshot_whose_end_is_one_of_the_host() -> None:
    once = {"service": {"ExecStart": "/bin/a", "Type": "oneshot"}, "unit": {"SuccessAction": "reboot"}}
    desired = declare(service(**once, run="on_change"))
    (problem,) = refusals.impossible(View(differences.compare(desired, in_force(None), {}), in_force(None)))
    assert (problem.rule.id, "would by SuccessAction=reboot end" in problem.message) == ("ends-run", True)
    assert impossible(declare(service(**once)), in_force(None)) == []
    assert impossible(declare(service(unit={"SuccessAction": "reboot"}, state="started")), in_force(None)) == []
    assert impossible(declare(service(unit={"FailureAction": "reboot"}, state="started")), in_force(None)) == []


def test_a_start_of_it_by_another_name() -> None:
    link = f"{SYSTEM.units}/down.target"
    observed = in_force(None, vendor={"halt.target": "[Unit]\nDescription=h\n"})
    names = {**observed.loadpath.names, SYSTEM.units: frozenset(["down.target"])}
    observed = replace(observed, loadpath=replace(observed.loadpath, names=names, links={link: "halt.target"}))
    wanting = service(unit={"Wants": "down.target"}, state="started")
    assert impossible(declare(wanting), observed) == [("a.service", "ends-run")]


@pytest.mark.parametrize(
    ("entry", "refused"),
    [
        ({"unit": {"Wants": "poweroff.target"}, "state": "started"}, True),
        ({"unit": {"Wants": "poweroff.target"}}, False),
        ({"unit": {"Requires": "b.target"}, "state": "started"}, True),
        ({"unit": {"Conflicts": "sleep.target", "Before": "sleep.target"}, "state": "started"}, False),
        ({"unit": {"OnFailure": "reboot.target"}}, False),
        ({"install": {"WantedBy": "suspend.target"}}, False),
    ],
)
def test_what_pulls_in_what_ends_the_run_of_the_host(entry: Entry, refused: bool) -> None:
    other = {"name": "b.target", "unit": {"BindsTo": "kexec.target"}}
    found = impossible(declare(service(**entry), other), in_force(None))
    assert (("a.service", "ends-run") in found) == refused
    assert ("b.target", "ends-run") not in found


@pytest.mark.parametrize(("state", "wanted"), [(RUNNING, [("var.mount", "of-host")]), (None, [])])
def test_a_stop_of_what_the_host_stands_on(state: UnitState | None, wanted: list[tuple[str, str]]) -> None:
    var = {"name": "var.mount", "mount": {"What": "/dev/a", "Where": "/var"}, "state": "stopped"}
    assert impossible(declare(var), in_force(declare(var), {"var.mount": state} if state else {})) == wanted

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/restarts.md, line by line: what a change of each directive makes a run do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired, build
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.mounts import InPlace
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Unread
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences, making, plan
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.expected import Expected
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.owed import Owed, Pending
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.stale import Accepted
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.kinds import KINDS, File

from tests.unit.world import (
    RUNNING,
    SYSTEM,
    Entry,
    carried,
    declare,
    facts,
    in_force,
    jobs,
    planned,
    related,
    stamp,
    with_stamps,
)

_DOCS = Path(__file__).parents[3] / "docs" / "restarts.md"
_CHANGED = re.compile(r"`\[(\w+)\] (\w+)`(?: on (\d+))?")

# A unit of each kind that systemd takes, and its state when it is up.
UNITS: dict[str, tuple[Entry, str]] = {
    "service": ({"service": {"ExecStart": "/bin/a"}, "install": {"WantedBy": "multi-user.target"}}, "running"),
    "socket": ({"socket": {"ListenStream": "/run/a"}}, "listening"),
    "timer": ({"timer": {"OnCalendar": "daily"}}, "waiting"),
    "target": ({"unit": {"Description": "a"}}, "active"),
    "path": ({"path": {"PathExists": "/a"}}, "waiting"),
    "mount": ({"mount": {"What": "tmpfs", "Where": "/srv", "Type": "tmpfs"}}, "mounted"),
    "automount": ({"automount": {"Where": "/srv"}}, "waiting"),
    "swap": ({"swap": {"What": "/dev/sda"}}, "active"),
    "slice": ({"slice": {}}, "active"),
}
NAMES = {"mount": "srv.mount", "automount": "srv.automount", "swap": "dev-sda.swap"}

# Two values for a directive where "one" and "two" would not do.
VALUES = {
    "BOOLEAN": ("true", "false"),
    "UMask": ("0022", "0077"),
    "Environment": ("A=1", "A=2"),
    "SocketMode": ("0600", "0666"),
    "DirectoryMode": ("0700", "0755"),
    "Wants": ("b.service", "c.service"),
    "Requires": ("b.service", "c.service"),
}


def rows(heading: str) -> list[list[str]]:
    table = _DOCS.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def verbs(cell: str) -> list[str]:
    return [] if cell == "-" else cell.split(", ")


@pytest.mark.parametrize(("kind", "changed", "done"), [row[:3] for row in rows("Units that run")])
def test_a_changed_directive(kind: str, changed: str, done: str) -> None:
    match = _CHANGED.fullmatch(changed)
    assert match, f"{changed!r} is not `[Section] Directive` (on VERSION)"
    section, directive, version = match[1].lower(), match[2], int(match[3] or 252)
    text, sub = UNITS[kind]
    name = NAMES.get(kind, f"a.{kind}")
    first, second = VALUES.get(directive, ("one", "two"))
    before = {"name": name, "state": "started", **text, section: {**text.get(section, {}), directive: first}}
    after = {**before, section: {**before[section], directive: second}}
    observed = in_force(declare(before, version=version), {name: UnitState("loaded", "active", sub)}, version)
    made = planned(declare(after, version=version), observed)
    assert [verb for verb, _unit in jobs(made)] == verbs(done)
    assert made.reload


def test_every_type_that_a_file_may_declare_is_tried() -> None:
    assert set(UNITS) == {name for name, row in KINDS.items() if row.file is not File.NEVER}


def circumstance(text: str) -> Callable[[Callable[[], plan.Plan]], Callable[[], plan.Plan]]:
    def register(make: Callable[[], plan.Plan]) -> Callable[[], plan.Plan]:
        CIRCUMSTANCES[text] = make
        return make

    return register


CIRCUMSTANCES: dict[str, Callable[[], plan.Plan]] = {}


def service(start: str = "/bin/a", **more: object) -> Entry:
    return {"name": "a.service", "service": {"ExecStart": start}, **more}


RELOADS = {"ExecStart": "/bin/a", "ExecReload": "/bin/r"}


def stale(**more: object) -> plan.Plan:
    desired = declare(service(**more))
    return planned(desired, with_stamps(in_force(desired, {"a.service": RUNNING}), {"a.service": ["older"]}))


def after_change(now: UnitState | None, **more: object) -> plan.Plan:
    states = {"a.service": now} if now else {}
    return planned(declare(service("/bin/b", **more)), in_force(declare(service("/bin/a", **more)), states))


@circumstance("a process older than its files, environment, secrets or triggers")
def _stale() -> plan.Plan:
    return stale()


@circumstance("the same with `on_change: reload`")
def _stale_reload() -> plan.Plan:
    return stale(on_change="reload", service={"ExecStart": "/bin/a", "ExecReload": "/bin/r"})


@circumstance("the same that was reloaded since, and goes back to what it was started with")
def _reload_back() -> plan.Plan:
    first, second = (declare(service(on_change="reload", service=RELOADS, environment={"A": each})) for each in "12")
    observed = with_stamps(in_force(second, {"a.service": RUNNING}), {"a.service": [stamp(first)]})
    since = {"a.service": Accepted("1", frozenset((stamp(second),)), 0.0)}
    return planned(first, observed, earlier=[first, second], accepted=since)


@circumstance("the same that was reloaded since, with `on_change: restart` by now")
def _restart_after_reload() -> plan.Plan:
    first, second = (declare(service(service=RELOADS, environment={"A": each})) for each in "12")
    observed = with_stamps(in_force(second, {"a.service": RUNNING}), {"a.service": [stamp(first)]})
    since = {"a.service": Accepted("1", frozenset((stamp(second),)), 0.0)}
    made = planned(second, observed, earlier=[first, second], accepted=since)
    assert [step.reason for step in made.steps] == ["reloaded, but only its next start puts into force: Environment"]
    return made


@circumstance("the same with `on_change: reload`, still starting")
def _reload_too_early() -> plan.Plan:
    starting = UnitState("loaded", "activating", "start")
    text = {"ExecStart": "/bin/a", "ExecReload": "/bin/r"}
    desired = declare(service(on_change="reload", service=text))
    return planned(desired, with_stamps(in_force(desired, {"a.service": starting}), {"a.service": ["older"]}))


@circumstance("the same with `on_change: none`")
def _stale_none() -> plan.Plan:
    made = stale(on_change="none")
    assert "on_change is none" in made.kept["a.service"]
    return made


@circumstance("the same with `RefuseManualStop=yes`")
def _stale_refused() -> plan.Plan:
    made = stale(unit={"RefuseManualStop": True})
    assert "refuses" in made.kept["a.service"]
    return made


def triggered(before: Entry, after: Entry, changed_at: float = -1.0) -> plan.Plan:
    """A process that was started at 0 with other triggers."""

    def stack(triggers: Entry) -> Desired:
        about = facts(digests={"/etc/a": "1"}, changed_at={"/etc/a": changed_at})
        return build({"name": "test", "units": [service(state="started", triggers=triggers)]}, about)

    return planned(stack(after), in_force(stack(before), {"a.service": RUNNING}), earlier=[stack(before)])


def held_back(after: Desired, held: Desired, started: Desired | None, **host: Mapping[str, str]) -> plan.Plan:
    runs = in_force(started, {"a.service": RUNNING}).invocations
    made = planned(after, replace(in_force(held, {"a.service": RUNNING}, **host), invocations=runs))
    assert not made.kept
    return made


@circumstance("a change that `on_change: none` held back, and that is taken back")
def _taken_back() -> plan.Plan:
    first = declare(service())
    return held_back(first, declare(service("/bin/b", on_change="none")), first)


@circumstance("a drop-in of ours that was held back so from a foreign unit, and goes")
def _dropin_taken_back() -> plan.Plan:
    dropin = {"name": "a.service", "dropin": "x", "service": {"Nice": 1}, "on_change": "none"}
    gone = declare(dropins=[{"name": "a.service", "dropin": "x", "state": "absent"}])
    return held_back(gone, declare(dropins=[dropin]), None, vendor={"a.service": "[Service]\nExecStart=/bin/a\n"})


@circumstance("a trigger that is taken away")
def _trigger_less() -> plan.Plan:
    return triggered({"values": ["1"], "files": ["/etc/a"]}, {})


@circumstance("a file that is newly a trigger and is as it was when the process was started")
def _file_more() -> plan.Plan:
    return triggered({}, {"files": ["/etc/a"]})


@circumstance("a file that is newly a trigger and has changed since")
def _file_changed() -> plan.Plan:
    return triggered({}, {"files": ["/etc/a"]}, changed_at=1.0)


@circumstance("a value that is newly a trigger")
def _value_more() -> plan.Plan:
    return triggered({}, {"values": ["1"]})


@circumstance("a unit with `state: present` that does not run")
def _present_down() -> plan.Plan:
    return after_change(None, state="present")


@circumstance("a unit with `state: present` that runs, its `ExecStart` changed")
def _present_up() -> plan.Plan:
    return after_change(RUNNING, state="present")


@circumstance("a started unit that someone stopped")
def _stopped_by_hand() -> plan.Plan:
    desired = declare(service())
    return planned(desired, in_force(desired))


@circumstance("a started unit that has failed")
def _failed() -> plan.Plan:
    desired = declare(service())
    return planned(desired, in_force(desired, {"a.service": UnitState("loaded", "failed", "failed")}))


@circumstance("a started unit that keeps ending and waits to be restarted")
def _crash_loop() -> plan.Plan:
    desired = declare(service())
    state = UnitState("loaded", "activating", "auto-restart")
    observed = in_force(desired, {"a.service": state})
    return planned(desired, with_stamps(observed, {"a.service": [stamp(desired)]}))


@circumstance("a unit declared stopped that runs")
def _declared_stopped() -> plan.Plan:
    desired = declare(service(state="stopped"))
    return planned(desired, in_force(desired, {"a.service": RUNNING}))


@circumstance("a oneshot that a timer starts, its `ExecStart` changed")
def _timers_oneshot() -> plan.Plan:
    def stack(start: str) -> list[Entry]:
        timer = {"name": "a.timer", "timer": {"OnCalendar": "daily"}}
        return [{"name": "a.service", "service": {"Type": "oneshot", "ExecStart": start}}, timer]

    states = {"a.timer": UnitState("loaded", "active", "waiting")}
    return planned(declare(*stack("/bin/b")), in_force(declare(*stack("/bin/a")), states))


@circumstance("a oneshot that is at its work, its `ExecStart` changed")
def _working_oneshot() -> plan.Plan:
    def once(start: str) -> Entry:
        return {"name": "a.service", "service": {"Type": "oneshot", "ExecStart": start}}

    states = {"a.service": UnitState("loaded", "activating", "start")}
    made = planned(declare(once("/bin/b")), in_force(declare(once("/bin/a")), states))
    assert "at its work" in made.kept["a.service"]
    assert not made.watched
    return made


@circumstance("a oneshot that is at its work, its `MemoryMax` changed, on 257")
def _limits_of_a_working_oneshot() -> plan.Plan:
    def once(limit: str) -> Desired:
        text = {"Type": "oneshot", "ExecStart": "/bin/a", "MemoryMax": limit}
        return declare({"name": "a.service", "service": text}, version=257)

    states = {"a.service": UnitState("loaded", "activating", "start")}
    return planned(once("2G"), in_force(once("1G"), states, 257))


@circumstance("a oneshot with `run: on_change`, its `ExecStart` changed")
def _run_on_change() -> plan.Plan:
    def once(start: str) -> Entry:
        return {"name": "a.service", "run": "on_change", "service": {"Type": "oneshot", "ExecStart": start}}

    return planned(declare(once("/bin/b")), in_force(declare(once("/bin/a"))))


@circumstance("the same that is at its work")
def _run_on_change_at_work() -> plan.Plan:
    def once(start: str) -> Entry:
        return {"name": "a.service", "run": "on_change", "service": {"Type": "oneshot", "ExecStart": start}}

    states = {"a.service": UnitState("loaded", "activating", "start")}
    made = planned(declare(once("/bin/b")), in_force(declare(once("/bin/a")), states))
    assert dict(made.watched) == {"a.service": Expected.DONE}
    return made


@circumstance("a oneshot with `run: on_change` that has failed")
def _run_that_failed() -> plan.Plan:
    once = declare({"name": "a.service", "run": "on_change", "service": {"Type": "oneshot", "ExecStart": "/bin/a"}})
    return planned(once, in_force(once, {"a.service": UnitState("loaded", "failed", "failed")}))


def retired(**more: object) -> plan.Plan:
    once = {"name": "a.service", "service": {"Type": "oneshot", "ExecStart": "/bin/b"}, "state": "present", **more}
    return planned(declare(once), in_force(declare(service()), {"a.service": RUNNING}))


@circumstance("a service that runs on and is now a oneshot that a timer starts")
def _retired() -> plan.Plan:
    return retired()


@circumstance("the same with `run: on_change`")
def _retired_and_run() -> plan.Plan:
    return retired(run="on_change")


@circumstance("a oneshot that has run and loses its `RemainAfterExit`")
def _remains_no_longer() -> plan.Plan:
    def once(remains: bool) -> Entry:
        text = {"Type": "oneshot", "ExecStart": "/bin/a", "RemainAfterExit": remains}
        return {"name": "a.service", "service": text}

    states = {"a.service": UnitState("loaded", "active", "exited")}
    return planned(declare(once(False)), in_force(declare(once(True)), states))


def wanting(on_change: str) -> plan.Plan:
    before = {"service": {"ExecStart": "/bin/a", "ExecReload": "/bin/r"}, "on_change": on_change}
    after = {**before, "unit": {"Wants": "b.service"}, "service": {**before["service"], "Nice": 1}}
    return planned(declare(service(**after)), in_force(declare(service(**before)), {"a.service": RUNNING}))


@circumstance("a service with `on_change: reload`, its `Nice` changed, that also wants another unit now")
def _wanting_and_reloaded() -> plan.Plan:
    return wanting("reload")


@circumstance("that service with `on_change: none` instead")
def _wanting_and_kept() -> plan.Plan:
    made = wanting("none")
    assert "a.service" in made.kept
    return made


@circumstance("a service that is bound to one that is no longer declared, with `prune`")
def _bound_to_what_goes() -> plan.Plan:
    bound = {"name": "b.service", "service": {"ExecStart": "/bin/b"}}
    observed = in_force(declare(service(), bound), {"a.service": RUNNING, "b.service": RUNNING})
    made = planned(declare(bound, prune=True), observed, {"a.service": {"RequiredBy": ("b.service",)}})
    assert jobs(made) == [("stop", "a.service"), ("start", "b.service")]
    assert made.watched == {"a.service": Expected.DOWN, "b.service": Expected.UP}
    return made


@circumstance("a service with `state: reloaded`, its `ExecStart` changed")
def _reloaded_and_changed() -> plan.Plan:
    def reloaded(start: str) -> Entry:
        return {"name": "a.service", "state": "reloaded", "service": {"ExecStart": start, "ExecReload": "/bin/r"}}

    return planned(declare(reloaded("/bin/b")), in_force(declare(reloaded("/bin/a")), {"a.service": RUNNING}))


@circumstance("a socket with `state: restarted` whose service runs")
def _restarted_socket() -> plan.Plan:
    socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a"}, "state": "restarted"}
    desired = declare(service(), socket)
    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    return planned(desired, in_force(desired, states))


@circumstance("a socket whose service has `RefuseManualStop=yes`, its `ListenStream` changed")
def _refusing_service() -> plan.Plan:
    def stack(path: str) -> list[Entry]:
        refusing = service(unit={"RefuseManualStop": True})
        return [refusing, {"name": "a.socket", "socket": {"ListenStream": path}}]

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    made = planned(declare(*stack("/run/b")), in_force(declare(*stack("/run/a")), states))
    assert "refuses" in made.kept["a.socket"]
    return made


@circumstance("a unit with `state: present` that keeps ending and waits to be restarted, its `ExecStart` changed")
def _crash_loop_present() -> plan.Plan:
    made = after_change(UnitState("loaded", "activating", "auto-restart"), state="present")
    assert not made.watched
    return made


@circumstance("a template's `ExecStart` changed, with two instances running")
def _template() -> plan.Plan:
    def template(start: str) -> Entry:
        return {"name": "a@.service", "instances": ["x", "y"], "service": {"ExecStart": start}}

    states = {"a@x.service": RUNNING, "a@y.service": RUNNING}
    return planned(declare(template("/bin/b")), in_force(declare(template("/bin/a")), states))


def foreign(text: str, *dropins: Entry) -> plan.Plan:
    observed = in_force(None, {"a.service": RUNNING}, vendor={"a.service": text})
    return planned(declare(dropins=list(dropins)), observed)


@circumstance("a drop-in of ours over a running foreign unit")
def _dropin() -> plan.Plan:
    dropin = {"name": "a.service", "dropin": "50-limits", "service": {"LimitNOFILE": 4096}}
    return foreign("[Service]\nExecStart=/bin/a\n", dropin)


@circumstance("a drop-in of ours for many (`a-.service`, `a@.service`, `service`), over a running foreign unit")
def _general_dropin() -> plan.Plan:
    units = ("a-b.service", "a@b.service", "b.service")
    texts = dict.fromkeys(("a-b.service", "a@.service", "b.service"), "[Service]\nExecStart=/bin/a\n")
    observed = in_force(None, dict.fromkeys(units, RUNNING), vendor=texts)
    over = [{"name": name, "dropin": "x", "service": {"LimitNOFILE": 1}} for name in ("a-.service", "a@.service")]
    made = planned(declare(dropins=over), observed)
    assert list(made.kept) == ["a-b.service", "a@b.service"]
    said = planned(declare(dropins=[{**over[0], "on_change": "restart"}]), observed)
    assert jobs(said) == [("restart", "a-b.service")]
    every = planned(declare(dropins=[{**over[0], "name": "service"}]), observed)
    assert set(every.kept) == set(units)
    return made


@circumstance("a drop-in of ours that says what the unit says already, of what systemd reads itself")
def _same_text() -> plan.Plan:
    dropin = {"name": "a.service", "dropin": "50-again", "service": {"RestartSec": 5}}
    return foreign("[Service]\nExecStart=/bin/a\nRestartSec=5\n", dropin)


@circumstance("a drop-in of ours that says what the unit says already, of what a process keeps")
def _same_scalar() -> plan.Plan:
    dropin = {"name": "a.service", "dropin": "50-again", "service": {"Nice": 5}}
    return foreign("[Service]\nExecStart=/bin/a\nNice=5\n", dropin)


@circumstance("a drop-in of someone else, of what a process keeps, written after the process of our unit was started")
def _foreign_news() -> plan.Plan:
    desired = declare(service())
    observed = in_force(desired, {"a.service": RUNNING})
    folder = f"{SYSTEM.units}/a.service.d"
    loadpath = observed.loadpath.changed({f"{folder}/by-hand.conf": b"[Service]\nNice=1\n"}, [])
    path = f"{folder}/by-hand.conf"
    by_hand = Seen(0o100644, 0, 0, 5.0, b"[Service]\nNice=1\n", None, 5.0)
    runs = {"a.service": observed.invocations["a.service"]._replace(began=4.0)}
    observed = replace(
        observed, loadpath=loadpath, files={**observed.files, path: by_hand}, invocations=runs, looked_at=6.0
    )
    for harmless in (by_hand._replace(modified_at=3.0), by_hand._replace(modified_at=7.0)):
        assert planned(desired, replace(observed, files={**observed.files, path: harmless})).empty
    made = planned(desired, replace(observed, unread=Unread(frozenset({path}))))
    assert made.reload
    return made


@circumstance(
    "an instance that serves one connection of a socket with `Accept=yes`, its template's `ExecStart` changed"
)
def _per_connection() -> plan.Plan:
    def stack(start: str) -> list[Entry]:
        socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a", "Accept": True}}
        return [{"name": "a@.service", "service": {"ExecStart": start}}, socket]

    states = {"a.socket": UnitState("loaded", "active", "listening"), "a@1-2-3.service": RUNNING}
    made = planned(declare(*stack("/bin/b")), in_force(declare(*stack("/bin/a")), states))
    assert "connection" in made.kept["a@1-2-3.service"]
    return made


@circumstance("a unit that is no longer declared, with `prune`")
def _pruned() -> plan.Plan:
    kept = {"name": "b.target", "unit": {"Description": "b"}, "state": "present"}
    observed = in_force(declare(service(), kept), {"a.service": RUNNING})
    made = planned(declare(kept, prune=True), observed)
    order = [step.action for step in made.steps]
    assert order.index("stop") < order.index("remove") < order.index("daemon-reload")
    return made


@circumstance("a slice that is no longer declared, with `prune`")
def _pruned_slice() -> plan.Plan:
    kept = {"name": "b.target", "unit": {"Description": "b"}, "state": "present"}
    states = {"a.slice": UnitState("loaded", "active", "active")}
    observed = in_force(declare({"name": "a.slice", "slice": {"MemoryMax": "1G"}}, kept), states)
    return planned(declare(kept, prune=True), observed)


@circumstance("a socket whose service runs already")
def _gains_socket() -> plan.Plan:
    socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a"}}
    both = declare(service(state="present"), socket)
    made = planned(both, in_force(declare(service(state="present")), {"a.service": RUNNING}))
    assert made.jobs["start"] == ("a.socket", "a.service")
    return made


@circumstance("a socket that runs though its file is gone")
def _lost_socket() -> plan.Plan:
    socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a"}}
    states = {"a.socket": UnitState("not-found", "active", "listening")}
    return planned(declare(service(state="present"), socket), in_force(declare(service(state="present")), states))


@circumstance("one of two sockets of a running service, its `ListenStream` changed")
def _two_sockets() -> plan.Plan:
    def stack(path: str) -> list[Entry]:
        other = {"name": "b.socket", "socket": {"ListenStream": "/run/b", "Service": "a.service"}}
        return [service(), {"name": "a.socket", "socket": {"ListenStream": path}}, other]

    listening = UnitState("loaded", "active", "running")
    states = {"a.service": RUNNING, "a.socket": listening, "b.socket": listening}
    observed = in_force(declare(*stack("/run/a")), states)
    made = planned(declare(*stack("/run/c")), observed, {"a.service": {"TriggeredBy": ("a.socket", "b.socket")}})
    assert made.jobs["stop"][2] == made.jobs["start"][2] == "a.service"
    return made


@circumstance("a socket that goes while its service is declared started")
def _socket_goes() -> plan.Plan:
    socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a"}}
    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    observed = in_force(declare(service(), socket), states)
    return planned(declare(service(state="started"), prune=True), observed)


@circumstance("a timer with only `OnBootSec` whose time was over, that changed")
def _boot_timer() -> plan.Plan:
    def timer(span: str) -> Entry:
        return {"name": "a.timer", "timer": {"OnBootSec": span}}

    elapsed = UnitState("loaded", "active", "elapsed")
    return planned(declare(timer("2min")), in_force(declare(timer("1min")), {"a.timer": elapsed}))


@circumstance("a timer whose times were over, its schedule changed")
def _elapsed_timer() -> plan.Plan:
    def timer(calendar: str) -> Entry:
        return {"name": "a.timer", "timer": {"OnCalendar": calendar}}

    elapsed = UnitState("loaded", "active", "elapsed")
    return planned(declare(timer("daily")), in_force(declare(timer("2001-01-01")), {"a.timer": elapsed}))


@circumstance("a service whose socket listens in its own `RuntimeDirectory`, its text changed")
def _lost_socket() -> plan.Plan:
    def stack(start: str, **more: object) -> list[Entry]:
        socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a/sock"}}
        return [{"name": "a.service", "service": {"ExecStart": start, "RuntimeDirectory": "a", **more}}, socket]

    def changed(**more: object) -> plan.Plan:
        states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
        relations = {"a.service": {"TriggeredBy": ("a.socket",)}, "a.socket": {"Triggers": ("a.service",)}}
        observed = in_force(declare(*stack("/bin/a", **more)), states)
        return planned(declare(*stack("/bin/b", **more)), observed, relations)

    for more in ({"RuntimeDirectoryPreserve": "yes"}, {"RuntimeDirectory": "b"}):
        assert jobs(changed(**more)) == [("restart", "a.service")]
    return changed()


@circumstance("a mount over a folder that this run has something in use in")
def _under_run() -> plan.Plan:
    mount = declare({"name": "srv.mount", "mount": {"What": "tmpfs", "Where": "/srv", "Type": "tmpfs"}})

    def standing(*paths: str) -> plan.Plan:
        observed = in_force(None)
        seen = observed.manager._replace(footing=frozenset(paths))
        return planned(mount, replace(observed, manager=seen))

    assert jobs(standing("/srv2/a", "/root", "/")) == [("start", "srv.mount")]
    made = standing("/root", "/srv/a/b")
    assert "/srv/a/b" in made.kept["srv.mount"]
    return made


@circumstance("the unit that this run itself lives in")
def _own_unit() -> plan.Plan:
    desired = declare(service())
    observed = with_stamps(in_force(desired, {"a.service": RUNNING}), {"a.service": ["older"]})
    made = planned(desired, carried(observed, "a.service"))
    assert "connection" in made.kept["a.service"]
    return made


@circumstance("a socket of such a unit, its `ListenStream` changed")
def _own_socket() -> plan.Plan:
    def stack(path: str) -> list[Entry]:
        return [service(), {"name": "a.socket", "socket": {"ListenStream": path}}]

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    observed = carried(in_force(declare(*stack("/run/a")), states), "a.service")
    made = planned(declare(*stack("/run/b")), observed)
    assert sorted(made.kept) == ["a.service", "a.socket"]
    return made


@circumstance("a mount of `/`, `/usr` or `/var`")
def _kept_mount() -> plan.Plan:
    def var(what: str) -> Entry:
        return {"name": "var.mount", "mount": {"What": what, "Where": "/var"}}

    states = {"var.mount": UnitState("loaded", "active", "mounted")}
    made = planned(declare(var("/dev/b")), in_force(declare(var("/dev/a")), states))
    assert "next boot" in made.kept["var.mount"]
    return made


def elapsed(before: Entry, after: Entry) -> plan.Plan:
    def timer(text: Entry) -> Desired:
        return declare({"name": "a.timer", "timer": {"OnCalendar": "2001-01-01"}, **text})

    return planned(timer(after), in_force(timer(before), {"a.timer": UnitState("loaded", "active", "elapsed")}))


@circumstance("a timer whose times were over, its `Description` changed")
def _elapsed_timer_described() -> plan.Plan:
    made = elapsed({"unit": {"Description": "a"}}, {"unit": {"Description": "b"}})
    assert not made.watched
    assert jobs(elapsed({}, {"timer": {"OnCalendar": "2001-01-01", "AccuracySec": 1, "OnBootSec": 2}})) == [
        ("restart", "a.timer")
    ]
    assert jobs(elapsed({}, {"timer": {"OnCalendar": "2001-01-01", "AccuracySec": 1}})) == []
    return made


@circumstance("a timer with `RemainAfterElapse=no` whose times were over")
def _gone_timer() -> plan.Plan:
    def made(desired: Desired, before: Desired) -> plan.Plan:
        observed = in_force(before)
        over = observed.manager._replace(spent=frozenset({"a.timer"}))
        return planned(desired, replace(observed, manager=over))

    first, other = (
        declare({"name": "a.timer", "timer": {"OnCalendar": at, "RemainAfterElapse": False}})
        for at in ("2026-01-01", "2026-01-02")
    )
    assert jobs(made(other, first)) == [("start", "a.timer")]
    assert jobs(planned(first, in_force(first))) == [("start", "a.timer")]
    return made(first, first)


@circumstance("a timer whose times were over, its schedule changed, with `on_change: none`")
def _elapsed_timer_kept() -> plan.Plan:
    made = elapsed({}, {"timer": {"OnCalendar": "daily"}, "on_change": "none"})
    assert "on_change is none" in made.kept["a.timer"]
    return made


@circumstance("a restart that an interrupted run owes, with `on_change: none` by now")
def _owed_and_kept() -> plan.Plan:
    desired = declare(service(on_change="none"))
    observed = in_force(desired, {"a.service": RUNNING})
    pending = Pending(owed={"a.service": (Owed.RESTART,)}, since="then")
    found, graph = differences.compare(desired, observed, {}, pending), related(observed)
    made = making.make(found, plan.wishes(found, observed), graph, observed)
    assert "on_change is none" in made.kept["a.service"]
    return made


@circumstance("a running unit that someone has masked, a drop-in over it changed")
def _masked() -> plan.Plan:
    mask = f"{SYSTEM.units}/a.service"
    observed = in_force(None, {"a.service": RUNNING}, vendor={"a.service": "[Service]\nExecStart=/bin/a\n"})
    loadpath = replace(observed.loadpath.changed({mask: b""}, []), links={mask: "/dev/null"})
    dropin = {"name": "a.service", "dropin": "x", "service": {"Nice": 1}}
    made = planned(declare(dropins=[dropin]), replace(observed, loadpath=loadpath))
    assert mask in made.kept["a.service"]
    return made


@circumstance("such a mount that is no longer declared, with `prune`")
def _pruned_mount_of_the_host() -> plan.Plan:
    kept = {"name": "b.target", "unit": {"Description": "b"}, "state": "present"}
    states = {"var.mount": UnitState("loaded", "active", "mounted")}
    var = {"name": "var.mount", "mount": {"What": "/dev/a", "Where": "/var"}}
    return planned(declare(kept, prune=True), in_force(declare(var, kept), states))


@circumstance("such a mount that is declared and not there")
def _new_mount_of_the_host() -> plan.Plan:
    made = planned(declare({"name": "var.mount", "mount": {"What": "/dev/a", "Where": "/var"}}), in_force(None))
    assert "next boot" in made.kept["var.mount"]
    return made


def said_to_reload(**more: str) -> plan.Plan:
    """A mount whose What= changes, and more."""

    def mount(**directives: str) -> Desired:
        text = {"What": "/dev/sda", "Where": "/srv", "Type": "ext4", "Options": "rw", **directives}
        return declare({"name": "srv.mount", "mount": text, "on_change": "reload"})

    states = {"srv.mount": UnitState("loaded", "active", "mounted")}
    made = planned(mount(What="/dev/sdb", **more), in_force(mount(), states))
    assert "What" in made.kept["srv.mount"]
    return made


@circumstance("a mount with `on_change: reload`, its `What` changed")
def _another_source() -> plan.Plan:
    made = said_to_reload(Slice="b.slice")
    assert made.kept["srv.mount"] == "changed: What, Slice; in force when it next comes up"
    return made


@circumstance("that mount, its `Options` changed too")
def _another_source_and_options() -> plan.Plan:
    return said_to_reload(Options="ro")


def by_hand(before: str | None, size: str) -> plan.Plan:
    def mount(size: str) -> Desired:
        text = {"What": "tmpfs", "Where": "/srv", "Type": "tmpfs", "Options": f"size={size}"}
        return declare({"name": "srv.mount", "mount": text})

    there = InPlace("tmpfs", frozenset({"tmpfs"}), "tmpfs", ("rw", "size=1024k"))
    states = {"srv.mount": UnitState("loaded", "active", "mounted")}
    observed = in_force(mount(before) if before else None, states)
    return planned(mount(size), replace(observed, in_place={"srv.mount": there}, invocations={}))


@circumstance("a mount that someone has mounted by hand, and a new text that says otherwise")
def _mounted_by_hand() -> plan.Plan:
    for made in (by_hand(None, "5M"), by_hand("5M", "5M")):
        assert "size=1024k" in made.kept["srv.mount"]
        assert "Options=size=5M" in made.kept["srv.mount"]
    return by_hand(None, "5M")


@circumstance("that mount, its `Options` changed")
def _mounted_by_hand_and_changed() -> plan.Plan:
    made = by_hand("5M", "6M")
    assert not made.kept
    return made


@circumstance("an automount where something is mounted without it")
def _forestalled_automount() -> plan.Plan:
    states = {"srv.mount": UnitState("loaded", "active", "mounted")}
    return planned(declare({"name": "srv.automount", "automount": {"Where": "/srv"}}), in_force(None, states))


@circumstance("an automount that waits though its file was gone")
def _lost_automount() -> plan.Plan:
    states = {"srv.automount": UnitState("not-found", "active", "waiting")}
    return planned(declare({"name": "srv.automount", "automount": {"Where": "/srv"}}), in_force(None, states))


@circumstance("a slice that systemd has made itself and that now has a `MemoryMax`, on 257")
def _made_slice() -> plan.Plan:
    states = {"lab.slice": UnitState("loaded", "active", "active")}
    return planned(
        declare({"name": "lab.slice", "slice": {"MemoryMax": "1G"}}, version=257), in_force(None, states, 257)
    )


@circumstance("`reboot.target` and the like (systemd.special(7)) with a new text")
def _reboot() -> plan.Plan:
    return planned(declare({"name": "reboot.target", "unit": {"Description": "mine"}, "replace": True}), in_force(None))


@pytest.mark.parametrize(("text", "done"), [row[:2] for row in rows("Circumstances")])
def test_a_circumstance(text: str, done: str) -> None:
    assert [verb for verb, _unit in jobs(CIRCUMSTANCES[text]())] == verbs(done)


def test_every_circumstance_is_documented() -> None:
    assert set(CIRCUMSTANCES) == {row[0] for row in rows("Circumstances")}


@pytest.mark.parametrize("length", [238, 239, 243])
def test_a_unit_whose_name_leaves_no_room_for_systemds_notes(length: int) -> None:
    """A run's note has a file of the unit's name and 17 characters more; without it no process is older for that."""

    def entry(secret: str) -> Entry:
        return {"name": "a" * (length - 8) + ".service", "service": {"ExecStart": "/a"}, "secrets": {"A": secret}}

    name = entry("")["name"]
    observed = in_force(declare(entry("some secret")), {name: RUNNING})
    if length > 238:
        observed = replace(observed, invocations={})
    assert jobs(planned(declare(entry("some secret")), observed)) == []
    assert jobs(planned(declare(entry("another secret")), observed)) == [("restart", name)]


@pytest.mark.parametrize(
    ("old", "new"), [("ReadWriteDirectories", "ReadWritePaths"), ("InaccessibleDirectories", "InaccessiblePaths")]
)
def test_a_new_name_for_the_same_restarts_nothing(old: str, new: str) -> None:
    before, after = (declare(service(service={"ExecStart": "/bin/a", each: "/srv"})) for each in (old, new))
    assert jobs(planned(after, in_force(before, {"a.service": RUNNING}))) == []

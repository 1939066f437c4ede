# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left as it is, who may say so, and what is done all the same."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import UnitState

from tests.unit.world import RUNNING, Entry, carried, declare, in_force, jobs, planned

VENDOR = {"a.service": "[Service]\nExecStart=/bin/a\nExecReload=/bin/r\n"}
NAMED: Entry = {"name": "a.service", "state": "started"}


def dropin(on_change: str | None = None, nice: int = 1, name: str = "x", unit: str = "a.service") -> Entry:
    said = {"on_change": on_change} if on_change else {}
    return {"name": unit, "dropin": name, "service": {"Nice": nice}, **said}


@pytest.mark.parametrize(
    ("unit", "dropins", "done"),
    [
        (None, [dropin()], ["restart"]),
        (None, [dropin("none")], []),
        (None, [dropin("reload")], ["reload"]),
        (NAMED, [dropin("none")], []),
        ({**NAMED, "on_change": "none"}, [dropin()], []),
        ({**NAMED, "on_change": "none"}, [dropin("restart")], []),
        ({**NAMED, "on_change": "restart"}, [dropin("none")], ["restart"]),
        (NAMED, [dropin("none"), dropin(name="y")], []),
        (NAMED, [dropin("reload"), dropin("none", name="y")], []),
        (NAMED, [dropin("restart"), dropin("reload", name="y")], ["reload"]),
    ],
)
def test_who_says_what_a_change_does(unit: Entry | None, dropins: list[Entry], done: list[str]) -> None:
    observed = in_force(None, {"a.service": RUNNING}, vendor=VENDOR)
    made = planned(declare(*([unit] if unit else []), dropins=dropins), observed)
    assert [verb for verb, _unit in jobs(made)] == done
    # What a reload does not put into force is kept, too.
    assert set(made.kept) == (set() if done == ["restart"] else {"a.service"})


def test_a_dropin_says_nothing_of_a_unit_that_has_a_text_beside_it() -> None:
    def stack(start: str) -> Desired:
        return declare({"name": "a.service", "service": {"ExecStart": start}}, dropins=[dropin("none")])

    assert jobs(planned(stack("/bin/b"), in_force(stack("/bin/a"), {"a.service": RUNNING}))) == [
        ("restart", "a.service")
    ]


@pytest.mark.parametrize(("on_change", "done"), [(None, ["restart"]), ("none", []), ("reload", ["reload"])])
def test_a_template_speaks_for_instances_that_nobody_lists(on_change: str | None, done: list[str]) -> None:
    def stack(start: str) -> Desired:
        text = {"ExecStart": start, "ExecReload": "/bin/r"}
        said = {"on_change": on_change} if on_change else {}
        return declare({"name": "a@.service", "service": text, "state": "present", **said})

    made = planned(stack("/bin/b"), in_force(stack("/bin/a"), {"a@x.service": RUNNING}))
    assert [verb for verb, _unit in jobs(made)] == done


def reloaded(start: str, **more: object) -> Entry:
    text = {"ExecStart": start, "ExecReload": "/bin/r"}
    return {"name": "a.service", "service": text, "state": "reloaded", **more}


def test_a_kept_unit_that_is_declared_reloaded_is() -> None:
    kept = [declare(reloaded(start, on_change="none")) for start in ("/bin/a", "/bin/b")]
    made = planned(kept[1], in_force(kept[0], {"a.service": RUNNING}))
    assert jobs(made) == [("reload", "a.service")]
    assert "on_change is none" in made.kept["a.service"]


def test_what_carries_this_run_and_is_declared_reloaded_is() -> None:
    changed = [declare(reloaded(start)) for start in ("/bin/a", "/bin/b")]
    observed = carried(in_force(changed[0], {"a.service": RUNNING}), "a.service")
    made = planned(changed[1], observed)
    assert jobs(made) == [("reload", "a.service")]
    assert "connection" in made.kept["a.service"]


def test_what_keeps_ending_and_refuses_a_restart_is_left_to_systemd() -> None:
    text = {"service": {"ExecStart": "/bin/a"}, "unit": {"RefuseManualStop": True}}
    desired = declare({"name": "a.service", **text, "state": "started"})
    made = planned(desired, in_force(desired, {"a.service": UnitState("loaded", "activating", "auto-restart")}))
    assert made.empty
    assert "refuses" in made.kept["a.service"]


@pytest.mark.parametrize(("directive", "values"), [("Options", ("ro", "rw")), ("What", ("/dev/a", "/dev/b"))])
def test_a_mount_that_shall_not_be_touched(directive: str, values: tuple[str, str]) -> None:
    def mount(value: str) -> Desired:
        text = {"What": "/dev/a", "Where": "/srv", directive: value}
        return declare({"name": "srv.mount", "mount": text, "on_change": "none"})

    states = {"srv.mount": UnitState("loaded", "active", "mounted")}
    made = planned(mount(values[1]), in_force(mount(values[0]), states))
    assert jobs(made) == []
    assert directive in made.kept["srv.mount"]


def test_what_goes_down_with_a_service_comes_up_with_it() -> None:
    def stack(path: str) -> Desired:
        socket = {"name": "a.socket", "socket": {"ListenStream": path}}
        return declare({"name": "a.service", "service": {"ExecStart": "/bin/a"}}, socket)

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running"), "b.service": RUNNING}
    relations = {"a.service": {"RequiredBy": ("b.service", "c.service")}}
    made = planned(stack("/run/b"), in_force(stack("/run/a"), states), relations)
    assert set(made.jobs["start"]) == {"a.socket", "a.service", "b.service"}


def test_a_socket_is_kept_for_what_would_not_come_up_again() -> None:
    """What needs its service goes down with that, and refuses to be started by hand."""

    def stack(path: str) -> Desired:
        socket = {"name": "a.socket", "socket": {"ListenStream": path}}
        return declare({"name": "a.service", "service": {"ExecStart": "/bin/a"}}, socket)

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running"), "b.service": RUNNING}
    refusing = {"b.service": "[Unit]\nRequires=a.service\nRefuseManualStart=yes\n[Service]\nExecStart=/bin/b\n"}
    observed = in_force(stack("/run/a"), states, vendor=refusing)
    made = planned(stack("/run/b"), observed, {"a.service": {"RequiredBy": ("b.service",)}})
    assert jobs(made) == []
    assert "refuses" in made.kept["a.socket"]


def test_a_socket_is_kept_whose_service_shall_refuse_a_start_from_now_on() -> None:
    """What is in memory lets it go down, what is read then does not let it come up."""

    def stack(path: str, **unit: bool) -> Desired:
        socket = {"name": "a.socket", "socket": {"ListenStream": path}}
        return declare({"name": "a.service", "service": {"ExecStart": "/bin/a"}, "unit": unit}, socket)

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    made = planned(stack("/run/b", RefuseManualStart=True), in_force(stack("/run/a"), states))
    assert jobs(made) == []
    assert "refuses" in made.kept["a.socket"]


def test_a_socket_that_goes_is_nothing_to_a_service_that_it_alone_started() -> None:
    service = {"name": "a.service", "service": {"ExecStart": "/bin/a"}, "state": "present"}
    socket = {"name": "a.socket", "socket": {"ListenStream": "/run/a"}}
    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    made = planned(declare(service, prune=True), in_force(declare(service, socket), states))
    assert jobs(made) == [("stop", "a.socket")]

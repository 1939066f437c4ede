# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How units are related by the text to come, and what a plan tells by that."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.fates import Becomes
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.to_come import named_anew, to_come

from ..world import RUNNING, declare, in_force, planned, related

VENDOR = {"old.service": "[Service]\nExecStart=/bin/true\n"}


def service(name: str, environment: str = "", **unit: str) -> dict[str, Any]:
    more = {"environment": {"A": environment}} if environment else {}
    return {"name": f"{name}.service", "unit": unit, "service": {"ExecStart": "/bin/sleep 9"}, **more}


def becomes(made: Any) -> dict[str, Becomes]:
    return {unit: fate.becomes for unit, fate in made.fates.items()}


def test_what_the_new_text_conflicts_with_goes_down() -> None:
    host = in_force(None, {"old.service": RUNNING}, vendor=VENDOR)
    made = planned(declare(service("new", Conflicts="old.service")), host)
    assert becomes(made) == {"new.service": Becomes.UP, "old.service": Becomes.DOWN}
    (step,) = [step for step in made.steps if step.action == "start"]
    assert step.reason == "not running; stops old.service (Conflicts= of new.service)"


def test_what_the_new_text_no_longer_names_is_left_alone() -> None:
    before, after = declare(service("a"), service("b", Requires="a.service")), declare(service("a", "1"), service("b"))
    host = in_force(before, {"a.service": RUNNING, "b.service": RUNNING})
    relations = {"a.service": {"RequiredBy": ("b.service",)}, "b.service": {"Requires": ("a.service",)}}
    assert becomes(planned(after, host, relations)) == {"a.service": Becomes.ANEW}


def test_what_the_new_text_names_goes_along() -> None:
    before, after = declare(service("a"), service("b")), declare(service("a", "1"), service("b", PartOf="a.service"))
    host = in_force(before, {"a.service": RUNNING, "b.service": RUNNING})
    made = planned(after, host)
    assert becomes(made) == {"a.service": Becomes.ANEW, "b.service": Becomes.ANEW}
    (step,) = [step for step in made.steps if step.action == "restart"]
    assert step.reason.endswith("; takes b.service along")


@pytest.mark.parametrize("name", ["postgresql", "a.service:", "%p-x", "a/b", "postgresql.servce"])
def test_what_names_no_unit_is_dropped_as_systemd_does(name: str) -> None:
    """verify says so; planning has to get that far."""
    said = dict.fromkeys(("Wants", "Requires", "BindsTo", "Upholds", "Conflicts", "PartOf"), name)
    made = planned(declare(service("new", **said)), in_force(None))
    assert becomes(made) == {"new.service": Becomes.UP}


def test_a_run_without_jobs_foretells_nothing() -> None:
    before = declare(service("a"))
    assert planned(before, in_force(before, {"a.service": RUNNING})).fates == {}


def test_what_a_unit_lies_in_comes_up_with_it() -> None:
    """systemd lists it under Requires=, though the text has it elsewhere; a slice without a file it makes by itself."""
    files = {"a-b.slice": "[Slice]\nCPUWeight=9\n", "srv-x.mount": "[Mount]\nWhat=tmpfs\nWhere=/srv/x\n"}
    lying = service("new", RequiresMountsFor="/srv/%p")
    lying["service"] |= {"Slice": "a-b-c.slice", "WorkingDirectory": "/srv/x/y"}
    made = planned(declare(lying), in_force(None, vendor=files))
    assert becomes(made) == dict.fromkeys(["new.service", *files], Becomes.UP)
    (step,) = [step for step in made.steps if step.action == "start"]
    assert "starts a-b.slice (Requires= of new.service)" in step.reason


def test_a_mount_that_a_name_stands_for_comes_up_too() -> None:
    mount = {"srv-new.mount": "[Mount]\nWhat=tmpfs\nWhere=/srv/new\n"}
    made = planned(declare(service("new", RequiresMountsFor="/srv/%p")), in_force(None, vendor=mount))
    assert becomes(made) == {"new.service": Becomes.UP, "srv-new.mount": Becomes.UP}


def test_the_sockets_that_a_service_gets_come_up_before_it() -> None:
    journals = dict.fromkeys(["systemd-journald@.socket", "systemd-journald-varlink@.socket"], "[Socket]\n")
    sockets = {"more.socket": "[Socket]\nListenStream=/run/more\n", **journals}
    new = service("new")
    new["service"] |= {"Sockets": "more.socket", "LogNamespace": "%p"}
    made = planned(declare(new), in_force(None, vendor=sockets))
    up = ["new.service", "more.socket", "systemd-journald@new.socket", "systemd-journald-varlink@new.socket"]
    assert becomes(made) == dict.fromkeys(up, Becomes.UP)


def test_an_instance_that_only_others_name_comes_up_by_its_new_template() -> None:
    apps = {"name": "apps.target", "unit": {"Wants": "app@red.service"}}
    made = planned(declare(service("app@", Wants="db@%i.service"), service("db@"), apps), in_force(None))
    up = ["apps.target", "app@red.service", "db@red.service"]
    assert becomes(made) == dict.fromkeys(up, Becomes.UP)
    assert {unit: expected.value for unit, expected in made.watched.items()} == {
        "apps.target": "up",
        "app@red.service": "unfailed",
        "db@red.service": "unfailed",
    }


def test_the_default_instance_comes_up_with_what_its_link_makes_want_it() -> None:
    linked = {"install": {"WantedBy": "apps.target", "DefaultInstance": "red"}, "enabled": True}
    made = planned(declare({**service("app@"), **linked}, {"name": "apps.target", "unit": {}}), in_force(None))
    assert becomes(made) == dict.fromkeys(["apps.target", "app@red.service"], Becomes.UP)


def test_no_instance_of_what_others_own_is_watched() -> None:
    apps = {"name": "apps.target", "unit": {"Wants": "theirs@red.service"}}
    host = in_force(None, vendor={"theirs@.service": "[Service]\nExecStart=/bin/true\n"})
    assert list(planned(declare(apps), host).watched) == ["apps.target"]


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "a.service", "service": {"ExecStart": "/bin/a", "PrivateTmp": True}},
        {"name": "a.service", "service": {"ExecStart": "/bin/a", "WorkingDirectory": "/var/tmp/work"}},
        {"name": "var-tmp-work.mount", "mount": {"What": "tmpfs", "Where": "/var/tmp/work", "Type": "tmpfs"}},
    ],
)
def test_the_mounts_that_a_unit_is_below_come_up(unit: dict[str, Any]) -> None:
    mount = {"name": "var-tmp.mount", "mount": {"What": "tmpfs", "Where": "/var/tmp", "Type": "tmpfs"}}
    made = planned(declare({**mount, "state": "present"}, unit), in_force(None))
    assert becomes(made) == dict.fromkeys(["var-tmp.mount", unit["name"]], Becomes.UP)


def test_a_mount_below_one_that_is_there() -> None:
    mount = {"name": "srv.mount", "mount": {"What": "tmpfs", "Where": "/srv", "Type": "tmpfs"}, "state": "present"}
    below = {"name": "srv-a.mount", "mount": {"What": "tmpfs", "Where": "/srv/a", "Type": "tmpfs"}}
    observed = in_force(declare(mount))
    found = named_anew(differences.compare(declare(mount, below), observed, {}), observed)
    assert found == {"srv.mount", "srv-a.mount"}


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("timer", {"OnBootSec": "1h"}),
        ("path", {"PathExists": "/srv/a"}),
        ("socket", {"ListenStream": "/run/a"}),
    ],
)
def test_what_starts_a_unit_comes_before_it(kind: str, own: dict[str, str]) -> None:
    """systemd.timer(5), systemd.path(5), systemd.socket(5), "Implicit Dependencies"."""
    desired, host = declare({"name": f"a.{kind}", kind: own}, service("a")), in_force(None)
    found = differences.compare(desired, host, {})
    assert to_come(related(host), found, host).node("a.service").related("After") == (f"a.{kind}",)

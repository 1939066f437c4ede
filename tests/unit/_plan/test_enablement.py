# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Enablement as links: which there are, which there shall be, and what systemctl is told to do about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Observed
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.enablement import linked_with

from tests.unit._syntax.test_loadpath import ETC, USR, loadpath
from tests.unit.world import RUNNING, SYSTEM, Entry, declare, in_force

WANTED = {"WantedBy": "multi-user.target"}


def service(name: str = "a.service", install: dict[str, Any] | None = None, **more: Any) -> Entry:
    sections = {"install": install} if install else {}
    return {"name": name, "service": {"ExecStart": "/bin/a"}, **sections, **more}


def verbs(desired: Desired, observed: Observed) -> dict[str, tuple[str, ...]]:
    found = differences.compare(desired, observed, {})
    every = {"enable": found.links.enable, "reenable": found.links.reenable, "disable": found.links.disable}
    return {verb: units for verb, units in every.items() if units}


def test_a_unit_that_shall_be_enabled() -> None:
    desired = declare(service(install=WANTED))
    assert verbs(desired, in_force(None)) == {"enable": ("a.service",)}
    assert verbs(desired, in_force(desired)) == {}


def test_other_links_than_those_of_the_text() -> None:
    before, after = (declare(service(install={"WantedBy": f"{name}.target"})) for name in ("b", "c"))
    assert verbs(after, in_force(before)) == {"reenable": ("a.service",)}


def test_links_of_an_alias_are_none_of_the_text() -> None:
    desired = declare(service(install={**WANTED, "Alias": "b.service"}))
    assert verbs(desired, in_force(desired)) == {}


@pytest.mark.parametrize(
    ("after", "disabled"),
    [
        (service(install=WANTED, enabled=False), True),
        (service(install=WANTED, state="stopped"), True),
        (service(), True),  # its [Install] section is gone, and its links would stay
        ({"name": "a.service", "state": "started"}, False),  # left as it is
    ],
)
def test_a_unit_that_shall_not(after: Entry, disabled: bool) -> None:
    observed = in_force(declare(service(install=WANTED)))
    assert verbs(declare(after), observed) == ({"disable": ("a.service",)} if disabled else {})


def test_a_file_that_goes_takes_its_links_along() -> None:
    observed = in_force(declare(service(install=WANTED)))
    assert verbs(declare(prune=True, dropins=[_dropin()]), observed) == {"disable": ("a.service",)}
    assert verbs(declare({"name": "a.service", "state": "absent"}), observed) == {"disable": ("a.service",)}


def _dropin() -> Entry:
    return {"name": "z.service", "dropin": "x", "unit": {"Description": "z"}}


def test_a_unit_from_outside_the_load_path_is_no_enabled_one() -> None:
    """systemctl link puts its file there, and that is all."""
    path = f"{SYSTEM.units}/a.service"
    text = b"[Service]\nExecStart=/bin/a\n[Install]\nWantedBy=multi-user.target\n"
    observed = in_force(None)
    linked = replace(observed, loadpath=observed.loadpath.changed({path: text}, []), links={path: "/opt/a.service"})
    assert verbs(declare({"name": "a.service", "enabled": True}), linked) == {"enable": ("a.service",)}
    assert verbs(declare({"name": "a.service", "enabled": False}), linked) == {}


def template(*instances: str, **more: Any) -> Entry:
    return service("a@.service", install=WANTED, instances=list(instances), **more)


def test_instances_that_are_no_longer_listed() -> None:
    observed = in_force(declare(template("x", "y")), {"a@x.service": RUNNING})
    kept = differences.compare(declare(template("x")), observed, {})
    assert (kept.links.disable, kept.staying.orphaned) == ((), ("a@y.service",))
    pruned = differences.compare(declare(template("x"), prune=True), observed, {})
    assert (pruned.links.disable, pruned.staying.orphaned) == (("a@y.service",), ())


def test_what_another_file_names_is_no_left_over() -> None:
    """It is someone's deliberate dependency."""
    user = service("b.service", unit={"Wants": "a@y.service"})
    observed = in_force(declare(template("x", "y"), user))
    assert differences.compare(declare(template("x"), user), observed, {}).staying.orphaned == ()


def test_what_goes_along_with_a_disabled_unit() -> None:
    """systemctl disables what it names under Also= with it, so that has to be enabled again."""
    before = [service(install={**WANTED, "Also": "b.service"}), service("b.service", install=WANTED)]
    after = [service(install=WANTED, enabled=False), service("b.service", install=WANTED)]
    assert verbs(declare(*after), in_force(declare(*before))) == {"enable": ("b.service",), "disable": ("a.service",)}


def test_all_names_whose_links_may_change() -> None:
    files = {
        f"{USR}/a.service": "[Install]\nAlso=b@.service %n c.service\n",
        f"{USR}/b@.service": "[Install]\nDefaultInstance=x\nAlso=a.service\n",
    }
    assert set(linked_with(["a.service"], [loadpath(files)])) == {
        *("a.service", "b@.service", "b@x.service", "c.service"),
    }


def aliased(*names: str) -> Entry:
    """A template whose instances have aliases."""
    return service("a@.service", install={**WANTED, "Alias": "b@.service"}, instances=list(names))


def linked(observed: Observed, *links: tuple[str, str]) -> Observed:
    """A host with links in our folder, name to target."""
    return replace(observed, links={f"{ETC}/{name}": f"{ETC}/{target}" for name, target in links})


def test_an_alias_of_an_instance_is_of_that_instance_alone() -> None:
    """systemctl disable leaves it, so that it would be there, and be disabled, for ever."""
    names = ("multi-user.target.wants/a@x", "multi-user.target.wants/a@y", "b@x", "b@y")
    links = [(f"{name}.service", "a@.service") for name in names]
    host = linked(in_force(declare(aliased("x", "y"))), *links)
    assert verbs(declare(aliased("x", "y")), host) == {}
    found = differences.compare(declare(aliased("x"), prune=True), host, {})
    assert (found.links.disable, found.remove) == (("a@y.service",), (f"{ETC}/b@y.service",))
    assert verbs(declare(aliased("x", "y", "z")), host) == {"enable": ("a@z.service",)}


def test_the_aliases_of_a_default_instance() -> None:
    install = {**WANTED, "DefaultInstance": "d", "Alias": "b@.service b@y.service"}
    enabled = service("a@.service", install=install, enabled=True)
    links = [("multi-user.target.wants/a@d.service", "a@.service"), ("b@.service", "a@.service")]
    links += [("b@y.service", "a@.service"), ("c@z.service", "a@.service")]
    host = linked(in_force(declare(enabled)), *links)
    assert verbs(declare(enabled), host) == {}
    found = differences.compare(declare({**enabled, "enabled": False}), host, {})
    assert (found.links.disable, found.remove) == (("a@d.service",), (f"{ETC}/b@.service", f"{ETC}/b@y.service"))
    found = differences.compare(declare({**enabled, "state": "absent"}), host, {})
    assert sorted(found.remove) == [f"{ETC}/{name}@.service" for name in ("a", "b")] + [
        f"{ETC}/{name}.service" for name in ("b@y", "c@z")
    ]
    assert verbs(declare({**enabled, "install": {**install, "Alias": "b@.service"}}), host) == {
        "reenable": ("a@.service",)
    }


def test_a_default_instance_that_only_the_host_can_tell() -> None:
    enabled = service("a@.service", install={**WANTED, "DefaultInstance": "%H"}, enabled=True)
    bare = in_force(None)
    assert verbs(declare(enabled), bare) == {"enable": ("a@.service",)}
    host = linked(in_force(declare(enabled)), ("multi-user.target.wants/a@host.service", "a@.service"))
    assert verbs(declare(enabled), host) == {}
    assert verbs(declare({**enabled, "enabled": False}), host) == {"disable": ("a@.service",)}


@pytest.mark.parametrize(("install", "verb"), [("[Install]\nWantedBy=b.target\n", "reenable"), ("", "disable")])
def test_the_links_of_a_drop_in_that_goes(install: str, verb: str) -> None:
    """The unit is someone else's, and all that is said of it."""
    vendor = {"a.service": f"[Service]\nExecStart=/bin/a\n{install}"}
    dropin = {"name": "a.service", "dropin": "x", "install": {"Alias": "c.service"}}
    own = [("b.target.wants/a.service", "a.service")] if install else []
    host = linked(in_force(declare(dropins=[dropin]), vendor=vendor), ("c.service", "a.service"), *own)
    assert verbs(declare(dropins=[dropin]), host) == {}
    assert verbs(declare(dropins=[{**dropin, "state": "absent"}]), host) == {verb: ("a.service",)}
    less = {**dropin, "install": {}, "unit": {"Description": "x"}}
    assert verbs(declare(dropins=[less]), host) == {verb: ("a.service",)}


@pytest.mark.parametrize(
    ("before", "after", "enabled", "told"),
    [
        ("a", "b", True, {"enable": ("w@.service",), "disable": ("w@a.service",)}),
        ("a", "%H", True, {"enable": ("w@.service",), "disable": ("w@a.service",)}),
        ("%H", "%m", True, {"enable": ("w@.service",)}),
        ("%H", "%H", True, {}),
        ("a", "b", False, {"disable": ("w@a.service",)}),
    ],
)
def test_a_default_instance_that_changes(before: str, after: str, enabled: bool, told: dict[str, Any]) -> None:
    def declared(instance: str, enabled: bool) -> Desired:
        return declare(service("w@.service", install={**WANTED, "DefaultInstance": instance}, enabled=enabled))

    host = in_force(declared(before, True))
    folder = f"{SYSTEM.units}/multi-user.target.wants"
    name = "host" if "%" in before else before
    links = {f"{folder}/w@{each}.service": f"{SYSTEM.units}/w@.service" for each in (name, "own")}
    assert verbs(declared(after, enabled), replace(host, links=links)) == told

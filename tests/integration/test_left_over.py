# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was declared and is no more is left over, enabled or not: told, or taken away by prune; nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import UNITS, WANTED, Entry, service
from .lab import CUT_OFF, USER, Lab, until

MINE: dict[str, Any] = {"scope": "user", "prefix": ["runuser", "-u", USER, "--"]}
NOTES = "/var/lib/unitwright/system/instances.json"
C_DISABLED = {"name": "c", "enabled": False}


def listed(*instances: Any, **more: Any) -> Entry:
    return service("w@", install=WANTED, instances=list(instances), **more)


def test_an_instance_that_is_not_enabled(host: Lab) -> None:
    host.settled(listed("a", C_DISABLED))
    for _each in range(2):
        result = host.apply(listed("a"))
        assert (result["orphaned"], result["stopped"], result["plan"]) == (["w@c.service"], [], [])
        assert any("w@c.service" in warning for warning in result["warnings"])
    result = host.settled(listed("a"), prune=True)
    assert (result["orphaned"], result["stopped"]) == ([], ["w@c.service"])
    assert host.states("w@a.service", "w@c.service") == ["active", "inactive"]
    # It was declared once, and is someone else's now.
    host.sh("systemctl start w@c.service")
    host.assert_settled(listed("a"), prune=True)
    assert host.state("w@c.service") == "active"


@pytest.mark.parametrize("install", [WANTED, {}])
def test_an_instance_of_someone_else_is_not_touched(host: Lab, install: Entry) -> None:
    template = service("w@", instances=["a"], **({"install": install} if install else {}))
    host.apply(template)
    host.sh("systemctl start w@theirs.service")
    host.assert_settled(template, prune=True)
    assert host.apply(template)["orphaned"] == []
    assert host.state("w@theirs.service") == "active"


def test_the_instances_of_no_list(host: Lab) -> None:
    """Neither a template that has no list any more nor an entry of its own keeps what it declares no longer."""
    host.apply(listed(C_DISABLED))
    assert host.settled(service("w@", install=WANTED), prune=True)["stopped"] == ["w@c.service"]
    own = {"name": "w@own.service", "state": "started"}
    host.apply(listed("a"), own)
    assert host.apply(listed("a"))["orphaned"] == ["w@own.service"]
    assert host.settled(listed("a"), prune=True)["stopped"] == ["w@own.service"]


def test_an_instance_with_a_text_of_its_own(host: Lab) -> None:
    """Without it, it would go on by the text of its template."""
    own = service("w@own", "/bin/sleep 1000000")
    host.apply(listed("a"), own)
    assert host.settled(listed("a"), prune=True)["stopped"] == ["w@own.service"]
    environment = {**C_DISABLED, "environment": {"A": "1"}}
    host.apply(listed("a", environment))
    result = host.settled(listed("a"), prune=True)
    assert (result["stopped"], result["removed"]) == (["w@c.service"], [f"{UNITS}/w@c.service.d/50-instance.conf"])


def test_the_instances_of_a_timer_and_of_a_socket(host: Lab) -> None:
    """With them goes what they start."""

    def timer(*instances: Any) -> Entry:
        return {"name": "job@", "on_calendar": "2099-01-01", "exec_start": "/bin/sleep 500", "instances": instances}

    def socket(*instances: Any) -> Entry:
        run = {"exec_start": "/bin/sleep infinity", "instances": instances}
        return {"name": "s@", "listen_stream": "/run/s-%i", **run}

    first = {"timers": [timer("a", C_DISABLED)], "sockets": [socket("a", C_DISABLED)]}
    host.apply(**first)
    host.begin("job@c.service", "job@a.service", "s@c.service", "s@a.service")
    then = {"timers": [timer("a")], "sockets": [socket("a")]}
    gone = ["job@c.service", "job@c.timer", "s@c.service", "s@c.socket"]
    assert sorted(host.apply(**then)["orphaned"]) == gone
    assert sorted(host.settled(**then, prune=True)["stopped"]) == gone
    assert host.states("job@a.timer", "s@a.socket", "s@a.service") == ["active"] * 3


def test_an_instance_of_someone_elses_template(host: Lab) -> None:
    """Only what this stack had in its list; and not what another has in its own."""
    host.foreign("v@.service", "[Service]\nExecStart=/bin/sleep infinity\n", start=False)
    host.sh("systemctl start v@theirs.service")

    def entry(*instances: str) -> Entry:
        return {"name": "v@.service", "instances": list(instances), "state": "started"}

    host.apply(entry("a", "b", "c"), name="one")
    host.apply(entry("b"), name="other")
    result = host.settled(entry("a"), name="one", prune=True)
    assert result["stopped"] == ["v@c.service"]
    assert host.states("v@a.service", "v@b.service", "v@theirs.service") == ["active"] * 3
    host.sh("systemctl stop 'v@*'")


def test_the_instances_of_a_module_of_one_unit(host: Lab) -> None:
    def given(*instances: Any) -> dict[str, Any]:
        run = {"exec_start": "/bin/sleep infinity", "install": WANTED, "instances": instances}
        return {"module": "service", "name": "w@", **run}

    host.apply(**given("a", C_DISABLED))
    result = host.settled(**given("a"))
    assert result["stopped"] == ["w@c.service"]
    host.apply(module="service", name="w@", state="absent")
    assert not host.exists(NOTES)


def test_nothing_is_known_of_the_instances_of_a_template_that_is_gone(host: Lab) -> None:
    host.apply(listed("a"), service("other"))
    host.settled({"name": "w@.service", "state": "absent"}, service("other"))
    assert not host.exists(NOTES)


def test_the_instances_of_a_user(host: Lab) -> None:
    wanted = {"WantedBy": "default.target"}

    def template(*instances: Any) -> Entry:
        return service("w@", install=wanted, instances=list(instances))

    host.apply(template("a", C_DISABLED), **MINE)
    assert host.settled(template("a"), **MINE, prune=True)["stopped"] == ["w@c.service"]


def test_what_a_failed_run_had_declared_is_forgotten(host: Lab) -> None:
    host.apply(listed("a"))
    noted = host.read(NOTES)
    host.failing(service("w@", "/bin/false", install=WANTED, instances=["a", "b"]))
    assert host.read(NOTES) == noted


def test_what_an_interrupted_run_had_declared_is_known(host: Lab) -> None:
    """It was killed when it had started an instance that the next run does not declare."""
    main = "/usr/local/bin/w-main"
    host.write(main, f"#!/bin/sh\nif [ $1 = c ]; then {CUT_OFF}; fi\nexec sleep infinity\n", 0o755)

    def template(*instances: Any) -> Entry:
        return service("w@", f"{main} %i", install=WANTED, instances=list(instances))

    host.apply(template("a"))
    host.cut_off(template("a", C_DISABLED))
    until(lambda: host.state("w@c.service") == "active", "it does not run")
    result = host.settled(template("a"), prune=True)
    assert (result["stopped"], result["restarted"]) == (["w@c.service"], [])


def test_instances_of_an_earlier_version(host: Lab) -> None:
    """It has noted none: what is enabled is left over, as it had it, and the rest is not known."""
    host.apply(listed("a", "b"))
    host.sh(f"rm {NOTES}")
    assert host.apply(listed("a"))["orphaned"] == ["w@b.service"]
    assert host.settled(listed("a"), prune=True)["stopped"] == ["w@b.service"]


def test_a_damaged_note(host: Lab) -> None:
    host.apply(listed("a"))
    noted = host.read(NOTES)
    host.write(NOTES, '{"test": [1]}')
    host.assert_settled(listed("a"))
    assert host.read(NOTES) == noted
    host.remove()
    assert not host.exists(NOTES)

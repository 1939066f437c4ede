# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets change while someone connects to them, and whoever is served is not cut off (docs/restarts.md)."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, FOREVER, Entry, app, bad, echo, merged, service, socket, web
from .lab import Lab, until


def test_a_service_is_restarted_while_its_socket_listens_on(host: Lab) -> None:
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"
    since = host.show("web.socket", "ActiveEnterTimestampMonotonic")
    errors = f"{NOTES}/errors"
    asking = f"while :; do curl -s --max-time 10 127.0.0.1:8002 || echo $? >> {errors}; done"
    with host.beside(asking):
        result = host.apply(socket(8002), web("new"))
    assert result["restarted"] == ["web.service"]
    assert host.answer(8002) == "new"
    assert host.show("web.socket", "ActiveEnterTimestampMonotonic") == since
    # A connection that the old process had taken may end with it (52, 56), but none is refused (7).
    assert "7" not in host.sh(f"cat {errors} 2>/dev/null", check=False).split()


def test_one_of_two_sockets_changes_while_the_other_is_asked(host: Lab) -> None:
    """A connection to the other would start the service while the changed one is still closed."""
    host.apply(socket(8002), socket(8005, "other", Service="web.service"), web("old"))
    assert host.answer(8002) == "old"
    asking = "while :; do curl -s --max-time 1 127.0.0.1:8005; done"
    with host.beside(asking):
        host.apply(socket(8003), socket(8005, "other", Service="web.service"), web("old"))
        before = host.listing()
        result = host.failing(socket(8004), socket(8005, "other", Service="web.service"), web("old"), BAD)
        assert result["rolled_back"], result["msg"]
        assert host.listing() == before
    assert [error["unit"] for error in result["errors"]] == ["bad.service"]
    assert host.states("web.socket", "other.socket") == ["active"] * 2
    assert host.answer(8003) == "old"


def test_many_sockets_of_one_service_start_though_one_is_asked_at_once(host: Lab) -> None:
    """What a connection starts between two of them would keep the rest closed."""

    def sockets(first: int) -> list[Entry]:
        ports = [8005, *range(first, first + 20)]
        units = [socket(port, f"port\\x2d{number}", Service="web.service") for number, port in enumerate(ports)]
        return [*units, web("old")]

    with host.asked(8005):
        for first in (8100, 8200, 8300):
            host.apply(*sockets(first))
    assert host.answer(8319) == "old"


@pytest.mark.parametrize("listens", [{}, {"name": "echo@.socket", "instances": ["1"]}, {"name": "echo@1.socket"}])
def test_a_connection_that_is_served_is_not_cut_off(host: Lab, listens: Entry) -> None:
    """Each instance of a socket with Accept=yes is one connection, also where the socket is an instance itself."""
    host.apply(*echo("old", 8002, **listens))
    running = "systemctl list-units --plain --no-legend --state=active 'echo@*.service' | cut -d' ' -f1"
    with host.connected(8002):
        instance = until(lambda: host.sh(running), "no connection is served")
        since = host.invocation(instance)
        for change in ({}, {"dropins": [{"name": "echo@.service", "dropin": "more", "environment": {"A": "1"}}]}):
            result = host.apply(*echo("new", 8002, **listens), **change)
            assert instance in result["kept"]
        assert host.invocation(instance) == since


def test_a_connection_that_ends_meanwhile_is_no_failure(host: Lab) -> None:
    running = "systemctl list-units --plain --no-legend --state=active 'echo@*.service'"
    host.apply(*echo("old", 8002))
    for hang_up in (True, False):
        with host.connected(8002):
            until(lambda: host.sh(running), "no connection is served")
            ends_it = f"systemctl stop asking.service; while {running} | grep -q .; do sleep 0.05; done; "
            if hang_up:
                command = ["/bin/sh", "-c", ends_it + "true"]
                host.apply(*echo("new", 8002), app(1, health={"command": command}))
            else:
                result = host.failing(*echo("newer", 8002), bad(ends_it))
                assert result["rolled_back"], result["msg"]
        assert host.sh(running) == ""


# Serves one connection, whichever socket it comes from.
BRIEF = (
    '/usr/bin/python3 -c \'import os, select, socket; fds = [*range(3, 3 + int(os.environ["LISTEN_FDS"]))]; '
    "socket.socket(fileno=select.select(fds, [], [])[0][0]).accept()'"
)


def brief(port: int, start: str = BRIEF, **more: Entry) -> list[Entry]:
    """A service that comes and goes, with a socket that changes and one that does not."""
    listen = {"Service": "brief.service", "TriggerLimitIntervalSec": 0}
    served = merged(service("brief", start, unit={"StartLimitIntervalSec": 0}), more)
    return [socket(port, "changed", **listen), socket(8005, "other", **listen), served]


def visited(host: Lab) -> AbstractContextManager[None]:
    return host.asked(8005, *range(8300, 8307), pause="0.2")


def test_a_socket_changes_while_its_service_comes_and_goes(host: Lab) -> None:
    """What is down when the host is looked at may have been started when its socket is closed, by another one too."""
    host.apply(*brief(8300))
    with visited(host):
        for port in range(8301, 8305):
            host.apply(*brief(port))
        for port in (8305, 8306):
            result = host.failing(*brief(port), BAD)
            assert result["rolled_back"], result["msg"]
            assert host.states("changed.socket", "other.socket") == ["active"] * 2


def test_nothing_of_it_is_left_when_it_goes(host: Lab) -> None:
    for _time in range(4):
        host.apply(*brief(8300))
        with visited(host):
            host.apply(state="absent")
            assert host.state("brief.service") == "inactive"


def test_what_crashes_on_each_connection_has_failed(host: Lab) -> None:
    """Its socket starts it again each time, so that it looks up."""
    patient = {"stable_for": 3, "timeout": 20}
    host.apply(*brief(8300, FOREVER))
    host.sh("systemctl start brief.service")
    with visited(host):
        result = host.failing(*brief(8301, "/bin/sh -c 'sleep 0.25; exit 3'", health=patient))
    assert "brief.service" in [error["unit"] for error in result["errors"]]
    assert result["rolled_back"], result["msg"]


def test_what_serves_one_connection_after_another_is_not_held_to_stay(host: Lab) -> None:
    patient = {"stable_for": 2, "timeout": 5}

    def units(port: int) -> list[Entry]:
        return [{**unit, "health": patient} for unit in brief(port)]

    host.apply(*units(8300))
    with host.asked(8005, *range(8300, 8303)):
        for port in (8301, 8302):
            host.apply(*units(port))
    assert host.states("changed.socket", "other.socket") == ["active"] * 2


def test_what_a_condition_keeps_down_after_its_socket_has_changed_is_told(host: Lab) -> None:
    host.apply(*brief(8300, FOREVER))
    host.sh("systemctl start brief.service")
    result = host.failing(*brief(8301, FOREVER, unit={"ConditionPathExists": "/nowhere"}))
    assert "conditions is not met" in result["msg"]
    assert host.state("brief.service") == "active"


def test_what_is_bound_to_a_service_that_is_down_goes_on(host: Lab) -> None:
    part = app(1, "part", unit={"PartOf": "brief.service"})
    host.apply(*brief(8300), part)
    pid = host.show("part.service", "MainPID")
    host.apply(*brief(8301), part)
    assert host.show("part.service", "MainPID") == pid


def test_a_socket_that_needs_what_is_restarted_starts_after_it(host: Lab) -> None:
    def units(version: int) -> list[Entry]:
        changed, *rest = brief(8300 + version)
        return [app(version, "base"), {**changed, "unit": {"Requires": "base.service", "After": "base.service"}}, *rest]

    host.apply(*units(0))
    with visited(host):
        for version in range(1, 5):
            host.apply(*units(version))
            assert host.states("changed.socket", "other.socket") == ["active"] * 2

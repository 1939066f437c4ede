# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a unit has said that its address is another's, where a check connects to, and what of that is this host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._causes import answers
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.incident import Incident, texts
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.why_ports import refused
from ansible_collections.unitwright.systemd.plugins.module_utils._host.health import Place
from ansible_collections.unitwright.systemd.plugins.module_utils._host.journal import Line
from ansible_collections.unitwright.systemd.plugins.module_utils._host.probe import read_checks

UNIT = "shop.service"
NO_PORT = "OSError: [Errno 98] Address already in use"


def saying(text: str, *lines: str, by_systemd: bool = False) -> Incident:
    own = tuple(Line(each, 1, "a", by_systemd, {}) for each in lines)
    return Incident(UNIT, "", {}, texts({"/etc/shop": f"[Service]\n{text}\n".encode()}, UNIT), own)


@pytest.mark.parametrize(
    ("text", "line", "by"),
    [
        ("ExecStart=/bin/shop", "listen tcp 127.0.0.1:8000: bind: address already in use", True),
        ("ExecStart=/bin/shop", "Error: listen EADDRINUSE: address already in use :::8000", True),
        ("ExecStart=/bin/shop", "listen tcp 127.0.0.1:9100: bind: address already in use", False),
        ("ExecStart=/bin/shop --port 8000", "listen tcp 127.0.0.1:9100: bind: address already in use", False),
        ("ExecStart=/bin/shop --port 8000", NO_PORT, True),
        ("Environment=PORT=8000\nExecStart=/bin/shop", NO_PORT, True),
        ("ExecStart=/bin/shop --upstream 127.0.0.1:8000", NO_PORT, False),
        ("ExecStart=/bin/shop", NO_PORT, False),
        ("ExecStart=/bin/shop --port 8000", "cannot bind to /run/shop.sock: Address already in use", False),
        ("ExecStart=/bin/shop --port 8000", "listening on port 8000", False),
        ("PrivateNetwork=yes\nExecStart=/bin/shop --port 8000", NO_PORT, False),
    ],
)
def test_a_port_that_the_unit_says_is_anothers(text: str, line: str, by: bool) -> None:
    assert refused(saying(text, "begun", line, "goes on without"), 8000, "") == (line if by else "")
    assert not refused(saying(text, line, by_systemd=True), 8000, "")


def test_a_path_that_the_unit_says_is_anothers() -> None:
    line = "bind(/run/shop.sock): Address already in use"
    assert refused(saying("ExecStart=/bin/shop", line), 0, "/run/shop.sock") == line
    assert not refused(saying("ExecStart=/bin/shop", line), 0, "/run/other.sock")


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"tcp": "127.0.0.1:80"}, Place("127.0.0.1", 80)),
        ({"tcp": ":80"}, Place("localhost", 80)),
        ({"tcp": "[::1]:80"}, Place("::1", 80)),
        ({"http": "http://localhost/a"}, Place("localhost", 80)),
        ({"http": "https://localhost/a"}, Place("localhost", 443)),
        ({"http": "http://localhost:8080/a"}, Place("localhost", 8080)),
        ({"unix": "/run/a.sock"}, Place(path="/run/a.sock")),
        ({"command": ["/bin/true"]}, None),
    ],
)
def test_where_a_check_connects_to(options: dict[str, Any], place: Place | None) -> None:
    (check,) = read_checks(options)
    assert check.place == place


def test_how_a_place_is_named() -> None:
    assert [str(each) for each in (Place("::1", 80), Place("localhost", 80), Place(path="/run/a"))] == [
        "[::1]:80",
        "localhost:80",
        "/run/a",
    ]


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("localhost", True), ("192.0.2.1", False), ("no-such-host.invalid", False)]
)
def test_which_addresses_are_those_of_this_host(host: str, own: bool) -> None:
    assert answers._is_of_this_host(Place(host, 80)) == own

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check that another unit answers proves nothing of one that was refused its address; a proxy may answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import NGINX, Entry, merged, server, service
from .lab import QUICK, USER, Lab

PORT, PATH = 8001, f"{NOTES}/a.sock"
OF_PATH = (
    f'/usr/bin/python3 -c \'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("{PATH}"); s.listen(); '
    "time.sleep(1000)'"
)
BRIEF: Entry = {"stable_for": 1, "timeout": 2}


def stubborn(command: str) -> str:
    """What goes on without its address, as many a program does."""
    return "/bin/sh -c '{} || exec sleep infinity'".format(command.replace("'", "\"'\"'"))


@pytest.mark.parametrize(
    "check", [{"tcp": f"127.0.0.1:{PORT}"}, {"tcp": f"localhost:{PORT}"}, {"http": f"http://127.0.0.1:{PORT}/"}]
)
def test_the_old_one_answers_for_a_new_one_that_was_refused_its_port(host: Lab, check: dict[str, Any]) -> None:
    """As after a change of name without prune."""
    host.apply(service("old", server("old", PORT)))
    renamed = service("new", stubborn(server("new", PORT)), health={**BRIEF, **check})
    result = host.failing(renamed)
    (error,) = result["errors"]
    assert (error["unit"], error["rule"]) == ("new.service", "health")
    assert f":{PORT} is answered by old.service (python3, process " in error["message"]
    assert "Address already in use" in error["message"]
    assert result["rolled_back"]
    assert host.answer(PORT) == "old"


def test_the_same_of_a_unix_socket(host: Lab) -> None:
    host.apply(service("old", OF_PATH))
    says = f"/bin/sh -c 'echo bind: {PATH}: Address already in use; exec sleep infinity'"
    result = host.failing(service("new", says, health={**BRIEF, "unix": PATH}))
    assert f"{PATH} is answered by old.service (python3, process " in result["msg"]


def test_with_prune_the_old_one_is_gone_before(host: Lab) -> None:
    host.apply(service("old", server("old", PORT)))
    new = service("new", server("new", PORT), health={**BRIEF, "timeout": 20, "http": f"http://127.0.0.1:{PORT}/"})
    host.apply(new, prune=True)
    assert host.answer(PORT) == "new"


def test_a_proxy_may_answer(host: Lab) -> None:
    web = service("web", server("web", PORT), health={**QUICK, "http": "http://127.0.0.1:80/"})
    assert host.apply(web)["unverified"] == []


def doubtful(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["unit"], each["rule"]) for each in result["unverified"]]


SILENT = service("main", health={**QUICK, "tcp": "127.0.0.1:80"})


def test_who_answers_for_a_unit_that_listens_nowhere_is_named(host: Lab) -> None:
    result = host.apply(SILENT)
    assert doubtful(result) == [("main.service", "answered-by-another")]
    assert any("127.0.0.1:80 was answered by nginx.service (nginx, process " in each for each in result["warnings"])
    assert not host.settled(SILENT)["unverified"]


@pytest.mark.parametrize(
    "more",
    [
        {"unit": {"After": NGINX}},
        {"unit": {"PartOf": NGINX}},
        {"service": {"PrivateNetwork": True}},
        {"service": {"ExecStart": "/usr/bin/systemd-run --quiet --wait --unit=port " + server("port", 8002)}}
        | {"health": {"tcp": "127.0.0.1:8002"}},
        {"health": {"tcp": "", "command": ["/bin/true"]}},
    ],
    ids=["after it", "part of it", "a network of its own", "started by it", "a command"],
)
def test_who_answers_is_no_news(host: Lab, more: Entry) -> None:
    result = host.apply(merged(SILENT, more), besides=["port.service"])
    assert result["unverified"] == []
    host.remove_all()
    host.sh("systemctl stop port.service", check=False)


def test_of_others_a_user_cannot_tell(host: Lab) -> None:
    become = {"HOME": "/root", "USER": "root", "XDG_RUNTIME_DIR": "/run/user/0"}
    mine = {"name": "mine", "scope": "user", "prefix": ("runuser", "-u", USER, "--"), "env": become}
    assert host.apply(SILENT, **mine)["unverified"] == []

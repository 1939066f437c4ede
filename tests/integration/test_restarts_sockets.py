# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed socket goes down and up with its service, one that has not changed listens on (docs/restarts.md)."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, FOREVER, IDLE, UNITS, VENDOR, Entry, app, server, service, socket, web
from .lab import Lab, until


def test_a_changed_address_is_open_and_the_old_one_closed(host: Lab) -> None:
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"
    result = host.apply(socket(8003), web("old"))
    assert host.answer(8003) == "old"
    assert not host.answer_now(8002)
    assert host.state("web.service") == "active"
    stops = [step["unit"] for step in result["plan"] if step["action"] == "stop"]
    assert stops == ["web.socket", "web.service"]


def activated(answer: str, address: str) -> list[Entry]:
    return [service("web", server(answer)), {"name": "web.socket", "socket": {"ListenStream": address}}]


def test_a_socket_is_bound_anew_with_its_service_running(host: Lab) -> None:
    old, new = f"{NOTES}/old", f"{NOTES}/new"
    host.apply(*activated("hi", old))
    assert host.answer_now(old) == "hi"
    host.settled(*activated("hi", new))
    assert host.state("web.socket") == "active"
    assert host.state("web.service") == "active"
    assert host.answer_now(new) == "hi"
    assert host.answer_now(old) == ""


def test_a_service_is_restarted_while_its_socket_stays(host: Lab) -> None:
    address = f"{NOTES}/sock"
    host.apply(*activated("one", address))
    assert host.answer_now(address) == "one"
    before = host.invocation("web.socket")
    assert host.settled(*activated("two", address))["restarted"] == ["web.service"]
    assert host.answer_now(address) == "two"
    assert host.invocation("web.socket") == before


def test_a_running_service_gains_a_socket(host: Lab) -> None:
    address = f"{NOTES}/sock"
    web, socket = activated("hi", address)
    alone = {**web, "service": {"ExecStart": FOREVER}}
    host.apply(alone)
    result = host.settled(web, socket)
    assert socket["name"] in result["newly_started"]
    assert host.answer_now(address) == "hi"


def test_a_socket_declared_restarted_is_though_its_service_runs(host: Lab) -> None:
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"
    since = host.invocation("web.socket")
    host.apply({**socket(8002), "state": "restarted"}, web("old"))
    assert host.invocation("web.socket") != since
    assert host.answer(8002) == "old"


def test_a_socket_whose_file_was_removed_by_hand_listens_again(host: Lab) -> None:
    """It stays active without its file, and listens no more."""
    host.apply(socket(8002), web("old"))
    host.sh(f"rm {UNITS}/web.socket; systemctl daemon-reload")
    assert host.state("web.socket") == "active"
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"


@pytest.mark.by_force("it refuses its stop")
def test_a_socket_whose_service_refuses_to_be_stopped_is_kept(host: Lab) -> None:
    refusing = web("old", unit={"RefuseManualStop": True})
    host.apply(socket(8002), refusing)
    assert host.answer(8002) == "old"
    result = host.apply(socket(8003), refusing)
    assert "refuses" in result["kept"]["web.socket"]
    assert host.states("web.socket", "web.service") == ["active"] * 2
    assert host.failing(socket(8003), {**refusing, "state": "stopped"})["errors"][0]["rule"] == "refused-stop"


def test_a_service_that_loses_its_socket_runs_on_without_it(host: Lab) -> None:
    """It holds what the socket opened: without a restart its next start would be the first to fail."""
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"
    alone = service("web", server("old", 8002), state="started")
    result = host.apply(alone, prune=True)
    assert result["restarted"] == ["web.service"]
    assert host.answer(8002) == "old"
    assert "LISTEN_FDS" not in host.environment("web.service")


@pytest.mark.by_force("it refuses its stop")
@pytest.mark.parametrize("more", [{"on_change": "none"}, {"unit": {"RefuseManualStop": True}}])
def test_a_service_that_is_to_be_kept_loses_its_socket(host: Lab, more: Entry) -> None:
    kept = web("old", state="started", **more)
    host.apply(socket(8002), kept)
    assert host.answer(8002) == "old"
    since = host.invocation("web.service")
    result = host.apply(kept, prune=True)
    assert "web.socket" in result["kept"]["web.service"]
    assert host.invocation("web.service") == since


@pytest.mark.by_force("others need it")
def test_a_socket_is_kept_for_what_would_not_come_up_again(host: Lab) -> None:
    host.apply(socket(8002), web("old"))
    host.write(f"{UNITS}/needing.service", "[Unit]\nRequires=web.service\nRefuseManualStart=yes\n" + IDLE)
    host.foreign("starting.target", "[Unit]\nRequires=needing.service\n")
    until(lambda: host.state("needing.service") == "active", "it does not come up")
    assert "refuses" in host.apply(socket(8003), web("old"))["kept"]["web.socket"]
    assert host.states("web.socket", "web.service", "needing.service") == ["active"] * 3


def test_a_socket_of_a_package_whose_service_refuses_is_kept(host: Lab) -> None:
    refusing = f"[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart={server('old', 8002)}\n"
    host.write(f"{VENDOR}/web.service", refusing)
    host.apply(socket(8002))
    assert host.answer(8002) == "old"
    assert "refuses" in host.apply(socket(8003))["kept"]["web.socket"]
    assert host.states("web.socket", "web.service") == ["active"] * 2


def test_a_changed_socket_does_not_start_an_idle_service(host: Lab) -> None:
    host.apply(socket(8002), web("old"))
    host.apply(socket(8003), web("old"))
    assert host.states("web.socket", "web.service") == ["active", "inactive"]
    assert host.answer(8003) == "old"


@pytest.mark.by_force("it refuses its stop")
@pytest.mark.parametrize("refused", ["RefuseManualStart", "RefuseManualStop"])
def test_a_socket_whose_sibling_refuses_is_kept(host: Lab, refused: str) -> None:
    """A connection to the sibling would start the service too early, so that would have to go down and up as well."""
    sibling = {**socket(8004, "two", Service="web.service"), "state": "present", "unit": {refused: True}}
    starting = {"name": "starting.target", "unit": {"Wants": "two.socket", "After": "two.socket"}}
    host.apply(socket(8002), sibling, web("old"), starting)
    assert host.answer(8002) == "old"
    result = host.apply(socket(8003), sibling, web("old"), starting)
    assert "refuses" in result["kept"]["web.socket"]
    assert host.states("web.socket", "two.socket", "web.service") == ["active"] * 3


def test_a_socket_is_kept_whose_service_shall_refuse_from_now_on(host: Lab) -> None:
    """What is in memory lets it go down, what is read then does not let it come up."""
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"
    result = host.apply(socket(8003), web("old", unit={"RefuseManualStart": True}, state="present"))
    assert "refuses" in result["kept"]["web.socket"]
    assert host.states("web.socket", "web.service") == ["active"] * 2


def test_a_socket_whose_service_a_path_starts_too(host: Lab) -> None:
    path = {"name": "web.path", "path": {"PathExists": "/etc/passwd"}}
    host.apply(socket(8002), path, web("old"))
    assert host.answer(8002) == "old"
    result = host.apply(socket(8003), path, web("old"))
    assert set(result["restarted"]) == {"web.socket", "web.path", "web.service"}
    assert host.answer(8003) == "old"
    assert host.failing(socket(8002), path, web("old"), service("bad", "/bin/false"))["rolled_back"]
    assert host.answer(8003) == "old"
    assert host.states("web.socket", "web.path", "web.service") == ["active"] * 3


def test_a_socket_that_names_its_service_by_a_specifier(host: Lab) -> None:
    for port in (8002, 8003):
        host.apply(socket(port, Service="%p-backend.service"), web(name="web-backend"))
        assert host.answer(port) == "one"
    error = host.failing(socket(8004, Service="%H.service"), web(name="web-backend"))["errors"][0]
    assert (error["unit"], error["directive"]) == ("web.socket", "Service")
    assert host.answer(8003) == "one"


@pytest.mark.parametrize("linked", ["/etc/systemd/system", "/usr/local/lib/systemd/system"])
def test_a_socket_that_names_its_service_by_an_alias(host: Lab, linked: str) -> None:
    host.sh(f"mkdir -p {linked} && ln -s real.service {linked}/web.service")
    host.foreign("real.service", f"[Service]\nExecStart={server('one')}\n", folder=linked)
    for port in (8002, 8003):
        host.apply(socket(port))
        assert host.answer(port) == "one"
        before = host.listing()
        host.failing(socket(8004), BAD)
        assert host.listing() == before
        assert host.states("web.socket", "real.service") == ["active"] * 2
        assert host.answer(port) == "one"


def test_a_link_to_a_file_elsewhere_is_no_alias(host: Lab) -> None:
    host.write("/opt/app/deploy.service", f"[Service]\nExecStart={server('one')}\n")
    host.sh(f"ln -s /opt/app/deploy.service {UNITS}/web.service; systemctl daemon-reload; systemctl start web.service")
    for port in (8002, 8003):
        host.apply(socket(port))
        assert host.answer(port) == "one"


def wants_what_a_socket_starts(port: int, text: str) -> list[Entry]:
    """The one that pulls it in comes first, and the service has no job of its own."""
    waiting = app(text, unit={"Wants": "api.service", "After": "api.service"})
    return [waiting, web(text, "api"), socket(port, "api")]


def test_a_socket_is_open_before_another_unit_starts_its_service(host: Lab) -> None:
    host.apply(*wants_what_a_socket_starts(8002, "one"))
    assert host.answer(8002) == "one"
    host.apply(*wants_what_a_socket_starts(8003, "two"))
    assert host.answer(8003) == "two"
    before = host.listing()
    result = host.failing(*wants_what_a_socket_starts(8004, "three"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.listing() == before
    assert host.answer(8003) == "two"


def test_a_socket_comes_after_what_it_is_ordered_after(host: Lab) -> None:
    first = service("first", "/bin/sleep 0.5", service={"Type": "oneshot", "RemainAfterExit": True})
    after = {"unit": {"After": "first.service"}}
    sockets = [{**socket(port, each, Service="api.service"), **after} for port, each in ((8002, "a"), (8003, "b"))]
    host.apply(first, *sockets, web(name="api"))
    done = int(host.show("first.service", "ActiveEnterTimestampMonotonic"))
    assert all(int(host.show(f"{each}.socket", "ActiveEnterTimestampMonotonic")) >= done for each in "ab")


def test_what_had_failed_before_its_socket_changed_has_failed_still(host: Lab) -> None:
    failing = service("web", "/bin/false")
    host.apply(socket(8002), failing)
    host.sh("systemctl start --no-block web.service")
    until(lambda: host.state("web.service") == "failed", "it does not fail")
    host.apply(socket(8003), failing)
    assert host.state("web.service") == "failed"


def test_what_a_socket_looks_at_later_stops_neither_it_nor_its_service(host: Lab) -> None:
    """The mode of a folder that is there stays, by a new start too; and a service that ends leaves no connection."""
    folder, count = "/run/of-web", f"{NOTES}/count"
    once = service("web", f"/bin/sh -c 'echo x >> {count}; while test -e {NOTES}/run; do sleep 0.1; done'")
    host.sh(f"touch {NOTES}/run")
    listening = {"ListenStream": f"{folder}/sock", "DirectoryMode": "0755"}
    host.apply({"name": "web.socket", "socket": listening}, {**once, "state": "present"})
    host.visited = True
    host.sh(f"python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{folder}/sock\")'")
    until(lambda: host.exists(count), "the service was not started")
    before = [host.invocation(f"web.{kind}") for kind in ("socket", "service")]
    changed = {"name": "web.socket", "socket": {**listening, "DirectoryMode": "0700", "FlushPending": True}}
    result = host.settled(changed, {**once, "state": "present"})
    assert [step["action"] for step in result["plan"]] == ["write", "daemon-reload"]
    assert [host.invocation(f"web.{kind}") for kind in ("socket", "service")] == before
    host.sh(f"rm {NOTES}/run")
    until(lambda: host.show("web.socket", "SubState") == "listening", "the service did not end")
    assert host.read(count).count("x") == 1, "what was connected is flushed"
    host.sh(f"systemctl stop web.socket; rm -r {folder}; systemctl start web.socket")
    assert host.sh(f"stat -c %a {folder}") == "700"

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes down and up with another unit, in a run, in one that is cut off, and in a roll-back."""

from __future__ import annotations

import pytest

from tests.testbed.host import Host
from tests.testbed.listing import listing

from .world import BAD, QUICK, Entry, answer, app, failing, program, server, show, stack, state, until, version

pytestmark = pytest.mark.usefixtures("tidy", "web_server")

NEEDS_WEB = {"Requires": "web.service", "After": "web.service"}


def socket(port: int, **more: str) -> Entry:
    return {"name": "web.socket", "socket": {"ListenStream": f"127.0.0.1:{port}", **more}, "health": QUICK}


def web(name: str = "web.service", **more: object) -> Entry:
    return {"name": name, "service": {"ExecStart": server("one", 0)}, "health": QUICK, **more}


def test_a_stopped_socket_is_back_and_what_its_service_takes_along_too(host: Host) -> None:
    """It starts only while its service is down, and a worker needs that."""
    worker = app(1, "worker", unit=NEEDS_WEB)
    stack(host, socket(8002), web(), worker)
    before = listing(host)
    failing(host, {**socket(8002), "state": "stopped"}, web(), worker, BAD)
    assert listing(host) == before
    assert host.sh("systemctl is-active web.socket web.service worker.service") == "active\nactive\nactive"


def test_a_service_that_was_kept_without_its_socket_runs_when_that_is_back(host: Host) -> None:
    kept = web(state="started", on_change="none")
    stack(host, socket(8002), kept)
    failing(host, kept, BAD, prune=True)
    assert host.sh("systemctl is-active web.socket web.service") == "active\nactive"
    assert answer(host, 8002) == "one"


def test_what_a_stop_took_down_is_started_by_the_run_that_finishes_it(host: Host) -> None:
    """The stop itself cuts the run off."""
    base = app(1, "base", service={"ExecStop": "/bin/sh -c 'pkill -KILL -f run_modul[e].py; sleep 0.5'"})
    part = app(1, "part", unit={"PartOf": "base.service", "After": "base.service"}, state="present")
    stack(host, base, part)
    host.sh("systemctl start part.service")
    cut_off = host.start_module("stack", name="test", units=[part], prune=True)
    assert cut_off.returncode == 137
    result = stack(host, part, prune=True)
    assert "part.service: start" in result["recovered"]
    assert state(host, "part.service") == "active"


def test_what_is_at_its_work_is_cut_off_with_what_it_needs_and_not_begun_anew(host: Host) -> None:
    def units(port: int) -> list[Entry]:
        work = {"Type": "oneshot", "ExecStart": program(1, "job", "exec sleep 500")}
        return [socket(port), web(), {"name": "job.service", "unit": NEEDS_WEB, "service": work, "health": QUICK}]

    stack(host, *units(8002))
    host.sh("systemctl start --no-block job.service")
    version(host, "job")
    host.sh("rm /run/notes/job")
    result = stack(host, *units(8003))
    assert "job.service" in result["stopped"]
    assert state(host, "job.service") == "inactive"
    assert not host.exists("/run/notes/job")
    assert answer(host, 8003) == "one"


def test_a_roll_back_waits_for_no_work_that_it_has_begun_again(host: Host) -> None:
    job = {"name": "job.service", "service": {"Type": "oneshot", "ExecStart": program(1, "job", "exec sleep 500")}}
    stack(host, job)
    host.sh("systemctl start --no-block job.service")
    result = failing(host, BAD, prune=True)
    assert result["rolled_back"], result["msg"]
    assert state(host, "job.service") == "activating"


def test_what_is_bound_to_a_process_that_ends_on_its_reload_is_back(host: Host) -> None:
    def base(reload: str, value: str) -> Entry:
        return app(1, "base", service={"ExecReload": reload}, environment={"V": value}, on_change="reload")

    bound = app(1, "bound", unit={"BindsTo": "base.service", "After": "base.service"})
    stack(host, base("/bin/true", "1"), bound)
    result = failing(host, base("/bin/kill -KILL $MAINPID", "2"), bound)
    assert result["rolled_back"], result["msg"]
    assert host.sh("systemctl is-active base.service bound.service") == "active\nactive"


def test_a_socket_that_names_its_service_by_a_specifier(host: Host) -> None:
    for port in (8002, 8003):
        stack(host, socket(port, Service="%p-backend.service"), web("web-backend.service"))
        assert answer(host, port) == "one"
    error = failing(host, socket(8004, Service="%H.service"), web("web-backend.service"))["errors"][0]
    assert (error["unit"], error["directive"]) == ("web.socket", "Service")
    assert answer(host, 8003) == "one"


@pytest.mark.parametrize("linked", ["/etc/systemd/system", "/usr/local/lib/systemd/system"])
def test_a_socket_that_names_its_service_by_an_alias(host: Host, linked: str) -> None:
    host.write(f"{linked}/real.service", f"[Service]\nExecStart={server('one', 0)}\n")
    host.sh(f"ln -s real.service {linked}/web.service; systemctl daemon-reload; systemctl start web.service")
    for port in (8002, 8003):
        stack(host, socket(port))
        assert answer(host, port) == "one"
        before = listing(host)
        failing(host, socket(8004), BAD)
        assert listing(host) == before
        assert host.sh("systemctl is-active web.socket real.service") == "active\nactive"
        assert answer(host, port) == "one"


def test_a_link_to_a_file_elsewhere_is_no_alias(host: Host) -> None:
    host.write("/opt/app/deploy.service", f"[Service]\nExecStart={server('one', 0)}\n")
    host.sh("ln -s /opt/app/deploy.service /etc/systemd/system/web.service; systemctl daemon-reload")
    host.sh("systemctl start web.service")
    for port in (8002, 8003):
        stack(host, socket(port))
        assert answer(host, port) == "one"


def test_a_roll_back_leaves_to_systemd_what_refuses_its_stop(host: Host) -> None:
    """It goes down with what it needs, and is up again."""
    stack(host, socket(8002), web())
    host.write(
        "/etc/systemd/system/other.service",
        "[Unit]\nRequires=web.service\nAfter=web.service\n"
        "RefuseManualStop=yes\n[Service]\nExecStart=/bin/sleep infinity\n",
    )
    host.sh("systemctl daemon-reload; systemctl start other.service")
    result = failing(host, {**socket(8002), "state": "stopped"}, web(), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.sh("systemctl is-active web.socket web.service other.service") == "active\nactive\nactive"


def test_what_had_failed_before_its_socket_changed_has_failed_still(host: Host) -> None:
    service = {"name": "web.service", "service": {"ExecStart": "/bin/false"}}
    stack(host, socket(8002), service)
    host.sh("systemctl start --no-block web.service")
    until(lambda: state(host, "web.service") == "failed", "it does not fail")
    stack(host, socket(8003), service)
    assert state(host, "web.service") == "failed"


def test_what_is_stopped_before_is_not_taken_along_by_a_restart(host: Host) -> None:
    def worker(after: int, **more: object) -> Entry:
        return app(after, "worker", unit={"PartOf": "base.service"}, **more)

    stack(host, app(1, "base"), worker(1))
    result = stack(host, app(2, "base"), worker(1, state="stopped"))
    assert (result["restarted"], result["stopped"]) == (["base.service"], ["worker.service"])
    assert "along" not in str(result["plan"])
    stack(host, app(2, "base"), worker(1, on_change="none"))
    result = stack(host, app(3, "base"), worker(2, on_change="none"))
    assert (result["restarted"], result["kept"]) == (["base.service", "worker.service"], {})
    assert version(host, "worker") == "2"


def test_what_starts_a_unit_again_that_was_told_to_stop_is_named(host: Host) -> None:
    found = {"name": "found.path", "path": {"PathExists": "/etc/hostname", "Unit": "app.service"}}
    stack(host, found, app(1))
    result = failing(host, found, app(1, state="stopped"))
    assert "found.path" in result["msg"]
    assert show(host, "app.service", "ActiveState") == "active"

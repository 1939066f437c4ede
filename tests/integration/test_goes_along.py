# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes down and up with another unit, in a run, in one that is cut off, and in a roll-back."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, IDLE, UNITS, Entry, app, program, server, service, socket, web
from .lab import CUT_OFF, Lab, until

NEEDS_WEB = {"Requires": "web.service", "After": "web.service"}


def test_a_stopped_socket_is_back_and_what_its_service_takes_along_too(host: Lab) -> None:
    """It starts only while its service is down, and a worker needs that."""
    worker = app(1, "worker", unit={"Requires": "web.service", "After": "web.service"})
    host.apply(socket(8002), web(), worker)
    before = host.listing()
    host.failing({**socket(8002), "state": "stopped"}, web(), worker, BAD)
    assert host.listing() == before
    assert host.states("web.socket", "web.service", "worker.service") == ["active"] * 3


def test_a_service_that_was_kept_without_its_socket_runs_when_that_is_back(host: Lab) -> None:
    kept = web(state="started", on_change="none")
    host.apply(socket(8002), kept)
    host.failing(kept, BAD, prune=True)
    assert host.states("web.socket", "web.service") == ["active"] * 2
    assert host.answer(8002) == "one"


def test_what_a_stop_took_down_is_started_by_the_run_that_finishes_it(host: Lab) -> None:
    """The stop itself cuts the run off."""
    base = app(1, "base", service={"ExecStop": f"/bin/sh -c '{CUT_OFF}; sleep 0.5'"})
    part = app(1, "part", unit={"PartOf": "base.service", "After": "base.service"}, state="present")
    host.apply(base, part)
    host.sh("systemctl start part.service")
    host.cut_off(part, prune=True)
    result = host.apply(part, prune=True)
    assert "part.service: start" in result["recovered"]
    assert host.state("part.service") == "active"


def test_what_is_at_its_work_is_cut_off_with_what_it_needs_and_not_begun_anew(host: Lab) -> None:
    def units(port: int) -> list[Entry]:
        command = program(1, "job", "exec sleep 500")
        return [socket(port), web(), service("job", command, service={"Type": "oneshot"}, unit=NEEDS_WEB)]

    host.apply(*units(8002))
    host.sh("systemctl start --no-block job.service")
    host.version("job")
    host.forget_versions()
    result = host.apply(*units(8003))
    assert "job.service" in result["stopped"]
    assert host.state("job.service") == "inactive"
    assert not host.exists(f"{NOTES}/job")
    assert host.answer(8003) == "one"


def test_a_roll_back_waits_for_no_work_that_it_has_begun_again(host: Lab) -> None:
    host.apply(service("job", program(1, "job", "exec sleep 500"), service={"Type": "oneshot"}))
    host.sh("systemctl start --no-block job.service")
    result = host.failing(BAD, prune=True)
    assert result["rolled_back"], result["msg"]
    assert host.state("job.service") == "activating"


def test_what_is_bound_to_a_process_that_ends_on_its_reload_is_back(host: Lab) -> None:
    def base(reload: str, value: str) -> Entry:
        return app(1, "base", service={"ExecReload": reload}, environment={"V": value}, on_change="reload")

    bound = app(1, "bound", unit={"BindsTo": "base.service", "After": "base.service"})
    host.apply(base("/bin/true", "1"), bound)
    result = host.failing(base("/bin/kill -KILL $MAINPID", "2"), bound)
    assert result["rolled_back"], result["msg"]
    assert host.states("base.service", "bound.service") == ["active"] * 2


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


@pytest.mark.by_force("others need it")
def test_a_roll_back_leaves_to_systemd_what_refuses_its_stop(host: Lab) -> None:
    """It goes down with what it needs, and is up again."""
    host.apply(socket(8002), web())
    host.foreign("other.service", "[Unit]\nRequires=web.service\nAfter=web.service\nRefuseManualStop=yes\n" + IDLE)
    result = host.failing({**socket(8002), "state": "stopped"}, web(), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.states("web.socket", "web.service", "other.service") == ["active"] * 3


def test_what_had_failed_before_its_socket_changed_has_failed_still(host: Lab) -> None:
    failing = service("web", "/bin/false")
    host.apply(socket(8002), failing)
    host.sh("systemctl start --no-block web.service")
    until(lambda: host.state("web.service") == "failed", "it does not fail")
    host.apply(socket(8003), failing)
    assert host.state("web.service") == "failed"


def test_what_is_stopped_before_is_not_taken_along_by_a_restart(host: Lab) -> None:
    def worker(after: int, **more: object) -> Entry:
        return app(after, "worker", unit={"PartOf": "base.service"}, **more)

    host.apply(app(1, "base"), worker(1))
    result = host.apply(app(2, "base"), worker(1, state="stopped"))
    assert (result["restarted"], result["stopped"]) == (["base.service"], ["worker.service"])
    assert "along" not in str(result["plan"])
    host.apply(app(2, "base"), worker(1, on_change="none"))
    result = host.apply(app(3, "base"), worker(2, on_change="none"))
    assert (result["restarted"], result["kept"]) == (["base.service", "worker.service"], {})
    assert host.version("worker") == "2"


def test_what_starts_a_unit_again_that_was_told_to_stop_is_named(host: Lab) -> None:
    found = {"name": "found.path", "path": {"PathExists": "/etc/hostname", "Unit": "app.service"}}
    host.apply(found, app(1))
    result = host.failing(found, app(1, state="stopped"))
    assert "found.path" in result["msg"]
    assert host.state("app.service") == "active"

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of a socket, timer, target, path, mount or slice does to what runs (docs/restarts.md)."""

from __future__ import annotations

import pytest

from tests.testbed.host import Host
from tests.testbed.listing import listing

from .world import (
    BAD,
    QUICK,
    Entry,
    answer,
    app,
    asked,
    beside,
    connected,
    echo,
    failing,
    forget_versions,
    invocation,
    program,
    server,
    show,
    stack,
    state,
    until,
    version,
)

pytestmark = pytest.mark.usefixtures("tidy", "web_server")


def socket(port: int, **more: object) -> Entry:
    return {"name": "web.socket", "socket": {"ListenStream": f"127.0.0.1:{port}", **more}, "health": QUICK}


def served(text: str) -> Entry:
    return {"name": "web.service", "service": {"ExecStart": server(text, 0)}, "health": QUICK}


def test_a_service_is_restarted_while_its_socket_listens_on(host: Host) -> None:
    stack(host, socket(8002), served("old"))
    assert answer(host, 8002) == "old"
    since = show(host, "web.socket", "ActiveEnterTimestampMonotonic")
    errors = "/run/notes/errors"
    asking = f"while :; do curl -s --max-time 10 127.0.0.1:8002 || echo $? >> {errors}; done"
    with beside(host, asking):
        result = stack(host, socket(8002), served("new"))
    assert result["restarted"] == ["web.service"]
    assert answer(host, 8002) == "new"
    assert show(host, "web.socket", "ActiveEnterTimestampMonotonic") == since
    # A connection that the old process had taken may end with it (52, 56), but none is refused (7).
    assert "7" not in host.sh(f"cat {errors} 2>/dev/null; rm -f {errors}").split()


def test_a_changed_address_is_open_and_the_old_one_closed(host: Host) -> None:
    stack(host, socket(8002), served("old"))
    assert answer(host, 8002) == "old"
    result = stack(host, socket(8003), served("old"))
    assert answer(host, 8003) == "old"
    assert not host.sh("curl -s 127.0.0.1:8002", check=False)
    assert state(host, "web.service") == "active"
    stops = [step["unit"] for step in result["plan"] if step["action"] == "stop"]
    assert stops == ["web.socket", "web.service"]


def second_socket(port: int) -> Entry:
    listen = {"ListenStream": f"127.0.0.1:{port}", "Service": "web.service"}
    return {"name": "other.socket", "socket": listen, "health": QUICK}


def test_one_of_two_sockets_changes_while_the_other_is_asked(host: Host) -> None:
    """A connection to the other would start the service while the changed one is still closed."""
    stack(host, socket(8002), second_socket(8005), served("old"))
    assert answer(host, 8002) == "old"
    asking = "while :; do curl -s --max-time 1 127.0.0.1:8005; done"
    with beside(host, asking):
        stack(host, socket(8003), second_socket(8005), served("old"))
        before = listing(host)
        result = failing(host, socket(8004), second_socket(8005), served("old"), BAD)
        assert result["rolled_back"], result["msg"]
        assert listing(host) == before
    assert [error["unit"] for error in result["errors"]] == ["bad.service"]
    assert host.sh("systemctl is-active web.socket other.socket") == "active\nactive"
    assert answer(host, 8003) == "old"


def test_many_sockets_of_one_service_start_though_one_is_asked_at_once(host: Host) -> None:
    """What a connection starts between two of them would keep the rest closed."""

    def sockets(first: int) -> list[Entry]:
        ports = [8005, *range(first, first + 20)]
        units = [{**second_socket(port), "name": f"port\\x2d{number}.socket"} for number, port in enumerate(ports)]
        return [*units, served("old")]

    with asked(host, 8005):
        for first in (8100, 8200, 8300):
            stack(host, *sockets(first))
    assert answer(host, 8319) == "old"


def test_a_connection_that_is_served_is_not_cut_off(host: Host) -> None:
    """Each instance of a socket with Accept=yes is one connection."""
    stack(host, *echo("old", 8002))
    running = "systemctl list-units --plain --no-legend --state=active 'echo@*.service' | cut -d' ' -f1"
    with connected(host, 8002):
        until(lambda: host.sh(running), "no connection is served")
        instance = host.sh(running)
        since = invocation(host, instance)
        for change in ({}, {"dropins": [{"name": "echo@.service", "dropin": "more", "environment": {"A": "1"}}]}):
            result = stack(host, *echo("new", 8002), **change)
            assert instance in result["kept"]
        assert invocation(host, instance) == since


def test_a_socket_declared_restarted_is_though_its_service_runs(host: Host) -> None:
    stack(host, socket(8002), served("old"))
    assert answer(host, 8002) == "old"
    since = invocation(host, "web.socket")
    stack(host, {**socket(8002), "state": "restarted"}, served("old"))
    assert invocation(host, "web.socket") != since
    assert answer(host, 8002) == "old"


def test_a_socket_whose_file_was_removed_by_hand_listens_again(host: Host) -> None:
    """It stays active without its file, and listens no more."""
    stack(host, socket(8002), served("old"))
    host.sh("rm /etc/systemd/system/web.socket; systemctl daemon-reload")
    assert state(host, "web.socket") == "active"
    stack(host, socket(8002), served("old"))
    assert answer(host, 8002) == "old"


def test_a_socket_whose_service_refuses_to_be_stopped_is_kept(host: Host) -> None:
    refusing = {**served("old"), "unit": {"RefuseManualStop": True}}
    stack(host, socket(8002), refusing)
    assert answer(host, 8002) == "old"
    result = stack(host, socket(8003), refusing)
    assert "refuses" in result["kept"]["web.socket"]
    assert host.sh("systemctl is-active web.socket web.service") == "active\nactive"
    assert failing(host, socket(8003), {**refusing, "state": "stopped"})["errors"][0]["rule"] == "refused-stop"


def test_a_service_that_loses_its_socket_runs_on_without_it(host: Host) -> None:
    """It holds what the socket opened: without a restart its next start would be the first to fail."""
    stack(host, socket(8002), served("old"))
    assert answer(host, 8002) == "old"
    alone = {**served("old"), "service": {"ExecStart": server("old", 8002)}, "state": "started"}
    result = stack(host, alone, prune=True)
    assert result["restarted"] == ["web.service"]
    assert answer(host, 8002) == "old"
    assert "LISTEN_FDS" not in host.sh("cat /proc/$(systemctl show -P MainPID web.service)/environ | tr '\\0' '\\n'")


@pytest.mark.parametrize("more", [{"on_change": "none"}, {"unit": {"RefuseManualStop": True}}])
def test_a_service_that_is_to_be_kept_loses_its_socket(host: Host, more: Entry) -> None:
    kept = {**served("old"), "state": "started", **more}
    stack(host, socket(8002), kept)
    assert answer(host, 8002) == "old"
    since = invocation(host, "web.service")
    result = stack(host, kept, prune=True)
    assert "web.socket" in result["kept"]["web.service"]
    assert invocation(host, "web.service") == since


def test_a_socket_is_kept_for_what_would_not_come_up_again(host: Host) -> None:
    needing = "[Unit]\nRequires=web.service\nRefuseManualStart=yes\n[Service]\nExecStart=/bin/sleep infinity\n"
    starting = "[Unit]\nRequires=needing.service\n"
    stack(host, socket(8002), served("old"))
    host.write("/etc/systemd/system/needing.service", needing)
    host.write("/etc/systemd/system/starting.target", starting)
    host.sh("systemctl daemon-reload; systemctl start starting.target")
    until(lambda: state(host, "needing.service") == "active", "it does not come up")
    assert "refuses" in stack(host, socket(8003), served("old"))["kept"]["web.socket"]
    assert host.sh("systemctl is-active web.socket web.service needing.service") == "active\nactive\nactive"


def test_a_socket_of_a_package_whose_service_refuses_is_kept(host: Host) -> None:
    vendor = "/usr/lib/systemd/system/web.service"
    host.write(vendor, f"[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart={server('old', 8002)}\n")
    try:
        stack(host, socket(8002))
        assert answer(host, 8002) == "old"
        assert "refuses" in stack(host, socket(8003))["kept"]["web.socket"]
        assert host.sh("systemctl is-active web.socket web.service") == "active\nactive"
    finally:
        host.sh(f"systemctl stop web.socket; systemctl kill web.service; rm {vendor}; systemctl daemon-reload")


def test_a_changed_socket_does_not_start_an_idle_service(host: Host) -> None:
    stack(host, socket(8002), served("old"))
    stack(host, socket(8003), served("old"))
    assert [state(host, unit) for unit in ("web.socket", "web.service")] == ["active", "inactive"]
    assert answer(host, 8003) == "old"


def test_a_timer_neither_misses_nor_doubles_an_elapse(host: Host) -> None:
    log = "/run/notes/log"

    def job(**more: str) -> list[Entry]:
        timer = {"OnCalendar": "*:*:0/4", "AccuracySec": "10ms", **more}
        service = {"Type": "oneshot", "ExecStart": f"/bin/sh -c 'date +%%s >> {log}'"}
        unit = {"StartLimitIntervalSec": 0}
        return [{"name": "job.service", "unit": unit, "service": service}, {"name": "job.timer", "timer": timer}]

    def runs() -> list[int]:
        """The even second that each run was due at; a busy machine may begin it a second late."""
        return [int(line) // 2 * 2 for line in host.sh(f"cat {log} 2>/dev/null", check=False).split()]

    host.sh(f"rm -f {log}")
    stack(host, *job())
    until(runs, "it never ran")
    stack(host, *job(Persistent="yes"))
    stack(host, *job(OnCalendar="*:*:0/4,2/4"))
    stack(host, *job(OnCalendar="*:*:0/4"))
    count = len(runs())
    until(lambda: len(runs()) > count + 1, "it runs no more")
    host.sh("systemctl stop job.timer")
    times = runs()
    always = [time for time in times if time % 4 == 0]
    assert len(times) == len(set(times)), times
    assert always == list(range(always[0], always[-1] + 1, 4)), times


def test_a_timer_does_not_run_its_service_out_of_time(host: Host) -> None:
    def job(number: int, calendar: str, **more: object) -> list[Entry]:
        service = {"Type": "oneshot", "ExecStart": program(number, "job", "true")}
        return [
            {"name": "job.service", "service": service},
            {"name": "job.timer", "timer": {"OnCalendar": calendar, "Persistent": True, **more}},
        ]

    forget_versions(host)
    stack(host, *job(1, "yearly"))
    result = stack(host, *job(2, "monthly", RandomizedDelaySec=5))
    assert (result["newly_started"], result["restarted"]) == ([], [])
    assert [state(host, unit) for unit in ("job.service", "job.timer")] == ["inactive", "active"]
    assert not host.exists("/run/notes/job")
    assert show(host, "job.timer", "NextElapseUSecRealtime").split()[1].endswith("-01")


def test_a_timer_whose_times_were_over_has_new_ones(host: Host) -> None:
    def job(calendar: str) -> list[Entry]:
        service = {"Type": "oneshot", "ExecStart": "/bin/true"}
        return [{"name": "job.service", "service": service}, {"name": "job.timer", "timer": {"OnCalendar": calendar}}]

    host.module("stack", name="test", units=job("2001-01-01"), on_failure="keep")
    stack(host, *job("daily"))
    assert show(host, "job.timer", "SubState") == "waiting"


def test_a_path_watches_the_new_place_at_once(host: Host) -> None:
    def units(place: str) -> list[Entry]:
        once = {"Type": "oneshot", "RemainAfterExit": True, "ExecStart": program(place, "path", "true")}
        path = {"name": "watch.path", "path": {"PathExists": f"/run/{place}"}}
        return [path, {"name": "watch.service", "service": once}]

    host.sh("rm -f /run/first /run/second")
    forget_versions(host)
    stack(host, *units("first"))
    since = show(host, "watch.path", "ActiveEnterTimestampMonotonic")
    stack(host, *units("second"))
    assert show(host, "watch.path", "ActiveEnterTimestampMonotonic") == since
    host.sh("touch /run/first /run/second")
    assert version(host, "path") == "second"


def test_a_mount_is_mounted_anew_with_what_is_in_it(host: Host) -> None:
    def mount(size: str, kind: str = "tmpfs") -> Entry:
        return {"name": "srv.mount", "mount": {"What": kind, "Where": "/srv", "Type": "tmpfs", "Options": size}}

    stack(host, mount("size=4m"))
    host.sh("touch /srv/kept")
    result = stack(host, mount("size=8m"))
    assert result["reloaded"] == ["srv.mount"]
    assert host.exists("/srv/kept")
    assert "size=8192k" in host.sh("grep ' /srv ' /proc/mounts")
    assert stack(host, mount("size=8m", "other"))["restarted"] == ["srv.mount"]
    assert not host.exists("/srv/kept")


def test_a_slice_is_never_restarted(host: Host) -> None:
    def units(weight: int) -> list[Entry]:
        return [{"name": "lab.slice", "slice": {"CPUWeight": weight}}, app(1, service={"Slice": "lab.slice"})]

    stack(host, *units(100))
    before = invocation(host, "app.service")
    stack(host, *units(200))
    assert invocation(host, "app.service") == before
    assert show(host, "lab.slice", "CPUWeight") == "200"


def test_binding_to_a_unit_that_is_down_starts_it(host: Host) -> None:
    """daemon-reload alone would stop what is bound to an inactive unit."""
    stack(host, app(1), app(1, "base", state="present"))
    stack(host, app(1, unit={"BindsTo": "base.service"}), app(1, "base", state="present"))
    assert [state(host, unit) for unit in ("app.service", "base.service")] == ["active", "active"]


@pytest.mark.parametrize("refused", ["RefuseManualStart", "RefuseManualStop"])
def test_a_socket_whose_sibling_refuses_is_kept(host: Host, refused: str) -> None:
    """A connection to the sibling would start the service too early, so that would have to go down and up as well."""
    sibling = {**socket(8004, Service="web.service"), "name": "two.socket", "state": "present", "unit": {refused: True}}
    starting = {"name": "starting.target", "unit": {"Wants": "two.socket", "After": "two.socket"}}
    stack(host, socket(8002), sibling, served("old"), starting)
    assert answer(host, 8002) == "old"
    result = stack(host, socket(8003), sibling, served("old"), starting)
    assert "refuses" in result["kept"]["web.socket"]
    assert host.sh("systemctl is-active web.socket two.socket web.service") == "active\nactive\nactive"


def test_a_socket_is_kept_whose_service_shall_refuse_from_now_on(host: Host) -> None:
    """What is in memory lets it go down, what is read then does not let it come up."""
    stack(host, socket(8002), served("old"))
    assert answer(host, 8002) == "old"
    result = stack(host, socket(8003), {**served("old"), "unit": {"RefuseManualStart": True}, "state": "present"})
    assert "refuses" in result["kept"]["web.socket"]
    assert host.sh("systemctl is-active web.socket web.service") == "active\nactive"


def test_a_socket_whose_service_a_path_starts_too(host: Host) -> None:
    path = {"name": "web.path", "path": {"PathExists": "/etc/passwd"}}
    stack(host, socket(8002), path, served("old"))
    assert answer(host, 8002) == "old"
    result = stack(host, socket(8003), path, served("old"))
    assert set(result["restarted"]) == {"web.socket", "web.path", "web.service"}
    assert answer(host, 8003) == "old"
    bad = {"name": "bad.service", "service": {"ExecStart": "/bin/false"}, "health": QUICK}
    assert failing(host, socket(8002), path, served("old"), bad)["rolled_back"]
    assert answer(host, 8003) == "old"
    assert host.sh("systemctl is-active web.socket web.path web.service") == "active\nactive\nactive"


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "a.timer", "timer": {"OnCalendar": "daily"}, "install": {"WantedBy": "timers.target"}},
        {"name": "a.path", "path": {"PathExists": "/nowhere"}},
        {"name": "a.slice", "slice": {"MemoryMax": "1G"}, "state": "started"},
    ],
    ids=lambda unit: unit["name"],
)
def test_what_a_unit_newly_pulls_in_is_started(host: Host, unit: Entry) -> None:
    others = [app(1, "a", state="present"), app(1, "more", state="present", install=None)]
    stack(host, unit, *others)
    result = stack(host, {**unit, "unit": {"Wants": "more.service"}}, *others)
    assert ("start", unit["name"]) in [(step["action"], step.get("unit")) for step in result["plan"]]
    until(lambda: state(host, "more.service") == "active", "it does not come up")

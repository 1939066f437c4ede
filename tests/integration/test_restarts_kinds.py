# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of a socket, timer, target, path, mount or slice does to what runs (docs/restarts.md)."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, IDLE, UNITS, VENDOR, Entry, app, echo, program, server, service, socket, timer, tmpfs, web
from .lab import Lab, actions, until


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


def test_a_changed_address_is_open_and_the_old_one_closed(host: Lab) -> None:
    host.apply(socket(8002), web("old"))
    assert host.answer(8002) == "old"
    result = host.apply(socket(8003), web("old"))
    assert host.answer(8003) == "old"
    assert not host.answer_now(8002)
    assert host.state("web.service") == "active"
    stops = [step["unit"] for step in result["plan"] if step["action"] == "stop"]
    assert stops == ["web.socket", "web.service"]


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


def test_a_connection_that_is_served_is_not_cut_off(host: Lab) -> None:
    """Each instance of a socket with Accept=yes is one connection."""
    host.apply(*echo("old", 8002))
    running = "systemctl list-units --plain --no-legend --state=active 'echo@*.service' | cut -d' ' -f1"
    with host.connected(8002):
        instance = until(lambda: host.sh(running), "no connection is served")
        since = host.invocation(instance)
        for change in ({}, {"dropins": [{"name": "echo@.service", "dropin": "more", "environment": {"A": "1"}}]}):
            result = host.apply(*echo("new", 8002), **change)
            assert instance in result["kept"]
        assert host.invocation(instance) == since


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


def test_a_timer_neither_misses_nor_doubles_an_elapse(host: Lab) -> None:
    log = f"{NOTES}/log"

    def job(**more: str) -> list[Entry]:
        timer = {"OnCalendar": "*:*:0/4", "AccuracySec": "10ms", **more}
        once: Entry = {"service": {"Type": "oneshot"}, "unit": {"StartLimitIntervalSec": 0}}
        return [service("job", f"/bin/sh -c 'date +%%s >> {log}'", **once), {"name": "job.timer", "timer": timer}]

    def runs() -> list[int]:
        """The even second that each run was due at; a busy machine may begin it a second late."""
        return [int(line) // 2 * 2 for line in host.sh(f"cat {log} 2>/dev/null", check=False).split()]

    host.apply(*job())
    until(runs, "it never ran")
    host.apply(*job(Persistent="yes"))
    host.apply(*job(OnCalendar="*:*:0/4,2/4"))
    host.apply(*job(OnCalendar="*:*:0/4"))
    count = len(runs())
    until(lambda: len(runs()) > count + 1, "it runs no more")
    host.sh("systemctl stop job.timer")
    times = runs()
    always = [time for time in times if time % 4 == 0]
    assert len(times) == len(set(times)), times
    assert always == list(range(always[0], always[-1] + 1, 4)), times


def test_a_timer_does_not_run_its_service_out_of_time(host: Lab) -> None:
    def job(number: int, calendar: str, **more: object) -> list[Entry]:
        return [
            service("job", program(number, "job", "true"), service={"Type": "oneshot"}),
            {"name": "job.timer", "timer": {"OnCalendar": calendar, "Persistent": True, **more}},
        ]

    host.apply(*job(1, "yearly"))
    result = host.apply(*job(2, "monthly", RandomizedDelaySec=5))
    assert (result["newly_started"], result["restarted"]) == ([], [])
    assert host.states("job.service", "job.timer") == ["inactive", "active"]
    assert not host.exists(f"{NOTES}/job")
    assert host.show("job.timer", "NextElapseUSecRealtime").split()[1].endswith("-01")


def test_a_timer_whose_times_were_over_has_new_ones(host: Lab) -> None:
    def job(calendar: str) -> list[Entry]:
        once = service("job", "/bin/true", service={"Type": "oneshot"})
        return [once, timer(calendar)]

    host.attempt(*job("2001-01-01"), on_failure="keep")
    host.apply(*job("daily"))
    assert host.show("job.timer", "SubState") == "waiting"


def test_a_path_watches_the_new_place_at_once(host: Lab) -> None:
    def units(place: str) -> list[Entry]:
        once = {"Type": "oneshot", "RemainAfterExit": True}
        path = {"name": "watch.path", "path": {"PathExists": f"{NOTES}/{place}"}}
        return [path, service("watch", program(place, "path", "true"), service=once)]

    host.apply(*units("first"))
    since = host.show("watch.path", "ActiveEnterTimestampMonotonic")
    host.apply(*units("second"))
    assert host.show("watch.path", "ActiveEnterTimestampMonotonic") == since
    host.sh(f"touch {NOTES}/first {NOTES}/second")
    assert host.version("path") == "second"


def test_a_mount_is_mounted_anew_with_what_is_in_it(host: Lab) -> None:
    host.apply(tmpfs("/srv", Options="size=4m"))
    host.sh("touch /srv/kept")
    result = host.apply(tmpfs("/srv", Options="size=8m"))
    assert result["reloaded"] == ["srv.mount"]
    assert host.exists("/srv/kept")
    assert "size=8192k" in host.sh("grep ' /srv ' /proc/mounts")
    assert host.apply(tmpfs("/srv", Options="size=8m", What="other"))["restarted"] == ["srv.mount"]
    assert not host.exists("/srv/kept")


def test_a_slice_is_never_restarted(host: Lab) -> None:
    def units(weight: int) -> list[Entry]:
        return [{"name": "lab.slice", "slice": {"CPUWeight": weight}}, app(1, service={"Slice": "lab.slice"})]

    host.apply(*units(100))
    before = host.invocation("app.service")
    host.apply(*units(200))
    assert host.invocation("app.service") == before
    assert host.show("lab.slice", "CPUWeight") == "200"


def test_binding_to_a_unit_that_is_down_starts_it(host: Lab) -> None:
    """daemon-reload alone would stop what is bound to an inactive unit."""
    host.apply(app(1), app(1, "base", state="present"))
    host.apply(app(1, unit={"BindsTo": "base.service"}), app(1, "base", state="present"))
    assert host.states("app.service", "base.service") == ["active", "active"]


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


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "a.timer", "timer": {"OnCalendar": "daily"}, "install": {"WantedBy": "timers.target"}},
        {"name": "a.path", "path": {"PathExists": "/nowhere"}},
        {"name": "a.slice", "slice": {"MemoryMax": "1G"}, "state": "started"},
    ],
    ids=lambda unit: unit["name"],
)
def test_what_a_unit_newly_pulls_in_is_started(host: Lab, unit: Entry) -> None:
    others = [app(1, "a", state="present"), app(1, "more", state="present", install=None)]
    host.apply(unit, *others)
    result = host.apply({**unit, "unit": {"Wants": "more.service"}}, *others)
    assert ("start", unit["name"]) in actions(result)
    until(lambda: host.state("more.service") == "active", "it does not come up")

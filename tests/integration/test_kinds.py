# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of unit, and every way a service can come up, from declaration to a second run without work."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, MOUNT, PROGRAMS, UNITS, WANTED, server, service, tmpfs
from .lab import Lab, until


@pytest.mark.parametrize("kind", ["simple", "exec", "idle"])
def test_a_service_of_a_type_is_started_and_enabled(host: Lab, kind: str) -> None:
    unit = service(service={"Type": kind}, install=WANTED)
    result = host.settled(unit)
    assert result["newly_started"] == [unit["name"]]
    assert result["units"][unit["name"]] == {"load": "loaded", "active": "active", "sub": "running"}
    assert host.enabled(unit["name"]) == "enabled"


def test_a_notify_service_is_awaited_until_it_says_ready(host: Lab) -> None:
    command = f"/bin/sh -c 'sleep 0.5; touch {NOTES}/%N.ready; systemd-notify --ready; exec sleep infinity'"
    host.settled(service(command=command, service={"Type": "notify", "NotifyAccess": "all"}))
    assert host.exists(f"{NOTES}/main.ready")


def test_a_forking_service_is_followed_by_its_pid_file(host: Lab) -> None:
    pid_file = f"{NOTES}/pid"
    command = f"/bin/sh -c 'sleep infinity & echo $$! > {pid_file}'"
    host.settled(service(command=command, service={"Type": "forking", "PIDFile": pid_file}))
    assert host.show("main.service", "MainPID") == host.read(pid_file).strip()


@pytest.fixture
def bus_name(host: Lab) -> str:
    name = "org.unitwright.Test"
    policy = f'<busconfig><policy user="root"><allow own="{name}"/></policy></busconfig>'
    host.write("/etc/dbus-1/system.d/unitwright-test.conf", policy)
    host.sh("systemctl reload dbus.service")
    return name


def test_a_dbus_service_is_up_once_it_has_its_name(host: Lab, bus_name: str) -> None:
    command = f"/usr/bin/python3 {PROGRAMS}/bus_name.py {bus_name}"
    host.settled(service(command=command, service={"Type": "dbus", "BusName": bus_name}))
    assert bus_name in host.sh("busctl list --acquired")


def test_a_oneshot_is_not_run_unless_that_is_said(host: Lab) -> None:
    unit = service(command=f"/bin/touch {NOTES}/%N.ran", service={"Type": "oneshot"})
    assert host.settled(unit)["newly_started"] == []
    assert not host.exists(f"{NOTES}/main.ran")


def test_a_oneshot_with_run_on_change_runs_once_a_change(host: Lab) -> None:
    trace = f"{NOTES}/runs"
    unit = service(command=f"/bin/sh -c 'echo run >> {trace}'", service={"Type": "oneshot"}, run="on_change")
    assert host.settled(unit)["newly_started"] == [unit["name"]]
    host.settled({**unit, "environment": {"A": "1"}})
    assert host.read(trace) == "run\nrun\n"


def test_a_oneshot_that_remains_is_active_and_exited(host: Lab) -> None:
    unit = service(command="/bin/true", service={"Type": "oneshot", "RemainAfterExit": True})
    assert host.settled(unit)["units"][unit["name"]]["sub"] == "exited"


def test_a_simple_service_that_remains_may_exit(host: Lab) -> None:
    # Its process may be seen before it has ended, and what ends is not held to stay.
    unit = service(command="/bin/true", service={"RemainAfterExit": True}, health={"stable_for": 0})
    host.settled(unit)
    assert host.state("main.service") == "active"


def test_a_socket_starts_its_service_at_the_first_connection(host: Lab) -> None:
    web = service("web", server("hello"))
    address = f"{NOTES}/sock"
    socket = {
        "name": "web.socket",
        "socket": {"ListenStream": address},
        "install": {"WantedBy": "sockets.target"},
    }
    result = host.settled(web, socket)
    assert result["newly_started"] == [socket["name"]]
    assert host.state("web.service") == "inactive"
    assert host.answer_now(address) == "hello"
    host.assert_settled(web, socket)


def test_a_socket_that_accepts_starts_an_instance_a_connection(host: Lab) -> None:
    reply = "/bin/sh -c 'sed -u /^.$$/q >/dev/null; echo HTTP/1.0 200 OK; echo; echo hi'"
    template = service("echo@", reply, service={"StandardInput": "socket"})
    socket = {"name": "echo.socket", "socket": {"ListenStream": "127.0.0.1:4711", "Accept": True}}
    host.settled(template, socket)
    assert host.answer_now(4711) == "hi"


def test_a_timer_waits_with_a_next_elapse(host: Lab) -> None:
    job = service("job", f"/bin/touch {NOTES}/%N.ran", service={"Type": "oneshot"}, install=WANTED)
    timer = {
        "name": "job.timer",
        "timer": {"OnCalendar": "*-*-* 03:00:00", "Persistent": True, "RandomizedDelaySec": "5min"},
        "install": {"WantedBy": "timers.target"},
    }
    result = host.settled(job, timer)
    assert result["newly_started"] == [timer["name"]]
    assert host.show("job.timer", "NextElapseUSecRealtime") != ""
    assert host.enabled(job["name"]) == "disabled"
    assert not host.exists(f"{NOTES}/job.ran")


def test_a_path_starts_its_service_when_the_file_is_there(host: Lab) -> None:
    wanted, trace = f"{NOTES}/in", f"{NOTES}/out"
    drop = service("drop", f"/bin/mv {wanted} {trace}", service={"Type": "oneshot"})
    path = {"name": "drop.path", "path": {"PathExists": wanted}, "install": WANTED}
    assert host.settled(drop, path)["newly_started"] == [path["name"]]
    host.sh(f"touch {wanted}")
    until(lambda: host.exists(trace), "the file is not taken up")


def test_a_mount_is_mounted(host: Lab) -> None:
    mount = {**tmpfs(Options="size=1M"), "install": WANTED}
    host.settled(mount)
    assert "size=1024k" in host.sh(f"findmnt -no OPTIONS {MOUNT}")
    mount["mount"]["Options"] = "size=2M"
    result = host.settled(mount)
    assert (result["reloaded"], result["restarted"]) == ([mount["name"]], [])
    assert "size=2048k" in host.sh(f"findmnt -no OPTIONS {MOUNT}")
    host.remove()
    assert host.sh(f"findmnt {MOUNT}", check=False) == ""


def test_a_mount_that_takes_no_new_options_or_is_busy_stays_as_it_was(host: Lab) -> None:
    mount = tmpfs(Options="size=1M")
    host.settled(mount)
    result = host.failing(tmpfs(Options="size=bogus"))
    assert "its reload failed" in result["msg"]
    assert result["rolled_back"], result["msg"]
    host.assert_settled(mount)
    host.sh(f"systemd-run --quiet --unit=busy /bin/sh -c 'cd {MOUNT} && exec sleep 60'")
    until(lambda: MOUNT in host.sh("readlink /proc/[0-9]*/cwd"), "nobody is there")
    try:
        result = host.failing(tmpfs(Options="size=1M", What="other"))
        assert "could not be unmounted" in result["msg"]
        assert result["rolled_back"], result["msg"]
    finally:
        host.sh("systemctl stop busy.service")
    assert "size=1024k" in host.sh(f"findmnt -no OPTIONS {MOUNT}")


def test_an_automount_mounts_on_access(host: Lab) -> None:
    automount = {"name": "mnt-test.automount", "automount": {"Where": MOUNT}, "install": WANTED}
    assert host.settled(tmpfs(), automount)["newly_started"] == [automount["name"]]
    host.sh(f"ls {MOUNT}/.")
    assert host.state("mnt-test.mount") == "active"
    host.assert_settled(tmpfs(), automount)


def test_a_swap_is_written_and_verified(host: Lab) -> None:
    swap = {
        "name": "var-test.swap",
        "swap": {"What": "/var/test", "Priority": 5},
        "state": "present",
        "enabled": False,
        "install": {"WantedBy": "swap.target"},
    }
    host.settled(swap)
    assert "Priority=5" in host.read(f"{UNITS}/{swap['name']}")


def test_a_slice_holds_its_services(host: Lab) -> None:
    group = {"name": "test.slice", "slice": {"MemoryMax": "64M", "CPUWeight": 50}}
    host.settled(group, service(service={"Slice": "test.slice"}))
    assert host.show("main.service", "ControlGroup") == "/test.slice/main.service"
    host.remove()
    assert host.show("test.slice", "MemoryMax") == "infinity"


def test_a_target_takes_its_members_down_with_it(host: Lab) -> None:
    target = {"name": "all.target", "unit": {"Description": "All"}, "install": WANTED}
    member = service(unit={"PartOf": target["name"]}, install={"WantedBy": target["name"]})
    host.settled(target, member)
    host.sh(f"systemctl stop {target['name']}")
    until(lambda: host.state("main.service") == "inactive", "the member goes on")
    result = host.settled(target, member)
    assert sorted(result["newly_started"]) == sorted([target["name"], member["name"]])


def test_a_unit_as_text_goes_the_same_way(host: Lab) -> None:
    content = f"# by hand\n[Service]\nExecStart={FOREVER}\n\n[Install]\nWantedBy=multi-user.target\n"
    unit = {"name": "text.service", "content": content}
    host.settled(unit)
    assert "# by hand\n" in host.read(f"{UNITS}/text.service")
    assert host.enabled(unit["name"]) == "enabled"
    changed = {**unit, "content": content.replace("infinity", "1000000"), "environment": {"A": "b c"}}
    assert host.settled(changed)["restarted"] == [unit["name"]]

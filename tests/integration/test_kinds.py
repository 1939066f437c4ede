# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of unit, and every way a service can come up, from declaration to a second run without work."""

from __future__ import annotations

import pytest

from tests.integration.support import FOREVER, PROGRAMS, Stack
from tests.integration.world import show, until
from tests.testbed.host import Host

NOTIFY = "/bin/sh -c 'systemd-notify --ready && exec sleep infinity'"
WANTED = {"WantedBy": "multi-user.target"}


@pytest.mark.parametrize("kind", ["simple", "exec", "idle"])
def test_a_service_of_a_type_is_started_and_enabled(stack: Stack, kind: str) -> None:
    unit = stack.service(service={"Type": kind}, install=WANTED)
    result = stack.settled(unit)
    assert result["newly_started"] == [unit["name"]]
    assert result["units"][unit["name"]] == {"load": "loaded", "active": "active", "sub": "running"}
    assert stack.host.sh(f"systemctl is-enabled {unit['name']}") == "enabled"


def test_a_notify_service_is_awaited_until_it_says_ready(stack: Stack) -> None:
    command = "/bin/sh -c 'sleep 0.5; touch /run/%N.ready; systemd-notify --ready; exec sleep infinity'"
    stack.settled(stack.service(command=command, service={"Type": "notify", "NotifyAccess": "all"}))
    ready = f"/run/{stack.unit('main')}.ready"
    assert stack.host.exists(ready)
    stack.host.sh(f"rm {ready}")


def test_a_notify_reload_service_is_reloaded(stack: Stack, version: int) -> None:
    if version < 253:
        pytest.skip("Type=notify-reload came with systemd 253")
    unit = stack.service(
        command=f"/usr/bin/python3 {PROGRAMS}/reloads.py", service={"Type": "notify-reload"}, on_change="reload"
    )
    stack.settled(unit)
    before = stack.invocation("main.service")
    unit["environment"] = {"A": "1"}
    assert stack.settled(unit)["reloaded"] == [unit["name"]]
    assert stack.invocation("main.service") == before


def test_a_forking_service_is_followed_by_its_pid_file(stack: Stack) -> None:
    pid_file = f"/run/{stack.name}.pid"
    command = f"/bin/sh -c 'sleep infinity & echo $$! > {pid_file}'"
    stack.settled(stack.service(command=command, service={"Type": "forking", "PIDFile": pid_file}))
    assert stack.show("main.service", "MainPID") == stack.host.read(pid_file).strip()


@pytest.fixture
def bus_name(host: Host) -> str:
    name = "org.unitwright.Test"
    policy = f'<busconfig><policy user="root"><allow own="{name}"/></policy></busconfig>'
    host.write("/etc/dbus-1/system.d/unitwright-test.conf", policy)
    host.sh("systemctl reload dbus.service")
    return name


def test_a_dbus_service_is_up_once_it_has_its_name(stack: Stack, bus_name: str) -> None:
    command = f"/usr/bin/python3 {PROGRAMS}/bus_name.py {bus_name}"
    stack.settled(stack.service(command=command, service={"Type": "dbus", "BusName": bus_name}))
    assert bus_name in stack.host.sh("busctl list --acquired")


def test_a_oneshot_is_not_run_unless_that_is_said(stack: Stack) -> None:
    unit = stack.service(command="/bin/touch /run/%N.ran", service={"Type": "oneshot"})
    assert stack.settled(unit)["newly_started"] == []
    assert not stack.host.exists(f"/run/{stack.unit('main')}.ran")


def test_a_oneshot_with_run_on_change_runs_once_a_change(stack: Stack) -> None:
    trace = f"/run/{stack.name}.runs"
    unit = stack.service(command=f"/bin/sh -c 'echo run >> {trace}'", service={"Type": "oneshot"}, run="on_change")
    assert stack.settled(unit)["newly_started"] == [unit["name"]]
    stack.settled({**unit, "environment": {"A": "1"}})
    assert stack.host.read(trace) == "run\nrun\n"
    stack.host.sh(f"rm {trace}")


def test_a_oneshot_that_remains_is_active_and_exited(stack: Stack) -> None:
    unit = stack.service(command="/bin/true", service={"Type": "oneshot", "RemainAfterExit": True})
    assert stack.settled(unit)["units"][unit["name"]]["sub"] == "exited"


def test_a_simple_service_that_remains_may_exit(stack: Stack) -> None:
    unit = stack.service(command="/bin/true", service={"RemainAfterExit": True})
    stack.settled(unit)
    assert stack.show("main.service", "ActiveState") == "active"


def test_a_socket_starts_its_service_at_the_first_connection(stack: Stack) -> None:
    service = stack.service("web", f"/usr/bin/python3 {PROGRAMS}/answer.py hello")
    address = f"/run/{stack.name}.sock"
    socket = {
        "name": stack.unit("web.socket"),
        "socket": {"ListenStream": address},
        "install": {"WantedBy": "sockets.target"},
    }
    result = stack.settled(service, socket)
    assert result["newly_started"] == [socket["name"]]
    assert stack.show("web.service", "ActiveState") == "inactive"
    assert stack.host.sh(f"curl -s --unix-socket {address} http://x/") == "hello"
    stack.assert_settled(service, socket)


def test_a_socket_that_accepts_starts_an_instance_a_connection(stack: Stack) -> None:
    template = {
        "name": stack.unit("echo@.service"),
        "service": {
            "ExecStart": "/bin/sh -c 'sed -u /^.$$/q >/dev/null; echo HTTP/1.0 200 OK; echo; echo hi'",
            "StandardInput": "socket",
        },
    }
    socket = {"name": stack.unit("echo.socket"), "socket": {"ListenStream": "127.0.0.1:4711", "Accept": True}}
    stack.settled(template, socket)
    assert stack.host.sh("curl -s -m 2 http://127.0.0.1:4711/") == "hi"


def test_a_timer_waits_with_a_next_elapse(stack: Stack) -> None:
    service = stack.service("job", "/bin/touch /run/%N.ran", service={"Type": "oneshot"}, install=WANTED)
    timer = {
        "name": stack.unit("job.timer"),
        "timer": {"OnCalendar": "*-*-* 03:00:00", "Persistent": True, "RandomizedDelaySec": "5min"},
        "install": {"WantedBy": "timers.target"},
    }
    result = stack.settled(service, timer)
    assert result["newly_started"] == [timer["name"]]
    assert stack.show("job.timer", "NextElapseUSecRealtime") != ""
    assert stack.host.sh(f"systemctl is-enabled {service['name']}", check=False) == "disabled"
    assert not stack.host.exists(f"/run/{stack.unit('job')}.ran")


def test_a_path_starts_its_service_when_the_file_is_there(stack: Stack) -> None:
    wanted, trace = f"/run/{stack.name}.in", f"/run/{stack.name}.out"
    service = stack.service("drop", f"/bin/mv {wanted} {trace}", service={"Type": "oneshot"})
    path = {"name": stack.unit("drop.path"), "path": {"PathExists": wanted}, "install": WANTED}
    assert stack.settled(service, path)["newly_started"] == [path["name"]]
    stack.host.sh(f"touch {wanted}")
    until(lambda: stack.host.exists(trace), "the file is not taken up")
    stack.host.sh(f"rm {trace}")


def mount_name(stack: Stack, kind: str) -> str:
    return f"mnt-{stack.name}.{kind}"


def test_a_mount_is_mounted(stack: Stack) -> None:
    where = f"/mnt/{stack.name}"
    mount = {
        "name": mount_name(stack, "mount"),
        "mount": {"What": "tmpfs", "Where": where, "Type": "tmpfs", "Options": "size=1M"},
        "install": WANTED,
    }
    stack.settled(mount)
    assert "size=1024k" in stack.host.sh(f"findmnt -no OPTIONS {where}")
    mount["mount"]["Options"] = "size=2M"
    result = stack.settled(mount)
    assert (result["reloaded"], result["restarted"]) == ([mount["name"]], [])
    assert "size=2048k" in stack.host.sh(f"findmnt -no OPTIONS {where}")
    stack.remove()
    assert stack.host.sh(f"findmnt {where}", check=False) == ""
    stack.host.sh(f"rmdir {where}")


def test_a_mount_that_takes_no_new_options_or_is_busy_stays_as_it_was(stack: Stack) -> None:
    where = f"/mnt/{stack.name}"

    def mount(**more: str) -> dict[str, object]:
        return {
            "name": mount_name(stack, "mount"),
            "mount": {"What": "tmpfs", "Where": where, "Type": "tmpfs", "Options": "size=1M", **more},
        }

    stack.settled(mount())
    result = stack.refused(mount(Options="size=bogus"))
    assert "its reload failed" in result["msg"]
    assert result["rolled_back"], result["msg"]
    stack.assert_settled(mount())
    stack.host.sh(f"systemd-run --quiet --unit=busy /bin/sh -c 'cd {where} && exec sleep 60'")
    until(lambda: where in stack.host.sh("readlink /proc/[0-9]*/cwd"), "nobody is there")
    try:
        result = stack.refused(mount(What="other"))
        assert "could not be unmounted" in result["msg"]
        assert result["rolled_back"], result["msg"]
    finally:
        stack.host.sh("systemctl stop busy.service")
    assert "size=1024k" in stack.host.sh(f"findmnt -no OPTIONS {where}")
    stack.remove()
    stack.host.sh(f"rmdir {where}")


def test_an_automount_mounts_on_access(stack: Stack) -> None:
    where = f"/mnt/{stack.name}"
    mount = {"name": mount_name(stack, "mount"), "mount": {"What": "tmpfs", "Where": where, "Type": "tmpfs"}}
    automount = {"name": mount_name(stack, "automount"), "automount": {"Where": where}, "install": WANTED}
    assert stack.settled(mount, automount)["newly_started"] == [automount["name"]]
    stack.host.sh(f"ls {where}/.")
    assert show(stack.host, mount["name"], "ActiveState") == "active"
    stack.assert_settled(mount, automount)
    stack.remove()
    stack.host.sh(f"rmdir {where}")


def test_a_swap_is_written_and_verified(stack: Stack) -> None:
    swap = {
        "name": f"var-{stack.name}.swap",
        "swap": {"What": f"/var/{stack.name}", "Priority": 5},
        "state": "present",
        "enabled": False,
        "install": {"WantedBy": "swap.target"},
    }
    stack.settled(swap)
    assert "Priority=5" in stack.host.read(f"/etc/systemd/system/{swap['name']}")


def test_a_slice_holds_its_services(stack: Stack) -> None:
    slice_unit = {"name": f"{stack.name}.slice", "slice": {"MemoryMax": "64M", "CPUWeight": 50}}
    service = stack.service(service={"Slice": slice_unit["name"]})
    stack.settled(slice_unit, service)
    assert stack.show("main.service", "ControlGroup") == f"/{slice_unit['name']}/{service['name']}"
    stack.remove()
    assert show(stack.host, slice_unit["name"], "MemoryMax") == "infinity"
    stack.host.sh(f"systemctl stop {slice_unit['name']}")


def test_a_target_takes_its_members_down_with_it(stack: Stack) -> None:
    target = {"name": stack.unit("all.target"), "unit": {"Description": "All"}, "install": WANTED}
    member = stack.service(unit={"PartOf": target["name"]}, install={"WantedBy": target["name"]})
    stack.settled(target, member)
    stack.host.sh(f"systemctl stop {target['name']}")
    assert stack.show("main.service", "ActiveState") == "inactive"
    result = stack.settled(target, member)
    assert sorted(result["newly_started"]) == sorted([target["name"], member["name"]])


def test_a_template_runs_in_its_instances(stack: Stack) -> None:
    template = {
        "name": stack.unit("w@.service"),
        "service": {"ExecStart": FOREVER, "Environment": {"WHO": "me"}},
        "install": WANTED,
        "instances": ["a", "b"],
    }
    first, second = stack.unit("w@a.service"), stack.unit("w@b.service")
    result = stack.settled(template)
    assert sorted(result["newly_started"]) == [first, second]
    assert stack.host.sh(f"systemctl is-enabled {first} {second}") == "enabled\nenabled"
    template["service"]["ExecStart"] = "/bin/sleep 1000000"
    assert sorted(stack.settled(template)["restarted"]) == [first, second]


def test_an_instance_that_is_no_longer_declared_is_stopped(stack: Stack) -> None:
    template = {
        "name": stack.unit("w@.service"),
        "service": {"ExecStart": FOREVER},
        "install": WANTED,
        "instances": ["a", "b"],
    }
    stack.apply(template)
    result = stack.settled({**template, "instances": ["a"]}, prune=True)
    assert result["stopped"] == [stack.unit("w@b.service")]


def test_a_template_without_instances_is_only_written(stack: Stack) -> None:
    template = {"name": stack.unit("w@.service"), "service": {"ExecStart": FOREVER}, "install": WANTED}
    assert stack.settled(template)["newly_started"] == []


def test_a_unit_as_text_goes_the_same_way(stack: Stack) -> None:
    content = f"# by hand\n[Service]\nExecStart={FOREVER}\n\n[Install]\nWantedBy=multi-user.target\n"
    unit = {"name": stack.unit("text.service"), "content": content}
    stack.settled(unit)
    assert "# by hand\n" in stack.host.read(stack.path("text.service"))
    assert stack.host.sh(f"systemctl is-enabled {unit['name']}") == "enabled"
    changed = {**unit, "content": content.replace("infinity", "1000000"), "environment": {"A": "b c"}}
    assert stack.settled(changed)["restarted"] == [unit["name"]]

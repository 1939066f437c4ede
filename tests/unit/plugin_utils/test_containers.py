# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a container with systemd is asked for, on an ordinary machine and on one that lacks what engines expect."""

from __future__ import annotations

import resource
import shutil
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.plugin_utils import _containers
from ansible_collections.unitwright.systemd.plugins.plugin_utils._containers import run_command

MOUNT = 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$0"'
TMPFS = ["--tmpfs=/run:exec,mode=755", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec,mode=1777"]


def own(engine: str) -> list[str]:
    return ["--name=web1", "--hostname=web1", f"--env=container={engine}", "--stop-signal=SIGRTMIN+3"]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """machine(unified, may_raise): one with cgroup v2 alone, and where limits may be raised."""

    def made(unified: bool, may_raise: bool) -> None:
        monkeypatch.setattr(_containers, "cgroups_unified", lambda: unified)
        monkeypatch.setattr(_containers, "may_raise_limits", lambda: may_raise)
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
        hard = {resource.RLIMIT_NOFILE: 20000, resource.RLIMIT_NPROC: resource.RLIM_INFINITY}
        monkeypatch.setattr(resource, "getrlimit", lambda number: (hard[number], hard[number]))

    return made


def test_podman_on_an_ordinary_machine(machine: Any) -> None:
    machine(unified=True, may_raise=True)
    systemd = ["--privileged", "--systemd=always"]
    expected = [
        "podman",
        "run",
        "--detach",
        *own("podman"),
        *systemd,
        "--network=none",
        "debian",
        "/lib/systemd/systemd",
    ]
    assert run_command("podman", "web1", "debian", ["--network=none"], "/lib/systemd/systemd") == expected


def test_podman_on_a_machine_with_old_control_groups_and_low_limits(machine: Any) -> None:
    machine(unified=False, may_raise=False)
    limits = ["--ulimit=nofile=20000:20000", "--ulimit=nproc=32768:32768"]
    systemd = ["--privileged", "--systemd=false", "--cgroupns=private", *TMPFS]
    assert run_command("podman", "web1", "debian") == [
        *("podman", "--runtime=runc", "run", "--detach"),
        *(*own("podman"), *limits, *systemd),
        *("debian", "/bin/sh", "-c", MOUNT, "/sbin/init"),
    ]


def test_docker(machine: Any) -> None:
    machine(unified=True, may_raise=True)
    systemd = ["--privileged", "--cgroupns=private", *TMPFS]
    expected = ["docker", "run", "--detach", *own("docker"), *systemd, "debian", "/sbin/init"]
    assert run_command("docker", "web1", "debian") == expected


def test_docker_where_a_capability_is_lacking(machine: Any) -> None:
    machine(unified=False, may_raise=False)
    told = run_command("docker", "web1", "debian")
    assert told[:3] == ["docker", "run", "--detach"]
    assert "--privileged" not in told
    assert {"--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined"} <= set(told)
    assert told[-4:] == ["/bin/sh", "-c", MOUNT, "/sbin/init"]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Podman and Docker are asked for a container with a systemd on this machine. Private to the collection.

The tests' own containers are made by it too, before anything but Python's standard library is there.
"""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path

ENGINES = ("podman", "docker")
CGROUP_ROOT = Path("/sys/fs/cgroup")
CAP_SYS_RESOURCE = 24
# Podman raises its own process limit to this and cannot give a container more.
PODMAN_NPROC = 32768
ALL_BUT_LIMITS = [
    "--cap-add=ALL",
    "--cap-drop=SYS_RESOURCE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=systempaths=unconfined",
]
TMPFS = ["--tmpfs=/run:exec,mode=755", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec,mode=1777"]


def cgroups_unified() -> bool:
    """Whether the host has cgroup v2 alone, where systemd in a container needs no help."""
    return (CGROUP_ROOT / "cgroup.controllers").exists()


def may_raise_limits() -> bool:
    if os.geteuid() != 0:
        return True
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> CAP_SYS_RESOURCE & 1)
    return True


def limit_flags() -> list[str]:
    """Without CAP_SYS_RESOURCE the engine's default limits ask for more than it may give."""
    if may_raise_limits():
        return []
    flags = []
    for name, number, most in (
        ("nofile", resource.RLIMIT_NOFILE, None),
        ("nproc", resource.RLIMIT_NPROC, PODMAN_NPROC),
    ):
        hard = resource.getrlimit(number)[1]
        if most is not None and (hard == resource.RLIM_INFINITY or hard > most):
            hard = most
        if hard != resource.RLIM_INFINITY:
            flags.append(f"--ulimit={name}={hard}:{hard}")
    return flags


def command(engine: str) -> list[str]:
    """How the engine is called."""
    # crun refuses a host whose controllers still belong to cgroup v1.
    needs_runc = engine == "podman" and not cgroups_unified() and shutil.which("runc")
    return [engine, "--runtime=runc"] if needs_runc else [engine]


def systemd_flags(engine: str) -> list[str]:
    """How to give a container a systemd on this host."""
    if engine == "podman":
        if cgroups_unified():
            return ["--privileged", "--systemd=always"]
        return ["--privileged", "--systemd=false", "--cgroupns=private", *TMPFS]
    # Docker's --privileged asks for every capability there is, and fails where the machine lacks one.
    privilege = ["--privileged"] if may_raise_limits() else ALL_BUT_LIMITS
    return [*privilege, "--cgroupns=private", *TMPFS]


def init_command(init: str = "/sbin/init") -> list[str]:
    """PID 1; on a host with cgroup v1 it first mounts a cgroup v2 tree of its own, which systemd 258 demands."""
    if cgroups_unified():
        return [init]
    mount = 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$0"'
    return ["/bin/sh", "-c", mount, init]


def run_options(engine: str, name: str) -> list[str]:
    """What `run` takes before the image."""
    own = [f"--name={name}", f"--hostname={name}", f"--env=container={engine}", "--stop-signal=SIGRTMIN+3"]
    return [*own, *limit_flags(), *systemd_flags(engine)]


def run_command(engine: str, name: str, image: str, options: Sequence[str] = (), init: str = "/sbin/init") -> list[str]:
    """The call that boots one."""
    return [*command(engine), "run", "--detach", *run_options(engine, name), *options, image, *init_command(init)]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Podman or Docker, whichever works here, and the flags that this machine needs."""

from __future__ import annotations

import functools
import os
import resource
import shutil
import subprocess
from pathlib import Path

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
CONNECTIONS = {"podman": "containers.podman.podman", "docker": "community.docker.docker"}


class EngineError(RuntimeError):
    """A call of the container engine failed; the message holds all that it printed."""


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


class Engine:
    """One container engine, called through its command line."""

    def __init__(self, name: str) -> None:
        self.name = name
        # crun refuses a host whose controllers still belong to cgroup v1.
        needs_runc = name == "podman" and not cgroups_unified() and shutil.which("runc")
        self.command = [name, "--runtime=runc"] if needs_runc else [name]

    def run(
        self, *args: str, check: bool = True, data: bytes = b"", timeout: float | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        command = [*self.command, *args]
        try:
            done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{' '.join(command)}: no answer in {timeout} s") from error
        if check and done.returncode != 0:
            output = (done.stdout + done.stderr).decode(errors="replace")
            raise EngineError(f"{' '.join(command)}: exit {done.returncode}\n{output}")
        return done

    def text(self, *args: str) -> str:
        return self.run(*args).stdout.decode().strip()

    def works(self) -> bool:
        return shutil.which(self.name) is not None and self.run("info", check=False).returncode == 0

    def systemd_flags(self) -> list[str]:
        """How to give a container a systemd on this host."""
        if self.name == "podman":
            if cgroups_unified():
                return ["--privileged", "--systemd=always"]
            return ["--privileged", "--systemd=false", "--cgroupns=private", *TMPFS]
        # Docker's --privileged asks for every capability there is, and fails where the machine lacks one.
        privilege = ["--privileged"] if may_raise_limits() else ALL_BUT_LIMITS
        return [*privilege, "--cgroupns=private", *TMPFS]

    def init_command(self) -> list[str]:
        """PID 1; on a host with cgroup v1 it first mounts a cgroup v2 tree of its own, which systemd 258 demands."""
        if cgroups_unified():
            return ["/sbin/init"]
        mount = "umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /sbin/init"
        return ["/bin/sh", "-c", mount]


def wanted_engines() -> list[str]:
    wanted = os.environ.get("UNITWRIGHT_ENGINE")
    if wanted and wanted not in CONNECTIONS:
        raise EngineError(f"UNITWRIGHT_ENGINE={wanted}: one of {', '.join(CONNECTIONS)}")
    return [wanted] if wanted else list(CONNECTIONS)


@functools.cache
def find_engine() -> Engine:
    for name in wanted_engines():
        engine = Engine(name)
        if engine.works():
            return engine
    raise EngineError(f"no working container engine: {' nor '.join(wanted_engines())}: run `make prepare`")

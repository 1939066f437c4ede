# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Podman or Docker, whichever works here, and the flags that this machine needs."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

from plugins.plugin_utils import _containers
from plugins.plugin_utils._containers import cgroups_unified, limit_flags

__all__ = ["CONNECTIONS", "Engine", "EngineError", "cgroups_unified", "find_engine", "limit_flags", "wanted_engines"]
CONNECTIONS = {"podman": "containers.podman.podman", "docker": "community.docker.docker"}


class EngineError(RuntimeError):
    """A call of the container engine failed; the message holds all that it printed."""


class Engine:
    """One container engine, called through its command line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.command = _containers.command(name)

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

    def entering(self, name: str, *command: str) -> list[str]:
        """The command that runs another one in there, with what goes into it and comes out of it."""
        return [*self.command, "exec", "--interactive", name, *command]

    def text(self, *args: str) -> str:
        return self.run(*args).stdout.decode().strip()

    def works(self) -> bool:
        return shutil.which(self.name) is not None and self.run("info", check=False).returncode == 0


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

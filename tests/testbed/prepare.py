# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine needs before it can boot test containers, and installing it on Debian and Ubuntu."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from .engine import Engine, cgroups_unified, wanted_engines

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def missing_tools() -> list[str]:
    """Debian's names of what the virtual environment and the checks lack."""
    needed = [] if shutil.which("git") else ["git"]
    return needed if find_spec("ensurepip") else [*needed, "python3-venv"]


def missing_browser() -> list[str]:
    """Debian's name of a browser that needs no screen, a quarter of a gigabyte."""
    found = any(shutil.which(name) for name in ("chromium", "chromium-headless-shell"))
    return [] if found else ["chromium"]


def missing_machine() -> list[str]:
    """Debian's names of what builds and boots a virtual machine."""
    tools = {
        "qemu-system-x86_64": "qemu-system-x86",
        "mmdebstrap": "mmdebstrap",
        "mke2fs": "e2fsprogs",
        "ssh": "openssh-client",
    }
    # Not everyone has it in their path.
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    needed = [package for tool, package in tools.items() if not shutil.which(tool, path=path)]
    return needed if KEYRING.exists() else [*needed, "debian-archive-keyring"]


def missing_packages() -> list[str]:
    """Debian's names of all that is not there yet."""
    needed = missing_tools()
    if not os.environ.get("UNITWRIGHT_IMAGE"):
        needed += [] if shutil.which("mmdebstrap") else ["mmdebstrap"]
        needed += [] if KEYRING.exists() else ["debian-archive-keyring"]
    return needed + _missing_engine()


def _missing_engine() -> list[str]:
    wanted = wanted_engines()
    found = next((name for name in wanted if Engine(name).works()), None)
    if found:
        return _missing_runtime() if found == "podman" else []
    if wanted == ["docker"]:
        return ["docker.io"]
    tools = {"podman": "podman", "dbus-daemon": "dbus"}
    if os.geteuid() != 0:
        tools["newuidmap"] = "uidmap"
    network = [name for name, path in _network_helpers().items() if not path.exists()]
    return [package for tool, package in tools.items() if not shutil.which(tool)] + network + _missing_runtime()


def _missing_runtime() -> list[str]:
    return [] if cgroups_unified() or shutil.which("runc") else ["runc"]


def _network_helpers() -> dict[str, Path]:
    return {name: Path("/usr/lib/podman", name) for name in ("netavark", "aardvark-dns")}


def prepare(find_missing: Callable[[], list[str]] = missing_packages) -> int:
    missing = find_missing()
    if not missing:
        return 0
    if not shutil.which("apt-get"):
        print(f"Install these (Debian's names), then try again: {' '.join(missing)}", file=sys.stderr)
        return 1
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and not shutil.which("sudo"):
        print(f"As root: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 1
    print(f"Installing {' '.join(missing)}", flush=True)
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    install = [*environment, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    for command in ([*environment, "apt-get", "update", "-qq"], install):
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            return 1
    return _report(find_missing())


def _report(still_missing: list[str]) -> int:
    if still_missing:
        print(f"Installed, yet still missing: {' '.join(still_missing)}", file=sys.stderr)
    return 1 if still_missing else 0

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: what no container has, a kernel of its own with every controller of cgroup v2, and a true reboot.

One is built as the images are, of Debian's packages, and reached by ssh through a port of this machine. All of it lies
below .build/machines: `made` has a folder for each recipe, and beside it is one for each machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from . import image
from .engine import Engine, EngineError

FOLDER = Path(__file__).resolve().parents[2] / ".build" / "machines"
MADE = FOLDER / "made"
PACKAGES = ("linux-image-cloud-amd64", "openssh-server", "udev")
NETWORK = "[Match]\\nName=eth0\\n[Network]\\nAddress=10.0.2.15/24\\n"
HOOKS = (
    f'printf "{NETWORK}" > "$1/etc/systemd/network/80-wired.network"',
    'ln -s /lib/systemd/system/systemd-networkd.service "$1/etc/systemd/system/multi-user.target.wants/"',
    'mkdir -p -m 700 "$1/root/.ssh"',
)
DISK, KERNEL, INITRD, KEY = "disk.img", "kernel", "initrd", "key"
SIZE = "3G"
# Nobody logs in there, and on a busy machine the device may come too late for it.
NO_LOGIN = "serial-getty@ttyS0.service"
# By software alone, on a machine that does more than that.
BOOT_TIMEOUT = 600.0
ENDING_TIMEOUT = 180.0
PROBE = 10.0
POLL = 0.5
QEMU = (
    *("qemu-system-x86_64", "-machine", "q35", "-m", "1024", "-smp", "2"),
    *("-display", "none", "-nodefaults", "-no-user-config"),
)


class Machines(Engine):
    """What has machines in place of containers."""

    def __init__(self) -> None:  # pylint: disable=super-init-not-called
        self.name = "ssh"
        self.command = ["ssh"]

    def entering(self, name: str, *command: str) -> list[str]:
        return ["ssh", "-F", str(ssh_config(name)), name, shlex.join(command)]


def ssh_config(name: str) -> Path:
    return FOLDER / name / "ssh_config"


def recipe(suite: str) -> list[str]:
    return image.build_command(suite, PACKAGES, HOOKS)


def build(suite: str) -> Path:
    """The folder with the disk, kernel and key of a suite's machines, made unless it is there."""
    command = recipe(suite)
    folder = MADE / f"{suite}-{hashlib.sha256(json.dumps(command).encode()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    MADE.mkdir(parents=True, exist_ok=True)
    for old in MADE.glob(f"{suite}-*"):
        shutil.rmtree(old)
    part = Path(tempfile.mkdtemp(dir=MADE, prefix=f"{suite}-part-"))
    _make(part, command, image.mirror_arguments(suite))
    return part.rename(folder)


def _make(folder: Path, command: Sequence[str], mirror: Sequence[str]) -> None:
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "unitwright-testbed", "-f", str(folder / KEY))
    tar, root = folder / "root.tar", folder / "root"
    key = (folder / f"{KEY}.pub").read_text(encoding="utf-8").strip()
    hook = f'--customize-hook=echo {key} > "$1/root/.ssh/authorized_keys"'
    # The hooks of the recipe come first, and its last word is where it goes.
    _run(*command[:-3], hook, *command[-3:-1], str(tar), *mirror)
    # Who is not root keeps owners by a user namespace.
    within = [] if os.geteuid() == 0 else ["unshare", "--map-auto", "--map-root-user"]
    script = (
        f'mkdir "{root}" && tar -xf "{tar}" -C "{root}" --exclude="./dev/*" && rm "{tar}" && '
        f'cp "$(ls "{root}"/boot/vmlinuz-* | tail -n 1)" "{folder / KERNEL}" && '
        f'cp "$(ls "{root}"/boot/initrd.img-* | tail -n 1)" "{folder / INITRD}" && '
        f'mke2fs -q -t ext4 -d "{root}" "{folder / DISK}" {SIZE} && rm -rf "{root}"'
    )
    _run(*within, "/bin/sh", "-c", script)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise EngineError(f"{command[0]} is missing: run `python3 -m tests.testbed prepare --machine`") from error
    if done.returncode != 0:
        raise EngineError(f"{shlex.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def up(name: str, suite: str) -> None:
    """A running machine; one that is there is booted again if it is off, and left alone if it runs."""
    folder = FOLDER / name
    if not (folder / DISK).exists():
        made = build(suite)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for part in (KERNEL, INITRD, KEY):
            shutil.copy(made / part, folder / part)
        _configure(name)
        _run("cp", "--sparse=always", str(made / DISK), str(folder / f"{DISK}-part"))
        (folder / f"{DISK}-part").rename(folder / DISK)
    if _process(name) is None:
        _boot(name)
    wait_running(name)


def _configure(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "HostName": "127.0.0.1",
        "Port": port,
        "User": "root",
        "IdentityFile": FOLDER / name / KEY,
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
        # For as long as it boots the port is open and nobody answers.
        "ConnectTimeout": 10,
        "ServerAliveInterval": 15,
        "ServerAliveCountMax": 8,
    }
    lines = [f"Host {name}", *(f"    {key} {value}" for key, value in options.items())]
    ssh_config(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _port(name: str) -> str:
    words = ssh_config(name).read_text(encoding="utf-8").split()
    return words[words.index("Port") + 1]


def _boot(name: str) -> None:
    folder = FOLDER / name
    kvm = _kvm_works(folder / KERNEL)
    _run(
        *QEMU,
        *(("-accel", "kvm", "-cpu", "host") if kvm else ("-accel", "tcg,thread=multi", "-cpu", "max")),
        *("-name", name, "-pidfile", str(folder / "pid"), "-daemonize"),
        *("-kernel", str(folder / KERNEL), "-initrd", str(folder / INITRD)),
        *("-append", f"root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 panic=30 systemd.mask={NO_LOGIN}"),
        # What a crash of this machine would lose is of no worth.
        *("-drive", f"file={folder / DISK},format=raw,if=virtio,cache=unsafe"),
        *("-netdev", f"user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:{_port(name)}-:22"),
        *("-device", "virtio-net-pci,netdev=net0", "-device", "virtio-rng-pci"),
        *("-serial", f"file:{folder / 'console'}"),
    )


def _kvm_works(kernel: Path) -> bool:
    """Does a kernel come as far as to miss its disk? Where a machine is one itself, it may hang and say nothing."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    probe = [*QEMU, "-accel", "kvm", "-cpu", "host", "-no-reboot", "-kernel", str(kernel)]
    probe += ["-append", "console=ttyS0 panic=-1", "-serial", "stdio"]
    try:
        done = subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PROBE)
    except subprocess.TimeoutExpired:
        return False
    return b"Kernel panic" in done.stdout


def _process(name: str) -> int | None:
    """The number of its process, if it runs."""
    with suppress(OSError, ValueError):
        pid = int((FOLDER / name / "pid").read_text(encoding="utf-8"))
        said = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if str(FOLDER / name / "pid").encode() in said:
            return pid
    return None


def wait_running(name: str) -> None:
    """Until systemd has finished booting; a failed unit is the tests' business, not ours."""
    deadline = time.monotonic() + BOOT_TIMEOUT
    asked = Machines().entering(name, "systemctl", "is-system-running", "--wait")
    said = ""
    while time.monotonic() < deadline:
        if _process(name) is None:
            raise EngineError(f"{name} ended instead of booting\n{_console(name)}")
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=BOOT_TIMEOUT / 2
            )
            said = done.stdout.strip() or done.stderr.strip()
            if said in {"running", "degraded"}:
                return
        time.sleep(POLL)
    raise EngineError(f"{name} does not run after {BOOT_TIMEOUT:g} s: {said}\n{_console(name)}")


def _console(name: str) -> str:
    with suppress(OSError):
        return (FOLDER / name / "console").read_text(encoding="utf-8", errors="replace")[-4000:]
    return ""


def _said(name: str, *command: str) -> str:
    asked = Machines().entering(name, *command)
    return subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout.strip()


def off(name: str) -> None:
    """Have systemd itself end the machine, as for a night."""
    _said(name, "systemctl", "poweroff")
    _await(lambda: _process(name) is None, f"{name} does not end", ENDING_TIMEOUT)


def reboot(name: str) -> None:
    boot = ("cat", "/proc/sys/kernel/random/boot_id")
    before = _said(name, *boot)
    _said(name, "systemctl", "reboot")
    _await(lambda: _said(name, *boot) not in {"", before}, f"{name} does not boot anew", BOOT_TIMEOUT)
    wait_running(name)


def _await(holds: Callable[[], bool], otherwise: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            raise EngineError(f"{otherwise} within {timeout:g} s\n")
        time.sleep(POLL)


def down(name: str) -> None:
    """Ends it as it is, and takes its disk away."""
    pid = _process(name)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        _await(lambda: _process(name) is None, f"{name} does not end", ENDING_TIMEOUT)
    shutil.rmtree(FOLDER / name, ignore_errors=True)


def down_all() -> None:
    for each in FOLDER.glob("*/ssh_config"):
        down(each.parent.name)

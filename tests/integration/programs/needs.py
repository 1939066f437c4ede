# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program that does all that an opt-out of hardening is for, and notes in a file which of it was refused."""

from __future__ import annotations

import ctypes
import errno
import grp
import mmap
import os
import platform
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

NOTES, FOLDER = sys.argv[1], sys.argv[2]
NEW_USERS, TRACE_ME, READ_ALL, UNAME26 = 0x10000000, 0, 3, 0x0020000
# clock_settime(2) and delete_module(2): not by glibc, which looks at what it is given itself.
CLOCK_SETTIME, DELETE_MODULE = {"x86_64": (227, 176), "aarch64": (112, 106)}[platform.machine()]
LIBC = ctypes.CDLL(None, use_errno=True)


def call(function: Callable[..., int], *given: Any) -> None:
    if function(*given) == -1:
        raise OSError(ctypes.get_errno(), "refused")


def in_child(what: Callable[[], None]) -> None:
    """What would change this process for good."""
    child = os.fork()
    if not child:
        try:
            what()
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise OSError(errno.EPERM, "refused")


def invalid(number: int, *given: Any) -> None:
    """A call with arguments that it cannot take, which is only said to who may make it."""
    LIBC.syscall(number, *given)
    if ctypes.get_errno() in (errno.EPERM, errno.EACCES):
        raise OSError(ctypes.get_errno(), "refused")


def open_file(path: str, flags: int = os.O_RDONLY) -> None:
    os.close(os.open(path, flags))


def made(mode: int, change: Callable[[str], None]) -> None:
    """A file of its own has a mode, by its own hand or by the mask."""
    handle, path = tempfile.mkstemp(dir=FOLDER)
    os.close(handle)
    try:
        change(path)
        if os.stat(path).st_mode & mode != mode:
            raise OSError(errno.EACCES, "not so")
    finally:
        os.unlink(path)


def remake(path: str) -> None:
    os.unlink(path)
    open_file(path, os.O_CREAT | os.O_WRONLY)


def change_user() -> None:
    os.setgroups([])
    os.setgid(1)
    os.setuid(1)


def control_group() -> None:
    with open("/proc/self/cgroup", encoding="ascii") as lines:
        own = "/sys/fs/cgroup" + next(line for line in lines if line.startswith("0::")).strip()[3:]
    os.mkdir(f"{own}/below")
    os.rmdir(f"{own}/below")


def mount_for_all() -> None:
    call(LIBC.mount, b"seen", b"/mnt", b"tmpfs", 0, None)
    try:
        with open("/proc/1/mounts", encoding="utf-8") as mounts:
            if not any(line.startswith("seen /mnt ") for line in mounts):
                raise OSError(errno.ENOENT, "nobody sees it")
    finally:
        LIBC.umount2(b"/mnt", 0)


def known(path: str) -> None:
    """Is root that of the host, and each other user itself?"""
    with open(path, encoding="ascii") as text:
        if text.read().split()[2] != str(2**32 - 1):
            raise OSError(errno.EINVAL, "users of its own")


def unprivileged() -> None:
    with open("/proc/self/status", encoding="ascii") as status:
        if "NoNewPrivs:\t1" in status.read():
            raise OSError(errno.EPERM, "no new privileges")


NEEDS: dict[str, Callable[[], Any]] = {
    "network": lambda: socket.socket(socket.AF_INET).bind(("127.0.0.1", 0)),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "raw_sockets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0),
    "low_ports": lambda: socket.socket(socket.AF_INET).bind(("127.0.0.1", 999)),
    "setuid_calls": lambda: os.setuid(os.getuid()),
    "switch_users": lambda: in_child(change_user),
    "escalate": unprivileged,
    "devices": lambda: open_file("/dev/needed", os.O_RDWR),
    "tunables": lambda: open_file("/proc/sys/vm/swappiness", os.O_WRONLY),
    "home": lambda: open_file("/root/needed", os.O_RDWR),
    "jit": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "namespaces": lambda: in_child(lambda: call(LIBC.unshare, NEW_USERS)),
    "resources": lambda: os.setpriority(os.PRIO_PROCESS, 0, 1),
    "other_processes": lambda: open_file("/proc/meminfo"),
    "debug": lambda: in_child(lambda: call(LIBC.ptrace, TRACE_ME, 0, 0, 0)),
    "clock": lambda: invalid(CLOCK_SETTIME, 0, None),
    "kernel_modules": lambda: invalid(DELETE_MODULE, b"no-such-module", 0),
    "kernel_logs": lambda: call(LIBC.klogctl, READ_ALL, ctypes.create_string_buffer(10), 10),
    "shared_tmp": lambda: open_file("/tmp/needed"),
    "shared_files": lambda: made(0o044, remake),
    "setgid_files": lambda: made(0o6000, lambda path: os.chmod(path, 0o6755)),
    "other_users": lambda: known("/proc/self/uid_map"),
    "personality": lambda: in_child(lambda: call(LIBC.personality, UNAME26)),
    "hostname": lambda: call(LIBC.sethostname, socket.gethostname().encode(), len(socket.gethostname())),
    "cgroups": control_group,
    "mounts": mount_for_all,
    "shared_ipc": lambda: call(LIBC.shmget, 0x4E33, 0, 0),
    "groups": lambda: open_file(f"/srv/of-{grp.getgrnam('video').gr_name}"),
}

with open(NOTES, "w", encoding="ascii") as notes:
    for name, need in NEEDS.items():
        try:
            need()
        except OSError as error:
            print(name, errno.errorcode.get(error.errno or 0, "EPERM"), file=notes)
        else:
            print(name, "done", file=notes)

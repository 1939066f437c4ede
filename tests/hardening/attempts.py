# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service that was taken over would try, run as one of its own processes: a line for each, with what came of it.

It is written to a host and runs there by itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

_NEW_USERS = 0x10000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def write_outside() -> None:
    """A folder that anyone may write to, but for the service's own directives."""
    with open(f"/srv/open/{os.getpid()}", "w", encoding="utf-8"):
        pass


def read_anothers_file() -> None:
    with open("/home/alice/secret", encoding="utf-8") as stream:
        stream.read()


def see_anothers_process() -> None:
    mine = os.getuid()
    if not [
        each for each in os.listdir("/proc") if each.isdigit() and os.stat(f"/proc/{each}").st_uid not in (0, mine)
    ]:
        raise ProcessLookupError(errno.ESRCH, "there is none")


def make_a_namespace() -> None:
    _call(_LIBC.unshare, _NEW_USERS)


def trace() -> None:
    """Of a child, whose parent would see all of it."""
    child = os.fork()
    if not child:
        os._exit(_LIBC.ptrace(0, 0, 0, 0) != 0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise PermissionError(errno.EPERM, "ptrace")


def leave_a_setuid_file() -> None:
    descriptor, path = tempfile.mkstemp(dir=sys.argv[1])
    try:
        os.fchmod(descriptor, 0o4755)
    finally:
        os.close(descriptor)
        os.unlink(path)


def ask_the_kernel_for_routes() -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


def connect_outside() -> None:
    socket.create_connection(("10.9.0.2", 8099), timeout=2).close()


def _call(function: Callable[..., int], *given: Any) -> None:
    if function(*given) != 0:
        raise OSError(ctypes.get_errno(), function.__name__)


for attempt in (
    write_outside,
    read_anothers_file,
    see_anothers_process,
    trace,
    leave_a_setuid_file,
    ask_the_kernel_for_routes,
    connect_outside,
    make_a_namespace,
):
    try:
        attempt()
        came = "done"
    except OSError as error:
        came = errno.errorcode.get(error.errno or 0, type(error).__name__)
    print(f"attempt {attempt.__name__}: {came}", flush=True)

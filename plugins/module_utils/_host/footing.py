# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where this run stands: the files and folders that it, or its connection, has in use.

Ansible unpacks a module into a temporary folder, which it loads from to the end, and reads the result of an
asynchronous task from the home of whoever runs it. A mount over any of these hides them. The kernel is asked, as where
they are depends on Ansible's version, its configuration and the connection. Private to the collection.
"""

from __future__ import annotations

import os
import pwd
import sys
from typing import FrozenSet, Iterator, Set

from .files import read

# What is open there is no file, or is the host's own.
_GONE = " (deleted)"
_NO_FILES = ("/dev/", "/proc/", "/sys/", "/memfd:", "/var/log/", "/run/log/")


def footing() -> FrozenSet[str]:
    """Paths that are in use by this process, and by those that have started it, up to that of the whole host."""
    found: Set[str] = {os.path.abspath(__file__), os.path.abspath(sys.argv[0] or __file__), sys.executable}
    pid = os.getpid()
    while pid > 1:
        found.update(_used(pid))
        pid = _parent(pid)
    return frozenset(path for path in found if path.startswith("/") and _is_file(path))


def _is_file(path: str) -> bool:
    return not path.startswith(_NO_FILES) and not path.endswith(_GONE)


def _used(pid: int) -> Iterator[str]:
    folder = f"/proc/{pid}"
    try:
        home = pwd.getpwuid(os.stat(folder).st_uid).pw_dir
        if os.path.isdir(home):
            yield home
    except (KeyError, OSError):
        pass
    try:
        arguments = read(f"{folder}/cmdline").decode("utf-8", "replace").split("\0")
        yield from (path for path in arguments if path.startswith("/") and os.path.exists(path))
        links = ["cwd", *(f"fd/{name}" for name in os.listdir(f"{folder}/fd"))]
    except OSError:  # that of another user
        links = ["cwd"]
    for link in links:
        try:
            yield os.readlink(f"{folder}/{link}")
        except OSError:
            continue


def _parent(pid: int) -> int:
    try:
        return int(read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0

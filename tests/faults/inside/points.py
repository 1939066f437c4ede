# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the points at which a process can be cut off, as it comes by them, and cuts it off at one of them.

Nothing here knows what the collection does: a point is whatever Python's audit events and the wrapped calls below show
to change the host, so new code has its points without anyone listing them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

# Events whose first arguments are paths, and how many of them are.
_EVENTS = {
    "os.rename": 2,
    "os.remove": 1,
    "os.symlink": 2,
    "os.link": 2,
    "os.mkdir": 1,
    "os.rmdir": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.truncate": 1,
    "os.utime": 1,
    "os.setxattr": 1,
    "os.removexattr": 1,
    "fcntl.flock": 1,
}
# Where an event names the folder that a relative path is below.
_FOLDER_ARGUMENT = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2, "os.chmod": 2}
_WRAPPED = ("write", "pwrite", "writev", "fsync", "fdatasync", "ftruncate", "sendfile", "copy_file_range")
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Calls that only ask: to be killed while one runs is to be killed before it. What is not listed counts as a change.
_ASKS = re.compile(
    r"^systemctl (?:-\S+ )*(?:--version|show|list-units|list-jobs|list-dependencies|cat|is-\S+|status)\b"
    r"|^systemd-analyze |^journalctl |^\S*/systemd --dump-configuration-items$"
)
_PROPERTIES = re.compile(r" --property=\S+")
_RANDOM = re.compile(r"(?<=/\.unitwright-)[^/ ]+")
_SCRATCH = re.compile(re.escape(tempfile.gettempdir()) + r"/([a-z-]+-)[\w.]+[^ :]*")


class Points:
    """The points of this process. A point's name is what is about to happen, and the how many-eth time it does."""

    def __init__(self, log: int, at: str | None, act: Callable[[], None]) -> None:
        self._log = log
        self._at = at
        self._act = act
        self._last = ""
        self._counts: dict[str, int] = {}
        self._put = os.write

    def install(self) -> None:
        for name in _WRAPPED:
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        self._wrap_processes()
        sys.addaudithook(self._audited)

    def passed(self, what: str, repeats: bool = False) -> None:
        """repeats: the same again right after it is no new point, as a poll's rounds or a scratch folder's links."""
        what = _SCRATCH.sub(r"SCRATCH/\1*", _RANDOM.sub("*", what))
        if not what.startswith(("ask ", "call ")) and "SCRATCH/" in what:
            what, repeats = what.split()[0] + " SCRATCH", True
        if repeats and what == self._last:
            return
        self._last = what
        self._counts[what] = self._counts.get(what, 0) + 1
        name = f"{what} #{self._counts[what]}"
        self._put(self._log, name.encode("utf-8", "replace") + b"\n")
        if name == self._at:
            self._act()

    def _audited(self, event: str, arguments: Any) -> None:
        if event == "open":
            path, _mode, flags = arguments
            # An open of what is open already makes nothing.
            named = not isinstance(path, int) and path != os.devnull
            if named and isinstance(flags, int) and flags & _TO_WRITE:
                self.passed(f"open {_path(path)}")
        elif event == "subprocess.Popen":
            self._call(arguments[1])
        elif event in _EVENTS:
            paths = [_path(path) for path in arguments[: _EVENTS[event]]]
            below = _FOLDER_ARGUMENT.get(event)
            if below is not None and isinstance(arguments[below], int) and arguments[below] >= 0:
                paths[0] = os.path.join(_path(arguments[below]), paths[0])
            self.passed(" ".join([event, *paths]))

    def _call(self, command: Any) -> None:
        text = _command(command)
        asks = bool(_ASKS.search(text))
        self.passed(("ask " if asks else "call ") + text, repeats=asks)

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(handle: int, *rest: Any) -> Any:
            if handle > 2:
                self.passed(f"os.{name} {_path(handle)}")
            return call(handle, *rest)

        return wrapper

    def _wrap_processes(self) -> None:
        """Between a change's start and its end, and right after that: the job is queued and nobody waits for it."""
        begin, wait = subprocess.Popen.__init__, subprocess.Popen.wait

        def begun(process: Any, command: Any, *rest: Any, **options: Any) -> None:
            begin(process, command, *rest, **options)
            if not _ASKS.search(_command(command)):
                self.passed("during " + _command(command))

        def waited(process: Any, *rest: Any, **options: Any) -> int:
            ran = process.returncode is None
            code = wait(process, *rest, **options)
            if ran and not _ASKS.search(_command(process.args)):
                self.passed("after " + _command(process.args))
            return code

        subprocess.Popen.__init__ = begun  # type: ignore[method-assign]
        subprocess.Popen.wait = waited  # type: ignore[method-assign, assignment]


def _command(command: Any) -> str:
    words = [command] if isinstance(command, (str, bytes)) else list(command)
    return _PROPERTIES.sub("", " ".join(os.fsdecode(word) for word in words))


def _path(path: Any) -> str:
    if isinstance(path, int):
        try:
            return os.readlink(f"/proc/self/fd/{path}")
        except OSError:
            return "?"
    return os.fsdecode(path)

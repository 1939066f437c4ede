# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single runs of modules on the target, each a fork of this process, with something that happens to them on the way.

The modules' code is loaded once: what a run does is the same, only Python's own start is saved.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from points import Points

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = "ansible_collections.unitwright.systemd.plugins.modules."
# A run that has not ended by itself by then is ended, and counts as one that hangs.
LONGEST_RUN = 150

Call = dict[str, Any]


@dataclass(frozen=True)
class Ran:
    """What became of a run: killed where it should be, or its result."""

    killed: bool
    points: list[str]
    result: dict[str, Any] | None
    out: str

    @property
    def failed(self) -> bool:
        return self.result is None or bool(self.result.get("failed"))


@dataclass
class Running:
    """A run in progress."""

    pid: int
    log: int
    out: int
    status: int = 0

    def points(self) -> list[str]:
        return _content(self.log).splitlines()

    def wait(self) -> Ran:
        _pid, status = os.waitpid(self.pid, 0)
        text = _content(self.out)
        ended = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else ""
        if ended not in ("", "SIGKILL"):
            text += f"\nended by {ended}"
        return Ran(ended == "SIGKILL", self.points(), _result(text), text)

    def wait_for_stop(self) -> None:
        _pid, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise RuntimeError(f"the run ended before it could be stopped: {_content(self.out)}")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)


def preload(base: str) -> None:
    """Load the code that lies there, for all runs that have no other base."""
    sys.path.insert(0, base)
    importlib.import_module(MODULES + "stack")
    # A run begins it anew, as a program.
    del sys.modules[MODULES + "stack"]


def run(call: Call, at: str | None = None, how: str = "kill") -> Ran:
    """One run of a module; `at` names the point at which `how` happens to it."""
    return start(call, at, how).wait()


def start(call: Call, at: str | None = None, how: str = "kill") -> Running:
    log, out = os.memfd_create("points"), os.memfd_create("out")
    child = os.fork()
    if child:
        return Running(child, log, out)
    code = 1
    try:
        _become(call, log, out, at, how)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _become(call: Call, log: int, out: int, at: str | None, how: str) -> None:
    if call["base"] != sys.path[0]:
        _load_from(call["base"])
    from ansible.module_utils import basic  # noqa: PLC0415, it is in the parent's memory already

    signal.alarm(LONGEST_RUN)
    os.dup2(out, 1)
    os.dup2(out, 2)
    # No line may be lost to a buffer when the process is killed.
    sys.stdout = sys.stderr = os.fdopen(1, "w", 1, encoding="utf-8", closefd=False)
    os.umask(int(call.get("umask", "22"), 8))
    os.environ.update(call.get("environ", {}))
    if call.get("deadline"):
        _hurry(call["deadline"])
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": call["arguments"]}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    name = MODULES + call["module"]
    sys.argv = [name]
    points = Points(log, at, _ACTS[how])
    points.install()
    try:
        runpy.run_module(name, {"_module_fqn": name, "_modlib_path": HERE}, "__main__", alter_sys=True)
    finally:
        points.passed("exit")


def _load_from(base: str) -> None:
    """Another copy of the collection than the one that is in the parent's memory."""
    sys.path[0] = base
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ansible", "ansible_collections")]:
        del sys.modules[name]


def _send(number: int) -> None:
    os.kill(os.getpid(), number)


def _hang_up() -> None:
    """What a lost connection does to what it carries: its end of the output is closed, and SIGHUP is sent."""
    read, write = os.pipe()
    os.close(read)
    os.dup2(write, 1)
    _send(signal.SIGHUP)


_ACTS: dict[str, Callable[[], None]] = {
    "kill": lambda: _send(signal.SIGKILL),
    "stop": lambda: _send(signal.SIGSTOP),
    "hang up": _hang_up,
}


def _hurry(deadline: float) -> None:
    """Shorten every wait for a process, so that one that hangs costs a test seconds instead of minutes."""
    communicate = subprocess.Popen.communicate

    def hurried(process: Any, data: Any = None, timeout: float | None = None) -> Any:
        return communicate(process, data, None if timeout is None else min(timeout, deadline))

    subprocess.Popen.communicate = hurried  # type: ignore[method-assign, assignment]


def _content(handle: int) -> str:
    size = os.fstat(handle).st_size
    return os.pread(handle, size, 0).decode("utf-8", "replace")


def _result(text: str) -> dict[str, Any] | None:
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            return found if isinstance(found, dict) else None
    return None

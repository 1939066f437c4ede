# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process inside a container that runs commands there: an engine's own `exec` costs many times as much for each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import textwrap
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .engine import Engine, EngineError

SERVE = Path(__file__).with_name("serve.py")


class Agent:
    """Runs one command at a time."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        command = engine.entering(name, "python3", "-c", SERVE.read_text(encoding="utf-8"))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        # Also where nobody says when a host is no longer needed.
        self.close = weakref.finalize(self, _end, self.process)

    def alive(self) -> bool:
        return self.process.poll() is None

    def run(self, command: Sequence[str], data: bytes, timeout: float | None) -> subprocess.CompletedProcess[bytes]:
        told = self._ask({"command": list(command), "timeout": timeout}, data, shown(command))
        if told.returncode is None:
            raise EngineError(f"{self.name}: {shown(command)}: no answer in {timeout} s")
        return told

    def run_module(self, base: str, module: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
        """In a fork of the process there, so that it need not start a Python and import again."""
        return self._ask({"base": base, "module": module}, data, module)

    def run_program(self, program: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        """A program in Python by its text, likewise; it runs where `__name__` is "__main__"."""
        return self._ask({"program": program, "arguments": list(arguments)}, b"", shown(["python3", *arguments]))

    def _ask(self, request: dict[str, Any], data: bytes, what: str) -> subprocess.CompletedProcess[bytes]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({**request, "length": len(data)}).encode() + b"\n" + data)
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise EngineError(f"{self.name}: {what}: the container ended meanwhile")
        told = json.loads(line)
        out, err = (self.process.stdout.read(length) for length in told["lengths"])
        return subprocess.CompletedProcess(what, told["code"], out, err)


def shown(command: Sequence[str]) -> str:
    """A command may be a whole program."""
    return textwrap.shorten(" ".join(command), 200)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with contextlib.suppress(BrokenPipeError):
        process.communicate()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands on the target, one after the other, as stdin asks for them: see agent.py for the other end.

A module, or another program in Python, can be run in a fork of this process, which has imported for it already: most of
what a run costs a test is the start of a Python.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from types import CodeType
from typing import IO, Any

# Seconds that a module's run may take here: one that hangs ends, and its test says so.
MOST = 600


def scratch(name: str, content: bytes = b"") -> IO[bytes]:
    """A file in memory. Unlike a pipe it holds nobody up: what a command leaves running may keep it open."""
    stream = os.fdopen(os.memfd_create(name), "w+b")
    stream.write(content)
    stream.seek(0)
    return stream


def answer(request: dict[str, Any]) -> None:
    data = sys.stdin.buffer.read(request["length"])
    with scratch("in", data) as given, scratch("out") as out, scratch("err") as err:
        run = executed if "command" in request else forked
        code = run(request, given, out, err)
        # As a shell tells of a signal.
        code = 128 - code if code is not None and code < 0 else code
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
    told = {"code": code, "lengths": [len(text) for text in texts]}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + b"".join(texts))
    sys.stdout.buffer.flush()


def executed(request: dict[str, Any], given: IO[bytes], out: IO[bytes], err: IO[bytes]) -> int | None:
    """The exit status of a command; None if its time was up."""
    try:
        return subprocess.run(
            request["command"],
            stdin=given,
            stdout=out,
            stderr=err,
            timeout=request["timeout"],
            check=False,
            start_new_session=True,
        ).returncode
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        err.write(f"{error}\n".encode())
        return 127


def forked(request: dict[str, Any], given: IO[bytes], out: IO[bytes], err: IO[bytes]) -> int:
    """The exit status of what is run in a fork: a program, or a module by the runner in the folder `base`."""
    work = of_program(request) if "program" in request else of_module(request)
    gc.freeze()  # to search what is here for garbage, a child would have to copy all of it
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.setsid()
    signal.alarm(MOST)
    for number, stream in enumerate((given, out, err)):
        os.dup2(stream.fileno(), number)
    # Those of before have read ahead of what is for this process.
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115, they stay open
    work()
    sys.exit()


def of_module(request: dict[str, Any]) -> Callable[[], object]:
    if request["base"] not in sys.path:
        sys.path.insert(0, request["base"])
    runner = importlib.import_module("run_module")
    runner.warm(request["module"])
    return lambda: runner.run(request["module"])


def of_program(request: dict[str, Any]) -> Callable[[], object]:
    """A program in Python by its text; what it imports stays imported here."""
    code = compiled(request["program"])

    def work() -> None:
        sys.argv = ["-c", *request["arguments"]]
        exec(code, {"__name__": "__main__"})

    return work


@functools.cache
def compiled(program: str) -> CodeType:
    code = compile(program, "<program>", "exec")
    exec(code, {"__name__": "imported"})
    return code


def main() -> None:
    while line := sys.stdin.buffer.readline():
        answer(json.loads(line))


main()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands on the target, one after the other, as stdin asks for them: see agent.py for the other end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import IO, Any


def scratch(name: str, content: bytes = b"") -> IO[bytes]:
    """A file in memory. Unlike a pipe it holds nobody up: what a command leaves running may keep it open."""
    stream = os.fdopen(os.memfd_create(name), "w+b")
    stream.write(content)
    stream.seek(0)
    return stream


def answer(request: dict[str, Any]) -> None:
    data = sys.stdin.buffer.read(request["length"])
    with scratch("in", data) as given, scratch("out") as out, scratch("err") as err:
        code: int | None
        try:
            code = subprocess.run(
                request["command"],
                stdin=given,
                stdout=out,
                stderr=err,
                timeout=request["timeout"],
                check=False,
                start_new_session=True,
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
        except OSError as error:
            code = 127
            err.write(f"{error}\n".encode())
        # As a shell tells of a signal.
        code = 128 - code if code is not None and code < 0 else code
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
    told = {"code": code, "lengths": [len(text) for text in texts]}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + b"".join(texts))
    sys.stdout.buffer.flush()


def main() -> None:
    while line := sys.stdin.buffer.readline():
        answer(json.loads(line))


main()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a Python program and notes each process it starts: `audited.py LOG INTERPRETER PROGRAM [ARGUMENT...]`.

A line of the log is the command as a list in JSON, or the name of the audit event where that is all there is.
"""

from __future__ import annotations

import json
import runpy
import sys

STARTS = ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system")


def main(log: str, program: list[str]) -> None:
    with open(log, "w", encoding="utf-8", buffering=1) as stream:
        opened: list[object] = []

        def note(event: str, arguments: tuple[object, ...]) -> None:
            if event == "subprocess.Popen":
                stream.write(json.dumps(arguments[1]) + "\n")
                opened.append(arguments[1])
            elif event == "os.posix_spawn" and opened:  # Popen's own way to start it, since Python 3.13
                opened.clear()
            elif event in STARTS:
                stream.write(json.dumps([event]) + "\n")

        sys.addaudithook(note)
        sys.argv = program
        runpy.run_path(program[0], run_name="__main__")


main(sys.argv[1], sys.argv[3:])

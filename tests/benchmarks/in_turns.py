# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the host: module payloads that Ansible left there, in turns; `in_turns.py ROUNDS MODULE ...`.

A module that left several is named with the number of one, from 0, such as stack:1.

Prints by module as JSON their seconds, how often each runs systemctl, and the bytes of its result.
"""

from __future__ import annotations

import contextlib
import glob
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SYSTEMCTL = Path("/usr/bin/systemctl")


def main(rounds: int, modules: list[str]) -> None:
    found: dict[str, dict[str, Any]] = {module: {"seconds": []} for module in modules}
    for _round in range(rounds):
        for module in modules:
            begun = time.perf_counter()
            done = subprocess.run([sys.executable, payload(module)], check=True, capture_output=True)
            found[module]["seconds"].append(time.perf_counter() - begun)
            found[module]["bytes"] = len(done.stdout)
    with counted(SYSTEMCTL) as calls:
        for module in modules:
            calls.write_text("")
            subprocess.run([sys.executable, payload(module)], check=True, capture_output=True)
            found[module]["processes"] = len(calls.read_text().splitlines())
    print(json.dumps(found))


def payload(module: str) -> str:
    name, _colon, number = module.partition(":")
    paths = sorted(glob.glob(f"/root/.ansible/tmp/*/AnsiballZ_{name}.py"), key=lambda path: Path(path).stat().st_mtime)
    return paths[int(number or 0)]


@contextlib.contextmanager
def counted(program: Path) -> Iterator[Path]:
    """Whoever runs the program meanwhile leaves a line in the file."""
    calls, kept = Path("/tmp/in-turns-calls"), program.with_suffix(".kept")
    program.rename(kept)
    try:
        program.write_text(f'#!/bin/sh\necho >> {calls}\nexec {kept} "$@"\n')
        program.chmod(0o755)
        yield calls
    finally:
        kept.rename(program)


main(int(sys.argv[1]), sys.argv[2:])

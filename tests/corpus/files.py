# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit files of a host's packages, and how each is asked about on the host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tests.testbed.host import BASE, Host

INSIDE = Path(__file__).with_name("inside.py")
PROGRAM = f"{BASE}/{INSIDE.name}"
AT_ONCE = 2

Request = dict[str, Any]
Answer = dict[str, Any]


class Packaged(NamedTuple):
    """A unit file, or a drop-in for a unit. scope: that of the modules which takes such a file."""

    scope: str
    unit: str
    dropin: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.unit}.d/{self.dropin}" if self.dropin else self.unit

    @property
    def stem(self) -> str:
        """What all names begin with that something may be said of: of instances, too."""
        prefix, _dot, kind = self.unit.rpartition(".")
        return prefix if prefix.endswith("@") else f"{prefix}.{kind}"

    @property
    def judged(self) -> str:
        """What systemd is asked about: of a template or a folder of drop-ins for many, one that stands for all."""
        prefix, _dot, kind = self.unit.rpartition(".")
        if self.unit in ("service", "timer", "socket", "slice", "target", "mount", "path", "swap", "scope"):
            return ""
        if prefix.endswith("@"):
            return f"{prefix}i.{kind}"
        return self.unit if not (self.dropin and prefix.endswith("-")) else f"{prefix}i.{kind}"


def listed(host: Host) -> list[Packaged]:
    host.write(PROGRAM, INSIDE.read_text(encoding="utf-8"))
    return [Packaged(**each) for each in json.loads(host.sh(f"python3 {PROGRAM} list"))]


def ask(host: Host, requests: Sequence[Request]) -> Iterator[Answer]:
    """The answer to each request, in order."""
    shares = [requests[start::AT_ONCE] for start in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answered = list(pool.map(lambda share: _asked(host, share), shares))
    for number in range(len(requests)):
        yield answered[number % AT_ONCE][number // AT_ONCE]


def _asked(host: Host, requests: Sequence[Request]) -> list[Answer]:
    data = "".join(json.dumps(each) + "\n" for each in requests).encode()
    done = host.run("python3", PROGRAM, "try", data=data)
    if done.returncode != 0:
        raise RuntimeError(f"{PROGRAM}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return [json.loads(line) for line in done.stdout.splitlines()]

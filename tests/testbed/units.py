# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of all units of a host meanwhile, in a few milliseconds: see states.py for the other end."""

from __future__ import annotations

import contextlib
import json
import subprocess
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .engine import Engine, EngineError

STATES = Path(__file__).with_name("states.py")


class State(NamedTuple):
    """Of one unit, in systemd's words; triggered_by: what starts it, with blanks between."""

    load: str
    active: str
    sub: str
    invocation: str
    fragment: str
    triggered_by: str

    @property
    def is_up(self) -> bool:
        return self.active in ("active", "activating", "reloading", "refreshing")


NOT_LOADED = State("", "inactive", "dead", "", "", "")


@dataclass(frozen=True)
class Meanwhile:
    """The units of one manager before and after something, and the results of the jobs that it finished meanwhile."""

    before: dict[str, State]
    after: dict[str, State]
    jobs: dict[str, list[str]]

    def was(self, unit: str) -> State:
        return self.before.get(unit, NOT_LOADED)

    def now(self, unit: str) -> State:
        return self.after.get(unit, NOT_LOADED)

    def became(self, unit: str) -> str:
        """down, up, anew (by another run than before), ran (and is down again), or "", if nothing became of it."""
        was, now = self.was(unit), self.now(unit)
        anew = now.invocation not in ("", was.invocation)
        if now.is_up:
            return "up" if not was.is_up else "anew" if anew else ""
        return "ran" if anew else "down" if was.is_up else ""

    def changed(self) -> list[str]:
        return [unit for unit in {*self.before, *self.after} if self.became(unit)]


class Units:
    """Asks the manager of the system, and that of a user."""

    def __init__(self, engine: Engine, name: str, user: str) -> None:
        self.name = name
        program = STATES.read_text(encoding="utf-8")
        command = engine.entering(name, "python3", "-c", program, user)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.close = weakref.finalize(self, _end, self.process)
        self._before: dict[str, dict[str, State]] = {}

    def alive(self) -> bool:
        return self.process.poll() is None

    def begin(self) -> dict[str, dict[str, State]]:
        """The units of each manager as they are: what `end` compares with."""
        self._before, _jobs = self._ask("begin")
        return self._before

    def end(self) -> dict[str, Meanwhile]:
        """What has become of the units of each manager since the beginning."""
        after, jobs = self._ask("end")
        both = self._before.keys() & after.keys()
        return {manager: Meanwhile(self._before[manager], after[manager], jobs.get(manager, {})) for manager in both}

    def _ask(self, what: str) -> tuple[dict[str, dict[str, State]], Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{what}\n".encode())
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise EngineError(f"{self.name}: nobody tells of its units")
        found, jobs = json.loads(line)
        return {manager: {unit: State(*each) for unit, each in units.items()} for manager, units in found.items()}, jobs


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with contextlib.suppress(BrokenPipeError):
        process.communicate()

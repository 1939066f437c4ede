# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out requests on the target, some hundred runs in one of them: `driver.py`, JSON on stdin and on stdout."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

from machine import Machine, Start, State, differences, unsound, without_keys
from runs import Ran, preload, run, start

HERE = os.path.dirname(os.path.abspath(__file__))
_SESSION = f"{HERE}/session-{os.getuid()}"
# A poll may be seen or not; a point that is passed only at times gets that many chances.
CHANCES = 3
MOST_MISSED = 0.1
MOST_SHOWN = 12
PATIENCE = 30.0

Request = dict[str, Any]


class Session:
    """A scenario in progress: the state it starts in, and the state an undisturbed run leads to."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.machine = Machine(request["scope"])
        self.start: Start
        self.before: State = {}
        self.end: State = {}
        self.points: list[str] = []
        self.complaints: list[str] = []

    def prepare(self) -> None:
        """Make the start state, then learn from an undisturbed run what a disturbed one has to come to."""
        self.machine.clear()
        for path, text in self.request["foreign"].items():
            _put(path, text)
        if self.request["foreign"]:
            self.machine.systemctl("daemon-reload")
        for call in self.request["before"]:
            ran = run(call)
            if ran.failed:
                raise RuntimeError(f"the start state cannot be made: {ran.out}")
        for command in self.request["commands"]:
            subprocess.run(command, shell=True, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.start = self.machine.begin()
        self.reset()
        self.before = self.observe()
        if self.request["first"]:
            self._first()
        ran = run(self.request["run"])
        wrong = self.judged(ran, self.request["run_fails"])
        self.points = ran.points
        if self.request["again"] != self.request["run"]:
            wrong += self.judged(run(self.request["again"]), self.request["again_fails"])
        self.end = self.observe()
        wrong += unsound(self.end) + self._unproved()
        if self.request["unchanged"]:
            wrong += differences(self.before, self.end)
        self.complaints = [f"undisturbed: {line}" for line in wrong]

    def reset(self) -> None:
        self.start = self.machine.reset(self.start)

    def untouched(self) -> bool:
        """Whether nothing at all has happened since the start."""
        return bool(self.machine.fingerprint() == self.start.fingerprint)

    def observe(self) -> State:
        state = self.machine.observe(self.end.get("units", ()))
        for path in list(state["files"]):
            if any(re.search(pattern, path) for pattern in self.request["ignored"]):
                del state["files"][path]
        return without_keys(state) if self.request["new_key"] else state

    def cut(self, at: str, how: str) -> Ran:
        """The run, cut off at a point."""
        if self.request["first"]:
            self._first()
        return run(self.request["run"], at, how)

    def _first(self) -> None:
        """A run that was cut off before, where what is tried is how the one after it goes."""
        ran = run(self.request["run"], self.request["first"])
        if not ran.killed:
            raise RuntimeError(f"{self.request['first']} was never passed: {ran.points}")

    def finish(self) -> list[str]:
        """Run again, undisturbed; what is not as it should be after that."""
        recorded = self._recorded()
        ran = run(self.request["again"])
        found = self.judged(ran, self.request["again_fails"])
        if recorded and ran.result is not None and not ran.result.get("recovered"):
            found.append("a record was there, but the run does not say that it recovered anything")
        found += differences(self.end, self.observe())
        if not self.request["again_fails"] and not found:
            found += self.settled()
        return found[:MOST_SHOWN]

    def settled(self) -> list[str]:
        """Once more there must be nothing to do."""
        ran = run(self.request["again"])
        if ran.result is not None and ran.result.get("changed") is False:
            return []
        return [f"the run after that finds something to do: {(ran.result or {}).get('plan') or ran.out}"]

    def _recorded(self) -> bool:
        folders = [path for path in self.machine.tree() if path.endswith("/running")]
        return any(name.endswith(".json") for folder in folders for name in os.listdir(folder))

    def judged(self, ran: Ran, fails: bool) -> list[str]:
        if ran.killed or ran.result is None:
            return [f"the run did not end well: {ran.out}"]
        if ran.failed is fails and (not fails or ran.result.get("rolled_back") == self.request["unchanged"]):
            return []
        told = ran.result.get("msg") or ran.result.get("plan")
        return [f"the run {'failed' if ran.failed else 'succeeded'}: {told}"]

    def _unproved(self) -> list[str]:
        """Restarts and reloads write down which version they were made with: the undisturbed run proves itself."""
        found = []
        for name, expected in self.request["proofs"].items():
            entry = self.end["files"].get(f"{self.machine.proofs}/{name}")
            text = entry[3].strip() if entry else None
            if text != expected:
                found.append(f"{name} shows {text!r}, not {expected!r}")
        return found


def _put(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def trials(request: Request) -> dict[str, Any]:
    """Cut the run off at each of its points (or a part of them), run it again, and compare."""
    session = Session(request)
    session.prepare()
    failed: dict[str, list[str]] = {}
    missed: dict[str, int] = {}
    chosen = _chosen(session.points, request)
    queue = [] if session.complaints else list(chosen)
    clean = False
    while queue:
        at = queue.pop(0)
        if not clean:
            session.reset()
        ran = session.cut(at, request["how"])
        # While a call is under way, what it does may come later than a look at the host.
        clean = ran.killed and not at.startswith("during ") and session.untouched()
        if clean:  # what follows is the undisturbed run
            continue
        if request["how"] == "kill" and not ran.killed:
            missed[at] = missed.get(at, 0) + 1
            if missed[at] < CHANCES:
                queue.append(at)
        found = _hung_up(session, ran) if request["how"] == "hang up" else session.finish()
        if found:
            failed[at] = found
    # How far the jobs are when the run looks decides what it asks, and which units of a roll-back it names.
    never = [at for at, times in missed.items() if times >= CHANCES]
    if len(never) > len(chosen) * MOST_MISSED:
        failed.update({at: ["was passed by the undisturbed run only"] for at in never})
    return {
        "points": len(session.points),
        "tried": len(chosen),
        "chosen": chosen,
        "failed": failed,
        "complaints": session.complaints,
    }


def _hung_up(session: Session, ran: Ran) -> list[str]:
    """A lost connection ends a run before it has begun to change anything, or not at all."""
    if ran.points[-1:] == ["exit #1"]:
        return differences(session.end, session.observe())[:MOST_SHOWN]
    begun = session.machine.without_scratch() != session.start.without_scratch
    return (["it ended in the middle: " + ran.points[-1]] if begun else []) + session.finish()


def _chosen(points: list[str], request: Request) -> list[str]:
    """By name, so that all parts together are all points though each has its own undisturbed run."""
    wanted = [point for point in points if any(re.search(pattern, point) for pattern in request["only"] or [""])]
    return [point for point in wanted if zlib.crc32(point.encode()) % request["parts"] == request["part"]]


def prepare(request: Request) -> dict[str, Any]:
    """For what takes more than one request: the session is kept on disk from one to the next."""
    session = Session(request)
    session.prepare()
    session.reset()
    _keep(session)
    return {"points": _chosen(session.points, request), "complaints": session.complaints}


def rewind(request: Request) -> dict[str, Any]:
    """The start state again."""
    session = _kept()
    session.reset()
    _keep(session)
    return {}


def cut(request: Request) -> dict[str, Any]:
    rewind(request)
    session = _kept()
    ran = session.cut(request["at"], "kill")
    return {"killed": ran.killed, "out": ran.out}


def finish(request: Request) -> dict[str, Any]:
    return {"found": _kept().finish()}


def attempt(request: Request) -> dict[str, Any]:
    """The run in surroundings that the test has made, and how the host differs from its start after that."""
    session = _kept()
    begun = time.monotonic()
    ran = run({**request["run"], **request["options"]})
    return {
        "took": time.monotonic() - begun,
        "result": ran.result,
        "out": ran.out,
        "untouched": session.untouched(),
        "changed": differences(session.before, session.observe())[:MOST_SHOWN],
    }


def together(request: Request) -> dict[str, Any]:
    """A run that is held up at a point, and another that begins meanwhile; then the first goes on, or is killed."""
    session = _kept()
    first = start(request["run"], request["at"], "stop")
    first.wait_for_stop()
    second = start(request["again"])
    deadline = time.monotonic() + PATIENCE
    while not any(point.startswith("fcntl.flock ") for point in second.points()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the second run takes no lock: {second.points()}")
        time.sleep(0.01)
    waited = os.waitpid(second.pid, os.WNOHANG) == (0, 0)
    reached = second.points()
    first.signal(signal.SIGCONT if request["goes_on"] else signal.SIGKILL)
    one, other = first.wait(), second.wait()
    found = [] if waited else ["the second run did not wait"]
    found += [f"the second run came past the lock: {reached}"] if not reached[-1].startswith("fcntl.flock ") else []
    found += session.judged(one, False) if request["goes_on"] else []
    found += session.judged(other, False)
    if not request["goes_on"] and not (other.result or {}).get("recovered"):
        found.append("the second run does not say that it recovered anything")
    return {"found": found + differences(session.end, session.observe())[:MOST_SHOWN] + session.settled()}


def _keep(session: Session) -> None:
    with open(_SESSION, "wb") as stream:
        pickle.dump(session, stream)


def _kept() -> Session:
    with open(_SESSION, "rb") as stream:
        session = pickle.load(stream)
    assert isinstance(session, Session)
    return session


_REQUESTS: dict[str, Callable[[Request], dict[str, Any]]] = {
    each.__name__: each for each in (trials, prepare, rewind, cut, finish, attempt, together)
}


def main() -> None:
    request = json.load(sys.stdin)
    sys.dont_write_bytecode = True
    preload(request["base"])
    json.dump(_REQUESTS[request["do"]](request), sys.stdout)


if __name__ == "__main__":
    main()

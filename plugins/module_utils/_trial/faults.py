# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The faults, each done once and measured. Private to the collection."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Callable, Dict, Optional

from .._host import processes
from .._host.files import Writer
from .._host.looks import run_of
from .._host.manager import Manager
from .._host.watch import wait_for_rest
from .._syntax.spans import seconds
from . import promise, standing
from .clients import Clients, addresses
from .measure import NOTICED, Seen, Watch, is_down, pause, show, since
from .scene import Scene
from .standing import Standing

# A process that was killed is gone in milliseconds; systemd may have other things to do before it says so.
_ROOM = 5.0


class NotTried(Exception):
    """The fault cannot be done to this unit; the message says why."""


@dataclass
class Trial:
    """What a fault is done with. standing: what is in effect now."""

    scene: Scene
    manager: Manager
    writer: Writer
    standing: Standing

    @property
    def unit(self) -> str:
        return self.scene.unit

    def note(self, **changes: object) -> None:
        """Note what is about to be done."""
        self.standing = replace(self.standing, **changes)  # type: ignore[arg-type]
        standing.note(self.manager.places, self.standing, self.writer)

    def watch(self, at: float, before: Dict[str, str], noticed: float = NOTICED, hangs: bool = False) -> Watch:
        given = self.scene.given
        patience = noticed + promise.delay(given, 1) + _stop(self.scene) + self.scene.health.timeout
        return Watch(self.scene, self.manager, run_of(before), at, patience, noticed, hangs)


def _stop(scene: Scene) -> float:
    """What other processes of it may take to end."""
    found = seconds(scene.shown.get("TimeoutStopUSec", ""))
    return _ROOM if found is None or found > _ROOM else found


def _signalled(trial: Trial, name: str) -> Seen:
    before = dict(show(trial.manager, trial.unit))
    at = time.monotonic()
    trial.manager.kill(trial.unit, name)
    return trial.watch(at, before).outcome()


def _kill(trial: Trial) -> Seen:
    return _signalled(trial, "SIGKILL")


def _segv(trial: Trial) -> Seen:
    return _signalled(trial, "SIGSEGV")


def _hang(trial: Trial) -> Seen:
    before = dict(show(trial.manager, trial.unit))
    main = processes.process(int(before["MainPID"]))
    if main is None:
        raise NotTried("its main process is gone")
    trial.note(stopped=(main,))
    at = time.monotonic()
    trial.manager.kill(trial.unit, "SIGSTOP")
    given = trial.scene.given
    noticed = given.watchdog + _ROOM if given.watchdog else NOTICED
    try:
        return trial.watch(at, before, noticed, hangs=True).outcome()
    finally:
        processes.go_on(main)


def _crash_loop(trial: Trial) -> Seen:
    given = trial.scene.given
    if promise.loop_seconds(given) > promise.LONGEST_LOOP and promise.restarts(given, promise.ENDINGS["crash_loop"])[0]:
        raise NotTried(f"{promise.crashes(given)} restarts would take longer than {promise.LONGEST_LOOP:g} s")
    at, first = time.monotonic(), dict(show(trial.manager, trial.unit))
    before = first
    for number in range(1, promise.crashes(given) + 1):
        before = dict(show(trial.manager, trial.unit))
        at = time.monotonic()
        trial.manager.kill(trial.unit, "SIGKILL")
        if number < promise.crashes(given) and not _runs_anew(trial, before, promise.delay(given, number)):
            break
    watch = trial.watch(at, before)
    watch.patience += promise.delay(given, promise.crashes(given))
    seen = watch.outcome()
    gave_up = seen.verdict == promise.FAILED and run_of(seen.shown).restarts != run_of(first).restarts
    return _started_again(trial, replace(seen, verdict=promise.GAVE_UP) if gave_up else seen)


def _runs_anew(trial: Trial, before: Dict[str, str], wait: float) -> bool:
    """Await the next main process; False where none comes."""
    until = time.monotonic() + wait + _stop(trial.scene) + _ROOM
    while time.monotonic() < until:
        shown = show(trial.manager, trial.unit)
        if shown.get("MainPID") not in ("0", "", before.get("MainPID")):
            return True
        if is_down(shown):
            return False
        pause()
    return False


def _started_again(trial: Trial, seen: Seen) -> Seen:
    """What is down is started again, and what that takes is measured; it being down stays the verdict."""
    if seen.verdict not in (promise.GAVE_UP, promise.FAILED, promise.INACTIVE):
        return seen
    at = time.monotonic()
    standing.take_back(trial.manager.places, trial.standing, trial.manager, trial.writer)
    watch = trial.watch(at, {**seen.shown, "MainPID": "0"})
    again = watch.outcome()
    if again.verdict != promise.RECOVERED:
        return replace(again, verdict=promise.WRONG_STATE, how=f"was started again: {again.how}")
    return replace(seen, to_process=again.to_process, to_healthy=again.to_healthy)


def _child(trial: Trial) -> Seen:
    before = dict(show(trial.manager, trial.unit))
    children = processes.descendants(int(before["MainPID"]))
    if not children:
        raise NotTried("its main process has no children")
    at = time.monotonic()
    processes.send(children[0], 9)
    return trial.watch(at, before).outcome()


def _dependency(trial: Trial) -> Seen:
    required = trial.scene.required
    if not required:
        raise NotTried("it requires nothing that is up and in may_hurt, with all that goes down with it")
    unit = sorted(required)[0]
    trial.note(up=tuple(sorted({*trial.standing.up, *required[unit]})))
    before = dict(show(trial.manager, trial.unit))
    at = time.monotonic()
    trial.manager.queue("stop", [unit])
    wait_for_rest(trial.manager, [unit, trial.unit], _stop(trial.scene) + _ROOM)
    seen = trial.watch(at, before).outcome()
    return _started_again(trial, replace(seen, how=seen.how or f"{unit} was stopped"))


def _socket(trial: Trial) -> Seen:
    shown = trial.manager.show(trial.scene.sockets, ("Listen", "Accept"))
    where = [each for values in shown.values() for each in addresses(values.get("Listen", ""))]
    if not where:
        raise NotTried("no socket unit of it with a ListenStream= is up")
    before = dict(show(trial.manager, trial.unit))
    with Clients(where) as clients:
        at = time.monotonic()
        trial.manager.queue("restart", [trial.unit])
        seen = trial.watch(at, before).outcome()
    if clients.refused:
        how = f"{clients.refused} of {clients.tried} connections were refused: {clients.complaint}"
        return replace(seen, verdict=promise.REFUSED, how=how)
    return replace(seen, how=f"{clients.tried} connections, none refused") if seen.to_healthy is not None else seen


def _downtime(trial: Trial) -> Seen:
    """The timer is down when its time comes; a drop-in says when that is, so that nobody has to wait for long."""
    unit, manager = trial.unit, trial.manager
    path = standing.dropin_file(manager.places, unit)
    trial.note(dropins=(path,))
    manager.systemctl("stop", [unit])
    moment = int(time.time()) + 1
    calendar = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
    text = f"[Timer]\nOnCalendar=\nOnCalendar={calendar}\nAccuracySec=1us\nRandomizedDelaySec=0\n"
    trial.writer.write(path, text.encode(), 0o644)
    manager.daemon_reload()
    while time.time() < moment + _A_LITTLE:
        pause()
    at = time.monotonic()
    manager.queue("start", [unit])
    fired = _fires(trial, at)
    if fired is None:
        return Seen(promise.MISSED, None, None, "what came while it was down was left out", show(manager, unit))
    wait_for_rest(manager, [trial.scene.starts], trial.scene.health.timeout, starts=True)
    started = show(manager, trial.scene.starts)
    took = since(at)
    if started.get("ActiveState") == "failed":
        how = f"{trial.scene.starts} failed"
        return Seen(promise.WRONG_STATE, fired, None, how, started, started.get("InvocationID", ""))
    return Seen(promise.RECOVERED, fired, took, "", started)


_A_LITTLE = 0.2


def _fires(trial: Trial, at: float) -> Optional[float]:
    """Seconds until the timer has elapsed, None if it has not."""
    while since(at) < NOTICED:
        told = trial.manager.show([trial.unit], ("LastTriggerUSecMonotonic",))[trial.unit]
        last = seconds(told.get("LastTriggerUSecMonotonic", "")) or 0.0
        if last >= at:
            return round(last - at, 3)
        pause()
    return None


_SERVICE: Dict[str, Callable[[Trial], Seen]] = {
    "kill": _kill,
    "segv": _segv,
    "hang": _hang,
    "crash_loop": _crash_loop,
    "child": _child,
    "dependency": _dependency,
    "socket": _socket,
}
_TIMER: Dict[str, Callable[[Trial], Seen]] = {"downtime": _downtime}


def known(scene: Scene) -> Dict[str, Callable[[Trial], Seen]]:
    """The faults that there are for a unit of its kind."""
    return _TIMER if scene.is_timer else _SERVICE

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The faults, each done once and measured. Private to the collection."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, replace
from typing import Callable, Dict, Optional

from .._apply import standing
from .._apply.standing import Standing
from .._host import memory, processes
from .._host.files import Writer
from .._host.looks import run_of
from .._host.manager import Manager, Outcome, Properties
from .._host.watch import wait_for_rest
from .._syntax.spans import seconds
from . import promise
from .clients import Clients, addresses
from .measure import NOTICED, AfterFault, Watch, is_down, pause, show, since
from .scene import Scene

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
        self.standing = self.standing._replace(**changes)  # type: ignore[arg-type]
        standing.note(self.manager.places, self.standing, self.writer)

    def watch(self, at: float, before: Dict[str, str], noticed: float = NOTICED, hangs: bool = False) -> Watch:
        patience = noticed + _delay(self.scene, 1) + _stop(self.scene) + self.scene.health.timeout
        return Watch(self.scene, self.manager, run_of(before), at, patience, noticed, hangs)


def _delay(scene: Scene, number: int) -> float:
    """Seconds before an automatic restart, at most as many as a drill waits for any fault."""
    return min(promise.delay(scene.given, number), promise.LONGEST_LOOP)


def _did(done: Outcome) -> None:
    """Nothing is proved by what was not done. Raises NotTried."""
    if done.code != 0:
        raise NotTried(done.message)


def _stop(scene: Scene) -> float:
    """Seconds that its other processes may take to end."""
    found = seconds(scene.shown.get("TimeoutStopUSec", ""))
    return _ROOM if found is None or found > _ROOM else found


def _signalled(trial: Trial, name: str) -> AfterFault:
    before = dict(show(trial.manager, trial.unit))
    at = time.monotonic()
    _did(trial.manager.kill(trial.unit, name))
    return trial.watch(at, before).outcome()


def _kill(trial: Trial) -> AfterFault:
    return _signalled(trial, "SIGKILL")


def _segv(trial: Trial) -> AfterFault:
    return _signalled(trial, "SIGSEGV")


_GONE = "its main process is gone"


def _main(shown: Properties) -> int:
    """The number of its main process. Raises NotTried if it has none."""
    pid = int(shown.get("MainPID") or 0)
    if not pid:
        raise NotTried(_GONE)
    return pid


def _hang(trial: Trial) -> AfterFault:
    before = dict(show(trial.manager, trial.unit))
    main = processes.process(_main(before))
    if main is None:
        raise NotTried(_GONE)
    trial.note(stopped=(main,))
    at = time.monotonic()
    # Not by systemctl: that would stop whatever is the main process by then, and nobody would let that one go on.
    if not processes.send(main, signal.SIGSTOP):
        raise NotTried(_GONE)
    given = trial.scene.given
    noticed = given.watchdog.after + _ROOM if given.watchdog.after else NOTICED
    try:
        return trial.watch(at, before, noticed, hangs=True).outcome()
    finally:
        processes.go_on(main)


def _crash_loop(trial: Trial) -> AfterFault:
    given = trial.scene.given
    began, first = time.monotonic(), dict(show(trial.manager, trial.unit))
    at, before = began, first
    for number in range(1, promise.crashes(given) + 1):
        before = dict(show(trial.manager, trial.unit))
        at = time.monotonic()
        done = trial.manager.kill(trial.unit, "SIGKILL")
        if done.code != 0 and (number == 1 or _is_main_still(trial, before)):
            raise NotTried(done.message)  # if it has fallen by itself meanwhile, that is a crash as well
        if number < promise.crashes(given) and not _runs_anew(trial, before, _delay(trial.scene, number)):
            break
    watch = trial.watch(at, before)
    watch.patience += _delay(trial.scene, promise.crashes(given))
    seen = watch.outcome()
    anew = run_of(seen.shown).restarts != run_of(first).restarts
    gave_up = seen.verdict == promise.FAILED and anew and promise.gave_up(given, seen.shown)
    slow = promise.too_slow(given, at - began + _delay(trial.scene, promise.crashes(given)))
    if slow and seen.verdict == promise.RECOVERED:
        raise NotTried(slow)
    return _started_again(trial, replace(seen, verdict=promise.GAVE_UP) if gave_up else seen)


def _is_main_still(trial: Trial, before: Properties) -> bool:
    return show(trial.manager, trial.unit).get("MainPID") == before.get("MainPID") != "0"


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


def _started_again(trial: Trial, seen: AfterFault) -> AfterFault:
    """What is down is started again, and what that takes is measured; it being down stays the verdict."""
    if seen.verdict not in (promise.GAVE_UP, promise.FAILED, promise.INACTIVE):
        return seen
    at = time.monotonic()
    standing.take_back(trial.standing, trial.manager, trial.writer)
    watch = trial.watch(at, {**seen.shown, "MainPID": "0"})
    again = watch.outcome()
    if again.verdict != promise.RECOVERED:
        return replace(again, verdict=promise.WRONG_STATE, how=f"was started again: {again.how}")
    return replace(seen, to_process=again.to_process, to_healthy=again.to_healthy)


def _child(trial: Trial) -> AfterFault:
    before = dict(show(trial.manager, trial.unit))
    children = processes.descendants(_main(before))
    if not children:
        raise NotTried("its main process has no children")
    at = time.monotonic()
    if not processes.send(children[0], signal.SIGKILL):
        raise NotTried("its child is gone")
    return trial.watch(at, before).outcome()


def _oom(trial: Trial) -> AfterFault:
    before = dict(show(trial.manager, trial.unit))
    group = trial.manager.show([trial.unit], ("ControlGroup",))[trial.unit].get("ControlGroup", "")
    limits = memory.limits(group)
    if not limits:
        raise NotTried(_UNLIMITED)
    trial.note(limits=tuple(limits))
    try:
        kill = memory.exhaust(limits)
    except OSError as error:
        raise NotTried(f"its limit of memory cannot be lowered: {error}") from error
    if kill is None:
        raise NotTried("the kernel found no process of it that it may kill")
    seen = trial.watch(kill.at, before).outcome()
    return replace(seen, how=seen.how or f"the kernel killed at a limit of {kill.limit / 2**20:.1f} MiB")


_UNLIMITED = "the kernel holds it to no limit of memory here: its control group has no memory controller of cgroup v2"


def _dependency(trial: Trial) -> AfterFault:
    required = trial.scene.required
    if not required:
        raise NotTried("it requires nothing that is up and in may_hurt, with all that goes down with it")
    unit = sorted(required)[0]
    trial.note(up=tuple(sorted({*trial.standing.up, *required[unit]})))
    before = dict(show(trial.manager, trial.unit))
    at = time.monotonic()
    _did(trial.manager.queue("stop", [unit]))
    wait_for_rest(trial.manager, [unit, trial.unit], _stop(trial.scene) + _ROOM)
    seen = trial.watch(at, before).outcome()
    return _started_again(trial, replace(seen, how=seen.how or f"{unit} was stopped"))


def _socket(trial: Trial) -> AfterFault:
    sockets = trial.scene.sockets
    shown = trial.manager.show(sockets, ("Listen", "InvocationID"))
    where = [each for values in shown.values() for each in addresses(values.get("Listen", ""))]
    if not where:
        raise NotTried("no socket unit of it with a ListenStream= is up")
    before = dict(show(trial.manager, trial.unit))
    with Clients(where) as clients:
        at = time.monotonic()
        _did(trial.manager.queue("restart", [trial.unit]))
        seen = trial.watch(at, before).outcome()
    after = trial.manager.show(sockets, ("InvocationID",))
    anew = [unit for unit in sockets if after[unit].get("InvocationID") != shown[unit].get("InvocationID")]
    if anew and not clients.refused:  # the moment was short, and no client came in it
        return replace(seen, verdict=promise.REFUSED, how=f"{', '.join(anew)} was down for a moment itself")
    if clients.refused:
        how = f"{clients.refused} of {clients.tried} connections were refused: {clients.complaint}"
        return replace(seen, verdict=promise.REFUSED, how=how)
    return replace(seen, how=f"{clients.tried} connections, none refused") if seen.to_healthy is not None else seen


def _downtime(trial: Trial) -> AfterFault:
    """The timer is down when its time comes; a drop-in says when that is, so that nobody has to wait for long."""
    unit, manager = trial.unit, trial.manager
    if not trial.scene.given.has_calendar:
        raise NotTried("it has no OnCalendar=, so that there is nothing that it could catch up")
    path = standing.dropin_file(manager.places, unit)
    trial.note(dropins=(path,))
    _did(manager.systemctl("stop", [unit]))
    moment = int(time.time()) + 1
    calendar = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
    # The empty one takes away all its times, those after a boot among them (systemd.timer(5)).
    text = f"[Timer]\nOnCalendar=\nOnCalendar={calendar}\nAccuracySec=1us\nRandomizedDelaySec=0\n"
    trial.writer.write(path, text.encode(), 0o644)
    manager.read_again()
    while time.time() < moment + _A_LITTLE:
        pause()
    at = time.monotonic()
    _did(manager.queue("start", [unit]))
    fired = _fires(trial, at)
    if fired is None:
        return AfterFault(promise.MISSED, None, None, "what came while it was down was left out", show(manager, unit))
    wait_for_rest(manager, [trial.scene.starts], trial.scene.health.timeout, starts=True)
    started = show(manager, trial.scene.starts)
    took = since(at)
    if started.get("ActiveState") == "failed":
        how, run = f"{trial.scene.starts} failed", started.get("InvocationID", "")
        return AfterFault(promise.WRONG_STATE, fired, None, how, started, run, trial.scene.starts)
    return AfterFault(promise.RECOVERED, fired, took, "", started)


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


_SERVICE: Dict[str, Callable[[Trial], AfterFault]] = {
    "kill": _kill,
    "segv": _segv,
    "hang": _hang,
    "crash_loop": _crash_loop,
    "child": _child,
    "oom": _oom,
    "dependency": _dependency,
    "socket": _socket,
}
_TIMER: Dict[str, Callable[[Trial], AfterFault]] = {"downtime": _downtime}


def known(scene: Scene) -> Dict[str, Callable[[Trial], AfterFault]]:
    """The faults that there are for a unit of its kind."""
    return _TIMER if scene.is_timer else _SERVICE


def do(trial: Trial, fault: str) -> AfterFault:
    """Do a fault that is known for the unit, once. Raises NotTried."""
    longer = promise.too_long(trial.scene.given, fault)
    if longer:
        raise NotTried(longer)
    return known(trial.scene)[fault](trial)

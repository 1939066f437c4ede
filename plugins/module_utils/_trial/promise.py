# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a unit's own settings promise for a fault, as systemd.service(5) and systemd.timer(5) have it. Pure.

Private to the collection.
"""

from __future__ import annotations

import math
import signal
from typing import Callable, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Tuple

from .._syntax.spans import seconds

# What a drill may come to; as far as systemd has a word for it, that is systemd's.
RECOVERED = "recovered"
UNHARMED = "unharmed"
FAILED = "failed"
INACTIVE = "inactive"
GAVE_UP = "start-limit-hit"
WRONG_STATE = "wrong-state"
NOT_NOTICED = "not-noticed"
REFUSED = "refused"
MISSED = "missed"
NOT_TRIED = "not-tried"
UNKNOWN = "unknown"

PROPERTIES = (
    *("Type", "ExitType", "Restart", "RestartUSec", "RestartSteps", "RestartMaxDelayUSec"),
    *("StartLimitIntervalUSec", "StartLimitBurst", "WatchdogUSec", "WatchdogSignal", "RuntimeMaxUSec"),
    *("SuccessExitStatus", "RestartPreventExitStatus", "RestartForceExitStatus", "Persistent", "TimersCalendar"),
    *("UpheldBy", "OOMPolicy"),
)
# Between two crashes nobody knows how long the program itself takes to be killed once more.
_OF_ITS_OWN = 0.3
# No fault lasts longer than that for the sake of a limit, a pause or a watchdog.
LONGEST_LOOP = 120.0


class ProcessEnd(NamedTuple):
    """How a main process ends: systemd's word for the result, and the signal without SIG."""

    result: str
    signal: str


ENDINGS: Dict[str, ProcessEnd] = {
    "kill": ProcessEnd("signal", "KILL"),
    # Whether there is a core decides the kernel; systemd restarts for either in the same cases.
    "segv": ProcessEnd("core-dump", "SEGV"),
    "crash_loop": ProcessEnd("signal", "KILL"),
    "oom": ProcessEnd("oom-kill", "KILL"),
}


class Delay(NamedTuple):
    """What systemd waits before an automatic restart, in seconds.

    first: RestartSec=. steps, most: RestartSteps= and RestartMaxDelaySec=, by which that grows (254 and newer).
    """

    first: float = 0.1
    steps: int = 0
    most: float = math.inf


class StartLimit(NamedTuple):
    """How many starts (burst) in how many seconds (interval) are one too many; 0 for either: any number."""

    interval: float = 10.0
    burst: int = 5

    @property
    def is_set(self) -> bool:
        return bool(self.burst and self.interval)


class Watchdog(NamedTuple):
    """after: seconds without a word from the program, 0 without a watchdog. signal: what then ends it, without SIG."""

    after: float = 0.0
    signal: str = "ABRT"


class Ends(NamedTuple):
    """Exit statuses and signals, as systemctl shows them, that count otherwise than usual.

    success: SuccessExitStatus=. prevented: RestartPreventExitStatus=. forced: RestartForceExitStatus=.
    """

    success: FrozenSet[str] = frozenset()
    prevented: FrozenSet[str] = frozenset()
    forced: FrozenSet[str] = frozenset()


class Settings(NamedTuple):
    """The settings of a unit that decide what becomes of it after a fault.

    restart: Restart=. delay: before a restart. limit: of starts. watchdog: what notices a hang. runtime_max: seconds
    after which systemd ends it, infinite without such. ends: how it may end. by_group: it is up for as long as any of
    its processes is. persistent: a timer catches up on what it missed. has_calendar: a timer goes by the calendar.
    upheld_by: units that start it again. oom_policy: OOMPolicy=.
    """

    restart: str = "no"
    delay: Delay = Delay()
    limit: StartLimit = StartLimit()
    watchdog: Watchdog = Watchdog()
    runtime_max: float = math.inf
    ends: Ends = Ends()
    by_group: bool = False
    persistent: bool = False
    has_calendar: bool = False
    upheld_by: Tuple[str, ...] = ()
    oom_policy: str = "stop"


class Promise(NamedTuple):
    """What shall come of a fault. after: seconds until systemd starts it anew, None where it does not."""

    verdict: str
    reason: str
    after: Optional[float] = None

    def as_dict(self) -> Dict[str, object]:
        return {"verdict": self.verdict, "reason": self.reason, "after": self.after}


def settings(shown: Mapping[str, str]) -> Settings:
    """The settings of a unit by its properties, as `systemctl show` prints them."""

    def span(name: str, otherwise: float) -> float:
        found = seconds(shown.get(name, ""))
        return otherwise if found is None else found

    def words(name: str) -> FrozenSet[str]:
        return frozenset(shown.get(name, "").split())

    number = shown.get("WatchdogSignal", "")
    return Settings(
        restart=shown.get("Restart") or "no",
        delay=Delay(
            span("RestartUSec", 0.1), int(shown.get("RestartSteps") or 0), span("RestartMaxDelayUSec", math.inf)
        ),
        limit=StartLimit(span("StartLimitIntervalUSec", 10.0), int(shown.get("StartLimitBurst") or 0)),
        watchdog=Watchdog(_finite(span("WatchdogUSec", 0.0)), _name(number) if number.isdigit() else "ABRT"),
        runtime_max=span("RuntimeMaxUSec", math.inf) or math.inf,
        ends=Ends(words("SuccessExitStatus"), words("RestartPreventExitStatus"), words("RestartForceExitStatus")),
        by_group=shown.get("ExitType") == "cgroup",
        persistent=shown.get("Persistent") == "yes",
        has_calendar="OnCalendar=" in shown.get("TimersCalendar", ""),
        upheld_by=tuple(shown.get("UpheldBy", "").split()),
        oom_policy=shown.get("OOMPolicy") or "stop",
    )


def _finite(span: float) -> float:
    return 0.0 if math.isinf(span) else span


def _name(number: str) -> str:
    """A signal without SIG."""
    try:
        return signal.Signals(int(number)).name[len("SIG") :]
    except ValueError:
        return number


def promise(given: Settings, fault: str) -> Promise:
    """What these settings promise for a fault, beginning with a unit that has not been restarted yet."""
    return _BY_FAULT[fault](given)


def delay(given: Settings, number: int) -> float:
    """Seconds before an automatic restart, the first of them 1 (systemd.service(5), RestartSteps=)."""
    first, steps, most = given.delay
    grows = steps and first and first < most < math.inf
    if number <= 1 or not grows:
        return first
    if number > steps:
        return most
    return first * math.pow(most / first, (number - 1) / steps)


def result_of(given: Settings, ending: ProcessEnd) -> str:
    """systemd's result; what is dumped is no success, whatever is said of its signal (is_clean_exit())."""
    return "success" if ending.result == "signal" and ending.signal in given.ends.success else ending.result


def restarts(given: Settings, ending: ProcessEnd) -> Tuple[bool, str]:
    """Is it restarted by itself, and by which setting (service_shall_restart())?"""
    if ending.signal in given.ends.prevented:
        return False, f"RestartPreventExitStatus= has {ending.signal}"
    if ending.signal in given.ends.forced:
        return True, f"RestartForceExitStatus= has {ending.signal}"
    result = result_of(given, ending)
    said = f"Restart={given.restart}"
    if result == "success":
        said += f", and SuccessExitStatus= has {ending.signal}"
    return result in _RESTARTED.get(given.restart, ()), said


def gave_up(given: Settings, shown: Mapping[str, str]) -> bool:
    """Has systemd given up on what has failed, after it was restarted? By its properties at the end.

    systemd leaves the result of the last end in place when a start is one too many: with one that it would have
    restarted, only the limit can have kept it down.
    """
    result = shown.get("Result", "")
    status = shown.get("ExecMainStatus", "")
    exited = shown.get("ExecMainCode", "") == _EXITED
    return result == GAVE_UP or restarts(given, ProcessEnd(result, status if exited else _name(status)))[0]


# waitid(2), si_code.
_EXITED = "1"
_SIGNALS = ("signal", "core-dump")
_ABNORMAL = (*_SIGNALS, "watchdog", "timeout", "oom-kill")
# Which results each value of Restart= restarts.
_RESTARTED: Dict[str, Tuple[str, ...]] = {
    "always": (*_ABNORMAL, "exit-code", "success"),
    "on-success": ("success",),
    "on-failure": (*_ABNORMAL, "exit-code"),
    "on-abnormal": _ABNORMAL,
    "on-watchdog": ("watchdog",),
    "on-abort": _SIGNALS,
}


def _after_end(given: Settings, ending: ProcessEnd, before: float = 0.0) -> Promise:
    """What becomes of it after its main process has ended. before: seconds until systemd takes it for ended."""
    if given.by_group:
        return Promise(UNKNOWN, "with ExitType=cgroup it is up for as long as any of its processes is")
    again, said = restarts(given, ending)
    if again and math.isinf(delay(given, 1)):
        return Promise(FAILED, f"{said}, which RestartSec=infinity puts off for ever")
    if again:
        return Promise(RECOVERED, said, round(before + delay(given, 1), 3))
    if given.upheld_by:
        return Promise(RECOVERED, f"{said}, and Upholds= of {given.upheld_by[0]} starts it again")
    return Promise(INACTIVE if result_of(given, ending) == "success" else FAILED, f"{said}: it stays down")


def _killed(given: Settings) -> Promise:
    return _after_end(given, ENDINGS["kill"])


def _dumped(given: Settings) -> Promise:
    ending = ENDINGS["segv"]
    if ending.signal not in given.ends.success or given.restart in ("always", "no"):
        return _after_end(given, ending)
    return Promise(UNKNOWN, "SuccessExitStatus= has SEGV, which counts only where the kernel writes no core")


def _hangs(given: Settings) -> Promise:
    after, name = given.watchdog
    if after:
        made = _after_end(given, ProcessEnd("watchdog", name), after)
        return made._replace(reason=f"WatchdogSec= is {after:g} s; {made.reason}")
    reason = "without WatchdogSec= systemd notices no hang"
    if given.runtime_max < math.inf:
        reason += f", and only RuntimeMaxSec= ends it, after {given.runtime_max:g} s"
    return Promise(NOT_NOTICED, reason)


def crashes(given: Settings) -> int:
    """How often it has to crash for systemd to give up, or to see that it never does."""
    return given.limit.burst + 1 if given.limit.is_set else _UNLIMITED


_UNLIMITED = 6


def loop_seconds(given: Settings) -> float:
    """From the first automatic restart of a crash loop to the one that would be too many, by the delays alone."""
    return sum(delay(given, number) for number in range(2, crashes(given) + 1))


def too_long(given: Settings, fault: str) -> str:
    """Why a fault is not done, as nobody would wait for what comes of it; "" if it is."""
    ending, before = ENDINGS.get(fault), 0.0
    if fault == "hang" and given.watchdog.after:
        ending, before = ProcessEnd("watchdog", given.watchdog.signal), given.watchdog.after
    if ending is None:
        return ""
    again = restarts(given, ending)[0]
    most = f"which is longer than the {LONGEST_LOOP:g} s that a drill waits"
    if before > LONGEST_LOOP:
        return f"WatchdogSec= is {before:g} s, {most}"
    if again and before + delay(given, 1) > LONGEST_LOOP:
        return f"it is started anew {before + delay(given, 1):g} s later, {most}"
    if again and fault == "crash_loop" and loop_seconds(given) > LONGEST_LOOP:
        return f"{crashes(given)} restarts take {loop_seconds(given):g} s, {most}"
    return ""


def too_slow(given: Settings, took: float) -> str:
    """Why a crash loop of so many seconds is no proof against a start limit that is promised; "" if it is.

    Settings do not say how long a start takes, by the program or on a busy host.
    """
    if took <= given.limit.interval or _loops(given).verdict != GAVE_UP:
        return ""
    return f"{crashes(given)} crashes took {took:.0f} s here, and StartLimitIntervalSec= is {given.limit.interval:g} s"


def _loops(given: Settings) -> Promise:
    first = _after_end(given, ENDINGS["crash_loop"])
    if first.verdict != RECOVERED or first.after is None:
        return first
    lasts = loop_seconds(given)
    if not given.limit.is_set:
        return first._replace(reason=f"{first.reason}, and no start limit (StartLimitIntervalSec=0)")
    interval, burst = given.limit
    limit = f"StartLimitBurst={burst} in StartLimitIntervalSec={interval:g} s"
    if lasts > interval:
        return first._replace(reason=f"{first.reason}; {limit} is never reached, as {burst} restarts take longer")
    if lasts + burst * _OF_ITS_OWN > interval:
        return Promise(UNKNOWN, f"{limit} is reached only if the program falls fast", first.after)
    return Promise(GAVE_UP, f"{first.reason}, up to {limit}", first.after)


def _loses_child(given: Settings) -> Promise:
    return Promise(RECOVERED, "systemd looks after the main process alone, so that the program has to mend it")


def _exhausts(given: Settings) -> Promise:
    """Without OOMPolicy=continue its end is one for want of memory, whichever of its processes is killed."""
    said = f"OOMPolicy={given.oom_policy}"
    if given.oom_policy != "continue":
        made = _after_end(given._replace(by_group=False), ENDINGS["oom"])
        return made._replace(reason=f"{said} ends it; {made.reason}")
    made = _killed(given)
    if made.verdict != RECOVERED:
        return Promise(UNKNOWN, f"{said}: it goes on, unless the kernel kills its main process ({made.reason})")
    return made._replace(reason=f"{said}: it goes on, or comes back without its main process ({made.reason})")


def _loses_required(given: Settings) -> Promise:
    if given.upheld_by:
        return Promise(RECOVERED, f"Upholds= of {given.upheld_by[0]} starts it again")
    return Promise(INACTIVE, "it goes down with what it requires, and stays so until someone starts it")


def _stays_reachable(given: Settings) -> Promise:
    return Promise(RECOVERED, "its socket stays open while it restarts, so that nobody is refused")


def _catches_up(given: Settings) -> Promise:
    if not given.has_calendar:
        return Promise(MISSED, "without OnCalendar= it counts from its start, and there is nothing to catch up")
    if given.persistent:
        return Promise(RECOVERED, "Persistent=yes", 0.0)
    return Promise(MISSED, "Persistent=no: what comes while it is down is left out")


_BY_FAULT: Dict[str, Callable[[Settings], Promise]] = {
    "kill": _killed,
    "segv": _dumped,
    "hang": _hangs,
    "crash_loop": _loops,
    "child": _loses_child,
    "oom": _exhausts,
    "dependency": _loses_required,
    "socket": _stays_reachable,
    "downtime": _catches_up,
}
FAULTS: List[str] = list(_BY_FAULT)

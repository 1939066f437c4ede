# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the properties of a unit mean, as org.freedesktop.systemd1(5) has them: names, numbers, times, lists.

By the same signs in their names that systemctl goes by (print_property()), so that new ones are read too. Private to
the collection.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, FrozenSet, Mapping, NamedTuple, Optional, Sequence, Tuple

from .relations import RELATIONS
from .words import COMMANDS

# How systemd writes that there is no limit, no end, or no number.
NO_NUMBER = 2**64 - 1
_NO_ID = 2**32 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# What every unit is told of, and what those of some types have beside it.
_OF_ALL = """
    Id Names Description LoadState LoadError ActiveState SubState UnitFileState UnitFilePreset FragmentPath SourcePath
    DropInPaths NeedDaemonReload Transient InvocationID Job StateChangeTimestamp ActiveEnterTimestamp
    InactiveEnterTimestamp ConditionResult ConditionTimestamp Triggers TriggeredBy Result
"""
_OF_SERVICES = """
    Type Restart RestartUSec TimeoutStartUSec TimeoutStopUSec RuntimeMaxUSec WatchdogUSec User Group StatusText MainPID
    ControlPID NRestarts ExecMainCode ExecMainStatus ExecMainStartTimestamp ExecMainExitTimestamp EnvironmentFiles
"""
_OF_GROUPS = """
    Slice ControlGroup MemoryCurrent MemoryPeak MemoryLow MemoryHigh MemoryMax MemorySwapCurrent MemorySwapMax
    TasksCurrent TasksMax CPUUsageNSec CPUQuotaPerSecUSec
"""
_OF_STARTERS = """
    Accept Listen NConnections NAccepted NRefused Unit TimersCalendar TimersMonotonic Persistent AccuracyUSec
    RandomizedDelayUSec NextElapseUSecRealtime NextElapseUSecMonotonic LastTriggerUSec Paths
"""
_OF_MOUNTS = "Where What Options Priority TimeoutIdleUSec"
# Of services they say more by these names.
_WITH_FLAGS = "Ex"
WANTED: FrozenSet[str] = frozenset(
    [
        *" ".join((_OF_ALL, _OF_SERVICES, _OF_GROUPS, _OF_STARTERS, _OF_MOUNTS)).split(),
        *COMMANDS,
        *(each + _WITH_FLAGS for each in COMMANDS),
    ]
)
# Never told, whoever asks for them: they hold what is to stay hidden.
HIDDEN = frozenset(("SetCredential", "SetCredentialEncrypted"))

# Numbers that are measured or left to the kernel, so that none is not the same as no limit.
_MEASURED = frozenset(
    """
    MemoryCurrent MemoryPeak MemoryAvailable MemorySwapCurrent MemorySwapPeak MemoryZSwapCurrent TasksCurrent
    CPUUsageNSec CPUWeight StartupCPUWeight IOWeight StartupIOWeight CPUShares StartupCPUShares BlockIOWeight
    StartupBlockIOWeight EffectiveMemoryHigh EffectiveMemoryMax EffectiveTasksMax
    """.split()
)
_MEASURED_PREFIXES = ("IPIngress", "IPEgress", "IORead", "IOWrite")
# Lists without an order, which systemd gives by chance.
_SETS = frozenset(("Names", *RELATIONS))
_TIMES = ("NextElapseUSecRealtime", "LastTriggerUSec")
_NONE_IS_ZERO = frozenset(("MainPID", "ControlPID", "GuessMainPID"))
# Keys that the rule below does not make.
_KEYS = {
    "CPUQuotaPerSecUSec": "cpu_quota_per_sec",
    "LastTriggerUSec": "last_trigger",
    "NextElapseUSecRealtime": "next_elapse_realtime",
    "NextElapseUSecMonotonic": "next_elapse_monotonic",
    "TimersCalendar": "timers_calendar",
    "CPUUsageNSec": "cpu_usage_sec",
}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# wait(2): how a process ended, as systemd says it.
_ENDED = {1: "exited", 2: "killed", 3: "dumped"}


class Told(NamedTuple):
    """A property as it is told: its key, its value, and whether null stands for no limit."""

    key: str
    value: Any
    unlimited: bool = False


def told(name: str, raw: Any) -> Told:
    """One property of a unit, as the manager's socket gives it."""
    form = _FORMS.get(name)
    if form is not None:
        return Told(key_of(name), form(raw))
    if _base(name) in COMMANDS:
        return Told(key_of(name), [command(each) for each in raw])
    if isinstance(raw, int) and not isinstance(raw, bool):
        return _number(name, raw)
    return Told(key_of(name), sorted(raw) if name in _SETS and isinstance(raw, list) else _plain(raw))


def key_of(name: str) -> str:
    """The name in small letters: MainPID is main_pid, and what is in microseconds there, as TimeoutUSec, in seconds."""
    if name in _KEYS:
        return _KEYS[name]
    spelt = re.sub(r"[UN]Sec$", "Sec", _base(name))
    return _WORD.sub("_", spelt).lower()


def moment(microseconds: int) -> Optional[Dict[str, Any]]:
    """A time of the calendar, None where systemd has none."""
    if microseconds in (0, NO_NUMBER):
        return None
    exact = _EPOCH + timedelta(microseconds=microseconds)
    return {"iso": exact.isoformat().replace("+00:00", "Z"), "epoch": _whole(microseconds / 1e6)}


def command(raw: Sequence[Any]) -> Dict[str, Any]:
    """One line of Exec...= with what its last run came to; the times of the monotonic clock are left out."""
    path, argv, flags, started, _at, ended, _until, pid, code, status = raw
    if isinstance(flags, bool):
        flags = ["ignore-failure"] if flags else []
    return {
        "path": path,
        "argv": list(argv),
        "flags": list(flags),
        "started": moment(started),
        "ended": moment(ended),
        "pid": pid or None,
        "code": _ENDED.get(code),
        "status": status if code in _ENDED else None,
    }


def _base(name: str) -> str:
    shorter = name[: -len(_WITH_FLAGS)] if name.endswith(_WITH_FLAGS) else name
    return shorter if shorter in COMMANDS else name


def _number(name: str, raw: int) -> Told:
    key = key_of(name)
    if name in _TIMES or name.endswith("Timestamp"):
        return Told(key, moment(raw))
    if raw == NO_NUMBER:
        measured = name in _MEASURED or name.endswith("NSec") or name.startswith(_MEASURED_PREFIXES)
        return Told(key, None, unlimited=not measured)
    if "USec" in name or name.endswith("Monotonic"):
        return Told(key, _whole(raw / 1e6))
    if name.endswith("NSec"):
        return Told(key, _whole(raw / 1e9))
    none = (name in _NONE_IS_ZERO and not raw) or (name in ("UID", "GID") and raw == _NO_ID)
    return Told(key, None if none else raw)


def _whole(number: float) -> float:
    return int(number) if number == int(number) else round(number, 6)


def _plain(raw: Any) -> Any:
    """Text that is empty says nothing; bytes are an ID, or such like."""
    if isinstance(raw, bytes):
        return raw.hex() or None
    if isinstance(raw, Mapping):
        return {str(name): _plain(value) for name, value in raw.items()}
    if isinstance(raw, (list, tuple)):
        return [_plain(each) if not isinstance(each, str) else each for each in raw]
    return raw if raw != "" else None


def _pairs(first: str, second: str) -> Callable[[Sequence[Tuple[Any, Any]]], Any]:
    return lambda raw: [{first: one, second: other} for one, other in raw]


def _directive(base: str) -> str:
    """A base of a timer as its directive is written: OnBootUSec is OnBootSec=."""
    return base.replace("USec", "Sec")


def _monotonic(raw: Sequence[Tuple[str, int, int]]) -> Any:
    return [{"base": _directive(base), "sec": _whole(span / 1e6)} for base, span, _next in raw]


_FORMS: Dict[str, Callable[[Any], Any]] = {
    "EnvironmentFiles": _pairs("path", "ignore_errors"),
    "ExecMainCode": _ENDED.get,
    "Job": lambda raw: raw[0] or None,
    "Listen": _pairs("type", "address"),
    "LoadError": lambda raw: raw[1] or None,
    "Paths": _pairs("type", "path"),
    "TimersCalendar": lambda raw: [{"base": base, "calendar": text} for base, text, _next in raw],
    "TimersMonotonic": _monotonic,
}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One look at a unit: what systemctl shows of it, and what of that is wrong. Private to the collection."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from .._syntax.kinds import ANY_SUB, File, Kind, kind_of
from .._syntax.spans import seconds
from .endings import ENDINGS, describe
from .manager import Properties

RUN_PROPERTIES = ("InvocationID", "MainPID", "NRestarts")
PROPERTIES = (
    *RUN_PROPERTIES,
    "LoadState",
    "ActiveState",
    "SubState",
    "Job",
    "Type",
    "RemainAfterExit",
    *ENDINGS,
    "CanStart",
    "RefuseManualStart",
    "InactiveExitTimestampMonotonic",
    "ReloadResult",
    "ConditionResult",
    "AssertResult",
    "ConditionTimestampMonotonic",
    "NextElapseUSecRealtime",
    "NextElapseUSecMonotonic",
    "TimersMonotonic",
    "LastTriggerUSecMonotonic",
    "ActiveEnterTimestampMonotonic",
    "TimeoutStartUSec",
    "TimeoutStopUSec",
    "TimeoutUSec",
    "RestartUSec",
    "RestartUSecNext",
)
# On the way up or down.
MOVING = ("activating", "deactivating")
# Bases of times that come once: after a boot, or after the timer's own start (systemd.timer(5)).
_ONCE = ("OnBootUSec", "OnStartupUSec", "OnActiveUSec")
# systemd.service(5), Type=: what systemd waits for.
_WAITED_FOR = {
    "notify": ", as it has not sent READY=1 (Type=notify)",
    "notify-reload": ", as it has not sent READY=1 (Type=notify-reload)",
    "forking": ", as its first process has not ended, or PIDFile= has not been written (Type=forking)",
    "dbus": ", as it has not taken its BusName= (Type=dbus)",
}
# Types of services that are up for systemd once their process is there, whatever that makes of it.
_UNTOLD = ("simple", "exec", "idle")
# What systemctl shows of the time that systemd itself gives a start.
START_TIMES = ("TimeoutStartUSec", "TimeoutUSec")
_REMOUNTED = re.compile(r"code=\w+ ; status=(?P<status>\d+)")
_ENDED_ON_RELOAD = "its reload ended the program, as SIGHUP ends one that does not handle it"


class Run(NamedTuple):
    """One run of a unit: its ID, its process, and how often systemd has restarted the unit by itself until then."""

    invocation: str
    pid: str
    restarts: str

    def goes_on_in(self, other: Run) -> bool:
        """Is the other the same, perhaps with another main process? One may hand over to it, and PrivatePIDs= does."""
        return (self.invocation, self.restarts) == (other.invocation, other.restarts)

    def is_restart_of(self, other: Run) -> bool:
        """Has systemd started the unit by itself since the other one?"""
        return self.invocation != other.invocation and self.restarts != other.restarts


def start_time(shown: Properties) -> Optional[float]:
    """The seconds after which systemd itself ends a start, None if it never does."""
    limits = [shown[name] for name in START_TIMES if name in shown]
    return None if not limits or "infinity" in limits else seconds(limits[0])


def run_of(shown: Properties) -> Run:
    return Run(*(shown.get(name, "") for name in RUN_PROPERTIES))


class Look(NamedTuple):
    """A unit as systemctl showed it at a time; others_move: another one that is looked at is on its way up or down."""

    unit: str
    shown: Properties
    at: float
    others_move: bool = False

    @property
    def kind(self) -> Kind:
        return kind_of(self.unit)

    @property
    def active(self) -> str:
        return self.shown.get("ActiveState", "")

    @property
    def sub(self) -> str:
        return self.shown.get("SubState", "")

    @property
    def queued(self) -> bool:
        """Has it a job that is not done?"""
        return self.shown.get("Job", "0") not in ("", "0")

    @property
    def changes(self) -> bool:
        """Will it be in another state without anything more being done?"""
        return self.queued or self.active in (*MOVING, "reloading", "refreshing")

    @property
    def waits(self) -> bool:
        """Has its job not begun, while another unit is on its way? Then it may have to wait for that one."""
        return self.queued and self.active in ("inactive", "failed", "active") and self.others_move

    @property
    def stops_in_time(self) -> bool:
        """systemd itself ends a stop, by TimeoutStopSec= (systemd.service(5)): that time is the unit's own to take."""
        endless = "infinity" in (self.shown.get("TimeoutStopUSec"), self.shown.get("TimeoutUSec"))
        return self.active == "deactivating" and not endless

    @property
    def starts_in_time(self) -> bool:
        """The same of a start, by TimeoutStartSec=, or TimeoutSec= of other types."""
        return self.active == "activating" and not self.waits_for_restart and start_time(self.shown) is not None

    @property
    def waits_for_restart(self) -> bool:
        """Has it ended, and will systemd start it again by itself (Restart=)?"""
        return self.sub.startswith("auto-restart")

    @property
    def is_tried_again(self) -> bool:
        """That, or has it been already since somebody started it?"""
        return self.waits_for_restart or (self.active != "failed" and self.run.restarts not in ("", "0"))

    @property
    def restart_sec(self) -> float:
        """The seconds that systemd lets pass before that; RestartSteps= makes them more from time to time."""
        span = self.shown.get("RestartUSecNext") or self.shown.get("RestartUSec") or ""
        return seconds(span) or 0.0

    @property
    def tells(self) -> bool:
        """Does it become active by its program's own word (Type=)?"""
        return self.shown.get("Type", "") not in _UNTOLD

    def was_active_since(self, at: float) -> bool:
        """Has it become active since that time (of the monotonic clock)?"""
        entered = self.shown.get("ActiveEnterTimestampMonotonic", "")
        return entered.isdigit() and entered != "0" and int(entered) / 1_000_000 >= at

    @property
    def can_fall(self) -> bool:
        """What runs a process can, and what starts others over and over (systemd.path(5), TriggerLimitBurst=)."""
        return self.kind.can_fall and self.sub != "exited"

    @property
    def run(self) -> Run:
        return run_of(self.shown)

    @property
    def last_run(self) -> str:
        """The ID of its run; "" where conditions or assertions kept it from starting, as an earlier one's is shown."""
        kept = "no" in (self.shown.get("ConditionResult"), self.shown.get("AssertResult"))
        return "" if kept else self.run.invocation

    def run_since(self, at: float) -> str:
        """The same, "" for one that had begun before that time (of the monotonic clock): it was not the job's."""
        left_rest = self.shown.get("InactiveExitTimestampMonotonic", "")
        known = left_rest.isdigit() and left_rest != "0"
        return "" if known and int(left_rest) / 1_000_000 < at else self.last_run

    @property
    def unsupported(self) -> bool:
        """Can systemd start no unit of its type here (unit_can_start())?"""
        settings = [self.shown.get(name) for name in ("CanStart", "RefuseManualStart")]
        return self.active == "inactive" and self.kind.file is not File.NEVER and settings == ["no", "no"]

    @property
    def never_tried(self) -> bool:
        """Was no start of it tried, as far as systemd knows? What nothing refers to it forgets at once."""
        return self.shown.get("ConditionTimestampMonotonic") == "0"


def failed(look: Look, reloaded: bool) -> str:
    """What has failed of a unit that is to start, "" if nothing has.

    reloaded: this run has reloaded it, so that a reload which failed is not an old one.
    """
    load = look.shown.get("LoadState", "")
    if load not in ("loaded", "merged"):
        return f"systemd cannot load it ({load})"
    if look.unsupported:
        return f"this host supports no .{look.kind.name} units, as in many containers: leave it to hosts that do"
    if look.active == "failed" and not look.queued:  # a restart whose stop ended badly goes on to its start
        return "failed: " + describe(look.shown)
    if look.waits_for_restart:
        return "ended and waits for its automatic restart: " + describe(look.shown)
    reload = _failed_reload(look.shown) if reloaded and not look.queued else ""
    return f"its reload failed ({reload})" if reload else ""


def _failed_reload(shown: Properties) -> str:
    """What systemd says of a unit's last reload; of a mount older versions show only how the last remount ended."""
    status = _REMOUNTED.search(shown.get("ExecRemount", ""))
    if status and status.group("status") != "0":
        return f"mount ended with status {status.group('status')}"
    result = shown.get("ReloadResult", "success")
    return "" if result == "success" else result


def not_running(look: Look, reloaded: bool) -> str:
    """What is wrong with a unit that is not active and should be; "" if its work is done. reloaded: by this run."""
    shown = look.shown
    if look.never_tried:
        if reloaded:
            return _ENDED_ON_RELOAD
        return "is not running: it ended by itself right away, or one of its conditions or assertions is not met"
    kept = kept_from_starting(look)
    if kept or (shown.get("Type") == "oneshot" and shown.get("RemainAfterExit") == "no"):
        return kept
    if (shown.get("ExecMainCode"), shown.get("ExecMainStatus")) == ("2", "15"):
        return "was stopped meanwhile, by someone or with what it depends on: " + describe(shown)
    how = _ENDED_ON_RELOAD if reloaded else "ended by itself right away without an error"
    return f"{how}: {describe(shown)}"


def kept_from_starting(look: Look) -> str:
    """What did not let a unit start that is not active, "" if nothing did."""
    if look.shown.get("ConditionResult") == "no":
        return "was not started since one of its conditions is not met: mend that, or declare state: present"
    if look.shown.get("AssertResult") == "no":
        return "was not started since one of its assertions (Assert...=) does not hold"
    return ""


def not_at_work(look: Look) -> str:
    """Why a unit that is active does not do what it is for, "" if it does."""
    good, timed = look.kind.good_sub, look.kind.goes_by_time
    if timed and look.sub == "elapsed":
        once = any(base in look.shown.get("TimersMonotonic", "") for base in _ONCE)
        if once or _has_fired(look.shown):  # its work is done, or that for this boot
            return ""
        return "has no next elapse: its times are over, or count from a run that never was (add OnActiveSec=)"
    if good != ANY_SUB and look.sub not in good:
        return f"is {look.sub}, not {good[0]}"
    if timed and look.sub == "waiting" and not _has_next_elapse(look.shown):
        return "has no next elapse: its calendar lies in the past"
    return ""


def _has_fired(shown: Properties) -> bool:
    """Has a timer elapsed since it was started?"""
    last = seconds(shown.get("LastTriggerUSecMonotonic", "")) or 0.0
    return last > 0 and last >= int(shown.get("ActiveEnterTimestampMonotonic") or 0) / 1e6


def _has_next_elapse(shown: Properties) -> bool:
    values = (shown.get("NextElapseUSecRealtime", ""), shown.get("NextElapseUSecMonotonic", ""))
    return any(value not in ("", "0", "infinity", "n/a") for value in values)


def late(look: Look, wanted: str, timeout: float) -> str:
    """What a unit is still at whose time is over."""
    if look.waits_for_restart:
        return f"is not {wanted} after {timeout:g} s: it {failed(look, reloaded=False)}"
    hint = ""
    if look.active == "activating" and wanted != "down":
        hint = _WAITED_FOR.get(look.shown.get("Type", ""), "") + "; if it needs longer, say so by health: {timeout: }"
    return f"is not {wanted} after {timeout:g} s: {look.active} ({look.sub}){hint}"

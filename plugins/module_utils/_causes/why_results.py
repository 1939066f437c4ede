# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a unit has failed where systemd's result says what has happened: too late, killed, not as its Type= promises.

Private to the collection.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from typing import Callable, Dict, List, Optional, Tuple

from .._host.endings import names_a_file
from .._host.journal import Line
from .._syntax.activation import started_by
from .._syntax.unitfile import Placed
from .incident import Cause, Incident, assigned, at, cause, error_of
from .views import led_by, mode_of

Why = Callable[[Incident], Optional[Cause]]
_TIMED_OUT = re.compile(r": (?P<state>[\w-]+) operation timed out\.")
_STATE_TIMED_OUT = re.compile(r"State '(?P<state>[\w-]+)' timed out\.")
# Where systemd reads PIDFile= once the first process has ended, and judges what it has read.
_OF_PID_FILE = ("service_load_pid_file", "service_is_suitable_main_pid")
_NO_PID_FILE = "open PID file"
_NOTIFIED = re.compile(
    r"Got notification message from PID (?P<pid>\d+), but reception (?:only permitted for|is disabled)"
)
_WATCHDOG = re.compile(r"Watchdog timeout \(limit (?P<limit>[^)]+)\)")
_OOM_KILL = re.compile(
    r"oom-kill:constraint=(?P<constraint>\w+).*?(?:oom_memcg=(?P<group>[^,]+).*?)?task_memcg=(?P<task>[^,]+)"
)
# A shell's & behind all that counts of a command, not &&, >& or |&.
_INTO_BACKGROUND = re.compile(r"""[^&>|<\\]&\s*(?:(?:disown|exit(?: 0)?|true|:)\s*)?;?\s*['"]?\s*$""")
# systemd.service(5), Type=: such a service is up as long as its main process.
_UP_WITH_MAIN = ("simple", "exec", "idle")
# sd-messages(3): SD_MESSAGE_UNIT_SUCCESS, _UNIT_STOPPING.
_SUCCESS = "7ad2d189f7e94e70a38c781354912448"
_STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"
_FOR_EVER = 2**64 - 1
# sd-messages(3): SD_MESSAGE_UNIT_OUT_OF_MEMORY.
_OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
# Which commands run in a state whose time is over, as service_state has it.
_COMMANDS = {
    "start-pre": "ExecStartPre",
    "start-post": "ExecStartPost",
    "reload": "ExecReload",
    "condition": "ExecCondition",
    "start-condition": "ExecCondition",
}
_CORES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP)


def seconds(microseconds: object) -> str:
    if not isinstance(microseconds, int) or microseconds in (0, _FOR_EVER):
        return ""
    return f"{microseconds / 1e6:g} s"


def size(number: object) -> str:
    """As MemoryMax= is written."""
    if not isinstance(number, int) or number in (0, _FOR_EVER):
        return ""
    for unit, factor in (("G", 2**30), ("M", 2**20), ("K", 2**10)):
        if number >= factor:
            return f"{number / factor:.4g}{unit}"
    return str(number)


def _last(incident: Incident, *directives: str) -> Tuple[str, Optional[Placed]]:
    """The first of these that the unit's text has; else the first by its name alone."""
    for name in directives:
        if incident.placed(name):
            return name, incident.placed(name)[-1]
    return directives[0], None


def timeout(incident: Incident) -> Optional[Cause]:
    for line in incident.lines:
        found = _TIMED_OUT.search(line.text) or _STATE_TIMED_OUT.search(line.text) if line.by_systemd else None
        if found:
            return _too_late(incident, found.group("state"), line)
        if line.by_systemd and "reached runtime time limit" in line.text:
            return _ran_too_long(incident, line)
    return None


def _too_late(incident: Incident, state: str, line: Line) -> Optional[Cause]:
    if state.startswith(("stop", "final", "abort")):
        return _does_not_stop(incident, state, line)
    name, placed = _last(incident, "TimeoutStartSec", "TimeoutSec")
    given = seconds(incident.properties.get("TimeoutStartUSec") or incident.properties.get("TimeoutUSec"))
    after = f"within {given}" if given else "in time"
    if state == "start":
        return not_started(incident, after, line, at(name, placed))
    command = _COMMANDS.get(state)
    if command is None:
        return None
    rows = incident.placed(command)
    whose = at(command, rows[0] if len(rows) == 1 else None)
    what = f"{whose} did not end {after}, which is all that {at(name, placed)} gives it"
    remedy = "give it more time by TimeoutStartSec=, or see what it waits for"
    return cause(what, remedy, line, name if placed else command, placed or (rows[0] if len(rows) == 1 else None))


def not_started(incident: Incident, after: str, line: Optional[Line], limit: str = "") -> Optional[Cause]:
    """What has not come of that which Type= promises (systemd.service(5)).

    limit: which directive gave it no more time, "" where none did: then we have stopped waiting, and more of that would
    mend nothing.
    """
    promise = str(incident.properties.get("Type") or incident.value("Type") or "simple")
    placed = incident.placed("Type")[-1] if incident.placed("Type") else None
    if promise in ("notify", "notify-reload"):
        return _not_ready(incident, assigned("Type", promise, placed), after, line, limit)
    if promise == "forking":
        return _pid_file(incident, after) if _of_pid_file(incident) else _in_foreground(incident, after, line, placed)
    if promise == "dbus":
        name, bus = _last(incident, "BusName")
        what = f"it did not take the name {bus.value if bus else ''} on the bus {after} ({at(name, bus)}, Type=dbus)"
        return cause(what, "mend the name, or take Type=exec for a program that takes none", line, name, bus)
    if promise == "oneshot":
        gives = f", which is all that {limit} gives a Type=oneshot" if limit else ", and a Type=oneshot is up only then"
        more = "give it more time by TimeoutStartSec=, or " if limit else ""
        remedy = f"{more}take Type=exec if it is to run on"
        return cause(f"it did not end {after}{gives}", remedy, line, "Type", placed)
    return None


def _not_ready(incident: Incident, promise: str, after: str, line: Optional[Line], limit: str) -> Optional[Cause]:
    wrong = incident.by_systemd("Got notification message from PID")
    found = _NOTIFIED.search(wrong.text) if wrong else None
    if found and wrong:
        access = incident.placed("NotifyAccess")
        now = str(incident.properties.get("NotifyAccess") or "main")
        what = (
            f"READY=1 came from process {found.group('pid')}, which is not the main one, and NotifyAccess={now} takes "
            "it from no other"
        )
        remedy = f"set NotifyAccess=all in [{incident.section}], or have the main process send it"
        return cause(what, remedy, wrong, "NotifyAccess", access[-1] if access else None)
    now = str(incident.properties.get("NotifyAccess") or "main")
    what = f"{promise} waits for READY=1, which did not come {after} from what NotifyAccess={now} allows"
    ways = ["take Type=exec if the program never sends it", "NotifyAccess=all if a process of it does"]
    ways += ["give it more time by TimeoutStartSec="] if limit else []
    placed = incident.placed("Type")[-1] if incident.placed("Type") else None
    return cause(what, f"{', '.join(ways[:-1])}, or {ways[-1]}", line, "Type", placed)


def _in_foreground(incident: Incident, after: str, line: Optional[Line], placed: Optional[Placed]) -> Optional[Cause]:
    promise = assigned("Type", "forking", placed)
    what = f"its first process has not ended {after}, as {promise} promises: it stays in the foreground"
    return cause(what, "take Type=exec, or have the program go to the background", line, "Type", placed)


def _pid_file(incident: Incident, after: str = "") -> Optional[Cause]:
    line = _of_pid_file(incident)
    placed = incident.placed("PIDFile")
    path = placed[-1].value if placed else ""
    if line is None or not path:
        return None
    whose, when = at("PIDFile", placed[-1]), after and f" {after}"
    if _NO_PID_FILE not in line.text:  # systemd removes the file itself, once the unit has failed
        said = line.text.rpartition(f"{incident.unit}: ")[2].strip().rstrip(".")
        what = f"its first process ended, and {path} of {whose} named no process of it{when} ({said})"
        return cause(what, "mend what the program writes there, or leave PIDFile= out", line, "PIDFile", placed[-1])
    what = f"its first process ended, and {path} of {whose} was not written{when}"
    remedy = "mend the path to where the program writes it, or leave PIDFile= out"
    return cause(what, remedy, line, "PIDFile", placed[-1])


def _of_pid_file(incident: Incident) -> Optional[Line]:
    """What systemd says last of PIDFile=. It only looks there once the first process has ended."""
    lines = (each for each in reversed(incident.lines) if each.by_systemd)
    return next((each for each in lines if each.fields.get("CODE_FUNC") in _OF_PID_FILE), None)


def _does_not_stop(incident: Incident, state: str, line: Line) -> Optional[Cause]:
    name, placed = _last(incident, "TimeoutStopSec", "TimeoutSec")
    given = seconds(incident.properties.get("TimeoutStopUSec"))
    after = f"within {given}" if given else "in time"
    if state in ("stop", "stop-post"):
        command = "ExecStop" if state == "stop" else "ExecStopPost"
        what = f"{command}= did not end {after}, which is all that {at(name, placed)} gives it"
        return cause(what, "give it more time by TimeoutStopSec=, or see what it waits for", line, name, placed)
    if state not in ("stop-sigterm", "final-sigterm"):
        return None
    word = str(incident.value("KillSignal") or "SIGTERM")
    what = f"it did not end on {word} {after}, which is all that {at(name, placed)} gives it, and was killed"
    remedy = "give it more time by TimeoutStopSec=, or name the signal that ends it by KillSignal="
    return cause(what, remedy, line, name, placed)


def _ran_too_long(incident: Incident, line: Line) -> Cause:
    name, placed = _last(incident, "RuntimeMaxSec")
    given = seconds(incident.properties.get("RuntimeMaxUSec")) or "its time"
    what = f"it ran for {given}, which is all that {at(name, placed)} lets it"
    return cause(what, "raise RuntimeMaxSec=, or leave it out", line, name, placed)


def protocol(incident: Incident) -> Optional[Cause]:
    promise = str(incident.properties.get("Type") or incident.value("Type"))
    placed = incident.placed("Type")[-1] if incident.placed("Type") else None
    line = incident.by_systemd("Failed with result 'protocol'")
    if promise == "forking":
        return _pid_file(incident)
    if promise in ("notify", "notify-reload") and incident.exit is None and line:
        what = f"its main process ended before it sent READY=1, which {assigned('Type', promise, placed)} promises"
        remedy = "take Type=exec for a program that never sends it, Type=oneshot for one that does its work and ends"
        return cause(what, remedy, line, "Type", placed)
    if promise == "dbus" and incident.exit is None and line:
        name, bus = _last(incident, "BusName")
        what = f"its main process ended before it took the name {bus.value if bus else ''} on the bus (Type=dbus)"
        return cause(what, "mend the name, or take another Type=", line, name, bus)
    return None


def has_ended(incident: Incident) -> bool:
    """Is it down without an error, and nobody has stopped it?"""
    down = incident.result in ("", "success") and incident.properties.get("ActiveState") == "inactive"
    told = {line.id for line in incident.lines if line.by_systemd}
    return down and incident.exit is None and _SUCCESS in told and _STOPPING not in told


def ended(incident: Incident) -> Optional[Cause]:
    """It did as Type= says, which may not be what was meant: the program went on in the background, or was a job."""
    promise = str(incident.properties.get("Type") or incident.value("Type"))
    if promise not in _UP_WITH_MAIN:
        return None
    line = next(each for each in reversed(incident.lines) if each.by_systemd and each.id == _SUCCESS)
    commands = [each for each in incident.placed("ExecStart") if _INTO_BACKGROUND.search(each.value)]
    if commands:
        where = at("ExecStart", commands[0])
        what = f"{where} puts its program into the background by & and ends, which ends the service"
        return cause(what, "leave out that &", line, "ExecStart", commands[0])
    placed = incident.placed("Type")[-1] if incident.placed("Type") else None
    what = f"its main process has ended, and {assigned('Type', promise, placed)} ends the service with that"
    remedy = (
        "if the program goes on in the background, give it its switch for the foreground, or take Type=forking; "
        "if it is a job that does its work and ends, Type=oneshot"
    )
    return cause(what, remedy, line, "Type", placed)


def watchdog(incident: Incident) -> Optional[Cause]:
    line = next((each for each in incident.lines if each.by_systemd and _WATCHDOG.search(each.text)), None)
    if line is None:
        return None
    found = _WATCHDOG.search(line.text)
    name, placed = _last(incident, "WatchdogSec")
    limit = found.group("limit") if found else ""
    what = f"it did not send WATCHDOG=1 for {limit}, which {at(name, placed)} asks for, and was killed"
    remedy = "have the program send it (sd_watchdog_enabled(3)), leave WatchdogSec= out, or see where it hangs"
    return cause(what, remedy, line, name, placed)


def out_of_memory(incident: Incident, kernel: Callable[[float], List[Line]]) -> Optional[Cause]:
    """By its own limit, by that of a slice, or by the host's memory: which one the kernel says alone."""
    line = next((each for each in incident.lines if each.by_systemd and each.id == _OUT_OF_MEMORY), None)
    if line is None:
        return None
    since = incident.lines[0].at / 1e6
    group = str(incident.properties.get("ControlGroup") or "")
    for each in reversed(kernel(since)):
        found = _OOM_KILL.search(each.text)
        task = found.group("task") if found else ""
        if (found and task.rpartition("/")[2] == incident.unit) or (found and group and task.endswith(group)):
            return _by_limit(incident, found, each)
    return None


def _by_limit(incident: Incident, found: re.Match[str], line: Line) -> Cause:
    name, placed = _last(incident, "MemoryMax", "MemoryLimit")
    limit = size(incident.properties.get("MemoryMax"))
    peak = size(incident.properties.get("MemoryPeak"))
    used = f" (it used {peak} at most)" if peak else ""
    owner = (found.group("group") or "").rpartition("/")[2]
    if found.group("constraint") == "CONSTRAINT_NONE":
        what = "the host had no memory left, and the kernel killed it for that"
        return cause(what, "give the host more, or limit what uses it by MemoryMax=", line)
    if owner == incident.unit:
        what = f"it was killed as it needed more memory than {assigned(name, limit, placed)} lets it{used}"
        return cause(what, "raise MemoryMax=, or see what takes the memory", line, name, placed)
    what = f"it was killed as all units in {owner} together needed more memory than MemoryMax= of that lets them"
    return cause(what, f"raise MemoryMax= of {owner}, or limit the others in it", line)


def killed(incident: Incident) -> Optional[Cause]:
    ended = incident.exit
    if ended is None or ended.code not in ("killed", "dumped"):
        return None
    whose = "its main process" if ended.command in ("", "ExecStart") else f"{ended.command}="
    if ended.status == signal.SIGSYS:
        return _forbidden_call(incident, whose)
    if ended.status in _CORES:
        name = signal.Signals(ended.status).name
        stack = "coredumpctl info shows where" if ended.code == "dumped" else "its own output says where, if it does"
        remedy = f"{stack}; look into the program, and what Limit...= of the unit it may run into"
        if incident.is_set("MemoryDenyWriteExecute"):
            denied = at("MemoryDenyWriteExecute", incident.placed("MemoryDenyWriteExecute")[-1])
            remedy = f"if it compiles as it runs (JIT), as Node.js does, set {denied} to no; else {remedy}"
        return cause(f"{whose} crashed by {name}", remedy, ended.line)
    if ended.status == signal.SIGXCPU and incident.placed("LimitCPU"):
        placed = incident.placed("LimitCPU")[-1]
        what = f"{whose} used up the time of {assigned('LimitCPU', placed.value, placed)}"
        return cause(what, "raise it, or leave it out", ended.line, "LimitCPU", placed)
    if ended.status == signal.SIGXFSZ and incident.placed("LimitFSIZE"):
        placed = incident.placed("LimitFSIZE")[-1]
        what = f"{whose} wrote a file larger than {assigned('LimitFSIZE', placed.value, placed)} lets it"
        return cause(what, "raise it, or leave it out", ended.line, "LimitFSIZE", placed)
    return None


def _forbidden_call(incident: Incident, whose: str) -> Optional[Cause]:
    """SIGSYS comes of a filter: of the unit's, where it has one, and the program may have one of its own."""
    names = [name for name in ("SystemCallFilter", "SystemCallArchitectures") if incident.placed(name)]
    if not names or incident.placed("SystemCallErrorNumber") or incident.exit is None:
        return None
    placed = incident.placed(names[0])[-1]
    what = f"{whose} was killed by SIGSYS, for a system call that {at(names[0], placed)} forbids"
    remedy = (
        "allow it: SystemCallLog= or the kernel's audit line (type=1326) tells which, systemd-analyze syscall-filter"
    )
    return cause(what, f"{remedy} in which group it is", incident.exit.line, names[0], placed)


def resources(incident: Incident) -> Optional[Cause]:
    line = incident.by_systemd("Failed to load environment files")
    if line is None:
        return None
    number = error_of(line)
    for placed in incident.placed("EnvironmentFile"):
        path = placed.value.strip("\"'")
        if path.startswith("-") or not path.startswith("/") or "%" in path:
            continue
        if number == errno.ENOENT and not names_a_file(path):
            what = f"{path} of {at('EnvironmentFile', placed)} is not there{led_by(incident, path)}"
            return cause(what, "make it, or begin the value with -", line, "EnvironmentFile", placed)
        if number == errno.EISDIR and os.path.isdir(path):
            what = f"{path} of {at('EnvironmentFile', placed)} is a folder"
            return cause(what, f"name the files in it, as by {path}/*.env", line, "EnvironmentFile", placed)
        if number == errno.EACCES and incident.of_user and not os.access(path, os.R_OK):
            what = f"{path} of {at('EnvironmentFile', placed)} may not be read ({mode_of(path)})"
            return cause(what, "let the user of this manager read it", line, "EnvironmentFile", placed)
    return None


def given_up(incident: Incident) -> Optional[Cause]:
    """A socket, path or timer starts no more what has been started too often."""
    own_text = {
        name: [each.value for each in placed] for name, placed in incident.text.get(incident.section, {}).items()
    }
    started = started_by(incident.unit, {incident.section: own_text})
    line = incident.by_systemd("Failed with result")
    if not started or line is None:
        return None
    own = incident.result == "trigger-limit-hit"
    limit = "TriggerLimitBurst= of it" if own else f"StartLimitBurst= of {started}"
    what = f"it has started {started} too often, and does so no more ({limit})"
    remedy = f"see why that ends so soon each time; then systemctl reset-failed {started}, and start this one anew"
    return cause(what, remedy, line)


# By systemd's word for the result.
BY_RESULT: Dict[str, Why] = {
    "timeout": timeout,
    "protocol": protocol,
    "watchdog": watchdog,
    "signal": killed,
    "core-dump": killed,
    "resources": resources,
    "trigger-limit-hit": given_up,
    "unit-start-limit-hit": given_up,
    "service-start-limit-hit": given_up,
}

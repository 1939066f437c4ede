# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How a unit's processes ended, in systemd's properties and in words: which command, its status, and what that means.

Private to the collection.
"""

from __future__ import annotations

import glob
import os
import re
from typing import Dict, NamedTuple

from .manager import Properties

# Commands of a unit beside its main process, in the order in which they run.
_COMMANDS = (
    *("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"),
    *("ExecMount", "ExecRemount", "ExecUnmount", "ExecActivate", "ExecDeactivate", "ExecStopPre"),
)
ENDINGS = ("Result", "ExecMainCode", "ExecMainStatus", "EnvironmentFiles", *_COMMANDS)
_COMMAND = re.compile(r"ignore_errors=(?P<ignored>\w+) .* code=(?P<code>\w+) ; status=(?P<status>\d+)")
_ENVIRONMENT = re.compile(r"(?P<path>.*) \(ignore_errors=no\)")
_EXITED = "exit status"
# waitid(2), si_code, as a number for the main process and as a word for the others.
_CODES = {"1": _EXITED, "2": "signal", "3": "signal, core dumped"}
_WORDS = {"exited": _EXITED, "killed": "signal", "dumped": "signal, core dumped"}
# systemd.exec(5), "Process Exit Codes", and src/shared/exit-status.c: the step that failed before the program ran.
_STEPS: Dict[int, str] = {
    200: "CHDIR: WorkingDirectory= is not there, or may not be entered",
    201: "NICE: Nice= may not be set so high here",
    202: "FDS: OpenFile= is not there, or LimitNOFILE= too small",
    203: "EXEC: the program cannot be run",
    204: "MEMORY: there is not enough of it to start",
    205: "LIMITS: a Limit...= is above what may be set here",
    206: "OOM_ADJUST: OOMScoreAdjust= may not be set so low here",
    207: "SIGNAL_MASK",
    208: "STDIN: StandardInput= cannot be opened",
    209: "STDOUT: StandardOutput= cannot be opened",
    210: "CHROOT: RootDirectory= is not there",
    211: "IOPRIO: IOSchedulingClass= may not be set here",
    212: "TIMERSLACK: TimerSlackNSec= may not be set here",
    213: "SECUREBITS: SecureBits= may not be set here",
    214: "SETSCHEDULER: CPUSchedulingPolicy= may not be set here",
    215: "CPUAFFINITY: a CPU of CPUAffinity= is not there",
    216: "GROUP: there is no such group, or it may not be taken",
    217: "USER: there is no such user, or it may not be taken",
    218: "CAPABILITIES: some of them may not be given here",
    219: "CGROUP: its cgroup cannot be made or entered",
    220: "SETSID",
    221: "CONFIRM: someone at the console has refused it",
    222: "STDERR: StandardError= cannot be opened",
    224: "PAM: the session of PAMName= cannot be opened",
    225: "NETWORK: its network namespace cannot be set up",
    226: "NAMESPACE: a path of the sandbox is not there",
    227: "NO_NEW_PRIVILEGES",
    228: "SECCOMP: a system call filter cannot be set here",
    229: "SELINUX_CONTEXT: there is no such context",
    230: "PERSONALITY: this machine has no such Personality=",
    231: "APPARMOR: AppArmorProfile= is not loaded",
    232: "ADDRESS_FAMILIES: RestrictAddressFamilies= cannot be set here",
    233: "RUNTIME_DIRECTORY: it cannot be made, or something is in its place",
    235: "CHOWN: what it listens at cannot be given to SocketUser= and SocketGroup=",
    236: "SMACK_PROCESS_LABEL: it cannot be set here",
    237: "KEYRING: no keyring can be made, maybe for its quota",
    238: "STATE_DIRECTORY: it cannot be made, or something is in its place",
    239: "CACHE_DIRECTORY: it cannot be made, or something is in its place",
    240: "LOGS_DIRECTORY: it cannot be made, or something is in its place",
    241: "CONFIGURATION_DIRECTORY: it cannot be made, or something is in its place",
    242: "NUMA_POLICY: it cannot be set here",
    243: "CREDENTIALS: one of them is not there, or cannot be read",
    244: "BPF: RestrictFileSystems= cannot be set here",
    245: "KSM: MemoryKSM= cannot be set here",
}


# Of a start, a stop or a reload; that result is all that systemd keeps of it.
_TOO_LATE = " (it took longer than TimeoutStartSec=, TimeoutStopSec= or TimeoutSec= lets it)"


class Ending(NamedTuple):
    """How the process ended that decides: its command, "" for the main one; how it ended; its status or signal."""

    command: str
    by: str
    status: str


def ended(shown: Properties) -> Ending:
    """The main process, or where that has not failed the first command that has."""
    status = shown.get("ExecMainStatus", "")
    main = Ending("", _CODES.get(shown.get("ExecMainCode", ""), ""), status)
    if shown.get("Result", "success") == "success" or (main.by and status != "0"):
        return main
    for command in _COMMANDS:
        for found in _COMMAND.finditer(shown.get(command, "")):
            by, status = _WORDS.get(found.group("code"), ""), found.group("status")
            if by and status != "0" and found.group("ignored") == "no":
                return Ending(command, by, status)
    return main


def describe(shown: Properties) -> str:
    """systemd's own words on how a unit's process ended."""
    result, how = shown.get("Result", ""), ended(shown)
    parts = [f"result {result}{gloss(shown)}"] if result else []
    if how.by and how.status:
        of_command = f" of {how.command}=" if how.command else ""
        parts.append(f"{how.by} {how.status}{meaning(how.status) if how.by == _EXITED else ''}{of_command}")
    return ", ".join(parts) or "no result"


def gloss(shown: Properties) -> str:
    """What a result may come from, as it stands behind the word; "" where that needs none. A cause says it better."""
    result = shown.get("Result", "")
    return _resources(shown) if result == "resources" else _TOO_LATE if result == "timeout" else ""


def meaning(status: str) -> str:
    """What an exit status says of a step of systemd's, as it stands behind the number; "" for any other."""
    found = _STEPS.get(int(status), "") if status.isdigit() else ""
    return f" ({found})" if found else ""


def step_of(status: int) -> str:
    """The step of systemd's that an exit status stands for, "" for any other."""
    return _STEPS.get(status, "").partition(":")[0]


def names_a_file(pattern: str) -> bool:
    """Does a value of EnvironmentFile= name one that is there, be it by a pattern? As glob(7) has a backslash."""
    return any(map(os.path.exists, glob.glob(re.sub(r"\\(.)", r"[\1]", pattern))))


def _resources(shown: Properties) -> str:
    """What was not there. PID 1 does not say it, and its own line names no file (up to 262)."""
    needed = [found.group("path") for found in _ENVIRONMENT.finditer(shown.get("EnvironmentFiles", ""))]
    missing = [path for path in needed if not names_a_file(path)]
    if missing:
        return f" (EnvironmentFile= {', '.join(missing)} is not there: make it, or begin the value with -)"
    return " (an address in use, or something else that it needs of the host; its last lines say what)"

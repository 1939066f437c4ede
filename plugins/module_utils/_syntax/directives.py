# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a version of systemd knows, and what it takes to put the change of a directive into force.

Private to the collection.
"""

from __future__ import annotations

import difflib
import enum
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from .rule import Refused, shown
from .tables import names
from .versions import came_with

# The section of each kind of unit beside [Unit] and [Install]; [Target] and [Device] hold nothing but X- names.
SECTIONS: Dict[str, Optional[str]] = {
    "service": "Service",
    "socket": "Socket",
    "timer": "Timer",
    "path": "Path",
    "mount": "Mount",
    "automount": "Automount",
    "swap": "Swap",
    "slice": "Slice",
    "scope": "Scope",
    "target": None,
    "device": None,
}
# Kinds that run processes, and so take the directives of systemd.exec(5).
EXEC_KINDS = ("service", "socket", "mount", "swap")

# Read without effect: these five by every version, and the rest by 262 (a warning each), with what to use instead.
_IGNORED_BY_ALL = names("IgnoreOnSnapshot BusPolicy Capabilities NetClass SysVStartPriority")
_DROPPED = {
    "BlockIOAccounting": "IOAccounting",
    "BlockIODeviceWeight": "IODeviceWeight",
    "BlockIOReadBandwidth": "IOReadBandwidthMax",
    "BlockIOWeight": "IOWeight",
    "BlockIOWriteBandwidth": "IOWriteBandwidthMax",
    "CPUAccounting": "",
    "CPUShares": "CPUWeight",
    "DefaultMemoryLow": "",
    "DefaultMemoryMin": "",
    "DefaultStartupMemoryLow": "",
    "ManagedOOMMemoryPressureLimitPercent": "ManagedOOMMemoryPressureLimit",
    "MemoryLimit": "MemoryMax",
    "StartupBlockIOWeight": "StartupIOWeight",
    "StartupCPUShares": "StartupCPUWeight",
}
_CGROUP_SECTIONS = names("Service Socket Mount Swap Slice Scope")


@dataclass(frozen=True)
class Catalogue:
    """The directives of one systemd: section -> directive -> type."""

    version: int
    sections: Mapping[str, Mapping[str, str]]

    def type_of(self, section: str, directive: str) -> Optional[str]:
        """The type the dump gives ("BOOLEAN", "PATH [...]"), None for what it does not list."""
        return self.sections.get(section, {}).get(directive)

    def complaint(self, kind: str, section: str, directive: str = "") -> Optional[str]:
        """What is wrong with a directive in a section of that kind of unit, with the mend; None if nothing is.

        Without a directive the section alone is judged. X- names are the user's own (systemd.unit(5)).
        """
        if section.startswith("X-"):
            return None
        own = SECTIONS[kind] or kind.capitalize()
        valid = ("Unit", own, "Install")
        if section not in valid:
            return self._foreign_section(kind, section, valid)
        if not directive or directive.startswith("X-") or self.type_of(section, directive) is not None:
            return None
        if directive.lower() in ("true", "false"):
            return f"YAML made {directive} of a key written on, off, yes or no: quote it"
        return (
            self._without_effect(section, directive)
            or self._elsewhere(section, directive, valid)
            or self._newer(section, directive)
            or self._newer(own, directive)
            or self._newer("Unit", directive)
            or self._foreign(directive, valid)
            or self._misspelt(section, directive, valid)
        )

    def _foreign_section(self, kind: str, section: str, valid: Tuple[str, ...]) -> str:
        for name in valid:
            if name.lower() == section.lower():
                return f"[{section}] is written [{name}]"
        if section in self.sections:
            return f"[{section}] does not belong in a .{kind}, which has {_and(f'[{name}]' for name in valid)}"
        near = difflib.get_close_matches(section, valid, n=1)
        mend = f"did you mean [{near[0]}]?" if near else f"a .{kind} has {_and(f'[{name}]' for name in valid)}"
        return f"there is no section {shown(section)}: {mend}"

    def _without_effect(self, section: str, directive: str) -> Optional[str]:
        known = section in _CGROUP_SECTIONS and directive in _DROPPED
        if not known and directive not in _IGNORED_BY_ALL:
            return None
        newer = _DROPPED.get(directive, "")
        mend = f"use {newer}" if newer else "leave it out"
        return f"{directive} has no effect in systemd {self.version}: {mend}"

    def _elsewhere(self, section: str, directive: str, valid: Tuple[str, ...]) -> Optional[str]:
        for other in valid:
            if other != section and self.type_of(other, directive) is not None:
                return f"{directive} belongs in [{other}], not in [{section}]"
        return None

    def _newer(self, section: str, directive: str) -> Optional[str]:
        came = came_with(section, directive)
        if not came or came[1] <= self.version:
            return None
        first, last = came
        when = f"systemd {last}" if first == last else f"a systemd of {first} to {last}"
        return f"{directive} came to [{section}] with {when}; this host has {self.version}"

    def _foreign(self, directive: str, valid: Tuple[str, ...]) -> Optional[str]:
        homes = [name for name in self.sections if name not in valid and directive in self.sections[name]]
        if not homes:
            return None
        return f"{directive} belongs in {_and(f'[{name}]' for name in homes)}, which is for another kind of unit"

    def _misspelt(self, section: str, directive: str, valid: Tuple[str, ...]) -> str:
        for name in (section, *valid):
            for known in self.sections.get(name, {}):
                if known.lower() == directive.lower():
                    return f"{shown(directive)} is written {known}" + (f", in [{name}]" if name != section else "")
        near: List[str] = difflib.get_close_matches(directive, self.sections.get(section, {}), n=1, cutoff=0.7)
        mend = (
            f"did you mean {near[0]}?" if near else "look in the man pages of that version, or start its name with X-"
        )
        return f"systemd {self.version} knows no {shown(directive)} in [{section}]: {mend}"


def _and(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def parse_dump(text: str, version: int) -> Catalogue:
    """Read the output of `systemd --dump-configuration-items`: sections with lines Directive=TYPE.

    Raises Refused for text that is no such dump, as then every directive would be called unknown.
    """
    sections: Dict[str, Dict[str, str]] = {}
    current: Dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[] "), {})
        elif "=" in line:
            name, _equals, kind = line.partition("=")
            current[name] = kind
    if "ExecStart" not in sections.get("Service", {}):
        raise Refused("this is no output of 'systemd --dump-configuration-items'")
    return Catalogue(version, sections)


class Effect(enum.Enum):
    """What puts the change of a directive into force, daemon-reload apart, which all of them need."""

    RESTART = "restart"
    LIVE = "live"
    CGROUP = "cgroup"
    JOB = "job"
    INSTALL = "install"
    NONE = "none"
    REBIND = "rebind"
    REMOUNT = "remount"


# [Unit]: what only the next job of the unit looks at. The rest is in force at once.
_JOB = names(
    """
    Wants Requisite Conflicts RequiresMountsFor WantsMountsFor JoinsNamespaceOf DefaultDependencies JobTimeoutSec
    JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument
    """
)
# Dependencies that pull a unit in: where one is added, a `start` of the active unit starts what it names.
GAINS_START = names("Wants Requires BindsTo Upholds")

# What the manager itself looks at when it stops, kills, restarts, reloads or judges a unit, in any section.
_KILL = names("KillMode KillSignal RestartKillSignal FinalKillSignal WatchdogSignal SendSIGHUP SendSIGKILL")
_SERVICE_LIVE = _KILL | names(
    """
    Restart RestartSec RestartSteps RestartMaxDelaySec RestartRandomizedDelaySec RestartMode RestartPreventExitStatus
    RestartForceExitStatus SuccessExitStatus TimeoutSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec
    TimeoutStartFailureMode TimeoutStopFailureMode RuntimeMaxSec ExecStop ExecStopPost ExecReload ExecReloadPost
    ReloadSignal RemainAfterExit ExitType FileDescriptorStoreMax RuntimeDirectoryPreserve
    StartLimitInterval StartLimitBurst StartLimitAction FailureAction RebootArgument
    """
)
# What a socket unit looks at with each connection, or when it stops.
_SOCKET_LIVE = _KILL | names(
    """
    Service MaxConnections MaxConnectionsPerSource TriggerLimitIntervalSec TriggerLimitBurst PollLimitIntervalSec
    PollLimitBurst TimeoutSec ExecStopPre ExecStopPost RemoveOnStop
    """
)
_CGROUP = names(
    """
    AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes CPUWeight StartupCPUWeight CPUQuota
    CPUQuotaPeriodSec CPUAccounting CPUShares StartupCPUShares MemoryMin MemoryLow MemoryHigh MemoryMax MemorySwapMax
    MemoryZSwapMax MemoryZSwapWriteback StartupMemoryLow StartupMemoryHigh StartupMemoryMax StartupMemorySwapMax
    StartupMemoryZSwapMax DefaultMemoryMin DefaultMemoryLow DefaultStartupMemoryLow MemoryLimit MemoryAccounting
    TasksMax TasksAccounting IOAccounting IOWeight StartupIOWeight IODeviceWeight IOReadBandwidthMax
    IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec BlockIOAccounting BlockIOWeight
    StartupBlockIOWeight BlockIODeviceWeight BlockIOReadBandwidth BlockIOWriteBandwidth DeviceAllow DevicePolicy
    IPAccounting IPAddressAllow IPAddressDeny OOMPolicy ManagedOOMSwap ManagedOOMMemoryPressure
    ManagedOOMMemoryPressureLimit ManagedOOMMemoryPressureLimitPercent ManagedOOMMemoryPressureDurationSec
    ManagedOOMPreference
    """
)


def effect(kind: str, section: str, directive: str) -> Effect:
    """What it takes to put a changed, added or removed directive of a running unit into force.

    Measured on 252 and 257 (limits in a virtual machine with real controllers), with what is read at the same
    place beside it; what was not measured counts as needing the strongest remedy of its kind. LIVE: nothing;
    CGROUP: nothing on 252, but on 257 the limits sleep until a unit of the slice starts; JOB: the next start looks
    at it; REBIND: the socket and its service have to stop together; REMOUNT: `reload` of a mount; INSTALL: enable
    anew, no job; NONE: X- names. A slice is never restarted, as its services would go with it, nor a timer, which
    would lose its base.
    """
    if section.startswith("X-") or directive.startswith("X-"):
        return Effect.NONE
    if section == "Install":
        return Effect.INSTALL
    if section == "Unit":
        job = directive in _JOB or directive.startswith(("Condition", "Assert"))
        return Effect.JOB if job else Effect.LIVE
    if kind in ("service", "socket", "slice", "scope") and directive in _CGROUP:
        return Effect.CGROUP
    if kind == "service":
        return Effect.LIVE if directive in _SERVICE_LIVE else Effect.RESTART
    if kind == "socket":
        return Effect.LIVE if directive in _SOCKET_LIVE else Effect.REBIND
    if kind == "mount" and directive == "Options":
        return Effect.REMOUNT
    return Effect.RESTART if kind in ("mount", "automount", "swap") else Effect.LIVE

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a version of systemd knows, and what it takes to put the change of a directive into force.

Private to the collection.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from .kinds import CGROUP_SECTIONS, KINDS, Effect
from .likeness import likeness, near
from .relations import RELATIONS, Does
from .rule import Refused, Rule, Severity, shown
from .versions import came_with

UNKNOWN = Rule(
    "unknown-directive",
    Severity.ERROR,
    "this systemd knows no such section or directive there, or reads it without effect",
    "the message names the nearest one, the section it belongs in, or the version that brought it",
    "systemd --dump-configuration-items, as the host answers it",
)

# Read without effect: these five by every version, and the rest by 262 (a warning each), with what to use instead.
_WORDS = re.compile(r"[A-Z]{2,}[a-z]?(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]|[^A-Za-z0-9]+")
_NEAR_ENOUGH = 0.6
_IGNORED_BY_ALL = frozenset("IgnoreOnSnapshot BusPolicy Capabilities NetClass SysVStartPriority".split())
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


# What holds one value: by its type in the dump (the parsers of src/core/load-fragment.c), and by name where the dump
# says no more than OTHER. Not so: paths to wait for, limits by device, and the search path.
_TYPES_OF_ONE = frozenset(
    """
    ACCESS ACTION BOOLEAN CPUSCHEDPOLICY CPUSCHEDPRIO CPUWEIGHT ERRNO FACILITY INPUT INTEGER IOCLASS IOPRIORITY
    KILLMODE LABEL LEVEL LIMIT LONG MODE MOUNTFLAG NANOSECONDS NETWORKINTERFACE NICE OOMSCOREADJUST OUTPUT PATH
    PERSONALITY POLICY SECONDS SERVICE SERVICEEXITTYPE SERVICERESTART SERVICERESTARTMODE SERVICETYPE SHARES
    SIGNAL SIZE SLICE SOCKETBIND STRING TIMEOUTMODE TOS UNIT UNSIGNED WEIGHT
    """.split()
)
_HOLD_ONE = frozenset(
    """
    AppArmorProfile BusName CPUQuota CPUQuotaPeriodSec CollectMode DefaultInstance DelegateSubgroup
    FileDescriptorName FileDescriptorStorePreserve Group JobRunningTimeoutSec JobTimeoutSec KeyringMode
    LogNamespace ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMPreference ManagedOOMSwap
    MemoryKSM MountAPIVFS OOMPolicy PIDFile Priority PrivateMounts PrivatePIDs PrivateTmp PrivateUsers
    ProcSubset ProtectControlGroups ProtectHome ProtectHostname ProtectProc ProtectSystem RebootArgument
    RootHash RuntimeDirectoryPreserve SocketGroup SocketProtocol SocketUser TTYColumns TTYRows TasksMax
    TimeoutAbortSec TimeoutIdleSec TimeoutSec TimeoutStopSec Timestamping User UtmpMode WorkingDirectory
    """.split()
)
_LISTS_BY_SECTION = ("Path",)
_BY_DEVICE = ("IORead", "IOWrite", "BlockIORead", "BlockIOWrite")
_LISTS = ("ExecSearchPath",)


class Catalogue(NamedTuple):
    """The directives of one systemd: section -> directive -> type."""

    version: int
    sections: Mapping[str, Mapping[str, str]]

    def type_of(self, section: str, directive: str) -> Optional[str]:
        """The type the dump gives ("BOOLEAN", "PATH [...]"), None for what it does not list."""
        return self.sections.get(section, {}).get(directive)

    def holds_one(self, section: str, directive: str) -> bool:
        """Does it hold one value, so that of several assignments the last counts? False where that is not known."""
        if section in _LISTS_BY_SECTION or directive.startswith(_BY_DEVICE) or directive in _LISTS:
            return False
        return self.type_of(section, directive) in _TYPES_OF_ONE or directive in _HOLD_ONE

    def complaint(self, kind: str, section: str, directive: str = "") -> Optional[str]:
        """What is wrong with a directive in a section of that kind of unit, with the mend; None if nothing is.

        Without a directive the section alone is judged. X- names are the user's own (systemd.unit(5)).
        """
        if section.startswith("X-"):
            return None
        own = KINDS[kind].section
        valid = ("Unit", own, "Install")
        if section not in valid:
            return self._foreign_section(kind, section, valid)
        if not directive or self.type_of(section, directive) is not None or directive.startswith("X-"):
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
        found = near(section, valid)
        mend = f"did you mean [{found[0]}]?" if found else f"a .{kind} has {_and(f'[{name}]' for name in valid)}"
        return f"there is no section {shown(section)}: {mend}"

    def _without_effect(self, section: str, directive: str) -> Optional[str]:
        known = section in CGROUP_SECTIONS and directive in _DROPPED
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
        near = _nearest(directive, self.sections.get(section, {}))
        mend = f"did you mean {near}?" if near else "look in the man pages of that version, or start its name with X-"
        return f"systemd {self.version} knows no {shown(directive)} in [{section}]: {mend}"


def _nearest(directive: str, known: Iterable[str]) -> str:
    """The directive that one may have meant, "" if none is near.

    Words at the beginning that many share, such as Condition, make nothing near: what comes after them has to be.
    """
    close = near(directive, known, most=10, least=0.7)
    return next((each for each in close if _alike(_WORDS.findall(directive), _WORDS.findall(each))), "")


def _alike(one: List[str], other: List[str]) -> bool:
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    rest = likeness("".join(one), "".join(other))
    return not one or not other or rest >= _NEAR_ENOUGH


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


# [Unit]: what only the next job of the unit looks at. The rest is in force at once.
_JOB = frozenset(
    """
    Wants Requisite Conflicts RequiresMountsFor WantsMountsFor JoinsNamespaceOf DefaultDependencies
    JobTimeoutSec JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument
    """.split()
)
# Dependencies that pull a unit in: where one is added, a `start` of the active unit starts what it names.
GAINS_START = frozenset(name for name, relation in RELATIONS.items() if relation.start is Does.START)


@lru_cache(maxsize=None)
def effect(kind: str, section: str, directive: str) -> Effect:
    """What it takes to put a changed, added or removed directive of a running unit into force.

    Measured on 252 and 257 (limits in a virtual machine with real controllers), with what is read at the same
    place beside it.
    """
    if section.startswith("X-") or directive.startswith("X-"):
        return Effect.NONE
    if section == "Install":
        return Effect.INSTALL
    if section == "Unit":
        job = directive in _JOB or directive.startswith(("Condition", "Assert"))
        return Effect.JOB if job else Effect.LIVE
    return KINDS[kind].change.of(directive)

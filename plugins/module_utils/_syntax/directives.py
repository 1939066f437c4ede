# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a version of systemd knows, and what it takes to put the change of a directive into force.

Private to the collection.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, Mapping, NamedTuple, Optional

from .effects import Effect
from .kinds import KINDS
from .rule import Refused, Rule, Severity

UNKNOWN = Rule(
    "unknown-directive",
    Severity.ERROR,
    "this systemd knows no such section or directive there, or reads it without effect",
    "the message names the nearest one, the section it belongs in, or the version that brought it",
    "systemd --dump-configuration-items, as the host answers it",
)

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
_WHOLE_SECTIONS = tuple(row.section for row in KINDS.values() if row.own.lists.whole)
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
        if section in _WHOLE_SECTIONS or directive.startswith(_BY_DEVICE) or directive in _LISTS:
            return False
        return self.type_of(section, directive) in _TYPES_OF_ONE or directive in _HOLD_ONE

    def complaint(self, kind: str, section: str, directive: str = "") -> Optional[str]:
        """What is wrong with a directive in a section of that kind of unit, with the mend; None if nothing is.

        Without a directive the section alone is judged. X- names are the user's own (systemd.unit(5)).
        """
        if section.startswith("X-"):
            return None
        valid = ("Unit", KINDS[kind].section, "Install")
        if section in valid and (
            not directive or self.type_of(section, directive) is not None or directive.startswith("X-")
        ):
            return None
        from . import unknown  # noqa: PLC0415 (a run in which all is known, the most common, is spared it)

        return unknown.complaint(self, kind, section, directive, valid)


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

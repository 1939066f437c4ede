# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The types of units, a row for each: all that the rest has to know of one stands here.

By the manual of each type (systemd.service(5) and the like); what takes effect when was measured on 252 and 257.
Private to the collection.
"""

from __future__ import annotations

import enum
from typing import Dict, FrozenSet, NamedTuple, Tuple


class File(enum.Enum):
    """Whether a file defines units of a type; OPTIONAL: systemd makes one itself where there is no file."""

    NEEDED = "needed"
    OPTIONAL = "optional"
    NEVER = "never"


class Naming(enum.Enum):
    """What the name of a unit has to be: free, the escaped path that it is for, or its parents with dashes between."""

    FREE = "free"
    PATH = "path"
    PARENTS = "parents"


class Processes(enum.Enum):
    """What runs in a unit: the one that it is up for, commands on its way up or down, or what others have started."""

    MAIN = "main"
    COMMANDS = "commands"
    FOREIGN = "foreign"
    NONE = "none"


class Cgroup(enum.Enum):
    """Whether a unit has a cgroup: one for its processes, or one for the cgroups of other units."""

    OWN = "own"
    PARENT = "parent"
    NONE = "none"


class Cause(enum.Enum):
    """What makes a unit start another: a time, an event at any moment, or a process that uses what it stands for."""

    TIME = "time"
    EVENT = "event"
    USE = "use"
    NONE = "none"


class Effect(enum.Enum):
    """What puts the change of a directive into force, daemon-reload apart, which all of them need.

    LIVE: nothing more. CGROUP: nothing more on 252, but on 257 the limits sleep until a unit of the slice starts. JOB:
    the next job looks at it. NEXT: so do the commands that bring it up, and what is up is none of them. REMOUNT: a
    reload of the mount. REBIND: the socket and its service have to stop together. INSTALL: its links are made anew.
    """

    RESTART = "restart"
    NEXT = "next"
    LIVE = "live"
    CGROUP = "cgroup"
    JOB = "job"
    INSTALL = "install"
    NONE = "none"
    REBIND = "rebind"
    REMOUNT = "remount"


class Activation(NamedTuple):
    """What units of a type start.

    kind: the type of what they start, by their own name unless they say another. directive: says another. each: makes
    them start an instance for each connection. cause: when they do. hands_over: they open something and pass it on, so
    they cannot start while what they start runs, and it loses that when they go.
    """

    kind: str
    directive: str
    each: str
    cause: Cause
    hands_over: bool


class Change(NamedTuple):
    """What puts a change of a type's own section into force: otherwise, but for the directives that are named.

    What was not measured counts as needing the strongest remedy of its kind.
    """

    otherwise: Effect
    named: Tuple[Tuple[Effect, FrozenSet[str]], ...] = ()

    def of(self, directive: str) -> Effect:
        return next((effect for effect, directives in self.named if directive in directives), self.otherwise)


ANY_SUB = ("any",)


class Restarts(NamedTuple):
    """unused_sub: SubState of one that a restart takes from nobody. undone: why a restart may leave one as it was."""

    unused_sub: Tuple[str, ...] = ANY_SUB
    undone: str = "another job took the place of the restart"


class Kind(NamedTuple):
    """A type of unit.

    name: the suffix. section: its own section beside [Unit] and [Install]. file: whether a file defines it. naming:
    what its name has to be. processes: what runs in it. cgroup: whether it has one. reloadable: systemd takes a reload
    job for it. starts: what it starts. change: what puts a change of its own section into force. good_sub: the
    SubState of one that is active and does what it is for. restarts: what is peculiar about a restart. honours: which
    of SELECTIVE do something for it, at first and when they change; the others are refused by name.
    """

    name: str
    section: str
    file: File
    naming: Naming
    processes: Processes
    cgroup: Cgroup
    reloadable: bool
    starts: Activation
    change: Change
    good_sub: Tuple[str, ...]
    restarts: Restarts
    honours: FrozenSet[str]

    @property
    def runs_commands(self) -> bool:
        """Does it take the directives of systemd.exec(5)?"""
        return self.processes in (Processes.MAIN, Processes.COMMANDS)

    @property
    def has_process(self) -> bool:
        """Is it the unit that a process which goes on is of, whoever started that?"""
        return self.processes in (Processes.MAIN, Processes.FOREIGN)

    @property
    def is_option(self) -> bool:
        """Do modules take its section as an option? A file has to define it, and not of X- names alone."""
        return self.file is not File.NEVER and self.change.otherwise is not Effect.NONE

    @property
    def is_of_kernel(self) -> bool:
        """Is it up by what the kernel has, whoever brought that about (systemd.mount(5), systemd.swap(5))?"""
        return self.naming is Naming.PATH and self.processes is Processes.COMMANDS

    @property
    def over_folder(self) -> bool:
        """Does what is up of it lie over the folder that it is named after?"""
        return self.naming is Naming.PATH and "mount" in (self.name, self.starts.kind)

    @property
    def is_starter(self) -> bool:
        return self.starts.cause is not Cause.NONE

    @property
    def goes_by_time(self) -> bool:
        return self.starts.cause is Cause.TIME

    @property
    def can_fall(self) -> bool:
        """May it fall after it has come up? A process does, and what starts others over and over (systemd.path(5))."""
        return self.processes is Processes.MAIN or self.starts.cause is Cause.EVENT


# Options of an entry that are not for every type; all others are. What is not in the text of a unit needs a process
# that goes on, as only of that is known what it was started with.
SELECTIVE = frozenset(["environment", "secrets", "credentials", "triggers", "run", "hardening"])
_OF_PROGRAMS = SELECTIVE
_OF_COMMANDS = frozenset(["environment"])
_OF_NO_PROCESS: FrozenSet[str] = frozenset()

_NOTHING = Activation("", "", "", Cause.NONE, hands_over=False)

# What the manager itself looks at when it stops, kills, restarts, reloads or judges a unit.
_KILL = frozenset(
    """
    KillMode KillSignal RestartKillSignal FinalKillSignal WatchdogSignal SendSIGHUP SendSIGKILL
    """.split()
)
SERVICE_LIVE = _KILL | frozenset(
    """
    Restart RestartSec RestartSteps RestartMaxDelaySec RestartRandomizedDelaySec RestartMode
    RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus TimeoutSec TimeoutStartSec TimeoutStopSec
    TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode RuntimeMaxSec ExecStop ExecStopPost
    ExecReload ExecReloadPost ReloadSignal RemainAfterExit ExitType FileDescriptorStoreMax
    RuntimeDirectoryPreserve StartLimitInterval StartLimitBurst StartLimitAction FailureAction RebootArgument
    """.split()
)
# What a socket unit looks at with each connection, or when it stops.
SOCKET_LIVE = _KILL | frozenset(
    """
    Service MaxConnections MaxConnectionsPerSource TriggerLimitIntervalSec TriggerLimitBurst
    PollLimitIntervalSec PollLimitBurst TimeoutSec ExecStopPre ExecStopPost RemoveOnStop
    """.split()
)
CGROUP = frozenset(
    """
    AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes CPUWeight StartupCPUWeight
    CPUQuota CPUQuotaPeriodSec CPUAccounting CPUShares StartupCPUShares MemoryMin MemoryLow MemoryHigh MemoryMax
    MemorySwapMax MemoryZSwapMax MemoryZSwapWriteback StartupMemoryLow StartupMemoryHigh StartupMemoryMax
    StartupMemorySwapMax StartupMemoryZSwapMax DefaultMemoryMin DefaultMemoryLow DefaultStartupMemoryLow
    MemoryLimit MemoryAccounting TasksMax TasksAccounting IOAccounting IOWeight StartupIOWeight IODeviceWeight
    IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec
    BlockIOAccounting BlockIOWeight StartupBlockIOWeight BlockIODeviceWeight BlockIOReadBandwidth
    BlockIOWriteBandwidth DeviceAllow DevicePolicy IPAccounting IPAddressAllow IPAddressDeny OOMPolicy
    ManagedOOMSwap ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMMemoryPressureLimitPercent
    ManagedOOMMemoryPressureDurationSec ManagedOOMPreference
    """.split()
)
_LIMITS = (Effect.CGROUP, CGROUP)
# What only the next mount or unmount looks at: each was tried on a mount that stays, on 252 and 257.
MOUNT_LIVE = _KILL | frozenset("TimeoutSec DirectoryMode LazyUnmount ForceUnmount SloppyOptions ReadWriteOnly".split())

_ROWS = (
    Kind(
        name="service",
        section="Service",
        file=File.NEEDED,
        naming=Naming.FREE,
        processes=Processes.MAIN,
        cgroup=Cgroup.OWN,
        reloadable=True,
        starts=_NOTHING,
        change=Change(Effect.RESTART, (_LIMITS, (Effect.LIVE, SERVICE_LIVE))),
        good_sub=ANY_SUB,
        restarts=Restarts(),
        honours=_OF_PROGRAMS,
    ),
    Kind(
        name="socket",
        section="Socket",
        file=File.NEEDED,
        naming=Naming.FREE,
        processes=Processes.COMMANDS,
        cgroup=Cgroup.OWN,
        reloadable=False,
        starts=Activation("service", "Service", "Accept", Cause.EVENT, hands_over=True),
        # It has to stop together with what it starts.
        change=Change(Effect.REBIND, (_LIMITS, (Effect.LIVE, SOCKET_LIVE))),
        good_sub=("listening", "running"),
        restarts=Restarts(),
        honours=_OF_COMMANDS,
    ),
    Kind(
        name="target",
        section="Target",
        file=File.NEEDED,
        naming=Naming.FREE,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        reloadable=False,
        starts=_NOTHING,
        change=Change(Effect.NONE),
        good_sub=ANY_SUB,
        restarts=Restarts(),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="timer",
        section="Timer",
        file=File.NEEDED,
        naming=Naming.FREE,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        reloadable=False,
        starts=Activation("service", "Unit", "", Cause.TIME, hands_over=False),
        # A restart would take its base away.
        change=Change(Effect.LIVE),
        good_sub=("waiting", "running"),
        restarts=Restarts(),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="path",
        section="Path",
        file=File.NEEDED,
        naming=Naming.FREE,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        reloadable=False,
        starts=Activation("service", "Unit", "", Cause.EVENT, hands_over=False),
        change=Change(Effect.LIVE),
        good_sub=("waiting", "running"),
        restarts=Restarts(),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="mount",
        section="Mount",
        file=File.NEEDED,
        naming=Naming.PATH,
        processes=Processes.COMMANDS,
        cgroup=Cgroup.OWN,
        reloadable=True,
        starts=_NOTHING,
        # The rest is for the process that mounts, and for one that a file system of FUSE leaves behind.
        change=Change(
            Effect.NEXT,
            (
                _LIMITS,
                (Effect.LIVE, MOUNT_LIVE),
                (Effect.REMOUNT, frozenset(["Options"])),
                (Effect.RESTART, frozenset(["What", "Where", "Type"])),
            ),
        ),
        good_sub=("mounted",),
        restarts=Restarts(undone="it could not be unmounted (its last lines say why)"),
        honours=_OF_COMMANDS,
    ),
    Kind(
        name="automount",
        section="Automount",
        file=File.NEEDED,
        naming=Naming.PATH,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        reloadable=False,
        starts=Activation("mount", "", "", Cause.USE, hands_over=False),
        # The kernel is told the idle time when it starts; a folder is made at its next start, or mount.
        change=Change(Effect.RESTART, ((Effect.LIVE, frozenset(["DirectoryMode"])),)),
        good_sub=("waiting", "running"),
        restarts=Restarts(unused_sub=("waiting",)),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="swap",
        section="Swap",
        file=File.NEEDED,
        naming=Naming.PATH,
        processes=Processes.COMMANDS,
        cgroup=Cgroup.OWN,
        reloadable=False,
        starts=_NOTHING,
        # The rest is for the process that calls swapon(2).
        change=Change(
            Effect.NEXT,
            (
                _LIMITS,
                (Effect.LIVE, _KILL | frozenset(["TimeoutSec"])),
                (Effect.RESTART, frozenset(["What", "Priority", "Options"])),
            ),
        ),
        good_sub=ANY_SUB,
        restarts=Restarts(),
        honours=_OF_COMMANDS,
    ),
    Kind(
        name="slice",
        section="Slice",
        file=File.OPTIONAL,
        naming=Naming.PARENTS,
        processes=Processes.NONE,
        cgroup=Cgroup.PARENT,
        reloadable=False,
        starts=_NOTHING,
        # A restart would take all services in it along.
        change=Change(Effect.LIVE, (_LIMITS,)),
        good_sub=ANY_SUB,
        restarts=Restarts(),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="scope",
        section="Scope",
        file=File.NEVER,
        naming=Naming.FREE,
        processes=Processes.FOREIGN,
        cgroup=Cgroup.OWN,
        reloadable=False,
        starts=_NOTHING,
        change=Change(Effect.LIVE, (_LIMITS,)),
        good_sub=ANY_SUB,
        restarts=Restarts(),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="device",
        section="Device",
        file=File.NEVER,
        naming=Naming.PATH,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        reloadable=False,
        starts=_NOTHING,
        change=Change(Effect.NONE),
        good_sub=ANY_SUB,
        restarts=Restarts(),
        honours=_OF_NO_PROCESS,
    ),
)
KINDS: Dict[str, Kind] = {row.name: row for row in _ROWS}
EXEC_SECTIONS = tuple(row.section for row in _ROWS if row.runs_commands)
CGROUP_SECTIONS = tuple(row.section for row in _ROWS if row.cgroup is not Cgroup.NONE)
# What a name stands for that ends in no type of unit, as one that a file only mentions may.
_NO_KIND = Kind(
    name="",
    section="",
    file=File.NEVER,
    naming=Naming.FREE,
    processes=Processes.NONE,
    cgroup=Cgroup.NONE,
    reloadable=False,
    starts=_NOTHING,
    change=Change(Effect.NONE),
    good_sub=ANY_SUB,
    restarts=Restarts(),
    honours=_OF_NO_PROCESS,
)


def kind_of(unit: str) -> Kind:
    """The type of a unit by its name."""
    _stem, dot, suffix = unit.rpartition(".")
    return KINDS.get(suffix, _NO_KIND) if dot else _NO_KIND

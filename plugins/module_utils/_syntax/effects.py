# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What puts the change of a directive into force. Measured on 252 and 257.

Private to the collection.
"""

from __future__ import annotations

import enum
from typing import FrozenSet, NamedTuple, Tuple


class Effect(enum.Enum):
    """What puts the change of a directive into force, daemon-reload apart, which all of them need.

    LIVE: nothing more. CGROUP: nothing more on 252, but on 257 the limits sleep until a unit of the slice starts. JOB:
    the next job looks at it. NEXT: only the commands that bring the unit up look at it, and what is up stays as it is.
    REMOUNT: a reload of the mount. REBIND: the socket and its service have to stop together. INSTALL: its links are
    made anew.
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


class Change(NamedTuple):
    """What puts a change of a type's own section into force: otherwise, but for the directives that are named.

    What was not measured counts as needing the strongest remedy of its kind.
    """

    otherwise: Effect
    named: Tuple[Tuple[Effect, FrozenSet[str]], ...] = ()

    def of(self, directive: str) -> Effect:
        return next((effect for effect, directives in self.named if directive in directives), self.otherwise)


# What the manager itself looks at when it stops, kills, restarts, reloads or judges a unit.
KILL = frozenset(
    """
    KillMode KillSignal RestartKillSignal FinalKillSignal WatchdogSignal SendSIGHUP SendSIGKILL
    """.split()
)
SERVICE_LIVE = KILL | frozenset(
    """
    Restart RestartSec RestartSteps RestartMaxDelaySec RestartRandomizedDelaySec RestartMode
    RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus TimeoutSec TimeoutStartSec TimeoutStopSec
    TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode RuntimeMaxSec ExecStop ExecStopPost
    ExecReload ExecReloadPost ReloadSignal RemainAfterExit ExitType FileDescriptorStoreMax
    RuntimeDirectoryPreserve StartLimitInterval StartLimitBurst StartLimitAction FailureAction RebootArgument
    """.split()
)
# What a socket unit looks at with each connection, when its service has ended, when it stops, or when it makes the
# folder that it listens in: that of one which is there stays as it is, by a new start, too.
SOCKET_LIVE = KILL | frozenset(
    """
    Service MaxConnections MaxConnectionsPerSource TriggerLimitIntervalSec TriggerLimitBurst
    PollLimitIntervalSec PollLimitBurst TimeoutSec ExecStopPre ExecStopPost RemoveOnStop DirectoryMode FlushPending
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
LIMITS = (Effect.CGROUP, CGROUP)
# What only the next mount or unmount looks at: each was tried on a mount that stays, on 252 and 257.
MOUNT_LIVE = KILL | frozenset("TimeoutSec DirectoryMode LazyUnmount ForceUnmount SloppyOptions ReadWriteOnly".split())

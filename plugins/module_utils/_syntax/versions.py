# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which systemd brought a directive, for those newer than 247, the oldest that is looked after.

From `systemd --dump-configuration-items` of 247, 252, 257 and 262, with the release where a man page of 262 names
it. Private to the collection.
"""

from __future__ import annotations

from typing import FrozenSet, Optional, Tuple

from .tables import names

_EXEC = names("Service Socket Mount Swap")
_CGROUP = names("Service Socket Mount Swap Scope Slice")

# (first, last, sections, directives): it came with a version from first to last.
_NEWER: Tuple[Tuple[int, int, FrozenSet[str], FrozenSet[str]], ...] = (
    (248, 248, names("Unit"), names("ConditionCPUFeature")),
    (248, 248, _EXEC, names("ExtensionImages IPCNamespacePath PrivateIPC")),
    (248, 248, _CGROUP, names("ManagedOOMPreference")),
    (248, 252, names("Scope"), names("OOMPolicy")),
    (
        248,
        252,
        names("Unit"),
        names(
            """
            AssertCPUFeature AssertCPUPressure AssertCredential AssertIOPressure AssertMemoryPressure
            AssertOSRelease OnSuccessJobMode
            """
        ),
    ),
    (248, 252, _EXEC, names("ExecPaths LoadCredentialEncrypted NoExecPaths SetCredentialEncrypted")),
    (248, 252, _CGROUP, names("ManagedOOMMemoryPressureLimit StartupAllowedCPUs StartupAllowedMemoryNodes")),
    (
        249,
        249,
        names("Unit"),
        names(
            """
            ConditionFirmware ConditionOSRelease OnSuccess PropagatesStopTo StopPropagatedFrom Upholds
            """
        ),
    ),
    (249, 249, _CGROUP, names("BPFProgram SocketBindAllow SocketBindDeny")),
    (250, 250, names("Automount"), names("ExtraOptions")),
    (250, 250, names("Path"), names("TriggerLimitBurst TriggerLimitIntervalSec")),
    (250, 250, names("Service"), names("ExitType")),
    (250, 250, names("Unit"), names("ConditionCPUPressure ConditionIOPressure ConditionMemoryPressure")),
    (250, 250, names("Scope Service"), names("RuntimeRandomizedExtraSec")),
    (250, 250, _EXEC, names("ExecSearchPath RestrictFileSystems TTYColumns TTYRows")),
    (250, 250, _CGROUP, names("RestrictNetworkInterfaces")),
    (251, 251, _EXEC, names("ExtensionDirectories")),
    (252, 252, names("Unit"), names("ConditionCredential")),
    (253, 253, names("Service"), names("OpenFile ReloadSignal")),
    (253, 253, _EXEC, names("LogFilterPatterns")),
    (253, 253, _CGROUP, names("MemoryZSwapMax StartupMemoryZSwapMax")),
    (253, 257, names("Install"), names("UpheldBy")),
    (
        253,
        257,
        _CGROUP,
        names(
            """
            DefaultStartupMemoryLow StartupMemoryHigh StartupMemoryLow StartupMemoryMax StartupMemorySwapMax
            """
        ),
    ),
    (254, 254, names("Service"), names("FileDescriptorStorePreserve RestartMaxDelaySec RestartMode RestartSteps")),
    (
        254,
        254,
        _EXEC,
        names(
            """
            ExtensionImagePolicy ImportCredential MemoryKSM MountImagePolicy RootEphemeral RootImagePolicy
            """
        ),
    ),
    (254, 254, _CGROUP, names("DelegateSubgroup MemoryPressureThresholdSec MemoryPressureWatch")),
    (255, 255, names("Socket"), names("PollLimitBurst PollLimitIntervalSec")),
    (255, 255, names("Unit"), names("SurviveFinalKillSignal")),
    (255, 255, _EXEC, names("SetLoginEnvironment")),
    (255, 255, _CGROUP, names("CoredumpReceive NFTSet")),
    (256, 256, names("Socket"), names("PassFileDescriptorsToExec")),
    (256, 256, names("Unit"), names("WantsMountsFor")),
    (256, 256, _CGROUP, names("MemoryZSwapWriteback")),
    (257, 257, names("Timer"), names("DeferReactivation")),
    (257, 257, _EXEC, names("BindLogSockets PrivatePIDs")),
    (257, 257, _CGROUP, names("ManagedOOMMemoryPressureDurationSec")),
    (258, 258, names("Slice"), names("ConcurrencyHardMax ConcurrencySoftMax")),
    (258, 258, names("Socket"), names("AcceptFileDescriptors DeferTrigger DeferTriggerMaxSec PassPIDFD")),
    (258, 258, names("Timer"), names("RandomizedOffsetSec")),
    (258, 258, names("Unit"), names("ConditionKernelModuleLoaded ConditionVersion")),
    (
        258,
        258,
        _EXEC,
        names(
            """
            BPFDelegateAttachments BPFDelegateCommands BPFDelegateMaps BPFDelegatePrograms
            CacheDirectoryAccounting CacheDirectoryQuota DelegateNamespaces LogsDirectoryAccounting
            LogsDirectoryQuota PrivateBPF StateDirectoryAccounting StateDirectoryQuota
            """
        ),
    ),
    (
        258,
        262,
        names("Unit"),
        names(
            """
            AssertFraction AssertKernelModuleLoaded AssertMachineTag AssertPathIsSocket AssertVersion
            """
        ),
    ),
    (259, 259, names("Service"), names("ExecReloadPost")),
    (259, 259, _EXEC, names("UserNamespacePath")),
    (260, 260, names("Service"), names("RefreshOnReload")),
    (260, 260, names("Unit"), names("ConditionPathIsSocket")),
    (260, 260, _EXEC, names("MemoryTHP RootMStack")),
    (260, 260, _CGROUP, names("BindNetworkInterface")),
    (261, 261, names("Unit"), names("ConditionFraction ConditionMachineTag")),
    (
        261,
        261,
        _CGROUP,
        names(
            """
            CPUPressureThresholdSec CPUPressureWatch CPUSetPartition IOPressureThresholdSec IOPressureWatch
            OOMRules
            """
        ),
    ),
    (262, 262, names("Service"), names("LUOSession RestartRandomizedDelaySec")),
    (262, 262, names("Slice"), names("ActivatingConcurrencyMax")),
    (262, 262, names("Socket"), names("XAttrAccept XAttrEntryPoint XAttrListen")),
)


def came_with(section: str, directive: str) -> Optional[Tuple[int, int]]:
    """The first and last version that may have brought it; None for what is older than 248, or not known."""
    for first, last, sections, directives in _NEWER:
        if directive in directives and section in sections:
            return first, last
    return None

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which systemd brought a directive, for those newer than 247, the oldest that is looked after.

From `systemd --dump-configuration-items` of 247, 252, 257 and 262, with the release where a man page of 262 names
it. Private to the collection.
"""

from __future__ import annotations

from typing import Optional, Tuple

from .kinds import CGROUP_SECTIONS, EXEC_SECTIONS

# (first, last, sections, directives): these came with a version from first to last.
_NEWER: Tuple[Tuple[int, int, Tuple[str, ...], str], ...] = (
    (248, 248, ("Unit",), "ConditionCPUFeature"),
    (248, 248, EXEC_SECTIONS, "ExtensionImages IPCNamespacePath PrivateIPC"),
    (248, 248, CGROUP_SECTIONS, "ManagedOOMPreference"),
    (248, 252, ("Scope",), "OOMPolicy"),
    (
        248,
        252,
        ("Unit",),
        "AssertCPUFeature AssertCPUPressure AssertCredential AssertIOPressure AssertMemoryPressure "
        "AssertOSRelease OnSuccessJobMode",
    ),
    (248, 252, EXEC_SECTIONS, "ExecPaths LoadCredentialEncrypted NoExecPaths SetCredentialEncrypted"),
    (248, 252, CGROUP_SECTIONS, "ManagedOOMMemoryPressureLimit StartupAllowedCPUs StartupAllowedMemoryNodes"),
    (249, 249, ("Unit",), "ConditionFirmware ConditionOSRelease OnSuccess PropagatesStopTo StopPropagatedFrom Upholds"),
    (249, 249, CGROUP_SECTIONS, "BPFProgram SocketBindAllow SocketBindDeny"),
    (250, 250, ("Automount",), "ExtraOptions"),
    (250, 250, ("Path",), "TriggerLimitBurst TriggerLimitIntervalSec"),
    (250, 250, ("Service",), "ExitType"),
    (250, 250, ("Unit",), "ConditionCPUPressure ConditionIOPressure ConditionMemoryPressure"),
    (250, 250, ("Scope", "Service"), "RuntimeRandomizedExtraSec"),
    (250, 250, EXEC_SECTIONS, "ExecSearchPath RestrictFileSystems TTYColumns TTYRows"),
    (250, 250, CGROUP_SECTIONS, "RestrictNetworkInterfaces"),
    (251, 251, EXEC_SECTIONS, "ExtensionDirectories"),
    (252, 252, ("Unit",), "ConditionCredential"),
    (253, 253, ("Service",), "OpenFile ReloadSignal"),
    (253, 253, EXEC_SECTIONS, "LogFilterPatterns"),
    (253, 253, CGROUP_SECTIONS, "MemoryZSwapMax StartupMemoryZSwapMax"),
    (253, 257, ("Install",), "UpheldBy"),
    (
        253,
        257,
        CGROUP_SECTIONS,
        "DefaultStartupMemoryLow StartupMemoryHigh StartupMemoryLow StartupMemoryMax StartupMemorySwapMax",
    ),
    (254, 254, ("Service",), "FileDescriptorStorePreserve RestartMaxDelaySec RestartMode RestartSteps"),
    (
        254,
        254,
        EXEC_SECTIONS,
        "ExtensionImagePolicy ImportCredential MemoryKSM MountImagePolicy RootEphemeral RootImagePolicy",
    ),
    (254, 254, CGROUP_SECTIONS, "DelegateSubgroup MemoryPressureThresholdSec MemoryPressureWatch"),
    (255, 255, ("Socket",), "PollLimitBurst PollLimitIntervalSec"),
    (255, 255, ("Unit",), "SurviveFinalKillSignal"),
    (255, 255, EXEC_SECTIONS, "SetLoginEnvironment"),
    (255, 255, CGROUP_SECTIONS, "CoredumpReceive NFTSet"),
    (256, 256, ("Socket",), "PassFileDescriptorsToExec"),
    (256, 256, ("Unit",), "WantsMountsFor"),
    (256, 256, CGROUP_SECTIONS, "MemoryZSwapWriteback"),
    (257, 257, ("Timer",), "DeferReactivation"),
    (257, 257, EXEC_SECTIONS, "BindLogSockets PrivatePIDs"),
    (257, 257, CGROUP_SECTIONS, "ManagedOOMMemoryPressureDurationSec"),
    (258, 258, ("Slice",), "ConcurrencyHardMax ConcurrencySoftMax"),
    (258, 258, ("Socket",), "AcceptFileDescriptors DeferTrigger DeferTriggerMaxSec PassPIDFD"),
    (258, 258, ("Timer",), "RandomizedOffsetSec"),
    (258, 258, ("Unit",), "ConditionKernelModuleLoaded ConditionVersion"),
    (
        258,
        258,
        EXEC_SECTIONS,
        "BPFDelegateAttachments BPFDelegateCommands BPFDelegateMaps BPFDelegatePrograms "
        "CacheDirectoryAccounting CacheDirectoryQuota DelegateNamespaces LogsDirectoryAccounting "
        "LogsDirectoryQuota PrivateBPF StateDirectoryAccounting StateDirectoryQuota",
    ),
    (258, 262, ("Unit",), "AssertFraction AssertKernelModuleLoaded AssertMachineTag AssertPathIsSocket AssertVersion"),
    (259, 259, ("Service",), "ExecReloadPost"),
    (259, 259, EXEC_SECTIONS, "UserNamespacePath"),
    (260, 260, ("Service",), "RefreshOnReload"),
    (260, 260, ("Unit",), "ConditionPathIsSocket"),
    (260, 260, EXEC_SECTIONS, "MemoryTHP RootMStack"),
    (260, 260, CGROUP_SECTIONS, "BindNetworkInterface"),
    (261, 261, ("Unit",), "ConditionFraction ConditionMachineTag"),
    (
        261,
        261,
        CGROUP_SECTIONS,
        "CPUPressureThresholdSec CPUPressureWatch CPUSetPartition IOPressureThresholdSec IOPressureWatch OOMRules",
    ),
    (262, 262, ("Service",), "LUOSession RestartRandomizedDelaySec"),
    (262, 262, ("Slice",), "ActivatingConcurrencyMax"),
    (262, 262, ("Socket",), "XAttrAccept XAttrEntryPoint XAttrListen"),
)


# Values that a directive took later than it came, as its man page says. For a hint alone: vendors port some back.
_VALUES: Tuple[Tuple[int, str, str], ...] = (
    (248, "StandardOutput", "truncate"),
    (248, "StandardError", "truncate"),
    (253, "Type", "notify-reload"),
    (257, "PrivateTmp", "disconnected"),
    (257, "PrivateUsers", "self identity"),
    (257, "ProtectControlGroups", "private strict"),
    (257, "RestartMode", "debug"),
    (258, "PrivateUsers", "full"),
    (258, "ProtectHostname", "private"),
)


def value_came_with(directive: str, value: str) -> Optional[int]:
    """Which version a directive first took a value in, None if it always did, or that is not known."""
    word = value.partition(":")[0]
    return next((came for came, name, words in _VALUES if name == directive and word in words.split()), None)


def came_with(section: str, directive: str) -> Optional[Tuple[int, int]]:
    """The first and last version that may have brought it; None for what is older than 248, or not known."""
    for first, last, sections, directives in _NEWER:
        if section in sections and directive in directives.split():
            return first, last
    return None

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The directives that protect a host from a service, a row for each: what the profiles and their page are made from.

Weights are those of `systemd-analyze security` (252 to 262 agree), by how much the strictest value lowers the
exposure; what works in a user's manager was tried on 252 and 257. Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Tuple

from .protection import Merge, OfUsers, Protection

_YES = ("no", "yes")
_USERS = {"y": OfUsers.WORKS, "m": OfUsers.MOUNTS, "f": OfUsers.FAILS, "-": OfUsers.NOTHING}


def _row(
    name: str,
    weight: int,
    users: str,
    texts: Tuple[str, str, str],
    merge: Merge = Merge.LADDER,
    order: Tuple[str, ...] = _YES,
    **levels: Tuple[str, ...],
) -> Protection:
    """texts: what it stops, what it breaks, and the opt-outs."""
    stops, breaks, allow = texts
    return Protection(name, weight, _USERS[users], stops, breaks, tuple(allow.split()), merge, order, levels)


_ON = ("yes",)
# Opt-outs for what takes powers over the kernel.
_FOR_KERNEL = "realtime debug clock kernel_modules kernel_logs hostname"
_DENIED = ("~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap",)
_SERVICE_CALLS = ("@system-service", "~@obsolete @cpu-emulation")
_CAPS_OF_LOGINS = (
    "~CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_BOOT CAP_SYS_TIME CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_BLOCK_SUSPEND "
    "CAP_WAKE_ALARM CAP_SYS_PACCT CAP_BPF CAP_PERFMON",
)
_CAPS_DENIED = (
    "~CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_BOOT CAP_SYS_TIME CAP_SYSLOG CAP_SYS_PACCT CAP_SYS_TTY_CONFIG "
    "CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_LINUX_IMMUTABLE CAP_BLOCK_SUSPEND CAP_WAKE_ALARM CAP_LEASE CAP_BPF "
    "CAP_PERFMON CAP_AUDIT_CONTROL CAP_AUDIT_READ",
)

_ROWS = (
    _row(
        "DynamicUser",
        1900,
        "f",
        (
            "it runs as a user that is there only while it runs, and owns no file of the host",
            "files that belong to a lasting user; its state moves to private/",
            "static_user switch_users escalate",
        ),
        maximum=_ON,
    ),
    _row(
        "SupplementaryGroups",
        200,
        "-",
        ("it has no access by groups besides its own", "serial lines, GPIO, video, certificates", "groups"),
        Merge.GROUPS,
        maximum=("",),
    ),
    _row(
        "NoNewPrivileges",
        1000,
        "y",
        (
            "no program that it starts gains rights by setuid, setgid or file capabilities",
            "sudo, ping with file capabilities, sendmail, postdrop",
            "escalate",
        ),
        standard=_ON,
    ),
    _row(
        "CapabilityBoundingSet",
        14025,
        "f",
        (
            "it has none of root's powers, or not the ones over the kernel",
            "what starts as root and then changes its user, changes owners of files or binds ports below 1024",
            f"switch_users escalate low_ports raw_sockets mounts {_FOR_KERNEL}",
        ),
        Merge.NAMES,
        baseline=_CAPS_DENIED,
        standard=("",),
        sessions=_CAPS_OF_LOGINS,
    ),
    _row(
        "AmbientCapabilities",
        500,
        "f",
        (
            "programs that it starts as another user have no powers",
            "ports below 1024 without root",
            f"low_ports raw_sockets mounts {_FOR_KERNEL}",
        ),
        Merge.NAMES,
        standard=("",),
    ),
    _row(
        "RestrictSUIDSGID",
        1000,
        "y",
        (
            "it leaves no setuid or setgid file behind",
            "tar, package managers, folders whose group is handed on, shared git repositories",
            "setgid_files",
        ),
        standard=_ON,
    ),
    _row(
        "RestrictNamespaces",
        4100,
        "y",
        ("it makes no namespaces, a way to many faults of the kernel", "podman, bwrap, flatpak, Chrome", "namespaces"),
        order=("no", "*", "yes"),
        standard=_ON,
    ),
    _row(
        "LockPersonality",
        100,
        "y",
        (
            "it does not switch to another ABI or layout of memory",
            "setarch, old 32-bit runtimes, some emulators",
            "personality",
        ),
        baseline=_ON,
        sessions=_ON,
    ),
    _row(
        "RestrictRealtime",
        500,
        "y",
        ("it cannot take a processor for itself", "chrony, audio, corosync, linuxcnc", "realtime"),
        baseline=_ON,
    ),
    _row(
        "MemoryDenyWriteExecute",
        100,
        "y",
        (
            "what it has written to memory is not run as code",
            "every JIT compiler: Node, Java, .NET, PyPy, LuaJIT, PHP, PCRE, Erlang, PostgreSQL",
            "jit",
        ),
        strict=_ON,
    ),
    _row(
        "SystemCallArchitectures",
        1000,
        "y",
        ("the ABIs of other processors are no way round the filter", "32-bit programs on 64 bit", "foreign_abi"),
        Merge.NAMES,
        baseline=("native",),
        sessions=("native",),
    ),
    _row(
        "SystemCallFilter",
        8900,
        "y",
        (
            "calls that no service needs reach no code of the kernel",
            "setuid, chown, nice, affinity, mount, trace, by profile",
            f"setuid_calls switch_users escalate resources namespaces mounts {_FOR_KERNEL}",
        ),
        Merge.CALLS,
        baseline=_DENIED,
        standard=_SERVICE_CALLS,
        strict=(*_SERVICE_CALLS, "~@privileged @resources"),
        maximum=(*_SERVICE_CALLS, "~@privileged @resources", "~@memlock @keyring"),
        sessions=_DENIED,
    ),
    _row(
        "SystemCallErrorNumber",
        0,
        "y",
        ("nothing by itself: a call that is refused fails, instead of ending the service", "nothing", ""),
        Merge.ERRNO,
        baseline=("EPERM",),
        sessions=("EPERM",),
    ),
    _row(
        "RestrictAddressFamilies",
        3975,
        "y",
        (
            "it opens no sockets of rare kinds, or to the network",
            "getifaddrs() of Node and Go, CAN, Bluetooth, packet sockets",
            "network netlink raw_sockets",
        ),
        Merge.NAMES,
        baseline=("~AF_PACKET",),
        standard=("AF_UNIX AF_INET AF_INET6 AF_NETLINK",),
        strict=("AF_UNIX AF_INET AF_INET6",),
        maximum=("AF_UNIX",),
        sessions=("~AF_PACKET",),
    ),
    _row(
        "PrivateNetwork",
        2500,
        "m",
        (
            "it reaches no network at all; sockets that systemd hands to it go on",
            "every connection that it makes or waits for",
            "network",
        ),
        maximum=_ON,
    ),
    _row(
        "IPAddressDeny",
        1000,
        "-",
        (
            "packets to and from other addresses are dropped",
            "connections, by a time-out and not by an error",
            "network",
        ),
        Merge.ADDRESSES,
        maximum=("any",),
    ),
    _row(
        "PrivateDevices",
        3500,
        "m",
        (
            "it sees no devices but those like /dev/null, and makes none",
            "GPIO, serial lines, GPU, FUSE, tun, clocks, /dev/kvm",
            "devices",
        ),
        standard=_ON,
    ),
    _row(
        "DevicePolicy",
        1000,
        "-",
        ("it opens no device but those like /dev/null", "the same", "devices"),
        order=("auto", "closed", "strict"),
        maximum=("closed",),
    ),
    _row(
        "PrivateTmp",
        1000,
        "m",
        (
            "others find nothing of it in /tmp, nor it of theirs",
            "sockets and files shared by /tmp, such as jps reads",
            "shared_tmp",
        ),
        order=("no", "yes", "disconnected"),
        standard=_ON,
        maximum=("disconnected",),
    ),
    _row(
        "PrivateIPC",
        0,
        "m",
        ("it shares no memory or queues of System V", "shared memory with another service", "shared_ipc"),
        strict=_ON,
    ),
    _row(
        "RemoveIPC",
        100,
        "-",
        (
            "it leaves no shared memory behind",
            "a second service of the same user loses its shared memory",
            "shared_ipc",
        ),
        strict=_ON,
    ),
    _row(
        "PrivateMounts",
        1000,
        "m",
        ("what it mounts is not seen by others", "mounts that are made for others, as autofs and udisks do", "mounts"),
        baseline=_ON,
    ),
    _row(
        "PrivateUsers",
        1000,
        "y",
        (
            "other users of the host are nobody to it, and it has no powers over what is theirs",
            "peer authentication, setuid, ports below 1024, raw sockets",
            f"other_users low_ports raw_sockets switch_users escalate {_FOR_KERNEL}",
        ),
        order=("no", "yes", "self", "identity", "full", "managed"),
        strict=_ON,
    ),
    _row(
        "PrivatePIDs",
        0,
        "m",
        (
            "it sees no processes but its own",
            "in no profile: the kernel spares the first process of a namespace each signal that it does not handle, so "
            "most programs are killed when the time for their stop is over; nor Type=forking and PIDFile=",
            "other_processes",
        ),
    ),
    _row(
        "ProtectSystem",
        1000,
        "m",
        (
            "it writes nothing in /usr and /boot; from standard on nor in /etc; from strict on nowhere but by name",
            "what writes there: see read_write_paths, StateDirectory= and the like",
            "",
        ),
        order=("no", "yes", "full", "strict"),
        baseline=_ON,
        standard=("full",),
        strict=("strict",),
    ),
    _row(
        "ProtectHome",
        1000,
        "m",
        ("it sees nothing in /home, /root and /run/user", "programs and data there, ~/.cache, keys of SSH", "home"),
        order=("no", "read-only", "tmpfs", "yes"),
        standard=_ON,
    ),
    _row(
        "ProtectKernelTunables",
        1000,
        "m",
        (
            "it changes no setting of the kernel in /proc/sys and /sys",
            "what sets sysctls; GPIO, LEDs and PWM by /sys/class",
            "tunables",
        ),
        baseline=_ON,
    ),
    _row(
        "ProtectKernelModules",
        2000,
        "m",
        ("it loads no modules into the kernel", "docker, libvirt, VPNs, firewalls", "kernel_modules"),
        baseline=_ON,
        sessions=_ON,
    ),
    _row(
        "ProtectKernelLogs",
        1500,
        "m",
        (
            "it reads nothing of the kernel's log",
            "dmesg, rsyslog with imklog, watchers of the OOM killer",
            "kernel_logs",
        ),
        baseline=_ON,
    ),
    _row(
        "ProtectClock",
        2025,
        "m",
        ("it does not set the clock", "chrony, hwclock, ptp4l", "clock"),
        standard=_ON,
        sessions=_ON,
    ),
    _row(
        "ProtectControlGroups",
        1000,
        "m",
        ("it changes no limits of other services", "engines for containers, Delegate=", "cgroups"),
        order=("no", "yes", "private", "strict"),
        baseline=_ON,
        maximum=("strict",),
    ),
    _row(
        "ProtectHostname",
        50,
        "m",
        ("it does not change the host's name", "cloud-init, DHCP clients", "hostname"),
        order=("no", "yes", "private"),
        baseline=_ON,
    ),
    _row(
        "ProtectProc",
        1000,
        "-",
        ("it sees nothing in /proc of other users' processes", "ps, monitoring, supervisors", "other_processes"),
        order=("default", "noaccess", "invisible", "ptraceable"),
        standard=("invisible",),
    ),
    _row(
        "ProcSubset",
        10,
        "-",
        (
            "it sees nothing in /proc but processes",
            "what reads /proc/meminfo, cpuinfo or net: psutil, Java",
            "other_processes tunables",
        ),
        order=("all", "pid"),
        maximum=("pid",),
    ),
    _row(
        "KeyringMode",
        0,
        "y",
        ("keys that others have in the kernel are not its own", "nothing that is known", ""),
        order=("", "shared", "inherit", "private"),
        standard=("private",),
    ),
    _row(
        "UMask",
        50,
        "y",
        (
            "others do not read the files that it makes",
            "sockets and files that others are meant to open",
            "shared_files",
        ),
        Merge.MASK,
        order=("0022",),
        strict=("0027",),
        maximum=("0077",),
    ),
    _row(
        "MemoryKSM",
        0,
        "y",
        ("its memory is not merged with that of others, which could be measured", "nothing", ""),
        order=("", "yes", "no"),
        maximum=("no",),
    ),
    _row("PrivateBPF", 0, "-", ("it sees no BPF file system", "what uses bpf()", "mounts"), maximum=_ON),
)
PROTECTIONS: Dict[str, Protection] = {row.name: row for row in _ROWS}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Calls that services make and mention when they are refused: the power that each takes, and who else refuses it.

From capabilities(7) and systemd.exec(5). Pure. Private to the collection.
"""

from __future__ import annotations

from typing import Dict, Tuple

_TAKES = {
    "CAP_SETUID": "setuid seteuid setreuid setresuid",
    "CAP_SETGID": "setgid setegid setregid setresgid setgroups initgroups",
    "CAP_CHOWN": "chown fchown lchown fchownat",
    "CAP_KILL": "kill",
    "CAP_SYS_CHROOT": "chroot",
    "CAP_SYS_NICE": "setpriority nice sched_setscheduler sched_setparam ioprio_set",
    "CAP_SYS_RESOURCE": "setrlimit prlimit",
    "CAP_SYS_ADMIN": "mount umount unshare setns pivot_root sethostname setdomainname swapon swapoff",
    "CAP_SYS_TIME": "settimeofday clock_settime adjtimex clock_adjtime stime",
    "CAP_SYS_PTRACE": "ptrace",
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYSLOG": "syslog klogctl",
    "CAP_SYS_MODULE": "init_module finit_module delete_module",
    "CAP_IPC_LOCK": "mlock mlockall",
    "CAP_MKNOD": "mknod mknodat",
}
# The power that a call takes; what is done to one's own processes and files may need none.
CAPABILITIES: Dict[str, str] = {call: name for name, calls in _TAKES.items() for call in calls.split()}
# Directives that refuse a call by themselves.
DIRECTIVES: Dict[str, Tuple[str, ...]] = {
    "unshare": ("RestrictNamespaces",),
    "setns": ("RestrictNamespaces",),
    "sched_setscheduler": ("RestrictRealtime",),
    "sched_setattr": ("RestrictRealtime",),
    "sched_setaffinity": (),
    "personality": ("LockPersonality",),
    "sethostname": ("ProtectHostname",),
    "setdomainname": ("ProtectHostname",),
    "settimeofday": ("ProtectClock",),
    "clock_settime": ("ProtectClock",),
    "adjtimex": ("ProtectClock",),
    "clock_adjtime": ("ProtectClock",),
    "init_module": ("ProtectKernelModules",),
    "finit_module": ("ProtectKernelModules",),
    "delete_module": ("ProtectKernelModules",),
    "syslog": ("ProtectKernelLogs",),
    "klogctl": ("ProtectKernelLogs",),
    "mprotect": ("MemoryDenyWriteExecute",),
    "mmap": ("MemoryDenyWriteExecute",),
    "pkey_mprotect": ("MemoryDenyWriteExecute",),
    "mknod": ("PrivateDevices",),
    "mknodat": ("PrivateDevices",),
    "fchmod": ("RestrictSUIDSGID",),
    "chmod": ("RestrictSUIDSGID",),
    "fchmodat": ("RestrictSUIDSGID",),
}
# Functions of the C library by what they call.
SYSCALLS: Dict[str, str] = {
    "initgroups": "setgroups",
    "seteuid": "setresuid",
    "setegid": "setresgid",
    "nice": "setpriority",
    "umount": "umount2",
    "prlimit": "prlimit64",
    "setrlimit": "prlimit64",
    "klogctl": "syslog",
}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a directive's value looks like, said where systemd has refused one. Pure, and private to the collection.

systemd's own words name neither what is right nor, before 255, the directive.
"""

from __future__ import annotations

import re
from typing import Optional

from .._syntax.spelling import MAYBE_TRUTH

_ONE_OF = {
    "Type": "simple, exec, forking, oneshot, dbus, notify, notify-reload or idle",
    "Restart": "no, always, on-failure, on-success, on-abnormal, on-abort or on-watchdog",
    "KillMode": "control-group, mixed, process or none",
    "NotifyAccess": "none, main, exec or all",
    "ProtectSystem": "yes, full, strict or no",
    "ProtectHome": "yes, read-only, tmpfs or no",
    "OOMPolicy": "continue, stop or kill",
    "IOSchedulingClass": "realtime, best-effort or idle",
    "CPUSchedulingPolicy": "other, batch, idle, fifo or rr",
    "DevicePolicy": "auto, closed or strict",
    "CollectMode": "inactive or inactive-or-failed",
    **dict.fromkeys(
        ("OnFailureJobMode", "OnSuccessJobMode"),
        "fail, replace, replace-irreversibly, isolate, flush, ignore-dependencies or ignore-requirements",
    ),
    **dict.fromkeys(
        ("LogLevelMax", "SyslogLevel"), "emerg, alert, crit, err, warning, notice, info or debug (3 is err)"
    ),
    **dict.fromkeys(
        ("StandardOutput", "StandardError"),
        "journal, null, inherit, tty, socket, kmsg, or file:, append: or truncate: with a path behind it",
    ),
}
_SEVERAL = "a blank separates several"
_SECONDS = "a time is a number of seconds, or has units, such as 90, 5min or 1h 30min"
# By the names that systemd gives to directives of one kind (systemd.directives(7)).
_BY_NAME = (
    (
        "OnCalendar",
        'write it as systemd.time(7) has it, such as "*-*-* 02:00:00" for each night at two, "Mon..Fri 08:30", '
        '"*:0/15" for each quarter of an hour, hourly or daily; `systemd-analyze calendar` of the host takes it apart',
    ),
    (r"\w*Sec", _SECONDS),
    (
        r"(?:Startup|Default)?Memory\w+",
        "a size is a number of bytes, or has K, M, G or T behind it, such as 512M; a share such as 10% and infinity "
        "are taken too",
    ),
    ("LimitCPU|LimitRTTIME", f"{_SECONDS}; infinity is none, and SOFT:HARD are two"),
    (
        r"Limit\w+",
        "a limit is a number, infinity for none, or two as SOFT:HARD; one of bytes may have K, M, G or T behind it",
    ),
    (
        "(?:Success|RestartPrevent|RestartForce)ExitStatus",
        f"it is exit codes from 0 to 255, names of such as TEMPFAIL, or of signals such as SIGTERM; {_SEVERAL}",
    ),
    (
        "RestrictNamespaces",
        f"it is yes, no, or types of namespaces such as net, mnt, pid and user; {_SEVERAL}",
    ),
    ("Delegate", f"it is yes, no, or controllers such as cpu, io, memory and pids; {_SEVERAL}"),
    ("SystemCallArchitectures", f"it is native, or names such as x86-64, x86, arm64 and arm; {_SEVERAL}"),
    ("PassEnvironment|UnsetEnvironment", "it is names of variables alone, and Environment= is what sets one"),
    (
        "Bind(?:ReadOnly)?Paths",
        "it is SOURCE or SOURCE:TARGET, with :rbind or :norbind behind it; what is read-only is BindReadOnlyPaths=",
    ),
    ("FileDescriptorName", "it is a name without a colon"),
    ("IOSchedulingPriority", "it is from 0, which is served first, to 7"),
    ("CPUSchedulingPriority", "it is from 1 to 99, which is served first"),
    ("LogExtraFields", "a field has a name of capitals, digits and underscores, as in SHOP=web"),
    (r"UMask|\w*Mode", 'write it in octal and in quotes, such as "0755"'),
    (
        "Documentation",
        "it is one address or several, such as https://example.com/docs or man:nginx(8); words are for Description=",
    ),
    ("DeviceAllow", "it is the path of a device, or char- or block- with a group, and r, w or m, such as /dev/sda rw"),
    (
        r"IO(?:Read|Write)(?:Bandwidth|IOPS)Max",
        "a device is followed by what it may have at most, such as /dev/sda 10M",
    ),
    ("Nice", "it is from -20, which is served first, to 19"),
    ("OOMScoreAdjust", "it is from -1000, which is never killed for want of memory, to 1000, which is killed first"),
    (r"(?:Startup)?(?:CPU|IO)Weight", "it is from 1 to 10000, and 100 where nobody says anything"),
    ("TasksMax", "it is a number, a share such as 10%, or infinity"),
    (r"CPUQuota|MemoryPressure\w*|ManagedOOMMemoryPressureLimit", "a share is in percent, such as 50% for a half"),
    (r"\w*Signal", "it is the name of a signal, such as SIGTERM"),
    (
        "Listen(?:Stream|Datagram|SequentialPacket)",
        "it is a port such as 8080, an address with one such as 127.0.0.1:8080 or [::1]:8080, or the path of a socket",
    ),
    (
        "SystemCallFilter|SystemCallLog",
        "`systemd-analyze syscall-filter` of the host lists the groups, such as @system-service; " + _SEVERAL,
    ),
    (
        "RestrictAddressFamilies",
        f"families are AF_UNIX, AF_INET, AF_INET6, AF_NETLINK and the like, or none; {_SEVERAL}",
    ),
    (r"\w*Capabilit(?:ies|yBoundingSet)", "capabilities are CAP_NET_BIND_SERVICE and the like (capabilities(7))"),
    (
        "IPAddress(?:Allow|Deny)",
        f"it is an address, a network such as 10.0.0.0/8, any, localhost, link-local or multicast; {_SEVERAL}",
    ),
)


# By the type that systemd's own list of its configuration items has for it.
_BY_TYPE = {
    "BOOLEAN": "it is yes or no",
    "UNSIGNED": "it is a whole number, 0 or more",
    "INTEGER": "it is a whole number",
    "ERRNO": "it is the name of an error, such as EPERM, or its number",
    "FACILITY": "it is a facility of syslog, such as daemon or local0",
    "ACTION": "it is one of none, reboot, reboot-force, poweroff, poweroff-force, exit and the like (systemd.unit(5))",
}


def shape(directive: str, kind: Optional[str] = None) -> str:
    """What to write for it, "" where that is not known here. kind: its type, None where it is not known."""
    if directive in _ONE_OF:
        return f"it is one of {_ONE_OF[directive]}"
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    named = next((said for name, said in _BY_NAME if re.fullmatch(name, directive)), "")
    return named or ("it is yes, no, or a word that its manual has besides" if directive in MAYBE_TRUTH else "")

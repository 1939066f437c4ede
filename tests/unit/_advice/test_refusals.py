# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of services as they are, against texts of units: which directive refuses that, and what gives it back."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.profiles import Host
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.refusals import of_processes, refusals

from tests.unit.world import SYSTEM, facts

CALLS = {
    "@system-service": frozenset({"read", "setgid", "chown", "sched_setaffinity", "setgroups"}),
    "@setuid": frozenset({"setgid", "setuid", "setgroups"}),
    "@chown": frozenset({"chown"}),
    "@privileged": frozenset({"setgid", "setgroups", "chown", "setuid"}),
    "@resources": frozenset({"sched_setaffinity", "setpriority"}),
    "@default": frozenset({"read"}),
}
HOST = Host(facts().catalogue, calls=CALLS, made=SYSTEM.made(252))
NO_POWERS = [("CapabilityBoundingSet", "")]
STRICT = [("ProtectSystem", "strict")]
FILTER = [("SystemCallFilter", "@system-service"), ("SystemCallFilter", "~@privileged @resources")]

Lines = list[tuple[str, str]]


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        # nginx
        (
            'nginx: [emerg] open() "/run/nginx.pid" failed (30: Read-only file system)',
            STRICT,
            ("/run", ("ProtectSystem",), "read_write_paths"),
        ),
        (
            "nginx: [alert] setgid(33) failed (1: Operation not permitted)",
            [*NO_POWERS, *FILTER],
            ("setgid", ("CapabilityBoundingSet", "SystemCallFilter"), "switch_users"),
        ),
        (
            "nginx: [alert] setgid(33) failed (1: Operation not permitted)",
            [("User", "daemon"), *FILTER],
            ("setgid", ("SystemCallFilter",), "setuid_calls"),
        ),
        (
            "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",
            NO_POWERS,
            ("port 80", ("CapabilityBoundingSet",), "low_ports"),
        ),
        (
            "nginx: [alert] sched_setaffinity() failed (1: Operation not permitted)",
            FILTER,
            ("sched_setaffinity", ("SystemCallFilter",), "resources"),
        ),
        (
            'nginx: [emerg] open() "/var/log/nginx/error.log" failed (13: Permission denied)',
            NO_POWERS,
            ("/var/log/nginx/error.log", ("CapabilityBoundingSet",), "switch_users"),
        ),
        (
            'nginx: [emerg] open() "/var/log/nginx/error.log" failed (13: Permission denied)',
            [*NO_POWERS, ("PrivateUsers", "yes")],
            ("/var/log/nginx/error.log", ("CapabilityBoundingSet", "PrivateUsers"), "switch_users"),
        ),
        # one that may have become another user, one that is another, and a file that is to be run
        (
            'open() "/var/log/app.log" failed (13: Permission denied)',
            [("CapabilityBoundingSet", "CAP_SETUID")],
            ("/var/log/app.log", (), ""),
        ),
        (
            'open() "/var/log/app.log" failed (13: Permission denied)',
            [("User", "daemon"), *NO_POWERS],
            ("/var/log/app.log", (), ""),
        ),
        (
            "sh: 1: /opt/app/hook: Permission denied",
            [*NO_POWERS, ("NoExecPaths", "/opt")],
            ("/opt/app/hook", (), ""),
        ),
        # a shell, coreutils, Python and Node
        (
            "/bin/sh: 1: cannot create /var/www/x: Read-only file system",
            STRICT,
            ("/var/www", ("ProtectSystem",), "read_write_paths"),
        ),
        (
            "touch: cannot touch '/home/pi/x': Read-only file system",
            [*STRICT, ("ProtectHome", "read-only")],
            ("/home/pi/x", ("ProtectHome",), "home"),
        ),
        (
            "OSError: [Errno 30] Read-only file system: '/sys/class/gpio/export'",
            [*STRICT, ("ProtectKernelTunables", "yes")],
            ("/sys/class/gpio/export", ("ProtectKernelTunables",), "tunables"),
        ),
        (
            "Error: EACCES: permission denied, open '/home/pi/x'",
            [("ProtectHome", "yes")],
            ("/home/pi/x", ("ProtectHome",), "home"),
        ),
        (
            "unshare: unshare failed: Operation not permitted",
            [("User", "daemon"), ("RestrictNamespaces", "yes")],
            ("unshare", ("RestrictNamespaces",), "namespaces"),
        ),
        # what the manager says, and the kernel
        (
            "app.service: Main process exited, code=dumped, status=31/SYS",
            [*FILTER],
            ("", ("SystemCallFilter",), ""),
        ),
        (
            'audit: type=1326 audit(1.2:3): auid=4 uid=0 pid=77 comm="app" sig=31 arch=c000003e syscall=105 code=0x0',
            FILTER,
            ("system call 105", ("SystemCallFilter",), ""),
        ),
        # what several could refuse, and what the text does not refuse at all
        (
            "mkdir: cannot create directory '/sys/fs/cgroup/x': Read-only file system",
            [("ProtectControlGroups", "yes"), ("ProtectKernelTunables", "yes")],
            ("/sys/fs/cgroup/x", ("ProtectKernelTunables", "ProtectControlGroups"), ""),
        ),
        ("cannot write /mnt/disk/x: Read-only file system", [("ProtectSystem", "full")], ("/mnt/disk/x", (), "")),
        ("something: Operation not permitted", [*FILTER, *NO_POWERS], ("", (), "")),
        ("open('data'): Read-only file system", STRICT, ("", (), "")),
        (
            "cannot create /var/www/x: Read-only file system",
            [*STRICT, ("ReadWritePaths", "-/var/www"), ("ReadOnlyPaths", "/var/www/x")],
            ("/var/www/x", ("ReadOnlyPaths",), ""),
        ),
        (
            "cannot create /var/lib/app/x: Read-only file system",
            [*STRICT, ("StateDirectory", "app")],
            ("/var/lib/app/x", (), ""),
        ),
    ],
)
def test_a_line(line: str, text: Lines, expected: tuple[str, tuple[str, ...], str]) -> None:
    (found,) = refusals([line], [], text, HOST)
    assert (found.about, found.directives, found.mend) == expected


@pytest.mark.parametrize("no", ["No", "OFF", "n", "False"])
@pytest.mark.parametrize(
    ("directive", "line"),
    [
        ("ProtectSystem", "touch: cannot touch '/usr/x': Read-only file system"),
        ("PrivateUsers", "bind() to 0.0.0.0:80 failed: Permission denied"),
    ],
)
def test_what_is_off_refuses_nothing(directive: str, line: str, no: str) -> None:
    assert [each.directives for each in refusals([line], [], [(directive, "yes")], HOST)] == [(directive,)]
    assert [each.directives for each in refusals([line], [], [(directive, no)], HOST)] == [()]


def test_a_trace_of_python_has_the_call() -> None:
    trace = [
        "Traceback (most recent call last):",
        '  File "/opt/app.py", line 3, in <module>',
        '    os.chown("/srv/app", 1, 1)',
        "    ~~~~~~~~^^^^^^^^^^^^^^^^^^",
        "PermissionError: [Errno 1] Operation not permitted: '/srv/app'",
    ]
    (found,) = refusals(trace, [], NO_POWERS, HOST)
    assert (found.about, found.directives, found.mend) == ("chown", ("CapabilityBoundingSet",), "switch_users")
    (found,) = refusals([*trace[:3], "going on", trace[-1]], [], NO_POWERS, HOST)
    assert found.directives == ()
    # A word that is no call of it says nothing.
    (found,) = refusals(["    command = ['chown']", trace[-1]], [], NO_POWERS, HOST)
    assert found.directives == ()


def test_a_step_of_systemd_is_nothing_that_the_service_was_refused() -> None:
    step = "app.service: Failed at step SECCOMP spawning /bin/sleep: Permission denied"
    assert refusals([step, "app.service: Failed to set up mount namespacing: EACCES"], [], NO_POWERS, HOST) == []
    assert refusals(["app.service: Main process exited, code=killed, status=31/SYS"], [], FILTER, HOST) != []


def test_only_what_was_not_said_before() -> None:
    before = ["2026/11/26 21:00:01 [alert] 17#17: setgid(33) failed (1: Operation not permitted)"]
    again = "2026/11/26 22:10:59 [alert] 4321#9: setgid(33) failed (1: Operation not permitted)"
    new = "cannot create /srv/x: Read-only file system"
    assert [each.line for each in refusals([again, new, new, "all is well"], before, STRICT, HOST)] == [new]


def test_lines_of_the_kernel() -> None:
    lines = ["type=1326 audit: pid=7 comm=x syscall=1 ", "type=1326 audit: pid=8 syscall=1 ", "pid=7 usb 1-1: new"]
    assert of_processes(lines, frozenset({7})) == lines[:1]

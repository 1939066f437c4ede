# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to break a unit, each with what has to be said of it by hand; docs/causes.md is the table of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.runtimes import GUNICORN_TAKEN, NODE_MODULE, NODE_REFUSED, NODE_TAKEN, REDIS_TAKEN

from .entries import FOREVER, Entry

HOLDER = "holder.service"
PORT = 8931

# What the host has for these tests, by path: text and mode.
FILES: dict[str, tuple[str, int]] = {
    "/opt/broken/interpreter": ("#!/opt/broken/python3.9\nprint(1)\n", 0o755),
    "/opt/broken/crlf": ("#!/bin/sh\r\nexit 0\r\n", 0o755),
    "/opt/broken/of-venv": ("#!/opt/broken/venv/bin/python\nprint(1)\n", 0o755),
    "/opt/broken/by-env": ("#!/usr/bin/env nowhere-to-be-found\nprint(1)\n", 0o755),
    "/opt/broken/by-env-crlf": ("#!/usr/bin/env python3\r\nprint(1)\r\n", 0o755),
    "/opt/broken/no-first-line": ("echo 1\n", 0o755),
    "/opt/broken/empty": ("", 0o755),
    "/opt/broken/not-executable": ("#!/bin/sh\nexit 0\n", 0o644),
    "/opt/broken/script": ("#!/bin/sh\nexit 0\n", 0o755),
    "/opt/broken/closed/script": ("#!/bin/sh\nexit 0\n", 0o755),
    "/opt/broken/secret": ("x\n", 0o600),
    "/opt/broken/jit.py": ("import mmap\nmmap.mmap(-1, 4096, prot=7)\n", 0o644),
    "/opt/broken/listen.py": (
        "import socket, sys\none = socket.socket()\none.bind(('127.0.0.1', int(sys.argv[1])))\none.listen()\n"
        "if sys.argv[2:]:\n    import time\n    time.sleep(1e6)\n",
        0o644,
    ),
    "/opt/broken/ready.py": (
        "import os, socket, time\none = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "one.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\ntime.sleep(9)\n",
        0o644,
    ),
    "/opt/broken/eat.py": (
        "import time\nheld = bytearray(200 << 20)\ntime.sleep(100)\n",
        0o644,
    ),
    # In the place of Node.js 18: what that prints.
    "/opt/broken/node-taken": (NODE_TAKEN.replace("3001", str(PORT)), 0o644),
    "/opt/broken/node-refused": (NODE_REFUSED, 0o644),
    "/opt/broken/node-module": (NODE_MODULE, 0o644),
    "/opt/broken/redis-taken": (REDIS_TAKEN.replace("6379", str(PORT)), 0o644),
    "/opt/broken/gunicorn-taken": (GUNICORN_TAKEN.replace("8000", str(PORT)), 0o644),
    "/opt/broken/nginx-address.conf": ("events {}\nhttp { server { listen 198.51.100.7:8933; } }\n", 0o644),
    "/opt/broken/nginx.conf": ("events {}\ninclude /opt/broken/nowhere.conf;\n", 0o644),
    "/home/broken/script": ("#!/bin/sh\nexit 0\n", 0o755),
    "/home/broken/data": ("x\n", 0o644),
    "/run/broken-file": ("in the way\n", 0o644),
    "/var/lib/broken-file": ("in the way\n", 0o644),
}
PREPARE = (
    "chmod 700 /opt/broken/closed; mkdir -p /opt/broken/root /opt/broken/venv/bin; "
    "ln -sf /opt/broken/nowhere /opt/broken/link; ln -sf /opt/broken/python3.9 /opt/broken/venv/bin/python; "
    # A program for another machine: the head of this one's own, with the number of aarch64.
    "head -c 4096 /bin/true > /opt/broken/other-machine; printf '\\267\\000' "
    "| dd of=/opt/broken/other-machine bs=1 seek=18 conv=notrunc status=none; chmod 755 /opt/broken/other-machine; "
    # One with a loader that is nowhere.
    "sed 's#/lib64/ld-linux-x86-64.so.2#/lib64/ld-linux-x86-64.so.9#' /bin/true > /opt/broken/loader; "
    "chmod 755 /opt/broken/loader; "
    "mkdir -p /opt/broken/noexec && mount -t tmpfs -o noexec tmpfs /opt/broken/noexec && "
    "cp /opt/broken/script /opt/broken/noexec/script"
)
UNDO = (
    "umount -q /opt/broken/noexec; rm -rf /opt/broken /home/broken /run/broken-file /var/lib/broken-file "
    "/var/lib/broken-both /var/lib/private/broken-both"
)


@dataclass(frozen=True)
class Way:
    """A way to break a unit.

    way: in words. sections: the unit's text. says: what the cause has to have in it. remedy: what its remedy has to.
    named: has it to be named at all? dropin: sections of a drop-in beside. kind: of the unit. before: a command that
    has to be run first. by_run: can a module be made to start it, or is it refused before? stable_for: of its health.
    blamed: the unit whose error has the cause, "" for its own. fails: is the unit failed then, and not just down, of
    which unit_info tells no cause? since: the version of systemd that has what is broken.
    """

    name: str
    way: str
    sections: Entry
    says: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    named: bool = True
    dropin: Entry = field(default_factory=dict)
    kind: str = "service"
    before: str = ""
    by_run: bool = True
    stable_for: float = 4
    blamed: str = ""
    fails: bool = True
    since: int = 0

    @property
    def unit(self) -> str:
        return f"{'mnt-' if self.kind == 'mount' else ''}broken-{self.name}.{self.kind}"


def _service(command: str = FOREVER, **directives: object) -> Entry:
    return {"service": {"ExecStart": command, **directives}}


def _sh(script: str) -> str:
    return f"/bin/sh -c '{script}'"


def _py(script: str) -> str:
    return f'/usr/bin/python3 -c "{script}"'


WAYS: tuple[Way, ...] = (
    # What systemd does on the way to the program.
    Way(
        "no-program",
        "the program is not there",
        _service("/opt/broken/nowhere --port 1"),
        ("/opt/broken/nowhere", "ExecStart=", "not there"),
        ("install it",),
        by_run=False,
    ),
    Way(
        "no-name",
        "a program by its bare name, that is in no folder",
        _service("nowhere-to-be-found"),
        ("nowhere-to-be-found", "/usr/bin"),
        ("install it",),
        by_run=False,
    ),
    Way(
        "interpreter",
        "the interpreter of a script is missing",
        _service("/opt/broken/interpreter"),
        ("interpreter /opt/broken/python3.9", "/opt/broken/interpreter"),
        ("first line",),
    ),
    Way(
        "loader",
        "the loader of a binary is missing",
        _service("/opt/broken/loader"),
        ("loader /lib64/ld-linux-x86-64.so.9", "/opt/broken/loader"),
        ("libraries",),
    ),
    Way(
        "link",
        "the program is a link to what is not there",
        _service("/opt/broken/link"),
        ("/opt/broken/link of ExecStart= (", "/opt/broken/link is a link to /opt/broken/nowhere"),
        ("mend the path",),
        by_run=False,
    ),
    Way(
        "interpreter-of-venv",
        "the interpreter of a script is a link to one that is gone, as in a virtual environment",
        _service("/opt/broken/of-venv"),
        ("interpreter /opt/broken/venv/bin/python", "is a link to /opt/broken/python3.9"),
        ("first line",),
    ),
    Way(
        "interpreter-by-env",
        "the interpreter that a script has env look for is missing",
        _service("/opt/broken/by-env"),
        ("nowhere-to-be-found", "not there"),
        ("install it",),
    ),
    Way(
        "crlf-by-env",
        "a script with line ends of Windows that has env look for its interpreter",
        _service("/opt/broken/by-env-crlf"),
        ("/opt/broken/by-env-crlf", "carriage return"),
        ("line ends",),
    ),
    Way(
        "crlf",
        "a script with line ends of Windows",
        _service("/opt/broken/crlf"),
        ("/opt/broken/crlf", "carriage return"),
        ("line ends",),
    ),
    Way(
        "no-first-line",
        "a script without #!",
        _service("/opt/broken/no-first-line"),
        ("/opt/broken/no-first-line", "#!"),
        ("#!/bin/sh",),
    ),
    Way("empty", "an empty file", _service("/opt/broken/empty"), ("/opt/broken/empty is empty",), ("put the program",)),
    Way(
        "not-executable",
        "the program has no x",
        _service("/opt/broken/not-executable"),
        ("/opt/broken/not-executable", "not executable", "0644"),
        ("chmod a+x /opt/broken/not-executable",),
        by_run=False,
    ),
    Way(
        "folder",
        "the program is a folder",
        _service("/opt/broken/closed"),
        ("/opt/broken/closed", "is a folder"),
        ("program in it",),
        by_run=False,
    ),
    Way(
        "other-machine",
        "a program for another machine",
        _service("/opt/broken/other-machine"),
        ("built for aarch64", "x86_64"),
        ("build for this host",),
    ),
    Way(
        "noexec",
        "a program on a file system that is mounted noexec",
        _service("/opt/broken/noexec/script"),
        ("/opt/broken/noexec/script", "noexec"),
        ("move it",),
        by_run=False,
    ),
    Way(
        "closed-folder",
        "User= may not enter the folder of the program",
        _service("/opt/broken/closed/script", User="wright"),
        ("user wright", "/opt/broken/closed (root:root 0700)"),
        ("/opt/broken/closed",),
    ),
    Way(
        "hidden-program",
        "ProtectHome= hides the program",
        _service("/home/broken/script", ProtectHome=True),
        ("/home/broken/script", "ProtectHome="),
        ("ProtectHome=tmpfs", "BindReadOnlyPaths=/home/broken/script"),
    ),
    Way(
        "no-exec-paths",
        "NoExecPaths= keeps the loader of the program from being run",
        _service(NoExecPaths="/", ExecPaths="/usr/bin/sleep"),
        ("NoExecPaths= (", "/ld-linux", "which /bin/sleep needs"),
        ("ExecPaths=/lib",),
        since=248,
    ),
    Way(
        "program-below-root",
        "the program is not there below RootDirectory=",
        _service(RootDirectory="/opt/broken/root"),
        ("/bin/sleep", "in RootDirectory=/opt/broken/root"),
        ("install it",),
        by_run=False,
    ),
    Way(
        "processes",
        "User= has more processes than LimitNPROC=",
        _service(User="wright", LimitNPROC=1),
        ("user wright", "LimitNPROC=1 ("),
        ("TasksMax=",),
    ),
    Way(
        "pre",
        "the interpreter of ExecStartPre= is missing",
        _service(ExecStartPre="/opt/broken/interpreter"),
        ("interpreter /opt/broken/python3.9",),
        ("first line",),
    ),
    Way(
        "user",
        "User= is not there",
        _service(User="nobody-here"),
        ("no user nobody-here", "User= ("),
        ("create that account",),
    ),
    Way(
        "user-by-number",
        "no user has the number of User=",
        _service(User="48211"),
        ("no user 48211", "User= ("),
        ("create that account",),
    ),
    Way(
        "group",
        "Group= is not there",
        _service(Group="nobody-here"),
        ("no group nobody-here", "Group= ("),
        ("create that group",),
    ),
    Way(
        "groups",
        "one of SupplementaryGroups= is not there",
        _service(SupplementaryGroups="adm nobody-here"),
        ("no group nobody-here", "SupplementaryGroups= ("),
        ("create that group",),
    ),
    Way(
        "working-directory",
        "WorkingDirectory= is not there",
        _service(WorkingDirectory="/var/lib/broken-nowhere"),
        ("/var/lib/broken-nowhere", "WorkingDirectory= ("),
        ("StateDirectory=broken-nowhere",),
    ),
    Way(
        "working-directory-closed",
        "User= may not enter WorkingDirectory=",
        _service(WorkingDirectory="/opt/broken/closed", User="wright"),
        ("user wright", "/opt/broken/closed (root:root 0700)", "WorkingDirectory= ("),
        ("/opt/broken/closed",),
    ),
    Way(
        "working-directory-hidden",
        "ProtectHome= hides WorkingDirectory=",
        _service(WorkingDirectory="/home/broken", ProtectHome="tmpfs"),
        ("/home/broken", "ProtectHome= ("),
        ("BindReadOnlyPaths=/home/broken",),
    ),
    Way(
        "read-write-paths",
        "a path of ReadWritePaths= is not there, by a drop-in",
        _service(),
        ("/opt/broken/nowhere", "ReadWritePaths= (", "50-broken.conf:"),
        ("begin the value with -",),
        dropin={"service": {"ReadWritePaths": "/opt/broken/nowhere"}},
    ),
    Way(
        "bind-paths",
        "the source of BindPaths= is not there",
        _service(BindPaths="/opt/broken/nowhere:/mnt"),
        ("/opt/broken/nowhere", "BindPaths= ("),
        ("make it",),
    ),
    Way(
        "root-directory",
        "RootDirectory= is not there",
        _service(RootDirectory="/opt/broken/nowhere"),
        ("/opt/broken/nowhere", "RootDirectory= ("),
        ("make it",),
        by_run=False,
    ),
    Way(
        "root-is-file",
        "RootDirectory= is a file",
        _service(RootDirectory="/opt/broken/script"),
        ("/opt/broken/script of RootDirectory= (", "is a file"),
        ("mend the path",),
        by_run=False,
    ),
    Way(
        "standard-input",
        "the file of StandardInput= is not there",
        _service(StandardInput="file:/opt/broken/nowhere"),
        ("/opt/broken/nowhere", "StandardInput= ("),
        ("make it",),
    ),
    Way(
        "terminal",
        "TTYPath= is not there",
        _service(StandardInput="tty", TTYPath="/dev/tty4711"),
        ("/dev/tty4711", "TTYPath= ("),
        ("mend the path",),
    ),
    Way(
        "standard-output",
        "the folder of StandardOutput= is not there",
        _service(StandardOutput="append:/var/log/broken-nowhere/log"),
        ("/var/log/broken-nowhere", "StandardOutput= ("),
        ("make it before the unit starts (systemd makes LogsDirectory= and the like too late for it)",),
    ),
    Way(
        "environment-file",
        "EnvironmentFile= is not there",
        _service(EnvironmentFile=["/etc/hostname", "/opt/broken/nowhere.env"]),
        ("/opt/broken/nowhere.env", "EnvironmentFile= ("),
        ("begin the value with -",),
    ),
    Way(
        "credential",
        "the file of LoadCredential= is not there",
        _service(LoadCredential="token:/opt/broken/nowhere"),
        ("/opt/broken/nowhere", "LoadCredential= (", "credential token"),
        ("put the file there",),
    ),
    Way(
        "runtime-directory",
        "a file is in the way of RuntimeDirectory=",
        _service(RuntimeDirectory="broken-file/x"),
        ("/run/broken-file is a file", "RuntimeDirectory= ("),
        ("move /run/broken-file away",),
    ),
    Way(
        "state-directory",
        "a file is in the way of StateDirectory=",
        _service(StateDirectory="broken-file"),
        ("/var/lib/broken-file is a file", "StateDirectory= ("),
        ("move /var/lib/broken-file away",),
    ),
    Way(
        "state-directory-twice",
        "StateDirectory= of DynamicUser= is there both ways",
        _service(StateDirectory="broken-both", DynamicUser=True),
        ("StateDirectory= (", "/var/lib/broken-both", "/var/lib/private/broken-both"),
        ("move the other away",),
        before="mkdir -p /var/lib/broken-both /var/lib/private/broken-both",
    ),
    Way(
        "network-namespace",
        "NetworkNamespacePath= is not there",
        _service(NetworkNamespacePath="/run/netns/nowhere"),
        ("/run/netns/nowhere", "NetworkNamespacePath= ("),
        ("After=",),
    ),
    Way(
        "no-namespace",
        "NetworkNamespacePath= is another file",
        _service(NetworkNamespacePath="/opt/broken/script"),
        ("/opt/broken/script of NetworkNamespacePath= (", "no network namespace"),
        ("mend the path",),
    ),
    # What Type= promises, and systemd's watch over it.
    Way(
        "not-ready",
        "READY=1 never comes",
        _service(Type="notify", TimeoutStartSec=1),
        ("READY=1", "within 1 s", "Type=notify (", "NotifyAccess=main"),
        ("Type=exec",),
    ),
    Way(
        "ready-from-another",
        "READY=1 comes from another process",
        _service(_sh("/usr/bin/python3 /opt/broken/ready.py; sleep infinity"), Type="notify", TimeoutStartSec=2),
        ("READY=1", "NotifyAccess=main"),  # 257 says no more than that it did not come
        ("NotifyAccess=all",),
    ),
    Way(
        "ends-before-ready",
        "the program ends before READY=1",
        _service("/bin/true", Type="notify"),
        ("ended before it sent READY=1",),
        ("Type=exec", "Type=oneshot"),
    ),
    Way(
        "foreground",
        "Type=forking and a program that stays in the foreground",
        _service(Type="forking", TimeoutStartSec=1),
        ("foreground", "Type=forking ("),
        ("Type=exec",),
    ),
    Way(
        "pid-file",
        "PIDFile= is never written",
        _service(_sh("sleep infinity & exit 0"), Type="forking", PIDFile="/run/broken.pid", TimeoutStartSec=1),
        ("/run/broken.pid", "PIDFile= (", "not written"),
        ("leave PIDFile= out",),
    ),
    Way(
        "pid-file-text",
        "PIDFile= holds no number",
        _service(
            _sh("echo x > /run/broken-text.pid; sleep infinity & exit 0"),
            Type="forking",
            PIDFile="/run/broken-text.pid",
            TimeoutStartSec=1,
        ),
        ("/run/broken-text.pid", "PIDFile= (", "named no process of it"),
        ("what the program writes there",),
    ),
    Way(
        "pid-file-stale",
        "PIDFile= holds the number of a process that is gone",
        _service(
            _sh("echo 4194300 > /run/broken-stale.pid; sleep infinity & exit 0"),
            Type="forking",
            PIDFile="/run/broken-stale.pid",
            TimeoutStartSec=1,
        ),
        ("/run/broken-stale.pid", "PIDFile= (", "named no process of it"),
        ("what the program writes there",),
    ),
    Way(
        "bus-name",
        "BusName= is never taken",
        _service(Type="dbus", BusName="org.example.Broken", TimeoutStartSec=1),
        ("org.example.Broken", "BusName= ("),
        ("Type=exec",),
    ),
    Way(
        "slow-oneshot",
        "a oneshot that takes longer than TimeoutStartSec=",
        _service(Type="oneshot", TimeoutStartSec=1),
        ("within 1 s", "TimeoutStartSec= ("),
        ("more time",),
    ),
    Way(
        "slow-pre",
        "ExecStartPre= takes longer than TimeoutStartSec=",
        _service(ExecStartPre=FOREVER, TimeoutStartSec=1),
        ("ExecStartPre= (", "within 1 s"),
        ("TimeoutStartSec=",),
    ),
    Way(
        "runtime",
        "it runs longer than RuntimeMaxSec=",
        _service(RuntimeMaxSec=1),
        ("RuntimeMaxSec= (", "1 s"),
        ("raise RuntimeMaxSec=",),
        stable_for=4,
    ),
    Way(
        "watchdog",
        "WATCHDOG=1 does not come",
        _service(WatchdogSec=1, NotifyAccess="all"),
        ("WATCHDOG=1", "WatchdogSec= (", "1s"),
        ("sd_watchdog_enabled",),
        stable_for=4,
    ),
    Way(
        "start-limit",
        "a start limit, with the first failure of the series",
        _service(
            _sh("test -e /run/broken-once && exit 9; touch /run/broken-once; nowhere-to-be-found"),
            Restart="always",
            RestartSec="100ms",
        )
        | {"unit": {"StartLimitBurst": 3}},
        ("StartLimitBurst=", "it failed 3 times", "the first time the command nowhere-to-be-found"),
        ("install it", "systemctl reset-failed"),
        by_run=False,
    ),
    # How programs end.
    Way(
        "crash",
        "the program crashes",
        _service(_sh("kill -SEGV $$$$")),
        ("crashed by SIGSEGV",),
        (),
    ),
    Way(
        "system-call",
        "SystemCallFilter= kills the program",
        _service("/bin/uname", SystemCallFilter="~uname"),
        ("SIGSYS", "SystemCallFilter= ("),
        ("SystemCallLog=",),
    ),
    Way(
        "port",
        "a port is taken by another unit; the program says it",
        _service(f"/usr/bin/python3 /opt/broken/listen.py {PORT}"),
        (f"port {PORT}", HOLDER),
        ("another port",),
    ),
    Way(
        "port-named",
        "the same, named in the program's last line",
        _service(_sh(f'echo "listen tcp 127.0.0.1:{PORT}: bind: address already in use"; exit 1')),
        (f"port {PORT}", HOLDER),
        ("another port",),
    ),
    Way(
        "port-of-node",
        "the same, said by Node.js before a trace",
        _service(_sh("cat /opt/broken/node-taken >&2; exit 1")),
        (f"port {PORT}", HOLDER),
        ("another port",),
    ),
    Way(
        "socket-port",
        "a port of a socket unit is taken",
        {"socket": {"ListenStream": f"127.0.0.1:{PORT}", "Accept": True}},
        (f"port {PORT}", HOLDER),
        ("another port",),
        kind="socket",
        by_run=False,
    ),
    Way(
        "port-of-redis",
        "a port is taken, which redis says before its last line",
        _service(_sh("cat /opt/broken/redis-taken; exit 1")),
        (f"port {PORT}", HOLDER),
        ("another port",),
    ),
    Way(
        "port-of-gunicorn",
        "a port is taken, which gunicorn says before its last line",
        _service(_sh("cat /opt/broken/gunicorn-taken; exit 1")),
        (f"port {PORT}", HOLDER),
        ("another port",),
    ),
    Way(
        "address",
        "an address that the host does not have",
        _service("/usr/sbin/nginx -c /opt/broken/nginx-address.conf -g 'daemon off;'"),
        ("the address 198.51.100.7",),
        ("network-online.target",),
    ),
    Way(
        "socket-address",
        "an address of a socket unit that the host does not have",
        {"socket": {"ListenStream": "198.51.100.7:8933", "Accept": True}},
        ("the address 198.51.100.7", "ListenStream= ("),
        ("FreeBind=yes",),
        kind="socket",
        by_run=False,
    ),
    Way(
        "socket-user",
        "there is no SocketUser=",
        {"socket": {"ListenStream": "/run/broken-user.sock", "SocketUser": "nobody-here", "Accept": True}},
        ("no user nobody-here", "SocketUser= ("),
        ("create that account",),
        kind="socket",
        by_run=False,
    ),
    Way(
        "socket-group",
        "there is no SocketGroup=",
        {"socket": {"ListenStream": "/run/broken-group.sock", "SocketGroup": "nobody-here", "Accept": True}},
        ("no group nobody-here", "SocketGroup= ("),
        ("create that group",),
        kind="socket",
        by_run=False,
    ),
    Way(
        "variable",
        "a variable is not set (Python)",
        _service(_py("import os; os.environ['API_TOKEN']"), Environment="OTHER=1"),
        ("API_TOKEN", "not set"),
        ("Environment=API_TOKEN=",),
    ),
    Way(
        "variable-of-shell",
        "a variable is not set (shell)",
        _service(_sh("set -u; echo $${DATABASE_URL}")),
        ("DATABASE_URL", "not set"),
        ("Environment=DATABASE_URL=",),
    ),
    Way(
        "variable-named-before",
        "a variable is not set, which the program names first",
        _service(_sh('echo "SECRET_KEY environment variable is not set"; exit 1')),
        ("SECRET_KEY", "not set"),
        ("Environment=SECRET_KEY=",),
    ),
    Way(
        "protect-system",
        "ProtectSystem=strict refuses a write",
        _service(_sh("echo > /opt/broken/x"), ProtectSystem="strict"),
        ("ProtectSystem= (", "/opt/broken/x"),
        ("ReadWritePaths=/opt/broken ",),
    ),
    Way(
        "protect-home",
        "ProtectHome=read-only refuses a write, by a drop-in",
        _service(_sh("echo > /home/broken/x")),
        ("ProtectHome= (", "50-broken.conf:", "/home/broken/x"),
        ("ReadWritePaths=/home/broken ",),
        dropin={"service": {"ProtectHome": "read-only"}},
    ),
    Way(
        "read-only-paths",
        "ReadOnlyPaths= refuses a write (Python)",
        _service(_py("open('/opt/broken/x', 'w')"), ReadOnlyPaths="/opt"),
        ("ReadOnlyPaths= (", "/opt/broken/x"),
        ("ReadWritePaths=/opt/broken ",),
    ),
    Way(
        "hidden-data",
        "ProtectHome= hides what the program reads",
        _service("/bin/cat /home/broken/data", ProtectHome="tmpfs"),
        ("/home/broken/data", "ProtectHome= ("),
        ("BindReadOnlyPaths=/home/broken/data",),
    ),
    Way(
        "private-tmp",
        "PrivateTmp= hides what the program reads",
        _service("/bin/cat /tmp/broken-data", PrivateTmp=True),
        ("/tmp/broken-data", "PrivateTmp= ("),
        ("BindReadOnlyPaths=/tmp/broken-data",),
        before="echo x > /tmp/broken-data",
    ),
    Way(
        "closed-file",
        "User= may not read a file",
        _service("/bin/cat /opt/broken/secret", User="wright"),
        ("user wright", "/opt/broken/secret", "0600"),
        ("chown or chmod",),
    ),
    Way(
        "closed-folder-quoted",
        "User= may not enter a folder, said with typographic quotes",
        _service("/bin/mkdir /opt/broken/closed/x", User="wright", Environment="LC_ALL=C.UTF-8"),
        ("/opt/broken/closed (root:root 0700)", "on the way to /opt/broken/closed/x"),
        ("/opt/broken/closed",),
    ),
    Way(
        "missing-file",
        "a file of the program is not there",
        _service("/bin/cat /opt/broken/nowhere.conf"),
        ("/opt/broken/nowhere.conf is not there",),
        ("put it there",),
    ),
    Way(
        "missing-file-with-spaces",
        "the same, with spaces in its name",
        _service("/bin/cat '/opt/broken/no such file'"),
        ("/opt/broken/no such file is not there",),
        ("put it there",),
    ),
    Way(
        "missing-file-of-dash",
        "the same, said by dash",
        _service("/bin/sh /opt/broken/nowhere.sh"),
        ("/opt/broken/nowhere.sh is not there",),
        ("put it there",),
    ),
    Way(
        "command",
        "a command of a script is not there",
        _service(_sh("nowhere-to-be-found")),
        ("nowhere-to-be-found",),
        ("install it",),
    ),
    Way(
        "library",
        "a library of the program is not there",
        _service("/opt/broken/library"),
        ("libc.so.9",),
        ("install the package",),
        before="sed 's#libc.so.6#libc.so.9#' /bin/true > /opt/broken/library; chmod 755 /opt/broken/library",
    ),
    Way(
        "module",
        "a module of the program is not there (Python)",
        _service("/usr/bin/python3 -m nowhere_to_be_found"),
        ("Python module nowhere_to_be_found", "not there"),
        ("install it for the interpreter that ExecStart= (",),
    ),
    Way(
        "module-of-node",
        "a module of the program is not there (Node.js)",
        _service(_sh("cat /opt/broken/node-module >&2; exit 1")),
        ("module express", "not there"),
        ("npm ci",),
    ),
    Way(
        "before-closing-words",
        "a file is not there, said before closing words (nginx)",
        _service(ExecStartPre="/usr/sbin/nginx -t -c /opt/broken/nginx.conf"),
        ("/opt/broken/nowhere.conf is not there",),
        ("put it there",),
    ),
    Way(
        "open-files",
        "LimitNOFILE= is reached",
        _service(_py("import os; [os.dup(0) for _ in range(99)]"), LimitNOFILE=16),
        ("LimitNOFILE=16 (",),
        ("raise LimitNOFILE=",),
    ),
    Way(
        "address-families",
        "RestrictAddressFamilies= keeps a socket from the program",
        _service(_py("import socket; socket.socket()"), RestrictAddressFamilies="AF_UNIX AF_NETLINK"),
        ("RestrictAddressFamilies= (",),
        ("RestrictAddressFamilies=",),
    ),
    Way(
        "executable-memory",
        "MemoryDenyWriteExecute= refuses memory",
        _service("/usr/bin/python3 /opt/broken/jit.py", MemoryDenyWriteExecute=True),
        ("MemoryDenyWriteExecute= (",),
        ("JIT",),
    ),
    Way(
        "low-port",
        "a port below 1024 without the capability",
        _service("/usr/bin/python3 /opt/broken/listen.py 81", User="wright"),
        ("port 81", "user wright"),
        ("CAP_NET_BIND_SERVICE",),
    ),
    Way(
        "low-port-of-node",
        "the same, said by Node.js before a trace",
        _service(_sh("cat /opt/broken/node-refused >&2; exit 1"), User="wright"),
        ("port 83", "user wright"),
        ("CAP_NET_BIND_SERVICE",),
    ),
    Way(
        "refused-connection",
        "nobody listens where the program connects to",
        _service(_sh('echo "dial tcp 127.0.0.1:8932: connect: connection refused"; exit 1')),
        ("port 8932",),
        ("After=",),
    ),
    Way(
        "mount",
        "the source of a mount is not there",
        {"mount": {"What": "/opt/broken/nowhere.img", "Where": "/mnt/broken/mount", "Type": "ext4"}},
        ("/opt/broken/nowhere.img", "What= ("),
        ("mend the path",),
        kind="mount",
    ),
    Way(
        "condition",
        "a condition does not hold, such as ConditionPathExists=",
        {"unit": {"ConditionPathExists": "/opt/broken/nowhere"}, "service": {"ExecStart": "/bin/sleep infinity"}},
        ("ConditionPathExists=/opt/broken/nowhere (", "does not hold"),
        ("mend its value",),
        fails=False,
    ),
    Way(
        "assertion",
        "an assertion does not hold, such as AssertUser=",
        {"unit": {"AssertUser": "nobody"}, "service": {"ExecStart": "/bin/sleep infinity"}},
        ("AssertUser=nobody (", "does not hold"),
        ("mend its value",),
        fails=False,
    ),
)


# Those for which it takes a kernel that limits memory and has devices; `make vm` runs them.
KERNEL_WAYS: tuple[Way, ...] = (
    Way(
        "eats",
        "the program needs more memory than it may have",
        _service("/usr/bin/python3 /opt/broken/eat.py", MemoryMax="50M"),
        ("more memory than MemoryMax=50M (",),
        ("raise MemoryMax=",),
    ),
    Way(
        "child-eats",
        "a child of the program needs more memory than it may have",
        _service("/bin/sh -c '/usr/bin/python3 /opt/broken/eat.py; sleep 100'", MemoryMax="50M"),
        ("more memory than MemoryMax=50M (",),
        ("raise MemoryMax=",),
    ),
    Way(
        "slice-eats",
        "all units of a slice together need more memory than they may have",
        _service("/usr/bin/python3 /opt/broken/eat.py", Slice="broken.slice"),
        ("all units in broken.slice together", "MemoryMax="),
        ("raise MemoryMax= of broken.slice",),
        before="printf '[Slice]\\nMemoryMax=60M\\n' > /run/systemd/system/broken.slice",
    ),
    Way(
        "device",
        "the device that it needs never comes",
        {"unit": {"BindsTo": "dev-broken.device", "After": "dev-broken.device"}, **_service()},
        ("the device /dev/broken is not there",),
        ("mend the name",),
        blamed="dev-broken.device",
    ),
    Way(
        "mount-device",
        "the device of a mount never comes",
        {"mount": {"What": "/dev/disk/by-label/broken", "Where": "/mnt/broken/mount/device"}},
        ("the device /dev/disk/by-label/broken is not there",),
        ("mend the name",),
        kind="mount",
        blamed="dev-disk-by\\x2dlabel-broken.device",
    ),
)


@dataclass(frozen=True)
class Misleading:
    """A failure whose words, or whose number, are of something else: nothing may be named."""

    name: str
    way: str
    sections: Entry

    @property
    def unit(self) -> str:
        return f"misleading-{self.name}.service"


def _says(text: str, status: int = 1, **directives: object) -> Entry:
    return _service(_sh(f'echo "{text}"; exit {status}'), **directives)


MISLEADING: tuple[Misleading, ...] = (
    Misleading("own-203", "the program itself ends with 203", _service(_sh("exit 203"))),
    Misleading(
        "own-226", "the program itself ends with 226", _service(_sh("exit 226"), ReadWritePaths="-/opt/nowhere")
    ),
    Misleading("own-217", "the program itself ends with 217", _service(_sh("exit 217"), User="wright")),
    Misleading("own-127", "the program itself ends with 127", _service(_sh("exit 127"))),
    Misleading("silent", "the program says nothing", _service(_sh("exit 1"))),
    Misleading("remote", "a refusal of another host", _says("git@example.com: Permission denied (publickey).")),
    Misleading(
        "remote-path", "a path of another host", _says("scp: /opt/broken/secret: Permission denied on the remote host")
    ),
    Misleading(
        "open-path", "a refusal of a file that is open", _says("/etc/hostname: Permission denied", User="wright")
    ),
    Misleading("other-port", "another port, which is free", _says("bind 127.0.0.1:8933: address already in use")),
    Misleading(
        "which-port",
        "no port, and two that are given, of which the one is taken by its peer",
        _service(_sh(f'echo "Address already in use"; exit 1 # --upstream {PORT} --listen 8934')),
    ),
    Misleading(
        "connects",
        "a port of another host, to which it may not connect",
        _says("failed to connect to 198.51.100.7 port 81: Permission denied", User="wright"),
    ),
    Misleading("no-port", "no port at all", _says("Address already in use")),
    Misleading(
        "upstream",
        "no port, and only that of its peer is given",
        _service(_sh(f'echo "Address already in use"; exit 1 # --upstream 127.0.0.1:{PORT}')),
    ),
    Misleading(
        "elevated",
        "a refusal that its own command, as root, cannot have met",
        _service("+" + _sh('echo "/opt/broken/secret: Permission denied"; exit 1'), User="wright"),
    ),
    Misleading(
        "goes-on", "a file that it can do without", _says("/opt/broken/nowhere: No such file or directory, skipping")
    ),
    Misleading(
        "then-another",
        "an error before the one that counts",
        _service(
            _sh('echo "/opt/broken/secret: Permission denied"; echo "schema 4 is not known"; exit 1'), User="wright"
        ),
    ),
    Misleading("there", "a file that is there", _says("/etc/hostname: No such file or directory")),
    Misleading("writable", "a place that can be written to", _says("/opt/broken/x: Read-only file system")),
    Misleading(
        "library-there", "of a library, with another status", _says("error while loading shared libraries: a.so")
    ),
    Misleading("found", "a command that is there", _says("sh: 1: cat: not found", status=127)),
    Misleading(
        "variable-set", "a variable that is set", _says("API_TOKEN: unbound variable", Environment="API_TOKEN=one")
    ),
    Misleading("key", "a key of a mapping, not of the environment", _service(_py("{}['API_TOKEN']"))),
    Misleading("listening", "a port on which somebody listens", _says(f"127.0.0.1:{PORT}: Connection refused")),
    Misleading("part", "what may be but a part of a path", _says("open /opt/broken/no such file: no such file")),
    Misleading(
        "quoted-command",
        "what may be a command",
        _says("cannot run \u201c/opt/broken/script -x\u201d: No such file or directory"),
    ),
    Misleading("named-not-found", "what is found nowhere is no command", _says("user shop: not found", status=127)),
    Misleading(
        "two-ports",
        "no port, and two that are given, of which another has the one",
        _service(
            _py("from http.server import HTTPServer as h; a = h(('127.0.0.1',8937), 0); b = h(('127.0.0.1',8937), 0)")
            + f" --port {PORT}"
        ),
    ),
    Misleading("inotify", "of watches, not of files", _says("inotify_init: Too many open files", LimitNOFILE=64)),
    Misleading("killed", "someone has killed it", _service(_sh("kill -KILL $$$$"), MemoryMax="512M")),
    Misleading("own-filter", "SIGSYS, and the unit has no filter", _service(_sh("kill -SYS $$$$"))),
    Misleading("space", "a file system that has room", _says("/opt/broken/x: No space left on device")),
)

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests put on a host: entries of a declaration, and programs that say which version of them runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.testbed.listing import NOTES

Entry = dict[str, Any]

# Where the files of the folder programs lie.
PROGRAMS = "/opt/unitwright-programs"
UNITS, VENDOR = "/etc/systemd/system", "/usr/lib/systemd/system"
MOUNT = "/mnt/test"
FOREVER = "/bin/sleep infinity"
# A unit that needs no more.
IDLE = f"[Service]\nExecStart={FOREVER}\n"
NOTIFY = {"Type": "notify", "NotifyAccess": "all"}
# A unit of a package, that runs.
NGINX = "nginx.service"
WANTED = {"WantedBy": "multi-user.target"}


def service(name: str = "main", command: str | list[str] = FOREVER, **more: Any) -> Entry:
    """A service that runs a command; options of more are merged into its sections."""
    return merged({"name": f"{name}.service", "service": {"ExecStart": command}}, more)


def app(version: object, name: str = "app", **more: Any) -> Entry:
    """An enabled service that notes its version."""
    return merged(service(name, program(version, name), install=WANTED), more)


def merged(entry: Mapping[str, Any], more: Mapping[str, Any]) -> Entry:
    both = {
        key: merged(entry[key], value) if isinstance(value, dict) and isinstance(entry.get(key), dict) else value
        for key, value in more.items()
    }
    return {**entry, **both}


def program(version: object, name: str = "app", then: str = "exec sleep infinity") -> str:
    """ExecStart= of a program that notes its version when it starts."""
    return f"/bin/sh -c 'echo {version} > {NOTES}/{name}; {then}'"


def server(version: object, port: int = 0) -> str:
    """ExecStart= of a web server that answers with its version, on the port or on what a socket unit hands over."""
    return f"/usr/bin/python3 {PROGRAMS}/server.py {version} {port}"


def web(text: object = "one", name: str = "web", **more: Any) -> Entry:
    """A web server that a socket starts."""
    return service(name, server(text), **more)


def socket(port: int, name: str = "web", **directives: Any) -> Entry:
    return {"name": f"{name}.socket", "socket": {"ListenStream": f"127.0.0.1:{port}", **directives}}


def echo(text: object, port: int, **more: Any) -> list[Entry]:
    """A socket of which each connection is an instance, that greets with a text and then sends all back."""
    greeting = service("echo@", f"/bin/sh -c 'echo {text}; exec cat'", service={"StandardInput": "socket"})
    return [{**socket(port, "echo", Accept=True), **more}, greeting]


def tmpfs(where: str = MOUNT, **more: str) -> Entry:
    """A mount; more are directives."""
    return {
        "name": f"{where[1:].replace('/', '-')}.mount",
        "mount": {"What": "tmpfs", "Where": where, "Type": "tmpfs", **more},
    }


def timer(when: str, name: str = "job", **directives: Any) -> Entry:
    return {"name": f"{name}.timer", "timer": {"OnCalendar": when, **directives}}


def many(number: int, name: str = "n", **more: Any) -> list[Entry]:
    return [service(f"{name}{index}", **more) for index in range(number)]


def bad(after: str = "") -> Entry:
    """A unit that takes a run down with it, once a command has ended."""
    return service("bad", f"/bin/sh -c '{after}exit 3'", install=WANTED)


BAD = bad()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests put on a host: programs that say which version of them runs, and the looks at what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tests.testbed.host import Host
from tests.testbed.listing import NOTES, listing

Entry = dict[str, Any]
Result = dict[str, Any]

SERVER = "/usr/local/lib/server.py"
# Takes the sockets that systemd hands over, if it does.
SERVER_TEXT = """
import http.server, os, socket, sys, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[1].encode())
given = range(3, 3 + int(os.environ.get("LISTEN_FDS", 0)))
for handle in given or [None]:
    served = http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Answer, bind_and_activate=handle is None)
    if handle is not None:
        served.socket = socket.socket(fileno=handle)
    threading.Thread(target=served.serve_forever).start()
"""
# Long enough to see a program fall that falls at once.
QUICK = {"stable_for": 0.3, "timeout": 20}
WAIT = 20.0


def program(version: object, name: str = "app", then: str = "exec sleep infinity") -> str:
    """ExecStart= of a program that notes its version."""
    return f"/bin/sh -c 'echo {version} > {NOTES}/{name}; {then}'"


def server(version: object, port: int) -> str:
    """ExecStart= of a web server on the loopback interface that answers with its version."""
    return f"/usr/bin/python3 {SERVER} {version} {port}"


def echo(text: object, port: int) -> list[Entry]:
    """A socket of which each connection is an instance, that greets with a text and then sends all back."""
    service = {"ExecStart": f"/bin/sh -c 'echo {text}; exec cat'", "StandardInput": "socket"}
    listen = {"ListenStream": f"127.0.0.1:{port}", "Accept": True}
    return [{"name": "echo.socket", "socket": listen}, {"name": "echo@.service", "service": service}]


def app(version: object, name: str = "app", **more: Any) -> Entry:
    """A started and enabled service; options of more are merged into its sections."""
    entry: Entry = {
        "name": f"{name}.service",
        "service": {"ExecStart": program(version, name)},
        "install": {"WantedBy": "multi-user.target"},
        "health": QUICK,
    }
    return merged(entry, more)


def merged(entry: Mapping[str, Any], more: Mapping[str, Any]) -> Entry:
    both = {
        key: merged(entry[key], value) if isinstance(value, dict) and isinstance(entry.get(key), dict) else value
        for key, value in more.items()
    }
    return {**entry, **both}


# A unit that takes a run down with it.
BAD: Entry = app(0, "bad", service={"ExecStart": program(0, "bad", "exit 3")})


def stack(host: Host, *units: Entry, **more: Any) -> Result:
    """A run that has to succeed."""
    result = host.module("stack", **{"name": "test", "units": list(units), **more})
    assert not result.get("failed"), (result["msg"], result.get("errors"))
    return result


def failing(host: Host, *units: Entry, **more: Any) -> Result:
    """A run that has to fail with a message and errors."""
    result = host.module("stack", **{"name": "test", "units": list(units), **more})
    assert result.get("failed"), result["plan"]
    assert result["msg"]
    assert result["errors"]
    return result


def version(host: Host, name: str = "app") -> str:
    """Which version noted itself last; awaited, since a program may be started but not have come that far."""
    path = f"{NOTES}/{name}"
    until(lambda: host.exists(path), f"{path} is not there")
    return host.read(path).strip()


def answer(host: Host, port: int) -> str:
    """What the web server says, awaited; "" where none answers."""
    retry = "--retry 20 --retry-connrefused --retry-delay 1 --retry-max-time 20"
    return host.sh(f"curl -s {retry} --max-time 10 127.0.0.1:{port}", check=False)


def forget_versions(host: Host) -> None:
    """What runs from now on has to note itself again."""
    host.sh(f"rm -f {NOTES}/*")


def show(host: Host, unit: str, *properties: str) -> str:
    """Values of properties, one a line in systemd's own order."""
    return host.sh(f"systemctl show --value --property={','.join(properties)} -- '{unit}' | sed '/^$/d'")


def state(host: Host, unit: str) -> str:
    return host.sh(f"systemctl is-active -- '{unit}'", check=False)


def invocation(host: Host, unit: str) -> str:
    return show(host, unit, "InvocationID")


def until(true: Callable[[], object], otherwise: str, seconds: float = WAIT) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


@contextmanager
def beside(host: Host, command: str) -> Iterator[None]:
    """A command of bash runs meanwhile, as asking.service."""
    host.sh(f"systemd-run --quiet --unit=asking /bin/bash -c '{command}' 2>&1")
    try:
        yield
    finally:
        host.sh("systemctl stop asking.service", check=False)


def asked(host: Host, *ports: int, pause: str = "true") -> AbstractContextManager[None]:
    """Someone connects to these ports all the time; pause is a command between two rounds."""
    connect = " ".join(f"true > /dev/tcp/127.0.0.1/{port};" for port in ports)
    return beside(host, f"while :; do {connect} {pause}; done")


def connected(host: Host, port: int) -> AbstractContextManager[None]:
    """Someone holds one connection to this port."""
    return beside(host, f"exec 3<>/dev/tcp/127.0.0.1/{port}; exec sleep infinity")


@contextmanager
def untouched(host: Host) -> Iterator[None]:
    """Nothing is written meanwhile: not a byte, not a time of change."""
    before = listing(host, times=True)
    yield
    assert listing(host, times=True) == before


def no_record(host: Host) -> bool:
    """No run is noted as in progress."""
    return not host.sh("ls /var/lib/unitwright/system/running 2>/dev/null", check=False)

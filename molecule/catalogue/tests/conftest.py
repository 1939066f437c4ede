# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the examples share: what runs for long, and how each answers when it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

CURL = "curl --silent --show-error --max-time 20 "
OF_THIS_RUN = "journalctl --quiet --no-pager _SYSTEMD_INVOCATION_ID=$(systemctl show --value --property=InvocationID "
HEARD = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(99).decode())"
TICKED = "until redis-cli -n 1 exists myproject:ticks | grep --quiet 1; do sleep 0.2; done"
POSTED = "number=$(curl --silent --request POST http://127.0.0.1:8000/jobs/abc | tr --delete --complement 0-9)"
FRESH = "find /home/pi/gpio-api/data/readings.json -newermt '-6 seconds'"
# By service a command, and what it prints if the service works.
ANSWERS = {
    "hello": (f"{OF_THIS_RUN} hello)", "Hello from my service"),
    "mywebapp": (f"{CURL} http://127.0.0.1:8080/", "Hello from mywebapp"),
    "myapi": (f"{CURL} http://127.0.0.1:3000/health", '"stage":"production","database":"localhost"'),
    "pyworker": ("redis-cli rpush shouts hi; redis-cli blpop shouts:done 20", "HI"),
    "fastapi-worker": (f"{POSTED}; {CURL} http://127.0.0.1:8000/jobs/$number", '"result":"cba"'),
    "app@blog": (f"{CURL} http://127.0.0.1:80/", "blog as user"),
    "app@shop": (f"{CURL} http://127.0.0.1:81/", "shop as user"),
    "app@wiki": (f"{CURL} http://127.0.0.1:82/", "wiki as user"),
    "myapp": (f"{CURL} http://127.0.0.1:8081/", "myapp, started on demand"),
    "mysocketapi": (f"{CURL} http://127.0.0.1:3001/", "Answered by process"),
    "gpio-api": (f"{CURL} http://127.0.0.1:5000/health", '"device":"/dev/gpiomem"'),
    "sensor-reader": (FRESH, "readings.json"),
    "counter": (f"{CURL} http://127.0.0.1:8083/", "Visitor"),
    "service-a": (f"python3 -c '{HEARD}' /run/service-a/socket", "a"),
    "service-b": (f"python3 -c '{HEARD}' /run/service-b/socket", "b <- a"),
    "service-c": (f"python3 -c '{HEARD}' /run/service-c/socket", "c <- b <- a"),
    "inventory-db": ("redis-cli -p 6390 ping", "PONG"),
    "inventory": (f"{CURL} http://127.0.0.1:8090/", "things"),
    "frames": (f"{OF_THIS_RUN} frames) --priority=err", "Critical error: sensor read failed"),
    "myproject": (f"{CURL} --unix-socket /home/ubuntu/myproject/myproject.sock http://localhost/", "Hello from Django"),
    "celery": (f"{CURL} --unix-socket /home/ubuntu/myproject/myproject.sock http://localhost/add/20/3", "23"),
    "celerybeat": (f"redis-cli -n 1 del myproject:ticks; timeout 20 sh -c '{TICKED}' && echo ticked", "ticked"),
}
# What their first connection starts, and no boot.
ON_DEMAND = ("myapp", "mysocketapi")
ENABLED = (
    *(f"{name}.service" for name in ANSWERS if name not in (*ON_DEMAND, "gpio-api", "sensor-reader")),
    *(f"{name}.socket" for name in ON_DEMAND),
    *(f"{name}.timer" for name in ("disk-report", "load-log", "nightly-backup")),
    "pi-stack.target",
)
Until = Callable[..., bool]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a `service` runs once for each; so with what is `enabled`."""
    for name, values in (("service", ANSWERS), ("enabled", ENABLED)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values)


@pytest.fixture(scope="module")
def show(host: Host) -> Callable[[str, str], str]:
    """show(unit, property): its value, as systemd has it."""
    return lambda unit, name: host.check_output("systemctl show --value --property=%s %s", name, unit)


@pytest.fixture(scope="module")
def answers(host: Host) -> Callable[[str], bool]:
    """answers(service): whether it does what it is for."""

    def ask(service: str) -> bool:
        command, said = ANSWERS[service]
        return said in host.run(command).stdout

    return ask


@pytest.fixture(scope="module")
def get(host: Host) -> Callable[[str], str]:
    """get(url): the body of an answer, whatever its status, "" where nobody answers."""
    return lambda url: host.run(f"{CURL} %s", url).stdout.rstrip("\n")


@pytest.fixture(scope="session")
def until() -> Until:
    """until(condition, seconds): whether it came true within that time."""

    def wait(condition: Callable[[], Any], seconds: float = 60) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    return wait

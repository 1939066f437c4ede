# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host that the tests hold: how a module is called on it, and how it is looked at from outside."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.testbed.host import Host, Machine
from tests.testbed.listing import NOTES, Listing, listing, restore
from tests.testbed.units import Units
from tests.tooling import COLLECTION, COLLECTIONS

from .entries import IDLE, PROGRAMS, UNITS, Entry
from .happenings import Call, differences, unlike

Result = dict[str, Any]
Answer = TypeVar("Answer")

# Long enough to see a program fall that falls at once.
QUICK = {"stable_for": 0.3, "timeout": 20}
WAIT = 20.0
# Someone with a manager of their own.
USER = "wright"
# A command on the host that ends a run.
CUT_OFF = "pkill -KILL -f run_modul[e].py"

# Half the cost of a daemon-reload is that of generators, most of them for what no container has: disks and consoles.
GENERATORS = "/etc/systemd/system-generators"
FEWER_GENERATORS = f"""
mkdir -p {GENERATORS}
for path in /usr/lib/systemd/system-generators/*; do
  case $path in *-fstab-generator | *-sysv-generator) ;; *) ln -sf /dev/null {GENERATORS}/${{path##*/}} ;; esac
done
"""

# Has check mode to foretell each call?
FORETELL = os.environ.get("UNITWRIGHT_FORETELL") == "1"


class Lab(Host):
    """A test host. Whatever is not said otherwise is done as the stack "test"."""

    forks = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        # What the running test has to take away again: module and options.
        self.applied: dict[str, Result] = {}
        # Without one there is nobody to ask what has become of units.
        self.has_manager = True
        self._told_by: Units | None = None
        # Has anyone connected to sockets since the running test began?
        self.visited = False

    def prepare(self) -> None:
        """Boot it, with all that tests take for granted; what `restore` leads back to."""
        self.up()
        self.install_collection(COLLECTIONS / COLLECTION)
        for program in Path(__file__).with_name("programs").glob("*.py"):
            self.write(f"{PROGRAMS}/{program.name}", program.read_text(encoding="utf-8"))
        self.sh(f"id {USER} 2>/dev/null || useradd --create-home --shell /bin/bash {USER}")
        self.sh(f"loginctl enable-linger {USER} && systemctl start user@$(id -u {USER}).service")
        self.sh(FEWER_GENERATORS)
        self.sh("mkdir -p /run/systemd/transient")  # as systemd does for the first unit without a file
        restore(self)

    # How a module is called.

    def attempt(
        self, *units: Entry, module: str = "stack", besides: Sequence[str] | None = (), **options: Any
    ) -> Result:
        """A result, failed or not, that says all that the call did to units, and nothing else (happenings.py).

        besides: units that something else starts or stops meanwhile. None: other calls run meanwhile, so that who did
        what cannot be told.
        """
        named: Entry = {"name": "test", **({"units": list(units)} if units else {})} if module == "stack" else {}
        given = {"health": QUICK, **named, **options}
        differing: list[str] = []
        if besides is None or not self.has_manager:
            result = self.module(module, **given)
        else:
            result, differing = self._held(module, given, besides)
        if not result.get("failed") or given.get("on_failure") == "keep":
            self._remember(module, given)
        assert not differing, "\n".join(["", *differing, *map(str, result.get("plan", ()))])
        return result

    def _held(self, module: str, given: Result, besides: Sequence[str]) -> tuple[Result, list[str]]:
        """A result, and where it is not what happened, or not what check mode has foretold."""
        foretold = None
        if FORETELL and not given.get("check_mode"):
            foretold = self.module(module, **{**given, "check_mode": True})
        units = self.units
        units.begin()
        result = self.module(module, **given)
        differing = [*differences(Call(given, result, units.end(), USER, self.visited), besides)]
        return result, [*differing, *(unlike(foretold, result) if foretold else ())]

    @property
    def units(self) -> Units:
        if self._told_by is None or not self._told_by.alive():
            self._told_by = Units(self.engine, self.name, USER)
        return self._told_by

    def _remember(self, module: str, given: Entry) -> None:
        """What is to be taken away after the test."""
        if given.get("check_mode") or "root" in given:
            return
        as_whom = ("prefix", "env") if given.get("scope") == "user" else ()
        whose = {key: given[key] for key in ("name", "dropin", "scope", *as_whom) if key in given}
        key = " ".join([module, *map(str, whose.values())])
        if given.get("state") == "absent":
            self.applied.pop(key, None)
        else:
            self.applied[key] = {"module": module, **whose}

    def apply(self, *units: Entry, **options: Any) -> Result:
        """A run that has to succeed."""
        return succeeded(self.attempt(*units, **options))

    def failing(self, *units: Entry, **options: Any) -> Result:
        """A run that has to fail with a message and errors."""
        return failed(self.attempt(*units, **options))

    def refused(self, *units: Entry, **options: Any) -> Result:
        """A run that has to fail before it writes anything."""
        with self.untouched():
            return self.failing(*units, **options)

    def foretell(self, *units: Entry, **options: Any) -> Result:
        """What check mode says, and that it writes nothing."""
        with self.untouched():
            return self.apply(*units, check_mode=True, **options)

    def cut_off(self, *units: Entry, **options: Any) -> None:
        """A run that something kills, by CUT_OFF."""
        self._remember("stack", {"name": "test", **options})
        done = self.start_module("stack", **{"name": "test", "units": list(units), "health": QUICK, **options})
        assert done.returncode == 137

    def assert_settled(self, *units: Entry, **options: Any) -> None:
        """The same once more has nothing to do."""
        result = self.apply(*units, **options)
        assert result["plan"] == [], "the second run is not idempotent"
        assert not result["changed"]

    def settled(self, *units: Entry, **options: Any) -> Result:
        """Apply, and see that a second run has nothing to do."""
        result = self.apply(*units, **options)
        self.assert_settled(*units, **options)
        return result

    def remove(self, **options: Any) -> Result:
        return self.apply(state="absent", **options)

    def remove_all(self) -> None:
        """What the test has applied, the last first."""
        for given in reversed(list(self.applied.values())):
            self.remove(**given)

    def left_alone(self, unit: Entry, changed: Entry) -> list[str]:
        """The plan's verbs of a change that leaves the process alone."""
        self.apply(unit)
        before = self.invocation(unit["name"])
        result = self.settled(changed)
        assert self.invocation(unit["name"]) == before
        assert (result["restarted"], result["newly_started"], result["stopped"]) == ([], [], [])
        return verbs(result)

    def error_of(self, unit: Entry, **health: Any) -> Entry:
        """The one error of a unit that does not become healthy."""
        result = self.failing({**unit, "health": {"timeout": 15, **health}})
        (error,) = result["errors"]
        assert (error["unit"], error["rule"]) == (unit["name"], "health")
        assert unit["name"] in result["msg"]
        assert error["message"] in result["msg"]
        return dict(error)

    def assert_runs(self, number: int, name: str = "app") -> None:
        """The process that runs is of this version and was started with this version's file."""
        assert self.state(f"{name}.service") == "active"
        assert self.version(name) == str(number)
        assert self.show(f"{name}.service", "NeedDaemonReload") == "no"
        assert f"echo {number} >" in self.show(f"{name}.service", "ExecStart")

    def foreign(self, unit: str, text: str = IDLE, folder: str = UNITS, start: bool = True) -> None:
        """A unit of someone else, that systemd has read."""
        self.write(f"{folder}/{unit}", text)
        self.sh("systemctl daemon-reload" + (f" && systemctl start {unit}" if start else ""))

    def begin(self, *units: str) -> None:
        """Start what takes its time, until it is at its work."""
        self.sh(f"systemctl start --no-block -- {' '.join(units)}")
        until(lambda: not {"inactive", "failed"} & {*self.states(*units)}, f"{', '.join(units)}: not at work")

    # How the host is looked at.

    @functools.cached_property
    def systemd(self) -> int:
        """Its version."""
        return int(self.sh("systemctl --version").split()[1])

    def show(self, unit: str, *properties: str) -> str:
        """Values of properties, one a line in systemd's own order."""
        return self.sh(f"systemctl show --value --property={','.join(properties)} -- '{unit}' | sed '/^$/d'")

    def state(self, unit: str) -> str:
        return self.sh(f"systemctl is-active -- '{unit}'", check=False)

    def states(self, *units: str) -> list[str]:
        return self.sh(f"systemctl is-active -- {' '.join(units)}", check=False).split()

    def enabled(self, unit: str) -> str:
        return self.sh(f"systemctl is-enabled -- '{unit}'", check=False)

    def invocation(self, unit: str) -> str:
        return self.show(unit, "InvocationID")

    def environment(self, unit: str) -> dict[str, str]:
        """What the main process of a unit really has in its environment."""
        text = self.run("cat", f"/proc/{self.show(unit, 'MainPID')}/environ").stdout.decode()
        return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)

    def version(self, name: str = "app") -> str:
        """Which version noted itself last; awaited, since a program may be started but not have come that far."""
        path = f"{NOTES}/{name}"
        until(lambda: self.exists(path), f"{path} is not there")
        return self.read(path).strip()

    def forget_versions(self) -> None:
        """What runs from now on has to note itself again."""
        self.sh(f"rm -f {NOTES}/*")

    def answer_now(self, where: int | str) -> str:
        """What the web server on a port or a socket of the file system says; "" where none answers."""
        place = f"127.0.0.1:{where}" if isinstance(where, int) else f"--unix-socket {where} http://localhost/"
        return self.sh(f"curl -s --max-time 10 {place}", check=False)

    def answer(self, where: int | str) -> str:
        """The same, awaited."""
        return until(lambda: self.answer_now(where), f"nobody answers on {where}")

    def listing(self, *folders: str, times: bool = False) -> Listing:
        return listing(self, *folders, times=times)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Nothing is written meanwhile: not a byte, not a time of change."""
        before = self.listing(times=True)
        yield
        assert self.listing(times=True) == before

    def no_record(self) -> bool:
        """No run is noted as in progress."""
        return not self.sh("ls /var/lib/unitwright/system/running 2>/dev/null", check=False)

    def as_user(self, command: str) -> str:
        """What a command of USER prints."""
        return self.sh(f"XDG_RUNTIME_DIR=/run/user/$(id -u {USER}) runuser -u {USER} -- {command}", check=False)

    # What goes on meanwhile.

    @contextmanager
    def beside(self, command: str) -> Iterator[None]:
        """A command of bash runs meanwhile, as asking.service."""
        self.visited = True
        self.sh(f"systemd-run --quiet --unit=asking /bin/bash -c '{command}' 2>&1")
        try:
            yield
        finally:
            self.sh("systemctl stop asking.service", check=False)

    def asked(self, *ports: int, pause: str = "0.005") -> AbstractContextManager[None]:
        """Someone connects to these ports all the time, with so many seconds between two rounds."""
        connect = " ".join(f"true > /dev/tcp/127.0.0.1/{port};" for port in ports)
        # Bash itself waits; a process for each pause would take from the host what the service is to have.
        return self.beside(f"exec 9<> <(:); while :; do {connect} read -rt {pause} -u 9; done")

    def connected(self, port: int) -> AbstractContextManager[None]:
        """Someone holds one connection to this port."""
        return self.beside(f"exec 3<>/dev/tcp/127.0.0.1/{port}; exec sleep infinity")


class MachineLab(Lab, Machine):
    """A virtual machine in place of a container: its kernel enforces limits of memory and CPU."""


def until(ask: Callable[[], Answer], otherwise: str, seconds: float = WAIT) -> Answer:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
    return answer


# What a result says.


def succeeded(result: Result) -> Result:
    assert not result.get("failed"), (result.get("msg"), result.get("errors"))
    return result


def failed(result: Result) -> Result:
    assert result.get("failed"), f"expected a failure: {result.get('plan')}"
    assert result["msg"]
    assert result["errors"], result["msg"]
    assert "exception" not in result, result["msg"]
    return result


def actions(result: Result) -> list[tuple[str, str]]:
    """The plan without its reasons."""
    return [(step["action"], step.get("unit", "")) for step in result["plan"]]


def verbs(result: Result) -> list[str]:
    return [step["action"] for step in result["plan"]]


def places(result: Result) -> list[tuple[str, str, str]]:
    """Where each error is: unit, section, directive."""
    return [(error["unit"], error["section"], error["directive"]) for error in result["errors"]]

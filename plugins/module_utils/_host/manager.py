# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The one place that starts a process: systemctl, systemd-analyze, journalctl, systemd-run.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .._syntax.kinds import Cgroup, kind_of
from .places import Places, account, without_linger

OLDEST = 247

# What a command prints is read by us, so it must not depend on the locale, a pager or colours.
_ENVIRONMENT = {
    "LC_ALL": "C",
    # A manager with thousands of units may be at a reload for longer than the 25 s that systemctl waits for an answer.
    "SYSTEMD_BUS_TIMEOUT": "80s",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_LOG_COLOR": "0",
    "SYSTEMD_LOG_LEVEL": "notice",
    "SYSTEMD_PAGER": "",
}
# The same for what is read by its level (systemd(1), $SYSTEMD_LOG_TARGET): <27> is an error, <29> a notice.
_WITH_LEVELS = {
    "SYSTEMD_LOG_TARGET": "console-prefixed",
    "SYSTEMD_LOG_LOCATION": "0",
    "SYSTEMD_LOG_TID": "0",
    "SYSTEMD_LOG_TIME": "0",
}
# Where systemd looks for a program that is given by its bare name.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DUMPERS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")

# systemd-analyze(1): from then on `security` takes files that are not loaded.
OFFLINE_SINCE = 250
# From then on several names in one call of systemctl are one transaction (EnqueueUnitJobMany).
TOGETHER_SINCE = 262
_QUEUED = ("--no-block", "--quiet")
_ALONE = "--job-mode=ignore-requirements"
# A command that only asks or only queues a job answers in milliseconds; one that needs this long hangs.
ANSWER_TIMEOUT = 90.0
_COMING_UP = 20.0

# A unit's properties, as `systemctl show` prints them.
Properties = Mapping[str, str]


def _of_caller() -> Dict[str, str]:
    """Its environment, without what is for systemd's own tools: by SYSTEMD_OFFLINE=1 systemctl would do nothing."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SYSTEMD_", "SYSTEMCTL_"))}


class ManagerError(Exception):
    """systemd could not be asked; the message says what was tried and the mend."""


class Outcome(NamedTuple):
    """What a command did. code 124 is ours: no answer in time."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        return (self.err.strip() or self.out.strip() or f"exit code {self.code}").replace("\n", "; ")

    def joined(self, other: Outcome) -> Outcome:
        """What two commands did, as if they were one."""
        return Outcome(self.code or other.code, self.out + other.out, self.err + other.err)


class UnitState(NamedTuple):
    """A line of `systemctl list-units`: LoadState, ActiveState, SubState."""

    load: str
    active: str
    sub: str

    @property
    def is_up(self) -> bool:
        return self.active in UP

    @property
    def runs(self) -> bool:
        """Up, and not only between two attempts of a crash loop."""
        return self.is_up and not self.sub.startswith("auto-restart")

    @property
    def is_active(self) -> bool:
        """Not still coming up: systemd hands a restart on only to such units (job_type_collapse())."""
        return self.is_up and self.active != "activating"

    @property
    def can_stop(self) -> bool:
        """Has a stop anything to end? systemd hands a stop on only to such units (job_type_is_redundant())."""
        return self.is_up or self.active == "deactivating"


UP = ("active", "activating", "reloading", "refreshing")
INACTIVE = UnitState("not-found", "inactive", "dead")


class States(Dict[str, UnitState]):
    """The states of the units in memory; a unit that systemd has forgotten, or never loaded, is inactive."""

    def __missing__(self, unit: str) -> UnitState:
        return INACTIVE


class Manager:
    """systemd of one scope: PID 1, the caller's user manager, or (with a root, or for "global") only its tools.

    begun: when it was first asked, in seconds since the epoch.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.begun = time.time()
        self._scope_flag = places.scope.flag
        self._environ = {**_of_caller(), **_ENVIRONMENT}
        # An empty part would stand for the working directory.
        self._environ["PATH"] = ":".join(filter(None, (os.environ.get("PATH"), PATH)))
        if places.scope.of_session:
            entry = account()
            if entry is not None:
                self._environ["HOME"] = entry.pw_dir  # become may leave that of another
            runtime = os.path.dirname(places.manager)
            self._environ["XDG_RUNTIME_DIR"] = runtime
            self._environ.setdefault("DBUS_SESSION_BUS_ADDRESS", f"unix:path={runtime}/bus")
        self.version = self._ask_version()
        self.live = self._is_live()

    @property
    def path(self) -> str:
        """Where `run` looks for programs."""
        return self._environ["PATH"]

    def run(
        self, command: Sequence[str], timeout: float = ANSWER_TIMEOUT, environ: Optional[Mapping[str, str]] = None
    ) -> Outcome:
        """Run a command without a shell; never raises for its exit code."""
        try:
            done = subprocess.run(  # pylint: disable=subprocess-run-check
                list(command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**self._environ, **(environ or {})},
                timeout=timeout,
                check=False,
                # A terminal that is lost sends its signals to all of a session: none may end what undoes things.
                start_new_session=True,
            )
        except FileNotFoundError:
            return Outcome(127, "", f"{command[0]} is not installed")
        except OSError as error:
            return Outcome(126, "", f"{command[0]} cannot be run: {error.strerror}")
        except subprocess.TimeoutExpired:
            return Outcome(124, "", f"{' '.join(command[:4])} gave no answer within {timeout:g} s")
        return Outcome(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def _ask_version(self) -> int:
        outcome = self.run(["systemctl", "--version"])
        found = re.match(r"systemd (\d+)", outcome.out)
        if not found:
            raise ManagerError("there is no systemd on this host (systemctl --version did not answer): install systemd")
        version = int(found.group(1))
        if version < OLDEST:
            raise ManagerError(f"systemd {version} is too old: this collection needs {OLDEST} or newer")
        return version

    def _is_live(self) -> bool:
        """Is a manager running for these files? sd_booted(3) for the system, its private socket for a user."""
        if self.places.root or not self.places.scope.has_manager:
            return False
        if self.places.scope.of_session:
            if self._comes_up():
                return True
            raise ManagerError(
                f"no user manager runs for uid {os.getuid()} ({self.places.manager}/private is not open): "
                "enable linger for that user (loginctl enable-linger) and become that user"
            )
        return os.path.isdir("/run/systemd/system")

    def _comes_up(self) -> bool:
        """Is the user's manager there? loginctl enable-linger does not wait until it has come up."""
        private = self.places.manager + "/private"
        if _listens(private):
            return True
        # From another network namespace it is not seen, and answers. The file alone may be that of an earlier one.
        if os.path.exists(private) and self.systemctl("show", flags=["--property=Version"]).code == 0:
            return True
        deadline = time.monotonic() + (0.0 if without_linger() else _COMING_UP)
        while time.monotonic() < deadline:
            if _listens(private):
                return True
            time.sleep(0.1)
        return False

    def systemctl(self, verb: str, units: Sequence[str] = (), flags: Sequence[str] = ()) -> Outcome:
        """One call for all units, in the given order. Only queues jobs (--no-block): health waits for them."""
        return self.run(["systemctl", self._scope_flag, *flags, verb, "--", *units])

    def run_to_end(self, units: Sequence[str], timeout: float, alone: bool = False) -> Outcome:
        """Start oneshots and wait: systemd may forget a unit at its end, and with it what came of the job.

        The outcome names each one whose job fails, which systemctl does not where it shall be quiet. alone: as for
        `queue`.
        """
        flags = [_ALONE] if alone else []
        return self.run(["systemctl", self._scope_flag, *flags, "start", "--", *units], timeout=timeout)

    def queue(self, verb: str, units: Sequence[str], alone: bool = False) -> Outcome:
        """Queue a job for each unit, in this order; the outcome tells of all that systemd refuses.

        alone: without jobs for what they require, or for what requires them.
        """
        flags = [*_QUEUED, *([_ALONE] if alone else [])]
        done = self.systemctl(verb, units, flags)
        if done.code == 0 or len(units) < 2 or self.version < TOGETHER_SINCE:
            return done
        # If one is refused, or contradicts another, systemd has done nothing at all.
        refused = [each for each in (self.systemctl(verb, [unit], flags) for unit in units) if each.code != 0]
        return Outcome(refused[0].code, "", "".join(each.err for each in refused)) if refused else Outcome(0, "", "")

    def start_together(self, units: Sequence[str]) -> Outcome:
        """Queue starts as one transaction, so that all begin before anything else happens.

        Only a unit that wants them all does that (systemd.unit(5), Wants=), so one is made that ends at once.
        """
        command = ["systemd-run", self._scope_flag, "--quiet", "--collect", "--no-block"]
        wanted = ["--property=Wants=" + unit.replace("\\", "\\\\") for unit in units]
        return self.run([*command, "--property=DefaultDependencies=no", *wanted, "true"])

    def kill(self, unit: str, name: str) -> Outcome:
        """Send a signal to the main process of a unit."""
        # --kill-who= is --kill-whom= since 252, and is still taken.
        return self.systemctl("kill", [unit], ["--kill-who=main", f"--signal={name}"])

    def waiting_jobs(self) -> Dict[str, Tuple[str, str]]:
        """Jobs that have not begun: unit to ID and type (start, stop, restart, ...)."""
        outcome = self.run(["systemctl", self._scope_flag, "list-jobs", "--full", "--plain", "--no-legend"])
        rows = [line.split() for line in outcome.out.splitlines()]
        return {row[1]: (row[0], row[2]) for row in rows if len(row) == 4 and row[3] == "waiting"}

    def change_enablement(self, verb: str, units: Sequence[str]) -> Outcome:
        """enable, reenable, disable, mask, unmask without systemctl's own daemon-reload."""
        flags = ["--quiet", "--no-reload"]
        if self.places.root:
            flags.append("--root=" + self.places.root)
        return self.systemctl(verb, units, flags)

    def daemon_reload(self) -> Outcome:
        return self.run(["systemctl", self._scope_flag, "daemon-reload"], timeout=300.0)

    def read_again(self) -> None:
        """A daemon-reload that has to succeed. Raises ManagerError."""
        done = self.daemon_reload()
        if done.code != 0:
            raise ManagerError(not_read(done))

    def list_units(self) -> States:
        """State of every unit in memory, from one call; a unit that is not listed is not loaded."""
        outcome = self.run(["systemctl", self._scope_flag, "list-units", "--all", "--full", "--output=json"])
        if outcome.code != 0:
            raise ManagerError(f"systemctl list-units failed: {outcome.message}")
        rows: List[Dict[str, Any]] = json.loads(outcome.out)
        return States({row["unit"]: UnitState(row["load"], row["active"], row["sub"]) for row in rows})

    def list_unit_files(self, patterns: Sequence[str]) -> Dict[str, str]:
        """Enablement of unit files by name, from one call that needs no manager."""
        flags = ["--output=json", *(["--root=" + self.places.root] if self.places.root else [])]
        outcome = self.systemctl("list-unit-files", patterns, flags)
        if outcome.code != 0 and outcome.out.strip() in ("", "[]") and outcome.err.strip():
            raise ManagerError(f"systemctl list-unit-files failed: {outcome.message}")
        rows: List[Dict[str, Any]] = json.loads(outcome.out or "[]")
        return {row["unit_file"]: row["state"] for row in rows}

    def show(self, units: Sequence[str], properties: Sequence[str]) -> Dict[str, Dict[str, str]]:
        """Properties of units by the name that was asked for, from one call."""
        if not units:
            return {}
        wanted = ",".join(properties)
        outcome = self.systemctl("show", units, ["--property=" + wanted])
        blocks = outcome.out.strip("\n").split("\n\n")
        if len(blocks) != len(units):
            raise ManagerError(f"systemctl show answered for {len(blocks)} of {len(units)} units: {outcome.message}")
        return {unit: _properties(block) for unit, block in zip(units, blocks)}

    def configuration_items(self) -> str:
        """The directives this host's systemd knows, by section, with their types."""
        for dumper in _DUMPERS:
            if os.access(dumper, os.X_OK):
                outcome = self.run([dumper, "--dump-configuration-items"])
                if outcome.code == 0:
                    return outcome.out
        raise ManagerError("systemd --dump-configuration-items did not answer: is systemd installed completely?")

    def capabilities(self) -> FrozenSet[str]:
        """The names of all that this host has, in small letters; none if systemd-analyze does not tell."""
        outcome = self.run(["systemd-analyze", "capability"])
        return frozenset(line.split()[0] for line in outcome.out.splitlines() if line.startswith("cap_"))

    def unit_path(self) -> Tuple[str, ...]:
        """The load path in force (SYSTEMD_UNIT_PATH and the like included), highest priority first."""
        if not self.live:
            return self.places.lookup
        outcome = self.run(["systemctl", self._scope_flag, "show", "--property=UnitPath", "--value"])
        return tuple(outcome.out.split()) or self.places.lookup

    def verify(self, unit_path: str, files: Sequence[str]) -> Outcome:
        """systemd-analyze verify with a load path of our own; complaints come on standard error, behind their level."""
        flags = ["--man=no"]
        if self.version >= 250:  # systemd-analyze(1): --recursive-errors= came with 250
            flags.append("--recursive-errors=yes")
        flags.append("--user" if self.places.scope.of_users else "--system")
        environ = {**_WITH_LEVELS, "SYSTEMD_UNIT_PATH": unit_path}
        if not self.places.scope.has_manager:
            environ["XDG_RUNTIME_DIR"] = os.environ.get("XDG_RUNTIME_DIR", "/run")
        return self.run(["systemd-analyze", *flags, "verify", *files], environ=environ, timeout=300.0)

    def security(self, units: Sequence[str], folder: str = "") -> str:
        """systemd-analyze security with all columns: of unit files in a folder of our own, or of loaded units."""
        flags = ["--user" if self.places.scope.of_users else "--system", "--no-pager"]
        environ = {"SYSTEMD_ANALYZE_DEBUG": "1"}
        if folder:
            flags.append("--offline=true")
            environ["SYSTEMD_UNIT_PATH"] = folder
            environ["XDG_RUNTIME_DIR"] = self._environ.get("XDG_RUNTIME_DIR", "/run")
        return self.run(["systemd-analyze", *flags, "security", *units], environ=environ).out

    def syscall_groups(self) -> str:
        """The groups of system calls that this host's systemd knows, with what is in each."""
        return self.run(["systemd-analyze", "--no-pager", "syscall-filter"]).out

    def wake_limits(self, units: Sequence[str]) -> List[str]:
        """Start something that ends at once in each unit's slice: from 253 on only that puts changed limits into force.

        Which slice that is only systemd knows, as it depends on scope and name. Returns what went wrong.
        """
        shown = self.show(units, ("Slice",))
        slices = {unit if kind_of(unit).cgroup is Cgroup.PARENT else shown[unit].get("Slice", "") for unit in units}
        failures = []
        for each in sorted(slices - {""}):
            # Not --wait, which needs a message bus; it returns when that has been started.
            done = self.run(["systemd-run", self._scope_flag, "--quiet", "--collect", "--slice=" + each, "true"])
            if done.code != 0:
                failures.append(f"nothing could be started in {each} to wake its limits: {done.message}")
        return failures


def not_read(reload: Outcome) -> str:
    """Why systemd does not go by the files that there are now."""
    return f"systemd did not read its files again: {reload.message}"


def _listens(path: str) -> bool:
    """Asked of the kernel, since systemd logs a connection that says nothing."""
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as sockets:
        return any(line.rstrip("\n").endswith(" " + path) for line in sockets)


def _properties(block: str) -> Dict[str, str]:
    """A property that has several values, such as a timer's times, is shown as several lines."""
    found: Dict[str, str] = {}
    for key, equals, value in (line.partition("=") for line in block.split("\n")):
        if equals:
            found[key] = f"{found[key]}\n{value}" if key in found else value
    return found


def names(shown: Properties, name: str) -> List[str]:
    """The units that a property names; systemctl puts those with a backslash in quotes, and doubles it."""
    words = shown.get(name, "").split()
    return [word.strip('"').replace("\\\\", "\\") if word.startswith('"') else word for word in words]


def all_names(shown: Properties, properties: Sequence[str]) -> Set[str]:
    """The units that any of these properties names."""
    return {other for name in properties for other in names(shown, name)}

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as the fault tests see it: its state in full, and how to bring back an earlier one without a reboot."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# All units of the tests begin with this, and only they do.
PREFIX = "fx-"
# What a test fills a disk with is no part of a state.
FILLER = ".filler"
PORTS = range(7000, 7100)
_STAMP = re.compile(rb"UNITWRIGHT_STAMP=(\w+)")
_SHOWN = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
    "Result",
    "Job",
    "MainPID",
    "FragmentPath",
    "DropInPaths",
)
# What starts other units is stopped before them, or they come back.
_STARTERS = (".timer", ".socket", ".path")
_LISTENING = "0A"

Entry = tuple[int, int, int, bytes]
Tree = dict[str, Entry]
State = dict[str, Any]


@dataclass(frozen=True)
class Start:
    """A state that every trial begins in."""

    tree: Tree
    up: list[str]
    fingerprint: Any

    @property
    def without_scratch(self) -> Any:
        return [self.fingerprint[0], self.fingerprint[2]]


class Machine:
    """One scope of this host: "system", or "user" for the user that this process is."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.runtime = "/run"
        self.home = pwd.getpwuid(os.getuid()).pw_dir
        if scope == "user":
            self.runtime = os.environ["XDG_RUNTIME_DIR"]
            self.units = self.home + "/.config/systemd/user"
            self.state = self.home + "/.local/state/unitwright"
            self.accepted = self.state + "/accepted.json"
            self.roots = [self.home]
        else:
            self.units = "/etc/systemd/system"
            self.state = "/var/lib/unitwright"
            self.accepted = self.state + "/system/accepted.json"
            self.roots = [self.units, "/etc/unitwright", self.state, "/usr/local/lib/systemd"]
        # What a run has noted for the reasons of later ones: one that was killed has seen other stamps in use.
        self.stamps = os.path.join(os.path.dirname(self.accepted), "stamps.json")
        # What the units themselves write, to prove what they were started or reloaded with.
        self.proofs = self.runtime + "/faults"
        self.roots.append(self.proofs)

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        command = ["systemctl", "--" + self.scope, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def listed(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = json.loads(
            self.systemctl("list-units", "--all", "--full", "--output=json", PREFIX + "*")
        )
        return rows

    def begin(self) -> Start:
        """Take the present state for the one that `reset` brings back."""
        rank = {".socket": 0, ".service": 1}
        up = [row["unit"] for row in self.listed() if row["active"] == "active"]
        up.sort(key=lambda unit: rank.get(os.path.splitext(unit)[1], 2))
        return Start(self.tree(), up, self.fingerprint())

    def reset(self, start: Start) -> Start:
        """The start state again, with new processes in it."""
        self._stop()
        self.restore(start.tree)
        self.sweep()
        self.systemctl("daemon-reload")
        self.systemctl("reset-failed", PREFIX + "*", check=False)
        if start.up:
            # 257 takes the pattern for failed units alone, and starts count that came before.
            self.systemctl("reset-failed", *start.up, check=False)
            self.systemctl("start", *start.up)
        return Start(start.tree, start.up, self.fingerprint())

    def clear(self) -> None:
        """No unit of the tests, and none of the collection's folders."""
        self._stop()
        for path, (mode, *_rest) in sorted(self.tree().items(), reverse=True):
            shared = self.scope == "system" and path.startswith((self.units, "/usr/local/lib/systemd"))
            if shared and PREFIX not in path:
                continue
            kept = [self.units] if self.scope == "system" else [self.home]
            if path not in kept and not os.path.basename(path).startswith(".bash"):
                _remove(path, mode)
        self.sweep()
        os.makedirs(self.proofs)
        self.systemctl("daemon-reload")
        self.systemctl("reset-failed", PREFIX + "*", check=False)

    def _stop(self) -> None:
        running = [row["unit"] for row in self.listed() if row["active"] not in ("inactive", "failed")]
        if running:
            self.systemctl("stop", *sorted(running, key=lambda unit: (not unit.endswith(_STARTERS), unit)))

    def sweep(self) -> None:
        for path in self._scratch():
            shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def _scratch() -> list[str]:
        folder = tempfile.gettempdir()
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if "unitwright" in name]

    def tree(self) -> Tree:
        found: Tree = {}
        for root in self.roots:
            _walk(root, found)
        return found

    def restore(self, tree: Tree) -> None:
        now = self.tree()
        for path in sorted(set(now) - set(tree), reverse=True):
            _remove(path, now[path][0])
        for path, entry in sorted(tree.items()):
            if now.get(path) == entry:
                continue
            if path in now and not stat.S_ISDIR(entry[0]):
                _remove(path, now[path][0])
            _put(path, entry)

    def fingerprint(self) -> Any:
        """Two equal ones: nothing at all has happened in between, no restart either."""
        names = sorted(row["unit"] for row in self.listed()) or [PREFIX + "none.service"]
        wanted = "--property=Id,InvocationID,ActiveState,SubState,Job,NeedDaemonReload"
        shown = sorted(self.systemctl("show", wanted, "--", *names).strip().split("\n\n"))
        return [self.tree(), self._scratch(), [block for block in shown if "ActiveState=inactive" not in block]]

    def without_scratch(self) -> Any:
        found = self.fingerprint()
        return [found[0], found[2]]

    def observe(self, names: Iterable[str] = ()) -> State:
        """All that two hosts have to agree in to be in the same state."""
        every = {*names, *(os.path.basename(path) for path in self.tree() if self._is_unit(path))}
        every |= {row["unit"] for row in self.listed() if row["active"] != "inactive" or row["load"] == "masked"}
        shown = self._show(sorted(every))
        return {
            "files": {path: self._readable(path, entry) for path, entry in self.tree().items() if path != self.stamps},
            "units": {unit: self._unit(unit, each) for unit, each in shown.items() if not _is_gone(each)},
            "listening": sorted({port for port in _listening() if port in PORTS}),
            "scratch": self._scratch(),
        }

    def _is_unit(self, path: str) -> bool:
        name = os.path.basename(path)
        return name.startswith(PREFIX) and path.startswith((self.units, "/usr/local/lib/systemd")) and "@." not in name

    def _show(self, names: list[str]) -> dict[str, dict[str, str]]:
        names = [name for name in names if re.search(r"\.(service|socket|timer|target|path|slice|mount)$", name)]
        if not names:
            return {}
        out = self.systemctl("show", "--property=" + ",".join((*_SHOWN, "InvocationID")), "--", *names)
        blocks = out.rstrip("\n").split("\n\n")
        rows = [dict(line.split("=", 1) for line in block.split("\n")) for block in blocks]
        return {name: rows[place] for place, name in enumerate(names)}

    def _unit(self, unit: str, properties: dict[str, str]) -> dict[str, Any]:
        state: dict[str, Any] = {name: properties.get(name, "") for name in _SHOWN}
        process = state.pop("MainPID")
        paths = [state["FragmentPath"], *state["DropInPaths"].split()]
        if process not in ("", "0"):
            state["version"] = _environ(process).get("VERSION", "")
        if self.scope == "system" and unit.endswith(".service") and state["ActiveState"] == "active":
            declared = sorted(stamp for path in paths for stamp in _stamps(path))
            running = sorted(_stamps(f"{self.runtime}/systemd/units/log-extra-fields:{state['Id']}"))
            accepted = self._accepted().get(state["Id"], {"invocation": None, "stamps": []})
            reloaded = accepted["invocation"] == properties["InvocationID"] and sorted(accepted["stamps"]) == declared
            # Without any declared, systemd keeps those of an earlier start.
            state["in force"] = not declared or declared == running or reloaded
        return state

    def _accepted(self) -> dict[str, Any]:
        """What was reloaded still has the stamp of its start, and is known to be current by this."""
        entry = self.tree().get(self.accepted)
        rows: dict[str, Any] = json.loads(entry[3]) if entry else {}
        return rows

    def _readable(self, path: str, entry: Entry) -> list[Any]:
        mode, uid, gid, content = entry
        text = content.decode("utf-8", "replace")
        if path == self.accepted:
            rows = json.loads(text)
            shown = self._show(sorted(rows))
            text = json.dumps(
                {unit: [row["stamps"], row["invocation"] == shown[unit]["InvocationID"]] for unit, row in rows.items()}
            )
        return [f"{mode:o}", uid, gid, text]


def without_keys(state: State) -> State:
    """A state as it would look with another key for stamps."""
    files = {}
    for path, (mode, uid, gid, text) in state["files"].items():
        hidden = "(key)" if path.endswith("/key") else re.sub(r"\b[0-9a-f]{24}\b", "*", text)
        files[path] = [mode, uid, gid, hidden]
    return {**state, "files": files}


def differences(expected: Any, actual: Any, where: str = "") -> list[str]:
    """One line for each thing that differs between two states."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for key in sorted({*expected, *actual}):
            found += differences(expected.get(key), actual.get(key), f"{where}/{key}" if where else key)
        return found
    return [] if expected == actual else [f"{where}: expected {expected!r}, is {actual!r}"]


def unsound(state: State) -> list[str]:
    """What is wrong with a state whatever was declared."""
    found = [f"{path} was left behind" for path in [*state["files"], *state["scratch"]] if _is_left(path)]
    for unit, shown in state["units"].items():
        if shown.get("NeedDaemonReload") == "yes":
            found.append(f"{unit}: systemd has loaded something older than its files")
        if shown.get("in force") is False:
            found.append(f"{unit}: runs with an older version than its files have")
        if shown.get("Job", "0") not in ("", "0"):
            found.append(f"{unit}: has a job that nobody waits for")
    return found


def _is_gone(properties: dict[str, str]) -> bool:
    return properties["ActiveState"] == "inactive" and properties["LoadState"] == "not-found"


def _is_left(path: str) -> bool:
    return "/.unitwright-" in path or "/running/" in path or path.startswith(tempfile.gettempdir())


def _walk(path: str, found: Tree) -> None:
    try:
        status = os.lstat(path)
        content = b""
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            with open(path, "rb") as stream:
                content = stream.read()
    except FileNotFoundError:
        return
    found[path] = (status.st_mode, status.st_uid, status.st_gid, content)
    if stat.S_ISDIR(status.st_mode):
        for name in sorted(set(os.listdir(path)) - {FILLER}):
            _walk(os.path.join(path, name), found)


def _remove(path: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        os.rmdir(path)
    else:
        os.unlink(path)


def _put(path: str, entry: Entry) -> None:
    mode, uid, gid, content = entry
    if stat.S_ISLNK(mode):
        os.symlink(os.fsdecode(content), path)
        return
    if stat.S_ISDIR(mode):
        os.makedirs(path, exist_ok=True)
    else:
        with open(path, "wb") as stream:
            stream.write(content)
    os.chown(path, uid, gid)
    os.chmod(path, stat.S_IMODE(mode))


def _stamps(path: str) -> list[str]:
    try:
        with open(path, "rb") as stream:
            return [stamp.decode() for stamp in _STAMP.findall(stream.read())]
    except (FileNotFoundError, IsADirectoryError):
        return []


def _environ(process: str) -> dict[str, str]:
    try:
        with open(f"/proc/{process}/environ", "rb") as stream:
            pairs = [item.split(b"=", 1) for item in stream.read().split(b"\0") if b"=" in item]
    except FileNotFoundError:
        return {}
    return {os.fsdecode(name): os.fsdecode(value) for name, value in pairs}


def _listening() -> list[int]:
    ports = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as stream:
            for line in stream.readlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING:
                    ports.append(int(fields[1].rpartition(":")[2], 16))
    return ports

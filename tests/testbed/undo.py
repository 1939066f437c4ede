# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on the target: takes it back to how it was when this ran there for the first time. Arguments: the folders.

Files come back with mode, owner and link; what runs beyond what ran at first is ended, and what ran then runs again.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from typing import Any

# Where the tests' own tools lie, and what is remembered of the host.
OWN = "/opt/unitwright-"
TAR, STATE = f"{OWN}baseline.tar", f"{OWN}baseline.json"
ATTEMPTS = 5


def below(folder: str, device: int) -> Iterator[tuple[str, os.stat_result]]:
    """All that lies there, but for what is mounted from elsewhere."""
    for entry in os.scandir(folder):
        found = entry.stat(follow_symlinks=False)
        if found.st_dev == device and not entry.path.startswith(OWN):
            yield entry.path, found
            if stat.S_ISDIR(found.st_mode):
                yield from below(entry.path, device)


def marks(folders: list[str]) -> dict[str, list[int]]:
    """What tells for each path whether it was touched."""
    found = {}
    for top in filter(os.path.lexists, folders):
        seen = os.lstat(top)
        found[top] = seen
        if stat.S_ISDIR(seen.st_mode):
            found.update(below(top, seen.st_dev))
    return {path: [seen.st_mode, seen.st_uid, seen.st_gid, seen.st_ctime_ns] for path, seen in found.items()}


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def undo(old: dict[str, list[int]], new: dict[str, list[int]]) -> list[str]:
    """Bring back the paths that were touched, and tell which."""
    touched = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
    for path in touched:
        if path not in old or not stat.S_ISDIR(old[path][0]) or not os.path.isdir(path) or os.path.islink(path):
            remove(path)
    with tarfile.open(TAR) as tar:
        tar.extraction_filter = lambda member, path: member  # Python 3.14 would refuse absolute links
        for path in touched:
            if path in old and not os.path.lexists(path):
                tar.extract(path[1:], "/")
            elif path in old and stat.S_ISDIR(old[path][0]) and old[path][:3] != new.get(path, [])[:3]:
                os.chown(path, old[path][1], old[path][2])
                os.chmod(path, stat.S_IMODE(old[path][0]))
    return touched


def systemctl(*args: str) -> str:
    asked = ["timeout", "30", "systemctl", *args]
    return subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


def running() -> dict[str, str]:
    """What is up or has a job: its state. A device is the kernel's."""
    listed = (line.split() for line in systemctl("list-units", "--plain", "--full", "--no-legend").splitlines())
    return {words[0]: words[2] for words in listed if not words[0].endswith(".device")}


def end(kept: list[str]) -> list[str]:
    """End all but those, and tell what runs on.

    A connection that no one has taken yet starts its service once more, and a service that systemd starts anew
    between its end and its stop brings along what it requires.
    """
    for attempt in range(ATTEMPTS + 1):
        up = [unit for unit, state in running().items() if unit not in kept and state != "failed"]
        if not up or attempt == ATTEMPTS:
            break
        systemctl("kill", "--signal=KILL", "--", *up)
        systemctl("stop", "--", *up)
    return up


def invocations(units: list[str]) -> dict[str, str]:
    services = [unit for unit in units if unit.endswith(".service")]
    if not services:  # systemctl would tell of itself
        return {}
    told = systemctl("show", "--property=Id,InvocationID", "--", *services).split("\n\n")
    shown = [dict(line.split("=", 1) for line in unit.split("\n") if line) for unit in told]
    return {unit["Id"]: unit["InvocationID"] for unit in shown if unit}


def renew(state: dict[str, Any], touched: list[str]) -> None:
    """Start again what ran at first, also what was restarted by files that are gone now."""
    names = {os.path.basename(path) for path in touched}
    names |= {os.path.basename(os.path.dirname(path)).removesuffix(".d") for path in touched}
    now = invocations([unit for unit in state["invocations"] if unit in names])
    stale = [unit for unit, seen in now.items() if seen != state["invocations"][unit]]
    if stale:
        systemctl("restart", "--", *stale)
        state["invocations"].update(invocations(stale))
    up = running()
    down = [unit for unit in state["up"] if up.get(unit, "failed") == "failed"]
    if down:
        systemctl("start", "--", *down)


def main(notes: str, folders: list[str]) -> None:
    remove(notes)
    os.mkdir(notes)
    os.chmod(notes, 0o1777)  # those of users note there, too
    if not os.path.exists(STATE):
        with tarfile.open(TAR, "w") as tar:
            for path in marks(folders):
                tar.add(path, recursive=False)
        up = [unit for unit, state in running().items() if state == "active"]
        state: dict[str, Any] = {"up": up, "invocations": invocations(up)}
    else:
        with open(STATE, encoding="utf-8") as stream:
            state = json.load(stream)
        end(state["up"])
        touched = undo(state["marks"], marks(folders))
        if touched:
            systemctl("daemon-reload")
        left = end(state["up"])  # without its file a unit no longer refuses a stop
        if left:
            sys.exit("what a test has started runs on: " + ", ".join(left))
        systemctl("reset-failed")
        renew(state, touched)
    state["marks"] = marks(folders)
    with open(STATE, "w", encoding="utf-8") as stream:
        json.dump(state, stream)


main(sys.argv[1], sys.argv[2:])

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on the target: takes it back to how it was when this ran there for the first time. Arguments: the folders.

Files come back with mode, owner and link; what runs beyond what ran at first is ended, and what ran then runs again.
Prints what the modules have left, as a list in JSON.
"""

from __future__ import annotations

import glob
import json
import os
import re
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
MARK = b"(unitwright.systemd)"
PLAIN = ("--plain", "--full", "--no-legend")


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


def traces(new: list[str]) -> list[str]:
    """What the modules have left of new paths, and in systemd's memory; an image has a host of its own."""
    found = [path for path in new if not path.startswith("/srv/") and is_trace(path)]
    found += glob.glob("/tmp/unitwright-*")
    listed = (line.split() for line in systemctl("list-units", "--all", *PLAIN).splitlines())
    return found + [" ".join(words[:3]) for words in listed if words[1] == "not-found" and words[2] != "inactive"]


def is_trace(path: str) -> bool:
    """A secret, a record, a file that says whose it is, an empty folder for drop-ins, a link to a unit that is gone."""
    if re.search(r"/(etc|\.config)/unitwright/|/unitwright/\w+/running/", path):
        return True
    if "/systemd/" not in path:
        return False
    if os.path.islink(path):
        return "/systemd/" in os.path.realpath(path) and not os.path.exists(path)
    if os.path.isdir(path):
        return path.endswith(".d") and not os.listdir(path)
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return MARK in stream.read()


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def undo(old: dict[str, list[int]], new: dict[str, list[int]]) -> list[str]:
    """Bring back the paths that were touched, and tell which; of a folder itself only owner and mode count."""
    folders = {path for path in old.keys() & new.keys() if stat.S_ISDIR(old[path][0]) and stat.S_ISDIR(new[path][0])}
    for path in folders:
        if old[path][:3] != new[path][:3]:
            os.chown(path, old[path][1], old[path][2])
            os.chmod(path, stat.S_IMODE(old[path][0]))
    touched = sorted(path for path in {*old, *new} - folders if old.get(path) != new.get(path))
    for path in touched:
        remove(path)
    if touched:
        with tarfile.open(TAR) as tar:
            tar.extraction_filter = lambda member, path: member  # Python 3.14 would refuse absolute links
            for path in filter(old.__contains__, touched):
                tar.extract(path[1:], "/")
    return touched


def systemctl(*args: str) -> str:
    asked = ["timeout", "30", "systemctl", *args]
    return subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


def running() -> dict[str, str]:
    """What is up or has a job: its state. A device is the kernel's."""
    listed = (line.split() for line in systemctl("list-units", *PLAIN).splitlines())
    return {words[0]: words[2] for words in listed if not words[0].endswith(".device")}


def end(kept: list[str], up: dict[str, str]) -> dict[str, str]:
    """End all that is up but those, and tell what runs then.

    A connection that no one has taken yet starts its service once more, and a service that systemd starts anew
    between its end and its stop brings along what it requires. A mount is not killed: all that it has is the program
    that takes it down, and from systemd 257 on the kernel may kill each that comes later as well.
    """
    for _attempt in range(ATTEMPTS):
        goes = strange(kept, up)
        if not goes:
            break
        working = [unit for unit in goes if unit.endswith((".service", ".scope"))]
        if working:
            systemctl("kill", "--signal=KILL", "--", *working)
        systemctl("stop", "--", *goes)
        up = running()
    return up


def strange(kept: list[str], up: dict[str, str]) -> list[str]:
    return [unit for unit, state in up.items() if unit not in kept and state != "failed"]


def invocations(units: list[str]) -> dict[str, str]:
    services = [unit for unit in units if unit.endswith(".service")]
    if not services:  # systemctl would tell of itself
        return {}
    told = systemctl("show", "--property=Id,InvocationID", "--", *services).split("\n\n")
    shown = [dict(line.split("=", 1) for line in unit.split("\n") if line) for unit in told]
    return {unit["Id"]: unit["InvocationID"] for unit in shown if unit}


def renew(state: dict[str, Any], touched: list[str], up: dict[str, str]) -> None:
    """Start again what ran at first, also what was restarted by files that are gone now."""
    names = {os.path.basename(path) for path in touched}
    names |= {os.path.basename(os.path.dirname(path)).removesuffix(".d") for path in touched}
    now = invocations([unit for unit in state["invocations"] if unit in names])
    stale = [unit for unit, seen in now.items() if seen != state["invocations"][unit]]
    down = [unit for unit in state["up"] if up.get(unit, "failed") == "failed"]
    if stale or down:
        systemctl("restart", "--", *stale, *down)
        state["invocations"].update(invocations([*stale, *down]))


def restored(state: dict[str, Any], folders: list[str]) -> list[str]:
    """What the modules had left, now that nothing of it is there any more."""
    found = marks(folders)
    left = traces(sorted(found.keys() - state["marks"].keys()))
    before = running()
    up = end(state["up"], before)
    touched = undo(state["marks"], found if up == before else marks(folders))
    if touched:
        systemctl("daemon-reload")
        up = end(state["up"], running())  # without its file a unit no longer refuses a stop
    stays = strange(state["up"], up)
    if stays:
        sys.exit("what a test has started runs on: " + ", ".join(stays))
    systemctl("reset-failed")
    renew(state, touched, up)
    return left


def first(folders: list[str]) -> dict[str, Any]:
    """How the host is, for the times to come."""
    with tarfile.open(TAR, "w") as tar:
        for path in marks(folders):
            tar.add(path, recursive=False)
    up = [unit for unit, state in running().items() if state == "active"]
    return {"up": up, "invocations": invocations(up)}


def main(notes: str, folders: list[str]) -> None:
    left: list[str] = []
    if os.path.exists(STATE):
        with open(STATE, encoding="utf-8") as stream:
            state = json.load(stream)
        left = restored(state, folders)
    else:
        state = first(folders)
    remove(notes)
    os.mkdir(notes)
    os.chmod(notes, 0o777)  # those of users note there, too
    state["marks"] = marks(folders)
    with open(STATE, "w", encoding="utf-8") as stream:
        json.dump(state, stream)
    print(json.dumps(left))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that lies in folders of a host, to be compared before and after; and the way back to how it was at first."""

from __future__ import annotations

import json
from pathlib import Path

from .host import Host

# What a module may write to.
FOLDERS = ("/etc", "/run/systemd/system", "/run/systemd/transient", "/var/lib/unitwright")
# Where the tests' programs note what they do; empty for each test.
NOTES = "/run/notes"
# What `restore` takes back to how it was.
RESTORED = (
    "/etc",
    "/home",
    "/mnt",
    "/opt",
    "/root",
    "/run/systemd/system",
    "/run/systemd/system-generators",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/srv",
    "/usr/lib/systemd",
    "/usr/local",
    "/var/lib/systemd/linger",
    "/var/lib/systemd/timers",
    "/var/lib/unitwright",
)
_UNDO = Path(__file__).with_name("undo.py")

# path -> kind, mode, owner, and a link's target or a file's content
Listing = dict[str, str]

_LIST = """
import hashlib, json, os, stat, sys
def kind(path):
    seen = os.lstat(path)
    what = "%s %04o %d:%d" % ("ldf?"[0 if stat.S_ISLNK(seen.st_mode) else 1 if stat.S_ISDIR(seen.st_mode)
                              else 2 if stat.S_ISREG(seen.st_mode) else 3], stat.S_IMODE(seen.st_mode),
                              seen.st_uid, seen.st_gid)
    if stat.S_ISLNK(seen.st_mode):
        return what + " -> " + os.readlink(path)
    if stat.S_ISREG(seen.st_mode):
        data = open(path, "rb").read()
        told = repr(data) if len(data) < 4096 else hashlib.sha256(data).hexdigest()
        return what + (" %d %d " % (seen.st_nlink, seen.st_mtime_ns) if sys.argv[1] == "1" else " ") + told
    return what
def main(tops):
    found = {}
    for top in tops:
        if os.path.lexists(top):
            found[top] = kind(top)
        for folder, folders, files in os.walk(top):
            for name in folders + files:
                path = os.path.join(folder, name)
                found[path] = kind(path)
    json.dump(found, sys.stdout)
if __name__ == "__main__":
    main(sys.argv[2:])
"""


def listing(host: Host, *folders: str, times: bool = False) -> Listing:
    """What lies in these folders (FOLDERS by default); with times, a file that was written anew differs."""
    told = host.program(_LIST, "1" if times else "0", *(folders or FOLDERS))
    found: Listing = json.loads(told)
    return found


def restore(host: Host) -> list[str]:
    """As it was at the first call for this host: what lies below RESTORED, and what runs and is mounted.

    Returns what the modules had left of their own.
    """
    left: list[str] = json.loads(host.program(_UNDO.read_text(encoding="utf-8"), NOTES, *RESTORED))
    return left

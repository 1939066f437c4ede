# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that lies in folders of a host, to be compared before and after; and the way back to how it was at first."""

from __future__ import annotations

import json

from .host import CommandError, Host

# What a module may write to.
FOLDERS = ("/etc", "/run/systemd/system", "/run/systemd/transient", "/var/lib/unitwright")
# What `restore` takes back to how it was.
RESTORED = ("/etc/systemd", "/etc/unitwright", "/usr/local/lib/systemd", "/var/lib/unitwright")

# Begins the names of files in which the tests' programs note what they do; `restore` removes them.
NOTES = "/run/version"

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
found = {}
for top in sys.argv[2:]:
    if os.path.lexists(top):
        found[top] = kind(top)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[path] = kind(path)
json.dump(found, sys.stdout)
"""

_RESTORE = """
import glob, json, os, shutil, subprocess, sys, tarfile
for note in glob.glob(sys.argv.pop(1) + "-*"):
    os.unlink(note)
BASE, MARK = "/opt/unitwright-baseline.tar", "/opt/unitwright-baseline.json"
def seen():
    tops = list(filter(os.path.lexists, sys.argv[1:]))
    below = [os.path.join(folder, name) for top in tops for folder, names, files in os.walk(top)
             for name in names + files]
    return sorted([path, os.lstat(path).st_ctime_ns] for path in tops + below)
def units(top):
    for folder in (top + "/system" for top in sys.argv[1:]):
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if os.path.isfile(os.path.join(folder, name)):
                yield os.path.join(folder, name)
def systemctl(*args):
    asked = ["timeout", "30", "systemctl", *args]
    return subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
def running(units):
    patterns = [unit.replace("\\\\", "\\\\\\\\") for unit in units]
    listed = systemctl("list-units", "--plain", "--full", "--no-legend", "--", *patterns).splitlines()
    return [line.split()[0] for line in listed if line.split()[2] not in ("inactive", "failed")]
def end(units):
    # A connection that no one has taken yet starts its service once more, and a service that systemd starts anew
    # between its end and its stop brings along what it requires.
    up = units and running(units)
    for attempt in range(5):
        if up:
            systemctl("kill", "--signal=KILL", "--", *up)
            systemctl("stop", "--", *up)
            up = running(units)
    return up
if not os.path.exists(BASE):
    with tarfile.open(BASE, "w") as tar:
        for top in filter(os.path.lexists, sys.argv[1:]):
            tar.add(top)
elif json.load(open(MARK)) != seen():
    with tarfile.open(BASE) as tar:
        kept = {"/" + name for name in tar.getnames()}
        new = [os.path.basename(path) for path in units(sys.argv[1:]) if path not in kept]
        new = [name.replace("@.", "@*.") for name in new]
        end(new)
        for top in filter(os.path.lexists, sys.argv[1:]):
            (os.unlink if os.path.islink(top) else shutil.rmtree)(top)
        tar.extraction_filter = lambda member, path: member  # Python 3.14 would refuse absolute links
        tar.extractall("/")
    systemctl("daemon-reload")
    left = end(new)  # without its file a unit no longer refuses a stop
    if left:
        sys.exit("what a test has started runs on: " + ", ".join(left))
    systemctl("reset-failed")
json.dump(seen(), open(MARK, "w"))
"""


def listing(host: Host, *folders: str, times: bool = False) -> Listing:
    """What lies in these folders (FOLDERS by default); with times, a file that was written anew differs."""
    told = _python(host, _LIST, "1" if times else "0", *(folders or FOLDERS))
    found: Listing = json.loads(told)
    return found


def restore(host: Host) -> None:
    """Stop and remove what was added below RESTORED since the first call for this host; undo changes there."""
    _python(host, _RESTORE, NOTES, *RESTORED)


def _python(host: Host, script: str, *args: str) -> str:
    done = host.run("python3", "-c", script, *args)
    if done.returncode != 0:
        raise CommandError(f"{host.name}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()

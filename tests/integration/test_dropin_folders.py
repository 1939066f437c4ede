# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which folders of drop-ins count for a unit, and how a drop-in for many units is declared."""

from __future__ import annotations

import json
import os
import random

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath, dropin_folders

from .lab import Lab

FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
TEXTS = {
    "service": "[Service]\nExecStart=/bin/true\n",
    "timer": "[Timer]\nOnCalendar=2099-01-01\n",
    "target": "[Unit]\n",
    "slice": "",
}
UNITS, FILES = 40, ("1.conf", "2.conf", "3.conf", "4.conf")
# Makes files as they come from standard input, and prints what systemd reads of each unit.
ASK = """
import json, os, subprocess, sys
given = json.load(sys.stdin)
for path, text in given["files"].items():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
subprocess.run(["systemctl", "daemon-reload"], check=True)
show = ["systemctl", "show", "--property=Id,DropInPaths", "--", *given["units"]]
blocks = subprocess.run(show, stdout=subprocess.PIPE, check=True).stdout.decode().strip().split("\\n\\n")
rows = [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]
json.dump({row["Id"]: row.get("DropInPaths", "").split() for row in rows}, sys.stdout)
"""


def made_up(chance: random.Random) -> str:
    """The name of a unit, with dashes where they mean something."""
    kind = chance.choice(list(TEXTS))
    if kind == "slice":
        return "-".join(chance.choices(["zz", "a", "b"], k=chance.randint(1, 4))) + ".slice"
    stem = "zz" + "".join(chance.choices("ab-", k=chance.randint(1, 7)))
    instance = chance.choice(["", "", "@1", "@x-y", "@a@b", "@-"])
    return f"{stem}{instance}.{kind}"


def general(unit: str) -> set[str]:
    """All that could be for this unit: each beginning of its name, as a plain one, a template and an instance."""
    stem, _dot, kind = unit.rpartition(".")
    prefix, _at, instance = stem.partition("@")
    stems = {stem}
    for at in range(1, len(prefix) + 1):
        if prefix[at - 1] == "-" or prefix[at : at + 1] in ("-", ""):
            stems |= {prefix[:at], f"{prefix[:at]}@", f"{prefix[:at]}@{instance}"}
    return {f"{each}.{kind}" for each in stems}


@pytest.mark.parametrize("seed", range(int(os.environ.get("UNITWRIGHT_DROPIN_BATCHES", "5"))))
def test_the_drop_ins_of_random_names_are_those_that_systemd_reads(host: Lab, seed: int) -> None:
    chance = random.Random(seed)
    units = sorted({made_up(chance) for _ in range(UNITS)})
    files = {f"/run/systemd/system/{unit}": TEXTS[unit.rpartition(".")[2]] for unit in units}
    for name in sorted(set().union(*map(general, units), TEXTS)):
        for file in FILES:
            if chance.random() < 0.4:
                files[f"{chance.choice(FOLDERS)}/{name}.d/{file}"] = "[Unit]\nDescription=x\n"
    dropins: dict[str, set[str]] = {}
    for path in files:
        folder, _slash, file = path.rpartition("/")
        if file in FILES:
            dropins.setdefault(folder, set()).add(file)
    loadpath = LoadPath(FOLDERS, {}, {folder: frozenset(names) for folder, names in dropins.items()}, {})
    data = json.dumps({"units": units, "files": files}).encode()
    done = host.run("python3", "-c", ASK, data=data)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    ours = {path.rpartition("/")[0] for path in files}
    assert {unit: [each for each in paths if each.rpartition("/")[0] in ours] for unit, paths in read.items()} == {
        unit: loadpath.dropin_files(unit) for unit in units
    }
    assert all(len(dropin_folders(unit)) == len(set(dropin_folders(unit))) for unit in units)

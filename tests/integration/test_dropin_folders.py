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

from .entries import FOREVER, UNITS, Entry, app, service
from .lab import Lab, places

FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
TEXTS = {
    "service": "[Service]\nExecStart=/bin/true\n",
    "timer": "[Timer]\nOnCalendar=2099-01-01\n",
    "target": "[Unit]\n",
    "slice": "[Slice]\n",  # without a line it would be masked
}
NAMES, FILES = 40, ("1.conf", "2.conf", "3.conf", "4.conf")
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
    units = sorted({made_up(chance) for _name in range(NAMES)})
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


def over(name: str, **more: object) -> Entry:
    return {"name": name, "dropin": "50-x", "service": {"LimitNOFILE": 1234}, **more}


def limits(host: Lab, *units: str) -> list[str]:
    """The soft limit of open files that each unit's process has."""
    pids = [host.show(unit, "MainPID") for unit in units]
    return [host.sh(f"awk '/open files/ {{print $4}}' /proc/{pid}/limits") for pid in pids]


@pytest.mark.parametrize("name", ["service", "zz-.service"])
def test_a_drop_in_for_many_restarts_what_is_of_its_stack(host: Lab, name: str) -> None:
    """What someone else runs would go down unasked; it is told, and current after its next start."""
    host.foreign("zz-other.service")
    before = host.invocation("zz-other.service")
    host.apply(app(1, name="zz-ours"))
    result = host.apply(app(1, name="zz-ours"), dropins=[over(name)])
    assert result["restarted"] == ["zz-ours.service"]
    assert "not of this stack" in result["kept"]["zz-other.service"]
    assert host.invocation("zz-other.service") == before
    assert host.show("zz-other.service", "NeedDaemonReload") == "no"
    host.sh("systemctl restart zz-other.service")
    assert limits(host, "zz-ours.service", "zz-other.service") == ["1234", "1234"]
    again = host.apply(app(1, name="zz-ours"), dropins=[over(name)])
    assert not again["changed"]
    assert "zz-other.service" not in again["kept"]
    before = host.invocation("zz-other.service")
    gone = host.apply(app(1, name="zz-ours"), dropins=[over(name, state="absent")])
    assert gone["restarted"] == ["zz-ours.service"]
    assert "not of this stack" in gone["kept"]["zz-other.service"]
    assert host.invocation("zz-other.service") == before


def test_a_drop_in_for_many_restarts_others_where_that_is_said(host: Lab) -> None:
    host.foreign("zz-other.service")
    result = host.settled(dropins=[over("zz-.service", on_change="restart")])
    assert result["restarted"] == ["zz-other.service"]
    assert limits(host, "zz-other.service") == ["1234"]


def test_a_drop_in_for_a_template_of_someone_else(host: Lab) -> None:
    host.foreign("zz@.service", start=False)
    host.sh("systemctl start zz@one.service")
    before = host.invocation("zz@one.service")
    assert list(host.apply(dropins=[over("zz@.service")])["kept"]) == ["zz@one.service"]
    assert host.invocation("zz@one.service") == before
    result = host.apply(dropins=[over("zz@.service"), over("zz@one.service", dropin="60-named")])
    assert result["restarted"] == ["zz@one.service"], "named, it is asked for"


def test_the_instances_of_a_template_with_dashes(host: Lab) -> None:
    template = service("zz-web@", instances=["1"])
    host.settled(template)
    result = host.settled(template, dropins=[over("zz-@.service")])
    assert result["restarted"] == ["zz-web@1.service"]
    assert limits(host, "zz-web@1.service") == ["1234"]


def test_a_drop_in_for_the_slices_of_all_users(host: Lab) -> None:
    """As systemd itself ships one: the dash at the end is no empty parent."""
    dropin: Entry = {"name": "user-.slice", "dropin": "50-x", "slice": {"TasksMax": 4321}}
    host.settled(dropins=[dropin])
    assert host.exists(f"{UNITS}/user-.slice.d/50-x.conf")
    assert host.sh("systemctl show --value --property=TasksMax 'user-*.slice' | sort -u | sed '/^$/d'") == "4321"


@pytest.mark.parametrize(("name", "remedy"), [("service.d", "'service'"), ("user--.slice", "none may be doubled")])
def test_what_names_no_folder_of_drop_ins(host: Lab, name: str, remedy: str) -> None:
    assert remedy in host.refused(dropins=[over(name)])["msg"]


def test_a_unit_cannot_be_named_like_a_folder_of_many(host: Lab) -> None:
    entry: Entry = {"name": "service", "service": {"ExecStart": FOREVER}}
    assert places(host.refused(entry)) == [("service", "", "")]
    slices: Entry = {"name": "user-.slice", "slice": {"TasksMax": 1}}
    assert "separate parent from child" in host.refused(slices)["msg"]

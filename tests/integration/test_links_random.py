# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links that we expect of an [Install] section, and what we refuse of one, are those of systemctl."""

from __future__ import annotations

import json
import os
import random

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.install import enabled_together, enabling
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Severity

from .lab import Lab

FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
UNITS = 80
# Makes a root of its own of the files that come from standard input, enables one unit after the other by itself, and
# prints for each what systemctl returned and which links there are then.
ASK = """
import json, os, shutil, subprocess, sys, tempfile
given = json.load(sys.stdin)
root = tempfile.mkdtemp()
for path, text in given["files"].items():
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    with open(root + path, "w") as file:
        file.write(text)
folder = root + "/etc/systemd/system"
answers = {}
for unit in given["units"]:
    done = subprocess.run(["systemctl", "--root=" + root, "--quiet", "enable", "--", unit], stderr=subprocess.PIPE)
    links = [os.path.join(place, name) for place, _folders, names in os.walk(folder) for name in names]
    links = [link for link in links if os.path.islink(link)]
    answers[unit] = [done.returncode, sorted(os.path.relpath(link, folder) for link in links), done.stderr.decode()]
    for link in links:
        os.remove(link)
shutil.rmtree(root)
json.dump(answers, sys.stdout)
"""
BARE = {
    "service": "[Service]\nExecStart=/bin/true\n",
    "mount": "[Mount]\nWhat=x\nWhere=/x\n",
    "timer": "[Timer]\nOnBootSec=1\n",
}
KINDS = ("service", "service", "service", "timer", "target", "socket", "path", "mount", "slice")
INSTANCES = ("", "", "@", "@", "@x", "@y-z")


def names(chance: random.Random) -> list[str]:
    """Names of units; templates have instances without a file, too."""
    found = []
    for number in range(UNITS):
        kind = chance.choice(KINDS)
        stem = chance.choice(["u", "u-v", "u\\x2dv", "u-"] if kind not in ("slice", "mount") else ["u"]) + str(number)
        form = chance.choice(INSTANCES) if kind not in ("slice", "mount") else ""
        found.append(f"{stem}{form}.{kind}")
    return found


def value(chance: random.Random, directive: str, unit: str, units: list[str]) -> str:
    if chance.random() < 0.12:
        return ""
    return " ".join(word(chance, directive, unit, units) for _word in range(chance.choice([1, 1, 1, 2, 3])))


def word(chance: random.Random, directive: str, unit: str, units: list[str]) -> str:
    kind = unit.rpartition(".")[2]
    kind = kind if kind != "slice" and chance.random() < 0.9 else "service"
    specifier = chance.choice(["%i", "%p", "%N", "%j", "%%", "%f", "%I", "%n"])
    stem = chance.choice(["w", "w-x", "w\\x2dx", "w-%j", f"w{specifier}", "%p-w", specifier])
    form = chance.choice(["", "@", "@x", "@%i", "@y-z"])
    if "@" in unit and chance.random() < 0.5:
        form = chance.choice(["@", "@%i", "@x"])
    if directive == "Also":
        return chance.choice(units) if chance.random() < 0.9 else chance.choice(["nowhere.service", "%p@x." + kind])
    if directive == "Alias":
        others = [
            unit,
            f"w.target.wants/{unit}",
            f"w@.target.wants/{unit}",
            f"w.target.upholds/{unit}",
            "w.target.requires/%n",
        ]
        return chance.choice(others) if chance.random() < 0.15 else f"{stem}{form}.{kind}"
    quoted = chance.choice(["%s"] * 8 + ['"%s"', "'%s'"])
    return quoted % f"{stem}{form}.{chance.choice(['target', 'service'])}"


def install(chance: random.Random, unit: str, units: list[str]) -> str:
    directives = ["WantedBy", "WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also", "DefaultInstance"]
    lines = ["[Install]"]
    for directive in chance.choices(directives, k=chance.randint(1, 4)):
        instance = chance.choice(["d", "d", "%p", "%i", "", "d-%i"])
        lines.append(
            f"{directive}={instance if directive == 'DefaultInstance' else value(chance, directive, unit, units)}"
        )
    return "\n".join(lines) + "\n"


def files_of(chance: random.Random, units: list[str]) -> dict[str, str]:
    files = {}
    for unit in units:
        prefix, at, _rest = unit.partition("@")
        kind = unit.rpartition(".")[2]
        template = f"{prefix}@.{kind}" if at else unit
        file = unit if chance.random() < 0.3 else template
        text = BARE.get(kind, "[Unit]\n")
        files[f"{chance.choice(FOLDERS)}/{file}"] = text + (
            install(chance, unit, units) if chance.random() < 0.9 else ""
        )
        folders = [unit, template, kind, prefix.rpartition("-")[0] + "-." + kind]
        for folder in folders:
            if chance.random() < 0.1:
                name = chance.choice(["1.conf", "2.conf"])
                files[f"{chance.choice(FOLDERS)}/{folder}.d/{name}"] = install(chance, unit, units)
    return files


def load_path(files: dict[str, str]) -> LoadPath:
    entries: dict[str, set[str]] = {folder: set() for folder in FOLDERS}
    for path in files:
        folder, _slash, name = path.rpartition("/")
        entries.setdefault(folder, set()).add(name)
    found = {folder: frozenset(each) for folder, each in entries.items()}
    dropins = {folder: each for folder, each in found.items() if folder not in FOLDERS}
    folders = {folder: each for folder, each in found.items() if folder in FOLDERS}
    return LoadPath(FOLDERS, folders, dropins, {path: text.encode() for path, text in files.items()})


@pytest.mark.parametrize("seed", range(int(os.environ.get("UNITWRIGHT_LINKS", "4"))))
def test_the_links_of_random_install_sections_are_those_of_systemctl(host: Lab, seed: int) -> None:
    chance = random.Random(seed)
    units = names(chance)
    files = files_of(chance, units)
    done = host.run("python3", "-c", ASK, data=json.dumps({"units": units, "files": files}).encode())
    assert done.returncode == 0, done.stderr
    loadpath = load_path(files)
    expected, found = {}, {}
    for unit, (code, links, said) in json.loads(done.stdout).items():
        together = enabled_together(unit, loadpath)
        every = [enabling(each, loadpath, host.systemd, FOLDERS[0]) for each in together]
        grave = [str(each) for one in every for each in one.faults if each.rule.severity is Severity.ERROR]
        ours = sorted({link.path for one in every for link in one.links})
        expected[unit] = ["refused"] if code else links
        found[unit] = ["refused"] if grave else ours
        if host.systemd < 254 and grave and not code:  # it passes over, without an error, what newer ones refuse
            expected[unit] = found[unit]
        elif host.systemd < 249:  # which links a unit to itself
            expected[unit] = [link for link in expected[unit] if link not in together]
        if expected[unit] != found[unit]:  # what a person needs to see why
            texts = {path: text for path, text in files.items() if path in loadpath.files(unit)}
            expected[unit] += [said, str(texts)]
            found[unit] += grave
    assert expected == found

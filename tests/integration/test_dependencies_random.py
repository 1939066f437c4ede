# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a unit needs and wants without naming it, and whom it comes after, is what systemd makes of its text."""

from __future__ import annotations

import os
import random

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import places
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.dependencies import implied, needs
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath

from .entries import UNITS, VENDOR
from .lab import Lab

NUMBER = 60
# A file makes a mount a unit, be it mounted or not.
MOUNTED = [
    *("/srv", "/srv/m", "/srv/m/x", "/srv/u0", "/var/tmp", "/tmp", "/var/lib/app", "/var/lib/u1", "/run/app"),
    *("/var/cache/app", "/var/log/app/sub", "/etc/app", "/srv/one", "/mnt/dir"),
]
BASIS = {
    "service": "[Service]\nExecStart=/bin/true\n",
    "socket": "[Socket]\n",
    "path": "[Path]\n",
    "mount": "[Mount]\nType=tmpfs\n",
    "automount": "[Automount]\n",
    "swap": "[Swap]\n",
    "timer": "[Timer]\nOnBootSec=1d\n",
    "target": "[Target]\n",
}
WHERE = [
    "/srv/m",
    "/srv//m/./x",
    "/srv/../m",
    "/srv/%p",
    "/srv/%i",
    "/srv/m/%%S",
    "/mnt/dir/a b",
    "/opt",
    "%S/app",
    "%t/app",
]
MADE = ["State", "State", "Runtime", "Cache", "Logs"]
NAMES = ["app", "app/sub", '"app"', "app:other", "x app", "%p", "/app", "../lib/app", "%i", "a\\x2db"]


def name(chance: random.Random, number: int) -> str:
    kind = chance.choice(["service", "service", "service", *BASIS])
    if kind in ("mount", "automount", "swap"):
        return f"srv-{chance.choice(['m-', '', 'one-'])}u{number}.{kind}"
    form = chance.choice(["", "", "@one"]) if kind in ("service", "target") else ""
    return f"u{number}{form}.{kind}"


def of_processes(chance: random.Random) -> str:
    return chance.choice(
        [
            f"WorkingDirectory={chance.choice(['', '', '-'])}{chance.choice([*WHERE, '~'])}",
            f"RootDirectory={chance.choice(WHERE)}",
            f"RootImage={chance.choice(WHERE)}",
            f"{chance.choice(MADE)}Directory={chance.choice(NAMES)}",
            "ConfigurationDirectory=app",
            f"PrivateTmp={chance.choice(['yes', 'no'])}",
            f"Slice={chance.choice(['a-b', 'a'])}.slice",
            "LogNamespace=other",
            f"BindPaths={chance.choice(WHERE)}",
            f"StandardOutput=file:{chance.choice(WHERE)}",
        ]
    )


def own(chance: random.Random, kind: str) -> list[str]:
    where = chance.choice(WHERE[:7])
    if kind == "service":
        return [
            chance.choice(
                ["DynamicUser=yes", "BusName=org.example.A", f"PIDFile={where}", "Nice=1", "Sockets=t.socket"]
            )
        ]
    if kind == "socket":
        listens = ["Stream", "Datagram", "SequentialPacket", "FIFO", "Special", "USBFunction"]
        return [
            chance.choice(["ExecStartPre=/bin/true", "Backlog=1"]),
            f"Listen{chance.choice(listens)}={where}",
            chance.choice(["ListenMessageQueue=/srv", "ListenStream=@/srv/m"]),
        ]
    if kind == "path":
        conditions = ["PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"]
        return [f"{chance.choice(conditions)}={where}" for _each in range(2)]
    if kind == "mount":
        return [
            chance.choice(
                [
                    f"What={where}\nOptions=bind",
                    f"What={where}",
                    f"What={where}\nOptions=_netdev",
                    "What=//srv/m\nType=cifs",
                ]
            ),
        ]
    return []


def text(chance: random.Random, unit: str) -> str:
    kind = unit.rpartition(".")[2]
    lines = own(chance, kind)
    if kind in ("service", "socket", "mount", "swap"):
        lines += [of_processes(chance) for _each in range(chance.choice([0, 1, 1, 2]))]
    if kind in ("mount", "automount"):
        lines.append(f"Where=/{unit.rpartition('.')[0].replace('-', '/')}")
    if kind == "swap":
        lines.append(f"What=/{unit.rpartition('.')[0].replace('-', '/')}")
    more = ""
    if chance.random() < 0.3:
        more = f"[Unit]\n{chance.choice(['Requires', 'Wants'])}MountsFor={chance.choice([*WHERE[:6], '/opt /srv/m'])}\n"
    return more + BASIS[kind] + "\n".join(lines) + "\n"


def of_host(host: Lab, files: dict[str, str]) -> LoadPath:
    names = {UNITS: frozenset(files), VENDOR: frozenset(host.sh(f"ls {VENDOR}").split())}
    contents = {f"{UNITS}/{unit}": content.encode() for unit, content in files.items()}
    return LoadPath(
        (UNITS, VENDOR), names, {}, contents, made=places("system", "", {}).made(host.systemd), version=host.systemd
    )


@pytest.mark.parametrize("seed", range(int(os.environ.get("UNITWRIGHT_TIES", "4"))))
def test_what_random_texts_tie_a_unit_to_is_what_systemd_ties_it_to(host: Lab, seed: int) -> None:
    chance = random.Random(seed)
    units = [name(chance, number) for number in range(NUMBER)]
    files = {
        f"{path[1:].replace('/', '-')}.mount": f"[Mount]\nWhat=tmpfs\nWhere={path}\nType=tmpfs\n" for path in MOUNTED
    }
    files.update({"a.slice": "[Slice]\n", "a-b.slice": "[Slice]\n", "t.socket": "[Socket]\nListenStream=/run/t\n"})
    files["t.service"] = BASIS["service"]
    journal = ("systemd-journald@other.socket", "systemd-journald-varlink@other.socket")
    tied = {*files, *journal, "systemd-journald-sync@other.service", "dbus.socket"}
    for unit in units:
        files[unit] = text(chance, unit)
        if unit.endswith(".automount"):
            files[unit.replace(".automount", ".mount")] = text(chance, unit.replace(".automount", ".mount"))
        if unit.endswith((".socket", ".path", ".timer")):
            files[f"{unit.rpartition('.')[0]}.service"] = BASIS["service"]
    for unit, content in files.items():
        host.write(f"{UNITS}/{unit}", content)
    host.sh("systemctl daemon-reload")
    loadpath = of_host(host, files)
    loaded = [unit for unit in units if host.show(unit, "LoadState") == "loaded"]
    assert len(loaded) > NUMBER / 2
    both = [(files[unit], of_text(unit, loadpath, tied), of_systemd(host, unit, tied)) for unit in loaded]
    assert [each for each in both if each[1] != each[2]] == []


def of_text(unit: str, loadpath: LoadPath, tied: set[str]) -> dict[str, set[str]]:
    found = implied(unit, loadpath)
    needed = {other for *_said, other in needs(unit, loadpath)}
    return {
        "Requires": {other for pulls, other in found if pulls == "Requires"} & tied,
        "Wants": {other for pulls, other in found if pulls == "Wants"} & tied,
        "After": {other for _pulls, other in found} & tied,
        "needed": needed & tied,
    }


def of_systemd(host: Lab, unit: str, tied: set[str]) -> dict[str, set[str]]:
    lines = host.sh(f"systemctl show -p Requires -p Wants -p After '{unit}'").splitlines()
    shown = {name: others.split() for name, _sign, others in (line.partition("=") for line in lines)}
    # A slice is tied to its parents by its name.
    parents = {"a.slice"} if any(each.startswith("a-") for each in shown["Requires"]) else set()
    found = {name: {*others, *(parents if name != "Wants" else ())} & tied for name, others in shown.items()}
    return {**found, "needed": found["Requires"]}

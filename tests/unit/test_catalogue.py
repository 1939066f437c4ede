# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples: each says in fewer lines what the unit files of the guides say, and says all of it.

Those unit files are in data/catalogue, as they stand in the guides; for an exercise, as its reader would write them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.expansion import expanded
from ansible_collections.unitwright.systemd.plugins.module_utils._run.front import single
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.unitfile import parse

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/playbook.yml"))
GUIDES = Path(__file__).parent / "data" / "catalogue"
REPLACING = [name for name in EXAMPLES if name != "clean-up"]
OURS = "unitwright.systemd."
HOST = {"scope": "system", "root": None, "on_failure": "rollback"}

# What the example has in another place, or under another name.
RENAMED = {
    "socket-notify": {"myapi.socket": "mysocketapi.socket", "myapi.service": "mysocketapi.service"},
    "dotenv-apps": {f"{name}.service": "app@.service" for name in ("blog", "shop", "wiki")},
    "nginx-override": {"override.conf": "nginx.service"},
    "crash-recovery": {"crash-alert@.service": "crasher.service-alert@.service"},
}
# Directives that say what systemd has without them, and what is but for a person's eyes.
NOTHING = {
    ("Unit", "Description"),
    ("Unit", "Documentation"),
    ("Service", "Type=simple"),
    ("Service", "StandardOutput=journal"),
    ("Service", "StandardError=journal"),
    ("Socket", "Accept=no"),
}
# What an example says otherwise than its guide, with the reason.
OTHERWISE = {
    "*": {
        "ExecStart": "the programs are Debian's and not of a virtual environment",
        "ExecStartPre": "as above",
        "Group": "it is that of the user by default",
        "SyslogIdentifier": "it is the unit's name by default, as %N",
        "After=network.target": "nothing here needs the network to be there before it starts",
    },
    "fastapi-worker": {"ExecReload": "SIGHUP ends uvicorn, which has nothing to reload"},
    "pi-stack": {
        "Type=simple": "the watchdog needs notify, as the guide says itself",
        "Requires": "members: one that fails keeps the others up",
        "After": "as above",
        "WantedBy": "a boot starts the members by their target",
    },
    "python-worker": {"ReadWritePaths": "a private /tmp has no /tmp/worker, and a start would fail for that"},
    "node-api": {"ReadWritePaths": "StateDirectory= makes /var/lib/myapi", "After": "network-online.target instead"},
    "socket-app": {
        "Requires": "a socket starts its service, and systemd knows it by the name",
        "ListenStream": "8080 is taken by another example",
    },
    "socket-notify": {
        "Requires": "as above",
        "After": "systemd adds it by itself",
        "ListenStream": "3000 is taken by another example",
        "SocketUser": "it is for sockets in the file system",
        "User": "a user of its own",
        "WantedBy": "the first connection starts the service, and no boot",
    },
    "dotenv-apps": {
        "EnvironmentFile": "%i in the place of the name",
        "WorkingDirectory": "as above",
        "User": "as above",
    },
    "cron-to-timer": {"OnCalendar": "the hours and minutes one by one"},
    "crash-recovery": {"OnFailure": "the option alert", "Type": "in its own words"},
}


def tasks(example: str) -> list[dict[str, Any]]:
    """Those of this collection."""
    (play,) = yaml.safe_load((ROOT / "examples" / example / "playbook.yml").read_text(encoding="utf-8"))
    assert set(play) <= {"name", "hosts", "become", "gather_facts", "vars", "tasks"}
    return [task for task in play["tasks"] if any(key.startswith(OURS) for key in task)]


def lines_of_ours(example: str) -> int:
    text = (ROOT / "examples" / example / "playbook.yml").read_text(encoding="utf-8")
    every = re.split(r"^(?=    - name: )", text, flags=re.MULTILINE)[1:]
    return sum(counted(task) for task in every if OURS in task)


def counted(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


@pytest.mark.parametrize("example", REPLACING)
def test_an_example_is_shorter_than_its_unit_files(example: str) -> None:
    theirs = sum(counted(path.read_text(encoding="utf-8")) for path in (GUIDES / example).iterdir())
    ours = lines_of_ours(example)
    # A drop-in of two lines cannot be said in fewer.
    assert ours < theirs or (example, ours, theirs) == ("nginx-override", 2, 2)


def directives(example: str) -> dict[str, set[tuple[str, str]]]:
    """By unit the sections and directives that the example stands for, with their values as text."""
    found: dict[str, set[tuple[str, str]]] = {}
    for task in tasks(example):
        ((module, given),) = [(key[len(OURS) :], each) for key, each in task.items() if key.startswith(OURS)]
        stack = given if module == "stack" else single(f"{module}s")({**HOST, **given})
        plain, problems = expanded(stack)
        assert not problems
        for entry in (*plain["units"], *plain["dropins"]):
            into = found.setdefault(entry["name"], set())
            for section in ("unit", "service", "timer", "socket", "install"):
                for directive, value in (entry.get(section) or {}).items():
                    into |= {(section.capitalize(), f"{directive}={each}") for each in texts(value)}
            for name, value in (entry.get("environment") or {}).items():
                into.add(("Service", f"Environment={name}={value}"))
    return found


def texts(value: Any) -> set[str]:
    """A value as words, since the order of units and the like says nothing."""
    if isinstance(value, (list, tuple)):
        return set().union(*(texts(each) for each in value))
    said = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    return {truth(word) for word in re.split(r'[\s"]+', str(said)) if word}


def truth(word: str) -> str:
    return {"true": "yes", "false": "no", "5s": "5"}.get(word, word)


# What a profile of hardening stands for depends on the host; the scenario looks at it there.
@pytest.mark.parametrize("example", [name for name in REPLACING if name != "dynamic-user"])
def test_an_example_says_all_that_its_unit_files_say(example: str) -> None:
    ours = directives(example)
    reasons = {**OTHERWISE["*"], **OTHERWISE.get(example, {})}
    missing = []
    for path in sorted((GUIDES / example).iterdir()):
        unit = RENAMED.get(example, {}).get(path.name, path.name)
        assert unit in ours, sorted(ours)
        for each in parse(path.read_text(encoding="utf-8")):
            for word in texts(each.value):
                said = (each.section, f"{each.directive}={word}")
                if said in NOTHING or (each.section, each.directive) in NOTHING:
                    continue
                # systemd reads it in [Unit] alone, where the short option puts it.
                there = ours[unit] | {("Service", text) for section, text in ours[unit] if "StartLimit" in text}
                if said not in there and not {each.directive, f"{each.directive}={word}"} & reasons.keys():
                    missing.append((path.name, *said))
    assert not missing


def test_each_example_is_deployed_by_the_scenario() -> None:
    deployed = (ROOT / "molecule/catalogue/converge.yml").read_text(encoding="utf-8")
    assert re.findall(r"examples/([\w-]+)/playbook.yml", deployed) == REPLACING


def test_each_example_is_in_the_table() -> None:
    told = (ROOT / "docs/catalogue.md").read_text(encoding="utf-8")
    assert [name for name in EXAMPLES if f"(../examples/{name}/playbook.yml)" not in told] == []

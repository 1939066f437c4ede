# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of measurements. What is compared is measured in turns, so that a busy machine slows both alike."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.testbed.host import Host

from . import playbook
from .playbook import PlaybookError, Task, units

FIRST_APPLY, NO_CHANGE, ONE_CHANGE = "first apply", "no change", "one change"
NO_CHANGE_FIRST = "no change, first task of a run"
LOOP = "loop, "
RESTART, RELOAD = "systemctl restart", "systemctl daemon-reload"
CHANGING = (FIRST_APPLY, ONE_CHANGE, LOOP + FIRST_APPLY, LOOP + ONE_CHANGE)
UNCHANGED = (NO_CHANGE, NO_CHANGE_FIRST, LOOP + NO_CHANGE)
IN_TURNS = Path(__file__).with_name("in_turns.py")


@dataclass
class Series:
    """Seconds of one thing, a number a round; those of the ping before each; what the module or command itself took."""

    seconds: list[float] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [own / ping for own, ping in zip(self.seconds, self.pings, strict=True)]


Results = dict[str, Series]


def rounds(host: Host, count: int, number: int, sample: int) -> Results:
    """The module stack with `count` units, and the loop over the first `sample` of them (0 leaves it out).

    A round is a run of ansible-playbook on a host that has the units. In its first two tasks Ansible has yet to make
    the modules' payloads, as in a play with a single task; for the others they are made.
    """
    playbook.play(host.name, [playbook.stack("prepare", "same")], {"same": units(count)})
    results: Results = {}
    for turn in range(number):
        changed = units(count, first_version=f"{turn + 1}")
        variables = {"same": units(count), "changed": changed, "few": units(sample), "few_changed": changed[:sample]}
        tasks = [*_stack_tasks(), *(_loop_tasks() if sample else [])]
        _collect(results, playbook.play(host.name, tasks, variables))
    playbook.play(host.name, [playbook.stack_absent("remove")], {})
    return results


def _stack_tasks() -> list[Task]:
    return [
        playbook.ping("ping"),
        playbook.stack(NO_CHANGE_FIRST, "same"),
        playbook.stack_absent("remove"),
        *_after_ping(playbook.stack(FIRST_APPLY, "same")),
        *_after_ping(playbook.stack(NO_CHANGE, "same")),
        *_after_ping(playbook.stack(ONE_CHANGE, "changed")),
        *_after_ping(playbook.stack(NO_CHANGE, "changed")),
        playbook.command(RESTART, f"{RESTART} {playbook.unit_name(0)}"),
        playbook.command(RELOAD, RELOAD),
        playbook.stack("change back", "same"),
    ]


def _loop_tasks() -> list[Task]:
    return [
        *_after_ping(*playbook.loop(LOOP + FIRST_APPLY, "few")),
        *_after_ping(*playbook.loop(LOOP + NO_CHANGE, "few")),
        *_after_ping(*playbook.loop(LOOP + ONE_CHANGE, "few_changed")),
        playbook.loop_absent("remove the loop's"),
    ]


def _after_ping(*tasks: Task) -> list[Task]:
    return [playbook.ping("ping"), *tasks]


def modules_alone(host: Host, count: int, number: int) -> Series:
    """An unchanged stack and ping without Ansible's way to the host: the very files that it sends there, in turns."""
    tasks = [playbook.stack("prepare", "same"), *_left_there(playbook.ping("ping"), playbook.stack(NO_CHANGE, "same"))]
    found = _in_turns(host, tasks, {"same": units(count)}, number, "ping", "stack")
    return Series(found["stack"]["seconds"], found["ping"]["seconds"])


def short_alone(host: Host, count: int, number: int) -> dict[str, Series]:
    """An unchanged stack in sections, the same in few options, and ping, in turns and without Ansible's way there."""
    variables = {
        "same": [playbook.spelled_out(each) for each in range(count)],
        "short": [playbook.service(each) for each in range(count)],
    }
    unchanged = [playbook.stack(NO_CHANGE, "same"), playbook.short_stack(NO_CHANGE, "short")]
    tasks = [playbook.stack("prepare", "same"), *_left_there(playbook.ping("ping"), *unchanged)]
    found = _in_turns(host, tasks, variables, number, "ping", "stack:0", "stack:1")
    pings = found["ping"]["seconds"]
    return {
        "sections": Series(found["stack:0"]["seconds"], pings),
        "few options": Series(found["stack:1"]["seconds"], pings),
    }


@dataclass
class Facts:
    """What facts of some units cost a module: seconds, a number a round; runs of systemctl; the bytes of its result."""

    seconds: list[float]
    processes: int
    bytes: int


def facts_alone(host: Host, count: int, number: int) -> dict[str, Facts]:
    """Facts of units that run, by unit_info and by community.general's systemd_info, in turns."""
    ours, theirs = playbook.facts("facts"), playbook.systemd_info("facts elsewhere")
    tasks = [playbook.stack("prepare", "same"), *_left_there(theirs, ours)]
    found = _in_turns(host, tasks, {"same": units(count)}, number, "unit_info", "systemd_info")
    return {module: Facts(**each) for module, each in found.items()}


def _left_there(*tasks: Task) -> list[Task]:
    return [playbook.raw("remove earlier payloads", "rm -rf /root/.ansible/tmp"), *tasks]


def _in_turns(host: Host, tasks: list[Task], variables: dict[str, Any], number: int, *modules: str) -> dict[str, Any]:
    rows = playbook.play(host.name, tasks, variables, ANSIBLE_KEEP_REMOTE_FILES="true")
    for row in rows[-2:]:
        _check(row["task"], [row])
    _check(NO_CHANGE, rows[-1:])
    done = host.run("python3", "-", str(number), *modules, data=IN_TURNS.read_bytes())
    if done.returncode != 0:
        raise PlaybookError(done.stderr.decode(errors="replace"))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _collect(results: Results, rows: Sequence[dict[str, Any]]) -> None:
    """Add a run's rows to the series of their names; tasks of one name in a row are the parts of one thing."""
    ping = 0.0
    for name, group in itertools.groupby(rows, key=lambda row: row["task"]):
        parts = list(group)
        _check(name, parts)
        seconds = sum(part["seconds"] for part in parts)
        if name == "ping":
            ping = seconds
        else:
            series = results.setdefault(name, Series())
            series.seconds.append(seconds)
            series.pings.append(ping)
            series.inside.append(sum(_inside(part) for part in parts))


def _inside(row: dict[str, Any]) -> float:
    """Seconds by the account of the module itself, or of a command."""
    if "delta" in row:
        hours, minutes, seconds = row["delta"].split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return float(sum(row.get("timings", {}).values()))


def _check(name: str, parts: Sequence[dict[str, Any]]) -> None:
    """A number counts only if the tasks did what they are named for."""
    for part in parts:
        if part.get("failed"):
            raise PlaybookError(f"{name} failed: {part.get('msg')}")
    changed = any(part.get("changed") for part in parts)
    if (name in CHANGING and not changed) or (name in UNCHANGED and changed):
        raise PlaybookError(f"{name}: changed is {changed}")

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many units cost no more processes than one: every command is given all units at once."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import PROGRAMS, WANTED, Entry, many, service
from .lab import Lab, Result, failed, succeeded

# 200 units take their time to start on a small machine.
PATIENT = {"stable_for": 0.0, "timeout": 300.0}

LOG = f"{NOTES}/processes"


def command(words: list[str]) -> str:
    """`systemctl --quiet start -- a.service` is "systemctl start"; without a verb the first option tells it."""
    verb = next((word for word in words[1:] if not word.startswith("-")), "".join(words[1:2]))
    return f"{os.path.basename(words[0])} {verb}"


def audited(host: Lab, **options: Any) -> tuple[Result, list[str]]:
    """A run's result, and the commands it started, each as program and verb."""
    prefix = ("python3", f"{PROGRAMS}/audited.py", LOG)
    result = host.attempt(prefix=prefix, **options)
    return result, commands(host)


def commands(host: Lab) -> list[str]:
    return [command(json.loads(line)) for line in host.read(LOG).splitlines()]


def once(started: list[str]) -> list[str]:
    """While it waits for units a run asks for their state again and again, which depends on the time they take."""
    return [name for name, _same in itertools.groupby(started)]


def lives(host: Lab, count: int) -> dict[str, list[str]]:
    """What a stack of so many services starts from its first run to its last."""
    units = [service(f"n{number}", install=WANTED) for number in range(count)]
    first = {**units[0], "environment": {"VERSION": "2"}}
    found: dict[str, list[str]] = {}
    for name, given in (
        ("first apply", {"units": units}),
        ("no change", {"units": units}),
        ("one change", {"units": [first, *units[1:]]}),
        ("all change", {"units": [{**unit, "environment": {"VERSION": "3"}} for unit in units]}),
        ("absent", {"state": "absent"}),
    ):
        result, started = audited(host, health=PATIENT, **given)
        succeeded(result)
        assert result["changed"] == (name != "no change"), name
        found[name] = started if name == "no change" else once(started)
    return found


@pytest.mark.long
def test_the_commands_of_200_units_are_those_of_two(host: Lab) -> None:
    of_two = lives(host, 2)
    assert of_two["no change"] == [
        "systemctl --version",
        "systemd --dump-configuration-items",
        "systemctl list-units",
    ]
    assert lives(host, 50) == of_two
    assert lives(host, 200) == of_two


def test_only_the_first_of_many_failures_are_looked_up_in_the_journal(host: Lab) -> None:
    nobody_listens = {"tcp": "127.0.0.1:9", "stable_for": 0.0, "timeout": 1.0}
    units = [service(f"n{number}", health=nobody_listens) for number in range(30)]
    result, started = audited(host, units=units)
    errors = failed(result)["errors"]
    assert len([error for error in errors if error["journal"]]) == min(10, len(errors))
    journal = [name for name in started if name.startswith("journalctl")]
    assert len([name for name in journal if "--sync" in name]) == 1
    # All that there is of a unit is asked for at once: what it has said last, and what proves the cause.
    assert len(journal) <= 1 + 10


def newest_process(host: Lab) -> int:
    return int(host.read("/proc/loadavg").split()[4])


def processes_of(host: Lab, *units: Entry) -> int:
    """Processes that the host saw while a module ran, give or take what else goes on there."""
    before = newest_process(host)
    host.apply(*units)
    return newest_process(host) - before


def test_processes_do_not_grow_with_the_units(host: Lab) -> None:
    one, sixty = many(1, state="present"), many(60, state="present")
    few = processes_of(host, *one)
    assert processes_of(host, *sixty) < few + 20
    assert processes_of(host, *sixty) < few + 20


def test_facts_of_all_units_take_the_commands_of_one(host: Lab) -> None:
    for options in ({"names": ["nginx.service"]}, {"names": ["nginx.service", "getty@.service"]}, {}):
        succeeded(host.module("unit_info", prefix=("python3", f"{PROGRAMS}/audited.py", LOG), **options))
        assert commands(host) == ["systemctl --version", "systemctl list-units"]

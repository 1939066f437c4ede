# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failure is told with its cause, the object of that, and what mends it, wherever that is proven, and only there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from .breakages import FILES, HOLDER, MISLEADING, PORT, PREPARE, UNDO, WAYS, Misleading, Way
from .entries import IDLE, UNITS, Entry
from .lab import Lab, succeeded, until

# As many causes as one run looks for.
TOGETHER = 10
# Through a module, which refuses before the start what verify knows to be missing.
RUNS = [way for way in WAYS if way.by_run]


@pytest.fixture
def broken(host: Lab) -> Iterator[Lab]:
    for path, (text, mode) in FILES.items():
        host.write(path, text, mode)
    host.sh(PREPARE)
    host.sh(f"systemd-run --quiet --unit={HOLDER} python3 /opt/broken/listen.py {PORT} --stay")
    host.sh(" ; ".join(way.before for way in WAYS if way.before))
    until(lambda: f":{PORT} " in host.sh("ss -tln"), "nobody listens")
    yield host
    host.sh(f"systemctl stop {HOLDER} 'broken-*' 'misleading-*' 'mnt-broken-*'", check=False)
    host.sh(f"rm -rf {UNITS}/*broken-* {UNITS}/misleading-* /run/broken-once /tmp/broken-data")
    host.sh(f"systemctl daemon-reload; systemctl reset-failed; {UNDO}; rm -rf /mnt/broken", check=False)


def text(sections: Entry) -> str:
    lines: list[str] = []
    for section, directives in sections.items():
        lines.append(f"[{section.capitalize()}]")
        for name, value in directives.items():
            values = value if isinstance(value, list) else [value]
            lines += [f"{name}={str(each).lower() if isinstance(each, bool) else each}" for each in values]
    return "\n".join(lines) + "\n"


def failed_units(host: Lab, ways: Sequence[Way | Misleading]) -> dict[str, Any]:
    """What unit_info says of units that are put there by hand, once all have failed."""
    for way in ways:
        host.write(f"{UNITS}/{way.unit}", text(way.sections))
        if way.unit.endswith(".socket"):
            host.write(f"{UNITS}/{way.unit.replace('.socket', '@.service')}", IDLE)
        if isinstance(way, Way) and way.dropin:
            host.write(f"{UNITS}/{way.unit}.d/50-broken.conf", text(way.dropin))
    units = [way.unit for way in ways]
    host.sh(f"systemctl daemon-reload && systemctl start --no-block {' '.join(units)}")
    until(lambda: set(host.states(*units)) == {"failed"}, f"not all have failed: {units}", 60.0)
    return dict(succeeded(host.module("unit_info", names=units))["units"])


def misses(way: Way, cause: str, remedy: str) -> list[str]:
    """What a cause lacks of what it has to say."""
    wanted = [*((each, cause) for each in way.says), *((each, f"{remedy} ") for each in way.remedy)]
    return [f"{way.name}: no {part!r} in {whole!r}" for part, whole in wanted if part not in whole]


def test_unit_info_names_the_cause_of_each_way_to_break_a_unit(broken: Lab) -> None:
    ways = [way for way in WAYS if way.fails and way.since <= broken.systemd]
    found = failed_units(broken, ways)
    wrong: list[str] = []
    for way in ways:
        told = found[way.unit]["cause"]
        if told["proven"] or way.named:
            wrong += misses(way, told["cause"], told["remedy"])
        if told["proven"] and not told["evidence"]:
            wrong.append(f"{way.name}: no evidence")
        if told["proven"] != way.named:
            wrong.append(f"{way.name}: proven is {told['proven']}: {told['cause']} {told['journal']}")
    assert not wrong, "\n".join(wrong)


def test_words_and_numbers_that_mislead_are_never_named(broken: Lab) -> None:
    found = failed_units(broken, MISLEADING)
    wrong = {way.name: found[way.unit]["cause"] for way in MISLEADING if found[way.unit]["cause"]["proven"]}
    assert not wrong
    # Nothing is hidden for that: the last lines are there.
    assert "schema 4 is not known" in found["misleading-then-another.service"]["cause"]["journal"]


def entry(way: Way) -> Entry:
    health = {"health": {"timeout": 15, "stable_for": way.stable_for}} if way.kind == "service" else {}
    once = {"run": "on_change"} if way.sections.get("service", {}).get("Type") == "oneshot" else {}
    return {"name": way.unit, **way.sections, **health, **once}


@pytest.mark.parametrize("first", range(0, len(RUNS), TOGETHER))
def test_a_run_names_the_cause_in_its_message_and_as_data(broken: Lab, first: int) -> None:
    ways = [way for way in RUNS[first : first + TOGETHER] if way.since <= broken.systemd]
    entries = [entry(way) for way in ways]
    dropins = [{"name": way.unit, "dropin": "50-broken", **way.dropin} for way in ways if way.dropin]
    result = broken.failing(*entries, dropins=dropins, on_failure="keep", besides=None)
    errors = {error["unit"]: error for error in result["errors"]}
    wrong: list[str] = []
    for way in ways:
        error = errors[way.unit]
        wrong += misses(way, error["cause"], error["remedy"])
        if error["cause"] not in error["message"]:
            wrong.append(f"{way.name}: {error['message']} has not {error['cause']}")
    assert not wrong, "\n".join(wrong)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the journal says of runs of units; nothing where there is no journal to read. Private to the collection."""

from __future__ import annotations

import os
from typing import Dict, List, Mapping, Sequence, Tuple

from .manager import Manager

_ASK = ("journalctl", "--quiet", "--no-pager")
_TIMEOUT = 20.0
# sd-messages(3): SD_MESSAGE_UNIT_FAILURE_RESULT.
_UNIT_FAILED = "MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c"


def has_failed(manager: Manager, unit: str, invocations: Sequence[str]) -> bool:
    """Has one of these runs of a unit ended in failure?"""
    prefix, own = _words_of(manager)
    runs = [f"{prefix}INVOCATION_ID={each}" for each in invocations]
    ask = [*_ASK, "--output=cat", "--lines=1", own, f"{prefix}UNIT={unit}"]
    _sync(manager)
    return bool(manager.run([*ask, _UNIT_FAILED, *runs], timeout=_TIMEOUT).out.strip())


def last_lines(manager: Manager, runs: Mapping[str, str], lines: int) -> Dict[str, List[str]]:
    """The last lines of one run of each unit, by its ID; without an ID those since we began."""
    if runs:
        _sync(manager)
    return {unit: _last_lines(manager, unit, invocation, lines) for unit, invocation in runs.items()}


def _last_lines(manager: Manager, unit: str, invocation: str, lines: int) -> List[str]:
    prefix, own = _words_of(manager)
    # Not --unit=, which leaves out what a child of PID 1 says before it has become the unit's process.
    selection = [f"_SYSTEMD_{prefix}UNIT={unit}", *([own] if prefix else []), "+", f"{prefix}UNIT={unit}", own]
    if invocation:
        # Lines of a process that was gone before journald looked at it lack the invocation, so it is found by time;
        # they may stand before what PID 1 says first of it.
        begun = [*_ASK, "--output=short-unix", f"{prefix}INVOCATION_ID={invocation}"]
        first = manager.run(begun, timeout=_TIMEOUT).out.partition(".")[0]
        selection += [f"--since=@{int(first) - 1}"] if first.isdigit() else []
    else:
        selection.append(f"--since=@{manager.begun:.6f}")
    # Together with --since, --lines counts from the front unless the order is turned round.
    outcome = manager.run([*_ASK, "--output=cat", "--reverse", f"--lines={lines}", *selection], timeout=_TIMEOUT)
    return [line for line in reversed(outcome.out.splitlines()) if line.strip()]


def _sync(manager: Manager) -> None:
    """What was said last may not have been written yet; without the right to ask for it that has to do."""
    manager.run(["journalctl", "--sync"], timeout=_TIMEOUT)


def _words_of(manager: Manager) -> Tuple[str, str]:
    """How the fields begin with which a manager of this scope speaks of units, and whose words they are."""
    scope = manager.places.scope
    return scope.journal_prefix, f"_UID={os.getuid() if scope.of_session else 0}"

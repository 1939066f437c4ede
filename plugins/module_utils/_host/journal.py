# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the journal says of runs of units; nothing where there is no journal to read. Private to the collection."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .manager import Manager

_ASK = ("journalctl", "--quiet", "--no-pager")
_TIMEOUT = 20.0
_SECOND = 1_000_000
# Lines of a run: more than a service says until it is up, and less than fills a memory.
_MOST = 5000
# sd-messages(3): SD_MESSAGE_UNIT_FAILURE_RESULT.
_UNIT_FAILED = "MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c"


# What is told of each line beside its time.
_FIELDS = (
    *("MESSAGE", "MESSAGE_ID", "PRIORITY", "CODE_FUNC", "ERRNO", "EXECUTABLE", "COMMAND", "EXIT_CODE", "EXIT_STATUS"),
    *("UNIT_RESULT", "_COMM", "_UID", "SYSLOG_IDENTIFIER"),
)


class Line(NamedTuple):
    """A line of the journal as data.

    text: its message. at: microseconds since the epoch. run: the invocation it is of, "" where journald could not tell.
    by_systemd: of this unit, said by the manager or by its child that was to become the unit's process. fields: others,
    by journald's names.
    """

    text: str
    at: int
    run: str
    by_systemd: bool
    fields: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.fields.get("MESSAGE_ID", "")


def has_failed(manager: Manager, unit: str, invocations: Sequence[str]) -> bool:
    """Has one of these runs of a unit ended in failure?"""
    prefix, own = _words_of(manager)
    runs = [f"{prefix}INVOCATION_ID={each}" for each in invocations]
    ask = [*_ASK, "--output=cat", "--lines=1", own, f"{prefix}UNIT={unit}"]
    sync(manager)
    return bool(manager.run([*ask, _UNIT_FAILED, *runs], timeout=_TIMEOUT).out.strip())


def last_lines(manager: Manager, runs: Mapping[str, str], lines: int) -> Dict[str, List[str]]:
    """The last lines of each unit from the beginning of a run on, by its ID; without an ID those since we began."""
    return {unit: _last_lines(manager, unit, invocation, lines) for unit, invocation in runs.items()}


def last_of(lines: Sequence[Line], run: str, begun: float, most: int) -> List[str]:
    """The same of lines that are known already, none if one of them is too long to be known as data.

    begun: when we began, in seconds since the epoch.
    """
    first = next((line.at for line in lines if line.run == run), None) if run else None
    since = int(begun * _SECOND) if not run else 0 if first is None else (first // _SECOND - 1) * _SECOND
    last = [line for line in lines if line.at >= since][-most:]
    if any(not line.text and "MESSAGE" not in line.fields for line in last):
        return []
    return [row for line in last for row in line.text.splitlines() if row.strip()][-most:]


def of_runs(manager: Manager, unit: str, run: str, before: str, since: float = 0.0) -> Tuple[List[str], List[str]]:
    """All that was said in a run of a unit, and in the one before it (by IDs; "" for none): the last lines of each.

    since: what was said before that is not of this run, however short the one before it was.
    """
    sync(manager)
    begun = _begun(manager, run)
    if begun is None:
        return [], []
    # Lines of its first process may stand before what the manager says of it; those of the run before it do no harm.
    now = _lines(manager, unit, [f"--since=@{max(begun - 1, since):.6f}"])
    earlier = _begun(manager, before) if before else None
    if earlier is None:
        return now, []
    return now, _lines_of(manager, unit, before, earlier - 1, begun)


def speakers(manager: Manager, run: str) -> FrozenSet[int]:
    """The processes that said something in a run, also those that are gone."""
    prefix, _own = _words_of(manager)
    ask = [*_ASK, "--output=json", "--output-fields=_PID", f"_SYSTEMD_{prefix}INVOCATION_ID={run}"]
    lines = _parsed(manager.run(ask, timeout=_TIMEOUT).out, prefix, "")
    return frozenset(int(line.fields["_PID"]) for line in lines if line.fields.get("_PID", "").isdigit())


def _begun(manager: Manager, run: str) -> Optional[float]:
    prefix, _own = _words_of(manager)
    asked = [*_ASK, "--output=short-unix", f"{prefix}INVOCATION_ID={run}"]
    first = manager.run(asked, timeout=_TIMEOUT).out.partition(" ")[0]
    return float(first) if first.replace(".", "", 1).isdigit() else None


def _lines(manager: Manager, unit: str, when: Sequence[str]) -> List[str]:
    ask = [*_ASK, "--output=cat", "--reverse", f"--lines={_MOST}", *when]
    return manager.run([*ask, *_selection(manager, unit)], timeout=_TIMEOUT).out.splitlines()[::-1]


def _lines_of(manager: Manager, unit: str, run: str, since: float, until: float) -> List[str]:
    """Those of a time, without what is known to be of another run, such as one that failed and was rolled back."""
    ask = [*_ASK, "--output=json", f"--output-fields={','.join(['MESSAGE', *_run_fields(manager)])}", "--reverse"]
    when = [f"--lines={_MOST}", f"--since=@{since:.6f}", f"--until=@{until:.6f}"]
    out = manager.run([*ask, *when, *_selection(manager, unit)], timeout=_TIMEOUT).out
    said = (line.text for line in _parsed(out, _words_of(manager)[0], unit) if line.run in ("", run))
    return [row for text in said for row in text.splitlines()]


def _run_fields(manager: Manager) -> List[str]:
    """The fields that tell which run a line is of."""
    prefix, _own = _words_of(manager)
    return [
        *(f"{prefix}INVOCATION_ID", f"_SYSTEMD_{prefix}INVOCATION_ID"),
        *("_SYSTEMD_INVOCATION_ID", "INVOCATION_ID"),
    ]


def _selection(manager: Manager, unit: str) -> List[str]:
    """Not --unit=, which leaves out what a child of PID 1 says before it has become the unit's process."""
    prefix, own = _words_of(manager)
    return [f"_SYSTEMD_{prefix}UNIT={unit}", *([own] if prefix else []), "+", f"{prefix}UNIT={unit}", own]


def _last_lines(manager: Manager, unit: str, invocation: str, lines: int) -> List[str]:
    selection = _selection(manager, unit)
    if invocation:
        # Lines of a process that was gone before journald looked at it lack the invocation, so it is found by time;
        # they may stand before what PID 1 says first of it.
        begun = _begun(manager, invocation)
        selection += [] if begun is None else [f"--since=@{int(begun) - 1}"]
    else:
        selection.append(f"--since=@{manager.begun:.6f}")
    # Together with --since, --lines counts from the front unless the order is turned round.
    outcome = manager.run([*_ASK, "--output=cat", "--reverse", f"--lines={lines}", *selection], timeout=_TIMEOUT)
    return [line for line in reversed(outcome.out.splitlines()) if line.strip()]


def all_lines(manager: Manager, unit: str, most: int, trusted: Callable[[int], bool]) -> List[Line]:
    """What has been said of a unit and by it since the boot, the last so many lines.

    trusted: who but the manager's user may speak of the unit as systemd does. Its child says what failed once it has
    taken the unit's user, and journald may not know any more of which unit it was.
    """
    prefix, own = _words_of(manager)
    fields = [*_FIELDS, f"{prefix}UNIT", *_run_fields(manager)]
    ask = [*_ASK, "--output=json", f"--output-fields={','.join(fields)}", "--boot", "--reverse", f"--lines={most}"]
    selection = [f"_SYSTEMD_{prefix}UNIT={unit}", *([own] if prefix else []), "+", f"{prefix}UNIT={unit}"]
    rows = _parsed(manager.run([*ask, *selection], timeout=_TIMEOUT).out, prefix, unit)
    ours = own.partition("=")[2]
    return [line for line in rows if not line.by_systemd or _is_trusted(line.fields.get("_UID", ""), ours, trusted)]


def _is_trusted(uid: str, ours: str, trusted: Callable[[int], bool]) -> bool:
    return uid == ours or (uid.isdigit() and trusted(int(uid)))


def of_kernel(manager: Manager, since: float) -> List[Line]:
    """What the kernel has logged since a time in seconds; nothing in a container, whose log is that of another host."""
    if os.path.exists("/run/systemd/container"):
        return []
    ask = [*_ASK, "--output=json", "--output-fields=MESSAGE", f"--since=@{since:.6f}"]
    return list(_parsed(manager.run([*ask, "_TRANSPORT=kernel", "_TRANSPORT=audit"], timeout=_TIMEOUT).out, "", ""))


def _parsed(out: str, prefix: str, unit: str) -> Iterator[Line]:
    for row in reversed(out.splitlines()):
        try:
            fields: Dict[str, Any] = json.loads(row)
        except ValueError:
            continue
        # What is no text is a list of bytes, of what is there several times a list of texts, of what is long null.
        told = {name: value for name, value in fields.items() if isinstance(value, str)}
        ours = told.get(f"{prefix}INVOCATION_ID") or told.get("INVOCATION_ID") or ""
        run = ours or told.get(f"_SYSTEMD_{prefix}INVOCATION_ID") or told.get("_SYSTEMD_INVOCATION_ID") or ""
        by_systemd = bool(unit) and told.get(f"{prefix}UNIT") == unit and "CODE_FUNC" in told
        text = told["MESSAGE"] if "MESSAGE" in told else _bytes(fields.get("MESSAGE"))
        yield Line(text, int(told.get("__REALTIME_TIMESTAMP") or 0), run, by_systemd, told)


def _bytes(value: Any) -> str:
    numbers = isinstance(value, list) and all(isinstance(each, int) and 0 <= each < 256 for each in value)
    return bytes(value).decode("utf-8", "replace") if numbers else ""


def sync(manager: Manager) -> None:
    """What was said last may not have been written yet; without the right to ask for it that has to do."""
    manager.run(["journalctl", "--sync"], timeout=_TIMEOUT)


def _words_of(manager: Manager) -> Tuple[str, str]:
    """How the fields begin with which a manager of this scope speaks of units, and whose words they are."""
    scope = manager.places.scope
    return scope.journal_prefix, f"_UID={os.getuid() if scope.of_session else 0}"

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The option hardening: a drop-in beside a service, whose lines come once it is known what the service says. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._advice.optouts import Line, Needs, needs
from .._advice.profiles import Lines
from .._syntax.kinds import KINDS, Processes
from .._syntax.loadpath import HARDENING_DROPIN
from .._syntax.names import parse_pattern
from .._syntax.rule import Problem, Refusals, Refused, Rule, Severity

Params = Mapping[str, Any]
Entry = Dict[str, Any]

OPTION = "hardening"
DROPIN = HARDENING_DROPIN
STANDARD = "standard"
_HIGHEST = 10.0

OPTIONS = Rule(
    "hardening",
    Severity.ERROR,
    "the option hardening has a value that it cannot have",
    "the message says what it takes",
    "docs/hardening.md",
)
TARGET = Rule(
    "hardening-target",
    Severity.ERROR,
    "{why}",
    "{mend}",
    "docs/hardening.md",
)


class Asked(NamedTuple):
    """A service that shall be hardened.

    unit: its name. level: the profile. needs: what it is allowed all the same. paths: those that have to be there for
    that, each with its directive. most: the most that its exposure may be, None if that does not matter.
    """

    unit: str
    level: str
    needs: Needs
    paths: Tuple[Tuple[str, str], ...]
    most: Optional[float]


def beside(units: Sequence[Params]) -> Iterator[Entry]:
    """The entries of drop-ins for those units of a stack that have the option."""
    for unit in units:
        if is_asked(unit) and _is_service(str(unit["name"])):
            said = {option: unit.get(option) for option in ("on_change", "replace")}
            yield {"name": unit["name"], "dropin": DROPIN, OPTION: unit[OPTION], **said}


def asked(params: Params) -> Tuple[List[Asked], List[Problem]]:
    """What the drop-ins of a declaration ask for, and what is wrong with that."""
    found: List[Asked] = []
    problems: List[Problem] = []
    for entry in params.get("dropins") or ():
        if not is_asked(entry) or not _is_service(str(entry["name"])):
            continue
        wrong = list(_for_many(str(entry["name"])))
        try:
            read = _read(entry)
        except Refused as refused:
            wrong += OPTIONS.refusals(refused, str(entry["name"]), OPTION)
        problems += wrong
        if not wrong:
            found.append(read)
    return found, problems


def _is_service(unit: str) -> bool:
    """Another type is refused by the rule of all such options, and what is no name where the entry itself is read."""
    try:
        return KINDS[parse_pattern(unit).kind].processes is Processes.MAIN
    except Refused:
        return False


def is_asked(entry: Params) -> bool:
    """One that says nothing asks for the usual profile."""
    return entry.get(OPTION) is not None and entry.get("state") != "absent"


def _read(entry: Params) -> Asked:
    unit, given = str(entry["name"]), entry[OPTION]
    most, writable = given.get("max_exposure"), given.get("read_write_paths") or ()
    wrong = Refusals()
    with wrong.noted("max_exposure"):
        if most is not None and not 0 <= most <= _HIGHEST:
            raise Refused(f"max_exposure is a number from 0 to 10, as systemd-analyze security tells, and not {most:g}")
    with wrong.noted():
        told = needs(given.get("allow") or (), writable)
    wrong.tell()
    return Asked(
        unit,
        given.get("profile") or STANDARD,
        told,
        told.needed,
        most,
    )


def _for_many(unit: str) -> Iterator[Problem]:
    name = parse_pattern(unit)
    if name.stands_for_others and not name.is_template:
        why = "it stands for many services, and each of them needs something else"
        yield TARGET.problem(unit, why=why, mend="harden each by its own name")


def with_lines(params: Params, made: Mapping[str, Lines]) -> Entry:
    """A declaration whose drop-ins have their lines. made: by unit, as far as they are known."""
    dropins = [_with_text(entry, made) if is_asked(entry) else entry for entry in params.get("dropins") or ()]
    return {**params, "dropins": dropins}


def _with_text(entry: Params, made: Mapping[str, Lines]) -> Params:
    lines: Sequence[Line] = made[str(entry["name"])].lines if str(entry["name"]) in made else ()
    text = "".join(f"{directive}={value}\n" for directive, value in lines)
    return {**entry, "content": f"[Service]\n{text}" if text else "[Unit]\n"}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What other units the text of a unit names, and what it cannot be up without. Private to the collection."""

from __future__ import annotations

from typing import Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

from .kinds import kind_of
from .loadpath import LoadPath
from .meaning import last, words
from .names import misnamed
from .paths import has_processes, mounts, paths
from .relations import NEEDS, PULLS_IN, RELATED, RESTARTED_WITH, reached
from .specifiers import in_name, in_value

# Of each namespace; the last one came with systemd 257.
_JOURNALS = (
    "systemd-journald@{}.socket",
    "systemd-journald-varlink@{}.socket",
    "systemd-journald-sync@{}.service",
)
_BUS = "dbus.socket"


class Tie(NamedTuple):
    """A unit that systemd lists under a property, Requires or Wants, of one whose text does not name it there."""

    property: str
    section: str
    directive: str
    other: str


def named(unit: str, directive: str, loadpath: LoadPath, section: str = "Unit") -> List[str]:
    """The units that a directive names, as systemd lists them; those that only systemd can resolve are left out."""
    said = (in_name(word, unit) for word in words(loadpath.effective(unit), section, directive))
    return [loadpath.primary(other) for other in said if "%" not in other]


def all_named(unit: str, loadpath: LoadPath) -> Set[str]:
    """The units that any directive names by which a job of one may do something to another."""
    said = loadpath.effective(unit).get("Unit", {})
    return {other for directive in RELATED if directive in said for other in named(unit, directive, loadpath)}


def started_with(units: Iterable[str], loadpath: LoadPath, directives: Iterable[str] = PULLS_IN) -> Set[str]:
    """These units and all that their start pulls in by what the texts say, to the end."""
    directives = tuple(directives)

    def pulled_in(unit: str) -> Iterator[str]:
        others = {other for directive in directives for other in named(unit, directive, loadpath)}
        others.update(other for _property, other in implied(unit, loadpath))
        return (other for other in others if not misnamed(other))

    return set(reached((unit for unit in units if not misnamed(unit)), pulled_in))


def needs(unit: str, loadpath: LoadPath) -> Iterator[Tuple[str, str, str]]:
    """What a unit cannot be up without, by its text: (section, directive, unit)."""
    said = loadpath.effective(unit).get("Unit", {})
    for directive in (each for each in NEEDS if each in said):
        yield from (("Unit", directive, other) for other in named(unit, directive, loadpath))
    ties = (tie for tie in _ties(unit, loadpath) if tie.property in NEEDS)
    yield from ((tie.section, tie.directive, tie.other) for tie in ties)


def implied(unit: str, loadpath: LoadPath) -> List[Tuple[str, str]]:
    """What systemd lists under Requires= or Wants= of a unit that does not name it there: (property, other unit).

    A slice without a file, such as that of a template's instances, systemd makes itself, and nothing runs by it.
    """
    return [(tie.property, tie.other) for tie in _ties(unit, loadpath) if loadpath.defines(tie.other)]


def _ties(unit: str, loadpath: LoadPath) -> Iterator[Tie]:
    """The mounts and slices that it is in, the units of its journal and its bus, and those that a service shall get.

    Only those that have a file, but for slices: systemd does not mind the others.
    """
    for lies in paths(unit, loadpath):
        yield from (Tie(*lies[:3], mount) for mount in mounts(lies.path) if loadpath.defines(mount))
    row, text = kind_of(unit), loadpath.effective(unit)
    if not row.runs_commands:
        return
    of = in_name(last(text, row.section, "Slice"), unit)
    yield from (Tie("Requires", row.section, "Slice", each) for each in _slices(of) if not misnamed(of))
    namespace = in_value(last(text, row.section, "LogNamespace"), unit) if has_processes(unit, text) else ""
    found = [("Requires", "LogNamespace", each.format(namespace)) for each in _JOURNALS if namespace]
    found += [("Requires", "BusName", _BUS)] if last(text, row.section, "BusName") else []
    found += [("Wants", "Sockets", in_name(word, unit)) for word in words(text, row.section, "Sockets")]
    for pulls, directive, other in found:
        if not misnamed(other) and loadpath.defines(other):
            yield Tie(pulls, row.section, directive, loadpath.primary(other))


def _slices(name: str) -> Iterator[str]:
    """A slice and those that it is in."""
    parts = name.rpartition(".")[0].split("-")
    above = ("-".join(parts[:length]) for length in range(1, len(parts) + 1))
    return (f"{each}.slice" for each in above if each)


def needed(units: Sequence[str], loadpath: LoadPath) -> Set[str]:
    """These and all that they cannot be up without, by the names under which systemd lists them."""

    def needed_by(unit: str) -> Iterator[str]:
        return (loadpath.primary(other) for *_place, other in (() if misnamed(unit) else needs(unit, loadpath)))

    return set(reached(map(loadpath.primary, units), needed_by))


def wished(unit: str, loadpath: LoadPath) -> List[str]:
    """What a start of a unit brings up as well, and that may fail or be nowhere."""
    return [] if misnamed(unit) else named(unit, "Wants", loadpath)


def upheld(unit: str, loadpath: LoadPath) -> List[Tuple[str, str, str]]:
    """What a unit keeps up, by its text: (section, directive, unit), as in `needs`."""
    return [("Unit", "Upholds", other) for other in named(unit, "Upholds", loadpath)]


def hands_reloads_on(unit: str, others: Iterable[str], loadpath: LoadPath) -> bool:
    """Does a reload of a unit reload more, by its own text or those of these others?"""
    said = (unit in named(other, "ReloadPropagatedFrom", loadpath) for other in others)
    return bool(named(unit, "PropagatesReloadTo", loadpath)) or any(said)


def held_up_by(unit: str, loadpath: LoadPath) -> Set[str]:
    """The units whose restart takes this one along, or which it has to wait for."""
    others = (named(unit, directive, loadpath) for directive in (*RESTARTED_WITH, "After"))
    return needed([unit], loadpath).union(*others) - {unit}

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a run in progress must not lose: a file of its owner below the state folder, for root alone.

Private to the collection.
"""

from __future__ import annotations

import base64
import json
import os
import time
from types import MappingProxyType
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._host.files import Seen, Writer, look
from .._host.graph import Graph
from .._host.manager import Manager, ManagerError, UnitState
from .._host.observed import Observed, units_under
from .._host.places import Places
from .._plan.case import LEFT_ALONE
from .._plan.consequences import taken_anew, taken_down
from .._plan.differences import Differences
from .._plan.enablement import linked_with
from .._plan.expected import Expected
from .._plan.owed import LASTING, NOTHING_PENDING, Owed, Owing, Pending, as_text, from_text
from .._plan.plan import Plan
from .._syntax.effects import Effect
from .._syntax.kinds import kind_of
from .._syntax.meaning import is_run_once
from .._syntax.names import misnamed, parse_name
from .._syntax.rule import Problems, Refused, Rule, Severity

# To be raised when what is written is to be understood otherwise than before, or has more or fewer fields.
FORMAT = 1
_LISTS = ("retrying", "idle", "handled", "over")
_UNREADABLE = Rule(
    "record",
    Severity.ERROR,
    "a run was cut off, and its record {path} cannot be read ({why})",
    "run the version of the collection that wrote it, or look at the stack's units, move that file away and run again: "
    "it has the older files, base64, under backups",
    "an interrupted run is finished by the next",
)


class Linked(NamedTuple):
    """The links of a host. units: those whose links a run may change. links: those that there were, path to target."""

    units: Tuple[str, ...] = ()
    links: Mapping[str, str] = MappingProxyType({})


class Record(NamedTuple):
    """A run in progress: what it needs to be undone, and what it owes if it is cut off.

    boot: which boot it began in. begun: when. backups: what lay at each path that it writes or removes. linked: the
    links that it may change. up: units that ran, with the ID of that run. retrying: those that
    had ended and waited for their automatic restart. idle: units that did not run and are new or changed, which some
    other may start meanwhile; for a new template stands its name. handled: units that it starts, stops or restarts, and
    what goes with them. owed: verbs by unit. watched: what becomes of units, as Plan.watched. patience: the longest
    time in seconds that the declaration gives one of them to come up. over: timers that were up, with no time to come.
    """

    boot: str
    begun: str
    backups: Mapping[str, Optional[Seen]]
    linked: Linked
    up: Mapping[str, str]
    retrying: Tuple[str, ...]
    idle: Tuple[str, ...]
    handled: Tuple[str, ...]
    owed: Mapping[str, Owing]
    watched: Mapping[str, Expected]
    patience: float = 0.0
    over: Tuple[str, ...] = ()


def begin(
    plan: Plan,
    differences: Differences,
    graph: Graph,
    observed: Observed,
    manager: Manager,
    patience: float = 0.0,
) -> Record:
    """The record of a run that is about to begin."""
    states, jobs = observed.states, plan.jobs
    paths = [*(wanted.path for wanted in differences.write), *differences.remove]
    enabled = tuple(linked_with(differences.links.units, [observed.loadpath, differences.after]))
    along = set(plan.fates)
    # What is bound to a process that ends on its reload ends with it.
    along.update(taken_anew(plan.reloaded, graph, jobs["stop"]))
    handled = along.union(*(jobs[verb] for verb in ("stop", "restart", "start", "run")))
    concerned = {*plan.watched, *handled, *(unit for units in jobs.values() for unit in units)}
    idle = _idle(differences, observed)
    # An instance may run by a file of its own before there is a template.
    concerned |= {unit for name in idle for unit in units_under(states, name)}
    up = sorted(unit for unit in concerned if states[unit].runs)
    return Record(
        boot=observed.manager.boot,
        begun=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        backups={
            path: observed.files.get(path) for path in dict.fromkeys([*paths, *_mask_paths(differences, observed)])
        },
        linked=Linked(enabled, {path: observed.links[path] for unit in enabled for path in observed.links_under(unit)}),
        up=invocations(manager, up),
        retrying=tuple(sorted(unit for unit in concerned if states[unit].is_up and not states[unit].runs)),
        idle=tuple(idle),
        handled=tuple(sorted(handled)),
        owed=_owed(plan, differences, graph),
        watched=dict(plan.watched),
        patience=patience,
        over=tuple(unit for unit in up if has_elapsed(unit, states[unit])),
    )


def has_elapsed(unit: str, state: UnitState) -> bool:
    """Is it a timer whose times are over (SubState=elapsed)?"""
    return kind_of(unit).goes_by_time and state.sub == "elapsed"


def _idle(differences: Differences, observed: Observed) -> List[str]:
    """Units that are down, and new or changed: a roll-back stops them if anything has started them meanwhile.

    So no new unit outlives its file, and no process goes on by a text that was taken back. What ends by itself may do
    so. A unit that had failed is left out, so that it stays failed.
    """
    ours = [case for case in differences.cases if case.on_change != LEFT_ALONE]
    cases = [case for case in ours if not case.now.is_up and case.now.active != "failed"]
    newer = [case for case in cases if case.change.restamped or case.touched(Effect.RESTART, Effect.REBIND)]
    found = [case.unit for case in cases if case.change.new]
    found += [case.unit for case in newer if not case.change.new and not is_run_once(case.after)]
    folder = observed.places.units
    written = [os.path.split(wanted.path) for wanted in differences.write]
    names = [name for where, name in written if where == folder and parse_name(name).is_template]
    return found + [name for name in names if observed.loadpath.fragment(name) is None]


def without_reloads(record: Record, units: Iterable[str]) -> Record:
    """For the way back, where the run has ended before it came to these reloads, and owed them to nobody before."""
    spared = dict.fromkeys(units)
    owed = {
        unit: tuple(each for each in owing if each is not Owed.RELOAD) if unit in spared else owing
        for unit, owing in record.owed.items()
    }
    return record._replace(owed={unit: owing for unit, owing in owed.items() if owing})


def _owed(plan: Plan, differences: Differences, graph: Graph) -> Dict[str, Owing]:
    """What a run that is cut off may leave undone, by unit.

    A stop is done before any file changes. Only what another unit upholds is stopped later, once that is loaded anew.
    """
    owed: Dict[str, Owing] = {}
    along = taken_down(plan.jobs["stop"], graph)
    for unit in plan.jobs["start"]:
        stays_up = graph.states[unit].is_up and unit not in along
        brought = Owed.WANTED if unit in plan.pulled else Owed.START
        owed[unit] = (Owed.CYCLE if unit in plan.jobs["stop"] else Owed.PULL if stays_up else brought,)
    for verb in (Owed.RESTART, Owed.RUN, Owed.RELOAD, Owed.TOUCH_SLICE, Owed.RESET_FAILED):
        for unit in plan.jobs[verb.value]:
            earlier = owed.get(unit, ())
            if LASTING.issuperset(earlier):  # what is started or stopped anew has no need of the rest
                owed[unit] = (*earlier, verb)
    for case in differences.cases:
        if case.leaves and case.unit in plan.jobs["stop"]:
            owed[case.unit] = (Owed.STOP,)
    return owed


def _mask_paths(differences: Differences, observed: Observed) -> List[str]:
    """systemctl mask and unmask write links at the units' own paths."""
    return [observed.places.unit_file(unit) for unit in [*differences.links.mask, *differences.links.unmask]]


def invocations(manager: Manager, units: Iterable[str]) -> Dict[str, str]:
    """The ID of each unit's present run: sockets, targets and timers have one too, though no file shows it."""
    shown = manager.show(sorted(units), ["InvocationID"]) if manager.live else {}
    return {unit: each.get("InvocationID", "") for unit, each in shown.items()}


def anew(runs: Mapping[str, str], manager: Manager) -> Tuple[str, ...]:
    """What is up by another run than that. Nobody knows of what a manager that does not answer runs."""
    try:
        states, now = manager.list_units(), invocations(manager, runs)
    except ManagerError:
        return ()
    return tuple(unit for unit, run in sorted(runs.items()) if states[unit].is_up and now.get(unit) != run)


def joined(earlier: Record, record: Record) -> Record:
    """One record of two runs. What the earlier one, which was cut off, had backed up counts first."""
    known = set(earlier.linked.units)
    links = {
        path: target
        for path, target in record.linked.links.items()  # a link's own name is an alias, or the unit's
        if not known.intersection((os.path.basename(path), os.path.basename(target)))
    }
    # What the earlier run was about and was not up before it is new, even if it has been started since.
    concerned = {*earlier.watched, *earlier.owed, *earlier.idle}
    newer = {
        unit: run
        for unit, run in record.up.items()
        if unit in earlier.up or not concerned.intersection((unit, parse_name(unit).template))
    }
    up, over, handled = {**newer, **earlier.up}, earlier.over, earlier.handled
    if earlier.boot != record.boot:  # no run of before is still that run, and the boot may have taken newer files
        up, over = {**newer, **dict.fromkeys(earlier.up, "")}, ()
        handled = tuple(filter(earlier.up.__contains__, handled))  # what it had started of others is as the boot has it
    return record._replace(
        backups={**record.backups, **earlier.backups},
        linked=Linked(
            tuple(dict.fromkeys([*earlier.linked.units, *record.linked.units])), {**links, **earlier.linked.links}
        ),
        up=up,
        retrying=tuple(unit for unit in dict.fromkeys([*earlier.retrying, *record.retrying]) if unit not in up),
        idle=tuple(unit for unit in dict.fromkeys([*earlier.idle, *record.idle]) if unit not in up),
        handled=tuple(dict.fromkeys([*handled, *record.handled])),
        watched={**earlier.watched, **record.watched},
        patience=max(earlier.patience, record.patience),
        over=tuple(dict.fromkeys([*over, *(unit for unit in record.over if unit in newer)])),
    )


def pending(record: Optional[Record], observed: Observed, manager: Manager) -> Pending:
    """What an interrupted run left to be done. A boot since then has started everything anew: no restart is owed."""
    if record is None:
        return NOTHING_PENDING
    same_boot = record.boot == observed.manager.boot
    owed: Dict[str, Owing] = {}
    runs = invocations(manager, record.up)
    for unit, owing in record.owed.items():
        now = observed.states[unit]
        if owing == (Owed.RUN,) or (same_boot and LASTING.issuperset(owing)):
            owed[unit] = owing
        elif owing == (Owed.WANTED,):
            if same_boot and not now.is_up:
                owed[unit] = owing
        elif same_boot and unit in record.up and owing == (Owed.STOP,):
            if now.is_up and now.load == "not-found":
                owed[unit] = owing
        elif same_boot and unit in record.up:
            if not now.is_up:
                owed[unit] = (Owed.START,)
            elif runs.get(unit) == record.up[unit]:
                owed[unit] = owing
    unproved = {
        unit: expected for unit, expected in record.watched.items() if expected in (Expected.UP, Expected.UNFAILED)
    }
    return Pending(owed=owed, unproved=unproved, since=record.begun)


def load(where: Places, owners: Sequence[str]) -> Optional[Record]:
    """The record that a run which was cut off has left, None if there is none. Those of several owners become one.

    Raises Problems for one that cannot be read: what it owes, and what lay there before, would be lost in silence.
    """
    found = [each for each in (_load(where, owner) for owner in owners) if each is not None]
    whole: Optional[Record] = None
    for later in sorted(found, key=lambda each: each.begun):
        whole = joined(whole, later)._replace(owed={**whole.owed, **later.owed}) if whole else later
    return whole


def _load(where: Places, owner: str) -> Optional[Record]:
    path = where.record_file(owner)
    seen = look(path)
    if seen is None:
        return None
    try:
        return _read(seen.content or b"", where)
    except Refused as refused:
        why = str(refused)
    except (ValueError, KeyError, TypeError, AttributeError):
        why = "it is damaged"
    raise Problems([_UNREADABLE.problem(path=path, why=why)])


def _read(content: bytes, where: Places) -> Record:
    """What `save` has written. One without a format is of the time before there were formats, and like the first."""
    data = json.loads(content)
    if "format" not in data:
        data.setdefault("over", ())
    kind = data.pop("format", FORMAT)
    if kind != FORMAT:
        raise Refused(f"it is of the format {kind}, and this version of the collection reads {FORMAT}")
    if not all(_is_map_of_texts(data[name]) for name in ("links", "up", "owed", "watched")):
        raise Refused("it is damaged")
    backups = {path: _unpacked(packed) for path, packed in data.pop("backups").items()}
    data.update({name: tuple(data[name]) for name in _LISTS})
    data["owed"] = {unit: from_text(text) for unit, text in data["owed"].items()}
    watched = {unit: Expected(name) for unit, name in data.pop("watched").items()}
    linked = Linked(tuple(data.pop("enabled")), data.pop("links"))
    record = Record(backups=backups, watched=watched, linked=linked, **data)
    _refuse_strange(record, where)
    return record


def _refuse_strange(record: Record, where: Places) -> None:
    """What no run of ours writes is no record to act by: it would take away files of others."""
    lists = (getattr(record, name) for name in _LISTS)
    units = [*record.up, *record.owed, *record.watched, *record.linked.units]
    units += [unit for units in lists for unit in units]
    strange = [unit for unit in units if not isinstance(unit, str) or misnamed(unit)]
    for path in [*record.backups, *record.linked.links]:
        if not (where.is_unit_file(path) or where.is_secret(path)) or os.path.normpath(path) != path:
            strange.append(path)
    if strange:
        raise Refused(f"{strange[0]} in it is nothing of ours")


def _is_map_of_texts(data: object) -> bool:
    return isinstance(data, dict) and all(isinstance(value, str) for value in data.values())


def save(where: Places, owner: str, record: Record, writer: Writer) -> None:
    """Put the record on disk, durably, before anything else is written."""
    data: Dict[str, Any] = {"format": FORMAT, **record._asdict()}
    data["backups"] = {path: _packed(seen) for path, seen in record.backups.items()}
    data["watched"] = {unit: expected.value for unit, expected in record.watched.items()}
    data["owed"] = {unit: as_text(owing) for unit, owing in record.owed.items()}
    linked = data.pop("linked")
    data.update(enabled=linked.units, links=linked.links)
    writer.make_folder(os.path.dirname(where.record_file(owner)), 0o700)
    writer.write(where.record_file(owner), json.dumps(data).encode(), 0o600)
    writer.settle()


def drop(where: Places, owners: Sequence[str], writer: Writer) -> None:
    for owner in owners:
        writer.remove(where.record_file(owner))
    writer.settle()


def _packed(seen: Optional[Seen]) -> Optional[Dict[str, Any]]:
    if seen is None:
        return None
    content = None if seen.content is None else base64.b64encode(seen.content).decode()
    return {"mode": seen.mode, "uid": seen.uid, "gid": seen.gid, "content": content, "target": seen.target}


def _unpacked(packed: Optional[Mapping[str, Any]]) -> Optional[Seen]:
    if packed is None:
        return None
    content = None if packed["content"] is None else base64.b64decode(packed["content"])
    return Seen(packed["mode"], packed["uid"], packed["gid"], 0.0, content, packed["target"])

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a drill has in effect at a time, noted below /run before it is done, and how it is taken back.

So an interrupted drill is taken back by the next run, and by a reboot at the latest. Private to the collection.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from .._host import graph
from .._host.files import Writer, read, sweep
from .._host.manager import Manager, States
from .._host.memory import Limit, give_back
from .._host.places import Places
from .._host.processes import Process, go_on
from .._plan.consequences import started_by
from .._syntax.activation import in_the_way
from .._syntax.kinds import kind_of

DROPIN = "zz-unitwright-drill.conf"
_MODE, _FOLDER_MODE = 0o600, 0o700


class Standing(NamedTuple):
    """A drill of one unit.

    unit: its name. up: units that are to be up again. stopped: processes that stand still. dropins: files. limits: of
    memory, as they were.
    """

    unit: str
    up: Tuple[str, ...] = ()
    stopped: Tuple[Process, ...] = ()
    dropins: Tuple[str, ...] = ()
    limits: Tuple[Limit, ...] = ()


def dropin_file(where: Places, unit: str) -> str:
    """A drop-in below /run that is read after all others."""
    return os.path.join(where.manager, where.scope.name, f"{unit}.d", DROPIN)


def note(where: Places, standing: Standing, writer: Writer) -> None:
    """To be called before anything of it is done."""
    folder = _folder(where)
    writer.make_folder(folder, _FOLDER_MODE)
    writer.write(_file(where, standing.unit), json.dumps(standing._asdict()).encode(), _MODE)


def take_back(standing: Standing, manager: Manager, writer: Writer) -> None:
    """Take all of it back; what is to be up is started, and may not be up yet.

    Raises ManagerError if systemd still goes by a drop-in; the note stays, so that the next run tries again.
    """
    for each in standing.stopped:
        go_on(each)
    for limit in standing.limits:
        give_back(limit)
    if standing.dropins:
        # A timer that elapses by the drop-in's time would run once more.
        manager.systemctl("stop", [standing.unit])
        for path in standing.dropins:
            writer.remove(path)
            writer.remove_folder_if_empty(os.path.dirname(path))
        manager.read_again()
    states = manager.list_units()
    if _has_made_way(standing, states, manager):
        states = manager.list_units()
    # A socket starts before its service, or not at all (in_the_way).
    down = sorted((unit for unit in standing.up if not states[unit].is_up), key=lambda unit: not _is_socket(unit))
    if down:
        manager.systemctl("reset-failed", down)
        manager.queue("start", down)


def _has_made_way(standing: Standing, states: States, manager: Manager) -> bool:
    """Stop a service that runs and keeps a socket of it, which is to be up again, from starting. Was there one?"""
    sockets = [unit for unit in standing.up if _is_socket(unit) and not states[unit].is_up]
    if not sockets:
        return False
    around = graph.look(manager, sockets, states)
    found = {in_the_way(unit, started_by(unit, around), lambda other: states[other].is_up) for unit in sockets}
    running = sorted(found & set(standing.up))
    if running:
        manager.systemctl("stop", running)
    return bool(running)


def _is_socket(unit: str) -> bool:
    return kind_of(unit).starts.hands_over


def forget(where: Places, standing: Standing, writer: Writer) -> None:
    """To be called when all of it is taken back."""
    writer.remove(_file(where, standing.unit))
    _remove_folders(where, writer)


def _remove_folders(where: Places, writer: Writer) -> None:
    writer.remove_folder_if_empty(_folder(where))
    writer.remove_folder_if_empty(os.path.dirname(_folder(where)))


def taken_down(where: Places) -> FrozenSet[str]:
    """Units that the next run takes back from drills that were cut off, before anything else."""
    folder = _folder(where)
    notes = [name for name in os.listdir(folder) if name.endswith(".json")] if os.path.isdir(folder) else []
    left = (_read(os.path.join(folder, name)) for name in notes)
    return frozenset(unit for each in left if each is not None for unit in (each.unit, *each.up))


def recover(where: Places, manager: Manager, writer: Writer) -> List[Standing]:
    """Take back what drills that were cut off have left, with the lock held; what is to be up is up, or at rest."""
    folder = _folder(where)
    if not os.path.isdir(folder):
        return []
    sweep([folder])
    found = []
    for path in (os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".json")):
        left = _read(path)
        if left is None:  # a note is in place whole or not at all, so that this one is not ours
            writer.remove(path)
            continue
        take_back(left, manager, writer)
        _rest(manager, left.up)
        forget(where, left, writer)
        found.append(left)
    _remove_folders(where, writer)
    return found


def _rest(manager: Manager, units: Sequence[str]) -> None:
    from .._host.watch import wait_for_rest  # noqa: PLC0415 (only where something was taken back)

    wait_for_rest(manager, units, starts=True)


def _read(path: str) -> Optional[Standing]:
    try:
        said: Dict[str, Any] = json.loads(read(path))
        stopped = tuple(Process(int(pid), str(began)) for pid, began in said["stopped"])
        up, dropins = (tuple(str(each) for each in said[name]) for name in ("up", "dropins"))
        limits = tuple(Limit(str(path), str(was), int(group)) for path, was, group in said.get("limits", ()))
        return Standing(str(said["unit"]), up, stopped, dropins, limits)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _folder(where: Places) -> str:
    return os.path.join(where.under_way, "drills")


def _file(where: Places, unit: str) -> str:
    return os.path.join(_folder(where), unit + ".json")

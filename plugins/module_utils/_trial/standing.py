# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a drill has in effect at a time, noted below /run before it is done, and how it is taken back.

So an interrupted drill is taken back by the next one, and by a reboot at the latest. Private to the collection.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Iterator, List, Tuple

from .._host.files import Writer, read
from .._host.manager import Manager
from .._host.places import Places
from .._host.processes import Process, go_on

DROPIN = "zz-unitwright-drill.conf"
_MODE, _FOLDER_MODE = 0o600, 0o700


@dataclass(frozen=True)
class Standing:
    """A drill of one unit. up: units that are to be up again; stopped: processes that stand still; dropins: files."""

    unit: str
    up: Tuple[str, ...] = ()
    stopped: Tuple[Process, ...] = ()
    dropins: Tuple[str, ...] = ()


def dropin_file(where: Places, unit: str) -> str:
    """A drop-in below /run that is read after all others."""
    return os.path.join(where.manager, where.scope.name, f"{unit}.d", DROPIN)


def note(where: Places, standing: Standing, writer: Writer) -> None:
    """To be called before anything of it is done."""
    folder = _folder(where)
    writer.make_folder(folder, _FOLDER_MODE)
    writer.write(_file(where, standing.unit), json.dumps(asdict(standing)).encode(), _MODE)


def take_back(where: Places, standing: Standing, manager: Manager, writer: Writer) -> None:
    """Take all of it back; what is to be up is started, and may not be up yet."""
    for each in standing.stopped:
        go_on(each)
    if standing.dropins:
        # A timer that elapses by the drop-in's time would run once more.
        manager.systemctl("stop", [standing.unit])
        for path in standing.dropins:
            writer.remove(path)
            writer.remove_folder_if_empty(os.path.dirname(path))
        manager.daemon_reload()
    states = manager.list_units()
    down = [unit for unit in standing.up if not states[unit].is_up]
    if down:
        manager.systemctl("reset-failed", down)
        manager.queue("start", down)


def forget(where: Places, standing: Standing, writer: Writer) -> None:
    """To be called when all of it is taken back."""
    writer.remove(_file(where, standing.unit))
    writer.remove_folder_if_empty(_folder(where))
    writer.remove_folder_if_empty(os.path.dirname(_folder(where)))


def left(where: Places) -> Iterator[Standing]:
    """What drills that were cut off have left, with the lock held."""
    try:
        names = sorted(os.listdir(_folder(where)))
    except FileNotFoundError:
        return
    for name in names:
        path = os.path.join(_folder(where), name)
        if name.endswith(".json"):
            found = json.loads(read(path))
            stopped = tuple(Process(*each) for each in found["stopped"])
            yield Standing(found["unit"], tuple(found["up"]), stopped, tuple(found["dropins"]))


def recover(where: Places, manager: Manager, writer: Writer) -> List[str]:
    """Take back what drills that were cut off have left; the units that they were about."""
    found = list(left(where))
    for each in found:
        take_back(where, each, manager, writer)
        forget(where, each, writer)
    return [each.unit for each in found]


def _folder(where: Places) -> str:
    return os.path.join(os.path.dirname(where.manager), "unitwright", "drills")


def _file(where: Places, unit: str) -> str:
    return os.path.join(_folder(where), unit + ".json")

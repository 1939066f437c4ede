# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a search has under way, written before it is done, so that whoever comes next can take it away.

All of it lies below /run: a boot leaves nothing of it either. Private to the collection.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from .._host import files
from .._host.files import Writer
from .._host.manager import Manager, ManagerError, not_read

FOLDER = "/run/unitwright"
_RECORD = f"{FOLDER}/search.json"
# Its name comes after any that someone would give a drop-in.
_DROPIN = "zzz-unitwright-search.conf"
_RUNTIME = "/run/systemd/system"


class SearchRecord(NamedTuple):
    """A search that is under way over a unit. others: units that ran and go down with it."""

    unit: str
    others: Sequence[str]

    @property
    def dropin(self) -> str:
        return f"{_RUNTIME}/{self.unit}.d/{_DROPIN}"

    @property
    def progress(self) -> str:
        return f"{FOLDER}/{self.unit}.log"


def begin(trial: SearchRecord, writer: Writer) -> None:
    writer.write(_RECORD, json.dumps(trial._asdict()).encode(), 0o600)
    writer.settle()


def write(trial: SearchRecord, text: str, manager: Manager, writer: Writer) -> None:
    """Have the manager read a drop-in that is tried."""
    writer.write(trial.dropin, text.encode(), 0o644)
    manager.read_again()


def take_away(trial: SearchRecord, manager: Manager, writer: Writer) -> None:
    """The unit is again what its own files say, and runs so; what the search had taken down with it runs too.

    Raises ManagerError once all is done that can be, if systemd still goes by what was tried.
    """
    from .._host.watch import wait_for_rest  # noqa: PLC0415 (only where there is something to take away)

    files.sweep([os.path.dirname(trial.dropin), FOLDER])
    writer.remove(trial.dropin)
    writer.remove_folder_if_empty(os.path.dirname(trial.dropin))
    reloaded = manager.daemon_reload()
    manager.systemctl("reset-failed", [trial.unit])
    manager.queue("restart", [trial.unit])
    wait_for_rest(manager, [trial.unit], starts=True)
    states = manager.list_units()
    down = [unit for unit in trial.others if not states[unit].is_up]
    if down:
        manager.queue("start", down)
    if reloaded.code != 0:  # its note stays, so that the next run tries again
        raise ManagerError(not_read(reloaded))


def end(trial: SearchRecord, writer: Writer) -> None:
    writer.remove(trial.progress)
    writer.remove(_RECORD)
    writer.remove_folder_if_empty(FOLDER)


def recover(manager: Manager, writer: Writer) -> List[SearchRecord]:
    """Take away what a search that was cut off has left, and return it. Only for a run that holds the lock."""
    if manager.places.scope.in_home or not os.path.lexists(_RECORD):
        return []
    found = _read()
    if found is None:
        writer.remove(_RECORD)
        return []
    take_away(found, manager, writer)
    end(found, writer)
    return [found]


def _read() -> Optional[SearchRecord]:
    try:
        said: Dict[str, Any] = json.loads(files.read(_RECORD))
        return SearchRecord(str(said["unit"]), [str(each) for each in said["others"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None

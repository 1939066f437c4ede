# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short walks over what once went wrong, by what has to be true of them: gone again ahead of every random one.

A random walk that fails prints its shortest form as the lines of a case.
"""

from __future__ import annotations

from .world import FOREIGN, SERVICES, SOCKET, Cut, Declare, Event, Fail, Reboot, Slot, Step

_A, _B, _C, _D = SERVICES

CASES: dict[str, list[Step]] = {
    "a roll-back starts again what its own stops took along": [
        Declare(((_A, Slot(1)), (_B, Slot(1, (("Requires", _A),))), (_C, Slot(1, (("BindsTo", _B),))))),
        Fail(((_A, Slot(1, stopped=True)),)),
        Fail(((_A, None), (_C, Slot(2, (("BindsTo", _B),))))),
    ],
    "a run that is cut off is finished after a boot, with what it had taken down": [
        Declare(((_A, Slot(1)), (_B, Slot(1, (("PartOf", _A),))), (SOCKET, Slot(1)))),
        Cut(((_A, Slot(2)), (SOCKET, Slot(2))), 0.4),
        Cut(((_B, None), (SOCKET, None)), 0.3),
        Reboot(),
        Declare(((_D, Slot(1, (("Requires", _A),))),)),
    ],
    "a drop-in over a package's unit comes and goes while others stop that unit": [
        Declare(((FOREIGN, Slot(1)), (_A, Slot(1)))),
        Event("stop", FOREIGN),
        Declare(((FOREIGN, Slot(2)),)),
        Event("kill", FOREIGN),
        Declare(((FOREIGN, None),)),
    ],
}

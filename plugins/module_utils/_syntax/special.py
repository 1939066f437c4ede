# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Units by whose names alone more hangs than on others. systemd has no property that tells them all.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional

from .kinds import kind_of
from .meaning import is_run_once, last, words
from .names import misnamed, mount_of, unescape
from .relations import PULLS_IN, reached
from .specifiers import in_name
from .unitfile import Effective

# What systemd itself mounts before all else or never unmounts (fstab_is_extrinsic() in its src/shared/fstab-util.c),
# and where it and we keep what we know.
_OF_HOST = ("/", "/usr", "/etc", "/var", "/run", "/proc", "/sys", "/dev")
_MOUNTS_OF_HOST = frozenset(map(mount_of, _OF_HOST))


def mount_point(unit: str) -> str:
    """The folder over which a mount or automount comes, by its name; "" for all else."""
    return "/" + unescape(unit.rpartition(".")[0]).lstrip("/") if kind_of(unit).over_folder else ""


def path_below(unit: str, paths: Iterable[str]) -> str:
    """The first of these paths that a mount would come over, or holds; "" if there is none, or it is no mount."""
    folder = mount_point(unit).rstrip("/") + "/"
    return next((path for path in sorted(paths) if f"{path}/".startswith(folder)), "") if len(folder) > 1 else ""


def is_of_host(unit: str) -> bool:
    """Is it a mount that the host itself stands on? Without it nothing else would go on."""
    return unit in _MOUNTS_OF_HOST


# What a start of ends the run of the host or of its manager, or puts all else aside, and the call of systemctl that is
# meant for it: systemd.special(7) and systemctl(1), "System Commands", with the services that do it (bootup(7),
# systemd-halt.service(8), systemd-suspend.service(8)).
_ENDING = {
    "reboot": "reboot.target systemd-reboot.service ctrl-alt-del.target runlevel6.target",
    "poweroff": "poweroff.target systemd-poweroff.service runlevel0.target shutdown.target umount.target final.target",
    "halt": "halt.target systemd-halt.service",
    "kexec": "kexec.target systemd-kexec.service",
    "soft-reboot": "soft-reboot.target systemd-soft-reboot.service",
    "exit": "exit.target systemd-exit.service",
    "switch-root": "initrd-switch-root.target initrd-switch-root.service",
    "rescue": "rescue.target rescue.service runlevel1.target",
    "emergency": "emergency.target emergency.service",
    "suspend": "suspend.target systemd-suspend.service sleep.target",
    "hibernate": "hibernate.target systemd-hibernate.service",
    "hybrid-sleep": "hybrid-sleep.target systemd-hybrid-sleep.service",
    "suspend-then-hibernate": "suspend-then-hibernate.target systemd-suspend-then-hibernate.service",
    "isolate system-update.target": "system-update.target system-update-cleanup.service",
    "isolate storage-target-mode.target": "storage-target-mode.target systemd-storagetm.service",
    "isolate factory-reset.target": "factory-reset.target factory-reset-now.target",
}
# systemd.unit(5), FailureAction=: the same at once.
_FORCED = re.compile("-(force|immediate)$")
CALL_FOR: Dict[str, str] = {unit: call for call, units in _ENDING.items() for unit in units.split()}


# What every unit is after, and most need, by the dependencies that they have by default (systemd.special(7)).
FOUNDATIONS = ("sysinit.target", "basic.target")


def _itself(unit: str) -> str:
    return unit


class Ending(NamedTuple):
    """By which unit, and which setting of it, the run of the host ends. call: of systemctl, that is meant for that."""

    unit: str
    call: str
    setting: str = ""


def ending(unit: str, text_of: Callable[[str], Effective], primary: Callable[[str], str] = _itself) -> Optional[Ending]:
    """How a start of this one ends the run of the host, itself or by what it pulls in; None if it does not.

    An action at the end of a unit counts where a start leads to that end, and not where only a failure or a stop does.
    text_of: the merged text of a unit, as far as it is known. primary: the unit that a name stands for.
    """
    for name in reached([unit], lambda each: _pulled_in(each, text_of)):
        found = next((each for each in (name, primary(name)) if each in CALL_FOR), "")
        if found:
            return Ending(found, CALL_FOR[found])
        text = {} if misnamed(name) else text_of(name)
        action = last(text, "Unit", "SuccessAction") if is_run_once(text) else ""
        if action not in ("", "none"):
            return Ending(name, _FORCED.sub("", action), f"SuccessAction={action}")
    return None


def _pulled_in(unit: str, text_of: Callable[[str], Effective]) -> List[str]:
    text = {} if misnamed(unit) else text_of(unit)
    said = [directive for directive in PULLS_IN if directive in text.get("Unit", {})]
    return [in_name(word, unit) for directive in said for word in words(text, "Unit", directive)]

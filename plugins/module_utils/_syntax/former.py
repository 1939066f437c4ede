# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Names of directives from before, which systemd still reads as it does those of today. Private to the collection.

By systemd's own table (load-fragment-gperf.gperf.in of 247 to 262).
"""

from __future__ import annotations

from typing import Dict, Tuple

PRESENT_NAMES: Dict[str, str] = {
    "BindTo": "BindsTo",
    "InaccessibleDirectories": "InaccessiblePaths",
    "ManagedOOMMemoryPressureLimitPercent": "ManagedOOMMemoryPressureLimit",
    "OnFailureIsolate": "OnFailureJobMode",
    "PropagateReloadFrom": "ReloadPropagatedFrom",
    "PropagateReloadTo": "PropagatesReloadTo",
    "ReadOnlyDirectories": "ReadOnlyPaths",
    "ReadWriteDirectories": "ReadWritePaths",
    "StartLimitInterval": "StartLimitIntervalSec",
}
# The section that a setting has moved to.
_MOVED: Dict[Tuple[str, str], str] = {
    ("Service", each): "Unit"
    for each in ("StartLimitIntervalSec", "StartLimitBurst", "StartLimitAction", "FailureAction", "RebootArgument")
}


def present(section: str, directive: str) -> Tuple[str, str]:
    """The section and name that a directive has by now."""
    name = PRESENT_NAMES.get(directive, directive)
    return _MOVED.get((section, name), section), name

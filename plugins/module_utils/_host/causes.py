# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is to blame for a unit that is down though nothing is wrong with it. Private to the collection."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Sequence, Set

from .._syntax.dependencies import NEEDS
from .manager import Manager, named
from .watch import Failure, describe

_SHOWN = ("ActiveState", "SubState", "Result", "ExecMainCode", "ExecMainStatus", "InvocationID", "After", *NEEDS)


def with_causes(manager: Manager, failures: Sequence[Failure]) -> List[Failure]:
    """Failures, with what is to blame for those units that are down because something they need has failed.

    systemd calls their own result a success.
    """
    found: Dict[str, Failure] = {failure.unit: failure for failure in failures}
    for failure in failures:
        blamed = _failed_needs(manager, failure.unit) if failure.unit and failure.result == "success" else {}
        if blamed:
            message = f"is not up, as what it needs has failed: {', '.join(sorted(blamed))}"
            found[failure.unit] = replace(failure, message=message)
        for unit, shown in blamed.items():
            result, status, run = (shown.get(name, "") for name in ("Result", "ExecMainStatus", "InvocationID"))
            found.setdefault(unit, Failure(unit, "failed: " + describe(shown), result, status, run))
    return list(found.values())


def _failed_needs(manager: Manager, unit: str) -> Dict[str, Mapping[str, str]]:
    """What has failed itself, of all that a unit needs and comes after, and that is down with it."""
    found: Dict[str, Mapping[str, str]] = {}
    seen: Set[str] = set()
    ahead = {unit}
    while ahead:
        seen |= ahead
        shown = manager.show(sorted(ahead), _SHOWN)
        found.update({each: values for each, values in shown.items() if each != unit and _has_failed(values)})
        down = [values for values in shown.values() if values.get("ActiveState") == "inactive"]
        ahead = {other for values in down for other in named(values, NEEDS) & named(values, ("After",))} - seen
    return found


def _has_failed(shown: Mapping[str, str]) -> bool:
    return shown.get("ActiveState") == "failed" or shown.get("SubState", "").startswith("auto-restart")

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a unit is not what it should be: systemd's own words, and what else is to blame. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, List, Sequence, Set

from .._syntax.dependencies import NEEDS
from .manager import Manager, Properties, named

_SHOWN = ("ActiveState", "SubState", "Result", "ExecMainCode", "ExecMainStatus", "InvocationID", "After", *NEEDS)
_RESOURCES = " (an address in use, or something else that it needs of the host; its last lines say what)"
# systemd.exec(5), "Process Exit Codes": the ones a mistake in a unit leads to.
_MEANING = {
    "200": " (CHDIR: WorkingDirectory= is not there)",
    "203": " (EXEC: the program cannot be run)",
    "209": " (STDOUT)",
    "216": " (GROUP: there is no such group, or it may not be taken)",
    "217": " (USER: there is no such user, or it may not be taken)",
    "218": " (CAPABILITIES)",
    "226": " (NAMESPACE: a path of the sandbox is not there)",
    "228": " (SECCOMP)",
    "233": " (RUNTIME_DIRECTORY)",
    "238": " (STATE_DIRECTORY)",
    "243": " (CREDENTIALS)",
}


@dataclass(frozen=True)
class Failure:
    """A unit that is not what it should be. result and status are systemd's, for a person and for machines."""

    unit: str
    message: str
    result: str = ""
    status: str = ""
    invocation: str = ""


def failure(unit: str, message: str, shown: Properties, invocation: str) -> Failure:
    """invocation: the run that failed, which is not the present one where systemd has restarted the unit since."""
    return Failure(unit, message, shown.get("Result", ""), shown.get("ExecMainStatus", ""), invocation)


def describe(shown: Properties) -> str:
    """systemd's own words on how a unit's process ended."""
    result, status = shown.get("Result", ""), shown.get("ExecMainStatus", "")
    code = {"1": "exit status", "2": "signal", "3": "signal, core dumped"}.get(shown.get("ExecMainCode", ""), "")
    parts = [f"result {result}{_RESOURCES if result == 'resources' else ''}"] if result else []
    if code and status:
        parts.append(f"{code} {status}{_MEANING.get(status, '') if code == 'exit status' else ''}")
    return ", ".join(parts) or "no result"


def with_causes(manager: Manager, failures: Sequence[Failure]) -> List[Failure]:
    """Failures, with what is to blame for those units that are down because something they need has failed.

    systemd calls their own result a success.
    """
    found: Dict[str, Failure] = {each.unit: each for each in failures}
    for each in failures:
        blamed = _failed_needs(manager, each.unit) if each.unit and each.result == "success" else {}
        if blamed:
            message = f"is not up, as what it needs has failed: {', '.join(sorted(blamed))}"
            found[each.unit] = replace(each, message=message)
        for unit, shown in blamed.items():
            found.setdefault(unit, failure(unit, "failed: " + describe(shown), shown, shown.get("InvocationID", "")))
    return list(found.values())


def _failed_needs(manager: Manager, unit: str) -> Dict[str, Properties]:
    """What has failed itself, of all that a unit needs and comes after, and that is down with it."""
    found: Dict[str, Properties] = {}
    seen: Set[str] = set()
    ahead = {unit}
    while ahead:
        seen |= ahead
        shown = manager.show(sorted(ahead), _SHOWN)
        found.update({each: values for each, values in shown.items() if each != unit and _has_failed(values)})
        down = [values for values in shown.values() if values.get("ActiveState") == "inactive"]
        ahead = {other for values in down for other in named(values, NEEDS) & named(values, ("After",))} - seen
    return found


def _has_failed(shown: Properties) -> bool:
    return shown.get("ActiveState") == "failed" or shown.get("SubState", "").startswith("auto-restart")

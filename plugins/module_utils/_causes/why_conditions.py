# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which of a unit's conditions or assertions kept it from starting: systemd knows of each whether it held.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .._host.manager import Manager
from .._syntax.unitfile import Placed
from .incident import Cause, Incident, assigned

# How systemd says that it did not start a unit (247 to 262).
_SKIPPED = re.compile(
    r"was skipped because|skipped, (?:unmet|no trigger) condition|Condition check resulted in .* being skipped"
    r"|asserts failed|Assertion failed for"
)
# What tells whether all of them held, and the property that has each, as (type, trigger, negate, parameter, state).
PROPERTIES = {"ConditionResult": "Conditions", "AssertResult": "Asserts"}


class _Test(NamedTuple):
    """One of them. trigger: one of those of which one has to hold. state: below 0 it did not, at 0 nobody asked."""

    name: str
    value: str
    trigger: bool
    state: int


def kept_down(incident: Incident) -> bool:
    down = incident.properties.get("ActiveState") == "inactive"
    return incident.result in ("", "success") and down and bool(_unmet(incident))


def unmet(incident: Incident) -> Optional[Cause]:
    evidence = next(f"{name}=no" for name in PROPERTIES if incident.properties.get(name) is False)
    return _cause(_unmet(incident), incident, evidence)


def _cause(found: Sequence[_Test], incident: Incident, evidence: str) -> Cause:
    parts = [_told(each, incident) for each in found]
    what = f"{parts[0]} does not hold" if len(parts) == 1 else f"none of {', '.join(parts)} holds"
    return Cause(what, "mend its value, or take it away", evidence, found[0].name)


def unmet_by_text(incident: Incident, said: Sequence[str], manager: Manager) -> Optional[Cause]:
    """Of a unit that systemd has forgotten again, as nothing refers to it: the host is asked anew.

    said: what the journal has of it. Only where systemd said that one did not hold: a run may well end its condition.
    """
    if incident.result not in ("", "success") or not any(_SKIPPED.search(line) for line in said):
        return None
    tests = [_Test(name, each.value, each.value.startswith("|"), 0) for name, each in _written(incident)]
    failed = [test for test in tests if _fails(test, manager)]
    found = [test for test in failed if not test.trigger][:1]
    triggers = [test for test in tests if test.trigger]
    if not found and all(test in failed for test in triggers):
        found = triggers
    return _cause(found, incident, next(line for line in said if _SKIPPED.search(line))) if found else None


def _written(incident: Incident) -> Iterator[Tuple[str, Placed]]:
    for name, placed in incident.text.get("Unit", {}).items():
        if name.startswith(("Condition", "Assert")):
            yield from ((name, each) for each in placed)


def _fails(test: _Test, manager: Manager) -> bool:
    """Alone, as if it were no trigger."""
    done = manager.run(["systemd-analyze", "condition", f"{test.name}={test.value.lstrip('|')}"])
    return done.code == 1


def _unmet(incident: Incident) -> List[_Test]:
    """The first that did not hold, or all of those of which one would do."""
    for result, each in PROPERTIES.items():
        if incident.properties.get(result) is not False:
            continue
        # The one that is written last comes first.
        tests = [_read(*found) for found in reversed(incident.properties.get(each) or ())]
        failed = [test for test in tests if test.state < 0 and not test.trigger][:1]
        found = failed or [test for test in tests if test.trigger and test.state < 0]
        if found:
            return found
    return []


def _read(name: str, trigger: bool, negate: bool, parameter: str, state: int) -> _Test:
    return _Test(name, f"{'|' if trigger else ''}{'!' if negate else ''}{parameter}", trigger, state)


def _told(test: _Test, incident: Incident) -> str:
    placed = incident.text.get("Unit", {}).get(test.name, ())
    return assigned(test.name, test.value, next((each for each in placed if each.value == test.value), None))

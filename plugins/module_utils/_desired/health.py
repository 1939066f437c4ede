# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The `health` option: what a unit has to prove, judged before anything is done. Pure.

Private to the collection.
"""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional

from .._host.health import CHECK_OPTIONS, Health
from .._syntax.rule import Refusals, Refused, Rule, Severity

HEALTH = Rule(
    "health-option",
    Severity.ERROR,
    "a check of that kind could never pass, or never end",
    "the message says what it takes",
    "the option health",
)

SECONDS = ("stable_for", "timeout")


def health(given: Optional[Mapping[str, Any]], defaults: Mapping[str, Any]) -> Health:
    """An entry's checks over the stack's. Raises Refused for all that could never pass, or never end."""
    options = {**defaults, **{key: value for key, value in (given or {}).items() if value is not None}}
    seconds = {option: options[option] for option in SECONDS if options.get(option) is not None}
    chosen = Health(**seconds)
    wrong = Refusals()
    with wrong.noted("stable_for"):
        if not (math.isfinite(chosen.stable_for) and chosen.stable_for >= 0):
            raise Refused("health: stable_for is a number of seconds and cannot be negative")
    with wrong.noted("timeout"):
        if not (math.isfinite(chosen.timeout) and chosen.timeout > 0):
            raise Refused("health: timeout is a number of seconds, more than 0")
    chosen = chosen._replace(patient="timeout" not in seconds)
    with wrong.noted():
        if options.get("command") == []:
            raise Refused("health: command is an empty list, which checks nothing: name a program, or leave it out")
    if any(options.get(option) for option in CHECK_OPTIONS):
        from .._host.probe import read_checks  # noqa: PLC0415 (only where there is a check)

        with wrong.noted():
            chosen = chosen._replace(checks=read_checks(options))
    wrong.tell()
    return chosen

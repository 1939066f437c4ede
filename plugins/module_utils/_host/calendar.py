# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""When calendars elapse, and how clocks go, as the host reckons both. Private to the collection."""

from __future__ import annotations

import calendar
import os
import re
import time
from typing import Callable, Dict, Iterator, List, Sequence

from .manager import Manager

_ELAPSE = re.compile(r"\s*(?:Next elapse|Iter\S*\s+#\d+): (.*)")
_IN_UTC = re.compile(r"\s*\(in UTC\): (.*)")
_TIME = re.compile(r"\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC")


def elapses(manager: Manager, calendars: Sequence[str], number: int) -> Dict[str, List[int]]:
    """The next so many times of each calendar expression, in seconds of the epoch; none of one that never elapses.

    Nothing at all where systemd-analyze does not answer for each of them.
    """
    each = list(dict.fromkeys(calendars))
    if not each:
        return {}
    outcome = manager.run(["systemd-analyze", "calendar", f"--iterations={number}", "--", *each])
    blocks = outcome.out.strip("\n").split("\n\n")
    if outcome.code or len(blocks) != len(each):
        return {}
    return {expression: list(_times(block)) for expression, block in zip(each, blocks)}


def _times(block: str) -> Iterator[int]:
    """A time in UTC stands alone where that is the host's zone, and else below that of the host."""
    for line in block.splitlines():
        found = _ELAPSE.fullmatch(line) or _IN_UTC.fullmatch(line)
        told = _TIME.fullmatch(found.group(1)) if found else None
        if told:
            yield calendar.timegm(time.strptime(told.group(1), "%Y-%m-%d %H:%M:%S"))


def offset_in(zone: str) -> Callable[[int], int]:
    """How many seconds a clock is east of UTC at a time in seconds of the epoch; zone "" is the host's."""

    def offset(seconds: int) -> int:
        before = os.environ.get("TZ")
        try:
            if zone:
                os.environ["TZ"] = zone
                time.tzset()
            return time.localtime(seconds).tm_gmtoff
        finally:
            if zone:
                if before is None:
                    del os.environ["TZ"]
                else:
                    os.environ["TZ"] = before
                time.tzset()

    return offset

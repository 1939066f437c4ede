# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whoever ends a drill or a search half-way has it taken back first. Private to the collection."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import TracebackType
from typing import Any, Dict, Optional, Type

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Interrupts:
    """The first signal ends what is under way. Those that come later, or after `hold`, are kept until all is done.

    A lost connection sends several signals, and one that came while all is taken back would leave that half-done.
    """

    def __init__(self) -> None:
        self._came = 0
        self._held = False
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        with suppress(ValueError):  # only the main thread may
            for each in _ENDING:
                self._before[each] = signal.signal(each, self._end)
        return self

    def hold(self) -> None:
        """What follows is not to be interrupted."""
        self._held = True

    def _end(self, number: int, _frame: object) -> None:
        self._came = self._came or number
        if not self._held:
            self._held = True
            raise SystemExit(128 + number)

    def __exit__(
        self, _kind: Optional[Type[BaseException]], error: Optional[BaseException], _trace: Optional[TracebackType]
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        if self._came and not isinstance(error, SystemExit):
            raise SystemExit(128 + self._came) from error

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a line of JSON for each task: its name, how long it took, and what the module said of its own time."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: unitwright_clock
type: notification
short_description: Time of each task as a line of JSON in the file that UNITWRIGHT_CLOCK names
description: For a single host.
"""

# What of a result says how long a part of the task took, and whether it did what it was to do.
KEPT = ("changed", "delta", "failed", "msg", "timings")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "unitwright_clock"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._begun = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        seconds = time.monotonic() - self._begun
        row = {"task": result.task.get_name(), "seconds": seconds}
        row.update((key, result.result[key]) for key in KEPT if key in result.result)
        with open(os.environ["UNITWRIGHT_CLOCK"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self.v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self.v2_runner_on_ok(result)

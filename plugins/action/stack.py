# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module of this collection as Ansible runs any, and tells what only the controller knows.

That is where in the user's YAML an error is, and of which values YAML has made another text than was written there.

meta/runtime.yml has it for all modules.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.unitwright.systemd.plugins.plugin_utils._positions import with_positions
from ansible_collections.unitwright.systemd.plugins.plugin_utils._written import as_written


class ActionModule(NormalAction):
    """All else is the same: check mode, diff, loops, delegation, async, become and defaults."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        args = dict(self._task.args)
        self._task.args = as_written(args, self._task.action.rpartition(".")[2])
        try:
            result: dict[str, Any] = super().run(tmp, task_vars)  # type: ignore[no-untyped-call]
        finally:
            self._task.args = args  # a task that is tried again begins anew
        return with_positions(result, args)

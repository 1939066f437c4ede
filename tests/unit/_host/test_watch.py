# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one look at a unit says of it, where a real systemd is in that state too briefly to be caught."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import watch

LOADED = {"LoadState": "loaded", "SubState": "failed", "Result": "exit-code", "Job": "0"}


@pytest.mark.parametrize(
    ("expect", "shown", "verdict"),
    [
        ("up", {"ActiveState": "failed"}, "failed: result exit-code"),
        ("up", {"ActiveState": "failed", "Job": "17"}, ""),  # a restart between its stop, which failed, and its start
        ("down", {"ActiveState": "failed"}, None),
        ("down", {"ActiveState": "active", "Job": "17"}, ""),
        ("down", {"ActiveState": "deactivating"}, ""),
        ("down", {"ActiveState": "active", "SubState": "mounted"}, "was told to stop and is active (mounted)"),
    ],
)
def test_one_look(expect: str, shown: dict[str, str], verdict: str | None) -> None:
    told = watch.judge("a.service", expect, {**LOADED, **shown})
    assert told == verdict or (verdict and told and told.startswith(verdict))

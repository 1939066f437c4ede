# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which lines of the journal are of a run of a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import journal
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Outcome


class Manager:
    """A journal in which a run began at a time. asked: since when its lines are asked for."""

    def __init__(self, begun: float) -> None:
        self.begun, self.asked = begun, [""]

    def run(self, words: Sequence[str], **_more: Any) -> Outcome:
        self.asked += [word for word in words if word.startswith("--since")]
        return Outcome(0, f"{self.begun:.6f} host app[1]: hello\n", "")


@pytest.mark.parametrize(
    ("since", "asked"),
    [
        (0.0, "--since=@999.000000"),
        (900.0, "--since=@999.000000"),
        # The run before it failed at once, and its lines are not to be taken for this one's.
        (999.8, "--since=@999.800000"),
    ],
)
def test_a_run_has_nothing_of_one_that_was_over_before(
    monkeypatch: pytest.MonkeyPatch, since: float, asked: str
) -> None:
    monkeypatch.setattr(journal, "sync", lambda _manager: None)
    monkeypatch.setattr(journal, "_words_of", lambda _manager: ("", ""))
    manager: Any = Manager(1000.0)
    assert journal.of_runs(manager, "app.service", "id", "", since)[1] == []
    assert manager.asked[1:] == [asked]


def test_who_said_something_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked:
        def run(self, words: Sequence[str], **_more: Any) -> Outcome:
            assert words[-1] == "_SYSTEMD_INVOCATION_ID=id"
            return Outcome(0, '{"_PID": "17"}\n{"_PID": "18"}\n{"_PID": "17"}\n{"MESSAGE": null}\n', "")

    monkeypatch.setattr(journal, "_words_of", lambda _manager: ("", ""))
    asked: Any = Asked()
    assert journal.speakers(asked, "id") == {17, 18}

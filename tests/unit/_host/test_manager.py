# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How jobs are queued: in one call, and one by one where systemd refuses all for the sake of one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Manager, Outcome

MISSING = Outcome(5, "", "Unit nix.service not found.\n")


class Host(Manager):
    """A manager that refuses a call which names a unit that is not there; before 262 it does all the others first."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.called: list[list[str]] = []

    def systemctl(self, verb: str, units: Sequence[str] = (), flags: Sequence[str] = ()) -> Outcome:
        self.called.append(list(units))
        return MISSING if "nix.service" in units else Outcome(0, "", "")


@pytest.mark.parametrize("version", [247, 262])
def test_one_call_is_enough_where_nothing_is_refused(version: int) -> None:
    host = Host(version)
    assert host.queue("start", ["a.service", "b.service"]) == Outcome(0, "", "")
    assert host.called == [["a.service", "b.service"]]


def test_from_262_on_one_that_is_refused_hinders_no_other() -> None:
    host = Host(262)
    assert host.queue("start", ["a.service", "nix.service", "b.service"]) == MISSING
    assert host.called[1:] == [["a.service"], ["nix.service"], ["b.service"]]


def test_before_that_each_was_tried_already() -> None:
    host = Host(257)
    assert host.queue("start", ["a.service", "nix.service"]) == MISSING
    assert len(host.called) == 1


def test_what_contradicts_only_as_a_whole_is_done() -> None:
    class Contradicting(Host):
        def systemctl(self, verb: str, units: Sequence[str] = (), flags: Sequence[str] = ()) -> Outcome:
            self.called.append(list(units))
            return Outcome(1, "", "conflicting jobs") if len(units) > 1 else Outcome(0, "", "")

    assert Contradicting(262).queue("restart", ["a.service", "b.service"]) == Outcome(0, "", "")

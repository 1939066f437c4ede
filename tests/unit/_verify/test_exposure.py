# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd-analyze security says of several units is told apart, and what could not be measured is told as such."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.exposure import (
    Exposure,
    ToMeasure,
    measured,
)

from tests.unit.world import SYSTEM

HEAD = (
    "  NAME                  DESCRIPTION                                     WEIGHT BADNESS              RANGE EXPOSURE"
)
ROWS = f"""{HEAD}
- PrivateNetwork=       Service has access to the host's network          2500                    1     1      0.5
  RemoveIPC=            Service runs as root, option does not apply        100 18446744073709551615     1
+ NoNewPrivileges=      Service processes cannot acquire new privileges   1000                    0     1
- User=/DynamicUser=    Service runs as root user                         2000                   10    10      0.4
- UMask=                Files created are world-readable by default        100                    5    10      0.1
"""


class Analyzer:
    """A manager that says the same of each unit that it is asked for, but for those whose names hold `silent`."""

    def __init__(self, version: int, silent: str = "") -> None:
        self.version, self.silent = version, silent
        self.live = True
        self.places = SYSTEM
        self.asked: list[str] = []

    def security(self, units: Sequence[str], folder: str = "") -> str:
        self.asked = [unit.rpartition("/")[2] for unit in units]
        level = iter(("9.6", "2.7", "10.0"))
        overall = "-> Overall exposure level for {}: {} UNSAFE :-{{\n"
        return "".join(
            ROWS + "\n" + overall.format(unit, next(level)) for unit in self.asked if self.silent not in unit
        )


def measures(manager: Analyzer, *services: ToMeasure, check_mode: bool = False) -> list[Exposure | None]:
    whoever: Any = manager
    return measured(whoever, services, check_mode)


def test_each_unit_has_its_own() -> None:
    manager = Analyzer(252, silent="none")
    first, second = measures(manager, ToMeasure("a.service", ()), ToMeasure("b@.service", (("User", "x"),)))
    assert manager.asked == ["unitwright-exposure-0.service", "unitwright-exposure-1@instance.service"]
    assert first is not None
    assert second is not None
    assert (first.level, second.level) == (9.6, 2.7)
    assert [(each.about, each.exposure) for each in second.findings] == [
        ("PrivateNetwork=", 0.5),
        ("User=/DynamicUser=", 0.4),
        ("UMask=", 0.1),
    ]


def test_what_it_gives_up_on() -> None:
    assert measures(Analyzer(252, silent="exposure-0"), ToMeasure("a.service", ())) == [None]


@pytest.mark.parametrize("unit", ["a.service", "a@.service"])
def test_before_files_are_read_only_what_is_loaded_can_be_measured_in_check_mode(unit: str) -> None:
    manager = Analyzer(247, silent="none")
    found = measures(manager, ToMeasure(unit, (), loaded=True), ToMeasure("b.service", ()), check_mode=True)
    assert manager.asked == [unit.replace("@", "@instance")]
    assert [each.level if each else None for each in found] == [9.6, None]


def test_no_manager_to_ask() -> None:
    manager = Analyzer(247)
    manager.live = False
    assert measures(manager, ToMeasure("a.service", (), loaded=True)) == [None]

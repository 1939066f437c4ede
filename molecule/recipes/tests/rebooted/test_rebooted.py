# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts were rebooted: each program is up by itself, hardened as before, and does its work."""

from __future__ import annotations

from tests.hardening.driven import UNHARDENED, exposure, protected, works
from tests.hardening.recipes import Recipe
from tests.testbed.host import Host


def test_it_is_up(machine: Host, recipe: Recipe) -> None:
    assert machine.sh(f"systemctl is-active '{recipe.program.unit}'") == "active"


def test_it_works(machine: Host, recipe: Recipe) -> None:
    works(machine, recipe.work)


def test_it_is_hardened(machine: Host, recipe: Recipe) -> None:
    assert exposure(machine, recipe.program.unit) <= (recipe.at_most or UNHARDENED)
    protected(machine, recipe)
    works(machine, recipe.work)


def test_nothing_has_failed(place: str) -> None:
    assert Host(place).sh("systemctl list-units --state=failed --plain --no-legend") == ""

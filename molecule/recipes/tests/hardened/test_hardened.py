# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each program is hardened to the number of its recipe, and goes on with all that its users do."""

from __future__ import annotations

from tests.hardening.driven import UNHARDENED, exposure, protected, reloads, restarts, rotates, works
from tests.hardening.recipes import Recipe
from tests.testbed.host import Host


def test_it_has_its_number(machine: Host, recipe: Recipe) -> None:
    assert exposure(machine, recipe.program.unit) <= (recipe.at_most or UNHARDENED)


def test_it_works(machine: Host, recipe: Recipe) -> None:
    works(machine, recipe.work)


def test_it_restarts(machine: Host, recipe: Recipe) -> None:
    restarts(machine, recipe)


def test_it_reloads(machine: Host, recipe: Recipe) -> None:
    reloads(machine, recipe)


def test_its_logs_are_rotated(machine: Host, recipe: Recipe) -> None:
    rotates(machine, recipe)


def test_it_is_protected(machine: Host, recipe: Recipe) -> None:
    protected(machine, recipe)
    works(machine, recipe.work)

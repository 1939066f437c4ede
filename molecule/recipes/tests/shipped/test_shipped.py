# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As shipped each program does its work, and so does who takes it over."""

from __future__ import annotations

from tests.hardening.driven import bare, works
from tests.hardening.recipes import Recipe
from tests.testbed.host import Host


def test_it_works(machine: Host, recipe: Recipe) -> None:
    works(machine, recipe.work)


def test_it_may_do_what_the_recipe_is_to_refuse(machine: Host, recipe: Recipe) -> None:
    bare(machine, recipe)

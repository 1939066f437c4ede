# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""python3 -m tests.hardening HOST [RECIPE ...]: the world around a container, which a boot takes away, and programs."""

from __future__ import annotations

import sys

from tests.testbed.host import Host

from .driven import set_up
from .recipes import RECIPES, WORLD


def main(name: str, *recipes: str) -> None:
    host = Host(name)
    host.sh(WORLD)
    for recipe in recipes:
        set_up(host, RECIPES[recipe].program)


if __name__ == "__main__":
    main(*sys.argv[1:])

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each recipe brings its program to the exposure that it says, which goes on with all that it is for; and is protected.

The playbook is run as it stands, in a container of its own.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.testbed.engine import CONNECTIONS
from tests.testbed.host import Host
from tests.testbed.image import default_suite

from .conftest import Row
from .driven import UNHARDENED, bare, exposure, protected, reloads, restarts, rotates, set_up, works
from .recipes import RECIPES, WORLD

FOLDER = Path(__file__).parents[2]
EXAMPLES = FOLDER / "examples" / "hardening"
PAGE = FOLDER / "docs" / "hardening.md"
# The page has one table for both.
MEASURED_ON = ("bookworm", "trixie")


def play(host: Host, recipe: str, *variables: str) -> str:
    """What a run of the playbook says at the end."""
    given = {"ansible_connection": CONNECTIONS[host.engine.name], "ansible_python_interpreter": "/usr/bin/python3"}
    # The connection into a container is root's already.
    words = [f"{key}={value}" for key, value in given.items()] + ["ansible_become=false", *variables]
    command = ["ansible-playbook", f"--inventory={host.name},", *(f"--extra-vars={each}" for each in words)]
    done = subprocess.run([*command, EXAMPLES / f"{recipe}.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.rpartition("PLAY RECAP")[2]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe(fresh: Host, rows: list[Row], name: str) -> None:
    host, recipe = fresh, RECIPES[name]
    unit = recipe.program.unit
    set_up(host, recipe.program)
    host.sh(WORLD)
    shipped = exposure(host, unit)
    works(host, recipe.work)
    bare(host, recipe)

    play(host, name, *recipe.variables)
    assert " changed=0 " in play(host, name, *recipe.variables), "the same once more changes nothing"
    reached = exposure(host, unit)
    row = (f"[{name}](../examples/hardening/{name}.yml)", recipe.clients, str(shipped), str(reached), recipe.limit)
    rows.append(row)
    assert reached <= (recipe.at_most or UNHARDENED)
    if default_suite() in MEASURED_ON:
        assert f"\n| {' | '.join(row)} |" in PAGE.read_text(encoding="utf-8")

    works(host, recipe.work)
    protected(host, recipe)
    restarts(host, recipe)
    reloads(host, recipe)
    rotates(host, recipe)
    host.reboot()
    host.sh(WORLD)
    works(host, recipe.work)
    assert exposure(host, unit) == reached


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yml")), ids=lambda path: path.stem)
def test_each_is_held_to_its_number(path: Path) -> None:
    """The number is in its first words, and no run may exceed it."""
    text = path.read_text(encoding="utf-8")
    told, most = re.search(r"exposure (\d\.\d)", text), re.search(r"max_exposure: (\d\.\d)", text)
    assert told
    assert most
    assert told.group(1) == most.group(1)
    assert float(most.group(1)) <= (RECIPES[path.stem].at_most or UNHARDENED)

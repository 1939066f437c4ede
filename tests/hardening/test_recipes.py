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
from .measured import exposure, set_up
from .recipes import RECIPES, WORLD, Recipe

FOLDER = Path(__file__).parents[2]
EXAMPLES = FOLDER / "examples" / "hardening"
PAGE = FOLDER / "docs" / "hardening.md"
ATTEMPTS = Path(__file__).with_name("attempts.py")
# What comes of each attempt: a service that nobody hardens does all of it.
REFUSED = {
    "write_outside": {"EROFS"},
    "read_anothers_file": {"EACCES", "ENOENT"},
    "see_anothers_process": {"ESRCH"},
    "trace": {"EPERM"},
    "leave_a_setuid_file": {"EPERM"},
    "ask_the_kernel_for_routes": {"EAFNOSUPPORT"},
    "make_a_namespace": {"EPERM"},
    "connect_outside": {"TimeoutError", "EAFNOSUPPORT", "EPERM"},
}
UNHARDENED = 9.0
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


def attempts(host: Host, recipe: Recipe) -> dict[str, str]:
    """What a process of the service comes to that tries what it is not meant to."""
    unit = recipe.program.unit
    lines = [f"ExecStartPost=/usr/bin/python3 -B /opt/attempts.py {recipe.state}"]
    lines += [f"ExecPaths={recipe.interpreter}"] if recipe.interpreter else []
    host.write("/opt/attempts.py", ATTEMPTS.read_text(encoding="utf-8"))
    host.write(f"/run/systemd/system/{unit}.d/zz-attempts.conf", "\n".join(["[Service]", *lines, ""]))
    host.sh(f"systemctl daemon-reload && systemctl restart '{unit}'")
    said = host.sh(
        f"run=$(systemctl show -P InvocationID '{unit}'); journalctl --sync; "
        'journalctl --output=cat _SYSTEMD_INVOCATION_ID="$run"'
    )
    host.sh(f"rm -r '/run/systemd/system/{unit}.d'; systemctl daemon-reload; systemctl restart '{unit}'")
    return dict(re.findall(r"^attempt (\w+): (\w+)$", said, re.MULTILINE))


def works(host: Host, recipe: Recipe) -> None:
    """It does what it is for; right after a start it may not listen yet."""
    host.sh(f"for i in $(seq 50); do ({recipe.work[0]}) > /dev/null 2>&1 && exit; sleep 0.1; done; {recipe.work[0]}")
    for command in recipe.work:
        host.sh(command)


def rotates(host: Host, recipe: Recipe, config: str, log: str) -> None:
    host.sh(f"logrotate --force /etc/logrotate.d/{config}")
    works(host, recipe)
    host.sh(f"ls {log}.1*; for i in $(seq 50); do test -s {log} && exit; sleep 0.1; done; exit 1")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe(fresh: Host, rows: list[Row], name: str) -> None:
    host, recipe = fresh, RECIPES[name]
    unit = recipe.program.unit
    set_up(host, recipe.program)
    host.sh(WORLD)
    shipped = exposure(host, unit)
    works(host, recipe)
    for command in recipe.refused:
        host.sh(command)
    if shipped > UNHARDENED:
        assert attempts(host, recipe) == dict.fromkeys(REFUSED, "done")

    play(host, name, *recipe.variables)
    assert " changed=0 " in play(host, name, *recipe.variables), "the same once more changes nothing"
    reached = exposure(host, unit)
    row = (f"[{name}](../examples/hardening/{name}.yml)", recipe.clients, str(shipped), str(reached), recipe.limit)
    rows.append(row)
    assert reached <= (recipe.at_most or UNHARDENED)
    if default_suite() in MEASURED_ON:
        assert f"\n| {' | '.join(row)} |" in PAGE.read_text(encoding="utf-8")

    works(host, recipe)
    came = attempts(host, recipe)
    assert came.keys() == REFUSED.keys()
    assert recipe.outside == (came.pop("connect_outside") == "done")
    assert [f"{each}: {what}" for each, what in came.items() if what not in REFUSED[each]] == []
    for command in recipe.refused:
        assert host.run("/bin/sh", "-c", command).returncode != 0, command

    works(host, recipe)
    if host.sh(f"systemctl show -P CanReload '{unit}'") == "yes":
        host.sh(f"systemctl reload '{unit}'")
        works(host, recipe)
    if recipe.rotated:
        rotates(host, recipe, *recipe.rotated)
    for command in recipe.changes:
        host.sh(command)
        works(host, recipe)
    host.reboot()
    host.sh(WORLD, check=False)
    works(host, recipe)
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

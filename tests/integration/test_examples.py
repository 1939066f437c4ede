# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example in the documentation of a module does what its name says: one after the other, as they stand there."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.testbed.engine import CONNECTIONS

from .entries import UNITS, server
from .lab import Lab

MODULES = Path(__file__).parents[2] / "plugins" / "modules"
SECTION = re.compile(r'^EXAMPLES = r"""\n(.*?)^"""', re.MULTILINE | re.DOTALL)
# What some examples are about and do not bring.
ELSEWHERE = ("dashboard.service",)
# Modules after which there is nothing to take away.
NOTHING_STAYS = ("unit_info", "drill", "hardening_search")


def examples(module: str) -> str:
    found = SECTION.search((MODULES / f"{module}.py").read_text(encoding="utf-8"))
    assert found
    return found.group(1)


def ours(tasks: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Module and options of the tasks, but for those of another collection."""
    prefix = "unitwright.systemd."
    return [(key[len(prefix) :], given) for task in tasks for key, given in task.items() if key.startswith(prefix)]


def play(host: Lab, folder: Path, tasks: str) -> None:
    """Run them as a user does. There is no sudo in there to become someone else by."""
    written = folder / "play.yml"
    written.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n" + textwrap.indent(tasks, "    "), encoding="utf-8"
    )
    given = {
        "ansible_connection": CONNECTIONS[host.engine.name],
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become_method": "ansible.builtin.su",
    }
    words = [f"--extra-vars={key}={value}" for key, value in given.items()]
    command = ["ansible-playbook", f"--inventory={host.name},", *words, str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def accounts(host: Lab, tasks: list[dict[str, Any]]) -> Iterator[None]:
    """Whom the tasks become, each with a manager of its own."""
    users = sorted({task["become_user"] for task in tasks if "become_user" in task})
    for user in users:
        host.sh(
            f"useradd --create-home {user} && loginctl enable-linger {user} && systemctl start user@$(id -u {user})"
        )
    try:
        yield
    finally:
        for user in users:
            host.sh(f"loginctl disable-linger {user}; systemctl stop user@$(id -u {user}); userdel --remove {user}")


@pytest.mark.parametrize("module", sorted(path.stem for path in MODULES.glob("*.py")))
def test_the_examples_of_a_module(host: Lab, tmp_path: Path, module: str) -> None:
    text = examples(module)
    tasks: list[dict[str, Any]] = yaml.safe_load(text)
    assert tasks
    assert all(task["name"] for task in tasks)
    for unit in ELSEWHERE:
        host.foreign(unit, f"[Service]\nExecStart={server('dashboard', 8096)}\n")
    try:
        with accounts(host, tasks):
            play(host, tmp_path, text)
    finally:
        for each, given in ours(tasks):
            if each not in NOTHING_STAYS:
                host.module(each, **{key: given[key] for key in ("name", "dropin") if key in given}, state="absent")
        masked = [given["name"] for _each, given in ours(tasks) if given.get("masked")]
        host.sh(f"systemctl unmask {' '.join(masked)}", check=False)
        host.sh(f"systemctl stop {' '.join(ELSEWHERE)}; rm -f {' '.join(f'{UNITS}/{each}' for each in ELSEWHERE)}")

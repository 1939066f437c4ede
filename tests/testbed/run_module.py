# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one module on the target as Ansible would: `run_module.py NAME`, its arguments as JSON on stdin."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import runpy
import sys
from pathlib import Path

HERE = os.path.dirname(os.path.abspath(__file__))
PLUGINS = "ansible_collections.unitwright.systemd.plugins."
MODULES = f"{PLUGINS}modules."
UTILS = f"{PLUGINS}module_utils."


def warm(module: str) -> None:
    """Import what any run may import, for children that run a module; what is wrong with it they will say."""
    with contextlib.suppress(Exception):
        importlib.import_module(MODULES + module)
        del sys.modules[MODULES + module]  # it itself runs anew each time
        for name in utils():
            importlib.import_module(name)


@functools.cache
def utils() -> list[str]:
    """All that modules share, but for programs of their own; their folders are no packages that pkgutil would find."""
    top = Path(HERE, *UTILS.split(".")[:-1])
    return [f"{UTILS}{path.parent.name}.{path.stem}" for path in top.glob("_*/*.py") if path.parent.name != "_programs"]


def run(module: str) -> None:
    name = MODULES + module
    arguments = sys.stdin.buffer.read()
    sys.path.insert(0, HERE)
    from ansible.module_utils import basic  # noqa: PLC0415, found through the line above only

    basic._ANSIBLE_ARGS = arguments
    basic._ANSIBLE_PROFILE = "legacy"
    sys.argv = [os.path.join(HERE, "run_module.py")]
    runpy.run_module(
        name, init_globals={"_module_fqn": name, "_modlib_path": HERE}, run_name="__main__", alter_sys=True
    )


if __name__ == "__main__":
    run(sys.argv[1])

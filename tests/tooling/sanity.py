# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test's sanity checks on a copy of the project, with every Python that is really there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import ansible_test

from . import BUILD
from .snapshot import TREE, locked, snapshot

HOME = BUILD / "sanity-home"
BOOTSTRAP = "import ensurepip\n\nensurepip.bootstrap(default_pip=True)\n"


def main(args: list[str]) -> int:
    _offer_pip_bootstrap()
    environment = {**os.environ, "HOME": str(HOME), "PATH": _real_pythons(os.environ["PATH"])}
    for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME"):
        environment.pop(name, None)
    command = ["ansible-test", "sanity", "--requirements", *args]
    with locked():
        snapshot()
    with locked(shared=True):
        return subprocess.run(command, cwd=TREE, env=environment, check=False, stdin=subprocess.DEVNULL).returncode


def _offer_pip_bootstrap() -> None:
    """ansible-test would download a script that installs pip; each Python brings its own copy of pip instead."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    text = Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text(encoding="utf-8")
    for version in set(re.findall(r"\bpip\s*=\s*['\"]([\d.]+)", text)):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP, encoding="utf-8")


def _real_pythons(path: str) -> str:
    """A pyenv shim of a version that is not selected exits at once and stops ansible-test."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [folder for folder in path.split(os.pathsep) if Path(folder).name != "shims"]
    return os.pathsep.join([*folders, *map(str, sorted(root.glob("versions/*/bin")))])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

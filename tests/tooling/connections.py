# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches the connection plugins for containers, and what the benchmark compares with.

PyPI has them only in the wheel of the whole `ansible` package.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from . import BUILD, COLLECTIONS
from .snapshot import locked

WANTED = (
    "ansible_collections/containers/podman/",
    "ansible_collections/community/docker/",
    "ansible_collections/community/general/plugins/module_utils/",
    "ansible_collections/community/general/plugins/modules/systemd_info.py",
)


def main(requirement: str) -> None:
    stamp = COLLECTIONS / ".connections"
    fetched = "\n".join((requirement, *WANTED))
    with locked():
        if stamp.exists() and stamp.read_text(encoding="utf-8") == fetched:
            return
        for folder in ("containers/podman", "community/docker", "community/general"):
            shutil.rmtree(COLLECTIONS / "ansible_collections" / folder, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
            fetch = ["download", "-qq", "--no-deps", "--only-binary=:all:", f"--dest={scratch}", requirement]
            subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *fetch], check=True)
            (wheel,) = Path(scratch).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(COLLECTIONS, [name for name in archive.namelist() if name.startswith(WANTED)])
        stamp.write_text(fetched, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection's artifact and installs it under .build/collections, so that what is tested is what ships."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import BUILD, COLLECTION, COLLECTIONS
from .snapshot import TREE, locked, snapshot

ARTIFACTS = BUILD / "artifact"


def main() -> None:
    with locked():
        digest = snapshot()
        stamp = ARTIFACTS / "digest"
        installed = COLLECTIONS / COLLECTION
        if not (installed.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest):
            shutil.rmtree(ARTIFACTS, ignore_errors=True)
            _install(_build(), installed)
            stamp.write_text(digest, encoding="utf-8")
    _assert_loaded(installed)


def _build() -> Path:
    _galaxy("build", str(TREE), "--output-path", str(ARTIFACTS))
    (artifact,) = ARTIFACTS.glob("*.tar.gz")
    return artifact


def _install(artifact: Path, installed: Path) -> None:
    """Unpacked beside the old copy and then put in its place, so that nobody meets half a collection."""
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        _galaxy("install", str(artifact), "--collections-path", scratch, "--no-deps", "--offline", "--force")
        shutil.rmtree(installed, ignore_errors=True)
        installed.parent.mkdir(parents=True, exist_ok=True)
        Path(scratch, COLLECTION).rename(installed)


def _assert_loaded(installed: Path) -> None:
    listed = json.loads(_galaxy("list", "unitwright.systemd", "--format", "json"))
    expected = [str(installed.parents[1])]
    if list(listed) != expected:
        sys.exit(f"unitwright.systemd would be loaded from {list(listed)}, not from {expected}")


def _galaxy(action: str, *args: str) -> str:
    command = ["ansible-galaxy", "collection", action, *args]
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()

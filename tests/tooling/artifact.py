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
from .snapshot import TREE, digest_now, locked, says, snapshot

ARTIFACTS = BUILD / "artifact"
INSTALLED = COLLECTIONS / COLLECTION


def main() -> None:
    with locked(shared=True):
        current = _is_current(digest_now())
    if not current:
        with locked():
            _renew()
    _assert_loaded()


def _is_current(digest: str) -> bool:
    return INSTALLED.exists() and says(ARTIFACTS / "digest", digest)


def _renew() -> None:
    digest = snapshot()
    if not _is_current(digest):
        shutil.rmtree(ARTIFACTS, ignore_errors=True)
        _install(_build())
        (ARTIFACTS / "digest").write_text(digest, encoding="utf-8")


def _build() -> Path:
    _galaxy("build", str(TREE), "--output-path", str(ARTIFACTS))
    (artifact,) = ARTIFACTS.glob("*.tar.gz")
    return artifact


def _install(artifact: Path) -> None:
    """Unpacked beside the old copy and then put in its place, so that nobody meets half a collection."""
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        _galaxy("install", str(artifact), "--collections-path", scratch, "--no-deps", "--offline", "--force")
        shutil.rmtree(INSTALLED, ignore_errors=True)
        INSTALLED.parent.mkdir(parents=True, exist_ok=True)
        Path(scratch, COLLECTION).rename(INSTALLED)


def _assert_loaded() -> None:
    listed = json.loads(_galaxy("list", "unitwright.systemd", "--format", "json"))
    expected = [str(INSTALLED.parents[1])]
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

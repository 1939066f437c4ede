# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the project's files, tracked or new but not ignored, under the path that Ansible's tools demand."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import BUILD, COLLECTION, ROOT

TREE = BUILD / "tree" / COLLECTION


@contextmanager
def locked(shared: bool = False) -> Iterator[None]:
    """One at a time in this checkout, or one of many who change nothing."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def snapshot() -> str:
    """Bring the copy up to date, as a git repository of its own; returns the digest of its content."""
    names = _own_files()
    digest = _digest(names)
    stamp = BUILD / "tree" / "digest"
    if not says(stamp, digest):
        stamp.unlink(missing_ok=True)
        shutil.rmtree(TREE, ignore_errors=True)
        for name in names:
            goal = TREE / name
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, goal, follow_symlinks=False)
        _git("init", "--quiet")
        _git("add", "--all")
        stamp.write_text(digest, encoding="utf-8")
    return digest


def digest_now() -> str:
    """That of the files as they are."""
    return _digest(_own_files())


def says(stamp: Path, digest: str) -> bool:
    return stamp.exists() and stamp.read_text(encoding="utf-8") == digest


def _own_files() -> list[str]:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted({name for name in found if name and (ROOT / name).exists()})


def _digest(names: list[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        path = ROOT / name
        digest.update(f"{name}\0{path.lstat().st_mode:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _git(*args: str) -> None:
    subprocess.run(["git", *args], cwd=TREE, check=True, stdin=subprocess.DEVNULL)

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How files and folders are read in a look at the host, or at an image, and what becomes of those that cannot be.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from operator import attrgetter
from typing import Dict, List, Optional

from .files import Seen, look, resolve

_WILD = frozenset("*?[\\")


class Reader:
    """For a run that may write: a file that cannot be read ends it, a folder that may not be read counts as empty."""

    def look(self, path: str) -> Optional[Seen]:
        """What lies at a path, without following a symbolic link; None if nothing does."""
        return look(path)

    def scan(self, folder: str) -> List[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=attrgetter("name"))
        except OSError as error:
            self._no_folder(folder, error)
            return []

    def _no_folder(self, folder: str, error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError, PermissionError)):
            raise error


def matching(pattern: str, root: str) -> List[str]:
    """The paths that a pattern is of, as a process inside root has them: no symbolic link on the way leads out of it.

    pattern: an absolute one of glob(7). A path without anything of that is given back, be something there or not.
    """
    found = [""]
    for part in pattern.strip("/").split("/"):
        if _WILD.isdisjoint(part):
            found = [f"{each}/{part}" for each in found]
        else:
            # There a backslash takes the meaning from what follows it, and for Python's glob it is any character.
            found = [f"{each}/{name}" for each in found for name in _names(each, re.sub(r"\\(.)", r"[\1]", part), root)]
    return found


def _names(folder: str, pattern: str, root: str) -> List[str]:
    import glob  # noqa: PLC0415 (only where there is a pattern: each run reads files)

    below = glob.escape(resolve(f"{root}{folder}/", root))
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(below, pattern)))


class Noting(Reader):
    """For a module that only tells: it notes what cannot be read, and why, so that this is not taken for nothing.

    unread: reasons by path.
    """

    def __init__(self) -> None:
        self.unread: Dict[str, str] = {}

    def look(self, path: str) -> Optional[Seen]:
        try:
            return look(path)
        except OSError as error:
            self.unread[path] = error.strerror or str(error)
        try:
            status = os.lstat(path)
            return Seen(status.st_mode, status.st_uid, status.st_gid, status.st_ctime, modified_at=status.st_mtime)
        except OSError:
            return None

    def _no_folder(self, folder: str, error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            self.unread[folder] = error.strerror or str(error)

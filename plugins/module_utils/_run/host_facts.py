# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What of the host a declaration is rendered with: its key, what its systemd knows, and files that are triggers.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import os
from typing import Optional, Tuple

from .._desired.render import HostFacts, Params
from .._desired.triggers import declared_files, environment_files, is_path
from .._host import files
from .._host.manager import Manager
from .._host.places import Places
from .._syntax.directives import parse_dump

_KEY_BYTES = 32


def host_key(where: Places) -> Tuple[bytes, bool]:
    """The host's secret for stamps, and whether it is new."""
    seen = files.look(where.key_file)
    if seen is not None and seen.content and len(seen.content) >= _KEY_BYTES:
        return seen.content, False
    import secrets  # noqa: PLC0415 (only the first run on a host makes one)

    return secrets.token_bytes(_KEY_BYTES), True


def host_facts(params: Params, manager: Manager, key: bytes) -> HostFacts:
    catalogue = parse_dump(manager.configuration_items(), manager.version)
    entries = [*(params.get("units") or []), *(params.get("dropins") or [])]
    root = manager.places.root
    read = {path: _trigger(path, root) for entry in entries for path in declared_files(entry)}
    read.update((path, _or_nothing(path, root)) for each in entries for path in environment_files(each))
    digests = {path: digest for path, (digest, _changed_at) in read.items()}
    return HostFacts(manager.places, catalogue, key, digests, {path: each[1] for path, each in read.items()})


def _trigger(path: str, root: str) -> Tuple[Optional[str], float]:
    """A file's digest and when it last changed in any way.

    No digest for a file that is not there, or a path that is none: the declaration is refused for it later.
    """
    if not is_path(path):
        return None, 0.0
    try:
        found = files.resolve(root + path, root)
        if os.path.exists(found) and not os.path.isfile(found):
            raise files.FileRefused(f"triggers: {path} is no file: name the files in a folder one by one")
        changed_at = os.stat(found).st_ctime
        return hashlib.sha256(files.read(found)).hexdigest(), changed_at
    except (FileNotFoundError, NotADirectoryError):
        return None, 0.0
    except OSError as error:
        raise files.FileRefused(f"triggers: {path} cannot be read: {error.strerror}") from error


def _or_nothing(path: str, root: str) -> Tuple[Optional[str], float]:
    """The same of a file that nobody has named as a trigger, so that nothing is refused for it."""
    try:
        return _trigger(path, root)
    except files.FileRefused:
        return None, 0.0

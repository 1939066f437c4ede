# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a unit cannot be up without, by its text. Private to the collection."""

from __future__ import annotations

from typing import Iterator, Sequence, Set, Tuple

from .loadpath import Effective, LoadPath, last, words
from .names import escape_path, misnamed

# systemd.unit(5): what a unit cannot be up without.
NEEDS = ("Requires", "Requisite", "BindsTo")
# systemd.exec(5): a service needs the mounts of these paths, as it does those of RequiresMountsFor=.
_PATHS = (("Unit", "RequiresMountsFor"), ("Service", "WorkingDirectory"), ("Service", "RootDirectory"))
_SLICED = ("Service", "Socket", "Mount", "Swap")


def needs(text: Effective) -> Iterator[Tuple[str, str, str]]:
    """What a unit cannot be up without, by its text: (section, directive, unit)."""
    for directive in NEEDS:
        yield from (("Unit", directive, other) for other in words(text, "Unit", directive))
    for section, directive in _PATHS:
        for path in words(text, section, directive):
            if path.startswith("/") and ".." not in path.split("/"):
                parts = path.strip("/").split("/")
                mounts = ("/" + "/".join(parts[: length + 1]) for length in range(len(parts)))
                yield from ((section, directive, escape_path(each) + ".mount") for each in mounts if each != "/")
    for section in _SLICED:
        if last(text, section, "Slice"):
            yield section, "Slice", last(text, section, "Slice")


def needed(units: Sequence[str], after: LoadPath) -> Set[str]:
    """These and all that they cannot be up without."""
    found = set(units)
    ahead = [unit for unit in units if not misnamed(unit)]
    while ahead:
        text = after.effective(ahead.pop())
        more = {other for _section, _directive, other in needs(text)} - found
        found |= more
        ahead += [unit for unit in more if not misnamed(unit)]
    return found

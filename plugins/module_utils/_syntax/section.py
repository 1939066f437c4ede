# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a type of unit has of its own beside [Unit] and [Install]. Private to the collection."""

from __future__ import annotations

from typing import FrozenSet, NamedTuple

from .effects import Change


class Lists(NamedTuple):
    """How several assignments of a directive add up in a type's own section, where that is not as everywhere.

    added_only: an empty assignment leaves these as they are. reset_together: one to any of these empties all of them.
    reset_by_prefix: so does one to any whose name begins so, "" for none. whole: no directive holds a single value.
    """

    added_only: FrozenSet[str]
    reset_together: FrozenSet[str]
    reset_by_prefix: str
    whole: bool


class Paths(NamedTuple):
    """The directives by which a unit needs the mounts of a path, as it does those of RequiresMountsFor=.

    listed: of these each value may be one. source: says what a unit brings up, which may be one; "" for none.
    """

    listed: FrozenSet[str]
    source: str


class Section(NamedTuple):
    """A type's own section, beside [Unit] and [Install].

    name: as it stands in brackets. change: what puts a change in it into force. lists: how its lists add up. paths:
    which paths a unit needs the mounts of.
    """

    name: str
    change: Change
    lists: Lists
    paths: Paths

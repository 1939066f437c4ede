# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Tables of names, written as words.

Private to the collection.
"""

from __future__ import annotations

from typing import FrozenSet


def names(text: str) -> FrozenSet[str]:
    """The words of a text, so that a long table stays readable."""
    return frozenset(text.split())

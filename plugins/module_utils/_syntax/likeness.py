# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which word may have been meant by one that is not known. Private to the collection.

difflib is imported where it is asked: a run in which nothing is misspelt, the most common, is spared it.
"""

from __future__ import annotations

from typing import Iterable, List

# A beginning of so many letters is that of few words.
_TELLING = 6
# So many letters at the beginning may be a slip of the fingers.
_SLIP = 2


def near(word: str, known: Iterable[str], most: int = 1, least: float = 0.6) -> List[str]:
    """The nearest first, at most so many, and at least so alike, from 0 to 1.

    The only one that begins with all of the word is the nearest. What is alike in its end alone is not meant.
    """
    import difflib  # noqa: PLC0415

    every = [each for each in known if _begin_alike(word, each)]
    begun = [each for each in every if len(word) >= _TELLING and each.startswith(word)]
    close = difflib.get_close_matches(word, every, most, least)
    return [*begun, *(each for each in close if each not in begun)][:most] if len(begun) == 1 else close


def _begin_alike(one: str, other: str) -> bool:
    """Is the likeness of words, if any, more than an end that both have, such as that of unit_name and bus_name?"""
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return one[:1] == other[:1] or not (one and other) or max(len(one), len(other)) <= _SLIP


def likeness(one: str, other: str) -> float:
    import difflib  # noqa: PLC0415

    return difflib.SequenceMatcher(None, one, other).ratio()

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is wrong with a declaration, as data and as one line of text.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Sequence, Tuple


class Refused(ValueError):
    """A value that cannot be right. The message says what is wrong and the mend; the caller knows the place."""


def shown(text: str) -> str:
    """Quote text for a message so that it can be copied: unlike repr(), a backslash stays one backslash."""
    return "'" + "".join(char if char.isprintable() else repr(char)[1:-1] for char in text) + "'"


@dataclass(frozen=True)
class Problem:
    """One mistake and its place; parts of the place that do not apply stay empty."""

    message: str
    unit: str = ""
    section: str = ""
    directive: str = ""
    rule: str = ""

    def __str__(self) -> str:
        section = f"[{self.section}]" if self.section else ""
        directive = f"{self.directive}=" if self.directive else ""
        place = " ".join(part for part in (section, directive) if part)
        return ": ".join(part for part in (self.unit, place, self.message) if part)

    def as_dict(self) -> Dict[str, str]:
        """The entry of a module's `errors` list: unit, section, directive, rule, message."""
        return {
            "unit": self.unit,
            "section": self.section,
            "directive": self.directive,
            "rule": self.rule,
            "message": self.message,
        }


class Problems(Exception):
    """All mistakes of a declaration at once; its text has a line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: Tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

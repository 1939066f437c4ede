# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is checked, and what is wrong: rules, and the problems that they find, as data and as one line of text.

Private to the collection.
"""

from __future__ import annotations

import enum
from contextlib import contextmanager
from dataclasses import dataclass
from typing import AbstractSet, Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple


class Refused(ValueError):
    """A value that cannot be right. The message says what is wrong and the mend; the caller knows the place.

    path: where within the value, if that holds others, as `within` has noted.
    """

    path = ""

    @property
    def each(self) -> Tuple[Refused, ...]:
        """It, or all that are told at once."""
        return (self,)


class Refusals(Refused):
    """All that cannot be right within a value: each part is tried in `noted`, and then `tell` raises them."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: List[Refused] = []

    @property
    def each(self) -> Tuple[Refused, ...]:
        return tuple(self._noted)

    def __str__(self) -> str:
        return "; ".join(map(str, self._noted))

    @contextmanager
    def noted(self, step: str = "") -> Iterator[None]:
        try:
            with within(step):
                yield
        except Refused as refused:
            self._noted += refused.each

    def tell(self) -> None:
        if self._noted:
            raise self


def joined(step: str, path: str) -> str:
    """The path of what lies within something: a name after a dot, or the [number] in a list."""
    return f"{step}{'' if not step or not path or path.startswith('[') else '.'}{path}"


@contextmanager
def within(step: str) -> Iterator[None]:
    """What is refused meanwhile lies there: below that name, or at that [number]."""
    try:
        yield
    except Refused as refused:
        for each in refused.each:
            each.path = joined(step, each.path)
        raise


def legible(text: str) -> str:
    """Text for a message, in which what cannot be seen, or looks like another blank, is escaped."""
    return text if text.isprintable() else "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def shown(text: str) -> str:
    """Quote text for a message so that it can be copied: unlike repr(), a backslash stays one backslash."""
    return f"'{legible(text)}'"


class Severity(enum.Enum):
    """What comes of a problem.

    ERROR: nothing is done. UNVERIFIED: the same, but in check mode and in an image, where an earlier task may be about
    to bring what is missing, it is only told. WARNING: it is told and hinders nothing. NOTE: likewise, in the result
    alone.
    """

    ERROR = "error"
    UNVERIFIED = "unverified"
    WARNING = "warning"
    NOTE = "note"

    def hinders(self, lenient: bool) -> bool:
        """lenient: what is missing may still come."""
        return self is Severity.ERROR or (self is Severity.UNVERIFIED and not lenient)


class RulePlace(NamedTuple):
    """Where in the options the mistakes by a rule lie, beyond what each says of its place.

    option: the one of the whole that they are always about. everywhere: in all entries of the unit, or all its drop-ins
    of one name. of_all: their option is a path in all options, whatever the unit is.
    """

    option: str = ""
    everywhere: bool = False
    of_all: bool = False


_NO_PLACE_OF_ITS_OWN = RulePlace()


@dataclass(frozen=True)
class Rule:
    """Something that is checked; each is also kept in the register that the documentation is made from.

    id: its name in results; several wordings may share one. severity: what comes of it. reason: what is wrong, and
    remedy: what to do about it ("" where the reason says it), both with {names} for what differs from case to case,
    {unit} among them. source: the manual that it rests on, or what of ours it protects. has_cause: it is about a unit
    that is not well, so that a cause of that is looked for. place: where in the options it is always about. of_lack: it
    is about what its unit lacks, which may be for another mistake. may_come: it is about what is not there and that an
    earlier task may be about to bring, so that in check mode it is no warning, unless its name looks misspelt. of_line:
    it is about a line as it stands, whatever else is wrong.
    """

    id: str
    severity: Severity
    reason: str
    remedy: str
    source: str
    has_cause: bool = False
    place: RulePlace = _NO_PLACE_OF_ITS_OWN
    of_lack: bool = False
    may_come: bool = False
    of_line: bool = False

    def __post_init__(self) -> None:
        _REGISTER.append(self)

    def problem(self, unit: str = "", section: str = "", directive: str = "", **words: object) -> Problem:
        """A problem in the rule's own words; of them `near` asks for a name that may be meant."""
        text = f"{self.reason}: {self.remedy}" if self.remedy else self.reason
        said = text.format(unit=unit, **words)
        return Problem(self, said, unit, section, directive, self.place.option, misspelt=bool(words.get("near")))

    def said(self, message: str, unit: str = "", section: str = "", directive: str = "", option: str = "") -> Problem:
        """A problem in the words of what found it: systemd, the kernel, or a reader that knows no place."""
        return Problem(self, message, unit, section, directive, option or self.place.option)

    def refusals(self, refused: Refused, unit: str = "", option: str = "") -> List[Problem]:
        """A problem for each that is refused within an option, or without one within all."""
        return [self.said(str(each), unit, option=joined(option, each.path)) for each in refused.each]


_REGISTER: List[Rule] = []


def registered() -> Tuple[Rule, ...]:
    """All rules of the modules that are loaded."""
    return tuple(_REGISTER)


class Problem(NamedTuple):
    """One mistake and its place; parts of the place that do not apply stay empty.

    rule: the one that it breaks. message: one sentence, with the remedy. unit, section, directive: its place. option:
    its path in the value of the directive; without one in the entry of its unit, and without that in all options.
    misspelt: something of nearly the same name is there, so that what is missing will hardly come.
    """

    rule: Rule
    message: str
    unit: str = ""
    section: str = ""
    directive: str = ""
    option: str = ""
    misspelt: bool = False

    def warns(self, check_mode: bool) -> bool:
        """Is a person told of it who looks at no result?"""
        is_awaited = self.rule.may_come and check_mode and not self.misspelt
        return self.rule.severity is Severity.WARNING and not is_awaited

    def about(self, option: str) -> Problem:
        """The same, about an option that is no directive."""
        return self._replace(option=option)

    def __str__(self) -> str:
        section = f"[{legible(self.section)}]" if self.section else ""
        directive = f"{legible(self.directive)}=" if self.directive else ""
        place = " ".join(part for part in (section, directive) if part)
        return ": ".join(part for part in (legible(self.unit), place, self.message) if part)

    def as_dict(self) -> Dict[str, str]:
        """The entry of a module's `errors` list, with what leads to its path in the place of that."""
        return {
            "unit": self.unit,
            "section": self.section,
            "directive": self.directive,
            "rule": self.rule.id,
            "message": self.message,
            **({"option": self.option} if self.option else {}),
            **({"everywhere": "yes"} if self.rule.place.everywhere else {}),
            **({"of_all": "yes"} if self.rule.place.of_all else {}),
        }


def told_of(problems: Sequence[Problem], faulty: AbstractSet[str]) -> List[Problem]:
    """Those that do not follow from other mistakes, for which something of the `faulty` units may be missing."""
    return [each for each in problems if not (each.rule.of_lack and each.unit in faulty)]


class Problems(Exception):
    """All mistakes of a declaration at once; its text has a line for each.

    doubts: what would not have hindered. rest: what there would be without the mistakes, None where that is nothing; it
    is to be judged with them, and never carried out.
    """

    def __init__(self, problems: Sequence[Problem], doubts: Sequence[Problem] = (), rest: Any = None) -> None:
        self.problems: Tuple[Problem, ...] = tuple(problems)
        self.doubts: Tuple[Problem, ...] = tuple(doubts)
        self.rest = rest
        super().__init__("\n".join(str(problem) for problem in self.problems))

# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a unit has of a directive, and which lines make that at least as strict as something else, never weaker.

systemd's lists do not add up to the stricter: of SystemCallFilter= and RestrictAddressFamilies= the first line says
whether they allow or deny, and lists that allow are joined. Tried on 247, 252 and 257. Pure. Private to the collection.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from .._syntax.rule import Refused
from .optouts import networks

# Groups of system calls, and what is in each.
Calls = Mapping[str, FrozenSet[str]]
_NO_FAMILIES_SINCE = 249


class Names(NamedTuple):
    """A set of names, or of all but those."""

    names: FrozenSet[str]
    all_but: bool = False

    def both(self, other: Names) -> Names:
        """What is in this and in the other."""
        if self.all_but and other.all_but:
            return Names(self.names | other.names, True)
        if self.all_but:
            return Names(other.names - self.names)
        return Names(self.names - other.names if other.all_but else self.names & other.names)

    def either(self, more: Iterable[str]) -> Names:
        """What is in this, or among the names."""
        extra = frozenset(more)
        return Names(self.names - extra, True) if self.all_but else Names(self.names | extra)

    def holds(self, other: Names) -> bool:
        """Is all of the other in this?"""
        return self.both(other) == other


EVERYTHING = Names(frozenset(), True)
NOTHING = Names(frozenset())


def capabilities(lines: Sequence[str], unsaid: Names = EVERYTHING) -> Names:
    """CapabilityBoundingSet= or AmbientCapabilities=, as config_parse_capability_set() reads its lines.

    A list takes the place of what holds where nothing is said, and otherwise adds to it or, with ~, takes away.
    """
    found = unsaid
    for line in lines:
        inverted, names = line.startswith("~"), frozenset(line.lstrip("~").upper().split())
        if not names or found == unsaid:
            found = Names(names, inverted)
        elif inverted:
            found = found.both(Names(names, True))
        else:
            found = found.either(names)
    return found


def families(lines: Sequence[str]) -> Names:
    """RestrictAddressFamilies=, as config_parse_address_families() reads its lines: the first says what the list is.

    So does the first one behind `none`, as that empties the list too, and only then allows nothing.
    """
    found: Optional[Names] = None
    unsaid = EVERYTHING
    for line in lines:
        inverted, names = line.startswith("~"), frozenset(line.lstrip("~").split())
        if line in ("", "none"):
            found, unsaid = None, NOTHING if line else EVERYTHING
        elif found is None:
            found = Names(names, inverted)
        elif inverted:
            found = found.both(Names(names, True))
        else:
            found = found.either(names)
    return unsaid if found is None else found


def architectures(lines: Sequence[str]) -> Names:
    """SystemCallArchitectures=: what is listed, joined, and the host's own in any case."""
    listed: FrozenSet[str] = frozenset()
    for line in lines:
        listed = listed | frozenset(line.split()) if line else frozenset()
    return Names(listed | {"native"}) if listed else EVERYTHING


def read_names(directive: str, lines: Sequence[str]) -> Names:
    if directive == "RestrictAddressFamilies":
        return families(lines)
    if directive == "SystemCallArchitectures":
        return architectures(lines)
    return capabilities(lines, NOTHING if directive == "AmbientCapabilities" else EVERYTHING)


def written_names(directive: str, names: Names, fresh: bool, version: int) -> List[str]:
    """The lines that make a directive this set whatever was said before. fresh: nothing was."""
    listed = " ".join(sorted(names.names))
    if directive == "RestrictAddressFamilies" and not names.all_but and not listed:
        # Before `none` was a word, a list that allows and lost its only name did the same.
        return ["none"] if version >= _NO_FAMILIES_SINCE else ["", "AF_UNIX", "~AF_UNIX"]
    if names.all_but:
        everything = "~" if directive.endswith(("BoundingSet", "Capabilities")) else ""
        return [*([] if fresh else [everything]), *([f"~{listed}"] if listed else [])]
    return [*([] if fresh and listed else [""]), *([listed] if listed else [])]


def in_force(lines: Sequence[str]) -> List[str]:
    """Those behind the last line that empties the list."""
    found: List[str] = []
    for line in lines:
        found = [*found, line] if line else []
    return found


class Filter:
    """System calls as lines of SystemCallFilter= say them; groups: what is in each group, as the host says."""

    def __init__(self, groups: Calls) -> None:
        self.groups = groups

    def read(self, lines: Sequence[str]) -> Names:
        said = in_force(lines)
        if not said:
            return EVERYTHING
        found = Names(frozenset(), said[0].startswith("~"))
        if not found.all_but:
            found = found.either(self._expand(["@default"]))
        for line in said:
            if line.startswith("~"):
                found = found.both(Names(self._expand(line.lstrip("~").split()), True))
            else:
                # With an error a word is of those that are refused, and passed over here (but on 247).
                found = found.either(self._expand(word for word in line.split() if ":" not in word))
        return found

    def _expand(self, words: Iterable[str]) -> FrozenSet[str]:
        found: FrozenSet[str] = frozenset()
        for word in words:
            name = word.partition(":")[0]
            known = self.groups.get(name)
            found |= self._expand(known) if known is not None else frozenset([name])
        return found

    def ends_it(self, lines: Sequence[str]) -> bool:
        """Does a call that is refused end the service, unless SystemCallErrorNumber= says otherwise?"""
        words = [word for line in in_force(lines) for word in line.lstrip("~").split()]
        allows = any(not line.startswith("~") for line in in_force(lines))
        return allows or any(":" not in word or word.endswith(":kill") for word in words)

    def tightened(self, present: Sequence[str], ours: Sequence[str], back: Sequence[str]) -> List[str]:
        """Lines behind the present ones after which only calls of both pass, and those that are given back."""
        said = in_force(present)
        given = [" ".join(back)] if back and (said or ours) else []
        if not said or not ours:
            return [*ours, *self._new(given, [*said, *ours])]
        if said[0].startswith("~") and not ours[0].startswith("~"):
            # Ours has to come first to be one that allows; what theirs denies is taken away from it.
            return ["", *ours, *self._denied(said, ours), *given]
        if said[0].startswith("~"):
            more = self._new(list(ours), said)
        else:
            surplus = self.read(said).both(_others(self.read(ours)))
            more = [f"~{' '.join(self._short(surplus.names, ours))}"] if surplus.names else []
        return [*more, *self._new(given, [*said, *more])]

    def _new(self, lines: Sequence[str], said: Sequence[str]) -> List[str]:
        """Those lines that make a difference."""
        found: List[str] = []
        for line in lines:
            if self.read([*said, *found, line]) != self.read([*said, *found]):
                found.append(line)
        return found

    def _denied(self, said: Sequence[str], ours: Sequence[str]) -> List[str]:
        if all(line.startswith("~") for line in said):
            # An error behind a word is for lists that deny: behind a list that allows, a filter with one may not load
            # (ENOSYS from 257 on, and before that the one of SystemCallErrorNumber=; the start fails with status 228).
            return [f"~{' '.join(word.partition(':')[0] for line in said for word in line[1:].split())}"]
        taken = self.read(ours).both(_others(self.read(said))).names  # some of what a group denies is allowed again
        return [f"~{' '.join(sorted(taken))}"] if taken else []

    def _short(self, names: FrozenSet[str], ours: Sequence[str]) -> List[str]:
        """Names as few words: groups that ours denies and that are wholly among them, and the rest."""
        words = [word for line in ours if line.startswith("~") for word in line[1:].split()]
        found: List[str] = []
        left = names
        for word in words:
            inside = self._expand([word])
            if inside & left:
                # Also what nobody allowed is denied by it, which is no loss.
                found.append(word)
                left -= inside
        return [*found, *sorted(left)]


def _others(names: Names) -> Names:
    return Names(names.names, not names.all_but)


def addresses(lines: Sequence[str]) -> List[str]:
    return [word for line in in_force(lines) for word in line.split()]


def common_addresses(one: Sequence[str], other: Sequence[str]) -> List[str]:
    """The networks that are in both lists: of two that overlap, one lies within the other."""
    return [
        *(word for word in one if _lies_in(word, other)),
        *(word for word in other if word not in one and _lies_in(word, one)),
    ]


def _lies_in(word: str, others: Sequence[str]) -> bool:
    try:
        around = [net for each in others for net in networks(each)]
        return all(any(one.version == net.version and one.subnet_of(net) for net in around) for one in networks(word))
    except Refused:  # of the unit's own, and nothing that systemd would take either
        return False


def parse_groups(text: str) -> Dict[str, FrozenSet[str]]:
    """The output of `systemd-analyze syscall-filter`: names of groups, and their calls indented below each."""
    found: Dict[str, List[str]] = {}
    current: List[str] = []
    for line in text.splitlines():
        word = line.strip()
        if line.startswith("@"):
            current = found.setdefault(word, [])
        elif not line.startswith(" "):
            current = []
        elif word and not word.startswith("#"):
            current.append(word)
    return {name: frozenset(calls) for name, calls in found.items()}

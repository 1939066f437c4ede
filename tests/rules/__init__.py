# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each rule an input that it speaks of, and the same mended: tried on a host, and shown by the page of rules."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any, Protocol

import yaml

FOLDER = Path(__file__).parent
NAME = "shop"
# A version that is not there yet.
NEWEST = 999
LISTS = ("units", "services", "timers", "sockets", "targets", "dropins")
USERS = ("nobody", "wright")
# Which modules are called by the name of a unit, and not by that of a stack.
OF_ONE = ("hardening", "hardening_search", "drill")


class RuleLike(Protocol):
    """What is asked of a rule here."""

    id: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Pair:
    """rule, reason: which one it is; the reason as far as it tells rules of one name apart. says: a piece of a message
    that is not the rule's own words. wrong, mended: the options of `module`, as YAML.

    host: a command that brings the host into the state that is wrong; applied: what this stack has applied before,
    elsewhere: what the stack `other` has; mend: a command between wrong and mended; after: one behind both. run: not in
    check mode alone. alone: not beside other mistakes, which hide it. from_, until: the versions of systemd that do so.
    as_: who calls the module when it is wrong.
    """

    rule: str
    wrong: str
    mended: str
    reason: str = ""
    says: str = ""
    module: str = "stack"
    host: str = ""
    applied: str = ""
    elsewhere: str = ""
    mend: str = ""
    after: str = ""
    run: bool = False
    alone: bool = False
    from_: int = 0
    until: int = NEWEST
    as_: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.rule, re.sub(r"\W+", " ", self.reason).strip())))

    @property
    def is_plain(self) -> bool:
        """May it be tried in one call with others? It is about units alone, on any host."""
        only_units = {*options(self.wrong), *options(self.mended)} <= {*LISTS}
        return only_units and self.module == "stack" and not (self.special or self.run or self.alone)

    @property
    def special(self) -> bool:
        return bool(self.host or self.applied or self.elsewhere or self.as_)

    def is_of(self, rule: RuleLike) -> bool:
        return self.rule == rule.id and f"{rule.reason}: {rule.remedy}".startswith(self.reason)

    def task(self, text: str) -> str:
        """The options as a task of a playbook."""
        given = options(text)
        name = "" if self.module in OF_ONE or "name" in given else f"  name: {NAME}\n"
        who = "" if self.as_ not in USERS or text is not self.wrong else f"\nbecome_user: {self.as_}"
        return f"unitwright.systemd.{self.module}:\n{name}{textwrap.indent(text.rstrip(), '  ')}{who}"


def options(text: str) -> dict[str, Any]:
    found = yaml.safe_load(text)
    assert isinstance(found, dict)
    return found


def pairs() -> list[Pair]:
    found: list[Pair] = []
    for path in sorted(FOLDER.glob("*.yml")):
        if path.name != "without.yml":
            found += [_pair(each) for each in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return found


def _pair(given: Mapping[str, Any]) -> Pair:
    return Pair(**{{"from": "from_", "as": "as_"}.get(key, key): value for key, value in given.items()})


def without() -> list[tuple[str, str, str]]:
    """Rules that no input provokes or mends: name, reason, and why that is so."""
    listed = yaml.safe_load((FOLDER / "without.yml").read_text(encoding="utf-8"))
    return [(each["rule"], each.get("reason", ""), each["why"]) for each in listed]


def pattern(rule: RuleLike) -> str:
    """What a message in a rule's own words looks like."""
    words = f"{rule.reason}: {rule.remedy}" if rule.remedy else rule.reason
    return "".join(
        re.escape(literal) + ("" if name is None else ".*") for literal, name, *_rest in Formatter().parse(words)
    )


def of(rules: Iterable[RuleLike], pair: Pair) -> list[RuleLike]:
    """The rules that a pair may be about."""
    return [rule for rule in rules if pair.is_of(rule)]

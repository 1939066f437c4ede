# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page of rules shows as wrong is told by that rule, and is told no more once it is mended as it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Severity

from tests.rules import NAME, OF_ONE, Pair, of, options, pairs, pattern
from tests.tooling.rules import every_rule

from .lab import USER, Lab, Result, succeeded

RULES = every_rule()
PAIRS = pairs()
PLAIN = [pair for pair in PAIRS if pair.is_plain]
# Who calls a module, or from where, by how a pair names it.
WHO: dict[str, dict[str, Any]] = {
    "": {},
    "nobody": {"prefix": ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")},
    USER: {"prefix": ("runuser", "-u", USER, "--"), "env": {"HOME": "/root", "XDG_RUNTIME_DIR": ""}},
    "in /srv": {"prefix": ("env", "--chdir=/srv/work")},
}
ROUNDS = 6


def hinders(pair: Pair) -> bool:
    return any(rule.severity is not Severity.WARNING for rule in of(RULES, pair))


def wording(pair: Pair) -> str:
    """The message, as a pattern."""
    return re.escape(pair.says) if pair.says else "|".join(pattern(rule) for rule in of(RULES, pair))


def units_of(given: Result) -> set[str]:
    """The names that an input has for units, without what kind they are of."""
    names = {str(each["name"]) for key in given if isinstance(given[key], list) for each in given[key]}
    return {re.sub(r"(@.*)?\.[a-z]+$", "", name) for name in {*names, str(given.get("name", ""))}}


def told(pair: Pair, result: Result, mine: set[str] | None = None) -> list[str]:
    """What a result says by the rule of a pair. mine: of these units alone."""
    found = [(each["rule"], each["unit"], each["message"]) for each in result.get("errors") or ()]
    found += [(each["rule"], each["unit"], each["message"]) for each in result.get("unverified") or ()]
    # Some warnings are no more than that.
    found += [(pair.rule, each.partition(": ")[0], each) for each in result.get("warnings") or ()]
    ours = [each for each in found if mine is None or re.sub(r"(@.*)?\.[a-z]+$", "", each[1]) in mine]
    return [said for rule, _unit, said in ours if rule == pair.rule and re.search(wording(pair), said, re.DOTALL)]


def applies(pair: Pair, host: Lab) -> bool:
    return pair.from_ <= host.systemd <= pair.until


def all_at_once(tried: Iterable[str]) -> Result:
    given: Result = {}
    for text in tried:
        for key, entries in options(text).items():
            given.setdefault(key, []).extend(entries)
    return given


def test_plain_ones_at_once(host: Lab) -> None:
    """Whoever mends what is told and runs it again has soon mended all."""
    tried = [pair for pair in PLAIN if applies(pair, host)]
    wrong, mended = list(tried), []
    for _round in range(ROUNDS):
        given = all_at_once([*(pair.wrong for pair in wrong), *(pair.mended for pair in mended)])
        result = host.attempt(check_mode=True, name=NAME, **given)
        said = [pair for pair in wrong if told(pair, result, units_of(options(pair.wrong)))]
        wrong, mended = [pair for pair in wrong if pair not in said], [*mended, *said]
        assert said, "\n".join([*map(str, wrong), "", str(result.get("msg"))])
        if not wrong:
            break
    assert wrong == []
    result = host.foretell(name=NAME, **all_at_once(pair.mended for pair in tried))
    assert [said for pair in tried for said in told(pair, result, units_of(options(pair.mended)))] == []


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not pair.is_plain], ids=str)
def test_one(host: Lab, pair: Pair) -> None:
    if not applies(pair, host):
        pytest.skip(f"systemd {host.systemd} has no such rule")
    if pair.elsewhere:
        host.apply(name="other", **options(pair.elsewhere))
    if pair.applied:
        host.apply(name=NAME, **options(pair.applied))
    if pair.host:
        host.sh(pair.host)
    result = called(host, pair, pair.wrong, WHO[pair.as_])
    assert told(pair, result), result
    if pair.mend:
        host.sh(pair.mend)
    result = called(host, pair, pair.mended, {} if pair.as_ == "nobody" else WHO[pair.as_])
    if pair.after:
        host.sh(pair.after)
    assert told(pair, succeeded(result)) == []


def called(host: Lab, pair: Pair, text: str, who: Mapping[str, Any]) -> Result:
    name = {} if pair.module in OF_ONE else {"name": NAME}
    given = {**name, **options(text), **who, "check_mode": not pair.run}
    return host.attempt(module=pair.module, besides=None, **given)

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule has an input that it speaks of and the same mended, or a reason why there is none."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.rules import options, pairs, without

ROOT = Path(__file__).parents[2]
PAIRS = pairs()
TELL = "import json; from tests.tooling.rules import every_rule; "
TELL += "print(json.dumps([[rule.id, rule.reason, rule.remedy] for rule in every_rule()]))"
PACKAGED = ("nginx.service", "systemd-networkd.service")


class Known(NamedTuple):
    id: str
    reason: str
    remedy: str


@functools.cache
def known() -> list[Known]:
    """All rules, by a process of its own, as only there no test has made one."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / ".build" / "source")}
    done = subprocess.run([sys.executable, "-c", TELL], cwd=ROOT, env=environ, check=True, capture_output=True)
    return [Known(*each) for each in json.loads(done.stdout)]


def test_no_rule_lacks_its_pair() -> None:
    listed = {(name, reason) for name, reason, _why in without()}
    lacking = {
        (rule.id, rule.reason)
        for rule in known()
        if not any(pair.is_of(rule) for pair in PAIRS)
        and not any(rule.id == name and rule.reason.startswith(reason) for name, reason in listed)
    }
    assert lacking == set()


def test_no_rule_that_has_one_is_said_to_lack_it() -> None:
    for name, reason, why in without():
        about = [rule for rule in known() if rule.id == name and rule.reason.startswith(reason)]
        assert about, (name, reason)
        assert why
        assert not any(pair.is_of(rule) for pair in PAIRS for rule in about), (name, reason)


def test_each_pair_is_about_one_rule() -> None:
    for pair in PAIRS:
        about = {(rule.reason, rule.remedy) for rule in known() if pair.is_of(rule)}
        assert len(about) == 1, str(pair)
        assert pair.wrong != pair.mended or pair.mend or pair.as_, str(pair)


def test_those_that_are_tried_at_once_are_about_units_of_their_own() -> None:
    """Of what packages bring, and of drop-ins for it, each pair says something else."""
    declared: Counter[str] = Counter()
    for pair in PAIRS:
        named = {
            f"{each['name']} {each.get('dropin', '')}" if key == "dropins" else f"{key} {each['name']}"
            for text in ((pair.wrong, pair.mended) if pair.is_plain else ())
            for key, entries in options(text).items()
            for each in entries
        }
        declared.update(named)
    twice = {name for name, times in declared.items() if times > 1}
    assert twice <= {f"units {name}" for name in PACKAGED}

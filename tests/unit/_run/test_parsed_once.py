# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each unit text is parsed once in a run, though it is declared, lies on the host, and is judged by many rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import refusals
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.references import View
from ansible_collections.unitwright.systemd.plugins.module_utils._run import report
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import unitfile

from tests.unit.world import RUNNING, declare, in_force, work

BAD = "[Service]\nExecStart=/bin/c\nno assignment\n"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each text was parsed."""
    counted: Counter[str] = Counter()
    lines = unitfile._lines

    def counting(text: str) -> Iterator[tuple[int, str]]:
        counted[text] += 1
        return lines(text)

    unitfile._parsed.cache_clear()
    unitfile.alone.cache_clear()
    monkeypatch.setattr(unitfile, "_lines", counting)
    return counted


def test_each_text_is_parsed_once_in_a_run(parsed: Counter[str]) -> None:
    units = [
        {"name": "a.service", "service": {"ExecStart": "/bin/a"}, "install": {"WantedBy": "multi-user.target"}},
        {"name": "a.socket", "socket": {"ListenStream": "/run/a"}},
        {"name": "w@.service", "content": "[Service]\nExecStart=/bin/w\n", "instances": ["1", "2"]},
        {"name": "t.target", "unit": {"Wants": "a.service c.service"}},
    ]
    dropins = [
        {"name": each, "dropin": "x", "service": {"Nice": 1}} for each in ("a.service", "b.service", "c.service")
    ]
    vendor = {"b.service": "[Service]\nExecStart=/bin/parsed-once\n", "c.service": BAD}
    states = {"a.service": RUNNING, "w@1.service": RUNNING, "b.service": RUNNING}
    observed = in_force(declare(*units, dropins=dropins[:2]), states, vendor=vendor)
    units[0]["service"] = {"ExecStart": "/bin/other"}
    done = work(declare(*units, dropins=dropins), observed)
    refusals.impossible(View(done.differences, done.observed))
    report.result(done, observed.states, ())
    report.warnings(done, ())
    assert {BAD, vendor["b.service"]} < set(parsed)
    assert {text: times for text, times in parsed.items() if times > 1} == {}

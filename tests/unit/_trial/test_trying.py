# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a try: why it failed, without what is secret on the host, nor the words of a probe."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.optouts import needs
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.profiles import Host
from ansible_collections.unitwright.systemd.plugins.module_utils._apply.trials import SearchRecord
from ansible_collections.unitwright.systemd.plugins.module_utils._host import files
from ansible_collections.unitwright.systemd.plugins.module_utils._host.health import Health
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Outcome
from ansible_collections.unitwright.systemd.plugins.module_utils._host.workload import Listener
from ansible_collections.unitwright.systemd.plugins.module_utils._trial import trying
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.trying import Bench, Failing, Probe

from tests.unit.world import facts

SECRET = "correct-horse"
DENIED = f"open of /etc/{SECRET} failed: Operation not permitted"


def bench(manager: Any = None, until: float = math.inf) -> Bench:
    probe = Probe(Health(), (("true",), ("curl", "--user", f"me:{SECRET}")), reloads=False)
    trial = SearchRecord("app.service", [])
    host = Host(facts().catalogue, calls={})
    return Bench(trial, manager, files.Writer(), host, (), needs((), ()), probe, until, [SECRET])


def result(complaint: str, *said: str) -> Any:
    return SimpleNamespace(complaint=complaint, said=said)


def test_what_is_secret_is_not_evidence() -> None:
    here = bench()
    outcome = here._judged(result(f"its check says {SECRET}", DENIED), ())
    assert not outcome.passed
    assert outcome.evidence
    assert SECRET not in " ".join(outcome.evidence)


def test_nor_told_of_a_service_that_fails_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    here = bench()
    monkeypatch.setattr(Bench, "_once", lambda _self: result(f"said {SECRET}"))
    with pytest.raises(Failing) as failing:
        here.measure()
    assert SECRET not in str(failing.value)


def test_nor_are_the_words_of_a_probe() -> None:
    class Manager:
        def run(self, words: Sequence[str], timeout: float) -> Outcome:
            return Outcome(0 if words[0] == "true" else 22, "", f"{timeout and 'refused'}\n")

    assert bench(Manager()).probed() == "probe 2: exit code 22, refused"


class Glances:
    """Looks for connections of which each sees what its number says. done: what was asked meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *seen: frozenset[Listener]) -> None:
        self.left, self.done = list(seen), [""]
        monkeypatch.setattr(trying, "_Sampler", lambda: self)
        for name in ("probed", "unwell"):
            monkeypatch.setattr(Bench, name, lambda _self, name=name: self.done.append(name))

    def __enter__(self) -> Glances:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def touched(self, _listeners: frozenset[Listener]) -> frozenset[Listener]:
        return self.left.pop(0)


HTTP, LOCAL, DNS = Listener("tcp", "0.0.0.0:80"), Listener("unix", "/run/app.sock"), Listener("udp", "0.0.0.0:53")


def test_a_connection_that_was_missed_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    glances = Glances(monkeypatch, frozenset(), frozenset([LOCAL]), frozenset([DNS]))
    assert bench()._touched(frozenset([HTTP, LOCAL]), frozenset([HTTP])) == {HTTP, LOCAL}
    assert glances.done == ["", "unwell", "probed", "unwell", "probed"]


def test_not_for_ever_and_not_for_what_is_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    glances = Glances(monkeypatch, *[frozenset()] * 5)
    assert bench()._touched(frozenset([HTTP]), frozenset()) == frozenset()
    assert glances.left == []
    assert bench()._touched(frozenset([HTTP, DNS]), frozenset([HTTP])) == {HTTP}


def test_nor_once_a_probe_fails_or_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    glances = Glances(monkeypatch, frozenset(), frozenset())
    monkeypatch.setattr(Bench, "probed", lambda _self: "probe 1: exit code 1")
    assert bench()._touched(frozenset([HTTP]), frozenset()) == frozenset()
    assert len(glances.left) == 1
    bench(until=0.0)._touched(frozenset([HTTP]), frozenset())
    assert len(glances.left) == 1


def test_how_far_it_is_only_its_owner_reads(tmp_path: Path) -> None:
    path = str(tmp_path / "app.service.log")
    before = os.umask(0)
    try:
        files.append(path, "one\n")
        files.append(path, "two\n")
    finally:
        os.umask(before)
    assert Path(path).read_text(encoding="utf-8") == "one\ntwo\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search over services that are functions: what they cannot live with is left out, and all else is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.ladder import (
    Facts,
    Item,
    OutOfTime,
    Search,
    TryOutcome,
    items,
)

GROUPS = [
    (Item("A", (("yes",),)), Item("B", (("yes",),)), Item("C", (("yes",),))),
    (Item("System", (("strict",), ("full",), ("yes",))), Item("D", (("yes",),))),
]
Bears = Callable[[Mapping[str, tuple[str, ...]], frozenset[str]], TryOutcome]


def search(bears: Bears, groups: list[tuple[Item, ...]] | None = None) -> tuple[Search, int]:
    """The search, and how often it tried."""
    tries = []

    def attempt(setting: Mapping[str, tuple[str, ...]], folders: frozenset[str]) -> TryOutcome:
        tries.append(setting)
        return bears(setting, folders)

    found = Search(attempt)
    found.run(groups or GROUPS)
    return found, len(tries)


def test_what_bears_all_of_it_is_tried_once() -> None:
    found, tries = search(lambda _setting, _folders: TryOutcome(True))
    assert found.accepted == {"A": ("yes",), "B": ("yes",), "C": ("yes",), "System": ("strict",), "D": ("yes",)}
    assert (found.left_out, tries) == ({}, 1)


def test_one_that_is_not_borne_is_found_by_halves() -> None:
    found, tries = search(lambda setting, _folders: TryOutcome("B" not in setting, ("no B",)))
    assert set(found.accepted) == {"A", "C", "System", "D"}
    assert found.left_out == {"B": ("no B",)}
    assert tries <= 7


def test_two_that_are_not_borne_together() -> None:
    found, _tries = search(lambda setting, _folders: TryOutcome(not {"A", "D"} <= setting.keys(), ("A and D",)))
    assert set(found.accepted) == {"A", "B", "C", "System"}


def test_a_ladder_goes_down_to_what_is_borne() -> None:
    found, _tries = search(lambda setting, _folders: TryOutcome(setting.get("System") not in [("strict",), ("full",)]))
    assert found.accepted["System"] == ("yes",)
    assert "System" in found.left_out


def test_evidence_spares_tries() -> None:
    found, tries = search(
        lambda setting, _folders: TryOutcome("C" not in setting, ("C refused",), frozenset({"C"} & setting.keys()))
    )
    assert found.left_out == {"C": ("C refused",)}
    assert tries == 3


def test_folders_are_learnt_from_what_was_refused() -> None:
    def bears(setting: Mapping[str, tuple[str, ...]], folders: frozenset[str]) -> TryOutcome:
        lacking = frozenset({"/srv", "/run"}) - folders if setting.get("System") == ("strict",) else frozenset()
        return TryOutcome(not lacking, ("read-only",), frozenset(), frozenset(sorted(lacking)[:1]))

    found, tries = search(bears)
    assert found.accepted["System"] == ("strict",)
    assert (found.folders, tries) == ({"/srv", "/run"}, 3)


def test_folders_are_learnt_by_what_makes_them_read_only_alone() -> None:
    """As together with others some of them may stay writable on one host, and not on another."""
    groups = [(Item("A", (("yes",),)), Item("ProtectSystem", (("strict",),)))]

    def bears(setting: Mapping[str, tuple[str, ...]], folders: frozenset[str]) -> TryOutcome:
        lacking = frozenset() if "A" in setting else frozenset({"/run"}) - folders
        return TryOutcome(not lacking, ("read-only",), frozenset(), lacking)

    found, tries = search(bears, groups)
    assert (found.folders, tries) == ({"/run"}, 3)
    assert found.accepted == {"ProtectSystem": ("strict",), "A": ("yes",)}


def test_powers_are_given_up_one_by_one() -> None:
    group = [(Item("CapabilityBoundingSet", (("",), ("CAP_A CAP_B CAP_C CAP_D CAP_E",))),)]
    found, _tries = search(
        lambda setting, _f: TryOutcome({"CAP_B", "CAP_E"} <= {*setting["CapabilityBoundingSet"][0].split()}), group
    )
    assert found.accepted == {"CapabilityBoundingSet": ("CAP_B CAP_E",)}


def test_time_that_is_over_leaves_what_was_found() -> None:
    tries = []

    def attempt(setting: Mapping[str, tuple[str, ...]], _folders: frozenset[str]) -> TryOutcome:
        tries.append(setting)
        if len(tries) > 2:
            raise OutOfTime
        return TryOutcome("D" not in setting)

    found = Search(attempt)
    found.run(GROUPS)
    assert not found.complete
    assert set(found.accepted) == {"A", "B", "C"}
    assert found.left_out["D"] == ("there was no time left to try it",)


@pytest.mark.parametrize("culprit", ["A", "C", "System"])
def test_a_harder_test_takes_back_what_fails_it_and_nothing_else(culprit: str) -> None:
    found, _tries = search(lambda _setting, _folders: TryOutcome(True))
    outcome = found.prove(lambda setting, _folders: TryOutcome(culprit not in setting, ("at the stop",)))
    assert outcome.passed
    assert set(found.accepted) == {"A", "B", "C", "D", "System"} - {culprit}
    assert found.left_out == {culprit: ("at the stop",)}
    assert found.complete


def test_a_service_that_fails_the_harder_test_in_any_case() -> None:
    found, _tries = search(lambda _setting, _folders: TryOutcome(True))
    outcome = found.prove(lambda _setting, _folders: TryOutcome(False, ("broken",)))
    assert outcome == TryOutcome(False, ("broken",))
    assert not found.accepted


def test_time_that_ends_within_a_proof_leaves_what_has_passed_it() -> None:
    found, _tries = search(lambda _setting, _folders: TryOutcome(True))
    passed: list[set[str]] = []

    def attempt(setting: Mapping[str, tuple[str, ...]], _folders: frozenset[str]) -> TryOutcome:
        if "System" in setting:
            return TryOutcome(False, ("at the stop",))
        passed.append(set(setting))
        return TryOutcome(True)

    assert found.prove(attempt, lambda: bool(passed)).passed
    assert set(found.accepted) == passed[0]
    assert not found.complete


def test_what_refused_something_goes_at_once() -> None:
    found, _tries = search(lambda _setting, _folders: TryOutcome(True))
    found.prove(lambda setting, _folders: TryOutcome("A" not in setting, ("no A",), frozenset({"A"})))
    assert found.left_out == {"A": ("no A",)}
    assert found.complete


def test_where_the_time_is_over_a_proof_that_fails_ends_soon() -> None:
    found, _tries = search(lambda _setting, _folders: TryOutcome(True))
    proofs = []

    def attempt(setting: Mapping[str, tuple[str, ...]], _folders: frozenset[str]) -> TryOutcome:
        proofs.append(list(setting))
        return TryOutcome(not setting, ("too slow",))

    assert len(found.accepted) == 5
    assert found.prove(attempt, lambda: True).passed
    assert [len(each) for each in proofs] == [5, 2, 1, 0]
    assert set(found.left_out) == {"A", "B", "C", "D", "System"}
    assert not found.complete


def test_a_proof_that_passes_needs_no_more_time() -> None:
    found, _tries = search(lambda _setting, _folders: TryOutcome(True))
    assert found.prove(lambda _setting, _folders: TryOutcome(True), lambda: True).passed
    assert found.complete
    assert len(found.accepted) == 5


class TestWhatIsTried:
    def directives(self, **facts: object) -> set[str]:
        groups, _barred = items(Facts(252, **facts))  # type: ignore[arg-type]
        return {item.directive for group in groups for item in group}

    def test_without_any_network(self) -> None:
        assert {"PrivateNetwork", "IPAddressDeny", "PrivateUsers"} <= self.directives()

    def test_a_network_of_its_own_only_without_any_socket(self) -> None:
        tried = self.directives(local=("tcp 127.0.0.1:5432",))
        assert "PrivateNetwork" not in tried
        assert "IPAddressDeny" in tried

    def test_what_others_reach(self) -> None:
        groups, barred = items(Facts(252, remote=("tcp 0.0.0.0:80",)))
        assert "tcp 0.0.0.0:80" in barred["IPAddressDeny"]
        assert "IPAddressDeny" in self.directives(remote=("tcp 0.0.0.0:80",), generous=True)
        assert groups

    def test_a_listener_that_the_probe_did_not_touch(self) -> None:
        idle = ("tcp 127.0.0.1:5432",)
        assert not {"PrivateUsers", "IPAddressDeny", "PrivateNetwork"} & self.directives(local=idle, idle=idle)

    def test_values_are_those_of_the_version(self) -> None:
        groups, _barred = items(Facts(252))
        rungs = {item.directive: item.rungs for group in groups for item in group}
        assert rungs["PrivateTmp"] == (("yes",),)
        assert rungs["ProtectSystem"] == (("strict",), ("full",), ("yes",))
        assert rungs["UMask"] == (("0077",), ("0027",))

    def test_the_umask_takes_nothing_from_files_that_were_made(self) -> None:
        groups, _barred = items(Facts(252, modes=0o640))
        assert {item.directive: item.rungs for group in groups for item in group}["UMask"] == (("0027",),)

    def test_families_are_those_of_its_sockets(self) -> None:
        groups, _barred = items(Facts(252, families=frozenset({"AF_INET6"})))
        rungs = {item.directive: item.rungs for group in groups for item in group}["RestrictAddressFamilies"]
        assert rungs[0] == ("AF_INET AF_INET6 AF_UNIX",)
        assert rungs[-1] == ("~AF_PACKET",)

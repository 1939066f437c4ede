# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the lines of systemd-analyze verify: whose they are, which are new, which are no word of a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Manager, Outcome
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Observed
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.verify import verify

from tests.unit.world import SYSTEM, Entry, declare, in_force

Said = tuple[str, str, str, str, str]


class Analyze:
    """systemd-analyze as these tests want it: lines for the host as it will be, and for the host as it is."""

    def __init__(self, after: str, before: str = "", code: int = 1) -> None:
        self.lines = {True: after, False: before}
        self.code = code
        self.asked: list[list[str]] = []

    def verify(self, unit_path: str, files: Sequence[str]) -> Outcome:
        stage = unit_path.split(":", maxsplit=1)[0]
        staged = stage != SYSTEM.units
        self.asked.append([file.rpartition("/")[2] for file in files])
        return Outcome(self.code, "", self.lines[staged].replace("@", stage))

    def finds(self, program: str) -> bool:
        return program == "sleep"


def told(analyze: Analyze, desired: Desired, observed: Observed, **more: Any) -> list[Said]:
    differing = differences.compare(desired, observed, {})
    found = verify(cast(Manager, analyze), differing, observed, **more)
    return [(each.unit, each.section, each.directive, each.rule.id, each.message) for each in found]


def service(start: str = "/bin/a", name: str = "a.service", **more: Any) -> Entry:
    return {"name": name, "service": {"ExecStart": start}, **more}


def saying(after: str, before: str = "", code: int = 1, **more: Any) -> list[Said]:
    return told(Analyze(after, before, code), declare(service(), **more), in_force(None))


def test_a_line_of_a_file_is_told_with_its_directive() -> None:
    """The file: a mark, an empty line, [Service], ExecStart=."""
    assert saying("@/a.service:4: It is wrong in @/a.service") == [
        ("a.service", "Service", "ExecStart", "verify", "It is wrong in /etc/systemd/system/a.service")
    ]


def test_a_line_of_a_unit_is_told_with_the_directive_that_names_what_it_is_about() -> None:
    assert saying("a.service: Command /bin/a is broken") == [
        ("a.service", "Service", "ExecStart", "verify", "Command /bin/a is broken")
    ]


def test_a_line_that_names_no_unit_is_about_the_one_with_the_value_it_quotes() -> None:
    units = [service(), service(name="b.service", unit={"Documentation": "x:y"})]
    assert told(Analyze("Invalid URL, 'x:y'"), declare(*units), in_force(None)) == [
        ("b.service", "Unit", "Documentation", "verify", "Invalid URL, 'x:y'")
    ]
    assert told(Analyze("Nothing at all"), declare(*units), in_force(None))[0][0] == ""
    assert saying("Nothing at all")[0][0] == "a.service", "there is no other that it could be about"


@pytest.mark.parametrize(
    "line",
    [
        "a.service: Unit b.service has a bad unit file setting.",
        "Requested transaction contains unmergeable jobs.",
        "Failed to create a.service/start: Transaction order is cyclic.",
        "a.service: Command sleep is not executable: No such file or directory",
    ],
)
def test_what_is_no_fault_of_a_unit(line: str) -> None:
    assert [said[4] for said in saying(f"{line}\na.service: A fault")] == ["A fault"]


def test_a_refusal_without_a_word_is_told_all_the_same() -> None:
    assert saying("") == [
        ("a.service", "", "", "verify", "systemd-analyze verify refuses it: exit code 1"),
    ]
    assert saying("", code=0) == []


def test_without_systemd_analyze_nothing_is_verified_and_that_is_told() -> None:
    assert [said[3] for said in saying("", code=127)] == ["no-verify"]


def test_no_answer_is_an_error() -> None:
    (said,) = saying("no answer", code=124)
    assert said[3] == "verify"


VENDOR = {"b.service": "[Service]\nExecStart=/bin/b\n[Unit]\nWants=a.service\n"}


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("a.service: Old words", True),  # its file is new, so are all its faults
        ("b.service: Old words", False),
        ("b.service: New words", True),
        ("/usr/lib/systemd/system/b.service:1: New words", False),  # of a file that stays as it is
    ],
)
def test_old_faults_of_others_do_not_count(line: str, is_told: bool) -> None:
    before = "b.service: Old words\na.service: Old words"
    found = told(Analyze(line, before), declare(service()), in_force(declare(service("/bin/old")), vendor=VENDOR))
    assert bool(found) is is_told


def test_what_this_run_removes_will_not_come_by_another_task() -> None:
    keeping = service(unit={"Requires": "b.service"})
    observed = in_force(declare(keeping, service(name="b.service")))
    analyze = Analyze("a.service: Failed to create a.service/start: Unit b.service not found.")
    (said,) = told(analyze, declare(keeping, prune=True), observed)
    assert (said[0], said[3]) == ("a.service", "verify")
    assert analyze.asked[0] == ["a.service"], "it refers to what goes"


def test_a_unit_of_which_it_is_said_already_that_it_starts_nothing() -> None:
    socket = {"name": "a.socket", "socket": {"ListenStream": 1}}
    line = "a.socket: Socket service a.service not loaded, a.socket cannot be started."
    assert told(Analyze(line), declare(socket), in_force(None), alone=frozenset({"a.socket"})) == []
    assert len(told(Analyze(line), declare(socket), in_force(None))) == 1


@pytest.mark.parametrize("change", [lambda: declare(service()), lambda: declare(service(), service(name="b.service"))])
def test_only_what_changes_is_judged(change: Callable[[], Desired]) -> None:
    desired = change()
    analyze = Analyze("", code=0)
    assert told(analyze, desired, in_force(declare(service()))) == []
    assert analyze.asked == ([["b.service"]] if len(desired.units) == 2 else [])

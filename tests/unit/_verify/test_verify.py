# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the lines of systemd-analyze verify: whose they are, which are new, which are no word of a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired, build
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Manager, Outcome, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Observed
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import differences
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.judge import LAST
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.verify import verify

from tests.unit.world import RUNNING, SYSTEM, Entry, declare, facts, in_force

Said = tuple[str, str, str, str, str]


class Analyze:
    """systemd-analyze as these tests want it: lines for the host as it will be, and for the host as it is.

    A line without a level is an error. crashes_over: what it gives up over, without a word about any unit.
    """

    def __init__(self, after: str, before: str = "", code: int = 1, version: int = 252, crashes_over: str = "") -> None:
        self.lines = [after, before]
        self.code, self.version, self.crashes_over = code, version, crashes_over
        self.asked: list[list[str]] = []
        self.places = SYSTEM

    def verify(self, unit_path: str, files: Sequence[str]) -> Outcome:
        stage = unit_path.split(":", maxsplit=1)[0]
        units = [file.rpartition("/")[2] for file in files]
        self.asked.append([unit for unit in units if unit != LAST])
        lines = self.lines[min(len(self.asked), 2) - 1].replace("@/", stage + "/")
        if self.crashes_over in units or self.code in (124, 127):
            return Outcome(self.code, "", lines)
        leveled = [line if line.startswith("<") else f"<27>{line}" for line in lines.splitlines()]
        return Outcome(1, "", "\n".join([*leveled, f"<27>{LAST}: Command /unitwright/judged is not executable"]))


def told(analyze: Analyze, desired: Desired, observed: Observed, **more: Any) -> list[Said]:
    differing = differences.compare(desired, observed, {})
    found = verify(cast(Manager, analyze), desired, differing, observed, **more)
    return [(each.unit, each.section, each.directive, each.rule.id, each.message) for each in found]


def service(start: str = "/bin/a", name: str = "a.service", **more: Any) -> Entry:
    return {"name": name, "service": {"ExecStart": start}, **more}


def saying(after: str, code: int = 1, crashes_over: str = "") -> list[Said]:
    return told(Analyze(after, "", code, crashes_over=crashes_over), declare(service()), in_force(None))


def test_a_line_of_a_file_is_told_with_its_directive() -> None:
    """The file: a mark, an empty line, [Service], ExecStart=."""
    assert saying("@/a.service:4: It is wrong in @/a.service") == [
        ("a.service", "Service", "ExecStart", "verify", "It is wrong in /etc/systemd/system/a.service")
    ]


def test_a_line_of_a_unit_is_told_with_the_directive_that_names_what_it_is_about() -> None:
    assert saying("a.service: Command /bin/a is broken") == [
        ("a.service", "Service", "ExecStart", "verify", "Command /bin/a is broken")
    ]


def test_a_program_is_told_with_the_directive_that_has_specifiers_in_its_place() -> None:
    """Only the host knows what these come to."""
    unit = service("/bin/a", service={"ExecStartPre": "%h/bin/set-up", "ExecStart": "%h/bin/%j-%H"})
    line = "a.service: Command /root/bin/a-host is not executable: No such file or directory"
    ((_unit, _section, directive, *_more),) = told(Analyze(line), declare(unit), in_force(None))
    assert directive == "ExecStart"


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
        "a.service: Command sh is not executable: No such file or directory",  # 247 looks for none by its bare name
    ],
)
def test_what_is_no_fault_of_a_unit(line: str) -> None:
    assert [said[4] for said in saying(f"{line}\na.service: A fault")] == ["A fault"]


def test_only_the_words_about_the_last_unit_show_that_it_judged() -> None:
    assert saying("") == []
    for words in ("", "Couldn't process aliases: No such file or directory"):
        (said,) = saying(words, crashes_over="a.service")
        assert said[:4] == ("a.service", "", "", "not-judged")
        assert words in said[4]


def test_a_judge_that_gave_up_is_no_old_fault_of_the_host() -> None:
    """The same words before and after."""
    analyze = Analyze("It gave up", "It gave up", crashes_over=LAST)
    found = told(analyze, declare(service(), service(name="b.service")), in_force(declare(service("/bin/old"))))
    (said,) = found
    assert said[3] == "not-judged"
    assert "a.service, b.service" in said[4]


def test_what_it_gives_up_over_keeps_it_from_judging_nothing_else() -> None:
    units = [service(name=f"{name}.service") for name in "abcd"]
    analyze = Analyze("d.service: A fault", "", code=-6, crashes_over="c.service")
    analyze.lines = ["d.service: A fault"] * 2
    found = told(analyze, declare(*units), in_force(None))
    assert [(said[0], said[3]) for said in found] == [("d.service", "verify"), ("c.service", "not-judged")]


@pytest.mark.parametrize("before", [None, declare(service("/bin/old"))])
def test_without_systemd_analyze_every_unit_is_named_that_was_not_judged(before: Desired | None) -> None:
    found = told(Analyze("", code=127), declare(service(), service(name="b.service")), in_force(before))
    (said,) = found
    assert said[3] == "no-verify"
    assert "a.service, b.service" in said[4]


def test_no_answer_is_an_error() -> None:
    (said,) = saying("no answer", code=124)
    assert said[3] == "not-judged"
    assert "no answer" in said[4]


@pytest.mark.parametrize(("version", "handed"), [(247, ["a:b.service"]), (252, ["unitwright-copy-0:a:b.service"])])
def test_a_name_with_a_colon_is_handed_over_as_an_alias(version: int, handed: list[str]) -> None:
    folder = "/tmp/systemd-analyze-x" if version > 247 else "@"
    analyze = Analyze(f"<28>{folder}/a:b.service:4: It is wrong, ignoring: 1:2", version=version)
    (said,) = told(analyze, declare(service(name="a:b.service")), in_force(None))
    assert said[:3] == ("a:b.service", "Service", "ExecStart")
    assert analyze.asked[0] == handed


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
    analyze = Analyze("")
    assert told(analyze, desired, in_force(declare(service()))) == []
    assert analyze.asked == ([["b.service"]] if len(desired.units) == 2 else [])


# Templates. The lines of such a file: a mark, an empty line, [Service], ExecStart=.


def template(start: str = "/opt/%i/run", **more: Any) -> Entry:
    return service(start, "a@.service", **more)


def absent(instance: str) -> str:
    return f"a@{instance}.service: Command /opt/{instance}/run is not executable: No such file or directory"


@pytest.mark.parametrize(
    ("instances", "states", "judged"),
    [
        (["one", "two"], {}, ["a@one.service", "a@two.service"]),
        (["one"], {"a@run.service": RUNNING}, ["a@one.service", "a@run.service"]),
        ([], {"a@run.service": RUNNING, "a@old.service": UnitState("loaded", "inactive", "dead")}, ["a@run.service"]),
        ([], {}, ["a@i.service"]),
    ],
)
def test_a_template_is_judged_by_the_instances_that_there_are(
    instances: list[str], states: dict[str, UnitState], judged: list[str]
) -> None:
    more = {"instances": instances} if instances else {}
    analyze = Analyze("")
    told(analyze, declare(template(**more)), in_force(None, states))
    assert analyze.asked == [judged]


def test_a_template_is_judged_by_the_instances_that_its_timer_starts() -> None:
    timer = {"name": "a@.timer", "timer": {"OnCalendar": "daily"}, "instances": ["one"]}
    analyze = Analyze("")
    told(analyze, declare(template(), timer), in_force(None))
    assert sorted(analyze.asked[0]) == ["a@one.service", "a@one.timer"]


def test_an_instance_that_is_wrong_is_told_as_itself() -> None:
    found = told(Analyze(absent("two")), declare(template(instances=["one", "two"])), in_force(None))
    assert [said[:4] for said in found] == [("a@two.service", "Service", "ExecStart", "missing")]


def test_an_instance_is_told_by_the_value_that_a_line_has_for_it() -> None:
    line = "<28>@/a@.service:4: Failed to parse it, ignoring: /opt/two/run"
    found = told(Analyze(line), declare(template(instances=["one", "two"])), in_force(None))
    assert [said[:3] for said in found] == [("a@two.service", "Service", "ExecStart")]


def test_what_is_said_of_every_instance_is_said_of_the_template() -> None:
    lines = "<28>@/a@.service:4: Dropped, ignoring: /bin/a\na@one.service: Refusing.\na@two.service: Refusing."
    found = told(Analyze(lines), declare(template("/bin/a", instances=["one", "two"])), in_force(None))
    assert [said[0] for said in found] == ["a@.service", "a@.service"]


def test_what_follows_from_the_value_of_one_instance_is_that_ones() -> None:
    lines = "<28>@/a@.service:4: Dropped, ignoring: /opt/two/run\na@two.service: Service has no ExecStart=. Refusing."
    found = told(Analyze(lines), declare(template(instances=["two"])), in_force(None))
    assert [said[0] for said in found] == ["a@two.service"]


@pytest.mark.parametrize(
    ("line", "weight"),
    [
        (absent("i"), "no-instance"),
        ("<28>@/a@.service:7: Dropped, ignoring: /opt/i/run", "no-instance"),
        ("<28>@/a@.service:4: Dropped, ignoring: x", "verify"),
        ("a@i.service: Refusing.", "verify"),
    ],
)
def test_what_depends_on_the_instance_is_no_error_where_none_is_known(line: str, weight: str) -> None:
    found = told(Analyze(line), declare(template(unit={"After": "x"})), in_force(None))
    assert [(said[0], said[3]) for said in found] == [("a@.service", weight)]


@pytest.mark.parametrize(
    ("name", "judged"),
    [("later.service", "later.service"), ("app-.service", "app-i.service"), ("t@.service", "t@i.service")],
)
def test_a_drop_in_that_no_unit_has_yet_is_judged_all_the_same(name: str, judged: str) -> None:
    dropin = {"name": name, "dropin": "a", "service": {"Restart": "Always"}}
    line = (
        f"<28>@/{name}.d/a.conf:4: Failed to parse it, ignoring: Always\n{judged}: Service has no ExecStart=. Refusing."
    )
    analyze = Analyze(line)
    desired = build({"name": "test", "dropins": [dropin]}, facts())
    found = told(analyze, desired, in_force(None))
    assert [said[:4] for said in found] == [(name, "Service", "Restart", "verify")]
    assert analyze.asked[0] == [judged]


@pytest.mark.parametrize("line", [absent("new"), "<28>@/a@.service:4: Dropped, ignoring: /opt/new/run"])
def test_a_new_instance_of_a_template_that_stays_as_it_is_is_judged(line: str) -> None:
    observed = in_force(declare(template(instances=["old"])), {"a@old.service": RUNNING})
    analyze = Analyze(line, line)
    found = told(analyze, declare(template(instances=["old", "new"])), observed)
    assert [said[:3] for said in found] == [("a@new.service", "Service", "ExecStart")]
    assert analyze.asked[0] == ["a@new.service"]

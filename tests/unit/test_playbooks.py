# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks check, drill and reboot: whom they end with, and that the report names every host; and testbed_*.

What the modules would return of a host stands in its variable `told`, so that no systemd is asked. The engine of the
testbeds is a script that notes what it was asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible.plugins.connection import local

ROOT = Path(__file__).parents[2]
# Who pulls a unit in is told where it is asked for.
STAND_IN = """
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        told = self._templar.template(task_vars["told"])
        if told != "lost" and "name" in self._task.args:
            told = told[self._task.args["name"]]
        if told == "lost":
            raise AnsibleConnectionFailure("no route to host")
        if self._task.check_mode and "foretold" in told:
            return told["foretold"]
        if "units" not in told:
            return told
        asked = [name.replace("B", "_b").lower() for name in self._task.args.get("properties", [])]
        left = {"wanted_by", "required_by"}.difference(asked)
        units = {unit: {key: facts[key] for key in facts.keys() - left} for unit, facts in told["units"].items()}
        return {**told, "units": units}
"""
UP = {
    "id": "a.service",
    "active_state": "active",
    "sub_state": "running",
    "unit_file_state": "enabled",
    "fragment_path": "/etc/systemd/system/a.service",
    "transient": False,
}
# One that is this machine, and is not known to be it. ansible.builtin.reboot is safe there in check mode alone.
BESIDE = {
    "ansible_connection": "unitwright.systemd.beside",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}
# One that nothing but the modules' stand-ins can reach.
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
WELL = {"told": {"units": {"a.service": UP}}}
ILL = {"told": {"units": {"a.service": {**UP, "active_state": "failed", "sub_state": "failed", "result": "signal"}}}}
UNKNOWN = {"proven": False, "cause": "", "remedy": "", "evidence": "", "journal": ["schema 4 is not known", "exited"]}
UNPROVEN = {"told": {"units": {"a.service": {**ILL["told"]["units"]["a.service"], "cause": UNKNOWN}}}}
UNKNOWN = {"proven": False, "cause": "", "remedy": "", "evidence": "", "journal": ["schema 4 is not known", "exited"]}
UNPROVEN = {"told": {"units": {"a.service": {**ILL["told"]["units"]["a.service"], "cause": UNKNOWN}}}}
BROKEN = {"told": {"failed": True, "msg": "no systemd runs here"}}
LOST = {"told": "lost"}
FAULT = {
    "promise": {"verdict": "recovered", "reason": "Restart=always", "after": 0.1},
    "verdict": "recovered",
    "agrees": True,
    "not_tried": "",
    "to_process": {"p50": 0.2, "max": 0.2},
    "to_healthy": {"p50": 0.4, "max": 0.4},
    "rounds": [{}],
}
DRILLED = {"a.service": {"unit": "a.service", "faults": {"kill": FAULT}}}
REFUSED = {
    "a.service": {
        "failed": True,
        "msg": "a.service: no check",
        "errors": [{"unit": "a.service", "message": "no check"}],
    }
}
# Its drill does not come to what was foretold.
BROKEN = {"a.service": {**REFUSED["a.service"], "foretold": DRILLED["a.service"]}}
DRILLS = {"systemd_drills": [{"name": "a.service", "may_hurt": ["a.service"]}]}


class Ran(NamedTuple):
    """states: of each host by the report, None without one."""

    said: str
    code: int
    states: dict[str, str] | None
    folder: Path

    def notes(self, host: str) -> list[str]:
        whole = json.loads((self.folder / "out" / "page.json").read_text(encoding="utf-8"))
        return next(each["notes"] for each in whole["hosts"] if each["host"] == host)

    def turns(self, task: str) -> list[str]:
        """The hosts that a task ran on, in order."""
        parts = self.said.split("TASK [")
        lines = [line for part in parts if part.startswith(f"{task}]") for line in part.splitlines()[1:]]
        return [line.split("[")[1].split("]")[0] for line in lines if line.startswith(("ok:", "changed:", "fatal:"))]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ours, but with modules that ask nobody."""
    folder = tmp_path_factory.mktemp("collections")
    ours = folder / "ansible_collections" / "unitwright" / "systemd"
    for name in ("playbooks", "plugins", "meta"):
        shutil.copytree(ROOT / name, ours / name)
    shutil.copy(ROOT / "galaxy.yml", ours)
    runtime = yaml.safe_load((ours / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    del runtime["plugin_routing"]  # it would lead past those that stand in
    (ours / "meta" / "runtime.yml").write_text(yaml.safe_dump(runtime), encoding="utf-8")
    for module in ("unit_info", "drill"):
        (ours / "plugins" / "action" / f"{module}.py").write_text(STAND_IN, encoding="utf-8")
    beside = Path(local.__file__).read_text(encoding="utf-8").replace("transport = 'local'", "transport = 'beside'")
    (ours / "plugins" / "connection").mkdir()
    (ours / "plugins" / "connection" / "beside.py").write_text(beside, encoding="utf-8")
    return folder


def _play(
    folder: Path, hosts: dict[str, Any], given: dict[str, Any], plays: list[dict[str, Any]], *more: str, **env: str
) -> tuple[str, int]:
    inventory, playbook = folder / "inventory.json", folder / "plays.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}))
    playbook.write_text(json.dumps(plays))
    done = subprocess.run(
        ["ansible-playbook", "-i", str(inventory), "-e", json.dumps(given), *more, str(playbook)],
        env={**os.environ, "PWD": str(folder), **env},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr, done.returncode


@pytest.fixture
def run(collections: Path, tmp_path: Path) -> Any:
    def runs(
        playbook: str,
        hosts: dict[str, Any],
        *more: str,
        report: str = "out/page.html",
        before: tuple[dict[str, Any], ...] = (),
    ) -> Ran:
        given = {f"{playbook}_report": report, f"{playbook}_become": False}
        plays = [*before, {"import_playbook": f"unitwright.systemd.{playbook}"}]
        said, code = _play(tmp_path, hosts, given, plays, *more, ANSIBLE_COLLECTIONS_PATH=str(collections))
        written = tmp_path / "out" / "page.json"
        states = None
        if written.exists():
            whole = json.loads(written.read_text(encoding="utf-8"))
            assert whole["playbook"] == playbook
            assert whole["counts"]["hosts"] == len(hosts)
            states = {host["host"]: host["state"] for host in whole["hosts"]}
        return Ran(said, code, states, tmp_path)

    return runs


ENGINE = """#!/bin/sh
echo "${0##*/} $*" >>"${0%/*}/../asked"
case "$*" in
container*) [ -n "$STATE" ] || { echo no such container >&2; exit 1; }; echo "$STATE,$MADE,${OWNER-playbook}";;
*is-system-running) sleep "${BOOT:-0}"; [ -n "$BOOT" ] && echo starting || echo running;;
*" run "*|run*) [ -z "$BROKEN" ] || { echo "$BROKEN" >&2; exit 126; };;
*reboot) echo Access denied >&2; exit 1;;
wait*) sleep 5;;
esac
"""


@pytest.fixture
def testbed(collections: Path, tmp_path: Path) -> Any:
    """A playbook of testbeds: what was said, its code, and what the engine was asked for."""
    for name in ("podman", "docker"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(ENGINE)
        (tmp_path / "bin" / name).chmod(0o700)

    def runs(verb: str, *more: str, **env: str) -> tuple[str, int, list[str]]:
        env["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        hosts = {"box": {"ansible_connection": "community.docker.docker"}, "bed": {}}
        given = {"testbed_image": "any", "testbed_timeout": 4}
        plays = [{"import_playbook": f"unitwright.systemd.testbed_{verb}"}]
        said, code = _play(tmp_path, hosts, given, plays, *more, **env, ANSIBLE_COLLECTIONS_PATH=str(collections))
        return said, code, (tmp_path / "asked").read_text().splitlines()

    return runs


WRITING = "Write the page"
WRONG = "Fail with what is wrong"


def test_check_looks_at_all_and_fails_those_with_something_wrong(run: Any) -> None:
    ran = run(
        "check", {"lost": LOST, "well": WELL, "ill": ILL, "broken": BROKEN, "spared": {**ILL, "check_ignore": ["a*"]}}
    )
    assert ran.states == {
        "lost": "unreachable",
        "well": "well",
        "ill": "findings",
        "broken": "failed",
        "spared": "well",
    }, ran.said
    assert ran.code == 2
    recap = ran.said.split("PLAY RECAP")[1]
    assert [("failed=1" in line) for line in recap.splitlines()[1:6]] == [True, True, True, False, False]
    assert "a.service: has failed, result signal" in ran.said.split(f"TASK [{WRONG}]")[1]
    assert len(ran.turns(WRITING)) == 2
    page = (ran.folder / "out" / "page.html").read_text(encoding="utf-8")
    assert "3 of 5 hosts need a look" in page
    assert [oct(path.stat().st_mode & 0o777) for path in sorted((ran.folder / "out").iterdir())] == ["0o600", "0o600"]


def test_check_says_of_a_failure_without_a_proven_cause_what_was_said_last(run: Any) -> None:
    said = run("check", {"ill": UNPROVEN}).said.split(f"TASK [{WRONG}]")[1]
    assert "a.service: has failed, result signal; the cause is not proven; said: schema 4 is not known\\nexited" in said


def test_check_of_hosts_that_are_all_lost_still_reports_in_check_mode_too(run: Any) -> None:
    ran = run("check", {"lost": LOST, "gone": LOST}, "--check")
    assert (ran.states, ran.code) == ({"lost": "unreachable", "gone": "unreachable"}, 2), ran.said


def test_without_a_path_no_report_is_written(run: Any) -> None:
    ran = run("check", {"well": WELL}, report="")
    assert (ran.states, ran.code, ran.turns(WRITING)) == (None, 0, []), ran.said


@pytest.mark.parametrize("report", ["page.json", "new/", "inventory.json/page.html"])
def test_a_path_that_cannot_be_a_page_is_refused_before_anything_is_done(run: Any, report: str) -> None:
    ran = run("drill", {"one": {**DRILLS, "told": DRILLED}}, report=report)
    assert ran.code == 2
    assert report.endswith("html") or f"{report} is no name for a page" in ran.said
    assert "Break a unit" not in ran.said


def test_who_was_lost_by_an_earlier_play_is_in_the_report(run: Any) -> None:
    before = {"hosts": "all", "gather_facts": False, "tasks": [{"unitwright.systemd.unit_info": {}}]}
    ran = run("check", {"first": WELL, "last": LOST}, before=(before,))
    assert ran.states == {"first": "well", "last": "failed"}, ran.said


def test_drill_reports_once_when_all_had_their_turn(run: Any) -> None:
    ran = run(
        "drill", {"none": {"told": {}}, "first": {**DRILLS, "told": DRILLED}, "last": {**DRILLS, "told": DRILLED}}
    )
    assert (ran.states, ran.code) == ({"none": "passed-over", "first": "well", "last": "well"}, 0), ran.said
    assert ran.turns(WRITING) == ["none -> localhost", "last -> localhost"]


@pytest.mark.parametrize(
    ("told", "state", "serial"), [(REFUSED, "findings", 2), (BROKEN, "findings", 2), ("lost", "unreachable", 1)]
)
def test_drill_ends_with_the_first_that_does_not_come_back(run: Any, told: Any, state: str, serial: int) -> None:
    hosts = {
        "first": {**DRILLS, "told": told},
        "second": {**DRILLS, "told": DRILLED},
        "third": {**DRILLS, "told": DRILLED},
    }
    ran = run("drill", hosts, "-e", json.dumps({"drill_serial": serial}))
    second = "well" if serial == 2 else "not-reached"
    assert (ran.states, ran.code) == ({"first": state, "second": second, "third": "not-reached"}, 2), ran.said
    assert len(ran.turns(WRITING)) == 2


def drills_of_three(**told: Any) -> dict[str, Any]:
    drills = [{"name": name, "may_hurt": [name]} for name in ("db", "web", "cache")]
    return {"systemd_drills": drills, "told": {each["name"]: DRILLED["a.service"] for each in drills} | told}


@pytest.mark.parametrize(("told", "state"), [(BROKEN["a.service"], "findings"), ("lost", "unreachable")])
def test_no_unit_is_broken_after_one_that_did_not_come_back(run: Any, told: Any, state: str) -> None:
    ran = run("drill", {"one": drills_of_three(db=told)})
    assert (ran.states, ran.code) == ({"one": state}, 2), ran.said
    broken = ran.said.partition("TASK [Break a unit")[2]
    assert ("(item=db)" in broken, "(item=web)" in broken) == (state == "findings", False)
    assert ran.notes("one") == ["Not tried after that: web, cache."]


@pytest.mark.parametrize("more", [(), ("--check",)])
def test_all_that_speaks_against_drills_is_told_before_the_first(run: Any, more: tuple[str, ...]) -> None:
    refused = REFUSED["a.service"]
    wrong = {each: {**refused, "msg": f"{each}: no check", "errors": [{"unit": each}]} for each in ("web", "cache")}
    ran = run("drill", {"one": drills_of_three(**wrong)}, *more)
    assert (ran.states, ran.code) == ({"one": "findings"}, 2), ran.said
    assert "TASK [Break a unit" not in ran.said
    assert "web: no check\\ncache: no check" in ran.said
    assert ran.notes("one") == ["Nothing was broken."]


def test_in_check_mode_what_is_foretold_is_told(run: Any) -> None:
    ran = run("drill", {"one": drills_of_three()}, "--check")
    assert (ran.states, ran.code) == ({"one": "well"}, 0), ran.said
    assert ran.turns("Break a unit, and measure how it comes back") == []


# In check mode ansible.builtin.reboot does nothing.
def test_a_drill_that_broke_is_told_by_the_name_that_was_given(run: Any) -> None:
    """Its result names no unit. An entry without a name is reported all the same."""
    broke = {"told": {"a.service": {"failed": True, "msg": "module failed"}}, **DRILLS}
    nameless = {**WELL, "systemd_drills": [{"may_hurt": []}]}
    ran = run("drill", {"broke": broke, "nameless": nameless}, "-e", "drill_serial=2")
    assert ran.states == {"broke": "findings", "nameless": "findings"}, ran.said
    whole = json.loads((ran.folder / "out" / "page.json").read_text(encoding="utf-8"))
    assert [unit["unit"] for host in whole["hosts"] for unit in host["units"]] == ["a.service", "?"]


def test_nobody_is_rebooted_with_one_that_could_not_be_looked_at(run: Any) -> None:
    ran = run("reboot", {"well": WELL, "other": LOST, "third": WELL}, "--check", "-e", '{"reboot_serial": 2}')
    assert (ran.states, ran.code) == ({"well": "not-reached", "other": "unreachable", "third": "not-reached"}, 2), (
        ran.said
    )
    assert ran.turns("Reboot") == []
    assert len(ran.turns(WRITING)) == 2


def test_reboot_ends_with_the_first_of_which_something_is_wrong(run: Any) -> None:
    ran = run("reboot", {"one": {**WELL, **BESIDE}, "two": {**ILL, **BESIDE}, "three": {**WELL, **BESIDE}}, "--check")
    assert (ran.states, ran.code) == ({"one": "well", "two": "findings", "three": "not-reached"}, 2), ran.said
    assert ran.turns("Reboot") == ["one", "two"]
    assert ran.turns(WRITING) == ["one -> localhost", "two -> localhost"]


def reboots(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A host whose units are others once they have been noted."""
    units = {"before": before, "after": after}
    return {**BESIDE, **units, "told": {"units": "{{ before if reboot_up is undefined else after }}"}}


def test_after_a_reboot_what_only_a_call_had_started_is_not_missed(run: Any) -> None:
    called = {**UP, "id": "a.service", "unit_file_state": "static", "wanted_by": [], "required_by": []}
    pulled = {**called, "required_by": ["b.target"]}
    down = {"active_state": "inactive", "sub_state": "dead"}
    target = {"b.target": {**UP, "id": "b.target"}}
    hosts = {
        "called": reboots({**target, "a.service": called}, {**target, "a.service": {**called, **down}}),
        "called-gone": reboots({**target, "a.service": called}, target),
        "pulled": reboots({**target, "a.service": pulled}, {**target, "a.service": {**pulled, **down}}),
        "pulled-gone": reboots({**target, "a.service": pulled}, target),
    }
    ran = run("reboot", hosts, "--check", "-e", '{"reboot_serial": 4}')
    ill = {"pulled": "findings", "pulled-gone": "findings"}
    assert (ran.states, ran.code) == ({"called": "well", "called-gone": "well", **ill}, 2), ran.said
    assert "a.service: was up and is inactive" in ran.said
    assert "a.service: was up and is not there any more" in ran.said


# In check mode the task that reboots does not ask the host, but the next one does.
@pytest.mark.parametrize(("more", "ends"), [((), "not rebooted"), (("--check",), "lost during its boot")])
def test_a_host_that_is_lost_while_it_reboots_is_not_well(run: Any, more: tuple[str, ...], ends: str) -> None:
    ran = run("reboot", {"one": {**WELL, **AWAY}, "two": {**WELL, **AWAY}}, *more)
    assert (ran.states, ran.code) == ({"one": "unreachable", "two": "not-reached"}, 2), ran.said
    assert ran.turns(f"End with a host that was {ends}") == ["one"]


OF_ANY = hashlib.sha256(b'["any", "/sbin/init", []]').hexdigest()


@pytest.mark.parametrize("state", ["", "running"])
def test_a_testbed_is_looked_for_and_not_booted_in_check_mode(testbed: Any, state: str) -> None:
    said, code, asked = testbed("create", "--check", STATE=state, MADE=OF_ANY)
    assert code == 0, said
    assert sorted(line.split(" --")[0] for line in asked) == ["docker container inspect", "podman container inspect"]


def test_a_testbed_is_removed_by_the_engine_of_its_connection(testbed: Any) -> None:
    said, code, asked = testbed("destroy", STATE="running")
    assert code == 0, said
    assert {"docker rm --force --volumes box", "podman rm --force --volumes --time=0 bed"} <= set(asked)


def test_a_reboot_of_a_testbed_that_is_refused_says_by_what(testbed: Any) -> None:
    said, code, _asked = testbed("reboot", "--limit=bed", "-e", "testbed_timeout=1", STATE="running")
    assert code == 2
    assert "bed did not end within 1 s" in said
    assert "When told to end it said: Access denied" in said


def test_a_testbed_has_as_many_seconds_as_it_was_given(testbed: Any) -> None:
    said, code, asked = testbed("create", "--limit=bed", STATE="running", MADE=OF_ANY, BOOT="2")
    assert code == 2
    assert "but starting" in said
    # Two seconds each, and one in between.
    assert len([line for line in asked if "is-system-running" in line]) <= 2


def calls(asked: list[str]) -> list[str]:
    """What the engine was asked for, in few words."""
    known = ("container inspect", "run --detach", "start", "exec", "logs", "rm")
    return [next(word for word in known if f" {word}" in line) for line in asked]


def test_a_testbed_that_is_refused_by_the_engine_leaves_nothing_behind(testbed: Any) -> None:
    said, code, asked = testbed("create", "--limit=bed", STATE="", BROKEN="Error: netavark: No such file or directory")
    assert code == 2
    assert said.split("Fail with what was said of it")[1].count("Error: netavark: No such file or directory") == 1
    assert calls(asked) == ["container inspect", "run --detach", "rm"]


def test_a_testbed_whose_first_boot_does_not_end_leaves_nothing_behind(testbed: Any) -> None:
    said, code, asked = testbed("create", "--limit=bed", "-e", "testbed_timeout=1", STATE="", BOOT="2")
    assert code == 2
    assert "systemd is not up in the container bed" in said.split("Fail with what was said of it")[1]
    assert calls(asked)[-1] == "rm"


def test_a_testbed_that_never_ran_is_made_anew(testbed: Any) -> None:
    said, code, asked = testbed("create", "--limit=bed", STATE="created", MADE="otherwise")
    assert code == 0, said
    assert calls(asked) == ["container inspect", "rm", "run --detach", "exec"]
    assert f"--label=unitwright.testbed.made={OF_ANY}" in asked[2]


@pytest.mark.parametrize(
    ("state", "other"),
    [
        ("running", '{"testbed_options": ["--network=none"]}'),
        ("exited", '{"testbed_image": "other"}'),
        ("running", ""),
        ("exited", ""),
    ],
)
def test_a_testbed_that_was_made_otherwise_is_left_and_refused(testbed: Any, state: str, other: str) -> None:
    more = ("-e", other) if other else ()
    said, code, asked = testbed("create", "--limit=bed", *more, STATE=state, MADE=OF_ANY)
    again = ["exec"] if state == "running" else ["start", "exec"]
    assert (code, calls(asked)) == ((2, ["container inspect"]) if other else (0, ["container inspect", *again])), said
    assert ("Remove it with the playbook unitwright.systemd.testbed_destroy" in " ".join(said.split())) is bool(other)


@pytest.mark.parametrize("verb", ["create", "destroy"])
def test_a_container_of_others_is_no_testbed(testbed: Any, verb: str) -> None:
    said, code, asked = testbed(verb, "--limit=bed", STATE="running", MADE="", OWNER="<no value>")
    assert (code, calls(asked)) == (2, ["container inspect"]), said

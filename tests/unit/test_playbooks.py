# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks check, drill and reboot: whom they end with, and that the report names every host.

What the modules would return of a host stands in its variable `told`, so that no systemd is asked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAND_IN = """
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        told = self._templar.template(task_vars["told"])
        if told == "lost":
            raise AnsibleConnectionFailure("no route to host")
        return told[self._task.args["name"]] if "name" in self._task.args else told
"""
UP = {
    "id": "a.service",
    "active_state": "active",
    "sub_state": "running",
    "unit_file_state": "enabled",
    "fragment_path": "/etc/systemd/system/a.service",
    "transient": False,
}
# One that nothing but the modules' stand-ins can reach.
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
WELL = {"told": {"units": {"a.service": UP}}}
ILL = {"told": {"units": {"a.service": {**UP, "active_state": "failed", "sub_state": "failed", "result": "signal"}}}}
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
DRILLS = {"systemd_drills": [{"name": "a.service", "may_hurt": ["a.service"]}]}


class Ran(NamedTuple):
    """states: of each host by the report, None without one."""

    said: str
    code: int
    states: dict[str, str] | None
    folder: Path

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
    return folder


@pytest.fixture
def run(collections: Path, tmp_path: Path) -> Any:
    def runs(playbook: str, hosts: dict[str, Any], *more: str, report: str = "out/page.html") -> Ran:
        inventory = tmp_path / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}))
        given = {f"{playbook}_report": report, f"{playbook}_become": False}
        command = ["ansible-playbook", "-i", str(inventory), "-e", json.dumps(given), *more]
        done = subprocess.run(
            [*command, f"unitwright.systemd.{playbook}"],
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "PWD": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        written = tmp_path / "out" / "page.json"
        states = None
        if written.exists():
            whole = json.loads(written.read_text(encoding="utf-8"))
            assert whole["playbook"] == playbook
            assert whole["counts"]["hosts"] == len(hosts)
            states = {host["host"]: host["state"] for host in whole["hosts"]}
        return Ran(done.stdout + done.stderr, done.returncode, states, tmp_path)

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
    assert len(ran.turns(WRITING)) == 1
    page = (ran.folder / "out" / "page.html").read_text(encoding="utf-8")
    assert "3 of 5 hosts need a look" in page
    assert [oct(path.stat().st_mode & 0o777) for path in sorted((ran.folder / "out").iterdir())] == ["0o600", "0o600"]


def test_check_of_hosts_that_are_all_lost_still_reports_in_check_mode_too(run: Any) -> None:
    ran = run("check", {"lost": LOST, "gone": LOST}, "--check")
    assert (ran.states, ran.code) == ({"lost": "unreachable", "gone": "unreachable"}, 2), ran.said


def test_without_a_path_no_report_is_written(run: Any) -> None:
    ran = run("check", {"well": WELL}, report="")
    assert (ran.states, ran.code, ran.turns(WRITING)) == (None, 0, []), ran.said


def test_a_path_that_cannot_be_a_page_is_refused_before_anything_is_done(run: Any) -> None:
    ran = run("drill", {"one": {**DRILLS, "told": DRILLED}}, report="page.json")
    assert ran.code == 2
    assert "page.json is no name for a page" in ran.said
    assert "Break a unit" not in ran.said


def test_drill_reports_once_when_all_had_their_turn(run: Any) -> None:
    ran = run(
        "drill", {"none": {"told": {}}, "first": {**DRILLS, "told": DRILLED}, "last": {**DRILLS, "told": DRILLED}}
    )
    assert (ran.states, ran.code) == ({"none": "passed-over", "first": "well", "last": "well"}, 0), ran.said
    assert ran.turns(WRITING) == ["last -> localhost"]


@pytest.mark.parametrize(("told", "state", "serial"), [(REFUSED, "findings", 2), ("lost", "unreachable", 1)])
def test_drill_ends_with_the_first_that_does_not_come_back(run: Any, told: Any, state: str, serial: int) -> None:
    hosts = {
        "first": {**DRILLS, "told": told},
        "second": {**DRILLS, "told": DRILLED},
        "third": {**DRILLS, "told": DRILLED},
    }
    ran = run("drill", hosts, "-e", json.dumps({"drill_serial": serial}))
    second = "well" if serial == 2 else "not-reached"
    assert (ran.states, ran.code) == ({"first": state, "second": second, "third": "not-reached"}, 2), ran.said
    assert len(ran.turns(WRITING)) == 1


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
    assert len(ran.turns(WRITING)) == 1


def test_reboot_ends_with_the_first_of_which_something_is_wrong(run: Any) -> None:
    ran = run("reboot", {"one": {**WELL, **AWAY}, "two": {**ILL, **AWAY}, "three": {**WELL, **AWAY}}, "--check")
    assert (ran.states, ran.code) == ({"one": "well", "two": "findings", "three": "not-reached"}, 2), ran.said
    assert ran.turns("Reboot") == ["one", "two"]
    assert ran.turns(WRITING) == ["two -> localhost"]

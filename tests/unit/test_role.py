# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role refuses variables of its prefix that nobody reads, and what its specification refuses, without a secret."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# Nothing of the module is wanted here: a stack that is empty by its tags.
BEFORE = {"stack_name": "shop", "stack_units": [{"name": "a.service", "service": {"ExecStart": "/bin/a"}}]}
OF_PLAYBOOK = {"stack_hosts": "all", "stack_become": False, "stack_serial": 1, "stack_max_fail_percentage": 0}


def play(tmp_path: Path, **variables: Any) -> str:
    """What ansible-playbook prints, with all that -vvv tells, of the role up to its module."""
    written = tmp_path / "play.yml"
    roles = [{"role": "unitwright.systemd.stack"}]
    given = {**BEFORE, **variables}
    written.write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": given, "roles": roles}]), encoding="utf-8"
    )
    return run_playbook(str(written), "localhost,")


def site(tmp_path: Path, **variables: Any) -> str:
    """The same of the playbook site with these variables in the inventory."""
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"localhost": {}}, "vars": variables}}), encoding="utf-8")
    return run_playbook("unitwright.systemd.site", str(inventory), "-e", "stack_become=false")


def run_playbook(playbook: str, inventory: str, *more: str, but: str = "stack_units") -> str:
    done = subprocess.run(
        ["ansible-playbook", "-vvv", "-i", inventory, "-c", "local", "--skip-tags", but, *more, playbook],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "source")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("variables", [{"stack_unit": []}, {"stack_units_hosts": [], "stack_dropins": []}])
def test_a_variable_that_nobody_reads_is_refused(tmp_path: Path, variables: dict[str, Any]) -> None:
    told = play(tmp_path, **variables)
    assert "failed=1 " in told, told
    assert f"{next(iter(variables))}: the role stack reads no such variable" in told
    assert "stack_units, stack_units_host" in told


def test_what_is_read_is_not_refused(tmp_path: Path) -> None:
    told = play(tmp_path, stack_prune=True, stacked=1, my_stack_unit=1, **OF_PLAYBOOK)
    assert "failed=0 " in told, told


@pytest.mark.parametrize("option", ["secrets", "credentials"])
def test_secrets_as_text_are_shown_by_none(tmp_path: Path, option: str) -> None:
    """The role's specification leaves them to the module, which refuses them."""
    unit = {**BEFORE["stack_units"][0], option: "TOKEN=canary"}  # type: ignore[dict-item]
    told = play(tmp_path, stack_units=[unit])
    assert "failed=0 " in told, told
    assert "canary" not in told


def test_each_stack_of_the_inventory_is_applied_with_its_own_options(tmp_path: Path) -> None:
    one = {"name": "one", "services": [], "max_removed": 0, "prune": True}
    told = site(tmp_path, systemd_stack_a=one, systemd_stack_b={"state": "absent"}, systemd_other=1)
    assert "failed=0 " in told, told
    assert told.count("(item=systemd_stack_") == 2


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"systemd_stack_a": {"unit": []}}, "there is no unit."),
        ({"systemd_stack_a": []}, "systemd_stack_a is a mapping of the variables of the role"),
        ({"stack_name": "shop"}, "In an inventory a stack is one variable, such as systemd_stack_shop"),
        ({"stack_units_host": []}, "stack_units_host: such variables are for whoever calls the role."),
    ],
)
def test_what_is_no_stack_of_an_inventory_is_refused(tmp_path: Path, variables: dict[str, Any], said: str) -> None:
    told = site(tmp_path, **variables)
    assert "failed=1 " in told, told
    assert said in told


def accounts(tmp_path: Path, **variables: Any) -> str:
    """What ansible-playbook prints of the role's entry for accounts and directories alone."""
    written = tmp_path / "play.yml"
    include = {"name": "unitwright.systemd.stack", "tasks_from": "accounts"}
    tasks = [{"ansible.builtin.include_role": include, "vars": variables}]
    written.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    return run_playbook(str(written), "localhost,", "-e", f"ansible_python_interpreter={sys.executable}")


def test_accounts_are_an_entry_of_their_own(tmp_path: Path) -> None:
    told = accounts(tmp_path, stack_directories=[{"path": str(tmp_path / "made")}])
    assert "failed=0 " in told, told
    assert (tmp_path / "made").is_dir()


def test_that_entry_refuses_a_variable_that_nobody_reads_too(tmp_path: Path) -> None:
    directories = [{"path": str(tmp_path / "made")}]
    told = accounts(tmp_path, stack_directories=directories, stack_directory=directories)
    assert "failed=1 " in told, told
    assert "stack_directory: the role stack reads no such variable" in told
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("root", ["", "/"])
def test_what_an_image_needs_is_not_made_on_the_running_host(tmp_path: Path, root: str) -> None:
    made = tmp_path / "made"
    variables: dict[str, Any] = {
        "stack_directories": [{"path": str(made)}],
        "ansible_python_interpreter": sys.executable,
    }
    told = play(tmp_path, stack_root=str(tmp_path / "image"), **variables)
    assert "failed=1 " in told, told
    assert "stack_directories: with stack_root they would be made on the running host" in " ".join(told.split())
    assert not made.exists()
    told = play(tmp_path, stack_root=root, **variables)
    assert "failed=0 " in told, told
    assert made.is_dir()


@pytest.mark.parametrize(("mode", "told"), [(755, "1363"), (644, "1204"), (1777, "3361"), (0o755, ""), ("755", "")])
def test_a_mode_that_yaml_took_for_a_decimal_number_is_refused(tmp_path: Path, mode: object, told: str) -> None:
    """As ansible.builtin.file has it, 0755 is a number as meant, and 755 is not."""
    made = tmp_path / "made"
    directories = [{"path": str(tmp_path), "mode": "0755"}, {"path": str(made), "mode": mode}]
    said = play(tmp_path, stack_directories=directories, ansible_python_interpreter=sys.executable)
    if told:
        assert f"{made} would have the mode {told}" in " ".join(said.split())
        assert not made.exists()
    else:
        assert "failed=0 " in said, said
        assert made.stat().st_mode & 0o7777 == 0o755


def test_a_name_near_that_of_a_stack_is_told(tmp_path: Path) -> None:
    told = site(
        tmp_path, systemd_stacks_other={}, systemd_stack={}, systemd_networkd_x=1, systemd_stack_a={"services": []}
    )
    assert "failed=0 " in told, told
    assert "systemd_stacks_other is no stack" in told
    assert "did you mean systemd_stack_other?" in told
    assert "did you mean systemd_stack_shop?" in told
    assert "systemd_networkd_x is" not in told
    assert "systemd_stack_a is no" not in told


def test_a_name_near_those_of_an_empty_role_is_told(tmp_path: Path) -> None:
    services = [{"name": "a", "exec_start": "/bin/a"}]
    told = play(tmp_path, stack_units=[], systemd_services=services, services=services)
    assert "The role reads no systemd_services: did you mean stack_services?" in told
    assert "The role reads no services: did you mean stack_services?" in told
    assert "did you mean" not in play(tmp_path, systemd_services=services)


@pytest.mark.parametrize(("user", "is_there"), [("unitwright-erna", False), (getpass.getuser(), True)])
def test_check_mode_becomes_nobody_who_is_still_to_be_made(tmp_path: Path, user: str, is_there: bool) -> None:
    written = tmp_path / "play.yml"
    role = {
        "stack_name": "erna",
        "stack_scope": "user",
        "stack_user": user,
        "stack_services": [{"name": "w", "exec_start": "/usr/bin/sleep 100"}],
    }
    if not is_there:
        role["stack_users"] = [{"name": user, "create_home": True, "shell": "/bin/bash"}]
    tasks = [
        {"ansible.builtin.include_role": {"name": "unitwright.systemd.stack"}, "vars": role},
        {"ansible.builtin.debug": {"msg": "it was {{ 'skipped' if stack_result is skipped else 'looked at' }}"}},
    ]
    written.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    python = f"ansible_python_interpreter={sys.executable}"
    told = run_playbook(str(written), "localhost,", "--check", "-e", python, but="none")
    assert (f"Check mode cannot become {user}" in told) is not is_there
    if not is_there:
        assert "failed=0 " in told, told
        assert "it was skipped" in told

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a unit's program is looked for, by systemd.exec(5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.programs import (
    found_elsewhere,
    look_for,
)


@pytest.fixture
def jail(tmp_path: Path) -> Path:
    (tmp_path / "app/bin").mkdir(parents=True)
    (tmp_path / "app/bin/run").touch(0o755)
    (tmp_path / "app/bin/text").touch(0o644)
    (tmp_path / "link").symlink_to("/app/bin")  # of the jail, not of the host
    (tmp_path / "empty").mkdir()
    return tmp_path


def found(program: str, directive: str = "ExecStart", unit: str = "a@app.service", **settings: str) -> str:
    text = {"Service": {name: [value] for name, value in settings.items()}}
    return look_for(program, unit, directive, text, "").value


@pytest.mark.parametrize(
    ("program", "sight"),
    [("/app/bin/run", "there"), ("/app/bin/none", "absent"), ("/app/bin/text", "absent"), ("/link/run", "there")],
)
def test_in_its_root(jail: Path, program: str, sight: str) -> None:
    assert found(program, RootDirectory=str(jail)) == sight


def test_in_a_root_that_depends_on_the_instance(jail: Path) -> None:
    assert found("/bin/run", RootDirectory=f"{jail}/%i") == "there"
    assert found("/bin/run", RootDirectory=f"{jail}/%i", unit="a@empty.service") == "unseen"


def test_a_root_that_is_not_there_yet_or_that_only_the_start_tells(jail: Path) -> None:
    for root in (f"{jail}/none", f"{jail}/empty", "%t/x"):
        assert found("/app/bin/run", RootDirectory=root) == "unseen"


def test_only_the_start_happens_in_its_root(jail: Path) -> None:
    root = {"RootDirectory": str(jail), "RootDirectoryStartOnly": "yes"}
    assert found("/app/bin/run", **root) == "there"
    assert found("/app/bin/run", "ExecStop", **root) == "absent"


def test_behind_a_bind_mount(jail: Path) -> None:
    assert found("/mnt/x/bin/run", BindPaths=f"/none:/mnt {jail}/app:/mnt/x:rbind") == "there"
    assert found("/mnt/x/bin/run", BindReadOnlyPaths=f"-{jail}/app:/mnt/x") == "there"
    assert found("/mnt/x/bin/none", BindPaths=f"{jail}/app:/mnt/x") == "absent"
    assert found("/mnt/y/bin/run", BindPaths=f"{jail}/app:/mnt/x") == "absent"


@pytest.mark.parametrize(
    ("condition", "sight"),
    [
        ({"ConditionFileIsExecutable": ["/none/bin/run"]}, "there"),
        ({"ConditionPathIsDirectory": ["/none/bin"]}, "there"),
        ({"ConditionPathExists": ["/app"]}, "absent"),
        ({"ConditionFileIsExecutable": ["!/none/bin/run"]}, "absent"),
        ({"ConditionFileIsExecutable": ["|/none/bin/run"]}, "absent"),
    ],
)
def test_whenever_the_unit_is_started(jail: Path, condition: dict[str, list[str]], sight: str) -> None:
    """A folder of a condition that is there says nothing of what is in it."""
    assert look_for("/none/bin/run", "a.service", "ExecStart", {"Unit": condition}, str(jail)).value == sight


def test_by_its_bare_name(jail: Path) -> None:
    assert found("run", ExecSearchPath=f"/none:{jail}/app/bin") == "there"
    assert found("run") == "absent"
    assert found("sh") == "there"


def test_in_what_only_the_start_mounts() -> None:
    assert found("/none/run", RootImage="/x.raw") == "unseen"
    assert found("/none/run", MountImages="/x.raw:/none") == "unseen"
    assert found("/other/run", MountImages="/x.raw:/none") == "absent"
    assert found("/usr/none/run", ExtensionImages="/x.raw") == "unseen"
    assert found("/none/run", ExtensionImages="/x.raw") == "absent"


def test_in_an_extension(jail: Path) -> None:
    (jail / "opt").mkdir()
    (jail / "opt/run").touch(0o755)
    assert found("/opt/run", ExtensionDirectories=str(jail)) == "there"


def test_in_an_image_of_a_host(jail: Path) -> None:
    assert look_for("/app/bin/run", "a.service", "ExecStart", {}, str(jail)).value == "there"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for program in (
        "usr/bin/python3",
        "usr/bin/nginx",
        "opt/node/bin/node",
        "srv/app/venv/bin/gunicorn",
        "srv/app/run",
    ):
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / program).touch(0o755)
    (tmp_path / "usr/bin/text").touch(0o644)
    return tmp_path


@pytest.mark.parametrize(
    ("program", "meant"),
    [
        ("python", "/usr/bin/python3"),
        ("/usr/bin/python", "/usr/bin/python3"),
        ("/usr/local/bin/nginx", "/usr/bin/nginx"),
        ("/usr/sbin/ngnix", "/usr/bin/nginx"),
        ("node", "/opt/node/bin/node"),
        ("gunicorn", "/srv/app/venv/bin/gunicorn"),
        ("/opt/app/run", "/srv/app/run"),
        ("celery", ""),
        ("/usr/local/bin/text", ""),
    ],
)
def test_where_else_there_is_one_of_that_name(host: Path, program: str, meant: str) -> None:
    text = {"Service": {"WorkingDirectory": ["/srv/app"]}}
    assert found_elsewhere(program, "a.service", text, str(host)) == meant


def test_nobody_looks_into_a_root_of_its_own(host: Path) -> None:
    assert found_elsewhere("python", "a.service", {"Service": {"RootDirectory": ["/srv/jail"]}}, str(host)) == ""


def test_a_link_in_an_image_leads_to_no_program_of_the_host(host: Path) -> None:
    """The host has programs in /usr/bin that the image has not."""
    (host / "bin").symlink_to("/usr/bin")
    (host / "usr/local").mkdir()
    (host / "usr/local/bin").symlink_to("/bin")
    assert found_elsewhere("/opt/env", "a.service", {}, str(host)) == ""
    assert found_elsewhere("/opt/text", "a.service", {}, str(host)) == ""
    assert found_elsewhere("/opt/nginx", "a.service", {}, str(host)) == "/usr/local/bin/nginx"


def test_a_condition_on_what_an_image_has_behind_a_link(host: Path) -> None:
    """What is there already is not awaited."""
    (host / "app").symlink_to("/srv/app")
    condition = {"Unit": {"ConditionPathExists": ["/app/run"]}}
    assert look_for("/app/run/none", "a.service", "ExecStart", condition, str(host)).value == "absent"

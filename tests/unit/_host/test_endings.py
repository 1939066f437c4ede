# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a process ended, by what `systemctl show` prints: of which command, and what its status means."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import endings
from ansible_collections.unitwright.systemd.plugins.module_utils._host.endings import Ending, describe, ended

NEVER = {"Result": "exit-code", "ExecMainCode": "0", "ExecMainStatus": "0"}


def command(code: str, status: str, ignored: str = "no") -> str:
    """As 252 shows it."""
    return (
        f"{{ path=/bin/a ; argv[]=/bin/a ; ignore_errors={ignored} ; start_time=[Thu 2026-11-26 15:03:56 UTC] ; "
        f"stop_time=[Thu 2026-11-26 15:03:56 UTC] ; pid=97 ; code={code} ; status={status} }}"
    )


NOT_RUN = command("(null)", "0/0")


@pytest.mark.parametrize(
    ("shown", "ending", "said"),
    [
        ({}, Ending("", "", ""), "no result"),
        (
            {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "226"},
            Ending("", "exit status", "226"),
            "result exit-code, exit status 226 (NAMESPACE: a path of the sandbox is not there)",
        ),
        (
            {**NEVER, "ExecStartPre": command("exited", "226"), "ExecStart": NOT_RUN},
            Ending("ExecStartPre", "exit status", "226"),
            "result exit-code, exit status 226 (NAMESPACE: a path of the sandbox is not there) of ExecStartPre=",
        ),
        (
            {**NEVER, "ExecStartPre": "\n".join([command("exited", "0"), command("exited", "1")])},
            Ending("ExecStartPre", "exit status", "1"),
            "result exit-code, exit status 1 of ExecStartPre=",
        ),
        (
            {**NEVER, "ExecCondition": command("exited", "255"), "ExecStartPre": NOT_RUN},
            Ending("ExecCondition", "exit status", "255"),
            "result exit-code, exit status 255 of ExecCondition=",
        ),
        (
            {**NEVER, "Result": "signal", "ExecStartPre": command("killed", "9/KILL")},
            Ending("ExecStartPre", "signal", "9"),
            "result signal, signal 9 of ExecStartPre=",
        ),
        # One whose failure is ignored is none.
        (
            {**NEVER, "ExecStartPre": command("exited", "3", "yes"), "ExecStartPost": command("exited", "4")},
            Ending("ExecStartPost", "exit status", "4"),
            "result exit-code, exit status 4 of ExecStartPost=",
        ),
        (
            {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "0", "ExecStop": command("exited", "5")},
            Ending("ExecStop", "exit status", "5"),
            "result exit-code, exit status 5 of ExecStop=",
        ),
        # The main process has the word where it has failed, too.
        (
            {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "7", "ExecStop": command("exited", "5")},
            Ending("", "exit status", "7"),
            "result exit-code, exit status 7",
        ),
        (
            {"Result": "exit-code", "ExecMount": command("exited", "32")},
            Ending("ExecMount", "exit status", "32"),
            "result exit-code, exit status 32 of ExecMount=",
        ),
        (
            {"Result": "success", "ExecMainCode": "1", "ExecMainStatus": "0", "ExecStopPost": command("exited", "5")},
            Ending("", "exit status", "0"),
            "result success, exit status 0",
        ),
        (
            {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9"},
            Ending("", "signal", "9"),
            "result signal, signal 9",
        ),
    ],
)
def test_the_process_that_decides(shown: dict[str, str], ending: Ending, said: str) -> None:
    assert ended(shown) == ending
    assert describe(shown) == said


def test_a_missing_environment_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    (tmp_path / "a*b").touch()
    files = [
        f"{tmp_path}/there (ignore_errors=no)",
        f"{tmp_path}/*ere (ignore_errors=no)",
        f"{tmp_path}/a\\*b (ignore_errors=no)",
        f"{tmp_path}/optional (ignore_errors=yes)",
    ]
    shown = {"Result": "resources", "EnvironmentFiles": "\n".join(files)}
    assert "an address in use" in describe(shown)
    shown["EnvironmentFiles"] += f"\n{tmp_path}/x.env (ignore_errors=no)\n{tmp_path}/*.y (ignore_errors=no)"
    assert describe(shown) == (
        f"result resources (EnvironmentFile= {tmp_path}/x.env, {tmp_path}/*.y is not there: "
        "make it, or begin the value with -)"
    )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_steps_are_systemds() -> None:
    """245 came with 254, and 223 and 234 are of what no longer is."""
    done = subprocess.run(["systemd-analyze", "exit-status"], stdout=subprocess.PIPE, check=True, text=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    theirs = {int(row[1]): row[0] for row in rows if len(row) == 3 and row[2] == "systemd"}
    theirs.pop(255, None)
    ours = {code: text.partition(":")[0] for code, text in endings._STEPS.items()}
    assert {**ours, **theirs} == ours
    assert set(ours) - set(theirs) <= {245}

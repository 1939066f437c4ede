# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation's page of rules says what the rules say, and which of them hinder a run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "docsite" / "rst" / "rules.rst"


def severities() -> dict[str, str]:
    found = re.findall(r"^([a-z-]+)\n-+\n\n\*(\w+)\*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == len(dict(found))
    return dict(found)


@pytest.mark.parametrize("maker", ["rules", "hardening", "causes"])
def test_the_page_is_of_these_rules(maker: str) -> None:
    """In a process of its own, as only there no test has made a rule."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / ".build" / "source")}
    command = [sys.executable, "-m", f"tests.tooling.{maker}", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_passes_where_it_may_still_come() -> None:
    assert {name for name, severity in severities().items() if severity == "unverified"} == {
        "alert-program",
        "also-nowhere",
        "hardening-nowhere",
        "hardening-path",
        "health-program",
        "missing",
        "no-such-unit",
        "starts-nowhere",
        "trigger-missing",
    }


def test_what_is_noted_in_the_result_alone() -> None:
    noted = {name for name, severity in severities().items() if severity == "note"}
    assert noted == {"environment-file-unwatched"}


def test_what_is_told_and_hinders_nothing() -> None:
    assert {name for name, severity in severities().items() if severity == "warning"} == {
        "absent-nowhere",
        "specifier-empty",
        "stopped-nowhere",
        "advice",
        "answered-by-another",
        "covered",
        "background",
        "capability-passed-over",
        "date-format",
        "alias-moves",
        "displaced",
        "drill-harmed",
        "dropin-without-unit",
        "environment-file-export",
        "environment-secret",
        "environment-parted",
        "environment-variable",
        "never-elapses",
        "path-pattern",
        "environment-twice",
        "exposure-unknown",
        "hardening-refused",
        "hardening-undone",
        "hidden",
        "install-of-dropin",
        "install-passed-over",
        "also-passed-over",
        "kept",
        "lacking",
        "left-down",
        "look-alike",
        "no-instance",
        "no-linger",
        "no-such-target",
        "not-rendered",
        "one-path",
        "no-verify",
        "mount-options",
        "not-at-boot",
        "not-checked",
        "nothing-declared",
        "other-user",
        "unheeded",
        "outdated",
        "orphaned",
        "of-system",
        "overridden",
        "pulled-in",
        "shell",
        "short-secret",
        "slipped-option",
        "socket-in-runtime-folder",
        "stranger",
        "type-twice",
        "uncovered",
        "unseen",
        "variable-unset",
        "wants-nowhere",
    }


def test_the_page_is_in_the_documentation() -> None:
    listed = (ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8")
    assert re.search(r"^ +- rules$", listed, re.MULTILINE)

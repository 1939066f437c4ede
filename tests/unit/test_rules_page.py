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


@pytest.mark.parametrize("maker", ["rules", "hardening"])
def test_the_page_is_of_these_rules(maker: str) -> None:
    """In a process of its own, as only there no test has made a rule."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / ".build" / "source")}
    command = [sys.executable, "-m", f"tests.tooling.{maker}", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_passes_where_it_may_still_come() -> None:
    assert {name for name, severity in severities().items() if severity == "unverified"} == {
        "hardening-nowhere",
        "hardening-path",
        "missing",
        "no-such-unit",
        "starts-nowhere",
        "trigger-missing",
    }


def test_what_is_told_and_hinders_nothing() -> None:
    assert {name for name, severity in severities().items() if severity == "warning"} == {
        "advice",
        "dropin-without-unit",
        "exposure-unknown",
        "hardening-undone",
        "install-of-dropin",
        "kept",
        "lacking",
        "left-down",
        "no-instance",
        "no-linger",
        "no-such-target",
        "no-verify",
        "not-at-boot",
        "not-checked",
        "nothing-declared",
        "other-user",
        "outdated",
        "orphaned",
        "pulled-in",
        "shell",
        "stranger",
        "unseen",
        "wants-nowhere",
    }


def test_all_else_is_an_error() -> None:
    assert {name for name, severity in severities().items() if severity == "error"} == {
        # What a declaration or a host is refused for.
        *("absent", "alias", "become", "calendar", "command-words", "contradiction", "cron", "duplicate", "empty"),
        *("exposure", "exposure-raised", "hardening", "hardening-target"),
        *("empty-prune", "ends-run", "environment", "given-twice", "gone", "health-option", "host", "instance"),
        *("linked", "long-name", "masked", "max-removed", "member-state", "no-install", "no-process", "no-text"),
        *("of-host", "option", "ordering-cycle", "own-connection", "owner", "record", "refused-start", "refused-stop"),
        *("root", "secrets-global", "secrets-mapping", "short-option", "specifier", "stack-name", "start-limit"),
        *("syntax", "timer-unit", "trigger", "unfilled", "unit-name", "unknown-directive", "value", "verify"),
        # What may fail once a run has begun.
        *("daemon-reload", "dependency", "health", "job", "limits", "links", "stop", "unexpected", "write"),
        *("absent", "alias", "become", "contradiction", "duplicate", "empty", "empty-prune", "environment", "gone"),
        *("health", "host", "linked", "masked", "max-removed", "no-install", "no-process", "no-text", "not-judged"),
        *("option", "own-connection", "owner", "refused-start", "refused-stop", "root", "secrets-global"),
        *("specifier", "stack-name", "syntax", "trigger", "unit-name", "unknown-directive", "value", "verify"),
    }


def test_the_page_is_in_the_documentation() -> None:
    listed = (ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8")
    assert re.search(r"^ +- rules$", listed, re.MULTILINE)

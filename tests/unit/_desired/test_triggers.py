# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of EnvironmentFile= count by themselves, and that each document that speaks of it says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.triggers import environment_files, unwatched
from ansible_collections.unitwright.systemd.plugins.module_utils._host.scopes import scope_of
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problem, Severity

ROOT = Path(__file__).parents[3]


def notes(entry: dict[str, object], scope: str = "system") -> list[Problem]:
    return list(unwatched([entry], scope_of(scope)))


@pytest.mark.parametrize(
    ("path", "counts"),
    [("/etc/a.env", True), ("-/usr/lib/a.env", True), ("/opt/a/env", True), ("/run/a.env", False), ("/var/a", False)],
)
def test_files_of_the_configuration_count(path: str, counts: bool) -> None:
    entry = {"name": "a.service", "service": {"EnvironmentFile": path}}
    assert environment_files(entry) == ([path.lstrip("-")] if counts else [])
    assert [each.message.split()[6] for each in notes(entry)] == ([] if counts else [path.lstrip("-")])


@pytest.mark.parametrize(
    "triggers",
    [{"files": ["/srv/a.env"]}, {"environment_files": False}, None],
)
def test_a_file_elsewhere_is_noted_unless_its_entry_says_what_is_meant(triggers: dict[str, object] | None) -> None:
    entry = {"name": "a.service", "content": "[Service]\nEnvironmentFile=-/srv/a.env\n", "triggers": triggers}
    found = [(each.unit, each.directive, each.rule.severity) for each in notes(entry)]
    assert found == ([] if triggers else [("a.service", "EnvironmentFile", Severity.NOTE)])
    assert notes(entry, "global") == []
    assert notes({**entry, "content": "[Service]\nEnvironmentFile=/srv/%N.env\n"}) == []


@pytest.mark.parametrize(
    ("document", "about"),
    [
        ("README.md", "something changes that a process keeps from its start"),
        ("docs/guarantees.md", "tell a change of a program's own files"),
        ("docs/docsite/rst/guide_day.rst", "name its file under ``triggers``"),
        ("plugins/doc_fragments/texts.py", "Whether a file of C(EnvironmentFile=)"),
    ],
)
def test_a_document_names_their_folders(document: str, about: str) -> None:
    _before, found, after = (ROOT / document).read_text(encoding="utf-8").partition(about)
    assert found
    assert [match[1] for match in re.finditer(r"[`(](/[a-z]+)[`)]", after)][:3] == ["/etc", "/usr", "/opt"]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of EnvironmentFile= count by themselves, and that each document that speaks of it says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.triggers import environment_files

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("path", "counts"),
    [("/etc/a.env", True), ("-/usr/lib/a.env", True), ("/opt/a/env", True), ("/run/a.env", False), ("/var/a", False)],
)
def test_files_of_the_configuration_count(path: str, counts: bool) -> None:
    assert environment_files({"service": {"EnvironmentFile": path}}) == ([path.lstrip("-")] if counts else [])


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

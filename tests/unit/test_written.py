# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What YAML has made another text of is told, and what it is only one spelling of is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.values import (
    WRITTEN,
    command_line,
    environment_value,
    to_values,
)
from ansible_collections.unitwright.systemd.plugins.plugin_utils._written import as_written


def loaded(folder: Path, text: str) -> Any:
    path = folder / "args.yml"
    path.write_text(text, encoding="utf-8")
    return DataLoader().load_from_file(str(path))


TEXTS = {
    "0644": "420",
    "010": "8",
    "12:30": "750",
    "12:30:45": "45045",
    "1_000": "1000",
    "0x1F": "31",
    "0b11": "3",
    "+5": "5",
    "1.10": "1.1",
    "2024-01-01 10:00:00": "2024-01-01T10:00:00",
    "&mode 0644": "420",
}
AS_THEY_ARE = [
    "8080",
    "0",
    "-1",
    "1.5",
    "1e3",
    "0o17",
    "08",
    "2024-01-01",
    "yes",
    '"0644"',
    "12:60",
    "1.2.3",
    "~",
    "[]",
]


@pytest.mark.parametrize("place", ["environment: {A: %s}", "environment:\n  A: %s # a comment", "argv: [a, %s]"])
@pytest.mark.parametrize("written", TEXTS)
def test_texts(tmp_path: Path, place: str, written: str) -> None:
    marked = as_written(loaded(tmp_path, place % written))
    value = marked["argv"][1] if "argv" in marked else marked["environment"]["A"]
    assert value == {WRITTEN: [written.removeprefix("&mode "), TEXTS[written]]}


@pytest.mark.parametrize("written", AS_THEY_ARE)
def test_texts_as_they_are(tmp_path: Path, written: str) -> None:
    given = loaded(tmp_path, f"environment: {{A: {written}}}\nargv: [{written}]")
    assert as_written(given) == given


@pytest.mark.parametrize("written", ["0644", "-010", "1:30", "12:30:45", "1:30.5"])
@pytest.mark.parametrize("place", ["service: {TimeoutSec: %s}", "restart_sec: %s", "service: {X: [a, %s]}"])
def test_directives(tmp_path: Path, place: str, written: str) -> None:
    assert WRITTEN in repr(as_written(loaded(tmp_path, place % written)))


@pytest.mark.parametrize("written", ["65_536", "0x1F", "+5", "1.10", "5", "0", "2024-01-01 10:00:00"])
def test_a_number_that_a_directive_takes(tmp_path: Path, written: str) -> None:
    given = loaded(tmp_path, f"service: {{LimitNOFILE: {written}}}\nrestart_sec: {written}")
    assert as_written(given) == given


@pytest.mark.parametrize(
    "place",
    [
        "units: [{name: a, environment: {A: 0644}}]",
        "defaults: {environment: {A: 0644}}",
        "services: [{name: a, instances: [{name: b, environment: {A: 0644}}]}]",
        "service: {Environment: {A: 0_1}}",
        "timers: [{name: a, argv: [a, 0644]}]",
    ],
)
def test_wherever_it_is(tmp_path: Path, place: str) -> None:
    assert WRITTEN in repr(as_written(loaded(tmp_path, place)))


@pytest.mark.parametrize("place", ["health: {timeout: 1:30}", "max_removed: 010", "secrets: {A: 0644}", "x: 0644"])
def test_what_becomes_no_text(tmp_path: Path, place: str) -> None:
    given = loaded(tmp_path, place)
    assert as_written(given) == given


def test_what_was_written_in_no_file() -> None:
    assert as_written({"environment": {"A": 420}}) == {"environment": {"A": 420}}


def test_what_is_sent_is_refused() -> None:
    sent = {WRITTEN: ["0644", "420"]}
    for refused in (
        lambda: environment_value("A", sent),
        lambda: command_line(["/bin/a", sent], is_template=False),
        lambda: to_values(sent, None, "Nice"),
        lambda: to_values({"A": sent}, None, "Environment"),
    ):
        with pytest.raises(Refused, match=r"^YAML made 420 of 0644: quote it, or write 420 if that is meant$"):
            refused()

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What YAML has made another text of is told, and what it is only one spelling of is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.values import (
    WRITTEN,
    command_line,
    environment_value,
    to_values,
)
from ansible_collections.unitwright.systemd.plugins.plugin_utils._written import as_written, looks_at


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


@pytest.mark.parametrize("place", ["environment: 0644", "argv: 0644", "service: 0644", "units: 0644", "defaults: 0644"])
def test_what_is_no_mapping_and_no_list_is_ansibles_to_refuse(tmp_path: Path, place: str) -> None:
    """A mark there would be taken for the mapping that is wanted."""
    given = loaded(tmp_path, place)
    assert as_written(given) == given


NAMES = {
    "010": "8",
    "1_0": "10",
    "1:30": "90",
    "0x10": "16",
    "1.10": "1.1",
    "+5": "5",
    "on": "True",
    "no": "False",
}


@pytest.mark.parametrize("written", NAMES)
@pytest.mark.parametrize(
    ("module", "place", "path"),
    [
        ("service", "name: %s", "name"),
        ("stack", "name: %s", "name"),
        ("stack", "adopt: [%s]", "adopt 0"),
        ("stack", "services: [{name: %s}]", "services 0 name"),
        ("stack", "services: [{name: a, instances: [b, %s]}]", "services 0 instances 1"),
        ("unit", "instances: [{name: %s}]", "instances 0 name"),
        ("stack", "dropins: [{name: a.service, dropin: %s}]", "dropins 0 dropin"),
        ("stack", "targets: [{name: a, members: [%s]}]", "targets 0 members 0"),
        ("stack", "targets: [{name: a, members: %s}]", "targets 0 members 0"),
        ("socket", "supplementary_groups: [%s]", "supplementary_groups 0"),
        ("timer", "timezone: %s", "timezone"),
        ("stack", "services: [{name: a, health: {tcp: %s}}]", "services 0 health tcp"),
        ("unit_info", "names: [%s]", "names 0"),
        ("drill", "name: %s", "name"),
    ],
)
def test_names(tmp_path: Path, module: str, place: str, path: str, written: str) -> None:
    value = as_written(loaded(tmp_path, place % written), module)
    for step in path.split():
        value = value[int(step) if step.isdigit() else step]
    # Where a truth value was written is not known.
    assert value == {WRITTEN: ["" if written in ("on", "no") else written, NAMES[written]]}


@pytest.mark.parametrize("written", ["10", "0", "-1", "08", "0o10", "1e3", "web", '"010"', "'on'", "~", "2024-01-01"])
def test_names_as_they_are(tmp_path: Path, written: str) -> None:
    text = "name: %s\ninstances: [%s, {name: %s}]\nsupplementary_groups: [%s]\nrestart: no\nenabled: on"
    given = loaded(tmp_path, text.replace("%s", written))
    assert as_written(given, "service") == given


@pytest.mark.parametrize(
    "place", ["environment: {NO: a}", "secrets: {ON: a}", "credentials: {off: a}", "unit: {on: 1}"]
)
def test_a_name_before_a_colon(tmp_path: Path, place: str) -> None:
    (marked,) = as_written(loaded(tmp_path, place), "service").values()
    ((key, value),) = marked.items()
    assert value == {WRITTEN: ["the name before a colon (such as yes, no, on, off)", str(key)]}


def test_each_module_is_held_to_its_specification() -> None:
    modules = {path.stem for path in (Path(__file__).parents[2] / "plugins" / "modules").glob("*.py")}
    for module in modules:
        name = "names" if module == "unit_info" else "name"
        assert WRITTEN in str(as_written({name: True}, module))


# Options that hold others, or texts, and are not looked at.
EXCEPTED = {
    "triggers": "of which only counts that they change",
    "alert": "addresses and commands, in a mapping of its own",
    "health": "numbers, which Ansible holds to that, and a command of texts",
    "hardening": "words of ours, and paths",
    "depends_on": "names of units",
    "name": "of an instance, which is looked at with it",
}


def options_in(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, option in spec.items():
        if name not in EXCEPTED:
            yield name, option
            yield from options_in(option.get("options", {}))


def test_no_option_is_forgotten() -> None:
    """Lists of str and path are names, which are no numbers."""
    every = {**dict(options_in(options.stack())), **dict(options_in(options.instance()))}
    wanted = {
        name
        for name, option in every.items()
        if option["type"] in ("dict", "raw") or (option["type"] == "list" and option.get("elements") in ("dict", "raw"))
    }
    assert {name for name in wanted if not looks_at(name)} == set()
    assert {*options.FORMS, *options.SECTION_OPTIONS, "instances", "argv", "environment"} <= wanted
    assert not [name for name in EXCEPTED if looks_at(name)]


def test_what_was_written_in_no_file() -> None:
    assert as_written({"environment": {"A": 420}}) == {"environment": {"A": 420}}


def test_what_is_sent_is_refused() -> None:
    sent = {WRITTEN: ["0644", "420"]}
    for refused in (
        lambda: command_line(["/bin/a", sent], is_template=False),
        lambda: command_line([sent], is_template=False),
        lambda: command_line([["a"], sent], is_template=False),
        lambda: to_values(sent, None, "Nice"),
    ):
        with pytest.raises(Refused, match=r"^YAML made 420 of 0644: quote it, or write 420 if that is meant$"):
            refused()


def test_of_a_variable_it_has_the_name() -> None:
    sent = {WRITTEN: ["0644", "420"]}
    told = r"^environment variable A: YAML made 420 of 0644: quote it, or write 420 if that is meant$"
    for refused in (lambda: environment_value("A", sent), lambda: to_values({"A": sent}, None, "Environment")):
        with pytest.raises(Refused, match=told):
            refused()


def test_what_would_be_refused_as_well_is_not_proposed() -> None:
    clock, rounded, mode = ({WRITTEN: each} for each in (["12:30", "750"], ["2.50", "2.5"], ["0077", "63"]))
    for refused in (
        lambda: to_values(clock, None, "OnCalendar"),
        lambda: environment_value("A", rounded),
        lambda: command_line(["/bin/a", rounded], is_template=False),
        lambda: to_values(mode, "MODE", "UMask"),
    ):
        with pytest.raises(Refused, match=r"quote it$"):
            refused()


def test_a_truth_value_is_told_without_what_it_comes_to() -> None:
    with pytest.raises(Refused, match=r"^YAML made True of it \(a word such as yes, no, on, off\): quote it$"):
        to_values({WRITTEN: ["", "True"]}, None, "User")


def test_a_word_that_holds_others_is_refused_without_the_mark() -> None:
    for word in ([{WRITTEN: ["0644", "420"]}], {"a": {WRITTEN: ["0644", "420"]}}):
        with pytest.raises(Refused, match=r"^a word of it is a (list|mapping): write text$"):
            command_line([word], is_template=False)

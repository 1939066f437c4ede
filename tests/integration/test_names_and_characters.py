# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name or character that means harm gets an error of its own, and nothing is written, or it is taken as it is."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import UNITS, Entry, app, merged, program, service
from .lab import Lab

NAMES = [
    "",
    ".",
    "..",
    "x",
    "x.conf",
    "x.servicee",
    "x.service.d",
    "x.service.wants",
    ".x.service",
    ".service",
    "@.service",
    "@x.service",
    "x y.service",
    "x\n.service",
    "x.service\n",
    "x\0.service",
    "x\x1b[31m.service",
    "é.service",
    "x'.service",
    "$(touch /run/hurt).service",
    "../x.service",
    "x/../../y.service",
    "/etc/cron.d/x.service",
    "x.service/../../../cron.d/x",
    "x@../../y.service",
    "x@a/b.service",
    "a--b.slice",
    "x@y.slice",
    "x" * 250 + ".service",
]


def assert_refused_one_by_one(host: Lab, units: list[Entry], **more: Any) -> None:
    """Every unit has an error of its own, and nothing is written."""
    result = host.refused(*units, **more)
    blamed = {error["unit"] for error in result["errors"]}
    assert not [entry["name"] for entry in units if entry["name"] not in blamed], result["msg"]
    assert "unexpected" not in result["msg"]
    assert host.no_record()


def test_names_that_leave_the_folder_or_name_something_else(host: Lab) -> None:
    assert_refused_one_by_one(host, [{**app(1), "name": name} for name in NAMES])
    assert not host.exists("/run/hurt")


def test_names_of_dropins(host: Lab) -> None:
    names = ["", ".", "..", ".x", "../x", "a/b", "/etc/x", "a\nb", "a\0b", "a\x1bb", "x" * 300, "\ud800"]
    dropins = [{"name": f"u{n}.service", "dropin": name, "service": {"Nice": 1}} for n, name in enumerate(names)]
    result = host.refused(dropins=dropins)
    assert {error["unit"] for error in result["errors"]} == {f"u{number}.service" for number in range(len(names))}


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\nb", "a b", "a.service", "x" * 65, "é", "-a"])
def test_names_of_stacks(host: Lab, name: str) -> None:
    result = host.refused(app(1), name=name)
    if name != "a.service":  # that owns what the module of one unit wrote
        host.refused(app(1), adopt=[name])
    assert "cannot name a stack" in result["msg"]


@pytest.mark.parametrize(
    "name", ["../a.service", "a.service.d-../x", "a.service.d-", "a.service.d-a\nb", "a.fnord", "."]
)
def test_names_of_owners_to_adopt(host: Lab, name: str) -> None:
    host.refused(app(1), adopt=[name])


def test_instances(host: Lab) -> None:
    names = ["", "a/b", "../x", "a b", "a\nb", "a\0b", "é", "x" * 250]
    units = [{**app(1), "name": f"u{n}@.service", "instances": [name]} for n, name in enumerate(names)]
    assert_refused_one_by_one(host, units)


# Nothing of this may stand in one line of a unit file.
BREAKS = [
    "a\nExecStart=/bin/hurt",
    "a\r\nUser=root",
    "a\rb",
    "a\0b",
    "a\x1b[31mb",
    "a\x7fb",
    "a\x85b",
    "a\ud800b",
    "a\\",
]


def numbered(entries: list[Entry]) -> list[Entry]:
    return [merged(app(1, f"u{number}"), entry) for number, entry in enumerate(entries)]


def test_line_breaks_and_control_characters_in_values(host: Lab) -> None:
    sections = [("unit", "Description"), ("service", "ExecStart"), ("service", "X-Own"), ("install", "WantedBy")]
    values = [{section: {directive: value}} for section, directive in sections for value in BREAKS]
    assert_refused_one_by_one(host, numbered(values))


# What smuggles another assignment, or a whole section, in the place of a name.
KEYS = [
    "",
    " ",
    "ExecStart=/bin/hurt\nUser",
    "X-Own\nUser",
    "X-Own=1\n[Service]\nUser",
    "X-Own]\n[Service",
    "X-Own ",
    "X-Ow\0n",
    "#User",
    "[Service]",
    "User\\",
    "X-é",
]


def test_names_of_directives_that_smuggle_others(host: Lab) -> None:
    assert_refused_one_by_one(host, numbered([{"service": {key: "x"}} for key in KEYS]))


CONTENTS = [
    "[Service]\nExecStart=/bin/true\0\n",
    "[Service]\nExecStart=/bin/true\rUser=root\n",
    "[Service]\n# a comment\rUser=root\n",
    "[Service]\nExecStart=/bin/true\x1b[31m\n",
    "[Service]\nExecStart=/bin/true\n[Install]]\nWantedBy=x.target\n",
    "[Service]\nExecStart=/bin/true\n[X-A\n[Service]\nFnord=1\n",
    "[Service]\nExecStart=/bin/true\n[Timer]\nOnCalendar=daily\n",
    "[Service]\nExecStart=/bin/true\nUser\n",
    "[Service]\nExecStart=/bin/\ud800\n",
    "# half \ud800\n[Service]\nExecStart=/bin/true\n",
    "ExecStart=/bin/true\n",
]


def test_texts_that_smuggle(host: Lab) -> None:
    units = [{"name": f"u{number}.service", "content": text} for number, text in enumerate(CONTENTS)]
    assert_refused_one_by_one(host, units)


HEALTH: list[Entry] = [
    {"timeout": float("nan")},
    {"timeout": float("inf")},
    {"timeout": 0},
    {"stable_for": float("inf")},
    {"stable_for": float("nan")},
    {"stable_for": -1},
    {"tcp": "localhost"},
    {"tcp": "localhost:0"},
    {"tcp": "localhost:65536"},
    {"tcp": "localhost:²"},
    {"tcp": "local\nhost:1"},
    {"tcp": "x" * 64 + ":1"},
    {"unix": "/run/a\0b"},
    {"http": "ftp://localhost/"},
    {"http": "http://"},
    {"http": "http://localhost/\r\nX-Injected: 1"},
    {"http": "http://localhost:99999/"},
    {"http": "http://[::1"},
    {"command": [""]},
    {"command": ["/bin/true", "a\0b"]},
    {"command": ["/bin/true", "\ud800"]},
]


def test_health(host: Lab) -> None:
    assert_refused_one_by_one(host, numbered([{"health": health} for health in HEALTH]))


# Each a whole entry beside its name.
OTHERS: list[Entry] = [
    {"environment": {"A=B": "x"}},
    {"environment": {"A\nB": "x"}},
    {"environment": {"": "x"}},
    {"environment": {"A": "x\0y"}},
    {"secrets": {"A=B": "some secret"}},
    {"secrets": {"A\nB": "some secret"}},
    {"secrets": {"A": "some\0secret"}},
    {"credentials": {"": "some secret"}},
    {"credentials": {"..": "some secret"}},
    {"credentials": {"a/b": "some secret"}},
    {"credentials": {"a:b": "some secret"}},
    {"credentials": {"a\nb": "some secret"}},
    {"credentials": {"a\0b": "some secret"}},
    {"credentials": {"%n": "some secret"}},
    {"credentials": {"x" * 256: "some secret"}},
    {"triggers": {"files": ["/etc/hostname\0"]}},
    {"triggers": {"files": ["relative"]}},
    {"triggers": {"files": ["/etc/\ud800"]}},
    {"credentials": {"a": "half \ud800"}},
    {"environment": {"A": "\ud800"}},
    {"secrets": {"A": "\ud800"}},
    {"service": {"Environment": {"A\nB": "x"}}},
    {"service": {"ExecStart": ["/bin/true", "/bin/true\nUser=root"]}},
]


def test_the_other_options(host: Lab) -> None:
    assert_refused_one_by_one(host, numbered(OTHERS))


def test_the_same_in_dropins(host: Lab) -> None:
    dropins = [
        {"name": f"u{number}.service", "dropin": "x", "service": {"Nice": 1}, **entry}
        for number, entry in enumerate([*OTHERS, *({"service": {key: "x"}} for key in KEYS)])
    ]
    result = host.refused(dropins=dropins)
    assert {error["unit"] for error in result["errors"]} == {each["name"] for each in dropins}


def test_nothing_of_a_declaration_with_one_mistake_is_done(host: Lab) -> None:
    host.apply(app(1, "first"), app(1, "second"))
    result = host.refused(app(2, "first"), app(2, "second", service={"User": "a\nb"}), prune=True)
    assert [error["unit"] for error in result["errors"]] == ["second.service"]


def test_check_mode_says_the_same_and_writes_nothing(host: Lab) -> None:
    hostile = app(1, service={"ExecStart": "/bin/true\nUser=root"})
    assert host.refused(hostile, check_mode=True)["msg"] == host.refused(hostile)["msg"]


def test_a_dropin_whose_name_is_full_of_specifiers(host: Lab) -> None:
    host.apply(app(1))
    dropin = {"name": "app.service", "dropin": "50 %n 100%", "secrets": {"TOKEN": "found it"}}
    host.apply(app(1), dropins=[dropin])
    assert host.environment("app.service")["TOKEN"] == "found it"


def test_names_that_look_like_options_are_names(host: Lab) -> None:
    entry = {**app(1, "dashes"), "name": "--now.service"}
    host.apply(entry)
    assert host.state("--now.service") == "active"
    assert host.exists(f"{UNITS}/multi-user.target.wants/--now.service")
    assert not host.apply(entry)["changed"]
    host.apply({**entry, "service": {"ExecStart": program(2, "dashes")}})
    host.apply({"name": "--now.service", "state": "absent"})
    assert not host.exists(f"{UNITS}/--now.service")


def test_a_name_that_leaves_no_room_for_its_secrets(host: Lab) -> None:
    name = "n" * 244 + ".service"
    result = host.refused(service("n" * 244, secrets={"TOKEN": "some secret"}))
    assert [(error["unit"], error["rule"]) for error in result["errors"]] == [(name, "long-name")]
    for secret in ("some secret", "another secret"):  # of the longest name that has room, systemd can note nothing
        result = host.settled(service("n" * 243, secrets={"TOKEN": secret}))
    assert result["restarted"] == ["n" * 243 + ".service"]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared is what the process gets: sections, lists, resets, and every odd character."""

from __future__ import annotations

import pytest

from tests.integration.support import FOREVER, PROGRAMS, Stack, environment
from tests.integration.world import show
from tests.testbed.host import Host

ODD = {
    "PERCENT": "100% %n %%",
    "DOLLAR": "$HOME ${HOME} $$",
    "QUOTES": 'it\'s "so"',
    "BACKSLASH": "C:\\new\\x41 \\",
    "UNICODE": "grüße 漢字 🎛",
    "SPACES": "  two  spaces  ",
    "TAB": "a\tb",
    "LINES": "one\ntwo\n",
    "EMPTY": "",
    "EQUALS": "a=b=c",
    "HASH": "# no comment",
    "SEMICOLON": "; a ; b",
    "BACKTICK": "`id`",
    "BELL": "\a\x1b[0m",
}


def test_environment_arrives_byte_for_byte(stack: Stack) -> None:
    unit = stack.service(environment=ODD)
    stack.settled(unit)
    seen = environment(stack.host, unit["name"])
    assert {name: seen.get(name) for name in ODD} == ODD


def test_secrets_arrive_byte_for_byte(stack: Stack) -> None:
    unit = stack.service(secrets={f"S_{name}": value for name, value in ODD.items() if name != "BELL"})
    stack.settled(unit)
    seen = environment(stack.host, unit["name"])
    assert {name: seen.get(f"S_{name}") for name in ODD if name != "BELL"} == {
        name: value for name, value in ODD.items() if name != "BELL"
    }


def test_environment_as_a_mapping_in_the_section_is_the_same(stack: Stack) -> None:
    unit = stack.service(service={"Environment": ODD})
    stack.settled(unit)
    seen = environment(stack.host, unit["name"])
    assert {name: seen.get(name) for name in ODD} == ODD


def test_numbers_of_yaml_arrive_as_such(stack: Stack) -> None:
    unit = stack.service(environment={"NUMBER": 8080, "NEGATIVE": -1})
    stack.apply(unit)
    seen = environment(stack.host, unit["name"])
    assert (seen["NUMBER"], seen["NEGATIVE"]) == ("8080", "-1")


def test_a_name_with_a_backslash_takes_secrets(stack: Stack) -> None:
    """systemd takes EnvironmentFile= for a pattern, in which a backslash quotes."""
    unit = stack.service("a\\x20b", secrets={"TOKEN": "not-to-be-seen"})
    stack.settled(unit)
    assert environment(stack.host, unit["name"])["TOKEN"] == "not-to-be-seen"


def test_a_byte_order_mark_is_left_out(stack: Stack) -> None:
    unit = {"name": stack.unit("main.service"), "content": f"\ufeff[Service]\nExecStart={FOREVER}\n"}
    assert stack.settled(unit)["newly_started"] == [unit["name"]]


def test_secrets_win_over_environment(stack: Stack) -> None:
    unit = stack.service(environment={"A": "open", "B": "open"}, secrets={"A": "hidden"})
    stack.apply(unit)
    seen = environment(stack.host, unit["name"])
    assert (seen["A"], seen["B"]) == ("hidden", "open")


def test_command_lines_are_systemds_own_language(stack: Stack) -> None:
    command = "/bin/sh -c 'echo \"$$0 $$1 %%\" > /run/%N.words; exec sleep infinity' %p ${WORDS}"
    unit = stack.service(command=command, environment={"WORDS": "a b"})
    stack.apply(unit)
    trace = f"/run/{stack.unit('main')}.words"
    assert stack.host.read(trace) == f"{stack.unit('main')} a b %\n"
    stack.host.sh(f"rm {trace}")


def test_a_list_repeats_and_an_empty_string_resets(stack: Stack) -> None:
    trace = f"/run/{stack.name}.order"
    steps = ["/bin/false", "", f"/bin/sh -c 'echo 1 >> {trace}'", f"/bin/sh -c 'echo 2 >> {trace}'"]
    unit = stack.service(service={"ExecStartPre": steps, "ExecStopPost": f"/bin/rm {trace}"})
    stack.settled(unit)
    assert stack.host.read(trace) == "1\n2\n"


def test_booleans_numbers_and_spans_mean_what_they_say(stack: Stack) -> None:
    directives = {"PrivateTmp": True, "NoNewPrivileges": False, "LimitNOFILE": 1234, "TimeoutStopSec": 1.5, "Nice": -3}
    unit = stack.service(service={**directives, "UMask": "0027"})
    stack.settled(unit)
    seen = [show(stack.host, unit["name"], name) for name in ("PrivateTmp", "LimitNOFILE", "TimeoutStopUSec", "UMask")]
    assert seen == ["yes", "1234", "1.500000s", "0027"]


@pytest.mark.parametrize("value", ['My Pi\'s "API" — 100%% ünïcode', "ends in a doubled backslash \\\\", "a; b # c"])
def test_descriptions_keep_their_characters(stack: Stack, value: str) -> None:
    unit = stack.service(unit={"Description": value})
    stack.settled(unit)
    assert stack.show("main.service", "Description") == value.replace("%%", "%")


def test_sections_of_the_users_own_are_kept(stack: Stack) -> None:
    content = "[Service]\nExecStart=/bin/sleep infinity\nX-Note=mine\n\n[X-Mine]\nAny=thing\n"
    stack.settled({"name": stack.unit("own.service"), "content": content})
    assert "[X-Mine]\nAny=thing" in stack.host.read(stack.path("own.service"))


@pytest.fixture(scope="module")
def _credentials(host: Host) -> None:
    if not host.sh(
        "systemd-run -qP --collect -p LoadCredential=x:/etc/hostname sh -c 'cat $CREDENTIALS_DIRECTORY/x'", check=False
    ):
        pytest.skip("this systemd hands out no credentials in a container of this kind")


@pytest.mark.usefixtures("_credentials")
def test_a_credential_is_a_file_that_only_the_service_reads(stack: Stack) -> None:
    command = "/bin/sh -c 'cat $${CREDENTIALS_DIRECTORY}/token > /run/%N.seen; exec sleep infinity'"
    value = 'multi\nline $x %y \\ "q"\n'
    stack.settled(stack.service(command=command, credentials={"token": value}))
    trace = f"/run/{stack.unit('main')}.seen"
    assert stack.host.read(trace) == value
    stack.host.sh(f"rm {trace}")


def test_a_drop_in_adds_to_the_environment_of_a_unit(stack: Stack) -> None:
    unit = stack.service(environment={"A": "1", "B": "1"})
    dropin = {"name": unit["name"], "dropin": "50-more", "environment": {"B": "2"}, "secrets": {"C": "3"}}
    stack.settled(unit, dropins=[dropin])
    seen = environment(stack.host, unit["name"])
    assert (seen["A"], seen["B"], seen["C"]) == ("1", "2", "3")


def test_instances_see_their_own_name(stack: Stack) -> None:
    template = {
        "name": stack.unit("w@.service"),
        "service": {"ExecStart": f"/usr/bin/python3 -c 'import time; time.sleep(1e6)' {PROGRAMS}"},
        "environment": {"LITERAL": "%i"},
        "instances": ["x-y"],
    }
    template["service"]["Environment"] = "INSTANCE=%i"
    stack.settled(template)
    seen = environment(stack.host, stack.unit("w@x-y.service"))
    assert (seen["INSTANCE"], seen["LITERAL"]) == ("x-y", "%i")

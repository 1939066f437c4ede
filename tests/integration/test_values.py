# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared is what the process gets: sections, lists, resets, and every odd character."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, UNITS, Entry, app, service
from .lab import Lab

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


def test_environment_arrives_byte_for_byte(host: Lab) -> None:
    unit = service(environment=ODD)
    host.settled(unit)
    seen = host.environment(unit["name"])
    assert {name: seen.get(name) for name in ODD} == ODD


def test_secrets_arrive_byte_for_byte(host: Lab) -> None:
    unit = service(secrets={f"S_{name}": value for name, value in ODD.items() if name != "BELL"})
    host.settled(unit)
    seen = host.environment(unit["name"])
    assert {name: seen.get(f"S_{name}") for name in ODD if name != "BELL"} == {
        name: value for name, value in ODD.items() if name != "BELL"
    }


def test_environment_as_a_mapping_in_the_section_is_the_same(host: Lab) -> None:
    unit = service(service={"Environment": ODD})
    host.settled(unit)
    seen = host.environment(unit["name"])
    assert {name: seen.get(name) for name in ODD} == ODD


def test_numbers_of_yaml_arrive_as_such(host: Lab) -> None:
    unit = service(environment={"NUMBER": 8080, "NEGATIVE": -1})
    host.apply(unit)
    seen = host.environment(unit["name"])
    assert (seen["NUMBER"], seen["NEGATIVE"]) == ("8080", "-1")


def test_a_name_with_a_backslash_takes_secrets(host: Lab) -> None:
    """systemd takes EnvironmentFile= for a pattern, in which a backslash quotes."""
    unit = service("a\\x20b", secrets={"TOKEN": "not-to-be-seen"})
    host.settled(unit)
    assert host.environment(unit["name"])["TOKEN"] == "not-to-be-seen"


def test_a_byte_order_mark_is_left_out(host: Lab) -> None:
    unit = {"name": "main.service", "content": f"\ufeff[Service]\nExecStart={FOREVER}\n"}
    assert host.settled(unit)["newly_started"] == [unit["name"]]


def test_secrets_win_over_environment(host: Lab) -> None:
    unit = service(environment={"A": "open", "B": "open"}, secrets={"A": "hidden"})
    host.apply(unit)
    seen = host.environment(unit["name"])
    assert (seen["A"], seen["B"]) == ("hidden", "open")


def test_command_lines_are_systemds_own_language(host: Lab) -> None:
    command = f"/bin/sh -c 'echo \"$$0 $$1 %%\" > {NOTES}/%N.words; exec sleep infinity' %p ${{WORDS}}"
    unit = service(command=command, environment={"WORDS": "a b"})
    host.apply(unit)
    assert host.read(f"{NOTES}/main.words") == "main a b %\n"


def test_a_list_repeats_and_an_empty_string_resets(host: Lab) -> None:
    trace = f"{NOTES}/order"
    steps = ["/bin/false", "", f"/bin/sh -c 'echo 1 >> {trace}'", f"/bin/sh -c 'echo 2 >> {trace}'"]
    unit = service(service={"ExecStartPre": steps, "ExecStopPost": f"/bin/rm {trace}"})
    host.settled(unit)
    assert host.read(trace) == "1\n2\n"


def test_booleans_numbers_and_spans_mean_what_they_say(host: Lab) -> None:
    directives = {"PrivateTmp": True, "NoNewPrivileges": False, "LimitNOFILE": 1234, "TimeoutStopSec": 1.5, "Nice": -3}
    unit = service(service={**directives, "UMask": "0027"})
    host.settled(unit)
    seen = [host.show(unit["name"], name) for name in ("PrivateTmp", "LimitNOFILE", "TimeoutStopUSec", "UMask")]
    assert seen == ["yes", "1234", "1.500000s", "0027"]


@pytest.mark.parametrize("value", ['My Pi\'s "API" — 100%% ünïcode', "ends in a doubled backslash \\\\", "a; b # c"])
def test_descriptions_keep_their_characters(host: Lab, value: str) -> None:
    unit = service(unit={"Description": value})
    host.settled(unit)
    assert host.show("main.service", "Description") == value.replace("%%", "%")


def test_sections_of_the_users_own_are_kept(host: Lab) -> None:
    content = "[Service]\nExecStart=/bin/sleep infinity\nX-Note=mine\n\n[X-Mine]\nAny=thing\n"
    host.settled({"name": "own.service", "content": content})
    assert "[X-Mine]\nAny=thing" in host.read(f"{UNITS}/own.service")


@pytest.fixture(scope="module")
def _credentials(host: Lab) -> None:
    if not host.sh(
        "systemd-run -qP --collect -p LoadCredential=x:/etc/hostname sh -c 'cat $CREDENTIALS_DIRECTORY/x'", check=False
    ):
        pytest.skip("this systemd hands out no credentials in a container of this kind")


@pytest.mark.usefixtures("_credentials")
def test_a_credential_is_a_file_that_only_the_service_reads(host: Lab) -> None:
    command = f"/bin/sh -c 'cat $${{CREDENTIALS_DIRECTORY}}/token > {NOTES}/%N.seen; exec sleep infinity'"
    value = 'multi\nline $x %y \\ "q"\n'
    host.settled(service(command=command, credentials={"token": value}))
    assert host.read(f"{NOTES}/main.seen") == value


def test_a_drop_in_adds_to_the_environment_of_a_unit(host: Lab) -> None:
    unit = service(environment={"A": "1", "B": "1"})
    dropin = {"name": unit["name"], "dropin": "50-more", "environment": {"B": "2"}, "secrets": {"C": "3"}}
    host.settled(unit, dropins=[dropin])
    seen = host.environment(unit["name"])
    assert (seen["A"], seen["B"], seen["C"]) == ("1", "2", "3")


def test_a_program_is_given_exactly_what_was_declared(host: Lab) -> None:
    """What is special to shells, to systemd or to files is data in an environment, a secret and a credential."""
    wild = "a\nb \\n \"q\" 'p' $HOME ${A} %n %% `id` ; # \t é \u2028 end\n"
    names: Entry = {"environment": {"PLAIN": wild}, "secrets": {"SECRET": wild}, "credentials": {"key": wild + "\0"}}
    host.apply(app(1, triggers={"values": [wild, "\0"]}, **names))
    environ = host.environment("app.service")
    assert environ["PLAIN"] == wild
    assert environ["SECRET"] == wild
    credential = host.run("cat", "/etc/unitwright/test/app.service.credentials/key")
    assert credential.stdout == (wild + "\0").encode()


def test_values_of_a_megabyte(host: Lab) -> None:
    """A line that systemd would fail to load is refused; a secret or a credential of that size is none."""
    million = "x" * 1_000_000
    host.refused(app(1, unit={"Description": million + million[:60_000]}))
    host.refused(app(1, environment={"BIG": million + million[:60_000]}))
    host.apply(app(1, "line", unit={"X-Big": million}), app(1, "file", credentials={"big": million}))
    assert len(host.read("/etc/unitwright/test/file.service.credentials/big")) == len(million)
    assert host.states("line.service", "file.service") == ["active"] * 2

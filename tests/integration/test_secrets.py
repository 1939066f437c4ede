# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets reach the process and nothing else: no unit file, no result, no diff, no journal, no other user."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .entries import FOREVER, UNITS, Entry, app, program, service
from .lab import Lab, Result

CANARY = "canary-5f2e-tweets"

OTHER = "canary-9a1b-sings"


@pytest.fixture
def journal(host: Lab) -> str:
    """A command that prints what the journal has of this test: the programs of others tell their secrets, too."""
    last = host.sh("journalctl --quiet --lines=1 --output=export | sed -n s/^__CURSOR=//p")
    return f"journalctl --sync; journalctl --quiet --after-cursor='{last}'"


@pytest.fixture
def assert_hidden(host: Lab, journal: str) -> Callable[..., None]:
    """No canary in results, nor where others than root may read, nor in any field of the journal."""

    def look(*results: Result) -> None:
        assert "canary-" not in json.dumps(results)
        readable = "grep -rls --exclude-dir=journal canary- /etc/systemd /run/systemd /run/log /var/log /tmp"
        readable += f"; {journal} --all --output=export | grep -a canary-"
        readable += "; find /var/lib/unitwright /etc/unitwright -perm /044 -type f -exec grep -l canary- {} +"
        assert host.sh(readable, check=False) == ""

    return look


def declared(value: str = CANARY, **more: Any) -> Entry:
    return service(secrets={"TOKEN": value, "SECOND": 'it\'s "quoted" ' + value}, **more)


def test_secrets_are_in_the_process_and_nowhere_else(host: Lab, assert_hidden: Callable[..., None]) -> None:
    unit = declared(credentials={"password": CANARY})
    first = host.apply(unit)
    assert host.environment(unit["name"])["TOKEN"] == CANARY
    changed = host.apply(declared(OTHER, credentials={"password": OTHER}))
    assert changed["restarted"] == [unit["name"]]
    assert changed["diff"], "the diff says at least that something differs"
    assert_hidden(first, changed)
    assert "canary-" not in host.sh(f"systemctl show {unit['name']}; systemctl cat {unit['name']}")


def test_secret_files_are_for_root_alone(host: Lab) -> None:
    unit = declared(credentials={"password": CANARY})
    host.settled(unit)
    folder = "/etc/unitwright/test"
    seen = host.sh(f"cd {folder} && find . -printf '%P %M %u:%g\n' | sort").splitlines()
    assert seen == [
        " drwx------ root:root",
        f"{unit['name']}.credentials drwx------ root:root",
        f"{unit['name']}.credentials/password -rw------- root:root",
        f"{unit['name']}.env -rw------- root:root",
    ]
    text = host.read(f"{UNITS}/main.service")
    assert f"EnvironmentFile={folder}/{unit['name']}.env" in text
    assert f"LoadCredential=password:{folder}/{unit['name']}.credentials/password" in text


def test_secrets_that_are_no_longer_declared_are_removed(host: Lab, assert_hidden: Callable[..., None]) -> None:
    host.settled(declared(credentials={"password": CANARY}))
    result = host.settled(service())
    assert len(result["removed"]) == 2
    assert not host.exists("/etc/unitwright/test")
    assert_hidden(result)


def test_a_secret_that_goes_is_removed_and_no_orphan(host: Lab) -> None:
    host.apply(service(secrets={"TOKEN": "not-to-be-seen"}))
    result = host.settled(service())
    assert len(result["removed"]) == 1
    assert result["orphaned"] == []


def test_check_mode_and_drop_ins_hide_them_too(host: Lab, assert_hidden: Callable[..., None]) -> None:
    unit = service()
    dropin = {"name": unit["name"], "dropin": "x", "secrets": {"TOKEN": CANARY}, "credentials": {"pass": CANARY}}
    would = host.foretell(unit, dropins=[dropin])
    result = host.apply(unit, dropins=[dropin])
    assert host.environment(unit["name"])["TOKEN"] == CANARY
    gone = host.apply(unit, dropins=[{**dropin, "state": "absent"}])
    assert_hidden(would, result, gone)


@pytest.mark.parametrize(
    "broken",
    [
        {"service": {"Fnord": 1}},
        {"service": {"Type": "notfy"}},
        {"service": {"ExecStart": "/bin/false"}, "health": {"stable_for": 1}},
        {"on_change": "reload"},
        {"secrets": {"TOKEN": {"nested": CANARY}}},
        {"secrets": {"not a name": CANARY}},
        {"credentials": {"a/b": CANARY}},
    ],
)
def test_a_failing_run_hides_them(host: Lab, assert_hidden: Callable[..., None], broken: dict[str, Any]) -> None:
    unit = declared()
    result = host.failing({**unit, **broken, "service": {**unit["service"], **broken.get("service", {})}})
    assert_hidden(result)


def test_a_secret_that_the_program_tells_is_blotted_out_of_the_error(host: Lab) -> None:
    command = "/bin/sh -c 'echo my token is $$TOKEN; exit 3'"
    result = host.failing(service(command=command, secrets={"TOKEN": "told-7c1d"}, health={"stable_for": 1}))
    assert "my token is" in json.dumps(result["errors"])
    assert "told-7c1d" not in json.dumps(result)


def test_an_environment_is_not_logged_by_the_module(host: Lab, journal: str) -> None:
    unit = service(environment={"PLAIN": CANARY})
    host.apply(unit)
    assert host.show(unit["name"], "Environment") == f"PLAIN={CANARY}"
    assert host.sh(f"{journal} --all --output=export | grep -a canary-", check=False) == ""
    host.sh(f"{journal} | grep -q 'ansible-.*Invoked'")


def test_a_secret_of_several_lines_is_not_in_the_error_line_by_line(host: Lab) -> None:
    telling = service(command="/bin/sh -c 'echo \"$TOKEN\"; exit 3'", secrets={"TOKEN": f"{CANARY}\n{OTHER}"})
    telling["health"] = {"stable_for": 1}
    assert "canary-" not in json.dumps(host.failing(telling))


def test_the_secret_of_another_owner_is_blotted_out_too(host: Lab) -> None:
    telling = "/bin/sh -c 'echo my token is $$TOKEN; test -z $$FAIL && exec sleep infinity'"
    unit = service(command=telling, secrets={"TOKEN": CANARY})
    host.apply(unit)
    dropin = {"name": unit["name"], "dropin": "x", "environment": {"FAIL": "1"}, "health": {"stable_for": 1}}
    result = host.failing(module="dropin", **dropin)
    assert "my token is" in json.dumps(result["errors"])
    assert "canary-" not in json.dumps(result)


def test_a_credential_that_holds_an_assignment_is_blotted_out_as_a_whole(host: Lab) -> None:
    """Given by an earlier run of another owner, so that neither Ansible nor this run was told of it."""
    text = f'user="bobby"\ntoken={CANARY}'
    credential = "/etc/unitwright/test/main.service.credentials/key"
    unit = service(command=f"/bin/sh -c 'cat {credential}; test -z $$FAIL && exec sleep infinity'")
    unit.update(credentials={"key": text}, state="present")
    host.apply(unit)
    dropin = {"name": unit["name"], "dropin": "x", "environment": {"FAIL": "1"}}
    telling = service("telling", f"/bin/sh -c 'cat {credential}; exit 3'", health={"stable_for": 1})
    result = host.failing(telling, dropins=[dropin], name="other")
    assert "********" in json.dumps(result["errors"])
    assert "canary-" not in json.dumps(result)


@pytest.mark.parametrize("name", ["50-[x]", "50-*?", "50-{a,b}"])
def test_a_dropin_whose_name_is_a_pattern_takes_secrets(host: Lab, name: str) -> None:
    unit = service()
    host.apply(unit, dropins=[{"name": unit["name"], "dropin": name, "secrets": {"TOKEN": CANARY}}])
    assert host.environment(unit["name"])["TOKEN"] == CANARY


def test_a_global_stack_of_the_same_name_leaves_secrets_alone(host: Lab) -> None:
    host.apply(declared())
    assert host.apply(service("other", "/bin/true"), scope="global", prune=True)["removed"] == []
    assert host.exists("/etc/unitwright/test/main.service.env")


def test_a_secret_that_a_check_prints_is_hidden(host: Lab) -> None:
    secret = {"TOKEN": "not-to-be-seen" * 50}
    host.apply(service("other", secrets=secret))
    path = "/etc/unitwright/test/other.service.env"
    check = {"command": ["/bin/sh", "-c", f"cat {path} >&2; exit 1"], "timeout": 1, "stable_for": 0}
    result = host.failing(module="unit", **service("asking", health=check))
    assert "exit code 1" in result["msg"]
    assert "not-to-be-seen" not in str(result)


def test_secrets_of_before_and_of_now_are_not_in_the_error(host: Lab) -> None:
    old, new = "the-secret-of-old", "the-secret-of-new"
    host.apply(app(1, secrets={"TOKEN": old}))
    tells = f"echo {old}; echo $TOKEN; echo its last words; exit 3"
    result = host.failing(app(2, service={"ExecStart": program(2, then=tells)}, secrets={"TOKEN": new}))
    journal = result["errors"][0]["journal"]
    assert "its last words" in journal
    assert any("status=3" in line for line in journal)
    told = repr(result["errors"]) + result["msg"] + repr(result["plan"])
    assert old not in told
    assert new not in told


@pytest.mark.parametrize("secret", ["e", "1", "started", "changed", "true", "True", "********", "app.service"])
def test_secrets_that_are_a_part_of_the_result(host: Lab, secret: str) -> None:
    """What Ansible blots out of texts may garble them, but never what a play decides by, nor what is done."""
    entry = app(1, secrets={"TOKEN": secret})
    result = host.apply(entry)
    assert result["changed"] is True
    assert {"newly_started", "restarted", "plan", "units"} <= set(result)
    assert host.environment("app.service")["TOKEN"] == secret
    again = host.apply(entry)
    assert again["changed"] is False
    bad = host.failing(app(2, service={"ExecStart": program(2, then="exit 3")}, secrets={"TOKEN": secret}))
    assert bad["failed"] is True
    assert bad["rolled_back"] is True
    assert host.state("app.service") == "active"


def test_a_credential_named_like_a_word_of_a_message_goes(host: Lab) -> None:
    dropin = {"name": "later.service", "dropin": "x"}
    text = "some text"
    host.apply(dropins=[{**dropin, "credentials": {"host": text, "other": text}}])
    assert host.settled(dropins=[{**dropin, "credentials": {"other": text}}])["removed"]


@pytest.mark.parametrize("option", ["secrets", "credentials"])
@pytest.mark.parametrize("text", [f"TOKEN={CANARY}", f'{{"TOKEN": "{CANARY}"}}', [f"TOKEN={CANARY}"]])
def test_a_secret_that_is_no_mapping_is_refused_and_shown_by_none(
    host: Lab, assert_hidden: Callable[..., None], option: str, text: object
) -> None:
    """Ansible makes a mapping of text, and then shows the arguments of the module (-vvv)."""
    unit = service(**{option: text})
    dropin = {**unit, "dropin": "x"}
    results = [
        host.refused(unit),
        host.refused(dropins=[dropin]),
        host.refused(module="unit", **unit),
        host.refused(module="dropin", **dropin),
        host.refused(service(), defaults={option: text}),
        host.refused(services=[{"name": "main", "exec_start": FOREVER, option: {"A": "1"}}], defaults={option: text}),
    ]
    for result in results:
        ((name, rule),) = [(error["unit"], error["rule"]) for error in result["errors"]]
        assert (name, rule) == ("main.service", "secrets-mapping")
        assert result["invocation"]
    assert_hidden(*results)


def test_an_entry_that_is_text_with_a_secret_in_it(host: Lab, assert_hidden: Callable[..., None]) -> None:
    whole = host.attempt(units=[f"name=main.service content='[Service]' secrets='TOKEN={CANARY}'"])
    assert whole["failed"]
    assert_hidden(whole)


MISSPELT = ["secret", "Secrets", "SECRETS", "secrts", "secrets_env", "credential", "Credential", "credentails"]


@pytest.mark.parametrize("option", MISSPELT)
def test_what_stands_under_a_misspelt_option_is_hidden(
    host: Lab, assert_hidden: Callable[..., None], option: str
) -> None:
    """It is refused by Ansible's own check, of which the result shows the module's arguments."""
    secret = {option: {"TOKEN": CANARY}}
    plain = {"name": "main", "exec_start": "/bin/sleep infinity"}
    results = [
        host.refused(service(**secret)),
        host.refused(services=[{**plain, **secret}]),
        host.refused(services=[{**plain, option: CANARY}]),
        host.refused(dropins=[{"name": "main.service", "dropin": "x", **secret}]),
        host.refused(services=[plain], defaults=secret),
        host.refused(service("main@", instances=[{"name": "a", **secret}])),
        host.refused(module="service", **plain, **secret),
        host.refused(module="unit", **service(**secret)),
    ]
    assert all(result["invocation"] for result in results)
    assert_hidden(*results)


@pytest.mark.parametrize("section", [{"Secrets": {"TOKEN": CANARY}}, {"secret": {"TOKEN": CANARY}}])
def test_a_misspelt_option_in_a_section_is_hidden_too(
    host: Lab, assert_hidden: Callable[..., None], section: dict[str, Any]
) -> None:
    assert_hidden(host.refused(service(service=section)))


@pytest.mark.parametrize("option", ["secrets", "credentials", "secret"])
@pytest.mark.parametrize("name", [f"TOKEN={CANARY}", f"TOKEN:{CANARY}", f"TOKEN {CANARY}", 'TOKEN="canary-"'])
def test_a_value_that_has_slipped_into_its_name_is_hidden(
    host: Lab, assert_hidden: Callable[..., None], option: str, name: str
) -> None:
    unit = service(**{option: {"OTHER": "something", name: ""}})
    assert_hidden(host.refused(unit), host.refused(unit, check_mode=True), host.refused(module="unit", **unit))


def test_variables_and_directives_are_shown_though_their_names_are_near(host: Lab) -> None:
    unit = service(environment={"SECRET": "to-be-seen"}, service={"LoadCredential": ["a:/etc/hostname"]})
    arguments = host.foretell(unit)["invocation"]["module_args"]["units"][0]
    assert arguments["environment"] == {"SECRET": "to-be-seen"}
    assert arguments["service"]["LoadCredential"] == ["a:/etc/hostname"]

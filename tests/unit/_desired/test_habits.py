# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written as other formats have it is refused with a remedy that helps; what systemd takes is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problems

from tests.unit.world import Entry, declare


def refused(entry: Entry, place: str = "units") -> list[tuple[str, str, str]]:
    with pytest.raises(Problems) as caught:
        declare(**{place: [entry]}) if place == "dropins" else declare(entry)
    return [(each.directive, each.rule.id, each.message) for each in caught.value.problems]


def service(**directives: Any) -> Entry:
    return {"name": "a.service", "service": {"ExecStart": "/bin/a", **directives}}


@pytest.mark.parametrize(
    ("directives", "command"),
    [
        ({"ExecStart": ["/bin/sleep", "infinity"]}, "'/bin/sleep infinity'"),
        ({"ExecStart": ["/bin/cat", "/etc/motd"]}, "'/bin/cat /etc/motd'"),
        ({"ExecStart": ["/bin/sh", "-c", "echo 'hi'"]}, "'/bin/sh -c \"echo 'hi'\"'"),
        ({"ExecStart": ["", "/bin/sleep", "infinity"]}, "'/bin/sleep infinity'"),
        ({"ExecStart": ["python3", "-m", "http.server"]}, "'python3 -m http.server'"),
        ({"Type": "oneshot", "ExecStart": ["/bin/mkdir", "-p", "/srv/a"]}, "'/bin/mkdir -p /srv/a'"),
        ({"ExecStartPre": ["/bin/tool", "--check"]}, "'/bin/tool --check'"),
        ({"ExecReload": ["/bin/kill", "-HUP", "$MAINPID"]}, "'/bin/kill -HUP $MAINPID'"),
        ({"ExecStop": ["/bin/kill", "$MAINPID"]}, "'/bin/kill $MAINPID'"),
        ({"ExecStop": ["/usr/bin/pkill", "-15", "app"]}, "'/usr/bin/pkill -15 app'"),
    ],
)
def test_a_list_of_words(directives: dict[str, Any], command: str) -> None:
    ((directive, rule, message),) = refused(service(**directives))
    assert directive in directives
    assert rule == "command-words"
    assert message.endswith(f"write one text, {command}")


@pytest.mark.parametrize(
    "directives",
    [
        {"ExecStart": ["", "/bin/b"]},
        {"ExecStart": ["/bin/sleep infinity"]},
        {"Type": "oneshot", "ExecStart": ["/bin/a", "/bin/b"]},
        {"Type": "oneshot", "ExecStart": ["sync", "fstrim --all"]},
        {"ExecStartPre": ["/bin/a -x", "-/bin/b"]},
        {"ExecStartPre": ["/bin/a", "-sync", "+/bin/b", "!!/bin/c"]},
        {"ExecStart": ["/bin/a b", "/bin/c d"]},  # two commands; systemd says what is wrong with that
    ],
)
def test_a_list_of_commands(directives: dict[str, Any]) -> None:
    declare(service(**directives))


def test_a_drop_in_may_be_over_a_oneshot() -> None:
    dropin = {"name": "a.service", "dropin": "x"}
    declare(dropins=[{**dropin, "service": {"ExecStart": ["", "/bin/a", "/bin/b"]}}])
    ((_directive, rule, _message),) = refused({**dropin, "service": {"ExecStart": ["", "/bin/a", "--b"]}}, "dropins")
    assert rule == "command-words"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("TITLE=My Cool App", "a blank ends the value of TITLE, "),
        ("A=1 TITLE=My App", "a blank ends the value of TITLE, "),
        ("TITLE", "it does not begin with an assignment"),
    ],
)
def test_an_environment_that_a_blank_cuts_short(value: str, said: str) -> None:
    """One error, not one for each word; and the value, which may be a secret, is not in it."""
    content = {"name": "a.service", "content": f"[Service]\nExecStart=/bin/a\nEnvironment={value}\n"}
    for entry in (service(Environment=value), content):
        ((directive, rule, message),) = refused(entry)
        assert (directive, rule) == ("Environment", "environment")
        assert message.startswith(said)
        assert "App" not in message
        assert "mapping" in message


@pytest.mark.parametrize(
    "value", ["A=1", "A=1 B=2", '"TITLE=My App"', "TITLE='My App'", "A=", "A=b=c", "%i", "A=1 %I", ["A=1", "B=2"], ""]
)
def test_an_environment_that_is_whole(value: object) -> None:
    declare(service(Environment=value))


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_blank_behind_a_backslash(blank: str) -> None:
    content = f"[Service]\nExecStart=/bin/a \\{blank}\n  -flag=1\n"
    ((_directive, rule, message),) = refused({"name": "a.service", "content": content})
    assert rule == "syntax"
    assert message.startswith("line 2: a blank follows the backslash")
    declare({"name": "a.service", "content": content.replace(f"\\{blank}", "\\")})
    declare({"name": "a.service", "content": f"# \\{blank}\n[Service]\nExecStart=/bin/a\n"})


@pytest.mark.parametrize("following", ["--name=one", "  -f", "\t--data-dir /srv \\\\"])
def test_two_backslashes_of_a_line_that_shall_go_on(following: str) -> None:
    """As in a text that a shell was to write to a file."""
    content = f"[Service]\nExecStart=/bin/a \\\\\n{following}\n"
    ((_directive, rule, message),) = refused({"name": "a.service", "content": content})
    assert rule == "syntax"
    assert message.startswith("line 2: two backslashes")
    declare({"name": "a.service", "content": content.replace("\\\\", "\\")})
    declare({"name": "a.service", "content": "[Service]\nExecStart=/bin/a \\\\\nUser=b\n"})


@pytest.mark.parametrize("hidden", ["\u200b", "\u00a0", "\ufeff"])
def test_what_cannot_be_seen_is_shown(hidden: str) -> None:
    with pytest.raises(Problems) as caught:
        declare(service(**{f"Type{hidden}": "simple"}))
    (problem,) = caught.value.problems
    assert str(caught.value).isprintable()
    assert problem.message.isprintable()
    assert problem.directive == f"Type{hidden}"


def test_a_credential_that_is_a_file_of_the_host() -> None:
    ((_directive, _rule, message),) = refused({**service(), "credentials": {"key": {"path": "/etc/key"}}})
    assert "LoadCredential=" in message
    ((_directive, _rule, message),) = refused({**service(), "credentials": {"key": 12}})
    assert message.endswith("quote it")


@pytest.mark.parametrize("option", ["secrets", "credentials"])
@pytest.mark.parametrize("given", ["TOKEN=canary", ["canary"], 'TOKEN="canary"', 1, "", []])
def test_secrets_that_are_no_mapping(option: str, given: object) -> None:
    for place, entry in (("units", service()), ("dropins", {**service(), "dropin": "x"})):
        ((_directive, rule, message),) = refused({**entry, option: given}, place)
        assert rule == "secrets-mapping"
        assert message.startswith(option)
        assert "canary" not in message


def test_a_drop_in_may_have_triggers_alone() -> None:
    desired = declare(dropins=[{"name": "a.service", "dropin": "x", "triggers": {"values": ["1"]}}])
    (text,) = (each.content.decode() for each in desired.files.values())
    assert "[Service]\nLogExtraFields=" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("web.container", "podman"),
        ("ok.conf", "drop-in"),
        ("lan.network", "networkd"),
        ("web.service.d", "folder"),
        ("example.com", "did you mean 'example.com.service'?"),
        ("web.servce", "did you mean 'web.service'?"),
    ],
)
def test_a_name_of_another_file(name: str, said: str) -> None:
    for place, entry in (("units", service()), ("dropins", {**service(), "dropin": "x"})):
        ((_directive, rule, message),) = refused({**entry, "name": name}, place)
        assert rule == "unit-name"
        assert said in message
        if "did you mean" not in said:
            assert "did you mean" not in message


@pytest.mark.parametrize(
    ("option", "directive", "value", "names"),
    [
        ("unit", "After", "network.target, postgresql.service", "network.target postgresql.service"),
        ("unit", "Wants", "['redis.service', \"db.service\"]", "redis.service db.service"),
        ("unit", "OnFailure", "mail@%n.service,", "mail@%n.service"),
        ("install", "WantedBy", "multi-user.target,graphical.target", "multi-user.target graphical.target"),
        ("install", "Also", "a.socket, b.socket", "a.socket b.socket"),
    ],
)
def test_a_list_of_units_as_another_format_has_it(option: str, directive: str, value: str, names: str) -> None:
    ((place, rule, message),) = refused({**service(), option: {directive: value}})
    assert (place, rule) == (directive, "unit-list")
    assert message.endswith(f"blanks stand between them, and nothing else: '{names}'")


@pytest.mark.parametrize("value", ["multi-user.target # at boot", "multi-user.target ;boot", "# none"])
def test_a_comment_behind_names_of_units(value: str) -> None:
    content = f"[Service]\nExecStart=/bin/a\n[Install]\nWantedBy={value}\n"
    ((place, rule, message),) = refused({"name": "a.service", "content": content})
    assert (place, rule) == ("WantedBy", "unit-list")
    assert message.endswith("a comment has a line of its own, above this one")


@pytest.mark.parametrize(
    "unit",
    [
        {"After": "a.target b@1:2.service c\\x2c.mount"},
        {"Description": "Worker #2, of [three] # really"},
        {"RequiresMountsFor": "/srv/a,b /srv/#c"},
    ],
)
def test_what_is_no_list_of_units_as_another_format_has_it(unit: dict[str, str]) -> None:
    declare({**service(), "unit": unit})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("['[Service]', 'ExecStart=/bin/a']", "it takes text"),
        ("{'Service': {'ExecStart': '/bin/a'}}", "it takes text"),
        ("/srv/files/a.service\n", "it is the text itself, and no path"),
    ],
)
def test_what_is_no_text_of_a_unit(content: str, said: str) -> None:
    ((_place, rule, message),) = refused({"name": "a.service", "content": content})
    assert rule == "syntax"
    assert message.startswith(said)

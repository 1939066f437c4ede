# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd takes without a word and hardly anyone means: told where it is so, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.expansion import expanded
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import build
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import doubts, refusals
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.references import View

from tests.unit.world import RUNNING, VENDOR, Entry, Relations, declare, facts, in_force, work

OTHER = {"other.service": "[Service]\nExecStart=/bin/other\n", "nginx.service": "[Service]\nExecStart=/bin/nginx\n"}


def service(name: str = "a", **more: Any) -> Entry:
    return {"name": f"{name}.service", "service": {"ExecStart": f"/bin/{name}"}, **more}


def told(*units: Entry, **stack: Any) -> list[tuple[str, str, str, str]]:
    """What is said of a declaration on a host that has the units of OTHER."""
    done = work(declare(*units, **stack), in_force(None, vendor=OTHER))
    found = refusals.impossible(View(done.differences, done.observed))
    return [(each.unit, each.directive, each.rule.id, each.message) for each in found]


def rules(*units: Entry, **stack: Any) -> list[tuple[str, str]]:
    return [(unit, rule) for unit, _directive, rule, _message in told(*units, **stack)]


def test_a_stack_with_nothing_in_it() -> None:
    assert rules() == [("", "nothing-declared")]
    assert rules(state="absent") == []
    assert rules(service()) == []


@pytest.mark.parametrize("directive", ["Wants", "Upholds", "OnFailure", "OnSuccess"])
def test_a_wish_for_what_is_nowhere(directive: str) -> None:
    wishing = service(unit={directive: "other.service nignx.service"})
    said = (
        "there is no nignx.service on this host, and systemd passes over that without a word: declare it too, or mend "
        "its name (did you mean nginx.service?)"
    )
    assert told(wishing) == [("a.service", directive, "wants-nowhere", said)]
    dropin = {"name": "other.service", "dropin": "x", "unit": {directive: "gone.service"}}
    assert rules(dropins=[dropin]) == [("other.service", "wants-nowhere")]
    content = f"[Unit]\n{directive}=gone.service\n[Service]\nExecStart=/bin/a\n"
    assert rules({"name": "a.service", "content": content}) == [("a.service", "wants-nowhere")]


@pytest.mark.parametrize(
    "wished",
    [
        "other.service",
        "b.service",
        "w@1.service",
        "%i.service",
        "%p.service",
        "system-a.slice",
        "dev-sda.device",
        "",
        ["other.service", ""],
    ],
)
def test_a_wish_that_is_there(wished: object) -> None:
    units = [service(unit={"Wants": wished}), service("b"), service("w@")]
    assert [each for each in rules(*units) if each[1] != "specifier-empty"] == []


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("/bin/a > /tmp/x", ">"),
        ("/bin/a 2>&1", "2>&1"),
        ("/bin/a >>/tmp/x", ">>/tmp/x"),
        ("/bin/a && /bin/b", "&&"),
        ("/bin/a || /bin/true", "||"),
        ("/bin/a | /bin/b 'c'", "|"),
        ("/bin/a < /etc/x", "<"),
        ("/bin/a &", "&"),
        ("/bin/a infinity&", "infinity&"),
        ("/bin/a x; /bin/b", "x;"),
    ],
)
def test_words_of_a_shell(command: str, word: str) -> None:
    said = f"no shell reads it, so the program gets {word} as an argument: "
    for directive in ("ExecStart", "ExecStartPre", "ExecStop"):
        (found,) = told({"name": "a.service", "service": {"ExecStart": "/bin/a", directive: command}})
        assert found[:3] == ("a.service", directive, "shell")
        assert found[3].startswith(said)


@pytest.mark.parametrize(
    "command",
    [
        "/bin/sh -c 'a > /tmp/x && b | c'",
        '/bin/sh -c "a > \\"/tmp/x\\" && b"',
        "/bin/sh -c 'exec /bin/w --name \"Bob'\\''s orders\" 2>&1 | cat'",
        "/bin/a it\\'s '>' \"|\" \\x3e",
        "/bin/a --filter=a|b x>y",
        "/bin/a ; /bin/b",
        "/bin/a -> =>",
        "/bin/a https://x/?a=1&b=2",
        "/bin/a https://x/?a=1& R&D --x=a& -o a=b; c #5 a#b 'x;' y",
        "/usr/bin/find /srv -name x -exec rm {} \\;",
        "/bin/sh /opt/run.sh -c app.conf --verbose",
        "/bin/bash -eo pipefail -c 'a && b'",
        "/bin/sh -c $SCRIPT a b",
        "/bin/nginx -c /etc/nginx.conf -g x",
        "/bin/sh -c reboot",
        "/bin/sh -c 'a & b & wait'",
    ],
)
def test_no_words_of_a_shell(command: str) -> None:
    unit = {"name": "a.service", "service": {"Type": "oneshot", "ExecStart": command, "Environment": "SCRIPT=x"}}
    assert rules(unit) == []


def test_an_ampersand_at_the_end_is_told_beside_what_else_a_shell_would_read() -> None:
    found = told({"name": "a.service", "service": {"ExecStart": "/bin/a > /var/log/a.log 2>&1 &"}})
    assert ["append:/var/log" in message for *_place, message in found] == [True, False]
    assert "leave out the & at its end" in found[1][3]


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("/bin/bash -c source /srv/env; exec /bin/a", "source"),
        ("/bin/sh -c echo hi > /x", "echo"),
        ("/bin/bash -euo pipefail -c exec /bin/a", "exec"),
    ],
)
def test_a_script_of_which_a_shell_gets_the_first_word(command: str, word: str) -> None:
    (found,) = told({"name": "a.service", "service": {"ExecStart": command}})
    assert found[3].startswith(f"{word} alone is the script that the shell runs, ")
    assert found[3].endswith("put all that is behind -c in quotes")


def test_a_comment_behind_a_command() -> None:
    (found,) = told({"name": "a.service", "content": text("/bin/a --x # the app")})
    assert found[3].endswith("a line of its own, above this one")


@pytest.mark.parametrize(
    ("more", "is_told"),
    [
        ({}, True),
        ({"Type": "exec"}, True),
        ({"Type": "forking"}, False),
        ({"Type": "oneshot", "RemainAfterExit": True}, False),
        ({"KillMode": "process"}, False),
    ],
)
def test_a_shell_that_leaves_its_program_behind(more: Entry, is_told: bool) -> None:
    unit = {"name": "a.service", "service": {"ExecStart": "/bin/sh -c 'cd /srv && /bin/a &'", **more}}
    assert ("a.service", "background") in rules(unit) or not is_told
    assert ("a.service", "background") not in rules(unit) or is_told
    ending = {"name": "a.service", "service": {"ExecStart": "/bin/a", "ExecStartPre": "/bin/sh -c '/bin/b &'"}}
    assert rules(ending) == []


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("PATH", "/opt/x/bin:$PATH", "$PATH"),
        ("PATH", "${PATH}:/opt/x/bin", "${PATH}"),
        ("LD_LIBRARY_PATH", "/opt/x/lib:$LD_LIBRARY_PATH", "$LD_LIBRARY_PATH"),
        ("JAVA_OPTS", "-Xmx1g $JAVA_OPTS", "$JAVA_OPTS"),
        ("DATA", "${HOME}/data", "${HOME}"),
        ("LOGS", "$BASE/logs", "$BASE"),
        ("ALL", "/srv:$BASE", "$BASE"),
        ("LOGS", "$OTHER/logs", ""),
        ("FORMAT", "$remote_addr - $time", ""),
        ("PROMPT", "$ ", ""),
        ("HASH", "$2y$10$abcdef", ""),
        ("JAVA_OPTS", "-Dlog.dir=${BASE}/x", ""),
        ("TEMPLATE", "${name}", ""),
        ("TEXT", "$HOME ${HOME} $$", ""),
    ],
)
def test_a_variable_in_the_value_of_another(name: str, value: str, word: str) -> None:
    for sort in (
        service(environment={"BASE": "/srv", name: value}),
        service(service={"ExecStart": "/bin/a", "Environment": ["BASE=/srv", f'"{name}={value}"']}),
        {"name": "a.service", "content": text("/bin/a") + f'Environment=BASE=/srv "{name}={value}"\n'},
    ):
        found = told(sort)
        assert [each[:3] for each in found] == ([("a.service", "Environment", "environment-variable")] if word else [])
        assert all(f"the program gets {word} in {name} as it is" in message for *_place, message in found)


def test_a_path_is_written_out() -> None:
    (found,) = told(service(environment={"PATH": "/opt/x/bin:$PATH"}))
    assert "'/opt/x/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'" in found[3]


@pytest.mark.parametrize(
    ("name", "value", "is_told"),
    [
        ("DB_PASSWORD", "hunter2-horse", True),
        ("API_TOKEN", "abc", True),
        ("api_key", "abc", True),
        ("AWS_SECRET_ACCESS_KEY", "abc/def+g", True),
        ("SECRET_KEY_BASE", "abc", True),
        ("DATABASE_URL", "postgres://shop:correct-horse@db/shop", True),
        ("DATABASE_URL", "postgres://shop@db/shop", False),
        ("DATABASE_URL", "postgres://shop:$PASSWORD@db/shop", False),
        ("DB_PWD", "hunter2-horse", True),
        ("PWD", '"/opt/shop"', False),
        ("DB_PASSWORD", "", False),
        ("DB_PASSWORD_FILE", "/run/secrets/db", False),
        ("DB_PASSWORD", "/run/secrets/db", False),
        ("DB_PASSWORD", "%d/db", False),
        ("API_TOKEN", "https://vault/x", False),
        ("MAX_TOKENS", "4096", False),
        ("USE_TOKEN", "true", False),
        ("PASSWORD_RESET_URL", "x", False),
        ("PUBLIC_KEY", "abc", False),
        ("KEYBOARD", "us", False),
        ("COMPASS", "north", False),
    ],
)
def test_a_secret_that_everyone_may_read(name: str, value: str, is_told: bool) -> None:
    quoted = f'Environment="{name}={value.replace("%", "%%")}"\n'
    for sort in (service(environment={name: value}), {"name": "a.service", "content": text("/bin/a") + quoted}):
        found = told(sort)
        assert [each[:3] for each in found] == ([("a.service", "Environment", "environment-secret")] if is_told else [])
        assert all(value not in message for *_place, message in found)


@pytest.mark.parametrize("option", ["secrets", "credentials"])
def test_a_secret_in_its_place(option: str) -> None:
    assert rules(service(**{option: {"DB_PASSWORD": "hunter2-horse"}})) == []


def test_a_secret_that_is_in_both_places_is_told_once() -> None:
    both = {"environment": {"DB_PASSWORD": "none-yet"}, "secrets": {"DB_PASSWORD": "hunter2-horse"}}
    assert rules(service(**both)) == [("a.service", "environment-twice")]


def timer(**directives: Any) -> Entry:
    return {"name": "a.timer", "timer": directives}


@pytest.mark.parametrize("directive", ["OnUnitActiveSec", "OnUnitInactiveSec"])
def test_a_timer_that_counts_from_a_run_that_never_was(directive: str) -> None:
    once = service(service={"ExecStart": "/bin/a", "Type": "oneshot"})
    assert rules(timer(**{directive: "5min"}), once) == [("a.timer", "never-elapses")]
    for more in ({"OnBootSec": 60}, {"OnActiveSec": 0}, {"OnCalendar": "daily"}):
        assert rules(timer(**{directive: "5min", **more}), once) == []
    runs = {**service(), "state": "started"}
    assert rules(timer(**{directive: "5min"}), runs) == []
    # What is there may have run already, of which systemd knows more.
    assert rules({"name": "b.timer", "timer": {directive: "5min", "Unit": "other.service"}}) == []
    assert rules({**timer(**{directive: "5min"}), "state": "present"}, once) == []


@pytest.mark.parametrize("directive", ["PathExists", "PathChanged", "PathModified", "DirectoryNotEmpty"])
def test_a_pattern_where_a_path_is_taken_as_it_is(directive: str) -> None:
    def path(**directives: str) -> Entry:
        return {"name": "a.path", "path": directives}

    assert rules(path(**{directive: "/srv/in/*.csv"}), service()) == [("a.path", "path-pattern")]
    assert rules(path(**{directive: "/srv/in"}), service()) == []
    assert rules(path(PathExistsGlob="/srv/in/*.csv"), service()) == []


@pytest.mark.parametrize(
    ("directive", "value", "name"),
    [
        ("ExecStart", "/bin/a \u2013\u2013verbose", "en dash"),
        ("ExecStart", "/bin/a \u2014verbose", "em dash"),
        ("ExecStartPre", "/bin/a \u201cone two\u201d", "left double quotation mark"),
        ("ExecStart", "/bin/a \u2018b\u2019", "left single quotation mark"),
        ("ExecStart", "/bin/a\u00a0b", "no-break space"),
        ("Environment", "\u201cA=b", "left double quotation mark"),
        ("Restart", "always\u00a0", "no-break space"),
        ("User", "www\u2011data", "non-breaking hyphen"),
        ("WorkingDirectory", "/srv\u200b", "zero width space"),
    ],
)
def test_a_character_that_is_taken_for_another(directive: str, value: str, name: str) -> None:
    found = told(service(service={"ExecStart": "/bin/a", directive: value}))
    assert [each[1:3] for each in found] == [(directive, "look-alike")]
    assert f"the character {name} (U+" in found[0][3]


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("ExecStart", "/bin/sh -c 'echo \u201chello\u201d \u2013 there\u00a0!'"),
        ("ExecStart", "/bin/a --title=caf\u00e9 na\u00efve\u2013set"),
        ("Environment", '"TITLE=My \u201cApp\u201d\u00a0\u2013 one"'),
        ("WorkingDirectory", "/srv/2020\u20132024"),
        ("SyslogIdentifier", "gr\u00fc\u00dfe"),
    ],
)
def test_a_character_that_is_meant(directive: str, value: str) -> None:
    assert rules(service(service={"ExecStart": "/bin/a", directive: value})) == []
    assert rules(service(unit={"Description": "\u201cMy app\u201d \u2013 the\u00a0best"})) == []


@pytest.mark.parametrize(
    ("directive", "value", "word"),
    [
        ("User", "{{ app_user }}", "{{ app_user }}"),
        ("WorkingDirectory", "/srv/{{ app.name }}/current", "{{ app.name }}"),
        ("ReadWritePaths", "/srv/{{ item['name'] | default('a') }}", "{{ item['name'] | default('a') }}"),
        ("ExecStart", "{{home}}/bin/a --config /etc/a", "{{home}}"),
        ("ExecStart", "/bin/a --format {{ name }}", ""),
        ("ExecStart", "/bin/docker ps --format {{.Names}}", ""),
        ("SyslogIdentifier", "{{.Name}}", ""),
        ("SyslogIdentifier", "a{{", ""),
    ],
)
def test_what_ansible_has_not_filled_in(directive: str, value: str, word: str) -> None:
    text = f"[Service]\nExecStart=/bin/a\n{directive}={value}\n"
    found = [each for each in told({"name": "a.service", "content": text}) if each[2] == "not-rendered"]
    assert [each[1] for each in found] == ([directive] if word else [])
    assert not word or word in found[0][3]


def test_several_paths_where_one_is_taken() -> None:
    def path(**directives: Any) -> Entry:
        return {"name": "a.path", "path": directives}

    both = "/srv/in /srv/out"
    for directive in ("PathExists", "PathExistsGlob", "PathChanged", "DirectoryNotEmpty"):
        assert rules(path(**{directive: both}), service()) == [("a.path", "one-path")]
        assert rules(path(**{directive: both.split()}), service()) == []
    for directive in ("ConditionPathExists", "AssertFileNotEmpty", "ConditionDirectoryNotEmpty"):
        for value in (both, "/srv/in !/srv/out", "/srv/in,/srv/out"):
            assert rules(service(unit={directive: value})) == [("a.service", "one-path")]
        for value in ("/srv/my in", "!/srv/in", both.split()):
            assert rules(service(unit={directive: value})) == []
    assert rules(service(unit={"RequiresMountsFor": both})) == []


@pytest.mark.parametrize(
    ("command", "word", "said"),
    [
        ("/bin/a --state ~/state", "~/state", "the program gets"),
        ("/bin/a --log /srv/store/*.log", "/srv/store/*.log", "the program gets"),
        ("/bin/a `date`", "`date`", "the program gets"),
        ("/bin/a --day=`date`", "--day=`date`", "the program gets"),
        ("/bin/a --day=$(date)", "--day=$(date)", "the program gets"),
        ('/bin/a --day="$(date +x)"', '--day="$(date +x)"', "the program gets"),
        ("/bin/a ${INTERVAL:-10}", "${INTERVAL:-10}", "the program gets"),
        ("/bin/a --day $(date +%%F) x", "$(date", "leaves it out"),
        ('/bin/a "$(date +%%F)"', '"$(date +%%F)"', "leaves it out"),
        ("/bin/a $PATH/x", "$PATH/x", "leaves it out"),
        ("/bin/a ${PATH%%/*}", "${PATH%%/*}", "leaves it out"),
        ("/bin/a --path=$PATH", "--path=$PATH", "variables in braces alone"),
    ],
)
def test_what_only_a_shell_does(command: str, word: str, said: str) -> None:
    for sort in (
        {"name": "a.service", "service": {"ExecStart": command}},
        {"name": "a.service", "content": text(command)},
    ):
        (found,) = told(sort)
        assert found[:3] == ("a.service", "ExecStart", "shell")
        assert word in found[3] and said in found[3]


def text(command: str) -> str:
    return f"[Service]\nExecStart={command}\n"


@pytest.mark.parametrize(
    "command",
    [
        "/bin/sh -c 'cd ~/x && echo $(date) `date` /srv/*.log ${A:-1} $HOME'",
        '/bin/sh -c "$(cat /etc/x) y" -- "~/a" \'/srv/*\''.replace("$(", "exec $("),
        "/bin/a $$HOME $$(x) --a=$${B:-1} --x=$$Y 100%%",
        "/bin/celery -A x -Q * --only [a-z]* /srv/**/x.log",
        "/bin/rsync --exclude /proc/* --include=/x/* /a /b",
        "/bin/a host:~/x a~/b",
        "/bin/a --format=$remote_addr x$ a$b 'a$(b)' cost$",
        ":/bin/a $HOME ${X:-1} $(x)",
        "|/bin/a ~/x $HOME",
        "/bin/kill -HUP $MAINPID ${LC_ALL} ${PATH} $LISTEN_FDS",
    ],
)
def test_what_is_not_for_a_shell(command: str) -> None:
    assert rules({"name": "a.service", "service": {"Type": "oneshot", "ExecStart": command}}) == []


USING = "/bin/a --home $HOME --port ${PORT} -x=${PORT}"


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, "$HOME, $PORT"),
        ({"environment": {"PORT": "1"}}, "$HOME"),
        ({"secrets": {"PORT": "correct-horse"}}, "$HOME"),
        ({"service": {"User": "nobody"}}, "$PORT"),
        ({"service": {"DynamicUser": True, "PassEnvironment": "PORT"}}, ""),
        ({"service": {"Environment": '"PORT=1 2" HOME=/x'}}, ""),
        ({"service": {"EnvironmentFile": "-/etc/default/a"}}, ""),
        ({"service": {"PAMName": "login"}}, ""),
        ({"service": {"EnvironmentFile": "-/etc/default/a"}, "secrets": {"X": "correct-horse"}}, ""),
    ],
)
def test_variables_that_nothing_sets(more: Entry, names: str) -> None:
    found = told(service(**{**more, "service": {"ExecStart": USING, **more.get("service", {})}}))
    said = f"neither the unit nor systemd sets {names}, so the program gets nothing in its place: "
    assert [each[:3] for each in found] == ([("a.service", "ExecStart", "variable-unset")] if names else [])
    assert all(message.startswith(said) for *_place, message in found)


@pytest.mark.parametrize(
    ("word", "is_told"), [("$OPTIONS", False), ("$APP_OPTS", False), ("${APP_OPTS}", True), ("--x=${ARGS}", True)]
)
def test_a_place_for_more_arguments(word: str, is_told: bool) -> None:
    """Of a word that is nothing else than such a variable nothing is left; braces leave an empty argument."""
    found = rules(service(service={"ExecStart": f"/bin/a {word}"}))
    assert found == ([("a.service", "variable-unset")] if is_told else [])


def test_variables_that_another_text_sets() -> None:
    uses = service(service={"ExecStart": USING})
    dropin = {"dropin": "x", "environment": {"PORT": "1", "HOME": "/x"}}
    assert rules(uses, dropins=[{"name": "a.service", **dropin}]) == []
    of_template = {**uses, "name": "w@.service"}
    assert rules(of_template, dropins=[{"name": "w@1.service", **dropin}]) == []
    # What a drop-in for somebody else's unit runs counts as much, and one whose unit is not there yet is not judged.
    runs = {"dropin": "x", "service": {"ExecStartPre": "/bin/a $PORT"}}
    assert rules(dropins=[{"name": "other.service", **runs}]) == [("other.service", "variable-unset")]
    assert rules(dropins=[{"name": "gone.service", **runs}]) == [("gone.service", "dropin-without-unit")]


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        ({"After": "b.service"}, {"After": "b.service a.service"}, ("a.service", "After")),
        ({"After": "b.service"}, {"After": "a.service"}, ("a.service", "After")),
        ({"Before": "b.service"}, {"Before": "a.service"}, ("a.service", "Before")),
        ({"After": "c.service"}, {"After": "a.service"}, ("a.service", "After")),
    ],
)
def test_units_in_a_circle(first: Entry, second: Entry, place: tuple[str, str]) -> None:
    """Once, whichever units it is made of."""
    between = service("c", unit={"After": "b.service"})
    found = [
        each for each in told(service(unit=first), service("b", unit=second), between) if each[2] == "ordering-cycle"
    ]
    assert [each[:2] for each in found] == [place]
    assert "b.service" in found[0][3]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"After": "b.service"}, {"Before": "a.service"}),
        ({"After": "b.service"}, {}),
        ({"After": "b.service"}, {"Wants": "a.service"}),
        ({"After": "b.service c.service"}, {"After": "c.service"}),
    ],
)
def test_units_in_a_row(first: Entry, second: Entry) -> None:
    assert rules(service(unit=first), service("b", unit=second), service("c")) == []


def test_a_circle_of_what_is_not_started_may_be() -> None:
    units = [service(unit={"After": "b.service"}), service("b", unit={"After": "a.service"}, state="present")]
    assert rules(*units) == []


def not_at_boot(*units: Entry, relations: Relations | None = None, **stack: Any) -> list[str]:
    done = work(declare(*units, **stack), in_force(None, vendor=OTHER), relations)
    view = View(done.differences, done.observed)
    return [each.unit for each in doubts.not_at_boot(view, done.plan, done.graph)]


WANTED = {"WantedBy": "multi-user.target"}
TIMER: Entry = {"name": "a.timer", "timer": {"OnCalendar": "daily"}}


def test_what_is_started_and_nothing_starts_at_boot() -> None:
    assert not_at_boot(service()) == ["a.service"]
    assert not_at_boot(TIMER, service()) == ["a.timer"]
    assert not_at_boot(service("w@", instances=["1"])) == ["w@1.service"]
    # Requisite= starts nothing (systemd.unit(5)).
    assert not_at_boot(service("b", unit={"Requisite": "a.service"}, install=WANTED), service()) == ["a.service"]


@pytest.mark.parametrize(
    "units",
    [
        [service(install=WANTED)],
        [service(enabled=False)],
        [service(install=WANTED, enabled=False)],
        [service(state="present")],
        [service(state="stopped")],
        [{**TIMER, "install": {"WantedBy": "timers.target"}}, service()],
        [{**TIMER, "install": {"WantedBy": "timers.target"}}, service(state="started")],
        [service("b", unit={"Wants": "a.service"}, install=WANTED), service()],
        [{"name": "a.target", "unit": {"Requires": "a.service"}, "install": WANTED}, service()],
        [service("w@", instances=["1"]), {"name": "t.target", "unit": {"Wants": "w@1.service"}, "install": WANTED}],
        [{"name": "a.slice", "slice": {"CPUWeight": 10}, "state": "started"}],
        [{"name": "other.service", "state": "started"}],
        [{"name": "a.service", "service": {"ExecStart": "/bin/a", "Type": "dbus", "BusName": "org.a"}}],
    ],
)
def test_what_something_starts_at_boot_or_need_not(units: list[Entry]) -> None:
    assert not_at_boot(*units) == []


def test_what_a_dropin_enables_or_wants() -> None:
    install = {"name": "a.service", "dropin": "x", "install": WANTED}
    assert not_at_boot(service(), dropins=[install]) == []
    wants = {"name": "other.service", "dropin": "x", "unit": {"Wants": "a.service"}}
    assert not_at_boot(service(), dropins=[wants]) == []


@pytest.mark.parametrize("relation", ["WantedBy", "RequiredBy", "TriggeredBy", "UpheldBy", "BoundBy"])
def test_what_a_unit_of_others_pulls_in(relation: str) -> None:
    assert not_at_boot(service(), relations={"a.service": {relation: ("other.service",)}}) == []


def test_it_is_told_by_the_run_that_starts_it() -> None:
    desired = declare(service())
    done = work(desired, in_force(desired, {"a.service": RUNNING}))
    assert list(doubts.not_at_boot(View(done.differences, done.observed), done.plan, done.graph)) == []


@pytest.mark.parametrize(
    ("default", "wanted", "is_told"),
    [
        ("multi-user.target", "graphical.target", True),
        ("multi-user.target", "graphical.target multi-user.target", False),
        ("multi-user.target", "multi-user.target", False),
        ("multi-user.target", "sleep.target", False),
        ("graphical.target", "graphical.target", False),
    ],
)
def test_what_a_target_wants_that_no_boot_comes_to(default: str, wanted: str, is_told: bool) -> None:
    targets = dict.fromkeys(("multi-user.target", "graphical.target", "sleep.target", "default.target"), "[Unit]\n")
    host = in_force(None, vendor=targets)
    host = replace(host, loadpath=replace(host.loadpath, links={f"{VENDOR}/default.target": default}))
    done = work(declare(service(install={"WantedBy": wanted})), host)
    found = doubts.not_at_boot(View(done.differences, done.observed), done.plan, done.graph)
    assert [each.directive for each in found] == (["WantedBy"] if is_told else [])


COMMAND = "[Service]\nExecStart=/bin/d\n"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("nignx.service", " (did you mean nginx.service?)"),
        ("db.service", ""),
        ("nignx.timer", ""),
        ("orther.service", " (did you mean other.service?)"),
        ("worker.service", ""),  # there is a template of that name
    ],
)
def test_a_name_that_is_near(name: str, near: str) -> None:
    vendor = {**OTHER, "dbus.service": COMMAND, "worker@.service": COMMAND}
    dropin = {"name": name, "dropin": "x", "unit": {"Description": "x"}}
    for given in ({"units": [{"name": name, "state": "started"}]}, {"dropins": [dropin]}):
        done = work(declare(*given.pop("units", []), **given), in_force(None, vendor=vendor))
        (found,) = refusals.impossible(View(done.differences, done.observed))
        assert found.message.endswith(near)
        assert ("did you mean" in found.message) == bool(near)


@pytest.mark.parametrize(
    ("stem", "near"),
    [
        ("workr", " (did you mean worker@.service?)"),
        ("nginx", ""),  # which is no template
        ("test-alrt", ""),  # what this stack has for its alerts
    ],
)
def test_a_template_that_is_near(stem: str, near: str) -> None:
    vendor = {**OTHER, "test-alert@.service": COMMAND}
    listening = {"name": f"{stem}.socket", "socket": {"ListenStream": "1", "Accept": True}}
    done = work(declare(listening, service("worker@")), in_force(None, vendor=vendor))
    (found,) = refusals.impossible(View(done.differences, done.observed))
    assert found.message.endswith(f"mend the name{near}")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/bin/sh -c 'date +%m%d > /run/day'", "'+%m%d'"),
        ("/bin/date +%H:%M", "'+%H:%M'"),
        ('/bin/tool --format "%m-%d"', "'%m-%d'"),
        ("/bin/sh -c 'x=$(date +backup-%d)'", "'+backup-%d'"),
        ('/bin/tool --format "%d/%b/%Y"', "'%d/%b/%Y'"),
        ("/bin/tool --format=%d/%b/%Y", "'%d/%b/%Y'"),
        ("/bin/tool --format '%d. %B %Y, at'", "'%d. %B %Y'"),
        ('/bin/tool "%Y-%m-%dT%H:%M"', "'%Y-%m-%dT%H:%M'"),
        ("/bin/tool %d %S", ""),
        ("/bin/tool --id %H-%b %S/%p %d/%n", ""),
        ('/bin/tool "%%d/%%b/%%Y"', ""),
        ("/bin/sh -c 'date +%%m%%d > /run/day'", ""),
        ("/bin/tool %H-%N %p-%n", ""),
        ("+/opt/%p/bin/run --id %n", ""),
        ("-+/opt/%n/run", ""),
        ("/bin/tool 1+%n", ""),
        ("/bin/tool 100%%", ""),
    ],
)
def test_a_format_of_a_date(command: str, said: str) -> None:
    found = told(service(service={"ExecStart": command}))
    assert [(unit, directive, rule) for unit, directive, rule, _message in found] == (
        [("a.service", "ExecStart", "date-format")] if said else []
    )
    assert all(
        f"in the place of {said}" in message and "write each percent sign as %%" in message
        for *_place, message in found
    )


@pytest.mark.parametrize(
    ("more", "both"),
    [
        ({"environment": {"A": "1", "B": "2"}, "secrets": {"B": "long-enough", "C": "long-enough"}}, "B"),
        ({"service": {"ExecStart": "/bin/a", "Environment": '"A=1 B=2" C=3'}, "secrets": {"B": "x", "C": "x"}}, "C"),
        ({"environment": {"A": "1"}, "secrets": {"B": "long-enough"}}, ""),
        ({"environment": {"A": "1"}, "credentials": {"A": "long-enough"}}, ""),
        ({"environment": {"A": "1"}}, ""),
    ],
)
def test_a_variable_that_is_set_twice(more: Entry, both: str) -> None:
    found = told(service(**more))
    assert [rule for _unit, _directive, rule, _message in found] == (["environment-twice"] if both else [])
    assert all(message.startswith(f"{both} is set under environment and under secrets") for *_place, message in found)
    unit = {key: value for key, value in more.items() if key in ("service", "environment")}
    rest = {key: value for key, value in more.items() if key not in unit}
    dropin = {"name": "a.service", "dropin": "x", "service": {"Nice": 1}, **rest}
    assert len(told(service(**unit), dropins=[dropin])) == len(found)


@pytest.mark.parametrize(
    ("option", "directive"),
    [("environment", "Environment"), ("secrets", "EnvironmentFile"), ("credentials", "LoadCredential")],
)
def test_an_option_that_has_slipped_in_by_its_indentation(option: str, directive: str) -> None:
    given = {"WORDS": "correct-horse", "memory_max": "256M-horse", "user": "store-horse", "on_calendar": "daily-horse"}
    names = ("memory_max", "user", "on_calendar")
    said = [
        f"{option}.{name}: that is an option of the service: has it slipped in by its indentation?" for name in names
    ]
    dropin = {"name": "other.service", "dropin": "x", option: given}
    for unit, found in (("a.service", told(service(**{option: given}))), ("other.service", told(dropins=[dropin]))):
        assert found == [(unit, directive, "slipped-option", message) for message in said]


@pytest.mark.parametrize(
    "name",
    ["USER", "User", "MEMORY_MAX", "MemoryMax", "http_proxy", "no_proxy", "memory-max", "user_name", "name", "service"],
)
def test_a_name_that_variables_have(name: str) -> None:
    given = {name: "some-word"}
    more = {} if "-" in name else {"environment": given, "secrets": given}
    assert [rule for _unit, rule in rules(service(credentials=given, **more)) if rule != "environment-twice"] == []


def test_a_lower_case_variable_of_a_text_has_not_slipped() -> None:
    assert rules(service(service={"ExecStart": "/bin/a", "Environment": "user=x"})) == []


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a", {"ExecStart": "/bin/a --id %i"}, "%i"),
        ("a", {"ExecStart": "/bin/a", "WorkingDirectory": "/srv/%I"}, "%I"),
        ("a", {"ExecStart": "/bin/a %%i %n %p"}, ""),
        ("a@", {"ExecStart": "/bin/a --id %i"}, ""),
        ("a@one", {"ExecStart": "/bin/a --id %i"}, ""),
    ],
)
def test_a_specifier_of_an_instance_where_there_is_none(name: str, text: Entry, word: str) -> None:
    found = [each for each in told(service(name, service=text)) if each[2] == "specifier-empty"]
    said = f"{word} stands for nothing here, as this is neither a template nor an instance of one"
    assert [each[3].partition(":")[0] for each in found] == ([said] if word else [])
    assert all("name it a@.service and give it instances, or leave" in each[3] for each in found)
    dropin = {"name": f"{name}.service", "dropin": "x", "service": {**text, "ExecStart": ["", text["ExecStart"]]}}
    assert ("specifier-empty" in [rule for _unit, rule in rules(dropins=[dropin])]) == bool(word)


def test_nor_in_a_dropin_that_many_have() -> None:
    for name in ("service", "a-.service", "a@.service"):
        dropin = {"name": name, "dropin": "x", "service": {"WorkingDirectory": "/srv/%i"}}
        assert "specifier-empty" not in [rule for _unit, rule in rules(dropins=[dropin])]


@pytest.mark.parametrize(
    ("entry", "near"),
    [
        ({"name": "nignx.service", "state": "stopped"}, " (did you mean nginx.service?)"),
        ({"name": "nignx.service", "state": "stopped", "enabled": False}, " (did you mean nginx.service?)"),
        ({"name": "nignx.service", "enabled": False, "state": "present"}, " (did you mean nginx.service?)"),
        ({"name": "zzz@one.service", "state": "stopped"}, ""),
        ({"name": "nginx.service", "state": "stopped", "enabled": False}, None),
        ({"name": "zzz.service", "masked": True, "state": "stopped"}, None),
        ({"name": "zzz.service", "state": "absent"}, None),
    ],
)
def test_what_shall_be_down_and_is_nowhere(entry: Entry, near: str | None) -> None:
    found = [each for each in told(entry) if each[2] == "stopped-nowhere"]
    assert [(unit, message.partition("leave it out")[2]) for unit, _place, _rule, message in found] == (
        [] if near is None else [(entry["name"], near)]
    )


def test_a_member_of_a_target_that_is_nowhere_is_told_once() -> None:
    params, wrong = expanded({"name": "test", "targets": [{"name": "t", "members": ["nope.timer", "nginx"]}]})
    assert not wrong
    done = work(build(params, facts()), in_force(None, vendor=OTHER))
    found = refusals.impossible(View(done.differences, done.observed))
    assert [(each.unit, each.rule.id) for each in found if "nope" in str(each)] == [("nope.timer", "no-such-unit")]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("web.service.service", "web.service"),
        ("web.service@.service", "web@.service"),
        ("mail@web.service.service", ""),
        ("web.service.timer", ""),
        ("web.service-x.service", ""),
    ],
)
def test_a_name_with_its_type_twice(name: str, meant: str) -> None:
    section = {"timer": {"OnCalendar": "daily"}} if name.endswith(".timer") else {"service": {"ExecStart": "/bin/a"}}
    dropin = {"name": name, "dropin": "x", "unit": {"Description": "x"}}
    for given in ({"units": [{"name": name, **section}]}, {"dropins": [dropin]}):
        found = [each for each in told(*given.get("units", ()), dropins=given.get("dropins", [])) if "twice" in each[2]]
        said = f"its name has the type of unit twice: did you mean {meant}?"
        assert found == ([(name, "", "type-twice", said)] if meant else [])


def test_a_type_twice_that_is_meant_so() -> None:
    """The file of a swap may well be named so, and what shall be gone has the name that it had."""
    swap = {"name": "srv-x.swap.swap", "swap": {"What": "/srv/x.swap"}}
    gone = {"name": "web.service.service", "state": "absent"}
    assert "type-twice" not in [rule for _unit, rule in rules(swap, gone)]


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ("rw, noatime", "rw,noatime"),
        ("rw noatime", "rw,noatime"),
        ("size=10M, mode=0755", "size=10M,mode=0755"),
        ("rw ,noatime", "rw,noatime"),
        ("rw,noatime", ""),
        ("credentials=/etc/my share,rw", ""),
        ('context="system_u:a b, c",rw', ""),
    ],
)
def test_blanks_in_the_options_of_a_mount(options: str, meant: str) -> None:
    mount = {"name": "srv-a.mount", "mount": {"What": "tmpfs", "Where": "/srv/a", "Options": options}}
    swap = {"name": "srv-b.swap", "swap": {"What": "/srv/b", "Options": options}}
    for unit in (mount, swap):
        found = [each for each in told(unit) if each[2] == "mount-options"]
        assert [each[:2] for each in found] == ([(unit["name"], "Options")] if meant else [])
        assert all(each[3].endswith(f"between options: '{meant}'") for each in found)


@pytest.mark.parametrize(
    ("value", "name", "sign"),
    [
        ("A=1, B=2", "A", ","),
        ("A=1; B=2", "A", ";"),
        ("X=0 LIST=a,b, B=2", "LIST", ","),
        ("A=1 B=2,", "", ""),
        ('"A=1," B=2', "", ""),
        ("A=1,2 B=2", "", ""),
    ],
)
def test_a_comma_between_assignments(value: str, name: str, sign: str) -> None:
    dropin = {"name": "nginx.service", "dropin": "x", "service": {"Environment": value}}
    said = f"the {sign} behind it becomes a part of the value of {name}: "
    for given in (told(service(service={"ExecStart": "/bin/a", "Environment": value})), told(dropins=[dropin])):
        found = [each[3] for each in given if each[2] == "environment-parted"]
        assert [each.startswith(said) for each in found] == ([True] if name else [])
    assert "environment-parted" not in [rule for _unit, rule in rules(service(environment={"A": "1,", "B": "2"}))]

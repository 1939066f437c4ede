# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message says what was meant and a remedy that helps; what is worth a word, and hinders nothing, is a warning."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import FOREVER, NGINX, NOTES, UNITS, WANTED, Entry, app, service, timer
from .lab import USER, Lab, places

AS_USER = {"scope": "user", "prefix": ("runuser", "-u", USER, "--"), "env": {"HOME": "/root", "XDG_RUNTIME_DIR": ""}}


def rules(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["unit"], each["directive"], each["rule"]) for each in result["unverified"]]


def test_a_percent_sign_that_is_meant_as_itself(host: Lab) -> None:
    for directive in ("ReadWritePaths", "WorkingDirectory"):
        (error,) = host.refused(service(service={directive: "/srv/EPS%3A"}))["errors"]
        assert error["directive"] == directive
        assert "written %%" in error["message"]
    error = host.refused(service(command="/bin/echo 100%FREE"))["errors"][0]
    assert "written %%" in error["message"]
    host.foretell(service(command="/bin/echo 100%%FREE"))


def test_a_value_that_is_newer_than_the_host(host: Lab) -> None:
    unit = service(service={"Type": "notify-reload"})
    if host.systemd >= 253:
        host.foretell(unit)
        return
    (error,) = host.refused(unit)["errors"]
    assert (error["section"], error["directive"]) == ("Service", "Type")
    assert f"came with systemd 253, and this host has {host.systemd}" in error["message"]


def test_two_units_in_a_circle(host: Lab) -> None:
    """One error, with its directive, and the same in check mode."""
    first = service("first", unit={"After": "second.service", "Requires": "second.service"}, install=WANTED)
    second = service("second", unit={"After": "first.service"}, install=WANTED)
    for check_mode in (False, True):
        result = host.refused(first, second, check_mode=check_mode)
        assert places(result) == [("first.service", "Unit", "After")]
        assert "second.service" in result["msg"]


def test_a_warning_is_given_beside_an_error(host: Lab) -> None:
    wishing = service("wishing", unit={"Wants": "nowhere.service"}, install=WANTED)
    wrong = service(service={"Type": "notfy"})
    result = host.refused(wishing, wrong)
    assert [error["unit"] for error in result["errors"]] == ["main.service"]
    assert ("wishing.service", "Wants", "wants-nowhere") in rules(result)
    assert any(warning.startswith("wishing.service: ") for warning in result["warnings"])


def test_a_line_that_is_not_meant_so_is_told_beside_a_mistake_in_another(host: Lab) -> None:
    result = host.refused(service(command="/usr/bin/date +%j-%m", service={"UMask": 23}))
    assert [error["directive"] for error in result["errors"]] == ["UMask"]
    assert [rule for _unit, _directive, rule in rules(result)] == ["date-format"]


def test_a_name_that_is_near(host: Lab) -> None:
    dropin = {"name": "nignx.service", "dropin": "x", "service": {"LimitNOFILE": 1024}}
    (warning,) = host.foretell(dropins=[dropin])["warnings"]
    assert f"did you mean {NGINX}?" in warning
    assert f"did you mean {NGINX}?" in host.refused({"name": "nignx.service", "state": "started"})["msg"]


def test_a_short_form_without_what_it_starts(host: Lab) -> None:
    """What tells of failures has nearly the same name."""
    told = service("main", alert={"command": ["/bin/true"]})
    for given in ({"timers": [{"name": "test-aler", "on_calendar": "daily"}]}, {"sockets": [LISTENING]}):
        (error,) = host.refused(told, **given)["errors"]
        assert "exec_start, declare that too, or mend the name" in error["message"]
        assert "did you mean" not in error["message"]


def test_instances_as_words(host: Lab) -> None:
    (error,) = host.refused({"name": "job@.service", **TEXT, "instances": "mail pdf"})["errors"]
    assert "several instances are a list, [mail, pdf]" in error["message"]


LISTENING = {"name": "test-aler", "listen_stream": ["/run/aler.sock"]}
TEXT = {"service": {"ExecStart": FOREVER}}
LACKING = [
    ({"User": "nobody-of-that-name"}, "User"),
    ({"Group": "nobody-of-that-name"}, "Group"),
    ({"EnvironmentFile": "/etc/nowhere.env"}, "EnvironmentFile"),
    ({"WorkingDirectory": "/srv/nowhere"}, "WorkingDirectory"),
    ({"ReadWritePaths": "/srv/nowhere"}, "ReadWritePaths"),
    ({"BindPaths": "/srv/nowhere:/mnt"}, "BindPaths"),
    ({"StandardInput": "file:/srv/nowhere"}, "StandardInput"),
    ({"StandardOutput": "append:/srv/nowhere/log"}, "StandardOutput"),
    ({"StandardError": "file:/var/log/nowhere/log", "LogsDirectory": "nowhere"}, "StandardError"),
    ({"NetworkNamespacePath": "/run/netns/nowhere"}, "NetworkNamespacePath"),
]


def test_each_line_that_is_wrong_is_told_at_once(host: Lab) -> None:
    """systemd stops to read a unit at some of them."""
    text = {
        "ExecStart": "./app.py \\\n -x",
        "WorkingDirectory": "opt/app",
        "EnvironmentFile": ".env",
        "ReadWritePaths": "data",
    }
    content = "[Service]\n" + "".join(f"{name}={value}\n" for name, value in text.items()) + "Nice=30\n"
    errors = host.refused({"name": "main.service", "content": content})["errors"]
    assert {each["directive"] for each in errors} == {*text, "Nice"}
    assert len(errors) == 5
    template = {"name": "main@.service", "content": content, "instances": ["a", "b"]}
    assert {each["directive"] for each in host.refused(template)["errors"]} == {*text, "Nice"}


@pytest.mark.parametrize(("directives", "named"), LACKING)
def test_what_a_start_needs_and_is_not_there(host: Lab, directives: Entry, named: str) -> None:
    unit = service(service=directives, install=WANTED)
    assert rules(host.foretell(unit)) == [("main.service", named, "lacking")]
    result = host.failing(unit)
    assert rules(result) == [("main.service", named, "lacking")]
    assert "nowhere" in result["msg"] or "nobody-of-that-name" in result["msg"]


def test_what_a_start_needs_and_is_there_or_made(host: Lab) -> None:
    host.write(f"{NOTES}/there.env", "A=1\n")
    made = {"StateDirectory": "main", "WorkingDirectory": "/var/lib/main", "ReadWritePaths": "/var/lib/main -/srv/none"}
    there = {
        "User": USER,
        "Group": USER,
        "EnvironmentFile": ["-/etc/nowhere.env", f"{NOTES}/there.env"],
        "BindReadOnlyPaths": "-/srv/none /var/lib/main:/mnt",
        "StandardOutput": f"append:{NOTES}/log",
    }
    more: Entry = {"secrets": {"TOKEN": "some secret"}, "triggers": {"environment_files": False}}
    unit = service(service={**made, **there}, install=WANTED, **more)
    assert host.settled(unit)["unverified"] == []
    dynamic = service("other", service={"DynamicUser": True, "User": "one-of-its-own"}, install=WANTED)
    assert host.foretell(unit, dynamic)["unverified"] == []


@pytest.mark.parametrize("relation", ["Requires", "BindsTo", "Wants"])
def test_accounts_that_another_service_makes_while_it_runs(host: Lab, relation: str) -> None:
    """As cockpit has it; without that service they are not there."""
    making = service("making", service={"DynamicUser": True, "User": "maker", "Group": "makers"}, install=WANTED)
    listening = {
        "name": "made.socket",
        "unit": {relation: "making.service", "After": "making.service"},
        "socket": {"ListenStream": "/run/made.sock", "SocketUser": "maker", "SocketGroup": "makers"},
        "install": {"WantedBy": "sockets.target"},
    }
    served = service("made", state="present")
    assert host.foretell(making, listening, served)["unverified"] == []
    alone = {**listening, "unit": {}}
    assert rules(host.foretell(making, alone, served)) == [
        ("made.socket", "SocketUser", "lacking"),
        ("made.socket", "SocketGroup", "lacking"),
    ]


def test_the_other_users_of_a_user(host: Lab) -> None:
    def mine(user: str) -> Entry:
        return service("mine-web", service={"User": user}, install={"WantedBy": "default.target"}, state="present")

    assert rules(host.apply(mine("www-data"), name="mine", **AS_USER)) == [("mine-web.service", "User", "other-user")]
    own = [("mine-web.service", "User", "other-user")] if host.systemd < 253 else []
    assert rules(host.apply(mine(USER), name="mine", **AS_USER)) == own, "older ones cannot take even their own user"


def test_what_nothing_starts_at_boot(host: Lab) -> None:
    def told(result: dict[str, Any]) -> list[str]:
        return [warning for warning in result.get("warnings", []) if "at boot" in warning]

    for unit in (service(), timer("daily", "main")):
        units = [unit, service(state="present")] if unit["name"] == "main.timer" else [unit]
        (foretold,) = told(host.foretell(*units))
        (warning,) = told(host.apply(*units))
        assert warning == foretold
        assert warning.startswith(f"{unit['name']}: it runs now, and nothing starts it at boot")
        assert told(host.apply(*units)) == []
        host.remove()
    assert told(host.apply(service(enabled=False))) == []
    host.foreign("wanting.service", f"[Unit]\nWants=app.service\n[Service]\nExecStart={FOREVER}\n")
    host.sh("systemctl daemon-reload")
    assert told(host.apply(service(enabled=False), app(1, install={}, enabled=None))) == []


def test_a_shell_that_is_none(host: Lab) -> None:
    unit = service(command="/bin/sleep infinity > /tmp/x", state="present", install=WANTED)
    assert rules(host.apply(unit)) == [("main.service", "ExecStart", "shell")]
    assert host.exists(f"{UNITS}/main.service")


def test_what_systemd_makes_of_words_for_a_shell(host: Lab) -> None:
    noting = f'/bin/sh -c \'printf "%%s\\\\n" "$$@" > {NOTES}/words; exec sleep infinity\' noting'
    words = '~/a /usr/*.x $(date +x) ${A:-1} --p=$PATH $NOWHERE "$PATH/b c" -${PATH%%/*}-'
    told = host.apply(service(command=f"{noting} {words}", install=WANTED))
    found = {each["rule"]: each["message"] for each in told["unverified"]}
    assert set(found) == {"shell", "variable-unset"}
    assert "the program gets ~/a as an argument" in found["shell"]
    assert "sets $NOWHERE, so" in found["variable-unset"]
    assert host.read(f"{NOTES}/words") == "~/a\n/usr/*.x\n+x)\n${A:-1}\n--p=$PATH\n--\n"
    quoted = "'/usr/*' \"~/a\" 'a '\\''>'\\'' > /x' ${PATH} $GIVEN -${GIVEN}"
    told = host.apply(service(command=f"{noting} {quoted}", install=WANTED, environment={"GIVEN": "b c"}))
    assert told["unverified"] == []
    lines = host.read(f"{NOTES}/words").splitlines()
    assert [each for each in lines if ":" not in each] == ["/usr/*", "~/a", "a '>' > /x", "b", "c", "-b c"]


def test_an_option_among_the_secrets(host: Lab) -> None:
    given = {"TOKEN": "correct-horse", "memory_max": "256M-horse"}
    told = host.apply(service(secrets=given, install=WANTED))
    assert rules(told) == [("main.service", "EnvironmentFile", "slipped-option")]
    assert "256M-horse" not in str(told)


def test_mistakes_of_options_and_of_values_come_at_once(host: Lab) -> None:
    """Of a unit with a mistake, what only follows from that is not said."""
    both = service("both", service={"Fnord": "x", "Restart": "Allways"})
    nothing = {"name": "nothing.service", "service": {"ExecStrat": "/bin/a"}}
    text = {"name": "text.service", "content": f"[Service]\nExecStart={FOREVER}\nMemoryMax=5x\nFnord=1\n"}
    wrong = service("wrong", service={"Type": "notfy"})
    needing = service("needing", unit={"Requires": nothing["name"]}, enabled=True)
    dropin = {"name": NGINX, "dropin": "x", "service": {"Fnord": 1, "Restart": "Allways"}}
    for check_mode in (False, True):
        result = host.refused(both, nothing, text, wrong, needing, dropins=[dropin], check_mode=check_mode)
        assert sorted(places(result)) == [
            ("both.service", "Service", "Fnord"),
            ("both.service", "Service", "Restart"),
            ("needing.service", "", ""),
            ("nginx.service", "Service", "Fnord"),
            ("nginx.service", "Service", "Restart"),
            ("nothing.service", "Service", "ExecStrat"),
            ("text.service", "Service", "Fnord"),
            ("text.service", "Service", "MemoryMax"),
            ("wrong.service", "Service", "Type"),
        ]

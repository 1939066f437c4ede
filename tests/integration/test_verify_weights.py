# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd takes with a notice is a warning; what it drops, or will never take, is an error in check mode too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, IDLE, UNITS, WANTED, Entry, service
from .lab import Lab, Result, places


def advised(result: Result) -> list[tuple[str, str, str]]:
    return [(each["unit"], each["section"], each["directive"]) for each in result["unverified"]]


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("User", "first.last"),
        ("User", "svc@corp.example.com"),
        ("User", "domain user"),
        ("Group", "domain users"),
        ("Group", "a.b"),
    ],
)
def test_a_user_of_another_spelling(host: Lab, directive: str, value: str) -> None:
    host.sh(f"echo '{value}:x:1234:1234::/:/bin/sh' >> /etc/passwd; echo '{value}:x:1234:' >> /etc/group")
    unit = service(service={directive: value})
    for result in (host.foretell(unit), host.apply(unit)):
        assert advised(result) == [("main.service", "Service", directive)]
        assert result["unverified"][0]["rule"] == "advice"
    host.assert_settled(unit)


@pytest.mark.parametrize(
    ("section", "directive", "value", "known"),
    [
        ("service", "StandardOutput", "syslog", True),
        ("service", "KillMode", "none", True),
        ("service", "PIDFile", "/var/run/x.pid", False),  # Debian says nothing of it
        ("unit", "After", "main.service", True),
        ("service", "RuntimeMaxSec", "3", True),
    ],
)
def test_what_systemd_takes_and_says_something_of(
    host: Lab, section: str, directive: str, value: str, known: bool
) -> None:
    once = {"ExecStart": "/bin/true", "Type": "oneshot"}
    unit: Entry = {"name": "main.service", "service": once, "state": "present"}
    result = host.settled({**unit, section: {**unit.get(section, {}), directive: value}})
    assert {each["rule"] for each in result["unverified"]} == ({"advice"} if result["unverified"] else set())
    assert result["unverified"] or not known


def test_an_escape_that_systemd_does_not_know_is_left_as_it_stands(host: Lab) -> None:
    unit = service(command=f"/bin/sh -c 'printf %%s \"a\\.b\" > {NOTES}/escaped; exec sleep infinity'")
    for result in (host.foretell(unit), host.settled(unit)):
        assert advised(result) == [("main.service", "Service", "ExecStart")]
    assert host.read(f"{NOTES}/escaped") == "a\\.b"


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("Restart", "not found"),
        ("Restart", "please consider it deprecated"),
        ("MemoryMax", "5x is not executable"),
        ("Type", "No such file or directory"),
        ("Nice", "this is not safe"),
        ("User", "a:b"),
        ("ExecStartPre", "/etc/passwd/x"),
    ],
)
def test_what_systemd_will_never_take_is_an_error_in_check_mode_too(
    host: Lab, directive: str, value: str, check_mode: bool
) -> None:
    """Whatever words of systemd's own the value has in it."""
    unit: Entry = {"name": "main.service", "content": IDLE + f"{directive}={value}\n"}
    assert places(host.refused(unit, check_mode=check_mode)) == [("main.service", "Service", directive)]


HIDDEN = "/home/hidden/run"


@pytest.mark.parametrize(
    ("settings", "directive"),
    [
        ({"ExecStart": HIDDEN, "ProtectHome": True}, "ExecStart"),
        ({"ExecStart": "/var/tmp/run", "PrivateTmp": True}, "ExecStart"),
        ({"ExecStart": FOREVER, "ExecStartPre": HIDDEN, "InaccessiblePaths": "/home/hidden"}, "ExecStartPre"),
        ({"ExecStart": HIDDEN, "TemporaryFileSystem": "/home"}, "ExecStart"),
        ({"ExecStart": FOREVER, "WorkingDirectory": "/home/hidden", "ProtectHome": True}, "WorkingDirectory"),
    ],
    ids=str,
)
def test_what_the_host_has_and_the_unit_itself_hides(host: Lab, settings: dict[str, Any], directive: str) -> None:
    for path in (HIDDEN, "/var/tmp/run"):
        host.write(path, "#!/bin/sh\nexec sleep infinity\n", mode=0o755)
    unit = service(service=settings, install=WANTED)
    (told,) = host.foretell(unit)["unverified"]
    assert (told["directive"], told["rule"]) == (directive, "hidden")
    (error,) = host.failing(unit)["errors"]
    assert told["message"] in error["message"]
    host.sh("rm /var/tmp/run")


@pytest.mark.parametrize(
    "settings",
    [
        {"ExecStart": HIDDEN, "ProtectHome": "read-only", "PrivateTmp": True},
        {"ExecStart": HIDDEN, "TemporaryFileSystem": "/home", "BindReadOnlyPaths": HIDDEN},
        {"ExecStart": FOREVER, "ExecStartPre": f"+{HIDDEN}", "ProtectHome": True},
        {"ExecStart": "/var/tmp/run", "ExecStartPre": f"/bin/cp {HIDDEN} /var/tmp/run", "PrivateTmp": True},
    ],
    ids=str,
)
def test_what_the_unit_sees_all_the_same(host: Lab, settings: dict[str, Any]) -> None:
    for path in (HIDDEN, "/var/tmp/run"):
        host.write(path, "#!/bin/sh\n[ $# -gt 0 ] || exec sleep 0.1\n", mode=0o755)
    unit = service(service={**settings, "Type": "oneshot"}, state="present")
    assert host.foretell(unit)["unverified"] == []
    host.sh("rm /var/tmp/run")


def test_a_folder_is_no_program(host: Lab) -> None:
    """247 asks only whether it may be opened."""
    result = host.attempt(service(command="/etc"), check_mode=True)
    assert bool(result.get("failed")) is (host.systemd > 247)


@pytest.mark.parametrize(
    ("command", "mend"), [("/opt/none", "install it"), ("/etc/passwd", "0755"), ("/opt/not found", "install it")]
)
def test_a_program_may_still_come(host: Lab, command: str, mend: str) -> None:
    unit = service(command=f'"{command}"')
    (told,) = host.foretell(unit)["unverified"]
    assert (told["directive"], told["rule"]) == ("ExecStart", "missing")
    assert mend in told["message"]
    assert places(host.refused(unit)) == [("main.service", "Service", "ExecStart")]


def test_errors_and_warnings_of_many_units_come_at_once(host: Lab) -> None:
    wrong = [
        service("a", service={"Restart": "maybe"}),
        service("b", "/bin/none"),
        service("c", unit={"Requires": "n.service"}),
    ]
    found = places(host.refused(*wrong))
    assert found == [
        ("a.service", "Service", "Restart"),
        ("b.service", "Service", "ExecStart"),
        ("c.service", "Unit", "Requires"),
    ]
    assert places(host.refused(*wrong, check_mode=True)) == found[:1]


@pytest.mark.parametrize(
    ("settings", "made"),
    [
        ({"RootDirectory": "/srv/jail", "ExecStart": "/app/bin/run", "MountAPIVFS": True}, "/srv/jail/app/bin/run"),
        ({"RootDirectory": "/srv/%N", "ExecStart": "/app/bin/run"}, "/srv/main/app/bin/run"),
        ({"BindPaths": "/srv/app:/mnt", "ExecStart": "/mnt/run"}, "/srv/app/run"),
        ({"BindReadOnlyPaths": "-/srv/app:/mnt", "ExecStart": "/mnt/run"}, "/srv/app/run"),
        ({"ExecSearchPath": "/none:/srv/app", "ExecStart": "run"}, "/srv/app/run"),
        ({"RootDirectory": "/srv/jail", "BindPaths": "/srv/app:/mnt", "ExecStart": "/mnt/run"}, "/srv/app/run"),
    ],
    ids=str,
)
def test_a_program_is_looked_for_where_its_unit_will(host: Lab, settings: dict[str, Any], made: str) -> None:
    if host.systemd == 247 and "ExecSearchPath" in settings:
        return  # it came with 250
    unit: Entry = {"name": "main.service", "service": settings, "state": "present"}
    host.sh("mkdir -p /srv/jail/usr")
    (told,) = (each["rule"] for each in host.foretell(unit)["unverified"] if each["directive"] == "ExecStart")
    assert told in ("missing", "unseen")
    host.sh(f"mkdir -p {made.rpartition('/')[0]} && cp /bin/sleep {made}")
    assert host.settled(unit)["unverified"] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"RootImage": "/srv/x.raw", "ExecStart": "/app/run"},
        {"MountImages": "/srv/x.raw:/app", "ExecStart": "/app/run"},
        {"RootDirectory": "/srv/later", "ExecStart": "/app/run"},
    ],
    ids=str,
)
def test_what_only_the_start_will_show_is_told_and_hinders_nothing(host: Lab, settings: dict[str, Any]) -> None:
    unit: Entry = {"name": "main.service", "service": settings, "state": "present"}
    host.sh("mkdir -p /srv/later")
    for result in (host.foretell(unit), host.settled(unit)):
        assert [(each["directive"], each["rule"]) for each in result["unverified"]] == [("ExecStart", "unseen")]


BROUGHT = {
    "by a command before": {"ExecStartPre": "/bin/cp /bin/sleep /run/main/run", "ExecStart": "/run/main/run 100"},
    "by a shell": {"ExecStartPre": "/bin/sh -c 'cp /bin/sleep /run/main/run'", "ExecStart": "/run/main/run 100"},
    "with its folder": {"ExecStartPre": "/bin/cp -t /run/main /bin/sleep", "ExecStart": "/run/main/sleep 100"},
}


@pytest.mark.parametrize("commands", BROUGHT.values(), ids=BROUGHT)
def test_a_program_that_the_unit_brings_itself(host: Lab, commands: dict[str, Any]) -> None:
    unit = service(service={"RuntimeDirectory": "main", **commands})
    (told,) = host.foretell(unit)["unverified"]
    assert told["rule"] == "unseen"
    host.settled(unit)


def test_a_program_that_nothing_brings_before_it_is_run(host: Lab) -> None:
    later = {"ExecStartPre": "/run/main/run", "ExecStart": FOREVER, "ExecStartPost": "/bin/cp /bin/sleep /run/main/run"}
    for commands in (later, {"ExecStartPre": "/run/main/run /run/main", "ExecStart": FOREVER}):
        (error,) = host.refused(service(service={"RuntimeDirectory": "main", **commands}))["errors"]
        assert (error["directive"], error["rule"]) == ("ExecStartPre", "missing")


def test_a_program_on_what_is_mounted_in_the_same_run(host: Lab) -> None:
    host.sh("mkdir -p /srv/brought /srv/at && cp /bin/sleep /srv/brought/run")
    mount = {"name": "srv-at.mount", "mount": {"What": "/srv/brought", "Where": "/srv/at", "Options": "bind"}}
    unit = service("main", "/srv/at/run 100", unit={"RequiresMountsFor": "/srv/at"})
    (told,) = host.foretell(mount, unit)["unverified"]
    assert (told["unit"], told["rule"]) == ("main.service", "unseen")
    host.settled(mount, unit)
    (error,) = host.refused(mount, service("main", "/srv/at/none"))["errors"]
    assert error["rule"] == "missing"
    host.apply(state="absent")
    host.sh("rm -r /srv/brought /srv/at")


OTHERS = {
    "a second line": {"ExecStartPre": ["/bin/true", "/usr/bin/slep 1"]},
    "a second command": {"ExecStartPre": "/bin/true ; /usr/bin/slep 1"},
    "of an instance": {"ExecStartPre": ["/bin/true", "/usr/bin/slep-%i"]},
}


@pytest.mark.parametrize("commands", OTHERS.values(), ids=OTHERS)
def test_programs_of_other_commands_than_the_first(host: Lab, commands: dict[str, Any]) -> None:
    unit = {**service("main@", service={**commands, "ExecStart": FOREVER}), "instances": ["a"]}
    (told,) = host.foretell(unit)["unverified"]
    assert (told["directive"], told["rule"]) == ("ExecStartPre", "missing")
    (error,) = host.refused(unit)["errors"]
    assert "install it, or mend the path" in error["message"]


def test_what_a_condition_waits_for_may_be_missing(host: Lab) -> None:
    """By such a condition the unit is not started before it is there, and that is how packages say it."""
    waits = {"ConditionFileIsExecutable": "/opt/later/run", "ConditionPathExists": ["/etc/later", "/etc/later.env"]}
    needs = {"EnvironmentFile": "/etc/later.env", "WorkingDirectory": "/etc/later/folder"}
    unit = service("later", "/opt/later/run", unit=waits, service={**needs, "ExecReload": "/opt/later/run -r"})
    result = host.settled({**unit, "install": WANTED, "state": "present"})
    assert not result["unverified"]
    any_of = {"ConditionPathExists": ["|/opt/later/run", "|/bin/sh"], "ConditionFileIsExecutable": "!/opt/later/run"}
    (error,) = host.refused({**unit, "unit": any_of, "service": {"ExecStart": "/opt/later/run"}})["errors"]
    assert (error["directive"], error["rule"]) == ("ExecStart", "missing")


def test_programs_that_may_be_missing(host: Lab) -> None:
    brought = ["/bin/cp /bin/true /run/main/run", "/run/main/run", "-/usr/bin/slep", "/bin/echo a \\; /none"]
    host.settled(service(service={"RuntimeDirectory": "main", "ExecStartPre": brought, "ExecStart": FOREVER}))


def test_a_variable_in_the_place_of_a_program(host: Lab) -> None:
    (error,) = host.refused(service(service={"Environment": "A=/bin/sleep", "ExecStart": "${A} 100"}))["errors"]
    assert "have a shell find it" in error["message"]


def test_a_drop_in_that_gives_a_root(host: Lab) -> None:
    host.write(f"{UNITS}/foreign.service", f"[Service]\nExecStart={FOREVER}\n")
    host.sh("mkdir -p /srv/jail/app && cp /bin/sleep /srv/jail/app/run")
    dropin = {"name": "foreign.service", "dropin": "a"}
    there = {"ExecStart": ["", "/app/run 100"], "RootDirectory": "/srv/jail"}
    assert host.settled(dropins=[{**dropin, "service": there}])["unverified"] == []
    result = host.refused(dropins=[{**dropin, "service": {**there, "ExecStart": ["", "/app/none"]}}])
    assert places(result) == [("foreign.service", "Service", "ExecStart")]

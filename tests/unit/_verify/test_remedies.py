# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd's words weigh, and what is said beside them. The words are as 247 to 262 write them."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._plan import shells
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Problem
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.remedies import (
    ADVICE,
    MISSING,
    VERIFY,
    beside,
    judged,
    weight,
)

from tests.unit.world import facts

KNOWN = facts(257).catalogue


def said(message: str, unit: str = "a.service", section: str = "", directive: str = "") -> Problem:
    return VERIFY.said(message, unit, section, directive)


def one(problem: Problem, going: frozenset[str] = frozenset()) -> Problem:
    (found,) = judged([problem], going, catalogue=KNOWN)
    return found


ERROR, WARNING, NOTICE = 3, 4, 5


@pytest.mark.parametrize(
    ("level", "message", "heavy"),
    [
        (ERROR, "Command /usr/bin/nothing is not executable: No such file or directory", "missing"),
        (ERROR, "Command /usr/bin/nothing is not executable: Permission denied", "missing"),
        (ERROR, "Command /etc is not executable: Is a directory", "verify"),
        (ERROR, "Command /etc/passwd/x is not executable: Not a directory", "verify"),
        (ERROR, "Failed to create a.service/start: Unit b.service not found.", "missing"),
        (ERROR, "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.", "verify"),
        (WARNING, "RuntimeMaxSec= has no effect in combination with Type=oneshot. Ignoring.", "advice"),
        (WARNING, "Dependency After=a.service is dropped.", "advice"),
        (WARNING, "Something that nobody has seen.", "advice"),
        (WARNING, "Found ordering cycle on a.service/start", "verify"),
        (ERROR, "Something that nobody has seen.", "verify"),
        (NOTICE, "Accepting user/group name 'a b', which does not match strict user/group name rules.", "advice"),
        (NOTICE, "Unit configuration has fatal error, unit will not be started.", "verify"),
    ],
)
def test_what_a_complaint_about_a_unit_weighs(level: int, message: str, heavy: str) -> None:
    assert weight(message, level, placed=False).id == heavy


@pytest.mark.parametrize(
    ("level", "message", "heavy"),
    [
        (WARNING, "Unknown key name 'Nise' in section 'Service', ignoring.", "verify"),
        (WARNING, "Something that nobody has seen.", "verify"),
        (WARNING, "Unit dependency type BindTo= is obsolete, replacing by BindsTo=, please update your unit", "advice"),
        (WARNING, "Unit uses MemoryLimit=; please use MemoryMax= instead. Support for it will be removed", "advice"),
        (WARNING, "Unit configured to use KillMode=none. This is unsafe, as it disables systemd's process", "advice"),
        (WARNING, "Unit uses KillMode=none. This is unsafe, as it disables systemd's process lifecycle", "advice"),
        (WARNING, "Specifier '%c' used in unit configuration, which is deprecated. Please update", "advice"),
        (WARNING, "The !! modifier for ExecStart= lines is no longer supported and is now ignored.", "advice"),
        (WARNING, "CPUAccounting= is deprecated, ignoring", "advice"),
        (WARNING, 'Ignoring unknown escape sequences: "grep a\\.b"', "advice"),
        (NOTICE, "Special user nobody configured, this is not safe!", "advice"),
        (NOTICE, "Standard output type syslog is obsolete, automatically updating to journal.", "advice"),
        (NOTICE, "PIDFile= references a path below legacy directory /var/run/, updating; please update", "advice"),
        (NOTICE, "Something that nobody has seen.", "advice"),
        (WARNING, "Failed to parse service restart specifier, ignoring: not found", "verify"),
        (WARNING, "Failed to parse service restart specifier, ignoring: Unit uses KillMode=none", "verify"),
        (WARNING, "Failed to parse service restart specifier, ignoring: Unit b.service not found", "verify"),
        (WARNING, "Failed to parse service restart specifier, ignoring: please consider it deprecated", "verify"),
        (WARNING, "Failed to parse service restart specifier, ignoring: No such file or directory", "verify"),
    ],
)
def test_what_a_complaint_about_a_line_weighs(level: int, message: str, heavy: str) -> None:
    assert weight(message, level, placed=True).id == heavy


def test_what_this_run_takes_away_will_not_come_by_another_task() -> None:
    complaint = said("Failed to create a.service/start: Unit b.service not found.")._replace(rule=MISSING)
    assert one(complaint, frozenset({"b.service"})).rule.id == "verify"
    assert one(complaint, frozenset({"c.service"})).rule.id == "missing"


@pytest.mark.parametrize(
    ("message", "section", "directive", "text"),
    [
        (
            *("Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.", "Service", "ExecStart"),
            "Service has no ExecStart=, ExecStop=, or SuccessAction=: only a oneshot with ExecStop= does without it",
        ),
        (
            *("Service has more than one ExecStart= setting, which is only allowed for oneshots. Refusing.", "Service"),
            "ExecStart",
            "Service has more than one ExecStart= setting, which is only allowed for oneshots: "
            'a list is the directive repeated, so write one command as one text, or a list that begins with "" '
            "if it shall take the place of an earlier one; what runs ahead of it is ExecStartPre=",
        ),
        (
            *("Failed to parse calendar specification, ignoring: daily Europe/Berlinn", "", ""),
            "Failed to parse calendar specification, ignoring: daily Europe/Berlinn: the time zone at its end, where "
            "the option timezone puts it, is one of `timedatectl list-timezones`, and what is before it as "
            "`systemd-analyze calendar` of the host takes it",
        ),
        (
            *("Failed to resolve unit specifiers in '100%FREE', ignoring: Invalid slot", "", ""),
            "Failed to resolve unit specifiers in '100%FREE', ignoring: Invalid slot: a percent sign that is meant as "
            "itself is written %%",
        ),
        (
            *("What= setting is missing. Refusing.", "Mount", "What"),
            "What= setting is missing: say what is mounted",
        ),
        (
            *("Command /srv/app is not executable: Is a directory", "", ""),
            "Command /srv/app is not executable: Is a directory: name the program that is in it",
        ),
        (
            *("Unit b.service not found.", "", ""),
            "Unit b.service not found: declare it too, or mend its name",
        ),
        (
            *("Command /x is not executable: Permission denied", "", ""),
            "Command /x is not executable: Permission denied: give it a mode that lets it be run, such as 0755",
        ),
        (
            *("Command cd is not executable: No such file or directory", "", ""),
            "Command cd is not executable: No such file or directory: a shell does that itself: write /bin/sh -c and "
            "all the rest in quotes, or say it by directives such as WorkingDirectory= and Environment=",
        ),
        (
            *("Command cdrecord is not executable: No such file or directory", "", ""),
            "Command cdrecord is not executable: No such file or directory: install it, or write its whole path, since "
            "systemd looks for a mere name in /usr/local/bin and the like alone",
        ),
        (
            *("Command /opt/x is not executable: No such file or directory", "", ""),
            "Command /opt/x is not executable: No such file or directory: install it, or mend the path",
        ),
        (
            *("Invalid user/group name or numeric ID: web:web", "", ""),
            "Invalid user/group name or numeric ID: web:web: a user and a group are two directives, User= and Group=",
        ),
        (
            *("Its use is deprecated, ignoring", "", ""),
            "Its use is deprecated, ignoring: systemd would drop this line, so mend or remove it",
        ),
        ("Something that nobody has seen.", "", "", "Something that nobody has seen."),
    ],
)
def test_the_mend_and_the_place_that_the_words_leave_out(message: str, section: str, directive: str, text: str) -> None:
    found = one(said(message))
    assert (found.section, found.directive, found.message) == (section, directive, text)


def test_a_name_that_is_not_that_of_its_file() -> None:
    found = one(said("Value of What= and unit name do not match, not loading.", "a.swap"))
    assert (found.section, found.directive) == ("Swap", "What")
    assert found.message.endswith("not loading: a unit for a file has its path as its name")


@pytest.mark.parametrize(("unit", "section"), [("a.mount", "Mount"), ("a.automount", "Automount")])
def test_a_name_that_is_not_that_of_its_folder(unit: str, section: str) -> None:
    found = one(said("Where= setting doesn't match unit name. Refusing.", unit))
    assert (found.section, found.directive) == (section, "Where")
    assert found.message == "Where= setting doesn't match unit name: a unit for a folder has its path as its name"


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        ("Restart", "Failed to parse service restart specifier, ignoring: always # for ever"),
        ("RestartSec", "Failed to parse sec value, ignoring: 5s ; five"),
        ("MemoryMax", "Invalid memory limit '1G #half', ignoring: Invalid argument"),
    ],
)
def test_a_comment_behind_a_value(directive: str, words: str) -> None:
    found = one(said(words, "a.service", "Service", directive))
    assert found.message == f"{words}: a comment has a line of its own, above this one"


def test_a_sign_of_comments_within_a_command_is_none() -> None:
    words = 'Unbalanced quoting, ignoring: "/bin/sh -c \'echo # x"'
    found = one(said(words, "a.service", "Service", "ExecStart"))
    assert "close the quote" in found.message


@pytest.mark.parametrize(
    ("directive", "words", "mend"),
    [
        (
            *("RestartSec", "Failed to parse RestartSec=5 minuts, ignoring: Invalid argument"),
            "a time is a number of seconds, or has units, such as 90, 5min or 1h 30min",
        ),
        ("NoNewPrivileges", "Failed to parse boolean value, ignoring: ja", "it is yes or no"),
        ("RemainAfterExit", "Failed to parse RemainAfterExit=maybe, ignoring: Invalid argument", "it is yes or no"),
        (
            *("PrivateTmp", "Failed to parse PrivateTmp=enabled, ignoring: Invalid argument"),
            "it is yes, no, or a word that its manual has besides",
        ),
        (
            *("LogRateLimitBurst", "Failed to parse LogRateLimitBurst=many, ignoring: Invalid argument"),
            "it is a whole number, 0 or more",
        ),
        (
            *("SyslogFacility", "Failed to parse SyslogFacility=LOCAL0, ignoring: Invalid argument"),
            "it is a facility of syslog, such as daemon or local0",
        ),
        (
            *("KillMode", "Failed to parse kill mode specification, ignoring: all"),
            "it is one of control-group, mixed, process or none",
        ),
        (
            *("ExecStart", "Command FOO=1 is not executable: No such file or directory"),
            "a variable is set by Environment= or the option environment, or by /usr/bin/env in front of the program",
        ),
        (
            *("Environment", "Invalid environment assignment, ignoring: my-key=1"),
            "a variable's name has letters, digits and underscores alone, and no digit in front",
        ),
        (
            *("Environment", "Invalid environment assignment, ignoring: 1ST=1"),
            "a variable's name has letters, digits and underscores alone, and no digit in front",
        ),
        (
            *("Environment", "Invalid syntax, ignoring: A=it's"),
            "close each quote, and double a backslash that is meant as itself",
        ),
        (
            *("OnFailureJobMode", "Failed to parse job mode, ignoring: replace-irreversible"),
            "it is one of fail, replace, replace-irreversibly, isolate, flush, ignore-dependencies or "
            "ignore-requirements",
        ),
        (
            *("SuccessExitStatus", "Failed to parse value, ignoring: 0,143"),
            "it is exit codes from 0 to 255, names of such as TEMPFAIL, or of signals such as SIGTERM; a blank "
            "separates several",
        ),
        (
            *("RestrictAddressFamilies", "Failed to parse address family, ignoring: AF_INET,AF_INET6"),
            "families are AF_UNIX, AF_INET, AF_INET6, AF_NETLINK and the like, or none; a blank separates several",
        ),
        (
            *("SystemCallFilter", "Failed to parse system call, ignoring: ~@privileged"),
            "a ~ stands in front of the first word alone and inverts its whole line, so make of the several lines a "
            "list",
        ),
        (
            *("SystemCallFilter", "System call ~@resources is not known, ignoring"),
            "a ~ stands in front of the first word alone and inverts its whole line, so make of the several lines a "
            "list",
        ),
        (
            *("What", "What= path is not absolute, ignoring: UUID=0a34"),
            "a swap takes the device by its path alone, such as /dev/disk/by-uuid/ or by-label/ with that behind it",
        ),
        *(
            ("RestartSec", words, "write it without quotes")
            for words in (
                "Failed to parse sec value, ignoring: '5'",
                "Failed to parse RestartSec='5', ignoring: Invalid argument",
            )
        ),
        ("MemoryMax", "Invalid memory limit '\"5G\"', ignoring: Invalid argument", "write it without quotes"),
        ("User", "Accepting user/group name '\"a\"', which does not match strict rules", "write it without quotes"),
        (
            *("ExecReload", 'Ignoring unknown escape sequences: "\\$MAINPID"'),
            "systemd leaves such a backslash as it stands: write $ alone for a variable of the unit, $$ for a "
            "dollar sign",
        ),
        ("StartLimitBurst", "Failed to parse unsigned value, ignoring: -1", "it is a whole number, 0 or more"),
        (
            *("WorkingDirectory", 'WorkingDirectory= path is not absolute: "/srv/my app"'),
            "it is read to the end of the line, blanks and all, so write it without quotes",
        ),
        (
            *("EnvironmentFile", "EnvironmentFile= path is not absolute, ignoring: $HOME/env"),
            "systemd puts no variable in the place of a path: write it out",
        ),
        (
            *("ExecStart", "Neither a valid executable name nor an absolute path: ${JAVA_HOME}/bin/java"),
            "systemd puts no variable in the place of a program: write its path, or have a shell find it by /bin/sh -c",
        ),
        (
            *("ExecStart", "Neither a valid executable name nor an absolute path: ~/bin/app"),
            "systemd puts no home in the place of ~: write the whole path, or for units of a user %h",
        ),
        (
            *("ExecStart", "Empty path in command line, ignoring: '- /bin/a'"),
            "what is in front of a program stands there without a blank",
        ),
        (
            *("StateDirectory", "StateDirectory= path is absolute, ignoring: /var/lib/a"),
            "it is below /run, /var/lib, /var/cache, /var/log or /etc by itself: leave that out",
        ),
        (
            *("Slice", "Failed to load slice unit apps, ignoring: Unit name apps is not valid"),
            "the name of a slice ends in .slice",
        ),
        (
            *("DeviceAllow", "Invalid device node path 'sda', ignoring"),
            "it is the path of a device, or char- or block- with a group, and r, w or m, such as /dev/sda rw",
        ),
        (
            *("WorkingDirectory", "WorkingDirectory= path is not absolute: ~/webapp"),
            "systemd puts no home in the place of ~: write the whole path, or for units of a user %h",
        ),
    ],
)
def test_what_a_value_looks_like_is_said(directive: str, words: str, mend: str) -> None:
    assert one(said(words, "a.service", "Service", directive)).message == f"{words}: {mend}"


def test_a_place_that_is_known_stays() -> None:
    found = one(said("Executable path is not absolute, ignoring: bin/a", "a.service", "Service", "ExecStartPre"))
    assert (found.section, found.directive) == ("Service", "ExecStartPre")
    assert found.message == "Executable path is not absolute, ignoring: bin/a: begin it with /"


LACKING = said("Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.")
DROPPED = said("Executable path is not absolute, ignoring: bin/a", "a.service", "Service", "ExecStart")


def test_what_only_follows_is_left_out() -> None:
    assert [each.directive for each in judged([DROPPED, LACKING], frozenset())] == ["ExecStart"]
    assert len(judged([LACKING], frozenset())) == 1
    placed = said(LACKING.message, "a.service", "Service", "Type")
    assert len(judged([DROPPED, placed], frozenset())) == 2


def test_a_unit_that_is_left_out_for_its_own_fault_is_told_of_that_alone() -> None:
    left = ADVICE.said("Cannot add dependency job, ignoring: Unit a.service has a bad unit file setting.", "a.service")
    assert [each.directive for each in judged([DROPPED, left], frozenset())] == ["ExecStart"]
    (told,) = judged([left], frozenset())
    assert told.message.endswith("what wants it starts without it, so mend it, or take it out there")


def test_another_unit_or_mere_advice_leaves_nothing_out() -> None:
    other = said("Executable path is not absolute, ignoring: bin/a", "b.service", "Service", "ExecStart")
    advice = ADVICE.said("Special user nobody configured, this is not safe!", "a.service", "Service", "User")
    assert len(judged([other, advice, LACKING], frozenset())) == 3


def test_what_follows_for_an_instance_from_a_line_of_its_template_is_left_out() -> None:
    dropped = said("Failed to parse it, ignoring: x", "a@.service", "Service", "CPUAffinity")
    lacking = said("Unit a@b.service failed to load properly: Invalid argument.", "a@b.service")
    assert [each.unit for each in judged([dropped, lacking], frozenset())] == ["a@.service"]
    assert len(judged([dropped._replace(unit="c@.service"), lacking], frozenset())) == 2


def test_words_of_one_value_are_told_at_once() -> None:
    """A sentence in the place of an address, say."""
    place = {"section": "Unit", "directive": "Documentation"}
    urls = [said(f"Invalid URL, ignoring: {word}")._replace(**place) for word in ("see", "the", "wiki")]
    units = [said(f"Failed to add dependency on {word}, ignoring: Invalid argument") for word in ("the", "network")]
    home = said("ReadWritePaths= path is not absolute, ignoring: ~/a")
    other = said("ReadWritePaths= path is not absolute, ignoring: a")
    messages = [each.message for each in judged([*urls, *units, home, other], frozenset())]
    assert [message.partition(": it is one address")[0] for message in messages] == [
        "Invalid URL, ignoring: see, the, wiki",
        "Failed to add dependency on the, network, ignoring: Invalid argument: write the whole name of a unit, with "
        "its type, such as network.target; a blank separates several",
        "ReadWritePaths= path is not absolute, ignoring: ~/a: systemd puts no home in the place of ~: write the "
        "whole path, or for units of a user %h",
        "ReadWritePaths= path is not absolute, ignoring: a: begin it with /",
    ]
    assert len(judged([*urls, urls[0]._replace(unit="b.service")], frozenset())) == 2


def test_a_command_of_a_shell_is_one_mistake() -> None:
    lines = [("a@.service", "ExecStart"), ("a@.service", "ExecStop"), ("b.service", "ExecStart")]
    doubts = [each for unit, name in lines for each in shells.of_line(unit, "Service", name, "cd /x && /bin/y")]
    of_shell = one(said("Command cd is not executable: No such file or directory"))
    for unit in ("a@.service", "a@1.service"):
        at_place = of_shell._replace(unit=unit, section="Service", directive="ExecStart")
        assert beside(doubts, [at_place]) == doubts[1:]
    missing = said("Command /a is not executable: No such file or directory")._replace(section="Service")
    assert beside(doubts, judged([missing._replace(directive="ExecStart")], frozenset())) == doubts

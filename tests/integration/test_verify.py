# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own systemd judges before anything is written; its complaints lead to unit, section and directive."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .entries import FOREVER, IDLE, UNITS, Entry, app, service, timer
from .lab import Lab, places


def refused(host: Lab, *units: Entry, **options: Any) -> list[tuple[str, str, str]]:
    """Where the errors are, after seeing that the host is as it was before."""
    result = host.refused(*units, **options)
    assert {error["rule"] for error in result["errors"]} <= {"verify", "missing"}
    assert all(error["message"] in result["msg"] for error in result["errors"])
    assert "/tmp/" not in result["msg"], "a path of the stage means nothing to a user"
    return places(result)


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("Type", "notfy"),
        ("Restart", "maybe"),
        ("MemoryMax", "64 apples"),
        ("TimeoutStopSec", "soon"),
        ("PrivateTmp", "perhaps"),
        ("LimitNOFILE", "many"),
        ("Nice", "99"),
        ("KillSignal", "SIGNONE"),
        ("WorkingDirectory", "relative/path"),
        ("ExecStartPre", "relative"),
        ("SystemCallFilter", "no_such_call"),
    ],
)
def test_a_bad_value_is_traced_to_its_directive(host: Lab, directive: str, value: str) -> None:
    unit = service(unit={"Description": "first"}, service={"User": "root", directive: value})
    assert refused(host, unit) == [(unit["name"], "Service", directive)]


def test_a_bad_value_in_text_is_traced_to_its_line(host: Lab) -> None:
    content = f"# a comment\n\n[Unit]\nDescription=x\n[Service]\nExecStart={FOREVER}\nType=notfy\n"
    unit = {"name": "text.service", "content": content}
    assert refused(host, unit) == [(unit["name"], "Service", "Type")]


def test_a_bad_value_in_a_drop_in(host: Lab) -> None:
    dropin = {"name": "nginx.service", "dropin": "50-bad", "service": {"Restart": "maybe"}}
    assert ("nginx.service", "Service", "Restart") in refused(host, dropins=[dropin])


def test_a_bad_calendar(host: Lab) -> None:
    clock = timer("every full moon", "t")
    assert (clock["name"], "Timer", "OnCalendar") in refused(host, service("t"), clock)


def test_a_calendar_that_is_none_is_told_before_anything_is_written(host: Lab) -> None:
    job = service("job", "/bin/true", service={"Type": "oneshot"})
    host.apply(job, timer("daily"))
    result = host.refused(job, timer("every other blue moon"))
    error = result["errors"][0]
    assert (error["unit"], error["section"], error["directive"]) == ("job.timer", "Timer", "OnCalendar")
    assert host.state("job.timer") == "active"


def test_a_program_by_its_bare_name_is_found(host: Lab) -> None:
    host.apply(service(command="sleep infinity"))
    assert host.state("main.service") == "active"


def test_a_missing_program(host: Lab) -> None:
    unit = service(command="/usr/bin/not-there --flag")
    assert refused(host, unit) == [(unit["name"], "Service", "ExecStart")]


def test_a_missing_program_is_told_before_anything_is_written(host: Lab) -> None:
    host.apply(app(1))
    runs = host.invocation("app.service")
    result = host.refused(app(2, service={"ExecStart": "/usr/bin/no-such-program"}))
    assert result["errors"][0]["unit"] == "app.service"
    assert "/usr/bin/no-such-program" in result["msg"]
    assert host.invocation("app.service") == runs


@pytest.mark.parametrize(
    ("name", "sections", "place", "mend"),
    [
        ("x.service", {"service": {"User": "root"}}, ("Service", "ExecStart"), "oneshot"),
        ("x.service", {"service": {"ExecStart": "bin/x"}}, ("Service", "ExecStart"), "give its whole path"),
        ("x.service", {"service": {"ExecStart": "/opt/x"}}, ("Service", "ExecStart"), "install it"),
        ("x.service", {"service": {"ExecStart": "/etc/passwd"}}, ("Service", "ExecStart"), "0755"),
        ("x.service", {"service": {"ExecStart": FOREVER, "Type": "dbus"}}, ("Service", "BusName"), "on the bus"),
        (
            "x.service",
            {"service": {"ExecStart": FOREVER, "Type": "oneshot", "Restart": "always"}},
            ("Service", "Restart"),
            "on-failure",
        ),
        (
            "x.service",
            {"service": {"ExecStart": FOREVER}, "unit": {"After": "nope.service", "BindsTo": "nope.service"}},
            ("Unit", "BindsTo"),
            "declare it too",
        ),
        ("x.socket", {"socket": {"Service": "nginx.service"}}, ("Socket", "ListenStream"), "add one"),
        ("x.timer", {"timer": {"Unit": "nginx.service"}}, ("Timer", "OnCalendar"), "OnCalendar="),
        ("x.path", {"path": {"Unit": "nginx.service"}}, ("Path", "PathExists"), "PathExists="),
        ("x.mount", {"mount": {"What": "tmpfs", "Where": "/mnt"}}, ("Mount", "Where"), "'mnt.mount'"),
    ],
)
def test_what_systemd_refuses_is_told_once_with_its_place_and_a_mend(
    host: Lab, name: str, sections: dict[str, Any], place: tuple[str, str], mend: str
) -> None:
    result = host.failing({"name": name, **sections})
    assert places(result) == [(name, *place)], result["msg"]
    assert mend in result["msg"]


def test_a_missing_requirement(host: Lab) -> None:
    unit = service(unit={"Requires": "ghost.service"})
    assert refused(host, unit) == [(unit["name"], "Unit", "Requires")]


def test_a_cycle(host: Lab) -> None:
    names = ["a.service", "b.service"]
    first = service("a", unit={"After": names[1], "Requires": names[1]})
    second = service("b", unit={"After": names[0], "Requires": names[0]})
    assert places(host.refused(first, second)) == [("a.service", "Unit", "After")]


def test_a_cycle_is_told_before_anything_is_written(host: Lab) -> None:
    first = app(1, "first", unit={"Requires": "second.service", "After": "second.service"})
    second = app(1, "second", unit={"Requires": "first.service", "After": "first.service"})
    result = host.refused(first, second)
    assert "cycle" in result["msg"]
    assert {error["unit"] for error in result["errors"]} <= {"first.service", "second.service"}
    assert host.state("first.service") == "inactive"


def test_units_that_need_each_other_are_judged_together(host: Lab) -> None:
    first = service("a", unit={"Requires": "b.service", "After": "b.service"})
    result = host.settled(first, service("b"))
    assert result["newly_started"] == ["b.service", "a.service"]


@pytest.fixture
def broken(host: Lab) -> str:
    """Someone else's unit with mistakes of its own, which refers to one of ours."""
    text = "[Unit]\nRequires=ghost.service\nWants=main.service\n[Service]\nExecStart=nothing\nFnord=1\n"
    host.write(f"{UNITS}/foreign.service", text)
    return "foreign.service"


def test_someone_elses_broken_unit_blocks_nothing(host: Lab, broken: str) -> None:
    unit = service(state="present")
    host.settled(unit)
    assert host.settled({**unit, "unit": {"Wants": broken}, "environment": {"A": "1"}})["changed"]


def test_a_drop_in_over_a_unit_with_an_old_fault(host: Lab) -> None:
    name = "foreign.service"
    host.write(f"{UNITS}/{name}", IDLE + "Fnord=1\n")
    assert host.settled(dropins=[{"name": name, "dropin": "50-more", "environment": {"A": "1"}}])["changed"]


def test_all_units_that_one_needs_and_that_are_nowhere_are_told_at_once(host: Lab) -> None:
    """verify itself tells one of them."""
    unit = service(unit={"Requires": "none.service nil.socket basic.target", "BindsTo": "nought.service"})
    every = {"none.service": "Requires", "nil.socket": "Requires", "nought.service": "BindsTo"}
    for told in (host.foretell(unit)["unverified"], host.refused(unit)["errors"]):
        missing = [each for each in told if each["rule"] == "missing"]
        found = {re.findall(r"Unit (\S+) not found", each["message"])[0]: each["directive"] for each in missing}
        assert found == every
        assert len(missing) == len(every)


@pytest.mark.parametrize(
    ("name", "settings", "meant"),
    [
        (
            "data.mount",
            {"mount": {"What": "tmpfs", "Where": "/srv/my-data/", "Type": "tmpfs"}},
            "srv-my\\x2ddata.mount",
        ),
        ("data.automount", {"automount": {"Where": "/srv/data"}}, "srv-data.automount"),
        ("var-swap.swap", {"swap": {"What": "/var/swap/file"}}, "var-swap-file.swap"),
    ],
)
def test_a_unit_that_has_another_name_than_its_path(host: Lab, name: str, settings: Entry, meant: str) -> None:
    (error,) = host.refused({"name": name, **settings})["errors"]
    assert error["directive"] == ("What" if "swap" in settings else "Where")
    assert f"('{meant}' here)" in error["message"]


def test_what_systemd_only_advises_against_is_told(host: Lab) -> None:
    unit = service(service={"StandardOutput": "syslog"}, install={"WantedBy": "nowhere.target"})
    result = host.apply(unit)
    assert {"no-such-target", "advice"} == {each["rule"] for each in result["unverified"]}
    assert "nowhere.target" in str(result["unverified"])


def test_a_timer_without_a_service_is_told_before_anything_is_written(host: Lab) -> None:
    clock = timer("daily", "lonely")
    assert "lonely.service" in host.refused(clock)["msg"]
    assert "lonely.service" in str(host.foretell(clock)["unverified"])


def test_a_socket_without_a_service_is_told_by_the_name_to_declare(host: Lab) -> None:
    socket = {"name": "lonely.socket", "socket": {"ListenStream": "/run/lonely", "Accept": True}}
    (error,) = host.failing(socket)["errors"]
    assert (error["section"], error["directive"]) == ("Socket", "Service")
    assert "lonely@.service" in error["message"]


def test_a_dropin_that_points_a_socket_at_nothing(host: Lab) -> None:
    socket = {"name": "s.socket", "socket": {"ListenStream": "/run/s"}}
    host.apply(service("s"), socket)
    dropin = {"name": socket["name"], "dropin": "x", "socket": {"Service": "nowhere.service"}}
    result = host.refused(module="dropin", **dropin)
    assert [(each["directive"], each["rule"]) for each in result["errors"]] == [("Service", "starts-nowhere")]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("name", ["backup", "nowhere-at-all", "back up.service"])
def test_a_name_that_no_unit_can_have_is_told_once(host: Lab, name: str, check_mode: bool) -> None:
    """systemd says of the same line that it is none; and no other task can bring such a unit."""
    units = [service("backup"), {"name": "when.timer", "timer": {"OnCalendar": "daily", "Unit": name}}]
    result = host.refused(*units, check_mode=check_mode)
    assert [(each["directive"], each["rule"]) for each in result["errors"]] == [("Unit", "starts-no-name")]


def test_a_target_with_a_name_that_is_none(host: Lab) -> None:
    (error,) = host.failing(service(install={"WantedBy": "getty.target.want"}))["errors"]
    assert (error["section"], error["directive"]) == ("Install", "WantedBy")


def test_a_dropin_that_starts_a_second_program_is_told_how_to_replace_the_first(host: Lab) -> None:
    dropin = {"name": "nginx.service", "dropin": "50-more", "service": {"ExecStart": FOREVER}}
    (error,) = host.failing(dropins=[dropin])["errors"]
    assert (error["unit"], error["directive"]) == ("nginx.service", "ExecStart")
    assert 'begins with ""' in error["message"]


def test_a_target_that_is_nearly_there_is_a_warning_with_its_name(host: Lab) -> None:
    result = host.settled(service(install={"WantedBy": "multiuser.target"}))
    assert any("did you mean multi-user.target?" in warning for warning in result["warnings"])


def test_without_systemd_analyze_it_is_said_that_nothing_was_verified(host: Lab) -> None:
    host.sh("mv /usr/bin/systemd-analyze /usr/bin/systemd-analyze.away")
    try:
        result = host.apply(service())
    finally:
        host.sh("mv /usr/bin/systemd-analyze.away /usr/bin/systemd-analyze")
    assert [each["rule"] for each in result["unverified"]] == ["no-verify"]


def test_a_program_that_is_elsewhere_is_named(host: Lab) -> None:
    """In check mode too, where it may still come."""
    host.sh("mkdir -p /opt/node/bin && ln -sf /bin/sleep /opt/node/bin/node")
    try:
        units = [service("a", "python -m http.server"), service("b", "node /srv/b.js")]
        for told in (host.foretell(*units)["unverified"], host.refused(*units)["errors"]):
            assert [each["rule"] for each in told] == ["missing", "missing"]
            assert "did you mean /usr/bin/python3?" in told[0]["message"]
            assert "did you mean /opt/node/bin/node?" in told[1]["message"]
    finally:
        host.sh("rm -r /opt/node")


@pytest.mark.parametrize(
    ("kind", "folder", "name"), [("mount", "/mnt/my-data", "mnt-my\\x2ddata"), ("automount", "/mnt/b", "mnt-b")]
)
def test_the_name_that_belongs_to_a_folder_is_told(host: Lab, kind: str, folder: str, name: str) -> None:
    what = {"What": "tmpfs", "Type": "tmpfs"} if kind == "mount" else {}
    result = host.refused({"name": f"mnt-x.{kind}", kind: {"Where": folder, **what}})
    (error,) = result["errors"]
    assert error["path"] == f"units[0].{kind}.Where"
    assert f"'{name}.{kind}'" in error["message"]


def test_quotes_around_a_whole_command_are_named(host: Lab) -> None:
    (error,) = host.refused(service("a", '"/bin/sleep infinity"'))["errors"]
    assert "its quotes make one word of all that" in error["message"]

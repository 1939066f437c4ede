# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own systemd judges before anything is written, and its complaints lead to unit, section and directive."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.support import FOREVER, Stack, failed, places
from tests.integration.world import untouched


def refused(stack: Stack, *units: dict[str, Any], **options: Any) -> list[tuple[str, str, str]]:
    """Where the errors are, after seeing that the host is as it was before."""
    with untouched(stack.host):
        result = stack.refused(*units, **options)
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
def test_a_bad_value_is_traced_to_its_directive(stack: Stack, directive: str, value: str) -> None:
    unit = stack.service(unit={"Description": "first"}, service={"User": "root", directive: value})
    assert refused(stack, unit) == [(unit["name"], "Service", directive)]


def test_a_bad_value_in_text_is_traced_to_its_line(stack: Stack) -> None:
    content = f"# a comment\n\n[Unit]\nDescription=x\n[Service]\nExecStart={FOREVER}\nType=notfy\n"
    unit = {"name": stack.unit("text.service"), "content": content}
    assert refused(stack, unit) == [(unit["name"], "Service", "Type")]


def test_a_bad_value_in_a_drop_in(stack: Stack) -> None:
    dropin = {"name": "nginx.service", "dropin": "50-bad", "service": {"Restart": "maybe"}}
    assert ("nginx.service", "Service", "Restart") in refused(stack, dropins=[dropin])


def test_a_bad_calendar(stack: Stack) -> None:
    timer = {"name": stack.unit("t.timer"), "timer": {"OnCalendar": "every full moon"}}
    assert (timer["name"], "Timer", "OnCalendar") in refused(stack, stack.service("t"), timer)


def test_a_program_by_its_bare_name_is_found(stack: Stack) -> None:
    stack.apply(stack.service(command="sleep infinity"))
    assert stack.show("main.service", "ActiveState") == "active"


def test_a_missing_program(stack: Stack) -> None:
    unit = stack.service(command="/usr/bin/not-there --flag")
    assert refused(stack, unit) == [(unit["name"], "Service", "ExecStart")]


@pytest.mark.parametrize(
    ("name", "sections", "place", "mend"),
    [
        ("x.service", {"service": {"User": "root"}}, ("Service", "ExecStart"), "oneshot"),
        ("x.service", {"service": {"ExecStart": "bin/x"}}, ("Service", "ExecStart"), "give the whole path"),
        ("x.service", {"service": {"ExecStart": "/opt/x"}}, ("Service", "ExecStart"), "install it"),
        ("x.service", {"service": {"ExecStart": "/etc/passwd"}}, ("Service", "ExecStart"), "0755"),
        ("x.service", {"service": {"ExecStart": FOREVER, "User": "a b"}}, ("Service", "User"), "that is there"),
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
        ("x.mount", {"mount": {"What": "tmpfs", "Where": "/mnt"}}, ("Mount", "Where"), "systemd-escape"),
    ],
)
def test_what_systemd_refuses_is_told_once_with_its_place_and_a_mend(
    stack: Stack, name: str, sections: dict[str, Any], place: tuple[str, str], mend: str
) -> None:
    unit = {"name": stack.unit(name), **sections}
    result = stack.refused(unit)
    told = [(error["unit"], error["section"], error["directive"]) for error in result["errors"]]
    assert told == [(unit["name"], *place)], result["msg"]
    assert mend in result["msg"]


def test_a_missing_requirement(stack: Stack) -> None:
    unit = stack.service(unit={"Requires": stack.unit("ghost.service")})
    assert refused(stack, unit) == [(unit["name"], "Unit", "Requires")]


def test_a_cycle(stack: Stack) -> None:
    names = [stack.unit("a.service"), stack.unit("b.service")]
    first = stack.service("a", unit={"After": names[1], "Requires": names[1]})
    second = stack.service("b", unit={"After": names[0], "Requires": names[0]})
    assert {unit for unit, _section, _directive in refused(stack, first, second)} & set(names)


def test_units_that_need_each_other_are_judged_together(stack: Stack) -> None:
    first = stack.service("a", unit={"Requires": stack.unit("b.service"), "After": stack.unit("b.service")})
    result = stack.settled(first, stack.service("b"))
    assert result["newly_started"] == [stack.unit("b.service"), stack.unit("a.service")]


def test_a_unit_that_others_of_the_stack_require_does_not_go(stack: Stack) -> None:
    base = stack.service("base")
    user = stack.service("user", unit={"Requires": base["name"], "After": base["name"]})
    stack.apply(base, user)
    with untouched(stack.host):
        result = stack.refused(user, prune=True)
    assert base["name"] in result["msg"]
    assert user["name"] in result["msg"]


@pytest.fixture
def broken(stack: Stack) -> str:
    """Someone else's unit with mistakes of its own, which refers to one of ours."""
    name = stack.unit("main.service")
    path = f"/etc/systemd/system/foreign-{stack.name}.service"
    stack.host.write(path, f"[Unit]\nRequires=ghost.service\nWants={name}\n[Service]\nExecStart=nothing\nFnord=1\n")
    return path


def test_someone_elses_broken_unit_blocks_nothing(stack: Stack, broken: str) -> None:
    unit = stack.service(state="present")
    stack.settled(unit)
    assert stack.settled({**unit, "unit": {"Wants": broken.rpartition("/")[2]}, "environment": {"A": "1"}})["changed"]
    stack.remove()
    stack.host.sh(f"rm {broken}")


def test_a_drop_in_over_a_unit_with_an_old_fault(stack: Stack) -> None:
    name = f"foreign-{stack.name}.service"
    stack.host.write(f"/etc/systemd/system/{name}", f"[Service]\nExecStart={FOREVER}\nFnord=1\n")
    assert stack.settled(dropins=[{"name": name, "dropin": "50-more", "environment": {"A": "1"}}])["changed"]
    stack.remove()
    stack.host.sh(f"rm /etc/systemd/system/{name}")


def test_what_systemd_only_advises_against_is_told(stack: Stack) -> None:
    unit = stack.service(service={"StandardOutput": "syslog"}, install={"WantedBy": stack.unit("nowhere.target")})
    result = stack.apply(unit)
    assert {"no-such-target", "advice"} == {each["rule"] for each in result["unverified"]}
    assert "nowhere.target" in str(result["unverified"])


def test_a_timer_without_a_service_is_told_before_anything_is_written(stack: Stack) -> None:
    timer = {"name": stack.unit("lonely.timer"), "timer": {"OnCalendar": "daily"}}
    with untouched(stack.host):
        assert stack.unit("lonely.service") in stack.refused(timer)["msg"]
        assert stack.unit("lonely.service") in str(stack.apply(timer, check_mode=True)["unverified"])


def test_a_socket_without_a_service_is_told_by_the_name_to_declare(stack: Stack) -> None:
    socket = {"name": stack.unit("lonely.socket"), "socket": {"ListenStream": "/run/lonely", "Accept": True}}
    (error,) = stack.refused(socket)["errors"]
    assert (error["section"], error["directive"]) == ("Socket", "Service")
    assert stack.unit("lonely@.service") in error["message"]


def test_a_dropin_that_points_a_socket_at_nothing(stack: Stack) -> None:
    socket = {"name": stack.unit("s.socket"), "socket": {"ListenStream": "/run/s"}}
    stack.apply(stack.service("s"), socket)
    dropin = {"name": socket["name"], "dropin": "x", "socket": {"Service": stack.unit("nowhere.service")}}
    with untouched(stack.host):
        result = failed(stack.host.module("dropin", **dropin))
    assert [(each["directive"], each["rule"]) for each in result["errors"]] == [("Service", "missing")]


def test_a_target_with_a_name_that_is_none(stack: Stack) -> None:
    (error,) = stack.refused(stack.service(install={"WantedBy": "getty.target.want"}))["errors"]
    assert (error["section"], error["directive"]) == ("Install", "WantedBy")


def test_a_dropin_that_starts_a_second_program_is_told_how_to_replace_the_first(stack: Stack) -> None:
    dropin = {"name": "nginx.service", "dropin": "50-more", "service": {"ExecStart": FOREVER}}
    (error,) = stack.refused(dropins=[dropin])["errors"]
    assert (error["unit"], error["directive"]) == ("nginx.service", "ExecStart")
    assert 'begins with ""' in error["message"]


def test_a_target_that_is_nearly_there_is_a_warning_with_its_name(stack: Stack) -> None:
    result = stack.settled(stack.service(install={"WantedBy": "multiuser.target"}))
    assert any("did you mean multi-user.target?" in warning for warning in result["warnings"])


def test_whoever_is_not_root_is_told_to_become(stack: Stack) -> None:
    with untouched(stack.host):
        result = stack.refused(stack.service(), prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    assert "become: true" in result["msg"]

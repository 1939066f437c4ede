# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What packages write in their units is taken as it stands: `make corpus` tries all of it, these are its kinds."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import FOREVER, IDLE, UNITS, VENDOR, WANTED, Entry, service
from .lab import Lab, places

WISHING = f"[Unit]\nWants=optional.service\n{IDLE}"


def taken_over(text: str, name: str = "theirs.service", **more: object) -> Entry:
    return {"name": name, "content": text, "replace": True, "state": "present", **more}


def test_a_wish_that_the_package_has_too_may_lead_nowhere(host: Lab) -> None:
    """Such as Wants=display-manager.service of graphical.target; when it is taken over, and ever after."""
    host.foreign("theirs.service", WISHING, folder=VENDOR, start=False)
    assert host.settled(taken_over(WISHING))["unverified"] == []
    assert host.apply(taken_over(WISHING))["unverified"] == []


def test_a_wish_of_its_own_is_told_beside_that(host: Lab) -> None:
    host.foreign("theirs.service", WISHING, folder=VENDOR, start=False)
    (told,) = host.foretell(taken_over(WISHING.replace("optional", "optional.service another")))["unverified"]
    assert (told["rule"], told["directive"]) == ("wants-nowhere", "Wants")
    assert "there is no another.service on this host" in told["message"]


def test_a_name_that_the_package_gave_it_already(host: Lab) -> None:
    """Such as ctrl-alt-del.target, which is reboot.target by a link of the package."""
    text = f"{IDLE}[Install]\nAlias=named.service\n"
    host.foreign("theirs.service", text, folder=VENDOR, start=False)
    host.sh(f"ln -s theirs.service {VENDOR}/named.service; systemctl daemon-reload")
    assert host.foretell(taken_over(text))["unverified"] == []


def test_a_text_that_is_taken_over_as_it_is_restarts_nothing(host: Lab) -> None:
    """What it was started with is what it has; and from then on a change of that text is one."""
    text = f"[Service]\nExecStart={FOREVER}\nNice=3\nEnvironment=A=1\n"
    host.foreign("theirs.service", text, folder=VENDOR)
    before = host.invocation("theirs.service")
    result = host.settled(taken_over(text, state="started"))
    assert (result["restarted"], result["kept"], result["changed"]) == ([], {}, True)
    host.settled(taken_over(text + "# a comment\n", state="started"))
    assert host.invocation("theirs.service") == before
    assert host.settled(taken_over(text.replace("Nice=3", "Nice=4"), state="started"))["restarted"] == [
        "theirs.service"
    ]
    assert host.show("theirs.service", "Nice") == "4"


def test_nor_does_a_drop_in_that_says_what_is_in_force(host: Lab) -> None:
    host.foreign("theirs.service", f"[Service]\nExecStart={FOREVER}\nNice=3\n", folder=VENDOR)
    dropin = {"name": "theirs.service", "dropin": "same", "service": {"Nice": 3}}
    assert host.settled(dropins=[dropin])["restarted"] == []
    assert host.settled(dropins=[{**dropin, "service": {"Nice": 4}}])["restarted"] == ["theirs.service"]


def dial(**more: object) -> Entry:
    socket = {"ListenStream": "/run/dial-%i", "Service": "answer-%i.service", "RemoveOnStop": True}
    return {"name": "dial@.socket", "socket": socket, **more}


def test_what_a_template_of_sockets_starts_may_have_the_name_of_the_instance(host: Lab) -> None:
    """Such as Service=systemd-journald@%i.service of systemd-journald@.socket."""
    assert [each["rule"] for each in host.settled(dial())["unverified"]] == ["no-instance"]
    host.settled(dial(instances=["one"]), service("answer-one", state="present"))
    assert host.state("dial@one.socket") == "active"


@pytest.mark.parametrize("check_mode", [False, True])
def test_and_an_instance_of_it_that_starts_nothing_is_named(host: Lab, check_mode: bool) -> None:
    both = [dial(instances=["one", "two"]), service("answer-one", state="present")]
    result = host.foretell(*both) if check_mode else host.refused(*both)
    (told,) = result["unverified" if check_mode else "errors"]
    assert (told["unit"], told["directive"], told["rule"]) == ("dial@two.socket", "Service", "starts-nowhere")


def test_the_same_value_twice_is_one(host: Lab) -> None:
    """As from_unit_file has it of chrony-dnssrv@.service, which says PrivateDevices=yes twice."""
    host.settled(service(service={"LimitNOFILE": ["512", "512"], "PrivateDevices": [True, True]}, install=WANTED))
    assert host.show("main.service", "LimitNOFILE") == "512"


def test_a_program_is_looked_for_in_commands_alone(host: Lab) -> None:
    """rc-local.service has the path of its program in its description as well."""
    result = host.refused(service("local", "/etc/rc.nowhere start", unit={"Description": "/etc/rc.nowhere and more"}))
    assert places(result) == [("local.service", "Service", "ExecStart")]


def test_a_unit_that_is_nowhere_is_looked_for_in_dependencies_alone(host: Lab) -> None:
    unit = {"Description": "Needs nowhere.service", "Requires": "nowhere.service"}
    result = host.refused(service("needing", FOREVER, unit=unit))
    assert places(result) == [("needing.service", "Unit", "Requires")]


THEIRS = f"[Service]\nExecStart={FOREVER}\nNice=3\n[Install]\nWantedBy=multi-user.target\n"


def take_over(host: Lab, **more: Any) -> Entry:
    """A unit of a package, that runs and is enabled, and the entry that defines it anew."""
    host.foreign("theirs.service", THEIRS, folder=VENDOR)
    host.sh("systemctl enable theirs.service 2>&1")
    wanted = {"WantedBy": "graphical.target"}
    return service("theirs", service={"Nice": 7}, install=wanted, replace=True, **more)


@pytest.mark.parametrize("way", ["entry", "prune", "stack", "module"])
def test_a_unit_of_a_package_goes_on_by_the_text_of_the_package(host: Lab, way: str) -> None:
    """What goes is our file over its file; it is restarted onto that, and enabled as that says."""
    unit = take_over(host)
    alone: dict[str, Any] = {"module": "unit", **unit} if way == "module" else {}
    host.settled(*([] if alone else [unit, service("other")]), **alone)
    absent = {"name": "theirs.service", "state": "absent", "replace": True}
    then: dict[str, tuple[list[Entry], dict[str, Any]]] = {
        "entry": ([absent, service("other")], {}),
        "prune": ([service("other")], {"prune": True}),
        "stack": ([], {"state": "absent"}),
        "module": ([], {"module": "unit", **absent}),
    }
    units, options = then[way]
    result = host.settled(*units, **options)
    assert "theirs.service" in result["restarted"]
    assert any("theirs.service" in each and "runs and is enabled" in each for each in result["warnings"])
    assert (host.show("theirs.service", "Nice"), host.state("theirs.service")) == ("3", "active")
    assert host.enabled("theirs.service") == "enabled"
    (link,) = host.sh(f"find {UNITS} -name theirs.service").split()
    assert link == f"{UNITS}/multi-user.target.wants/theirs.service"
    assert host.exists(link)


def test_a_unit_of_a_package_that_does_not_run_is_left_so(host: Lab) -> None:
    unit = take_over(host, state="stopped", enabled=False)
    host.apply(unit)
    absent = {"name": "theirs.service", "state": "absent", "replace": True}
    result = host.settled(absent)
    assert (result["newly_started"], result["stopped"]) == ([], [])
    assert any("does not run and is not enabled" in each for each in result["warnings"])
    mended = {"name": "theirs.service", "state": "started", "enabled": True}
    assert host.settled(mended)["newly_started"] == ["theirs.service"]


def test_a_unit_that_has_no_other_text_is_stopped(host: Lab) -> None:
    host.apply(service("mine", install=WANTED))
    result = host.settled({"name": "mine.service", "state": "absent"})
    assert (result["stopped"], result.get("warnings", [])) == (["mine.service"], [])


def test_a_text_that_is_given_back_as_it_is_restarts_nothing(host: Lab) -> None:
    host.foreign("theirs.service", THEIRS, folder=VENDOR)
    host.sh("systemctl enable theirs.service 2>&1")
    host.apply(taken_over(THEIRS, state="started"))
    before = host.invocation("theirs.service")
    result = host.settled({"name": "theirs.service", "state": "absent", "replace": True})
    assert (result["restarted"], host.invocation("theirs.service")) == ([], before)
    assert host.enabled("theirs.service") == "enabled"


def test_a_socket_and_a_timer_of_a_package_go_on_too(host: Lab) -> None:
    """With what each brings, in the short forms as well."""
    host.foreign("talk.service", IDLE, folder=VENDOR, start=False)
    host.foreign("talk.socket", "[Socket]\nListenStream=/run/talk\n", folder=VENDOR)
    host.foreign("tick.service", "[Service]\nExecStart=/bin/true\n", folder=VENDOR, start=False)
    host.foreign("tick.timer", "[Timer]\nOnCalendar=2098-01-01\n", folder=VENDOR)
    brought = {"exec_start": FOREVER, "replace": True}
    both = {
        "sockets": [{"name": "talk", "listen_stream": "/run/talk-anew", **brought}],
        "timers": [{"name": "tick", "on_calendar": "2099-01-01", **brought}],
    }
    host.settled(**both)
    gone = {form: [{**each, "state": "absent"} for each in entries] for form, entries in both.items()}
    assert host.settled(**gone)["stopped"] == []
    assert host.states("talk.socket", "tick.timer") == ["active", "active"]
    assert "/run/talk " in host.show("talk.socket", "Listen")
    assert "2098" in host.show("tick.timer", "TimersCalendar")

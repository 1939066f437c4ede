# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit is healthy once its checks pass within its own time, whatever the checks of others take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, PROGRAMS, app, program, service
from .lab import Lab


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"tcp": "127.0.0.1:9"}, "127.0.0.1:9: Connection refused"),
        ({"unix": "/run/no.sock"}, "/run/no.sock: No such file or directory"),
        ({"http": "http://127.0.0.1:80/no-such-page"}, "no-such-page answers with 404"),
        ({"http": "http://127.0.0.1:9/"}, "Connection refused"),
        ({"tcp": "127.0.0.1:80", "http": "http://127.0.0.1:80/no-such-page"}, "no-such-page answers with 404"),
        ({"command": ["/bin/sh", "-c", "echo no luck >&2; exit 4"]}, "exit code 4, no luck"),
    ],
)
def test_a_check_that_does_not_pass(host: Lab, check: dict[str, Any], said: str) -> None:
    error = host.error_of(service(), timeout=1, **check)
    assert "does not pass" in error["message"]
    assert said in error["message"]


def test_checks_that_pass_in_time(host: Lab) -> None:
    port = "127.0.0.1:4712"
    late = f"/bin/sh -c 'sleep 1; exec /usr/bin/python3 -m http.server --bind 127.0.0.1 4712 --directory {PROGRAMS}'"
    checks = {"tcp": port, "http": f"http://{port}/server.py", "command": ["/bin/test", "-d", "/etc"]}
    result = host.settled(service(command=late, health={"stable_for": 0.2, "timeout": 20, **checks}))
    assert result["newly_started"] == ["main.service"]


def test_the_checks_of_a_dropin_count(host: Lab) -> None:
    host.apply(service("main"))
    dropins = [
        {"name": "main.service", "dropin": "a", "environment": {"A": "1"}},
        {
            "name": "main.service",
            "dropin": "b",
            "environment": {"B": "1"},
            "health": {"tcp": "127.0.0.1:9", "timeout": 1},
        },
    ]
    named = {"name": "main.service", "state": "started"}
    result = host.failing(named, dropins=dropins, name="over")
    assert "127.0.0.1:9" in result["msg"]


def test_checks_of_what_does_not_run_are_said_to_be_undone(host: Lab) -> None:
    listen = {"ListenStream": "127.0.0.1:4713"}
    socket = {"name": "s.socket", "socket": listen}
    check = {"tcp": "127.0.0.1:4713", "timeout": 2}
    result = host.settled(service("s", health=check), socket)
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [("s.service", "not-checked")]
    assert any("its socket" in warning for warning in result["warnings"])
    assert host.settled(service("s"), {**socket, "health": check})["unverified"] == []


def test_a_slow_check_of_one_unit_is_no_time_that_another_has_stayed_up(host: Lab) -> None:
    """The check fails at once at first, so that the time is taken, and then takes longer than the other one lives."""
    once = f"{NOTES}/once"
    check = f"test -e {once} && exec sleep 4; touch {once}; exit 1"
    slow = service("a", health={"command": ["/bin/sh", "-c", check], "timeout": 15})
    brief = service("b", "/bin/sh -c 'sleep 2; exit 4'", health={"stable_for": 3, "timeout": 15})
    result = host.failing(slow, brief)
    assert [(error["unit"], error["status"]) for error in result["errors"]] == [(brief["name"], "4")]


def test_what_is_up_in_time_is_so_whatever_the_checks_of_others_take(host: Lab) -> None:
    """They fail once, so that all are looked at again and again."""
    slow = f"test -e {NOTES}/asked-$0 && exit 0; touch {NOTES}/asked-$0; sleep 4; exit 1"
    units = [app(1, each, health={"command": ["/bin/sh", "-c", slow, each]}) for each in ("a", "b", "c")]
    ready = program(1, "z", "sleep 1; systemd-notify --ready; exec sleep infinity")
    notify = {"Type": "notify", "NotifyAccess": "all", "ExecStart": ready}
    host.apply(*units, app(1, "z", service=notify, health={"stable_for": 1, "timeout": 5}))
    assert host.state("z.service") == "active"


def test_an_attempt_has_ten_seconds_or_what_is_left(host: Lab) -> None:
    """A page that takes its time, and a program that would take more than there is."""
    slow = "import http.server as h, time; get = h.SimpleHTTPRequestHandler.do_GET"
    late = "h.SimpleHTTPRequestHandler.do_GET = lambda page: (time.sleep(3.5), get(page))"
    serve = 'h.HTTPServer(("127.0.0.1", 4715), h.SimpleHTTPRequestHandler).serve_forever()'
    page = service(command=f"/usr/bin/python3 -c '{slow}; {late}; {serve}'")
    host.apply({**page, "health": {"http": "http://127.0.0.1:4715/", "timeout": 20, "stable_for": 0}})
    error = host.error_of(service("stuck"), timeout=1.5, command=["/bin/sleep", "30"])
    given = error["message"].partition("no answer within ")[2].partition(" s")[0]
    assert 0 < float(given) <= 1.5


@pytest.mark.parametrize(
    "check",
    [
        {"unix": "a.sock"},
        {"unix": "/run/" + "x" * 103},
        {"http": "http://127.0.0.1/a b"},
        {"command": ["test -d /etc"]},
    ],
    ids=["relative", "long", "blank", "one word"],
)
def test_a_check_that_could_never_pass_is_refused(host: Lab, check: dict[str, Any]) -> None:
    for result in (
        host.refused(service(health=check)),
        host.refused(dropins=[{"name": "nginx.service", "dropin": "x", "environment": {"A": "1"}, "health": check}]),
    ):
        assert [error["rule"] for error in result["errors"]] == ["health-option"]


def test_what_still_starts_by_itself_is_not_held_to_a_deadline_of_ours(host: Lab) -> None:
    """It may take as long as it takes: no job of this run has begun it."""
    host.foreign("slow.service", f"[Service]\nType=notify\nExecStart={FOREVER}\n", start=False)
    host.begin("slow.service")
    longer = {"name": "slow.service", "dropin": "longer", "service": {"TimeoutStartSec": 900}}
    before = host.invocation("slow.service")
    result = host.apply(dropins=[longer], health={"stable_for": 0.2, "timeout": 1})
    assert (result["restarted"], result["kept"]) == ([], {})
    assert (host.state("slow.service"), host.invocation("slow.service")) == ("activating", before)
    assert host.show("slow.service", "TimeoutStartUSec") == "15min"
    host.assert_settled(dropins=[longer])


@pytest.mark.parametrize("kind", ["notify", "oneshot"])
def test_a_start_that_is_late_is_told_by_whose_time_it_was(host: Lab, kind: str) -> None:
    slow = {"Type": kind, "RemainAfterExit": True}
    error = host.error_of(service(service=slow), timeout=1)
    assert "if it needs longer, say so by health: {timeout: }" in error["message"]
    assert "so far" in error["cause"]
    assert "TimeoutStartSec" not in str(error)
    error = host.error_of(service(service={**slow, "TimeoutStartSec": 1}), timeout=15)
    assert "result timeout" in error["message"]
    assert "give it more time by TimeoutStartSec=" in error["message"]
    assert "TimeoutStopSec" not in str(error)


NO_PROGRAMS = [
    (["/no/such", "-a"], "there is no program '/no/such' on this host, so"),
    (["no-such-program"], "there is no program 'no-such-program' on this host, so"),
    (["/etc/passwd"], "(/etc/passwd is not executable)"),
    (["/etc"], "(/etc is no file)"),
    ([f"{NOTES}/check"], "('/no/interpreter', which its first line names, is not there)"),
]


@pytest.mark.parametrize(("command", "said"), NO_PROGRAMS)
def test_a_check_whose_program_cannot_be_run_is_refused_at_once(host: Lab, command: list[str], said: str) -> None:
    host.sh(f"echo '#!/no/interpreter' > {NOTES}/check; chmod +x {NOTES}/check")
    result = host.refused(service(health={"command": command}))
    assert [(each["unit"], each["rule"]) for each in result["errors"]] == [("main.service", "health-program")]
    assert said in result["msg"]
    # In check mode an earlier task may be about to bring it.
    (only,) = host.foretell(service(health={"command": command}))["unverified"]
    assert only["rule"] == "health-program"


HEALTH = {"health": {"command": ["/no/such"]}}


@pytest.mark.parametrize(
    "options",
    [
        {"services": [{"name": "main", "exec_start": FOREVER, **HEALTH}]},
        {"services": [{"name": "main", "exec_start": FOREVER}], "defaults": HEALTH},
        {"units": [service("main@", instances=["a"], **HEALTH)]},
        {"units": [service("main@", instances=[{"name": "a", **HEALTH}])]},
        {"units": [service()], "dropins": [{"name": "main.service", "dropin": "x", **HEALTH, "service": {"Nice": 1}}]},
        {"units": [service()], "dropins": [{"name": "nginx.service", "dropin": "x", "service": {"Nice": 1}, **HEALTH}]},
        {"module": "service", "name": "main", "exec_start": FOREVER, **HEALTH},
    ],
)
def test_a_check_without_its_program_wherever_it_is_declared(host: Lab, options: dict[str, Any]) -> None:
    assert {each["rule"] for each in host.refused(**options)["errors"]} == {"health-program"}


def test_a_check_without_its_program_of_a_unit_that_is_only_started(host: Lab) -> None:
    host.apply(service(state="stopped"))
    assert {each["rule"] for each in host.refused(service(**HEALTH))["errors"]} == {"health-program"}


@pytest.mark.parametrize(
    "unit",
    [
        service(command="/bin/sh -c 'ln -sf /bin/true /run/notes/made; exec sleep infinity'"),
        service(
            command="/bin/sh -c 'ln -sf /bin/true $RUNTIME_DIRECTORY/made; exec sleep infinity'",
            service={"RuntimeDirectory": "made-check"},
        ),
    ],
)
def test_a_check_whose_program_the_unit_makes(host: Lab, unit: dict[str, Any]) -> None:
    path = "/run/made-check/made" if "RuntimeDirectory" in unit["service"] else f"{NOTES}/made"
    host.apply({**unit, "health": {"command": [path], "timeout": 20, "stable_for": 0.2}})


def test_a_check_that_is_looked_for_as_it_is_run(host: Lab) -> None:
    host.sh(f"ln -sf /bin/true {NOTES}/own-check")
    unit = service(health={"command": ["own-check"], "timeout": 20, "stable_for": 0.2})
    host.apply(unit, env={"PATH": f"{NOTES}:/usr/bin:/bin"})


@pytest.mark.parametrize(
    "options", [{"units": [service(health={"command": []})]}, {"defaults": {"health": {"command": []}}}]
)
def test_a_check_that_asks_nothing_is_refused(host: Lab, options: dict[str, Any]) -> None:
    services = [{"name": "other", "exec_start": FOREVER}]
    assert "empty list" in host.refused(services=services, **options)["msg"]

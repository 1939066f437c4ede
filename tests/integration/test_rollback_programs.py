# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new version of a program that does not live: the old one is back, file by file, and the error says why."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.testbed.listing import NOTES

from .entries import UNITS, WANTED, Entry, app, bad, program, server, service, socket
from .lab import Lab, until

NOTHING: Entry = {}


class Bad(NamedTuple):
    """What makes a version bad, and what has to be said of it."""

    service: Entry
    said: str
    result: str = "exit-code"
    status: str = ""
    health: Entry = NOTHING
    more: Entry = NOTHING
    old: Entry = NOTHING
    journal: str = ""


FELL = f"{NOTES}/fell"

BAD = {
    "exits at once": Bad(
        {"ExecStart": program(2, then="echo no luck; exit 3")}, "result exit-code, exit status 3", status="3"
    ),
    "is killed by a signal": Bad(
        {"ExecStart": program(2, then="kill -SEGV $$$$")}, "result signal, signal 11", result="signal", status="11"
    ),
    "dies after three seconds": Bad(
        {"ExecStart": program(2, then="sleep 3; exit 4")},
        "exit status 4",
        status="4",
        health={"stable_for": 5},
    ),
    "never says that it is ready": Bad(
        {"Type": "notify", "ExecStart": program(2)},
        "is not up after 1 s: activating (start)",
        result="success",
        health={"stable_for": 0.3, "timeout": 1},
    ),
    "runs as nobody there is": Bad({"User": "nobody-here"}, "exit status 217 (USER", status="217"),
    "has no folder to run in": Bad({"WorkingDirectory": "/nowhere"}, "exit status 200 (CHDIR", status="200"),
    "falls once and is restarted": Bad(
        {
            "ExecStart": f"/bin/sh -c 'test -e {FELL} || {{ sleep 0.4; touch {FELL}; exit 6; }}; exec sleep 100'",
            "Restart": "always",
            "RestartSec": "10ms",
        },
        "ended and",  # waits for its restart, or was restarted: as it is met
        result="",
        journal="status=6",
        health={"stable_for": 1},
    ),
    "hangs in its start for ever": Bad(
        {"Type": "oneshot", "RemainAfterExit": True, "TimeoutStartSec": "infinity", "ExecStart": program(2)},
        "is not up after 1 s: activating (start)",
        result="success",
        health={"stable_for": 0, "timeout": 1},
    ),
    "ends by its reload": Bad(
        {"ExecStart": program(2), "ExecReload": "/bin/kill -HUP $MAINPID"},
        "ended",
        result="success",
        more={"on_change": "reload"},
        old={"ExecReload": "/bin/kill -HUP $MAINPID"},
    ),
    "fails its reload": Bad(
        {"ExecStart": program(2), "ExecReload": "/bin/sh -c 'exit 7'"},
        "reload failed",
        result="success",
        more={"on_change": "reload"},
        old={"ExecReload": "/bin/true"},
    ),
    "meets no condition": Bad(
        {"ExecStart": program(2)},
        "one of its conditions is not met",
        result="success",
        more={"unit": {"ConditionPathExists": "/nowhere"}},
    ),
    "does not pass its check": Bad(
        {"ExecStart": program(2)},
        "its check does not pass after 1 s: /bin/false: exit code 1",
        result="success",
        health={"stable_for": 0, "timeout": 1, "command": ["/bin/false"]},
    ),
}

NEW_SECRET = "the-secret-of-new"

OLD_SECRET = "the-secret-of-old"


def disturb(host: Lab) -> None:
    """Modes, owners and links that no run of ours would make, but that a roll-back has to bring back."""
    host.sh(f"chown nobody:nogroup {UNITS}/app.service && chmod 0640 {UNITS}/app.service")
    host.sh("chmod 0400 /etc/unitwright/test/app.service.env")
    wants = f"{UNITS}/rescue.target.wants"
    host.sh(f"mkdir {wants} && ln -s ../app.service {wants}/app.service && systemctl daemon-reload")


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_the_old_version_is_back(host: Lab, bad: Bad) -> None:
    host.apply(app(1, service=bad.old, secrets={"TOKEN": OLD_SECRET}))
    disturb(host)
    before, enabled = host.listing(), host.enabled("app.service")
    result = host.failing(app(2, service=bad.service, health=bad.health, secrets={"TOKEN": NEW_SECRET}, **bad.more))
    (error,) = result["errors"]
    assert error["unit"] == "app.service"
    assert bad.said in error["message"]
    assert bad.said in result["msg"]
    assert not bad.result or error["result"] == bad.result
    assert not bad.status or error["status"] == bad.status
    assert bad.journal in "\n".join(error["journal"])
    assert result["rolled_back"]
    assert "What was before is back in force" in result["msg"]
    assert host.listing() == before
    host.assert_runs(1)
    assert host.enabled("app.service") == enabled
    assert host.no_record()


def test_a_crash_loop_into_the_start_limit(host: Lab) -> None:
    """The starts of the bad version count against the limit of the good one, and must not keep it down."""
    limit = {"StartLimitBurst": 2, "StartLimitIntervalSec": 600}
    host.apply(app(1, unit=limit))
    before = host.listing()
    crashes = {"ExecStart": program(2, then="exit 5"), "Restart": "always", "RestartSec": "10ms"}
    result = host.failing(app(2, unit=limit, service=crashes))
    assert any("status=5" in line for line in result["errors"][0]["journal"])
    assert result["rolled_back"]
    assert host.listing() == before
    host.assert_runs(1)


def test_a_unit_that_has_hit_its_start_limit_is_mended(host: Lab) -> None:
    limit = {"StartLimitBurst": 1, "StartLimitIntervalSec": 600}
    crashes = {"ExecStart": program(1, then="exit 5"), "Restart": "always", "RestartSec": "10ms"}
    host.failing(app(1, unit=limit, service=crashes), on_failure="keep")
    until(lambda: host.state("app.service") == "failed", "it never hit its limit")
    assert host.apply(app(2, unit=limit))["newly_started"] == ["app.service"]
    host.assert_runs(2)


def test_a_start_limit_of_one_does_not_hinder_the_roll_back(host: Lab) -> None:
    limited: Entry = {"unit": {"StartLimitBurst": 1, "StartLimitIntervalSec": 600}}
    host.apply(app(1, **limited))
    result = host.failing(app(2, **limited), bad(f"while ! grep -q 2 {NOTES}/app; do sleep 0.05; done; "))
    assert result["rolled_back"], result["msg"]
    assert host.state("app.service") == "active"
    assert host.version() == "1"


def test_nothing_is_left_of_a_new_unit(host: Lab) -> None:
    host.apply(app(1))
    before = host.listing()
    new = app(2, "new", service={"ExecStart": program(2, "new", "exit 3")}, secrets={"TOKEN": NEW_SECRET})
    beside = {**socket(8002, "beside"), "install": {"WantedBy": "a.target"}}
    host.failing(app(1), new, beside, service("beside"))
    assert host.listing() == before
    assert host.states("new.service", "beside.socket") == ["inactive", "inactive"]
    assert host.show("new.service", "LoadState") == "not-found"
    assert not host.sh("systemctl list-units --all --plain --no-legend 'new*' 'beside*'")


def test_a_port_that_is_taken(host: Lab) -> None:
    taken = service("other", server("other", 8001), install=WANTED, health={"tcp": "127.0.0.1:8001"})
    old = service("app", server("old", 8002), install=WANTED, health={"http": "http://127.0.0.1:8002/"})
    host.apply(taken, old)
    before = host.listing()
    result = host.failing(taken, service("app", server("new", 8001), install=WANTED, health={"stable_for": 1}))
    assert "Address already in use" in "\n".join(result["errors"][0]["journal"])
    assert host.listing() == before
    assert host.answer(8002) == "old"


def test_a_roll_back_that_fails_too_is_loud(host: Lab) -> None:
    """The new version took away what the old one needs, as a migration of a database would."""
    data = f"{NOTES}/data"
    old = app(1, service={"ExecStartPre": f"/bin/test -e {data}"})
    host.sh(f"touch {data}")
    host.apply(old)
    before = host.listing("/etc")
    moves = {"ExecStartPre": f"/bin/rm -f {data}", "ExecStart": program(2, then="exit 3")}
    result = host.failing(app(2, service=moves))
    assert "THE ROLL-BACK FAILED TOO: app.service: failed: result exit-code" in result["msg"]
    assert "Files and enablement are those of before" in result["msg"]
    assert not result["rolled_back"]
    assert host.listing("/etc") == before
    host.sh(f"touch {data}")
    host.apply(old)
    host.assert_runs(1)
    assert host.no_record()


def test_the_version_before_is_the_one_that_is_healthy_for_the_next_run(host: Lab) -> None:
    host.apply(app(1))
    host.failing(app(2, service={"ExecStart": program(2, then="exit 3")}))
    assert not host.apply(app(1))["changed"]
    host.forget_versions()
    assert host.apply(app(3))["restarted"] == ["app.service"]
    host.assert_runs(3)


def test_a_unit_as_one_module_call(host: Lab) -> None:
    """The modules for single units roll back as the stack does."""
    good, bad = app(1), app(2, service={"ExecStart": program(2, then="exit 3")})
    assert host.apply(module="unit", **good)["newly_started"] == ["app.service"]
    before = host.listing()
    result = host.failing(module="unit", **bad)
    assert result["rolled_back"]
    assert host.listing() == before
    assert host.version() == "1"


def test_a_daemon_reload_alone_that_ends_a_process(host: Lab) -> None:
    """It restarts nothing, but systemd ends the process as soon as it has read it."""
    host.apply(app(1, install=None))
    before, runs = host.listing(), host.invocation("app.service")
    host.forget_versions()
    result = host.failing(app(1, install=None, health={"stable_for": 2}, service={"RuntimeMaxSec": 1}))
    assert not result["restarted"]
    assert [error["unit"] for error in result["errors"]] == ["app.service"]
    assert host.listing() == before
    assert host.version() == "1"
    assert host.invocation("app.service") != runs


def test_a_daemon_reload_alone_by_which_a_process_is_unneeded(host: Lab) -> None:
    """systemd stops it once it has read that: the plan says so, and what is declared to run is refused."""
    if host.systemd < 249:
        pytest.skip("before systemd 249 nothing is looked at for a daemon-reload")
    host.apply(app(1, install=None))
    unneeded = app(1, install=None, unit={"StopWhenUnneeded": True})
    (error,) = host.refused({**unneeded, "state": "started"})["errors"]
    assert (error["unit"], error["directive"]) == ("app.service", "StopWhenUnneeded")
    assert host.state("app.service") == "active"
    result = host.settled(unneeded)
    assert result["stopped"] == ["app.service"]
    assert "StopWhenUnneeded" in result["plan"][-1]["reason"]


def test_a_daemon_is_back_where_its_new_version_that_runs_once_fails(host: Lab) -> None:
    host.apply(service("job"))
    host.failing(service("job", "/bin/false", service={"Type": "oneshot"}, run="on_change"))
    assert host.show("job.service", "SubState") == "running"


@pytest.mark.parametrize("then", ["exit 1", "sleep 500"])
def test_what_runs_once_a_change_is_not_run_once_more_by_its_old_text(host: Lab, then: str) -> None:
    """A migration, say. The run waits for the old one to end; the new one fails, or is at its work when time is up."""
    log = f"{NOTES}/log"

    def job(text: str) -> Entry:
        once: Entry = {"service": {"Type": "oneshot"}, "run": "on_change", "health": {"timeout": 4}}
        return service("job", f"/bin/sh -c '{text}'", **once)

    host.apply(job(f"echo old >> {log}; sleep 2"))
    host.sh("systemctl start --no-block job.service")
    until(lambda: host.read(log).split() == ["old", "old"], "it does not start")
    assert host.failing(job(f"echo new >> {log}; {then}"))["rolled_back"]
    assert host.read(log).split() == ["old", "old", "new"]
    assert host.state("job.service") == "inactive"

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new version of a program that does not live: the old one is back, file by file, and the error says why."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.testbed.host import Host
from tests.testbed.listing import listing

from .world import (
    QUICK,
    SERVER,
    SERVER_TEXT,
    Entry,
    answer,
    app,
    failing,
    forget_versions,
    invocation,
    no_record,
    program,
    server,
    show,
    stack,
    state,
    until,
    untouched,
    version,
)

pytestmark = pytest.mark.usefixtures("tidy")

OLD_SECRET = "the-secret-of-old"
NEW_SECRET = "the-secret-of-new"
NOTHING: Entry = {}


class Bad(NamedTuple):
    """What makes a version bad, and what has to be said of it."""

    service: Entry
    said: str
    result: str = "exit-code"
    status: str = ""
    health: Entry = QUICK
    more: Entry = NOTHING
    old: Entry = NOTHING
    journal: str = ""


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
        health={"stable_for": 5, "timeout": 20},
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
            "ExecStart": "/bin/sh -c 'test -e /run/fell || { sleep 0.4; touch /run/fell; exit 6; }; exec sleep 100'",
            "Restart": "always",
            "RestartSec": "10ms",
        },
        "ended and",  # waits for its restart, or was restarted: as it is met
        result="",
        journal="status=6",
        health={"stable_for": 1, "timeout": 20},
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


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_the_old_version_is_back(host: Host, bad: Bad) -> None:
    stack(host, app(1, service=bad.old, secrets={"TOKEN": OLD_SECRET}, health={"timeout": 20}))
    disturb(host)
    host.sh("rm -f /run/fell")
    before, enabled = listing(host), host.sh("systemctl is-enabled app.service")
    result = failing(host, app(2, service=bad.service, health=bad.health, secrets={"TOKEN": NEW_SECRET}, **bad.more))
    (error,) = result["errors"]
    assert error["unit"] == "app.service"
    assert bad.said in error["message"]
    assert bad.said in result["msg"]
    assert not bad.result or error["result"] == bad.result
    assert not bad.status or error["status"] == bad.status
    assert bad.journal in "\n".join(error["journal"])
    assert result["rolled_back"]
    assert "What was before is back in force" in result["msg"]
    assert listing(host) == before
    assert_runs(host, 1)
    assert host.sh("systemctl is-enabled app.service") == enabled
    assert no_record(host)


def disturb(host: Host) -> None:
    """Modes, owners and links that no run of ours would make, but that a roll-back has to bring back."""
    host.sh("chown nobody:nogroup /etc/systemd/system/app.service && chmod 0640 /etc/systemd/system/app.service")
    host.sh("chmod 0400 /etc/unitwright/test/app.service.env")
    wants = "/etc/systemd/system/rescue.target.wants"
    host.sh(f"mkdir {wants} && ln -s ../app.service {wants}/app.service && systemctl daemon-reload")


def assert_runs(host: Host, number: int, name: str = "app") -> None:
    """The process that runs is of this version and was started with this version's file."""
    assert state(host, f"{name}.service") == "active"
    assert version(host, name) == str(number)
    assert show(host, f"{name}.service", "NeedDaemonReload") == "no"
    command = host.sh(f"systemctl show --property=ExecStart --value {name}.service")
    assert f"echo {number} >" in command


def test_a_crash_loop_into_the_start_limit(host: Host) -> None:
    """The starts of the bad version count against the limit of the good one, and must not keep it down."""
    limit = {"StartLimitBurst": 2, "StartLimitIntervalSec": 600}
    stack(host, app(1, unit=limit))
    before = listing(host)
    crashes = {"ExecStart": program(2, then="exit 5"), "Restart": "always", "RestartSec": "10ms"}
    result = failing(host, app(2, unit=limit, service=crashes))
    assert any("status=5" in line for line in result["errors"][0]["journal"])
    assert result["rolled_back"]
    assert listing(host) == before
    assert_runs(host, 1)


def test_a_unit_that_has_hit_its_start_limit_is_mended(host: Host) -> None:
    limit = {"StartLimitBurst": 1, "StartLimitIntervalSec": 600}
    crashes = {"ExecStart": program(1, then="exit 5"), "Restart": "always", "RestartSec": "10ms"}
    failing(host, app(1, unit=limit, service=crashes), on_failure="keep")
    until(lambda: state(host, "app.service") == "failed", "it never hit its limit")
    assert stack(host, app(2, unit=limit))["newly_started"] == ["app.service"]
    assert_runs(host, 2)


def test_nothing_is_left_of_a_new_unit(host: Host) -> None:
    stack(host, app(1))
    before = listing(host)
    new = app(2, "new", service={"ExecStart": program(2, "new", "exit 3")}, secrets={"TOKEN": NEW_SECRET})
    beside = {"name": "beside.socket", "socket": {"ListenStream": "/run/beside"}, "install": {"WantedBy": "a.target"}}
    served = {"name": "beside.service", "service": {"ExecStart": "/bin/sleep infinity"}}
    failing(host, app(1), new, beside, served)
    assert listing(host) == before
    assert [state(host, unit) for unit in ("new.service", "beside.socket")] == ["inactive", "inactive"]
    assert show(host, "new.service", "LoadState") == "not-found"
    assert not host.sh("systemctl list-units --all --plain --no-legend 'new*' 'beside*'")


def test_secrets_of_before_and_of_now_are_not_in_the_error(host: Host) -> None:
    stack(host, app(1, secrets={"TOKEN": OLD_SECRET}))
    tells = f"echo {OLD_SECRET}; echo $TOKEN; echo its last words; exit 3"
    result = failing(host, app(2, service={"ExecStart": program(2, then=tells)}, secrets={"TOKEN": NEW_SECRET}))
    journal = result["errors"][0]["journal"]
    assert "its last words" in journal
    assert any("status=3" in line for line in journal)
    told = repr(result["errors"]) + result["msg"] + repr(result["plan"])
    assert OLD_SECRET not in told
    assert NEW_SECRET not in told


def test_a_missing_program_is_told_before_anything_is_written(host: Host) -> None:
    stack(host, app(1))
    runs = invocation(host, "app.service")
    with untouched(host):
        result = failing(host, app(2, service={"ExecStart": "/usr/bin/no-such-program"}))
    assert result["errors"][0]["unit"] == "app.service"
    assert "/usr/bin/no-such-program" in result["msg"]
    assert invocation(host, "app.service") == runs


def test_a_port_that_is_taken(host: Host) -> None:
    host.write(SERVER, SERVER_TEXT)
    stack(
        host,
        app(0, "other", service={"ExecStart": server("other", 8001)}, health={"tcp": "127.0.0.1:8001"}),
        app(1, service={"ExecStart": server("old", 8002)}, health={"http": "http://127.0.0.1:8002/"}),
    )
    before = listing(host)
    result = failing(
        host,
        app(0, "other", service={"ExecStart": server("other", 8001)}, health={"tcp": "127.0.0.1:8001"}),
        app(1, service={"ExecStart": server("new", 8001)}, health={"stable_for": 1}),
    )
    assert "Address already in use" in "\n".join(result["errors"][0]["journal"])
    assert listing(host) == before
    assert answer(host, 8002) == "old"


def test_a_check_that_fails_keeps_the_new_version_on_request(host: Host) -> None:
    stack(host, app(1))
    checked = app(2, health={"timeout": 1, "tcp": "127.0.0.1:9"})
    result = failing(host, checked, on_failure="keep")
    assert "The new state stays" in result["msg"]
    assert not result["rolled_back"]
    assert_runs(host, 2)
    assert no_record(host)


def test_on_failure_keep_leaves_a_failed_unit_for_inspection(host: Host) -> None:
    stack(host, app(1))
    bad = app(2, service={"ExecStart": program(2, then="exit 3")})
    result = failing(host, bad, on_failure="keep")
    assert result["errors"][0]["status"] == "3"
    assert state(host, "app.service") == "failed"
    assert "echo 2" in host.read("/etc/systemd/system/app.service")
    again = failing(host, bad, on_failure="keep")
    assert again["errors"][0]["unit"] == "app.service"


def test_a_roll_back_that_fails_too_is_loud(host: Host) -> None:
    """The new version took away what the old one needs, as a migration of a database would."""
    host.sh("touch /run/data")
    stack(host, app(1, service={"ExecStartPre": "/bin/test -e /run/data"}))
    before = listing(host, "/etc")
    moves = {"ExecStartPre": "/bin/rm -f /run/data", "ExecStart": program(2, then="exit 3")}
    result = failing(host, app(2, service=moves))
    assert "THE ROLL-BACK FAILED TOO: app.service: failed: result exit-code" in result["msg"]
    assert "Files and enablement are those of before" in result["msg"]
    assert not result["rolled_back"]
    assert listing(host, "/etc") == before
    host.sh("touch /run/data")
    stack(host, app(1, service={"ExecStartPre": "/bin/test -e /run/data"}))
    assert_runs(host, 1)
    assert no_record(host)


def test_the_version_before_is_the_one_that_is_healthy_for_the_next_run(host: Host) -> None:
    stack(host, app(1))
    failing(host, app(2, service={"ExecStart": program(2, then="exit 3")}))
    assert not stack(host, app(1))["changed"]
    forget_versions(host)
    assert stack(host, app(3))["restarted"] == ["app.service"]
    assert_runs(host, 3)

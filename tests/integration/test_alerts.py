# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Someone is told when a service fails: once for a burst, once more when it gives up, and never with a secret shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .entries import FOREVER, UNITS
from .lab import Lab, until

TOLD = "/run/told"
SENDMAIL = "/usr/sbin/sendmail"
# In one piece, since several may be told at once.
NOTE = {"command": ["/bin/sh", "-c", f'printf "%s\\n" "$(cat)" >> {TOLD}'], "journal": True}
# Answers one POST after the other, each of which goes to TOLD as a line.
HOOK = f"""
import http.server
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        open({TOLD!r}, "ab").write(body + b"\\n")
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8620), Hook).serve_forever()
"""


@pytest.fixture(autouse=True)
def untold(host: Lab) -> Iterator[None]:
    yield
    running = "systemctl list-units --no-legend --state=activating 'test-alert@*'"
    until(lambda: not host.sh(running, check=False), "someone is being told for ever")
    host.sh(f"rm -rf {TOLD} /run/test-alert")


def told(host: Lab) -> list[dict[str, Any]]:
    text = host.sh(f"cat {TOLD} 2>/dev/null", check=False)
    return [json.loads(line) for line in text.splitlines() if line]


def fails(host: Lab, unit: str) -> None:
    """Its process dies."""
    host.sh(f"systemctl kill --signal=KILL {unit}")


def test_a_service_that_dies_at_night(host: Lab) -> None:
    app = {"name": "app", "exec_start": "/bin/sh -c 'echo last words; exec sleep infinity'", "alert": "ops"}
    host.settled(services=[app], alerts={"ops": NOTE}, prune=True)
    fails(host, "app.service")
    (only,) = until(lambda: told(host), "nobody is told")
    assert {key: only[key] for key in ("unit", "result", "gave_up")} == {
        "unit": "app.service",
        "result": "signal",
        "gave_up": False,
    }
    assert "last words" in only["journal"]
    until(lambda: host.state("test-alert@app.service.service") == "inactive", "it goes on telling")
    # It is there for the service alone, and goes with it.
    host.settled(services=[{**app, "alert": None}], prune=True)
    assert not host.exists(f"{UNITS}/test-alert@.service")
    assert not host.exists(f"{UNITS}/app.service.d")


def test_a_service_that_fails_twenty_times_in_a_row(host: Lab) -> None:
    limited = {"start_limit_burst": 20, "start_limit_interval_sec": "1h", "restart_sec": "200ms"}
    app = {"name": "loop", "exec_start": "/bin/sh -c 'test -e /run/works && exec sleep infinity'", **limited}
    host.sh("touch /run/works")
    host.apply(services=[{**app, "alert": "ops"}], alerts={"ops": NOTE})
    host.sh("rm /run/works")
    fails(host, "loop.service")
    until(lambda: [each["gave_up"] for each in told(host)] == [False, True], "it is not told twice", 90.0)
    until(lambda: host.state("test-alert@loop.service.service") != "activating", "it does not end")
    assert [each["gave_up"] for each in told(host)] == [False, True]
    assert told(host)[-1]["state"] == "failed"


def test_a_mail_goes_to_sendmail(host: Lab) -> None:
    app = {"name": "mailed", "exec_start": "/bin/sh -c 'echo last words; exec sleep infinity'"}
    host.write(SENDMAIL, f'#!/bin/sh\n{{ echo "$@"; cat; }} > {TOLD}.part && mv {TOLD}.part {TOLD}\n')
    host.sh(f"chmod 755 {SENDMAIL}")
    host.settled(services=[{**app, "alert": {"mail": "ops@example.org", "journal": True}}])
    fails(host, "mailed.service")
    mail = until(lambda: host.sh(f"cat {TOLD} 2>/dev/null", check=False), "nobody is told")
    host.sh(f"rm {SENDMAIL}")
    asked, *lines = mail.splitlines()
    assert asked == "-t -i"
    assert "To: ops@example.org" in lines
    assert f"Subject: mailed.service has failed on {host.sh('hostname')}" in lines
    assert {"unit: mailed.service", "result: signal", "exit_status: 9", "last words"} <= set(lines)


def test_a_webhook_that_is_down_is_asked_again_and_its_address_is_shown_nowhere(host: Lab) -> None:
    result = host.apply(
        services=[{"name": "hooked", "exec_start": FOREVER}],
        defaults={"alert": "hook"},
        alerts={"hook": {"webhook": "http://127.0.0.1:8620/canary-token"}},
    )
    assert "canary" not in json.dumps(result)
    assert "canary" not in host.sh(f"cat {UNITS}/*.service {UNITS}/*/*.conf 2>/dev/null", check=False)
    fails(host, "hooked.service")
    instance = "test-alert@hooked.service.service"
    until(lambda: "could not be sent" in host.sh(f"journalctl -u {instance} -o cat", check=False), "it is not tried")
    assert "canary" not in host.sh("ps axww -o args")
    host.write("/run/hook.py", HOOK)
    with host.beside("exec /usr/bin/python3 /run/hook.py"):
        (only,) = until(lambda: told(host), "nobody is told")
    assert only["unit"] == "hooked.service"
    assert "canary" not in host.sh(f"journalctl -u {instance} -o cat")
    host.sh("rm /run/hook.py")


def test_instances_and_services_of_packages_have_alerts_too(host: Lab) -> None:
    host.foreign("theirs.service", start=True)
    workers = {"name": "w@.service", "service": {"ExecStart": FOREVER}, "instances": ["a"], "alert": "ops"}
    host.settled(
        services=[{"name": "theirs", "state": "started", "alert": "ops"}], units=[workers], alerts={"ops": NOTE}
    )
    for unit in ("theirs.service", "w@a.service"):
        fails(host, unit)
    until(lambda: {each["unit"] for each in told(host)} == {"theirs.service", "w@a.service"}, f"{told(host)}")
    assert {each["gave_up"] for each in told(host)} == {True}


def test_a_stop_is_no_failure(host: Lab) -> None:
    host.apply(services=[{"name": "halted", "exec_start": FOREVER, "alert": {"command": NOTE["command"]}}])
    host.sh("systemctl stop halted.service && systemctl start halted.service")
    fails(host, "halted.service")
    (only,) = until(lambda: told(host), "nobody is told")
    assert only["result"] == "signal"


@pytest.mark.parametrize(
    ("alert", "alerts", "path", "said"),
    [
        ("ops", {}, "services[0].alert", "'ops' is none of the stack's alerts"),
        ("op", {"ops": NOTE}, "services[0].alert", "'op' is none of the stack's alerts: there is ops"),
        ("ops", {"ops": {}}, "alerts.ops", "alerts: ops is a mapping with one of mail, webhook, command"),
        (
            "ops",
            {"ops": {"mail": "a@b", "webhook": "https://canary"}},
            "alerts.ops",
            "with one of mail, webhook, command",
        ),
        ("ops", {"ops": {"webhook": "ftp://canary"}}, "alerts.ops.webhook", "an address of http:// or https://"),
        ("ops", {"ops": {"mail": "a@b", "subject": "x"}}, "alerts.ops.subject", "alerts: ops has no 'subject'"),
        ({"command": "true"}, {}, "services[0].alert.command", "alert: command is a list of words"),
    ],
)
def test_an_alert_that_cannot_be(host: Lab, alert: Any, alerts: dict[str, Any], path: str, said: str) -> None:
    result = host.refused(services=[{"name": "app", "exec_start": FOREVER, "alert": alert}], alerts=alerts)
    assert said in result["msg"]
    assert {(error["rule"], error["path"]) for error in result["errors"]} >= {("alert", path)}
    assert {error["rule"] for error in result["errors"]} == {"alert"}
    assert "canary" not in json.dumps(result)


@pytest.mark.parametrize(
    ("alert", "program"),
    [
        ({"mail": "root@localhost"}, "/usr/sbin/sendmail"),
        ({"command": ["/usr/local/bin/tell", "ops"]}, "/usr/local/bin/tell"),
        ({"command": ["tell-ops"]}, "tell-ops"),
    ],
)
def test_a_program_that_is_not_there_to_tell(host: Lab, alert: Any, program: str) -> None:
    app = {"name": "app", "exec_start": FOREVER, "alert": "ops"}
    result = host.refused(services=[app], alerts={"ops": alert})
    assert [(each["unit"], each["rule"]) for each in result["errors"]] == [("app.service", "alert-program")]
    assert f"there is no program {program!r} on this host" in result["msg"]
    # In check mode an earlier task may be about to bring it.
    (only,) = host.foretell(services=[app], alerts={"ops": alert})["unverified"]
    assert only["rule"] == "alert-program"


def test_a_program_that_is_there_is_found_as_a_start_finds_it(host: Lab) -> None:
    host.settled(services=[{"name": "app", "exec_start": FOREVER, "alert": {"command": ["logger", "--tag=ops"]}}])


def test_an_alert_is_for_services(host: Lab) -> None:
    timer = {"name": "t.timer", "timer": {"OnCalendar": "daily", "Unit": "x.service"}, "alert": "ops"}
    assert "alert is for services" in host.refused(timer, alerts={"ops": NOTE})["msg"]

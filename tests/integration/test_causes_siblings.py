# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cause is named of whatever command, scope and type of unit it is: instances, units of a user, sockets, reloads."""

from __future__ import annotations

import pytest

from .entries import FOREVER, IDLE, UNITS, Entry, service
from .lab import USER, Lab, succeeded, until

PORT = 8935
MISSING = "/opt/nowhere"


def cause(host: Lab, unit: str, text: str) -> Entry:
    """What unit_info says of a unit that is put there by hand and fails."""
    host.write(f"{UNITS}/{unit if '@' not in unit else unit.partition('@')[0] + '@.service'}", text)
    host.sh(f"systemctl daemon-reload; systemctl start --no-block {unit}")
    until(lambda: host.state(unit) == "failed", f"{unit} has not failed")
    told: Entry = succeeded(host.module("unit_info", names=[unit]))["units"][unit]["cause"]
    host.sh(f"systemctl reset-failed {unit}; rm {UNITS}/sibling*; systemctl daemon-reload")
    return told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"ExecStartPre=-{MISSING}\nExecStart={FOREVER}\nUser=nobody-here", "no user nobody-here"),
        (f"ExecStart={FOREVER}\nExecStartPost=/bin/sh -c 'echo > /usr/x'\nProtectSystem=yes", "ProtectSystem= ("),
        ("DynamicUser=yes\nExecStart=/bin/sh -c 'echo > /opt/x'", "DynamicUser= ("),
        (f"ExecStart={FOREVER}\nWorkingDirectory={MISSING}/%i", f"{MISSING}/one"),
        (f"ExecStart={FOREVER}\nEnvironmentFile={MISSING}/%i.env", f"{MISSING}/one.env of EnvironmentFile= ("),
        (f"ExecStart=/bin/true\nExecStopPost={MISSING}", f"the program {MISSING} of ExecStopPost= ("),
        (f"ExecStart={FOREVER}\nUser=%i", "no user one"),
        (
            f"ExecStart={FOREVER}\nReadWritePaths=-{MISSING} /opt\nBindPaths={MISSING}/a:/mnt",
            f"{MISSING}/a of BindPaths=",
        ),
    ],
)
def test_of_instances_and_of_every_command(host: Lab, text: str, says: str) -> None:
    told = cause(host, "sibling@one.service", f"[Service]\n{text}\n")
    assert says in told["cause"], told
    assert told["evidence"]
    assert told["remedy"]


def test_of_a_port_that_systemd_itself_holds(host: Lab) -> None:
    host.write(f"{UNITS}/holding.socket", f"[Socket]\nListenStream=127.0.0.1:{PORT}\nAccept=yes\n")
    host.write(f"{UNITS}/holding@.service", IDLE)
    host.sh("systemctl daemon-reload && systemctl start holding.socket")
    listen = f"[Socket]\nListenStream=127.0.0.1:{PORT}\nService=idle.service\n"
    host.write(f"{UNITS}/idle.service", IDLE)
    told = cause(host, "sibling.socket", listen)
    host.sh(f"systemctl stop holding.socket; rm {UNITS}/holding* {UNITS}/idle.service; systemctl daemon-reload")
    assert f"port {PORT} is taken by holding.socket" in told["cause"]


def test_of_a_unit_of_a_user(host: Lab) -> None:
    as_user = {"scope": "user", "prefix": ("runuser", "-u", USER, "--")}
    for directives, says in (
        ({"WorkingDirectory": MISSING}, f"the folder {MISSING} of WorkingDirectory= ("),
        ({"Group": "adm"}, "a user's manager can run nothing as someone else"),
    ):
        result = host.failing(service(service=directives), **as_user)
        (error,) = result["errors"]
        assert says in error["cause"], error
        assert error["cause"] in error["message"]


def test_of_a_unit_of_a_user_who_may_not_read_the_journal(host: Lab) -> None:
    """As where it is kept in memory alone; then the status of a step is all that there is, and the host proves it."""
    as_user = {"scope": "user", "prefix": ("runuser", "-u", USER, "--")}
    journals = "/var/log/journal/*/user-*.journal"
    host.sh(f"journalctl --sync; setfacl -b {journals} 2>/dev/null; chmod 600 {journals}; chmod 700 /var/log/journal")
    try:
        (error,) = host.failing(service(service={"User": "root"}), **as_user)["errors"]
        (silent,) = host.failing(service(command="/bin/sh -c 'exit 216'"), **as_user, health={"stable_for": 1})[
            "errors"
        ]
    finally:
        host.sh("chmod 755 /var/log/journal")
    assert error["directive"] == "User", error
    assert "a user's manager can run nothing as someone else" in error["message"]
    assert (error["journal"], error["evidence"]) == ([], "ExecMainStatus=216")
    assert silent["cause"] == "", silent
    assert silent["message"].endswith("the cause is not proven")


def test_of_a_reload(host: Lab) -> None:
    lines = {"ExecReload": "/bin/sh -c 'echo > /usr/x'", "ProtectSystem": "yes"}
    host.apply(service(service=lines))
    result = host.failing(service(service=lines, state="reloaded"))
    assert "its reload failed" in result["msg"]
    assert "ProtectSystem= (" in result["errors"][0]["cause"]


def test_a_status_of_the_program_is_not_told_as_a_step_of_systemd(host: Lab) -> None:
    error = host.error_of(service(command="/bin/sh -c 'exit 203'"), stable_for=1)
    assert error["status"] == "203"
    assert "the program's own, not systemd's" in error["message"]
    assert "EXEC" not in error["message"]
    assert (error["cause"], error["remedy"], error["evidence"]) == ("", "", "")
    assert "the cause is not proven, it said nothing" in error["message"]


def test_of_what_was_started_too_often_though_it_never_failed(host: Lab) -> None:
    host.write(f"{UNITS}/sibling.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
    host.sh("systemctl daemon-reload; for each in 1 2 3 4 5 6; do systemctl restart sibling; done", check=False)
    told = succeeded(host.module("unit_info", names=["sibling.service"]))["units"]["sibling.service"]["cause"]
    assert "it was started 5 times within 10 s" in told["cause"], told
    assert "systemctl reset-failed sibling.service" in told["remedy"]
    host.write(f"{UNITS}/sibling-job.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
    told = cause(host, "sibling.path", "[Path]\nPathExists=/etc/hostname\nUnit=sibling-job.service\n")
    assert "it has started sibling-job.service too often" in told["cause"], told
    host.sh("systemctl reset-failed sibling.service sibling-job.service")


QUOTED = "; the cause is not proven, it said: "


def test_what_is_quoted_of_nginx_is_the_line_that_says_what_is_wrong(host: Lab) -> None:
    host.write("/opt/nginx.conf", "events {}\nnothing_like_it on;\n")
    try:
        error = host.error_of(service(service={"ExecStartPre": "/usr/sbin/nginx -t -c /opt/nginx.conf"}), stable_for=1)
    finally:
        host.sh("rm -f /opt/nginx.conf")
    assert QUOTED in error["message"]
    assert error["message"].endswith('unknown directive "nothing_like_it" in /opt/nginx.conf:2')


def test_what_is_quoted_of_a_long_trace_is_its_error_though_ten_lines_are_not_enough_for_that(host: Lab) -> None:
    says = [f"echo at frame {number}" for number in range(30)]
    trace = "; ".join(["echo Error: no route to the ledger", *says, "exit 1"])
    error = host.error_of(service(command=f"/bin/sh -c '{trace}'"), stable_for=1)
    assert error["message"].endswith(f"{QUOTED}Error: no route to the ledger")


def test_what_systemd_says_of_its_end_is_not_quoted_as_a_word_of_a_program(host: Lab) -> None:
    silent = service(command="/bin/sh -c 'sleep 1; exit 2'")
    error = host.failing({**silent, "health": {"stable_for": 3}}, on_failure="keep")["errors"][0]
    assert error["message"].endswith("exit status 2; the cause is not proven, it said nothing")


@pytest.mark.parametrize(
    ("command", "directive", "remedy"),
    [
        ("/bin/sh -c 'sleep infinity &'", "ExecStart", "leave out that &"),
        ("/usr/bin/setsid --fork /usr/bin/sleep infinity", "Type", "take Type=forking; if it is a job"),
    ],
)
def test_of_what_goes_on_in_the_background(host: Lab, command: str, directive: str, remedy: str) -> None:
    error = host.error_of(service(command=command), stable_for=1)
    assert "ended by itself right away" in error["message"]
    assert error["directive"] == directive, error
    assert remedy in error["remedy"]
    assert error["remedy"] in error["message"]


@pytest.mark.parametrize("option", ["SocketUser", "SocketGroup"])
def test_of_whom_a_socket_is_given_to(host: Lab, option: str) -> None:
    listening = {"name": "main.socket", "socket": {"ListenStream": "/run/main.sock", option: "nobody-here"}}
    (error,) = host.failing(service(), listening)["errors"]
    assert error["unit"] == "main.socket"
    assert error["directive"] == option
    assert " nobody-here, wh" in error["message"], error
    assert "or correct the name" in error["remedy"]
    assert "the program's own" not in error["message"]


def test_what_is_secret_is_in_no_cause(host: Lab) -> None:
    secret = "/opt/s3cret-folder"
    reads = service(command="/bin/cat $SECRET_PATH", secrets={"SECRET_PATH": secret}, health={"stable_for": 1})
    result = host.failing(reads)
    assert "is not there" in result["errors"][0]["cause"]
    assert secret not in str(result["errors"])

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A search finds what a service can live with, accepts nothing unproven, and leaves nothing, however it ends."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .entries import NGINX, Entry, server
from .lab import Lab, Result, failed, succeeded, until

RUNTIME = "/run/systemd/system"
FOLDER = "/run/unitwright"
HEALTH: Entry = {"stable_for": 0.1, "timeout": 10}
PORT = 8088
# A search takes its time on a busy machine.
LONG = 90.0
# Writes a file at each request, and needs to find the folder of a user.
WRITER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        os.makedirs("/srv/written", exist_ok=True)
        open("/srv/written/file", "w").write("x")
        os.listdir("/home")
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", 8088), Handler).serve_forever()
"""
REQUEST = f"curl --silent --fail http://127.0.0.1:{PORT}/"


def text(command: str, *more: str) -> str:
    return "\n".join(["[Service]", f"ExecStart={command}", "TimeoutStopSec=5", *more, ""])


def search(host: Lab, **options: Any) -> Result:
    """A search, whose restarts nobody has to foretell."""
    return host.module("hardening_search", **{"name": "app.service", "health": HEALTH, **options})


def nothing_left(host: Lab) -> bool:
    return not host.sh(f"ls -d {FOLDER} {RUNTIME}/*.d 2>/dev/null", check=False)


def by_hand(host: Lab, command: str, *more: str) -> None:
    host.foreign("app.service", text(command, *more))


class TestFound:
    def test_what_bears_everything_is_tried_at_once(self, host: Lab) -> None:
        by_hand(host, server("one", PORT))
        before = host.listing()
        result = succeeded(search(host, probe=[REQUEST], accept_unexercised=True))
        assert result["exposure"]["before"] > 9
        assert result["exposure"]["after"] < 2
        assert result["complete"]
        assert not result["changed"]
        assert host.listing() == before
        assert nothing_left(host)
        assert host.state("app.service") == "active"
        assert host.show("app.service", "ProtectSystem") == "no"

    @pytest.mark.long
    def test_what_it_needs_is_left_to_it_and_the_declaration_is_good(self, host: Lab) -> None:
        host.write("/opt/writer.py", WRITER)
        by_hand(host, "/usr/bin/python3 -B /opt/writer.py", "MemoryDenyWriteExecute=yes")
        result = succeeded(search(host, probe=[REQUEST]))
        assert "ReadWritePaths" in result["declaration"]["service"]
        assert "-/srv" in str(result["declaration"]["service"]["ReadWritePaths"])
        assert result["accepted"]["ProtectSystem"] == ["strict"]
        assert result["exposure"]["after"] < 2.5
        assert result["left_out"]["PrivateNetwork"]["why"] == f"not tried: it uses the network: tcp 127.0.0.1:{PORT}"
        assert nothing_left(host)
        host.apply(module="dropin", **result["declaration"])
        assert host.answer(PORT) == "ok"
        said = host.sh("systemd-analyze security --no-pager app.service | tail -1")
        assert f": {result['exposure']['after']} " in said

    def test_a_listener_that_the_probe_does_not_touch_is_named(self, host: Lab) -> None:
        by_hand(host, server("one", PORT))
        result = succeeded(search(host, probe=["true"], time_limit=1))
        (idle,) = result["unexercised"][:1]
        assert idle.endswith(f":{PORT}")
        for directive in ("PrivateNetwork", "PrivateUsers", "IPAddressDeny"):
            assert "not tried" in result["left_out"][directive]["why"]
        assert not result["complete"]
        assert "there was no time left" in result["left_out"]["ProtectSystem"]["evidence"][0]

    def test_check_mode_touches_nothing(self, host: Lab) -> None:
        by_hand(host, server("one", PORT))
        run = host.invocation("app.service")
        result = succeeded(search(host, probe=[REQUEST], check_mode=True))
        assert "ProtectSystem" in result["would_try"]
        assert host.invocation("app.service") == run
        assert nothing_left(host)


class TestProgress:
    def test_what_is_tried_what_is_left_and_the_exposure_so_far(self, host: Lab) -> None:
        """While it is tried, and what came of it."""
        by_hand(host, server("one", PORT))
        searching = threading.Thread(target=search_until_killed, args=(host,))
        searching.start()
        log = f"cat {FOLDER}/app.service.log 2>/dev/null"
        try:
            said = until(lambda: re.search(r"try 1: (.*)", host.sh(log, check=False)), "nothing was tried", LONG)
            came = until(lambda: re.search(r"try 1: (pass.*|ref.*)", host.sh(log, check=False)), "nothing came", LONG)
        finally:
            host.sh("pkill -TERM -f 'run_modul[e].py hardening_search'", check=False)
            searching.join()
        assert re.fullmatch(r"ProtectSystem; open: .* and \d+ more; exposure so far 9\.\d", said.group(1))
        assert re.fullmatch(r"passed, exposure \d\.\d|refused: .*", came.group(1))
        assert nothing_left(host)


class TestInterrupted:
    @pytest.mark.parametrize(
        "step",
        ["search.json", "a run as it is", "zzz-unitwright-search.conf", "try 1:", "try 1: [pr]", "all of it together"],
    )
    def test_killed(self, host: Lab, step: str) -> None:
        """What is there by then the next run of any module takes away."""
        by_hand(host, server("one", PORT))
        run = host.invocation("app.service")
        searching = threading.Thread(target=search_until_killed, args=(host,))
        searching.start()
        seen = f"ls {FOLDER} {RUNTIME}/*.d 2>/dev/null; cat {FOLDER}/*.log 2>/dev/null"
        try:
            until(lambda: re.search(step, host.sh(seen, check=False)), f"{step} was not seen", LONG)
        finally:
            host.sh("pkill -KILL -f 'run_modul[e].py hardening_search'", check=False)
            searching.join()
        assert not nothing_left(host)
        result = host.apply({"name": "other.service", "service": {"ExecStart": "/bin/sleep infinity"}}, besides=None)
        assert any("what a search that was cut off had left was taken away" in each for each in result["warnings"])
        assert nothing_left(host)
        assert host.state("app.service") == "active"
        assert host.show("app.service", "ProtectSystem") == "no"
        assert host.invocation("app.service") != run

    def test_told_to_end(self, host: Lab) -> None:
        """Further signals to all of its session, as a lost connection sends several, do not break the way back."""
        by_hand(host, server("one", PORT))
        searching = threading.Thread(target=search_until_killed, args=(host,))
        searching.start()
        try:
            until(lambda: "try 1" in host.sh(f"cat {FOLDER}/*.log 2>/dev/null", check=False), "nothing was tried", LONG)
        finally:
            first = host.sh("pgrep -o -f 'run_modul[e].py hardening_search'")
            host.sh(f"kill -TERM -{first}; while kill -INT -{first} 2>/dev/null; do sleep 0.01; done", check=False)
            searching.join()
        assert nothing_left(host)
        assert host.state("app.service") == "active"


def search_until_killed(host: Lab) -> None:
    host.start_module("hardening_search", name="app.service", health={**HEALTH, "stable_for": 1}, probe=["true"])


@contextmanager
def fatal(host: Lab, setting: str) -> Iterator[None]:
    """A service that must not fail, and so is stopped before the host is tidied up."""
    host.foreign("fatal.service", f"[Unit]\n{setting}\n" + text("/bin/sleep infinity"))
    try:
        yield
    finally:
        host.sh("systemctl stop fatal.service")


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "rule", "told"),
        [
            ({"probe": []}, "search-probe", "without a probe"),
            ({"name": "app.timer"}, "hardening-target", "only a service"),
            ({"name": "worker@.service"}, "hardening-target", "many services"),
            ({"name": "no-such.service"}, "hardening-target", "there is no such service"),
            ({"name": "dbus.service"}, "hardening-target", "is what others log in"),
            ({"name": "cron.service"}, "hardening-target", "there is no such service"),
            ({"name": "stopped.service"}, "hardening-target", "it does not run"),
            ({"allow": ["jitt"]}, "hardening", "did you mean jit?"),
            ({"read_write_paths": ["var"]}, "hardening", "no absolute path"),
            ({"probe": [7]}, "hardening", "probe takes commands"),
            ({"time_limit": 0}, "hardening", "time_limit is a number of seconds above 0, and not 0"),
            ({"time_limit": -1}, "hardening", "time_limit is a number of seconds above 0, and not -1"),
            ({"scope": "user"}, "hardening-target", "leave scope and root out"),
            ({"probe": ["exit 3"]}, "search-probe", "it does not pass its probe as it is (probe 1: exit code 3"),
        ],
    )
    def test_what_cannot_be(self, host: Lab, options: Entry, rule: str, told: str) -> None:
        by_hand(host, "/bin/sleep infinity")
        host.foreign("stopped.service", start=False)
        before = host.listing()
        result = failed(search(host, **{"probe": ["true"], **options}))
        assert [each["rule"] for each in result["errors"]] == [rule]
        assert told in result["msg"]
        assert host.listing() == before
        assert nothing_left(host)
        assert host.state("app.service") == "active"

    def test_what_refuses_a_stop(self, host: Lab) -> None:
        unit = text("/bin/sleep infinity", "SuccessExitStatus=SIGKILL")
        host.foreign("stubborn.service", "[Unit]\nRefuseManualStop=yes\n" + unit)
        result = failed(search(host, name="stubborn.service", probe=["true"]))
        assert "refuses to be stopped" in result["msg"]
        host.sh("systemctl kill --signal=KILL stubborn.service")
        until(lambda: host.state("stubborn.service") == "inactive", "it is not down")

    @pytest.mark.parametrize(
        ("setting", "told"),
        [
            ("FailureAction=reboot", "FailureAction= of fatal.service is reboot"),
            ("OnFailure=reboot.target", "OnFailure= of fatal.service is reboot.target"),
            ("OnFailure=panic.service", "panic.service, where SuccessAction= of panic.service is poweroff"),
        ],
    )
    def test_what_ends_the_host(self, host: Lab, setting: str, told: str) -> None:
        host.foreign("panic.service", "[Unit]\nSuccessAction=poweroff\n" + text("/bin/true"), start=False)
        with fatal(host, setting):
            before = host.invocation("fatal.service")
            result = failed(search(host, name="fatal.service", probe=["true"]))
            assert [each["rule"] for each in result["errors"]] == ["hardening-target"]
            assert told in result["msg"]
            assert host.invocation("fatal.service") == before
        assert nothing_left(host)

    def test_what_goes_down_with_it_and_ends_the_host(self, host: Lab) -> None:
        by_hand(host, "/bin/sleep infinity")
        with fatal(host, "Requires=app.service\nAfter=app.service\nFailureAction=reboot"):
            result = failed(search(host, probe=["true"]))
        assert "FailureAction= of fatal.service is reboot" in result["msg"]

    def test_two_at_once(self, host: Lab) -> None:
        by_hand(host, "/bin/sleep infinity")
        host.sh(f"mkdir -p {FOLDER}")
        with host.beside(f"exec flock {FOLDER} sleep 60"):
            until(lambda: host.run("flock", "-n", FOLDER, "true").returncode, "nobody holds the lock")
            result = failed(search(host, probe=["true"]))
        assert result["errors"][0]["rule"] == "search-busy"
        assert nothing_left(host)

    def test_what_carries_the_run(self, host: Lab) -> None:
        by_hand(host, "/bin/sleep infinity")
        group = "/sys/fs/cgroup$(systemctl show --value --property=ControlGroup app.service)/cgroup.procs"
        into = ("sh", "-c", f'echo $$ > {group} && "$@"', "sh")
        result = failed(search(host, probe=["true"], prefix=into))
        assert re.search(r"lives in .*app.service", result["msg"])


def test_a_real_one(host: Lab) -> None:
    """That it starts as root, goes on as another user and takes a low port does not hinder the rest."""
    host.sh(f"systemctl start {NGINX}")
    result = succeeded(search(host, name=NGINX, probe=["curl -sf http://127.0.0.1/ > /dev/null"], time_limit=12))
    assert nothing_left(host)
    assert "Welcome" in host.answer(80)
    assert result["exposure"]["after"] <= result["exposure"]["before"]

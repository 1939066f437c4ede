# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks from outside: what may be declared of them, and what each says of a host that does not answer."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.health import health
from ansible_collections.unitwright.systemd.plugins.module_utils._host import probe
from ansible_collections.unitwright.systemd.plugins.module_utils._host.health import (
    CHECK_OPTIONS,
    Health,
    first_complaint,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Outcome
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused

LONG = "x" * 64
NOT_ASCII = (
    "health: http has a blank or a letter outside ASCII, which no request can hold: '{}'; "
    "write it percent-encoded (%20), and in a host's name as xn--..."
)


class Answers:
    """In the place of a manager: what each command does."""

    def __init__(self, **outcomes: Outcome) -> None:
        self.outcomes = outcomes
        self.asked: list[str] = []
        self.given: list[float] = []

    def run(self, command: Sequence[str], timeout: float) -> Outcome:
        self.asked.append(command[0])
        self.given.append(timeout)
        return self.outcomes[command[0]]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"tcp": "localhost"}, "health: tcp is HOST:PORT, not 'localhost'"),
        ({"tcp": "localhost:0"}, "health: tcp is HOST:PORT, not 'localhost:0'"),
        ({"tcp": "localhost:65536"}, "health: tcp is HOST:PORT, not 'localhost:65536'"),
        ({"tcp": "localhost:http"}, "health: tcp is HOST:PORT, not 'localhost:http'"),
        ({"tcp": "a b:80"}, "health: tcp is HOST:PORT, not 'a b:80'"),
        ({"tcp": f"{LONG}.example:80"}, f"health: tcp is HOST:PORT, not '{LONG}.example:80'"),
        ({"tcp": "a\n:80"}, "health: tcp contains a control character: take it out"),
        ({"unix": "/run/\x7f"}, "health: unix contains a control character: take it out"),
        ({"unix": "/run/\ud800"}, "health: unix is not valid UTF-8: it holds half of a surrogate pair"),
        ({"http": "localhost:80"}, "health: http is a URL that starts with http:// or https://, not 'localhost:80'"),
        ({"http": "ftp://a/"}, "health: http is a URL that starts with http:// or https://, not 'ftp://a/'"),
        ({"http": "http:///a"}, "health: http is a URL that starts with http:// or https://, not 'http:///a'"),
        ({"http": "http://a:0/"}, "health: http is a URL that starts with http:// or https://, not 'http://a:0/'"),
        ({"http": "http://a:b/"}, "health: http is a URL that starts with http:// or https://, not 'http://a:b/'"),
        ({"unix": "app.sock"}, "health: unix is an absolute path, not 'app.sock'"),
        ({"unix": "@app"}, "health: unix is an absolute path, not '@app'"),
        ({"unix": "/" + "x" * 107}, "health: unix has 108 bytes, and the path of a socket at most 107"),
        ({"unix": "/" + "é" * 54}, "health: unix has 109 bytes, and the path of a socket at most 107"),
        *(({"http": url}, NOT_ASCII.format(url)) for url in ("http://a/b c", "http://a/é", "http://é/", "http://a/ ")),
        (
            {"http": "http://me:word@a/"},
            "health: http takes no user or password in its URL: use command with a client that does",
        ),
        (
            {"command": ["curl -f http://a/"]},
            "health: command is one word with blanks, 'curl -f http://a/', and no shell splits it: write a "
            "list, a word each; if the program's own name has them, begin it with env",
        ),
        ({"command": [""]}, "health: command is empty: name a program"),
        ({"command": ["a", "b\n"]}, "health: command contains a control character: take it out"),
        ({"stable_for": -1.0}, "health: stable_for is a number of seconds and cannot be negative"),
        ({"stable_for": float("nan")}, "health: stable_for is a number of seconds and cannot be negative"),
        ({"timeout": 0.0}, "health: timeout is a number of seconds, more than 0"),
        ({"timeout": float("inf")}, "health: timeout is a number of seconds, more than 0"),
    ],
)
def test_what_could_never_pass_is_refused(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        health(declared, {})
    assert str(refused.value) == said


def test_all_that_could_never_pass_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        health({"tcp": "8118", "http": "\x01", "command": ["a b"], "unix": "/run/a", "timeout": 0.0}, {})
    assert [each.path for each in refused.value.each] == ["timeout", "tcp", "http", "command"]
    assert str(refused.value).startswith(
        "health: timeout is a number of seconds, more than 0; health: tcp is HOST:PORT"
    )


@pytest.mark.parametrize(
    ("declared", "check"),
    [
        ({"tcp": "[::1]:80"}, probe.Tcp("[::1]:80")),
        ({"tcp": ":80"}, probe.Tcp(":80")),
        ({"unix": "/run/a"}, probe.Unix("/run/a")),
        ({"unix": "/run/a b"}, probe.Unix("/run/a b")),
        ({"unix": "/" + "x" * 106}, probe.Unix("/" + "x" * 106)),
        ({"http": "http://a/b%20c?d=@e"}, probe.Http("http://a/b%20c?d=@e")),
        ({"tcp": "bücher.example:80"}, probe.Tcp("bücher.example:80")),
        ({"command": ["env", "/opt/my tool/check"]}, probe.Command(("env", "/opt/my tool/check"))),
        ({"http": "https://127.0.0.1:8443/a?b"}, probe.Http("https://127.0.0.1:8443/a?b")),
        ({"command": ["a", ""]}, probe.Command(("a", ""))),
    ],
)
def test_what_can_be_meant_is_taken(declared: dict[str, Any], check: probe.Check) -> None:
    assert health(declared, {}) == Health(5.0, 60.0, (check,), patient=True)


def test_what_is_not_given_is_the_stacks_or_the_default() -> None:
    assert health(None, {}) == Health(stable_for=5.0, timeout=60.0, patient=True)
    assert health({"timeout": 2.0, "stable_for": None}, {"timeout": 1.0, "stable_for": 0.0}) == Health(0.0, 2.0)
    assert health({"tcp": "", "unix": None, "http": "", "command": None}, {}).checks == ()


def test_an_option_for_each_check() -> None:
    assert list(options.health()) == ["stable_for", "timeout", "tcp", "unix", "http", "command"]
    assert list(options.stack()["health"]["options"]) == ["stable_for", "timeout"]


def test_checks_are_tried_in_their_order_up_to_the_first_complaint() -> None:
    failing, passing = Outcome(4, "", "one\nno luck\n"), Outcome(0, "", "")
    declared = {"command": ["fails"], "unix": "/nowhere/a"}
    checks = probe.read_checks(declared)
    answers = Answers(fails=failing, passes=passing)
    assert first_complaint(answers, checks) == "/nowhere/a: No such file or directory"
    assert answers.asked == []
    assert first_complaint(answers, checks[1:]) == "fails: exit code 4, no luck"
    assert first_complaint(answers, probe.read_checks({"command": ["passes", "a"]})) == ""
    assert first_complaint(answers, ()) == ""


@pytest.mark.parametrize(("left", "given"), [(60.0, 10.0), (10.0, 10.0), (4.25, 4.2), (0.1, 0.5), (-3.0, 0.5)])
def test_an_attempt_has_ten_seconds_or_what_is_left(left: float, given: float) -> None:
    answers = Answers(a=Outcome(1, "", ""))
    first_complaint(answers, [probe.Command(("a",))], left)
    assert answers.given == [pytest.approx(given, abs=0.11)]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(0, "", "warning"), ""),
        (Outcome(1, "", ""), "a b: exit code 1"),
        (Outcome(1, "out\n", ""), "a b: exit code 1, out"),
        (Outcome(1, "out", "err"), "a b: exit code 1, err"),
    ],
)
def test_a_command_is_quoted_with_its_last_words(outcome: Outcome, said: str) -> None:
    assert probe.Command(("a", "b")).complaint(Answers(a=outcome)) == said


def test_a_connection_is_accepted_or_not(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path)
        unix.listen()
        address = f"127.0.0.1:{tcp.getsockname()[1]}"
        assert probe.Tcp(address).complaint(Answers()) == ""
        assert probe.Unix(path).complaint(Answers()) == ""
    assert probe.Tcp(address).complaint(Answers()) == f"{address}: Connection refused"
    assert probe.Unix(path).complaint(Answers()) == f"{path}: Connection refused"


class _Pages(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_answer_below_400_is_one(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert probe.Http(f"{site}/204").complaint(Answers()) == ""
    assert probe.Http(f"{site}/404").complaint(Answers()) == f"{site}/404 answers with 404"
    assert probe.Http("http://127.0.0.1:9/").complaint(Answers()) == "http://127.0.0.1:9/: Connection refused"


def test_every_check_has_its_option() -> None:
    assert list(probe.CHECKS) == list(CHECK_OPTIONS)


def test_https_where_plain_http_is_spoken() -> None:
    """A server that speaks no TLS: as Python's does, whatever the words of its ssl are."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://127.0.0.1:{server.server_port}/health"
        told = probe.Http(url).complaint(Answers(), 5)
    finally:
        server.shutdown()
        server.server_close()
    assert told == f"{url}: it speaks plain http there: write http://"


@pytest.mark.parametrize(("answer", "told"), [(b"\x15\x03\x03\x00\x02\x02\x46", "it speaks TLS there: write https://")])
def test_http_where_tls_is_spoken(answer: bytes, told: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _address = listening.accept()
            with connected:
                connected.recv(4096)
                connected.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert probe.Http(url).complaint(Answers(), 5) == f"{url}: {told}"
        thread.join()


def test_https_where_nothing_is_said_stays_as_it_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _attempt in range(2):
                connected, _address = listening.accept()
                with connected:
                    connected.recv(4096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        told = probe.Http(f"https://127.0.0.1:{listening.getsockname()[1]}/").complaint(Answers(), 5)
    assert "plain" not in told
    assert told


@pytest.mark.parametrize(
    ("option", "given", "program"),
    [
        ("tcp", "localhost:80", ""),
        ("unix", "/run/a.sock", ""),
        ("http", "http://localhost/", ""),
        ("command", ["/usr/bin/true", "x"], "/usr/bin/true"),
    ],
)
def test_which_check_runs_a_program(option: str, given: Any, program: str) -> None:
    assert [each.program for each in probe.read_checks({option: given})] == [program]

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a program's lines says most, and what the usual runtimes say of ports, files and modules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._causes import holders, why_words
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.incident import PROCESS_EXIT, Incident, texts
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.why_said import telling
from ansible_collections.unitwright.systemd.plugins.module_utils._host.journal import Line

from tests.runtimes import (
    GUNICORN_TAKEN,
    NODE_FILE,
    NODE_MODULE,
    NODE_PACKAGE,
    NODE_REFUSED,
    NODE_TAKEN,
    REDIS_TAKEN,
)

UNIT = "shop.service"

JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: cannot start
\tat Main.start(Main.java:9)
\tat Main.main(Main.java:4)
Caused by: java.net.BindException: {}
\tat java.base/sun.nio.ch.Net.bind0(Native Method)
\tat java.base/sun.nio.ch.Net.bind(Net.java:555)
\t... 12 more
"""
RUBY = """\
/usr/lib/ruby/3.1.0/socket.rb:201:in `bind': {} - bind(2) for 0.0.0.0:{} (Errno::{})
\tfrom /usr/lib/ruby/3.1.0/socket.rb:201:in `listen'
\tfrom /opt/app.rb:3:in `<main>'
"""
GO_LOG = "2026/11/27 16:51:14 main.go:12: listen tcp :{}: bind: {}\n"
GO_PANIC = """\
panic: listen tcp :{}: bind: {}

goroutine 1 [running]:
main.main()
\t/opt/app/main.go:12 +0x1d
exit status 2
"""
RUST_MAIN = 'Error: Os {{ code: {}, kind: {}, message: "{}" }}\n'
RUST_PANIC = """\
thread 'main' panicked at src/main.rs:4:44:
called `Result::unwrap()` on an `Err` value: Os { code: 98, kind: AddrInUse, message: "Address already in use" }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
PHP = "[Fri Nov 27 16:51:14 2026] Failed to listen on localhost:{} (reason: {})\n"
NGINX = """\
2026/11/27 17:08:14 [emerg] 9#9: {}
nginx: configuration file /etc/nginx/nginx.conf test failed
"""
GUNICORN = """\
[2026-11-27 16:51:14 +0000] [9] [ERROR] Exception in worker process
Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/gunicorn/util.py", line 359, in import_app
    mod = importlib.import_module(module)
ModuleNotFoundError: No module named 'shop'
[2026-11-27 16:51:14 +0000] [9] [INFO] Worker exiting (pid: 9)
[2026-11-27 16:51:14 +0000] [7] [ERROR] Reason: Worker failed to boot.
"""
PERL = """\
Can't locate Foo/Bar.pm in @INC (you may need to install the Foo::Bar module) (@INC contains: /etc/perl) at a line 1.
BEGIN failed--compilation aborted at a line 1.
"""
PYTHON = """\
Traceback (most recent call last):
  File "/opt/app.py", line 3, in <module>
    configure()
django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.
"""


def lines(text: str) -> tuple[Line, ...]:
    """As journald has them, which leaves out what is empty and keeps blanks at the front."""
    return tuple(Line(each, 1, "a", False, {"PRIORITY": "6"}) for each in text.splitlines() if each)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ""),
        ("one\ntwo\n", "two"),
        (NODE_TAKEN, "Error: listen EADDRINUSE: address already in use :::3001"),
        (NODE_REFUSED, "Error: listen EACCES: permission denied 0.0.0.0:83"),
        (NODE_MODULE, "Error: Cannot find module 'express'"),
        (NODE_PACKAGE, "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /opt/node/node.mjs"),
        (JAVA.format("Permission denied"), "Caused by: java.net.BindException: Permission denied"),
        (
            RUBY.format("Permission denied", 81, "EACCES"),
            RUBY.format("Permission denied", 81, "EACCES").partition("\n")[0],
        ),
        (GO_PANIC.format(80, "permission denied"), "panic: listen tcp :80: bind: permission denied"),
        (GO_LOG.format(80, "permission denied"), GO_LOG.format(80, "permission denied").strip()),
        (RUST_PANIC, " ".join(RUST_PANIC.splitlines()[:2])),
        (
            NGINX.format("unknown directive in /a.conf:3"),
            "2026/11/27 17:08:14 [emerg] 9#9: unknown directive in /a.conf:3",
        ),
        (GUNICORN, "ModuleNotFoundError: No module named 'shop'"),
        (PYTHON, PYTHON.splitlines()[-1]),
        (f"{PYTHON}cleaning up\n", PYTHON.splitlines()[-1]),
        ("fatal: no such repository\nbye\n", "fatal: no such repository"),
        ("level=error msg=nope\nlevel=info msg=bye\n", "level=error msg=nope"),
        ("CRITICAL nope\nINFO bye\n", "CRITICAL nope"),
        ("an error: one\nan error: two\nbye\n", "an error: two"),
        ("found 0 errors\nbye\n", "bye"),
        ("\tat a.b(C.java:1)\n", "at a.b(C.java:1)"),
    ],
)
def test_the_line_that_says_most(text: str, says: str) -> None:
    assert telling(lines(text)) == says


def test_a_line_that_its_program_logs_as_an_error() -> None:
    logged = Line("no space for the index", 1, "a", False, {"PRIORITY": "3"})
    assert telling((logged, *lines("bye"))) == "no space for the index"


def cause(text: str, unit: str = "", status: str = "1") -> str:
    ended = {"MESSAGE_ID": PROCESS_EXIT, "EXIT_STATUS": status, "EXIT_CODE": "exited", "COMMAND": "ExecStart"}
    said = (*lines(text), Line("exited", 1, "a", True, ended))
    content = f"[Service]\nExecStart=/opt/app\n{unit}\n"
    found = why_words.why(Incident(UNIT, "exit-code", {}, texts({"/x": content.encode()}, UNIT), said))
    return found.what if found else ""


IN_USE, DENIED = "Address already in use", "Permission denied"
TAKEN = [
    (NODE_TAKEN.replace("3001", "2022"), ""),
    (JAVA.format(IN_USE), "Environment=PORT=2022"),
    (RUBY.format(IN_USE, 2022, "EADDRINUSE"), ""),
    (GO_LOG.format(2022, "address already in use"), ""),
    (GO_PANIC.format(2022, "address already in use"), ""),
    (RUST_MAIN.format(98, "AddrInUse", IN_USE), "Environment=PORT=2022"),
    (RUST_PANIC, "Environment=PORT=2022"),
    (PHP.format(2022, IN_USE), ""),
    (NGINX.format("bind() to 0.0.0.0:2022 failed (98: Address already in use)"), ""),
    ("Web server failed to start. Port 2022 was already in use.", ""),
    ("[2026-11-27 16:51:14 +0000] [7] [ERROR] Connection in use: ('127.0.0.1', 2022)", "Environment=PORT=2022"),
]
REFUSED = [
    (NODE_REFUSED, ""),
    (JAVA.format(DENIED), "Environment=PORT=83"),
    (RUBY.format(DENIED, 83, "EACCES"), ""),
    (GO_LOG.format(83, "permission denied"), ""),
    (GO_PANIC.format(83, "permission denied"), ""),
    (PHP.format(83, DENIED), ""),
    (NGINX.format("bind() to 0.0.0.0:83 failed (13: Permission denied)"), ""),
    ("nginx: [emerg] bind() to 0.0.0.0:83 failed (13: Permission denied)", ""),
]


@pytest.mark.parametrize(("text", "unit"), TAKEN)
def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch, text: str, unit: str) -> None:
    monkeypatch.setattr(holders, "listening", lambda: {2022: holders.Port(2022, ("1",))})
    assert cause(text, unit).startswith("port 2022 is taken by ")
    monkeypatch.setattr(holders, "listening", lambda: {2023: holders.Port(2023, ("1",))})
    assert cause(text, unit) == ""


@pytest.mark.parametrize(("text", "unit"), REFUSED)
def test_a_port_that_is_refused(text: str, unit: str) -> None:
    assert cause(text, f"User=nobody\n{unit}").startswith("user nobody may not listen on port 83")
    assert cause(text, unit) == "", "root may"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NODE_MODULE, "the module express, "),
        (NODE_PACKAGE, "the module express, "),
        (NODE_MODULE.replace("express", "/opt/nowhere/app.js"), "the module /opt/nowhere/app.js, "),
        (NODE_MODULE.replace("'express'", "'/etc/hostname'"), ""),
        (f"{NODE_MODULE}\ngoing on without it", ""),
        (GUNICORN, "the Python module shop, "),
        ("/usr/bin/python3: No module named shop", "the Python module shop, "),
        (
            "/usr/bin/python3: Error while finding module specification for 'htpp.server' "
            "(ModuleNotFoundError: No module named 'htpp')",
            "the Python module htpp, ",
        ),
        ("/opt/app.rb:1:in `require': cannot load such file -- sinatra (LoadError)", "the Ruby library sinatra, "),
        (PERL, "the Perl module Foo/Bar.pm, "),
        ("PHP Fatal error:  Uncaught Error: Failed opening required '/opt/nowhere.php' in /opt/a.php:3", "the file "),
        ("Error: Unable to access jarfile /opt/nowhere.jar", "the file /opt/nowhere.jar, "),
        ("Error: Could not find or load main class a.Main", "the Java class a.Main, "),
        ('ERROR:    Error loading ASGI app. Could not import module "shop.main".', "the Python module shop.main, "),
    ],
)
def test_a_module_that_is_not_there(text: str, says: str) -> None:
    found = cause(text)
    assert found.startswith(says) if says else not found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NODE_FILE, "/opt/nowhere is not there"),
        (
            NGINX.format('open() "/opt/nowhere.conf" failed (2: No such file or directory) in /a.conf:3'),
            "/opt/nowhere.c",
        ),
        ("java.nio.file.NoSuchFileException: /opt/nowhere.conf", "/opt/nowhere.conf is not there"),
        (
            "/opt/a.rb:1:in `read': No such file or directory @ rb_sysopen - /opt/nowhere.conf (Errno::ENOENT)",
            "/opt/now",
        ),
        ("open /opt/nowhere.conf: no such file or directory", "/opt/nowhere.conf is not there"),
    ],
)
def test_a_file_that_is_not_there(text: str, says: str) -> None:
    assert cause(text).startswith(says)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("cat: '/opt/nowhere/my file': No such file or directory", "/opt/nowhere"),
        ("cat: /opt/my: No such file or directory", "/opt/my"),
        ("open \u201c/opt/my file\u201d: no such file or directory", "/opt/my file"),
        ("mkdir: cannot create directory \u2018/opt/nowhere/x\u2019: No such file or directory", "/opt/nowhere"),
        ("tar: \u00bb/opt/my\u00ab: No such file or directory", "/opt/my"),
        ("cannot open `/opt/my' for reading: No such file", "/opt/my"),
        ("sh: 1: cannot create /opt/nowhere/x: Directory nonexistent", "/opt/nowhere"),
        ("cannot open /opt/my for reading: No such file or directory", "/opt/my"),
        ("exec of /opt/my failed: No such file or directory", "/opt/my"),
        # Where it ends, or whether it is one, cannot be told.
        ("open /opt/my file: no such file or directory", ""),
        ("run '/opt/my -x': No such file or directory", ""),
        ("mv '/opt/my' '/opt/other': No such file or directory", ""),
    ],
)
def test_where_a_path_ends(text: str, path: str) -> None:
    found = cause(text)
    assert found.startswith(f"{path} is not there") if path else not found


def test_a_link_to_what_is_not_there_is_told(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/opt/nowhere")
    found = cause(f"cat: {link}: No such file or directory")
    assert found.startswith(f"{link} is not there ({link} is a link to /opt/nowhere), ")


@pytest.mark.parametrize(
    ("text", "unit", "says"),
    [
        ("PORT environment variable is required", "", "the variable PORT is not set"),
        ("Missing required environment variable: PORT", "", "the variable PORT is not set"),
        ("environment variable PORT must be set", "", "the variable PORT is not set"),
        ("environment variable PORT must be set", "Environment=PORT=1", ""),
        ("PORT is not set", "", ""),
    ],
)
def test_a_variable_that_is_asked_for(text: str, unit: str, says: str) -> None:
    found = cause(text, unit)
    assert found.startswith(says) if says else not found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nginx: [emerg] bind() to 198.51.100.7:80 failed (99: Cannot assign requested address)", "198.51.100.7"),
        ("listen tcp [2001:db8::5]:80: bind: cannot assign requested address", "2001:db8::5"),
        ("bind() to 127.0.0.1:80 failed (99: Cannot assign requested address)", ""),
        ("connect to 198.51.100.7:80 failed (99: Cannot assign requested address)", ""),
        ("OSError: [Errno 99] Cannot assign requested address", ""),
    ],
)
def test_an_address_that_the_host_does_not_have(text: str, says: str) -> None:
    assert cause(text).startswith(f"this host does not have the address {says}, ") if says else not cause(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (REDIS_TAKEN.replace("6379", "2022"), "port 2022 is taken by "),
        (GUNICORN_TAKEN.replace("8000", "2022"), "port 2022 is taken by "),
        # It went on, and ended for something else; or the last line is of another port.
        (f"{REDIS_TAKEN.replace('6379', '2022')}schema 4 is not known", ""),
        (f"{REDIS_TAKEN.replace('6379', '2022')}cannot reach 127.0.0.1:2023", ""),
    ],
)
def test_a_port_of_which_an_earlier_line_tells_more(monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    monkeypatch.setattr(holders, "listening", lambda: {2022: holders.Port(2022, ("1",))})
    found = cause(text)
    assert found.startswith(says) if says else not found


def test_a_script_of_windows_that_has_env_look_for_its_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(b"#!/usr/bin/env python3\r\n")
    for name, quoted in (("/usr/bin/env", "\u2018python3\\r\u2019"), ("env", "'python3\\r'")):
        text = f"{name}: {quoted}: No such file or directory\n{name}: use -[v]S to pass options in shebang lines\n"
        found = cause(text, f"ExecStart=\nExecStart={script}", status="127")
        assert found.startswith(f"the first line of {script} ends with a carriage return")


@pytest.mark.parametrize(
    "text",
    [
        "curl: (7) Failed to connect to 10.0.0.1 port 83: Permission denied",
        "connect 10.0.0.1:83: operation not permitted\ngiving up on 10.0.0.1:83",
    ],
)
def test_who_connects_to_a_port_does_not_listen_on_it(text: str) -> None:
    assert cause(text, "User=nobody") == ""


def test_what_sudo_says_last_is_not_its_error() -> None:
    text = """\
sudo: The "no new privileges" flag is set, which prevents sudo from running as root.
sudo: If sudo is running in a container, you may need to adjust the container configuration to disable the flag.
"""
    assert cause(text, "NoNewPrivileges=yes").startswith("NoNewPrivileges= (/x:3) does not let it become another user")


def test_a_file_that_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the file has to be another's than nobody's")
    secret = tmp_path / "secret"
    secret.write_text("")
    secret.chmod(0o600)
    for folder in [*tmp_path.parents][:-2]:
        folder.chmod(folder.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    node = NODE_FILE.replace("ENOENT: no such file or directory", "EACCES: permission denied")
    for text in (
        node.replace("/opt/nowhere/app.json", str(secret)),
        f"java.nio.file.AccessDeniedException: {secret}",
        f"/opt/a.rb:1:in `read': Permission denied @ rb_sysopen - {secret} (Errno::EACCES)",
        NGINX.format(f'cannot load certificate key "{secret}": BIO_new_file() failed (13: Permission denied)'),
    ):
        assert cause(text, "User=nobody").startswith(f"user nobody may not read {secret}"), text
